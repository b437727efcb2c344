"""A papermill engine that starts kernels by forking a process which has imported everything (`analysis.kernels`).

The kernels are ipykernel's and are spoken to as any other, so that their outputs are those of kernels that start cold;
where forking is not possible kernels start cold.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner
from papermill.engines import NBClientEngine, NotebookExecutionManager, papermill_engines

ENGINE = "mentoring"
LAUNCHER = "ipykernel_launcher"
# By its name: that room is above this one.
KERNELS = "analysis.kernels"
# What jupyter_client says of a kernel that ended as it started.
NEVER_BEGAN = "Kernel died before replying to kernel_info"


class KernelParent:
    """The process that kernels are forked from, as seen by those who ask it.

    Attributes
    ----------
    pid
        Its id.
    """

    def __init__(self, pid: int, connection: Connection, wait: Callable[[], object]):
        self.pid, self._connection, self._wait, self._lock = pid, connection, wait, threading.Lock()

    def ask(self, question: object) -> Any:
        """Return its answer.

        Raises
        ------
        OSError, EOFError
            It is gone.
        """
        with self._lock:
            self._connection.send(question)
            return self._connection.recv()

    def is_fit(self) -> bool:
        """Whether it has started and may be forked: the first that it says."""
        try:
            return self._connection.recv()
        except (OSError, EOFError):
            return False

    def end(self) -> None:
        """Let it end, and wait until it has."""
        self._connection.close()
        self._wait()


# A worker's own.
_ahead: list[KernelParent] = []


def fork_ahead(*unneeded: Connection) -> None:
    """Fork from this process the one that its kernels will be forked from, while it knows nothing of any study.

    Only where it has been forked itself from a process that has imported what kernels need (`runs.workers`).

    Parameters
    ----------
    unneeded
        Connections of this process, which kernels are not to have.
    """
    kernels = sys.modules.get(f"{KERNELS}.__main__")
    if kernels is None:
        return
    ours, theirs = Pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for connection in (ours, *unneeded):
                connection.close()
            kernels.serve(theirs)
        finally:
            os._exit(0)
    theirs.close()
    _ahead.append(KernelParent(pid, ours, partial(os.waitpid, pid, 0)))


@contextmanager
def kernel_parent() -> Iterator[KernelParent | None]:
    """Give what was forked ahead, or start it, for the length of the block; None where forking is impossible."""
    if not hasattr(os, "fork"):
        yield None
        return
    parent = _ahead.pop() if _ahead else _started()
    try:
        yield parent if parent.is_fit() else None
    finally:
        parent.end()


def _started() -> KernelParent:
    """Start the process cold, with this one's environment."""
    ours, theirs = Pipe()
    with theirs:
        command = [sys.executable, "-P", "-m", KERNELS, str(theirs.fileno())]
        process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)
    return KernelParent(process.pid, ours, process.wait)


class ForkedProcess:
    """A forked kernel's process: as much of `subprocess.Popen` as jupyter_client asks for."""

    stdin = stdout = stderr = None

    def __init__(self, parent: KernelParent, pid: int):
        self.pid, self._parent = pid, parent
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it ended; None while it runs."""
        if self.returncode is None:
            try:
                self.returncode = self._parent.ask(self.pid)
            except (OSError, EOFError):
                self.returncode = -signal.SIGKILL  # kernels do not outlive their parent
        return self.returncode

    wait = poll

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkingProvisioner(LocalProvisioner):
    """Starts kernels by forking, and cold where it cannot."""

    kernels: KernelParent | None = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel that a command would start."""
        # Another kernel than the one that has been prepared, or another interpreter, can only be started cold.
        if self.kernels is None or cmd[0] != sys.executable or LAUNCHER not in cmd:
            return await super().launch_kernel(cmd, **kwargs)
        arguments, folder = cmd[cmd.index(LAUNCHER) + 1 :], str(kwargs.get("cwd") or Path.cwd())
        try:
            pid = self.kernels.ask((arguments, dict(kwargs["env"]), folder))
        except (OSError, EOFError):
            return await super().launch_kernel(cmd, **kwargs)
        self.process = cast(subprocess.Popen, ForkedProcess(self.kernels, pid))
        self.pid = self.pgid = pid
        self.cwd = folder
        return self.connection_info


class ForkingManager(AsyncKernelManager):
    """Manages a kernel that is forked from `kernels`."""

    kernels: KernelParent | None = None

    def __init__(self, **traits: Any):
        super().__init__(**traits)
        self.provisioner = ForkingProvisioner(parent=self, kernel_spec=self.kernel_spec)
        self.provisioner.kernels = self.kernels


class ForkingEngine(NBClientEngine):
    """papermill's own engine with forked kernels: ``papermill --engine mentoring``."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        kernels: KernelParent | None = None,
        **options: Any,
    ) -> None:
        """Run a notebook's cells in a kernel forked from `kernels`, or from a process started for it alone."""
        # papermill saves twice a cell: here it is done once, when it is over.
        path, nb_man.output_path = nb_man.output_path, None
        try:
            with nullcontext(kernels) if kernels else kernel_parent() as found:
                manager = type("Manager", (ForkingManager,), {"kernels": found})
                run = partial(super().execute_managed_notebook, nb_man, kernel_name, kernel_manager_class=manager)
                try:
                    run(**options)
                except RuntimeError as error:
                    # Another kernel may have taken one of its ports since it was found free: no cell has run.
                    if NEVER_BEGAN not in str(error):
                        raise
                    run(**options)
        finally:
            nb_man.output_path = path


papermill_engines.register(ENGINE, ForkingEngine)
