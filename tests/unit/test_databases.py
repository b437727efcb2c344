"""Rows of a query: read in one transaction that cannot write, and nothing of the URL told."""

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa
from exports import PLAIN, cells, only, study_in, told

from analysis.ingest.export import Export
from analysis.ingest.readers import database, read_export
from analysis.plan.study import Source

ROSTER = "SELECT employee_id, hire_date, level FROM staff ORDER BY employee_id"


def query(folder, statement=ROSTER):
    """Read a query as the export of a study; the variable COMPANY_DB holds the URL."""
    source = Source(table="employees", query=statement, url_env="COMPANY_DB", profile="canonical")
    return read_export(source, study_in(folder), PLAIN)


@pytest.fixture
def sqlite(tmp_path, monkeypatch) -> Path:
    """A company's SQLite database."""
    path = tmp_path / "people.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE staff (employee_id TEXT, hire_date TEXT, level REAL, note TEXT)")
        rows = [("007", "2019-03-01", 3.0, " 100% "), ("E2", None, 2.5, "a:b"), ("E3", "2020-01-01", None, "")]
        connection.executemany("INSERT INTO staff VALUES (?, ?, ?, ?)", rows)
    monkeypatch.setenv("COMPANY_DB", f"sqlite:///{path}")
    return path


def test_rows_of_a_query_are_text(tmp_path, sqlite, monkeypatch):
    monkeypatch.setattr(database, "_CHUNK_ROWS", 2)
    export = query(tmp_path)
    assert cells(export) == {
        "employee_id": ["007", "E2", "E3"],
        "hire_date": ["2019-03-01", None, "2020-01-01"],
        "level": ["3", "2.5", None],
    }
    assert (list(export.frame["_line"]), export.rows_in, export.problems) == ([2, 3, 4], 3, [])
    assert export.source == "query of COMPANY_DB"


@pytest.mark.parametrize(
    "statement",
    [
        "select note from staff where note like '%:%' or note like '%0%';",
        "WITH a AS (SELECT note FROM staff) SELECT note FROM a -- update nothing; really\nWHERE note <> ''",
        "/* drop it */ SELECT note, 'delete; insert' AS \"into\" FROM staff WHERE note <> ''",
    ],
)
def test_marks_and_words_in_a_query_mean_themselves(tmp_path, sqlite, statement):
    assert cells(query(tmp_path, statement))["note"] == ["100%", "a:b"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM staff",
        "SELECT 1; DROP TABLE staff",
        "SELECT 1;;DROP TABLE staff",
        "WITH gone AS (DELETE FROM staff RETURNING *) SELECT * FROM gone",
        "SELECT * INTO copy FROM staff",
        "SELECT pg_read_file('/etc/passwd') AS note",
        "SELECT lo_export(1, '/tmp/x') AS note",
        "SELECT * FROM dblink('dbname=other', 'DROP TABLE staff') AS t(a text)",
        "PRAGMA writable_schema = 1",
        "EXPLAIN SELECT 1",
        "nothing",
    ],
)
def test_anything_but_one_select_is_refused(tmp_path, sqlite, statement):
    problem = only(query(tmp_path, statement))
    assert problem.rule == "database_query"
    assert "single SELECT" in problem.message
    assert len(query(tmp_path).frame) == 3


@pytest.mark.parametrize("url", ["mysql+pymysql://u:hunter2@h/db", "mssql+pyodbc://u:hunter2@h/db", "oracle://u@h/db"])
def test_a_database_that_cannot_be_opened_for_reading_alone_is_refused(tmp_path, monkeypatch, url):
    """`SELECT 1 DROP TABLE x` and `/*!50000 INTO OUTFILE … */` are more than they seem in some of them."""
    monkeypatch.setenv("COMPANY_DB", url)
    problem = only(query(tmp_path, "SELECT 1 DROP TABLE x"))
    assert (problem.rule, "hunter2" in str(problem)) == ("database_kind", False)


def test_an_sqlite_file_is_opened_for_reading_alone(tmp_path, sqlite, monkeypatch):
    """Even where the query's text and the pragma are got round."""
    monkeypatch.setattr(database, "_only_reads", lambda _: True)
    assert query(tmp_path, "PRAGMA query_only = OFF").has_failed
    assert query(tmp_path, "DELETE FROM staff RETURNING employee_id").has_failed
    folder = tmp_path / "100% of it #1"
    folder.mkdir()
    moved = sqlite.rename(folder / "people.db")
    monkeypatch.setenv("COMPANY_DB", str(sa.URL.create("sqlite", database=str(moved))))
    assert len(query(tmp_path).frame) == 3


def test_an_sqlite_connection_cannot_write_before_anything_forbids_it(tmp_path, sqlite):
    source = Source(table="employees", query=ROSTER, url_env="COMPANY_DB", profile="canonical")
    engine = database._engine(os.environ["COMPANY_DB"], source, Export("employees", "the query"))
    with engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.exec_driver_sql("DELETE FROM staff")


def test_a_connection_cannot_write_whatever_the_query_says(tmp_path, sqlite, monkeypatch):
    monkeypatch.setattr(database, "_only_reads", lambda _: True)
    assert query(tmp_path, "DELETE FROM staff RETURNING employee_id").has_failed
    assert len(query(tmp_path).frame) == 3


@pytest.mark.parametrize(
    ("rule", "url"),
    [
        ("database_url", ""),
        ("database_url", "hunter2"),
        ("database_kind", "nosuch://jane:hunter2@db.acme.example/people"),
        ("database_url", "postgresql+psycopg://jane:hunter2@db.acme.example:port/people"),
        ("database_connection", "postgresql+psycopg://jane:hunter2@localhost:1/people?connect_timeout=2"),
        ("database_connection", "sqlite:////nowhere/hunter2.db"),
        ("database_connection", "sqlite://"),
    ],
)
def test_a_url_that_does_not_lead_to_a_database_is_told_without_it(tmp_path, monkeypatch, caplog, capfd, rule, url):
    monkeypatch.setenv("COMPANY_DB", url)
    problem = only(query(tmp_path))
    assert problem.rule == rule
    told_anywhere = str(problem) + caplog.text + "".join(capfd.readouterr())
    assert not any(secret in told_anywhere for secret in ("jane", "hunter2", "acme.example", "people"))


def test_a_variable_that_is_not_set_is_told(tmp_path, monkeypatch):
    monkeypatch.delenv("COMPANY_DB", raising=False)
    assert "COMPANY_DB is not set" in only(query(tmp_path)).message


def test_a_query_that_fails_or_gives_nothing_is_told(tmp_path, sqlite):
    failed = only(query(tmp_path, "SELECT nothing FROM staff"))
    assert (failed.rule, "staff" in str(failed)) == ("database_query", False)
    assert told(query(tmp_path, "SELECT note FROM staff WHERE 1 = 0")) == [("error", "empty_file", ())]
    twice = query(tmp_path, "SELECT note, 1 AS one, note FROM staff")
    assert told(twice) == [("error", "duplicate_column", (1,))]
    assert "note (columns 1, 3)" in only(twice).message and "with AS" in only(twice).message
    sqlite.write_bytes(b"no database at all" * 100)
    assert only(query(tmp_path)).rule == "database_query"


# --- PostgreSQL, on a server of the test's own ---


def as_owner(*command: str) -> None:
    """Run a PostgreSQL program; it refuses to run as root, so root runs it as nobody."""
    prefix = ["runuser", "-u", "nobody", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *command], check=True, capture_output=True, timeout=60, cwd="/")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A PostgreSQL server on a socket in a folder of its own, without TCP; yields the URL."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    if not folders or (os.geteuid() == 0 and not shutil.which("runuser")):
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    tools = folders[-1]
    home = Path(
        subprocess.run(["mktemp", "-d", "/tmp/pg.XXXXXX"], check=True, capture_output=True, text=True).stdout.strip()
    )
    if os.geteuid() == 0:
        shutil.chown(home, "nobody")
    data = home / "data"
    as_owner(str(tools / "initdb"), "-D", str(data), "-U", "tester", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
    as_owner(str(tools / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://tester@/postgres?host={home}"
    finally:
        as_owner(str(tools / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def postgres(server, monkeypatch):
    """The server with a company's table in it, and a connection that may write."""
    import psycopg

    monkeypatch.setenv("COMPANY_DB", server.replace("tester", "reader"))
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS staff")
        connection.execute(
            "CREATE TABLE staff (employee_id text, hire_date date, level numeric(4, 2), at timestamptz, "
            "seen timestamp, active boolean, tags text[], length interval)"
        )
        connection.execute(
            "INSERT INTO staff VALUES ('007', '2019-03-01', 3.00, '2024-02-29 08:00+00', '2024-02-29 08:30:01.5', "
            "true, '{a}', '90 minutes'), ('E2', NULL, 2.50, NULL, NULL, false, NULL, NULL)"
        )
        connection.execute(
            "DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$; "
            "GRANT ALL ON staff TO reader"
        )
        yield connection


def test_postgresql_rows_are_text(tmp_path, postgres):
    export = query(tmp_path, "SELECT * FROM staff ORDER BY employee_id")
    found = cells(export)
    at = dt.datetime.fromisoformat(found.pop("at")[0])
    assert at == dt.datetime(2024, 2, 29, 8, tzinfo=dt.UTC)
    assert found == {
        "employee_id": ["007", "E2"],
        "hire_date": ["2019-03-01", None],
        "level": ["3", "2.5"],
        "seen": ["2024-02-29T08:30:01", None],
        "active": ["true", "false"],
        "tags": ["['a']", None],
        "length": ["01:30:00", None],
    }
    assert (list(export.frame["_line"]), export.problems) == ([2, 3], [])


def test_postgresql_reads_many_rows_in_chunks(tmp_path, postgres):
    export = query(tmp_path, "SELECT n AS employee_id, n % 7 AS level FROM generate_series(1, 120000) AS n")
    assert (export.rows_in, export.frame["level"].cat.categories.size) == (120_000, 7)


def test_postgresql_cannot_be_written_to(tmp_path, postgres, monkeypatch):
    monkeypatch.setattr(database, "_only_reads", lambda _: True)
    assert query(tmp_path, "DELETE FROM staff RETURNING employee_id").has_failed
    assert postgres.execute("SELECT count(*) FROM staff").fetchone() == (2,)


def test_a_user_of_postgresql_who_may_do_more_than_read_tables_is_refused(tmp_path, postgres, server, monkeypatch):
    postgres.execute("DO $$ BEGIN CREATE ROLE clerk LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    postgres.execute("GRANT pg_read_server_files TO clerk; GRANT SELECT ON staff TO clerk")
    for user in ("tester", "clerk"):
        monkeypatch.setenv("COMPANY_DB", server.replace("tester", user))
        assert only(query(tmp_path)).rule == "database_user"


def test_postgresql_failures_tell_nothing_of_the_url(tmp_path, postgres, server, monkeypatch):
    assert only(query(tmp_path, "SELECT gone FROM staff")).rule == "database_query"
    monkeypatch.setenv("COMPANY_DB", server.replace("tester", "jane"))
    problem = only(query(tmp_path))
    assert (problem.rule, "jane" in str(problem)) == ("database_connection", False)
