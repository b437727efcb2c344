"""One study of a world, estimated in every way under test, each number beside the truth."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.lottery import build_lottery
from analysis.design.panels import Panel, Panels, build_lottery_panel
from analysis.design.propensity import att_weights, fit_propensity
from analysis.design.response import asked_of, with_response
from analysis.estimate import staggered
from analysis.estimate.change import itt_score, naive_after, own_change, regression_adjusted
from analysis.estimate.event_study import Curve, HonestBounds, band, event_curve, overall, pre_trend
from analysis.estimate.inference import Interval, wald
from analysis.estimate.nonresponse import response_weighted_change
from analysis.plan.probability import rng
from simulations.scales_people import ROLE, STUDY, Company, company_of, program_of
from simulations.scales_worlds import (
    ANCOVA,
    BAND,
    DID,
    HONEST,
    PLAIN,
    PRE_TREND,
    TWFE,
    WEIGHTED,
    World,
)

OWN_CHANGE, UNADJUSTED = "mean_change", "difference_in_changes"
HONEST_LIMIT = 1.0
# The jackknife takes the time: it leaves out groups of people that are fewer than in a report, and equally valid.
N_GROUPS = 20
COLUMNS = [
    *("scenario", "number", "estimator", "status", "n_treated", "truth", "estimate", "std_error"),
    *("low", "high", "p_value", "is_covered"),
]


@dataclass(frozen=True)
class Found:
    """One estimator's answer: an interval, or limits alone, or whether a whole curve was covered, or a p-value."""

    truth: float = np.nan
    interval: Interval | None = None
    low: float = np.nan
    high: float = np.nan
    p_value: float = np.nan
    is_covered: float = np.nan


def estimates_of(world: World, number: int) -> pd.DataFrame:
    """Return every estimate of one study, one row per estimator, in `COLUMNS`.

    An estimator without an answer has its ``status`` alone. The world's name and the number decide all that is random.
    """
    draw = rng("scales", world.name, number)
    company = company_of(world, draw)
    found = _by_lottery(world, company, draw) if world.is_lottery else _by_starts(world, company, draw)
    return pd.DataFrame([_line(world, number, *row) for row in found], columns=COLUMNS)


def _line(world: World, number: int, estimator: str, n_treated: int, found: Found | None) -> dict:
    line = {"scenario": world.name, "number": number, "estimator": estimator, "n_treated": n_treated}
    if found is None:
        return line | {"status": "not_estimable"}
    line |= {"status": "estimated", "truth": found.truth}
    if found.interval is None:
        covered = found.is_covered
        if np.isfinite(found.low):
            covered = float(found.low <= found.truth <= found.high)
        return line | {"low": found.low, "high": found.high, "p_value": found.p_value, "is_covered": covered}
    at = found.interval
    numbers = {"estimate": at.estimate, "std_error": at.std_error, "low": at.low, "high": at.high}
    return line | numbers | {"p_value": at.p_value, "is_covered": float(at.low <= found.truth <= at.high)}


def _by_lottery(world: World, company: Company, draw: np.random.Generator) -> Iterator[tuple[str, int, Found | None]]:
    """Yield the rows of a lottery: the answer, and the two naive figures."""
    lottery = build_lottery(company.tables, STUDY, program_of(world), ROLE, {})
    panel = build_lottery_panel(company.scores, lottery, STUDY.horizons_months[0])
    n, truth = _n_treated(panel), _truth(company, panel)
    yield ANCOVA, n, Found(truth, itt_score(panel, draw).interval)
    yield PLAIN, n, Found(truth, naive_after(panel).interval)
    yield OWN_CHANGE, n, Found(truth, own_change(panel))


def _by_starts(world: World, company: Company, draw: np.random.Generator) -> Iterator[tuple[str, int, Found | None]]:
    """Yield the rows of starts that people chose: the answer, its checks, and what else is done."""
    program = program_of(world)
    panels = Panels(company.tables, STUDY, program, ROLE)
    panel = panels.after(company.scores)
    earlier = panels.before(company.scores)
    n = _n_treated(panel)
    if not n:
        yield from ((name, 0, None) for name in (DID, PLAIN, OWN_CHANGE, UNADJUSTED, ANCOVA))
        return
    truth = _truth(company, panel)
    stack, _ = staggered.stacked(tuple(p for p in (panel, earlier) if len(p.rows)), by_unit=False)
    weights = staggered.comparator_weights(stack)
    yield DID, n, Found(truth, overall(stack, weights).interval(0))
    curve = event_curve(stack, weights)
    yield PRE_TREND, n, _pre_trend(curve)
    yield BAND, n, _band(curve, company, panel, draw)
    yield HONEST, n, _honest(curve, truth)
    if world.weighs_response:
        found = _response_weighted(company, panel, draw)
        yield WEIGHTED, n, found and replace(found, truth=truth)
    yield ANCOVA, n, Found(truth, adjusted_for_earlier(panel, stack.terms[: len(panel.rows)]))
    yield UNADJUSTED, n, Found(truth, _difference_in_changes(panel))
    yield TWFE, n, two_way_fixed_effects(company)
    yield PLAIN, n, Found(truth, naive_after(panel).interval)
    yield OWN_CHANGE, n, Found(truth, own_change(panel))


def _n_treated(panel: Panel) -> int:
    rows = panel.rows
    return int(rows.loc[rows["is_treated"].astype(bool), "employee_id"].nunique())


def _truth(company: Company, panel: Panel) -> float:
    """Return what the program did, on the mean, to those treated whose scores there are: each person and wave once."""
    treated = panel.rows[panel.rows["is_treated"].astype(bool)]
    return float(company.effect(treated).mean())


def _pre_trend(curve: Curve | None) -> Found | None:
    tested = pre_trend(curve) if curve is not None else None
    return Found(p_value=tested.p_value) if tested is not None else None


def _band(curve: Curve | None, company: Company, panel: Panel, draw: np.random.Generator) -> Found | None:
    """Return whether the band holds the program's whole true curve: nothing before the start."""
    if curve is None:
        return None
    treated = panel.rows[panel.rows["is_treated"].astype(bool)]
    after = pd.Series(company.effect(treated)).groupby(treated["wave_position"].astype(int).to_numpy()).mean()
    drawn = band(curve, draw)
    truth = drawn["position"].map(after).where(drawn["position"] > 0, 0.0)
    return Found(is_covered=float(truth.between(drawn["band_low"], drawn["band_high"]).all()))


def _honest(curve: Curve | None, truth: float) -> Found | None:
    try:
        low, high = HonestBounds(curve).relative_magnitudes(HONEST_LIMIT) if curve is not None else (np.nan, np.nan)
    except ValueError:
        return None
    return Found(truth, low=low, high=high) if curve is not None else None


def _response_weighted(company: Company, panel: Panel, draw: np.random.Generator) -> Found | None:
    """Return the estimate for all who were invited, those scored standing in for the silent."""
    tables = company.tables
    rows = with_response(panel.everyone, tables.employees, tables.waves, company.scores)
    treated = rows["is_treated"].to_numpy(dtype=bool)
    matrix = design_matrix(panel.known, treated, staggered.not_adjusted_for(unit=None))
    asked = asked_of(rows, matrix.values)
    if not len(asked.y):
        return None
    interval = response_weighted_change(replace(asked, cluster=asked.person % N_GROUPS), draw)
    return Found(interval=interval) if interval is not None else None


def adjusted_for_earlier(panel: Panel, terms: np.ndarray) -> Interval:
    """Return the later score adjusted for the earlier one and the covariates, in the propensity and the regression."""
    rows = panel.rows
    treated, cell = rows["is_treated"].to_numpy(dtype=bool), rows["cell"].to_numpy(dtype=int)
    before = rows["before"].to_numpy(dtype=float)
    known = np.column_stack([(before - before.mean()) / before.std(), terms])
    weights = att_weights(fit_propensity(known, treated, cell).linear, treated, cell)
    y, person = rows["after"].to_numpy(dtype=float), pd.factorize(rows["employee_id"])[0]
    return regression_adjusted(y, treated, cell, known, weights, person).interval


def _difference_in_changes(panel: Panel) -> Interval:
    """Return the difference between the arms in mean change, cell by cell, adjusted for nothing."""
    rows = panel.everyone
    return naive_after(replace(panel, everyone=rows.assign(after=rows["after"] - rows["before"]))).interval


def two_way_fixed_effects(company: Company) -> Found:
    """Return the coefficient of having started beside a mean for each person and each wave, and its own truth.

    Its truth is the program's mean effect over all scores given after a start, those beyond the horizon included.
    """
    scores, enrolled = company.scores, company.tables.enrolments
    person, wave = scores["employee_id"].astype(int).to_numpy(), scores["wave"].to_numpy()
    start = pd.Series(enrolled["start_date"].to_numpy(), enrolled["employee_id"].to_numpy())
    started = (start.reindex(scores["employee_id"]).to_numpy() < scores["opens"].to_numpy()).astype(float)
    columns = np.column_stack([scores["score"], started, np.eye(company.actual.shape[1])[wave - 1][:, 1:]])
    within = columns - pd.DataFrame(columns).groupby(person).transform("mean").to_numpy()
    others = within[:, 2:]
    y, d = (value - others @ np.linalg.lstsq(others, value, rcond=None)[0] for value in within[:, :2].T)
    estimate = d @ y / (d @ d)
    sums = np.bincount(person, weights=d * (y - estimate * d))
    n = len(np.unique(person))
    effects = (company.actual - company.untreated)[person, wave - 1][started == 1]
    interval = wald(estimate, np.sqrt(n / (n - 1) * np.sum(sums**2)) / (d @ d), df=n - 1)
    return Found(float(effects.mean()), interval)
