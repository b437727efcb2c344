"""Cox regression: the definition written out event by event, derivatives, simulated truth, and what has no answer."""

import time

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.estimate.cox import cox
from analysis.estimate.inference import cluster_sums


def careers(seed: int, n: int = 150, digits: int = 0) -> tuple[np.ndarray, ...]:
    """Return invented intervals with delayed entry, many ties, weights and two covariates, the first an arm."""
    rng = np.random.default_rng(seed)
    entry = np.round(np.where(rng.random(n) < 0.5, 0, rng.uniform(0, 8, n)), digits)
    x = np.column_stack([rng.random(n) < 0.4, rng.normal(2, 3, n)]).astype(float)
    exit = entry + np.round(rng.exponential(10 * np.exp(0.5 * x[:, 0])), digits) + 1
    return entry, exit, rng.random(n) < 0.6, rng.gamma(1.5, 1, n) + 0.05, x


def written_out(place, entry, exit, event, weights, x) -> float:
    """Return the weighted partial log-likelihood with Efron's ties, from the definition."""
    total, hazard = 0.0, weights * np.exp(x @ place)
    for t in np.unique(exit[event]):
        tied, at_risk = event & (exit == t), (entry < t) & (t <= exit)
        d, mean_weight = tied.sum(), weights[tied].mean()
        total += weights[tied] @ x[tied] @ place
        total -= mean_weight * sum(np.log(hazard[at_risk].sum() - r / d * hazard[tied].sum()) for r in range(d))
    return total


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_fit_is_where_the_likelihood_written_out_is_largest(seed):
    rows = careers(seed)
    fit = cox(*rows)
    largest = optimize.minimize(lambda place: -written_out(place, *rows), np.zeros(2), method="BFGS", tol=1e-10)
    np.testing.assert_allclose(fit.coefficients, largest.x, atol=1e-5)
    h = 1e-4
    corners = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    for a in range(2):
        for b in range(2):
            unit = np.eye(2)[[a, b]]
            bend = sum(
                i * j * written_out(fit.coefficients + h * (i * unit[0] + j * unit[1]), *rows) for i, j in corners
            )
            assert -bend / (4 * h * h) == pytest.approx(fit.information[a, b], rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("digits", [0, 6])
def test_influence_is_the_derivative_by_a_log_weight(digits):
    """Of every row, by refitting: tied events, single events, censored rows, rows that nobody leaves beside."""
    entry, exit, event, weights, x = careers(4, n=60, digits=digits)
    fit, h = cox(entry, exit, event, weights, x), 1e-4
    for i in range(len(entry)):
        up, down = weights.copy(), weights.copy()
        up[i] *= np.exp(h)
        down[i] *= np.exp(-h)
        slope = (cox(entry, exit, event, up, x).coefficients - cox(entry, exit, event, down, x).coefficients) / (2 * h)
        np.testing.assert_allclose(fit.influence[i], slope, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(fit.influence.sum(axis=0), 0, atol=1e-12)


def test_cutting_intervals_in_two_changes_nothing():
    entry, exit, event, weights, x = careers(5)
    middle = (entry + exit) / 2
    halves = cox(
        np.r_[entry, middle], np.r_[middle, exit], np.r_[event & False, event], np.r_[weights, weights], np.r_[x, x]
    )
    whole = cox(entry, exit, event, weights, x)
    np.testing.assert_allclose(halves.coefficients, whole.coefficients, rtol=1e-9)
    np.testing.assert_allclose(halves.information, whole.information, rtol=1e-9)
    np.testing.assert_allclose(halves.influence.reshape(2, -1, 2).sum(axis=0), whole.influence, atol=1e-12)


def test_units_of_weights_time_and_covariates_do_not_matter():
    entry, exit, event, weights, x = careers(6)
    plain = cox(entry, exit, event, weights, x)
    other = cox(entry * 30 - 7, exit * 30 - 7, event, 5 * weights, x * [-1, 1000] + [1, 1e5])
    np.testing.assert_allclose(other.coefficients * [-1, 1000], plain.coefficients, rtol=1e-8)
    np.testing.assert_allclose(other.influence * [-1, 1000], plain.influence, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(other.information * np.outer([-1, 0.001], [-1, 0.001]), 5 * plain.information, rtol=1e-6)


def test_a_known_hazard_ratio_is_covered_as_often_as_promised():
    """Everybody is there twice, as people recur across emulated trials: the clustered error must know it."""
    rng, covered, errors = np.random.default_rng(7), [], []
    for _ in range(300):
        n = 200
        arm, log_ratio = (rng.random(n) < 0.4).astype(float), np.log(0.6)
        exit = np.ceil(-np.log(rng.random(n)) / (0.04 * np.exp(log_ratio * arm)))
        event, exit = exit <= 24, np.minimum(exit, 24)
        person = np.tile(np.arange(n), 2)
        fit = cox(np.zeros(2 * n), exit[person], event[person], np.ones(2 * n), arm[person][:, None])
        by_person = cluster_sums(fit.influence.T, person, n)[0]
        error = np.sqrt(by_person @ by_person)
        errors.append(error * np.sqrt(fit.information[0, 0]))
        covered.append(abs(fit.coefficients[0] - log_ratio) < stats.norm.ppf(0.975) * error)
    assert 0.95 - 3 * np.sqrt(0.95 * 0.05 / 300) <= np.mean(covered)
    assert np.mean(errors) == pytest.approx(np.sqrt(2), rel=0.05)


def without_events_in_the_arm():
    entry, exit, event, weights, x = careers(8)
    return entry, exit, event & (x[:, 0] == 0), weights, x


def first_of_all():
    """The arm's every event comes while others are at risk, but none of theirs does while the arm is."""
    arm = np.repeat([1.0, 0.0], 5)
    exit = np.r_[1.0, 2, 3, 4, 5, 11, 12, 13, 14, 15]
    return np.zeros(10), exit, np.ones(10, bool), np.ones(10), arm[:, None]


def nobody_leaves():
    entry, exit, event, weights, x = careers(9)
    return entry, exit, event & False, weights, x


def one_arm_only():
    entry, exit, event, weights, x = careers(9)
    return entry, exit, event, weights, np.ones_like(x[:, :1])


def one_covariate_twice():
    entry, exit, event, weights, x = careers(9)
    return entry, exit, event, weights, np.column_stack([x[:, 1], 3 - 2 * x[:, 1]])


def arms_never_at_risk_together():
    entry, exit, event, weights, x = careers(9)
    later = 100 * x[:, 0]
    return entry + later, exit + later, event, weights, x[:, :1]


@pytest.mark.parametrize(
    "rows",
    [
        without_events_in_the_arm,
        first_of_all,
        nobody_leaves,
        one_arm_only,
        one_covariate_twice,
        arms_never_at_risk_together,
    ],
)
def test_there_is_no_number_where_there_is_no_finite_hazard_ratio(rows):
    assert cox(*rows()) is None


def test_one_event_in_an_arm_is_enough_for_a_number():
    entry, exit, event, weights, x = without_events_in_the_arm()
    event[np.flatnonzero(x[:, 0] == 1)[:1]] = True
    fit = cox(entry, exit, event, weights, x)
    assert np.isfinite(fit.coefficients).all() and fit.coefficients[0] < -1


def test_a_step_too_long_is_halved():
    """One far outlier, where Newton's full steps run away (they find no maximum here)."""
    entry, exit, event, weights, x = careers(14)
    x[:, 1] = np.exp(3 * (x[:, 1] - 2))
    rows = (entry, exit, event, weights, x)
    fit = cox(*rows)
    np.testing.assert_allclose(fit.influence.sum(axis=0) / fit.coefficients, 0, atol=1e-8)
    around = np.array(
        [written_out(fit.coefficients * move, *rows) for move in ([1.1, 1], [0.9, 1], [1, 1.1], [1, 0.9])]
    )
    assert (around < written_out(fit.coefficients, *rows)).all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda rows: (*rows[:4], rows[4][:, 0]), "shape"),
        (lambda rows: (*rows[:4], rows[4][:-1]), "one row"),
        (lambda rows: (rows[1], *rows[1:]), "after"),
        (lambda rows: (*rows[:3], rows[3] * 0, rows[4]), "positive"),
        (lambda rows: (*rows[:4], rows[4] * np.nan), "finite"),
    ],
)
def test_wrong_input_is_refused(change, problem):
    with pytest.raises(ValueError, match=problem):
        cox(*change(careers(11)))


def test_a_large_company_takes_about_a_second():
    rows = careers(12, n=300_000)
    began = time.process_time()
    fit = cox(*rows)
    assert time.process_time() - began < 5
    assert fit.influence.shape == (300_000, 2) and np.isfinite(fit.influence).all()
