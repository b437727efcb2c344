"""What a comparison of two risks can see: published figures, the equation turned round, and exact enumeration."""

import numpy as np
import pytest
from scipy import stats

from analysis.estimate.power import power_of, sample_size, smallest_detectable_difference


def test_the_published_figure():
    """11 % a year down to 8.8 % takes 2,892 people a side."""
    assert sample_size(0.11, 0.088) == 2892
    assert power_of(0.11, 0.088, 2892, 2892) >= 0.80 > power_of(0.11, 0.088, 2891, 2891)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("risk_treated", [0.0, 0.05, 0.3, 1.0])
def test_one_person_fewer_is_too_few(risk_treated, ratio):
    n = sample_size(0.12, risk_treated, ratio, alpha=0.01, power=0.9)
    assert power_of(0.12, risk_treated, n, ratio * n, alpha=0.01) >= 0.9
    assert n == 1 or power_of(0.12, risk_treated, n - 1, ratio * (n - 1), alpha=0.01) < 0.9


@pytest.mark.parametrize("fewer", [True, False])
@pytest.mark.parametrize(("n_treated", "n_control"), [(60, 600), (200, 200), (3000, 150)])
def test_the_smallest_difference_has_just_that_power(n_treated, n_control, fewer):
    size = smallest_detectable_difference(0.15, n_treated, n_control, power=0.9, fewer=fewer)
    treated = 0.15 - size if fewer else 0.15 + size
    assert power_of(0.15, treated, n_treated, n_control) == pytest.approx(0.9, abs=1e-9)
    within = np.linspace(0.15, treated, 50)[1:-1]
    assert max(power_of(0.15, risk, n_treated, n_control) for risk in within) < 0.9, "a smaller one would do"


def test_fifteen_people_cannot_show_that_nobody_leaves():
    assert smallest_detectable_difference(0.11, 15, 300) is None
    assert power_of(0.11, 0.0, 15, 300) < 0.8
    assert smallest_detectable_difference(0.11, 15, 300, fewer=False) > 0.2, "more exits could be seen"
    assert smallest_detectable_difference(0.95, 15, 300, fewer=False) is None


def test_events_and_their_absence_are_the_same_problem():
    fewer = smallest_detectable_difference(0.3, 80, 400)
    assert smallest_detectable_difference(0.7, 80, 400, fewer=False) == pytest.approx(fewer, rel=1e-9)
    assert power_of(0.3, 0.1, 80, 400) == pytest.approx(power_of(0.7, 0.9, 80, 400))


def test_no_difference_is_found_as_often_as_chance_finds_one_on_a_side():
    assert power_of(0.2, 0.2, 50, 70) == pytest.approx(0.025)


def enumerated(risk_control: float, risk_treated: float, n_treated: int, n_control: int) -> float:
    """Return the exact chance that the pooled z-test finds fewer events, over every pair of counts."""
    treated, control = np.arange(n_treated + 1)[:, None], np.arange(n_control + 1)[None, :]
    pooled = (treated + control) / (n_treated + n_control)
    spread = np.sqrt(pooled * (1 - pooled) * (1 / n_treated + 1 / n_control))
    seen = treated / n_treated - control / n_control < -stats.norm.isf(0.025) * spread
    chance = stats.binom.pmf(treated, n_treated, risk_treated) * stats.binom.pmf(control, n_control, risk_control)
    return float(chance[seen].sum())


@pytest.mark.parametrize(
    ("risk_control", "risk_treated", "n_treated", "n_control", "within"),
    [
        (0.3, 0.2, 300, 300, 0.005),
        (0.25, 0.15, 150, 900, 0.005),
        (0.3, 0.15, 60, 600, 0.01),
        (0.12, 0.02, 60, 600, 0.04),
    ],
)
def test_the_approximation_is_near_the_exact_power(risk_control, risk_treated, n_treated, n_control, within):
    """Near where both arms have events enough; with one or two expected it is only rough, as its module says."""
    exact = enumerated(risk_control, risk_treated, n_treated, n_control)
    assert power_of(risk_control, risk_treated, n_treated, n_control) == pytest.approx(exact, abs=within)


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk_control": 0.0},
        {"risk_control": 1.0},
        {"risk_treated": -0.01},
        {"risk_treated": float("nan")},
        {"ratio": 0.0},
        {"ratio": float("inf")},
        {"alpha": 0.0},
        {"power": 1.0},
        {"power": 0.4},
        {"risk_treated": 0.11},
    ],
)
def test_what_cannot_be_planned_is_refused(wrong):
    with pytest.raises(ValueError, match="|".join(wrong)):
        sample_size(**({"risk_control": 0.11, "risk_treated": 0.088} | wrong))


def test_everything_wrong_is_told_at_once():
    with pytest.raises(ValueError, match=r"risk_control.*people.*alpha.*power"):
        smallest_detectable_difference(1.2, 0, 10, alpha=2, power=0.1)
