"""Generated companies through any vendor's exports: exact on the way back, and whatever is broken is told."""

import json
import string
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from analysis.simulate.exports import files
from analysis.simulate.exports.sheet import Sheet, workbook
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.ingest.sources import RawTables, read_exports
from analysis.plan.contract import ANSWERS, TABLES
from analysis.plan.errors import BadInput
from analysis.plan.instruments import load_instruments
from analysis.plan.study import Study, load_study
from analysis.simulate import scenario_named, simulate
from analysis.simulate.company import study_content
from analysis.simulate.scenario import Vendors
from analysis.validate.tables import check_tables

COMPANIES = ("northbank", "ostwire", "kesselwerk")
CANONICAL = Vendors()
# Of so few people a column may not show whether the day or the month stands first.
DATE_ORDERS = {"hibob": {"date_order": "dmy"}, "pushfar": {"date_order": "dmy"}}
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@dataclass(frozen=True)
class Written:
    """One source as its tool writes it: its entry in study.yaml, its cells, and how many header lines it has.

    Of a file in the contract's own form the bytes stand in the place of the cells.
    """

    entry: dict
    cells: Sheet | bytes

    @property
    def n_header(self) -> int:
        legacy = self.entry["profile"] == "qualtrics" and self.cells.cells[0][0] == "V1"
        return {"qualtrics": 2 if legacy else 3, "surveymonkey": 2}.get(self.entry["profile"], 1)


@cache
def company(like: str):
    """Return a small simulated company with the first two waves of its first survey."""
    scenario = scenario_named("generated", like=like, employees=50)
    survey = scenario.surveys[0]
    return simulate(replace(scenario, surveys=(replace(survey, opens=survey.opens[:2]),)))


@cache
def exports(like: str, vendors: Vendors) -> tuple[dict, list[Written]]:
    """Return the study file of the company and what its vendors export, cell by cell."""
    made = company(like)
    scenario = replace(made.scenario, vendors=vendors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sheet, "csv", lambda sheet, **_: sheet)
        patch.setattr(files, "workbook", lambda sheets, **_: next(iter(sheets.values())))
        written = [
            Written(raw.source | DATE_ORDERS.get(raw.source["profile"], {}), raw.write())
            for raw in files.raw_files(scenario, made.tables)
        ]
    return study_content(scenario, made.tables), written


def read(content: dict, sources: list[tuple[dict, bytes]]) -> tuple[Study, RawTables]:
    """Return what is read of a study with these files."""
    with tempfile.TemporaryDirectory() as data:
        folder = Path(data) / "generated"
        (folder / "raw").mkdir(parents=True)
        for entry, file in sources:
            (folder / entry["path"]).write_bytes(file)
        text = json.dumps(content | {"sources": [entry for entry, _ in sources]}, default=str)  # JSON is YAML
        (folder / "study.yaml").write_text(text, encoding="utf-8")
        study = load_study("generated", Path(data))
        return study, read_exports(study)


def checked(content: dict, sources: list[tuple[dict, bytes]]) -> dict[str, pd.DataFrame]:
    """Return the canonical tables of a study: the contract's columns, rows in an order of their own."""
    study, raw = read(content, sources)
    tables, problems = check_tables(raw, study, load_instruments(study))
    assert [str(p) for p in problems if p.severity == "error"] == []
    found = {}
    for table, columns in TABLES.items():
        if (rows := getattr(tables, table)) is not None:
            # not every tool tells how long a form took, or when a person was hired first of all
            rows = rows[[name for name in columns if name not in ("duration_seconds", "original_hire_date")]]
            found[table] = rows.sort_values(list(rows), ignore_index=True)
    return found


def plainly(written: list[Written]) -> list[tuple[dict, bytes]]:
    return [(one.entry, one.cells if isinstance(one.cells, bytes) else one.cells.csv()) for one in written]


@cache
def wanted(like: str) -> dict[str, pd.DataFrame]:
    content, written = exports(like, CANONICAL)
    return checked(content, plainly(written))


def as_csv(one: Written, change: Callable, how: dict) -> tuple[dict, bytes]:
    """Return a source with its cells changed and written as text, whatever the tool's own form is."""
    if isinstance(one.cells, bytes):
        return one.entry, one.cells
    path = str(Path(one.entry["path"]).with_suffix(".csv"))
    return one.entry | {"path": path}, Sheet(change(one.cells.cells, one)).csv(**how)


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


VENDORS = st.builds(
    Vendors,
    hr=st.sampled_from([*files.HR]),  # of the canonical files nobody is known by e-mail
    platform=st.sampled_from(["canonical", "pairs", *files.PLATFORMS]),
    survey=st.sampled_from(["canonical", *files.SURVEYS]),
    language=st.sampled_from(["en", "de"]),
)
DIALECTS = st.fixed_dictionaries(
    {
        "delimiter": st.sampled_from(",;\t|"),
        "encoding": st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
        "newline": st.sampled_from(["\n", "\r\n"]),
        "quote_all": st.booleans(),
    }
)


@settings(max_examples=10, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(COMPANIES), VENDORS, st.data())
def test_exports_of_any_vendors_in_any_dialect_become_the_same_tables(like, vendors, data):
    content, written = exports(like, vendors)
    sources = [
        as_csv(one, lambda cells, one: data.draw(rearranged(cells, one)), data.draw(DIALECTS)) for one in written
    ]
    found = checked(content, sources)
    assert found.keys() == wanted(like).keys()
    for table, rows in wanted(like).items():
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


def assert_told(content: dict, sources: list[tuple[dict, bytes]]) -> None:
    """Assert that a study is read and checked, or every fault told, and never anything raised."""
    try:
        study, raw = read(content, sources)
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


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(COMPANIES), VENDORS, st.data())
def test_a_damaged_export_is_told_and_its_rows_add_up(like, vendors, data):
    content, written = exports(like, vendors)
    at = data.draw(st.integers(0, len(written) - 1))
    sources = plainly(written)
    one = written[at]
    if isinstance(one.cells, bytes) or data.draw(st.booleans()):
        sources[at] = (one.entry, data.draw(broken_bytes(sources[at][1])))
    else:
        sources[at] = as_csv(one, lambda cells, one: data.draw(damaged(cells, one)), data.draw(DIALECTS))
    assert_told(content, sources)


@settings(max_examples=6, deadline=None, suppress_health_check=SLOW)
@given(st.sampled_from(COMPANIES), st.data())
def test_a_damaged_spreadsheet_is_told_and_its_rows_add_up(like, data):
    content, written = exports(like, Vendors(hr="workday", platform="chronus", survey="ms_forms"))
    sources = plainly(written)
    at = data.draw(st.sampled_from([n for n, one in enumerate(written) if one.entry["path"].endswith(".xlsx")]))
    whole = workbook({"Export": written[at].cells})
    damage = data.draw(st.booleans())
    if damage:
        whole = data.draw(broken_bytes(whole))
    else:
        cells = data.draw(damaged(written[at].cells.cells, written[at]))
        width = max(map(len, cells))
        cells = [[*("".join(filter(str.isprintable, cell)) for cell in line), *[""] * width][:width] for line in cells]
        whole = workbook({"Export": Sheet(cells)}, dates=False)
    sources[at] = (written[at].entry, whole)
    assert_told(content, sources)
