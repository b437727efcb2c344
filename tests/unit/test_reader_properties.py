"""Whatever table is written in whatever dialect comes back as it was, and no bytes at all make a reader raise."""

import csv
import io
import json
import string
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyreadstat
import pytest
from exports import PLAIN, cells, read_file
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.ingest.profile import Header
from analysis.ingest.readers import csv_file

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NAMES = st.lists(
    st.text(string.ascii_letters + "äéß _", min_size=1, max_size=8).map(str.strip).filter(bool),
    min_size=2,
    max_size=5,
    unique=True,
)
# What Windows-1252 can write as well, and never so that its bytes could be UTF-8 (as those of ß€ are).
WORDS = st.text(st.sampled_from(string.ascii_letters + string.digits + " .,;|\t\"'äöüßéÎ-="), max_size=12).map(
    str.strip
)
LINES = st.lists(WORDS, min_size=1, max_size=3).map("\n".join).map(str.strip)


@st.composite
def tables(draw, cell=LINES):
    """Return names and rows of text, none of them all empty."""
    names = draw(NAMES)
    row = st.lists(cell, min_size=len(names), max_size=len(names)).filter(any)
    return names, draw(st.lists(row, min_size=1, max_size=12))


def expected(names, rows):
    """Return the cells that must come back."""
    return {name: [row[place] or None for row in rows] for place, name in enumerate(names)}


def written(names, rows, **dialect) -> str:
    """Return the table as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows([names, *rows])
    return text.getvalue()


def first_lines(text: str, delimiter: str) -> list[int]:
    """Return the lines on which the records below the header begin."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines, begins = [], 1
    for _ in reader:
        lines.append(begins)
        begins = reader.line_num + 1
    return lines[1:]


def no_errors(export):
    """Whether nothing but remarks was told."""
    return not any(p.severity == "error" for p in export.problems)


@FEW
@given(
    tables(),
    st.sampled_from(",;\t|"),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    st.booleans(),
)
def test_a_table_in_any_dialect_comes_back_equal(table, delimiter, quoting, line_end, encoding, is_given):
    names, rows = table
    if line_end == "\r":  # Python's writer does not see that a \n within a cell needs quotation marks then
        quoting = csv.QUOTE_ALL
    text = written(names, rows, delimiter=delimiter, quoting=quoting, lineterminator=line_end)
    given_dialect = {"delimiter": delimiter, "encoding": encoding} if is_given else {"delimiter": delimiter}
    with tempfile.TemporaryDirectory() as folder:
        export = read_file(Path(folder), content=text.encode(encoding), **given_dialect)
    assert no_errors(export), export.problems
    assert cells(export) == expected(names, rows)
    assert list(export.frame["_line"]) == first_lines(text, delimiter)
    assert export.rows_in == len(rows)


@FEW
@given(
    tables(st.text(string.ascii_letters + string.digits + " .-", max_size=9).map(str.strip)), st.sampled_from(",;\t|")
)
def test_the_mark_is_found_where_cells_hold_no_other(table, delimiter):
    names, rows = table
    with tempfile.TemporaryDirectory() as folder:
        export = read_file(Path(folder), content=written(names, rows, delimiter=delimiter).encode())
    assert cells(export) == expected(names, rows)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "\r", "a", " ", "é", "b,c\n", '"x"']), max_size=30).map("".join)
)
def test_the_fast_way_and_the_strict_way_agree(body):
    content = ("a,b\n" + body).encode()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        fast = read_file(Path(folder), content=content, delimiter=",")
        patch.setattr(csv_file, "read_fast", lambda *_: None)
        strict = read_file(Path(folder), delimiter=",")
    assert fast.problems == strict.problems
    assert fast.rows_in == strict.rows_in
    if strict.frame is None:
        assert fast.frame is None
    else:
        pd.testing.assert_frame_equal(fast.frame, strict.frame)


SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**14), 10**14),
    st.floats(-1e12, 1e12, allow_nan=False).map(lambda x: float(f"{x:.15g}") + 0.0),  # openpyxl writes 16 digits
    st.text(string.ascii_letters + "äß€ ", min_size=1, max_size=9).map(str.strip),
)


def canonical(value):
    """Return the text of a simple value."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES, st.data())
def test_a_table_in_a_spreadsheet_or_json_lines_comes_back_equal(names, data):
    row = st.lists(SIMPLE, min_size=len(names), max_size=len(names)).filter(lambda r: any(map(canonical, r)))
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    text = {name: [canonical(row[place]) for row in rows] for place, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        book = openpyxl.Workbook()
        for line in [names, *rows]:
            book.active.append(line)
        book.save(Path(folder) / "export.xlsx")
        records = [dict(zip(names, row, strict=True)) for row in rows]
        (Path(folder) / "export.jsonl").write_text("\n".join(map(json.dumps, records)))
        assert cells(read_file(Path(folder), "export.xlsx")) == text
        assert cells(read_file(Path(folder), "export.jsonl")) == text


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_a_table_in_parquet_or_stata_comes_back_equal(table):
    _, rows = table
    names = [f"v{place}" for place in range(len(rows[0]))]
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    with tempfile.TemporaryDirectory() as folder:
        pa.parquet.write_table(pa.table(columns), Path(folder) / "export.parquet")
        pyreadstat.write_dta(pd.DataFrame(columns), Path(folder) / "export.dta")
        assert cells(read_file(Path(folder), "export.parquet")) == expected(names, rows)
        assert cells(read_file(Path(folder), "export.dta")) == expected(names, rows)


STARTS = [
    b"",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"PAR1",
    b"$FL2",
    b"<stata_dta>",
    b"\x72\x01\x01\x00",
]
STARTS += [b"\xff\xfe", b"\xef\xbb\xbf", b'{"a":', b"[{", b"a,b\n", b"0" * 40 + b"ASCII SPSS PORT FILE"]
HEADERS = [PLAIN, Header(wording=2, also='{"ImportId"'), Header(below=2), Header(names=3)]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(STARTS),
    st.one_of(st.binary(max_size=300), st.text(max_size=100).map(lambda t: t.encode("utf-8", "surrogatepass"))),
    st.sampled_from(["csv", "xlsx", "xls", "sav", "jsonl", "parquet"]),
    st.sampled_from(HEADERS),
)
def test_no_bytes_make_a_reader_raise(start, rest, ending, header):
    with tempfile.TemporaryDirectory() as folder:
        export = read_file(Path(folder), f"export.{ending}", start + rest, header=header)
    assert (export.frame is None) <= export.has_failed
    if export.frame is not None:
        assert len(export.frame) <= export.rows_in


def some_files(folder: Path) -> list[bytes]:
    """Return small good files of every kind."""
    frame = pd.DataFrame({"id": ["a", "b", "c"], "n": [1.0, 2.5, 3.0]})
    book = openpyxl.Workbook()
    for row in [["id", "n"], ["a", 1], ["b", "=1+1"], ["c", "#N/A"]]:
        book.active.append(row)
    book.active.merge_cells("A2:A3")
    book.save(folder / "a.xlsx")
    pyreadstat.write_sav(frame, folder / "a.sav")
    pyreadstat.write_dta(frame, folder / "a.dta")
    pyreadstat.write_por(frame, folder / "a.por")
    frame.to_parquet(folder / "a.parquet")
    return [(folder / f"a.{ending}").read_bytes() for ending in ("xlsx", "sav", "dta", "por", "parquet")]


@pytest.fixture(scope="module")
def good_files(tmp_path_factory):
    return some_files(tmp_path_factory.mktemp("good"))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damaged_file_makes_a_reader_raise(good_files, data):
    content = bytearray(data.draw(st.sampled_from(good_files)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.one_of(st.none(), st.integers(20, len(content))))
    with tempfile.TemporaryDirectory() as folder:
        export = read_file(Path(folder), "export.bin", bytes(content[:end]))
    assert (export.frame is None) <= export.has_failed
