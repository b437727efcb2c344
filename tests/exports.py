"""Invented exports in files, and how a test reads one."""

from pathlib import Path

import pandas as pd

from analysis.ingest.export import Export
from analysis.ingest.profile import Header
from analysis.ingest.readers import read_export
from analysis.plan.errors import Problem
from analysis.plan.study import Source, Study

PLAIN = Header()


def study_in(folder: Path) -> Study:
    """Return a study whose folder this is."""
    return Study(
        schema_version=1, study="acme", title="ACME", study_start="2022-01-01", as_of="2024-12-31", folder=folder
    )


def read_file(folder: Path, name: str = "export.csv", content: bytes | None = None, header=PLAIN, **source) -> Export:
    """Read one file as the export of a study; with `content` it is written first."""
    if content is not None:
        (folder / name).write_bytes(content)
    return read_export(Source(table="employees", path=name, profile="canonical", **source), study_in(folder), header)


def cells(export: Export) -> dict[str, list[str | None]]:
    """Return the cells of each column, a missing one as None."""
    frame = export.frame.drop(columns="_line")
    return {name: [None if pd.isna(cell) else cell for cell in frame[name]] for name in frame}


def told(export: Export) -> list[tuple[str, str, tuple[int, ...]]]:
    """Return severity, rule and example lines of every problem."""
    return [(p.severity, p.rule, p.example_rows) for p in export.problems]


def only(export: Export) -> Problem:
    """Return the only problem."""
    assert len(export.problems) == 1, export.problems
    return export.problems[0]
