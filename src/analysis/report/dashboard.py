"""The naive figure in words, and how much of it each correction takes away."""

from analysis.plan.results import Estimate, Finding
from analysis.report.wording import (
    estimate_text,
    exits_text,
    interval_text,
    is_randomized,
    is_retention,
    naive_rows,
    number,
    value_text,
)


def naive_sentence(finding: Finding) -> str:
    """Return what a dashboard would show, and what is left of it once the comparison is fair; empty without either."""
    naive, primary = naive_rows(finding), finding.primary
    if not naive or not primary.is_estimated:
        return ""
    if not is_retention(finding):
        return _naive_scale(finding, naive[0])
    if is_randomized(finding):
        return _naive_lottery(finding)
    at_horizon = [e for e in naive if e.horizon_months == primary.horizon_months]
    ever = [e for e in at_horizon if e.contrast == "ever_vs_never"]
    plain = [e for e in at_horizon if e.contrast == "enrolled_vs_not"]
    if not ever or not plain:
        return ""
    return (
        f"Ever in the program against never, as a dashboard would show it: {exits_text(ever[0])} within "
        f"{primary.horizon_months} months. Starting the clock on the same day in both groups "
        f"{_step(ever[0], plain[0])}; making them alike in what was recorded {_step(plain[0], primary)}. "
        f"What is left is {estimate_text(primary)}."
    )


def _naive_scale(finding: Finding, naive: Estimate) -> str:
    primary = finding.primary
    how = "taking earlier scores into account" if is_randomized(finding) else "comparing changes of like with like"
    return f"Scores afterwards, simply compared: {value_text(naive)} points. By {how}: {estimate_text(primary)}."


def _naive_lottery(finding: Finding) -> str:
    pairs = [
        (naive, fair)
        for naive in naive_rows(finding)
        for fair in finding.estimates
        if fair.analysis == "primary" and fair.is_estimated and fair.horizon_months == naive.horizon_months
    ]
    if not pairs:
        return ""
    (naive, fair), *later = pairs
    first = (
        f"Those who took part against those who did not, among people offered a place, as a dashboard would show it: "
        f"{exits_text(naive)} within {naive.horizon_months} months. Everyone offered against everyone not offered, as "
        f"the lottery allows: {exits_text(fair)} {interval_text(fair)}."
    )
    further = [
        f"Within {n.horizon_months} months: {exits_text(n)} on the dashboard, {exits_text(f)} {interval_text(f)} by "
        f"the lottery."
        for n, f in later
    ]
    return " ".join([first, *further])


def _step(before: Estimate, after: Estimate) -> str:
    """Return what a correction did to the figure, from the numbers as they are shown."""
    was, now = (round(100 * e.estimate, 1) for e in (before, after))
    if was == now:
        return "changes nothing"
    if abs(now) < abs(was) and was * now >= 0:
        return f"takes away {number(abs(was) - abs(now), 1)} points"
    return f"moves the figure to {number(now, 1, signed=True)}"
