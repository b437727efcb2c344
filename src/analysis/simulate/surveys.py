"""Who answers which wave, and what; some forms have nothing to do with the person."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.plan.seeds import rng
from analysis.simulate.days import NEVER, as_dates, day
from analysis.simulate.scales import HIGHEST, LOWEST, RATER_NOISE_SD, WAVE_NOISE_SD, answers, effect_on, trait_mean
from analysis.simulate.scenario import Construct, RaterSource, Scenario, Survey
from analysis.simulate.tables import typed
from analysis.simulate.workforce import NOBODY, Reporting, Workforce

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
