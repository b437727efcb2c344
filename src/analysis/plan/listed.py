"""A list of participants, and what became of it: how many of it were found and started, and why the others were not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


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
