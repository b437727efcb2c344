"""Who is in a trial where a company runs several things at once: five to ten invented employees each."""

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import write_study

from analysis.design import starts
from analysis.design.covariates import LEAST_PEOPLE, balance, balance_by_quarter, design_matrix
from analysis.design.eligibility import units_reached
from analysis.design.follow_up import build_history, until_job_event
from analysis.design.propensity import fit_propensity
from analysis.design.protocols import build_grace_trials
from analysis.design.references import ever_vs_never
from analysis.design.trials import Trials, build_trials
from analysis.design.weights import weigh
from analysis.measure.employment import EXITS, day_of, job_history, job_value_at, staff_on
from analysis.measure.exposure import first_starts
from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput
from analysis.plan.hypotheses import JobEvent
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule

pytestmark = pytest.mark.usefixtures("original_ids")

RISE = JobEvent(column="job_level", change="rise")


DAY = pd.Timestamp
GENIUS = {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "self_selected"}
ACADEMY = GENIUS | {"id": "academy", "name": "Academy", "format": "group"}
FIVE = """\
    employee_id,hire_date,exit_date,exit_type
    E1,2019-01-01,,
    E2,2019-01-01,,
    E3,2019-01-01,,
    E4,2019-01-01,,
    E5,2019-01-01,,
    """
LEVELS = """\
    employee_id,effective_date,job_level,department
    E1,2019-01-01,1,North
    E2,2019-01-01,1,North
    E3,2019-01-01,1,South
    E4,2019-01-01,1,South
    E5,2019-01-01,1,South
    """


def opened(folder: Path, enrolments: str, employees: str = FIVE, jobs: str | None = LEVELS, **study) -> OpenStudy:
    tables = {"employees": employees, "enrolments": enrolments} | ({"jobs": jobs} if jobs else {})
    write_study(folder / "acme", tables, **({"programs": [GENIUS, ACADEMY]} | study))
    return open_study("acme", folder)


def trials_of(company: OpenStudy, role: str = "mentor") -> Trials:
    return build_trials(company.tables, company.study, company.study.programs[0], role, {})


def people(trials: Trials) -> list[tuple[str, str, bool]]:
    return [(str(r.trial_date.date()), r.employee_id, bool(r.is_treated)) for r in trials.rows.itertuples()]


def lost(trials: Trials) -> dict[str, int]:
    """Return the steps of the flow at which somebody is counted."""
    counts = trials.flow.set_index("step")["n_people"]
    return counts[counts > 0].to_dict()


# 2. The program is older than the HR extract, which begins on 1 January 2022.

OLD_PROGRAM = """\
    program_id,intake_date,employee_id,role,start_date
    genius,2020-03-01,E1,mentor,2020-03-02
    genius,2020-03-01,E5,mentee,2020-03-02
    genius,2022-01-01,E2,mentor,2022-01-01
    genius,2022-06-01,E5,mentor,2022-06-06
    """


def test_who_started_before_the_period_observed_is_neither_treated_nor_a_comparator(tmp_path):
    """E1 started in 2020, and E5 in another role: nobody could have been seen leaving in 2021. E2 starts on day one."""
    company = opened(tmp_path, OLD_PROGRAM)
    trials = trials_of(company)
    assert people(trials) == [("2022-01-01", "E2", True), ("2022-01-01", "E3", False), ("2022-01-01", "E4", False)]
    assert lost(trials) == {"started": 3, "started before the period observed": 2, "analysed": 1}
    grace = build_grace_trials(company.tables, company.study, company.study.programs[0], "mentor", {})
    assert set(grace.rows["employee_id"]) == {"E2", "E3", "E4"}


def test_the_dashboard_counts_those_who_started_before_the_period_as_it_always_did(tmp_path):
    company = opened(tmp_path, OLD_PROGRAM)
    ever = ever_vs_never(company.tables, company.study, company.study.programs[0], "mentor").set_index("employee_id")
    assert ever["is_treated"].to_dict() == {"E1": True, "E2": True, "E3": False, "E4": False, "E5": True}


def test_a_history_begins_with_the_period_and_without_those_who_had_started(tmp_path):
    """E1 and E5 started in 2020; the next start is on 1 June 2022, and the history ends the day before."""
    later = OLD_PROGRAM.replace("genius,2022-01-01,E2,mentor,2022-01-01\n", "")
    company = opened(tmp_path, later)
    history = build_history(company.tables, company.study, company.study.programs[0], "mentor")
    assert set(history.rows["employee_id"]) == {"E2", "E3", "E4"}
    assert history.last_day == dt.date(2022, 6, 5) and history.n_eligible == 3


def test_a_start_after_the_data_lock_is_no_trial(tmp_path):
    """As tables in memory may have it; from files the check takes such a date away."""
    company = opened(tmp_path, OLD_PROGRAM)
    late = company.tables.enrolments.assign(start_date=DAY("2025-03-01"))
    tables = type(company.tables)(**(vars(company.tables) | {"enrolments": late}))
    trials = build_trials(tables, company.study, company.study.programs[0], "mentor", {})
    assert trials.rows.empty and lost(trials) == {}


# Many start days and many people: days are pooled.

DAILY = """\
    program_id,intake_date,employee_id,role,start_date
    genius,2022-03-01,E1,mentor,2022-03-01
    genius,2022-03-01,E2,mentor,2022-03-03
    genius,2022-03-01,E3,mentor,2022-03-06
    genius,2022-05-01,E4,mentor,2022-05-01
    """


def test_with_too_many_rows_days_are_one_trial_on_its_median_start(monkeypatch):
    """Fifteen rows allow three trials of five people: windows of 21 days from the first start on."""
    monkeypatch.setattr(starts, "MOST_TRIAL_ROWS", 15)
    days = pd.Series(pd.to_datetime(["2022-03-01", "2022-03-03", "2022-03-06", "2022-05-01"]), ["E1", "E2", "E3", "E4"])
    pooled = starts.trial_days(days, n_staff=5)
    assert pooled.dt.strftime("%m-%d").tolist() == ["03-03", "03-03", "03-03", "05-01"]
    monkeypatch.setattr(starts, "MOST_TRIAL_ROWS", 20)
    assert starts.trial_days(days, n_staff=5).equals(days)


def test_of_pooled_days_starts_are_taken_on_their_own_and_comparators_on_the_trials(tmp_path, monkeypatch):
    """E5 waits throughout, E4 until May; who starts within the window is no comparator in it."""
    monkeypatch.setattr(starts, "MOST_TRIAL_ROWS", 15)
    trials = trials_of(opened(tmp_path, DAILY))
    in_march = [("2022-03-01", "E1", True), ("2022-03-03", "E2", True), ("2022-03-06", "E3", True)]
    waiting = [("2022-03-03", "E4", False), ("2022-03-03", "E5", False)]
    in_may = [("2022-05-01", "E4", True), ("2022-05-01", "E5", False)]
    assert sorted(people(trials)) == sorted([*in_march, *waiting, *in_may])
    assert trials.rows.groupby("trial")["is_treated"].sum().tolist() == [3, 1]
    # E4 is followed as a comparator from the trial's day up to the own start, just short of two months.
    until = trials.rows.set_index(["trial", "employee_id"])["months"]
    assert 1.9 < until[0, "E4"] < 2 and lost(trials) == {"started": 4, "analysed": 4}
    follow = weigh(trials, EXITS, 12)
    assert (follow.exit > follow.entry).all() and follow.exit.max() == 12


def test_pooled_days_lose_nobody_and_nobody_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(starts, "MOST_TRIAL_ROWS", 5)
    gone = FIVE.replace("E2,2019-01-01,,", "E2,2019-01-01,2022-03-02,voluntary")
    trials = trials_of(opened(tmp_path, DAILY, gone))
    assert lost(trials) == {"started": 4, "not employed that day": 1, "analysed": 3}
    assert not trials.rows.duplicated(["trial", "employee_id"]).any()


# 4. Another program on the same day.


def test_who_starts_another_program_that_day_is_no_comparator_and_one_later_is_until_then(tmp_path):
    """E1 starts Genius; E2 the Academy on the same day, E3 three months later: he is followed until then."""
    trials = trials_of(
        opened(
            tmp_path,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-01
        academy,2022-03-01,E2,participant,2022-03-01
        academy,2022-06-01,E3,participant,2022-06-01
        """,
        )
    )
    rows = trials.rows.set_index("employee_id")
    assert rows["is_treated"].to_dict() == {"E1": True, "E3": False, "E4": False, "E5": False}
    assert rows.loc["E3", "months"] == 3.0 and pd.isna(rows.loc["E3", "outcome"])


def test_those_who_pass_a_start_elsewhere_stand_in_for_who_did_not(tmp_path):
    """Of the comparators E3, E4, E5 one starts the Academy in June: from then on the others weigh 3/2 each."""
    trials = trials_of(
        opened(
            tmp_path,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-01
        genius,2022-03-01,E2,mentor,2022-03-01
        academy,2022-06-01,E3,participant,2022-06-01
        """,
            jobs=None,
        )
    )
    (way,) = trials.competing_starts
    assert dict(zip(way.rows["employee_id"], way.rows["is_treated"], strict=True)) == {
        "E3": True,
        "E4": False,
        "E5": False,
    }
    followed = weigh(trials, EXITS, 12)
    control = ~followed.treated[followed.row]
    early, late = (followed.weights[control & (followed.entry == month)] for month in (0, 3))
    np.testing.assert_allclose(early, 2 / 3)
    np.testing.assert_allclose(late, 2 / 3 * 3 / 2)


# 8. The other role of the same program.


def test_a_start_in_the_other_role_is_a_competing_start_with_a_weight(tmp_path):
    """E3, a comparator of the mentors, becomes a mentee in June: censored then, and E4 and E5 stand in for E3."""
    trials = trials_of(
        opened(
            tmp_path,
            """\
        program_id,intake_date,employee_id,role,start_date
        genius,2022-03-01,E1,mentor,2022-03-01
        genius,2022-03-01,E2,mentor,2022-03-01
        genius,2022-06-01,E3,mentee,2022-06-01
        """,
        )
    )
    assert trials.rows.set_index("employee_id").loc["E3", "months"] == 3.0
    (way,) = trials.competing_starts
    assert way.rows.loc[way.rows["is_treated"], "employee_id"].tolist() == ["E3"]
    followed = weigh(trials, EXITS, 12)
    control = ~followed.treated[followed.row]
    assert followed.weights[control & (followed.entry == 3)].sum() == pytest.approx(2.0, abs=0.01)


# 15. A job row that takes effect on the start day.

CHANGED_THAT_DAY = """\
    employee_id,effective_date,job_level,department,manager_id
    E1,2019-01-01,1,North,E5
    E1,2022-03-01,2,South,E4
    E2,2022-03-01,1,North,E5
    E3,2019-01-01,1,South,E5
    E4,2019-01-01,2,South,
    E4,2022-02-28,3,South,
    E5,2019-01-01,3,South,
    """


def test_a_job_is_known_strictly_before_the_day(tmp_path):
    """On 1 March E1 moves up and E3 is new that day; E2's first row on record is of that day, so it is E2's job."""
    employees = FIVE.replace("E3,2019-01-01", "E3,2022-03-01")
    jobs = CHANGED_THAT_DAY.replace("E3,2019-01-01", "E3,2022-03-01")
    company = opened(tmp_path, OLD_PROGRAM.replace("2020-", "2022-"), employees, jobs)
    staff = staff_on(company.tables, job_history(company.tables.jobs), DAY("2022-03-01"))
    jobs_then = staff.jobs.set_axis(staff.spells["employee_id"])
    assert jobs_then["job_level"].to_dict() == {"E1": 1, "E2": 1, "E3": 1, "E4": 3, "E5": 3}
    assert jobs_then["department"].to_dict()["E1"] == "North" and jobs_then.loc["E1", "n_promotions"] == 0
    assert jobs_then["team_size"].dropna().to_dict() == {"E1": 2, "E2": 2, "E3": 2}, "E3 has only just come"


def test_a_rehired_person_has_the_job_of_the_day_of_hiring(tmp_path):
    employees = FIVE.replace("E1,2019-01-01,,", "E1,2019-01-01,2021-01-31,voluntary\n    E1,2022-03-01,,")
    company = opened(tmp_path, OLD_PROGRAM.replace("2020-", "2022-"), employees, CHANGED_THAT_DAY)
    staff = staff_on(company.tables, job_history(company.tables.jobs), DAY("2022-03-01"))
    assert staff.jobs.loc[staff.spells["employee_id"] == "E1", "job_level"].tolist() == [2]
    asked, days = pd.Series(["E1", "E1"]), pd.Series([DAY("2022-03-01")] * 2)
    hired = pd.Series([DAY("2022-03-01"), DAY("2019-01-01")])
    assert job_value_at(company.tables.jobs, "job_level", asked, days, hired).tolist() == [2, 1]
    assert job_value_at(company.tables.jobs, "job_level", asked, days, on_the_day=True).tolist() == [2, 2]


def test_who_is_promoted_on_the_start_day_is_not_promoted_again_by_the_next_row(tmp_path):
    """E1 reaches level 2 on the start day; in May E1's pay changes, at the same level."""
    jobs = CHANGED_THAT_DAY.replace("E2,2022", "E1,2022-05-01,2,South,E4\n    E2,2022")
    company = opened(tmp_path, OLD_PROGRAM.replace("2020-", "2022-"), jobs=jobs)
    rows = pd.DataFrame(
        {
            "employee_id": ["E1"],
            "trial_date": [DAY("2022-03-01")],
            "job_level": [1.0],
            "months": [12.0],
            "outcome": [None],
        }
    )
    assert until_job_event(rows, company.tables.jobs, "trial_date", RISE, "promotion")["outcome"].tolist() == [None]


# 3. Many departments.


def departments(n_levels: int, n_each: int, n_treated: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return departments of so many people; of the first half of them so many start, of the others nobody."""
    names = np.repeat([f"D{number:02d}" for number in range(n_levels)], n_each)
    treated = (np.arange(len(names)) % n_each < n_treated) & (np.arange(len(names)) < len(names) // 2)
    return pd.DataFrame({"department": names.astype(object)}), treated


def test_levels_with_few_who_start_stay_apart_and_are_balanced_each():
    """Ten departments of ten; two start in each of the first five. In the others nobody does: they hardly count."""
    covariates, treated = departments(10, 10, 2)
    matrix = design_matrix(covariates, treated)
    assert len(matrix.levels["department"]) == 10 and not matrix.n_pooled
    fit = fit_propensity(matrix.values, treated, np.zeros(len(treated), dtype=int))
    weights = np.where(treated, 1.0, fit.probability / (1 - fit.probability))
    frame = balance(matrix, treated, weights).set_index("covariate")
    assert (frame["kind"] == "level").sum() == 10
    largest, mean = (frame.loc[f"department ({kind} of 10 levels)"] for kind in ("largest", "mean"))
    levels = frame[frame["kind"] == "level"]
    assert abs(largest["smd_before"]) == pytest.approx(levels["smd_before"].abs().max())
    assert mean["smd_after"] == pytest.approx(levels["smd_after"].abs().mean())
    assert mean["smd_before"] > 0.25 and mean["smd_after"] < 0.05
    assert mean["levels"] == 10 and list(frame["kind"])[-10:] == ["level"] * 10, "the levels come last"


def test_levels_of_a_handful_of_people_are_one_together_and_counted():
    """Ten offices: two of 30 people, eight of two; a person in four trials is one person."""
    offices = np.repeat([f"O{n}" for n in range(10)], [30, 30, *[2] * 8])
    who = np.tile(np.arange(len(offices)), 4)
    covariates = pd.DataFrame({"location": np.tile(offices, 4).astype(object)})
    treated = np.arange(len(who)) % 7 == 0
    matrix = design_matrix(covariates, treated, people=who)
    assert matrix.levels["location"] == (
        f"location: 8 levels of under {LEAST_PEOPLE} people",
        "location: O0",
        "location: O1",
    )
    assert matrix.n_pooled == {"location": 8}


def test_what_is_of_a_few_people_is_not_released_but_their_summary_is():
    covariates, treated = departments(4, 20, 12)
    covariates.loc[:2, "department"] = "Z"
    frame = balance(design_matrix(covariates, treated), treated, np.ones(80), people=np.arange(80))
    shown = release_frame("balance", frame, ReleaseRule(10)).set_index("covariate")
    assert frame.set_index("covariate").loc["department: Z", ["smd_before", "smd_after"]].notna().all()
    assert shown.loc["department: Z", ["smd_before", "smd_after"]].isna().all() and "n_treated" not in shown
    assert shown.loc["department (largest of 5 levels)", ["smd_before", "smd_after"]].notna().all()


def test_in_a_quarter_many_levels_count_by_their_mean():
    covariates, treated = departments(10, 10, 2)
    rows = pd.DataFrame({"is_treated": treated, "employee_id": np.arange(100), "trial": 0,
                         "trial_date": DAY("2022-03-01")})  # fmt: skip
    quarter = balance_by_quarter(design_matrix(covariates, treated), rows, np.ones(100)).iloc[0]
    assert quarter["covariate"] == "department (mean of 10 levels)"


def test_a_trial_of_several_days_is_of_the_quarter_in_which_it_begins():
    """Its comparators' day may lie in the next quarter, in which nobody started."""
    covariates, treated = departments(4, 20, 12)
    days = pd.Series(treated).map({True: DAY("2022-03-30"), False: DAY("2022-04-02")})
    rows = pd.DataFrame({"is_treated": treated, "employee_id": np.arange(80), "trial": 0, "trial_date": days})
    [quarter] = balance_by_quarter(design_matrix(covariates, treated), rows, np.ones(80)).to_dict("records")
    assert (quarter["quarter"], quarter["n_treated"], quarter["n_control"]) == (
        "2022Q1",
        treated.sum(),
        (~treated).sum(),
    )
    assert np.isfinite(quarter["worst_after"])


# 9. A rollout.

ROLLOUT = GENIUS | {"assignment": "rollout"}
TEN = "employee_id,hire_date,exit_date,exit_type\n" + "".join(f"E{n},2019-01-01,,\n" for n in range(10))
# Two units of five; E9 moves from the South to the North in May.
UNITS = (
    "employee_id,effective_date,job_level,department\n"
    + "".join(f"E{n},2019-01-01,1,{'North' if n < 5 else 'South'}\n" for n in range(10))
    + "E9,2022-05-01,1,North\n"
)
IN_TURN = """\
    program_id,intake_date,employee_id,role,start_date
    genius,2022-03-01,E0,mentor,2022-03-01
    genius,2022-03-01,E1,mentor,2022-03-01
    genius,2022-06-01,E8,mentor,2022-06-01
    genius,2022-09-01,E5,mentor,2022-09-01
    genius,2022-09-01,E6,mentor,2022-09-01
    """


def in_turn(folder: Path, dates: dict | None = None, unit: str = "department", **study) -> OpenStudy:
    rollout = {"rollout": {"unit": unit, "dates": dates}} if dates is not None else {}
    return opened(folder, IN_TURN, study.pop("employees", TEN), UNITS, programs=[ROLLOUT | rollout], **study)


STATED = {"North": dt.date(2022, 3, 1), "South": dt.date(2022, 9, 1)}


def test_a_comparator_of_a_rollout_is_followed_to_the_units_day_the_own_start_or_the_move(tmp_path):
    """The South is reached in September; E8 starts there in June already, E9 moves to the North in May."""
    trials = trials_of(in_turn(tmp_path, STATED))
    march = trials.rows[trials.rows["trial"] == 0].set_index("employee_id")
    assert march["is_treated"].to_dict() == {
        **{"E0": True, "E1": True},
        **dict.fromkeys(["E5", "E6", "E7", "E8", "E9"], False),
    }
    assert march.loc[["E5", "E6", "E7", "E8", "E9"], "months"].tolist() == [6, 6, 6, 3, 2]
    assert lost(trials) == {
        "started": 5,
        "started before the unit was reached": 1,
        "no colleague to compare with that day": 2,
        "analysed": 2,
    }


def test_the_others_stand_in_for_early_starters_and_for_those_who_moved(tmp_path):
    """In May one of five moves, in June one of four starts: the other three weigh 5/4, then 5/4 times 4/3."""
    trials = trials_of(in_turn(tmp_path, STATED))
    early, moved = (way.rows[way.rows["is_treated"]] for way in trials.competing_starts)
    assert early["employee_id"].tolist() == ["E8"] and moved["employee_id"].tolist() == ["E9"]
    followed = weigh(trials, EXITS, 12, exclude=("location",))
    stays = trials.rows.index[trials.rows["employee_id"] == "E7"][0]
    mine = followed.row == stays
    assert followed.entry[mine].tolist() == [0, 2, 3]
    np.testing.assert_allclose(followed.weights[mine] / followed.weights[mine][0], [1, 5 / 4, 5 / 3])


def test_without_dates_a_unit_is_reached_when_a_share_of_those_eligible_starts(tmp_path):
    """One pilot of 25 in the South in January, three in March: reached in March, and the pilot started before it."""
    ids = [f"S{n:02d}" for n in range(25)]
    employees = "employee_id,hire_date,exit_date\n" + "".join(f"{i},2019-01-01,\n" for i in ids)
    jobs = "employee_id,effective_date,job_level,department\n" + "".join(f"{i},2019-01-01,1,South\n" for i in ids)
    enrolments = "program_id,intake_date,employee_id,role,start_date\n" + "".join(
        f"genius,{day},{who},mentor,{day}\n"
        for who, day in zip(ids, ["2022-01-10", "2022-03-01", "2022-03-15", "2022-04-01"], strict=False)
    )
    company = opened(tmp_path, enrolments, employees, jobs, programs=[ROLLOUT])
    starts = first_starts(company.tables.enrolments, "genius")
    reached = units_reached(company.tables, starts, company.study.programs[0])
    assert reached.to_dict() == {"South": DAY("2022-03-01")}


def test_a_unit_may_be_a_fixed_attribute_such_as_the_location(tmp_path):
    employees = "employee_id,hire_date,exit_date,location\n" + "".join(
        f"E{n},2019-01-01,,{'Graz' if n < 5 else 'Vienna'}\n" for n in range(10)
    )
    dates = {"Graz": dt.date(2022, 3, 1), "Vienna": dt.date(2022, 9, 1)}
    trials = trials_of(in_turn(tmp_path, dates, unit="location", employees=employees))
    march = trials.rows[trials.rows["trial"] == 0].set_index("employee_id")
    assert set(march["unit"]) == {"Graz", "Vienna"} and march.loc["E9", "months"] == 6, "a move of department is none"


def test_a_unit_that_nobody_is_in_stops_the_study_and_a_missing_date_is_told(tmp_path):
    with pytest.raises(BadInput) as bad:
        in_turn(tmp_path, {"North": dt.date(2022, 3, 1), "Sout": dt.date(2022, 9, 1)})
    (problem,) = [p for p in bad.value.problems if p.severity == "error"]
    assert problem.rule == "unknown_unit" and "'Sout'" in problem.message and "department" in problem.message
    found = in_turn(tmp_path, {"North": dt.date(2022, 3, 1)}).problems
    (told,) = [p for p in found if p.rule == "unit_without_date"]
    assert told.severity == "info" and "1 of 2" in told.message


def test_a_column_that_does_not_exist_cannot_be_the_unit(tmp_path):
    with pytest.raises(BadInput) as bad:
        in_turn(tmp_path, {"North": dt.date(2022, 3, 1)}, unit="divison")
    assert [p.rule for p in bad.value.problems if p.severity == "error"] == ["unknown_unit_column"]


def test_dates_of_a_rollout_belong_to_a_rollout(tmp_path):
    with pytest.raises(BadInput, match="rollout"):
        opened(tmp_path, IN_TURN, TEN, UNITS, programs=[GENIUS | {"rollout": {"dates": STATED}}])


def test_a_rollout_that_has_reached_no_unit_is_told_and_does_not_fail():
    """Nobody is in a reached unit, whenever one looks; pandas alone would fail where there is no day to look up."""
    units = pd.Series(["Sales", "Boilers", None])
    reached = pd.Series([], index=pd.Index([], dtype=object), dtype="datetime64[ns]")
    assert day_of(units, reached).isna().all()
    reached = pd.Series([DAY("2022-03-01")], index=["Sales"])
    found = day_of(units, reached)
    assert found[0] == DAY("2022-03-01") and found.isna().tolist() == [False, True, True]
