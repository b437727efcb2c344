"""Workers: a process of its own for each report, so that one that fails, hangs or is killed leaves the others.

Each report is locked for the run that makes it (`report.folders.alone`).
"""

import gc
import os
import re
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import psutil

from analysis.plan.errors import BadInput
from analysis.plan.faults import known
from analysis.plan.paths import ONE_THREAD, environment
from analysis.report.folders import alone
from analysis.runs.task import GB, Outcome, Status, Task, make

# How often workers are looked at, in seconds, and how long one that is asked to end may take.
LOOK_EVERY, GRACE = 0.2, 0.5
# Imported once a run, for all workers and their kernels; what is the kernels' comes first. None of it starts a thread.
PRELOADED = (
    *("analysis.kernels.__main__", "analysis.runs.workers", "analysis.pipeline", "analysis.report.write"),
    *("analysis.report.forked", "analysis.report.execute", "analysis.report.notebook_pages"),
    *("nbconvert.exporters.html", "patsy", "scipy.optimize", "scipy.sparse.csgraph", "seaborn"),
    "statsmodels.stats.multitest",
)
TEMPORARY = re.compile(r"mentoring-run-(\d+)-\w+")


@dataclass(kw_only=True)
class UnderWay:
    """A report that is being made, wherever."""

    task: Task
    started: float = field(default_factory=time.monotonic)
    heard: list[str] = field(default_factory=list)
    outcome: Outcome | None = None

    @property
    def said(self) -> str:
        """What the worker has said last."""
        return self.heard[-1] if self.heard else "starting"

    @property
    def seconds(self) -> float:
        """How long it has been under way."""
        return time.monotonic() - self.started


@dataclass(kw_only=True)
class Running(UnderWay):
    """A report that a worker on this machine is making."""

    process: ForkServerProcess
    messages: Connection
    memory: float

    def hear(self) -> None:
        """Take in what the worker has said so far."""
        with suppress(EOFError, OSError):
            while self.messages.poll():
                message = self.messages.recv()
                if isinstance(message, Outcome):
                    self.outcome = message
                else:
                    self.heard.append(message)

    def takes(self, *, exactly: bool = False) -> float:
        """Return how much memory the worker and its children have, in bytes.

        What they share counts for each of them, unless it is to be told `exactly`, which takes long to find out.
        """
        return sum(_memory_of(process, exactly) for process in _family(self.process.pid))


def end(running: Sequence[Running], why: str, status: Status = "failed") -> None:
    """Stop workers and everything that they started, asked to at first, made to after half a second; and say why."""
    family = [process for one in running for process in _family(one.process.pid)]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(family, timeout=GRACE)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for one in running:
        one.process.join(GRACE)
        # locked once more, which clears what is left of it
        with suppress(BadInput), alone(one.task.reports, one.task.report):
            pass
        one.outcome = Outcome(one.task, status, round(one.seconds, 1), why)


def share_of_memory(workers: int, given: float | None) -> float:
    """Return how many bytes of memory a worker may take: `given` GB, else its share of nine tenths of what is free."""
    return given * GB if given else 0.9 * psutil.virtual_memory().available / workers


def _family(pid: int | None) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    return []


def _memory_of(process: psutil.Process, exactly: bool) -> float:
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if not exactly:
            return float(process.memory_info().rss)
        full = process.memory_full_info()
        return float(getattr(full, "pss", full.uss))  # not every system tells a process's part of what is shared
    return 0.0


def make_all(
    tasks: Sequence[Task],
    workers: int,
    memory: float,
    watch: Callable[[Sequence[Running], Sequence[Outcome]], None],
) -> Iterator[Outcome]:
    """Make reports, `workers` at a time, and yield each as it ends.

    The largest come first, so that at the end no worker waits for another. A study that is expected to need more memory
    than a worker's share waits until the others leave it room.

    Parameters
    ----------
    memory
        Bytes that a worker may take; one that takes more is stopped, or its notebook alone where that takes most.
    watch
        Called a few times a second with what is under way and what has ended.
    """
    waiting, running, ended = sorted(tasks, key=partial(_turn, memory=memory)), list[Running](), list[Outcome]()
    with temporary_folder(), environment(**ONE_THREAD):
        context = get_context("forkserver")
        context.set_forkserver_preload(list(PRELOADED))
        try:
            while waiting or running:
                _start(context, waiting, running, workers, memory)
                wait([one.process.sentinel for one in running], timeout=LOOK_EVERY)
                for one in running:
                    _look(one, memory * workers if len(running) == 1 else max(memory, one.memory))
                watch(running, ended)
                for one in [one for one in running if one.outcome is not None]:
                    running.remove(one)
                    ended.append(known(one.outcome))
                    yield known(one.outcome)
        except BaseException:
            end(running, "stopped", "stopped")
            _end_fork_server()
            raise


def _turn(task: Task, memory: float) -> tuple[bool, float]:
    """Return what tasks are sorted by; of the same size they keep their order."""
    need = task.memory()
    return need > memory, -need


def _end_fork_server() -> None:
    """End what workers are forked from: it may import still, and the end of this process would wait for it.

    multiprocessing offers no other way, and would look for it again in the next run of this process.
    """
    for process in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if any("multiprocessing.forkserver" in word for word in process.cmdline()):
                process.kill()
    forkserver._forkserver._stop()  # type: ignore[attr-defined]


def _start(
    context: ForkServerContext, waiting: list[Task], running: list[Running], workers: int, memory: float
) -> None:
    """Start as many of the waiting as there are workers and room for; alone, any study is started."""
    for task in list(waiting):
        need = task.memory()
        has_room = sum(one.memory for one in running) + need <= memory * workers
        if len(running) < workers and (has_room or not running):
            waiting.remove(task)
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(task, theirs, dict(os.environ)), name=task.report)
            process.start()
            # known at once: whatever interrupts this, what has been started must be ended
            running.append(Running(task=task, process=process, messages=ours, memory=need))
            theirs.close()


def _look(one: Running, limit: float) -> None:
    """Hear a worker; settle its outcome where it has ended, or takes too much memory."""
    one.hear()
    if one.outcome is None and one.takes() > limit and one.takes(exactly=True) > limit:
        largest = max(_family(one.process.pid), key=partial(_memory_of, exactly=True), default=None)
        if largest is None or largest.pid == one.process.pid:
            end([one], f"it took more than {limit / GB:.1f} GB of memory; give more with --memory, or fewer --jobs")
        else:  # a notebook's: the others, and the page, are still wanted
            with suppress(psutil.NoSuchProcess):
                largest.kill()
    if not one.process.is_alive():
        one.hear()
        one.process.join()
        if one.outcome is None:
            end([one], f"its process was ended by the system ({_how(one.process.exitcode)})")
    elif one.outcome is not None:
        one.process.join(GRACE)


def _how(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit code {code}"
    name = signal.Signals(-code).name
    return f"{name}, as where memory runs out" if name == "SIGKILL" else name


def _work(task: Task, messages: Connection, variables: Mapping[str, str]) -> None:
    """Make one report in a worker, in a session of its own: a key pressed in the terminal is for the parent alone."""
    from analysis.report.forked import fork_ahead

    os.setsid()
    os.environ.clear()
    os.environ.update(variables)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tempfile.tempdir = os.environ["TMPDIR"]
    # What has been imported is no garbage: looking for some would take time, and copy it.
    gc.freeze()
    fork_ahead(messages)
    threading.Thread(target=_end_with, args=(messages,), daemon=True).start()
    with suppress(BrokenPipeError):  # nobody is at the other end any more
        messages.send(make(task, messages.send))


def _end_with(run: Connection) -> None:
    """End this process when the run at the other end is gone, which may have been killed: nobody else would.

    What it has started ends with it; what it leaves the next run clears.
    """
    with suppress(EOFError, OSError):
        run.recv()  # nothing is ever sent
    os._exit(1)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give workers a folder for what they need for a while; those of runs that are dead are removed."""
    for left in Path(tempfile.gettempdir()).glob("mentoring-run-*"):
        named = TEMPORARY.fullmatch(left.name)
        if named and left.stat().st_uid == os.getuid() and not psutil.pid_exists(int(named[1])):
            shutil.rmtree(left, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory(prefix=f"mentoring-run-{os.getpid()}-", ignore_cleanup_errors=True) as folder,
        environment(TMPDIR=folder),
    ):
        yield Path(folder)
