"""E-values against those that were published, and at the edges."""

import numpy as np
import pytest

from analysis.estimate.e_value import e_value, e_values


def test_the_published_example():
    """VanderWeele & Ding 2017: risk ratio 3.9 with 95 % interval 1.8 to 8.7 has E-values 7.26 and 3.0."""
    found = e_values(3.9, 1.8, 8.7)
    assert found.estimate == pytest.approx(7.26, abs=0.005)
    assert found.limit == pytest.approx(3.0)
    assert e_value(2.4) == pytest.approx(4.23, abs=0.005)


@pytest.mark.parametrize(("ratio", "low", "high"), [(3.9, 1.8, 8.7), (1.2, 0.9, 1.6), (1.0, 1.0, 1.0), (2.0, 1.0, 4.0)])
def test_a_protective_ratio_counts_like_its_inverse(ratio, low, high):
    there, back = e_values(ratio, low, high), e_values(1 / ratio, 1 / high, 1 / low)
    assert (there.estimate, there.limit) == pytest.approx((back.estimate, back.limit))


def test_an_interval_with_one_in_it_needs_no_unmeasured_cause():
    assert e_values(0.8, 0.6, 1.0).limit == 1.0
    assert e_values(0.8, 0.6, 1.0).estimate == pytest.approx(1.25 + np.sqrt(1.25 * 0.25))
    assert e_value(1.0) == 1.0


@pytest.mark.parametrize("ratio", [0.3, 0.8, 1.7, 6.0])
def test_a_cause_of_that_strength_on_both_sides_just_explains_it(ratio):
    """The bound of Ding & VanderWeele 2016 (Epidemiology 27:368): a b / (a + b - 1) is the ratio at a = b = E."""
    e = e_value(ratio)
    assert e * e / (2 * e - 1) == pytest.approx(max(ratio, 1 / ratio))


def test_an_arm_without_events_cannot_be_explained_away():
    assert e_value(0.0) == np.inf and e_value(np.inf) == np.inf
    assert e_values(0.0, 0.0, 0.5).limit == pytest.approx(2 + np.sqrt(2))


@pytest.mark.parametrize("wrong", [-0.1, float("nan"), -np.inf])
def test_what_is_no_ratio_is_refused(wrong):
    with pytest.raises(ValueError, match="not negative"):
        e_value(wrong)


@pytest.mark.parametrize("wrong", [(2.0, 2.1, 3.0), (2.0, 1.0, 1.9), (2.0, float("nan"), 3.0), (0.5, -0.1, 1.0)])
def test_an_interval_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="between its limits"):
        e_values(*wrong)
