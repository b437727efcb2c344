"""Where every row of a file went: kept, repaired or rejected, so that the numbers add up."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.plan.errors import Problem, distinct
from analysis.validate.rule import lines_by_source

COLUMNS = ["table", "source", "rows_in", "rows_kept", "rows_repaired", "rows_translated", "rows_rejected"]
REPAIRS = ("repaired", "set_null")
Lines = dict[tuple[str, str], np.ndarray]


def account(
    rows_in: Mapping[tuple[str, str], int], kept: Mapping[str, pd.DataFrame], problems: Sequence[Problem]
) -> pd.DataFrame:
    """Return what became of the rows of each source: one row per table and source, in the order of `rows_in`.

    Columns ``table, source, rows_in, rows_kept, rows_repaired, rows_translated, rows_rejected``, counted in records of
    the file: a form of a survey is one, however many answers are made of it. A record is kept when anything of it is
    kept and nothing of it is an error; ``rows_kept + rows_rejected = rows_in``. Repaired ones are among the kept, and
    translated ones among the repaired: nothing was wrong with them, they were reformatted only. An error of a
    file as a whole (of no line, of its header, or of its checksum) rejects all of its rows.

    Parameters
    ----------
    rows_in
        Records of the file by table and source, whatever came of them.
    kept
        The rows left after all rules, by table, with ``_source`` and ``_line``.
    problems
        All problems of the study; `Problem.lines` says of which records.
    """
    left = lines_of(kept)
    errors = [p for p in problems if p.severity == "error"]
    broken = _lines_touched(errors)
    repairs = [p for p in problems if p.action in REPAIRS]
    changed = _lines_touched(repairs)
    repaired_lines = _lines_touched(p for p in repairs if not p.is_translation)
    unusable = {_file(p.table, p.source) for p in errors if _is_of_the_file(p)}
    counts = []
    for key, n in rows_in.items():
        file = _file(*key)
        lines = _without(left.get(key, _NONE), broken.get(file, _NONE))
        lines = _NONE if unusable & {file, _file("study", key[1])} else lines
        repaired = lines[np.isin(lines, changed.get(file, _NONE), kind="table")]
        translated = _without(repaired, repaired_lines.get(file, _NONE))
        counts.append((*key, n, len(lines), len(repaired), len(translated), n - len(lines)))
    return pd.DataFrame(counts, columns=COLUMNS)


def lines_of(tables: Mapping[str, pd.DataFrame]) -> Lines:
    """Return the distinct lines of the records in each table, by table and source."""
    return {(table, str(source)): lines for table, rows in tables.items() for source, lines in lines_by_source(rows)}


_NONE = np.zeros(0, dtype=int)


def _without(lines: np.ndarray, others: np.ndarray) -> np.ndarray:
    return lines[~np.isin(lines, others, kind="table")]


def _file(table: str, source: str) -> tuple[str, str]:
    # That a survey is linked to nobody is only seen after its first problems were noted.
    return table.removeprefix("unlinked_"), source


def lines_known(problem: Problem) -> np.ndarray:
    """Return the lines of a problem; one of a few rows may name them as examples alone."""
    return np.asarray(problem.example_rows if problem.lines is None else problem.lines, dtype=int)


def _lines_touched(problems: Iterable[Problem]) -> Lines:
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for problem in problems:
        found.setdefault(_file(problem.table, problem.source), []).append(lines_known(problem))
    return {key: distinct(np.concatenate(parts)) for key, parts in found.items()}


def _is_of_the_file(problem: Problem) -> bool:
    lines = lines_known(problem)
    return not len(lines) or bool(lines.max() <= 1)
