"""H2 to H7 answered, scores before and after: the list of their analyses."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.design.covariates import balance, effective_sample_size
from analysis.design.panels import Panel
from analysis.design.response import SOURCES
from analysis.estimate.analyses import SUPPRESSED, UNTESTABLE, Analysis, Frames, Groups, Numbers, Row, finding, run
from analysis.estimate.by_scores import (
    ANCOVA,
    DID,
    PLAIN,
    ByScores,
    ScaleScores,
    estimate_change,
    has_both_arms,
    main_estimator,
    result_of,
)
from analysis.estimate.change import Changed, baseline_sd, naive_after, own_change, trajectories
from analysis.estimate.change_assumptions import PARALLEL, STAYERS, silence, trends
from analysis.estimate.cross_checks import ancova_change, mixed_change, mixed_score, ordinal_odds_ratio
from analysis.estimate.diagnostics import balance_check
from analysis.estimate.inference import Interval
from analysis.estimate.staggered import effect_slope
from analysis.plan.faults import known
from analysis.plan.results import Check, Finding

# Covariate → (measure in the ledger, units of the covariate in one unit of the measure).
SLOPES = {
    "age_years": ("mean_difference_per_decade_of_age", 10.0),
    "tenure_years": ("mean_difference_per_year_of_tenure", 1.0),
}
SESSIONS_PER_UNIT = 5
NO_SLOPE = "Too few people who started have a score before and after, or all of them are alike in it."


def answer_change(c: ByScores) -> Finding:
    """Return the answer for one scale: the main rater source, with everything that stands beside it."""
    primary = c.question.row(main_estimator(c.question), result_of(c.question, c.main, c.found), c.naming)
    evidence = {"flow": c.panel.flow}
    if c.found is None:
        untestable = (STAYERS, UNTESTABLE[1]) if c.panel.is_randomized else (PARALLEL, STAYERS, UNTESTABLE[1])
        return finding(c.question, primary, evidence=evidence, checks=untestable)
    told = run(SCALES[main_estimator(c.question)], c)
    return finding(
        c.question,
        primary,
        alternatives=told.rows,
        evidence=evidence | told.frames,
        checks=(*told.checks, UNTESTABLE[1]),
    )


def averages(c: ByScores) -> Iterator[Frames]:
    """Yield the mean scores of both groups by wave."""
    yield {"trajectories": trajectories(c.panel, known(c.found).weights)}


def naive(c: ByScores) -> Iterator[Row]:
    """Yield what slides show: scores afterwards side by side, and the participants' own change.

    In the latter those who started are their own comparators, and are counted as such.
    """
    yield c.row(naive_after(c.panel).interval)
    n = c.panel.rows.loc[c.treated & c.panel.rows["before"].notna(), "employee_id"].nunique()
    if n >= 2:
        naming = {"contrast": "after_vs_before", "estimator": "mean_change"}
        yield Row(Numbers(own_change(c.panel), Groups(n, n)), naming)


def standardized(c: ByScores) -> Iterator[Row]:
    """Yield the difference in standard deviations of the comparators at their last earlier wave, taken as fixed."""
    unit, points, naming = baseline_sd(c.panel), known(c.found).interval, {"estimator": main_estimator(c.question)}
    if not np.isfinite(unit) or unit == 0:
        yield Row("Earlier scores do not vary, so there is no unit to standardize by.", naming)
        return
    estimate, error, low, high = (v / unit for v in (points.estimate, points.std_error, points.low, points.high))
    yield c.row(Interval(estimate, error, low, high, points.p_value), **naming)


def balanced(c: ByScores) -> Iterator[Check | Frames]:
    """Yield how alike the groups are in what is recorded, where nothing was randomized."""
    people, weights = pd.factorize(c.panel.rows["employee_id"])[0], c.changed.weights
    treated = c.changed.stack.treated[: len(weights)]
    alike = balance(c.changed.matrix, treated, weights, people)
    worth = effective_sample_size(weights[~treated], people[~treated])
    yield {"balance": alike}
    yield balance_check(alike, len(set(people[treated])), worth)


def attempted(read: Callable[[ByScores], Interval | None], c: ByScores) -> Iterator[Row]:
    """Yield the row of a number that may not exist, or no row: for what stands beside the main row."""
    interval = read(c)
    if interval is not None and np.isfinite([interval.estimate, interval.std_error]).all():
        yield c.row(interval)


def mixed(c: ByScores) -> Interval | None:
    """Return the difference by a linear mixed model."""
    managers = c.panel.rows["manager_id"]
    codes = managers.to_numpy() if managers.notna().any() else None
    return (mixed_score if c.panel.is_randomized else mixed_change)(c.panel, c.terms, codes, _by_unit(c))


def again(answers: str, c: ByScores) -> Iterator[Row]:
    """Yield the main difference from other answers, where there is one."""
    measured = c.sets.again(answers)
    return iter(()) if measured is None else _anew(replace(c, main=measured))


def _anew(c: ByScores) -> Iterator[Row]:
    return attempted(lambda c: c.found.interval if c.found else None, c)


def by_others(source: str, c: ByScores) -> Iterator[Row]:
    """Yield the main difference by another rater source, or why there is none."""
    other = c.sets.by_others(source)
    if isinstance(other, str):
        yield Row(other)
    elif other is not None:
        yield Row(result_of(c.question, other, estimate_change(c.question, other)))


def against_never_enrolled(c: ByScores) -> Iterator[Row]:
    """Yield the answer with comparators who never started, for whom no later start can have cast its shadow."""
    panel, earlier = _never_enrolled(c.panel), c.main.earlier and _never_enrolled(c.main.earlier)
    if len(panel.rows) < len(c.panel.rows) and has_both_arms(panel):
        yield from _anew(replace(c, main=ScaleScores(panel, earlier)))


def _never_enrolled(panel: Panel) -> Panel:
    """Return the panel without comparators who started later."""
    return panel.take(~panel.everyone["is_later_starter"].to_numpy(dtype=bool))


def slopes(c: ByScores) -> Iterator[Row]:
    """Yield for whom the effect was larger."""
    for name, (measure, units) in SLOPES.items():
        if name in c.panel.covariates:
            interval = _slope(c, c.panel.covariates[name].to_numpy(dtype=float) / units)
            yield Row(NO_SLOPE, {"measure": measure}) if interval is None else c.row(interval, measure=measure)


def _slope(c: ByScores, value: np.ndarray) -> Interval | None:
    """Return the slope on a value of the panel's rows; the waves before the start have none."""
    everywhere = np.full(len(c.changed.stack.y), np.nan)
    everywhere[: len(value)] = value
    return effect_slope(c.changed.stack, c.changed.stack_weights, everywhere)


def dose(c: ByScores) -> Iterator[Row]:
    """Yield by how much those who met more often changed more: an association, for who meets more also differs."""
    sessions, people = c.sets.sessions(), c.panel.rows["employee_id"]
    if sessions is None:
        return
    by_person = pd.Series(sessions).groupby(people.to_numpy()).transform("max").to_numpy()
    more = by_person > np.median(by_person[c.treated])
    sizes = [people[c.treated & group].nunique() for group in (more, ~more)]
    interval = _slope(c, sessions / SESSIONS_PER_UNIT)
    found = NO_SLOPE if interval is None else Numbers(interval, Groups(*sizes))
    yield Row(SUPPRESSED if min(sizes) < c.question.study.min_cell else found)


def topics(c: ByScores) -> Iterator[Row]:
    """Yield, for each topic that enough people met about and enough did not, how much more they changed.

    Nothing where the topics of only a few are unknown: both groups' sizes would tell how many.
    """
    met_about, people = c.sets.topics(), c.panel.rows["employee_id"]
    if met_about is None:
        return
    theirs = met_about.reindex(people)
    is_told = theirs.notna().to_numpy() & c.treated
    if 0 < people[c.treated & ~is_told].nunique() < c.question.study.min_cell:
        return
    for topic in sorted(set().union(*theirs[is_told])):
        about = np.array([isinstance(names, frozenset) and topic in names for names in theirs])
        sizes = [people[is_told & chosen].nunique() for chosen in (about, ~about)]
        if min(sizes) < c.question.study.min_cell:
            continue
        interval = _slope(c, np.where(is_told, about.astype(float), np.nan))
        if interval is not None:
            yield Row(Numbers(interval, Groups(*sizes)), {"contrast": f"topic_{topic}_vs_other_topics"})


def _by_unit(c: ByScores) -> bool:
    return c.question.program.assignment.by_unit


def _is_did(c: ByScores) -> bool:
    return isinstance(c.found, Changed)


def scale_analyses(main: str) -> tuple[Analysis[ByScores], ...]:
    """Return what stands beside the main answer, in its order, by the main row's estimator."""
    return (
        Analysis("trajectories", averages, "frame"),
        Analysis(PLAIN, naive, "naive", naming={"estimand": "association"}),
        Analysis("standardized", standardized, "secondary", naming={"measure": "standardized_mean_difference"}),
        Analysis("balance", balanced, applies=_is_did),
        Analysis("trends", trends, applies=_is_did),
        Analysis("measured", lambda c: c.sets.checks(), "checks"),
        Analysis("linear_mixed_model", partial(attempted, mixed)),
        Analysis(
            ANCOVA,
            partial(attempted, lambda c: ancova_change(c.panel, c.terms, c.changed.weights, _by_unit(c))),
            applies=_is_did,
        ),
        Analysis(
            "ordinal_logit",
            partial(attempted, lambda c: ordinal_odds_ratio(c.panel, c.terms, _by_unit(c))),
            naming={"measure": "odds_ratio"},
            applies=lambda c: c.main.n_items == 1,
        ),
        Analysis(
            f"{DID}_never_enrolled", against_never_enrolled, applies=lambda c: not c.question.program.is_randomized
        ),
        Analysis(f"{main}_without_careless", partial(again, "without_careless")),
        Analysis(f"{main}_common_items", partial(again, "common_items")),
        *(
            Analysis(main, partial(by_others, source), naming={"rater_source": source})
            for source in ("others", "self", *SOURCES)
        ),
        Analysis("silent", silence),
        Analysis("slopes", slopes, "secondary", DID, applies=_is_did),
        Analysis(
            "dose",
            dose,
            "descriptive",
            DID,
            {
                "contrast": "more_vs_fewer_sessions",
                "estimand": "association",
                "measure": "mean_difference_per_five_sessions",
            },
            applies=_is_did,
        ),
        Analysis("topics", topics, "descriptive", DID, {"estimand": "association"}, applies=_is_did),
    )


SCALES = {main: scale_analyses(main) for main in (DID, ANCOVA)}
