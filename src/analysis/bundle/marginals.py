"""What a stand-in is drawn from: few numbers of a company, every one about at least `min_cell` people.

Nothing else of the data reaches `bundle.standin`. Numbered words stand for the company's own categories, rare ones are
left out, the ends of every range are where at least `min_cell` people lie beyond, counts are rounded down. No number
tells participants' outcomes from those of others: in a stand-in programs do nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from analysis.release.rule import ReleaseRule, to_digits

OTHER = "other"
# What stands for the job levels of which too few people are known.
ANY_LEVEL = "any"
# A range is given in so many steps at most, each with as many people.
STEPS = 10
DAYS_A_YEAR = 365.25
TENURE_YEARS = (0.0, 1.0, 3.0, 80.0)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Shares(_Part):
    """How common each kind is; the shares add up to 1."""

    kinds: tuple[str | float, ...]
    shares: tuple[float, ...]


class Steps(_Part):
    """The quantiles of a number, evenly spaced: between two neighbours lie as many people as between any others."""

    edges: tuple[float, ...]


class People(_Part):
    """Who works there: one row of the stand-in's employees for each of `n` spells.

    Attributes
    ----------
    hired, born
        Days since 1970; years, by job level and for any other (`ANY_LEVEL`).
    level
        Job levels by the step of `hired`.
    of_people, of_jobs
        Other columns of the tables: shares of their values.
    pay
        Median base salary by level, as a share of that over all levels; never money.
    exits_a_year
        Exits per person-year, by band of tenure (`TENURE_YEARS`) and by whether the level lies above the middle one.
    notice
        Days from notice to exit, where that is recorded.
    """

    n: int
    hired: Steps
    level: tuple[Shares, ...]
    born: dict[str, Steps]
    of_people: dict[str, Shares]
    of_jobs: dict[str, Shares]
    pay: dict[str, float]
    exits_a_year: tuple[tuple[float, float], ...]
    exit_types: Shares
    notice: Steps | None
    rises_a_year: float
    moves_a_year: float


class Role(_Part):
    """Who enrolled in one role of a program; `lag` and `lasted` are days from the intake to the start, and to the end.

    Attributes
    ----------
    intakes
        Days since 1970.
    level
        Job levels at the intake.
    offered
        Share among those of whom an offer is recorded; None where it is recorded of nobody.
    """

    program: str
    role: str
    n: int
    intakes: Shares
    level: Shares
    started: float
    offered: float | None
    lag: Steps | None
    lasted: Steps | None


class Survey(_Part):
    """One instrument in one wave, and who rates whom.

    Attributes
    ----------
    answered
        Share of those employed who answered or were rated; of an unlinked survey the number of forms.
    level
        Job levels of those who did.
    raters
        Rater role → raters a person, of a multi-rater instrument.
    """

    table: str
    instrument: str
    wave: int
    opens: int
    closes: int
    answered: float
    level: Shares
    raters: dict[str, float]


class Item(_Part):
    """One item: its answers, how it hangs together with its scale, and that with itself a wave later."""

    instrument: str
    item: str
    answers: Shares
    skipped: float
    alike: float
    stable: float
    sign: int


class Marginals(_Part):
    """Everything that a stand-in is drawn from."""

    people: People
    roles: tuple[Role, ...]
    surveys: tuple[Survey, ...]
    items: tuple[Item, ...]
    meetings: dict[str, float]
    absences: dict[str, float]
    columns: dict[str, tuple[str, ...]]


# --- numbers that may be told -----------------------------------------------------------------------------------------


def shares(values: pd.Series, people: pd.Series, rule: ReleaseRule) -> Shares:
    """Return how often values occur, counted in people; those that few have are left out."""
    counts = people.groupby(values.to_numpy(), dropna=True).nunique()
    told = rule.counts(counts).dropna().astype(float)
    whole = told.sum()
    kept = told.sort_index()
    names = tuple(value if isinstance(value, str) else float(value) for value in kept.index)
    return Shares(kinds=names, shares=tuple(round(float(n / whole), 4) for n in kept))


def steps(values: pd.Series, rule: ReleaseRule, unit: float = 1.0) -> Steps | None:
    """Return the quantiles of a number, one row a person, to multiples of `unit`; None where few people have any.

    The lowest and the highest lie where at least `min_cell` people are beyond.
    """
    known = np.sort(values.dropna().to_numpy(float))
    beyond = rule.min_cell
    if len(known) < 4 * beyond:
        return None
    inner = known[beyond:-beyond]
    n = max(1, min(STEPS, len(inner) // beyond))
    return Steps(edges=tuple(float(e) for e in np.round(np.quantile(inner, np.linspace(0, 1, n + 1)) / unit) * unit))


def share(part: int, whole: int, rule: ReleaseRule) -> float:
    """Return a share of people from rounded counts; few count as nobody, and few who lack it as none."""
    if whole < rule.min_cell or part < rule.min_cell:
        return 0.0
    return 1.0 if whole - part < rule.min_cell else round(min(1.0, rule.rounded(part) / rule.rounded(whole)), 2)


def rate(events: float, years: float, rule: ReleaseRule) -> float | None:
    """Return events a person-year to two digits; None where there are few."""
    return None if events < rule.min_cell or years <= 0 else to_digits(rule.rounded(int(events)) / years, 2)


# --- codes ------------------------------------------------------------------------------------------------------------


class Codes:
    """The company's own words for its categories, and the numbered words that stand for them in a stand-in.

    Words that few people have are one: `OTHER`.
    """

    def __init__(self, rule: ReleaseRule):
        self.rule, self.words = rule, dict[str, dict[str, str]]()

    def of(self, column: str, values: pd.Series, people: pd.Series) -> pd.Series:
        """Return a column in code, learnt where it is seen first: numbered by size."""
        if column not in self.words:
            counts = people.groupby(values.astype(object).to_numpy(), dropna=True).nunique()
            large = counts[counts >= self.rule.min_cell].sort_values(ascending=False, kind="stable").index
            self.words[column] = {str(word): f"{column} {n}" for n, word in enumerate(large, start=1)}
        known = values.astype(object)
        coded = known.astype(str).map(self.words[column]).fillna(OTHER)
        return coded.where(known.notna(), None)

    def word(self, column: str, value: object) -> str:
        """Return one word in code."""
        return self.words.get(column, {}).get(str(value), OTHER)


def merged_levels(levels: pd.Series, people: pd.Series, rule: ReleaseRule) -> pd.Series:
    """Return numbers of which few people have one as the nearest that is not rare; missing where all are."""
    counts = people.groupby(levels.to_numpy(), dropna=True).nunique()
    common = counts[counts >= rule.min_cell].index.to_numpy(float)
    if not len(common):
        return pd.Series(np.nan, levels.index)
    nearest = common[np.abs(levels.to_numpy(float)[:, None] - common[None, :]).argmin(axis=1)]
    return pd.Series(nearest, levels.index).where(levels.notna())


def plain(marginals: Marginals) -> Mapping[str, Any]:
    """Return the numbers as they stand in the bundle, for whoever wants to see all that was taken from the company."""
    return marginals.model_dump(mode="json")
