"""The process that a report's kernels are forked from, a program: it imports all that it needs as it starts.

It has imported what notebooks import and holds the study's answer, so that a kernel is there at once and nothing is
copied. A worker forks it from itself as its first act (`report.forked.fork_ahead`); for others it starts cold:
``python -m analysis.kernels DESCRIPTOR``. Neither threads nor a ZeroMQ context live through a fork: there are none in
it. What it is asked comes over a connection.
"""

import builtins
import gc
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from types import SimpleNamespace

from analysis.plan.paths import environment


@contextmanager
def _as_in_a_kernel() -> Iterator[None]:
    """Let libraries find on import what they would find in a kernel."""
    # pandas asks whether its tables are for a terminal or for readers of a notebook; the debugger is not to complain.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    with environment(PYDEVD_DISABLE_FILE_VALIDATION="1"):
        yield
    del builtins.get_ipython  # type: ignore[attr-defined]


_BEFORE = set(os.environ)
# What a kernel imports as it starts, and what the project's notebooks do.
with _as_in_a_kernel():
    import ipykernel.debugger  # noqa: F401
    import matplotlib as mpl
    import numpy as np
    import pandas as pd
    from ipykernel.kernelapp import IPKernelApp

    import analysis.notebook  # noqa: F401
    from analysis.answers.shared import SHARED, hold
    from analysis.report.template import read_all

# What these imports leave behind, as they would in a kernel: workers are forked after more imports.
VARIABLES = {name: value for name, value in os.environ.items() if name not in _BEFORE}
WARNINGS, PATH = list(warnings.filters), [folder for folder in sys.path if folder]
read_all()


def serve(connection: Connection) -> None:
    """Fork kernels, and say which have ended, until the other end of the connection is closed."""
    # Ctrl-C in a terminal reaches every process of it; this one goes when the report has ended its kernels.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection.send(threading.active_count() == 1)
    while True:
        try:
            asked = connection.recv()
        except EOFError:
            return
        connection.send(_exit_code(asked) if isinstance(asked, int) else _forked(connection, *asked))


def _forked(connection: Connection, arguments: list[str], variables: dict[str, str], folder: str) -> int:
    """Fork a kernel and return its process's id."""
    if SHARED in variables:
        hold(variables[SHARED])
    # What is there already is no garbage: looking for some would only copy it into every kernel.
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        try:
            connection.close()
            _become_kernel(arguments, VARIABLES | variables, folder)
        finally:
            os._exit(1)
    return pid


def _become_kernel(arguments: list[str], variables: dict[str, str], folder: str) -> None:
    """Be what ``python -m ipykernel_launcher`` would be that was started so; exits with the kernel."""
    parent = os.getppid()
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(variables)
    os.chdir(folder)
    sys.path[:], warnings.filters = PATH, WARNINGS
    # What libraries find out on import: pictures and text as a kernel shows them.
    mpl.rcParams["backend"] = "module://matplotlib_inline.backend_inline"
    pd.set_option("display.encoding", "UTF-8")
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
    serve(Connection(int(sys.argv[1])))
