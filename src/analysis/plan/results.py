"""The shape of every answer (`Estimate`, `Check`, `Finding`) and of the ledger of findings."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeGuard

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import load_plan
from analysis.plan.registration import Registered

# --- results ----------------------------------------------------------------------------------------------------------
# The shape of every answer: `Estimate`, `Check`, `Finding`.

AnalysisKind = Literal["primary", "secondary", "sensitivity", "negative_control", "naive", "descriptive"]
Status = Literal["estimated", "not_estimable", "suppressed"]
Verdict = Literal["supported", "harmful", "negligible", "no_benefit", "inconclusive", "not_estimable", "suppressed"]
# What decided a verdict: the numbers, a failed check, or that there is no number to show.
Reason = Literal[
    "interval",
    "adjusted_p",
    "groups_not_comparable",
    "control_not_null",
    "drifting_before_start",
    "lottery_not_kept",
    "too_little_data",
    "fault",
    "small_group",
    "blind",
]
Grade = Literal["passed", "caution", "failed", "untestable"]


@dataclass(frozen=True, kw_only=True)
class LedgerRow:
    """What a row of the estimates ledger is called; see `Estimate` for what it says.

    Raises
    ------
    UnknownTerm
        A column that names the row has a term that is not in the catalogue.
    """

    status: ClassVar[Status]
    is_estimated: ClassVar[bool] = False

    study: str
    program: str
    hypothesis: str
    analysis: AnalysisKind
    outcome: str
    role: str
    rater_source: str | None = None
    contrast: str
    estimand: str
    estimator: str
    measure: str
    horizon_months: int | None = None

    def __post_init__(self):
        for column in ("outcome", "role", "contrast", "estimand", "estimator", "measure"):
            getattr(CATALOGUE, column)(getattr(self, column))
        if self.rater_source is not None:
            CATALOGUE.rater_source(self.rater_source)

    @property
    def row(self) -> str:
        """Id of the row, the same from run to run: the hypothesis and a hash of the columns that name the row."""
        return row_id(self.hypothesis, self.names.values())

    @property
    def names(self) -> dict[str, Any]:
        """The columns that name the row."""
        return {column: getattr(self, column) for column in NAMING}

    def not_estimable(self, reason: str) -> "NotEstimable":
        """Return the row of the same name that says why there is no number."""
        return NotEstimable(**self.names, reason=reason)

    def suppressed(self, reason: str) -> "Suppressed":
        """Return the row of the same name whose number may not be shown."""
        return Suppressed(**self.names, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """A number with its interval: of one study or over many."""

    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    ci_level: float

    @property
    def limits(self) -> tuple[float, float]:
        """Both ends of the interval."""
        return self.ci_low, self.ci_high

    @property
    def holds_zero(self) -> bool:
        """Whether the interval holds zero."""
        return self.ci_low <= 0 <= self.ci_high


@dataclass(frozen=True, kw_only=True)
class Estimated(LedgerRow, Answered):
    """A row with its number, complete.

    `estimate`, `std_error` and the limits are on the measure's own scale; ratios as ratios, with their `std_error` on
    the log scale.

    Raises
    ------
    ValueError
        A number that every such row has is missing.
    """

    status = "estimated"
    is_estimated = True

    p_value: float | None = None
    p_adjusted: float | None = None
    n_treated: int
    n_control: int
    events_treated: int | None = None
    events_control: int | None = None

    def __post_init__(self):
        super().__post_init__()
        needed = ("estimate", "std_error", "ci_low", "ci_high", "ci_level", "n_treated", "n_control")
        if any((value := getattr(self, name)) is None or value != value for name in needed):
            raise ValueError("an estimated row needs its estimate, standard error, interval and group sizes")

    @property
    def smaller_group(self) -> int:
        """People in the smaller of the two groups."""
        return min(self.n_treated, self.n_control)


@dataclass(frozen=True, kw_only=True)
class _Unanswered(LedgerRow):
    reason: str

    def __post_init__(self):
        super().__post_init__()
        if not self.reason:
            raise ValueError("a row without an estimate needs a reason")


@dataclass(frozen=True, kw_only=True)
class NotEstimable(_Unanswered):
    """A row without a number, and the reason why there is none."""

    status = "not_estimable"


@dataclass(frozen=True, kw_only=True)
class Suppressed(_Unanswered):
    """A row whose number may not be shown, and why."""

    status = "suppressed"


# One row of the estimates ledger: one number that a study claims, complete, or the reason why there is none. Its
# attributes are the ledger's columns (data contract, ``estimates.md``).
Estimate = Estimated | NotEstimable | Suppressed


def estimated(row: Estimate) -> Estimated:
    """Return a row that has its number here.

    Raises
    ------
    ValueError
        It has none all the same: a fault of this program.
    """
    if not isinstance(row, Estimated):
        raise ValueError("a row has no number where it should have one")
    return row


def with_number(rows: Iterable[Estimate]) -> list[Estimated]:
    """Return the rows that have their number."""
    return [row for row in rows if isinstance(row, Estimated)]


def reasons(rows: Iterable[Estimate]) -> list[str]:
    """Return why rows have no number, one reason for each that has none."""
    return [row.reason for row in rows if not isinstance(row, Estimated)]


def is_shown(row: Estimate, min_cell: int) -> TypeGuard[Estimated]:
    """Whether there is a number, of groups large enough to be told of."""
    return isinstance(row, Estimated) and row.smaller_group >= min_cell


def row_id(hypothesis: str, names: Iterable[object]) -> str:
    """Return the id of a row: its hypothesis and a hash of what names it; what is missing is as an empty text."""
    named = "\x1f".join(["" if value is None else str(value) for value in names])
    return f"{hypothesis.split('_')[0]}-{hashlib.sha256(named.encode()).hexdigest()[:10]}"


def too_small(min_cell: int) -> str:
    """Return the reason of a suppressed row."""
    return f"A group has fewer than {min_cell} people; it is too small to be shown."


# The columns that say which number a row holds: no two rows of a ledger agree in all of them.
NAMING = tuple(f.name for f in fields(LedgerRow))
ESTIMATE_NUMBERS = [f.name for f in fields(Estimated) if f.name not in NAMING]
ESTIMATE_COLUMNS = [*NAMING, *ESTIMATE_NUMBERS, "status", "reason"]


def estimates_frame(estimates: Iterable[Estimate]) -> pd.DataFrame:
    """Return the estimates ledger, one row per estimate, columns in the contract's order, the row's id last.

    Counts and months are nullable integers, so that an empty one stays empty and a count stays whole.
    """
    columns = [*ESTIMATE_COLUMNS, "row"]
    frame = pd.DataFrame([{c: getattr(e, c, None) for c in columns} for e in estimates], columns=columns)
    whole = ["horizon_months", "n_treated", "n_control", "events_treated", "events_control"]
    return frame.astype(dict.fromkeys(whole, "Int64") | {c: "float64" for c in ESTIMATE_NUMBERS if c not in whole})


@dataclass(frozen=True)
class Check:
    """One assumption, looked at.

    Attributes
    ----------
    passed
        True, False, or None where nothing in the data can tell.
    statistic, threshold
        What was compared; None where there is no number.
    sentence
        What was found, in one sentence for a reader.
    grade
        ``passed``, ``caution`` (said beside the verdict), ``failed`` (the verdict is then at most inconclusive) or
        ``untestable``. Where it is not given, what did not pass calls for caution.
    brief
        What is wrong in a few words ("the groups differ in tenure"); empty where it passed.
    caps
        The verdict's reason where the check failed; None for a check that never decides a verdict.
    p_value
        Of a comparison that should show nothing; None otherwise.
    shares
        Shares of people that the sentence tells, under the names that stand in it in braces: how many have it, of how
        many. What may be shown of them is put in on release.
    """

    name: str
    passed: bool | None
    statistic: float | None
    threshold: float | None
    sentence: str
    grade: Grade | None = None
    brief: str = ""
    caps: Reason | None = None
    p_value: float | None = None
    shares: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def untestable(cls, name: str, sentence: str) -> "Check":
        """Return an assumption of which nothing in the data can tell."""
        return cls(name, None, None, None, sentence)

    def __post_init__(self):
        if self.grade is None:
            grades: dict[bool | None, Grade] = {True: "passed", False: "caution", None: "untestable"}
            object.__setattr__(self, "grade", grades[self.passed])
        if self.grade == "failed" and self.caps is None:
            raise ValueError("a failed check says why the verdict is then open")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The answer to one hypothesis for one program and role.

    Attributes
    ----------
    primary
        The main row, at the first horizon.
    alternatives
        Every other row: the naive figures, later horizons, other measures, sensitivity.
    checks
        The assumptions.
    verdict, verdict_reason
        By the written rule, from the interval, the adjusted p, the smallest effect of interest and the checks; what
        decided it.
    n_family
        How many main rows the p-value was adjusted for; None where it was not.
    smallest_effect
        Smallest effect of interest, positive, on the measure's own scale.
    smallest_detectable
        What this study could have seen with 80 % power at α = .05; None where nothing was estimated.
    evidence
        Tidy frames behind the pictures, by name (``curves``, ``balance``, ``flow``, …).
    registered
        How it stands to the registered plan; None where the study has registered none.
    """

    hypothesis: str
    program: str
    role: str
    primary: Estimate
    alternatives: tuple[Estimate, ...] = ()
    checks: tuple[Check, ...] = ()
    verdict: Verdict
    verdict_reason: Reason = "interval"
    n_family: int | None = None
    smallest_effect: float
    smallest_detectable: float | None = None
    evidence: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    registered: Registered | None = None

    @property
    def estimates(self) -> tuple[Estimate, ...]:
        """The main row first, then the others."""
        return (self.primary, *self.alternatives)

    def graded(self, grade: Grade) -> tuple[Check, ...]:
        """Return the checks of one grade."""
        return tuple(check for check in self.checks if check.grade == grade)

    @property
    def is_capped(self) -> bool:
        """Whether a failed check keeps the verdict from being more than inconclusive."""
        return bool(self.graded("failed"))


# --- findings ---------------------------------------------------------------------------------------------------------
# The findings ledger: one row per main row, its verdict and what the verdict rests on.

FINDINGS_COLUMNS = [
    *("study", "program", "hypothesis", "role", "outcome", "rater_source", "row"),
    *("verdict", "verdict_reason", "smallest_effect", "smallest_detectable"),
    *("p_adjusted", "family", "n_family"),
    *("checks_passed", "checks_caution", "checks_failed", "checks_untestable", "failed", "registered"),
]


def findings_frame(findings: Iterable[Finding]) -> pd.DataFrame:
    """Return the findings ledger, columns in the contract's order (``estimates.md``); counts are of checks.

    A suppressed answer has no check left, and its counts are empty. ``registered`` is empty without a registered plan.
    """
    frame = pd.DataFrame([_line(finding) for finding in findings], columns=FINDINGS_COLUMNS)
    whole = [c for c in FINDINGS_COLUMNS if c.startswith(("n_", "checks_"))]
    numbers = ["smallest_effect", "smallest_detectable", "p_adjusted"]
    return frame.astype(dict.fromkeys(whole, "Int64") | dict.fromkeys(numbers, "float64"))


def _line(finding: Finding) -> dict:
    row = finding.primary
    grades: dict[Grade, str] = {"passed": "checks_passed", "caution": "checks_caution", "failed": "checks_failed"}
    grades["untestable"] = "checks_untestable"
    is_shown = finding.verdict != "suppressed"
    counts = {column: len(finding.graded(grade)) if is_shown else None for grade, column in grades.items()}
    return counts | {
        "study": row.study,
        "program": finding.program,
        "hypothesis": finding.hypothesis,
        "role": finding.role,
        "outcome": row.outcome,
        "rater_source": row.rater_source,
        "row": row.row,
        "verdict": finding.verdict,
        "verdict_reason": finding.verdict_reason,
        "smallest_effect": finding.smallest_effect,
        "smallest_detectable": finding.smallest_detectable,
        "p_adjusted": row.p_adjusted if isinstance(row, Estimated) else None,
        "family": load_plan().hypothesis(finding.hypothesis).family,
        "n_family": finding.n_family if is_shown else None,
        "failed": ";".join(_names(finding.graded("failed"))) or None,
        "registered": finding.registered.status if finding.registered else None,
    }


def _names(checks: Iterable[Check]) -> list[str]:
    """Return the checks' names; ``;`` separates them in a cell."""
    return [check.name.replace(";", ",") for check in checks]
