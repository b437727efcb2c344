"""Reliability of scales: alpha, omega, Spearman–Brown and the items, against R and by simulation."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.measure.groups import NotEstimable
from analysis.measure.reliability import (
    COEFFICIENTS,
    cronbach_alpha,
    fit_one_factor,
    item_statistics,
    mcdonald_omega,
    reliability,
    spearman_brown,
)
from analysis.plan.probability import rng

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM, FITTED = 1e-6, 1e-4


def fixture(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def answered(items, wave: int = 1) -> pd.DataFrame:
    """Return one wave of answers as `scales.item_answers` has them: everybody's own."""
    frame = pd.DataFrame(np.asarray(items, dtype=float))
    frame.columns = [f"item{j + 1}" for j in range(frame.shape[1])]
    people = [f"E{i:04d}" for i in range(len(frame))]
    frame.index = pd.MultiIndex.from_arrays([people, [wave] * len(frame)], names=["employee_id", "wave"])
    return frame


def std_error(found: tuple[float, float, float]) -> float:
    """Return the standard error behind limits that are symmetric in ln(1 − reliability)."""
    estimate, low, high = found
    return (1 - estimate) * np.log((1 - low) / (1 - high)) / (2 * stats.norm.ppf(0.975))


@pytest.mark.parametrize(("scale", "n_items"), [("six", 6), ("three", 3)])
def test_omega_and_its_robust_error_equal_lavaan(scale, n_items):
    expected = fixture("omega_lavaan").set_index("scale").loc[scale]
    items = fixture("scale_input").to_numpy(dtype=float)[:, :n_items]
    found = mcdonald_omega(items, np.arange(len(items)))
    assert found[0] == pytest.approx(expected["omega"], rel=FITTED)
    assert std_error(found) == pytest.approx(expected["se_robust"], rel=FITTED)
    assert found[1] < found[0] < found[2] < 1


def test_the_items_statistics_equal_psych():
    expected = fixture("item_statistics_psych")
    found = item_statistics(answered(fixture("scale_input")))
    assert found["item"].tolist() == expected["item"].tolist() and (found["n_people"] == 180).all()
    columns = ["mean", "sd", "item_rest", "alpha_if_dropped"]
    np.testing.assert_allclose(found[columns], expected[columns], rtol=CLOSED_FORM)


def test_spearman_brown_and_its_limits_equal_the_correlation_stepped_up():
    expected = fixture("spearman_brown").iloc[0]
    found = spearman_brown(fixture("scale_input")[["item1", "item2"]].to_numpy(dtype=float))
    np.testing.assert_allclose(found, expected.to_numpy(dtype=float), rtol=CLOSED_FORM)


def test_with_several_raters_the_error_of_alpha_is_summed_within_ratees():
    expected, rows = fixture("alpha_clustered").iloc[0], fixture("ratings_input")
    person = pd.factorize(rows["ratee"])[0]
    found = cronbach_alpha(rows.drop(columns="ratee").to_numpy(dtype=float), person)
    assert found[0] == pytest.approx(expected["alpha"], rel=CLOSED_FORM)
    assert std_error(found) == pytest.approx(expected["se_cluster"], rel=CLOSED_FORM)


def test_omega_counts_a_doubled_person_once():
    """Everybody entered twice under the same code tells no more than everybody once."""
    items = fixture("scale_input").to_numpy(dtype=float)
    once = mcdonald_omega(items, np.arange(len(items)))
    twice = mcdonald_omega(np.repeat(items, 2, axis=0), np.repeat(np.arange(len(items)), 2))
    np.testing.assert_allclose(twice, once, rtol=1e-7)


def test_loadings_that_made_the_covariance_are_found_again():
    loadings, unique = np.array([0.9, 1.4, -0.3, 0.7]), np.array([0.5, 1.1, 0.8, 0.2])
    fit = fit_one_factor(np.outer(loadings, loadings) + np.diag(unique))
    np.testing.assert_allclose(fit.loadings, loadings, rtol=1e-6)
    np.testing.assert_allclose(fit.unique, unique, rtol=1e-6)


def test_where_items_load_alike_omega_is_alpha():
    """α equals ω exactly for equal loadings and is below it otherwise (McDonald 1999)."""
    loadings = np.full(4, 0.8)
    unique = np.array([0.3, 0.5, 0.7, 0.9])
    for slopes in (loadings, np.array([0.95, 0.9, 0.4, 0.3])):
        covariance = np.outer(slopes, slopes) + np.diag(unique)
        fit = fit_one_factor(covariance)
        omega = fit.loadings.sum() ** 2 / (fit.loadings.sum() ** 2 + fit.unique.sum())
        alpha = 4 / 3 * (1 - np.trace(covariance) / covariance.sum())
        assert omega >= alpha - 1e-9 and (abs(omega - alpha) < 1e-6) == (slopes is loadings)


def test_two_waves_are_kept_apart_and_the_reports_columns_are_all_there():
    items = fixture("scale_input").to_numpy()
    found = reliability(pd.concat([answered(items[:90], 1), answered(items[90:], 2)]))
    assert found["wave"].tolist() == [1, 2] and found["n_people"].tolist() == [90, 90]
    needed = ["wave", "n_people", "n_items", "alpha", "ci_low", "ci_high", "omega", "omega_low", "omega_high"]
    assert found[needed].notna().all(axis=None) and found["reason"].isna().all()
    assert found["spearman_brown"].isna().all()
    assert found.loc[1, "alpha"] == pytest.approx(cronbach_alpha(items[90:].astype(float))[0])


def test_rater_sources_are_kept_apart_and_people_are_counted_once():
    rows = fixture("ratings_input")
    role = np.where(np.arange(len(rows)) % 2 == 0, "peer", "manager")
    frame = answered(rows.drop(columns="ratee"))
    frame.index = pd.MultiIndex.from_arrays(
        [rows["ratee"], np.ones(len(rows), dtype=int), role, np.arange(len(rows))],
        names=["ratee_id", "wave", "rater_role", "rater"],
    )
    found = reliability(frame)
    assert found["rater_role"].tolist() == ["manager", "peer"]
    assert found["n_forms"].sum() == len(rows) and (found["n_people"] < found["n_forms"]).all()
    assert item_statistics(frame).groupby("rater_role").size().tolist() == [4, 4]


def test_skipped_items_leave_their_person_out():
    frame = answered(fixture("scale_input"))
    frame.iloc[:5, 2] = np.nan
    assert reliability(frame).loc[0, "n_people"] == 175


SPREAD = np.array([1.0, 2, 3, 4, 5, 2, 3, 4, 1, 5, 4, 2, 3])
NOISE = np.array([2.0, 2, 3, 5, 4, 1, 3, 3, 2, 5, 4, 1, 2])


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (SPREAD[:, None], "One item"),
        (np.column_stack([SPREAD, NOISE, NOISE[::-1]])[:2], "Fewer than three people"),
        (np.column_stack([SPREAD, NOISE, np.full(13, 4.0)]), "same answer from everybody"),
        (np.column_stack([SPREAD, 6 - SPREAD]), "same score"),
    ],
)
def test_answers_that_say_nothing_get_a_reason_and_no_number(items, reason):
    found = reliability(answered(items)).iloc[0]
    assert reason in found["reason"]
    assert found[[name for columns in COEFFICIENTS.values() for name in columns]].isna().all()
    assert reason in item_statistics(answered(items))["reason"].iloc[0]


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        (np.column_stack([SPREAD, NOISE]), "three items"),
        (np.column_stack([SPREAD, NOISE, NOISE[::-1]])[:6], "more than two people"),
        (np.column_stack([SPREAD, NOISE, SPREAD + NOISE]), "combination of the others"),
    ],
)
def test_where_only_omega_cannot_be_had_alpha_stays(items, reason):
    found = reliability(answered(items)).iloc[0]
    assert reason in found["reason"] and np.isnan(found["omega"])
    assert np.isfinite(found["alpha"]) and found["ci_low"] < found["alpha"] < found["ci_high"]


def test_a_heywood_case_and_items_without_a_common_factor_are_refused():
    heywood = np.array([[1, 0.8, 0.8], [0.8, 1, 0.5], [0.8, 0.5, 1]])
    with pytest.raises(NotEstimable, match="Heywood"):
        fit_one_factor(heywood)
    with pytest.raises(NotEstimable, match="factor in common"):
        fit_one_factor(np.eye(4))


def test_two_items_have_a_spearman_brown_and_several_raters_of_a_person_have_none():
    frame = answered(fixture("scale_input").iloc[:, :2])
    assert reliability(frame).loc[0, "spearman_brown"] == pytest.approx(fixture("spearman_brown").iloc[0, 0])
    doubled = pd.concat([frame, frame])
    assert np.isnan(reliability(doubled).loc[0, "spearman_brown"])


def test_the_intervals_cover_the_truth_as_often_as_they_say():
    """400 surveys of 150 people on a skewed five-point scale; bounds are three Monte-Carlo errors beside 95 %."""
    random, draws = rng("reliability", "coverage"), 400
    loadings = np.array([0.8, 0.7, 0.6, 0.7, 0.4])

    def survey(n: int) -> np.ndarray:
        latent = random.normal(size=(n, 1)) * loadings + random.normal(size=(n, 5)) * np.sqrt(1 - loadings**2)
        return np.digitize(latent, [-1.9, -1.2, -0.5, 0.4]) + 1.0

    truth = mcdonald_omega(survey(400_000), np.arange(400_000))[0]
    found = [mcdonald_omega(survey(150), np.arange(150)) for _ in range(draws)]
    covered = np.mean([low <= truth <= high for _, low, high in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / draws)
    assert np.mean([estimate for estimate, _, _ in found]) == pytest.approx(truth, abs=0.01)
