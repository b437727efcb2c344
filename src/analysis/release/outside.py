"""What may leave the company: effects alone, so coarse that every number of events behind them stays ambiguous.

A difference in risks and its standard error give both risks, and with the groups' sizes both numbers of events. So both
are rounded to steps that the shown sizes alone decide, and a row of which fewer than five numbers of events could be
the true one is suppressed. Ratios, hazards and days stay inside: the finer of two measures would undo the rounding, and
where they were left out for few events, that would tell of few events.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any, TypeGuard

import numpy as np

from analysis.plan.errors import bad_input
from analysis.plan.faults import known
from analysis.plan.results import ESTIMATE_NUMBERS, Estimate, Estimated, Finding, is_shown
from analysis.release.rule import ReleaseRule

# So many numbers at least must be possible for every count that is not shared.
LEAST_POSSIBLE = 5
# To which differences in risks and their standard errors are rounded; the last where none is coarse enough.
STEPS = (0.0025, 0.005, 0.01, 0.02, 0.05, 0.1)
# Numbers of events are tried so far around the true one.
SPAN = 40
Z = 1.959964
RISK, SCORES = "risk_difference", ("mean_difference", "standardized_mean_difference")
# What a dashboard shows: of events all who ever took part against all others, of scores their plain means afterwards.
DASHBOARD = ("ever_vs_never", "participants_vs_not_among_offered")
PLAIN_MEANS = "difference_in_means"
NOT_SHARED = "Not shared: there is no estimate, or it would tell of too few people."


def shared_rows(findings: Iterable[Finding], rule: ReleaseRule, *, with_naive: bool = False) -> tuple[Estimate, ...]:
    """Return the rows that may leave the company: of each answer the main row at every horizon, coarsened.

    Of scores the standardized difference is beside it. Money is not shared: with costs it would tell how many started.

    Parameters
    ----------
    findings
        As they were estimated, with their exact counts.
    with_naive
        Whether the figure of a dashboard stands after them, where the events behind all of them stay ambiguous.
    """
    return tuple(row for finding in findings for row in _of_finding(finding, rule, with_naive))


def _of_finding(finding: Finding, rule: ReleaseRule, with_naive: bool) -> list[Estimate]:
    main = finding.primary
    rows = [e for e in finding.estimates if _about(e) == _about(main) and e.analysis in ("primary", "secondary")]
    if with_naive:
        rows += [e for e in finding.alternatives if is_dashboard(e)]
    if main.measure == RISK:
        return _risks([e for e in rows if e.measure == RISK], rule)
    scores = [e for e in rows if e.measure in SCORES]
    return [_score(e, rule) if is_shown(e, rule.min_cell) else e.suppressed(NOT_SHARED) for e in scores]


def without_rows(rows: Iterable[Estimate], left_out: Sequence[str]) -> tuple[Estimate, ...]:
    """Return the rows that may leave the company with some of them suppressed, by their ids.

    Raises
    ------
    BadInput
        An id is of no row.
    """
    rows = tuple(rows)
    unknown = sorted(set(left_out) - {row.row for row in rows})
    if unknown:
        message = f"{', '.join(unknown)}: no row of this ledger; the ids stand in the column row of estimates.csv"
        raise bad_input("--leave-out", message, rule="parameters")
    return tuple(row.suppressed(NOT_SHARED) if row.row in left_out else row for row in rows)


def capped_rows(findings: Iterable[Finding], rows: Iterable[Estimate]) -> list[str]:
    """Return the ids of shared rows whose verdict a failed check caps, so that a synthesis can heed it.

    Which check it was is not said, and of too little data nothing: that would tell of few events.
    """
    failed = {
        (finding.hypothesis, finding.program, finding.role)
        for finding in findings
        if any(check.caps not in (None, "too_little_data") for check in finding.graded("failed"))
    }
    told = (row for row in rows if row.is_estimated and not is_dashboard(row))
    return sorted(row.row for row in told if (row.hypothesis, row.program, row.role) in failed)


def is_dashboard(row: Estimate) -> bool:
    """Whether a row is the naive figure that a dashboard shows."""
    return row.analysis == "naive" and (row.contrast in DASHBOARD or row.estimator == PLAIN_MEANS)


def _about(row: Estimate) -> tuple:
    return row.outcome, row.contrast, row.estimand, row.estimator, row.rater_source


def _score(row: Estimated, rule: ReleaseRule) -> Estimated:
    """Return an effect on scores in hundredths: sums of scores of any number of people round to that."""
    return _coarse(row, 0.01, rule)


def _coarse(row: Estimated, step: float, rule: ReleaseRule) -> Estimated:
    """Return a row with its estimate and standard error in steps, and an interval that follows from these two."""
    estimate = round(row.estimate / step) * step
    error = max(round(row.std_error / step), 1) * step
    numbers = {
        "estimate": estimate,
        "std_error": error,
        "ci_low": estimate - Z * error,
        "ci_high": estimate + Z * error,
    }
    told: dict[str, Any] = dict.fromkeys(ESTIMATE_NUMBERS) | {name: round(x, 6) for name, x in numbers.items()}
    n_treated, n_control = map(rule.rounded, (row.n_treated, row.n_control))
    return replace(row, **told | {"ci_level": 0.95, "n_treated": n_treated, "n_control": n_control})


# --- events ---------------------------------------------------------------------------------------------------------


def _risks(rows: Sequence[Estimate], rule: ReleaseRule) -> list[Estimate]:
    """Return the differences in risk of one answer; what would not stay ambiguous beside the others is suppressed."""
    shared: list[Estimated] = []
    told: list[Estimate] = []
    for row in rows:
        if _is_counted(row, rule) and is_ambiguous([*shared, row], rule):
            shared.append(row)
            told.append(_coarse(row, step_of(row, rule), rule))
        else:
            told.append(row.suppressed(NOT_SHARED))
    return told


def _is_counted(row: Estimate, rule: ReleaseRule) -> TypeGuard[Estimated]:
    return is_shown(row, rule.min_cell) and row.events_treated is not None and row.events_control is not None


def step_of(row: Estimated, rule: ReleaseRule) -> float:
    """Return the step of a difference in risks, from the rounded size of the smaller group alone.

    Were it chosen by what is hidden, the choice would tell of it. Where one in twenty of n people has the event, five
    events more or fewer move the standard error by about 7 / n^1.5; the step is twice that at least. It is no less than
    what one event moves the difference by: a later row that stays the same would otherwise tell that nobody had it.
    """
    n = rule.rounded(row.smaller_group)
    return next((step for step in STEPS if step >= max(14 / n**1.5, 1 / n)), STEPS[-1])


def possible(row: Estimated, rule: ReleaseRule) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of events, by arm, that would have given the same shared row.

    The reader is taken to know the sizes of both groups and how weighting changes an estimate of plain proportions: a
    number of events moves the difference and its variance as it does there.
    """
    n, step, true = (
        (row.n_treated, row.n_control),
        step_of(row, rule),
        (known(row.events_treated), known(row.events_control)),
    )
    tried = [np.arange(max(0, k - SPAN), min(size, k + SPAN) + 1) for k, size in zip(true, n, strict=True)]
    events = np.meshgrid(*tried, indexing="ij")
    treated, control = ((tries - k) / size for tries, k, size in zip(events, true, n, strict=True))
    same = _alike(row.estimate + treated - control, row.estimate, step)
    error = row.std_error
    same &= _alike(error * np.sqrt(_variance(events, n) / _variance(true, n)), error, step)
    return tried[0][same.any(axis=1)], tried[1][same.any(axis=0)]


def _variance(events: Sequence, n: tuple[int, int]) -> np.ndarray:
    """Return the variance of a difference of proportions, half an event and half a non-event added to each."""
    shares = [(np.asarray(k) + 0.5) / (size + 1) for k, size in zip(events, n, strict=True)]
    return sum((p * (1 - p) / size for p, size in zip(shares, n, strict=True)), np.zeros(()))


def _alike(values: np.ndarray, value: float, step: float) -> np.ndarray:
    return np.round(values / step) == round(value / step)


def is_ambiguous(rows: Sequence[Estimated], rule: ReleaseRule) -> bool:
    """Whether every number of events behind the shared rows of one answer may be five numbers at least.

    Whoever left within 12 months has left within 24: what is possible at one horizon bounds the others. A naive row is
    about nearly the same people as the main one: the reader is taken to know by how many events the two differ.
    """
    true = [(known(row.events_treated), known(row.events_control)) for row in rows]
    found = [possible(row, rule) for row in rows]
    return all(_is_open([numbers[arm] for numbers in true], [n[arm] for n in found], rows) for arm in (0, 1))


def _is_open(true: Sequence[int], found: Sequence[np.ndarray], rows: Sequence[Estimated]) -> bool:
    """Whether one arm's number of events may be five numbers at every horizon, all rows taken together."""
    months = [known(row.horizon_months) for row in rows]
    # How far from the true number it may be, at one horizon for all of its rows alike.
    off = {
        month: reduce(np.intersect1d, [f - k for f, k, m in zip(found, true, months, strict=True) if m == month])
        for month in months
    }
    if not all(len(numbers) for numbers in off.values()):
        return False
    kept = dict(off)
    for n, month in enumerate(months):
        for other, later in enumerate(months):
            if rows[n].contrast == rows[other].contrast and month != later:
                bound = true[other] - true[n] + off[later]
                is_kept = kept[month] <= bound.max() if later > month else kept[month] >= bound.min()
                kept[month] = kept[month][is_kept]
    return all(len(numbers) >= LEAST_POSSIBLE for numbers in kept.values())
