"""Random-effects meta-analysis against metafor's answers (tests/fixtures/README.md), its BCG data among them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.synthesis.meta import fit, small_studies, without_each

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM = 1e-6
METHODS = {"REML": "reml", "PM": "paule_mandel"}
INPUT = pd.read_csv(FIXTURES / "meta_input.csv", dtype={"group": str})
CASES = list(INPUT["case"].unique())


def expected(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def case(name: str) -> tuple[np.ndarray, np.ndarray]:
    rows = INPUT[INPUT["case"] == name]
    return rows["effect"].to_numpy(), rows["error"].to_numpy()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CASES)
def test_the_mean_its_limits_and_the_spread_equal_metafors(name, method):
    theirs = expected("meta_mean").query("case == @name and method == @method").iloc[0]
    ours = fit(*case(name), method=METHODS[method])
    found = {
        "tau2": ours.tau2, "tau2_low": ours.tau2_limits[0], "tau2_high": ours.tau2_limits[1],
        "i2": ours.i2, "i2_low": ours.i2_limits[0], "i2_high": ours.i2_limits[1], "q": ours.q, "q_p": ours.q_p,
        "mean": ours.mean, "se": ours.std_error, "ci_low": ours.limits[0], "ci_high": ours.limits[1],
        "p_value": ours.p_value,
    }  # fmt: skip
    np.testing.assert_allclose(list(found.values()), theirs[list(found)].astype(float), rtol=CLOSED_FORM, atol=1e-12)
    if theirs["k"] > 2:
        np.testing.assert_allclose(ours.plug_in_prediction, [theirs["pi_low"], theirs["pi_high"]], rtol=CLOSED_FORM)
    else:
        assert ours.plug_in_prediction is None
    unguarded = ours.std_error / max(1.0, ours.inflation**0.5) * ours.inflation**0.5
    assert unguarded == pytest.approx(theirs["se_unguarded"], rel=CLOSED_FORM, abs=1e-12)


@pytest.mark.parametrize("name", ["bcg", "ten", "three"])
def test_the_mean_without_each_equals_metafors(name):
    theirs = expected("meta_left_out").query("case == @name")
    ours = without_each(*case(name), chosen=np.arange(len(theirs)))
    for column, of in (("mean", "mean"), ("se", "std_error"), ("tau2", "tau2")):
        np.testing.assert_allclose([getattr(f, of) for f in ours], theirs[column], rtol=CLOSED_FORM, atol=1e-12)


@pytest.mark.parametrize("name", ["bcg", "thirty", "ten"])
def test_the_meta_regression_equals_metafors(name):
    theirs = expected("meta_groups").query("case == @name")
    groups = INPUT.loc[INPUT["case"] == name, "group"]
    design = np.column_stack([np.ones(len(groups)), *[groups == g for g in sorted(groups.unique())[1:]]])
    ours = fit(*case(name), design=design)
    np.testing.assert_allclose(ours.coefficients, theirs["coefficient"], rtol=CLOSED_FORM)
    np.testing.assert_allclose(np.sqrt(np.diag(ours.covariance)), theirs["se"], rtol=CLOSED_FORM)
    np.testing.assert_allclose([ours.tau2, ours.moderator_p], theirs.iloc[0][["tau2", "f_p"]].astype(float), rtol=1e-6)


@pytest.mark.parametrize("name", ["bcg", "thirty", "ten", "three"])
def test_the_small_study_slope_equals_metafors(name):
    theirs = expected("meta_slope").query("case == @name").iloc[0]
    ours = small_studies(*case(name))
    for column in ("slope", "p_value", "at_no_error"):
        assert getattr(ours, column) == pytest.approx(theirs[column], rel=CLOSED_FORM)


def test_the_fixture_would_tell_the_other_estimator():
    """The two estimators differ by more than the tolerance, so a mix-up is seen."""
    table = expected("meta_mean").pivot(index="case", columns="method", values="tau2")
    assert (abs(table["REML"] / table["PM"] - 1)[["bcg", "thirty", "ten", "three"]] > 1e-3).all()
