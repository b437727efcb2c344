"""What the silent can hide: bounds and deltas by hand, against R, and where the truth is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulations.silence import N_STUDIES, WORLDS, study, summarize
from simulations.summary import bias_is_small, coverage_is_nominal

from analysis.design.response import Asked, asked_of
from analysis.estimate.inference import Interval
from analysis.estimate.lee_bounds import bound, bound_influence, imbens_manski, lee_bounds, lowest_mean
from analysis.estimate.nonresponse import response_weighted_change, silent_sensitivity
from analysis.plan.probability import rng

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM = 1e-6


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def by_hand() -> tuple[np.ndarray, ...]:
    """Return five offered, of whom four answered 1, 2, 4 and 5, and four not, of whom two answered 2 and 3.

    0.8 answered with and 0.5 without: of the four, 0.375 (one and a half) answered because of the offer.
    """
    y = np.array([1, 2, 4, 5, np.nan, 2, 3, np.nan, np.nan])
    treated = np.arange(9) < 5
    return y, np.isfinite(y), treated, np.ones(9)


def test_bounds_by_hand():
    lower, upper = bound(*by_hand())
    assert lower == pytest.approx((1 + 2 + 0.5 * 4) / 2.5 - 2.5)
    assert upper == pytest.approx((5 + 4 + 0.5 * 2) / 2.5 - 2.5)


def test_the_arm_that_answers_more_is_the_one_trimmed():
    y, scored, treated, weights = by_hand()
    assert bound(y, scored, ~treated, weights) == pytest.approx(
        tuple(-x for x in bound(y, scored, treated, weights)[::-1])
    )


def test_where_both_arms_answer_equally_often_nothing_is_trimmed():
    rows = (values[[0, 1, 4, 5, 6, 7]] for values in by_hand())
    lower, upper = bound(*rows)
    assert lower == upper == pytest.approx(1.5 - 2.5)


def test_tied_scores_are_kept_in_part():
    y, weights = np.array([3.0, 3.0, 3.0, 1.0]), np.array([0.5, 1.0, 0.5, 2.0])
    assert lowest_mean(y, weights, 0.75) == pytest.approx((2 * 1 + 1 * 3) / 3)
    shuffled = [2, 0, 3, 1]
    assert lowest_mean(y[shuffled], weights[shuffled], 0.75) == lowest_mean(y, weights, 0.75)
    assert lowest_mean(y, weights, 1.0) == pytest.approx(np.average(y, weights=weights))


CASES = {
    "lottery": ("smooth", False, False),
    "lottery_reversed": ("smooth", True, False),
    "tied": ("tied", False, False),
    "weighted": ("smooth", False, True),
    "weighted_tied": ("tied", False, True),
}


@pytest.mark.parametrize("case", CASES)
def test_bounds_equal_r(case):
    rows, expected = fixture("bounds_input"), fixture("lee_bounds").set_index("case").loc[case]
    column, is_reversed, is_weighted = CASES[case]
    y = rows[column].to_numpy()
    treated = (rows["treated"] == (0 if is_reversed else 1)).to_numpy()
    weights = rows["weight"].to_numpy() if is_weighted else np.ones(len(rows))
    np.testing.assert_allclose(
        bound(y, np.isfinite(y), treated, weights), expected[["lower", "upper"]].astype(float), rtol=CLOSED_FORM
    )


def lottery(column: str = "smooth", is_reversed: bool = False) -> Asked:
    rows = fixture("bounds_input")
    rows = rows.assign(
        is_treated=(rows["treated"] == 1) != is_reversed, after=rows[column], employee_id=rows.index, cell=0, unit=None
    )
    rows["is_invited"] = rows["invited"] == 1
    return asked_of(rows, np.zeros((len(rows), 0)), is_randomized=True)


@pytest.mark.parametrize("case", ["lottery", "lottery_reversed"])
def test_under_a_lottery_errors_and_interval_equal_lees_formulas_in_r(case):
    expected = fixture("lee_bounds").set_index("case").loc[case]
    found = lee_bounds(lottery(is_reversed=case == "lottery_reversed"), rng("not used"))
    assert found.lower.estimate == pytest.approx(expected["lower"], rel=CLOSED_FORM)
    assert found.upper.estimate == pytest.approx(expected["upper"], rel=CLOSED_FORM)
    assert found.lower.std_error == pytest.approx(expected["se_lower"], rel=CLOSED_FORM)
    assert found.upper.std_error == pytest.approx(expected["se_upper"], rel=CLOSED_FORM)
    assert (found.low, found.high) == pytest.approx((expected["im_low"], expected["im_high"]), rel=CLOSED_FORM)
    shares = found.response_treated, found.response_control
    assert shares == pytest.approx((expected["response_treated"], expected["response_control"]))
    assert found.trimmed_share == pytest.approx(1 - min(shares) / max(shares))
    assert found.trims_treated == (case == "lottery")


@pytest.mark.parametrize("row", fixture("imbens_manski").to_dict("records"))
def test_the_interval_of_the_effect_equals_r(row):
    lower = Interval(row["lower"], row["se_lower"], np.nan, np.nan, np.nan)
    upper = Interval(row["lower"] + row["width"], row["se_upper"], np.nan, np.nan, np.nan)
    found = imbens_manski(lower, upper, row["df"])
    assert found == pytest.approx((row["im_low"], row["im_high"]), rel=CLOSED_FORM)


def test_bounds_known_without_error_are_the_interval():
    exact = [Interval(x, 0.0, x, x, 1.0) for x in (0.1, 0.4)]
    assert imbens_manski(*exact) == (0.1, 0.4)


@pytest.mark.parametrize("column", ["smooth", "tied"])
def test_influence_is_the_derivative_by_a_log_weight(column):
    rows = fixture("bounds_input")
    y, treated, weights = rows[column].to_numpy(), (rows["treated"] == 1).to_numpy(), rows["weight"].to_numpy()
    influence = bound_influence(y, np.isfinite(y), treated, weights)
    np.testing.assert_allclose(influence.sum(axis=1), 0, atol=1e-12)
    for i in range(0, len(y), 7):
        step = np.where(np.arange(len(y)) == i, 1e-6, 0.0)
        up, down = (bound(y, np.isfinite(y), treated, weights * np.exp(sign * step)) for sign in (1, -1))
        slope = (np.array(up) - np.array(down)) / 2e-6
        np.testing.assert_allclose(influence[:, i], slope, rtol=1e-4, atol=1e-8)


def test_a_persons_two_waves_are_not_two_people():
    """Everybody twice, in two cells, says no more than once."""
    once = lottery()
    twice = Asked(
        **{
            name: value if name == "is_randomized" else np.concatenate([value, value])
            for name, value in vars(once).items()
        }
    )
    twice = replace(twice, cell=np.repeat([0, 1], len(once.y)))
    one, two = (lee_bounds(asked, rng("not used")) for asked in (once, twice))
    assert two.lower.std_error == pytest.approx(one.lower.std_error)
    assert two.n_treated == one.n_treated


def test_the_jackknife_agrees_with_lees_formula_where_both_hold():
    """Everybody alike, so that the propensity has nothing to do."""
    drawn = lottery()
    chosen = replace(drawn, is_randomized=False, terms=np.zeros((len(drawn.y), 0)))
    formula, jackknife = lee_bounds(drawn, rng("a")), lee_bounds(chosen, rng("b"))
    assert jackknife.lower.estimate == pytest.approx(formula.lower.estimate)
    assert jackknife.lower.std_error == pytest.approx(formula.lower.std_error, rel=0.15)
    assert jackknife.upper.std_error == pytest.approx(formula.upper.std_error, rel=0.15)


def test_an_arm_in_which_nobody_answered_has_no_bounds_and_no_sensitivity():
    asked = lottery()
    silent = replace(asked, y=np.where(asked.treated, np.nan, asked.y))
    assert lee_bounds(silent, rng("nobody")) is None
    assert silent_sensitivity(silent, 0.2, np.zeros(1), rng("nobody")) is None
    nobody = asked.take(np.full(len(asked.y), False))
    assert lee_bounds(nobody, rng("nobody")) is None


# The silent


@pytest.fixture(scope="module")
def sensitivity():
    return silent_sensitivity(lottery(), 0.1, fixture("silent")["delta"].to_numpy(), rng("silent"))


def test_the_curve_over_delta_equals_r(sensitivity):
    expected = fixture("silent")
    np.testing.assert_allclose(sensitivity.curve["estimate"], expected["estimate"], rtol=CLOSED_FORM)
    assert sensitivity.share == pytest.approx(expected["share"].iloc[0])
    assert sensitivity.predicted_sd == pytest.approx(expected["predicted_sd"].iloc[0], rel=CLOSED_FORM)


def test_the_silent_are_predicted_by_those_who_answered(sensitivity):
    """At delta 0 the difference is that of weighting the answers, up to how each uses the model."""
    weighted = response_weighted_change(lottery(), rng("weighted"))
    assert sensitivity.at_zero.estimate == pytest.approx(weighted.estimate, abs=0.1 * weighted.std_error)
    assert sensitivity.at_zero.std_error == pytest.approx(weighted.std_error, rel=0.1)


def test_where_nobody_is_silent_delta_moves_nothing_and_the_difference_is_the_plain_one():
    asked = lottery()
    asked = asked.take(asked.is_scored)
    found = silent_sensitivity(asked, 0.1, np.array([-1.0, 0.0]), rng("nobody silent"))
    assert found.share == 0 and (found.curve["estimate"] == found.at_zero.estimate).all()
    assert found.delta_no_effect is None and found.delta_smallest_effect is None
    assert np.isnan(found.predicted_sd)
    assert (found.n_treated, found.n_control) == (0, 0)
    weighted = response_weighted_change(asked, rng("nobody silent"))
    assert found.at_zero.estimate == pytest.approx(weighted.estimate)


def test_the_estimate_is_linear_in_delta_and_its_interval_is_not_of_one_width(sensitivity):
    curve = sensitivity.curve
    slopes = np.diff(curve["estimate"]) / np.diff(curve["delta"])
    np.testing.assert_allclose(slopes, sensitivity.share)
    assert (curve["ci_high"] - curve["ci_low"]).nunique() == len(curve)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_tipping_points_solve_their_equations(sign):
    asked = lottery()
    asked = replace(asked, y=sign * asked.y)
    first = silent_sensitivity(asked, sign * 0.1, np.zeros(1), rng("tipping"))
    assert first.at_zero.low * first.at_zero.high > 0, "there is an effect to lose"
    deltas = np.array([first.delta_no_effect, first.delta_smallest_effect])
    assert (np.sign(deltas) == -sign).all(), "the silent would have to be worse than predicted"
    at = silent_sensitivity(asked, sign * 0.1, deltas, rng("tipping")).curve
    assert at.loc[0, "ci_low" if sign > 0 else "ci_high"] == pytest.approx(0, abs=1e-9)
    assert at.loc[1, "estimate"] == pytest.approx(sign * 0.1)


def test_an_interval_that_holds_zero_already_cannot_tip():
    asked = lottery()
    moved = replace(asked, y=asked.y - np.where(asked.treated, 0.2, 0.0))
    found = silent_sensitivity(moved, 0.1, np.zeros(1), rng("tipping"))
    assert found.at_zero.low < 0 < found.at_zero.high
    assert found.delta_no_effect is None
    assert found.delta_smallest_effect > 0, "the silent would have to be better than predicted"


def test_leavers_are_no_part_of_the_silent():
    asked = lottery()
    gone = ~asked.is_invited
    assert gone.any()
    found, other = (
        silent_sensitivity(replace(asked, before=np.where(gone, value, asked.before)), 0.1, np.zeros(1), rng("gone"))
        for value in (0.0, 9.0)
    )
    assert found.at_zero == other.at_zero
    assert found.n_treated == (asked.treated & asked.is_invited & ~asked.is_scored).sum()


# Where the truth is known


N_FAST = 25


def fast(name: str) -> pd.DataFrame:
    """Return what `N_FAST` studies of a world give, beyond the committed ones."""
    rows = [row for i in range(N_FAST) for row in study(WORLDS[name], 10_000 + i)]
    return summarize(pd.DataFrame(rows)).set_index("estimator")


def is_unbiased(row: pd.Series) -> bool:
    return abs(row["bias"]) < 3 * row["mc_error_of_bias"]


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    return fast("seen")


def test_silence_that_depends_on_what_is_seen_biases_the_pairs_and_weights_repair_it(seen):
    assert not is_unbiased(seen.loc["complete_pairs"])
    assert is_unbiased(seen.loc["response_weighted"])
    assert is_unbiased(seen.loc["silent_at_zero"])


def test_weights_do_not_repair_silence_that_depends_on_what_is_unseen_but_the_bounds_hold():
    found = fast("unseen")
    assert not is_unbiased(found.loc["response_weighted"])
    assert found.loc["lee_bounds_lower", "bias"] < 0 < found.loc["lee_bounds_upper", "bias"]
    assert found.loc["lee_bounds_lower", "coverage"] >= 0.9


def test_the_true_delta_gives_the_true_effect():
    found = fast("silent-worse")
    assert not is_unbiased(found.loc["silent_at_zero"])
    assert is_unbiased(found.loc["silent_at_true_delta"])


def test_a_program_that_silences_some_and_makes_others_answer_defeats_the_bounds():
    """Documented, not mended: without monotone response both bounds lie on one side of the truth."""
    found = fast("not-monotone")
    assert found.loc["lee_bounds_upper", "bias"] < -3 * found.loc["lee_bounds_upper", "empirical_sd"]
    assert found.loc["lee_bounds_lower", "coverage"] == 0


def test_a_truth_at_the_bound_itself_is_still_held():
    found = fast("bound-lottery")
    assert abs(found.loc["lee_bounds_upper", "bias"]) < 4 * found.loc["lee_bounds_upper", "mc_error_of_bias"]
    assert found.loc["lee_bounds_upper", "coverage"] >= 0.8


# The committed results of `python -m simulations.silence`


@pytest.fixture(scope="module")
def committed() -> pd.DataFrame:
    path = Path(__file__).parents[1] / "simulations" / "silence.csv"
    return pd.read_csv(path).set_index(["world", "estimator"])


def test_every_world_has_its_studies(committed):
    assert set(committed.index.get_level_values("world")) == set(WORLDS)
    assert (committed["n_studies"] >= N_STUDIES).all()


@pytest.mark.parametrize(
    "row",
    [("seen", "response_weighted"), ("seen", "silent_at_zero"), ("silent-worse", "silent_at_true_delta")],
)
def test_where_assumptions_hold_bias_is_none_and_coverage_nominal(committed, row):
    assert bias_is_small(committed.loc[row].to_dict())
    assert coverage_is_nominal({"coverage": committed.loc[row, "coverage"], "n_estimated": N_STUDIES})


@pytest.mark.parametrize("world", ["unseen", "unseen-lottery", "bound-lottery", "seen"])
def test_the_interval_of_the_bounds_holds_the_truth_at_least_nominally(committed, world):
    row = committed.loc[(world, "lee_bounds_lower")]
    assert row["coverage"] >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / N_STUDIES)


def test_at_the_bound_the_interval_is_not_too_wide_either(committed):
    row = committed.loc[("bound-lottery", "lee_bounds_upper")]
    assert coverage_is_nominal({"coverage": row["coverage"], "n_estimated": N_STUDIES}) and bias_is_small(row.to_dict())


@pytest.mark.parametrize(
    "row",
    [
        ("seen", "complete_pairs"),
        ("unseen", "response_weighted"),
        ("unseen", "silent_at_zero"),
        ("silent-worse", "response_weighted"),
        ("not-monotone", "lee_bounds_upper"),
    ],
)
def test_where_assumptions_fail_the_failure_is_shown(committed, row):
    assert not bias_is_small(committed.loc[row].to_dict())
    assert committed.loc[row, "coverage"] < 0.9


@pytest.mark.parametrize("estimator", ["lee_bounds_lower", "lee_bounds_upper", "response_weighted", "silent_at_zero"])
def test_standard_errors_are_as_large_as_the_spread(committed, estimator):
    rows = committed.xs(estimator, level="estimator")
    ratio = (rows["mean_std_error"] / rows["empirical_sd"]).drop("not-monotone", errors="ignore")
    assert ratio.between(0.9, 1.15).all()
