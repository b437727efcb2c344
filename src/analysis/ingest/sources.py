"""Every source of a study as text rows under canonical names."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.checksums import verify_checksums
from analysis.ingest.export import SOURCE, Export
from analysis.ingest.profile import Layout, load_profiles
from analysis.ingest.readers import read_export
from analysis.plan.contract import TABLES
from analysis.plan.errors import Problem
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.study import Source, Study


@dataclass(frozen=True)
class RawTables:
    """The rows of a study's sources, as text.

    Attributes
    ----------
    tables
        One frame per table that could be read, one row per canonical row: the canonical columns that the exports have
        and any further ones, each a categorical of text with missing cells; `_source`, the export as its problems
        name it; `_line`, the line on which its record begins (the header is line 1).
    problems
        What is wrong with the exports, and what was assumed, repaired or translated on the way.
    rows_in
        How many records each source holds, by table and source; those that were left out included.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    rows_in: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def incomplete(self) -> frozenset[str]:
        """The tables of which something could not be read: nothing can be looked up in them."""
        return frozenset(p.table for p in self.problems if p.severity == "error")


def read_sources(study: Study) -> RawTables:
    """Read every source that `study.yaml` names, its checksums first, with pseudonyms for every id.

    Returns
    -------
    RawTables
        Every problem of every export is in it.

    Raises
    ------
    BadInput
        A profile or instrument card of the study, or the key of the pseudonyms, is bad.
    """
    raw = read_exports(study)
    return RawTables(concealed(raw.tables, load_key()), raw.problems, raw.rows_in) if raw.tables else raw


def _read(source: Source, study: Study) -> Export:
    file = Export(source.table, source.name)
    profiles = load_profiles()
    if source.profile not in profiles:
        file.fail(
            "unknown_profile",
            f"profile {source.profile!r} in study.yaml is not known; the profiles are {', '.join(sorted(profiles))}",
        )
        return file
    layouts = profiles[source.profile].tables.get(source.table)
    if layouts is None:
        file.fail(
            "unknown_profile",
            f"profile {source.profile} does not export the table {source.table}; correct the "
            "table or the profile in study.yaml",
        )
        return file
    file = read_export(source, study, profiles[source.profile].header)
    if file.frame is not None:
        cells = file.frame.columns.drop("_line")
        file.frame = file.frame.astype(dict.fromkeys(cells, "str"))
        file.frame = _canonical(file, source, layouts[0], study)
    return file


def _canonical(file: Export, source: Source, profile: Layout, study: Study) -> pd.DataFrame | None:
    """Return the file's rows under canonical names; None where a required column is missing."""
    frame = _renamed(
        file, {name: names[0] for name, names in profile.columns.items()} | study.columns.get(source.table, {})
    )


def _join(exports: list[Export], study: Study) -> None:
    """Do what takes all exports: people by e-mail or name, waves and intakes by day, the last form of a person."""
    read = [export for export in exports if export.frame is not None]
    people, waves = directory(read), [e.frame for e in read if e.table == "waves"]
    listed = [e.frame["employee_id"] for e in read if e.table == "employees" and "employee_id" in e.frame]
    known = {text for column in listed for text in column.cat.categories}
    for export in read:
        link(export, people)
        link_attendees(export, people, known)
        note_lost_zeros(export, known)
        assign_waves(export, waves)
        assign_intakes(export, study)
        if export.is_forms:
            last_forms(export)


def _check_columns(export: Export) -> None:
    """Take an export out that lacks a column which its table needs, or that has no row left."""
    missing = [n for n, column in TABLES[export.table].items() if column.required and n not in export.frame]
    if missing:
        export.fail(
            "missing_column",
            f"the header has no column {', '.join(missing)}, which the table {export.table} needs; name it in the "
            "file's first line, or say under columns: in study.yaml what it is called",
            [1],
        )
    elif export.frame.empty and not export.has_failed:
        export.fail("no_row_left", "no row can be used; the lines above say why each was left out")
    if missing or export.frame.empty:
        export.frame = None


def _linked_or_not(frame: pd.DataFrame, file: Export) -> pd.DataFrame:
    """Return the rows of a survey; one without a key to any person goes to the table of its own kind."""
    if "employee_id" in frame and (frame.empty or frame["employee_id"].notna().any()):
        return frame
    file.table = "unlinked_responses"
    file.problems.append(
        Problem(
            severity="warning",
            table=file.table,
            source=file.source,
            rows=len(frame),
            rule="unlinked_survey",
            action="kept",
            message="the answers have no employee_id, so nobody's change can be followed and no effect estimated; if "
            "the file has a key, or a pseudonym for it, name that column under columns: in study.yaml",
        )
    )
    return frame.drop(columns="employee_id", errors="ignore")

    source: Source
    study: Study
    profiles: Mapping[str, Profile]
    cards: Mapping[str, Instrument]

def _renamed(file: Export, columns: dict[str, str]) -> pd.DataFrame:
    frame = file.frame
    absent = [f"{name}: {export}" for name, export in columns.items() if export not in frame and name not in frame]
    if absent:
        file.fail(
            "missing_column",
            f"study.yaml names columns that the header does not have ({', '.join(absent)}); correct the name there",
            [1],
        )
    exports = {name: export for name, export in columns.items() if export in frame}
    replaced = sorted(exports.keys() & set(frame) - set(exports.values()))
    if replaced:
        file.problems.append(
            Problem(
                severity="warning",
                action="set_null",
            )
            columns.take(other)

    def _answers(self, export: Export, columns: Columns, cells: dict[str, pd.Categorical]) -> pd.DataFrame | None:
        name = self.source.instrument
        if name not in self.cards:
            known = ", ".join(sorted(self.cards))
            export.fail("unknown_instrument", f"give instrument: at the source in study.yaml; the cards are {known}")
            return None
        items = item_columns(export, columns, self.cards[name], self.study.columns.get(self.source.table, {}))
        columns.take(items.values())
        export.is_forms = True
        return None if export.has_failed else long_answers(export.frame, cells, items)

    def _fill(self, export: Export) -> None:
        """Fill what study.yaml says of the whole export; a survey without a key to anybody gets a table of its own."""
        if export.table == "responses":
            _without_people(export)
        given = {"wave": self.source.wave, "instrument": self.source.instrument, "role": self.source.role}
        for name, value in given.items():
            if value is not None and name in TABLES[export.table]:
                filled = [constant(str(value), len(export.frame))]
                if name in export.frame:
                    filled.insert(0, export.frame[name].array)
                export.frame = export.frame.assign(**{name: first_filled(filled)})
        fill_program(export, self.study, self.source.program)


def _translated(frame: pd.DataFrame, values: dict[str, dict[str, list[str]]], file: Export) -> pd.DataFrame:
    """Return the rows with the export's values replaced by canonical ones, each column noted."""
    for column, exported in values.items():
        canonical = {old: new for new, olds in exported.items() for old in olds}
        if column not in frame:
            continue
        changed = frame[column].isin(list(canonical))
        if changed.any():
            frame = frame.assign(**{column: frame[column].where(~changed, frame[column].map(canonical)).astype("str")})
            file.problems.append(
                Problem(
                    severity="info",
                    table=file.table,
                    source=file.source,
                    rows=int(changed.sum()),
                    example_rows=tuple(frame.loc[changed, "_line"][:5]),
                    rule="values_translated",
                    action="repaired",
                    message=f"values of {column} were translated as study.yaml or the profile says",
                )
            )
    return frame
