"""The release rule: small groups suppressed, counts rounded, everything else derived from what is shown.

The rule of OpenSAFELY's ehrQL, whose counts of up to seven become zero and whose others are rounded to fives
(https://docs.opensafely.org/ehrql/explanation/measures/#disclosure-control), with two changes. The threshold is the
study's own. Counts are rounded down, so that the smallest that is shown stands for as many numbers as any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.study import Study


@dataclass(frozen=True)
class ReleaseRule:
    """What may be shown.

    Attributes
    ----------
    min_cell
        Nothing is shown about fewer people.
    round_to
        Counts are multiples of it.
    """

    min_cell: int
    round_to: int = 5

    @classmethod
    def of(cls, study: Study) -> "ReleaseRule":
        """Return a study's rule."""
        return cls(study.min_cell, study.round_to)

    def down(self, n: float | None) -> int | None:
        """Return a count rounded down: 40 stands for 40 to 44. Nothing is hidden for being small."""
        return None if n is None or pd.isna(n) else int(n // self.round_to * self.round_to)

    def rounded(self, n: int) -> int:
        """Return a count as it is shown, to go on with; a small one stays, to be found small."""
        return n if n < self.min_cell else self._shown(n)

    def _shown(self, n: float) -> int:
        """Return a count that is not small, rounded down: to `min_cell` where the multiple below is smaller."""
        return max(int(n // self.round_to * self.round_to), self.min_cell)

    def counts(self, counts: pd.Series) -> pd.Series:
        """Return counts as they are shown: rounded down, missing where under `min_cell`, nobody included."""
        n = pd.Series(pd.array(counts, dtype="Float64"), counts.index)
        return (n // self.round_to * self.round_to).clip(lower=self.min_cell).mask(self.is_few(n)).astype("Int64")

    def is_few(self, counts: pd.Series) -> pd.Series:
        """Return where a count is under `min_cell`; one that is missing is not."""
        n = pd.Series(pd.array(counts, dtype="Float64"), counts.index)
        return (n < self.min_cell).fillna(False).astype(bool)

    def along(self, counts: pd.Series, is_loss: Iterable[bool]) -> pd.Series:
        """Return a way of people: its stages as counts, its losses as differences of what is shown.

        Each loss ends at a stage, told or not: those who are left. Where these are few, or unknown, they count as
        nobody. A loss under `min_cell` is missing.
        """
        shown, left, before = [], np.nan, 0
        for n, lost in zip(counts.astype("Float64").to_numpy(float, na_value=np.nan), is_loss, strict=True):
            left = left - n if lost else n
            now = 0 if np.isnan(left) or left < self.min_cell else self._shown(left)
            told = before - now if lost else now
            shown.append(told if told >= self.min_cell else pd.NA)
            before = now
        return pd.Series(pd.array(shown, dtype="Int64"), counts.index)

    def parts(self, shares: pd.Series, whole: float) -> pd.Series:
        """Return the shares of a whole's parts as differences of rounded cumulative counts; they add up to 1."""
        if not whole >= max(self.min_cell, self.round_to):
            return shares.astype(float).mask(shares.notna())
        up_to = np.round(np.cumsum(shares.to_numpy(float)) * whole)
        rounded = up_to // self.round_to * self.round_to
        return pd.Series(np.diff(rounded, prepend=0.0) / rounded[-1], shares.index)

    def rest(self, whole: pd.Series, part: pd.Series) -> pd.Series:
        """Return the difference of two counts as they are shown, few counting as nobody; missing where it is small."""
        shown = self.counts(whole).fillna(0) - self.counts(part).fillna(0)
        return shown.mask(shown < self.min_cell)

    def share(self, part: pd.Series, whole: pd.Series, is_snapped: bool = False) -> pd.Series:
        """Return shares of rounded counts; missing where few have something, or few may lack it.

        Snapped, few count as nobody: the share is 0 where few have it and 1 where few lack it. Who lacks it is looked
        at in the rounded counts, so that what is missing tells no more than they do.
        """
        share, shown = self.per(part, whole), self.counts(whole)
        few_have, lack = self.is_few(part), shown - self.counts(part).fillna(0)
        if not is_snapped:
            return share.mask(few_have | (lack < self.min_cell + self.round_to).fillna(True))
        few_lack = (lack < self.min_cell).fillna(True)
        return share.mask(few_have, 0.0).mask(few_lack, 1.0).mask(few_have & few_lack | part.isna())

    def per(self, part: pd.Series, whole: pd.Series) -> pd.Series:
        """Return a rounded count by another one; missing where one of them is small."""
        return (self.counts(part).astype("Float64") / self.counts(whole).astype("Float64")).astype(float)


def to_digits(value: float, digits: int) -> float:
    """Return a number to so many significant digits."""
    return float(f"{value:.{digits}g}")


def significant(values: pd.Series, digits: int) -> pd.Series:
    """Return numbers to so many significant digits."""
    return values.astype(float).map(lambda x: x if pd.isna(x) or np.isinf(x) else to_digits(x, digits))
