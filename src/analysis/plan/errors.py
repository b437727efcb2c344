"""A user's mistake, said so that it can be corrected: the file, the line, what is wrong, what to do."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Listed:
    """One file of enrolments, counted in its records: a pair, or a person.

    Attributes
    ----------
    source
        The file.
    is_of_pairs
        Whether a record names several people; it counts as found when each of them was.
    n_listed
        Its records.
    lost
        Reason (`validate.account.REASONS`) → the lines of the records of which it holds, each record under the first of
        its reasons. Exact numbers: for the person who has the file, and for no page.
    """

    source: str
    is_of_pairs: bool
    n_listed: int
    lost: "Mapping[str, np.ndarray]"

    @property
    def n_found(self) -> int:
        """Its records of which everybody was found and started."""
        return self.n_listed - sum(map(len, self.lost.values()))


# --- errors -----------------------------------------------------------------------------------------------------------
# A user's mistake, said so that it can be corrected: the file, the line, what is wrong, what to do.

Severity = Literal["error", "warning", "info"]
Action = Literal["rejected", "repaired", "set_null", "kept"]

MAX_EXAMPLE_ROWS = 5
# The rule of a folder that cannot be written: nothing is wrong with the study then.
UNWRITABLE = "unwritable_folder"
LEDGER = ("severity", "table", "source", "rows", "example_rows", "rule", "message", "action")


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One line of the data-quality ledger: one rule, one source, all the rows that it concerns.

    Attributes
    ----------
    severity
        ``error`` stops the study before any estimate; ``warning`` and ``info`` do not.
    table
        The canonical table, or ``study`` for the study's own files.
    source
        The file, relative to the study's folder.
    rows
        How many rows of the file are concerned; 0 for the file as a whole, None where they are too few to be told.
    example_rows
        Line numbers of the file (the header is line 1); at most five are kept.
    rule
        Short name of the rule, in snake_case.
    message
        What is wrong and what to do. Never holds a person's id, name or text.
    action
        What was done with the rows.
    column
        The column that is to blame, where it is one: as the contract calls it, or as a profile or the study does.
    told
        The message as it may be shown beside an answer, where it holds a number of rows.
    lines
        All the line numbers, each once, where they are known: to count rows, and not in the ledger.
    n_started, n_others
        How many people who started in a program, and how many others, the rows are about (`validate.account`); not in
        the ledger.
    """

    severity: Severity
    table: str
    source: str
    rows: int | None = 0
    example_rows: tuple[int, ...] = ()
    rule: str
    message: str
    action: Action = "kept"
    column: str = field(default="", compare=False)
    told: str | None = field(default=None, repr=False, compare=False)
    lines: "np.ndarray | None" = field(default=None, repr=False, compare=False)
    n_started: int = field(default=0, repr=False, compare=False)
    n_others: int = field(default=0, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "example_rows", tuple(int(n) for n in self.example_rows[:MAX_EXAMPLE_ROWS]))

    @property
    def is_translation(self) -> bool:
        """Whether cells were reformatted only (dates, numbers, labels): nothing was wrong with them."""
        return self.severity == "info" and self.action == "repaired"

    def __str__(self) -> str:
        lines = ", ".join(map(str, self.example_rows))
        rows = self.rows or 0
        more = ", …" if rows > len(self.example_rows) else ""
        where = f"{self.source}, line{'s' if rows > 1 else ''} {lines}{more}" if lines else self.source
        return f"{where}: {self.message}"


def distinct(lines: "np.ndarray") -> "np.ndarray":
    """Return line numbers in order, each once: marked in a row of flags, much faster than sorting millions of them."""
    import numpy as np  # Every command needs a `Problem`, and not all of them numpy and pandas.

    marked = np.zeros(int(lines.max(initial=-1)) + 1, dtype=bool)
    marked[lines] = True
    return np.flatnonzero(marked)


class BadInput(Exception):
    """Input that cannot be used as it is: every problem that was found, not the first alone.

    The command line prints the problems and ends with exit code 2. `row_counts` says what became of the rows of each
    source (`validate.account`); None where no file was read. `lists` says what became of the lists of participants.
    """

    def __init__(
        self, problems: Iterable[Problem], row_counts: "pd.DataFrame | None" = None, lists: tuple[Listed, ...] = ()
    ):
        self.problems = tuple(problems)
        self.row_counts = row_counts
        self.lists = lists
        super().__init__("\n".join(str(p) for p in self.problems))

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows in place of a traceback: nothing is wrong with the program."""
        return [str(problem) for problem in self.problems]


def bad_input(source: str, message: str, *, table: str = "study", rule: str, line: int | None = None) -> BadInput:
    """Return a `BadInput` of a single problem that is not about a table's rows."""
    lines = () if line is None else (line,)
    problem = Problem(
        severity="error",
        table=table,
        source=source,
        rows=len(lines),
        example_rows=lines,
        rule=rule,
        message=message,
        action="rejected",
    )
    return BadInput([problem])


def problems_frame(problems: Iterable[Problem]) -> "pd.DataFrame":
    """Return the data-quality ledger as a frame, one row per problem, errors first.

    Columns as in the contract; ``example_rows`` are joined with ``;``, few ``rows`` are missing.
    """
    import pandas as pd

    order = {"error": 0, "warning": 1, "info": 2}
    rows = [
        {name: getattr(p, name) for name in LEDGER} | {"example_rows": ";".join(map(str, p.example_rows))}
        for p in sorted(problems, key=lambda p: (order[p.severity], p.table, p.source, p.rule))
    ]
    return pd.DataFrame(rows, columns=list(LEDGER)).astype({"rows": "Int64"})
