"""From an export to the contract's rows: each rule of the engine on a few invented rows."""

from collections.abc import Mapping

import pandas as pd
import pytest
import yaml
from studies import INSTRUMENT, STUDY, as_csv

from analysis.ingest.dates_to_waves import intake_of
from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.read_study import load_study

INVENTED = """\
profile: invented
title: An invented vendor
unverified: made up for these tests
tables:
  employees:
    - recognised_by: [Number, Joined, Left]
      columns: {hire_date: [Joined, First joined], exit_date: Left, exit_type: Kind, exit_reason: Why, location: Site}
      keys: {employee_id: {by: id, columns: Number}}
      directory:
        - {by: email, columns: Mail}
        - {by: first_and_last, columns: [First, Last]}
      picks:
        exit_type:
          - {when: {Cause: ["*death*"]}, is: death}
          - {when: {Cause: ["*retire*"], Forced: ""}, is: retirement}
      values: {exit_type: {voluntary: ["Own wish*"], involuntary: [Dismissed]}}
      missing: [still here]
      reject:
        - {when: {Rescinded: "yes"}, rule: rescinded_hire, message: is a hire that was rescinded}
      ignored: [Badge colour]
      personal: [Nick*]
    - recognised_by: [Staff code, Entry]
      columns: {hire_date: Entry}
      keys: {employee_id: {by: id, columns: Staff code}}
  jobs:
    columns: {effective_date: From, job_level: Level}
    keys:
      employee_id: {by: id, columns: Number}
      manager_id: [{by: id, columns: Boss number}, {by: name, columns: Boss}]
  responses:
    answers: wide
    columns: {responded_at: Sent}
    keys:
      employee_id: [{by: id, columns: Number}, {by: email, columns: Mail}, {by: name, columns: Who}]
    reject:
      - {when: {State: Preview}, rule: preview, message: is a preview}
      - {when: {Done: "no"}, rule: unfinished_form, message: was begun and never sent, incomplete: true}
  enrolments:
    - recognised_by: [Mentor, Mentee]
      columns: {applied_date: Applied, start_date: Began, status: State, match_id: Pair, topics: About}
      roles:
        mentor: {keys: [{by: email, columns: Mentor mail}, {by: name, columns: Mentor}]}
        mentee: {keys: [{by: email, columns: Mentee mail}, {by: name, columns: Mentee}]}
      values: {status: {active: [running]}}
    - recognised_by: [Mail, Part]
      columns: {program_id: Program, role: Part, applied_date: Applied, start_date: Began}
      keys: {employee_id: {by: email, columns: Mail}}
  sessions:
    columns: {match_id: Pair, session_date: Day, attendee_ids: Present}
"""

STAFF = """\
    Number,Joined,Left,Mail,First,Last
    E1,2019-03-01,,ann@acme.example,Ann,Testperson
    E2,2020-06-15,,bo@acme.example,Bo,Beispiel
    E3,2021-01-01,,cy@acme.example,Cy,Exemple
    E4,2021-01-01,,cy.two@acme.example,Cy,Exemple
    """
WAVES = [
    {"wave": 1, "instrument": "mini", "opens": "2022-03-01", "closes": "2022-03-14"},
    {"wave": 2, "instrument": "mini", "opens": "2023-03-01", "closes": "2023-03-14"},
]


def read(tmp_path, files: Mapping[str, str], sources: Mapping[str, Mapping] | None = None, **study_yaml) -> RawTables:
    """Read a study whose files are given as text by table; `sources` has what study.yaml says of one besides."""
    folder = tmp_path / "acme"
    for name in ("raw", "instruments", "profiles"):
        (folder / name).mkdir(parents=True)
    (folder / "instruments" / "mini.yaml").write_text(INSTRUMENT, encoding="utf-8")
    (folder / "profiles" / "invented.yaml").write_text(INVENTED, encoding="utf-8")
    entries = []
    for table, text in files.items():
        (folder / "raw" / f"{table}.csv").write_text(as_csv(text), encoding="utf-8")
        more = {"instrument": "mini"} if table == "responses" else {}
        entry = {"table": table, "path": f"raw/{table}.csv", "profile": "invented"}
        entries.append(entry | more | dict((sources or {}).get(table, {})))
    content = STUDY | {"study": "acme", "sources": entries} | study_yaml
    (folder / "study.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return read_exports(load_study("acme", tmp_path))


def rows(raw: RawTables, table: str, *columns: str) -> list[tuple]:
    """Return the cells of some columns, row by row; a missing cell, or column, is None."""
    frame = raw.tables[table].reindex(columns=list(columns)).astype(object)
    return list(frame.where(frame.notna(), None).itertuples(index=False, name=None))


def told(raw: RawTables, *rules: str) -> dict[str, tuple]:
    """Return severity, action and lines of the problems of these rules, each of which must come once."""
    found = [p for p in raw.problems if p.rule in rules]
    assert len({p.rule for p in found}) == len(found), found
    return {p.rule: (p.severity, p.action, p.example_rows) for p in found}


def all_rules(raw: RawTables) -> set[str]:
    return {p.rule for p in raw.problems} - {"unverified_profile"}


# Layouts and columns


def test_the_shape_with_most_of_its_columns_in_the_header_is_taken(tmp_path):
    raw = read(tmp_path, {"employees": "Staff code,Entry,Left\nE9,2019-03-01,2020-01-31\n"})
    assert rows(raw, "employees", "employee_id", "hire_date", "exit_date") == [("E9", "2019-03-01", None)]


def test_the_first_column_with_a_value_counts_row_by_row(tmp_path):
    text = """\
        Number,Joined,First joined
        E1,2019-03-01,2015-01-01
        E2,,2016-02-01
        """
    assert rows(read(tmp_path, {"employees": text}), "employees", "hire_date") == [("2019-03-01",), ("2016-02-01",)]


def test_names_of_columns_are_compared_without_case_and_punctuation(tmp_path):
    raw = read(tmp_path, {"employees": "NUMBER,joined_,first-joined\nE1,,2019-03-01\n"})
    assert rows(raw, "employees", "employee_id", "hire_date") == [("E1", "2019-03-01")]


def test_a_column_called_by_a_sign_alone_is_not_taken_for_another(tmp_path):
    raw = read(tmp_path, {"employees": "#,Number,Joined,Left\n1,E1,2019-03-01,2020-01-31\n"})
    assert rows(raw, "employees", "employee_id", "exit_date") == [("E1", "2020-01-31")]


def test_what_means_that_nothing_was_entered_is_empty(tmp_path):
    raw = read(tmp_path, {"employees": "Number,Joined,Left\nE1,2019-03-01,Still here\n"})
    assert rows(raw, "employees", "exit_date") == [(None,)]


def test_the_studys_own_column_counts_before_the_profiles_key(tmp_path):
    text = "Number,Badge,Joined\n1,E1,2019-03-01\n2,E2,2019-03-01\n"
    raw = read(tmp_path, {"employees": text}, columns={"employees": {"employee_id": "Badge"}})
    assert rows(raw, "employees", "employee_id") == [("E1",), ("E2",)]


def test_the_studys_own_column_counts_of_pairs_too(tmp_path):
    text = "Mentor,Mentee,Began,Kick-off\nBo Beispiel,Ann Testperson,2022-06-08,2022-06-15\n"
    raw = read(tmp_path, {"employees": STAFF, "enrolments": text}, columns={"enrolments": {"start_date": "Kick-off"}})
    assert rows(raw, "enrolments", "start_date") == [("2022-06-15",), ("2022-06-15",)]


# Values


KINDS = """\
    Number,Joined,Left,Kind,Cause,Forced
    E1,2019-03-01,2020-01-31,Own wish (letter),,
    E2,2019-03-01,2020-01-31,Own wish,Death in service,
    E3,2019-03-01,2020-01-31,Dismissed,Retired,
    E4,2019-03-01,2020-01-31,Dismissed,Retired,yes
    E5,2019-03-01,2020-01-31,Gone fishing,,
    E6,2019-03-01,2020-01-31,,,
    """


def test_a_pick_by_other_columns_counts_before_the_value(tmp_path):
    raw = read(tmp_path, {"employees": KINDS})
    kinds = [kind for (kind,) in rows(raw, "employees", "exit_type")]
    assert kinds == ["voluntary", "death", "retirement", "involuntary", None, None]


def test_what_the_study_says_of_a_value_counts_before_pick_and_profile(tmp_path):
    own = {"employees": {"exit_type": {"other": ["Own wish"], "voluntary": ["gone*"]}}}
    raw = read(tmp_path, {"employees": KINDS}, values=own)
    kinds = [kind for (kind,) in rows(raw, "employees", "exit_type")]
    assert kinds == ["voluntary", "other", "retirement", "involuntary", "voluntary", None]


def test_an_unknown_kind_of_exit_is_unknown_and_never_voluntary(tmp_path):
    raw = read(tmp_path, {"employees": KINDS})
    assert told(raw, "unknown_exit_type") == {"unknown_exit_type": ("warning", "set_null", (6,))}


def test_translated_values_are_told_with_their_rows(tmp_path):
    raw = read(tmp_path, {"employees": KINDS})
    assert told(raw, "values_translated") == {"values_translated": ("info", "repaired", (2, 3, 4, 5))}


# Rows that are no records


def test_a_rescinded_hire_is_no_row(tmp_path):
    text = "Number,Joined,Rescinded\nE1,2019-03-01,\nE2,2019-03-01,Yes\n"
    raw = read(tmp_path, {"employees": text})
    assert rows(raw, "employees", "employee_id", "_line") == [("E1", 2)]
    assert told(raw, "rescinded_hire") == {"rescinded_hire": ("info", "rejected", (3,))}
    assert raw.rows_in[("employees", "raw/employees.csv")] == 2


FORMS = """\
    Number,Sent,State,Done,m1,m2
    E1,2022-03-02,Preview,yes,1,1
    E1,2022-03-02,,yes,4,2
    E2,2022-03-03,,no,5,
    E3,2022-03-04,,yes,3,3
    """


def test_previews_and_forms_that_were_not_sent_are_left_out(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "responses": FORMS}, waves=WAVES)
    assert rows(raw, "responses", "employee_id", "item", "value", "_line") == [
        ("E1", "m1", "4", 3),
        ("E1", "m2", "2", 3),
        ("E3", "m1", "3", 5),
        ("E3", "m2", "3", 5),
    ]
    assert told(raw, "preview", "unfinished_form") == {
        "preview": ("info", "rejected", (2,)),
        "unfinished_form": ("info", "rejected", (4,)),
    }


def test_a_study_may_keep_forms_that_were_not_sent_but_no_previews(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "responses": FORMS}, {"responses": {"incomplete": "keep"}}, waves=WAVES)
    assert [line for (line,) in rows(raw, "responses", "_line")] == [3, 3, 4, 4, 5, 5]
    assert "unfinished_form" not in all_rules(raw)


def test_an_export_of_previews_alone_is_an_error_and_not_a_survey_that_nobody_answered(tmp_path):
    text = FORMS.replace(",,yes,", ",Preview,yes,").replace(",,no,", ",Preview,no,")
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    assert told(raw, "no_row_left") == {"no_row_left": ("error", "rejected", ())}


# Items


@pytest.mark.parametrize(
    "header",
    [
        "m1,m2",
        "M1,Q7_m2",
        "G01Q01[m1],G01Q01[m2]",
        "I look forward to coming to work.,MOST DAYS DRAG",
        "How far do you agree? [I look forward to coming to work.],How far do you agree? [Most days drag.]",
        "How far? - I look forward to coming to work.,How far? - Most days drag.",
    ],
)
def test_an_item_is_found_by_its_code_or_its_wording(tmp_path, header):
    raw = read(tmp_path, {"responses": f"Number,Sent,{header}\nE1,2022-03-02,4,2\n"}, waves=WAVES)
    assert rows(raw, "responses", "item", "value") == [("m1", "4"), ("m2", "2")]


def test_the_study_says_which_column_is_an_item(tmp_path):
    text = "Number,Sent,m1,Question 2,Other\nE1,2022-03-02,9,4,2\n"
    raw = read(tmp_path, {"responses": text}, waves=WAVES, columns={"responses": {"m1": "Question 2", "m2": "Other"}})
    assert rows(raw, "responses", "item", "value") == [("m1", "4"), ("m2", "2")]


def test_an_item_in_two_columns_is_an_error_that_names_the_item(tmp_path):
    raw = read(tmp_path, {"responses": "Number,Sent,m1,Q1.m1\nE1,2022-03-02,4,2\n"}, waves=WAVES)
    [problem] = [p for p in raw.problems if p.rule == "item_twice"]
    assert (problem.severity, problem.example_rows) == ("error", (1,))
    assert "m1" in problem.message and "columns: in study.yaml" in problem.message
    assert "responses" not in raw.tables


def test_a_form_without_any_item_is_an_error(tmp_path):
    raw = read(tmp_path, {"responses": "Number,Sent,Weather\nE1,2022-03-02,fine\n"}, waves=WAVES)
    assert told(raw, "no_items") == {"no_items": ("error", "rejected", (1,))}


def test_a_form_without_an_instrument_lists_the_cards(tmp_path):
    raw = read(tmp_path, {"responses": FORMS}, {"responses": {"instrument": None}}, waves=WAVES)
    [problem] = [p for p in raw.problems if p.rule == "unknown_instrument"]
    assert problem.severity == "error" and "mini" in problem.message


# Forms


def test_the_last_form_of_a_person_in_a_wave_counts_by_day_and_then_by_line(tmp_path):
    text = """\
        Number,Sent,m1
        E1,2022-03-09,1
        E1,2022-03-02,2
        E2,2022-03-02,3
        E2,2022-03-02,4
        E2,2023-03-02,5
        E3,,1
        E3,2022-03-02,2
        """
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    raw_rows = rows(raw, "responses", "employee_id", "wave", "value", "_line")
    assert raw_rows[:3] == [("E1", "1", "1", 2), ("E2", "1", "4", 5), ("E2", "2", "5", 6)]
    assert told(raw, "duplicate_form") == {"duplicate_form": ("warning", "rejected", (3, 4))}


def test_a_form_without_a_day_gives_way_to_one_with_a_day(tmp_path):
    text = "Number,Sent,m1\nE3,2022-03-02,2\nE3,,1\n"
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, {"responses": {"wave": 1}}, waves=WAVES)
    assert rows(raw, "responses", "value", "_line") == [("2", 2)]


def test_forms_without_anybody_are_no_duplicates_of_each_other(tmp_path):
    text = "Number,Sent,m1\n,2022-03-02,1\n,2022-03-02,2\nE1,2022-03-02,3\n"
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    assert [value for (value,) in rows(raw, "responses", "value")] == ["1", "2", "3"]


def test_answers_without_a_key_to_anybody_get_a_table_of_their_own(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "responses": "Sent,m1\n2022-03-02,1\n2022-03-02,2\n"}, waves=WAVES)
    assert rows(raw, "unlinked_responses", "value", "wave") == [("1", "1"), ("2", "1")]
    assert told(raw, "unlinked_survey") == {"unlinked_survey": ("warning", "kept", (2, 3))}


# Waves by day


def test_a_form_belongs_to_the_wave_that_holds_its_day_and_is_left_out_between_waves(tmp_path):
    text = """\
        Number,Sent,m1
        E1,2022-03-01,1
        E2,2022-03-14,2
        E3,2022-03-15,3
        E1,2023-03-01,4
        """
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    assert rows(raw, "responses", "wave", "value") == [("1", "1"), ("1", "2"), ("2", "4")]
    assert told(raw, "outside_waves") == {"outside_waves": ("warning", "rejected", (4,))}


def test_a_wave_is_one_of_its_own_instrument(tmp_path):
    waves = [
        {"wave": 7, "instrument": "pulse", "opens": "2022-03-01", "closes": "2022-03-14"},
        {"wave": 1, "instrument": "mini", "opens": "2022-03-10", "closes": "2022-03-31"},
    ]
    text = "Number,Sent,m1\nE1,2022-03-12,1\nE2,2022-03-02,2\n"
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=waves)
    assert rows(raw, "responses", "wave", "_line") == [("1", 2)]


def test_the_wave_that_the_source_names_counts_whatever_the_day(tmp_path):
    text = "Number,Sent,m1\nE1,2022-07-12,1\n"
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, {"responses": {"wave": 2}}, waves=WAVES)
    assert rows(raw, "responses", "wave") == [("2",)]


def test_waves_of_study_yaml_are_a_table(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "responses": FORMS}, waves=WAVES)
    assert rows(raw, "waves", "wave", "instrument", "opens", "closes") == [
        ("1", "mini", "2022-03-01", "2022-03-14"),
        ("2", "mini", "2023-03-01", "2023-03-14"),
    ]


def test_forms_with_neither_wave_nor_day_are_told_to_name_the_wave_at_the_source(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "responses": "Number,m1\nE1,1\n"}, waves=WAVES)
    [problem] = [p for p in raw.problems if p.rule == "missing_column"]
    assert "wave: at the source" in problem.message


# Pairs


PAIRS = """\
    Mentor,Mentor mail,Mentee,Mentee mail,Began,State,Pair
    "Beispiel, Bo",,Ann Testperson,,2022-06-08,running,M1
    Bo Beispiel,,,,2022-09-08,unheard of,M2
    ,,,,2022-06-08,running,M3
    Nobody Known,,,stranger@acme.example,2022-06-08,running,M4
    Nobody Known,,Ann Testperson,,2022-09-08,running,M5
    """


def test_a_row_of_a_pair_is_an_enrolment_of_each_person(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PAIRS})
    assert rows(raw, "enrolments", "employee_id", "role", "status", "match_id", "_line") == [
        ("E2", "mentor", "active", "M1", 2),
        ("E1", "mentee", "active", "M1", 2),
        ("E2", "mentor", None, "M2", 3),
        ("E1", "mentee", "active", "M5", 6),
    ]


def test_a_pair_that_names_nobody_or_nobody_known_is_left_out(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PAIRS})
    assert told(raw, "nobody_named") == {"nobody_named": ("warning", "rejected", (4,))}
    unmatched = [p.example_rows for p in raw.problems if p.rule == "unmatched_person"]
    assert unmatched == [(5,), (5, 6)]  # by e-mail, by name
    kept = set(raw.tables["enrolments"]["_line"])
    assert kept | {4, 5} == set(range(2, 2 + raw.rows_in[("enrolments", "raw/enrolments.csv")]))


def test_what_a_row_says_of_both_people_is_told_once(tmp_path):
    text = "Mentor,Mentee,Began,State\nBo Beispiel,Ann Testperson,8 June 2022,unheard of\n"
    raw = read(tmp_path, {"employees": STAFF, "enrolments": text})
    assert {p.rule for p in raw.problems} >= {"dates_translated", "unknown_status"}
    assert len([p for p in raw.problems if p.rule in ("dates_translated", "unknown_status")]) == 2


# People by e-mail and by name


def test_people_are_found_by_id_by_e_mail_or_by_name_exactly(tmp_path):
    text = """\
        Number,Mail,Who,Sent,m1
        E1,,,2022-03-02,1
        ,BO@acme.example ,,2022-03-02,2
        ,,"Testperson,  ANN",2023-03-02,3
        """
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    assert rows(raw, "responses", "employee_id", "value") == [("E1", "1"), ("E2", "2"), ("E1", "3")]
    assert [name for name in raw.tables["responses"] if "@" in name] == []


def test_who_is_not_found_or_is_one_of_two_is_left_out_with_the_line(tmp_path):
    text = """\
        Number,Mail,Who,Sent,m1
        ,bo@acme.exampel,,2022-03-02,1
        ,,Anne Testperson,2022-03-02,2
        ,,Cy Exemple,2022-03-02,3
        ,cy@acme.example,Cy Exemple,2022-03-02,4
        """
    raw = read(tmp_path, {"employees": STAFF, "responses": text}, waves=WAVES)
    assert rows(raw, "responses", "employee_id", "value") == [("E3", "4")]
    assert told(raw, "ambiguous_person") == {"ambiguous_person": ("warning", "rejected", (4,))}
    unmatched = [p for p in raw.problems if p.rule == "unmatched_person"]
    assert [(p.severity, p.action, tuple(p.lines)) for p in unmatched] == [
        ("warning", "rejected", (2,)),
        ("warning", "rejected", (3,)),
    ]
    assert not any(word in str(p) for p in raw.problems for word in ("acme.ex", "Anne", "Exemple", "Cy "))


def test_a_manager_who_is_not_found_is_unknown_and_the_job_stays(tmp_path):
    text = """\
        Number,From,Level,Boss
        E1,2019-03-01,5,
        E2,2020-06-15,1,"Testperson, Ann"
        E3,2021-01-01,2,Someone Else
        E4,2021-01-01,2,Cy Exemple
        """
    raw = read(tmp_path, {"employees": STAFF, "jobs": text})
    assert [manager for (manager,) in rows(raw, "jobs", "manager_id")] == [None, "E1", None, None]
    assert told(raw, "unmatched_person", "ambiguous_person") == {
        "unmatched_person": ("warning", "set_null", (4,)),
        "ambiguous_person": ("warning", "set_null", (5,)),
    }


def test_people_at_a_session_are_found_and_strangers_left_off(tmp_path):
    text = """\
        Pair,Day,Present
        M1,2022-06-20,E1;bo@acme.example
        M1,2022-07-20,Ann Testperson; stranger@acme.example
        M1,2022-08-20,
        """
    raw = read(tmp_path, {"employees": STAFF, "sessions": text})
    assert [who for (who,) in rows(raw, "sessions", "attendee_ids")] == ["E1;E2", "E1", None]
    assert told(raw, "unmatched_person") == {"unmatched_person": ("warning", "repaired", (3,))}


def test_a_session_of_strangers_alone_is_not_taken_for_one_of_the_whole_match(tmp_path):
    text = "Pair,Day,Present\nM1,2022-06-20,stranger@acme.example\nM1,2022-07-20,\n"
    raw = read(tmp_path, {"employees": STAFF, "sessions": text})
    assert rows(raw, "sessions", "attendee_ids", "_line") == [(None, 3)]
    assert told(raw, "unmatched_person") == {"unmatched_person": ("warning", "rejected", (2,))}


def test_where_the_employees_cannot_be_read_nobody_is_called_a_stranger(tmp_path):
    files = {"employees": "Number,Joined\nE1\n", "enrolments": PAIRS, "responses": FORMS}
    raw = read(tmp_path, files, waves=WAVES)
    assert {p.rule for p in raw.problems if p.severity == "error"} == {"ragged_row"}
    assert "unmatched_person" not in all_rules(raw)


# Intakes


INTAKES = {"genius": ["2022-02-28", "2022-09-05"]}


@pytest.mark.parametrize(
    ("applied", "start", "intake"),
    [
        ("2022-02-01", "2022-03-14", "2022-02-28"),
        ("2022-02-28", None, "2022-02-28"),
        ("2022-03-01", None, "2022-09-05"),
        ("2022-03-01", "2022-03-14", "2022-02-28"),  # came in late: nobody starts before his intake
        ("2022-10-01", "2022-10-14", "2022-09-05"),
        ("2022-10-01", None, None),
        (None, "2022-09-05", "2022-09-05"),
        (None, "2022-09-04", "2022-02-28"),
        (None, "2022-02-27", None),
        (None, None, None),
    ],
)
def test_an_enrolment_belongs_to_the_intake_that_its_days_tell(applied, start, intake):
    assert intake_of("genius", applied, start, INTAKES) == intake


@pytest.mark.parametrize("program", ["circle", None])
def test_without_intakes_each_start_stands_for_itself(program):
    assert intake_of(program, "2022-02-01", "2022-03-14", INTAKES) == "2022-03-14"
    assert intake_of(program, "2022-02-01", None, INTAKES) == "2022-02-01"
    assert intake_of(program, None, None, INTAKES) is None


PEOPLE = """\
    Mail,Part,Program,Applied,Began
    ann@acme.example,mentee,,2022-02-01,2022-03-14
    bo@acme.example,mentor,,,
    """


def test_an_enrolment_without_a_day_has_no_intake_and_is_left_out(tmp_path):
    program = STUDY["programs"][0] | {"intakes": ["2022-02-28"]}
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PEOPLE}, programs=[program])
    assert rows(raw, "enrolments", "employee_id", "intake_date") == [("E1", "2022-02-28")]
    assert told(raw, "no_intake", "intake_assumed") == {"no_intake": ("warning", "rejected", (3,))}


def test_a_start_that_stands_for_its_own_intake_is_told(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PEOPLE})
    assert rows(raw, "enrolments", "intake_date") == [("2022-03-14",)]
    assert told(raw, "intake_assumed") == {"intake_assumed": ("warning", "repaired", (2,))}


# Programs


TWO = [
    STUDY["programs"][0],
    STUDY["programs"][0] | {"id": "circle", "name": "Circle of Peers"},
]
PLACES = """\
    Mail,Part,Program,Began
    ann@acme.example,mentee,genius program,2022-03-14
    bo@acme.example,mentor,CIRCLE,2022-03-14
    cy@acme.example,mentor,,2022-03-14
    """


def test_a_programs_name_becomes_its_id_and_the_sources_program_fills_the_rest(tmp_path):
    raw = read(
        tmp_path, {"employees": STAFF, "enrolments": PLACES}, {"enrolments": {"program": "circle"}}, programs=TWO
    )
    assert [program for (program,) in rows(raw, "enrolments", "program_id")] == ["genius", "circle", "circle"]


def test_where_there_are_several_programs_none_is_guessed(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PLACES}, programs=TWO)
    assert [program for (program,) in rows(raw, "enrolments", "program_id")] == ["genius", "circle", None]


# Names, addresses and free text


STORY = "Was away for the long illness of a parent, and came back in part time"
FURTHER = f"""\
    Number,Joined,Cost centre,Badge colour,Nickname,Phone,Contact,Last login from,Remarks
    E1,2019-03-01,4711,red,Annie,1,ann@home.example,10.0.0.1,"{STORY}"
    E2,2020-06-15,4711,blue,Bobo,2,bo@home.example,10.0.0.2,
    """


def test_of_a_vendors_employees_nothing_stays_that_nothing_needs(tmp_path):
    raw = read(tmp_path, {"employees": FURTHER})
    assert set(raw.tables["employees"]) == {"employee_id", "hire_date", "_line", "_source"}
    personal, unused = ([p.message for p in raw.problems if p.rule == r] for r in ("personal_dropped", "column_unused"))
    assert len(personal) == len(unused) == 1
    assert all(name in personal[0] for name in ("Nickname", "Phone", "Contact", "Last login from", "Remarks"))
    assert "Badge colour" in unused[0] and "Cost centre" in unused[0]
    assert not any(word in str(p) for p in raw.problems for word in ("illness", "Annie", "home.example", "10.0"))


def test_a_study_keeps_the_columns_that_it_asks_for(tmp_path):
    raw = read(tmp_path, {"employees": FURTHER}, keep={"employees": ["Remarks", "Badge colour"]})
    kept = {"Remarks", "Badge colour", "Cost centre"} & set(raw.tables["employees"])
    assert kept == {"Remarks", "Badge colour"}


def test_of_other_tables_only_what_the_study_asks_for_stays(tmp_path):
    text = "Number,From,Level,Floor,Mood\nE1,2019-03-01,5,2,fine\n"
    raw = read(tmp_path, {"employees": STAFF, "jobs": text}, keep={"jobs": ["Floor"]})
    assert set(raw.tables["jobs"]) == {"employee_id", "effective_date", "job_level", "Floor", "_line", "_source"}


REASONS = ["moved away", "personal reasons", "better pay"] * 6
STORIES = [f"he told me {n} times that it was enough" for n in range(18)]


@pytest.mark.parametrize(("reasons", "stays"), [(REASONS, True), (STORIES, False)])
def test_reasons_from_a_list_stay_and_what_people_wrote_freely_does_not(tmp_path, reasons, stays):
    lines = [f"E{n},2019-03-01,2020-01-31,{reason}" for n, reason in enumerate(reasons)]
    raw = read(tmp_path, {"employees": "\n".join(["Number,Joined,Left,Why", *lines])})
    assert ("exit_reason" in raw.tables["employees"]) == stays
    assert ("personal_dropped" in all_rules(raw)) != stays


def test_a_study_that_names_the_column_gets_the_free_text(tmp_path):
    lines = [f"E{n},2019-03-01,2020-01-31,{reason}" for n, reason in enumerate(STORIES)]
    raw = read(
        tmp_path,
        {"employees": "\n".join(["Number,Joined,Left,Why", *lines])},
        columns={"employees": {"exit_reason": "Why"}},
    )
    assert "exit_reason" in raw.tables["employees"]


TOPICS = ["career in the bank", "tools of the trade", "how leaders listen", "ways to present"]


@pytest.mark.parametrize(
    ("topics", "stays"),
    [([f"{a};{b}" for a in TOPICS for b in TOPICS], True), (STORIES, False)],
)
def test_lists_of_topics_stay_and_what_people_wrote_freely_of_a_pair_does_not(tmp_path, topics, stays):
    lines = [f"Bo Beispiel,Ann Testperson,2022-06-08,{topic}" for topic in topics]
    raw = read(tmp_path, {"employees": STAFF, "enrolments": "\n".join(["Mentor,Mentee,Began,About", *lines])})
    assert ("topics" in raw.tables["enrolments"]) == stays


def test_a_first_line_that_is_somebodys_row_is_not_repeated(tmp_path):
    raw = read(tmp_path, {"jobs": "E1,Ann Testperson,Vienna\nE2,Bo Beispiel,Graz\n"})
    assert "missing_column" in all_rules(raw)
    assert not any(word in str(p) for p in raw.problems for word in ("Ann", "Bo", "Vienna", "E1"))


# Cells


def test_a_form_sent_late_at_night_elsewhere_belongs_to_the_companys_day(tmp_path):
    text = "Number,Sent,m1\nE1,2022-03-01 23:30:00,1\nE2,2022-03-14 23:30:00,2\n"
    raw = read(
        tmp_path,
        {"employees": STAFF, "responses": text},
        {"responses": {"timezone": "America/Denver"}},
        waves=WAVES,
        timezone="Europe/Vienna",
    )
    assert rows(raw, "responses", "responded_at", "wave") == [("2022-03-02", "1")]
    assert told(raw, "outside_waves") == {"outside_waves": ("warning", "rejected", (3,))}


def test_ids_that_were_read_as_numbers_are_repaired_and_told(tmp_path):
    raw = read(tmp_path, {"employees": "Number,Joined\n1001.0,2019-03-01\n1002.0,2019-03-01\n"})
    assert rows(raw, "employees", "employee_id") == [("1001",), ("1002",)]
    assert told(raw, "id_as_number") == {"id_as_number": ("warning", "repaired", (2, 3))}


def test_ids_that_lost_their_zeros_are_flagged_and_never_guessed(tmp_path):
    staff, jobs = "Number,Joined\n0017,2019-03-01\n0018,2019-03-01\n", "Number,From,Level\n17,2019-03-01,1\n"
    raw = read(tmp_path, {"employees": staff, "jobs": jobs})
    assert rows(raw, "jobs", "employee_id") == [("17",)]
    assert told(raw, "lost_leading_zeros") == {"lost_leading_zeros": ("warning", "kept", (2,))}


def test_every_column_is_a_category_of_text(tmp_path):
    raw = read(tmp_path, {"employees": STAFF, "enrolments": PAIRS, "responses": FORMS}, waves=WAVES)
    for table, frame in raw.tables.items():
        for name, column in frame.drop(columns="_line").items():
            assert isinstance(column.dtype, pd.CategoricalDtype) and column.cat.categories.dtype == "str", (table, name)
