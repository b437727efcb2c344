"""H1 (or H8) answered from target trials: the list of their analyses."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pandas as pd

from analysis.design.covariates import balance, balance_by_quarter, missing_values, overlap
from analysis.design.weights import as_followed, trimmed
from analysis.estimate.analyses import SUPPRESSED, UNTESTABLE, Analysis, Frames, Row, finding, run, unanswered
from analysis.estimate.arms import ANY_EXIT, Arms
from analysis.estimate.by_trials import ByTrials, clusters_check, why_no_trial
from analysis.estimate.cox import COX, hazard_ratio
from analysis.estimate.diagnostics import balance_check, control_check, overlap_check
from analysis.estimate.event_rows import PLAIN, WEIGHTED, last_read
from analysis.estimate.moderators import MODERATORS
from analysis.estimate.protocol_rows import PROTOCOL
from analysis.estimate.retention import curves
from analysis.estimate.sensitivity import SENSITIVITY
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.results import Check, Estimated, Finding


def answer_by_trials(c: ByTrials, beside: tuple[Analysis[ByTrials], ...] = ()) -> Finding:
    """Return H1 (or H8) for a program that people choose or that is rolled out: the ATT from target trials.

    Parameters
    ----------
    beside
        What else is made where the answer has a number, as `BESIDE`.
    """
    trials = trimmed(c.trials)
    answered = c if trials is c.trials else replace(c, trials=trials)
    if not answered.trials.rows["is_treated"].any():
        return _no_trial(answered)
    primary = c.question.row(WEIGHTED, *answered.row(answered.arms, c.first))
    told = run(TRIALS, answered)
    others = run(beside if isinstance(primary, Estimated) else (), c)
    return finding(
        c.question,
        primary,
        alternatives=told.rows + others.rows,
        checks=(*told.checks, *UNTESTABLE, *others.checks),
        evidence={"flow": answered.trials.flow} | told.frames | others.frames,
    )


def _no_trial(c: ByTrials) -> Finding:
    flow = c.trials.flow
    if 0 < flow["n_people"].iloc[0] < c.question.study.min_cell:
        return unanswered(c.question, WEIGHTED, SUPPRESSED, c.naming, evidence={"flow": flow})
    return unanswered(
        c.question, WEIGHTED, why_no_trial(c.trials), c.naming, evidence={"flow": flow}, checks=UNTESTABLE
    )


def naive_rows(c: ByTrials, people: pd.DataFrame) -> Iterator[Row]:
    """Yield the figure of a biased comparison of people followed without weights, at every horizon."""
    arms = Arms.of(as_followed(people, c.kinds, max(c.horizons)))
    return (c.row(arms, month) for month in c.horizons)


def later_horizons(c: ByTrials) -> Iterator[Row]:
    """Yield the main difference at the other horizons."""
    return (c.row(c.arms, month) for month in c.horizons[1:])


def other_measures(c: ByTrials) -> Iterator[Row]:
    """Yield the ratio of risks and days of the same contrast."""
    measures = [("risk_ratio", c.outcome), ("rmst_difference_days", ANY_EXIT), ("rmtl_difference_days", c.outcome)]
    for measure, outcome in measures if CATALOGUE.outcome(c.outcome).is_exit else measures[::2]:
        yield from (c.row(c.arms, month, outcome, measure=measure) for month in c.horizons)


def hazards(c: ByTrials) -> Iterator[Row]:
    """Yield the ratio of hazards of the same contrast."""
    for month in c.horizons:
        read = partial(hazard_ratio, c.followed, c.arms, c.outcome, month)
        yield c.row(c.arms, month, measure="hazard_ratio", read=read)


def other_exits(c: ByTrials) -> Iterator[Row]:
    """Yield exits of other kinds at the first horizon: all together, each by itself; dismissals are the control."""
    yield c.row(c.arms, c.first, outcome=ANY_EXIT)
    yield c.row(c.arms, c.first, outcome="involuntary_exit", analysis="negative_control")
    yield c.row(c.arms, c.first, outcome="other_exit")


def curve_frames(c: ByTrials) -> Iterator[Frames]:
    """Yield cumulative incidence of the outcome and of the kinds that compete, up to the last horizon that is read."""
    shown = last_read(c.question, c.arms)
    if shown:
        by_kind = [curves(c.arms, kind, shown).assign(outcome=kind) for kind in c.kinds if kind != c.outcome]
        yield {"curves": curves(c.arms, c.outcome, shown), "curves_by_kind": pd.concat(by_kind, ignore_index=True)}


def balance_frames(c: ByTrials) -> Iterator[Frames]:
    """Yield how alike the arms are, all together and by quarter of the start."""
    matrix, followed = c.followed.model.matrix, c.followed
    yield {"balance": balance(matrix, followed.treated, followed.base, followed.rows["employee_id"])}
    yield {"balance_by_quarter": balance_by_quarter(matrix, followed.rows, followed.base)}


def chances(c: ByTrials) -> Iterator[Frames]:
    """Yield the chances to start, by arm."""
    yield {"overlap": overlap(c.followed.model.propensity.probability, c.followed.treated)}


def comparable(c: ByTrials) -> Iterator[Check]:
    """Yield whether the arms are alike and overlap."""
    size, n_treated = c.arms.control.n_effective, c.arms.treated.n_people
    alike = balance(c.followed.model.matrix, c.followed.treated, c.followed.base)
    yield balance_check(alike, n_treated, size)
    yield overlap_check(size, n_treated)


_DISMISSALS = "The program should not change who is dismissed, and the interval for dismissals "
TRIALS: tuple[Analysis[ByTrials], ...] = (
    Analysis(
        "dashboard",
        lambda c: naive_rows(c, c.ever()),
        "naive",
        PLAIN,
        {"contrast": "ever_vs_never", "estimand": "association"},
    ),
    Analysis(PLAIN, lambda c: naive_rows(c, c.trials.rows), "naive", naming={"estimand": "association"}),
    Analysis("later_horizons", later_horizons, "secondary", WEIGHTED),
    Analysis("other_measures", other_measures, "secondary", WEIGHTED),
    Analysis(COX, hazards, "secondary", naming={"measure": "hazard_ratio"}),
    Analysis("comparable", comparable, "checks"),
    Analysis(
        "other_exits",
        other_exits,
        estimator=WEIGHTED,
        applies=lambda c: c.outcome == "voluntary_exit",
        control=partial(
            control_check,
            "negative control: dismissals",
            quiet=f"{_DISMISSALS}includes no difference.",
            loud=f"{_DISMISSALS}excludes no difference: the arms may differ.",
            brief="dismissals differ between the groups, though the program should not change them",
        ),
    ),
    Analysis("clusters", lambda c: clusters_check(c.followed, c.arms), "checks"),
    Analysis("curves", curve_frames, "frame"),
    Analysis("balance", balance_frames, "frame"),
    Analysis("overlap", chances, "frame"),
    Analysis("missing", lambda c: [{"missing": missing_values(c.trials.covariates, c.followed.rows)}], "frame"),
)
# What stands beside an answer with a number.
BESIDE = (*SENSITIVITY, *MODERATORS, *PROTOCOL)
