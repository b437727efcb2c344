"""How a latent attitude becomes answers on a 1–5 scale, and what score is to be expected of it."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plan.seeds import rng
from analysis.simulate.scenario import Scenario, Survey

MEAN = {"morale": 3.4, "leadership": 3.2}
SELF_LENIENCY = 0.2
TRAIT_SD, SHOCK_SD = 0.5, 0.06
WAVE_NOISE_SD, RATER_NOISE_SD, ITEM_NOISE_SD = 0.35, 0.35, 0.6
RAMP_DAYS = 60
LOWEST, HIGHEST = 1, 5


def trait_mean(scenario: Scenario, spells: pd.DataFrame, survey: Survey, wave: int, source: str) -> np.ndarray:
    """Return each spell's latent mean on a wave, untreated: its trait and a shock common to all (parallel trends)."""
    shock = rng(scenario.name, survey.construct, "shock", wave).normal(0, SHOCK_SD)
    leniency = SELF_LENIENCY if survey.construct == "leadership" and source == "self" else 0.0
    return MEAN[survey.construct] + leniency + shock + TRAIT_SD * spells[survey.construct].to_numpy()


def effect_on(opens: int, start: np.ndarray, full: float) -> np.ndarray:
    """Return the effect on a wave that opens on a day: none before the start, then building up over `RAMP_DAYS`."""
    return full * np.clip((opens - start) / RAMP_DAYS, 0.0, 1.0)


def item_intercepts(survey: Survey) -> np.ndarray:
    """Return how much more (or less) readily each item is agreed with."""
    return np.linspace(-0.25, 0.25, len(survey.items))


def answers(latent: np.ndarray, survey: Survey, random: np.random.Generator) -> np.ndarray:
    """Return the ticked answers (people × items) of a latent value each; reversed items as ticked, skipped ones NaN."""
    noise = random.normal(0, ITEM_NOISE_SD, (len(latent), len(survey.items)))
    agreed = np.rint(latent[:, None] + item_intercepts(survey) + noise).clip(LOWEST, HIGHEST)
    is_reversed = np.isin(survey.items, survey.reversed_items)
    ticked = np.where(is_reversed, LOWEST + HIGHEST - agreed, agreed)
    return np.where(random.random(ticked.shape) < survey.skip_share, np.nan, ticked)


def expected_score(latent_mean: np.ndarray, survey: Survey, source: str) -> np.ndarray:
    """Return the expected scale score (mean of items) over every noise around a latent mean.

    Sum over the answer's thresholds: E[answer] = lowest + Σ P(latent > threshold). Skipping is random and the same
    for every item, so that it changes no expectation.
    """
    noise = [WAVE_NOISE_SD, ITEM_NOISE_SD] + [RATER_NOISE_SD] * (source == "others")
    centre = latent_mean[:, None] + item_intercepts(survey)
    thresholds = np.arange(LOWEST, HIGHEST) + 0.5
    above = norm.cdf((centre[..., None] - thresholds) / np.linalg.norm(noise))
    return (LOWEST + above.sum(axis=-1)).mean(axis=1)
