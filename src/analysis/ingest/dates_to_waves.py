"""Which wave a form belongs to, which intake an enrolment and which match a meeting: by their days."""

import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, constant, first_filled
from analysis.ingest.export import LINE, Export, as_text, recoded
from analysis.plan.contract import ANSWERS
from analysis.plan.study import Study

# --- moments ----------------------------------------------------------------------------------------------------------
# Which wave a form belongs to, and which intake an enrolment, by their days.

WAVE = ("wave", "instrument", "opens", "closes")


def planned_waves(study: Study) -> Export | None:
    """Return the waves that study.yaml itself lists; None where it lists none."""
    if not study.waves:
        return None
    columns = {name: as_text(str(getattr(wave, name)) for wave in study.waves) for name in WAVE}
    frame = pd.DataFrame(columns).assign(**{LINE: np.arange(1, len(study.waves) + 1, dtype=np.int32)})
    return Export("waves", "study.yaml", frame, rows_in=len(frame))


def assign_waves(export: Export, waves: Sequence[pd.DataFrame]) -> None:
    """Give forms without a wave the one of their instrument whose opening and closing day alone hold their day."""
    frame = export.rows
    if export.table not in ANSWERS or {"responded_at", "instrument"} - set(frame) or not waves:
        return
    given = frame["wave"].array if "wave" in frame else recoded(np.full(len(frame), -1), [])
    if (given.codes >= 0).all():
        return
    spans = [
        tuple(row)
        for rows in waves
        if set(WAVE) <= set(rows)
        for row in rows[list(WAVE)].dropna().itertuples(index=False)
    ]
    wave = first_filled([given, _by_day(frame["responded_at"].array, frame["instrument"].array, spans)])
    outside = (wave.codes < 0) & frame["responded_at"].notna().to_numpy()
    if outside.any():
        message = (
            "the form's day lies in no wave of its instrument (opens to closes), or in several; correct the waves, or "
            "give wave:"
        )
        export.warn("outside_waves", message, frame.loc[outside, LINE], action="rejected")
    export.frame = frame.assign(wave=wave)[~outside].reset_index(drop=True)


def _by_day(days: pd.Categorical, instruments: pd.Categorical, spans: list[tuple[str, ...]]) -> pd.Categorical:
    """Return the wave of each row: one look-up per distinct day and instrument (ISO days sort as text)."""
    n_instruments = max(len(instruments.categories), 1)
    known = (days.codes >= 0) & (instruments.codes >= 0)
    pairs = np.where(known, days.codes.astype(np.int64) * n_instruments + instruments.codes, -1)
    codes, distinct = pd.factorize(pairs)
    found: list[str | None] = []
    for pair in distinct:
        day, instrument = days.categories[pair // n_instruments], instruments.categories[pair % n_instruments]
        hits = {wave for wave, name, opens, closes in spans if name == instrument and opens <= day <= closes}
        found.append(hits.pop() if pair >= 0 and len(hits) == 1 else None)
    return recoded(codes, found)


def assign_intakes(export: Export, study: Study) -> None:
    """Give enrolments without an intake the one of their program: see `intake_of`."""
    frame = export.rows
    if export.table != "enrolments" or "program_id" not in frame:
        return
    given = frame["intake_date"].array if "intake_date" in frame else recoded(np.full(len(frame), -1), [])
    lacking = given.codes < 0
    if not lacking.any():
        return
    intakes = {program.id: sorted(map(str, program.intakes)) for program in study.programs}
    rows = frame.reindex(columns=["program_id", "applied_date", "start_date"]).astype(object)
    keys: list[tuple[str | None, str | None, str | None]] = list(
        rows.where(rows.notna(), None).itertuples(index=False, name=None)
    )
    found = {key: intake_of(*key, intakes) for key in set(keys)}
    chosen = as_text(found[key] if lacks else None for key, lacks in zip(keys, lacking, strict=True))
    if "start_unknown" in frame:
        chosen = first_filled([chosen, _any_intake(frame, first_filled([given, chosen]), intakes)])
    listing = frame["program_id"].isin([program for program, days in intakes.items() if days]).to_numpy()
    _note_intakes(export, alone=(chosen.codes >= 0) & ~listing, none=lacking & (chosen.codes < 0))
    none = lacking & (chosen.codes < 0)
    export.frame = frame.assign(intake_date=first_filled([given, chosen]))[~none].reset_index(drop=True)


def _any_intake(frame: pd.DataFrame, intake: pd.Categorical, intakes: dict[str, list[str]]) -> pd.Categorical:
    """Return the first intake of the program where a start has no day: it is in no answer, and keeps the row."""
    program = frame["program_id"].astype(object)
    earliest = pd.Series(intake.astype(object)).groupby(program.to_numpy()).min().to_dict()
    earliest |= {name: days[0] for name, days in intakes.items() if days}
    is_undated = frame["start_unknown"].notna()
    return as_text(earliest.get(name) if lost else None for name, lost in zip(program, is_undated, strict=True))


def _note_intakes(export: Export, *, alone: np.ndarray, none: np.ndarray) -> None:
    if alone.any():
        message = (
            "the export does not say to which intake an enrolment belongs and the program lists none, so each counts "
            "from its own start; list the days on which intakes opened under intakes: of the program"
        )
        export.warn("intake_assumed", message, export.rows.loc[alone, LINE], action="repaired")
    if none.any():
        message = (
            "there is no date from which the intake could be told, or none of the program's intakes fits it; give "
            "intake_date, or list every intake under intakes: of the program"
        )
        export.warn("no_intake", message, export.rows.loc[none, LINE], action="rejected")


def intake_of(program: str | None, applied: str | None, start: str | None, intakes: dict[str, list[str]]) -> str | None:
    """Return the day of the intake: the first on or after applying, else the last on or before starting.

    Who started before the next intake after applying had come into the earlier one late.

    A program without intakes has each start for itself. Days are ISO text, so they sort as days.
    """
    days = intakes.get(program or "", [])
    if not days:
        return start or applied
    if applied:
        at = bisect.bisect_left(days, applied)
        if at < len(days) and not (start and start < days[at]):
            return days[at]
    if start:
        at = bisect.bisect_right(days, start)
        return days[at - 1] if at else None
    return None


def fill_program(export: Export, study: Study, program: str | None) -> None:
    """Give enrolments their program: the one named at the source, or the only one; a program's name becomes its id."""
    if export.table != "enrolments":
        return
    frame = export.rows
    fallback = program or (study.programs[0].id if len(study.programs) == 1 else None)
    columns = []
    if "program_id" in frame:
        cells = frame["program_id"].array
        ids = {p.name.casefold(): p.id for p in study.programs} | {p.id.casefold(): p.id for p in study.programs}
        columns.append(recoded(cells.codes, [ids.get(text.casefold(), text) for text in cells.categories]))
    if fallback:
        columns.append(constant(fallback, len(frame)))
    if columns:
        export.frame = frame.assign(program_id=first_filled(columns))


# --- meetings ---------------------------------------------------------------------------------------------------------
# Meetings that name who met whom, and no pair: whose match it was.

MATCH = ["match_id", "employee_id", "start_date"]


def who_met(reading: Reading, columns: Columns, cells: Mapping[str, pd.Categorical]) -> pd.Categorical | None:
    """Return the people whom a row names in columns of their own, as one list; None where a list is there, or nobody.

    Parameters
    ----------
    cells
        What was read of the row so far.
    """
    if "attendee_ids" in cells:
        return None
    named = [reading.entered(c) for names in reading.layout.met for c in columns.take(columns.find(names)[:1])]
    if not named:
        return None
    rows = zip(*(column.astype(object) for column in named), strict=True)
    return as_text(";".join(text for text in row if isinstance(text, str)) or None for row in rows)


def assign_matches(exports: Sequence[Export]) -> None:
    """Give meetings without a match the one in which everybody who met stands; of several the last begun by then,
    before all of them the first.

    To be called when people have ids and before rows of one enrolment are united, for then a mentor has one match left.
    """
    starts, members = _matches(exports)
    for export in exports:
        if export.table != "sessions" or "attendee_ids" not in export.rows:
            continue
        frame = export.rows
        rows = frame.reindex(columns=["attendee_ids", "session_date"]).astype(object)
        lacking = ~frame["match_id"].notna().to_numpy() if "match_id" in frame else np.ones(len(frame), dtype=bool)
        lacking &= frame["attendee_ids"].notna().to_numpy()
        found = as_text(
            _match_of(met.split(";"), day, starts, members) if lacks else None
            for met, day, lacks in zip(rows["attendee_ids"], rows["session_date"], lacking, strict=True)
        )
        lost = lacking & (found.codes < 0)
        if lost.any():
            message = (
                "no match of the enrolments holds everybody who met, so the meeting counts for nobody; correct the "
                "names, or give match_id"
            )
            export.warn("no_match", message, frame.loc[lost, LINE], action="rejected")
        if (lacking & ~lost).any():
            message = "the meeting's match was found by the people who met"
            export.note("match_by_people", message, frame.loc[lacking & ~lost, LINE])
        given = [frame["match_id"].array] if "match_id" in frame else []
        export.frame = frame.assign(match_id=first_filled([*given, found]))[~lost].reset_index(drop=True)


def _matches(exports: Sequence[Export]) -> tuple[dict[str, str], dict[str, set[str]]]:
    """Return the day on which each match began ("" where it has none), and the matches of each person."""
    parts = [e.rows for e in exports if e.table == "enrolments" and {"match_id", "employee_id"} <= set(e.rows)]
    starts: dict[str, str] = {}
    members: dict[str, set[str]] = defaultdict(set)
    for part in parts:
        rows = part.reindex(columns=MATCH).astype(object)
        for match, who, start in rows[rows[MATCH[:2]].notna().all(axis=1)].itertuples(index=False, name=None):
            members[who].add(match)
            starts[match] = start if isinstance(start, str) else starts.get(match, "")
    return starts, members


def _match_of(met: list[str], day: object, starts: dict[str, str], members: dict[str, set[str]]) -> str | None:
    everybodys = set.intersection(*(members.get(who, set()) for who in met))
    shared = sorted(everybodys, key=lambda match: (starts[match], match))
    begun = [match for match in shared if isinstance(day, str) and starts[match] <= day]
    return begun[-1] if begun else next(iter(shared), None)
