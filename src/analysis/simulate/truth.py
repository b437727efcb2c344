"""The known answer, computed from both potential outcomes of the very people who took part."""

import numpy as np
import pandas as pd

from analysis.simulate.hazards import promotion_risk, voluntary_risk
from analysis.simulate.people import highest_level, promotion_chance, promotion_rounds
from analysis.simulate.scenario import (
    NEVER,
    Construct,
    ProgramDesign,
    RaterSource,
    RoleDesign,
    Scale,
    Scenario,
    Survey,
    day,
    months_later,
)
from analysis.simulate.surveys import effect_on, expected_score, trait_mean
from analysis.simulate.workforce import Reporting, Workforce

HYPOTHESES: dict[Construct, str] = {
    "morale": "H2_morale",
    "leadership": "H3_leadership",
    "digital_fluency": "H4_digital_fluency",
    "cross_generational_climate": "H5_cross_generational",
    "idea_sharing": "H6_idea_sharing",
    "recognition": "H7_recognition",
}
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


def truth(scenario: Scenario, company: Workforce, managers: Reporting) -> pd.DataFrame:
    """Return the true effects, one row per program, role, hypothesis, rater source and horizon.

    The effect in those who started (ATT), from their start; in a lottery the effect of the offer (ITT) in those who
    were offered a place, from the intake. Compared is a life without any program. ``n_treated`` counts people. Risks
    and scores are expectations given each person's traits, in closed form, so that no draw blurs them. Scores are those
    of attentive answers (`careless` says what the others do to them); people's own leadership ratings hold their
    response shift. Digital fluency is asked of the mentees of reverse programs alone.
    """
    rows = [
        {"program": program.id, "role": role, "estimand": "ITT" if program.assignment == "lottery" else "ATT"} | effect
        for program in scenario.programs
        for role in program.roles
        for effect in _effects(scenario, company, managers, program, role)
    ]
    return pd.DataFrame(rows, columns=TRUTH_COLUMNS)


def _effects(
    scenario: Scenario, company: Workforce, managers: Reporting, program: ProgramDesign, role: str
) -> list[dict]:
    """Return the true effects on one role of one program."""
    people, design = treated_people(company, program, role), program.roles[role]
    if people.empty:
        return []
    n, rows = people["row"].nunique(), []
    for months in scenario.horizons_months:
        value = retention_truth(company, people, design, months)
        rows.append(_row("H1_retention", "voluntary_exit", "", "risk_difference", months, value, n))
    months = scenario.horizons_months[0]
    for survey, scale, source in _scales_asked(scenario, program, role):
        effects, n_asked = _scale_effects(scenario, company, managers, people, design, survey, scale, source, months)
        if n_asked:
            shown = source if scale.construct == "leadership" else ""
            hypothesis, value = HYPOTHESES[scale.construct], effects.mean()
            rows.append(_row(hypothesis, scale.construct, shown, "mean_difference", months, value, n_asked))
    for months in scenario.horizons_months:
        value = promotion_truth(scenario, company, people, design, months)
        rows.append(_row("H8_promotion", "promotion", "", "risk_difference", months, value, n))
    return rows


def retention_truth(company: Workforce, people: pd.DataFrame, design: RoleDesign, months: int) -> float:
    """Return the mean difference of voluntary-exit risks, with the program minus without it."""
    with_it, without = retention_risks(company, people, design, months)
    return float((with_it - without).mean())


def retention_risks(
    company: Workforce, people: pd.DataFrame, design: RoleDesign, months: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return each person's voluntary-exit risk by `months`, with the program and without it, shape (people,) each."""
    life = _life(company, people, months)
    with_it, without = (voluntary_risk(**life, ratio=ratio) for ratio in (design.hazard_ratio, 1.0))
    return with_it, without


def promotion_truth(
    scenario: Scenario, company: Workforce, people: pd.DataFrame, design: RoleDesign, months: int
) -> float:
    """Return the mean difference of the chances of a first rise in job level, with the program minus without it."""
    life = _life(company, people, months)
    rounds = promotion_rounds(int(life["origin"].min()), int(life["end"].max()))
    spells = company.spells.iloc[life["rows"]]
    level = company.careers.level_at(life["origin"], life["rows"])
    can_rise = (level < highest_level(scenario))[:, None]
    treated, untreated = (
        np.where(can_rise, promotion_chance(scenario, spells, rounds, odds), 0.0)
        for odds in (design.promotion_odds_ratio, 1.0)
    )
    with_it, without = (
        promotion_risk(**life, ratio=ratio, rounds=rounds, chance=untreated, treated_chance=chance)
        for ratio, chance in ((design.hazard_ratio, treated), (1.0, untreated))
    )
    return float((with_it - without).mean())


def _life(company: Workforce, people: pd.DataFrame, months: int) -> dict:
    """Return what both closed forms need to know of people followed from ``origin`` to a horizon."""
    rows, origin = people["row"].to_numpy(), people["origin"].to_numpy()
    return {
        "hazards": company.hazards,
        "rows": rows,
        "notice_days": company.spells["notice_days"].to_numpy()[rows],
        "origin": origin,
        "start": people["planned_start"].to_numpy(),
        "end": months_later(origin, months),
    }


def treated_people(company: Workforce, program: ProgramDesign, role: str) -> pd.DataFrame:
    """Return the people the effect is about, with ``origin`` (the day they are followed from)."""
    records = company.enrolled.records
    records = records[(records["program"] == program.id) & (records["role"] == role)]
    if program.assignment != "lottery":
        people = records[records["start"] < NEVER]
        return people.assign(origin=people["start"])
    both_arms = records.groupby("intake")["offered"].transform("nunique") == 2
    people = records[both_arms & records["offered"].fillna(False)]
    return people.assign(origin=people["intake"])


def _scales_asked(scenario: Scenario, program: ProgramDesign, role: str) -> list[tuple[Survey, Scale, RaterSource]]:
    """Return every survey's scales that a hypothesis about the role is answered by, once per rater source."""
    learns = program.direction == "reverse" and role == "mentee"
    return [
        (survey, scale, source)
        for survey in scenario.surveys
        if survey.opens
        for scale in survey.scales
        if learns or scale.construct != "digital_fluency"
        for source in (("self", "others") if survey.multirater else ("self",))
    ]


def _scale_effects(
    scenario: Scenario,
    company: Workforce,
    managers: Reporting,
    people: pd.DataFrame,
    design: RoleDesign,
    survey: Survey,
    scale: Scale,
    source: RaterSource,
    months: int,
) -> tuple[np.ndarray, int]:
    """Return the effect on each person-wave within the horizon, answered or not, and how many people they are of."""
    rows, origin, start = (people[c].to_numpy() for c in ("row", "origin", "start"))
    born, end = company.spells["birth_year"].to_numpy()[rows], months_later(origin, months)
    effects, who = [], []
    for wave, opens in enumerate(map(day, survey.opens), start=1):
        asked = company.employed_on(opens)[rows] & (origin <= opens) & (opens < end) & (opens <= day(scenario.as_of))
        if survey.leaders_only:
            asked &= managers.leaders_on(opens, company)[rows]
        mean = trait_mean(scenario, company.spells, scale.construct, wave, source)[rows[asked]]
        effect = effect_on(opens, start[asked], born[asked], design, scale.construct, source)
        with_it, without = (expected_score(m, scale, source, survey.leniency_sd) for m in (mean + effect, mean))
        effects.append(with_it - without)
        who.append(rows[asked])
    return np.concatenate(effects), len(np.unique(np.concatenate(who)))


def _row(hypothesis: str, outcome: str, source: str, measure: str, months: int, value: float, n: int) -> dict:
    return {
        "hypothesis": hypothesis,
        "outcome": outcome,
        "rater_source": source,
        "measure": measure,
        "horizon_months": months,
        "truth": round(float(value), 6),
        "n_treated": n,
    }
