"""Faults of this program: caught in one place, so that one part of a report that fails leaves the others alone.

A user's mistake is a `BadInput` and no fault. What is kept of a fault tells where in the program it came about and
nothing of what it was about: an exception's message may hold a person's data.
"""

import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from analysis.plan.errors import BadInput

Value = TypeVar("Value")


def known(value: Value | None) -> Value:
    """Return a value that cannot be missing here.

    Raises
    ------
    ValueError
        It is missing all the same: a fault of this program.
    """
    if value is None:
        raise ValueError("a value is missing that should be known here")
    return value


# --- faults -----------------------------------------------------------------------------------------------------------
# Faults of this program: caught in one place, so that one part of a report that fails leaves the others alone.

LOG = "faults.log"
# Of a deeper traceback (a recursion without end) the outermost and the innermost frames tell enough.
MOST_FRAMES = 60
PACKAGE = Path(__file__).resolve().parents[1]

Made = TypeVar("Made")


@dataclass(frozen=True)
class Part:
    """A part of a report that is made by itself.

    Attributes
    ----------
    kind
        ``analysis``, ``frame``, ``picture``, ``section``, ``file`` or ``notebook``.
    name
        Which of that kind.
    program, role, hypothesis
        What it is about; empty where it is about the whole study.
    """

    kind: str
    name: str
    program: str = ""
    role: str = ""
    hypothesis: str = ""

    def __str__(self) -> str:
        about = (f"{self.program} {self.role}".strip(), self.hypothesis)
        told = ", ".join(text for text in about if text)
        return f"{self.kind} {self.name}" + (f" ({told})" if told else "")


@dataclass(frozen=True)
class Frame:
    """A line of a traceback: the file, relative to the package or library it is of, the line and the function."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, without the exception's message.

    Attributes
    ----------
    number
        Of this run of this study, from 1 on: what a reason refers to.
    exception
        The exception's type, and those of the exceptions that it came from, outermost first.
    frames
        The traceback, innermost frame last; of an exception that came from another, the other's frames come first.
    cell
        Of a notebook: the number of the cell that failed, from 1 on, all cells counted.
    """

    number: int
    study: str
    part: Part
    exception: str
    frames: tuple[Frame, ...] = ()
    cell: int | None = None

    @property
    def where(self) -> str:
        """The innermost line of this program: its file and number."""
        own = [frame for frame in self.frames if frame.file.startswith(f"{PACKAGE.name}/")]
        if not (own or self.frames):
            return "an unknown place"
        innermost = (own or list(self.frames))[-1]
        return f"{innermost.file}, line {innermost.line}"

    @property
    def reason(self) -> str:
        """Why there is no answer, for a reader."""
        return f"A fault in this program (see {LOG}, fault {self.number})."

    def __str__(self) -> str:
        cell = "" if self.cell is None else f", cell {self.cell}"
        return f"{self.part}{cell}: {self.exception} in {self.where} (fault {self.number})"


@dataclass
class Faults:
    """The faults of one study's run, as they come about.

    Attributes
    ----------
    study
        The study's name.
    found
        In the order in which they came about; the same fault of the same part stands there once.
    """

    study: str
    found: list[Fault] = field(default_factory=list)

    def add(self, part: Part, error: BaseException, cell: int | None = None, why: str = "") -> Fault:
        """Keep an exception, without its message; `why` is what its type means, in plain words."""
        chain = list(_chain(error))
        frames = tuple(frame for one in reversed(chain) for frame in _frames(one.__traceback__))
        names = ", from ".join(type(one).__name__ for one in chain)
        return self.note(part, f"{names} ({why})" if why else names, frames, cell)

    def note(self, part: Part, exception: str, frames: Iterable[Frame], cell: int | None = None) -> Fault:
        """Keep what is known of a fault of another process."""
        fault = Fault(
            number=len(self.found) + 1,
            study=self.study,
            part=part,
            exception=exception,
            frames=tuple(frames),
            cell=cell,
        )
        for known in self.found:
            if (known.part, known.where, known.cell) == (part, fault.where, cell):
                return known
        self.found.append(fault)
        return fault


_FAULTS: ContextVar[Faults | None] = ContextVar("faults", default=None)


@contextmanager
def collecting(faults: Faults) -> Iterator[Faults]:
    """Collect in `faults` what fails in the block; a collection that is under way already goes on."""
    under_way = _FAULTS.get() or faults
    token = _FAULTS.set(under_way)
    try:
        yield under_way
    finally:
        _FAULTS.reset(token)


def collected() -> Faults | None:
    """Return the collection that is under way, if any."""
    return _FAULTS.get()


_WATCHER: ContextVar[Callable[[Part], None] | None] = ContextVar("watcher", default=None)


@contextmanager
def watched(watcher: Callable[[Part], None]) -> Iterator[None]:
    """Tell `watcher` of each part that is begun in the block, so that whoever waits can see how far it is."""
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


def isolated(part: Part, make: Callable[[], Made], instead: Callable[[Fault], Made]) -> Made:
    """Return what `make` returns; where it fails, keep the fault and return what `instead` makes of it.

    The one place where an unexpected exception is caught. Outside of `collecting`, as in a test of a single
    function, it is not.

    Raises
    ------
    BadInput
        `make` raised it.
    """
    faults, watcher = _FAULTS.get(), _WATCHER.get()
    if watcher is not None:
        watcher(part)
    if faults is None:
        return make()
    try:
        return make()
    except BadInput:
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, the other parts of the report are still wanted)
        fault = faults.add(part, error)
    return instead(fault)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception, the one that it came from, and so on."""
    seen: set[int] = set()
    one: BaseException | None = error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _frames(trace: TracebackType | None) -> list[Frame]:
    found = [
        Frame(short_file(frame.f_code.co_filename), line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(trace)
    ]
    if len(found) <= MOST_FRAMES:
        return found
    half = MOST_FRAMES // 2
    return [*found[:half], *found[-half:]]


def short_file(path: str) -> str:
    """Return a source file's path without the folders of this machine."""
    file = Path(path)
    if file.is_relative_to(PACKAGE):
        return f"{PACKAGE.name}/{file.relative_to(PACKAGE).as_posix()}"
    for folder in sorted((Path(entry) for entry in sys.path if entry), key=lambda p: -len(p.parts)):
        if file.is_relative_to(folder) and folder != folder.parent:
            return file.relative_to(folder).as_posix()
    return file.name


def faults_text(faults: Iterable[Fault]) -> str:
    """Return ``faults.log``: each fault with its traceback, and nothing of a person."""
    return "\n".join(_told(fault) for fault in faults)


def _told(fault: Fault) -> str:
    part = fault.part
    lines = [
        f"Fault {fault.number}",
        f"  study: {fault.study}",
        f"  part: {part.kind} {part.name}",
        *(f"  {name}: {getattr(part, name)}" for name in ("program", "role", "hypothesis") if getattr(part, name)),
        *([] if fault.cell is None else [f"  cell: {fault.cell}"]),
        f"  exception: {fault.exception} (its message is left out: it may hold a person's data)",
        f"  where: {fault.where}",
        "  traceback, innermost line last:",
        *(f"    {frame.file}, line {frame.line}, in {frame.function}" for frame in fault.frames),
    ]
    return "\n".join(lines) + "\n"
