"""What the evidence is worth: every check graded by the thresholds of the plan, in one place.

A check that `caution` is the grade of is said beside the verdict; one that `failed` caps it (`estimate.verdict`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from analysis.estimate.inference import adjusted_p, smallest_detectable
from analysis.plan.catalogue import COVARIATE_SCORES
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, Estimated, Finding, Grade, is_shown

BALANCE, OVERLAP, LOTTERY, TREND = "balance", "overlap", "the lottery was kept", "no drift before the start"
# What a covariate is called in a sentence.
NAMES = {
    "tenure_years": "tenure",
    "age_years": "age",
    "log_salary": "salary",
    "performance_rating": "rating",
    "n_promotions": "earlier promotions",
    "in_other_program": "taking part in another program before",
    **{f"{scale}_{which}": f"earlier {scale} scores" for scale in COVARIATE_SCORES for which in ("mean", "last")},
}
# The mean of a half-normal variable of standard deviation 1: how far apart chance alone leaves a level, on the mean.
MEAN_BY_CHANCE = float(np.sqrt(2 / np.pi))
SUMMARY = ("largest", "mean")


@dataclass(frozen=True)
class Difference:
    """How far the arms are apart in one covariate.

    Attributes
    ----------
    covariate
        A number's own name, or a category's (all its levels together).
    largest
        The largest absolute SMD, as it is.
    judged
        What of it counts: of a category, and of anything under a lottery, only what is beyond chance.
    """

    covariate: str
    largest: float
    judged: float


def differences(balance: pd.DataFrame, std_error: float, by_chance: float | None = None) -> list[Difference]:
    """Return how far the arms are apart after weighting, covariate by covariate.

    Parameters
    ----------
    balance
        As from `design.covariates.balance`. Rows that summarize the levels of a covariate are passed over: the levels
        are judged one by one and on the mean.
    std_error
        Of a standardized difference, √(1/n₁ + 1/n₀) in people (Hedges & Olkin 1985).
    by_chance
        Under a lottery: the largest difference that lots leave, over all covariates at once. A difference counts beyond
        it.
    """
    rule = load_plan().diagnostics.balance
    shown = balance[~balance["kind"].isin(SUMMARY)].dropna(subset="smd_after")
    shown = shown.assign(name=[str(covariate).partition(": ")[0] for covariate in shown["covariate"]])
    found = []
    for name, rows in shown.groupby("name", sort=False):
        sizes = rows["smd_after"].abs().to_numpy(dtype=float)
        judged = sizes.max()
        if by_chance is not None:
            judged -= by_chance
        elif len(rows) > 1:
            beyond = sizes.max() - rule.n_errors * std_error, sizes.mean() - MEAN_BY_CHANCE * std_error
            judged = max(beyond)
        found.append(Difference(str(name), float(sizes.max()), float(judged)))
    return found


def balance_check(balance: pd.DataFrame, n_treated: float, n_control: float, by_chance: float | None = None) -> Check:
    """Return whether the arms were alike in what was recorded.

    Parameters
    ----------
    balance
        As from `design.covariates.balance`.
    n_treated, n_control
        People of each arm; comparators by what they are worth after weighting.
    by_chance
        As in `differences`.
    """
    rule, is_randomized = load_plan().diagnostics.balance, by_chance is not None
    std_error = float(np.sqrt(1 / max(n_treated, 1) + 1 / max(n_control, 1)))
    found = differences(balance, std_error, by_chance)
    if not found:
        return Check.untestable(BALANCE, "Nothing was recorded in which the arms could be compared.")
    apart = [d for d in found if d.judged > (0.0 if is_randomized else rule.caution) and d.largest > rule.caution]
    failed = [d for d in apart if _is_key(d) and (d.largest if is_randomized else d.judged) > rule.failed]
    worst = max(apart or found, key=lambda d: d.largest)
    grade: Grade = "failed" if failed else "caution" if apart else "passed"
    brief = f"the groups differ {'' if failed else 'somewhat '}in {_listed(failed or apart)}" if apart else ""
    threshold = by_chance if is_randomized else rule.failed if failed else rule.caution
    sentence = _balance_sentence(worst, by_chance)
    return Check(
        BALANCE,
        not apart,
        worst.largest,
        threshold,
        sentence,
        grade=grade,
        brief=brief,
        caps="groups_not_comparable",
    )


def _balance_sentence(worst: Difference, by_chance: float | None) -> str:
    rule = load_plan().diagnostics.balance
    if by_chance is not None:
        return (
            f"Between offered and not, the largest standardized difference is {worst.largest:.2f} ({said(worst)}); "
            f"randomization leaves one of up to {by_chance:.2f} by chance."
        )
    sentence = (
        f"After weighting, the largest standardized difference between the arms is {worst.largest:.2f} ({said(worst)})."
        f" Up to {rule.caution} is called balanced; above {rule.failed} the groups are not comparable."
    )
    chance = " Of single levels of a category only what is beyond chance counts."
    return sentence + (chance if worst.judged < worst.largest else "")


def _is_key(difference: Difference) -> bool:
    return difference.covariate in load_plan().diagnostics.balance.key


def said(difference: Difference) -> str:
    """Return what a covariate is called in a sentence."""
    return NAMES.get(difference.covariate, difference.covariate.replace("_", " "))


def _listed(apart: Sequence[Difference]) -> str:
    names = list(dict.fromkeys(said(d) for d in sorted(apart, key=lambda d: -d.largest)))[:3]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def overlap_check(n_effective: float, n_treated: int) -> Check:
    """Return whether the weighted comparators are worth as many people as started (Kish's effective number)."""
    worth, needed = n_effective / n_treated, load_plan().diagnostics.overlap
    is_enough = bool(worth >= needed)
    return Check(
        OVERLAP,
        is_enough,
        float(worth),
        float(needed),
        f"For each person who started, the weighted comparators are worth {worth:.1f}.",
        brief="" if is_enough else "the comparators are worth fewer people than started",
    )


def lottery_check(taken: tuple[int, int], crossed: tuple[int, int], months: int) -> Check:
    """Return whether the offer divided those who started from those who did not.

    Parameters
    ----------
    taken, crossed
        How many of those offered a place, and of those not offered one, started within `months`; of how many.
    """
    rule, share = load_plan().diagnostics.lottery, crossed[0] / crossed[1]
    grade: Grade = "failed" if share > rule.failed else "caution" if share > rule.caution else "passed"
    return Check(
        LOTTERY,
        grade == "passed",
        share,
        rule.failed if grade == "failed" else rule.caution,
        f"{{taken}} of those offered a place started within {months} months, and {{crossed}} of those not offered did.",
        grade=grade,
        brief="" if grade == "passed" else "some of those not offered a place started all the same",
        caps="lottery_not_kept",
        shares={"taken": taken, "crossed": crossed},
    )


def control_check(name: str, row: Estimated, quiet: str, loud: str, brief: str) -> Check:
    """Return whether a comparison that should show nothing does show nothing, by its own interval.

    How many there are is only known when all of them are there: see `settle_controls`.

    Parameters
    ----------
    quiet, loud
        The sentence where the interval includes zero and where it does not.
    """
    is_quiet = row.holds_zero
    return Check(
        name,
        is_quiet,
        row.estimate,
        0.0,
        quiet if is_quiet else loud,
        brief="" if is_quiet else brief,
        caps="control_not_null",
        p_value=row.p_value,
    )


def settle_controls(findings: Iterable[Finding], min_cell: int) -> tuple[Finding, ...]:
    """Return the findings with the grades of their negative controls, adjusted for the number of controls in the study.

    Holm (1979, Scand J Stat 6:65). A control fails if its interval and its adjusted p both exclude zero. Controls of
    answers that are too small to be shown are none.
    """
    findings = list(findings)
    alpha = load_plan().diagnostics.alpha
    places = [
        (i, k)
        for i, finding in enumerate(findings)
        if is_shown(finding.primary, min_cell)
        for k, check in enumerate(finding.checks)
        if check.p_value is not None and check.p_value == check.p_value
    ]
    if not places:
        return tuple(findings)
    adjusted = adjusted_p([known(findings[i].checks[k].p_value) for i, k in places], "holm")
    for (i, k), p in zip(places, adjusted, strict=True):
        checks = list(findings[i].checks)
        if checks[k].passed is False and p < alpha:
            checks[k] = replace(checks[k], grade="failed")
            findings[i] = replace(findings[i], checks=tuple(checks))
    return tuple(findings)


@dataclass(frozen=True)
class Trend:
    """What the waves before the start say, in one judgement that check, sentence and picture share.

    Attributes
    ----------
    state
        ``quiet`` (none seen, and one as large as the smallest effect would have been), ``cannot_tell`` (one as large
        could have gone unseen), ``drifting``, or ``no_waves``.
    is_large
        Whether a wave of which the band excludes zero differs by the smallest effect or more.
    largest
        Of the waves' differences the largest in size, later less earlier; None without waves.
    detectable
        The smallest drift over the last step before the start that would have been seen with 80 % power.
    joint_p
        Of all waves before the start together; None with fewer than two.
    """

    state: Literal["quiet", "cannot_tell", "drifting", "no_waves"]
    is_large: bool = False
    largest: float | None = None
    detectable: float | None = None
    joint_p: float | None = None


def judge_trend(before: pd.DataFrame, joint_p: float | None, smallest_effect: float) -> Trend:
    """Return whether the arms were drifting apart before the start, and whether that could have been seen.

    Parameters
    ----------
    before
        The event study's waves before the base, as from `estimate.event_study.band`: ``position, estimate, std_error,
        band_low, band_high``; the band holds all waves together.
    joint_p
        As from `estimate.event_study.pre_trend`.
    """
    if before.empty:
        return Trend("no_waves")
    alpha = load_plan().diagnostics.alpha
    size = before["estimate"].abs()
    excludes = (before["band_low"] > 0) | (before["band_high"] < 0)
    drift = before[excludes] if excludes.any() else before
    # A wave before the base is shown against the base; a reader thinks of the change from it to the base.
    largest = -float(drift.loc[drift["estimate"].abs().idxmax(), "estimate"])
    last = before.loc[before["position"].idxmax(), "std_error"]
    detectable = smallest_detectable(float(last), alpha)
    if excludes.any() or (joint_p is not None and joint_p < alpha):
        return Trend("drifting", bool((size[excludes] >= smallest_effect).any()), largest, detectable, joint_p)
    state: Literal["quiet", "cannot_tell"] = "quiet" if detectable <= smallest_effect else "cannot_tell"
    return Trend(state, False, largest, detectable, joint_p)


NO_EARLIER = (
    "Before the starts there are not two waves that enough people answered, so earlier trends cannot be compared."
)


def trend_check(trend: Trend, smallest_effect: float) -> Check:
    """Return the check that a trend's judgement makes; `report` reads the judgement back from its grade."""
    if trend.state == "no_waves":
        return Check.untestable(TREND, NO_EARLIER)
    together = "" if trend.joint_p is None else f" All waves before the start together: p = {trend.joint_p:.3f}."
    largest = known(trend.largest)
    size = f"up to {abs(largest):.2f} points"
    sentences = {
        "quiet": f"Before the start, when the program could change nothing, the groups did not drift apart; a drift of "
        f"{trend.detectable:.2f} points would have been seen.",
        "cannot_tell": f"Before the start no drift was seen, but one of up to {trend.detectable:.2f} points could have "
        f"gone unseen, more than the smallest effect of interest ({smallest_effect:g}).",
        "drifting": "Before the start, when the program could change nothing, the groups were drifting apart, by "
        f"{size}.",
    }
    briefs = {
        "quiet": "",
        "cannot_tell": "a drift before the start as large as the smallest effect could have gone unseen",
        "drifting": f"the groups were drifting apart before the start, by {size}",
    }
    return Check(
        TREND,
        {"quiet": True, "cannot_tell": None, "drifting": False}[trend.state],
        round(largest, 6),
        smallest_effect,
        sentences[trend.state] + together,
        grade="passed" if trend.state == "quiet" else "failed" if trend.is_large else "caution",
        brief=briefs[trend.state],
        caps="drifting_before_start",
    )
