"""Profiles: how one vendor's exports map onto the canonical tables. They are data (`profiles/*.yaml`), not code."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from analysis.ingest.text_matching import plain
from analysis.plan.contract import FED, Role
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.study import Study, TableName
from analysis.plan.yaml_file import load_yaml, validated

PROFILES = Path(__file__).parent / "profiles"


def _listed(value: object) -> object:
    return [value] if isinstance(value, (str, dict)) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
When = dict[str, Names]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Header(_Part):
    """Which lines at the top of an export name its columns.

    Attributes
    ----------
    names
        The line with the columns' names.
    wording
        The line with the wording of the questions; None where there is none.
    below
        A second line of names: it says which part of the question above it is meant, and a blank above it
        continues the question to its left.
    also
        Further lines that begin with this text belong to the header as well.
    """

    names: int = Field(default=1, ge=1)
    wording: int | None = Field(default=None, ge=2)
    below: int | None = Field(default=None, ge=2)
    also: str = ""


class Key(_Part):
    """One way in which an export names a person: the columns, tried in their order.

    `by`: ``id`` (the employee's id), ``email``, ``name`` (one column with the whole name, "Last, First" included) or
    ``first_and_last`` (two columns).
    """

    by: Literal["id", "email", "name", "first_and_last"]
    columns: Names


class Pick(_Part):
    """The value that a column gets in rows where every column of `when` has one of its patterns."""

    when: When
    value: str = Field(alias="is")


class Reject(_Part):
    """Rows that are left out, and why: those where every column of `when` has one of its patterns."""

    when: When
    rule: str
    message: str
    severity: Literal["info", "warning"] = "info"
    incomplete: bool = False


class RolePart(_Part):
    """Where a row that names several people (a pair) names the one in a role."""

    keys: Annotated[tuple[Key, ...], BeforeValidator(_listed)]
    columns: dict[str, Names] = {}


class Duration(_Part):
    """The columns that say when a form was begun and when it was sent, each under any of its names."""

    begun: Names
    sent: Names


class Layout(_Part):
    """One shape in which a vendor exports a table.

    Names of columns are compared without case, spaces and punctuation (``Hire_Date`` is ``Hire Date``). Patterns are
    compared without case; ``*`` stands for any text and an empty pattern for an empty cell.

    Attributes
    ----------
    recognised_by
        The columns by which an export of this shape is known; each may have several names.
    columns
        Canonical column → the export's columns, the first that has a value in the row counts. What is not named here
        keeps its name.
    keys
        Canonical id column → the ways in which the export names that person; the first with a value counts.
    directory
        Of employees: by what else a person is known to other exports (`email`, `name`, `first_and_last`).
    picks
        Canonical column → its value by what other columns say; the first that applies counts, before `columns`.
    values
        Canonical column → canonical value → the export's values (patterns).
    missing
        Cells that mean nothing was entered (patterns).
    reject
        Rows that are no records: rescinded hires, previews, forms that were not sent.
    roles
        Of enrolments: role → where a row names the person in it. Each row becomes one enrolment a person.
    met
        Of meetings that name no match: columns of the people who met, each under any of its names.
    answers
        Of surveys: ``wide`` (a column an item, a row a form) or ``long`` (a row an answer).
    own_codes
        Of surveys with a column a question: the tool numbers the choices as it likes, so that a number need not be that
        of the instrument's card.
    duration
        Of surveys whose export has no duration: from when to when a form was filled in.
    date_order
        Where the vendor writes days and months in one order whatever the user's settings.
    ignored
        The tool's own columns that nothing is made of (patterns).
    personal
        Columns with names, addresses or free text, dropped as personal data (patterns).
    remarks
        What a user must know of this export; `mentoring check` repeats it.
    """

    recognised_by: tuple[Names, ...] = ()
    columns: dict[str, Names] = {}
    keys: dict[str, Annotated[tuple[Key, ...], BeforeValidator(_listed)]] = {}
    directory: Annotated[tuple[Key, ...], BeforeValidator(_listed)] = ()
    picks: dict[str, tuple[Pick, ...]] = {}
    values: dict[str, dict[str, Names]] = {}
    missing: Names = ()
    reject: tuple[Reject, ...] = ()
    roles: dict[Role, RolePart] = {}
    met: tuple[Names, ...] = ()
    answers: Literal["long", "wide"] = "long"
    own_codes: bool = False
    duration: Duration | None = None
    date_order: Literal["dmy", "mdy"] | None = None
    ignored: Names = ()
    personal: Names = ()
    remarks: Names = ()


class Profile(_Part):
    """One vendor's exports.

    Attributes
    ----------
    documentation
        Where the vendor describes them.
    unverified
        Why the format could not be checked against the vendor's own documentation; empty where it was.
    tables
        The tables that they can feed, each in one shape or several.
    """

    profile: str
    title: str
    documentation: Names = ()
    unverified: str = ""
    header: Header = Header()
    tables: dict[TableName, Annotated[tuple[Layout, ...], BeforeValidator(_listed), Field(min_length=1)]]


def load_profiles() -> dict[str, Profile]:
    """Return the profiles that ship with the package, by name.

    Raises
    ------
    BadInput
        A profile breaks the form above.
    """
    return {name: _shipped(name) for name in shipped_names()}


@cache
def names_of(table: TableName, column: str) -> frozenset[str]:
    """Return what a canonical column is called: by the contract, and in any vendor's export of the table."""
    layouts = [layout for profile in load_profiles().values() for layout in profile.tables.get(table, ())]
    named = [name for layout in layouts for name in layout.columns.get(column, ())]
    keyed = [name for layout in layouts for key in layout.keys.get(column, ()) for name in key.columns]
    return frozenset([column, *named, *keyed])


@cache
def headings_of(table: TableName) -> frozenset[str]:
    """Return, without spaces and case, all that some profile or the contract calls a column of the table's exports."""
    names = set(FED[table])
    for layout in (layout for profile in load_profiles().values() for layout in profile.tables.get(table, ())):
        parts: list[Layout | RolePart] = [layout, *layout.roles.values()]
        names |= {name for part in parts for those in part.columns.values() for name in those}
        keys = [*layout.directory, *(key for ways in layout.keys.values() for key in ways)]
        keys += [key for part in layout.roles.values() for key in part.keys]
        names |= {name for key in keys for name in key.columns}
        names |= {name for picks in layout.picks.values() for pick in picks for name in pick.when}
    return frozenset(map(plain, names))


def shipped_names() -> list[str]:
    """Return the names of the profiles that ship with the package."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def profiles_of(study: Study) -> dict[str, Profile]:
    """Return the profiles that a study's sources name, and its own (``profiles/*.yaml`` in its folder), which win.

    Raises
    ------
    BadInput
        With every mistake of the study's own profiles.
    """
    profiles, problems = read_profiles(study)
    if problems:
        raise BadInput(problems)
    return profiles


def read_profiles(study: Study) -> tuple[dict[str, Profile], list[Problem]]:
    """Return what `profiles_of` does, and every mistake; a profile with one is left out, and no shipped one serves."""
    own, bad = {}, set()
    problems: list[Problem] = []
    for path in sorted((study.folder / "profiles").glob("*.yaml")):
        try:
            own[path.stem] = _profile(path, study.folder)
        except BadInput as mistakes:
            problems += mistakes.problems
            bad.add(path.stem)
    named = {source.profile for source in study.sources} - set(own) - bad
    return {name: _shipped(name) for name in shipped_names() if name in named} | own, problems


@cache
def _shipped(name: str) -> Profile:
    return _profile(PROFILES / f"{name}.yaml")


def _profile(path: Path, within: Path | None = None) -> Profile:
    source = f"profiles/{path.name}"
    profile = validated(Profile, load_yaml(path, source=source, within=within), source=source)
    if profile.profile != path.stem:
        raise bad_input(
            source, f"holds profile {profile.profile}: make the file's name and it equal", rule="profile_name"
        )
    return profile
