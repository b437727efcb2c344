"""Vendors' exports rearranged in every way: the same tables as before, and whatever is broken is told."""

import csv
import io
import shutil
import string
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.contract import ANSWERS
from analysis.plan.errors import BadInput
from analysis.plan.instruments import load_instruments
from analysis.plan.paths import project_dir
from analysis.plan.read_study import load_study
from analysis.plan.study import Study
from analysis.validate.tables import check_tables

EXPORTS = Path(__file__).parents[1] / "fixtures" / "exports"
# Every vendor's few rows, written by hand, and a whole company.
STUDIES = {path.parent.name: path.parent for path in sorted(EXPORTS.glob("*/study.yaml"))}
STUDIES |= {"fjellkode": project_dir() / "data" / "fjellkode"}
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
Cells = list[list[str]]


@dataclass(frozen=True)
class Written:
    """One source as its tool writes it: its entry in study.yaml, its bytes, and its cells.

    No cells are here of a spreadsheet, nor of a file in the contract's own form, which is read as it stands or not.
    """

    entry: dict
    content: bytes
    cells: Cells | None

    @property
    def n_header(self) -> int:
        legacy = self.entry["profile"] == "qualtrics" and self.cells[0][0] == "V1"
        return {"qualtrics": 2 if legacy else 3, "surveymonkey": 2}.get(self.entry["profile"], 1)


@cache
def exports(name: str) -> list[Written]:
    """Return the sources of a study, cell by cell."""
    content = yaml.safe_load((STUDIES[name] / "study.yaml").read_text(encoding="utf-8"))
    found = []
    for entry in content["sources"]:
        file = (STUDIES[name] / entry["path"]).read_bytes()
        is_fixed = entry["path"].endswith(".xlsx") or entry["profile"] == "canonical"
        found.append(Written(entry, file, None if is_fixed else cells_of(file)))
    return found


def cells_of(file: bytes) -> Cells:
    """Return the cells of a file of text in a vendor's dialect."""
    try:
        text = file.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = file.decode("cp1252")
    delimiter = ";" if text.partition("\n")[0].count(";") else ","
    return [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line]


def as_text(cells: Cells, delimiter: str = ",", encoding: str = "utf-8", newline: str = "\n", quote_all: bool = False):
    """Return cells as a file of text."""
    text = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=quoting).writerows(cells)
    return text.getvalue().encode(encoding)


def as_workbook(cells: Cells) -> bytes:
    """Return cells as a spreadsheet in which all are text, those that begin with = too."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Export")
    for line in cells:
        row = [WriteOnlyCell(sheet, text or None) for text in line]
        for cell in row:
            cell.data_type = "s" if cell.value else "n"
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(name: str, sources: list[tuple[dict, bytes]]) -> tuple[Study, RawTables]:
    """Return what is read of a study with these files."""
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data) / name
        shutil.copytree(STUDIES[name], folder, ignore=shutil.ignore_patterns("raw", "SHA256SUMS", "expected"))
        (folder / "raw").mkdir()
        for entry, file in sources:
            (folder / entry["path"]).write_bytes(file)
        content = yaml.safe_load((folder / "study.yaml").read_text(encoding="utf-8"))
        content |= {"sources": [entry for entry, _ in sources]}
        (folder / "study.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
        study = load_study(name, Path(data))
        return study, read_exports(study)


def tables_of(name: str, sources: list[tuple[dict, bytes]]) -> dict[str, pd.DataFrame]:
    """Return the tables that are read: the contract's columns, rows in an order of their own."""
    _, raw = read(name, sources)
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    found = {}
    for table, rows in raw.tables.items():
        text = rows.drop(columns=["_source", "_line"]).astype("str")
        text = text[sorted(text)]
        found[table] = text.sort_values(list(text), ignore_index=True)
    return found


def as_they_are(written: list[Written]) -> list[tuple[dict, bytes]]:
    return [(one.entry, one.content) for one in written]


@cache
def wanted(name: str) -> dict[str, pd.DataFrame]:
    return tables_of(name, as_they_are(exports(name)))


def as_csv(one: Written, change: Callable, how: dict) -> tuple[dict, bytes]:
    """Return a source with its cells changed and written as text in another dialect."""
    return one.entry, one.content if one.cells is None else as_text(change(one.cells, one), **how)


LETTERS = st.text(string.ascii_lowercase + ',;"\n =', max_size=6)


@st.composite
def rearranged(draw, cells: list[list[str]], one: Written) -> list[list[str]]:
    """Return an export with its rows and columns in another order, further columns and blank lines."""
    header, rows = cells[: one.n_header], cells[one.n_header :]
    order = np.random.default_rng(draw(st.integers(0, 2**32)))
    if one.entry["table"] not in ANSWERS:  # forms stand in the order in which they were sent
        rows = [rows[at] for at in order.permutation(len(rows))]
    n_further = draw(st.integers(0, 2))
    texts = draw(st.lists(LETTERS, min_size=1, max_size=4))
    header = [
        [*line, *(f"qx{n}" if line is header[-1] or at == 0 else "" for n in range(n_further))]
        for at, line in enumerate(header)
    ]
    rows = [[*row, *(texts[(at + n) % len(texts)] for n in range(n_further))] for at, row in enumerate(rows)]
    if one.n_header == 1:  # where there are several header lines, a blank continues the cell to its left
        columns = order.permutation(len(header[0]))
        header, rows = ([[line[at] for at in columns] for line in lines] for lines in (header, rows))
    for at in draw(st.lists(st.integers(0, len(rows)), max_size=2)):
        rows = [*rows[:at], [], *rows[at:]]
    return header + rows


DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        "newline": st.sampled_from(["\n", "\r\n"]),
        "quote_all": st.booleans(),
    }
)


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(sorted(STUDIES)), st.data())
def test_any_vendors_export_in_any_dialect_becomes_the_same_tables(name, data):
    sources = [
        as_csv(one, lambda cells, one: data.draw(rearranged(cells, one)), data.draw(DIALECTS)) for one in exports(name)
    ]
    found = tables_of(name, sources)
    assert found.keys() == wanted(name).keys()
    for table, rows in wanted(name).items():
        pd.testing.assert_frame_equal(found[table], rows, check_exact=True, obj=table)


# What goes wrong


ODD = st.one_of(
    st.sampled_from(["", "31.02.2024", "03/04/2024", "13/14/2024", "N/A-StillEmployed", "#REF!", "=1+1", "1.2E+05"]),
    st.sampled_from(["1,234", "1.0", "-99", "\x00", "0000-00-00", "9999999", "x" * 300, "a;b;;", "@", "\ufeff", "NaN"]),
    st.text(max_size=12),
)


@st.composite
def damaged(draw, cells: list[list[str]], one: Written) -> list[list[str]]:
    """Return an export in which cells were overwritten, lines doubled, dropped or cut, columns renamed or lost."""
    cells = [list(line) for line in cells]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(cells) - 1))
        place = draw(st.integers(0, max(0, len(cells[at]) - 1)))
        match draw(st.sampled_from(["cell", "column", "double", "drop", "cut", "long", "lose", "swap"])):
            case "cell" if cells[at]:
                cells[at][place] = draw(ODD)
            case "column":
                odd = draw(ODD)
                cells = [[odd if n == place else cell for n, cell in enumerate(line)] for line in cells]
            case "double":
                cells.insert(at, list(cells[at]))
            case "drop" if len(cells) > 1:
                del cells[at]
            case "cut":
                del cells[at][place:]
            case "long":
                cells[at].append(draw(ODD))
            case "lose":
                cells = [line[:place] + line[place + 1 :] for line in cells]
            case "swap":
                other = draw(st.integers(0, len(cells) - 1))
                cells[at], cells[other] = cells[other], cells[at]
    return cells


@st.composite
def broken_bytes(draw, content: bytes) -> bytes:
    """Return a file in which bytes were overwritten, and which may end early."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed[: draw(st.one_of(st.none(), st.integers(1, len(changed))))])


def assert_rows_add_up(raw: RawTables) -> None:
    """Assert that every record of every file was kept or left out with a line in the ledger."""
    for (table, source), n_rows in raw.rows_in.items():
        told = [p for p in raw.problems if p.source == source and p.action == "rejected"]
        kept = raw.tables[table] if table in raw.tables else pd.DataFrame({"_source": [], "_line": []})
        kept = set(kept.loc[kept["_source"].astype("str") == source, "_line"])
        gone = {int(line) for p in told if p.lines is not None for line in p.lines}
        assert len(kept) <= n_rows
        if not any(p.severity == "error" for p in told):  # an error stops the study, with nothing kept of its file
            assert len(kept | gone) == n_rows, (source, told)


def assert_told(name: str, sources: list[tuple[dict, bytes]]) -> None:
    """Assert that a study is read and checked, or every fault told, and never anything raised."""
    try:
        study, raw = read(name, sources)
        assert_rows_add_up(raw)
        tables, problems = check_tables(raw, study, load_instruments(study))
    except BadInput as bad:
        problems, tables = bad.problems, None
    if tables is not None and not any(p.severity == "error" for p in problems):
        counts = tables.row_counts
        assert (counts["rows_in"] == counts["rows_kept"] + counts["rows_rejected"]).all()
        assert (counts["rows_repaired"] <= counts["rows_kept"]).all()
    for problem in problems:
        assert problem.source and problem.message and "Traceback" not in str(problem)


@settings(max_examples=30, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(sorted(STUDIES)), st.data())
def test_a_damaged_export_is_told_and_its_rows_add_up(name, data):
    written = exports(name)
    at = data.draw(st.integers(0, len(written) - 1))
    sources, one = as_they_are(written), written[at]
    if one.cells is None or data.draw(st.booleans()):
        sources[at] = (one.entry, data.draw(broken_bytes(one.content)))
    else:
        sources[at] = as_csv(one, lambda cells, one: data.draw(damaged(cells, one)), data.draw(DIALECTS))
    assert_told(name, sources)


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(sorted(STUDIES)), st.data())
def test_an_export_damaged_in_a_spreadsheet_is_told_and_its_rows_add_up(name, data):
    written = exports(name)
    at = data.draw(st.sampled_from([n for n, one in enumerate(written) if one.cells is not None]))
    cells = data.draw(damaged(written[at].cells, written[at]))
    book = as_workbook([["".join(filter(str.isprintable, cell)) for cell in line] for line in cells])
    sources = as_they_are(written)
    sources[at] = (written[at].entry | {"path": f"raw/{at}.xlsx"}, book)
    assert_told(name, sources)


@settings(max_examples=15, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(["pairs", "workday", "ms_forms"]), st.data())
def test_a_broken_spreadsheet_is_told_and_its_rows_add_up(name, data):
    written = exports(name)
    book = next(one for one in written if one.entry["path"].endswith(".xlsx"))
    broken = data.draw(broken_bytes(book.content))
    assert_told(name, [(e, broken if e["path"] == book.entry["path"] else file) for e, file in as_they_are(written)])
