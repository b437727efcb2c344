"""The chance to start: the fit is the best there is, also where few have started."""

import numpy as np

from analysis.design.propensity import PRIOR_SD, fit_propensity, refitted, start_log_odds
from analysis.plan.probability import rng


def sparse(number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return covariates, starts and trials of a program in which a few dozen of thousands start, over many days."""
    random = rng("sparse", number)
    trial = np.repeat(np.arange(17), 180)
    terms = np.column_stack([random.standard_t(2, size=(len(trial), 8)), random.random((len(trial), 12)) < 0.02])
    chance = 1 / (1 + np.exp(5.5 - terms[:, :4] @ np.array([0.5, 0.4, -0.4, 0.3])))
    return (terms - terms.mean(axis=0)) / terms.std(axis=0), random.random(len(trial)) < chance, trial


def test_the_fit_is_a_maximum_where_few_have_started():
    """At the maximum the penalized likelihood is flat; a full Newton step may overshoot it and never come back."""
    for number in range(20):
        terms, treated, trial = sparse(number)
        has_both = np.isin(trial, trial[treated])
        fit = fit_propensity(terms[has_both], treated[has_both], np.unique(trial[has_both], return_inverse=True)[1])
        slope = fit.score.sum(axis=0) - np.concatenate([[0.0], fit.coefficients[1:] / PRIOR_SD**2])
        assert np.abs(slope).max() < 1e-6
        assert 40 < treated.sum() < 120


def test_refits_of_many_draws_are_those_of_each_draw_alone():
    """A tenth left out in turn, or counted twice, and companies drawn anew, far from where the fits begin."""
    terms, treated, trial = sparse(3)
    chosen = np.isin(trial, trial[treated])
    terms, treated, trial = terms[chosen], treated[chosen], np.unique(trial[chosen], return_inverse=True)[1]
    random, people = rng("draws"), np.arange(len(trial))
    left_out = (people[:, None] % 10 != np.arange(10)).astype(float)
    drawn = random.multinomial(len(trial), np.full(len(trial), 1 / len(trial)), 10).T.astype(float)
    counts = np.column_stack([left_out, 2 - left_out, drawn])
    offset = start_log_odds(treated.astype(float), trial, counts)[trial]
    counts *= np.isfinite(offset)
    found = refitted(fit_propensity(terms, treated, trial), treated, counts, offset)
    for draw in range(30):
        rows = counts[:, draw] > 0
        alone = fit_propensity(
            terms[rows], treated[rows], np.unique(trial[rows], return_inverse=True)[1], counts=counts[rows, draw]
        )
        np.testing.assert_allclose(found[rows, draw], alone.linear, atol=1e-6)
