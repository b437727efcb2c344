"""Strangers' HR files that were once misread or refused, and others of their kind: read rightly, or told loudly."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900
from studies import write_study
from test_cli import mentoring

from analysis.ingest import staff_words
from analysis.ingest.profile import load_profiles
from analysis.ingest.readers.spreadsheet import counts_from_1904
from analysis.ingest.sources import RawTables, read_exports
from analysis.pipeline import open_study
from analysis.plan.contract import TABLES
from analysis.plan.study import Study
from analysis.plan.yaml_file import load_yaml

CASES = Path(__file__).parents[1] / "fixtures" / "cases" / "exports"
EMPLOYEES = "employee_id,hire_date,exit_date,exit_type\n0001,2019-03-01,,\n0002,2020-06-15,,\n"


def read(*sources: dict) -> RawTables:
    """Return what is read of a study with these sources, each with its file."""
    folder = sources[0]["file"].parent
    entries = [{k: v for k, v in one.items() if k != "file"} | {"path": one["file"].name} for one in sources]
    study = Study(
        schema_version=1, study="acme", title="Acme", study_start="2019-01-01", as_of="2024-12-31", sources=entries
    )
    return read_exports(study.model_copy(update={"folder": folder}))


def case(name: str, profile: str, table: str = "employees", **keys: str) -> RawTables:
    """Return what is read of a case: its employees, or its jobs beside them."""
    path = next((CASES / name).glob(f"{table[0]}.*"))
    return read({"table": table, "profile": profile, "file": path, **keys})


def written(folder: Path, text: str, profile: str, table: str = "employees", **keys: str) -> RawTables:
    """Return what is read of one file with this text."""
    path = folder / f"{table}.csv"
    path.write_text(text, encoding="utf-8")
    return read({"table": table, "profile": profile, "file": path, **keys})


def column(raw: RawTables, name: str, table: str = "employees") -> list[str | None]:
    cells = raw.tables[table][name].astype(object)
    return cells.where(cells.notna(), None).tolist()


def told(raw: RawTables, severity: str = "error") -> dict[str, str]:
    """Return the messages of a severity, by rule."""
    return {p.rule: p.message for p in raw.problems if p.severity == severity}


# Numbers whose point may stand before thousands


JOBS = {
    "personio": "Personalnummer;Gültig ab;Ebene;Abteilung;Jahresgehalt",
    "canonical": "employee_id;effective_date;job_level;department;base_salary",
}


def salaries(folder: Path, *amounts: str, profile: str = "personio", **keys: str) -> RawTables:
    rows = "".join(f"{n:04};2020-06-15;2;Vertrieb;{text}\n" for n, text in enumerate(amounts, 1))
    return written(folder, f"{JOBS[profile]}\n{rows}", profile, "jobs", **keys)


def test_german_thousands_are_asked_about_and_never_fifty_two():
    assert "decimal: ','" in told(case("decimal_comma_salary", "personio", "jobs"))["ambiguous_number"]
    decided = case("decimal_comma_salary", "personio", "jobs", decimal=",")
    assert "base_salary" not in told(decided) and column(decided, "base_salary", "jobs") == ["52000", "61500"]


@pytest.mark.parametrize(
    ("amounts", "read_as"),
    [
        (("52.000", "61.500", "9.800,50"), ["52000", "61500", "9800.50"]),
        (("52.000", "1.234.567"), ["52000", "1234567"]),
        (("52.000 €", "61.500,- €", "48.000,--"), ["52000", "61500.00", "48000.00"]),
        (("52,000", "61,500.25"), ["52000", "61500.25"]),
        (("52.000", "0.125"), ["52.000", "0.125"]),
        (("52000", "61500"), ["52000", "61500"]),
    ],
)
def test_one_number_of_a_column_decides_what_its_points_are(amounts, read_as, tmp_path):
    raw = salaries(tmp_path, *amounts)
    assert column(raw, "base_salary", "jobs") == read_as and not told(raw)


@pytest.mark.parametrize("amounts", [("52.000", "61.500"), ("52,000",), ("52.000", "800", ""), ("EUR 52.000",)])
def test_a_column_that_could_be_either_is_an_error_that_says_how_to_decide(amounts, tmp_path):
    raw = salaries(tmp_path, *amounts)
    assert "decimal:" in told(raw)["ambiguous_number"]
    assert "Jahresgehalt" in told(raw)["ambiguous_number"]


def test_thousands_in_the_contracts_own_form_are_read_to_the_letter_and_warned_of(tmp_path):
    raw = salaries(tmp_path, "52.000", "61.500", profile="canonical")
    assert "decimal: ','" in told(raw, "warning")["ambiguous_number"]
    assert "ambiguous_number" not in told(salaries(tmp_path, "52.000", "61.5", profile="canonical"), "warning")


def test_numbers_that_a_workbook_holds_as_numbers_are_not_asked_about(tmp_path):
    book = Workbook()
    book.active.append(["Personalnummer", "Gültig ab", "Level", "Abteilung", "Bewertung"])
    book.active.append(["0001", "2020-06-15", 2, "Vertrieb", 3.125])
    book.save(tmp_path / "j.xlsx")
    source = {"table": "jobs", "profile": "personio", "file": tmp_path / "j.xlsx"}
    for decimal in ({}, {"decimal": ","}):
        raw = read(source | decimal)
        assert column(raw, "performance_rating", "jobs") == ["3.125"] and not told(raw)


# Parts of full time


def parts(folder: Path, heading: str, *cells: str) -> RawTables:
    rows = "".join(f'{n:04},2020-06-15,2,"{text}"\n' for n, text in enumerate(cells, 1))
    header = f"Worker_ID,Effective_Date,Job_Level,{heading}"
    return written(folder, f"{header}\n{rows}", "workday", "jobs")


def test_a_percentage_of_full_time_becomes_a_share():
    raw = case("workday_fte_100", "workday", "jobs")
    assert column(raw, "fte", "jobs") == ["1", "0.8"] and not told(raw)
    assert "fte_in_percent" in told(raw, "info")


@pytest.mark.parametrize(
    ("heading", "cells", "read_as", "severity"),
    [
        ("FTE", ("100", "80", "62.5", "0"), ["1", "0.8", "0.625", "0"], "warning"),
        ("FTE", ("100.000", "80.000"), ["1", "0.8"], "warning"),
        ("Full_Time_Equivalent_Percentage", ("50", "40"), ["0.5", "0.4"], "info"),
        ("FTE", ("100 %", "80 %"), ["1", "0.8"], None),
        ("FTE", ("1.000", "0.500"), ["1.000", "0.500"], None),
        ("FTE", ("1,000", "0,500"), ["1.000", "0.500"], None),
        ("FTE", ("1.000",), ["1.000"], None),
        ("Full_Time_Equivalent_Percentage", ("1", "0.8"), ["1", "0.8"], None),
        ("FTE", ("40", "20"), ["40", "20"], None),  # hours: out of range, an error
        ("FTE", ("1", "0.8", "100"), ["1", "0.8", "100"], None),  # both: out of range
        ("FTE", ("full", "80"), ["full", "80"], None),
    ],
)
def test_only_a_whole_column_over_one_is_a_percentage(heading, cells, read_as, severity, tmp_path):
    raw = parts(tmp_path, heading, *cells)
    assert column(raw, "fte", "jobs") == read_as
    assert {s for s in ("info", "warning") if "fte_in_percent" in told(raw, s)} == ({severity} - {None})


# Words for kinds of exit


def exits(folder: Path, *words: str, profile: str = "bamboohr", heading: str = "Termination Type") -> RawTables:
    first = {
        "bamboohr": "Employee ID,Hire Date,Termination Date",
        "successfactors": "personIdExternal,startDate,endDate",
    }
    rows = "".join(f'{n:04},2019-03-01,2022-01-01,"{text}"\n' for n, text in enumerate(words, 1))
    return written(folder, f"{first[profile]},{heading}\n{rows}", profile)


def test_common_words_for_exits_are_known_and_voluntary_is_never_taken_for_its_opposite():
    kinds = """
        voluntary involuntary involuntary voluntary voluntary retirement retirement involuntary involuntary involuntary
        other death death end_of_contract involuntary involuntary involuntary voluntary involuntary retirement
        involuntary other
    """
    raw = case("exit_labels", "bamboohr")
    assert column(raw, "exit_type") == kinds.split()
    assert "unknown_exit_type" not in told(raw, "warning")


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("no-call, no-show", "gross misconduct", "career change"), ["involuntary", "involuntary", "voluntary"]),
        (("RIF", "Resignaton", "Job abandonment"), ["involuntary", "voluntary", "voluntary"]),
        (("freiwillig", "unfreiwillig", "Nicht freiwillig"), ["voluntary", "involuntary", "involuntary"]),
        (("Eigenkündigung", "Arbeitgeberkuendigung", "Kündigung"), ["voluntary", "involuntary", None]),
        (("Démission", "licencie", "Rupture conventionnelle"), ["voluntary", "involuntary", "other"]),
        (("vrijwillig", "onvrijwillig", "ontslag"), ["voluntary", "involuntary", None]),
        (("frivillig", "ofrivillig", "Ufrivillig"), ["voluntary", "involuntary", "involuntary"]),
        (("dobrowolne", "NIEDOBROWOLNE", "Śmierć"), ["voluntary", "involuntary", "death"]),
        (("não voluntário", "pedido de demissão", "demissão"), ["involuntary", "voluntary", None]),
        (("dimissioni", "licenziamento", "pensionamento"), ["voluntary", "involuntary", "retirement"]),
        (("baja voluntaria", "baja no voluntaria", "despido"), ["voluntary", "involuntary", "involuntary"]),
        (
            ("Voluntary > Retirement", "Involuntary: End of contract", "Fired (for cause)"),
            ["retirement", "end_of_contract", "involuntary"],
        ),
        (("Resignation/Retirement", "Quit/Resigned", "Layoff - Voluntary"), [None, "voluntary", None]),
        (("Death in the family", "Not retiring", "Resigned (death of spouse)"), [None, None, "voluntary"]),
        (("Terminated", "Death - of a relative", "Left"), [None, None, None]),
    ],
)
def test_words_are_phrases_and_never_parts_of_one(words, kinds, tmp_path):
    assert column(exits(tmp_path, *words), "exit_type") == kinds


def test_a_profile_may_differ_and_its_patterns_give_way_to_words(tmp_path):
    raw = exits(
        tmp_path,
        "TERVOL",
        "Forced resignation",
        "No call no show",
        "TERNOSHOW",
        profile="successfactors",
        heading="eventReason",
    )
    assert column(raw, "exit_type") == ["voluntary", "involuntary", "involuntary"]
    assert "rescinded_hire" in told(raw, "info")


def test_the_study_counts_before_the_words_and_the_contracts_form_stays_strict(tmp_path):
    path = tmp_path / "employees.csv"
    path.write_text("Employee ID,Hire Date,Termination Date,Termination Type\n1,2019-03-01,2022-01-01,Fired\n")
    study = Study(
        schema_version=1,
        study="acme",
        title="Acme",
        study_start="2019-01-01",
        as_of="2024-12-31",
        sources=[{"table": "employees", "path": path.name, "profile": "bamboohr"}],
        values={"employees": {"exit_type": {"other": ["Fired"]}}},
    )
    assert column(read_exports(study.model_copy(update={"folder": tmp_path})), "exit_type") == ["other"]
    raw = written(tmp_path, EMPLOYEES.replace("2020-06-15,,", "2020-06-15,2021-01-01,Fired"), "canonical")
    assert column(raw, "exit_type") == [None, "Fired"]


def test_no_phrase_stands_for_two_kinds():
    listed = load_yaml(staff_words.EXIT_WORDS, source="exit_words.yaml").content
    kinds: dict[str, set[str]] = {}
    for kind, languages in listed.items():
        assert set(languages) == {"en", "de", "fr", "es", "it", "nl", "pt", "sv", "da", "pl"}
        for text in (text for lists in languages.values() for texts in lists for text in texts):
            kinds.setdefault(staff_words.plain_words(text), set()).add(kind)
    assert {text: of for text, of in kinds.items() if len(of) > 1} == {}
    assert set(listed) == set(TABLES["employees"]["exit_type"].allowed)


def test_unknown_words_are_shown_where_they_are_codes(tmp_path):
    message = told(exits(tmp_path, "Zeta", "Zeta", "Omikron"), "warning")["unknown_exit_type"]
    assert "Zeta (2), Omikron (1)" in message and "values:" in message


@pytest.mark.parametrize("text", ["ada@acme.example", "Ada Testperson", "Testperson, Ada", "E12345"])
def test_what_may_be_about_a_person_is_not_shown(text, tmp_path):
    header = "Employee ID,Name,Hire Date,Termination Date,Termination Type"
    raw = written(tmp_path, f'{header}\n1,Ada Testperson,2019-03-01,2022-01-01,"{text}"\n', "bamboohr")
    assert text not in told(raw, "warning")["unknown_exit_type"]


# Workbooks that count days from 1904


def workbook(folder: Path, *rows: list, since_1904: bool = False) -> Path:
    book = Workbook()
    book.epoch = CALENDAR_MAC_1904 if since_1904 else CALENDAR_WINDOWS_1900
    for row in rows:
        book.active.append(row)
    book.save(folder / "e.xlsx")
    return folder / "e.xlsx"


def test_bare_serial_numbers_of_a_1904_workbook_are_its_days():
    raw = case("excel_1904_serials_without_format", "bamboohr")
    assert column(raw, "hire_date") == ["2015-03-30", "2016-07-01", "2017-01-02"]
    assert column(raw, "exit_date") == ["2019-06-16", None, "2020-02-29"] and not told(raw)
    assert "1904-01-01" in told(raw, "warning")["serial_dates"]


@pytest.mark.parametrize(("since_1904", "days"), [(True, "2015-03-30"), (False, "2011-03-29")])
def test_the_workbook_decides_from_when_its_days_are_counted(since_1904, days, tmp_path):
    path = workbook(
        tmp_path, ["Employee ID", "Hire Date", "Termination Date"], ["1", 40631, None], since_1904=since_1904
    )
    raw = read({"table": "employees", "profile": "bamboohr", "file": path})
    assert column(raw, "hire_date") == [days]


@pytest.mark.parametrize(("setting", "is_1904"), [(b"\x01\x00", True), (b"\x00\x00", False)])
def test_older_workbooks_say_it_in_a_record(setting, is_1904, tmp_path):
    begins = b"\x09\x08\x10\x00\x00\x06\x05\x00" + bytes(12)
    (tmp_path / "e.xls").write_bytes(bytes(512) + begins + b"\x8d\x00\x02\x00\x22\x00" + b"\x22\x00\x02\x00" + setting)
    assert counts_from_1904(tmp_path / "e.xls", "xls") is is_1904
    with ZipFile(tmp_path / "e.xlsb", "w") as archive:
        archive.writestr("xl/workbook.bin", b"\x83\x01\x00\x99\x01\x0c" + bytes([0x20 + is_1904]) + bytes(11))
    assert counts_from_1904(tmp_path / "e.xlsb", "xlsb") is is_1904


# UTF-16 without a byte-order mark


def test_utf_16_without_a_mark_is_read():
    raw = case("sap_utf16_no_bom", "successfactors")
    assert column(raw, "employee_id") == ["00004711", "00004712"] and not told(raw)
    assert column(raw, "exit_date") == [None, "2024-02-29"] and column(raw, "exit_type") == [None, "voluntary"]
    assert "UTF-16" in told(raw, "info")["csv_dialect"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("given", [{}, {"encoding": "utf-16"}, {"encoding": "own"}])
def test_either_order_of_bytes_is_read(encoding, given, tmp_path):
    text = "Personalnummer;Einstellungsdatum;Standort\r\n" + "".join(f"{n:04};01.03.2019;Köln\r\n" for n in range(900))
    (tmp_path / "e.csv").write_bytes(text.encode(encoding))
    keys = {"encoding": encoding} if given.get("encoding") == "own" else given
    raw = read({"table": "employees", "profile": "personio", "file": tmp_path / "e.csv", **keys})
    assert set(column(raw, "location")) == {"Köln"} and len(column(raw, "hire_date")) == 900 and not told(raw)


def test_letters_of_two_bytes_that_cannot_be_told_are_an_error_that_says_utf_16(tmp_path):
    (tmp_path / "e.csv").write_bytes("ナンバー,ハイヤー\nイチ,ニ\n".encode("utf-16-le"))
    raw = read({"table": "employees", "profile": "bamboohr", "file": tmp_path / "e.csv"})
    assert "UTF-16" in " ".join(told(raw).values())


# What stands around a table

TABLE = """\
Employee ID,Hire Date,Termination Date,Termination Type
0001,2019-03-01,,
0002,2020-06-15,2024-02-29,Resignation
"""


def is_read_from_line(raw: RawTables, line: int) -> bool:
    """Whether the two people of `TABLE` were read, from below the header in this line."""
    assert not told(raw)
    assert f"in line {line}" in told(raw, "warning")["lines_above_header"]
    assert column(raw, "_line") == [line + 1, line + 2] and column(raw, "employee_id") == ["0001", "0002"]
    return column(raw, "exit_date") == [None, "2024-02-29"] and column(raw, "exit_type") == [None, "voluntary"]


def test_title_lines_of_a_report_are_left_out_with_a_warning():
    assert is_read_from_line(case("report_title_rows", "bamboohr"), 4)


def test_merged_group_headings_are_left_out_with_a_warning():
    assert is_read_from_line(case("xlsx_merged_header", "bamboohr"), 2)


@pytest.mark.parametrize(
    ("above", "n_lines"),
    [
        ("Headcount\n", 1),
        ("Headcount,,,\nRun on: 03/06/2024,,,\n\n", 3),
        ("Organization:,Acme\nEffective Date:,2024-06-30\nIncludes:,Leavers\n\n", 4),
        ("Effective Date:,2024-06-30,Company:,Acme\n", 1),
        ('"Report, made by someone"\n2024-06-30\n', 2),
        ("Person,,Employment,\n", 1),
        ("\n\nAll workers\n\n", 4),
        ("sep=,\nAll workers\n", 2),
    ],
)
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_titles_prompts_and_groups_above_the_header_are_no_header(above, n_lines, mark, tmp_path):
    raw = written(tmp_path, (above + TABLE).replace(",", mark), "bamboohr")
    assert is_read_from_line(raw, n_lines + 1)


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.replace("Termination Type", ""),
        TABLE.replace("0001", "E1").replace("Termination Type", "Hire Date"),
        "Employee ID,Hire Date\nE1,2019-03-01\nE2,2020-06-15\n",
        "Name:,Employee ID:,Hire Date:\nAda Testperson,E1,2019-03-01\n",
    ],
)
def test_a_header_in_the_first_line_stays_the_header(text, tmp_path):
    raw = written(tmp_path, text, "bamboohr")
    assert "lines_above_header" not in told(raw, "warning")


def test_a_column_that_is_missing_below_a_title_is_told_with_the_headers_line(tmp_path):
    raw = written(tmp_path, "Headcount\n" + TABLE.replace("Hire Date", "Colour"), "bamboohr")
    [problem] = [p for p in raw.problems if p.rule == "missing_column"]
    assert problem.example_rows == (2,)


def test_a_hand_kept_workbook_has_two_header_rows_and_a_legend(tmp_path):
    path = workbook(
        tmp_path,
        ["Personalliste Stand 30.06.2024"],
        ["Person", None, "Austritt", None],
        ["Employee ID", "Hire Date", "Termination Date", "Termination Type"],
        ["0001", "2019-03-01", None, None],
        ["0002", "2020-06-15", "2024-02-29", "Resignation"],
        [],
        ["Total: 2"],
        [None, "grey = left"],
    )
    raw = read({"table": "employees", "profile": "bamboohr", "file": path})
    assert is_read_from_line(raw, 3)
    [problem] = [p for p in raw.problems if p.rule == "hardly_a_cell"]
    assert problem.example_rows == (7, 8) and problem.severity == "warning"
    assert "grey" not in problem.message


def test_only_what_stands_below_the_table_with_one_cell_is_a_legend(tmp_path):
    raw = written(tmp_path, TABLE + "Total,,,\n0003,2020-06-15,,\n", "bamboohr")
    assert column(raw, "employee_id") == ["0001", "0002", "Total", "0003"]  # validation's to refuse
    assert "hardly_a_cell" not in told(raw, "warning")


TWO_LINES = """\
Employee,Hire,Termination,Termination,Cost
ID,Date,Date,Type,centre
0001,2019-03-01,,,7
0002,2020-06-15,2024-02-29,Resignation,7
"""


@pytest.mark.parametrize("above", ["", "Headcount\n", "Headcount,,,,\n\n"])
@pytest.mark.parametrize("profile", ["bamboohr", "canonical"])
def test_a_header_in_two_lines_is_one_header(above, profile, tmp_path):
    own_form = TWO_LINES.replace("Termination", "Exit").replace("Resignation", "voluntary")
    raw = written(tmp_path, above + (own_form if profile == "canonical" else TWO_LINES), profile)
    line = 2 + above.count("\n")
    assert not told(raw) and f"line {line} is the second" in told(raw, "warning")["header_in_two_lines"]
    assert column(raw, "_line") == [line + 1, line + 2] and column(raw, "employee_id") == ["0001", "0002"]
    assert column(raw, "exit_type") == [None, "voluntary"]


def test_a_header_in_two_rows_of_a_workbook_is_one_header(tmp_path):
    path = workbook(tmp_path, *[[cell or None for cell in line.split(",")] for line in TWO_LINES.splitlines()])
    raw = read({"table": "employees", "profile": "bamboohr", "file": path})
    assert "header_in_two_lines" in told(raw, "warning") and column(raw, "exit_date") == [None, "2024-02-29"]


def test_where_one_name_alone_is_broken_the_others_stay(tmp_path):
    text = TABLE.replace("Termination Type", "Termination").replace("\n0001", "\n,,,Type\n0001")
    assert column(written(tmp_path, text, "bamboohr"), "exit_type") == [None, "voluntary"]


@pytest.mark.parametrize(
    "first", ["Employee ID,Name,Location\nE1,Ada,Leeds\nE2,Bo,York\n", "Mentor,Mentee,Department\nAda,Bo,Sales\n"]
)
def test_a_record_of_words_is_no_second_line_of_the_header(first, tmp_path):
    raw = written(tmp_path, first, "bamboohr")
    assert "header_in_two_lines" not in told(raw, "warning")


@pytest.mark.parametrize("below", ["Total: 2\n", "\nTotal: 2\n\nPrinted on Monday", "Run by HR,\n"])
def test_a_line_below_a_table_without_marks_for_the_other_fields_is_no_record(below, tmp_path):
    raw = written(tmp_path, TABLE + below, "bamboohr")
    assert not told(raw) and column(raw, "employee_id") == ["0001", "0002"]
    [problem] = [p for p in raw.problems if p.rule == "hardly_a_cell"]
    assert problem.lines.tolist() == [n for n, text in enumerate((TABLE + below).splitlines(), 1) if n > 3 and text]
    assert raw.rows_in == {("employees", problem.source): 2 + len(problem.lines)}


@pytest.mark.parametrize("below", ["0003", "E0003\n", "Total: 2\n0003,2020-06-15,,\n", "0003,2020-06-15\n"])
def test_a_record_that_was_cut_off_is_still_an_error(below, tmp_path):
    assert "ragged_row" in told(written(tmp_path, TABLE + below, "bamboohr"))


def test_in_the_contracts_own_form_every_line_is_a_record(tmp_path):
    raw = written(tmp_path, "employee_id,hire_date,exit_date\nE1,2019-03-01,\nTotal: 1\n", "canonical")
    [problem] = [p for p in raw.problems if p.rule == "ragged_row"]
    assert problem.example_rows == (3,)


# Names in vendors' clothing


def enrolled(folder: Path, people: str, *names: str, profile: str = "workday") -> RawTables:
    """Return what is read of a study whose enrolments name their people as the organiser does."""
    (folder / "employees.csv").write_text(people, encoding="utf-8")
    rows = "".join(f'"{name}",exchange,2022-03-01,mentor\n' for name in names)
    (folder / "enrolments.csv").write_text(f"name,program_id,intake_date,role\n{rows}", encoding="utf-8")
    return read(
        {"table": "employees", "profile": profile, "file": folder / "employees.csv"},
        {"table": "enrolments", "profile": "canonical", "file": folder / "enrolments.csv"},
    )


DRESSED = """\
Employee_ID,Worker,Hire_Date,Termination_Date
01,"Testperson, Ada (Terminated)",2019-03-01,2022-06-01
02,Ben Testperson (On Leave),2019-03-01,
03,Cleo Testperson (12345),2019-03-01,
04,"Testperson, Dora [C]",2019-03-01,
05,Eva Testperson (Maier),2019-03-01,
"""


def test_what_a_tool_writes_behind_a_name_is_no_part_of_it(tmp_path):
    names = (
        "Ada Testperson",
        "Testperson, Ben",
        "cleo testperson",
        "Dora Testperson",
        "Ada Testperson (she/her)",
        "Ben Testperson - On leave",
        "Ada Testperson (Terminated on 2022-06-01)",
    )
    raw = enrolled(tmp_path, DRESSED, *names)
    assert column(raw, "employee_id", "enrolments") == ["01", "02", "03", "04", "01", "02", "01"]
    assert "unmatched_person" not in told(raw, "warning")


def test_what_may_tell_two_people_apart_stays_part_of_a_name(tmp_path):
    raw = enrolled(tmp_path, DRESSED, "Ben Testperson", "Eva Testperson")
    assert column(raw, "employee_id", "enrolments") == ["02"]
    assert "unmatched_person" in told(raw, "warning")
    again = DRESSED.replace("Cleo Testperson (12345)", "Ben Testperson (12345)")
    raw = enrolled(tmp_path, again, "Ben Testperson", "Ben Testperson (12345)")
    assert column(raw, "employee_id", "enrolments") == ["03"]
    assert "ambiguous_person" in told(raw, "warning")


def test_legal_preferred_and_displayed_names_all_stand_for_the_person(tmp_path):
    people = (
        "Employee_ID,Legal_First_Name,Legal_Last_Name,Preferred_First_Name,Preferred_Last_Name,Worker,Preferred_Name,"
        "Hire_Date,Termination_Date\n"
        "01,Thomas,Testperson,Tom,Testperson,T. Testperson,Tommy Test,2019-03-01,\n"
        "02,Benedikt,Testperson,,,Ben Testperson (Terminated),,2019-03-01,2022-02-01\n"
    )
    names = ("Thomas Testperson", "Testperson, Tom", "T. Testperson", "Tommy Test", "Ben Testperson")
    raw = enrolled(tmp_path, people, *names)
    assert column(raw, "employee_id", "enrolments") == ["01", "01", "01", "01", "02"]
    assert not [name for name in raw.tables["employees"] if "@" in name or "Name" in name]


def test_a_preferred_first_name_goes_with_the_legal_last_name(tmp_path):
    people = (
        "Employee ID,First Name,Preferred Name,Last Name,Hire Date,Termination Date\n"
        "01,Thomas,Tom,Testperson,2019-03-01,2022-01-01\n"
    )
    raw = enrolled(tmp_path, people, "Tom Testperson", "Thomas Testperson", profile="bamboohr")
    assert column(raw, "employee_id", "enrolments") == ["01", "01"]


# What `mentoring init` says of a file that it does not know


def drafted(folder: Path, text: str, *words: str) -> tuple[str, str]:
    """Start a study from one file of employees; return what was printed, and its study.yaml."""
    (folder / "staff.csv").write_text(text, encoding="utf-8")
    run = mentoring("init", "acme", "--employees", folder / "staff.csv", *words, "--data", folder / "data")
    assert run.returncode == 0, run.stderr
    return " ".join(run.stdout.split()), (folder / "data" / "acme" / "study.yaml").read_text(encoding="utf-8")


MANY = ["Shoe size", *(f"Field {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), "DateofHire", "EmpID", "Zeta"]
UNKNOWN = f"{','.join(MANY)}\n{','.join(['x'] * 27)},2019-03-01,0001,x\n"


def test_a_file_of_no_vendor_is_the_contracts_own_and_no_vendor_is_named(tmp_path):
    printed, text = drafted(tmp_path, UNKNOWN.replace("Field a,Field b,Field c", "Gender,Work Location,Job Title"))
    assert "profile: canonical" in text and "no vendor's export was recognised" in printed
    for title in (profile.title for profile in load_profiles().values() if profile.profile != "canonical"):
        assert title not in printed + text


def test_a_vendor_that_was_asked_for_is_not_called_the_contracts_own(tmp_path):
    printed, text = drafted(tmp_path, UNKNOWN, "--profile", "bamboohr")
    assert "profile: bamboohr" in text and "nothing in it was recognised as such" in printed
    assert "contract's own form" not in printed + text


def test_unused_columns_that_look_needed_are_listed_first(tmp_path):
    printed, text = drafted(tmp_path, UNKNOWN)
    listed = printed.partition("Not used: ")[2]
    assert listed.index("EmpID") < listed.index("Shoe size") > listed.index("DateofHire")
    assert "Zeta" in " ".join(text.replace("#", " ").split())


# Why people left, where no column says who ended it


@pytest.mark.parametrize(
    ("profile", "heading"),
    [("workday", "Primary Termination Reason"), ("bamboohr", "Termination Reason"), ("personio", "Termination reason")],
)
def test_a_reason_tells_the_kind_of_an_exit_where_no_column_does(profile, heading, tmp_path):
    words = {
        "Terminate Employee > Voluntary > Resignation": "voluntary",
        "Resigned": "voluntary",
        "Redundancy": "involuntary",
        "Retirement": "retirement",
        "moved to the seaside": None,
    }
    rows = [f"{n:03},2019-01-01,2022-0{n}-01,{reason}" for n, reason in enumerate(words, start=1)]
    text = "\n".join([f"Employee ID,Hire Date,Termination Date,{heading}", *rows, ""])
    assert column(written(tmp_path, text, profile), "exit_type") == list(words.values())


def test_a_kind_that_the_export_gives_stays_whatever_the_reason(tmp_path):
    text = (
        "Employee ID,Hire Date,Termination Date,Termination Type,Termination Reason\n"
        "001,2019-01-01,2022-01-01,Involuntary,Resigned\n002,2019-01-01,2022-01-01,,Resigned\n"
    )
    assert column(written(tmp_path, text, "bamboohr"), "exit_type") == ["involuntary", "voluntary"]


@pytest.mark.parametrize(("n_unknown", "n_known", "is_told"), [(12, 100, True), (10, 100, False), (9, 9, False)])
def test_where_the_kind_of_too_many_exits_is_unknown_a_warning_says_what_it_changes(
    n_unknown, n_known, is_told, tmp_path
):
    kinds = [""] * n_unknown + ["voluntary"] * n_known
    rows = [f"E{n:03},2019-01-01,2022-01-01,{kind}" for n, kind in enumerate(kinds)]
    write_study(tmp_path / "acme", {"employees": "\n".join(["employee_id,hire_date,exit_date,exit_type", *rows])})
    told = [p.severity for p in open_study("acme", tmp_path).problems if p.rule == "exits_of_unknown_kind"]
    assert told == ["warning"] * is_told
