"""The known answer, computed from both potential outcomes of the very people who took part."""

import numpy as np
import pandas as pd

from analysis.simulate.days import NEVER, day, months_later
from analysis.simulate.hazards import Hazards
from analysis.simulate.scales import effect_on, expected_score, trait_mean
from analysis.simulate.scenario import Scenario, Survey
from analysis.simulate.workforce import Workforce

TRUTH_COLUMNS = [
    "program",
    "hypothesis",
    "role",
    "outcome",
    "rater_source",
    "estimand",
    "measure",
    "horizon_months",
    "truth",
    "n_treated",
]


def truth(scenario: Scenario, company: Workforce) -> pd.DataFrame:
    """Return the true effects, one row per hypothesis, role, rater source and horizon.

    The effect in those who started (ATT), from their start; in a lottery the effect of the offer (ITT) in those who
    were offered a place, from the intake. ``n_treated`` counts people. Risks and scores are expectations given each
    person's traits, in closed form, so that no draw blurs them.
    """
    rows = []
    for role in scenario.program.roles:
        people = _treated(scenario, company, role)
        if people.empty:
            continue
        for months in scenario.horizons_months:
            rows.append(
                _row(
                    scenario,
                    role,
                    "H1_retention",
                    "voluntary_exit",
                    "",
                    "risk_difference",
                    months,
                    retention_truth(scenario, company, people, months),
                    people["row"].nunique(),
                )
            )
        months = scenario.horizons_months[0]
        for survey, hypothesis, source in _scale_hypotheses(scenario):
            effects, n = _scale_effects(scenario, company, people, survey, source, months)
            if n:
                rows.append(
                    _row(
                        scenario,
                        role,
                        hypothesis,
                        survey.construct,
                        source,
                        "mean_difference",
                        months,
                        effects.mean(),
                        n,
                    )
                )
    return pd.DataFrame(rows, columns=TRUTH_COLUMNS)


def voluntary_risk(
    hazards: Hazards,
    rows: np.ndarray,
    notice_days: np.ndarray,
    *,
    origin: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    ratio: float,
) -> np.ndarray:
    """Return each spell's probability of a voluntary exit before the day `end`.

    Given that it is employed and not under notice on the day `origin`; treated from `start` (never before `origin`;
    `NEVER` = untreated) at hazard ratio `ratio`; the other exits compete. Summed over the days a decision can fall on:
    P(decided that day) × P(no other exit before the notice is over).
    """
    n_days = int((end - origin).max())
    at = origin[:, None] + 1 + np.arange(n_days + 1)
    row = rows[:, None]
    used = hazards.decision.until(row, at)
    begun = hazards.decision.until(row, np.maximum(np.minimum(at, start[:, None] + 1), origin[:, None] + 1))
    before = begun - hazards.decision.until(row, origin[:, None] + 1)
    undecided = np.exp(-(before + ratio * (used - begun)))
    leave = at[:, :-1] + notice_days[:, None]
    still_there = np.exp(-(hazards.other.until(row, leave) - hazards.other.until(row, origin[:, None] + 1)))
    return (-np.diff(undecided, axis=1) * still_there * (leave < end[:, None])).sum(axis=1)


def retention_truth(scenario: Scenario, company: Workforce, people: pd.DataFrame, months: int) -> float:
    """Return the mean difference of voluntary-exit risks, with the program minus without it."""
    rows, origin = people["row"].to_numpy(), people["origin"].to_numpy()
    notice_days = company.spells["notice_days"].to_numpy()[rows]
    end = months_later(origin, months)
    ratio = scenario.program.roles[people["role"].iloc[0]].hazard_ratio
    risk = [
        voluntary_risk(
            company.hazards,
            rows,
            notice_days,
            origin=origin,
            start=people["planned_start"].to_numpy(),
            end=end,
            ratio=r,
        )
        for r in (ratio, 1.0)
    ]
    return float((risk[0] - risk[1]).mean())


def _treated(scenario: Scenario, company: Workforce, role: str) -> pd.DataFrame:
    """Return the people the effect is about, with ``origin`` (the day they are followed from)."""
    records = company.enrolled.records
    records = records[records["role"] == role]
    if scenario.program.assignment != "lottery":
        people = records[records["start"] < NEVER]
        return people.assign(origin=people["start"])
    both_arms = records.groupby("intake")["offered"].transform("nunique") == 2
    people = records[both_arms & records["offered"].fillna(False)]
    return people.assign(origin=people["intake"])


def _scale_hypotheses(scenario: Scenario) -> list[tuple[Survey, str, str]]:
    """Return every survey with the hypothesis it answers, once per rater source."""
    hypotheses = {"morale": "H2_morale", "leadership": "H3_leadership"}
    rater_sources = {"morale": ("",), "leadership": ("self",)}
    return [
        (survey, hypotheses[survey.construct], source)
        for survey in scenario.surveys
        if survey.opens
        for source in (("self", "others") if survey.multirater else rater_sources[survey.construct])
    ]


def _scale_effects(
    scenario: Scenario, company: Workforce, people: pd.DataFrame, survey: Survey, source: str, months: int
) -> tuple[np.ndarray, int]:
    """Return the effect on each person-wave within the horizon, answered or not, and how many people they are of."""
    rows, origin = people["row"].to_numpy(), people["origin"].to_numpy()
    end = months_later(origin, months)
    role = scenario.program.roles[people["role"].iloc[0]]
    effects, who = [], []
    for wave, opens in enumerate(map(day, survey.opens), start=1):
        asked = company.employed_on(opens)[rows] & (origin <= opens) & (opens < end) & (opens <= day(scenario.as_of))
        chosen = rows[asked]
        mean = trait_mean(scenario, company.spells, survey, wave, source)[chosen]
        effect = effect_on(opens, people["start"].to_numpy()[asked], role.effect(survey.construct))
        effects.append(expected_score(mean + effect, survey, source) - expected_score(mean, survey, source))
        who.append(chosen)
    return np.concatenate(effects), len(np.unique(np.concatenate(who)))


def _row(
    scenario: Scenario,
    role: str,
    hypothesis: str,
    outcome: str,
    source: str,
    measure: str,
    months: int,
    value: float,
    n: int,
) -> dict:
    return {
        "program": scenario.program.id,
        "hypothesis": hypothesis,
        "role": role,
        "outcome": outcome,
        "rater_source": source,
        "estimand": "ITT" if scenario.program.assignment == "lottery" else "ATT",
        "measure": measure,
        "horizon_months": months,
        "truth": round(float(value), 6),
        "n_treated": n,
    }
