"""Every source of a study as text rows under canonical names."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.cells import CANONICAL, Reading, note_undated
from analysis.ingest.checksums import verify_checksums
from analysis.ingest.columns import Columns, constant, first_filled, stacked
from analysis.ingest.dates_to_waves import fill_program, planned_waves, who_met
from analysis.ingest.export import LINE, SOURCE, Export, note_headings
from analysis.ingest.ids import KEY_BYTES, concealed, load_key
from analysis.ingest.items import item_columns, learn_labels
from analysis.ingest.join import check_columns, join_exports
from analysis.ingest.keys import attributes_of
from analysis.ingest.personal import without_free_text, without_personal
from analysis.ingest.profile import Layout, Profile, read_profiles, shipped_names
from analysis.ingest.readers import read_export
from analysis.ingest.readers.header import leave_out_below
from analysis.ingest.recognise import note_misspelt
from analysis.ingest.reshape import card_answers, enrolments_of_pairs, long_answers
from analysis.ingest.staff_words import note_leave_status
from analysis.ingest.text_matching import plain
from analysis.ingest.translate import (
    apply_values,
    canonical_columns,
    choose_layout,
    refuse_words,
    without_rejects,
    without_unknown_values,
)
from analysis.plan.contract import ANSWERS, FED, ROSTERS
from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import BadInput, Problem
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
    unread
        Tables of which a source was not read at all, because what study.yaml or its profile says of it is wrong.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    rows_in: dict[tuple[str, str], int] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    @property
    def incomplete(self) -> frozenset[str]:
        """The tables of which something could not be read: nothing can be looked up in them."""
        return self.unread | frozenset(p.table for p in self.problems if p.severity == "error")


def read_sources(study: Study, cards: Mapping[str, Instrument] | None = None) -> RawTables:
    """Read every source that `study.yaml` names, its checksums first, with pseudonyms for every id.

    Parameters
    ----------
    cards
        The study's instruments, where they have been read already.

    Returns
    -------
    RawTables
        Every problem of every export and profile, and of the key of the pseudonyms, is in it.

    Raises
    ------
    BadInput
        An instrument card of the study is bad.
    """
    raw = read_exports(study, cards)
    if not raw.tables:
        return raw
    try:
        key = load_key()
    except BadInput as bad:
        # an error: no number is made of these tables, they are only looked at
        raw = replace(raw, problems=(*raw.problems, *bad.problems))
        key = secrets.token_bytes(KEY_BYTES)
    return replace(raw, tables=concealed(raw.tables, key))


def read_exports(study: Study, cards: Mapping[str, Instrument] | None = None) -> RawTables:
    """Return what `read_sources` does, with the ids of the exports: it must not leave this room."""
    cards = load_instruments(study) if cards is None else cards
    profiles, bad_profiles = read_profiles(study)
    bad = {Path(problem.source).stem for problem in bad_profiles}
    known = [source for source in study.sources if source.profile not in bad]
    exports = [_Reader(source, study, profiles, cards).read() for source in known]
    planned = planned_waves(study)
    exports += [planned] if planned else []
    join_exports(exports, study)
    tables: dict[str, list[pd.DataFrame]] = {}
    for export in exports:
        if export.frame is not None:
            check_columns(export)
        if export.frame is not None and not export.frame.empty:
            frame = export.frame.assign(**{SOURCE: constant(export.source, len(export.frame))})
            tables.setdefault(export.table, []).append(frame)
    return RawTables(
        {table: stacked(frames) for table, frames in tables.items()},
        (
            *bad_profiles,
            *verify_checksums(study),
            *(p for export in exports for p in export.problems),
            *_not_there_to_keep(study, known, exports),
        ),
        {(e.table, e.source): e.rows_in for e in exports if e.rows_in is not None},
        frozenset(source.table for source in study.sources if source not in known),
    )


def hidden_headings(study: Study) -> dict[str, dict[int, str]]:
    """Return by source, and by where they stand, the headings that no message repeats.

    They may hold somebody's data: for the terminal of whoever has the files, and for no file.
    """
    found, (profiles, _) = {}, read_profiles(study)
    for source in study.sources:
        if source.profile in profiles:
            export = read_export(source, study, profiles[source.profile].header)
            places = {place: name for name, place in export.positions.items() if not export.may_show(name)}
            found[export.source] = {place: " ".join(places[place].split()) for place in sorted(places)}
    return found


def _not_there_to_keep(study: Study, sources: Sequence[Source], exports: Sequence[Export]) -> Iterator[Problem]:
    """Yield an error for each column under `keep` that no file of its table has, where all of these could be read."""
    for table, wanted in study.keep.items():
        files = [export for source, export in zip(sources, exports, strict=False) if source.table == table]
        if any(not export.headings for export in files):
            continue
        has = {name for export in files for name in export.kept}
        for name in wanted:
            if name not in has:
                yield Problem(
                    severity="error",
                    table="study",
                    source="study.yaml",
                    rule="keep_absent",
                    message=f"keep: no file of {table} has a column {name}; correct its name, or take it out",
                    action="rejected",
                )


@dataclass(frozen=True)
class _Reader:
    """Reads one source of a study."""

    source: Source
    study: Study
    profiles: Mapping[str, Profile]
    cards: Mapping[str, Instrument]

    def read(self) -> Export:
        """Return the export under canonical names; its frame is None where it cannot be used."""
        layouts = self._layouts()
        if isinstance(layouts, Export):
            return layouts
        profile = self.profiles[self.source.profile]
        export = read_export(self.source, self.study, profile.header)
        if profile.unverified:
            export.warn(
                "unverified_profile",
                f"profile {profile.profile} could not be checked against the vendor's documentation "
                f"({profile.unverified}); compare some rows of the tables with the export",
            )
        if export.frame is None or export.has_failed:
            export.frame = None
            return export
        export.is_canonical = profile.profile == CANONICAL
        export.imprecise_dates = self.source.imprecise_dates or self.study.imprecise_dates
        export.headings = tuple(str(name) for name in export.frame.columns)
        layout = choose_layout(layouts, export)
        for remark in layout.remarks:
            export.note("remark", remark, severity="info", action="kept")
        leave_out_below(export)
        without_rejects(export, layout, self.source)
        if export.table in ROSTERS:
            note_leave_status(export)
        self._translate(export, layout)
        return export

    def _layouts(self) -> tuple[Layout, ...] | Export:
        nothing = Export(self.source.table, self.source.name)
        profile = self.profiles.get(self.source.profile)
        if profile is None:
            known = ", ".join(sorted({*shipped_names(), *self.profiles}))
            nothing.fail(
                "unknown_profile",
                f"profile {self.source.profile!r} in study.yaml is not known; the profiles are {known}",
            )
        elif self.source.table not in profile.tables:
            nothing.fail(
                "unknown_profile",
                f"profile {profile.profile} does not export the table {self.source.table}; correct the table or the "
                "profile in study.yaml",
            )
        else:
            return profile.tables[self.source.table]
        return nothing

    def _translate(self, export: Export, layout: Layout) -> None:
        columns, reading = Columns(export.rows), Reading(export, layout, self.source, self.study)
        columns.take([name for reject in layout.reject for name in reject.when])
        asked = self.study.keep.get(export.table, ())
        export.known |= {plain(name) for name in (*reading.named.values(), *asked)}
        self._check_named(export, columns, reading.named)
        is_wide = export.table in ANSWERS and layout.answers == "wide"
        if (self.source.codes is not None or self.source.labels_from) and not is_wide:
            export.fail(
                "tool_codes",
                "codes: and labels_from: in study.yaml are for forms with a column a question; take them out at this "
                "source",
            )
        if layout.roles:
            frame = enrolments_of_pairs(reading, columns)
        elif is_wide:
            frame = self._answers(reading, columns, self._cells(reading, columns))
        else:
            frame = pd.DataFrame(self._cells(reading, columns) | {LINE: export.rows[LINE].to_numpy()})
        # a row that became several has no place for the export's further columns
        has_place = not layout.roles and not is_wide
        keeps_all = reading.is_canonical
        unused = columns.unused()
        stays = without_personal(reading, columns, keeps_asked=has_place, keeps_all=has_place and keeps_all)
        note_headings(export, columns.used | stays.keys(), is_strict=reading.is_canonical)
        export.frame = None if frame is None else frame.assign(**stays)
        if frame is not None:
            note_misspelt(export, unused, layout, self.source)
            note_undated(export)
            self._fill(export)

    def _cells(self, reading: Reading, columns: Columns) -> dict[str, pd.Categorical]:
        layout, export = reading.layout, reading.export
        keys = dict(layout.keys)
        if layout.directory:
            keys["employee_id"] = (*keys.get("employee_id", ()), *layout.directory)
        cells = canonical_columns(reading, columns, layout.columns, keys)
        if layout.duration and "duration_seconds" not in cells and export.table == "responses":
            begun, sent = (
                columns.take(columns.find(names)[:1]) for names in (layout.duration.begun, layout.duration.sent)
            )
            cells |= {"duration_seconds": reading.seconds(*begun, *sent)} if begun and sent else {}
        cells |= {} if (met := who_met(reading, columns, cells)) is None else {"attendee_ids": met}
        apply_values(reading, columns, cells)
        without_unknown_values(reading, cells)
        refuse_words(reading, cells)
        without_free_text(reading, cells)
        return cells | self._attributes(reading, columns, cells)

    def _attributes(
        self, reading: Reading, columns: Columns, cells: Mapping[str, pd.Categorical]
    ) -> dict[str, pd.Categorical]:
        """Return what may tell people of one name apart: of the employees, and of whom an export names."""
        if reading.export.table in (*ROSTERS, "jobs"):
            return attributes_of(reading, columns)
        people = {"employee_id": "", "ratee_id": "ratee"}
        named = {person: role for person, role in people.items() if f"{person}@name" in cells}
        return {
            k: v for person, role in named.items() for k, v in attributes_of(reading, columns, person, role).items()
        }

    def _check_named(self, export: Export, columns: Columns, own: Mapping[str, str]) -> None:
        """Note where the study names a column that is not there, or another than the one of the canonical name."""
        of_this_file = self.source.columns
        absent = [
            f"{name}: {column}{'' if export.is_headless else did_you_mean(column, columns.names)}"
            for name, column in own.items()
            if not columns.find([column])
            and (name in of_this_file or (name in FED[export.table] and not columns.find([name])))
        ]
        if absent:
            export.fail(
                "missing_column",
                f"study.yaml names columns that the header does not have ({', '.join(absent)}); correct the name there",
                [export.header_line],
            )
        at = {name: (columns.find([name]), columns.find([column])) for name, column in own.items()}
        read_anyway = {column for _, read in at.values() for column in read}
        other = sorted(name for name, (same, read) in at.items() if same and read and not read_anyway & set(same))
        if other:
            export.warn(
                "column_replaced",
                f"the file's own column {', '.join(other)} is not used, because study.yaml reads it from another",
                action="set_null",
            )
            columns.take(other)

    def _answers(self, reading: Reading, columns: Columns, cells: dict[str, pd.Categorical]) -> pd.DataFrame | None:
        export, name = reading.export, self.source.instrument
        if name is None or name not in self.cards:
            known = ", ".join(sorted(self.cards))
            export.fail("unknown_instrument", f"give instrument: at the source in study.yaml; the cards are {known}")
            return None
        items = item_columns(export, columns, self.cards[name], reading.named)
        columns.take(items.values())
        export.is_forms = True
        if self.source.labels_from:
            other = self.source.model_copy(update={"path": self.source.labels_from, "sheet": None, "query": ""})
            header = self.profiles[self.source.profile].header
            learn_labels(export, items, read_export(other, self.study, header), self.cards[name], reading.named)
            if export.has_failed:
                return None
        entered = export.rows.assign(**card_answers(reading, items, self.cards[name]))
        return None if export.has_failed else long_answers(entered, cells, items)

    def _fill(self, export: Export) -> None:
        """Fill what study.yaml says of the whole export; a survey without a key to anybody gets a table of its own."""
        if export.table == "responses":
            _without_people(export)
        for name, value in self.source.fills.items():
            if name != "program_id" and name in FED[export.table]:
                filled = [constant(value, len(export.rows))]
                if name in export.rows:
                    filled.insert(0, export.rows[name].array)
                export.frame = export.rows.assign(**{name: first_filled(filled)})
        fill_program(export, self.study, self.source.program)


def _without_people(export: Export) -> None:
    """Move a survey in which no row has a key to a person to the table of its own kind."""
    keys = [name for name in export.rows if str(name).partition("@")[0] == "employee_id"]
    if export.rows.empty or export.rows[keys].notna().any(axis=None):
        return
    lines = np.unique(export.rows[LINE])
    export.table = "unlinked_responses"
    export.warn(
        "unlinked_survey",
        "the answers have no employee_id, so nobody's change can be followed and no effect estimated; if the file has "
        "a key, or a pseudonym for it, name that column under columns: in study.yaml",
        lines,
    )
    export.frame = export.rows.drop(columns=keys)
