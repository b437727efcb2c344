"""Reports made on other machines: by the workers of a dask cluster that runs already.

A worker's thread starts a process for each report (`runs.away`); the finished folder comes back as bytes and is put in
its place here, under the report's lock, so that the machines need share no folder of reports. dask itself is imported
only where it is used: it is an extra.
"""

import asyncio
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from analysis.plan.errors import BadInput, bad_input
from analysis.plan.faults import known
from analysis.plan.read_study import study_file
from analysis.report.folders import alone, new_folder
from analysis.report.private import private_dir, put_private
from analysis.runs.away import Received, Sent
from analysis.runs.made_from import keyed
from analysis.runs.task import GB, Outcome, Task, refused
from analysis.runs.workers import LOOK_EVERY, UnderWay, share_of_memory

if TYPE_CHECKING:
    from distributed import Client, Future, Worker

INSTALL = "pip install 'mentoring-outcomes[dask]'"
# Seconds until a scheduler counts as missing, and a finished report as not fetched yet.
CONNECT_SECONDS, FETCH_SECONDS = 6, 60
# Of those that dask gives a level of their own, all that a client uses.
LOGGERS = ("distributed", "distributed.client", "tornado", "tornado.application")
# Reports that are handed to the scheduler at a time: each holds a lock, which is an open file.
AT_A_TIME = 400


@dataclass(kw_only=True)
class Away(UnderWay):
    """A report that the cluster has; locked here for as long."""

    future: "Future | None" = None
    lock: ExitStack = field(default_factory=ExitStack)


def make_all_away(
    tasks: Sequence[Task],
    address: str,
    data: Path,
    memory: float | None,
    watch: Callable[[Sequence[UnderWay], Sequence[Outcome]], None],
) -> Iterator[Outcome]:
    """Make reports on a cluster, as many at a time as its workers have threads, and yield each as it ends.

    A report whose worker dies is made by another one.

    Parameters
    ----------
    address
        Of the scheduler.
    data
        The data folder on the workers, which must hold the same studies as the tasks' own.
    memory
        GB that a report may take on a worker; one that takes more is stopped.
    watch
        As of `runs.workers.make_all`; it sees what a worker has begun.

    Raises
    ------
    BadInput
        dask is not installed, or there is no scheduler at the address.
    """
    waiting, running, ended = list(tasks), list[Away](), list[Outcome]()
    with connected(address) as client:
        topic = f"mentoring-{uuid4().hex}"
        client.subscribe_topic(topic, lambda event: _hear(running, event[1]))
        try:
            while waiting or running:
                while waiting and len(running) < AT_A_TIME:
                    running.append(_hand_over(client, waiting.pop(0), data, memory, topic))
                time.sleep(LOOK_EVERY)
                _note_missing_workers(client, address, running)
                for one in running:
                    one.outcome = one.outcome or _look(one)
                watch([one for one in running if one.heard], ended)
                for one in [one for one in running if one.outcome is not None]:
                    running.remove(one)
                    one.lock.close()
                    ended.append(known(one.outcome))
                    yield known(one.outcome)
        finally:
            with suppress(OSError, RuntimeError, CancelledError):  # the scheduler may be gone
                client.cancel([one.future for one in running if one.future])
            for one in running:
                one.lock.close()


@contextmanager
def connected(address: str) -> "Iterator[Client]":
    """Yield a client of the scheduler at an address.

    Raises
    ------
    BadInput
        dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise bad_input("--engine dask", f"dask is not installed; run: {INSTALL}", rule="parameters") from None
    # What goes wrong is said by this program, in its own words.
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(asyncio.wait_for(_greet(address), CONNECT_SECONDS))
    except (OSError, ValueError, TypeError, EOFError, MemoryError):  # dask says so of an address, or certificate, amiss
        told = f"no dask scheduler answers at {address}; its address is like tcp://HOST:8786"
        raise bad_input("--scheduler", told, rule="parameters") from None
    with Client(address, set_as_default=False) as client:
        yield client


async def _greet(address: str) -> None:
    """Ask whether a scheduler is there: a client that has met none says a lot when it is closed.

    Raises
    ------
    OSError, ValueError
        Nobody is there, or somebody else.
    """
    from distributed.comm import connect
    from distributed.security import Security

    comm = await connect(address, timeout=CONNECT_SECONDS, **Security().get_connection_args("client"))
    await comm.write({"op": "identity", "reply": True})
    who = await comm.read()
    await comm.close()
    if who.get("type") != "Scheduler":
        raise ValueError("a worker's address")


def _hand_over(client: "Client", task: Task, data: Path, memory: float | None, topic: str) -> Away:
    """Lock a report and give it to the scheduler; one that cannot be locked has its outcome at once."""
    one = Away(task=task)
    try:
        study_file(task.study, task.data)  # a name that is a path must not even lock anything
        one.lock.enter_context(alone(task.reports, task.report))
    except BadInput as bad:
        one.outcome = refused(task, bad)
        return one
    digests = task.digests()
    sent = Sent(replace(task, data=data, known_parts=keyed(digests)), digests, (memory or 0) * GB)
    key = f"mentoring-{task.report}-{uuid4().hex}"
    one.future = client.submit(make_on_worker, sent, topic, key=key, pure=False)
    return one


def _hear(running: Sequence[Away], said: Mapping[str, str]) -> None:
    for one in running:
        if one.task.report == said["report"]:
            one.started = one.started if one.heard else time.monotonic()
            one.heard.append(said["text"])


def _note_missing_workers(client: "Client", address: str, running: Sequence[Away]) -> None:
    """Say, once, that the scheduler has no workers, for nothing is begun without one."""
    if not running or any(one.heard or one.outcome for one in running):
        return
    with suppress(OSError):  # a scheduler that is gone is told when the report is looked for
        if not client.nthreads():
            told = f"waiting, since no worker has joined the scheduler; this starts one: dask worker {address}"
            running[0].heard.append(f"{running[0].task.report}: {told}")


def _look(one: Away) -> Outcome | None:
    """Return how a report ended; None where it is still under way."""
    future = known(one.future)
    if not future.done():
        return None
    try:
        return _put_in_place(one, future.result(timeout=FETCH_SECONDS))
    except TimeoutError:  # the worker that had it may be dead: dask makes it again
        return None
    except BadInput as bad:
        return refused(one.task, bad)
    except CancelledError:
        why = "the scheduler ended"
    except Exception as error:  # noqa: BLE001  (whatever a cluster does, the other studies are still wanted)
        why = _why(error)
    return Outcome(one.task, "failed", round(one.seconds, 1), why)


def _why(error: Exception) -> str:
    if type(error).__name__ == "KilledWorker":
        return "every worker that made it died, as where memory runs out"
    if isinstance(error, ImportError) or "deserialization" in str(error):
        return "the scheduler, or a worker, has not the same version of this program as this machine"
    return f"{type(error).__name__} on the cluster"


def _put_in_place(one: Away, received: Received) -> Outcome:
    """Put a report's files, and those for its owner alone, where they would be had it been made here."""
    one.heard += received.heard[len(one.heard) :]
    target = one.task.reports / one.task.report
    if received.report:
        with new_folder(target) as folder:
            for name, content in received.report.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
        put_private(received.private, private_dir(one.task.reports, one.task.report))
    return replace(received.outcome, task=one.task)


def make_on_worker(sent: Sent, topic: str) -> Received:
    """Make a report in a process of its own: called by a worker of the cluster, in one of its threads.

    What is said meanwhile goes to those who listen to `topic`.
    """
    from distributed import get_worker

    worker = get_worker()
    key, sent = str(worker.get_current_task()), replace(sent, memory=sent.memory or _share(worker))
    ours, process = _start()
    received = None
    with ours, suppress(EOFError, BrokenPipeError, ConnectionResetError):
        ours.send(sent)
        while received is None and _is_wanted(worker, key):
            if ours.poll(LOOK_EVERY):
                message = ours.recv()
                if isinstance(message, Received):
                    received = message
                else:
                    worker.log_event(topic, {"report": sent.task.report, "text": message})
    code = process.wait()
    return received or Received(Outcome(sent.task, "failed", failed=f"its process on the cluster ended ({code})"))


def _start() -> tuple[Connection, subprocess.Popen]:
    """Start a process that makes one report; when the pipe to it is closed, it ends."""
    ours, theirs = Pipe()
    # not -m: as __main__ the module would send back what no other process can read
    command = [sys.executable, "-P", "-c", "from analysis.runs.away import main; main()", str(theirs.fileno())]
    with theirs:
        # in a session of its own: a key pressed in the worker's terminal is for the worker alone
        process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
        )
    return ours, process


def _is_wanted(worker: "Worker", key: str) -> bool:
    """Whether somebody waits for a task still: dask cannot stop a thread, so the thread has to look."""
    task = worker.state.tasks.get(key)
    return task is not None and task.state != "cancelled" and worker.status.name not in ("closing", "closed")


def _share(worker: "Worker") -> float:
    """Return how many bytes a report may take: its share of what the worker was given, or of what is free."""
    n, given = worker.state.nthreads, worker.memory_manager.memory_limit
    return given / n if given else share_of_memory(n, None)
