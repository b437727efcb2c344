"""What every row of a shared ledger must be, by the data contract; the rest is reported with file, line and column."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, get_args

import numpy as np
import pandas as pd

from analysis.plan.catalogue import CATALOGUE, UnknownTerm
from analysis.plan.errors import Problem
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import ESTIMATE_NUMBERS, NAMING, Status, row_id

MEASURES = ("risk_difference", "mean_difference", "standardized_mean_difference")
ANALYSES = ("primary", "secondary", "naive")
NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "ci_level", "n_treated", "n_control")
KEYED = ("hypothesis", "analysis", "outcome", "role", "rater_source", "contrast", "estimand", "estimator", "measure")
HIDDEN = ("p_value", "p_adjusted", "events_treated", "events_control")
LEVEL, Z = 0.95, 1.959964
# No study may show fewer people, or counts less rounded (data contract, `min_cell`, `round_to`).
FEWEST, LEAST_STEP = 3, 5
# Shared numbers are multiples of these: of differences in risk, and of scores.
RISK_STEP, SCORE_STEP = 0.0025, 0.01
AGAIN = "ask for the file as mentoring share wrote it"
INSIDE = "this looks like a ledger for the inside of a company; ask for the one that mentoring share writes"


class Broken(NamedTuple):
    """A rule that rows break: which, in which column, and what to do."""

    rule: str
    column: str
    rows: np.ndarray
    message: str


def checked(
    text: pd.DataFrame, studies: np.ndarray, of: np.ndarray, line: np.ndarray, files: Sequence[str]
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the rows of all ledgers, typed, and a problem for each rule that a file breaks in a column.

    Parameters
    ----------
    text
        Every cell as it stands in the file.
    studies, of, line
        For each row the study that its file is of, the position of the file in `files`, and its line.
    """
    numbers = {name: pd.to_numeric(text[name].where(text[name] != ""), errors="coerce") for name in ESTIMATE_NUMBERS}
    numbers["horizon_months"] = pd.to_numeric(
        text["horizon_months"].where(text["horizon_months"] != ""), errors="coerce"
    )
    typed = text.assign(**numbers)
    texts = [name for name in text if name not in numbers]
    typed[texts] = text[texts].where(text[texts] != "", None)
    # Of a category each term is compared once, and not the cell of every row.
    words = text.assign(**{name: text[name].astype("category") for name in (*KEYED, "status")})
    problems = [
        _problem(broken, np.flatnonzero(broken.rows & (of == n)), files[n], line)
        for broken in _broken(words, typed, studies, of)
        for n in np.unique(of[broken.rows])
    ]
    return typed, problems


def _problem(broken: Broken, rows: np.ndarray, file: str, line: np.ndarray) -> Problem:
    lines = np.sort(line[rows])
    return Problem(
        severity="error",
        table="estimates",
        source=file,
        rows=len(lines),
        example_rows=tuple(lines),
        rule=broken.rule,
        message=f"column {broken.column}: {broken.message}",
        action="rejected",
        column=broken.column,
        lines=lines,
    )


def _broken(text: pd.DataFrame, rows: pd.DataFrame, studies: np.ndarray, of: np.ndarray) -> Iterator[Broken]:
    found = (*_names(text, studies, of), *_statuses(text), *_values(text, rows))
    yield from (broken for broken in found if broken.rows.any())


def _names(text: pd.DataFrame, studies: np.ndarray, of: np.ndarray) -> Iterator[Broken]:
    """Yield what is wrong with the columns that say which number a row holds."""
    yield Broken(
        "study", "study", (text["study"].to_numpy() != studies), f"another study than share.json says; {AGAIN}"
    )
    yield Broken("program", "program", (text["program"] == "").to_numpy(), f"is empty; {AGAIN}")
    lists = {"hypothesis": [h.id for h in load_plan().hypotheses], "analysis": ANALYSES, "measure": MEASURES}
    for column, known in lists.items():
        what = "is not in data/hypotheses.yaml" if column == "hypothesis" else f"is none of {', '.join(known)}"
        yield Broken(column, column, (~text[column].isin(known)).to_numpy(), f"{what}; {INSIDE}")
    for column in ("outcome", "role", "contrast", "estimand", "estimator", "rater_source"):
        allowed = [term for term in text[column].unique() if _is_term(column, term)]
        message = f"is not in the catalogue of terms, which data/README.md lists; {AGAIN}, or update this program"
        yield Broken("term", column, (~text[column].isin(allowed)).to_numpy(), message)
    ids = [row_id(named[NAMING.index("hypothesis")], named) for named in zip(*(text[c] for c in NAMING), strict=True)]
    yield Broken("row_id", "row", (text["row"] != ids).to_numpy(), f"does not follow from the row's names; {AGAIN}")
    again = pd.DataFrame({"of": of, "row": text["row"]}).duplicated().to_numpy()
    yield Broken("row_twice", "row", again, f"stands there a second time; {AGAIN}")


def _is_term(column: str, term: str) -> bool:
    if column == "rater_source" and term == "":
        return True
    record: Callable[[str], object] = getattr(CATALOGUE, column)
    try:
        return record(term) is not None
    except UnknownTerm:
        return False


def _statuses(text: pd.DataFrame) -> Iterator[Broken]:
    """Yield what is wrong with rows for what they say of themselves: a number, or the reason why there is none."""
    known, status = get_args(Status), text["status"]
    yield Broken("status", "status", (~status.isin(known)).to_numpy(), f"is none of {', '.join(known)}; {AGAIN}")
    for column in HIDDEN:
        yield Broken("inside_number", column, (text[column] != "").to_numpy(), f"must be empty; {INSIDE}")
    silent = status.isin(known) & (status != "estimated")
    yield Broken(
        "reason", "reason", (silent & (text["reason"] == "")).to_numpy(), f"a row without a number says why; {AGAIN}"
    )
    for column in NUMBERS:
        filled = silent & (text[column] != "")
        yield Broken("no_number", column, filled.to_numpy(), f"must be empty in a row without a number; {AGAIN}")


def _values(text: pd.DataFrame, rows: pd.DataFrame) -> Iterator[Broken]:
    """Yield what is wrong with numbers."""
    told = (text["status"] == "estimated").to_numpy(copy=True)
    months = rows["horizon_months"].to_numpy()
    whole = np.isfinite(months) & (months > 0) & (months % 1 == 0)
    yield Broken("horizon", "horizon_months", ~whole, f"is no whole number of months; {AGAIN}")
    is_number = {name: np.isfinite(rows[name].to_numpy(dtype=float)) for name in NUMBERS}
    for column, there in is_number.items():
        yield Broken("number", column, told & ~there, f"is no number; {AGAIN}")
    told &= np.logical_and.reduce(list(is_number.values()))
    value, error, low, high, level, *people = (rows[name].to_numpy(dtype=float) for name in NUMBERS)
    yield Broken(
        "std_error", "std_error", told & (error <= 0), f"is not above zero, so its weight would have no bounds; {AGAIN}"
    )
    yield Broken("level", "ci_level", told & (level != LEVEL), f"is not {LEVEL}; {AGAIN}")
    for limit, sign, column in ((low, -1, "ci_low"), (high, 1, "ci_high")):
        off = np.abs(limit - (value + sign * Z * error)) > 1e-5
        yield Broken("interval", column, told & off, f"does not follow from estimate and std_error; {AGAIN}")
    risk = (text["measure"] == "risk_difference").to_numpy()
    beyond = told & risk & (np.abs(value) > 1)
    yield Broken("impossible", "estimate", beyond, f"a difference of risks lies between -1 and 1; {AGAIN}")
    step = np.where(risk, RISK_STEP, SCORE_STEP)
    for number, column in ((value, "estimate"), (error, "std_error")):
        fine = np.abs(number / step - np.round(number / step)) > 1e-3
        yield Broken("too_fine", column, told & fine, f"is finer than a shared number may be; {INSIDE}")
    for count, column in zip(people, ("n_treated", "n_control"), strict=True):
        wrong = (count < FEWEST) | (count % 1 != 0)
        yield Broken("people", column, told & wrong, f"is no whole number of {FEWEST} people or more; {AGAIN}")
