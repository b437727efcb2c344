"""Mixed models and raters' leniency: against lme4, by hand and by simulation."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measure.agreement import COLUMNS, leniency
from analysis.measure.groups import NotEstimable
from analysis.measure.normal_models import fit_mixed
from analysis.plan.probability import rng
from analysis.simulate import simulate
from analysis.simulate.company import demo_scenarios
from analysis.simulate.surveys import MEAN, TRAIT_SD, expected_score

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = (
    "nested_balanced",
    "nested_unbalanced",
    "crossed_balanced",
    "crossed_unbalanced",
    "one_factor",
    "three_factors",
    "zero_variance",
)


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def fitted(rows: pd.DataFrame, order: int = 1):
    factors = rows[["factor1", "factor2", "factor3"]].dropna(axis="columns")
    codes = [pd.factorize(factors[name])[0] for name in factors][::order]
    x = np.column_stack([np.ones(len(rows)), rows[["x1", "x2"]]])
    return fit_mixed(rows["y"].to_numpy(dtype=float), x, codes)


@pytest.mark.parametrize("case", CASES)
def test_nested_and_crossed_models_equal_lme4(case):
    rows, fixed, variance, likelihood = (
        frame[frame["case"] == case]
        for frame in map(fixture, ("mixed_input", "mixed_fixed", "mixed_variance", "mixed_likelihood"))
    )
    fit = fitted(rows)
    assert fit.converged
    np.testing.assert_allclose(fit.coefficients, fixed["estimate"], rtol=1e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), fixed["se"], rtol=1e-5)
    np.testing.assert_allclose([*fit.variances, fit.residual_variance], variance["variance"], rtol=1e-5, atol=1e-9)
    assert fit.log_likelihood == pytest.approx(likelihood["log_likelihood"].item(), rel=1e-9)
    if case == "zero_variance":
        assert fit.variances[0] == 0


def test_the_order_of_the_factors_does_not_matter():
    rows = fixture("mixed_input").query("case == 'three_factors'")
    one, other = fitted(rows), fitted(rows, order=-1)
    np.testing.assert_allclose(one.variances, other.variances[::-1], rtol=1e-5)
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-9)


def test_a_constant_added_to_every_score_and_another_unit_change_what_they_should():
    rows = fixture("mixed_input").query("case == 'crossed_unbalanced'")
    plain, moved = fitted(rows), fitted(rows.assign(y=1000 + 10 * rows["y"]))
    np.testing.assert_allclose(moved.coefficients, 10 * plain.coefficients + [1000, 0, 0], rtol=1e-5)
    np.testing.assert_allclose(moved.variances, 100 * plain.variances, rtol=1e-4)


def test_with_balanced_groups_the_variances_are_those_of_the_analysis_of_variance():
    random = rng("mixed", "anova")
    y = random.normal(0, 0.5, 20)[:, None] + random.normal(0, 0.7, (20, 6))
    within = y.var(axis=1, ddof=1).mean()
    between = 6 * y.mean(axis=1).var(ddof=1)
    fit = fit_mixed(y.ravel(), np.ones((120, 1)), [np.repeat(np.arange(20), 6)])
    assert fit.residual_variance == pytest.approx(within, rel=1e-6)
    assert fit.variances[0] == pytest.approx((between - within) / 6, rel=1e-6)
    assert fit.covariance[0, 0] == pytest.approx(between / 120, rel=1e-6)


def test_a_company_and_its_ratings_take_about_a_second():
    """Measured: 0.1 s and 1.2 s on one core; statsmodels takes minutes for the second."""
    random = rng("mixed", "time")
    employee = random.integers(600, size=3_000)
    manager = random.integers(150, size=600)[employee]
    raters, ratees = random.integers(1_500, size=5_000), random.integers(800, size=5_000)
    for factors, sds in (((employee, manager), (0.4, 0.2)), ((raters, ratees), (0.3, 0.5))):
        codes = [np.unique(labels, return_inverse=True)[1] for labels in factors]
        y = sum(random.normal(0, sd, c.max() + 1)[c] for sd, c in zip(sds, codes, strict=True))
        began = time.process_time()
        fit = fit_mixed(y + random.normal(0, 0.6, len(y)), np.ones((len(y), 1)), codes)
        assert time.process_time() - began < 5
        np.testing.assert_allclose(np.sqrt(fit.variances), sds, atol=0.05)


GROUPS = np.repeat(np.arange(10), 3)
NOISE = rng("mixed", "refused").normal(size=30)


@pytest.mark.parametrize(
    ("y", "factors", "why"),
    [
        (NOISE, [np.zeros(30, dtype=int)], "one group only"),
        (NOISE, [np.arange(30)], "Every group has one row"),
        (NOISE, [GROUPS, GROUPS[::-1]], "the same"),
        (np.full(30, 3.0), [GROUPS], "terms explain"),
        (NOISE[GROUPS], [GROUPS], "nothing is left over"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_with_the_reason(y, factors, why):
    with pytest.raises(NotEstimable, match=why):
        fit_mixed(y, np.ones((30, 1)), factors)


def test_terms_that_depend_on_each_other_are_refused():
    with pytest.raises(NotEstimable, match="depend on each other"):
        fit_mixed(NOISE, np.column_stack([np.ones(30), GROUPS, 2 * GROUPS]), [GROUPS])


def ratings(name: str, rater_sd: float, n_ratees: int = 300, n_raters: int = 250, role: str = "peer") -> pd.DataFrame:
    """Return ratings of three waves, each ratee by three raters of the same department, of normal scores."""
    random = rng("leniency", name)
    ratee, wave = (a.ravel() for a in np.meshgrid(np.repeat(np.arange(n_ratees), 3), np.arange(3)))
    rater = (ratee % 10) + 10 * random.integers(n_raters // 10, size=len(ratee))
    score = 3 + 0.2 * wave + random.normal(0, 0.5, n_ratees)[ratee] + random.normal(0, 0.35, (n_ratees, 3))[ratee, wave]
    score = score + random.normal(0, rater_sd, n_raters)[rater] + random.normal(0, 0.5, len(ratee))
    labels = {"ratee_id": ratee, "rater_id": [f"R{r}" for r in rater], "rater_role": role, "wave": wave + 1}
    return pd.DataFrame(labels | {"score": score}).drop_duplicates(["ratee_id", "rater_id", "wave"])


def test_the_parts_of_a_rating_equal_lme4():
    expected = fixture("leniency_lmer").set_index("part")
    named = {"ratee": "ratee_id", "rater": "rater_id"}
    found = leniency(fixture("leniency_input").rename(columns=named).assign(rater_role="peer")).iloc[0]
    for part, row in expected.iterrows():
        assert found[f"{part}_sd"] == pytest.approx(row["sd"], rel=1e-5)
        assert found[f"{part}_share"] == pytest.approx(row["share"], rel=1e-5)
    assert (found["n_ratees"], found["n_raters"], found["n_forms"]) == (45, 70, 300)
    assert pd.isna(found["reason"])


@pytest.mark.parametrize("rater_sd", [0.0, 0.3, 0.6])
def test_simulated_leniency_is_recovered(rater_sd):
    found = pd.concat([leniency(ratings(f"recovered {i}", rater_sd)) for i in range(3)])
    assert list(found.columns) == COLUMNS
    variances = (found[["ratee_sd", "rater_sd", "rest_sd"]].astype(float) ** 2).mean()
    np.testing.assert_allclose(variances, [0.5**2 + 0.35**2, rater_sd**2, 0.5**2], atol=0.025)
    shares = found[["ratee_share", "rater_share", "rest_share"]].sum(axis="columns")
    np.testing.assert_allclose(shares, 1)


def forms(company) -> pd.DataFrame:
    keys = ["ratee_id", "rater_id", "rater_role", "wave"]
    return company.tables.ratings.groupby(keys)["value"].mean().rename("score").reset_index()


def score_points(latent_points: float) -> float:
    """Return what leniency of so many points on the latent scale is worth in scores, which end at 1 and 5."""
    random = rng("leniency", "score points")
    (leadership,) = (survey.scales[0] for survey in demo_scenarios()["heronmere"].surveys if survey.multirater)
    people = MEAN["leadership"] + random.normal(0, TRAIT_SD, 2_000)
    raters = random.normal(0, latent_points, 200)
    means = [expected_score(people + kinder, leadership, "others").mean() for kinder in raters]
    return float(np.std(means) / raters.std() * latent_points)


def test_the_leniency_of_the_simulated_hospital_is_found_among_peers():
    demo = demo_scenarios()["heronmere"]
    surveys = tuple(replace(s, careless_share=0.0) if s.multirater else s for s in demo.surveys)
    larger = replace(demo, name="lenient", employees=4_000, surveys=surveys)
    found = leniency(forms(simulate(larger))).set_index("rater_role")
    assert found.loc["peer", "rater_sd"] == pytest.approx(score_points(0.3), abs=0.03)


def test_where_raters_or_ratees_have_one_another_only_the_reason_says_what_cannot_be_told_apart():
    found = leniency(forms(simulate(demo_scenarios()["heronmere"]))).set_index("rater_role")
    assert list(found.index) == ["direct_report", "manager", "peer", "self"]
    assert found.loc[["direct_report", "self"], "reason"].str.contains("rate one person only").all()
    assert "one rater only" in found.loc["manager", "reason"]
    assert found.loc[["direct_report", "manager", "self"], "rater_sd"].isna().all()
    assert found.loc["peer", "rater_sd"] > 0.2 and pd.isna(found.loc["peer", "reason"])


def test_ratings_without_a_named_rater_are_left_out_and_where_all_are_the_reason_says_so():
    named, unnamed = ratings("named", 0.3), ratings("unnamed", 0.3).assign(rater_id=None)
    both = leniency(pd.concat([named, unnamed]))
    pd.testing.assert_frame_equal(both, leniency(named))
    alone = leniency(unnamed).iloc[0]
    assert (alone["n_ratees"], alone["n_raters"], alone["n_forms"]) == (0, 0, 0)
    assert "do not say who gave them" in alone["reason"]


def test_rater_sources_are_kept_apart_and_one_wave_suffices():
    peers, others = ratings("sources", 0.6), ratings("other sources", 0.0, role="colleague")
    found = leniency(pd.concat([peers, others])).set_index("rater_role")
    assert found.loc["peer", "rater_sd"] > 0.5 > 0.2 > found.loc["colleague", "rater_sd"]
    once = leniency(peers[peers["wave"] == 1]).iloc[0]
    assert once["rater_sd"] == pytest.approx(0.6, abs=0.1)
    assert once["ratee_sd"] == pytest.approx(np.hypot(0.5, 0.35), abs=0.1)


def test_without_the_ratees_wave_raters_of_the_same_person_would_seem_less_lenient():
    """Why the model has it: others' ratings of a person differ between waves."""
    random = rng("leniency", "lasting pairs")
    pair = np.arange(1_200)
    ratee, rater = pair % 300, pair // 3
    rows = pd.DataFrame({"ratee": np.tile(ratee, 3), "rater": np.tile(rater, 3), "wave": np.repeat([0, 1, 2], 1_200)})
    wave_noise = random.normal(0, 0.5, (300, 3))[rows["ratee"], rows["wave"]]
    score = random.normal(0, 0.5, 300)[rows["ratee"]] + wave_noise + random.normal(0, 0.3, 400)[rows["rater"]]
    rows["score"] = 3 + score + random.normal(0, 0.4, len(rows))
    named = rows.rename(columns={"ratee": "ratee_id", "rater": "rater_id"}).assign(rater_role="peer")
    assert leniency(named).loc[0, "rater_sd"] == pytest.approx(0.3, abs=0.03)
    without = fit_mixed(rows["score"].to_numpy(), np.eye(3)[rows["wave"]], [rows["rater"], rows["ratee"]])
    assert np.sqrt(without.variances[0]) < 0.25
