"""The process that a report's kernels are forked from: ``python -m analysis.kernels DESCRIPTOR``.

It has imported what notebooks import and holds the study's answer, so that a kernel is there at once and nothing is
copied. Neither threads nor a ZeroMQ context live through a fork: there are none in it. What it is asked comes over the
connection with that file descriptor (`report.forked`).
"""

import builtins
import gc
import os
import random
import signal
import sys
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from types import SimpleNamespace

# What a kernel imports as it starts, and what the project's notebooks do.
IMPORTED = ("ipykernel.kernelapp", "ipykernel.debugger", "analysis.notebook")


def main() -> None:
    """Fork kernels, and say which have ended, until the other end of the connection is closed."""
    connection = Connection(int(sys.argv[1]))
    # Ctrl-C in a terminal reaches every process of it; this one goes when the report has ended its kernels.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    set_by_imports = prepare()
    connection.send(threading.active_count() == 1)
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        if isinstance(asked, int):
            connection.send(_exit_code(asked))
        else:
            arguments, environment, folder = asked
            connection.send(_forked(connection, arguments, set_by_imports | environment, folder))


def prepare() -> dict[str, str]:
    """Import what kernels and notebooks import, and read the study's answer; return the variables that imports set."""
    before = set(os.environ)
    # pandas finds out on import whether its tables are for a terminal or for the reader of a notebook.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    for module in IMPORTED:
        import_module(module)
    del builtins.get_ipython  # type: ignore[attr-defined]
    from analysis.answers.shared import hold

    hold()
    # What is there already is no garbage: collecting it would only copy it into every kernel.
    gc.collect()
    gc.freeze()
    return {name: value for name, value in os.environ.items() if name not in before}


def _forked(connection: Connection, arguments: list[str], environment: dict[str, str], folder: str) -> int:
    """Fork a kernel and return its process's id."""
    pid = os.fork()
    if pid == 0:
        try:
            connection.close()
            _become_kernel(arguments, environment, folder)
        finally:
            os._exit(1)
    return pid


def _become_kernel(arguments: list[str], environment: dict[str, str], folder: str) -> None:
    """Be what ``python -m ipykernel_launcher`` would be that was started so; exits with the kernel."""
    import numpy as np
    from ipykernel.kernelapp import IPKernelApp

    parent = os.getppid()
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    # Every kernel would draw the same numbers.
    random.seed()
    np.random.seed()  # noqa: NPY002
    # A kernel ends when the process is gone that it was started by.
    sys.argv = ["ipykernel_launcher", *arguments, f"--IPKernelApp.parent_handle={parent}"]
    IPKernelApp.launch_instance()
    sys.stdout.flush()
    os._exit(0)


def _exit_code(pid: int) -> int | None:
    """Return how a kernel ended; None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


if __name__ == "__main__":
    main()
