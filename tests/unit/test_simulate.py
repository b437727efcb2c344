"""Simulated companies: the same to the byte, true to life, and with a known answer that is indeed the answer."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.plan.contract import TABLES
from analysis.plan.errors import BadInput
from analysis.plan.instruments import load_instruments
from analysis.plan.paths import project_dir
from analysis.plan.read_study import load_study
from analysis.simulate import RoleDesign, demo_scenarios, files, scenario_named, simulate, without_effect, write_company
from analysis.simulate.enrolment import treated_total
from analysis.simulate.hazards import promotion_risk, voluntary_risk
from analysis.simulate.people import promotion_chance, promotion_rounds
from analysis.simulate.scenario import NEVER, day, month_begins, month_ends, months_later
from analysis.simulate.surveys import (
    RATER_NOISE_SD,
    WAVE_NOISE_SD,
    answers,
    careless_forms,
    effect_on,
    expected_score,
    leniency,
)
from analysis.simulate.workforce import workforce

SMALL = scenario_named("tiny-bank", like="northbank", employees=150)
ATTITUDES = demo_scenarios()["heronmere"].surveys[0].scales[1:]


@pytest.fixture(scope="module")
def bank():
    """Northbank: a clinic for volunteers, chosen by a committee, that does nothing."""
    return simulate(demo_scenarios()["northbank"])


@pytest.fixture(scope="module")
def group():
    """Kesselwerk: pairs, one division after the other, with 360° ratings."""
    return simulate(demo_scenarios()["kesselwerk"])


@pytest.fixture(scope="module")
def services():
    """Larkfield: places drawn by lot."""
    return simulate(demo_scenarios()["larkfield"])


@pytest.fixture(scope="module")
def vendor():
    """Ostwire: a reverse and a traditional program side by side, both with promotions."""
    return simulate(demo_scenarios()["ostwire"])


@pytest.fixture(scope="module")
def trust():
    """Heronmere: facilitated workshops for volunteers of all ages, asked about in five scales and rated by others."""
    return simulate(demo_scenarios()["heronmere"])


@pytest.fixture(scope="module", params=["ostwire", "larkfield"])
def two_fates(request):
    """Ostwire or Larkfield, many times as many, leaving at month ends; and the same people without any effect."""
    like = replace(
        demo_scenarios()[request.param], name="two-fates", employees=9_000, exits_at_month_end=True, surveys=()
    )
    scenario = like if request.param == "ostwire" else changed(like, role={"promotion_odds_ratio": 3.0})
    return simulate(scenario), simulate(without_effect(scenario))


def changed(scenario, *, role=None, **program):
    """Return the scenario with knobs of every program, and of its roles, changed."""
    programs = [
        replace(p, **({name: replace(r, **(role or {})) for name, r in p.roles.items()} | program))
        for p in scenario.programs
    ]
    return replace(scenario, programs=tuple(programs))


def spell_of(company, rows: pd.DataFrame) -> pd.DataFrame:
    """Return `rows` of one table beside each person's first spell (nobody who came back takes part)."""
    first = company.tables.employees.drop_duplicates("employee_id")
    return rows.merge(first, on="employee_id", validate="m:1")


# The same company every time


def test_the_same_name_gives_the_same_company_to_the_byte():
    assert files(simulate(SMALL)) == files(simulate(SMALL))


def test_another_name_gives_another_company():
    other = replace(SMALL, name="other-bank")
    assert files(simulate(SMALL))["raw/employees.csv"] != files(simulate(other))["raw/employees.csv"]


@pytest.mark.parametrize("name", demo_scenarios())
def test_a_committed_demo_is_what_its_name_gives_today(name):
    """But for its raw files: what they hold is compared in `test_twin`."""
    committed, fresh = project_dir() / "data" / name, files(simulate(demo_scenarios()[name]))
    assert (committed / "truth.csv").read_bytes() == fresh["truth.csv"]
    shown, content = (yaml.safe_load(text) for text in ((committed / "study.yaml").read_bytes(), fresh["study.yaml"]))
    assert shown | {"sources": []} == content | {"sources": []}


# On disk


@pytest.mark.parametrize("name", demo_scenarios())
def test_a_company_is_written_in_the_contracts_own_form(name, tmp_path):
    write_company(simulate(demo_scenarios()[name]), tmp_path / name)
    study = load_study(name, tmp_path)
    cards = load_instruments(study)
    assert study.simulated
    for source in study.sources:
        frame = pd.read_csv(study.folder / source.path, dtype=str)
        assert set(frame.columns) <= set(TABLES[source.table])
        needed = {c for c, column in TABLES[source.table].items() if column.required}
        assert needed <= set(frame.columns) | ({"wave", "instrument"} if source.wave else set())
        if source.instrument:
            assert set(frame["item"]) <= set(cards[source.instrument].items)


def test_every_reversed_item_is_reversed_on_its_card():
    cards = load_instruments(load_study("northbank", project_dir() / "data"))
    for survey in (s for scenario in demo_scenarios().values() for s in scenario.surveys):
        on_card = {item for item in survey.items if cards[survey.instrument].items[item].reversed}
        assert {item for scale in survey.scales for item in scale.reversed_items} == on_card


def test_every_scale_asks_the_items_of_its_construct_on_the_card():
    cards = load_instruments(load_study("northbank", project_dir() / "data"))
    for survey in (s for scenario in demo_scenarios().values() for s in scenario.surveys):
        on_card = {scale.construct_name: list(scale.items) for scale in cards[survey.instrument].scales.values()}
        assert {scale.construct: list(scale.items) for scale in survey.scales}.items() <= on_card.items()


def test_a_folder_in_use_is_left_alone_unless_it_may_be_replaced(tmp_path: Path):
    company, folder = simulate(SMALL), tmp_path / "tiny-bank"
    write_company(company, folder)
    (folder / "own-notes.txt").write_text("keep me")
    with pytest.raises(BadInput, match="not empty"):
        write_company(company, folder)
    assert (folder / "own-notes.txt").exists()
    write_company(company, folder, overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["tiny-bank"]
    assert sorted(p.name for p in folder.iterdir()) == ["SHA256SUMS", "raw", "study.yaml", "truth.csv"]


@pytest.mark.parametrize("wrong", [{"name": "../bank"}, {"name": "b", "like": "acme"}, {"name": "b", "employees": 3}])
def test_a_wish_that_cannot_be_met_is_refused(wrong):
    with pytest.raises(BadInput):
        scenario_named(**wrong)


# The known answer


N_LIVES = 200_000
ORIGIN = 19016  # 2022-01-24


def lived(hazards, row: int, notice_days: int, *, start: int, ratio: float) -> pd.DataFrame:
    """Return many lives of one person, still there on `ORIGIN`: ``voluntary`` and ``other`` last days, ``starts``."""
    random = np.random.default_rng(1)
    rows, first = np.full(N_LIVES, row), np.full(N_LIVES, ORIGIN + 1)
    total = hazards.decision.until(rows, first) + random.exponential(size=N_LIVES)
    # at month ends, one may be due already and yet be there until the last day of the month
    due_from = month_begins(first) if hazards.at_month_end else first
    other = hazards.other.day_reached(rows, hazards.other.until(rows, due_from) + random.exponential(size=N_LIVES))
    untreated = hazards.decision.day_reached(rows, total)
    treated = hazards.decision.day_reached(rows, treated_total(hazards, rows, total, start, ratio))
    starts = untreated > start  # who gives notice before the start never starts
    voluntary = np.minimum(np.where(starts, treated, untreated) + notice_days, NEVER)
    if hazards.at_month_end:
        voluntary, other = month_ends(voluntary), month_ends(other)
    return pd.DataFrame({"voluntary": voluntary, "other": other, "starts": starts})


def restless(company, *, at_month_end: bool):
    """Return the company's hazards many times over, so that a slip of a few days would show."""
    hazards = company.workforce.hazards
    decision, other = (
        type(h).of(h.months, times * h.per_day) for h, times in ((hazards.decision, 8), (hazards.other, 12))
    )
    return replace(hazards, decision=decision, other=other, at_month_end=at_month_end)


def some_people(company) -> list[int]:
    """Return a junior, an executive and an employee about to retire, there on `ORIGIN` and for a year before."""
    spells = company.workforce.spells
    here = spells[(spells["hire"] < ORIGIN - 400) & (spells["exit"] > ORIGIN) & (spells["spell"] == 1)]
    return [here.index[here["level"] == 1][0], here.index[here["level"] == 6][0], here["birth_year"].idxmin()]


def life_of(company, row: int, start: int, months: int) -> dict:
    """Return what a closed form is told about one person who starts on a day and is followed for some months."""
    return {
        "rows": np.array([row]),
        "notice_days": company.workforce.spells.loc[[row], "notice_days"].to_numpy(),
        "origin": np.array([ORIGIN]),
        "start": np.array([start]),
        "end": months_later(np.array([ORIGIN]), months),
    }


@pytest.mark.parametrize("at_month_end", [False, True])
@pytest.mark.parametrize("start", [NEVER, ORIGIN, ORIGIN + 180])
def test_the_true_risk_is_what_many_lives_of_the_same_person_give(group, start, at_month_end):
    hazards = restless(group, at_month_end=at_month_end)
    for row in some_people(group):
        life = life_of(group, row, start, months=12)
        risk = voluntary_risk(hazards, **life, ratio=0.2)[0]
        lives = lived(hazards, row, life["notice_days"][0], start=start, ratio=0.2)
        seen = ((lives["voluntary"] < life["end"][0]) & (lives["voluntary"] <= lives["other"])).mean()
        assert risk > 0.003
        assert seen == pytest.approx(risk, abs=4 * np.sqrt(risk / N_LIVES))


@pytest.mark.parametrize("at_month_end", [False, True])
@pytest.mark.parametrize("start", [NEVER, ORIGIN, 19083, 19083 - 20])  # 19083 = 2022-04-01, the day of a round
def test_the_true_chance_of_promotion_is_what_many_lives_of_the_same_person_give(group, start, at_month_end):
    hazards = restless(group, at_month_end=at_month_end)
    rounds = promotion_rounds(ORIGIN - 400, ORIGIN + 1200)
    for row in some_people(group):
        life, person = life_of(group, row, start, months=24), group.workforce.spells.loc[[row]]
        plain, treated = (promotion_chance(group.scenario, person, rounds, odds) for odds in (5.0, 20.0))
        chance = promotion_risk(hazards, **life, ratio=0.2, rounds=rounds, chance=plain, treated_chance=treated)[0]
        lives = lived(hazards, row, life["notice_days"][0], start=start, ratio=0.2)
        last = lives[["voluntary", "other"]].min(axis=1).to_numpy()
        by_program = lives["starts"].to_numpy()[:, None] & (rounds > start)
        wins = np.random.default_rng(2).random((N_LIVES, len(rounds))) < np.where(by_program, treated, plain)
        counts = (rounds > ORIGIN) & (rounds < life["end"][0]) & (rounds <= last[:, None])
        assert chance > 0.005
        assert (wins & counts).any(axis=1).mean() == pytest.approx(chance, abs=4 * np.sqrt(chance / N_LIVES))


def test_the_truth_of_a_company_is_what_the_same_people_live_with_the_programs_and_without(two_fates):
    """Both fates of everybody who started (in a lottery: who was offered a place) are known.

    The programs change nobody's way in, and each fate one way only: the variance of a change is at most the truth, and
    where that is 0, nobody's fate changes.
    """
    with_it, without = two_fates
    records = with_it.workforce.enrolled.records
    pd.testing.assert_frame_equal(records, without.workforce.enrolled.records)
    truths = with_it.truth.set_index(["program", "role", "hypothesis", "horizon_months"])["truth"]
    is_lottery = with_it.scenario.programs[0].assignment == "lottery"
    origin, treated = ("intake", records["offered"]) if is_lottery else ("start", records["start"] < NEVER)
    for (program, role), people in records[treated].groupby(["program", "role"]):
        rows, start = people["row"].to_numpy(), people[origin].to_numpy()
        for months in (12,) if is_lottery else (12, 24):  # the last lottery's 24 months end after the data lock
            end = months_later(start, months)
            for hypothesis, seen in (("H1_retention", _resigned), ("H8_promotion", _promoted)):
                change = seen(with_it, rows, start, end).astype(float) - seen(without, rows, start, end)
                truth = truths[program, role, hypothesis, months]
                assert change.mean() == pytest.approx(truth, abs=4 * np.sqrt(abs(truth) / len(rows)))


def _resigned(company, rows, _start, end) -> np.ndarray:
    spells = company.workforce.spells.iloc[rows]
    return ((spells["exit_kind"] == "voluntary") & (spells["exit"] < end)).to_numpy()


def _promoted(company, rows, start, end) -> np.ndarray:
    """Return who rises in the jobs table after the start and before the end."""
    ids = company.workforce.spells["employee_id"].to_numpy()[rows]
    jobs = company.tables.jobs.sort_values(["employee_id", "effective_date"])
    rises = jobs[jobs["job_level"] > jobs.groupby("employee_id")["job_level"].shift()]
    windows = pd.DataFrame({"employee_id": ids, "start": start, "end": end, "window": np.arange(len(ids))})
    when = rises.merge(windows, on="employee_id")
    on = when["effective_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    return np.isin(windows["window"], when.loc[(on > when["start"]) & (on < when["end"]), "window"])


@pytest.mark.parametrize(("source", "leniency_sd"), [("self", 0.0), ("self", 0.5), ("others", 0.0), ("others", 0.5)])
def test_the_expected_score_is_the_mean_of_many_answers(source, leniency_sd):
    scale, random, n = demo_scenarios()["northbank"].surveys[0].scales[0], np.random.default_rng(2), 40_000
    raters = [RATER_NOISE_SD, leniency_sd] if source == "others" else []
    noise = np.linalg.norm([WAVE_NOISE_SD, *raters])
    for latent in (2.0, 3.4, 4.6):
        ticked = answers(latent + random.normal(0, noise, n), scale, 0.0, random)
        is_reversed = np.isin(scale.items, scale.reversed_items)
        score = np.where(is_reversed, 6 - ticked, ticked).mean(axis=1)
        expected = expected_score(np.array([latent]), scale, source, leniency_sd)[0]
        assert score.mean() == pytest.approx(expected, abs=4 * score.std() / np.sqrt(n))


def test_an_effect_builds_up_from_the_start_grows_with_the_years_and_with_age():
    start, born = np.array([NEVER, 19_000, 19_000, 19_000]), np.array([1982, 1982, 1982, 1962])
    plain = RoleDesign(levels=(1, 8), apply_share=0.1, effects={"idea_sharing": 0.4})
    knobs = replace(plain, effect_per_year=0.5, effect_per_decade=0.25)
    year_later = 19_000 + 60 + 365  # in 2023, when who was born in 1982 is as old as `EFFECT_AGE`, and a year

    def effects(opens: int, role: RoleDesign, construct: str = "idea_sharing") -> list[float]:
        return list(effect_on(opens, start, born, role, construct, "self"))

    assert effects(18_999, knobs) == [0, 0, 0, 0]
    assert effects(19_030, plain) == [0, 0.2, 0.2, 0.2]
    assert effects(year_later, plain) == [0, 0.4, 0.4, 0.4]
    assert effects(year_later, knobs)[1] == pytest.approx(0.4 * (1 + 0.5 * 365 / 365.25) * 1.025)
    assert effects(year_later, knobs)[3] == pytest.approx(0.4 * (1 + 0.5 * 365 / 365.25) * 1.525)
    assert effects(year_later, knobs, "morale") == [0, 0, 0, 0]


def test_a_response_shift_moves_ones_own_leadership_ratings_and_nothing_else():
    role = RoleDesign(levels=(1, 8), apply_share=0.1, effects={"leadership": 0.1, "morale": 0.2}, response_shift=0.3)
    assert (role.effect("leadership", "self"), role.effect("leadership", "others")) == (0.4, 0.1)
    assert (role.effect("morale", "self"), role.effect("recognition", "self")) == (0.2, 0.0)


CARELESS = 0.25


@pytest.fixture(scope="module")
def two_moods():
    """Heronmere, four times as many, a quarter of all forms careless; and the same people without any effect."""
    effects = dict.fromkeys(("morale", "leadership", *(scale.construct for scale in ATTITUDES)), 0.5)
    everybody = {"response_share": 0.9, "answer_on_morale": 0.0, "answer_if_treated": 0.0, "skip_share": 0.0}
    demo = demo_scenarios()["heronmere"]
    surveys = tuple(replace(survey, careless_share=CARELESS, **everybody) for survey in demo.surveys)
    like = replace(demo, name="two-moods", employees=5_000, surveys=surveys)
    knobs = {"effects": effects, "response_shift": 0.3, "effect_per_year": 0.3, "effect_per_decade": 0.2}
    scenario = changed(like, role=knobs)
    return simulate(scenario), simulate(without_effect(scenario))


def scores(company, scale, source: str) -> pd.DataFrame:
    """Return the scale scores of every form with its ``employee_id`` (who it is about), ``wave`` and ``score``."""
    tables = company.tables
    if scale.construct == "leadership":
        rows = tables.ratings.rename(columns={"ratee_id": "employee_id"})
        rows = rows[(rows["rater_role"] == "self") == (source == "self")]
    else:
        rows = tables.responses.assign(rater_id="")
    rows = rows[rows["item"].isin(scale.items)]
    turned = np.where(rows["item"].isin(scale.reversed_items), 6 - rows["value"], rows["value"])
    keys = ["employee_id", "rater_id", "wave"]
    return rows.assign(score=turned).groupby(keys)["score"].mean().reset_index()


def test_the_truth_of_every_scale_is_what_the_same_people_answer_with_the_program_and_without(two_moods):
    """Careless forms hold nothing of the program: over all forms an effect is the share of attentive ones times it."""
    with_it, _ = two_moods
    start = with_it.workforce.spells.drop_duplicates("employee_id").set_index("employee_id")["start"]
    truths = with_it.truth.set_index(["outcome", "rater_source"])["truth"]
    asked = [(survey, scale) for survey in with_it.scenario.surveys for scale in survey.scales]
    assert len(asked) == 6
    for survey, scale in asked:
        opens = pd.Series([day(d) for d in survey.opens], index=range(1, len(survey.opens) + 1))
        for source in ("self", "others") if survey.multirater else ("self",):
            both = [scores(company, scale, source) for company in two_moods]
            assert both[0][["employee_id", "rater_id", "wave"]].equals(both[1][["employee_id", "rater_id", "wave"]])
            begun, on = both[0]["employee_id"].map(start).to_numpy(), both[0]["wave"].map(opens).to_numpy()
            change = both[0]["score"] - both[1]["score"]
            assert (change[on <= begun] == 0).all()
            change = change[(begun <= on) & (on < months_later(np.minimum(begun, 30_000), 12))]
            if scale.construct == "digital_fluency":
                continue  # nothing is claimed about participants
            truth = truths[scale.construct, source if survey.multirater else ""]
            assert truth > 0.4
            assert change.mean() == pytest.approx((1 - CARELESS) * truth, abs=4 * change.std() / np.sqrt(len(change)))


def test_digital_fluency_is_asked_of_the_mentees_of_reverse_programs_alone():
    pulse = replace(demo_scenarios()["ostwire"].surveys[0], scales=ATTITUDES)
    scenario = changed(
        replace(demo_scenarios()["ostwire"], surveys=(pulse,)), role={"effects": {"digital_fluency": 0.3}}
    )
    truth = simulate(scenario).truth.set_index("hypothesis")
    asked = truth.loc[["H4_digital_fluency"]]
    assert asked[["program", "role", "outcome"]].to_numpy().tolist() == [["uplink", "mentee", "digital_fluency"]]
    assert asked["truth"].between(0.2, 0.3).all()
    assert (truth.loc[["H5_cross_generational", "H6_idea_sharing", "H7_recognition"], "truth"] == 0).all()
    assert len(truth.loc["H7_recognition"]) == 4


def test_the_workshops_change_how_people_talk_and_rate_themselves_and_not_what_others_see_nor_who_leaves(trust):
    truth = trust.truth.set_index(["hypothesis", "rater_source"])["truth"]
    assert (truth["H1_retention"] == 0).all() and (truth["H8_promotion"] == 0).all()
    assert truth["H5_cross_generational", ""] > 0.3 and truth["H6_idea_sharing", ""] > 0.3
    assert truth["H3_leadership", "self"] > 0.1 and truth["H3_leadership", "others"] == 0


@pytest.mark.parametrize("program", ["uplink", "backbone"])
@pytest.mark.parametrize("role", ["mentor", "mentee"])
def test_an_effect_reaches_the_role_of_the_program_it_belongs_to_and_nobody_else(program, role):
    nothing = replace(without_effect(demo_scenarios()["ostwire"]), employees=900, surveys=())
    strong = {"hazard_ratio": 0.1, "promotion_odds_ratio": 20.0}
    one = replace(nothing, programs=tuple(_with(p, role, **strong) if p.id == program else p for p in nothing.programs))
    with_it, without = workforce(one), workforce(nothing)
    mine = ((with_it.spells["program"] == program) & (with_it.spells["role"] == role)).to_numpy()
    later, risen = (
        (with_it.spells["decision"] != without.spells["decision"]).to_numpy(),
        (with_it.careers.promoted != without.careers.promoted).any(axis=1),
    )
    for touched in (later, risen):
        assert touched[mine].mean() > 0.1
        assert not touched[~mine].any()
    before = with_it.careers.promotions <= with_it.spells["start"].to_numpy()[:, None]
    assert (with_it.careers.promoted == without.careers.promoted)[before].all()


def test_a_start_on_the_day_of_a_promotion_round_counts_from_the_next_round_on():
    scenario = replace(SMALL, employees=400)
    company = workforce(scenario)
    careers = company.careers
    rounds, n = careers.promotions, len(company.spells)
    on_the_day = careers.with_program(scenario, company.spells, np.full(n, rounds[1]), np.full(n, 1e6))
    assert (on_the_day.promoted == careers.promoted)[:, :2].all()
    assert on_the_day.promoted[:, 2].mean() > careers.promoted[:, 2].mean() + 0.3


def _with(program, role, **knobs):
    return replace(program, **{role: replace(program.roles[role], **knobs)})


@pytest.mark.parametrize("name", demo_scenarios())
def test_a_program_without_effect_has_a_truth_of_exactly_zero(name):
    truth = simulate(without_effect(demo_scenarios()[name])).truth
    assert {"H1_retention", "H2_morale", "H8_promotion"} <= set(truth["hypothesis"])
    assert (truth["truth"] == 0).all()


def test_where_the_program_works_it_keeps_people_and_lifts_scores(group, services):
    for company, estimand in ((group, "ATT"), (services, "ITT")):
        truth = company.truth.set_index("hypothesis")["truth"]
        assert (truth.loc["H1_retention"] < 0).all()
        assert (truth.drop("H1_retention") > 0).all()
        assert set(company.truth["estimand"]) == {estimand}


def test_where_the_program_harms_it_drives_people_away_and_lowers_scores_and_promotions():
    truth = simulate(demo_scenarios()["plumetree"]).truth.set_index("hypothesis")["truth"]
    assert (truth.loc["H1_retention"] > 0).all()
    assert (truth.drop("H1_retention") < 0).all()


def test_truth_is_about_those_who_started_or_in_a_lottery_were_offered_a_place(group, services):
    for company in (group, services):
        retention = company.truth[company.truth["hypothesis"] == "H1_retention"].drop_duplicates("role")
        rows = company.tables.enrolments
        treated = rows["offered"].fillna(False) if company is services else rows["start_date"].notna()
        people = rows[treated].groupby("role")["employee_id"].nunique()
        assert retention.set_index("role")["n_treated"].to_dict() == people.to_dict()


def test_mentoring_delays_the_notice_of_those_who_start_and_of_nobody_else(group):
    spells = group.workforce.spells
    started = spells["start"] < NEVER
    assert (spells["decision"] == spells["untreated_decision"])[~started].all()
    assert (spells["decision"] >= spells["untreated_decision"])[started].all()
    assert (spells["decision"] > spells["untreated_decision"])[started].any()


# People as HR knows them


def test_nobody_who_left_before_the_study_is_in_the_data_and_many_were_hired_before_it(bank):
    people, start = bank.tables.employees, pd.Timestamp(bank.scenario.study_start)
    assert not (people["exit_date"] < start).any()
    assert (people["hire_date"] < start).mean() > 0.4


def test_people_leave_in_every_way_and_some_exits_have_no_type(bank):
    gone = bank.tables.employees.dropna(subset="exit_date")
    assert {"voluntary", "involuntary", "retirement", "end_of_contract", "transfer", "death"} == set(
        gone["exit_type"].dropna()
    )
    assert 0.005 < gone["exit_type"].isna().mean() < 0.07


def test_some_come_back_under_the_same_id_half_a_year_later_or_more_and_never_enrol_again(bank):
    people = bank.tables.employees.sort_values(["employee_id", "hire_date"])
    again = people[people["employee_id"].duplicated()].set_index("employee_id")
    before = people.drop_duplicates("employee_id").set_index("employee_id").loc[again.index]
    away = (again["hire_date"] - before["exit_date"]).dt.days
    assert len(again) >= 10
    assert away.between(182, 548).all()
    applied = bank.tables.enrolments.set_index("employee_id")["applied_date"]
    came_back = applied[applied.index.isin(again.index)]
    assert (came_back < again["hire_date"].reindex(came_back.index)).all()


def test_an_exit_after_the_lock_is_known_only_where_notice_was_given_before(bank):
    people, as_of = bank.tables.employees, pd.Timestamp(bank.scenario.as_of)
    future = people[people["exit_date"] > as_of]
    assert 0 < len(future) < 60
    assert (future["notice_date"] <= as_of).all()


def test_a_manager_is_someone_higher_in_the_department_who_is_employed(bank):
    jobs, people = bank.tables.jobs, bank.tables.employees
    led = jobs.dropna(subset="manager_id").sort_values("effective_date")
    boss = jobs[["employee_id", "effective_date", "job_level", "department"]].sort_values("effective_date")
    both = pd.merge_asof(
        led, boss, on="effective_date", left_by="manager_id", right_by="employee_id", suffixes=("", "_boss")
    )
    assigned = both[both["manager_id"] != both.groupby("employee_id")["manager_id"].shift()]
    employed = assigned.merge(people, left_on="manager_id", right_on="employee_id", suffixes=("", "_spell"))
    on = employed["effective_date"]
    quarterly = both[both["effective_date"].dt.strftime("%m-%d").isin(["01-01", "04-01", "07-01", "10-01"])]
    there = (employed["hire_date"] <= on) & ~(employed["exit_date"] < on)
    assert (assigned["job_level_boss"] > assigned["job_level"]).all()
    assert (assigned["department_boss"] == assigned["department"]).all()
    assert there.groupby([employed["employee_id"], on]).any().all()
    assert (quarterly["job_level_boss"] > quarterly["job_level"]).all()  # looked at again every quarter
    assert len(led) > 0.9 * len(jobs)


def test_careers_move_ratings_promotions_departments_and_managers(bank):
    jobs = bank.tables.jobs
    before = jobs.groupby("employee_id").shift()
    assert (jobs["job_level"] == before["job_level"] + 1).sum() > 100
    assert jobs["performance_rating"].dropna().isin([1, 2, 3, 4, 5]).all()
    for column in ("performance_rating", "department", "manager_id"):
        assert ((jobs[column] != before[column]) & before[column].notna() & jobs[column].notna()).any()


def test_at_month_ends_everybody_leaves_on_the_last_day_of_a_month(two_fates, vendor):
    left = two_fates[0].tables.employees["exit_date"].dropna()
    assert len(left) > 1000
    assert left.dt.is_month_end.all()
    assert 0.01 < vendor.tables.employees["exit_date"].dropna().dt.is_month_end.mean() < 0.07


@pytest.mark.parametrize("name", demo_scenarios())
@pytest.mark.parametrize(
    "extreme",
    [
        {"surveys": ()},
        {"annual_voluntary": 0.5},
        {"exits_at_month_end": True, "annual_voluntary": 0.5, "surveys": ()},
        {"as_of": dt.date(2022, 3, 10)},
    ],
)
def test_an_extreme_company_can_be_made(name, extreme):
    company = simulate(replace(demo_scenarios()[name], name="extreme", employees=300, **extreme))
    assert set(files(company)) >= {s["path"] for s in company.study["sources"]} | {"truth.csv", "study.yaml"}
    asked = any(opens <= company.scenario.as_of for s in company.scenario.surveys for opens in s.opens)
    assert (company.tables.waves is not None) == asked
    assert company.truth["truth"].between(-1, 1).all()


@pytest.mark.parametrize(("apply_share", "most"), [(0.02, 12), (1e-6, 0)])
def test_a_program_that_hardly_anybody_joins_is_still_a_company(apply_share, most):
    scenario = changed(scenario_named("quiet", like="northbank", employees=400), role={"apply_share": apply_share})
    company = simulate(scenario)
    assert company.tables.enrolments["start_date"].notna().sum() <= most
    assert len(company.truth) == 0 if most == 0 else company.truth["n_treated"].max() <= most
    assert set(company.tables.enrolments.columns) == set(TABLES["enrolments"])


# The programs


def test_nobody_starts_under_notice_or_after_the_exit_and_everybody_starts_on_a_monday_within_the_grace(bank):
    started = spell_of(bank, bank.tables.enrolments.dropna(subset="start_date"))
    wait = (started["start_date"] - started["intake_date"]).dt.days
    assert not (started["notice_date"] <= started["start_date"]).any()
    assert not (started["exit_date"] <= started["start_date"]).any()
    assert (started["start_date"].dt.day_of_week == 0).all()
    assert wait.between(1, bank.scenario.programs[0].grace_days).all()
    assert not started["employee_id"].duplicated().any()


def test_some_were_to_start_but_gave_notice_or_left_first(services, bank):
    waiting = pd.concat([spell_of(c, c.tables.enrolments) for c in (services, bank)])
    lost = waiting[(waiting["status"] == "withdrawn") & waiting["start_date"].isna()]
    gone = lost[["notice_date", "exit_date"]].min(axis=1)
    assert len(lost) > 0
    assert (gone.dropna() - lost["intake_date"].loc[gone.dropna().index]).dt.days.between(1, 60).all()


def test_starts_use_the_weeks_they_are_given():
    """Half a year to start instead of six weeks: the pairs spread over it."""
    scenario = changed(replace(demo_scenarios()["ostwire"], surveys=()), weeks_to_start=26, grace_days=182)
    rows = simulate(scenario).tables.enrolments.dropna(subset="start_date")
    wait = (rows["start_date"] - rows["intake_date"]).dt.days
    assert wait.between(1, 182).all()
    assert (wait > 150).mean() > 0.05


def test_two_programs_run_side_by_side_and_nobody_is_in_both(vendor):
    rows = vendor.tables.enrolments
    started = rows.dropna(subset="start_date")
    assert not started["employee_id"].duplicated().any()
    assert not rows.duplicated(["employee_id", "intake_date"]).any()
    both = rows.drop_duplicates(["employee_id", "program_id"])["employee_id"].duplicated()
    assert both.sum() > 10  # who was turned down by one may try the other
    again = rows.merge(started, on="employee_id", suffixes=("", "_started"))
    assert (again["intake_date"] <= again["intake_date_started"]).all()
    assert (started["match_id"].str.rsplit("-", n=1).str[0] == started["program_id"]).all()
    assert set(vendor.tables.sessions["match_id"].str.rsplit("-", n=1).str[0]) == {"uplink", "backbone"}


def test_the_junior_teaches_in_a_reverse_program_and_learns_in_a_traditional_one(vendor):
    started = vendor.tables.enrolments.dropna(subset="start_date").sort_values("start_date")
    jobs = vendor.tables.jobs.sort_values("effective_date").rename(columns={"effective_date": "start_date"})
    level = pd.merge_asof(started, jobs, on="start_date", by="employee_id").groupby(["program_id", "role"])["job_level"]
    directions = {p["id"]: p["direction"] for p in vendor.study["programs"]}
    assert directions == {"uplink": "reverse", "backbone": "traditional"}
    assert level.mean()["uplink", "mentor"] < 3 < 5 < level.mean()["uplink", "mentee"]
    assert level.mean()["backbone", "mentee"] < 3 < 5 < level.mean()["backbone", "mentor"]


def test_a_second_program_leaves_the_draws_of_the_first_alone():
    """The first intake of the first program is the same whether or not there is a second program."""
    two = replace(demo_scenarios()["ostwire"], surveys=(), employees=900)
    one = replace(two, programs=two.programs[:1])
    first = [
        c.enrolled.records.query("program == 'uplink' and intake == intake.min()").reset_index(drop=True)
        for c in map(workforce, (one, two))
    ]
    pd.testing.assert_frame_equal(*first)
    assert len(first[0]) > 20


def test_nobody_starts_in_pairs_where_one_side_is_empty():
    mentors_only = changed(
        replace(demo_scenarios()["plumetree"], surveys=()), mentee=RoleDesign(levels=(8, 8), apply_share=1e-6)
    )
    rows = simulate(mentors_only).tables.enrolments
    assert set(rows["role"]) == {"mentor"}
    assert rows["start_date"].isna().all()
    assert set(rows["status"]) == {"waitlisted", "not_selected", "declined"}


def test_only_eligible_levels_with_enough_tenure_apply(bank):
    rows = spell_of(bank, bank.tables.enrolments).sort_values("intake_date")
    jobs = bank.tables.jobs.sort_values("effective_date").rename(columns={"effective_date": "intake_date"})
    rows = pd.merge_asof(rows, jobs[["employee_id", "intake_date", "job_level"]], on="intake_date", by="employee_id")
    for role, design in bank.scenario.programs[0].roles.items():
        assert rows.loc[rows["role"] == role, "job_level"].between(*design.levels).all()
    assert ((rows["intake_date"] - rows["hire_date"]).dt.days >= 90).all()


def test_the_committee_turns_people_down_and_some_try_again(bank):
    rows = bank.tables.enrolments
    refused = rows[~rows["offered"].fillna(True)]
    assert set(refused["status"]) == {"not_selected", "waitlisted"}
    assert refused["start_date"].isna().all()
    assert rows["employee_id"].duplicated().any()


def test_volunteers_are_happier_and_better_rated_than_their_peers(services):
    company, opens = services.workforce, 18939  # 2021-11-08, the first intake
    level, rating = company.careers.level_on(opens), pd.Series(company.careers.rating_on(opens))
    peers = company.employed_on(opens) & (company.spells["decision"] > opens) & (level <= 2)
    records = company.enrolled.records
    volunteers = company.spells.index.isin(records.loc[records["intake"] == opens, "row"])
    for trait in (company.spells["morale"], rating):
        assert trait[peers & volunteers].mean() > trait[peers & ~volunteers].mean() + 0.15


def test_a_lottery_offers_half_and_nobody_who_lost_starts_while_he_is_compared(services):
    rows = services.tables.enrolments.sort_values("intake_date")
    share = rows.groupby(["intake_date", "role"])["offered"].mean()
    assert ((share - 0.5).abs() < 0.05).all()
    last_horizon = pd.DateOffset(months=max(services.scenario.horizons_months))
    gap = rows["intake_date"] - last_horizon - rows.groupby("employee_id")["intake_date"].shift()
    assert (gap.dropna() >= pd.Timedelta(0)).all()


def test_a_rollout_reaches_one_division_an_intake_and_two_never(group):
    rows = spell_of(group, group.tables.enrolments)
    jobs = group.tables.jobs.drop_duplicates("employee_id").set_index("employee_id")["department"]
    division = rows["employee_id"].map(jobs)
    assert set(division.groupby(rows["intake_date"]).nunique()) == {1}
    assert division.nunique() == len(group.scenario.departments) - 2


def test_pairs_have_both_sides_and_meet_while_they_last(group):
    started = group.tables.enrolments.dropna(subset="start_date")
    meetings = group.tables.sessions.merge(
        started.groupby("match_id").agg(
            first=("start_date", "min"), last=("end_date", "max"), roles=("role", "nunique")
        ),
        on="match_id",
    )
    assert len(meetings) == len(group.tables.sessions) > 500
    assert (meetings["roles"] == 2).all()
    assert (meetings["session_date"] > meetings["first"]).all()
    assert not (meetings["session_date"] > meetings["last"]).any()


def test_a_clinic_lists_who_dropped_in(bank):
    attended = bank.tables.sessions.assign(who=bank.tables.sessions["attendee_ids"].str.split(";")).explode("who")
    rows = attended.merge(
        bank.tables.enrolments.dropna(subset="start_date"),
        left_on=["match_id", "who"],
        right_on=["match_id", "employee_id"],
        how="left",
        validate="m:1",
    )
    assert (rows["session_date"] >= rows["start_date"]).all()
    assert not (rows["session_date"] > rows["end_date"]).any()


# Groups


def test_groups_have_eight_to_ten_people_of_all_ages_one_facilitator_and_one_first_day(trust):
    rows = trust.tables.enrolments.dropna(subset="start_date")
    assert rows.groupby("intake_date")["start_date"].nunique().eq(1).all()
    assert (rows["start_date"].dt.day_of_week == 0).all()
    assert (rows["start_date"] - rows["intake_date"]).dt.days.between(1, 45).all()
    assert rows.groupby("match_id")["role"].agg(lambda roles: (roles == "facilitator").sum()).eq(1).all()
    people = spell_of(trust, rows[rows["role"] == "participant"]).groupby("match_id")["birth_year"]
    assert people.size().between(8, 10).all() and len(people) > 12
    spans = people.max() - people.min()
    assert spans.min() > 15 and spans.mean() > 25
    medians = people.median()
    assert medians.max() - medians.min() < 10


def test_facilitators_lead_again_and_again_and_are_no_part_of_the_truth(trust):
    rows, spells = trust.tables.enrolments, trust.workforce.spells
    leads = rows[rows["role"] == "facilitator"]
    assert leads["employee_id"].nunique() < len(leads)
    assert not leads["employee_id"].isin(rows.loc[rows["role"] == "participant", "employee_id"]).any()
    assert not leads.duplicated(["employee_id", "intake_date"]).any()
    assert (spells.loc[spells["employee_id"].isin(leads["employee_id"]), "start"] == NEVER).all()
    assert set(trust.truth["role"]) == {"participant"} == set(trust.study["programs"][0]["eligibility"])
    jobs = trust.tables.jobs.sort_values("effective_date").rename(columns={"effective_date": "intake_date"})
    level = pd.merge_asof(leads.sort_values("intake_date"), jobs, on="intake_date", by="employee_id")["job_level"]
    assert level.between(*trust.scenario.programs[0].facilitator_levels).all()


def test_nobody_is_facilitator_and_participant_even_where_half_of_the_company_applies():
    scenario = changed(
        replace(demo_scenarios()["heronmere"], surveys=()), role={"apply_share": 0.5}, facilitator_levels=(1, 8)
    )
    rows = simulate(scenario).tables.enrolments
    led_first = rows[rows["role"] == "facilitator"].groupby("employee_id")["intake_date"].min()
    applied = rows[rows["role"] == "participant"].groupby("employee_id")["intake_date"].max()
    both = led_first.index.intersection(applied.index)
    assert len(led_first) > 10
    assert (applied[both] < led_first[both]).all()  # turned down, or stayed away, and leads later


@pytest.mark.parametrize(("levels", "n_groups"), [((8, 8), 4), ((9, 9), 0)])
def test_too_few_facilitators_make_fewer_and_larger_groups_and_none_makes_none(levels, n_groups):
    scenario = changed(replace(demo_scenarios()["heronmere"], surveys=(), employees=500), facilitator_levels=levels)
    one_intake = changed(scenario, intakes=scenario.programs[0].intakes[:1], role={"apply_share": 0.5})
    rows = simulate(one_intake).tables.enrolments
    started = rows.dropna(subset="start_date")
    assert started["match_id"].nunique() <= n_groups
    assert started.empty == (n_groups == 0)
    assert (started.groupby("match_id").size() > 11).all()
    if n_groups == 0:
        assert set(rows["role"]) == {"participant"} and "waitlisted" in set(rows["status"])


def test_a_workshop_lists_who_came_all_of_them_of_the_group_on_that_day(trust):
    attended = trust.tables.sessions.assign(employee_id=trust.tables.sessions["attendee_ids"].str.split(";"))
    attended = attended.explode("employee_id")
    started = trust.tables.enrolments.dropna(subset="start_date")
    rows = attended.merge(started, on=["match_id", "employee_id"], how="left", validate="m:1")
    assert (rows["session_date"] > rows["start_date"]).all()
    assert not (rows["session_date"] > rows["end_date"]).any()
    assert set(trust.tables.sessions["match_id"]) == set(started["match_id"])
    came = rows.groupby(["match_id", "session_date"])["role"].agg(lambda roles: (roles == "participant").sum())
    assert (came >= 3).all() and 4 < came.mean() < 8


# Surveys


def test_a_form_that_asks_more_stays_the_same_in_what_it_asked_before():
    short = replace(demo_scenarios()["fjellkode"], name="long-form")
    pulse = short.surveys[0]
    long = replace(short, surveys=(replace(pulse, scales=(*pulse.scales, *ATTITUDES)),))
    before, after = (simulate(scenario).tables for scenario in (short, long))
    asked = after.responses[after.responses["item"].isin(pulse.items)].reset_index(drop=True)
    assert len(after.responses) == 17 / 5 * len(before.responses)
    columns = ["employee_id", "wave", "item", "value", "responded_at"]
    pd.testing.assert_frame_equal(asked[columns], before.responses[columns])
    pd.testing.assert_frame_equal(after.employees, before.employees)
    assert 2 < after.responses["duration_seconds"].mean() / before.responses["duration_seconds"].mean() < 5


def test_attitudes_go_with_morale_and_digital_fluency_falls_with_age_and_level(group):
    spells = group.workforce.spells
    with_morale = spells[["cross_generational_climate", "idea_sharing", "recognition"]].corrwith(spells["morale"])
    assert with_morale.between(0.3, 0.6).all()
    among = spells[["cross_generational_climate", "idea_sharing", "recognition"]].corr().to_numpy()
    assert (among[np.triu_indices(3, 1)] < 0.3).all()
    age, fluency = 2021 - spells["birth_year"], spells["digital_fluency"]
    slope = np.linalg.lstsq(np.column_stack([np.ones(len(age)), age / 10, spells["level"]]), fluency, rcond=None)[0]
    assert slope[1:] == pytest.approx([-0.35, -0.10], abs=0.15)
    assert fluency[age > 50].mean() < fluency[age < 30].mean() - 0.5
    assert fluency[spells["level"] >= 5].mean() < fluency[spells["level"] <= 2].mean() - 0.3


def test_a_careless_form_is_a_straight_line_or_at_random_and_its_expected_answer_is_the_middle():
    attentive = np.full((20_000, 5), 4.0)
    attentive[:, 2] = np.nan
    ticked, is_careless = careless_forms(attentive, 0.3, np.random.default_rng(5))
    assert is_careless.mean() == pytest.approx(0.3, abs=0.015)
    assert np.isnan(ticked[:, 2]).all() and not np.isnan(np.delete(ticked, 2, axis=1)).any()
    assert (np.delete(ticked[~is_careless], 2, axis=1) == 4).all()
    heedless = np.delete(ticked[is_careless], 2, axis=1)
    is_line = (heedless == heedless[:, :1]).all(axis=1)
    assert is_line.mean() == pytest.approx(0.5 + 0.5 * 5**-3, abs=0.03)
    for forms in (heedless[is_line], heedless[~is_line]):
        assert np.bincount(forms.astype(int).ravel(), minlength=6)[1:].min() > 0.17 * forms.size
        assert forms.mean() == pytest.approx(3, abs=0.12)


def test_careless_forms_take_little_time_and_carefully_filled_ones_stay_as_they_were(trust):
    scenario = replace(trust.scenario, surveys=tuple(replace(s, careless_share=0.0) for s in trust.scenario.surveys))
    careful = simulate(scenario).tables
    rows, same = trust.tables.responses, careful.responses
    touched = ~((rows["value"] == same["value"]) | rows["value"].isna())
    forms = touched.groupby([rows["employee_id"], rows["wave"]]).transform("any")
    assert 0.015 < forms.mean() < 0.045
    assert (rows.loc[forms, "duration_seconds"] < 0.3 * same.loc[forms, "duration_seconds"]).all()
    assert (rows.loc[~forms, "duration_seconds"] == same.loc[~forms, "duration_seconds"]).mean() > 0.99
    pd.testing.assert_frame_equal(trust.truth, simulate(scenario).truth)


def test_a_lenient_rater_is_kind_to_everybody_on_every_wave_but_no_kinder_to_oneself(trust):
    def with_leniency(sd: float):
        surveys = tuple(replace(s, leniency_sd=sd, careless_share=0.0) for s in trust.scenario.surveys)
        return simulate(replace(trust.scenario, surveys=surveys))

    plain, lenient = with_leniency(0.0), with_leniency(0.5)
    ratings = lenient.tables.ratings.assign(kinder=lenient.tables.ratings["value"] - plain.tables.ratings["value"])
    is_self = ratings["rater_role"] == "self"
    assert (ratings.loc[is_self, "kinder"].dropna() == 0).all()
    kind = leniency(lenient.scenario, lenient.workforce, lenient.scenario.surveys[1])
    assert kind.std() == pytest.approx(0.5, abs=0.05)
    of_person = pd.Series(kind, index=lenient.workforce.spells["employee_id"]).groupby(level=0)
    assert (of_person.max() == of_person.min()).all()
    of_rater = of_person.first()
    many = ratings[~is_self].groupby(["rater_id", "wave"])["kinder"].agg(["mean", "size"]).query("size >= 15")
    for wave, found in many["mean"].groupby(level="wave"):
        assert np.corrcoef(found, of_rater[found.index.get_level_values("rater_id")])[0, 1] > 0.85, wave
    assert ratings[~is_self].groupby("rater_id")["ratee_id"].nunique().max() >= 3
    assert set(plain.tables.ratings["rater_id"]) == set(lenient.tables.ratings["rater_id"])


def test_only_people_with_direct_reports_are_rated_where_leaders_are_asked_about(trust):
    rated = trust.tables.ratings[["ratee_id", "wave"]].drop_duplicates()
    opens = trust.tables.waves.query("instrument == 'leadership_multirater'").set_index("wave")["opens"]
    for wave, on in opens.items():
        jobs = trust.tables.jobs[trust.tables.jobs["effective_date"] <= on].drop_duplicates("employee_id", keep="last")
        assert set(rated.loc[rated["wave"] == wave, "ratee_id"]) <= set(jobs["manager_id"].dropna())


def test_who_answers_follows_the_knobs():
    """Nobody's morale or program matters; or the content answer and participants do not."""
    demo = replace(demo_scenarios()["northbank"], employees=6_000)

    def answered(**knobs) -> tuple[pd.Series, pd.Series]:
        company = simulate(replace(demo, surveys=(replace(demo.surveys[0], **knobs),)))
        asked = company.workforce.spells[company.workforce.employed_on(19485)]  # 2023-05-08, the fifth wave
        wave = company.tables.responses.query("wave == 5")["employee_id"]
        return asked["employee_id"].isin(wave), asked

    for knobs, by_morale, by_start in (((0.0, 0.0), 0.0, 0.0), ((1.5, -2.0), 0.5, -0.25)):
        yes, asked = answered(response_share=0.5, answer_on_morale=knobs[0], answer_if_treated=knobs[1])
        treated = asked["start"] <= 19485
        means = yes.groupby([treated, asked["morale"] > 0]).mean()
        assert means[False, True] - means[False, False] == pytest.approx(by_morale, abs=0.09)
        assert means[True].mean() - means[False].mean() == pytest.approx(by_start, abs=0.15)


def test_an_undated_export_has_no_column_for_the_day(trust):
    header = files(trust)["raw/pulse_w1.csv"].partition(b"\n")[0]
    assert header == b"employee_id,item,value,duration_seconds"


def test_leavers_never_answer_after_their_exit_and_answers_come_while_the_wave_is_open(bank):
    answered = bank.tables.responses.drop_duplicates(["employee_id", "wave", "instrument"])
    answered = answered.merge(bank.tables.waves, on=["wave", "instrument"], validate="m:1")
    spells = answered.merge(bank.tables.employees, on="employee_id")
    employed = (spells["hire_date"] <= spells["opens"]) & ~(spells["exit_date"] < spells["responded_at"])
    assert employed.groupby([spells["employee_id"], spells["wave"]]).any().all()
    assert (answered["responded_at"] >= answered["opens"]).all()
    assert (answered["responded_at"] <= answered["closes"]).all()


def test_items_are_skipped_many_do_not_answer_and_participants_answer_more(bank):
    responses, spells = bank.tables.responses, bank.workforce.spells.drop_duplicates("employee_id")
    assert responses["value"].isna().mean() == pytest.approx(0.08, abs=0.01)
    last = responses[(responses["wave"] == 5) & (responses["instrument"] == "pulse")]
    opens = 19485  # 2023-05-08, when every intake has started
    asked = spells[(spells["hire"] <= opens) & (spells["exit"] >= opens)]
    answered = asked["employee_id"].isin(last["employee_id"]).groupby(asked["start"] <= opens).mean()
    assert 0.3 < answered[False] < 0.6
    assert answered[True] > answered[False] + 0.05


def test_untreated_morale_runs_in_parallel_for_those_who_will_start(group):
    spells, scale = group.workforce.spells, group.scenario.surveys[0].scales[0]
    responses = group.tables.responses.assign(
        value=lambda r: np.where(r["item"].isin(scale.reversed_items), 6 - r["value"], r["value"])
    )
    first, second = (responses[responses["wave"] == w].groupby("employee_id")["value"].mean() for w in (1, 2))
    change = (second - first).dropna()
    not_yet = spells[(spells["start"] > 19156) & (spells["spell"] == 1)]  # 2022-06-13, the second wave
    later = change.index.isin(not_yet.loc[not_yet["start"] < NEVER, "employee_id"])
    never = change.index.isin(not_yet.loc[not_yet["start"] == NEVER, "employee_id"])
    error = np.hypot(change[later].std() / np.sqrt(later.sum()), change[never].std() / np.sqrt(never.sum()))
    assert abs(change[later].mean() - change[never].mean()) < 3 * error


def test_a_360_has_oneself_a_manager_peers_and_direct_reports_all_employed(group):
    ratings = group.tables.ratings.drop_duplicates(["ratee_id", "rater_id", "wave"])
    assert set(ratings["rater_role"]) == {"self", "manager", "peer", "direct_report"}
    assert ((ratings["rater_role"] == "self") == (ratings["ratee_id"] == ratings["rater_id"])).all()
    ratings = ratings.merge(group.tables.waves, on=["wave", "instrument"])
    for who in ("ratee_id", "rater_id"):
        spells = ratings.merge(group.tables.employees, left_on=who, right_on="employee_id")
        there = (spells["hire_date"] <= spells["opens"]) & ~(spells["exit_date"] < spells["opens"])
        assert there.groupby([spells[who], spells["wave"]]).any().all()
