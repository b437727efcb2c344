"""The shape of every pooled answer: a row of the pooled ledger, and a pool with what stands behind it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, Literal

import pandas as pd

from analysis.estimate.verdict import FAMILY_METHODS, by_numbers
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import AnalysisKind, Answered, Status, Verdict, row_id

if TYPE_CHECKING:
    # What pools takes a second to import, and every page and notebook knows these rows.
    from analysis.synthesis.meta import Fit, SmallStudies

Moderator = Literal["assignment", "direction", "format", "sector", "size"]
Group = Literal["all", Moderator, "without", "without_capped", "absent_without_effect", "slope"]


@dataclass(frozen=True, kw_only=True)
class PooledRow:
    """What a row of the pooled ledger is called, and how many companies were asked; see `Pooled` for what it says.

    Attributes
    ----------
    hypothesis to horizon_months
        What was pooled, as in the estimates ledger; `scale` is where points of a scale go from and to.
    analysis
        ``primary`` or ``secondary``, by the family of the hypothesis; ``naive``; ``sensitivity``.
    group, level
        Which companies: ``all`` of them, those of a level of a moderator, all ``without`` one.
    n_studies, n_absent
        Companies with a number, and those asked without one.
    """

    is_estimated: ClassVar[bool] = False

    hypothesis: str
    outcome: str
    role: str
    rater_source: str | None
    contrast: str
    estimand: str
    measure: str
    scale: str | None
    horizon_months: int
    analysis: AnalysisKind
    group: Group = "all"
    level: str = ""
    estimator: str = "reml"
    n_studies: int = 0
    n_absent: int = 0
    verdict: Verdict | None = None

    @property
    def row(self) -> str:
        """Id of the row, the same from run to run."""
        return row_id(self.hypothesis, (getattr(self, c) for c in NAMING))


@dataclass(frozen=True, kw_only=True)
class Pooled(PooledRow, Answered):
    """One number over many companies, complete.

    Attributes
    ----------
    estimate to p_value
        The mean effect on the measure's own scale; with `group` ``size`` the slope for twice as many people, with
        ``slope`` that by the standard error.
    prediction_low, prediction_high
        Where the true effect of one more company lies in 95 of 100; `plug_in_low`, `plug_in_high`: were τ known.
    p_difference
        Of no difference between the levels of a moderator.
    share_few_events
        Weight of the companies with fewer than ten events in an arm, as far as their standard errors tell.
    share_capped
        Weight of the companies whose own verdict a failed check keeps from being more than inconclusive.
    """

    status: ClassVar[Status] = "estimated"
    is_estimated = True

    p_value: float
    p_adjusted: float | None = None
    prediction_low: float | None = None
    prediction_high: float | None = None
    plug_in_low: float | None = None
    plug_in_high: float | None = None
    tau2: float
    tau2_low: float
    tau2_high: float
    i2: float | None = None
    i2_low: float | None = None
    i2_high: float | None = None
    q: float
    q_p: float
    p_difference: float | None = None
    n_treated: int | None = None
    n_control: int | None = None
    share_few_events: float | None = None
    share_capped: float | None = None


@dataclass(frozen=True, kw_only=True)
class NotPooled(PooledRow):
    """A question without a pooled number, and why there is none."""

    status: Literal["not_estimable", "suppressed"]
    reason: str


NAMING = [f.name for f in fields(PooledRow) if f.name not in ("n_studies", "n_absent", "verdict")]
SIZES = ["n_studies", "n_absent", "n_treated", "n_control", "share_few_events", "share_capped"]
ESTIMATED = [f.name for f in fields(Pooled) if f.name not in (*NAMING, *SIZES, "verdict")]
COLUMNS = [*NAMING, *ESTIMATED, *SIZES, "verdict", "status", "reason"]
WHOLE = ["horizon_months", "n_studies", "n_absent", "n_treated", "n_control"]
NUMBERS = [c for c in (*ESTIMATED, *SIZES) if c not in WHOLE]
DIGITS = 6
# From this share of the weight on failed checks cap a pooled verdict.
MOST_CAPPED = 0.5


@dataclass(frozen=True, kw_only=True)
class Pool:
    """The companies that answer one question in one way, and what they say together.

    Attributes
    ----------
    main
        The pooled answer.
    others
        Every other row: other estimators, moderators, without each company, the slope by standard error.
    companies
        A row a company: ``study``, ``estimate``, ``std_error``, ``n_treated``, ``n_control``, ``few_events``,
        ``is_capped``, ``n_programs``, ``weight`` (missing where nothing is pooled), the moderators, ``simulated``.
    fitted, slope
        What the rows were made of; None where there was too little.
    """

    main: Pooled | NotPooled
    others: tuple[Pooled, ...] = ()
    companies: pd.DataFrame
    fitted: "Fit | None" = None
    slope: "SmallStudies | None" = None

    @property
    def rows(self) -> tuple[Pooled | NotPooled, ...]:
        """The pooled answer first."""
        return (self.main, *self.others)

    def of(self, *groups: Group) -> list[Pooled]:
        """Return the other rows of these groups."""
        return [row for row in self.others if row.group in groups]


@dataclass(frozen=True, kw_only=True)
class Synthesis:
    """Everything that was pooled.

    Attributes
    ----------
    pools
        Main answers by hypothesis, role, estimand, measure and horizon.
    naive
        The figures of dashboards, pooled apart.
    studies
        The companies' names.
    simulated
        Those of them that are made up.
    """

    pools: tuple[Pool, ...]
    naive: tuple[Pool, ...]
    studies: tuple[str, ...]
    simulated: frozenset[str] = frozenset()

    @property
    def rows(self) -> list[Pooled | NotPooled]:
        """Every row of the pooled ledger."""
        return [row for pool in (*self.pools, *self.naive) for row in pool.rows]


def pooled_frame(rows: Iterable[Pooled | NotPooled]) -> pd.DataFrame:
    """Return the pooled ledger, a row a pooled number, its id last."""
    columns = [*COLUMNS, "row"]
    frame = pd.DataFrame([{c: getattr(row, c, None) for c in columns} for row in rows], columns=columns)
    frame = frame.astype(dict.fromkeys(WHOLE, "Int64") | dict.fromkeys(NUMBERS, "float64"))
    return frame.round(dict.fromkeys(NUMBERS, DIGITS))


def is_judged(row: PooledRow) -> bool:
    """Whether a pooled answer has a verdict: of a hypothesis' own measure, for which a smallest effect was planned."""
    return (
        row.group == "all" and row.estimator == "reml" and row.measure == load_plan().hypothesis(row.hypothesis).measure
    )


def is_capped(row: Pooled) -> bool:
    """Whether companies in which a check of the comparison failed carry half of a pooled answer's weight or more."""
    return row.share_capped is not None and row.share_capped >= MOST_CAPPED


def verdict_of(row: Pooled | NotPooled) -> Verdict:
    """Return the verdict by the plan's rule, with the plan's own smallest effect of interest.

    Where most of the weight is of companies whose own verdict a failed check caps, it is capped alike: what most of the
    information is at risk of, the whole is (Cochrane Handbook 5.1, table 8.7.a).
    """
    if isinstance(row, NotPooled):
        return row.status
    if is_capped(row):
        return "inconclusive"
    hypothesis = load_plan().hypothesis(row.hypothesis)
    return by_numbers(row, hypothesis, hypothesis.smallest_effect, row.p_adjusted).verdict


def family_of(row: PooledRow) -> str | None:
    """Return how the p-value of an answer is adjusted: the method of its hypothesis' family."""
    return FAMILY_METHODS.get(load_plan().hypothesis(row.hypothesis).family)
