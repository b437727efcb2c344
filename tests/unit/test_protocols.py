"""Starting within a grace period, attending as planned, a program that never was: by hand, then against known truth."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from ledger_rows import sample_row
from studies import write_study

from analysis.design import clones as design_clones
from analysis.design.clones import Clones, clones
from analysis.design.protocols import adherence, build_grace_trials, excused_from, intake_of_start, under_protocol
from analysis.design.references import (
    LEAST_MONTHS,
    Placebo,
    build_placebo,
    placebo_ever,
    placebo_schedule,
    placebo_trials,
)
from analysis.design.trials import FLOW_STEPS, Trials, build_trials
from analysis.design.weights import as_followed, trimmed, weigh
from analysis.estimate.analyses import Question, Told, run
from analysis.estimate.arms import Arms
from analysis.estimate.by_trials import ByTrials
from analysis.estimate.protocol_rows import PROTOCOL, CloneRisks
from analysis.estimate.retention import difference
from analysis.measure.employment import EXITS, add_months, months_between
from analysis.measure.exposure import attended
from analysis.pipeline import OpenStudy, open_study
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import load_instruments
from analysis.plan.probability import rng
from analysis.plan.results import Estimate
from analysis.plan.study import Study
from analysis.simulate import Company, scenario_named, simulate
from analysis.simulate.scenario import NEVER
from analysis.simulate.truth import retention_truth

pytestmark = pytest.mark.usefixtures("original_ids")

OUTCOME = "voluntary_exit"


def opened(folder: Path, tables: dict[str, str], **study) -> OpenStudy:
    write_study(folder / "acme", tables, **study)
    return open_study("acme", folder)


def ask_of(company: OpenStudy, role: str = "mentor", **changes) -> Question:
    study = company.study.model_copy(update=changes)
    return Question(study, study.programs[0], role, load_plan().hypothesis("H1_retention"))


def told(analysis: str, question: Question, trials: Trials | None = None, **sets) -> Told:
    """Return what one analysis says of trials and of the analysis sets that it needs beside them."""
    beside = SimpleNamespace(**{name: lambda made=made: made for name, made in sets.items()})
    context = ByTrials(question, OUTCOME, trials, beside, ever=lambda: None)
    return run([one for one in PROTOCOL if one.id == analysis], context)


# Grace: eight people by hand


# Intake on 1 January: A starts on the 11th, B on the 21st. C is under notice from the 5th and leaves on the 30th, D
# leaves on the 15th without notice, E to H stay. Intake on 1 July: E starts on the 5th.
EIGHT = {
    "employees": """\
        employee_id,hire_date,exit_date,exit_type,notice_date
        A,2019-01-01,,,
        B,2019-01-01,2022-06-30,voluntary,
        C,2019-01-01,2022-01-30,voluntary,2022-01-05
        D,2019-01-01,2022-01-15,voluntary,
        E,2019-01-01,,,
        F,2019-01-01,,,
        G,2019-01-01,,,
        H,2019-01-01,,,
        """,
    "enrolments": """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-01-01,A,mentor,2022-01-11
        genius,2022-01-01,B,mentor,2022-01-21
        genius,2022-07-01,E,mentor,2022-07-05
        """,
}


def eight(folder: Path) -> Clones:
    company = opened(folder, EIGHT)
    trials = build_grace_trials(company.tables, company.study, company.study.programs[0], "mentor", {})
    return clones(trials, EXITS, 12)


def weights_of(cloned: Clones, person: str, trial: int) -> dict[str, list[float]]:
    """Return a person's weights in both arms of a trial, in the order of time."""
    rows, found = cloned.trials.rows, {}
    [row] = np.flatnonzero((rows["employee_id"] == person) & (rows["trial"] == trial))
    by_arm = cloned.weights(np.ones(len(rows)))
    for name, arm, weights in zip(("start", "not"), (cloned.treated, cloned.control), by_arm, strict=True):
        found[name] = [round(w, 10) for w in weights[arm.row == row]]
    return found


def test_clones_weigh_as_derived_by_hand(tmp_path):
    """Still there on the 21st: A, B and E to H, of whom two started: q = 1/3.

    Of 7 who could (not C) one started on the 11th, of 5 (not D, not A) one on the 21st: shares 1/7 and 1 − 6/7 · 4/5 =
    11/35, so that 5/11 of the starts fall on the first day.
    """
    cloned = eight(tmp_path)
    q, g = 1 / 3, 5 / 11
    first, between = q, q / (1 - q * g)
    rounded = {k: round(v, 10) for k, v in {"first": first, "between": between, "waits": between * (1 - g)}.items()}
    assert rounded["between"] == round(11 / 28, 10)
    first, between, waits = rounded.values()
    assert weights_of(cloned, "A", 0) == {"start": [first, 1], "not": [first]}
    assert weights_of(cloned, "B", 0) == {"start": [first, waits, 1], "not": [first, between]}
    assert weights_of(cloned, "C", 0) == {"start": [first], "not": [first]}, "under notice: nothing to wait for"
    assert weights_of(cloned, "D", 0) == {"start": [first, waits], "not": [first, between]}
    assert weights_of(cloned, "E", 0) == {"start": [first, waits], "not": [first, between, 0.5]}
    # The second intake: one of E to H starts, so whoever does not stands for 4/3 from then on.
    assert weights_of(cloned, "F", 0)["not"] == [first, between, 0.5, round(0.5 * 4 / 3, 10)]
    assert weights_of(cloned, "F", 1) == {"start": [0.25], "not": [0.25, round(0.25 * 4 / 3, 10)]}
    assert weights_of(cloned, "E", 1) == {"start": [0.25, 1], "not": [0.25]}


def test_who_leaves_before_the_start_counts_in_both_arms(tmp_path):
    cloned = eight(tmp_path)
    rows = cloned.trials.rows
    for arm in (cloned.treated, cloned.control):
        left = rows["employee_id"].to_numpy()[arm.row[arm.outcome == 1]]
        assert {"C", "D"} <= set(left)
    assert "B" not in rows["employee_id"].to_numpy()[cloned.control.row[cloned.control.outcome == 1]]
    groups = cloned.trials.by_group
    assert set(groups.loc[groups["is_treated"], "employee_id"]) == {"A", "B", "E"}
    e = groups[(groups["employee_id"] == "E") & ~groups["is_treated"]]
    assert e["months"].iloc[0] == pytest.approx(6 + 4 / 31), "E is no comparator after the own start"


def test_the_clones_risk_is_the_product_of_the_weighted_shares_that_stay(tmp_path):
    """Under "do not start", within a month of either intake: D leaves while B, C and E to H are there, then C.

    B is censored on the 21st. At risk beside them are F, G and H of the second intake, each standing for 1/3 after E's
    start; nobody of them leaves.
    """
    b, c = 11 / 28, 1 / 3
    risk = CloneRisks(eight(tmp_path), (1,), 1).risks(np.ones((8, 1)))[0, 1]
    at_d, at_c = 6 * b + c + 3 / 3, 4 / 2 + c + 3 / 3
    assert risk == pytest.approx(1 - (1 - b / at_d) * (1 - c / at_c))


def test_counting_everybody_twice_changes_nothing(tmp_path):
    found = CloneRisks(eight(tmp_path), (1,), 12)
    once, twice = found.risks(np.column_stack([np.ones(8), np.full(8, 2.0)]))
    np.testing.assert_allclose(twice, once)


def test_a_start_belongs_to_its_intake_to_the_next_or_stands_alone():
    """Grace 45 days: E1 in time; E2 late, but within the grace of the next intake; E3 late and between them."""
    days = [("2022-01-01", "E1", "2022-02-15"), ("2022-01-01", "E2", "2022-06-10"), ("2022-01-01", "E3", "2022-04-01")]
    days += [("2022-06-01", "E4", "2022-06-01"), ("2022-06-01", "E5", "2022-05-20")]
    enrolments = pd.DataFrame(days, columns=["intake_date", "employee_id", "start_date"]).assign(
        program_id="genius", role="mentor"
    )
    for column in ("intake_date", "start_date"):
        enrolments[column] = pd.to_datetime(enrolments[column])
    program = Study.model_validate(simulate_study()).programs[0].model_copy(update={"id": "genius", "grace_days": 45})
    found = intake_of_start(enrolments, program, "mentor")["trial_date"].dt.strftime("%Y-%m-%d")
    assert found.to_dict() == {
        "E1": "2022-01-01",
        "E2": "2022-06-01",
        "E3": "2022-04-01",
        "E4": "2022-06-01",
        "E5": "2022-05-20",
    }


def simulate_study() -> dict:
    return company_like("any", employees=100).study


def test_who_started_another_role_first_is_followed_until_then_and_not_treated(tmp_path):
    tables = EIGHT | {
        "enrolments": """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-01-01,A,mentor,2022-01-11
        genius,2022-01-01,B,mentor,2022-01-21
        genius,2022-01-01,B,mentee,2022-01-06
        """
    }
    company = opened(tmp_path, tables)
    rows = build_grace_trials(company.tables, company.study, company.study.programs[0], "mentor", {}).rows
    assert list(rows.loc[rows["is_treated"], "employee_id"]) == ["A"]
    b = rows[rows["employee_id"] == "B"].iloc[0]
    assert b["start_date"] == pd.Timestamp("2022-01-06")


@pytest.mark.parametrize(
    ("starters", "reason"),
    [
        ("A,B,C,D,E,F,G,H", "In no intake"),
        ("A", "suppressed"),
        ("A,E,F", "Fewer than 3 of those who started"),
        ("A,E,F", "No such event"),
    ],
)
def test_no_number_without_two_arms_people_follow_up_or_exits(tmp_path, starters, reason):
    rows = [f"genius,2022-01-01,{who},mentor,2022-01-02" for who in starters.split(",")]
    text = "\n".join(["program_id,intake_date,employee_id,role,start_date", *rows]) + "\n"
    employees = EIGHT["employees"]
    if reason == "No such event":
        employees = employees.replace("voluntary", "retirement")
    study = {"as_of": "2022-09-30"} if reason.startswith("Fewer") else {}
    company = opened(tmp_path, {"employees": employees, "enrolments": text}, min_cell=3, **study)
    trials = build_grace_trials(company.tables, company.study, company.study.programs[0], "mentor", {})
    (row,) = told("ccw_aalen_johansen", ask_of(company), grace=trials).rows
    assert row.status == ("suppressed" if reason == "suppressed" else "not_estimable")
    assert reason in row.reason or row.status == "suppressed"


# Grace: worlds with a known answer


def company_like(
    name: str, employees: int = 900, annual_voluntary: float = 0.145, ratio: float = 1.0, weeks: int = 6
) -> Company:
    """Return a simulated company with a clinic that people choose by what is recorded.

    They start up to `weeks` weeks after the intake, which uses the grace to the full.
    """
    scenario = scenario_named(name, like="northbank", employees=employees)
    program = replace(scenario.programs[0], on_morale=0.0, weeks_to_start=weeks, grace_days=7 * weeks + 6)
    program = replace(program, mentor=replace(program.mentor, hazard_ratio=ratio))
    return simulate(replace(scenario, annual_voluntary=annual_voluntary, programs=(program,)))


def as_known(company: Company) -> OpenStudy:
    """Return the study as it is known at the data lock."""
    study, people = Study.model_validate(company.study), company.tables.employees
    known = people["exit_date"] <= pd.Timestamp(study.as_of)
    people = people.assign(**{column: people[column].where(known) for column in ("exit_date", "exit_type")})
    return OpenStudy(study, load_instruments(study), replace(company.tables, employees=people), ())


def grace_trials(company: OpenStudy):
    return build_grace_trials(company.tables, company.study, company.study.programs[0], "mentor", {})


def cloned_difference(company: OpenStudy) -> float:
    cloned = clones(grace_trials(company), EXITS, 12)
    treated, control = risks_of(cloned)
    return float(treated - control)


def naive_from_intake(company: OpenStudy) -> float:
    """Return those who started within the grace less the others, counted from the intake: immortal until the start."""
    arms = Arms.of(as_followed(grace_trials(company).by_group, EXITS, 12))
    return arms.treated.risk(OUTCOME, 12) - arms.control.risk(OUTCOME, 12)


def test_a_sample_of_those_who_never_start_stands_for_all_of_them(monkeypatch):
    """Twenty samples of two in five: right on average, with all who start in each; the weights add up to everybody."""
    trials = grace_trials(as_known(company_like("case-cohort")))
    whole = clones(trials, EXITS, 12, np.random.default_rng(0))
    assert (whole.worth == 1).all() and whole.trials is whole.whole, "few enough: nobody is left out"
    monkeypatch.setattr(design_clones, "MOST_STEPS", int(0.4 * len(whole.steps.row)))
    of_all, found, counted = risks_of(whole), [], []
    weigh_clones = Clones.weights
    monkeypatch.setattr(Clones, "weights", lambda of, *given: counted.append(given[0]) or weigh_clones(of, *given))
    chance_of_all = whole.chances(np.ones((len(whole.trials.rows), 1))).mean()
    for seed in range(20):
        some = clones(trials, EXITS, 12, np.random.default_rng(seed))
        assert some.worth.sum() == pytest.approx(len(whole.worth)) and len(some.worth) < 0.7 * len(whole.worth)
        assert some.trials.rows["is_treated"].sum() == whole.trials.rows["is_treated"].sum()
        assert len(some.whole.rows) == len(whole.whole.rows)
        found.append(risks_of(some))
        assert np.array_equal(counted[-1], some.worth[some.person]), "a bootstrap counts each for whom they stand"
        chances = some.chances(counted[-1][:, None])[:, 0]
        assert np.average(chances, weights=counted[-1]) == pytest.approx(chance_of_all, rel=0.1)
    error = np.std(found, axis=0, ddof=1) / np.sqrt(20)
    assert (np.abs(np.mean(found, axis=0) - of_all) < 3 * error + 0.002).all() and (error < 0.01).all()


def test_on_many_days_of_starting_the_follow_up_is_cut_on_some_of_them_and_the_risks_stay(monkeypatch):
    """By a third of the cuts, a weight grows some days late by all that has come since."""
    trials = grace_trials(as_known(company_like("case-cohort")))
    whole = clones(trials, EXITS, 12)
    n_days = len(np.unique(whole.steps.key % design_clones.DAYS))
    assert n_days < design_clones.MOST_CUTS, "on few days every one is a cut"
    monkeypatch.setattr(design_clones, "MOST_CUTS", n_days // 3)
    some = clones(trials, EXITS, 12)
    assert len(some.control.row) < 0.6 * len(whole.control.row)
    assert len(some.treated.row) == len(whole.treated.row)
    assert risks_of(some) == pytest.approx(risks_of(whole), abs=5e-4) and (risks_of(some) > 0.05).all()
    of_all, of_some = (c.weights(np.ones(len(whole.trials.rows)))[1] for c in (whole, some))
    assert of_some.max() == pytest.approx(of_all.max(), rel=0.05)


def risks_of(cloned: Clones) -> np.ndarray:
    return CloneRisks(cloned, (1,), 12).risks(np.ones((len(cloned.worth), 1)))[0]


def test_a_null_world_with_heavy_exit_comes_out_null_from_the_intake_and_the_naive_figure_does_not():
    companies = [
        as_known(company_like(f"grace-null-{i}", employees=1600, annual_voluntary=0.4, weeks=12)) for i in range(8)
    ]
    fair = np.array([cloned_difference(company) for company in companies])
    naive = np.array([naive_from_intake(company) for company in companies])
    assert abs(fair.mean()) < 3 * fair.std(ddof=1) / np.sqrt(len(companies))
    gap = naive - fair
    assert gap.mean() < -3 * gap.std(ddof=1) / np.sqrt(len(companies))
    assert naive.mean() < -0.05


def test_a_strong_effect_is_found_from_the_intake():
    """The truth: the risks of everybody who had a place and a day to start, with and without it, from the intake."""
    errors = []
    for i in range(8):
        company = company_like(f"grace-strong-{i}", annual_voluntary=0.3, ratio=0.3, weeks=12)
        records = company.workforce.enrolled.records
        had_place = records[(records["role"] == "mentor") & (records["planned_start"] < NEVER)]
        life = had_place.assign(origin=had_place["intake"])
        known = retention_truth(company.workforce, life, company.scenario.programs[0].mentor, 12)
        assert known < -0.08, "the scenario has an effect to be found"
        errors.append(cloned_difference(as_known(company)) - known)
    assert abs(np.mean(errors)) < 3 * np.std(errors, ddof=1) / np.sqrt(len(errors))


# Attendance: seven people by hand


SEVEN = {
    "employees": """\
        employee_id,hire_date,exit_date,exit_type,notice_date
        E1,2019-01-01,,,
        E2,2019-01-01,,,
        E3,2019-01-01,,,
        E4,2019-01-01,,,
        E5,2019-01-01,2022-04-10,voluntary,
        E6,2019-01-01,2022-09-30,voluntary,2022-04-10
        E7,2019-01-01,,,
        """,
    "enrolments": """\
        program_id,intake_date,employee_id,role,start_date,end_date,status,match_id
        genius,2022-01-01,E1,mentor,2022-01-10,,active,M1
        genius,2022-01-01,E2,mentor,2022-01-10,,active,M2
        genius,2022-01-01,E3,mentor,2022-01-10,2022-04-09,completed,M3
        genius,2022-01-01,E4,mentor,2022-01-10,2022-02-09,withdrawn,M4
        genius,2022-01-01,E5,mentor,2022-01-10,2022-04-10,withdrawn,M5
        genius,2022-01-01,E6,mentor,2022-01-10,,active,M6
        """,
    "sessions": """\
        match_id,session_date,minutes
        M1,2022-02-01,60
        M1,2022-04-01,60
        M1,2022-06-01,60
        M2,2022-02-01,60
        M2,2022-06-01,60
        M3,2022-02-01,60
        M4,2022-02-01,60
        M5,2022-02-01,60
        M6,2022-02-01,60
        """,
}


def seven(folder: Path, **tables) -> tuple[OpenStudy, Trials, np.ndarray]:
    company = opened(folder, SEVEN | tables, min_cell=3)
    program = company.study.programs[0]
    trials = build_trials(company.tables, company.study, program, "mentor", {})
    return company, trials, excused_from(company.tables, "genius", "mentor", trials.rows)


def test_attendance_is_judged_at_the_end_of_each_stretch_by_what_happened_in_it(tmp_path):
    """E1 attends throughout. E2 misses March to May and is judged no more. E3 completes in April: nothing is expected
    later. E4 withdraws in February, which excuses nothing. E5 leaves and E6 gives notice before the second end."""
    company, trials, excused = seven(tmp_path)
    kept = adherence(trials, attended(company.tables, "genius"), excused)
    by_person = pd.Series(range(len(trials.rows)), index=trials.rows["employee_id"])
    said = {
        who: "".join("+" if k else "-" if j else "." for j, k in zip(kept.is_judged[r], kept.has_kept[r], strict=True))
        for who, r in by_person.items()
    }
    assert said == {"E1": "+++", "E2": "+-.", "E3": "+..", "E4": "+-.", "E5": "+..", "E6": "+..", "E7": "..."}
    # All kept to it at first; then one of three, E1: like E1 were E2 and E4.
    assert kept.chance[by_person["E1"]] == pytest.approx([1, 1 / 3, 1], rel=1e-6)


def test_who_keeps_to_the_protocol_stands_for_who_does_not(tmp_path):
    company, trials, excused = seven(tmp_path)
    whole = weigh(trials, EXITS, 12)
    followed = under_protocol(whole, adherence(trials, attended(company.tables, "genius"), excused))
    of = {who: followed.row == r for r, who in enumerate(followed.rows["employee_id"])}
    np.testing.assert_allclose(followed.exit[of["E1"]], [2, 4, 6, 12])
    np.testing.assert_allclose(followed.weights[of["E1"]], [1, 1, 3, 3])
    np.testing.assert_allclose(followed.exit[of["E2"]], [2, 4])
    assert followed.outcome[of["E5"]].tolist() == [0, 1], "an exit within a stretch counts"
    assert followed.weights[of["E3"]].tolist() == [1, 1, 1, 1], "who was not judged stands for nobody else"
    e2 = followed.rows.set_index("employee_id").loc["E2"]
    assert e2["months"] == 4 and pd.isna(e2["outcome"])
    np.testing.assert_allclose(followed.weights[of["E7"]], whole.weights[whole.row == 6])


def test_without_sessions_or_deviation_or_adherence_the_row_says_why(tmp_path):
    company, trials, excused = seven(tmp_path)
    met = attended(company.tables, "genius")

    def row(met: pd.DataFrame | None, excused: np.ndarray = excused) -> Estimate:
        kept = None if met is None else adherence(trials, met, excused)
        (found,) = told("ipw_adherence_aalen_johansen", ask_of(company), trials, kept=kept).rows
        return found

    assert "no sessions" in row(None).reason
    assert "Nobody who started" in row(met.iloc[:0]).reason
    assert "Nobody who started" in row(met, np.ones(len(excused))).reason
    often = [
        (person, day)
        for person in trials.rows["employee_id"]
        for day in pd.to_datetime(["2022-02-01", "2022-04-01", "2022-06-01"])
    ]
    always = pd.DataFrame(often, columns=["employee_id", "session_date"])
    assert "Everybody who started" in row(always).reason
    assert row(met).status == "suppressed", "one comparator"


def leavers_attend_less(n: int) -> tuple[Trials, pd.DataFrame]:
    """Return trials in which the ill-rated leave more and attend less, and neither starting nor attending matters."""
    random, zero = rng("attendance"), pd.Timestamp("2022-01-03")
    treated = np.arange(n) < n // 2
    rating = random.normal(size=n)
    months = random.exponential(1 / (0.03 * np.exp(-0.8 * rating)))
    rows = pd.DataFrame(
        {
            "trial": 0,
            "trial_date": zero,
            "employee_id": [f"E{i}" for i in range(n)],
            "is_treated": treated,
            "unit": None,
            "manager_id": None,
            "job_level": 1.0,
            "months": np.minimum(months, 24.0),
            "outcome": np.where(months <= 24, OUTCOME, None),
        }
    )
    attends = random.random((n, 3)) < 1 / (1 + np.exp(-(0.6 + 1.2 * rating)))[:, None]
    met = [
        (f"E{i}", add_months(zero, 2 * stretch) + pd.Timedelta(days=9))
        for i, stretch in zip(*np.nonzero(attends & treated[:, None]), strict=True)
    ]
    covariates = pd.DataFrame({"performance_rating": rating})
    flow = pd.DataFrame({"step": FLOW_STEPS, "n_people": 0})
    return Trials(rows, covariates, flow, False), pd.DataFrame(met, columns=["employee_id", "session_date"])


def test_selection_into_attendance_is_weighted_away():
    trials, met = leavers_attend_less(12_000)
    kept = adherence(trials, met, np.full(len(trials.rows), np.inf))
    whole = weigh(trials, EXITS, 12)
    weighted = under_protocol(whole, kept)
    as_if_random = under_protocol(whole, replace(kept, chance=np.ones_like(kept.chance)))
    everybody, plain, fair = (Arms.of(f).treated.risk(OUTCOME, 12) for f in (whole, as_if_random, weighted))
    assert plain < everybody - 0.03, "those who attend leave less, whatever the program does"
    assert fair == pytest.approx(everybody, abs=0.01)
    found = difference(Arms.of(weighted), OUTCOME, 12)
    assert found.low < 0 < found.high


def test_the_protocol_leaves_the_derivatives_of_the_comparators_weights_as_they_are():
    trials, met = leavers_attend_less(600)
    whole = weigh(trials, EXITS, 12)
    cut = under_protocol(whole, adherence(trials, met, np.full(600, np.inf)))
    influences = [Arms.of(f).control.risk_influence(OUTCOME, 12) for f in (whole, cut)]
    np.testing.assert_allclose(*influences, atol=1e-12)


# Placebo


@pytest.fixture(scope="module")
def bank() -> OpenStudy:
    return as_known(company_like("placebo-bank", employees=800))


@pytest.fixture(scope="module")
def real(bank) -> Trials:
    return trimmed(build_trials(bank.tables, bank.study, bank.study.programs[0], "mentor", {}))


def placebo_of(company: OpenStudy, trials: Trials):
    program = company.study.programs[0]
    schedule = placebo_schedule(trials, company.tables.enrolments, company.study, program, 12)
    placebo = build_placebo(trials, schedule, company.tables, company.study, program, "mentor", {})
    return schedule, placebo


def test_placebo_days_are_the_real_ones_moved_back_as_far_as_the_company_is_observed(bank, real):
    """The clinic opens on 28 February 2022, the study on 1 January 2021: 14 months back, twelve of them to be read."""
    schedule, placebo = placebo_of(bank, real)
    assert (schedule.launch, schedule.shift_months, schedule.months) == (pd.Timestamp("2022-02-28"), 14, 12)
    moved = [add_months(day, -14) for day in real.rows.groupby("trial")["trial_date"].first()]
    assert schedule.days["trial_date"].tolist() == [d for d in moved if add_months(d, LEAST_MONTHS) <= schedule.launch]
    ends = months_between(placebo.rows["trial_date"], pd.Series(schedule.launch, index=placebo.rows.index))
    assert (placebo.rows["months"] <= ends + 1e-9).all()
    days = schedule.days["trial"].to_numpy()
    shares = real.rows.groupby("trial")["is_treated"].mean().to_numpy()[days]
    by_day = np.bincount(placebo.rows["trial"], weights=placebo.chance) / np.bincount(placebo.rows["trial"])
    np.testing.assert_allclose(by_day, shares, rtol=1e-6)


def test_nothing_that_happens_after_the_launch_is_read(bank, real):
    schedule, placebo = placebo_of(bank, real)
    people = bank.tables.employees
    later = people["exit_date"] >= schedule.launch
    assert later.any()
    stays = people.assign(**{column: people[column].mask(later) for column in ("exit_date", "exit_type")})
    again = placebo_of(replace(bank, tables=replace(bank.tables, employees=stays)), real)[1]
    pd.testing.assert_frame_equal(placebo.rows, again.rows)
    pd.testing.assert_frame_equal(placebo.ever, again.ever)


def test_a_placebo_starter_is_drawn_once_and_is_a_comparator_before_only(bank, real):
    _, placebo = placebo_of(bank, real)
    trials = placebo_trials(placebo, rng("one drawing"))
    rows = trials.rows
    starts = rows[rows["is_treated"]].set_index("employee_id")["trial_date"]
    assert len(starts) >= 10 and starts.index.is_unique
    others = rows[~rows["is_treated"] & rows["employee_id"].isin(starts.index)]
    own = others["employee_id"].map(starts)
    assert len(others) and (others["trial_date"] < own).all()
    assert (others["months"] <= months_between(others["trial_date"], own)).all()
    ever = placebo_ever(placebo, trials)
    assert set(ever.loc[ever["is_treated"], "employee_id"]) <= set(starts.index)


def test_placebo_starts_change_nothing_by_the_main_design_and_a_dashboard_says_they_do():
    fair, naive = [], []
    for i in range(4):
        company = as_known(company_like(f"placebo-{i}", employees=800, annual_voluntary=0.35))
        trials = trimmed(build_trials(company.tables, company.study, company.study.programs[0], "mentor", {}))
        rows = told("placebo", ask_of(company), placebo=placebo_of(company, trials)).rows
        assert [row.analysis for row in rows] == ["negative_control", "naive"]
        assert all(row.is_estimated and row.horizon_months == 12 for row in rows)
        fair.append(rows[0].estimate)
        naive.append(rows[1].estimate)
        assert rows[1].ci_high < 0
    assert abs(np.mean(fair)) < 3 * np.std(fair, ddof=1) / 2
    assert np.mean(naive) < -0.05


def test_a_program_that_began_with_the_records_has_no_placebo(bank, real):
    late = bank.study.model_copy(update={"study_start": pd.Timestamp("2021-10-01").date()})
    schedule = placebo_schedule(real, bank.tables.enrolments, late, late.programs[0], 12)
    assert schedule.months == 0 and schedule.days.empty
    said = told("placebo", ask_of(bank), placebo=(schedule, None))
    assert [row.status for row in said.rows] == ["not_estimable"] * 2
    assert "before the program began" in said.rows[0].reason
    assert said.checks == ()


def test_a_placebo_of_few_people_or_without_exits_gives_no_number(bank, real, monkeypatch):
    monkeypatch.setattr("analysis.estimate.protocol_rows.N_PLACEBOS", 3)
    schedule, placebo = placebo_of(bank, real)

    def rows(placebo: Placebo, **changes) -> tuple[Estimate, ...]:
        return told("placebo", ask_of(bank, **changes), placebo=(schedule, placebo)).rows

    assert [row.status for row in rows(placebo, min_cell=500)] == ["suppressed"] * 2
    nobody_left = replace(placebo, rows=placebo.rows.assign(outcome=None), ever=placebo.ever.assign(outcome=None))
    assert ["No such event" in row.reason for row in rows(nobody_left)] == [True, True]
    short = replace(placebo, rows=placebo.rows.assign(months=placebo.rows["months"].clip(upper=3), outcome=None))
    assert "could be followed" in rows(short)[0].reason


@pytest.mark.parametrize(("high", "passed"), [(0.01, True), (-0.01, False)])
def test_the_check_passes_when_the_interval_holds_no_difference(high, passed):
    row = sample_row(analysis="negative_control", contrast="placebo_start_vs_not", outcome=OUTCOME, ci_high=high)
    check = next(analysis for analysis in PROTOCOL if analysis.id == "placebo").control(row)
    assert check.passed is passed
    assert ("excludes" in check.sentence) is not passed
    assert "unrecorded" in check.sentence
