"""Before a program starts: the company's own exits, what a program could show, and nothing said that is not known."""

import datetime as dt
import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml
from studies import TINY_COMPANY, write_study
from test_cli import mentoring
from test_privacy import leaks

from analysis.design.follow_up import COLUMNS, History, build_history
from analysis.estimate.inference import wilson
from analysis.estimate.planning import Design, PlanRow, baseline, plan_frame, plan_rows, project
from analysis.estimate.power import power_of, smallest_detectable_difference
from analysis.pipeline import open_study, planned
from analysis.pipeline.planned import plan
from analysis.plan.contract import Assignment
from analysis.plan.errors import BadInput
from analysis.report import planning
from analysis.report.figures_planning import detectable_plot
from analysis.report.folders import new_folder
from analysis.report.ledger import write_problems
from analysis.report.planning_page import plan_page
from analysis.report.write import write_index
from analysis.simulate import scenario_named, simulate, write_company
from analysis.simulate.scenario import day as day_number
from analysis.simulate.scenario import months_later
from analysis.simulate.truth import voluntary_risk

# B resigned after notice, C came in May, D was dismissed; nobody has started anything yet.
FOUR = {
    "employees": """\
        employee_id,hire_date,exit_date,exit_type,notice_date
        A,2020-01-01,,,
        B,2020-01-01,2022-05-14,voluntary,2022-03-14
        C,2022-05-01,,,
        D,2020-01-01,2022-08-31,involuntary,
        """,
}
ONE_YEAR = {"study_start": "2022-01-01", "as_of": "2022-12-31"}


def opened(tmp_path, tables, **study):
    write_study(tmp_path / "acme", tables, **study)
    return open_study("acme", tmp_path)


def history_of(study, role: str = "any") -> History:
    program = study.study.programs[0] if study.study.programs else None
    return build_history(study.tables, study.study, program, role)


# The history


@pytest.mark.usefixtures("original_ids")
def test_people_are_followed_from_every_quarter_in_which_they_are_there(tmp_path):
    history = history_of(opened(tmp_path, FOUR, **ONE_YEAR))
    rows = history.rows.set_index(["employee_id", "landmark_date"])
    assert {who: len(part) for who, part in history.rows.groupby("employee_id")} == {"A": 4, "B": 2, "C": 2, "D": 3}
    assert rows.loc[("A", "2022-01-01"), "months"] == 12
    assert rows.loc[("B", "2022-01-01"), "months"] == pytest.approx(4 + 14 / 31)
    assert list(rows.loc["B", "is_under_notice"]) == [False, True]
    assert list(rows.loc["D", "months"]) == [8, 5, 2] and set(rows.loc["D", "outcome"]) == {"involuntary_exit"}
    assert rows.loc["A", "outcome"].isna().all() and rows.loc["C", "outcome"].isna().all()
    assert (history.observed_months, history.n_eligible, history.is_before_program) == (12, 2, False)


def test_nobody_counts_before_the_study_starts(tmp_path):
    history = history_of(opened(tmp_path, FOUR, study_start="2022-06-01", as_of="2022-12-31"))
    assert history.rows["landmark_date"].min() == pd.Timestamp("2022-06-01") and "B" not in set(
        history.rows["employee_id"]
    )


def test_the_history_ends_before_the_first_start_in_any_program(tmp_path):
    """D is dismissed at the end of August, after A has started in July: not an exit of the history any more."""
    started = """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-06-20,A,mentor,2022-07-01
        """
    history = history_of(opened(tmp_path, FOUR | {"enrolments": started}, **ONE_YEAR))
    assert history.is_before_program and history.last_day == dt.date(2022, 6, 30) and history.observed_months == 6
    assert set(history.rows["outcome"].dropna()) == {"voluntary_exit"}


@pytest.mark.usefixtures("original_ids")
def test_only_eligible_levels_and_tenures_count(tmp_path):
    jobs = "employee_id,effective_date,job_level\nA,2020-01-01,1\nB,2020-01-01,1\nC,2022-05-01,1\nD,2020-01-01,5\n"
    program = {"id": "genius", "name": "G", "direction": "reverse", "format": "pair", "assignment": "self_selected"}
    program["eligibility"] = {"mentor": {"job_level": [1, 2], "min_tenure_days": 100}}
    study = opened(tmp_path, FOUR | {"jobs": jobs}, **ONE_YEAR, programs=[program])
    rows = history_of(study, "mentor").rows
    assert set(rows["employee_id"]) == {"A", "B", "C"}
    assert rows.loc[rows["employee_id"] == "C", "landmark_date"].tolist() == [pd.Timestamp("2022-10-01")]


# The risk


def follow_up(months, outcome, reach, landmark="2022-01-01", notice=False, who=None) -> pd.DataFrame:
    n = len(months)
    return pd.DataFrame(
        {
            "landmark_date": pd.Timestamp(landmark),
            "employee_id": who if who is not None else [f"P{i}" for i in range(n)],
            "is_under_notice": notice,
            "months": np.asarray(months, dtype=float),
            "reach_months": float(reach),
            "outcome": outcome,
        },
        columns=COLUMNS,
    )


def history(rows: pd.DataFrame, observed: float, n_eligible: int = 400) -> History:
    return History(rows, dt.date(2022, 1, 1), dt.date(2023, 12, 31), observed, False, n_eligible)


def test_with_everybody_followed_the_risk_is_the_plain_share_with_its_wilson_interval():
    months, kinds = [3, 6, 9, 12, 5] + [24] * 45, ["voluntary_exit"] * 4 + ["involuntary_exit"] + [None] * 45
    found = baseline(history(follow_up(months, kinds, 24), 24), "voluntary_exit", 12)
    assert (found.basis, found.n_people, found.n_exits) == ("observed", 50, 4)
    assert found.risk == pytest.approx(4 / 50)
    assert (found.ci_low, found.ci_high) == pytest.approx(wilson(4 / 50, 50))
    everybody = baseline(history(follow_up(months, kinds, 24), 24), "any_exit", 12)
    assert everybody.risk == pytest.approx(5 / 50)


def test_a_short_history_is_projected_at_constant_hazards():
    """Four people, six months: one resigns and one is dismissed within a quarter; nobody is followed for a year."""
    rows = follow_up([2, 1, 3, 3], ["voluntary_exit", "involuntary_exit", None, None], 3)
    found = baseline(history(rows, 3), "voluntary_exit", 12)
    kind, every = 1 / 9, 2 / 9
    assert found.basis == "projected" and found.risk == pytest.approx(kind / every * (1 - np.exp(-every * 12)))
    assert found.person_years == pytest.approx(9 / 12)


def test_a_projection_goes_on_from_where_the_curve_ends():
    """Forty people for two quarters, one leaving in the first: after six months the rate of both quarters goes on.

    The curve pools both landmarks: at three months 40 + 39 are at risk.
    """
    first = follow_up([3, *[6] * 39], ["voluntary_exit", *[None] * 39], 6)
    second = follow_up([3] * 39, [None] * 39, 3, "2022-04-01", who=[f"P{i}" for i in range(1, 40)])
    found = baseline(history(pd.concat([first, second], ignore_index=True), 6), "voluntary_exit", 12)
    rate = 1 / (40 * 3 + 39 * 3)
    assert found.risk == pytest.approx(1 / 79 + 78 / 79 * (1 - np.exp(-6 * rate)))


def test_those_under_notice_give_exits_to_the_rate_and_nobody_to_the_curve():
    free = follow_up([3] * 40, [None] * 40, 3)
    leaving = follow_up([1], ["voluntary_exit"], 3, notice=True, who=["Q"])
    found = baseline(history(pd.concat([free, leaving], ignore_index=True), 3), "voluntary_exit", 12)
    assert found.risk == pytest.approx(1 - np.exp(-9 / 121)) and found.n_people == 40


def random_history(random: np.random.Generator, n: int, reach: float) -> pd.DataFrame:
    """Return people of constant hazards (1 % resign, .5 % are dismissed a month), seen from every quarter on."""
    left = random.exponential(1 / 0.015, n)
    kind = np.where(random.random(n) < 2 / 3, "voluntary_exit", "involuntary_exit")
    parts = []
    for begin in np.arange(0, reach, 3):
        there = np.flatnonzero(left > begin)
        end = np.minimum(left[there], reach) - begin
        outcome = np.where(left[there] <= reach, kind[there], None)
        parts.append(follow_up(end, outcome, reach - begin, who=[f"P{i}" for i in there]))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("month", "horizon"), [(12, 12), (6, 24), (0, 12)])
def test_influence_is_what_leaving_a_person_out_changes(month, horizon):
    rows = random_history(np.random.default_rng(5), 300, 18)
    risk, influence = project(rows, "voluntary_exit", month, horizon)
    people = pd.unique(rows["employee_id"])
    for i in (0, 17, 120, 299):
        without, _ = project(rows[rows["employee_id"] != people[i]], "voluntary_exit", month, horizon)
        assert risk - without == pytest.approx(influence[i], rel=0.05, abs=2e-5)
    assert influence.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("horizon", "reach"), [(12, 18), (24, 9)])
def test_intervals_hold_the_known_risk_as_often_as_they_say(horizon, reach):
    """Observed and projected, 400 simulated histories each, the same people seen from several quarters."""
    truth = 2 / 3 * (1 - np.exp(-0.015 * horizon))
    found = [
        baseline(history(random_history(np.random.default_rng([77, i]), 150, reach), reach), "voluntary_exit", horizon)
        for i in range(400)
    ]
    assert {b.basis for b in found} == {"observed" if reach > horizon else "projected"}
    risks = np.array([b.risk for b in found])
    assert abs(risks.mean() - truth) < 3 * risks.std() / 20
    covered = np.mean([b.ci_low <= truth <= b.ci_high for b in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 400)


def test_the_risk_is_that_of_the_simulated_company(tmp_path):
    """The closed-form risk of those eligible, not under notice, on the same landmarks; no program is in it."""
    company = simulate(scenario_named("planbank", like="northbank", employees=6000))
    write_company(company, tmp_path / "planbank")
    study = open_study("planbank", tmp_path)
    found = build_history(study.tables, study.study, study.study.program("genius"), "mentor")
    hazards, work = company.workforce.hazards, company.workforce
    spells, n = work.spells, len(work.hazards.decision.per_day)
    for horizon in (12, 24):
        risks = []
        for landmark in found.rows["landmark_date"].unique():
            on = day_number(landmark.date())
            level, hire = work.careers.level_on(on), spells["hire"].to_numpy()
            free = work.employed_on(on) & (spells["decision"].to_numpy() > on) & (level <= 3) & (hire <= on - 90)
            rows = np.flatnonzero(free[:n])
            origin = np.full(len(rows), on)
            notice, never = spells["notice_days"].to_numpy()[rows], np.full(len(rows), 10**6)
            until = months_later(origin, horizon)
            risks.append(voluntary_risk(hazards, rows, notice, origin=origin, start=never, end=until, ratio=1.0).mean())
        known = baseline(found, "voluntary_exit", horizon)
        std_error = (known.ci_high - known.ci_low) / (2 * 1.96)
        assert known.basis == ("observed" if horizon == 12 else "projected")
        assert abs(known.risk - np.mean(risks)) < 3 * std_error and std_error < 0.02


# The plan

NAMING = PlanRow(
    study="acme",
    program="genius",
    role="mentor",
    assignment=Assignment.SELF_SELECTED,
    outcome="voluntary_exit",
    horizon_months=12,
    quantity="smallest_detectable",
)


def known_risk(risk: float = 0.12, n_eligible: int = 400):
    months = np.where(np.arange(500) < 500 * risk, 6, 24)
    kinds = np.where(months < 24, "voluntary_exit", None)
    return baseline(history(follow_up(months, kinds, 24), 24, n_eligible), "voluntary_exit", 12)


def by_size(rows) -> dict:
    return {r.n_treated: r for r in rows if r.quantity == "smallest_detectable"}


def test_each_size_is_compared_with_the_eligible_who_do_not_start():
    rows = by_size(plan_rows(NAMING, known_risk(), ()))
    assert list(rows) == [15, 30, 60, 120, 200]
    assert rows[60].n_control == 340
    assert rows[60].difference == smallest_detectable_difference(0.12, 60, 340)
    assert rows[60].is_rough and not rows[200].is_rough


def test_a_lottery_offers_a_place_to_every_second_applicant():
    rows = by_size(plan_rows(replace(NAMING, assignment=Assignment.LOTTERY), known_risk(), ()))
    assert all(r.n_control == r.n_treated for r in rows.values()) and max(rows) == 200


def test_a_program_so_small_that_nobody_leaving_would_show_nothing_says_so():
    row = by_size(plan_rows(NAMING, known_risk(), ()))[15]
    assert row.status == "undetectable" and row.difference is None and "nobody" in row.reason
    assert power_of(0.12, 0.0, 15, 385) < 0.8


def test_the_smallest_program_that_shows_an_effect_is_the_smallest():
    (row,) = [r for r in plan_rows(NAMING, known_risk(), (0.09,)) if r.quantity == "program_size"]
    assert row.n_control == 400 - row.n_treated
    assert power_of(0.12, 0.03, row.n_treated, row.n_control) >= 0.8
    assert power_of(0.12, 0.03, row.n_treated - 1, row.n_control + 1) < 0.8


def test_an_effect_out_of_reach_is_told_apart_from_one_that_cannot_be():
    rows = plan_rows(NAMING, known_risk(), (0.01, 0.12))
    told = {(r.quantity, r.difference): r for r in rows if r.quantity != "smallest_detectable"}
    assert told["sample_size_per_arm", 0.01].n_treated > 10_000
    assert "not enough eligible" in told["program_size", 0.01].reason
    assert all(told[q, 0.12].status == "undetectable" for q in ("sample_size_per_arm", "program_size"))


def test_comparators_that_count_for_less_make_everything_harder():
    full = plan_rows(NAMING, known_risk(), (0.09,))
    half = plan_rows(replace(NAMING, effective_share=0.5), known_risk(), (0.09,))
    assert by_size(half)[60].difference == smallest_detectable_difference(0.12, 60, 170) > by_size(full)[60].difference
    sizes = [[r.n_treated for r in rows if r.quantity != "smallest_detectable"] for rows in (full, half)]
    assert all(b > a for a, b in zip(*sizes, strict=True))


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
def test_beyond_the_largest_size_a_program_shows_less(share):
    design = Design(False, 400, share)
    spread = [
        1 / n + 1 / (share * design.n_control(n)) for n in (design.largest - 9, design.largest, design.largest + 9)
    ]
    assert min(spread) == spread[1]


@pytest.mark.parametrize(
    ("rows", "observed", "n_eligible", "told"),
    [
        (follow_up([], [], 0), 0, 0, "before anything was observed"),
        (follow_up([], [], 24), 24, 0, "Nobody was eligible"),
        (follow_up([24] * 40, [None] * 40, 24), 24, 40, "no risk to plan with"),
        (follow_up([6] * 40, ["voluntary_exit"] * 40, 24), 24, 40, "no risk to plan with"),
        (follow_up([6, *[24] * 39], ["voluntary_exit", *[None] * 39], 24), 24, 1, "nobody to compare with"),
    ],
)
def test_what_cannot_be_planned_is_one_row_with_the_reason(rows, observed, n_eligible, told):
    (row,) = plan_rows(NAMING, baseline(history(rows, observed, n_eligible), "voluntary_exit", 12), (0.03,))
    assert row.status == "not_estimable" and told in row.reason and row.difference is None


# A study's plan, released


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A small simulated company on disk, in the contract's own form."""
    folder = tmp_path_factory.mktemp("data") / "smallbank"
    write_company(simulate(scenario_named("smallbank", like="northbank", employees=700)), folder)
    return folder


def changed(company, tmp_path, without: tuple[str, ...] = (), **study):
    """Copy the company without some tables and with other keys in its ``study.yaml``; return the data folder."""
    folder = tmp_path / "data" / "smallbank"
    shutil.copytree(company, folder)
    content = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8")) | study
    content["sources"] = [s for s in content["sources"] if s["table"] not in without]
    (folder / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    (folder / "SHA256SUMS").unlink(missing_ok=True)
    return folder.parent


def test_every_role_and_horizon_has_its_rows(company):
    found = plan(open_study("smallbank", company.parent), (0.08,))
    frame = plan_frame(found.rows)
    assert set(zip(frame["role"], frame["horizon_months"], strict=True)) == {
        (role, months) for role in ("mentor", "mentee") for months in (12, 24)
    }
    estimated = frame[frame["status"] == "estimated"]
    assert len(estimated) and estimated[["risk", "difference", "n_treated", "n_control"]].notna().all(axis=None)
    assert {0.03, 0.08} <= set(frame.loc[frame["quantity"] == "sample_size_per_arm", "difference"])


@pytest.mark.parametrize("without", [("enrolments", "sessions"), ("enrolments", "sessions", "jobs"), ("sessions",)])
def test_employees_alone_are_enough(company, tmp_path, without):
    found = plan(open_study("smallbank", changed(company, tmp_path, without)))
    assert [r.role for r in found.roles] == ["mentor", "mentee"]
    first = found.roles[0].rows[0]
    # From January 2021 to the data lock in June 2025, or to the first start in March 2022.
    assert first.risk is not None and first.observed_months == (54 if "enrolments" in without else 14.2)
    assert first.basis == "observed"


def test_only_where_no_lots_are_drawn_do_comparators_count_for_less(company, tmp_path):
    program = yaml.safe_load((company / "study.yaml").read_text(encoding="utf-8"))["programs"][0]
    data = changed(company, tmp_path, programs=[program | {"assignment": "lottery"}])
    by_lot, chosen = (plan(open_study("smallbank", d), effective_share=0.5) for d in (data, company.parent))
    assert {r.effective_share for r in by_lot.rows} == {1.0} and {r.effective_share for r in chosen.rows} == {0.5}


def test_a_study_without_a_program_plans_for_everybody(company, tmp_path):
    data = changed(company, tmp_path, ("enrolments", "sessions"), programs=[])
    (role,) = plan(open_study("smallbank", data)).roles
    assert role.program is None and role.rows[0].program == "" and role.rows[0].risk is not None
    assert "for everybody" in planning.role_label(role) and "people" in planning.plan_sentence(role)


def test_many_exits_of_unknown_kind_make_any_exit_the_outcome(company, tmp_path):
    data = changed(company, tmp_path)
    path = data / "smallbank" / "raw" / "employees.csv"
    employees = pd.read_csv(path, dtype=str)
    employees.assign(exit_type=None).to_csv(path, index=False)
    found = plan(open_study("smallbank", data))
    assert {r.outcome for r in found.rows} == {"any_exit"} and "of their own accord" not in plan_page(found)


def test_small_groups_are_suppressed_and_counts_of_others_rounded(company, tmp_path):
    found = plan(open_study("smallbank", changed(company, tmp_path, min_cell=100)))
    mentees = [r for r in found.rows if r.role == "mentee"]
    assert {r.status for r in mentees} == {"suppressed"} and len(mentees) == 2
    assert all(r.risk is None and r.n_eligible is None and r.n_people is None for r in mentees)
    mentors = [r for r in found.rows if r.role == "mentor"]
    counts = [n for r in mentors for n in (r.n_exits, r.n_people, r.n_eligible, r.person_years)]
    assert all(n % 5 == 0 for n in counts) and all(r.risk is not None for r in mentors)
    assert all(r.n_control == r.n_eligible - r.n_treated for r in mentors if r.quantity == "smallest_detectable")
    assert "&lt;100 such exits" in plan_page(found)


def test_a_row_without_employees_says_why_and_the_page_stands(company, tmp_path):
    found = plan(open_study("smallbank", changed(company, tmp_path, ("employees", "jobs"))))
    assert {r.status for r in found.rows} == {"not_estimable"} and "HR dates" in found.rows[0].reason
    assert "Nothing can be planned. The study has no HR dates" in plan_page(found)
    assert all(detectable_plot(role) is None for role in found.roles)


def test_sentence_picture_and_table_say_the_same_number(company):
    role = plan(open_study("smallbank", company.parent)).roles[0]
    row = planning.spoken_row(role)
    assert row.n_treated == 60 and row.horizon_months == 12
    drawn = detectable_plot(role)
    said = planning.NOT_EVEN if row.difference is None else planning.of_100(row.difference)
    table = planning.detectable_table(role).set_index("in the program")
    assert table.loc["60", "within 12 months"].rstrip("*") == said
    told = "not even a program that nobody leaves" if row.difference is None else f"fewer than {said} more of 100"
    assert told in planning.plan_sentence(role) and told in drawn.alt
    assert drawn.svg == detectable_plot(role).svg


def test_an_effect_with_more_decimals_than_are_shown_is_told_all_the_same(company, tmp_path):
    found = plan(open_study("smallbank", changed(company, tmp_path, smallest_effects={"H1_retention": 1 / 30})))
    assert "3.3 of 100, takes" in planning.plan_sentence(found.roles[0])


# The command


def test_a_plan_is_written_whole_and_told(company, tmp_path):
    reports = tmp_path / "reports"
    run = mentoring("plan", "smallbank", "--effect", 8, "--data", company.parent, "--reports", reports)
    assert run.returncode == 0, run.stderr
    folder = reports / "smallbank.plan"
    assert {p.name for p in folder.iterdir()} == {
        *("index.html", "plan.csv", "run.json", "data_quality.csv", "figures", "notebooks")
    }
    page = (folder / "index.html").read_text(encoding="utf-8")
    sentence = planning.plan_sentence(plan(open_study("smallbank", company.parent)).roles[0])
    assert sentence in page and sentence in run.stdout and "http" not in page.replace("http://www.w3.org", "")
    assert {3, 8} <= set((100 * pd.read_csv(folder / "plan.csv")["difference"]).round(6))
    book = json.loads((folder / "notebooks" / "08_planning.ipynb").read_text(encoding="utf-8"))
    assert sentence in json.dumps(book, ensure_ascii=False)
    ids = pd.read_csv(company / "raw" / "employees.csv", dtype=str)["employee_id"]
    assert leaks(folder, {text.encode() for text in ids}) == [] and str(tmp_path) not in page


def test_the_index_of_studies_does_not_take_a_plan_for_a_study(tmp_path):
    for name in ("acme", "acme.plan"):
        with new_folder(tmp_path / name) as folder:
            write_problems([], folder)
    page = write_index(tmp_path).read_text(encoding="utf-8")
    assert "acme" in page and "acme.plan" not in page


def test_bad_input_leaves_the_ledger_alone_in_the_folder(tmp_path):
    write_study(tmp_path / "acme", TINY_COMPANY)
    write_study(tmp_path / "acme", {"employees": TINY_COMPANY["employees"].replace("2019-03-01", "never")})
    (tmp_path / "reports" / "acme.plan").mkdir(parents=True)
    (tmp_path / "reports" / "acme.plan" / "plan.csv").write_text("an older plan")
    (tmp_path / "reports" / "acme.plan" / "run.json").write_text("{}")
    run = mentoring("plan", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 2 and "raw/employees.csv, line 2" in run.stderr and "Traceback" not in run.stderr
    assert [p.name for p in (tmp_path / "reports" / "acme.plan").iterdir()] == ["data_quality.csv"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("acme", "--effect", 0), "--effect: 0 is no percentage"),
        (("acme", "--effect", -3, "--effect", 101), "--effect: 101 is no percentage"),
        (("acme", "--effect", "nan"), "--effect: nan is no percentage"),
        (("acme", "--comparators", 0), "--comparators: 0 is no percentage"),
        (("nowhere",), "nowhere/study.yaml"),
        (("../acme",), "is not a study's name"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path, words, told):
    write_study(tmp_path / "data" / "acme", FOUR)
    run = mentoring("plan", *words, "--data", tmp_path / "data", "--reports", tmp_path / "reports")
    assert run.returncode == 2 and told in run.stderr and "Traceback" not in run.stderr
    assert not (tmp_path / "reports").exists()


def test_without_employees_there_is_nothing_to_plan_from(tmp_path):
    write_study(tmp_path / "acme", {"waves": TINY_COMPANY["waves"]})
    run = mentoring("plan", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 2 and "HR dates" in run.stderr


def test_a_fault_of_the_program_tells_no_data(tmp_path, monkeypatch):
    def faulty(*_):
        raise KeyError("B moved away")

    write_study(tmp_path / "acme", FOUR)
    monkeypatch.setattr(planned, "plan", faulty)
    run = mentoring("plan", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 1 and "KeyError" in run.stderr and "moved away" not in run.stdout + run.stderr


def test_a_handful_of_people_gives_a_suppressed_plan_and_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("analysis.report.execute.notebooks_dir", lambda: tmp_path / "none")
    write_study(tmp_path / "acme", FOUR, **ONE_YEAR)
    run = mentoring("plan", "acme", "--data", tmp_path, "--reports", tmp_path / "reports")
    assert run.returncode == 0 and "too small to be shown" in run.stdout
    ledger = pd.read_csv(tmp_path / "reports" / "acme.plan" / "plan.csv")
    assert set(ledger["status"]) == {"suppressed"} and ledger["risk"].isna().all() and ledger["n_people"].isna().all()


def test_employees_are_needed_for_a_history(tmp_path):
    study = opened(tmp_path, {"waves": TINY_COMPANY["waves"]})
    with pytest.raises(ValueError, match="employees"):
        history_of(study)
    with pytest.raises(BadInput, match="HR dates"):
        planned.plan_study("acme", tmp_path, tmp_path / "reports", say=lambda _: None)
