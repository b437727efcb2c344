"""Survey files that were once misread without a word: each is read right, or an error or a warning says what is odd."""

import io
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
import yaml
from openpyxl import Workbook
from studies import STUDY
from test_cli import mentoring
from test_init import begun, init, write

from analysis.ingest.export import as_text
from analysis.ingest.items import is_generic
from analysis.ingest.readers.header import is_header_line
from analysis.ingest.reshape import numbers_of
from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.instruments import load_instruments
from analysis.plan.read_study import load_study

CASES = Path(__file__).parents[1] / "fixtures" / "cases" / "exports"
QUALTRICS = ["ResponseId", "Status", "Finished", "Progress", "EndDate", "ExternalReference"]
LABELS = {1: "Strongly disagree", 2: "Disagree", 3: "Neither", 4: "Agree", 5: "Strongly agree"}


# What is written and how it is read


def qualtrics(questions: dict[str, str], *answers: str, year: int = 2023) -> list[str]:
    """Return the lines of a Qualtrics export: names, wording, JSON, and a form for each text of answers."""
    names = [*QUALTRICS, *questions]
    wording = [*QUALTRICS, *(f'"{text}"' for text in questions.values())]
    ids = [f'"{{""ImportId"":""{name}""}}"' for name in names]
    forms = [
        f"R_{n},IP Address,True,100,{year}-03-0{n} 10:00:00,00{n},{given}" for n, given in enumerate(answers, start=1)
    ]
    return [",".join(names), ",".join(wording), ",".join(ids), *forms]


def card(folder: Path, items: dict[str, str], low: int = 1, high: int = 5, labels: dict | None = None) -> None:
    scale = {
        "construct": "morale",
        "source": "own",
        "licence": "own",
        "items": {c: {"text": t} for c, t in items.items()},
    }
    response = {"min": low, "max": high, "labels": labels or {}}
    content = {"instrument": "own", "title": "Own", "response": response, "scales": {"morale": scale}}
    (folder / "instruments").mkdir(parents=True, exist_ok=True)
    (folder / "instruments" / "own.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


def study(folder: Path, *sources: dict, **more) -> RawTables:
    """Return what is read of the sources of a study in `folder`."""
    given = {"table": "responses", "profile": "qualtrics", "instrument": "own"}
    entries = [given | {"wave": n} | source for n, source in enumerate(sources, start=1)]
    text = yaml.safe_dump(STUDY | {"study": folder.name, "study_start": "2020-01-01", "sources": entries} | more)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return read_exports(load_study(folder.name, folder.parent))


def survey(tmp_path: Path, lines: list[str], **source) -> RawTables:
    """Return what is read of one survey, by the card `own` where the test wrote it."""
    write(tmp_path / "acme" / "s.csv", *lines)
    return study(tmp_path / "acme", {"path": "s.csv"} | source)


def values(raw: RawTables, table: str = "responses") -> dict[str, list[str | None]]:
    """Return item → its answers, in the order of the file."""
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    rows = raw.tables[table]
    answers: dict[str, list[str | None]] = {}
    for item, value in zip(rows["item"], rows["value"], strict=True):
        answers.setdefault(item, []).append(None if pd.isna(value) else value)
    return answers


def told(raw: RawTables, rule: str, severity: str) -> list[str]:
    return [str(p) for p in raw.problems if (p.rule, p.severity) == (rule, severity)]


def case(tmp_path: Path, name: str, survey_file: str = "s.csv", staff: str = "emp.csv"):
    """Start a study of a case's files and return it, what was printed, and what is read of it."""
    folder = CASES / name
    employees = ["--employees", folder / staff] if (folder / staff).is_file() else []
    begun_study, _, printed = begun(tmp_path, "--survey", folder / survey_file, *employees)
    return begun_study, printed, read_exports(begun_study)


def checked(tmp_path: Path):
    return mentoring("check", "acme", "--data", tmp_path / "data", "--reports", tmp_path / "reports")


# 1. Question codes that moved


HAPPY, WORK, BOSS = "I am happy at work.", "My workload is fair.", "My boss listens."
ITEMS = {"Q4_1": HAPPY, "Q4_2": WORK, "Q4_3": BOSS}
ALL = ("Strongly agree,Strongly disagree,Neither", "Disagree,Agree,Agree")
MOVED = {"Q4_1": WORK, "Q4_2": HAPPY, "Q4_3": BOSS}


def two_waves(folder: Path, items: dict[str, str], later: dict[str, str], **more) -> RawTables:
    card(folder, items, labels=LABELS)
    write(folder / "2022.csv", *qualtrics(ITEMS, "Agree,Disagree,Neither", year=2022))
    write(folder / "2023.csv", *qualtrics(later, "Agree,Disagree,Neither", year=2023))
    return study(folder, {"path": "2022.csv"}, {"path": "2023.csv"}, **more)


def test_a_code_that_has_another_items_question_is_an_error_with_column_code_and_what_the_card_asks(tmp_path):
    errors = told(two_waves(tmp_path / "acme", ITEMS, MOVED), "code_and_wording", "error")
    assert len(errors) == 2 and "2023.csv, line 1: column 7 (Q4_1)" in errors[0]
    assert HAPPY in errors[0] and WORK in errors[0] and "item Q4_1" in errors[0]
    assert told(two_waves(tmp_path / "good", ITEMS, ITEMS), "code_and_wording", "error") == []


def test_a_code_whose_question_is_not_on_the_card_is_an_error_that_does_not_repeat_it(tmp_path):
    later = ITEMS | {"Q4_2": "The canteen is good."}
    (error,) = told(two_waves(tmp_path / "acme", ITEMS, later), "code_and_wording", "error")
    assert "column 8 (Q4_2)" in error and WORK in error and "canteen" not in error


def test_codes_of_the_cards_own_leave_the_wording_to_decide(tmp_path):
    items = {"happy": HAPPY, "workload": WORK, "boss": BOSS}
    raw = two_waves(tmp_path / "acme", items, MOVED)
    assert values(raw) == {"happy": ["Agree", "Disagree"], "workload": ["Disagree", "Agree"], "boss": ["Neither"] * 2}


def test_a_column_that_the_study_names_for_another_question_is_an_error(tmp_path):
    items = {"happy": HAPPY, "workload": WORK, "boss": BOSS}
    (error,) = told(
        two_waves(tmp_path / "acme", items, MOVED, columns={"responses": {"happy": "Q4_1"}}),
        "code_and_wording",
        "error",
    )
    assert "2023.csv" in error and "named in study.yaml as item happy" in error and "correct columns:" in error


def test_codes_of_a_common_kind_are_held_against_the_wording_too(tmp_path):
    """The shipped pulse's own codes, exchanged."""
    moved = {"mor1": "My team is in good spirits.", "mor2": "I look forward to coming to work."}
    raw = survey(tmp_path, qualtrics(moved, "Agree,Disagree"), instrument="pulse")
    assert len(told(raw, "code_and_wording", "error")) == 2
    good = survey(
        tmp_path, qualtrics({"mor2": moved["mor1"], "mor1": moved["mor2"]}, "Agree,Disagree"), instrument="pulse"
    )
    assert values(good) == {"mor2": ["Agree"], "mor1": ["Disagree"]}
    assert told(good, "code_and_wording", "warning") == []


def test_a_form_in_another_language_is_read_by_its_codes_with_a_warning(tmp_path):
    german = {"mor1": "Ich freue mich auf die Arbeit.", "mor2": "Mein Team ist guter Dinge."}
    raw = survey(tmp_path, qualtrics(german, "Stimme zu,Stimme nicht zu"), instrument="pulse")
    assert values(raw) == {"mor1": ["Stimme zu"], "mor2": ["Stimme nicht zu"]}
    assert len(told(raw, "code_and_wording", "warning")) == 2


@pytest.mark.parametrize(
    ("wording", "warnings"),
    [
        ("How far do you agree? - My boss listens.", 0),
        ("<b>My boss&nbsp;listens</b>", 0),
        ("My boss listens!", 0),
        ("My boss listens to me.", 1),
        ("At work: my boss listens", 1),
    ],
)
def test_a_question_that_was_touched_up_is_still_the_items(tmp_path, wording, warnings):
    card(tmp_path / "acme", ITEMS)
    raw = survey(tmp_path, qualtrics(ITEMS | {"Q4_3": wording}, "1,2,3"), codes="card")
    assert values(raw)["Q4_3"] == ["3"]
    assert len(told(raw, "code_and_wording", "warning")) == warnings


def test_a_long_stem_makes_no_two_questions_alike(tmp_path):
    stem = "Thinking of the last six months at work, please say how far you agree with each of these statements. - "
    card(tmp_path / "acme", {code: stem + text for code, text in ITEMS.items()})
    later = {"Q4_1": stem + "Lunch is good.", "Q4_2": stem + WORK, "Q4_3": stem + BOSS}
    assert len(told(survey(tmp_path, qualtrics(later, "1,2,3")), "code_and_wording", "error")) == 1


@pytest.mark.parametrize("heading", ["{code}. {text}", "G01Q01[{code}]. {text}", "{code}: {text}"])
def test_codes_in_front_of_the_wording_are_held_against_it(tmp_path, heading):
    """LimeSurvey's headings of code and text."""
    card(tmp_path / "acme", {"happy": HAPPY, "workload": WORK})

    def lines(pairs: dict[str, str]) -> list[str]:
        names = [heading.format(code=code, text=text) for code, text in pairs.items()]
        head = ["id", "submitdate", "lastpage", "startlanguage", "employee_id", *names]
        return [",".join(head), "1,2023-03-01 10:00:00,1,en,001,4,2"]

    good = survey(tmp_path, lines({"happy": HAPPY, "workload": WORK}), profile="limesurvey")
    assert values(good) == {"happy": ["4"], "workload": ["2"]}
    bad = survey(tmp_path, lines({"happy": WORK, "workload": HAPPY}), profile="limesurvey")
    assert len(told(bad, "code_and_wording", "error")) == 2


def test_labels_of_variables_in_spss_are_wording(tmp_path):
    card(tmp_path / "acme", ITEMS)
    frame = pd.DataFrame({"employee_id": ["001"], "Q4_1": [4.0], "Q4_2": [2.0], "Q4_3": [3.0]})
    pyreadstat.write_sav(frame, tmp_path / "acme" / "s.sav", column_labels=["", *MOVED.values()])
    raw = study(tmp_path / "acme", {"path": "s.sav", "profile": "wide"})
    assert len(told(raw, "code_and_wording", "error")) == 2


def test_stems_that_lead_to_codes_are_no_wording(tmp_path):
    lines = [
        "Respondent ID,Collector ID,End Date,Email Address,How far do you agree?,",
        ",,,,mor1,mor2",
        "1,2,03/17/2023,ada.testperson@acme.example,Agree,Disagree",
    ]
    raw = survey(tmp_path, lines, instrument="pulse", profile="surveymonkey")
    assert values(raw) == {"mor1": ["Agree"], "mor2": ["Disagree"]}
    assert told(raw, "code_and_wording", "warning") == []


def test_init_reads_two_waves_whose_codes_moved_by_their_wording(tmp_path):
    first = write(tmp_path / "one.csv", *qualtrics(ITEMS, "Agree,Disagree,Neither", *ALL, year=2022))
    later = write(tmp_path / "two.csv", *qualtrics(MOVED, "Agree,Disagree,Neither", *ALL[:1], year=2023))
    started, _, _ = begun(tmp_path, "--survey", first, "--survey", later)
    assert [(s.instrument, s.wave) for s in started.sources] == [("one", 1), ("one", 2)]
    asked = {code: item.text for code, item in load_instruments(started)["one"].items.items()}
    rows = read_exports(started).tables["responses"].astype("str").assign(asked=lambda t: t["item"].map(asked))
    assert rows.loc[(rows["wave"] == "2") & (rows["asked"] == WORK), "value"].tolist() == [
        "Agree",
        "Strongly agree",
    ]


def test_a_later_wave_with_more_questions_keeps_its_card(tmp_path):
    more = ITEMS | {f"Q5_{n}": f"Our question number {n} is a good one." for n in range(1, 6)}
    first = write(tmp_path / "one.csv", *qualtrics(ITEMS, "Agree,Disagree,Neither", *ALL, year=2022))
    later = write(tmp_path / "two.csv", *qualtrics(more, *(f"{a},{a},Agree,Neither" for a in ALL), year=2023))
    started, _, printed = begun(tmp_path, "--survey", first, "--survey", later)
    assert [s.instrument for s in started.sources] == ["one", "one"] and "Not used: " in printed


# 2. Codes that tools give by default


@pytest.mark.parametrize(
    "code", ["Q1", "q01", "item1", "V1", "QID3", "Q4_1", "SQ001", "G01Q02", "Question 7", "x12", "7"]
)
def test_codes_that_any_tool_gives_are_known(code):
    assert is_generic(code)


@pytest.mark.parametrize("code", ["mor1", "who5", "uwes9", "lead1", "mfq3", "mlq_attributes1", "happy"])
def test_codes_of_questionnaires_are_no_defaults(code):
    assert not is_generic(code)


def test_q1_to_q12_are_the_files_own_questionnaire_and_not_gallups(tmp_path):
    started, printed, raw = case(tmp_path, "qualtrics_q1_to_q12", "pulse.csv")
    (source,) = started.sources
    assert source.instrument == "pulse-2" and "of q12" not in printed and "4 items of pulse" in printed
    texts = [item.text for item in load_instruments(started)["pulse-2"].items.values()]
    assert len(texts) == 12 and texts[2] == "I look forward to coming to work." and "The canteen is good." in texts
    assert [rows[0] for rows in values(raw).values()] == list("251314444214")


def test_default_codes_without_wording_are_drafted_and_told(tmp_path):
    lines = ["employee_id,Q1,Q2,Q3", *(f"{n:03},{n % 5 + 1},{(n + 2) % 5 + 1},3" for n in range(6))]
    lines[1] = "000,1,3,4"
    started, printed, _ = case_of(tmp_path, lines)
    assert started.sources[0].instrument == "s" and "Gallup" not in printed
    assert "codes alone that any tool gives" in " ".join(printed.split())


def case_of(tmp_path: Path, lines: list[str], *words: object):
    path = write(tmp_path / "s.csv", *lines)
    started, text, printed = begun(tmp_path, "--survey", path, *words)
    return started, printed, text


def test_a_card_that_the_study_names_is_read_by_default_codes_with_a_warning(tmp_path):
    asked = {f"Q{n}": f"Question of our own number {n}?" for n in range(1, 13)}
    lines = qualtrics(asked, ",".join("123451234512"))
    raw = survey(tmp_path, lines, instrument="q12", codes="card")
    (warning,) = told(raw, "generic_codes", "warning")
    assert "column 7 (Q1) for q1" in warning and "columns:" in warning
    named = {f"q{n}": f"Q{n}" for n in range(1, 13)}
    write(tmp_path / "named" / "s.csv", *lines)
    sure = study(
        tmp_path / "named", {"path": "s.csv", "instrument": "q12", "codes": "card"}, columns={"responses": named}
    )
    assert told(sure, "generic_codes", "warning") == [] and len(values(sure)) == 12


# 3. Numbers that are the tool's own codes


def test_numbers_of_qualtrics_that_fit_the_cards_range_are_warned_of(tmp_path):
    started, printed, raw = case(tmp_path, "qualtrics_numeric_codes_shifted", staff="e.csv")
    assert started.sources[1].instrument == "uwes9" and "look: the answers are numbers from 1 to 6" in printed
    (warning,) = told(raw, "tool_codes", "warning")
    assert "card uwes9 has 0 to 6" in warning and "export choice text" in warning and "codes:" in warning
    run = checked(tmp_path)
    assert run.returncode == 0 and "may be the tool's own codes" in " ".join((run.stdout + run.stderr).split())


def test_what_the_study_says_of_the_codes_is_done(tmp_path):
    lines = (CASES / "qualtrics_numeric_codes_shifted" / "s.csv").read_text(encoding="utf-8").splitlines()
    codes = {n: n - 1 for n in range(1, 8)}
    raw = survey(tmp_path, lines, instrument="uwes9", codes=codes)
    assert values(raw) == {"uwes1": list("03251"), "uwes2": list("14240"), "uwes3": list("25130")}
    assert told(raw, "tool_codes", "warning") == []
    few = survey(tmp_path, lines, instrument="uwes9", codes={1: 0, 2: 1})
    assert "not under codes:" in told(few, "tool_codes", "error")[0]
    own = survey(tmp_path, lines, instrument="uwes9", codes="card")
    assert values(own)["uwes1"] == list("14362") and told(own, "tool_codes", "warning") == []


def test_numbers_off_the_cards_range_are_an_error_that_names_the_columns(tmp_path):
    lines = qualtrics({"uwes1": "a", "uwes2": "b"}, "7,2", "1,3")
    (error,) = told(survey(tmp_path, lines, instrument="uwes9"), "tool_codes", "error")
    assert "from 1 to 7 and card uwes9 has 0 to 6: column 7 (uwes1) cannot be" in error
    assert "uwes2" not in error


@pytest.mark.parametrize(
    ("profile", "head"),
    [
        ("limesurvey", "id,submitdate,lastpage,startlanguage,employee_id"),
        ("surveymonkey", "Respondent ID,End Date,Collector ID,IP Address,employee_id"),
        ("wide", "Row,Answered,Shift,Site,employee_id"),
    ],
)
def test_numbers_of_other_tools_are_warned_of_too(tmp_path, profile, head):
    lines = [f"{head},mor1,mor2", *([",,,,,,"] if profile == "surveymonkey" else []), "1,2023-03-01,1,en,001,4,2"]
    raw = survey(tmp_path, lines, instrument="pulse", profile=profile)
    assert values(raw) == {"mor1": ["4"], "mor2": ["2"]}
    assert len(told(raw, "tool_codes", "warning")) == 1


def test_a_scale_from_zero_of_which_nobody_gave_zero_is_warned_of_whatever_the_tool(tmp_path):
    lines = [
        "Timestamp,Email,uwes1,uwes2",
        "2023-03-01 10:00:00,a@acme.example,1,6",
        "2023-03-02 10:00:00,b@acme.example,2,3",
    ]
    raw = survey(tmp_path, lines, instrument="uwes9", profile="google_forms")
    assert len(told(raw, "tool_codes", "warning")) == 1
    lines[1] = lines[1].replace(",1,6", ",0,6")
    assert told(survey(tmp_path, lines, instrument="uwes9", profile="google_forms"), "tool_codes", "warning") == []


def test_labels_are_warned_of_by_nobody(tmp_path):
    raw = survey(tmp_path, qualtrics({"mor1": "a", "mor2": "b"}, "Agree,Disagree"), instrument="pulse")
    assert told(raw, "tool_codes", "warning") == []


def test_numbers_whose_labels_stand_in_the_header_become_the_labels(tmp_path):
    lines = qualtrics({"mor1": "a", "mor2": "b"}, "4,6", "6,4")
    labels = '{""4"":""Strongly agree"",""6"":""Disagree""}'
    for code in ("mor1", "mor2"):
        lines[2] = lines[2].replace(f'""{code}""', f'""{code}"",""choices"":{labels}')
    raw = survey(tmp_path, lines, instrument="pulse")
    assert values(raw) == {"mor1": ["Strongly agree", "Disagree"], "mor2": ["Disagree", "Strongly agree"]}
    assert told(raw, "tool_codes", "warning") == []


def spss(path: Path, answers: list[float], labels: dict[float, str], missing: list | None = None) -> None:
    frame = pd.DataFrame({"employee_id": [f"00{n}" for n in range(len(answers))], "mor1": answers})
    path.parent.mkdir(parents=True, exist_ok=True)
    ranges = {"mor1": missing} if missing else None
    pyreadstat.write_sav(frame, path, variable_value_labels={"mor1": labels}, missing_ranges=ranges)


def test_ends_that_are_labelled_the_other_way_round_are_an_error(tmp_path):
    spss(tmp_path / "acme" / "s.sav", [1, 2, 5], {1: "Strongly agree", 5: "Strongly disagree"})
    raw = study(tmp_path / "acme", {"path": "s.sav", "profile": "wide", "instrument": "pulse"})
    assert "numbers without a label" in told(raw, "tool_codes", "error")[0]
    spss(tmp_path / "good" / "s.sav", [1, 2, 5], {1: "Strongly disagree", 5: "Strongly agree"})
    good = study(tmp_path / "good", {"path": "s.sav", "profile": "wide", "instrument": "pulse"})
    assert values(good) == {"mor1": ["Strongly disagree", "2", "Strongly agree"]}
    assert told(good, "tool_codes", "warning") == []


def test_only_numbers_that_are_there_count():
    cells = as_text(["3", "Agree", "-99"])
    assert numbers_of(cells) == [3.0, -99.0] and numbers_of(cells[:2]) == [3.0]


# 4. A first respondent is no header line


def test_a_question_asked_twice_leaves_the_file_google_forms_and_nobody_named(tmp_path):
    started, printed, raw = case(tmp_path, "gforms_duplicate_question")
    assert started.sources[1].profile == "google_forms" and "responses, 5 rows" in printed
    assert values(raw) == {"mor1": ["Agree"] * 5, "mor2": ["Disagree"] * 5}
    assert told(raw, "duplicate_column", "info")[0].count("Comments (columns 4, 6)") == 1
    checked(tmp_path)
    assert not secrets(tmp_path, printed, "boss", "y1", "p1@")


def secrets(tmp_path: Path, printed: str, *texts: str) -> list[str]:
    """Return which texts stand on the screen or in a file that was written, but for the copies of the exports."""
    files = [p for p in tmp_path.rglob("*") if p.is_file() and p.parent.name != "raw" and p.parent != tmp_path]
    written = printed + "".join(p.read_text(encoding="utf-8", errors="replace") for p in files)
    return [text for text in texts if text in written]


def test_an_index_column_without_a_name_is_left_out_and_named_by_its_place(tmp_path):
    started, printed, raw = case(tmp_path, "index_column_first")
    assert started.sources[1].profile == "google_forms" and "responses, 5 rows" in printed
    assert "column(s) without a name in the header (column 1) were not read" in printed
    assert "(column 1)" in told(raw, "unnamed_column", "warning")[0]
    assert not secrets(tmp_path, printed, "p1@", "2024-03-11 09")


@pytest.mark.parametrize("index", ["", "Unnamed: 0", "X", "...1"])
def test_an_index_is_no_question(tmp_path, index):
    rows = [f"{n},e{n}@acme.example,2024-03-0{n + 1},{n % 3 + 1},{n % 2 + 2},{(n + 1) % 3 + 1}" for n in range(6)]
    lines = [f"{index},Email,Answered,My work matters.,My boss listens.,I sleep well.", *rows]
    started, _, _ = case_of(tmp_path, lines)
    assert [item.text for item in load_instruments(started)["s"].items.values()] == [
        "My work matters.",
        "My boss listens.",
        "I sleep well.",
    ]


def test_a_duplicate_question_in_a_spreadsheet_swallows_nobody(tmp_path):
    book = Workbook()
    for line in (CASES / "gforms_duplicate_question" / "s.csv").read_text(encoding="utf-8").splitlines():
        book.active.append(line.split(","))
    content = io.BytesIO()
    book.save(content)
    (tmp_path / "s.xlsx").write_bytes(content.getvalue())
    started, _, printed = begun(tmp_path, "--survey", tmp_path / "s.xlsx")
    assert started.sources[0].profile == "google_forms" and "responses, 5 rows" in printed
    assert not secrets(tmp_path, printed, "boss", "y1", "p1@")


@pytest.mark.parametrize("gone", [slice(1, 3), slice(1, 2)], ids=["wording and JSON", "wording"])
def test_a_header_whose_second_line_was_taken_out_swallows_no_form(tmp_path, gone):
    lines = qualtrics({"mor1": "a", "mor2": "b"}, "Agree,Disagree", "Neither,Agree")
    del lines[gone]
    raw = survey(tmp_path, lines, instrument="pulse")
    assert values(raw) == {"mor1": ["Agree", "Neither"], "mor2": ["Disagree", "Agree"]}
    assert "line 2 is no line of headings" in told(raw, "header_line", "warning")[0]


def test_an_index_before_three_header_lines_makes_no_form_of_them(tmp_path):
    lines = qualtrics({"mor1": "a", "mor2": "b"}, "Agree,Disagree", "Neither,Agree")
    lines = [f"{'' if n < 0 else n},{line}" for n, line in enumerate(lines, start=-1)]
    raw = survey(tmp_path, lines, instrument="pulse")
    assert values(raw) == {"mor1": ["Agree", "Neither"], "mor2": ["Disagree", "Agree"]}


def test_a_condensed_export_of_surveymonkey_keeps_its_first_form(tmp_path):
    lines = [
        "Respondent ID,Collector ID,End Date,employee_id,mor1",
        "1,2,03/17/2023,001,Agree",
        "2,2,03/18/2023,002,Neither",
    ]
    raw = survey(tmp_path, lines, instrument="pulse", profile="surveymonkey")
    assert values(raw) == {"mor1": ["Agree", "Neither"]}


def test_a_file_of_answers_without_any_header_shows_no_cell(tmp_path):
    lines = [f"Person {n},Agree,my boss {n} shouts,p{n}@acme.example,2024-03-0{n}" for n in range(1, 8)]
    run = init(tmp_path, "--survey", write(tmp_path / "s.csv", *lines))
    assert not secrets(tmp_path, run.stdout + run.stderr, "Person 1", "shouts", "p1@")
    labels = ["Agree,Disagree,Neither", "Disagree,Agree,Agree", "Neither,Neither,Disagree"]
    run = init(tmp_path / "two", "--survey", write(tmp_path / "two" / "s.csv", *labels))
    assert "Agree" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("line", "records", "is_header"),
    [
        (["I sleep well.", "Most days drag."], [["Agree", "Neither"]], True),
        (["Agree", "Neither"], [["Neither", "Neither"], ["Agree", "Agree"]], False),
        (["3/15/2024 9:11:00", "some words", "more words"], [], False),
        (["p1@acme.example", "some words", "more words"], [], False),
        (["4", "5", "some words"], [], False),
        (["Chat", "Mail", "Other (please specify)", "Response"], [["Chat", "", "", "x"]], True),
    ],
)
def test_a_header_line_is_told_from_a_record(line, records, is_header):
    assert is_header_line(line, records) is is_header


# 5. Surveys of no known tool


def test_a_wide_survey_of_no_known_tool_is_read_by_its_codes(tmp_path):
    started, printed, raw = case(tmp_path, "wide_survey_unknown_tool", staff="e.csv")
    assert [(s.profile, s.instrument) for s in started.sources][1] == ("wide", "pulse")
    assert values(raw) == {"mor1": ["4", "5", "2"], "mor2": ["3", "4", "2"], "mor3": ["2", "1", "4"]}
    assert "emp_code" in printed and raw.tables["responses"]["responded_at"].iloc[0] == "2024-03-05"
    assert checked(tmp_path).returncode == 0


def test_a_wide_survey_is_read_by_its_wording_or_drafted(tmp_path):
    asked = "I look forward to coming to work.,My team is in good spirits."
    lines = [f"Staff No,Date,{asked}", "001,2024-03-05,4,5", "002,2024-03-06,2,1"]
    started, _, _ = case_of(tmp_path, lines)
    assert (started.sources[0].profile, started.sources[0].instrument) == ("wide", "pulse")
    own = ["pers_nr,My work matters.,My boss listens.,I sleep well.", "001,4,5,3", "002,2,1,4", "003,3,3,1"]
    drafted, _, _ = case_of(tmp_path / "two", own)
    assert (drafted.sources[0].profile, drafted.sources[0].instrument) == ("wide", "s")


def test_a_wide_survey_without_a_known_key_is_unlinked_and_told(tmp_path):
    started, _, _ = case_of(tmp_path, ["Kennung,mor1,mor2", "001,4,5", "002,2,1"])
    raw = read_exports(started)
    assert started.sources[0].profile == "wide" and told(raw, "unlinked_survey", "warning")


def test_a_form_a_row_in_the_contracts_profile_is_told_of_the_other(tmp_path):
    raw = survey(tmp_path, ["employee_id,mor1", "001,4"], instrument="pulse", profile="canonical")
    assert "profile: wide" in told(raw, "missing_column", "error")[0]


# 6. Forms


def test_a_form_that_asks_for_email_is_google_forms_by_its_time_stamp(tmp_path):
    started, _, raw = case(tmp_path, "gforms_email_question")
    assert started.sources[1].profile == "google_forms"
    rows = raw.tables["responses"].drop_duplicates("_line")
    assert sorted(rows["responded_at"]) == ["2024-03-05", "2024-03-06", "2024-03-07", "2024-03-08", "2024-03-14"]
    assert sorted(rows["employee_id"]) == ["001", "002", "003", "004", "005"]


def test_a_form_that_asks_for_email_and_department_is_google_forms_still(tmp_path):
    lines = ["Timestamp,Email,Department,mor1,mor2", "2024-03-05 09:11:00,p1@acme.example,Sales,Agree,Disagree"]
    started, printed, _ = case_of(tmp_path, lines)
    assert started.sources[0].profile == "google_forms" and "fits as well" not in printed


def test_questions_in_words_are_drafted_before_stray_numbers(tmp_path):
    started, _, _ = case(tmp_path, "numbers_beat_labels")
    texts = [item.text for item in load_instruments(started)["s"].items.values()]
    assert texts == [f"How was part {part}" for part in "ABCDEFGH"]


def test_equations_and_sums_are_no_questions(tmp_path):
    head = "id,submitdate,lastpage,startlanguage,email,Work,Boss,Sleep,total,EQ1,{Work + Boss}"
    rows = [f"{n + 7},2024-03-0{n + 1} 10:00:00,1,en,p{n}@acme.example,{n},2,{5 - n},{n},{n},{n}" for n in range(1, 5)]
    started, _, _ = case_of(tmp_path, [head, *rows[:3], rows[3].replace(",2,", ",3,")])
    assert [item.text for item in load_instruments(started)["s"].items.values()] == ["Work", "Boss", "Sleep"]


def test_a_word_that_one_person_wrote_into_a_scale_is_not_drafted(tmp_path):
    head = "Timestamp,Email Address,My work matters.,My boss listens.,I sleep well."
    answers = ["daily,weekly,hardly", "weekly,hardly,daily", "hardly,daily,weekly", "my boss shouts,daily,weekly"]
    rows = [f"2024-03-0{n}T09:00:00,p{n}@acme.example,{given}" for n, given in enumerate(answers, start=1)]
    _, printed, _ = case_of(tmp_path, [head, *rows])
    assert not secrets(tmp_path, printed, "shouts")


def test_codes_that_spss_labels_as_no_answer_are_none(tmp_path):
    _, _, raw = case(tmp_path, "spss_user_missing", "s.sav", "e.csv")
    answers = {item: [number(text) for text in given] for item, given in values(raw).items()}
    assert answers == {"mor1": [4, None, 1], "mor2": [2, 3, None]}
    days = raw.tables["responses"].drop_duplicates("_line")["responded_at"]
    assert list(days) == ["2024-03-05", "2024-03-06", "2024-03-07"]


def number(label: str | None) -> int | None:
    return None if label is None else next(n for n, text in LABELS.items() if text == label)


def test_a_labelled_code_off_the_scale_is_no_answer_whatever_the_tool(tmp_path):
    spss(tmp_path / "acme" / "s.sav", [4, 9, -99], LABELS | {9: "Refused", -99: "Seen but not answered"})
    raw = study(tmp_path / "acme", {"path": "s.sav", "profile": "wide", "instrument": "pulse"})
    assert values(raw) == {"mor1": ["Agree", None, None]}
    assert told(raw, "nothing_entered", "warning")


def test_columns_of_one_name_that_nothing_is_read_from_are_told_with_their_places(tmp_path):
    _, _, raw = case(tmp_path, "qualtrics_duplicate_columns")
    assert values(raw) == {"mor1": ["4", "4"], "mor2": ["2", "3"]}
    (note,) = told(raw, "duplicate_column", "info")
    assert "StartDate (columns 1, 14)" in note and "RecipientLastName (columns 15, 16)" in note


@pytest.mark.parametrize("twice", ["ExternalReference", "mor1", "EndDate", "Status"])
def test_a_column_of_one_name_that_is_read_is_an_error_with_its_places(tmp_path, twice):
    lines = qualtrics(
        {"mor1": "a", "mor2": "b", twice: "c"} if twice != "mor1" else {"mor1": "a", "mor2": "b"}, "4,2,x"
    )
    if twice == "mor1":
        lines = [line + more for line, more in zip(lines, [",mor1", ",c", ',"{""ImportId"":""x""}"', ""], strict=True)]
    raw = survey(tmp_path, lines, instrument="pulse")
    assert f"{twice} (columns " in told(raw, "duplicate_column", "error")[0]
