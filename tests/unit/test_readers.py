"""Files of every kind become text rows; what had to be assumed is told, and what is wrong is told with its line."""

import datetime as dt
import io
import json
import zipfile

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest
from exports import cells, only, read_file, told
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from pydantic import ValidationError

from analysis.ingest.profile import Header
from analysis.ingest.readers import csv_file, encoding, spreadsheet

ROSTER = "employee_id,hire_date,location\n007,2019-03-01,Graz\nE2,2020-06-15,\n"
ROSTER_CELLS = {
    "employee_id": ["007", "E2"],
    "hire_date": ["2019-03-01", "2020-06-15"],
    "location": ["Graz", None],
}


# --- text: encodings and marks ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (ROSTER.encode(), None),
        (ROSTER.encode("utf-8-sig"), None),
        (ROSTER.replace("\n", "\r\n").encode(), None),
        (ROSTER.replace("\n", "\r").encode(), None),
        (ROSTER.rstrip().encode(), None),
        (ROSTER.encode("utf-16"), "UTF-16"),
        (ROSTER.replace(",", ";").encode(), "semicolons between values"),
        (ROSTER.replace(",", "\t").encode(), "tabs between values"),
        (ROSTER.replace(",", "|").encode("utf-16-be").join([b"\xfe\xff", b""]), "vertical bars between values, UTF-16"),
        (b"sep=;\r\n" + ROSTER.replace(",", ";").encode(), "semicolons between values"),
    ],
)
def test_encoding_and_mark_are_detected_and_told(tmp_path, content, said):
    export = read_file(tmp_path, content=content)
    assert cells(export) == ROSTER_CELLS
    assert export.rows_in == 2
    if said is None:
        assert export.problems == []
    else:
        problem = only(export)
        assert (problem.severity, problem.rule, problem.action) == ("info", "csv_dialect", "kept")
        assert f"read with {said}, as detected" in problem.message


def test_lines_are_true_below_a_line_that_names_the_mark(tmp_path):
    export = read_file(tmp_path, content=b"sep=;\r\n\r\na;b\r\n1;2\r\n\r\n3;4\r\n")
    assert list(export.frame["_line"]) == [4, 6]


def test_windows_1252_is_assumed_with_a_warning_that_names_the_rows(tmp_path):
    text = 'employee_id;location\nE1;Graz\nE2;"Köln\nSüd"\nE3;Nîmes\n'
    export = read_file(tmp_path, content=text.encode("cp1252"))
    assert cells(export)["location"] == ["Graz", "Köln\nSüd", "Nîmes"]
    assert list(export.frame["_line"]) == [2, 3, 5]
    assert told(export) == [("info", "csv_dialect", ()), ("warning", "encoding_assumed", (3, 5))]
    assert "semicolons between values, Windows-1252" in export.problems[0].message
    assert "encoding:" in export.problems[1].message
    assert not any("Köln" in str(p) or "Nîmes" in str(p) for p in export.problems)


def test_an_encoding_that_is_given_is_used_and_not_told(tmp_path):
    content = "employee_id,location\nE1,Łódź\n".encode("cp1250")
    export = read_file(tmp_path, content=content, encoding="cp1250")
    assert cells(export)["location"] == ["Łódź"]
    assert export.problems == []


@pytest.mark.parametrize(
    ("content", "given", "lines"),
    [
        (b"employee_id,location\nE1,Graz\nE2,M\x81nchen\n", None, (3,)),
        (b"employee_id,location\nE1,Graz\nE2,K\xf6ln\n", "utf-8", (3,)),
        (b"employee_id,location\nE1,Graz\nE2,K\xf6ln\n", "ascii", (3,)),
        (ROSTER.encode(), "utf-5", ()),
        (ROSTER.encode(), "base64", ()),
        (ROSTER.encode("utf-8-sig"), "cp1252", ()),
        (ROSTER.encode("utf-16")[:-1], None, (3,)),
    ],
)
def test_bytes_that_do_not_fit_are_an_error(tmp_path, content, given, lines):
    export = read_file(tmp_path, content=content, encoding=given)
    assert told(export) == [("error", "encoding", lines)]
    assert export.frame is None


def test_two_encodings_in_one_file_are_an_error_that_names_the_rarer_lines(tmp_path):
    lines = [b"employee_id,location", "E1,Köln".encode(), "E2,Zürich".encode(), "E3,Nîmes".encode("cp1252")]
    export = read_file(tmp_path, content=b"\n".join(lines))
    assert told(export) == [("error", "mixed_encodings", (4,))]
    assert "is UTF-8 text, and these lines are Windows-1252" in only(export).message
    export = read_file(tmp_path, content=b"\n".join([*lines[:2], *lines[3:], "E5,Wörth".encode("cp1252")]))
    assert told(export) == [("error", "mixed_encodings", (2,))]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a;b;c\n1,5;2,5;x\n2,5;3,5;y\n", {"a": ["1,5", "2,5"], "b": ["2,5", "3,5"], "c": ["x", "y"]}),
        ("name;a;b\nDoe, Jo;1;2\nRoe, Al;3;4\n", {"name": ["Doe, Jo", "Roe, Al"], "a": ["1", "3"], "b": ["2", "4"]}),
        ('"a, first";b\n1;2\n', {"a, first": ["1"], "b": ["2"]}),
        ('a,b\n"1;2;3","4;5;6"\n"1;2;3","4;5;6"\n', {"a": ["1;2;3"] * 2, "b": ["4;5;6"] * 2}),
        ("a\n1\n2\n", {"a": ["1", "2"]}),
    ],
)
def test_the_mark_is_the_one_that_splits_every_line_alike(tmp_path, text, columns):
    assert cells(read_file(tmp_path, content=text.encode())) == columns


def test_a_mark_that_is_given_is_used(tmp_path):
    export = read_file(tmp_path, content=b"a^b,c\n1^2,3\n", delimiter="^")
    assert cells(export) == {"a": ["1"], "b,c": ["2,3"]}
    assert export.problems == []
    assert told(read_file(tmp_path, content=ROSTER.encode(), delimiter=";")) == [("error", "delimiter", (1,))]


# --- text: what is no clean table ---


@pytest.mark.parametrize(
    ("rule", "lines", "content"),
    [
        ("empty_file", (), b""),
        ("empty_file", (), b"\xef\xbb\xbf \n\r\n"),
        ("empty_file", (), b"a,b\r\n"),
        ("empty_file", (), b"a,b\n,\n \n"),
        ("ragged_row", (3, 5), b"a,b\nE1,2\nE2\nE3,4\nE4,5,x\n"),
        ("broken_quotes", (3,), b'a,b\nE1,2\nE2,"2019\nE3,4\n'),
        ("broken_quotes", (2,), b'a,b\nE1,"2019"-03\n'),
        ("broken_quotes", (1,), b'a,"b\nE1,2019\n'),
        ("empty_file", (), b",,\nE1,2,x\n"),
        ("reserved_column", (1,), b"a,_source\nE1,2\n"),
        ("delimiter", (1,), b'"a,b,c"\n"E1,2,3"\n'),
        ("nul_bytes", (2,), b"a,b\nE1,\x00\n"),
        ("nul_bytes", (1,), ROSTER.encode("utf-32-le")),
        ("encoding", (1,), b"\x89\x81\x8d\x90\xff\xfe\n"),
    ],
)
def test_a_bad_text_file_is_an_error_with_its_line(tmp_path, rule, lines, content):
    export = read_file(tmp_path, content=content)
    assert told(export) == [("error", rule, lines)]
    assert not any(person in str(only(export)) for person in ("E1", "E2", "E3", "E4"))


def test_a_ragged_row_leaves_the_others_and_is_counted(tmp_path):
    export = read_file(tmp_path, content=b"a,b\nE1,2\nE2\n\n ,\nE3,4\n")
    assert list(export.frame["_line"]) == [2, 6]
    assert export.rows_in == 3


def test_a_column_without_a_name_and_values_is_left_out_and_told(tmp_path):
    export = read_file(tmp_path, content=b"a,b,\n1,2,\n3,4, \n")
    assert cells(export) == {"a": ["1", "3"], "b": ["2", "4"]}
    assert ("info", "unnamed_column", ()) in told(export)


def test_of_columns_of_one_name_the_first_is_read_and_their_places_are_kept(tmp_path):
    export = read_file(tmp_path, content=b"a,b,b ,b\n1,2,3,4\n")
    assert (cells(export), export.repeated) == ({"a": ["1"], "b": ["2"]}, {"b": (2, 3, 4)})


def test_a_column_with_values_and_no_name_is_not_read_and_its_place_is_kept(tmp_path):
    export = read_file(tmp_path, content=b",a,b,\n1,2,3,x\n")
    assert (cells(export), export.unnamed) == ({"a": ["2"], "b": ["3"]}, (1, 4))


def test_rows_without_any_value_are_no_records_and_told(tmp_path):
    export = read_file(tmp_path, content=b"a,b\n1,2\n,\n, \n3,\n")
    assert cells(export) == {"a": ["1", "3"], "b": ["2", None]}
    assert list(export.frame["_line"]) == [2, 5]
    assert export.rows_in == 2
    assert (only(export).rule, only(export).severity) == ("blank_row", "info")
    assert "2 row(s)" in only(export).message


def test_line_ends_within_quotes_are_fine_and_lines_stay_true(tmp_path, monkeypatch):
    text = 'a,b\r\n1,"x\r\ny\r\nz"\r\n2,"q""q"\r\n"3\r\n3",4\r\n5,6'
    fast = read_file(tmp_path, content=text.encode())
    assert cells(fast) == {"a": ["1", "2", "3\r\n3", "5"], "b": ["x\r\ny\r\nz", 'q"q', "4", "6"]}
    assert list(fast.frame["_line"]) == [2, 5, 6, 8]
    monkeypatch.setattr(csv_file, "read_fast", lambda *_: None)
    pd.testing.assert_frame_equal(read_file(tmp_path).frame, fast.frame)


def test_columns_are_categories_of_clean_text(tmp_path):
    frame = read_file(tmp_path, content=b"a,b\n x,1\nx ,1\n,1\n").frame
    assert isinstance(frame["a"].dtype, pd.CategoricalDtype)
    assert list(frame["a"].cat.categories) == ["x"]
    assert frame["a"].isna().tolist() == [False, False, True]
    assert pd.api.types.is_integer_dtype(frame["_line"])


@pytest.mark.parametrize("extra", [b"", b",tail\n"])
def test_two_gigabytes_of_nothing_are_refused_at_once(tmp_path, extra):
    path = tmp_path / "export.csv"
    with path.open("wb") as file:
        file.write(extra)
        file.truncate(2 << 30)
    assert told(read_file(tmp_path))[0][:2] == ("error", "nul_bytes")


def test_a_line_without_an_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "CHUNK", 1000)
    monkeypatch.setattr(encoding, "LONGEST_LINE", 5000)
    assert told(read_file(tmp_path, content=b"a,b\n" + b"x" * 9000)) == [("error", "endless_line", ())]


def test_what_does_not_fit_into_memory_is_told(tmp_path, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(csv_file, "fill", full)
    assert told(read_file(tmp_path, content=ROSTER.encode())) == [("error", "too_large", ())]


@pytest.mark.parametrize("size", [1, 7, 64])
def test_chunks_change_nothing(tmp_path, monkeypatch, size):
    text = 'a,b\r\n1,"x\r\ny"\r\n2,"q""é"\r\n\r\n3,ü\r\n'
    for content in (text.encode(), text.encode("utf-16"), text.encode("cp1252")):
        whole = read_file(tmp_path, content=content)
        with monkeypatch.context() as patch:
            patch.setattr(encoding, "CHUNK", size)
            pieces = read_file(tmp_path)
        pd.testing.assert_frame_equal(pieces.frame, whole.frame)
        assert pieces.problems == whole.problems


# --- headers ---

QUALTRICS = Header(names=1, wording=2, also='{"ImportId"')
SURVEYMONKEY = Header(names=1, below=2)


def test_a_header_of_three_lines_names_words_and_dates_the_columns(tmp_path):
    text = (
        'StartDate,Q1\r\nStart Date,"How do you\nfeel?"\r\n'
        '"{""ImportId"":""startDate"",""timeZone"":""America/Denver""}","{""ImportId"":""QID1""}"\r\n'
        "2024-03-01 08:00:00,4\r\n"
    )
    export = read_file(tmp_path, content=text.encode(), header=QUALTRICS)
    assert cells(export) == {"StartDate": ["2024-03-01 08:00:00"], "Q1": ["4"]}
    assert export.wording == {"StartDate": ("Start Date",), "Q1": ("How do you\nfeel?",)}
    assert export.timezone == "America/Denver"
    assert list(export.frame["_line"]) == [5]
    legacy = read_file(tmp_path, content=b"V1,Q1\r\nResponseID,Feel?\r\nR1,4\r\n", header=QUALTRICS)
    assert cells(legacy) == {"V1": ["R1"], "Q1": ["4"]}
    assert legacy.timezone is None


def test_a_header_of_two_lines_continues_its_questions(tmp_path):
    text = (
        "Respondent ID,How are you?,,What is missing?,Which?,\r\n"
        ",Today,Yesterday,Open-Ended Response,Response,Other\r\n"
        "1,4,5,nothing,a,b\r\n"
    )
    export = read_file(tmp_path, content=text.encode(), header=SURVEYMONKEY)
    assert list(cells(export)) == [
        "Respondent ID",
        "How are you? Today",
        "How are you? Yesterday",
        "What is missing?",
        "Which?",
        "Which? Other",
    ]
    assert export.wording["How are you? Yesterday"] == ("How are you?", "Yesterday")
    assert list(export.frame["_line"]) == [3]


def test_names_are_judged_when_they_are_put_together(tmp_path):
    good = b"Q,,\n1,2,3\n4,5,6\n"
    assert list(cells(read_file(tmp_path, content=good, header=SURVEYMONKEY))) == ["Q 1", "Q 2", "Q 3"]
    twice = read_file(tmp_path, content=b"Q,,\n1,2,2\n4,5,6\n", header=SURVEYMONKEY)
    assert (cells(twice), twice.repeated) == ({"Q 1": ["4"], "Q 2": ["5"]}, {"Q 2": (2, 3)})


def test_titles_above_the_names_are_passed_over(tmp_path):
    text = b"Employee roster\nas of today\na,b\n1,2\n"
    export = read_file(tmp_path, content=text, header=Header(names=3))
    assert cells(export) == {"a": ["1"], "b": ["2"]}
    assert list(export.frame["_line"]) == [4]
    assert told(read_file(tmp_path, content=b"a,b\n", header=Header(names=3))) == [("error", "empty_file", ())]


# --- where the file is ---


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path, monkeypatch):
    assert told(read_file(tmp_path)) == [("error", "missing_file", ())]
    (tmp_path / "raw").mkdir()
    assert told(read_file(tmp_path, "raw")) == [("error", "folder", ())]
    assert told(read_file(tmp_path, "x" * 5000)) == [("error", "unreadable_file", ())]
    for mistake in ({"name": "a\0b"}, {"encoding": "idna\0"}):  # refused before anything is looked for
        with pytest.raises(ValidationError, match="control character"):
            read_file(tmp_path, **mistake)
    (tmp_path / "circle").symlink_to("circle")
    assert read_file(tmp_path, "circle").has_failed


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "export.csv").write_text(ROSTER)
    monkeypatch.setattr("pathlib.Path.open", refused)
    problem = only(read_file(tmp_path))
    assert (problem.rule, str(tmp_path) in str(problem)) == ("unreadable_file", False)


def test_a_link_that_leaves_the_study_is_refused(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    (tmp_path / "secret.csv").write_text(ROSTER)
    (study / "export.csv").symlink_to("../secret.csv")
    assert told(read_file(study)) == [("error", "leaves_study", ())]
    (study / "inside.csv").write_text(ROSTER)
    (study / "link.csv").symlink_to("inside.csv")
    assert cells(read_file(study, "link.csv")) == ROSTER_CELLS


# --- spreadsheets ---


def save(folder, rows, name="export.xlsx", epoch=None, **sheets):
    """Write a workbook with one sheet of these rows, and further sheets."""
    book = openpyxl.Workbook()
    if epoch:
        book.epoch = epoch
    for title, content in {"Sheet": rows, **sheets}.items():
        sheet = book.active if title == "Sheet" else book.create_sheet(title)
        for row in content:
            sheet.append(row)
    book.save(folder / name)
    return book


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_cells_of_a_sheet_become_canonical_text(tmp_path, epoch):
    save(
        tmp_path,
        [
            ["id", "day", "at", "time", "number", "flag", "text"],
            ["007", dt.date(2024, 2, 29), dt.datetime(2024, 2, 29, 8, 30, 1), dt.time(8, 30), 0.1, True, " x "],
            [7, dt.date(1999, 12, 31), dt.datetime(2024, 3, 1), dt.timedelta(hours=30), 3.0, False, 1],
            [None, None, None, None, 12345678901234, True, True],
        ],
        epoch=epoch,
    )
    export = read_file(tmp_path, "export.xlsx")
    assert cells(export) == {
        "id": ["007", "7", None],
        "day": ["2024-02-29", "1999-12-31", None],
        "at": ["2024-02-29T08:30:01", "2024-03-01", None],
        "time": ["08:30:00", "30:00:00", None],
        "number": ["0.1", "3", "12345678901234"],
        "flag": ["true", "false", "true"],
        "text": ["x", "1", "true"],
    }
    assert list(export.frame["_line"]) == [2, 3, 4]
    assert told(export) == [("info", "surrounding_spaces", (2,))]


def test_the_sheet_is_the_one_with_data_or_the_one_that_is_named(tmp_path):
    rows = [["a"], ["1"]]
    save(tmp_path, rows, Empty=[])
    assert cells(read_file(tmp_path, "export.xlsx")) == {"a": ["1"]}
    save(tmp_path, rows, Pairs=[["b"], ["2"]])
    problem = only(read_file(tmp_path, "export.xlsx"))
    assert problem.rule == "which_sheet"
    assert "Sheet, Pairs" in problem.message
    export = read_file(tmp_path, "export.xlsx", sheet="Pairs")
    assert (cells(export), export.source) == ({"b": ["2"]}, "export.xlsx#Pairs")
    assert only(read_file(tmp_path, "export.xlsx", sheet="Nowhere")).rule == "which_sheet"
    save(tmp_path, [])
    assert only(read_file(tmp_path, "export.xlsx")).rule == "empty_file"
    save(tmp_path, [["a", "b"]])
    assert only(read_file(tmp_path, "export.xlsx")).rule == "empty_file"


def test_a_hidden_sheet_is_not_in_the_way(tmp_path):
    book = save(tmp_path, [["a"], ["1"]], Lists=[["b"], ["2"]])
    book["Lists"].sheet_state = "hidden"
    book.save(tmp_path / "export.xlsx")
    assert cells(read_file(tmp_path, "export.xlsx")) == {"a": ["1"]}


def test_merged_cells_are_filled_in_the_header_and_below(tmp_path):
    book = save(tmp_path, [["Who", "Mentor", None], [None, "id", "name"], ["1", "2", "3"], [None, "4", "5"]])
    for merged in ("A1:A2", "B1:C1", "A3:A4"):
        book.active.merge_cells(merged)
    book.save(tmp_path / "export.xlsx")
    export = read_file(tmp_path, "export.xlsx", header=SURVEYMONKEY)
    assert cells(export) == {"Who": ["1", "1"], "Mentor id": ["2", "4"], "Mentor name": ["3", "5"]}
    assert told(export) == [("info", "merged_cells", (4,))]


def test_blank_rows_above_and_between_do_not_shift_the_rows(tmp_path):
    save(tmp_path, [[], [], ["a", "b"], ["1", "2"], [], ["3", "4"]])
    export = read_file(tmp_path, "export.xlsx")
    assert list(export.frame["_line"]) == [4, 6]


def test_error_cells_and_formulas_without_a_value_are_errors_with_their_rows(tmp_path):
    save(tmp_path, [["a", "b"], ["1", "#N/A"], ["2", "x"], ["3", "#REF!"], ["4", "=1+1"]])
    export = read_file(tmp_path, "export.xlsx")
    assert told(export) == [("error", "excel_error", (2, 4)), ("error", "formula_without_value", (5,))]


def test_the_value_of_a_formula_is_taken_and_told(tmp_path):
    save(tmp_path, [["a", "b"], ["1", "=1+1"], ["2", "=A1"]])
    with zipfile.ZipFile(tmp_path / "export.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = sheet.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>").replace(
        b'<c r="B3"><f>A1</f><v />', b'<c r="B3" t="str"><f>A1</f><v></v>'
    )
    parts["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(tmp_path / "export.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    export = read_file(tmp_path, "export.xlsx")
    assert cells(export) == {"a": ["1", "2"], "b": ["2", None]}
    assert told(export) == [("info", "formulas", ())]
    assert "2 cell(s)" in only(export).message


def archive_of(**parts):
    """Return the bytes of an archive with these parts."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return content.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


@pytest.mark.parametrize("name", ["export.xlsx", "export.csv", "export.xlsm"])
@pytest.mark.parametrize(
    ("rule", "content"),
    [
        ("macro_file", archive_of(**{"xl/workbook.xml": "<a/>", "xl/vbaProject.bin": "x"})),
        ("macro_file", OLE + "_VBA_PROJECT".encode("utf-16-le")),
        ("encrypted_file", OLE + "EncryptedPackage".encode("utf-16-le")),
        ("not_a_table", archive_of(**{"employees.csv": ROSTER})),
        ("unreadable_file", archive_of(**{"xl/workbook.xml": "<a/>"})),
        ("unreadable_file", archive_of(**{"xl/workbook.xml": "x" * 999})[:300]),
        ("unreadable_file", OLE),
        ("unreadable_file", b"PK\x03\x04\xff\xfe"),
        ("not_a_table", b"%PDF-1.7 and so on"),
        ("not_a_table", b"\x1f\x8b\x08\x00"),
        ("not_a_table", b"<html><body><table><tr><td>a</td></tr></table></body></html>"),
        ("not_a_table", b'<?xml version="1.0"?><Workbook/>'),
    ],
)
def test_what_is_no_workbook_or_not_safe_is_refused_before_it_is_opened(tmp_path, monkeypatch, name, rule, content):
    problem = only(read_file(tmp_path, name, content))
    assert (problem.severity, problem.rule) == ("error", rule)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    bomb = archive_of(**{"xl/workbook.xml": b" " * (3 << 20)})
    monkeypatch.setattr(spreadsheet, "BOMB_BYTES", 1 << 20)
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("it was unpacked"))
    assert told(read_file(tmp_path, "export.xlsx", bomb)) == [("error", "zip_bomb", ())]


def test_a_text_file_named_as_a_spreadsheet_is_read_as_what_it_is(tmp_path):
    export = read_file(tmp_path, "export.xlsx", ROSTER.encode())
    assert cells(export) == ROSTER_CELLS
    assert told(export) == [("info", "other_format", ())]


def test_a_cell_far_outside_the_table_is_an_error_and_no_crash(tmp_path):
    book = save(tmp_path, [["a"], ["1"]])
    book.active["XFD1048576"] = "stray"
    book.save(tmp_path / "export.xlsx")
    assert only(read_file(tmp_path, "export.xlsx")).rule == "stray_cell"


# --- statistics programs ---

FORMS = pd.DataFrame(
    {
        "id": [1.0, 2.0, 3.0],
        "mood": [1.0, 2.0, 9.0],
        "day": [dt.date(2024, 1, 2), None, dt.date(2020, 2, 29)],
        "at": [dt.datetime(2024, 1, 2, 3, 4, 5), None, dt.datetime(2024, 1, 1)],
        "share": [0.5, None, 2.0],
        "text": ["a", "", "long " * 600 + "end"],
    }
)
FORM_CELLS = {
    "id": ["1", "2", "3"],
    "mood": ["Low", "High", None],
    "day": ["2024-01-02", None, "2020-02-29"],
    "at": ["2024-01-02T03:04:05", None, "2024-01-01T00:00:00"],
    "share": ["0.5", None, "2"],
    "text": ["a", None, "long " * 600 + "end"],
}
LABELS = {"mood": {1: "Low", 2: "High", 9: "Refused"}}


@pytest.mark.parametrize("compress", [False, True])
def test_an_spss_file_gives_labels_and_knows_what_its_user_calls_missing(tmp_path, compress):
    pyreadstat.write_sav(
        FORMS,
        tmp_path / "export.sav",
        column_labels={"mood": "How are you?"},
        variable_value_labels=LABELS,
        missing_ranges={"mood": [9]},
        compress=compress,
    )
    export = read_file(tmp_path, "export.sav")
    assert cells(export) == FORM_CELLS
    assert export.wording == {"mood": ("How are you?",)}
    assert (list(export.frame["_line"]), export.rows_in, export.problems) == ([2, 3, 4], 3, [])


def test_a_stata_file_gives_labels_and_long_texts(tmp_path):
    pyreadstat.write_dta(
        FORMS, tmp_path / "export.dta", column_labels={"mood": "How are you?"}, variable_value_labels=LABELS
    )
    export = read_file(tmp_path, "export.dta")
    assert cells(export) == FORM_CELLS | {"mood": ["Low", "High", "Refused"]}
    assert export.wording == {"mood": ("How are you?",)}


def test_a_portable_spss_file_is_read(tmp_path):
    pyreadstat.write_por(FORMS[["id", "mood", "day"]].assign(text=["a", "b", "c"]), tmp_path / "export.por")
    export = read_file(tmp_path, "export.por")
    assert cells(export) == {
        "ID": ["1", "2", "3"],
        "MOOD": ["1", "2", "9"],
        "DAY": FORM_CELLS["day"],
        "TEXT": ["a", "b", "c"],
    }


@pytest.mark.parametrize(
    "content",
    [b"$FL2 and nothing more", b"<stata_dta><header>", b"\x72\x01\x01\x00", b"0" * 40 + b"ASCII SPSS PORT FILE"],
)
def test_a_damaged_statistics_file_is_an_error(tmp_path, content):
    assert told(read_file(tmp_path, content=content)) == [("error", "unreadable_file", ())]


# --- Parquet and JSON lines ---


def test_a_parquet_file_keeps_its_categories_and_types(tmp_path):
    table = pa.table(
        {
            "id": ["007", "E2", None],
            "site": pa.array(["Graz", "Wien", "Graz"]).dictionary_encode(),
            "level": pa.array([1, None, 3], pa.int8()),
            "share": [0.5, 2.0, float("nan")],
            "day": [dt.date(2024, 2, 29), None, dt.date(2020, 1, 1)],
            "at": [dt.datetime(2024, 2, 29, 8), None, dt.datetime(2024, 2, 29, 8, 0, 0, 500)],
            "zoned": pa.array([dt.datetime(2024, 2, 29, 8)] * 3, pa.timestamp("us", "Europe/Vienna")),
            "flag": [True, False, None],
            "nothing": pa.nulls(3),
            "pay": pa.array([1, 2, 3], pa.decimal128(9, 2)),
        }
    )
    pa.parquet.write_table(table, tmp_path / "export.parquet", row_group_size=2)
    export = read_file(tmp_path, "export.parquet")
    assert cells(export) == {
        "id": ["007", "E2", None],
        "site": ["Graz", "Wien", "Graz"],
        "level": ["1", None, "3"],
        "share": ["0.5", "2", None],
        "day": ["2024-02-29", None, "2020-01-01"],
        "at": ["2024-02-29T08:00:00", None, "2024-02-29T08:00:00"],
        "zoned": ["2024-02-29T09:00:00+01:00"] * 3,
        "flag": ["true", "false", None],
        "nothing": [None] * 3,
        "pay": ["1", "2", "3"],
    }
    assert list(export.frame["_line"]) == [2, 3, 4]


def test_a_parquet_file_that_is_nested_or_damaged_is_an_error(tmp_path):
    pa.parquet.write_table(pa.table({"a": [[1, 2]]}), tmp_path / "export.parquet")
    assert told(read_file(tmp_path, "export.parquet")) == [("error", "nested_value", ())]
    content = (tmp_path / "export.parquet").read_bytes()
    assert told(read_file(tmp_path, "export.parquet", content[:-9])) == [("error", "unreadable_file", ())]
    pa.parquet.write_table(pa.table({"a": pa.array([], "str")}), tmp_path / "export.parquet")
    assert told(read_file(tmp_path, "export.parquet")) == [("error", "empty_file", ())]


def test_json_lines_are_read_with_all_their_keys(tmp_path):
    records = [{"id": "007", "level": 3, "share": 2.0}, {"id": "E2", "flag": True, "share": 0.25, "level": None}]
    text = "\n\n".join(map(json.dumps, records))
    for name in ("export.jsonl", "export.txt"):
        export = read_file(tmp_path, name, text.encode())
        assert cells(export) == {
            "id": ["007", "E2"],
            "level": ["3", None],
            "share": ["2", "0.25"],
            "flag": [None, "true"],
        }
        assert list(export.frame["_line"]) == [1, 3]


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("json_line", b"{'id': 1}"),
        ("json_line", b'{"id": 1, "id": 2}'),
        ("json_line", b'{"id": NaN}'),
        ("json_line", b'{"id": ' + b"9" * 5000 + b"}"),
        ("json_line", b'{"id": "\xff"}'),
        ("json_line", b"[1, 2]"),
        ("json_line", b"[" * 100_000),
        ("nested_value", b'{"id": {"a": 1}}'),
        ("nested_value", b'{"id": [1]}'),
    ],
)
def test_a_bad_json_line_is_an_error_with_its_line(tmp_path, rule, line):
    export = read_file(tmp_path, "export.jsonl", b'{"id": 1}\n' + line + b'\n{"id": 3}\n')
    assert told(export) == [("error", rule, (2,))]
    assert export.rows_in == 3


def test_json_that_is_no_table_is_an_error(tmp_path):
    assert only(read_file(tmp_path, "export.json", b'[{"id": 1}]')).rule in ("json_line", "nested_value")
    assert only(read_file(tmp_path, "export.jsonl", b"\n\n")).rule == "empty_file"
    assert told(read_file(tmp_path, "export.jsonl", b'{"_line": 1}')) == [("error", "reserved_column", (1,))]


def test_the_fast_way_is_the_way_of_a_plain_file(tmp_path, monkeypatch):
    def slow(*_):
        raise AssertionError("a plain file went the strict way")

    monkeypatch.setattr(csv_file, "read_strictly", slow)
    for content in (ROSTER.encode(), b'a,b\n"x ""y""\nz",1\n', "a;b\né;1\n".encode("cp1252"), ROSTER.encode("utf-16")):
        assert read_file(tmp_path, content=content).frame is not None
