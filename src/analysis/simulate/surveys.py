"""Who answers which wave and what, and how a latent attitude becomes answers."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import norm

from analysis.plan.probability import rng
from analysis.simulate.scenario import (
    EFFECT_AGE,
    NEVER,
    Construct,
    RaterSource,
    RoleDesign,
    Scale,
    Scenario,
    Survey,
    as_dates,
    calendar_year,
    day,
)
from analysis.simulate.tables import typed
from analysis.simulate.workforce import NOBODY, Reporting, Workforce

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


# --- careless ---------------------------------------------------------------------------------------------------------
# Forms on which the ticks have nothing to do with the person.

STRAIGHT_LINE_SHARE = 0.5  # of the careless; the others tick at random
HASTE = 0.25


def careless_forms(ticked: np.ndarray, share: float, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers with some of the forms filled in carelessly, and which.

    A straight line ticks one answer, each as likely, from the first item to the last, whichever way they are worded; or
    every item is ticked at random. Either way the expected answer is the middle of the scale: with a share c the
    expected score over all forms is (1 − c) × the attentive one + c × 3, and an effect on it (1 − c) × the true one.
    Who is careless is drawn by lot for every form, whatever the person and the program. What was skipped stays so.

    Parameters
    ----------
    ticked
        Forms × items, attentive; NaN = skipped.
    share
        Expected share of careless forms.
    """
    is_careless = random.random(len(ticked)) < share
    line = np.broadcast_to(random.integers(LOWEST, HIGHEST + 1, (len(ticked), 1)), ticked.shape)
    anything = random.integers(LOWEST, HIGHEST + 1, ticked.shape)
    is_line = random.random(len(ticked)) < STRAIGHT_LINE_SHARE
    heedless = np.where(is_line[:, None], line, anything)
    return np.where(is_careless[:, None] & ~np.isnan(ticked), heedless, ticked), is_careless


# --- surveys ----------------------------------------------------------------------------------------------------------
# Who answers which wave, and what.

SECONDS_PER_ITEM = 7.0
OTHER_RATERS, MOST_DIRECT_REPORTS = 4, 2


def responses(scenario: Scenario, company: Workforce) -> pd.DataFrame:
    """Return the responses table: one row per answer of an instrument that people fill in about themselves."""
    frames = [
        _wave_responses(scenario, company, survey, wave)
        for survey in scenario.surveys
        if not survey.multirater
        for wave, opens in enumerate(survey.opens, start=1)
        if opens <= scenario.as_of
    ]
    return typed("responses", pd.concat(frames, ignore_index=True) if frames else pd.DataFrame())


def ratings(scenario: Scenario, company: Workforce, managers: Reporting) -> pd.DataFrame:
    """Return the ratings table: one row per answer of a rater about a ratee."""
    frames = [
        _wave_ratings(scenario, company, managers, survey, wave)
        for survey in scenario.surveys
        if survey.multirater
        for wave, opens in enumerate(survey.opens, start=1)
        if opens <= scenario.as_of
    ]
    return typed("ratings", pd.concat(frames, ignore_index=True) if frames else pd.DataFrame())


def _asked(scenario: Scenario, company: Workforce, survey: Survey, opens: int) -> np.ndarray:
    asked = company.employed_on(opens)
    if survey.eligible_only:
        level, roles = company.careers.level_on(opens), scenario.roles().values()
        asked &= np.any([(level >= r.levels[0]) & (level <= r.levels[1]) for r in roles], axis=0)
    return asked


def _latent(
    scenario: Scenario, company: Workforce, construct: Construct, wave: int, opens: int, source: RaterSource
) -> np.ndarray:
    """Return every spell's latent value on a wave, with their program's effect and the person's noise on that wave."""
    spells, effect = company.spells, np.zeros(len(company.spells))
    noise = rng(scenario.name, construct, "person", wave).normal(0, WAVE_NOISE_SD, len(spells))
    start, born = spells["start"].to_numpy(), spells["birth_year"].to_numpy()
    for (program, name), role in scenario.roles().items():
        mine = ((spells["program"] == program) & (spells["role"] == name)).to_numpy()
        effect[mine] = effect_on(opens, start[mine], born[mine], role, construct, source)
    return trait_mean(scenario, spells, construct, wave, source) + noise + effect


def _forms(
    scenario: Scenario, survey: Survey, wave: int, latents: list[np.ndarray], random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the answers on every form (forms × items) and which forms were filled in carelessly.

    `latents` has one array a scale. Further scales have a stream of their own, so that a form which asks more stays the
    same in its first scale.
    """
    names = (scenario.name, survey.instrument, wave)
    streams = [random, *(rng(*names, scale.construct) for scale in survey.scales[1:])]
    ticked = [
        answers(latent, scale, survey.skip_share, stream)
        for latent, scale, stream in zip(latents, survey.scales, streams, strict=True)
    ]
    return careless_forms(np.hstack(ticked), survey.careless_share, rng(*names, "careless"))


def _wave_responses(scenario: Scenario, company: Workforce, survey: Survey, wave: int) -> pd.DataFrame:
    spells, opens = company.spells, day(survey.opens[wave - 1])
    # drawn by the day, so that instruments of the same day are one form: who answers one answers the other
    form = rng(scenario.name, "form", opens)
    chance = expit(
        logit(survey.response_share)
        + survey.answer_on_morale * spells["morale"].to_numpy()
        + survey.answer_if_treated * (spells["start"].to_numpy() <= opens)
    )
    answers_form = form.random(len(spells)) < chance
    on = opens + np.minimum(form.exponential(survey.window_days / 4, len(spells)), survey.window_days).astype(int)
    answers_form &= (on <= spells["exit"].to_numpy()) & (on <= day(scenario.as_of))
    rows = np.flatnonzero(_asked(scenario, company, survey, opens) & answers_form)
    random = rng(scenario.name, survey.instrument, wave)
    latents = [_latent(scenario, company, scale.construct, wave, opens, "self")[rows] for scale in survey.scales]
    values, is_careless = _forms(scenario, survey, wave, latents, random)
    n_items = len(survey.items)
    seconds = random.lognormal(np.log(SECONDS_PER_ITEM * n_items), 0.35, len(rows))
    seconds = np.rint(np.where(is_careless, HASTE, 1.0) * seconds)
    return pd.DataFrame(
        {
            "employee_id": np.repeat(spells["employee_id"].to_numpy()[rows], n_items),
            "wave": wave,
            "instrument": survey.instrument,
            "item": np.tile(survey.items, len(rows)),
            "value": values.ravel(),
            "responded_at": as_dates(np.repeat(on[rows] if survey.is_dated else np.full(len(rows), NEVER), n_items)),
            "duration_seconds": np.repeat(seconds, n_items),
        }
    )


def _wave_ratings(
    scenario: Scenario, company: Workforce, managers: Reporting, survey: Survey, wave: int
) -> pd.DataFrame:
    random = rng(scenario.name, survey.instrument, wave)
    opens, ids = day(survey.opens[wave - 1]), company.spells["employee_id"].to_numpy()
    pairs = _raters(scenario, company, managers, survey, opens, random)
    pairs = pairs[random.random(len(pairs)) < survey.response_share]
    is_self = (pairs["rater_role"] == "self").to_numpy()
    ratee, rater = pairs["ratee"].to_numpy(), pairs["rater"].to_numpy()
    impression = random.normal(0, RATER_NOISE_SD, len(pairs)) + leniency(scenario, company, survey)[rater]
    latents = []
    for scale in survey.scales:
        own, seen = (
            _latent(scenario, company, scale.construct, wave, opens, source)[ratee] for source in ("self", "others")
        )
        latents.append(np.where(is_self, own, seen + impression))
    values, _ = _forms(scenario, survey, wave, latents, random)
    n_items = len(survey.items)
    return pd.DataFrame(
        {
            "ratee_id": np.repeat(ids[ratee], n_items),
            "rater_id": np.repeat(ids[rater], n_items),
            "rater_role": np.repeat(pairs["rater_role"].to_numpy(), n_items),
            "wave": wave,
            "instrument": survey.instrument,
            "item": np.tile(survey.items, len(pairs)),
            "value": values.ravel(),
        }
    )


def leniency(scenario: Scenario, company: Workforce, survey: Survey) -> np.ndarray:
    """Return how many points kinder than others each spell's person is as a rater, of whomever and on every wave.

    It is no part of how people rate themselves.
    """
    person = pd.factorize(company.spells["employee_id"])[0]
    random = rng(scenario.name, survey.instrument, "leniency")
    return random.normal(0, survey.leniency_sd, person.max() + 1)[person]


def _raters(
    scenario: Scenario, company: Workforce, managers: Reporting, survey: Survey, opens: int, random: np.random.Generator
) -> pd.DataFrame:
    """Return who is asked about whom: oneself, the manager, direct reports where there are any, and peers."""
    there, manager = company.employed_on(opens), managers.manager_on(opens)
    level, department = company.careers.level_on(opens), company.careers.department_on(opens)
    asked, rows = _asked(scenario, company, survey, opens), []
    if survey.leaders_only:
        asked &= managers.leaders_on(opens, company)
    for ratee in np.flatnonzero(asked):
        near = there & (department == department[ratee]) & (np.abs(level - level[ratee]) <= 1)
        near[[ratee, manager[ratee]] if manager[ratee] != NOBODY else ratee] = False
        reports = np.flatnonzero(there & (manager == ratee))
        reports = random.permutation(reports)[:MOST_DIRECT_REPORTS]
        near[reports] = False
        peers = random.permutation(np.flatnonzero(near))[: OTHER_RATERS - 1 - len(reports)]
        rows.append((ratee, ratee, "self"))
        if manager[ratee] != NOBODY and there[manager[ratee]]:
            rows.append((ratee, manager[ratee], "manager"))
        rows += [(ratee, peer, "peer") for peer in peers] + [(ratee, r, "direct_report") for r in reports]
    return pd.DataFrame(rows, columns=["ratee", "rater", "rater_role"])
