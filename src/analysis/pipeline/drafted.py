"""Exports recognised, looked into and put together to a draft of ``study.yaml``."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.ingest import guess
from analysis.ingest.card import UNSORTED, Card, draft_card
from analysis.ingest.draft import Draft, SourceDraft, levels_of, source_notes
from analysis.ingest.export import Export
from analysis.ingest.headcount import are_snapshots, day_of
from analysis.ingest.look import Look, look
from analysis.ingest.moments import ANSWERS
from analysis.ingest.profile import Header, Profile, load_profiles
from analysis.ingest.readers import read_export
from analysis.ingest.readers.head import head, sheets_of
from analysis.ingest.recognise import CANONICAL, HEADCOUNT, WIDE, Recognised, rank, recognise
from analysis.plan.bounds import FIRST_DAY
from analysis.plan.errors import BadInput, Problem
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.study import Source, Study

ORDERS = ("dmy", "mdy")


@dataclass(frozen=True)
class Wishes:
    """What the user said beside the files; empty or None where nothing was said."""

    programs: tuple[str, ...] = ()
    direction: str | None = None
    as_of: str | None = None
    profiles: tuple[str, ...] = ()


def draft_study(
    name: str, sources: Sequence[Source], folder: Path, wishes: Wishes, say: Callable[[str], None]
) -> Draft:
    """Return what `study.yaml` is to say of the files in `folder`; cards that it drafts are written there.

    Parameters
    ----------
    sources
        The files and the tables they feed; their profiles are not looked at.

    Raises
    ------
    BadInput
        Files that cannot be read at all: every one of them.
    """
    today = dt.date.today()
    study = Study(schema_version=1, study=name, title=name, study_start=FIRST_DAY, as_of=today)
    study = study.model_copy(update={"folder": folder})
    profiles, cards = load_profiles(), load_instruments(study)
    looks: list[Look] = []
    problems: list[Problem] = []
    for source in sources:
        say(f"{name}: reading {source.name}")
        try:
            one = _look(source, study, _candidates(source, profiles, wishes), cards)
            if one.seen.is_doubtful and not wishes.profiles:
                one = _wide(one, study, profiles, cards)
        except BadInput as bad:
            problems += bad.problems
            continue
        card = _own_card(one, cards)
        if card is not None:
            cards = _with_card(card, study)
            mine = {one.source.profile: profiles[one.source.profile]}
            one = _look(one.source, study, mine, cards, cards[card.name])
        looks.append(one)
    if problems:
        raise BadInput(problems)
    looks = _headcounts(looks, study, profiles, cards)
    doubtful = _jobs_beside(looks, study, profiles, cards)
    looks += [one for one in doubtful if not one.seen.needed]
    return _put_together(name, looks, [one for one in doubtful if one.seen.needed], wishes, today, cards)


def _wide(one: Look, study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]) -> Look:
    """Return a survey of no known tool as a form a row, where its columns are questions."""
    if one.source.table not in profiles[WIDE].tables:
        return one
    other = _look(one.source, study, {WIDE: profiles[WIDE]}, cards)
    return other if other.seen.cards or draft_card(other, cards) is not None else one


def _own_card(one: Look, cards: Mapping[str, Instrument]) -> Card | None:
    """Return a card drafted of a survey that has half of no card's items, and half of whose questions are on none."""
    if one.source.table not in ANSWERS or one.layout.answers != "wide":
        return None
    if any(2 * n >= len(cards[name].items) for name, n in one.seen.cards.items()):
        return None
    card, known = draft_card(one, cards), set(one.items.values())
    return card if card and known <= set(card.columns) and len(card.columns) > 2 * len(known) else None


def _with_card(card: Card, study: Study) -> dict[str, Instrument]:
    """Write a card into the study and return all cards that it can use now."""
    folder = study.folder / "instruments"
    folder.mkdir(exist_ok=True)
    (folder / f"{card.name}.yaml").write_text(card.text, encoding="utf-8", newline="\n")
    return load_instruments(study)


def _candidates(source: Source, profiles: Mapping[str, Profile], wishes: Wishes) -> dict[str, Profile]:
    """Return the profiles that a file may be of: those wished for, where one of them exports its table."""
    wished = {name: profiles[name] for name in wishes.profiles if source.table in profiles[name].tables}
    return wished or {name: profile for name, profile in profiles.items() if name != WIDE}


def _look(
    source: Source,
    study: Study,
    profiles: Mapping[str, Profile],
    cards: Mapping[str, Instrument],
    own: Instrument | None = None,
) -> Look:
    """Return what a file holds; days and months that cannot be told apart are, where one order alone is possible."""
    recognised = _recognised(source, study, profiles)
    if recognised.export.frame is None:
        raise BadInput(recognised.export.problems)
    found = look(recognised, study, cards, own)
    if not (_has(found, "ambiguous_date") or found.has_foreign_days):
        return found
    tried = []
    for order in ORDERS:
        named = recognised.source.model_copy(update={"date_order": order})
        tried.append(look(replace(recognised, source=named), study, cards, own))
    possible = [one for one in tried if not (_has(one, "mixed_date_order") or one.has_foreign_days)]
    return possible[0] if len(possible) == 1 else found


def _recognised(source: Source, study: Study, profiles: Mapping[str, Profile]) -> Recognised:
    """Return whose export a file is: by its head where it is large, by its best sheet where it has several."""

    def read(one: Source, header: Header) -> Export:
        return read_export(one, study, header)

    with head(source, study) as sample:
        found = recognise(sample, profiles, read)
    if source.sheet is None and any(problem.rule == "which_sheet" for problem in found.export.problems):
        return _best_sheet(source, study, lambda one: recognise(one, profiles, read))
    if sample is source:
        return found
    if found.export.frame is None:  # the cut may go through a cell of several lines
        return recognise(source, profiles, read)
    whole = source.model_copy(update={"profile": found.source.profile})
    return replace(found, source=whole, export=read(whole, found.profile.header))


def _best_sheet(source: Source, study: Study, recognise_one: Callable[[Source], Recognised]) -> Recognised:
    sheets = sheets_of(study.folder / source.path)
    best = max((recognise_one(source.model_copy(update={"sheet": name})) for name in sheets), key=rank)
    told = f"guess: of its sheets ({', '.join(sheets)}) {best.source.sheet} is read, which looks most like the table"
    best.export.note("sheet_chosen", told, severity="warning", action="kept")
    return best


def _headcounts(
    looks: list[Look], study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]
) -> list[Look]:
    """Return the looks, those at monthly headcount lists that were given as employees or jobs as looks at snapshots."""
    lists = {name: profiles[name] for name in (CANONICAL, HEADCOUNT)}
    read: dict[int, list[Look]] = {}
    for n, one in enumerate(looks):
        if one.source.table in ("employees", "jobs"):
            found = [_snapshot(source, study, lists, cards) for source in _sheets_a_month(one, study)]
            if not any(each.seen.needed for each in found):
                read[n] = found
    if not are_snapshots([each for found in read.values() for each in found]):
        return looks
    return [each for n, one in enumerate(looks) for each in read.get(n, [one])]


def _snapshot(source: Source, study: Study, lists: Mapping[str, Profile], cards: Mapping[str, Instrument]) -> Look:
    """Return what a file holds as a headcount list; without a column of days, of the day that it is named after."""
    found = _look(source, study, lists, cards)
    day = None if "snapshot_date" in found.rows else day_of(source)
    return found if day is None else _look(source.model_copy(update={"snapshot_date": day}), study, lists, cards)


def _sheets_a_month(one: Look, study: Study) -> list[Source]:
    """Return a file as a source of snapshots; of a workbook whose sheets are named after months, each of these."""
    source = one.source.model_copy(update={"table": "snapshots"})
    if not _has(one, "sheet_chosen"):
        return [source]
    sheets = [source.model_copy(update={"sheet": name}) for name in sheets_of(study.folder / source.path)]
    file = day_of(source.model_copy(update={"sheet": None}))
    dated = [sheet for sheet in sheets if day_of(sheet) not in (None, file)]
    return dated if len(dated) > 1 else [source]


def _has(one: Look, rule: str) -> bool:
    return any(problem.rule == rule for problem in one.seen.problems)


def _jobs_beside(
    looks: Sequence[Look], study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]
) -> list[Look]:
    """Return the jobs that the employees' own files hold as well, where no file of jobs was given."""
    if any(one.source.table in ("jobs", "snapshots") for one in looks):
        return []
    beside = []
    for one in (one for one in looks if one.source.table == "employees"):
        profile = profiles[one.source.profile]
        if "jobs" not in profile.tables:
            continue
        source = one.source.model_copy(update={"table": "jobs"})
        found = recognise(source, {profile.profile: profile}, lambda s, header: read_export(s, study, header))
        beside.append(look(found, study, cards))
    return [one for one in beside if {"job_level", "department", "manager_id"} & set(one.seen.found)]


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
    name: str,
    looks: Sequence[Look],
    doubtful: Sequence[Look],
    wishes: Wishes,
    today: dt.date,
    cards: Mapping[str, Instrument],
) -> Draft:
    told = _told(looks, wishes, cards)
    as_of = guess.data_lock(looks, today) if wishes.as_of is None else guess.Guess(wishes.as_of)
    drafts = [_source(one, told) for one in looks] + [_source(one, told, is_out=True) for one in doubtful]
    levels = [text for one in looks for text in one.seen.unknown.get("job_level", ())]
    return Draft(
        study=name,
        title=guess.Guess(name.replace("_", " ").replace("-", " ").title(), "from the study's name"),
        study_start=guess.first_day(looks, str(as_of.value)),
        as_of=as_of,
        timezone=_timezone(looks),
        programs=tuple(told.programs),
        waves=tuple(told.waves),
        sources=tuple(drafts),
        levels=levels_of(levels),
    )


def _told(looks: Sequence[Look], wishes: Wishes, cards: Mapping[str, Instrument]) -> _Told:
    surveys = [one for one in looks if one.source.table in ANSWERS]
    instruments = {one.source.name: next(iter(one.seen.cards)) for one in surveys if one.seen.cards}
    has_waves_file = any(one.source.table == "waves" for one in looks)
    programs = guess.programs(looks, wishes.programs, wishes.direction)
    enrolments = [one for one in looks if one.source.table == "enrolments"]
    nameless = [one.source.name for one in enrolments if not guess.program_names([one])]
    lists = [one.source.name for one in looks if one.source.table == "snapshots"]
    return _Told(
        cards=cards,
        instruments=instruments,
        waves=() if has_waves_file else guess.waves(surveys, instruments),
        has_waves_file=has_waves_file,
        programs=programs,
        unnamed=_programs_of(nameless, programs) if len(programs) > 1 else {},
        of_lists=dict.fromkeys(lists[:1], _notes_of_lists(looks)),
    )


def _programs_of(nameless: Sequence[str], programs: Sequence[guess.ProgramGuess]) -> dict[str, str]:
    """Return the programs of files without one: as many as there are in their order, else the last program."""
    in_order = programs if len(programs) == len(nameless) else [programs[-1]] * len(nameless)
    return {source: program.id for source, program in zip(nameless, in_order, strict=True)}


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
