"""Exports become text rows, and what is wrong with a file is said with its line."""

import hashlib

import pytest
from studies import TINY_COMPANY, write_study

from analysis.ingest.sources import read_exports
from analysis.plan.read_study import load_study

EMPLOYEES = """\
employee_id,hire_date,exit_date
E1,2019-03-01,
"""


def read(tmp_path, tables, **study_yaml):
    """Read a study made of these tables."""
    write_study(tmp_path / "acme", tables, **study_yaml)
    return read_exports(load_study("acme", tmp_path))


def read_bytes(tmp_path, content):
    """Read a study whose employees file holds exactly these bytes."""
    write_study(tmp_path / "acme", {"employees": ""})
    (tmp_path / "acme" / "raw" / "employees.csv").write_bytes(content)
    return read_exports(load_study("acme", tmp_path))


def only(raw):
    """Return the only problem."""
    assert len(raw.problems) == 1, raw.problems
    return raw.problems[0]


def test_every_table_of_a_good_study_is_read(tmp_path):
    raw = read(tmp_path, TINY_COMPANY)
    assert raw.problems == ()
    assert {table: len(rows) for table, rows in raw.tables.items()} == {
        "employees": 5,
        "jobs": 5,
        "waves": 2,
        "responses": 5,
        "unlinked_responses": 4,
        "ratings": 4,
        "enrolments": 3,
        "sessions": 2,
    }


def test_cells_are_text_and_blank_ones_are_missing(tmp_path):
    raw = read(tmp_path, {"employees": "employee_id,hire_date,exit_date,location\n007,2019-03-01,,  \n"})
    row = raw.tables["employees"].iloc[0]
    assert row["employee_id"] == "007"
    assert row[["exit_date", "location"]].isna().all()
    cells = raw.tables["employees"].drop(columns="_line")
    assert {column.cat.categories.dtype.name for _, column in cells.items()} == {"str"}


def test_lines_are_those_on_which_a_record_begins(tmp_path):
    raw = read(
        tmp_path,
        {
            "employees": """\
        employee_id,hire_date,exit_reason
        E1,2019-03-01,"moved
        to Graz"
        E2,2020-06-15,

        E3,2021-01-01,
        """
        },
    )
    rows = raw.tables["employees"]
    assert dict(zip(rows["employee_id"], rows["_line"], strict=True)) == {"E1": 2, "E2": 4, "E3": 6}
    assert set(rows["_source"]) == {"raw/employees.csv"}
    assert raw.problems == ()


def test_several_files_feed_one_table(tmp_path):
    raw = read(tmp_path, {"employees/a": EMPLOYEES, "employees/b": EMPLOYEES.replace("E1", "E2")})
    rows = raw.tables["employees"]
    assert list(rows["_source"]) == ["raw/employees_a.csv", "raw/employees_b.csv"]
    assert list(rows["_line"]) == [2, 2]
    assert rows.index.is_unique


def test_byte_order_mark_and_windows_line_ends_are_fine(tmp_path):
    raw = read_bytes(tmp_path, b"\xef\xbb\xbfemployee_id,hire_date\r\nE1,2019-03-01\r\nE2,2019-03-01\r\n")
    assert raw.problems == ()
    assert list(raw.tables["employees"]["_line"]) == [2, 3]


def test_spaces_around_values_are_taken_off_and_noted(tmp_path):
    raw = read(tmp_path, {"employees": "employee_id , hire_date\n E1,2019-03-01\nE2,2019-03-01\n"})
    assert list(raw.tables["employees"]["employee_id"]) == ["E1", "E2"]
    problem = only(raw)
    assert (problem.rule, problem.severity, problem.action) == ("surrounding_spaces", "info", "repaired")
    assert (problem.rows, problem.example_rows) == (1, (2,))


@pytest.mark.parametrize(
    ("rule", "lines", "content"),
    [
        ("empty_file", (), b""),
        ("empty_file", (), b"\xef\xbb\xbf \n"),
        ("empty_file", (), b"employee_id,hire_date\n"),
        ("encoding", (3,), b"employee_id,hire_date\nE1,2019-03-01\nM\x81ller,2019-03-01\n"),
        ("unreadable_file", (), b"PK\x03\x04\xff\xfe"),
        ("ragged_row", (3, 5), b"employee_id,hire_date\nE1,2019-03-01\nE2\nE3,2019-03-01\nE4,2019-03-01,x\n"),
        ("broken_quotes", (3,), b'employee_id,hire_date\nE1,2019-03-01\nE2,"2019-03-01\nE3,2019-03-01\n'),
        ("broken_quotes", (2,), b'employee_id,hire_date\nE1,"2019"-03-01\n'),
        ("duplicate_column", (1,), b"employee_id,hire_date,hire_date\nE1,2019-03-01,2019-03-01\n"),
        ("unnamed_column", (1,), b"employee_id,hire_date,\nE1,2019-03-01,x\n"),
        ("reserved_column", (1,), b"employee_id,hire_date,_line\nE1,2019-03-01,7\n"),
        ("delimiter", (1,), b'"employee_id,hire_date"\n"E1,2019-03-01"\n'),
        ("missing_column", (1,), b"employee_id,hired\nE1,2019-03-01\n"),
        ("missing_column", (1,), b"Jane Roe,2019-03-01\nJohn Doe,2019-03-01\n"),
    ],
)
def test_a_bad_file_is_an_error_with_its_line(tmp_path, rule, lines, content):
    raw = read_bytes(tmp_path, content)
    problem = only(raw)
    assert (problem.severity, problem.rule, problem.example_rows) == ("error", rule, lines)
    assert (problem.table, problem.source) == ("employees", "raw/employees.csv")
    assert not any(name in str(problem) for name in ("Roe", "Doe", "ller", "E1", "E2", "E4"))
    assert raw.incomplete == {"employees"}


def test_a_file_of_semicolons_in_windows_1252_is_read_and_told(tmp_path):
    raw = read_bytes(tmp_path, "employee_id;hire_date\nMüller;2019-03-01\n".encode("cp1252"))
    assert list(raw.tables["employees"]["employee_id"]) == ["Müller"]
    assert [(p.severity, p.rule) for p in raw.problems] == [("info", "csv_dialect"), ("warning", "encoding_assumed")]
    assert not any("ller" in str(p) for p in raw.problems)


def test_a_missing_file_is_an_error(tmp_path):
    source = {"table": "employees", "path": "raw/workers.csv", "profile": "canonical"}
    problem = only(read(tmp_path, {}, sources=[source]))
    assert (problem.rule, problem.source) == ("missing_file", "raw/workers.csv")


def test_an_unknown_profile_lists_the_known_ones(tmp_path):
    source = {"table": "employees", "path": "raw/employees.csv", "profile": "workweek"}
    problem = only(read(tmp_path, {"employees": EMPLOYEES}, sources=[source]))
    assert problem.rule == "unknown_profile"
    assert "canonical" in problem.message


def test_all_files_problems_come_at_once(tmp_path):
    sources = [
        {"table": table, "path": f"raw/{table}.csv", "profile": "canonical"} for table in ("employees", "jobs", "waves")
    ]
    raw = read(tmp_path, {"employees": "employee_id,hire_date\nE1\n", "waves": "wave\n1\n"}, sources=sources)
    assert [p.rule for p in raw.problems] == ["ragged_row", "missing_file", "missing_column"]


def test_columns_are_renamed_as_the_study_says(tmp_path):
    raw = read(
        tmp_path,
        {"employees": "Worker,hire_date,location,Site\nE1,2019-03-01,old,Graz\n"},
        columns={"employees": {"employee_id": "Worker", "location": "Site"}},
    )
    rows = raw.tables["employees"]
    assert rows.loc[0, ["employee_id", "location"]].tolist() == ["E1", "Graz"]
    assert "Site" not in rows
    assert (only(raw).rule, only(raw).severity) == ("column_replaced", "warning")


def test_two_columns_can_change_places(tmp_path):
    raw = read(
        tmp_path,
        {"employees": "employee_id,hire_date,exit_date\nE1,2023-01-31,2019-03-01\n"},
        columns={"employees": {"hire_date": "exit_date", "exit_date": "hire_date"}},
    )
    assert raw.tables["employees"].loc[0, ["hire_date", "exit_date"]].tolist() == ["2019-03-01", "2023-01-31"]
    assert raw.problems == ()


def test_an_override_that_names_no_column_is_an_error(tmp_path):
    raw = read(tmp_path, {"employees": EMPLOYEES}, columns={"employees": {"location": "Work Site"}})
    problem = only(raw)
    assert (problem.severity, problem.rule) == ("error", "missing_column")
    assert "location: Work Site" in problem.message


def test_values_are_translated_as_the_study_says_and_noted(tmp_path):
    text = "employee_id,hire_date,exit_date,exit_type\nE1,2019-03-01,2020-01-31,Resignation\nE2,2019-03-01,,\n"
    raw = read(
        tmp_path,
        {"employees": text},
        values={"employees": {"exit_type": {"voluntary": ["Resignation", "Job abandonment"]}}},
    )
    exit_types = raw.tables["employees"]["exit_type"]
    assert exit_types[0] == "voluntary"
    assert exit_types.isna()[1]
    problem = only(raw)
    assert (problem.rule, problem.rows, problem.example_rows) == ("values_translated", 1, (2,))


def test_wave_and_instrument_of_a_source_fill_what_the_file_leaves_empty(tmp_path):
    source = {
        "table": "responses",
        "path": "raw/responses.csv",
        "profile": "canonical",
        "wave": 3,
        "instrument": "mini",
    }
    text = "employee_id,item,value,wave\nE1,m1,4,\nE1,m1,4,2\n"
    rows = read(tmp_path, {"responses": text}, sources=[source]).tables["responses"]
    assert list(rows["wave"]) == ["3", "2"]
    assert list(rows["instrument"]) == ["mini", "mini"]


class TestChecksums:
    """`SHA256SUMS` is verified where there is one."""

    def problems(self, tmp_path, sums):
        write_study(tmp_path / "acme", {"employees": EMPLOYEES})
        (tmp_path / "acme" / "SHA256SUMS").write_text(sums, encoding="utf-8")
        return read_exports(load_study("acme", tmp_path)).problems

    right = hashlib.sha256(EMPLOYEES.encode()).hexdigest()

    @pytest.mark.parametrize("sums", [f"{right}  raw/employees.csv\n", f"{right.upper()} *raw/employees.csv\r\n\n"])
    def test_right_sums_pass(self, tmp_path, sums):
        assert self.problems(tmp_path, sums) == ()

    @pytest.mark.parametrize(
        ("rule", "source", "sums"),
        [
            ("checksum_mismatch", "raw/employees.csv", f"{'0' * 64}  raw/employees.csv\n"),
            ("checksum_missing_file", "raw/gone.csv", f"{right}  raw/employees.csv\n{right}  raw/gone.csv\n"),
            ("checksum_line", "SHA256SUMS", f"{right}  raw/employees.csv\nnot a sum\n"),
            ("checksum_line", "SHA256SUMS", f"{right}  raw/employees.csv\n{right}  ../other/file.csv\n"),
        ],
    )
    def test_wrong_sums_are_errors(self, tmp_path, rule, source, sums):
        [problem] = self.problems(tmp_path, sums)
        assert (problem.severity, problem.rule, problem.source) == ("error", rule, source)

    def test_a_source_without_a_sum_is_a_warning(self, tmp_path):
        [problem] = self.problems(tmp_path, "")
        assert (problem.severity, problem.rule, problem.source) == ("warning", "checksum_absent", "raw/employees.csv")
