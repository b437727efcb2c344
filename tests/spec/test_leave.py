"""Leave: whoever is away on a day is not eligible that day, to start a program or to be compared with who starts."""

from pathlib import Path

import pytest
from test_cli import mentoring
from test_staff import IDS, company, flow, of_types, told

from analysis.design.eligibility import enrolment_funnel
from analysis.design.panels import Panels
from analysis.design.protocols import build_grace_trials
from analysis.design.trials import ON_LEAVE
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.checked import answerable
from analysis.plan.errors import BadInput
from analysis.plan.read_study import load_study

pytestmark = pytest.mark.usefixtures("original_ids")

HEADER = "employee_id,leave_start,leave_end,leave_type"


def with_leave(
    folder: Path, *rows: str, started=("E1",), profile: str = "canonical", header: str = HEADER
) -> OpenStudy:
    """Open the study of eight people of whom some started on 2022-10-03, and some were on leave."""
    company(folder, of_types(), started=started)
    (folder / "acme" / "raw" / "leave.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    file = folder / "acme" / "study.yaml"
    source = f"sources:\n- {{table: leave, path: raw/leave.csv, profile: {profile}}}\n"
    file.write_text(file.read_text(encoding="utf-8").replace("sources:\n", source), encoding="utf-8")
    return open_study("acme", folder)


@pytest.mark.parametrize(
    ("begin", "end", "is_away"),
    [
        ("2022-10-03", "2022-10-03", True),
        ("2022-01-01", "2022-10-03", True),
        ("2022-01-01", "", True),  # not over yet
        ("2022-01-01", "2022-10-02", False),
        ("2022-10-04", "", False),
    ],
)
def test_a_comparator_on_leave_that_day_is_none(tmp_path, begin, end, is_away):
    rows, steps = flow(with_leave(tmp_path, f"E2,{begin},{end},parental"))
    assert ("E2" in set(rows["employee_id"])) == (not is_away)
    assert ON_LEAVE not in steps, "nobody who started was away"


def test_who_starts_while_on_leave_is_counted_and_not_analysed(tmp_path):
    rows, steps = flow(with_leave(tmp_path, "E2,2022-09-01,2023-03-01,", started=("E1", "E2")))
    assert set(rows.loc[rows["is_treated"], "employee_id"]) == {"E1"} and "E2" not in set(rows["employee_id"])
    assert (steps["started"], steps[ON_LEAVE], steps["analysed"]) == (2, 1, 1)


def test_leave_later_on_ends_nobodys_follow_up(tmp_path):
    rows, _ = flow(with_leave(tmp_path, "E1,2022-12-01,2023-06-01,", "E2,2022-12-01,,"))
    assert rows["months"].nunique() == 1 and len(rows) == len(IDS)


def test_scores_compare_the_same_people(tmp_path):
    opened = with_leave(tmp_path, "E2,2022-09-01,2023-01-01,", "E3,2022-09-01,2023-01-01,", started=("E1", "E2"))
    scores = self_scores("morale", opened.tables, opened.instruments)
    panel = Panels(opened.tables, opened.study, opened.study.programs[0], "mentor").after(scores)
    assert set(panel.rows["employee_id"]) == {"E1", *IDS[3:]}


def test_so_do_those_followed_from_the_intake(tmp_path):
    opened = with_leave(tmp_path, "E3,2022-09-01,2022-10-01,")
    rows = build_grace_trials(opened.tables, opened.study, opened.study.programs[0], "mentor", {}).rows
    assert "E3" not in set(rows["employee_id"]) and "E2" in set(rows["employee_id"])


def test_who_was_away_when_the_intake_opened_could_not_be_enrolled(tmp_path):
    opened = with_leave(tmp_path, "E3,2022-09-01,2022-10-01,")
    steps = enrolment_funnel(opened.tables, opened.study, opened.study.programs[0], "mentor").set_index("step")[
        "n_people"
    ]
    assert steps["not eligible when an intake opened"] == 1


def test_check_counts_as_the_report_does(tmp_path):
    opened = with_leave(tmp_path, "E1,2022-09-01,,")
    reasons = {question.hypothesis: question.reason for question in answerable(opened)}
    assert reasons["H1_retention"] == (
        "Nobody who started was employed, eligible and not under notice on the day of the start."
    )


def test_overlapping_absences_are_fine_and_an_end_before_the_start_is_not(tmp_path):
    opened = with_leave(tmp_path, "E2,2022-01-01,2022-03-01,", "E2,2022-02-01,2022-04-01,")
    assert len(opened.tables.leave) == 2 and "leave_end_before_start" not in told(opened)
    with pytest.raises(BadInput) as bad:
        with_leave(tmp_path / "b", "E2,2022-01-01,2022-03-01,", "E2,2022-03-01,2022-02-01,")
    assert [(p.rule, p.example_rows) for p in bad.value.problems] == [("leave_end_before_start", (3,))]


def test_leave_of_a_stranger_is_an_error_and_later_leave_is_left_out(tmp_path):
    with pytest.raises(BadInput) as bad:
        with_leave(tmp_path, "E77,2022-01-01,,")
    assert [p.rule for p in bad.value.problems] == ["unknown_employee"]
    opened = with_leave(tmp_path / "b", "E2,2025-01-01,,", "E3,2022-01-01,2025-06-30,")
    assert told(opened)["leave_after_as_of"] == (2,) and opened.tables.leave["employee_id"].tolist() == ["E3"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("Employee ID,First Day of Leave,Actual Last Day of Leave,Leave Type", "E2,2022-09-01,2023-01-31,Parental"),
        ("userId,startDate,endDate,timeType", "E2,2022-09-01,2023-01-31,PARENTAL"),
        ("Employee #,From,To,Time Off Type", "E2,2022-09-01,2023-01-31,FMLA"),
        ("Personalnummer,Abwesend von,Abwesend bis,Abwesenheitsart", "E2,01.09.2022,31.01.2023,Elternzeit"),
        ("Matricule,Date de début,Date de fin,Type d'absence", "E2,2022-09-01,2023-01-31,Congé parental"),
        ("PERSON_NUMBER,START_DATE,END_DATE,ABSENCE_TYPE", "E2,2022-09-01,2023-01-31,Maternity"),
    ],
)
def test_lists_of_absences_are_read_under_many_headings(tmp_path, header, row):
    leave = with_leave(tmp_path, row, profile="leave", header=header).tables.leave
    days = leave[["leave_start", "leave_end"]].astype("str").to_numpy().tolist()
    assert days == [["2022-09-01", "2023-01-31"]] and leave["leave_type"].notna().all()


def test_holidays_and_leave_that_was_not_granted_are_left_out(tmp_path):
    rows = ["E2,2022-10-01,2022-10-14,Vacation,Approved", "E3,2022-10-01,2022-10-14,Parental,Denied"]
    rows += ["E4,2022-10-01,2022-10-14,Parental,Approved"]
    header = "Employee ID,Leave Start,Leave End,Leave Type,Status"
    opened = with_leave(tmp_path, *rows, profile="leave", header=header)
    assert opened.tables.leave["employee_id"].tolist() == ["E4"]
    assert (told(opened)["holiday"], told(opened)["leave_not_taken"]) == ((2,), (3,))


def test_a_status_says_today_alone_and_nothing_is_read_from_it(tmp_path):
    staff = (
        "Employee #,Hire Date,Status\n"
        + "".join(f"{i},2019-01-01,Active\n" for i in IDS[1:])
        + "E1,2019-01-01,On Leave\n"
    )
    opened = company(tmp_path, staff, "bamboohr")
    assert told(opened)["leave_status"] == (9,) and opened.tables.leave is None
    assert flow(opened)[1]["analysed"] == 1


def test_init_recognises_a_list_of_absences(tmp_path):
    (tmp_path / "loa.csv").write_text("Personalnummer;Abwesend von;Abwesend bis\nE2;01.09.2022;31.01.2023\n", "utf-8")
    run = mentoring("init", "acme", "--leave", tmp_path / "loa.csv", "--data", tmp_path / "data")
    assert run.returncode == 0, run.stderr
    [source] = load_study("acme", tmp_path / "data").sources
    assert (source.table, source.profile) == ("leave", "leave")
