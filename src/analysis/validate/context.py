"""What the rules of one table may look up elsewhere: the study, the instruments, the tables checked before it."""

from dataclasses import dataclass, field

import pandas as pd

from analysis.plan.instruments import Instrument
from analysis.plan.study import Study


@dataclass
class Context:
    """What is known while the tables are checked one after the other.

    Attributes
    ----------
    incomplete
        Tables of which something could not be read: what is missing there proves nothing.
    listed
        The last day employed of everybody in a file of employees, by id; far off where it has not come.
    seen, kept
        The typed rows of the tables checked so far: all of their files, and those left after their rules.
    """

    study: Study
    instruments: dict[str, Instrument]
    incomplete: frozenset[str] = frozenset()
    listed: pd.Series = field(default_factory=lambda: pd.Series(dtype="datetime64[us]"))
    seen: dict[str, pd.DataFrame] = field(default_factory=dict)
    kept: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def as_of(self) -> pd.Timestamp:
        """The last day that is known."""
        return pd.Timestamp(self.study.as_of)

    def rows_of(self, table: str, *, left: bool = False) -> pd.DataFrame | None:
        """Return a table's rows (those `left` after its rules), or None where it cannot be looked up in."""
        found = (self.kept if left else self.seen).get(table)
        return None if table in self.incomplete else found
