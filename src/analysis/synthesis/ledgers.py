"""Shared ledgers found and read: what stands in their files, as text, and of which study each is."""

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from analysis.plan.contract import Assignment
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.results import ESTIMATE_COLUMNS
from analysis.plan.study import Direction, Format
from analysis.synthesis.rules import AGAIN, FEWEST, LEAST_STEP, checked

LEDGER, ABOUT = "estimates.csv", "share.json"
COLUMNS = [*ESTIMATE_COLUMNS, "row"]
INSIDE = "it is for the inside of the company; ask its analysts for the folder that mentoring share writes"


class SharedProgram(BaseModel):
    """How a program was designed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    direction: Direction
    format: Format
    assignment: Assignment


class SharedRule(BaseModel):
    """The rule by which a ledger was released."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    min_cell: int | None = Field(default=None, ge=FEWEST)
    round_to: int | None = Field(default=None, ge=LEAST_STEP)


class About(BaseModel):
    """What ``share.json`` says of a ledger; what has a default may be missing: an older version wrote it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    study: str = Field(pattern=f"^{STUDY_NAME.pattern}$")
    digest: str = ""
    parameters: SharedRule = SharedRule()
    simulated: bool = False
    sector: str = ""
    programs: dict[str, SharedProgram] = {}
    scales: dict[str, tuple[float, float]] = {}
    capped: tuple[str, ...] = ()


class Table(NamedTuple):
    """A ledger's cells as text, a list a row, and the line of each row in its file."""

    lines: list[int]
    cells: list[list[str]]


@dataclass(frozen=True)
class Shared:
    """All shared ledgers.

    Attributes
    ----------
    rows
        One row per row of a ledger: the columns of the contract, typed, and ``sector``, ``direction``, ``format``,
        ``assignment``, ``scale`` ("1 to 5"; empty where the ledger does not say), and ``is_capped``: whether a failed
        check keeps the company's verdict from being more than inconclusive.
    about
        By study, in the order of their names.
    """

    rows: pd.DataFrame
    about: dict[str, About]


def read_shared(places: Iterable[Path]) -> Shared:
    """Return the shared ledgers in these places: files, folders of `mentoring share`, or folders of such folders.

    Raises
    ------
    BadInput
        With every mistake of every ledger: file, line, column, what is wrong and what to do.
    """
    paths, problems = _found(places)
    about: dict[Path, About] = {}
    tables: list[Table] = []
    for path in paths:
        try:
            told, table = _about(path.with_name(ABOUT)), _table(path)
        except BadInput as bad:
            problems += bad.problems
        else:
            about[path] = told
            tables.append(table)
    problems += _twice(about)
    text = pd.DataFrame([row for table in tables for row in table.cells], columns=COLUMNS, dtype=object)
    of = np.repeat(np.arange(len(tables)), [len(table.lines) for table in tables])
    line = np.array([n for table in tables for n in table.lines], dtype=int)
    studies = np.array([told.study for told in about.values()], dtype=object)[of]
    rows, wrong = checked(text, studies, of, line, [str(path) for path in about])
    problems += [*wrong, *_programs(text, of, line, list(about.items()))]
    if problems:
        raise BadInput(problems)
    by_name = sorted(about.values(), key=lambda told: told.study)
    return Shared(_with_facts(rows, by_name), {told.study: told for told in by_name})


def _found(places: Iterable[Path]) -> tuple[list[Path], list[Problem]]:
    """Return the ledgers' paths, each once, and a problem for each place that has none."""
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for place in places:
        ledgers = [place] if place.is_file() else sorted(p.with_name(LEDGER) for p in place.glob(f"**/{ABOUT}"))
        if not ledgers:
            inside = (place / LEDGER).is_file()
            message = (
                f"has no {ABOUT}: {INSIDE}" if inside else "has no shared ledger; name a folder of mentoring share"
            )
            problems += _refused(place, message, "no_shared_ledger").problems
        found |= dict.fromkeys(path.resolve() for path in ledgers)
    return list(found), problems


def _refused(path: Path, message: str, rule: str, line: int | None = None) -> BadInput:
    return bad_input(str(path), message, table="estimates", rule=rule, line=line)


def _about(path: Path) -> About:
    """Return what the file beside a ledger says of it."""
    rule = "share_file"
    if not path.is_file():
        raise _refused(path, f"is not there, so the ledger beside it is not a shared one: {INSIDE}", rule)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(told, dict) or told.get("audience") != "outside":
            message = f"does not say that its ledger may leave the company (audience: outside): {INSIDE}"
            raise _refused(path, message, rule, 1)
        return About.model_validate(told)
    except json.JSONDecodeError as error:
        raise _refused(path, f"is no JSON (column {error.colno}); {AGAIN}", rule, error.lineno) from None
    except (UnicodeDecodeError, RecursionError):
        raise _refused(path, f"cannot be read as UTF-8 text; {AGAIN}", rule) from None
    except ValidationError as error:
        keys = ", ".join(sorted({str(e["loc"][0]) for e in error.errors()}))
        raise _refused(path, f"{keys}: not as mentoring share writes it; {AGAIN}", rule) from None


def _table(path: Path) -> Table:
    """Return the cells of a ledger, in the contract's order of columns."""
    rule = "ledger_file"
    if not path.is_file():
        raise _refused(path, "is not there; ask for the whole folder that mentoring share wrote", rule)
    table = Table([], [])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if sorted(header) != sorted(COLUMNS):
                raise _refused(path, _header(header), rule, 1)
            order = [header.index(column) for column in COLUMNS]
            for row in reader:
                if len(row) != len(COLUMNS):
                    message = f"has {len(row)} cells, not {len(COLUMNS)}; {AGAIN}"
                    raise _refused(path, message, rule, reader.line_num)
                table.lines.append(reader.line_num)
                table.cells.append([row[n] for n in order])
    except UnicodeDecodeError:
        raise _refused(path, f"cannot be read as UTF-8 text; {AGAIN}", rule) from None
    except csv.Error:
        message = f"a quotation mark is not closed, or stands in the middle of a cell; {AGAIN}"
        raise _refused(path, message, rule, len(table.lines) + 2) from None
    return table


def _header(header: Sequence[str]) -> str:
    missing = [column for column in COLUMNS if column not in header]
    said = [f"column {', '.join(missing)} is missing"] if missing else []
    # What an unknown column is called might be anything.
    n_more = len(header) - len(COLUMNS) + len(missing)
    said += [f"{n_more} column{'s' if n_more > 1 else ''} too many, or twice"] if n_more > 0 else []
    return f"{'; '.join(said)}; {AGAIN}"


def _twice(about: dict[Path, About]) -> list[Problem]:
    first: dict[str, Path] = {}
    problems: list[Problem] = []
    for path, told in about.items():
        other = first.setdefault(told.study, path)
        if other != path:
            same = bool(told.digest) and told.digest == about[other].digest
            what = "the same data" if same else "other data"
            message = (
                f"is a second ledger of the study {told.study}, of {what} (the first: {other}); keep the newer one, "
                "or, where two companies gave one name, ask one of them to share it under another"
            )
            problems += _refused(path, message, "study_twice").problems
    return problems


def _programs(
    text: pd.DataFrame, of: np.ndarray, line: np.ndarray, about: Sequence[tuple[Path, About]]
) -> list[Problem]:
    """Return a problem for each ledger with rows of a program that ``share.json`` does not describe."""
    message = f"column program: {ABOUT} does not describe this program; {AGAIN}"
    pairs = pd.DataFrame({"of": of, "program": text["program"], "line": line}).drop_duplicates(["of", "program"])
    return [
        problem
        for n, program, at in pairs.itertuples(index=False)
        if about[n][1].programs and program not in about[n][1].programs
        for problem in _refused(about[n][0], message, "unknown_program", at).problems
    ]


def _with_facts(rows: pd.DataFrame, about: Iterable[About]) -> pd.DataFrame:
    """Return the rows with what is known of their programs and scales; missing where it is not."""
    programs = [
        {"study": a.study, "program": name} | p.model_dump(mode="json")
        for a in about
        for name, p in a.programs.items()
    ]  # fmt: skip
    scales = [
        {"study": a.study, "outcome": name, "scale": f"{low:g} to {high:g}"}
        for a in about
        for name, (low, high) in a.scales.items()
    ]
    facts = pd.DataFrame(programs, columns=["study", "program", "direction", "format", "assignment"], dtype=object)
    ends = pd.DataFrame(scales, columns=["study", "outcome", "scale"], dtype=object)
    joined = rows.merge(facts, how="left", on=["study", "program"]).merge(ends, how="left", on=["study", "outcome"])
    capped = {row for a in about for row in a.capped}
    sectors = {a.study: a.sector or None for a in about}
    return joined.assign(sector=joined["study"].map(sectors), is_capped=joined["row"].isin(capped))
