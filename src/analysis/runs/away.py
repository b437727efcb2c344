"""A report that another machine has asked for: made in processes of its own, and handed back as bytes.

A worker of a cluster starts a process for each report (`runs.cluster`), which calls `main` with its end of a pipe. When
the other end is closed, since nobody wants the report any more or the worker is dead, it ends all that it has started.
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

from analysis.report.private import private_dir
from analysis.runs.task import Outcome, Task
from analysis.runs.workers import UnderWay, make_all, temporary_folder

# Parts of what a report is made from that must be the same on both machines.
SAME = {
    "data": "raw files",
    "study": "study.yaml",
    "cards": "instruments or profiles",
    "settings": "settings",
    "program": "version of this program, of Python or of the libraries",
}


@dataclass(frozen=True)
class Sent:
    """A report to be made on another machine.

    Attributes
    ----------
    task
        Its `data` is the data folder of that machine; its `reports` is of this one and counts for nothing there.
    digests
        What it must be made from, by `Task.digests`.
    memory
        Bytes of memory that it may take; 0 for its share of the worker's.
    """

    task: Task
    digests: Mapping[str, str]
    memory: float


@dataclass(frozen=True)
class Received:
    """What has become of it, as it is sent back.

    Attributes
    ----------
    outcome
        How it ended; its task is that of the other machine.
    heard
        What was said meanwhile.
    report, private
        The files of the report's folder, by their paths in it, and of the folder of private files. Without a report the
        one that was there before is kept.
    """

    outcome: Outcome
    heard: tuple[str, ...] = ()
    report: Mapping[str, bytes] = field(default_factory=dict)
    private: Mapping[str, bytes] = field(default_factory=dict)


def main() -> None:
    """Make the report that comes through the pipe, whose number is the first argument; send back what becomes of it."""
    connection = Connection(int(sys.argv[1]))
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # nobody is at the other end any more
        connection.send(received(connection.recv(), connection))


def received(sent: Sent, connection: Connection) -> Received:
    """Make a report, telling the other end how far it is.

    Raises
    ------
    EOFError, BrokenPipeError, ConnectionResetError
        The other end is closed.
    """
    why = _why_not(sent)
    if why:
        return Received(Outcome(sent.task, "failed", failed=why))
    heard = [f"{sent.task.report}: on {platform.node()}"]
    connection.send(heard[0])

    def watch(running: Sequence[UnderWay], _: Sequence[Outcome]) -> None:
        for one in running:
            for text in one.heard[len(heard) - 1 :]:
                heard.append(text)
                connection.send(text)
        if connection.poll():
            connection.recv()  # nothing more is ever sent: this raises EOFError

    with temporary_folder() as folder:
        task = replace(sent.task, reports=folder / "reports")
        [outcome] = make_all([task], 1, sent.memory, watch)
        if outcome.is_unwritable:
            why = f"the temporary folder of {platform.node()} cannot be written"
            return Received(replace(outcome, status="failed", failed=why, problems=()), tuple(heard))
        report, private = files_in(task.reports / task.report), files_in(private_dir(task.reports, task.report))
        return Received(outcome, tuple(heard), report, private)


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder and of those in it, by their paths."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _why_not(sent: Sent) -> str:
    """Return why the report cannot be made here; empty where it can."""
    folder, here = sent.task.data / sent.task.study, platform.node()
    if not (folder / "study.yaml").is_file():
        return f"there is no such study in {sent.task.data} on {here}; say with --worker-data where the data are there"
    found = sent.task.digests()
    other = [said for part, said in SAME.items() if found[part] != sent.digests[part]]
    return f"{here} has not the same {', nor the same '.join(other)}" if other else ""
