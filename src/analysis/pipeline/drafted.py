"""What was seen in exports, put together to a draft of ``study.yaml``."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest import guess
from analysis.ingest.card import UNSORTED
from analysis.ingest.cells import is_span
from analysis.ingest.dates_to_waves import ANSWERS
from analysis.ingest.draft import Draft, SourceDraft, Unread, source_notes
from analysis.ingest.guess import Guess
from analysis.ingest.look import Look, Seen, levels_of
from analysis.ingest.profile import load_profiles, profiles_of
from analysis.ingest.staff_words import EMPLOYEE
from analysis.pipeline.looked import (
    InitOptions,
    as_wide,
    candidates,
    files_of,
    headcounts,
    jobs_beside,
    look_at,
    own_card,
    with_card,
)
from analysis.plan.contract import FIRST_DAY, ROSTERS
from analysis.plan.errors import BadInput
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.study import Source, Study
from analysis.validate.employees import MOST_DAYS_BETWEEN

SERVICE = "tenure counts from the date of continuous service where there is one"
NO_SHOW = "who never came, or left on the day of hire, was not employed"
TRANSFER = (
    f"an employment that follows a transfer within {MOST_DAYS_BETWEEN} days, or under a new id, continues the one "
    "before: a transfer is no exit; one that nothing follows ends what can be seen, and never counts as voluntary"
)
LEAVE = "who is on leave on a day is not eligible that day"


def staff_of(looks: Sequence[Look]) -> Guess | None:
    """Return who counts as staff, with how many rows are of whom; None where the files know employees alone."""
    kinds = [one.rows["worker_type"] for one in looks if one.source.table == "employees" and "worker_type" in one.rows]
    counts = pd.concat(kinds).astype("str").value_counts() if kinds else pd.Series(dtype=int)
    others = {kind: n for kind, n in counts.items() if kind != EMPLOYEE}
    if not others:
        return None
    told = ", ".join(f"{kind} ({n:,} rows)" for kind, n in others.items())
    return Guess((EMPLOYEE,), f"others are left out: {told}; add a kind to count it in")


def rules_of(looks: Sequence[Look]) -> tuple[str, ...]:
    """Return the rules by which somebody is employed, eligible or gone, of those that the files touch."""
    rosters = [one for one in looks if one.source.table in ROSTERS]
    has = {name for one in rosters for name in one.rows if one.rows[name].notna().any()}
    exits = {text for one in rosters for text in one.texts("exit_type")}
    rules = {
        SERVICE: "service_date" in has,
        NO_SHOW: any("true" in one.texts("no_show") for one in rosters),
        TRANSFER: "transfer" in exits or "previous_employee_id" in has,
        LEAVE: any(one.source.table == "leave" for one in looks),
    }
    return tuple(rule for rule, holds in rules.items() if holds)


# --- drafted ----------------------------------------------------------------------------------------------------------
# What was seen in exports, put together to a draft of `study.yaml`.


@dataclass(frozen=True)
class Drafted:
    """What was drafted of new files, and what the study's own files hold now.

    Attributes
    ----------
    draft
        Of the new files alone, as they go with what the study has; unread are old ones too.
    old
        The study's own files, in its order.
    latest
        The last day that any file knows of.
    """

    draft: Draft
    old: tuple[Seen, ...]
    latest: guess.Guess


def blank_study(name: str, folder: Path) -> Study:
    """Return a study of which nothing is known yet."""
    study = Study(schema_version=1, study=name, title=name, study_start=FIRST_DAY, as_of=dt.date.today())
    return study.model_copy(update={"folder": folder})


def draft_study(
    study: Study,
    sources: Sequence[Source],
    options: InitOptions,
    say: Callable[[str], None],
    unread: Sequence[Unread] = (),
) -> Drafted:
    """Return what `study.yaml` is to say of new files of a study; cards that it drafts are written into its folder.

    Parameters
    ----------
    study
        What is known already: its own sources are looked at as its file says.
    sources
        The new files and the tables they feed; their profiles are not looked at.
    unread
        New files that did not come as far as that.

    Raises
    ------
    BadInput
        No file of the study can be read, old or new; it says why of each.
    """
    profiles, cards = load_profiles() | profiles_of(study), load_instruments(study)
    old: list[Look] = []
    new: list[Look] = []
    lost = list(unread)
    for source in (*files_of(study, profiles), *sources):
        say(f"{study.study}: reading {source.name}")
        is_old = source in study.sources
        try:
            of = {source.profile: profiles[source.profile]} if is_old else candidates(source, profiles, options)
            one = look_at(source, study, of, cards)
            if one.seen.is_doubtful and not options.profiles and not is_old:
                one = as_wide(one, study, profiles, cards)
        except BadInput as bad:
            lost.append(Unread(source.table, str(source.path), source.sheet, bad.problems))
            continue
        card = None if is_old else own_card(one, cards)
        if card is not None:
            cards = with_card(card, study)
            mine = {one.source.profile: profiles[one.source.profile]}
            one = look_at(one.source, study, mine, cards, cards[card.name])
        (old if is_old else new).append(one)
    if not old + new:
        raise BadInput(problem for one in lost for problem in one.problems)
    new = headcounts(new, study, profiles, cards)
    doubtful = [] if old else jobs_beside(new, study, profiles, cards)
    new += [one for one in doubtful if not one.seen.needed]
    draft = _put_together(study, old, new, [one for one in doubtful if one.seen.needed], options, cards)
    return Drafted(replace(draft, unread=tuple(lost)), tuple(one.seen for one in old), guess.data_lock(old + new))


@dataclass(frozen=True)
class _Told:
    """What the exports of a study tell together.

    Attributes
    ----------
    instruments
        Source name → the survey's instrument.
    unnamed
        Source name → program of enrolments that do not say to which of several they belong.
    of_lists
        Source name of the first headcount list → what is to be said of all of them.
    """

    cards: Mapping[str, Instrument]
    instruments: Mapping[str, str]
    waves: Sequence[guess.WaveGuess]
    has_waves_file: bool
    programs: Sequence[guess.ProgramGuess]
    unnamed: Mapping[str, str]
    of_lists: Mapping[str, Sequence[str]]


def _put_together(
    study: Study,
    old: Sequence[Look],
    looks: Sequence[Look],
    doubtful: Sequence[Look],
    options: InitOptions,
    cards: Mapping[str, Instrument],
) -> Draft:
    told, name = _told(study, old, looks, options, cards), study.study
    as_of = guess.data_lock(looks) if options.as_of is None else guess.Guess(options.as_of)
    drafts = [_source(one, told) for one in looks] + [_source(one, told, is_out=True) for one in doubtful]
    ladders = [one.seen.levels for one in looks if "job_level" in one.seen.unknown]
    levels = levels_of(text for ladder in ladders for text in ladder) if all(ladders) else {}
    return Draft(
        study=name,
        title=guess.Guess(name.replace("_", " ").replace("-", " ").title(), "from the study's name"),
        study_start=guess.first_day(looks, str(as_of.value)),
        as_of=as_of,
        timezone=_timezone(looks),
        programs=tuple(told.programs),
        waves=tuple(told.waves[len(study.waves) :]),
        sources=tuple(drafts),
        levels=levels,
        staff=staff_of(looks),
        rules=rules_of(looks),
        has_imprecise_starts=any(map(is_span, (text for one in looks for text in one.texts("start_date")))),
    )


def _told(
    study: Study, old: Sequence[Look], looks: Sequence[Look], options: InitOptions, cards: Mapping[str, Instrument]
) -> _Told:
    surveys = [one for one in (*old, *looks) if one.source.table in ANSWERS]
    instruments = {one.source.name: next(iter(one.seen.cards)) for one in surveys if one.seen.cards}
    instruments |= {one.source.name: one.source.instrument for one in surveys if one.source.instrument}
    has_waves_file = any(one.source.table == "waves" for one in (*old, *looks))
    programs = _new_programs(study, looks, options)
    ids = [*(program.id for program in study.programs), *(program.id for program in programs)]
    enrolments = [one for one in looks if one.source.table == "enrolments"]
    nameless = [one.source.name for one in enrolments if not guess.program_names([one])]
    lists = [one.source.name for one in looks if one.source.table == "snapshots"]
    return _Told(
        cards=cards,
        instruments=instruments,
        waves=() if has_waves_file else _with_new_waves(study, guess.waves(surveys, instruments)),
        has_waves_file=has_waves_file,
        programs=programs,
        unnamed=_programs_of(nameless, ids) if len(ids) > 1 else {},
        of_lists=dict.fromkeys(lists[:1], _notes_of_lists(looks)),
    )


def _new_programs(study: Study, looks: Sequence[Look], options: InitOptions) -> list[guess.ProgramGuess]:
    """Return the programs of new files that the study does not have; a file that names none is of one that it has."""
    if not study.programs:
        return guess.programs(looks, options.programs, options.direction)
    known = {guess.slug(text) for program in study.programs for text in (program.id, program.name)}
    named = [one for one in looks if one.source.table == "enrolments" and guess.program_names([one])]
    return [one for one in guess.programs(named, (), options.direction) if guess.slug(str(one.name.value)) not in known]


def _with_new_waves(study: Study, guessed: Sequence[guess.WaveGuess]) -> list[guess.WaveGuess]:
    """Return the study's waves and, numbered after them, those of which no day lies in one of its own."""
    waves = [guess.WaveGuess(one.instrument, one.wave, str(one.opens), str(one.closes)) for one in study.waves]
    for one in guessed:
        own = [wave for wave in waves if wave.instrument == one.instrument]
        if not study.waves or all(one.closes < wave.opens or wave.closes < one.opens for wave in own):
            is_new = study.waves and own
            waves.append(replace(one, wave=max(wave.wave for wave in own) + 1) if is_new else one)
    return waves


def _programs_of(nameless: Sequence[str], ids: Sequence[str]) -> dict[str, str]:
    """Return the programs of files without one: as many as there are in their order, else the last program."""
    in_order = ids if len(ids) == len(nameless) else [ids[-1]] * len(nameless)
    return dict(zip(nameless, in_order, strict=True))


def _timezone(looks: Sequence[Look]) -> guess.Guess | None:
    zones = {one.export.timezone for one in looks if one.export.timezone}
    if not zones:
        return None
    named = ", ".join(sorted(zones))
    why = f"the times of some exports are of {named}, and the days there count; name the company's own zone"
    return guess.Guess(sorted(zones)[0], why)


def _source(one: Look, told: _Told, is_out: bool = False) -> SourceDraft:
    source = one.source
    entry: dict[str, object] = {"table": source.table, "path": source.path, "profile": source.profile}
    entry |= {key: value for key in ("sheet", "date_order") if (value := getattr(source, key)) is not None}
    entry |= {} if source.snapshot_date is None else {"snapshot_date": source.snapshot_date}
    notes = [*told.of_lists.get(source.name, ()), *source_notes(one.seen)]
    if source.snapshot_date is not None:
        notes.append("guess: snapshot_date is the day, or the last day of the month, in the name of the file or sheet")
    if one.has_foreign_days and not source.date_order:
        notes.append("look: some days are not written as yyyy-mm-dd; if it helps, add date_order: dmy (or mdy) here")
    if source.date_order:
        notes.append(f"guess: date_order {source.date_order}, since other columns of the file allow no other order")
    if source.table in ANSWERS:
        more, of_survey = _survey_keys(one, told)
        entry, notes = entry | more, [*notes, *of_survey]
    if source.name in told.unnamed:
        entry["program"] = told.unnamed[source.name]
        notes.append(f"guess: program {told.unnamed[source.name]}; the file does not say of which program it is")
    if is_out:
        lacking = ", ".join(one.seen.needed)
        notes.append(
            f"the employees' file has jobs as well, but no {lacking}; a file of job changes is better (--jobs)"
        )
    return SourceDraft(one.seen, entry, tuple(notes), is_out)


def _notes_of_lists(looks: Sequence[Look]) -> list[str]:
    """Return what is to be said of all headcount lists together."""
    lists = [one for one in looks if one.source.table == "snapshots"]
    if not lists:
        return []
    days = np.unique(np.concatenate([one.days("snapshot_date") for one in lists]))
    has = {name for one in lists for name in one.rows}
    span = f"guess: headcount lists of {days[0]} to {days[-1]} ({len(days)} days), since people recur in them; "
    if any(one.source.table == "employees" for one in looks):
        own = "who is in a file of employees is left to that file; the lists tell the jobs, and who else was employed"
        return [span + own]
    by = "exit_date, else by who" if "exit_date" in has else "who"
    absence = "is in no later list, the last one counting as the last day employed: to be confirmed"
    notes = [f"{span}who left is told by {by} {absence}"]
    if all(str(day).endswith("-01") for day in days):
        notes.append(
            "look: every list is of the first of a month; if it shows the state at the month's end, write that day"
        )
    if "hire_date" not in has:
        notes.append("look: nothing says when people were hired; those in the first list count as hired on its day")
    if "exit_type" not in has:
        notes.append("look: nothing says why people left; a file of leavers (--employees) can, beside the lists")
    return notes


def _survey_keys(one: Look, told: _Told) -> tuple[dict[str, object], list[str]]:
    """Return instrument and wave of a survey, and what is to be said of them."""
    instrument = told.instruments.get(one.source.name)
    if instrument is None:
        return {}, ["no instrument's items were found; write a card in instruments/ and name it here (instrument:)"]
    notes, items, counts = [], told.cards[instrument].items, one.seen.cards
    if UNSORTED in told.cards[instrument].scales:
        notes.append(f"instruments/{instrument}.yaml was drafted from the file's columns: sort its items into scales")
    if len(counts) > 1 or counts[instrument] < len(items):
        shares = [f"{n} of the {len(told.cards[name].items)} items of {name}" for name, n in list(counts.items())[:3]]
        notes.append(f"guess: instrument {instrument}, since the file has {'; '.join(shares)}")
    entry: dict[str, object] = {} if "instrument" in one.rows else {"instrument": instrument}
    wave = guess.wave_of(one, instrument, told.waves)
    if wave is not None:
        entry["wave"] = wave
    elif "wave" not in one.rows and not told.has_waves_file and not len(one.days("responded_at")):
        example = f"{{wave: 1, instrument: {instrument}, opens: 2024-03-04, closes: 2024-03-22}}"
        notes.append(f"its forms have no day: add wave: here, and that wave's days under waves: as {example}")
    elif "wave" not in one.rows and one.source.table == "ratings":
        notes.append("its ratings may be of several waves, which cannot be told in one file: split it, a file a wave")
    return entry, notes
