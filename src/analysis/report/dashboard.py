"""The naive figure in words, and how much of it each correction takes away."""

from analysis.plan.results import Estimate, Finding
from analysis.report.wording import (
    estimate_text,
    events_text,
    interval_text,
    is_event,
    is_money,
    is_randomized,
    main_rows,
    naive_rows,
    number,
    value_text,
)


def naive_sentence(finding: Finding) -> str:
    """Return what a dashboard would show, and what is left of it once the comparison is fair; empty without either."""
    naive, primary = naive_rows(finding), finding.primary
    if not naive or not primary.is_estimated or is_money(finding):
        return ""
    if not is_event(finding):
        return _naive_scale(finding, naive[0])
    if is_randomized(finding):
        return _naive_lottery(finding)
    rungs = ladder(finding)
    if len(rungs) < 3:
        return ""
    ever, same_day = rungs[:2]
    return (
        f"Ever in the program against never, as a dashboard would show it: {events_text(ever)} within "
        f"{primary.horizon_months} months. Starting the clock on the same day in both groups "
        f"{step(ever, same_day)}; making them alike in what was recorded {step(same_day, primary)}. "
        f"What is left is {estimate_text(primary)}."
    )


def ladder(finding: Finding) -> list[Estimate]:
    """Return the naive rows at the main horizon, the most biased first, and the main row below them."""
    month = finding.primary.horizon_months
    at_horizon = {e.contrast: e for e in naive_rows(finding) if e.horizon_months == month}
    naive = [at_horizon[c] for c in ("ever_vs_never", "enrolled_vs_not") if c in at_horizon]
    return [*naive, finding.primary]


def _naive_scale(finding: Finding, naive: Estimate) -> str:
    """Return both naive figures of a score, where there are both: groups afterwards, participants before and after."""
    primary = finding.primary
    how = "taking earlier scores into account" if is_randomized(finding) else "comparing changes of like with like"
    change = next((e for e in naive_rows(finding) if e.contrast == "after_vs_before"), None)
    own = f" Participants' own change, compared with nobody: {value_text(change)}." if change else ""
    if naive is change:
        return f"{own.strip()} By {how}: {estimate_text(primary)}."
    return f"Scores afterwards, simply compared: {value_text(naive)} points.{own} By {how}: {estimate_text(primary)}."


def _naive_lottery(finding: Finding) -> str:
    pairs = [
        (naive, fair)
        for naive in naive_rows(finding)
        for fair in main_rows(finding)
        if fair.horizon_months == naive.horizon_months
    ]
    if not pairs:
        return ""
    (naive, fair), *later = pairs
    first = (
        f"Those who took part against those who did not, among people offered a place, as a dashboard would show it: "
        f"{events_text(naive)} within {naive.horizon_months} months. Everyone offered against everyone not offered, as "
        f"the lottery allows: {events_text(fair)} {interval_text(fair)}."
    )
    further = [
        f"Within {n.horizon_months} months: {events_text(n)} on the dashboard, {events_text(f)} {interval_text(f)} by "
        f"the lottery."
        for n, f in later
    ]
    return " ".join([first, *further])


def step(before: Estimate, after: Estimate) -> str:
    """Return what a correction did to the figure, from the numbers as they are shown: points off, on, or a turn."""
    was, now = (round(100 * e.value, 1) + 0.0 for e in (before, after))
    if was == now:
        return "changes nothing"
    if was * now < 0 or was == 0:
        return f"moves the figure to {number(now, 1, signed=True)}"
    by = number(abs(abs(was) - abs(now)), 1)
    return f"takes away {by} points" if abs(now) < abs(was) else f"adds {by} points"
