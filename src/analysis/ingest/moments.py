"""Which wave a form belongs to, and which intake an enrolment, by their days."""

import bisect
from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.ingest.columns import constant, first_filled
from analysis.ingest.export import LINE, Export, as_text, recoded
from analysis.plan.study import Study

ANSWERS = ("responses", "unlinked_responses", "ratings")


def planned_waves(study: Study) -> Export | None:
    """Return the waves that study.yaml itself lists; None where it lists none."""
    if not study.waves:
        return None
    columns = {
        name: as_text(str(getattr(w, name)) for w in study.waves) for name in ("wave", "instrument", "opens", "closes")
    }
    frame = pd.DataFrame(columns).assign(**{LINE: np.arange(1, len(study.waves) + 1, dtype=np.int32)})
    return Export("waves", "study.yaml", frame, rows_in=len(frame))


def assign_waves(export: Export, waves: Sequence[pd.DataFrame]) -> None:
    """Give forms without a wave the one of their instrument whose opening and closing day hold their day."""
    frame = export.frame
    if export.table not in ANSWERS or {"responded_at", "instrument"} - set(frame) or not waves:
        return
    given = frame["wave"].array if "wave" in frame else None
    if given is not None and (given.codes >= 0).all():
        return
    spans = [
        (str(w.instrument), str(w.opens), str(w.closes), str(w.wave))
        for rows in waves
        for w in rows.dropna(subset=["wave", "instrument", "opens", "closes"]).itertuples()
    ]
    days, instruments = frame["responded_at"].array, frame["instrument"].array
    # one look-up per pair of distinct day and instrument; ISO days sort as text
    pair = np.where(
        (days.codes < 0) | (instruments.codes < 0),
        -1,
        days.codes.astype(np.int64) * (len(instruments.categories)) + instruments.codes,
    )
    codes, distinct = pd.factorize(pair)
    found = [_wave_of(int(p), days, instruments, spans) for p in distinct]
    by_day = recoded(codes, found)
    wave = first_filled([given, by_day]) if given is not None else by_day
    outside = (wave.codes < 0) & (days.codes >= 0)
    if outside.any():
        message = "the form's day lies in no wave of its instrument (opens to closes); correct the waves, or give wave:"
        export.note("outside_waves", message, frame.loc[outside, LINE], severity="warning", action="rejected")
    export.frame = frame.assign(wave=wave)[~outside].reset_index(drop=True)


def _wave_of(pair: int, days: pd.Categorical, instruments: pd.Categorical, spans: list[tuple[str, ...]]) -> str | None:
    if pair < 0:
        return None
    day, instrument = (
        cats[k]
        for cats, k in zip(
            (days.categories, instruments.categories), divmod(pair, len(instruments.categories)), strict=True
        )
    )
    return next((wave for name, opens, closes, wave in spans if name == instrument and opens <= day <= closes), None)


def assign_intakes(export: Export, study: Study) -> None:
    """Give enrolments without an intake the one of their program: see `intake_of`."""
    frame = export.frame
    if export.table != "enrolments" or "program_id" not in frame:
        return
    given = frame["intake_date"].array if "intake_date" in frame else recoded(np.full(len(frame), -1), [])
    lacking = given.codes < 0
    if not lacking.any():
        return
    intakes = {program.id: sorted(map(str, program.intakes)) for program in study.programs}
    days = frame.reindex(columns=["program_id", "applied_date", "start_date"]).astype("str")
    kinds = days[lacking].drop_duplicates()
    found = {
        key: intake_of(*key, intakes)
        for key in kinds.astype(object).where(kinds.notna(), None).itertuples(index=False, name=None)
    }
    keys = days.astype(object).where(days.notna(), None).itertuples(index=False, name=None)
    chosen = as_text(found[key] if lacks else None for key, lacks in zip(keys, lacking, strict=True))
    alone = (
        lacking & (chosen.codes >= 0) & ~frame["program_id"].isin([p for p, some in intakes.items() if some]).to_numpy()
    )
    if alone.any():
        message = (
            "the export does not say to which intake an enrolment belongs, and the program lists none, so each counts from "
            "its own start; list the days on which intakes opened under intakes: of the program"
        )
        export.note("intake_assumed", message, frame.loc[alone, LINE], severity="warning", action="repaired")
    none = lacking & (chosen.codes < 0)
    if none.any():
        message = "there is no date from which the intake could be told; give intake_date"
        export.note("no_intake", message, frame.loc[none, LINE], severity="warning", action="rejected")
    export.frame = frame.assign(intake_date=first_filled([given, chosen]))[~none].reset_index(drop=True)


def intake_of(program: str | None, applied: str | None, start: str | None, intakes: dict[str, list[str]]) -> str | None:
    """Return the day of the intake: the first on or after applying, else the last on or before starting.

    A program without intakes has each start for itself. Days are ISO text, so they sort as days.
    """
    days = intakes.get(program or "", [])
    if not days:
        return start or applied
    if applied:
        at = bisect.bisect_left(days, applied)
        if at < len(days):
            return days[at]
    if start:
        at = bisect.bisect_right(days, start)
        return days[at - 1] if at else None
    return None


def fill_program(export: Export, study: Study, program: str | None) -> None:
    """Give enrolments their program: the one named at the source, or the only one; a program's name becomes its id."""
    if export.table != "enrolments":
        return
    frame = export.frame
    only = study.programs[0].id if len(study.programs) == 1 else None
    columns = []
    if "program_id" in frame:
        cells = frame["program_id"].array
        ids = {p.name.casefold(): p.id for p in study.programs} | {p.id.casefold(): p.id for p in study.programs}
        columns.append(recoded(cells.codes, [ids.get(text.casefold(), text) for text in cells.categories]))
    if program or only:
        columns.append(constant(program or only, len(frame)))
    if columns:
        export.frame = frame.assign(program_id=first_filled(columns))
