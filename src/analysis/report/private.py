"""Files for the person who has the exports: every line that something is wrong with, and whose people were not found.

They stand beside the report and not in it, readable by their owner alone, since a line of a file is a person's row.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plan.errors import Problem
from analysis.report.folders import writing
from analysis.report.safe_cells import export_safe
from analysis.validate.account import lines_known

UNMATCHED_FILE, LINES_FILE = "unmatched.csv", "lines.csv"
UNMATCHED = ("unmatched_person", "ambiguous_person", "nobody_named", "unknown_employee")


def private_dir(reports: Path, name: str) -> Path:
    """Return the folder of a study's private files; no study and no report can have its name."""
    return reports / f"{name}.private"


def write_private(problems: Iterable[Problem], folder: Path) -> list[Path]:
    """Replace ``unmatched.csv`` and ``lines.csv``; one without a row is not there. Return those that are.

    Raises
    ------
    BadInput
        The folder cannot be written.
    """
    problems = list(problems)
    frames = {UNMATCHED_FILE: _unmatched(problems), LINES_FILE: _lines(problems)}
    return put_private({name: _csv(frame) for name, frame in frames.items() if len(frame)}, folder)


def put_private(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Replace the private files by these, wherever they were made; return those that are there now.

    Raises
    ------
    BadInput
        The folder cannot be written.
    """
    written = []
    with writing(folder):
        for name in (UNMATCHED_FILE, LINES_FILE):
            (folder / name).unlink(missing_ok=True)
            if name in files:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                _write(files[name], folder / name)
                written.append(folder / name)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return written


def _csv(frame: pd.DataFrame) -> bytes:
    return export_safe(frame).to_csv(index=False, lineterminator="\n").encode()


def _write(content: bytes, path: Path) -> None:
    """Write a new file, which nobody but its owner can read at any time."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _unmatched(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return the lines whose person was not found or could be several, one row each, without saying who it is."""
    rows = [(p.source, line, p.rule, p.message) for p in problems if p.rule in UNMATCHED for line in lines_known(p)]
    return pd.DataFrame(rows, columns=["source", "line", "rule", "reason"])


def _lines(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return every line of every error and warning: where it is, and what is wrong; never what stands there."""
    parts = [
        pd.DataFrame(
            {
                "severity": p.severity,
                "source": p.source,
                "line": np.sort(lines_known(p)),
                "column": p.column,
                "rule": p.rule,
                "action": p.action,
            }
        )
        for p in problems
        if p.severity != "info" and len(lines_known(p))
    ]
    columns = ["severity", "source", "line", "column", "rule", "action"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
