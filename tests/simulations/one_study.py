"""One simulated study, estimated in every way under test, each number beside the truth."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.design.weights import WeightedFollowUp, as_followed, weigh
from analysis.estimate.analyses import Question
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.arms import Arms, default_clusters
from analysis.estimate.by_trials import main_arms
from analysis.estimate.cox import COX, hazard_ratio
from analysis.estimate.doubly_robust import difference_in_risks, doubly_robust
from analysis.estimate.event_rows import PLAIN, WEIGHTED, event_row
from analysis.estimate.inference import FEW_EVENTS, Interval, wald
from analysis.estimate.resampling import WeightedRefit, bootstrap
from analysis.measure.employment import EXITS
from analysis.pipeline import OpenStudy
from analysis.pipeline.events import Comparison
from analysis.plan.instruments import load_instruments
from analysis.plan.probability import rng
from analysis.plan.results import Estimate
from analysis.plan.study import Study
from analysis.simulate import Company, simulate
from analysis.simulate.truth import retention_risks, treated_people
from simulations.worlds import World

OUTCOME, ROLE = "voluntary_exit", "mentor"
BOOTSTRAP = f"{WEIGHTED}_bootstrap"
N_BOOTSTRAPPED, N_DRAWS = 50, 60
ON_LOG_SCALE = ("risk_ratio", "hazard_ratio")
COLUMNS = [
    *("scenario", "number", "estimator", "measure", "horizon_months", "status", "n_treated"),
    *("truth", "estimate", "std_error", "ci_low", "ci_high", "p_value"),
]


@dataclass(frozen=True)
class _Truth:
    """Mean risks of the treated with the program and without, by horizon; the program does nothing or something."""

    risks: dict[int, tuple[float, float]]
    is_null: bool

    def of(self, row: Estimate) -> float:
        """Return the truth on the row's scale (ratios by their logarithm), NaN where no closed form is at hand."""
        if self.is_null:
            return 0.0
        treated, untreated = self.risks[row.horizon_months]
        if row.outcome != OUTCOME or row.estimand == "CACE":
            return np.nan
        known = {"risk_difference": treated - untreated, "risk_ratio": np.log(treated / untreated)}
        return known.get(row.measure, np.nan)


def estimates_of(world: World, number: int) -> pd.DataFrame:
    """Return every estimate of one study, one row per estimator, measure and horizon, in `COLUMNS`.

    Ratios and their limits are logarithms. A row without a number has its ``status`` alone.
    """
    company = simulate(world.study(number))
    comparison = _comparison(company, world)
    question = comparison.question("H1_retention")
    if world.scenario.programs[0].assignment == "lottery":
        found = retention_by_lottery(question, comparison.lottery, OUTCOME).estimates
    else:
        found = tuple(_by_trials(question, comparison, number < N_BOOTSTRAPPED))
    truth = _truth(company, world)
    return pd.DataFrame([_line(world, number, row, truth.of(row)) for row in found], columns=COLUMNS)


def _comparison(company: Company, world: World) -> Comparison:
    """Return the mentors' comparison, without the detour over files.

    As in validation, an exit announced for a day after the data lock has not happened.
    """
    study = Study.model_validate(company.study)
    employees = company.tables.employees
    known = employees["exit_date"] <= pd.Timestamp(study.as_of)
    employees = employees.assign(**{c: employees[c].where(known) for c in ("exit_date", "exit_type")})
    if not world.notices_recorded:
        employees = employees.assign(notice_date=pd.NaT)
    cards = load_instruments(study) if company.tables.waves is not None else {}
    opened = OpenStudy(study, cards, replace(company.tables, employees=employees), ())
    return Comparison(opened, study.programs[0], ROLE)


def _by_trials(question: Question, comparison: Comparison, is_bootstrapped: bool) -> Iterator[Estimate]:
    """Yield the rows of a target trial: what dashboards show, the main row, and other measures at the first horizon.

    As the lists of `answer_retention` and `sensitivity` make them, without curves and checks.
    """
    trials, horizons = comparison.trials, question.study.horizons_months
    first, months = horizons[0], max(horizons)

    def row(arms: Arms, analysis: str, estimator: str, outcome: str = OUTCOME, month: int = first, **how) -> Estimate:
        return question.row(estimator, *event_row(question, arms, outcome, month, **how), analysis)

    for people, contrast in ((comparison.ever, "ever_vs_never"), (trials.rows, "enrolled_vs_not")):
        naming = {"contrast": contrast, "estimand": "association"}
        arms = Arms.of(as_followed(people, EXITS, months))
        yield from (row(arms, "naive", PLAIN, month=horizon, **naming) for horizon in horizons)
    followed = weigh(trials, EXITS, months)
    arms = main_arms(question, followed, OUTCOME)
    for horizon in horizons:
        yield row(arms, "primary", WEIGHTED, month=horizon)
    for measure in ("risk_ratio", "rmst_difference_days", "rmtl_difference_days"):
        yield row(arms, "secondary", WEIGHTED, measure=measure)
    yield row(arms, "negative_control", WEIGHTED, "involuntary_exit")
    ratio = partial(hazard_ratio, followed, arms, OUTCOME, first)
    yield row(arms, "sensitivity", COX, measure="hazard_ratio", read=ratio)
    yield row(arms, "sensitivity", "aipw_aalen_johansen", read=lambda: doubly_robust(followed, arms, OUTCOME, first))
    if is_bootstrapped and min(arms.n_events(OUTCOME, first)) < FEW_EVENTS:
        yield question.row(BOOTSTRAP, "Left out of a report: too few exits.", {"outcome": OUTCOME}, "sensitivity")
    elif is_bootstrapped:
        yield row(arms, "sensitivity", BOOTSTRAP, read=lambda: _bootstrapped(question, followed, arms, first))


def _bootstrapped(question: Question, followed: WeightedFollowUp, arms: Arms, month: int) -> Interval:
    """Return the main difference with the bootstrap's standard error, from fewer draws than a report takes."""
    recount, people = WeightedRefit(followed, (OUTCOME,), month), default_clusters(followed)
    draws = bootstrap(recount, people, rng(question.study.study, "bootstrap"), N_DRAWS)
    return wald(difference_in_risks(arms, OUTCOME, month), np.nanstd(draws, ddof=1), arms.df)


def _truth(company: Company, world: World) -> _Truth:
    program, risks = world.scenario.programs[0], {}
    if world.is_null:
        return _Truth(risks, is_null=True)
    people = treated_people(company.workforce, program, ROLE)
    for months in world.scenario.horizons_months:
        with_it, without = retention_risks(company.workforce, people, program.mentor, months)
        risks[months] = (float(with_it.mean()), float(without.mean()))
    return _Truth(risks, is_null=False)


def _line(world: World, number: int, row: Estimate, truth: float) -> dict:
    """Return one row of the result, ratios as logarithms."""
    numbers = {name: getattr(row, name) for name in ("estimate", "ci_low", "ci_high")}
    if row.is_estimated and row.measure in ON_LOG_SCALE:
        numbers = {name: float(np.log(value)) for name, value in numbers.items()}
    return numbers | {
        "scenario": world.name,
        "number": number,
        "estimator": _name(row),
        "measure": row.measure,
        "horizon_months": row.horizon_months,
        "status": row.status,
        "n_treated": row.n_treated,
        "truth": truth,
        "std_error": row.std_error,
        "p_value": row.p_value,
    }


def _name(row: Estimate) -> str:
    """Return what tells the row's estimator from the others of its measure."""
    if row.analysis == "naive":
        return f"naive_{row.contrast}"
    if row.analysis == "negative_control":
        return f"negative_control_{row.outcome}"
    return row.estimator
