"""What every exporter of the simulator stands on: sheets whose bytes never differ, and invented people."""

import io
import unicodedata

import pandas as pd
import pytest
from analysis.simulate.exports import sheet as sheets
from analysis.simulate.exports.people import FAMILY, GIVEN, people
from analysis.simulate.exports.sheet import Sheet, workbook
from openpyxl import load_workbook

WORKERS = Sheet([["Employee ID", "Hired", "FTE"], ["00017", "2021-03-01", "0.8"], ["00018", "", "1"]])


def test_a_missing_cell_is_written_empty_and_further_header_lines_stand_above_the_names():
    frame = pd.DataFrame({"id": ["007", "008"], "left": pd.Series([None, "2024-01-31"], dtype="str")})
    assert Sheet.of(frame, ["Report", ""]).cells == [["Report", ""], ["id", "left"], ["007", ""], ["008", "2024-01-31"]]


def test_csv_quotes_what_needs_it_and_marks_the_encoding_where_asked():
    sheet = Sheet([["Name", "Note"], ["Testperson, Ada", 'says "no"']])
    assert sheet.csv() == b'Name,Note\r\n"Testperson, Ada","says ""no"""\r\n'
    assert sheet.csv(";", newline="\n").startswith(b"Name;Note\nTestperson, Ada;")
    assert sheet.csv(encoding="utf-8-sig").startswith(b"\xef\xbb\xbfName")
    assert sheet.csv(quote_all=True).startswith(b'"Name","Note"')


def test_a_workbook_keeps_the_zeros_of_ids_and_writes_real_dates_and_numbers():
    page = load_workbook(io.BytesIO(workbook({"Workers": WORKERS}, numbers=("FTE",))))["Workers"]
    (_, first, second) = page.iter_rows(values_only=True)
    assert first[0] == "00017" and first[1] == pd.Timestamp("2021-03-01") and first[2] == 0.8
    assert second == ("00018", None, 1)
    assert page["B2"].is_date


def test_a_workbook_without_dates_keeps_their_text():
    page = load_workbook(io.BytesIO(workbook({"Workers": WORKERS}, dates=False)))["Workers"]
    assert page["B2"].value == "2021-03-01"


def test_a_cell_that_looks_like_a_formula_stays_text():
    page = load_workbook(io.BytesIO(workbook({"A": Sheet([["=1+1"], ["=2+2"]])})))["A"]
    assert [cell.data_type for cell in (page["A1"], page["A2"])] == ["s", "s"]


def test_the_same_sheets_give_the_same_bytes_at_any_hour(monkeypatch):
    first = workbook({"Workers": WORKERS})
    frozen = pd.Timestamp("2031-01-01")
    monkeypatch.setattr("time.time", lambda: frozen.timestamp())
    monkeypatch.setattr("time.localtime", lambda *_: frozen.timetuple())
    assert workbook({"Workers": WORKERS}) == first
    monkeypatch.setattr(sheets, "WRITTEN", sheets.WRITTEN.replace(year=2024))
    assert workbook({"Workers": WORKERS}) != first, "the moment is in the file, and it is ours"


def test_no_two_people_share_a_name_or_an_address():
    everybody = people("northbank", [f"N{n:05}" for n in range(20_000)])
    assert not everybody.duplicated(["first_name", "last_name"]).any()
    assert everybody["email"].is_unique
    assert everybody["email"].str.fullmatch(r"[a-z-]+\.[a-z-]+\d*@northbank\.example").all()


def test_names_depend_on_the_company_and_not_on_the_order_of_its_people():
    ids = ["A3", "A1", "A2", "A1"]
    assert people("northbank", ids).equals(people("northbank", sorted(ids)))
    assert people("northbank", ids)["employee_id"].tolist() == ["A1", "A2", "A3"]
    assert not people("northbank", ids)["last_name"].equals(people("larkfield", ids)["last_name"])


def test_names_stay_apart_when_accents_and_case_are_taken_off():
    for names in (GIVEN, FAMILY):
        plain = [unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore") for name in names]
        assert len(set(plain)) == len(names)
        assert not any("," in name for name in names)


def test_more_people_than_names_are_refused():
    with pytest.raises(ValueError):
        people("northbank", map(str, range(len(GIVEN) * len(FAMILY) + 1)))
