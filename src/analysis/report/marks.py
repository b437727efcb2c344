"""Numbers that know their row of the ledger, marked in sentences so that a page can say where each of them is from.

A mark is private: characters that no text of a study may hold stand around the number while a page or a picture is
made. `marked_html` turns them into ``<span data-row data-column>``, `marked_svg` into ``<tspan data-row data-column>``.
Outside of `marking` nothing is marked.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from analysis.plan.results import Answered, Estimate
from analysis.synthesis.pooled import NotPooled, Pooled

BEGIN, SEPARATOR, END = "\ue000", "\ue001", "\ue002"
MARK = re.compile(f"{BEGIN}([^{BEGIN}{SEPARATOR}{END}]*){SEPARATOR}([^{BEGIN}{SEPARATOR}{END}]*){END}")
ATTRIBUTE = re.compile(f'="[^"]*{BEGIN}[^"]*"')
ELEMENT = re.compile(r"</?tspan\b[^>]*>")
_IS_MARKING: ContextVar[bool] = ContextVar("is_marking", default=False)


# A row of a ledger, of one study or over many.
Answer = Estimate | Pooled | NotPooled


class Told(float):
    """A number of the ledger: a float that knows its row's id and its column.

    Attributes
    ----------
    step
        What it is rounded to where it is written, as far as the row's standard error says that it is known; None where
        the decimals of its measure do.
    """

    source: str
    step: float | None

    @classmethod
    def of(cls, row: Answer, column: str) -> "Told | None":
        """Return what stands in a column of a row; None where nothing does."""
        value = getattr(row, column, None)
        return None if value is None else cls._from(value, f"{row.row}/{column}", step_of(row, column))

    @classmethod
    def _from(cls, value: float, source: str, step: float | None) -> "Told":
        told = cls(value)
        told.source, told.step = source, step
        return told

    def __abs__(self) -> "Told":
        return self._from(float.__abs__(self), self.source, self.step)

    @property
    def rounded(self) -> float:
        """The number as precisely as it is known; one beside zero stays on its side."""
        if self.step is None:
            return float(self)
        shown = self.step * round(self / self.step)
        return math.copysign(self.step, self) if shown == 0 != self else shown


def step_of(row: Answer, column: str) -> float | None:
    """Return what an amount of money is rounded to: two digits of its standard error; None of any other number."""
    is_amount = row.measure == "net_benefit" and column in ("estimate", "ci_low", "ci_high")
    if not is_amount or not isinstance(row, Answered) or row.std_error == 0:
        return None
    return max(1.0, 10.0 ** (math.floor(math.log10(row.std_error)) - 1))


@contextmanager
def marking() -> Iterator[None]:
    """Mark every number of the ledger that gets into a sentence or a table in the block."""
    token = _IS_MARKING.set(True)
    try:
        yield
    finally:
        _IS_MARKING.reset(token)


def marked(value: object, text: str) -> str:
    """Return how a number is written, with its mark where it has one and marks are wanted."""
    if not _IS_MARKING.get() or not isinstance(value, Told):
        return text
    return f"{BEGIN}{value.source}{SEPARATOR}{text}{END}"


def without_marks(text: str) -> str:
    """Return a text as it is read."""
    return MARK.sub(r"\2", text)


def marked_html(page: str) -> str:
    """Return a page whose marked numbers are elements that name their row and column; in attributes marks go."""
    page = ATTRIBUTE.sub(lambda found: without_marks(found[0]), page)
    return _with_elements(page, "span")


def marked_svg(text: str) -> str:
    """Return a text of a picture whose marked numbers are elements that name their row and column."""
    return _with_elements(text, "tspan")


def without_rows(svg: str) -> str:
    """Return a picture whose numbers name no row: in an image on a page nobody could read it."""
    return ELEMENT.sub("", svg)


def _with_elements(text: str, tag: str) -> str:
    def element(mark: re.Match) -> str:
        row, _, column = mark[1].partition("/")
        return f'<{tag} data-row="{row}" data-column="{column}">{mark[2]}</{tag}>'

    return MARK.sub(element, text)
