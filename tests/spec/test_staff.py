"""Who is an employee, and since when: contingent workers and interns, hires who never came, transfers, former ids."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from studies import write_study

from analysis.design.panels import Panels
from analysis.design.starts import NOT_STAFF
from analysis.design.trials import build_trials
from analysis.estimate.by_trials import why_no_trial
from analysis.ingest.staff_words import no_shows, worker_types
from analysis.measure.employment import tenure_days
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.described import people_flow
from analysis.pipeline.released import find
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

IDS = [f"E{n}" for n in range(1, 9)]


def company(folder: Path, employees: str, profile: str = "canonical", started=("E1",), **study) -> OpenStudy:
    """Open a study of eight people of one level, who is employed told by the text; some started on 2022-10-03."""
    starts = [f"genius,2022-10-01,{i},mentor,2022-10-03" for i in started]
    tables = {
        "jobs": "\n".join(["employee_id,effective_date,job_level", *(f"{i},2019-01-01,1" for i in IDS)]),
        "enrolments": "\n".join(["program_id,intake_date,employee_id,role,start_date", *starts]),
        "waves": "wave,instrument,opens,closes\n1,mini,2022-09-01,2022-09-14\n2,mini,2023-03-01,2023-03-14",
        "responses": "\n".join(
            ["employee_id,wave,instrument,item,value", *(f"{i},{w},mini,m1,{w + 1}" for i in IDS for w in (1, 2))]
        ),
    }
    write_study(folder / "acme", tables, **study)
    (folder / "acme" / "raw" / "staff.csv").write_text(employees, encoding="utf-8")
    file = folder / "acme" / "study.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    said["sources"].append({"table": "employees", "path": "raw/staff.csv", "profile": profile})
    file.write_text(yaml.safe_dump(said), encoding="utf-8")
    return open_study("acme", folder)


def of_types(**types: str) -> str:
    rows = [f"{i},2019-01-01,{types.get(i, '')}" for i in IDS]
    return "\n".join(["employee_id,hire_date,worker_type", *rows, ""])


def spells(opened: OpenStudy) -> dict[str, list[str]]:
    rows = opened.tables.employees
    days = rows["hire_date"].astype("str") + " " + rows["exit_date"].astype("str").fillna("")
    return days.str.strip().groupby(rows["employee_id"]).agg(list).to_dict()


def told(opened: OpenStudy) -> dict[str, tuple[int, ...]]:
    return {problem.rule: problem.example_rows for problem in opened.problems}


def flow(opened: OpenStudy):
    trials = build_trials(opened.tables, opened.study, opened.study.programs[0], "mentor", {})
    return trials.rows, trials.flow.set_index("step")["n_people"]


# Who belongs to the staff


def test_contingent_workers_and_interns_are_neither_participants_nor_comparators_and_are_counted(tmp_path):
    opened = company(tmp_path, of_types(E2="intern", E3="contingent", E4="employee"), started=("E1", "E2"))
    rows, steps = flow(opened)
    assert set(rows["employee_id"]) == {"E1", *IDS[3:]}
    assert (steps["started"], steps[NOT_STAFF], steps["analysed"]) == (2, 1, 1)
    assert told(opened)["not_staff"] == (3, 4)
    assert "E3" not in set(opened.tables.jobs["employee_id"])


def test_their_answers_are_in_no_comparison_of_scores(tmp_path):
    opened = company(tmp_path, of_types(E2="intern", E3="contingent"), started=("E1", "E2"))
    scores = self_scores("morale", opened.tables, opened.instruments)
    panel = Panels(opened.tables, opened.study, opened.study.programs[0], "mentor").after(scores)
    assert set(panel.rows["employee_id"]) == {"E1", *IDS[3:]}
    steps = panel.flow.set_index("step")["n_treated"]
    assert steps["started at any time, and their colleagues"] == 2
    assert steps["started in the period observed, and their colleagues"] == 1


def test_a_study_may_say_who_is_staff(tmp_path):
    opened = company(tmp_path, of_types(E2="intern", E3="contingent"), staff=["employee", "intern"])
    assert set(flow(opened)[0]["employee_id"]) == set(IDS) - {"E3"}


def test_a_kind_of_staff_that_is_none_is_an_error(tmp_path):
    with pytest.raises(BadInput):
        company(tmp_path, of_types(), staff=["temp"])


def test_where_all_who_started_are_interns_the_reason_says_so(tmp_path):
    opened = company(tmp_path, of_types(E1="intern"))
    trials = build_trials(opened.tables, opened.study, opened.study.programs[0], "mentor", {})
    assert "are no employees" in why_no_trial(trials)


def test_the_flow_of_people_stays_a_ladder(tmp_path):
    opened = company(tmp_path, of_types(E2="intern"), started=("E1", "E2"))
    ladder = people_flow(opened, [find(opened)[0]])
    left = ladder["n_people"].where(ladder["kind"] == "stage").astype("float")
    losses = ladder["n_people"].where(ladder["kind"] == "loss").astype("float")
    by_stage = left.notna().cumsum()
    assert NOT_STAFF in set(ladder["step"])
    stages, lost = left.dropna().to_numpy(), losses.groupby(by_stage).sum().to_numpy()[:-1]
    assert np.array_equal(stages[:-1] - lost, stages[1:])


@pytest.mark.parametrize(
    ("profile", "header", "kinds"),
    [
        ("workday", "Employee_ID,Hire_Date,Worker_Type,Worker_Sub-Type", {
            "Employee,Regular": "employee", "Employee,Intern (Fixed Term)": "intern", "Employee,Trainee": "intern",
            "Contingent Worker,Agency Temp": "contingent", "Employee,Fixed Term": "employee",
            "Employee,Working Student": "intern", "Employee,Management Trainee": "employee"}),
        ("successfactors", "personIdExternal,startDate,isContingentWorker,employeeClass", {
            "true,": "contingent", "false,": None, ",Intern": "intern", ",External": "contingent",
            ",Permanent": "employee"}),
        ("personio", "Personalnummer;Eintrittsdatum;Beschäftigungsart".replace(";", ","), {
            "Intern": "employee", "Extern": "contingent", "Werkstudent": "intern", "Praktikant/in": "intern",
            "Festangestellt": "employee", "Auszubildende": "employee"}),
        ("bamboohr", "Employee #,Hire Date,Employment Status", {
            "Contractor": "contingent", "Full-Time": "employee", "Intern": "intern"}),
        ("hibob", "Employee ID,Start date,Employment type", {
            "Freelancer": "contingent", "Permanent": "employee", "Non-contingent": "employee"}),
        ("oracle", "PERSON_NUMBER,DATE_START,PERIOD_TYPE,WORKER_TYPE", {
            "E,EMP": "employee", "E,CWK": "contingent", "E,Pending Worker": "other", ",Nonworker": "other"}),
        ("ukg", "employeeNumber,lastHireDate,employeeType", {
            "Regular": "employee", "Student Worker": "intern", "1099": "contingent"}),
    ],
)  # fmt: skip
def test_a_vendors_words_say_who_is_who(tmp_path, profile, header, kinds):
    rows = [f"E{n},2019-01-01,{cells}" for n, cells in enumerate(kinds, 1)]
    everybody = ["employee", "intern", "contingent", "other"]
    opened = company(tmp_path, "\n".join([header, *rows, ""]), profile, staff=everybody, sources=[], started=())
    found = opened.tables.employees.set_index("employee_id")["worker_type"]
    assert [None if pd.isna(kind) else kind for kind in found.loc[[f"E{n + 1}" for n in range(len(kinds))]]] == list(
        kinds.values()
    )


def cells(*texts: str) -> pd.Categorical:
    return pd.Categorical(list(texts), categories=pd.Index(texts, dtype="str"))


def test_what_the_study_says_of_a_value_counts_first():
    column = cells("Casual", "Intern", "Board")
    found = worker_types([column], {"contingent": ["casual"], "employee": ["Intern"]})
    assert list(found) == ["contingent", "employee", "employee"]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (("Intern", "Extern", "Extern"), "employee"),  # internal, in German, Dutch, Swedish and Danish
        (("Intern", "Externe"), "employee"),
        (("Intern", "Intern", "Regular"), "employee"),  # most people are no interns
        (("Intern", "Regular", "Contractor"), "intern"),
        (("Intern", "Regular", "External"), "intern"),
        (("Internal", "External", "Regular"), "employee"),
        (("International", "Regular", "Regular"), "employee"),
    ],
)
def test_intern_is_an_intern_or_internal(texts, kind):
    column = pd.Categorical(texts)
    assert worker_types([column.set_categories(column.categories.astype("str"))], {})[0] == kind


# Who never came


@pytest.mark.parametrize(
    ("reason", "never"),
    [
        ("No Show", True),
        ("no-show", True),
        ("Involuntary > No Show", True),
        ("Nicht angetreten", True),
        ("Offer rescinded", True),
        ("No call, no show", False),  # did not come any more
        ("Show", False),
        ("Resigned", False),
    ],
)
def test_the_words_for_a_hire_who_never_came(reason, never):
    assert no_shows([cells(reason)]).tolist() == [never]


def test_a_hire_who_never_came_is_no_employment_and_no_exit(tmp_path):
    rows = [f"{i},2019-01-01,," for i in IDS[:5]]
    rows += ["E6,2022-02-01,2022-02-20,No Show", "E7,2022-02-01,2022-02-01,Resigned", "E8,2022-02-01,2022-02-02,Other"]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,exit_date,exit_reason", *rows, ""]))
    assert told(opened)["no_show"] == (7, 8)
    assert set(spells(opened)) == {*IDS[:5], "E8"}


# Continuous service, transfers, former ids


def test_tenure_counts_from_continuous_service(tmp_path):
    rows = ["E1,2021-01-01,2011-01-01", "E2,2021-01-01,", "E3,2021-01-01,2021-06-01"]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,service_date", *rows, *_others(4)]))
    tenure = tenure_days(opened.tables.employees, pd.Timestamp("2021-01-01")).set_axis(
        opened.tables.employees["employee_id"]
    )
    assert (tenure["E1"], tenure["E2"], tenure["E3"]) == (3653, 0, 0)
    assert told(opened)["service_after_hire"] == (4,)


def _others(first: int, columns: int = 3) -> list[str]:
    return [*(f"{i},2019-01-01" + "," * (columns - 2) for i in IDS[first - 1 :]), ""]


def test_an_original_hire_before_the_hire_is_asked_about_unless_an_earlier_spell_explains_it(tmp_path):
    header = "Employee_ID,Hire_Date,Original_Hire_Date,Termination_Date"
    rows = ["E1,2021-01-01,2011-01-01,", "E2,2012-01-01,2012-01-01,2015-01-01", "E2,2021-01-01,2012-01-01,"]
    opened = company(tmp_path, "\n".join([header, *rows, *_others(3, 4)]), "workday")
    assert told(opened)["original_hire_before_hire"] == (2,)
    assert opened.tables.employees["service_date"].isna().all()
    columns = {"employees": {"service_date": "Original_Hire_Date"}}
    decided = company(tmp_path / "b", "\n".join([header, *rows, *_others(3, 4)]), "workday", columns=columns)
    assert "original_hire_before_hire" not in told(decided)


@pytest.mark.parametrize(
    ("left", "kind", "back", "expected"),
    [
        ("2022-05-31", "transfer", "2022-06-01", ["2019-01-01"]),
        ("2022-05-31", "transfer", "2022-07-01", ["2019-01-01"]),
        ("2022-05-31", "transfer", "2022-07-02", ["2019-01-01 2022-05-31", "2022-07-02"]),
        ("2022-05-31", "voluntary", "2022-06-01", ["2019-01-01 2022-05-31", "2022-06-01"]),
    ],
)
def test_a_transfer_that_a_spell_follows_is_no_exit(tmp_path, left, kind, back, expected):
    rows = [f"E1,2019-01-01,{left},{kind},Oldtown", f"E1,{back},,,", *_others(2, 5)]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,exit_date,exit_type,location", *rows]))
    assert spells(opened)["E1"] == expected
    assert ("transfer_united" in told(opened)) == (len(expected) == 1)
    if len(expected) == 1:
        person = opened.tables.employees.set_index("employee_id").loc["E1"]
        assert (person["location"], person["exit_type"] is pd.NaT or pd.isna(person["exit_type"])) == ("Oldtown", True)


def test_three_entities_in_a_row_are_one_employment_that_ends_once(tmp_path):
    rows = [
        "E1,2019-01-01,2020-12-31,transfer",
        "E1,2021-01-01,2022-12-31,transfer",
        "E1,2023-01-01,2024-06-30,voluntary",
        *_others(2, 4),
    ]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,exit_date,exit_type", *rows]))
    assert spells(opened)["E1"] == ["2019-01-01 2024-06-30"]
    assert opened.tables.employees.set_index("employee_id").loc["E1", "exit_type"] == "voluntary"


def test_who_got_a_new_id_is_one_person_in_every_file(tmp_path):
    rows = ["E1,2019-01-01,2022-05-31,", "N1,2022-06-01,,E1", *_others(2, 4)]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,exit_date,previous_employee_id", *rows]))
    assert spells(opened)["N1"] == ["2019-01-01"] and "E1" not in spells(opened)
    assert set(opened.tables.enrolments["employee_id"]) == {"N1"}
    assert "N1" in set(opened.tables.jobs["employee_id"]) and "N1" in set(opened.tables.responses["employee_id"])


def test_a_rehire_under_a_new_id_keeps_the_earlier_exit(tmp_path):
    rows = ["E1,2010-01-01,2015-05-31,", "N1,2022-02-01,,E1", *_others(2, 4)]
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,exit_date,previous_employee_id", *rows]))
    assert spells(opened)["N1"] == ["2010-01-01 2015-05-31", "2022-02-01"]


@pytest.mark.parametrize("rows", [["N1,2022-06-01,E1", "N2,2022-06-01,E1"], ["N1,2022-06-01,N2", "N2,2022-06-01,N1"]])
def test_a_former_id_that_two_claim_or_that_turns_in_a_circle_is_not_used(tmp_path, rows):
    opened = company(tmp_path, "\n".join(["employee_id,hire_date,previous_employee_id", *rows, *_others(1)]))
    assert told(opened)["former_id_unclear"] == (2, 3)
    assert set(spells(opened)) == {"N1", "N2", *IDS}
