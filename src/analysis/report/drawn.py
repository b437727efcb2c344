"""What is drawn already in this process and those forked from it: SVG and alternative text, by what it was drawn of.

Apart from what draws, so that whoever only passes it on does not import matplotlib.
"""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Protocol

DRAWN: dict[bytes, tuple[str, str]] = {}


class _Drawing(Protocol):
    def narrow(self) -> str: ...


def draw_ahead(pictures: Sequence[Callable[[], _Drawing]], processes: int) -> None:
    """Draw pictures, wide and narrow, in so many processes at once: whoever then asks for one finds it in `DRAWN`.

    What cannot be drawn here is left to those who ask: they say what is wrong with it.
    """
    others = [_forked(pictures[k::processes]) for k in range(1, processes)] if hasattr(os, "fork") else []
    _draw(pictures[:: len(others) + 1])
    for pid, connection in others:
        with connection, suppress(EOFError):
            DRAWN.update(connection.recv())
        os.waitpid(pid, 0)


def _draw(pictures: Sequence[Callable[[], _Drawing]]) -> None:
    for draw in pictures:
        with suppress(Exception):
            draw().narrow()


def _forked(pictures: Sequence[Callable[[], _Drawing]]) -> tuple[int, Connection]:
    """Start a process that draws and sends what it has drawn; return its id, and where to hear from it."""
    ours, theirs = Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        try:
            before = set(DRAWN)
            _draw(pictures)
            theirs.send({key: drawn for key, drawn in DRAWN.items() if key not in before})
        finally:
            os._exit(0)
    theirs.close()
    return pid, ours
