"""Who answers which wave, and what."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from analysis.plan.seeds import rng
from analysis.simulate.days import as_dates, day
from analysis.simulate.reporting import NOBODY, Reporting
from analysis.simulate.scales import RATER_NOISE_SD, WAVE_NOISE_SD, answers, effect_on, trait_mean
from analysis.simulate.scenario import Scenario, Survey
from analysis.simulate.tables import typed
from analysis.simulate.workforce import Workforce

ANSWER_ON_MORALE, ANSWER_IF_TREATED = 0.3, 0.5  # log-odds: participants and the content answer more
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


def _latent(scenario: Scenario, company: Workforce, survey: Survey, wave: int, source: str) -> np.ndarray:
    """Return every spell's latent value on a wave, with their program's effect and the person's noise on that wave."""
    spells, opens = company.spells, day(survey.opens[wave - 1])
    noise = rng(scenario.name, survey.construct, "person", wave).normal(0, WAVE_NOISE_SD, len(spells))
    roles, mine = scenario.roles(), zip(spells["program"], spells["role"], strict=True)
    full = np.array([roles[part].effect(survey.construct) if part in roles else 0.0 for part in mine])
    effect = effect_on(opens, spells["start"].to_numpy(), full)
    return trait_mean(scenario, spells, survey, wave, source) + noise + effect


def _wave_responses(scenario: Scenario, company: Workforce, survey: Survey, wave: int) -> pd.DataFrame:
    spells, opens = company.spells, day(survey.opens[wave - 1])
    # drawn by the day, so that instruments of the same day are one form: who answers one answers the other
    form = rng(scenario.name, "form", opens)
    chance = expit(
        logit(survey.response_share)
        + ANSWER_ON_MORALE * spells["morale"].to_numpy()
        + ANSWER_IF_TREATED * (spells["start"].to_numpy() <= opens)
    )
    answers_form = form.random(len(spells)) < chance
    on = opens + np.minimum(form.exponential(survey.window_days / 4, len(spells)), survey.window_days).astype(int)
    answers_form &= (on <= spells["exit"].to_numpy()) & (on <= day(scenario.as_of))
    rows = np.flatnonzero(_asked(scenario, company, survey, opens) & answers_form)
    random = rng(scenario.name, survey.instrument, wave)
    values = answers(_latent(scenario, company, survey, wave, "self")[rows], survey, random)
    seconds = np.rint(random.lognormal(np.log(SECONDS_PER_ITEM * len(survey.items)), 0.35, len(rows)))
    n_items = len(survey.items)
    return pd.DataFrame(
        {
            "employee_id": np.repeat(spells["employee_id"].to_numpy()[rows], n_items),
            "wave": wave,
            "instrument": survey.instrument,
            "item": np.tile(survey.items, len(rows)),
            "value": values.ravel(),
            "responded_at": as_dates(np.repeat(on[rows], n_items)),
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
    ratee = pairs["ratee"].to_numpy()
    own, seen = (_latent(scenario, company, survey, wave, source)[ratee] for source in ("self", "others"))
    judged = np.where(is_self, own, seen + random.normal(0, RATER_NOISE_SD, len(pairs)))
    n_items = len(survey.items)
    return pd.DataFrame(
        {
            "ratee_id": np.repeat(ids[ratee], n_items),
            "rater_id": np.repeat(ids[pairs["rater"].to_numpy()], n_items),
            "rater_role": np.repeat(pairs["rater_role"].to_numpy(), n_items),
            "wave": wave,
            "instrument": survey.instrument,
            "item": np.tile(survey.items, len(pairs)),
            "value": answers(judged, survey, random).ravel(),
        }
    )


def _raters(
    scenario: Scenario, company: Workforce, managers: Reporting, survey: Survey, opens: int, random: np.random.Generator
) -> pd.DataFrame:
    """Return who is asked about whom: oneself, the manager, direct reports where there are any, and peers."""
    there, manager = company.employed_on(opens), managers.manager_on(opens)
    level, department = company.careers.level_on(opens), company.careers.department_on(opens)
    rows = []
    for ratee in np.flatnonzero(_asked(scenario, company, survey, opens)):
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
