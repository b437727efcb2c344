"""Databases: the rows of one query, read and never written. Nothing of the URL is ever told.

A query's text cannot be trusted to say what it does. So the database is opened such that nothing can be written; where
that cannot be (any but SQLite and PostgreSQL), or where the user may reach beyond the tables, it is not read at all.
"""

import os
import re
from pathlib import Path
from urllib.parse import quote

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from analysis.ingest.export import Export
from analysis.ingest.readers.columns import Coder, Rows, fill, text_of
from analysis.ingest.readers.header import Columns, is_good
from analysis.plan.study import Source

KINDS = ("postgresql", "sqlite")
_CHUNK_ROWS = 50_000
# Comments go, literals and quoted names lose what is in them: no command stands there.
_COMMENT_OR_QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|('(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")", re.DOTALL)
_READS = re.compile(r"[\s(]*(select|with)\b", re.IGNORECASE)
_WRITES = re.compile(r"\b(insert|update|delete|merge|into)\b", re.IGNORECASE)
# Functions that ask the server and not the tables.
_SERVER = re.compile(r"\b(pg_|lo_|dblink|set_config)\w*\s*\(", re.IGNORECASE)
# Roles with which a mere SELECT reads or writes files of the server, or runs programs there.
_REACHES_FURTHER = "SELECT " + " OR ".join(
    f"pg_has_role(current_user, '{role}', 'member')"
    for role in ("pg_read_server_files", "pg_write_server_files", "pg_execute_server_program")
)


def read_query(source: Source, export: Export) -> None:
    """Read the rows of a source's query into `export`; `_line` is 1 + the number of the row."""
    url = os.environ.get(source.url_env, "")
    if not url.strip():
        return export.fail(
            "database_url", f"the environment variable {source.url_env} is not set; set it to the database's URL"
        )
    if not _only_reads(source.query):
        return export.fail(
            "database_query", "is not a single SELECT (or WITH … SELECT) statement; nothing else is sent to a database"
        )
    engine = _engine(url, source, export)
    if engine is None:
        return None
    try:
        connection = engine.connect()
    except (SQLAlchemyError, OSError, ValueError):
        return export.fail(
            "database_connection",
            "the database cannot be reached; check that it runs, and host, name, user and password in the URL",
        )
    try:
        with connection:
            if connection.dialect.name == "postgresql" and connection.exec_driver_sql(_REACHES_FURTHER).scalar():
                return export.fail(
                    "database_user",
                    "the database's user may do more than read tables (files of the server, programs); name one in the "
                    "URL that may not",
                )
            connection.rollback()
            _read(connection, source.query, export)
    except (SQLAlchemyError, UnicodeDecodeError, ValueError):
        export.frame = None
        export.fail("database_query", "the database refused the query or broke off; try the query in its own console")
    finally:
        engine.dispose()
    return None


def _only_reads(query: str) -> bool:
    words = _COMMENT_OR_QUOTED.sub(lambda found: " '' " if found[1] else " ", query).strip().removesuffix(";")
    return bool(_READS.match(words)) and ";" not in words and not (_WRITES.search(words) or _SERVER.search(words))


def _engine(url: str, source: Source, export: Export) -> sa.Engine | None:
    try:
        parts = sa.make_url(url)
        if parts.get_backend_name() not in KINDS:
            export.fail(
                "database_kind",
                "only SQLite and PostgreSQL are read, which can be opened so that nothing is written; export the "
                "query's rows as CSV from the database's own console",
            )
            return None
        if parts.get_backend_name() == "postgresql":
            return sa.create_engine(parts)
        if not (path := Path(parts.database or "")).is_file():
            export.fail("database_connection", "there is no SQLite database where the URL says")
            return None
        file = f"file:{quote(str(path.resolve()))}"
        return sa.create_engine(sa.URL.create("sqlite", database=file, query={"mode": "ro", "uri": "true"}))
    except (ArgumentError, NoSuchModuleError, ImportError, ValueError):
        export.fail(
            "database_url",
            f"the environment variable {source.url_env} holds no database URL that can be used; it must look like "
            "postgresql+psycopg://… or sqlite:///…, and its driver must be installed",
        )
        return None


def _read(connection: sa.Connection, query: str, export: Export) -> None:
    """Read in chunks, in a transaction that cannot write; a `:` or `%` in the query means itself."""
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(postgresql_readonly=True)
    elif connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA query_only = ON")
    options = {"stream_results": True, "no_parameters": True}
    with connection.exec_driver_sql(query, execution_options=options) as result:
        names = tuple(name.strip() for name in result.keys())  # noqa: SIM118 (no mapping)
        if not is_good(names, export):
            return
        coders: list[Coder[tuple[type, object]]] = [Coder() for _ in names]
        n_rows = 0
        while chunk := result.fetchmany(_CHUNK_ROWS):
            n_rows += len(chunk)
            for coder, cells in zip(coders, zip(*chunk, strict=True), strict=True):
                coder.add(zip(map(type, cells), map(_hashable, cells), strict=True))
    if not n_rows:
        export.fail("empty_file", "returns no rows; correct the query, or take it out of study.yaml")
        return
    columns = (coder.coded(lambda cell: text_of(cell[1])) for coder in coders)
    fill(export, Columns(names), Rows(columns, np.arange(2, n_rows + 2)))


def _hashable(cell: object) -> object:
    return str(cell) if isinstance(cell, (list, dict)) else cell
