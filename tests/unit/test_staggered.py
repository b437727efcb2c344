"""Staggered starts: group-time effects, the event study with its band, and bounds where trends are not parallel."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import opened
from scipy import optimize, stats

from analysis.design.panels import Panels
from analysis.estimate.change import regression_adjusted
from analysis.estimate.event_study import (
    Curve,
    HonestBounds,
    band,
    event_curve,
    folded_normal,
    least_favourable,
    overall,
    pre_trend,
)
from analysis.estimate.staggered import (
    Effects,
    Stack,
    comparator_weights,
    effects,
    least_squares,
    mean_effects,
    stacked,
)
from analysis.measure.scales import self_scores

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM, FITTED = 1e-6, 1e-4
TRUE_EFFECTS = (0.3, 0.4, 0.5)


def stack_of(scores: np.ndarray, start: np.ndarray, terms: np.ndarray, reach: int = 9, never_only=False) -> Stack:
    """Return the cells of a panel.

    Parameters
    ----------
    scores
        Shape (people, waves); missing where a person did not answer.
    start
        The last wave before each person's start (0 = the first); infinite for who never starts; shape (people,).
    terms
        Shape (people, terms).
    """
    parts = []
    for base in np.unique(start[np.isfinite(start)]).astype(int):
        for wave in [w for w in range(scores.shape[1]) if w != base and w - base <= reach]:
            treated = start == base
            waits = np.isinf(start) if never_only else ~treated & (start >= max(wave, base))
            change = scores[:, wave] - scores[:, base]
            people = np.flatnonzero(~np.isnan(change) & (treated | waits))
            if 0 < treated[people].sum() < len(people):
                parts.append((people, change[people], treated[people], np.full(len(people), wave - base)))
    people, change, treated, position = (np.concatenate(column) for column in zip(*parts, strict=True))
    cell = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    return Stack(change, treated, cell, position, terms[people], people)


def rows_of(stack: Stack, keep: np.ndarray) -> Stack:
    """Return some of the rows, cells numbered anew."""
    arrays = {name: value[keep] for name, value in vars(stack).items() if isinstance(value, np.ndarray)}
    kept = Stack(**vars(stack) | arrays)
    return Stack(**vars(kept) | {"cell": np.unique(kept.cell, return_inverse=True)[1]})


def company(rng: np.random.Generator, people=400, starters=80, n_terms=8, drift=0.0) -> Stack:
    """Return a company of six waves whose starters differ in covariates that also decide who improves anyway.

    Three intervals have starts; 70 % answer a wave. `drift` is what starters gain from wave to wave without a cause.
    """
    terms = np.column_stack([rng.normal(size=(people, n_terms // 2)), rng.random((people, n_terms // 2)) < 0.5])
    keen = terms[:, :2] @ [0.5, 0.5] + terms[:, -1]
    chosen = np.argsort(-(keen + rng.gumbel(size=people)))[:starters]
    start, wave = np.full(people, np.inf), np.arange(6)
    start[chosen] = rng.integers(2, 5, size=starters)
    scores = rng.normal(size=(people, 1)) + 0.4 * keen[:, None] + 0.15 * keen[:, None] * wave
    scores += 0.7 * rng.normal(size=scores.shape) + drift * wave * np.isfinite(start)[:, None]
    since = wave - np.where(np.isfinite(start), start, 9)[:, None]
    own = 1 + 0.3 * rng.normal(size=people)
    gain = np.array([0, *TRUE_EFFECTS])[np.clip(since, 0, len(TRUE_EFFECTS)).astype(int)]
    scores += own[:, None] * gain
    scores[rng.random(scores.shape) > 0.7] = np.nan
    return stack_of(scores, start, (terms - terms.mean(axis=0)) / terms.std(axis=0))


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


# Against R


def invented_panel(never_only: bool) -> Stack:
    rows = fixture("staggered_input")
    scores = rows.pivot(index="person", columns="wave", values="score").to_numpy()
    start = rows.drop_duplicates("person")["base"].fillna(np.inf).to_numpy()
    return stack_of(scores, start, np.zeros((len(start), 0)), never_only=never_only)


@pytest.mark.parametrize("comparison", ["never", "not_yet"])
def test_effects_without_covariates_are_those_of_callaway_and_santanna(comparison):
    stack = invented_panel(comparison == "never")
    expected = fixture("staggered_effects").query("comparison == @comparison")
    weights = comparator_weights(stack)
    group = pd.Series(stack.cluster).map(fixture("staggered_input").drop_duplicates("person")["base"]).to_numpy()
    sets = {
        "overall": np.where(stack.position > 0, 0, -1),
        "group": np.where(stack.treated & (stack.position > 0), np.nan_to_num(group) - 1, -1).astype(int),
        "position": np.searchsorted([-3, -2, -1, 1, 2, 3], stack.position),
        "cell": stack.cell,
    }
    for what, codes in sets.items():
        rows, found = expected[expected["what"] == what], effects(stack, weights, codes)
        np.testing.assert_allclose(found.estimates, rows["effect"], rtol=CLOSED_FORM)
        np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), rows["se"], rtol=CLOSED_FORM)
        np.testing.assert_array_equal(found.n_clusters, rows["n_treated"])
        np.testing.assert_array_equal(found.n_rows, rows["n_rows"])
        large = rows["n_treated"].to_numpy() > 20
        np.testing.assert_allclose(rows["se"][large], rows["se_callaway_santanna"][large], rtol=0.05)


def adjusted_panel() -> tuple[Stack, np.ndarray]:
    rows = fixture("staggered_adjusted_input")
    y, treated, cell, position = (rows[c].to_numpy() for c in ("y", "treated", "cell", "position"))
    terms = rows[["tenure", "remote"]].to_numpy(dtype=float)
    return Stack(y, treated == 1, cell, position, terms, rows["person"].to_numpy()), rows["weight"].to_numpy(
        dtype=float
    )


def test_draws_have_the_weights_and_the_mean_effect_of_fits_to_each_of_them_alone():
    """Without each tenth of the people, of which none is needed for both arms of a cell."""
    stack = company(np.random.default_rng(1))
    counts = (stack.cluster[:, None] % 10 != np.arange(10)).astype(float)
    weights = comparator_weights(stack, counts)
    found = mean_effects(stack, np.repeat(stack.y[:, None], 10, axis=1), counts, weights)
    for tenth, used in enumerate(counts.T > 0):
        part = rows_of(stack, used)
        alone = comparator_weights(part)
        np.testing.assert_allclose(weights[used, tenth], alone, rtol=1e-4)
        assert found[tenth] == pytest.approx(overall_effect(part, alone), abs=1e-6)
        assert not weights[~used, tenth].any()


def test_in_a_draw_a_cell_without_one_of_the_arms_weighs_nothing():
    stack = company(np.random.default_rng(1))
    lost = stack.treated & (stack.cell == 0)
    weights = comparator_weights(stack, np.where(lost, 0.0, 1.0)[:, None])[:, 0]
    assert not weights[stack.cell == 0].any() and weights[stack.cell == 1].any()


def overall_effect(stack: Stack, weights: np.ndarray) -> float:
    return effects(stack, weights, np.zeros(len(stack.y), dtype=int)).estimates[0]


def test_effects_with_covariates_and_their_covariance_equal_weighted_regressions():
    expected, curve = fixture("staggered_adjusted"), event_curve(*adjusted_panel())
    np.testing.assert_array_equal(curve.positions, expected["position"])
    np.testing.assert_allclose(curve.effects.estimates, expected["effect"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(
        curve.effects.covariance, expected.filter(like="covariance"), rtol=CLOSED_FORM, atol=1e-12
    )


def test_the_test_of_all_earlier_effects_is_hotellings():
    expected, found = fixture("staggered_pre_trend").iloc[0], pre_trend(event_curve(*adjusted_panel()))
    assert [found.statistic, found.p_value] == pytest.approx([expected["f"], expected["p_value"]], rel=CLOSED_FORM)
    assert (found.df_numerator, found.df_denominator) == (expected["df_numerator"], expected["df_denominator"])


@pytest.mark.parametrize("row", list(fixture("honest_bounds").itertuples()), ids=lambda r: f"{r.restriction}-{r.limit}")
def test_honest_bounds_equal_a_search_for_what_is_not_rejected_and_for_the_shortest_interval(row):
    bounds = HonestBounds(event_curve(*adjusted_panel()))
    found = getattr(bounds, row.restriction)(row.limit)
    np.testing.assert_allclose(found, (row.ci_low, row.ci_high), atol=FITTED * (row.ci_high - row.ci_low))


# Against what was published

PUBLISHED_EVENTS = {1: -0.0199, 2: -0.0510, 3: -0.1373, 4: -0.1008}
PUBLISHED_GROUPS = {2004: -0.0797, 2006: -0.0229, 2007: -0.0261}


@pytest.fixture(scope="module")
def counties() -> pd.DataFrame:
    """The minimum wage and teen employment: log employment of 500 counties, 2003–2007 (Callaway & Sant'Anna 2021)."""
    folder = os.environ.get("MENTORING_REAL_DATA")
    path = Path(folder or "") / "mpdta" / "mpdta.csv"
    if not folder or not path.exists():
        pytest.skip("MENTORING_REAL_DATA names no folder with mpdta/mpdta.csv: the public data are not here to be read")
    return pd.read_csv(path).rename(columns={"first.treat": "first"})


def county_stack(rows: pd.DataFrame, never_only: bool) -> tuple[Stack, np.ndarray]:
    scores = rows.pivot(index="countyreal", columns="year", values="lemp")
    first = rows.drop_duplicates("countyreal").set_index("countyreal")["first"].reindex(scores.index)
    start = np.where(first == 0, np.inf, first - 2004.0)
    stack = stack_of(scores.to_numpy(), start, np.zeros((len(scores), 0)), never_only=never_only)
    return stack, first.to_numpy()[stack.cluster]


@pytest.mark.parametrize(("never_only", "simple"), [(True, -0.0400), (False, -0.0398)])
def test_the_published_average_over_counties_comes_out(counties, never_only, simple):
    stack, _ = county_stack(counties, never_only)
    found = overall(stack, comparator_weights(stack)).interval(0)
    assert round(found.estimate, 4) == simple
    assert found.std_error == pytest.approx(0.0120, rel=0.02)


def test_the_published_effects_by_event_time_and_by_group_come_out(counties):
    stack, first = county_stack(counties, never_only=True)
    weights = comparator_weights(stack)
    curve = event_curve(stack, weights)
    events = dict(zip(curve.positions.tolist(), curve.effects.estimates.round(4), strict=True))
    assert {position: events[position] for position in PUBLISHED_EVENTS} == PUBLISHED_EVENTS
    groups = sorted(PUBLISHED_GROUPS)
    sets = np.where(stack.treated & (stack.position > 0), np.searchsorted(groups, first), -1)
    found = effects(stack, weights, sets).estimates
    assert dict(zip(groups, found.round(4), strict=True)) == PUBLISHED_GROUPS


# What must hold


def test_one_wave_after_the_start_gives_what_the_pooled_regression_gives():
    stack = company(np.random.default_rng(1))
    stack = rows_of(stack, stack.position == 1)
    weights = comparator_weights(stack)
    expected = regression_adjusted(stack.y, stack.treated, stack.cell, stack.terms, weights, stack.cluster).interval
    found = overall(stack, weights).interval(0)
    assert vars(found) == pytest.approx(vars(expected))


def test_the_overall_effect_is_the_curves_mean_by_treated_rows():
    stack = company(np.random.default_rng(2))
    weights = comparator_weights(stack)
    curve, whole = event_curve(stack, weights), overall(stack, weights)
    after = curve.positions > 0
    n = curve.effects.n_rows[after]
    assert whole.estimates[0] == pytest.approx(n @ curve.effects.estimates[after] / n.sum())
    assert whole.n_rows[0] == n.sum()


def test_the_influence_of_people_is_what_leaving_them_out_changes():
    """The comparators' weights are taken as known; then a jackknife over everybody has nearly the same variance."""
    stack = company(np.random.default_rng(4), people=200, starters=60, n_terms=4)
    weights, sets = comparator_weights(stack), np.where(stack.position > 0, 0, -1)
    without = []
    for person in np.unique(stack.cluster):
        keep = stack.cluster != person
        without.append(effects(rows_of(stack, keep), weights[keep], sets[keep]).estimates[0])
    n = len(without)
    jackknife = np.sqrt((n - 1) / n * np.sum((np.array(without) - np.mean(without)) ** 2))
    assert overall(stack, weights).interval(0).std_error == pytest.approx(jackknife, rel=0.04)


def test_points_with_hardly_any_starters_are_left_out_of_the_curve():
    """At the second wave before the base one cell is left, with two starters."""
    stack = company(np.random.default_rng(3))
    at = stack.position == -2
    cell = stack.cell[at].min()
    two = np.flatnonzero(stack.treated & (stack.cell == cell))[:2]
    thin = rows_of(stack, ~at | ((stack.cell == cell) & ~stack.treated) | np.isin(np.arange(len(at)), two))
    assert event_curve(thin, comparator_weights(thin)).positions.tolist() == [-4, -3, -1, 1, 2, 3]
    only = rows_of(thin, thin.position == -2)
    assert event_curve(only, comparator_weights(only)) is None


def test_points_of_units_that_tell_no_error_are_left_out_of_the_curve():
    """Two waves before the base, one unit is left to compare with: its shock cannot be told from the effect."""
    stack = company(np.random.default_rng(3))
    stack = replace(stack, cluster=stack.cluster % 8, by_unit=True)
    at = stack.position == -2
    one = stack.cell == stack.cell[at].min()
    alone = rows_of(stack, ~at | (one & np.where(stack.treated, stack.cluster < 3, stack.cluster == 7)))
    weights = comparator_weights(alone)
    assert not effects(alone, weights, np.where(alone.position == -2, 0, -1)).has_error[0]
    curve = event_curve(alone, weights)
    assert curve.positions.tolist() == [-4, -3, -1, 1, 2, 3]
    assert np.isfinite(band(curve, np.random.default_rng(0)).to_numpy(dtype=float)).all()


def test_without_a_wave_after_the_start_there_is_no_overall_effect():
    stack = company(np.random.default_rng(3))
    before = rows_of(stack, stack.position < 0)
    with pytest.raises(ValueError, match="no wave after the start"):
        overall(before, comparator_weights(before))


def drawn_curve(covariance: np.ndarray, positions, estimates=None, n: int = 200) -> Curve:
    """Return a curve with this covariance."""
    root = np.linalg.cholesky(covariance) * np.sqrt((n - 1) / n)
    k = len(positions)
    estimates = np.zeros(k) if estimates is None else np.asarray(estimates, dtype=float)
    return Curve(np.asarray(positions), Effects(estimates, root, np.full(k, n), np.full(k, n)))


def test_the_band_is_each_points_own_interval_where_they_move_together_and_sidaks_where_they_do_not():
    rng, k = np.random.default_rng(1), 4
    independent = band(drawn_curve(np.eye(k), [-1, 1, 2, 3]), rng)
    together = band(drawn_curve(np.full((k, k), 1.0) + 1e-9 * np.eye(k), [-1, 1, 2, 3]), rng)
    sidak = stats.t.ppf((1 + 0.95 ** (1 / k)) / 2, 199)
    np.testing.assert_allclose(independent["band_high"], sidak, rtol=0.01)
    np.testing.assert_allclose(together["band_high"], together["ci_high"], rtol=0.01)
    assert (independent["band_high"] > independent["ci_high"]).all()
    assert list(independent) == ["position", "estimate", "std_error", "ci_low", "ci_high", "band_low", "band_high"]


def test_the_band_is_the_same_for_the_same_generator():
    curve = event_curve(*adjusted_panel())
    one, other = (band(curve, np.random.default_rng(7)) for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_no_earlier_wave_or_fewer_people_than_waves_is_no_pre_trend_test():
    assert pre_trend(drawn_curve(np.eye(2), [1, 2])) is None
    assert pre_trend(drawn_curve(np.eye(3), [-2, -1, 1], n=2)) is None


# Bounds


def test_the_bounds_need_a_wave_before_the_base_and_one_after_it():
    for positions in ([1, 2], [-2, -1], [-2, 1]):
        with pytest.raises(ValueError, match="bounds need an estimate"):
            HonestBounds(drawn_curve(np.eye(2), positions))


def test_without_a_violation_the_bounds_are_the_ordinary_interval_and_they_widen_with_it():
    curve = event_curve(*adjusted_panel())
    bounds = HonestBounds(curve)
    after = curve.positions > 0
    weights = curve.effects.n_rows[after] / curve.effects.n_rows[after].sum()
    centre = weights @ curve.effects.estimates[after]
    half = stats.t.ppf(0.975, curve.effects.df.max()) * np.sqrt(
        weights @ curve.effects.covariance[np.ix_(after, after)] @ weights
    )
    assert bounds.relative_magnitudes(0.0) == pytest.approx((centre - half, centre + half))
    for restriction in (bounds.relative_magnitudes, bounds.smoothness):
        widths = [high - low for low, high in (restriction(limit) for limit in (0, 0.1, 0.5, 1))]
        assert (np.diff(widths) > 0).all()


def test_a_straight_drift_is_subtracted_and_leaves_no_doubt_where_everything_is_known():
    """Drift of 0.2 a wave, effect 1, no noise: continued straight 1; as large as before ± 0.2 × mean position 1.5."""
    positions = np.array([-3, -2, -1, 1, 2])
    curve = drawn_curve(1e-12 * np.eye(5), positions, 0.2 * positions + (positions > 0))
    bounds = HonestBounds(curve)
    assert bounds.smoothness(0.0) == pytest.approx((1.0, 1.0), abs=1e-4)
    assert bounds.relative_magnitudes(1.0) == pytest.approx((1.3 - 0.3, 1.3 + 0.3), abs=1e-4)


def test_gaps_end_the_waves_that_limit_the_violation():
    wide, short = (
        HonestBounds(drawn_curve(0.01 * np.eye(len(p)), p, [5.0] * (len(p) - 2) + [0, 1]))
        for p in ([-5, -3, -1, 1], [-1, 1])
    )
    assert wide.relative_magnitudes(1.0) == pytest.approx(short.relative_magnitudes(1.0))


@pytest.mark.parametrize("bias", [0.0, 0.3, 1.0, 5.0, 40.0])
def test_the_folded_normals_quantile_and_slope_are_right(bias):
    critical, slope = folded_normal(bias)
    assert critical**2 == pytest.approx(stats.ncx2.ppf(0.95, 1, bias**2) if bias else stats.chi2.ppf(0.95, 1))
    assert slope == pytest.approx(optimize.approx_fprime([bias], lambda b: folded_normal(b[0])[0], 1e-6)[0], abs=1e-4)


def test_two_inequalities_have_the_critical_values_known_for_them():
    assert least_favourable(1.0) == pytest.approx(stats.norm.ppf(0.95))
    assert least_favourable(0.0) == pytest.approx(stats.norm.ppf(np.sqrt(0.95)))
    assert least_favourable(-1.0) == pytest.approx(stats.norm.ppf(0.975))


def test_honest_bounds_cover_a_drift_that_the_plain_interval_does_not():
    """A straight drift of nearly a standard error a wave: the bounds hold it, the plain interval does not."""
    rng, positions = np.random.default_rng(8), np.array([-2, -1, 1])
    covariance = 0.5 * np.eye(3) + 0.5
    root, covered = np.linalg.cholesky(covariance), []
    for _ in range(300):
        curve = drawn_curve(covariance, positions, 1.2 * positions + root @ rng.standard_normal(3), n=10_000)
        bounds = HonestBounds(curve)
        found = bounds.relative_magnitudes(0.0), bounds.relative_magnitudes(1.0), bounds.smoothness(0.0)
        covered.append([low <= 0 <= high for low, high in found])
    plain, relative, smooth = np.mean(covered, axis=0)
    assert plain < 0.8 and relative > 0.95 - 3 * 0.0126 and smooth == pytest.approx(0.95, abs=3 * 0.0126)


# Companies with a known answer


def test_starters_who_would_have_improved_anyway_are_told_from_those_whom_it_helped():
    """150 companies: bias, coverage of the main number, of the band as a whole, and the test of earlier waves."""
    rows, whole, quiet = [], [], []
    for seed in range(150):
        rng = np.random.default_rng([2026, seed])
        stack = company(rng)
        weights = comparator_weights(stack)
        after = stack.position[stack.treated & (stack.position > 0)]
        truth = np.take(TRUE_EFFECTS, after - 1).mean()
        found, curve = overall(stack, weights).interval(0), event_curve(stack, weights)
        rows.append((found.estimate - truth, found.std_error, found.low <= truth <= found.high))
        points = band(curve, rng)
        expected = np.where(points["position"] > 0, np.take(TRUE_EFFECTS, points["position"].clip(1) - 1), 0.0)
        whole.append(((points["band_low"] <= expected) & (expected <= points["band_high"])).all())
        quiet.append(pre_trend(curve).p_value > 0.05)
    error, std_error, covered = np.array(rows, dtype=float).T
    monte_carlo = np.sqrt(0.05 * 0.95 / 150)
    assert abs(error.mean()) < 3 * error.std() / np.sqrt(150)
    assert np.sqrt(np.mean(std_error**2)) / error.std() == pytest.approx(1, abs=3 / np.sqrt(300))
    for share in (covered, whole, quiet):
        assert np.mean(share) == pytest.approx(0.95, abs=3 * monte_carlo)


def test_what_a_covariate_adds_to_a_trend_is_taken_out_of_every_wave():
    """Scores grow with a covariate and nothing else; who starts is no logistic model, so the regressions must do it.

    With one slope for all waves before the start, and one for all after it, they cannot.
    """
    rng = np.random.default_rng(0)
    keen = rng.normal(size=(300, 1))
    chance = np.where(keen[:, 0] > 0.8, 0.6, 0.05)
    start = np.where(rng.random(300) < chance, rng.integers(2, 5, size=300), np.inf)
    own = stack_of(0.15 * keen * np.arange(6), start, keen)
    pooled = Stack(**vars(own) | {"position": np.sign(own.position)})
    sets = np.searchsorted(np.unique(own.position), own.position)
    by_own, by_pooled = (effects(s, comparator_weights(s), sets).estimates for s in (own, pooled))
    np.testing.assert_allclose(by_own, 0, atol=1e-9)
    assert np.abs(by_pooled).max() > 0.1


# From the tables


@pytest.fixture(scope="module")
def company_panels():
    """Morale in a simulated company: panels after the start and before it."""
    found, _ = opened("staggered", "northbank", 1_000)
    scores = self_scores("morale", found.tables, found.instruments)
    program = found.study.programs[0]
    panels = Panels(found.tables, found.study, program, "mentor")
    return (
        panels.after(scores),
        panels.before(scores),
    )


def test_every_earlier_wave_is_compared_with_the_last_one_before_the_start(company_panels):
    _, earlier = company_panels
    assert earlier.rows["wave_position"].min() < -1
    assert (earlier.rows["wave_after"] - earlier.rows["wave_before"] == -earlier.rows["wave_position"]).all()


def test_months_are_counted_from_each_start_to_the_wave(company_panels):
    after, earlier = company_panels
    for panel, sign in ((after, 1), (earlier, -1)):
        treated = panel.rows["is_treated"].astype(bool)
        assert panel.rows.loc[~treated, "months_since_start"].isna().all()
        months = panel.rows.loc[treated, "months_since_start"]
        assert months.notna().all() and (sign * months >= 0).all()
    assert after.rows["months_since_start"].max() < 12


def test_panels_are_stacked_with_their_cells_apart_and_the_sign_of_the_field(company_panels):
    after, earlier = company_panels
    stack, matrix = stacked((after, earlier), by_unit=False)
    n = len(after.rows)
    assert len(stack.y) == n + len(earlier.rows) == len(matrix.values)
    np.testing.assert_allclose(stack.y[:n], after.rows["after"] - after.rows["before"])
    np.testing.assert_allclose(stack.y[n:], earlier.rows["before"] - earlier.rows["after"])
    assert set(stack.cell[:n]).isdisjoint(stack.cell[n:])
    people = pd.concat([after.rows["employee_id"], earlier.rows["employee_id"]]).to_numpy()
    assert len(set(zip(people, stack.cluster, strict=True))) == len(set(people))


def test_what_happens_before_the_start_does_not_change_the_effect_after_it(company_panels):
    after, earlier = company_panels
    together, _ = stacked((after, earlier), by_unit=False)
    curve = event_curve(together, comparator_weights(together))
    assert (curve.positions < 0).any() and (curve.positions > 0).any() and 0 not in curve.positions
    doubled = Stack(**vars(together) | {"y": np.where(together.position < 0, 2 * together.y, together.y)})
    one, other = (overall(s, comparator_weights(s)).interval(0) for s in (together, doubled))
    assert one == other


def few(n_control: int) -> tuple[Stack, np.ndarray]:
    """Return one cell with twelve who started, some comparators, and four covariates."""
    draw = np.random.default_rng(31)
    n = 12 + n_control
    terms = draw.normal(size=(n, 4))
    y = draw.normal(size=n) + 0.4 * terms[:, 0]
    one = np.ones(n, dtype=int)
    weights = np.where(np.arange(n) < 12, 1.0, draw.uniform(0.2, 1.8, n))
    return Stack(y, np.arange(n) < 12, one - 1, one, terms, np.arange(n)), weights


@pytest.mark.parametrize(("n_control", "prior"), [(30, 1.0), (60, 0.0)])
def test_slopes_of_few_comparators_have_a_prior_worth_one_of_them(n_control, prior):
    stack, weights = few(n_control)
    x = np.column_stack([np.ones(len(stack.y)), stack.terms])
    control, w = ~stack.treated, weights[~stack.treated]
    # One comparator of mean weight for each slope, who says that it is zero.
    pretended = np.sqrt(prior * w.mean()) * np.eye(5)[1:]
    rows = np.vstack([x[control] * np.sqrt(w)[:, None], pretended])
    coefficients = np.linalg.lstsq(rows, np.append(stack.y[control] * np.sqrt(w), np.zeros(4)), rcond=None)[0]
    expected = (stack.y - x @ coefficients)[stack.treated].mean()
    assert effects(stack, weights, np.zeros(len(stack.y), dtype=int)).estimates[0] == pytest.approx(expected)


def test_a_prior_keeps_small_companies_from_following_chance():
    draw, found = np.random.default_rng(32), []
    for _ in range(60):
        n = 42
        terms, treated = draw.normal(size=(n, 18)), np.arange(n) < 20
        one = np.ones(n, dtype=int)
        stack = Stack(draw.normal(size=n), treated, one - 1, one, terms, np.arange(n))
        found.append(effects(stack, np.ones(n), one - 1).interval(0))
    estimates = np.array([f.estimate for f in found])
    assert np.std(estimates) < 0.65, "without it 0.93: eighteen slopes from twenty-two people"
    assert np.mean([f.low <= 0 <= f.high for f in found]) > 0.88


def test_regressions_of_many_draws_are_those_of_each_by_itself_where_a_level_has_no_rows_left():
    draw = np.random.default_rng(11)
    level = np.repeat(np.arange(12), 25)
    x = np.column_stack([np.eye(12)[level], draw.normal(size=(300, 4))])
    x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(300)])
    y, weights = draw.normal(size=(300, 60)), draw.uniform(0.5, 2, (300, 60))
    weights[level[:, None] == np.arange(60) % 15] = 0.0
    found = least_squares(x, y, weights)[0]
    for coefficients, own, weight in zip(found, y.T, np.sqrt(weights.T), strict=True):
        alone = np.linalg.lstsq(x * weight[:, None], own * weight, rcond=None)[0]
        assert x @ coefficients == pytest.approx(x @ alone, abs=1e-9)
