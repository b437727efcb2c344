"""Other models of the same effect: against R, by simulation, and where each of them goes wrong."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.design.panels import Panel
from analysis.estimate.change import itt_score, regression_adjusted
from analysis.estimate.cross_checks import ancova_change, mixed_change, mixed_score, ordinal_odds_ratio
from analysis.estimate.ordinal import proportional_odds
from analysis.plan.probability import rng

FIXTURES = Path(__file__).parents[1] / "fixtures"
EFFECT, LOG_ODDS_RATIO = 0.4, 0.6
N_COMPANIES = 40


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def panel_of(rows: pd.DataFrame) -> Panel:
    return Panel(rows.assign(unit=rows.get("unit")), pd.DataFrame(index=rows.index), is_randomized=True)


def from_r() -> tuple[Panel, np.ndarray, np.ndarray]:
    rows = fixture("cross_checks_input").rename(columns={"person": "employee_id"})
    rows["is_treated"] = rows["treated"] == 1
    return panel_of(rows), rows[["tenure"]].to_numpy(dtype=float), rows["manager"].to_numpy()


def company(name: str, **changes) -> Panel:
    """Return the scores of 300 people on two pairs of waves; a third has started; managers matter for the change.

    `gap` is by how much starters are higher for reasons that last, `selected` how much more likely people start whose
    earlier score is low.
    """
    knobs = {"effect": EFFECT, "gap": 0.0, "selected": 0.0, "manager_sd": 0.2} | changes
    random, n = rng("cross-checks", name), 300
    level, passing = random.normal(3, 0.6, n), random.normal(0, 0.4, n)
    treated = -knobs["selected"] * (level + passing - 3) + random.normal(0, 1, n) > 0.43
    level = level + knobs["gap"] * treated
    manager = np.arange(n) // 8
    person_change = random.normal(0, knobs["manager_sd"], manager.max() + 1)[manager]
    cells = []
    for cell in range(2):
        noise = random.normal(0, 0.4, n)
        after = level + 0.1 * cell + person_change + knobs["effect"] * treated + noise
        people = {"employee_id": np.arange(n), "cell": cell, "is_treated": treated, "manager": manager}
        cells.append(pd.DataFrame(people | {"before": level + passing, "after": after}))
    rows = pd.concat(cells, ignore_index=True)
    return panel_of(rows[random.random(len(rows)) < 0.8].reset_index(drop=True))


def nothing(panel: Panel) -> np.ndarray:
    return np.zeros((len(panel.rows), 0))


def even(panel: Panel) -> np.ndarray:
    """Return the weights with which the comparators of a cell count as much as its treated."""
    treated, cell = panel.rows["is_treated"].to_numpy(), panel.rows["cell"].to_numpy()
    return np.where(treated, 1.0, (np.bincount(cell, weights=treated) / np.bincount(cell, weights=~treated))[cell])


CHECKS = {
    "mixed_change": lambda p: mixed_change(p, nothing(p), p.rows["manager"].to_numpy()),
    "mixed_score": lambda p: mixed_score(p, nothing(p), p.rows["manager"].to_numpy()),
    "ancova_change": lambda p: ancova_change(p, nothing(p), even(p)),
}


def mean_of(check, name: str, n: int = 12, **changes) -> float:
    return float(np.mean([CHECKS[check](company(f"{name} {i}", **changes)).estimate for i in range(n)]))


def test_the_mixed_models_of_change_and_score_equal_lme4():
    panel, terms, manager = from_r()
    expected = fixture("cross_checks_lmer").set_index("model")
    df = panel.rows.loc[panel.rows["is_treated"], "employee_id"].nunique() - 1
    for name, check in (("change", mixed_change), ("score", mixed_score)):
        found, r = check(panel, terms, manager), expected.loc[name]
        assert (found.estimate, found.std_error) == pytest.approx((r["estimate"], r["se"]), rel=1e-5)
        assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, df) * r["se"], rel=1e-5)


def test_the_odds_ratio_equals_clm_with_errors_by_person():
    panel, terms, _ = from_r()
    expected = fixture("cross_checks_clm").set_index("term").loc["treated"]
    found = ordinal_odds_ratio(panel, terms)
    assert np.log(found.estimate) == pytest.approx(expected["log_odds_ratio"], rel=1e-6)
    assert found.std_error == pytest.approx(expected["se_cluster"], rel=1e-6)
    assert found.low < found.estimate < found.high


def test_every_coefficient_of_proportional_odds_equals_clm():
    rows, expected = fixture("cross_checks_input"), fixture("cross_checks_clm")
    x = np.column_stack([rows["treated"], rows["cell"] == 2, rows["cell"] == 3, rows["before"], rows["tenure"]])
    fit = proportional_odds(rows["after"].to_numpy(), x.astype(float))
    np.testing.assert_allclose(fit.coefficients, expected["log_odds_ratio"], rtol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), expected["se_model"], rtol=1e-6)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"].iloc[0], rel=1e-10)


@pytest.mark.parametrize("check", CHECKS)
def test_an_additive_effect_without_confounding_is_found_and_covered(check):
    found = [CHECKS[check](company(f"additive {i}")) for i in range(N_COMPANIES)]
    estimates = np.array([f.estimate for f in found])
    assert abs(estimates.mean() - EFFECT) < 3 * estimates.std(ddof=1) / np.sqrt(N_COMPANIES)
    assert np.mean([f.low < EFFECT < f.high for f in found]) >= stats.binom.ppf(0.001, N_COMPANIES, 0.95) / N_COMPANIES
    assert np.mean([f.std_error for f in found]) == pytest.approx(estimates.std(ddof=1), rel=0.35)


def test_without_an_effect_none_is_found():
    for check in CHECKS:
        assert abs(mean_of(check, "none", effect=0.0)) < 0.06


def single_item(name: str) -> Panel:
    """Return answers from 1 to 5 of 500 people, the later one by proportional odds given the earlier one."""
    random, n = rng("cross-checks", "item", name), 500
    before, treated = random.integers(1, 6, n), random.random(n) < 0.4
    latent = 0.7 * before + LOG_ODDS_RATIO * treated + random.logistic(size=n)
    after = 1 + np.digitize(latent, [0.5, 1.7, 2.9, 4.1])
    people = {"employee_id": np.arange(n), "cell": random.integers(0, 2, n), "is_treated": treated}
    return panel_of(pd.DataFrame(people | {"before": before, "after": after}))


def test_an_odds_ratio_is_found_and_covered():
    found = [ordinal_odds_ratio(panel, nothing(panel)) for panel in map(single_item, map(str, range(N_COMPANIES)))]
    logs = np.log([f.estimate for f in found])
    assert abs(logs.mean() - LOG_ODDS_RATIO) < 3 * logs.std(ddof=1) / np.sqrt(N_COMPANIES)
    truth = np.exp(LOG_ODDS_RATIO)
    assert np.mean([f.low < truth < f.high for f in found]) >= stats.binom.ppf(0.001, N_COMPANIES, 0.95) / N_COMPANIES


def test_where_starters_are_higher_for_good_the_adjusted_score_calls_part_of_it_an_effect_and_the_change_does_not():
    assert abs(mean_of("mixed_change", "gap", effect=0.0, gap=0.6)) < 0.06
    assert mean_of("ancova_change", "gap", effect=0.0, gap=0.6) > 0.1


def test_where_a_low_score_makes_people_start_the_change_calls_recovery_an_effect_and_the_adjusted_score_does_not():
    assert mean_of("mixed_change", "low", effect=0.0, selected=2.0) > 0.1
    assert abs(mean_of("ancova_change", "low", effect=0.0, selected=2.0)) < 0.06


def test_in_a_lottery_the_adjusted_score_is_the_main_estimate():
    panel = company("lottery")
    panel.rows["stratum"] = 0
    panel.rows.loc[::7, "before"] = np.nan
    main = itt_score(panel, rng("cross-checks", "lots")).interval
    found = ancova_change(panel, nothing(panel), even(panel))
    # The main estimate learns the slope from both arms, the cross-check from the comparators alone.
    assert (found.estimate, found.std_error) == pytest.approx((main.estimate, main.std_error), abs=0.002)
    assert mixed_score(panel, nothing(panel), None).estimate == pytest.approx(main.estimate, abs=0.1)


def test_the_adjusted_score_is_the_regression_with_the_earlier_score_among_its_terms():
    panel, terms, _ = from_r()
    rows, weights = panel.rows, np.where(panel.rows["is_treated"], 1.0, 0.5)
    expected = regression_adjusted(
        rows["after"].to_numpy(dtype=float),
        rows["is_treated"].to_numpy(),
        rows["cell"].to_numpy() - 1,
        np.column_stack([terms, rows["before"]]),
        weights,
        pd.factorize(rows["employee_id"])[0],
    ).interval
    found = ancova_change(panel, terms, weights)
    assert list(vars(found).values()) == pytest.approx(list(vars(expected).values()))


def test_terms_that_repeat_cells_or_each_other_change_nothing():
    panel = company("repeated")
    term = rng("cross-checks", "term").normal(size=len(panel.rows))
    repeated = np.column_stack([term, panel.rows["cell"], 2 * term, np.zeros(len(term))])
    manager = panel.rows["manager"].to_numpy()
    plain, same = (mixed_change(panel, t, manager) for t in (term[:, None], repeated))
    assert (plain.estimate, plain.std_error) == pytest.approx((same.estimate, same.std_error), rel=1e-5)
    item = single_item("repeated")
    term = rng("cross-checks", "term").normal(size=len(item.rows))
    repeated = np.column_stack([term, item.rows["before"], 1 - item.rows["cell"]])
    plain, same = (ordinal_odds_ratio(item, t) for t in (term[:, None], repeated))
    assert (plain.estimate, plain.std_error) == pytest.approx((same.estimate, same.std_error), rel=1e-6)


def test_people_whose_manager_is_not_known_share_none():
    panel = company("managers")
    manager, person = panel.rows["manager"].astype(object), panel.rows["employee_id"]
    unknown, own = (manager.where(person % 3 > 0, other).to_numpy() for other in (None, "M" + person.astype(str)))
    found, expected = (mixed_change(panel, nothing(panel), m) for m in (unknown, own))
    assert (found.estimate, found.std_error) == pytest.approx((expected.estimate, expected.std_error), rel=1e-5)
    pooled = mixed_change(panel, nothing(panel), manager.where(person % 3 > 0, "nobody").to_numpy())
    assert abs(pooled.estimate / found.estimate - 1) > 1e-4


def test_without_any_known_manager_people_remain():
    panel = company("managers")
    none, unknown = (mixed_change(panel, nothing(panel), m) for m in (None, np.full(len(panel.rows), None)))
    assert none == unknown
    assert none.estimate == pytest.approx(EFFECT, abs=0.15)


def test_managers_who_do_not_matter_are_no_hindrance():
    panel = company("no managers", manager_sd=0.0)
    found = mixed_change(panel, nothing(panel), panel.rows["manager"].to_numpy())
    assert found.estimate == pytest.approx(EFFECT, abs=0.15) and 0 < found.std_error < 0.1


def test_units_reached_together_are_counted_together():
    random, n = rng("cross-checks", "units"), 400
    unit = np.arange(n) // 50
    shock = random.normal(0, 0.5, 8)[unit]
    people = {"employee_id": np.arange(n), "cell": 0, "is_treated": unit < 4, "unit": [f"U{u}" for u in unit]}
    before = random.integers(1, 6, n).astype(float)
    after = (before + shock + random.normal(0, 0.8, n)).round().clip(1, 5)
    panel = panel_of(pd.DataFrame(people | {"before": before, "after": after}))
    manager = np.arange(n) // 5
    for check in (
        lambda by_unit: mixed_change(panel, nothing(panel), manager, by_unit),
        lambda by_unit: ordinal_odds_ratio(panel, nothing(panel), by_unit),
        lambda by_unit: ancova_change(panel, nothing(panel), even(panel), by_unit),
    ):
        assert check(True).std_error > 1.5 * check(False).std_error


def answered(after, treated=None, before=None) -> Panel:
    n = len(after)
    treated = np.arange(n) % 2 == 0 if treated is None else treated
    before = np.arange(n) % 5 + 1.0 if before is None else before
    people = {"employee_id": np.arange(n), "cell": 0, "is_treated": treated, "before": before, "after": after}
    return panel_of(pd.DataFrame(people))


@pytest.mark.parametrize(
    "panel",
    [
        answered(np.full(40, 3.0)),
        answered(np.where(np.arange(40) % 2 == 0, 5.0, 1.0 + np.arange(40) % 3)),
        answered(np.where(np.arange(40) % 2 == 0, 5.0, 1.0)),
        answered(np.arange(40) % 5 + 1.0, treated=np.ones(40, dtype=bool)),
    ],
    ids=["one answer", "all treated at the top", "arms wholly apart", "one arm"],
)
def test_without_a_finite_odds_ratio_there_is_none_and_nothing_is_printed(panel, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ordinal_odds_ratio(panel, nothing(panel)) is None
    assert capfd.readouterr() == ("", "")


def test_a_covariate_that_puts_a_few_people_at_the_top_leaves_the_arms_odds_ratio_as_it_is():
    item = single_item("a few at the top")
    few = (np.arange(len(item.rows)) < 6).astype(float)
    item.rows.loc[few == 1, "after"] = 5
    without = panel_of(item.rows[few == 0].reset_index(drop=True))
    found, expected = ordinal_odds_ratio(item, few[:, None]), ordinal_odds_ratio(without, nothing(without))
    assert np.log(found.estimate) == pytest.approx(np.log(expected.estimate), abs=1e-4)
    assert found.std_error == pytest.approx(expected.std_error, rel=1e-2)


@pytest.mark.parametrize(
    "panel",
    [answered(np.arange(40) % 4 + 1.0), answered(np.arange(40) % 5 + 1.0, treated=np.ones(40, dtype=bool))],
    ids=["one row a person", "one arm"],
)
def test_where_a_mixed_model_cannot_be_fitted_there_is_none(panel):
    assert mixed_change(panel, nothing(panel), None) is None
    assert mixed_change(panel, nothing(panel), np.zeros(40)) is None
