"""What the parts of `study.yaml` must not say against each other; each mistake with the place where it stands."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from analysis.plan import contract
from analysis.plan.contract import Assignment

if TYPE_CHECKING:
    from analysis.plan.study import Source, Study


class Contradiction(NamedTuple):
    """One mistake: the keys that lead to it in the file, what is wrong and what to do."""

    location: tuple[str | int, ...]
    message: str


def contradictions(study: "Study") -> list[Contradiction]:
    """Return every mistake that takes more than one key of the file to see."""
    return [found for rule in RULES for found in rule(study)]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names the nearest of the names that are known; empty where none is near."""
    names = {one.casefold(): one for one in known}
    near = difflib.get_close_matches(name.casefold(), list(names), n=1, cutoff=0.6)
    return f"; did you mean {' '.join(names[near[0]].split())[:40]}?" if near else ""


def _lock(study: "Study") -> Iterator[Contradiction]:
    if study.as_of <= study.study_start:
        yield Contradiction(("as_of",), "as_of must lie after study_start")


def _horizons(study: "Study") -> Iterator[Contradiction]:
    if list(study.horizons_months) != sorted(set(study.horizons_months)):
        yield Contradiction(("horizons_months",), "horizons_months must rise")


def _program_ids(study: "Study") -> Iterator[Contradiction]:
    ids = [program.id.casefold() for program in study.programs]
    for n, one in enumerate(ids):
        if one in ids[:n]:
            message = "two programs have the same id (upper and lower case aside): give each its own"
            yield Contradiction(("programs", n, "id"), message)


def _levels(study: "Study") -> Iterator[Contradiction]:
    for n, program in enumerate(study.programs):
        for role, rule in program.eligibility.items():
            if rule.job_level and rule.job_level[0] > rule.job_level[1]:
                at = ("programs", n, "eligibility", role, "job_level")
                yield Contradiction(at, "job_level goes from the lowest to the highest level: turn the two round")


def _assigned(study: "Study") -> Iterator[Contradiction]:
    """Yield keys that belong to another assignment than the program's."""
    for n, program in enumerate(study.programs):
        belongs = {
            "rollout": (program.rollout is not None, (Assignment.ROLLOUT,)),
            "strata": (bool(program.strata), tuple(each for each in Assignment if each.is_randomized)),
            "waitlist_starts": (bool(program.waitlist_starts), (Assignment.WAITLIST,)),
        }
        for key, (is_given, assignments) in belongs.items():
            if is_given and program.assignment not in assignments:
                message = (
                    f"{key} belongs to assignment: {' or '.join(assignments)}, but assignment is {program.assignment}: "
                    "take one of the two out"
                )
                yield Contradiction(("programs", n, key), message)


def _lots(study: "Study") -> Iterator[Contradiction]:
    for n, program in enumerate(study.programs):
        if len(set(program.strata)) < len(program.strata):
            yield Contradiction(("programs", n, "strata"), "strata names a column twice")
        for intake, day in program.waitlist_starts.items():
            if day <= intake:
                message = f"waitlist_starts: {day} does not lie after its intake, {intake}"
                yield Contradiction(("programs", n, "waitlist_starts"), message)


def _twice(study: "Study") -> Iterator[Contradiction]:
    for n in _read_twice(study.sources):
        source = study.sources[n]
        message = (
            f"two sources read the table {source.table} from {source.name}, and its rows cannot be told apart: "
            "take one out, or make one query of two (UNION ALL)"
        )
        yield Contradiction(("sources", n), message)


def _read_twice(sources: Iterable["Source"]) -> list[int]:
    """Return the sources that an earlier one reads already; one form may hold the items of several instruments."""
    seen, twice = set(), []
    for n, source in enumerate(sources):
        what = source.url_env or (PurePosixPath(source.path), source.sheet, source.instrument)
        if (source.table, what) in seen:
            twice.append(n)
        seen.add((source.table, what))
    return twice


def _programs_of_sources(study: "Study") -> Iterator[Contradiction]:
    ids = [program.id for program in study.programs]
    for n, source in enumerate(study.sources):
        if source.program is not None and source.program not in ids:
            message = f"program: is none of the programs ({', '.join(ids) or 'there is none'}); give the id of one"
            yield Contradiction(("sources", n, "program"), message + did_you_mean(source.program, ids))


def _said(study: "Study", key: str) -> Iterator[tuple[tuple[str | int, ...], str, Mapping[str, Any]]]:
    """Yield what ``columns:`` or ``values:`` say, of a table and of one file, with the place and the table."""
    for table, said in getattr(study, key).items():
        yield (key, table), table, said
    for n, source in enumerate(study.sources):
        yield ("sources", n, key), source.table, getattr(source, key)


def _columns(study: "Study") -> Iterator[Contradiction]:
    """Of a survey the keys may be items too: what is on no card is told where the cards are known."""
    for at, table, columns in _said(study, "columns"):
        for name in columns:
            if table not in contract.ANSWERS and name not in contract.FED[table]:
                yield Contradiction((*at, name), unknown_column(table, name, contract.FED[table]))


def survey_columns(study: "Study", items: Iterable[str]) -> Iterator[Contradiction]:
    """Yield the keys under ``columns:`` of a survey's table that are neither its canonical columns nor items."""
    items = list(items)
    for at, table, columns in _said(study, "columns"):
        known = [*contract.FED[table], *items]
        for name in columns:
            if table in contract.ANSWERS and name not in known:
                yield Contradiction((*at, name), unknown_column(table, name, known, " or item"))


def unknown_column(table: str, name: str, known: Iterable[str], more: str = "") -> str:
    """Return what is said of a key under ``columns:`` that is none of those known."""
    known = list(known)
    return (
        f"columns: {table} has no canonical column{more} {name}{did_you_mean(name, known)} (the key is the canonical "
        "name, its value the export's column)"
    )


def _values(study: "Study") -> Iterator[Contradiction]:
    for place, table, columns in _said(study, "values"):
        for name, values in columns.items():
            column = contract.FED[table].get(name)
            if column is None:
                near = did_you_mean(name, contract.FED[table])
                yield Contradiction((*place, name), f"values: no such canonical column: {table}.{name}{near}")
                continue
            for value in values:
                if column.allowed and value not in column.allowed:
                    message = f"values: {name} cannot be {value}; it is one of {', '.join(column.allowed)}"
                    yield Contradiction((*place, name, value), message + did_you_mean(value, column.allowed))


RULES: tuple[Callable[["Study"], Iterator[Contradiction]], ...] = (
    _lock,
    _horizons,
    _program_ids,
    _levels,
    _assigned,
    _lots,
    _twice,
    _programs_of_sources,
    _columns,
    _values,
)
