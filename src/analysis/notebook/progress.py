"""What somebody sees who waits for an answer: one line that changes in JupyterLab, plain lines outside of notebooks.

A notebook that nobody looks at while it runs (papermill, nbval) says nothing of it.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from IPython import get_ipython
from IPython.display import DisplayHandle, Markdown, display

# A line that changes more often cannot be read.
SECONDS_BETWEEN = 0.25


class Progress:
    """Says what is being computed, and for how long already, until something takes its place."""

    def __init__(self) -> None:
        self._started, self._said = time.monotonic(), 0.0
        self._handle: DisplayHandle | None = None

    def say(self, stage: str) -> None:
        """Say which stage has been reached."""
        now = time.monotonic()
        text = f"{stage} ({int(now - self._started)} s so far)"
        if not _in_notebook():
            print(text, file=sys.stderr)
        elif not _is_watched():
            return
        elif self._handle is None:
            self._handle = display(Markdown(f"*{text}*"), display_id=True)
        elif now - self._said > SECONDS_BETWEEN:
            self._handle.update(Markdown(f"*{text}*"))
        else:
            return
        self._said = now

    def become(self, shown: object) -> None:
        """Show something, in place of what was said: of the progress no trace is left in the notebook."""
        if self._handle is None:
            display(shown)
        else:
            self._handle.update(shown)
        self._handle = None


@contextmanager
def progress() -> Iterator[Progress]:
    """Yield what says how far the block is; nothing of it is left when the block ends."""
    under_way = Progress()
    try:
        yield under_way
    finally:
        if under_way._handle is not None:
            under_way.become(Markdown(""))


def _in_notebook() -> bool:
    """Whether a kernel runs this, and not a terminal or a script."""
    return getattr(get_ipython(), "kernel", None) is not None


def _is_watched() -> bool:
    """Whether somebody looks on: Jupyter's server names the session of a kernel that it starts for a notebook."""
    return "JPY_SESSION_NAME" in os.environ
