"""How a latent attitude becomes answers on a 1–5 scale, and what score is to be expected of it."""

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.plan.seeds import rng
from analysis.simulate.days import calendar_year
from analysis.simulate.scenario import EFFECT_AGE, Construct, RaterSource, RoleDesign, Scale, Scenario

MEAN: dict[Construct, float] = {
    "morale": 3.4,
    "leadership": 3.2,
    "digital_fluency": 3.3,
    "cross_generational_climate": 3.2,
    "idea_sharing": 3.1,
    "recognition": 3.2,
}
SELF_LENIENCY = 0.2
TRAIT_SD, SHOCK_SD = 0.5, 0.06
WAVE_NOISE_SD, RATER_NOISE_SD, ITEM_NOISE_SD = 0.35, 0.35, 0.6
RAMP_DAYS, DAYS_PER_YEAR = 60, 365.25
LOWEST, HIGHEST = 1, 5


def trait_mean(
    scenario: Scenario, spells: pd.DataFrame, construct: Construct, wave: int, source: RaterSource
) -> np.ndarray:
    """Return each spell's latent mean on a wave, untreated: its trait and a shock common to all (parallel trends)."""
    shock = rng(scenario.name, construct, "shock", wave).normal(0, SHOCK_SD)
    leniency = SELF_LENIENCY if construct == "leadership" and source == "self" else 0.0
    return MEAN[construct] + leniency + shock + TRAIT_SD * spells[construct].to_numpy()


def effect_on(
    opens: int,
    start: np.ndarray,
    birth_year: np.ndarray,
    role: RoleDesign,
    construct: Construct,
    source: RaterSource,
) -> np.ndarray:
    """Return a role's effect in points on a wave that opens on a day, shape (people,).

    None before the start, then building up over `RAMP_DAYS`; later waves and older people may have more of it.
    """
    built_up = np.clip((opens - start) / RAMP_DAYS, 0.0, 1.0)
    years = np.clip((opens - start - RAMP_DAYS) / DAYS_PER_YEAR, 0.0, None)
    decades = (calendar_year(opens) - birth_year - EFFECT_AGE) / 10
    more = (1 + role.effect_per_year * years) * (1 + role.effect_per_decade * decades)
    return role.effect(construct, source) * built_up * more


def item_intercepts(scale: Scale) -> np.ndarray:
    """Return how much more (or less) readily each item is agreed with."""
    return np.linspace(-0.25, 0.25, len(scale.items))


def answers(latent: np.ndarray, scale: Scale, skip_share: float, random: np.random.Generator) -> np.ndarray:
    """Return the ticked answers (people × items) of a latent value each; reversed items as ticked, skipped ones NaN."""
    noise = random.normal(0, ITEM_NOISE_SD, (len(latent), len(scale.items)))
    agreed = np.rint(latent[:, None] + item_intercepts(scale) + noise).clip(LOWEST, HIGHEST)
    is_reversed = np.isin(scale.items, scale.reversed_items)
    ticked = np.where(is_reversed, LOWEST + HIGHEST - agreed, agreed)
    return np.where(random.random(ticked.shape) < skip_share, np.nan, ticked)


def expected_score(latent_mean: np.ndarray, scale: Scale, source: RaterSource, leniency_sd: float = 0.0) -> np.ndarray:
    """Return the expected scale score (mean of items) over every noise around a latent mean, of an attentive answer.

    Sum over the answer's thresholds: E[answer] = lowest + Σ P(latent > threshold). Skipping is random and the same
    for every item, so that it changes no expectation. Others' scores are expected over the raters as well: their
    impression of the person and their leniency (SD `leniency_sd`).
    """
    noise = [WAVE_NOISE_SD, ITEM_NOISE_SD] + [RATER_NOISE_SD, leniency_sd] * (source == "others")
    centre = latent_mean[:, None] + item_intercepts(scale)
    thresholds = np.arange(LOWEST, HIGHEST) + 0.5
    above = norm.cdf((centre[..., None] - thresholds) / np.linalg.norm(noise))
    return (LOWEST + above.sum(axis=-1)).mean(axis=1)
