"""A study's folder made of the files that people have: what `mentoring init` does."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.ingest import guess
from analysis.ingest.draft import Draft, SourceDraft, levels_of, source_notes, study_yaml
from analysis.ingest.export import Export
from analysis.ingest.look import Look, look
from analysis.ingest.moments import ANSWERS
from analysis.ingest.profile import Header, Profile, load_profiles
from analysis.ingest.readers import read_export
from analysis.ingest.readers.head import head, sheets_of
from analysis.ingest.recognise import Recognised, rank, recognise
from analysis.plan.contract import TABLES
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.paths import STUDY_NAME
from analysis.plan.study import ISO_DATE, Source, Study
from analysis.report.write import new_folder

ORDERS = ("dmy", "mdy")


@dataclass(frozen=True)
class Started:
    """What was made of the files.

    Attributes
    ----------
    folder
        The new study's folder.
    draft
        What its `study.yaml` says; nothing in it is of a person.
    """

    folder: Path
    draft: Draft


@dataclass(frozen=True)
class Wishes:
    """What the user said beside the files; empty or None where nothing was said."""

    programs: tuple[str, ...] = ()
    direction: str | None = None
    as_of: str | None = None
    profiles: tuple[str, ...] = ()


def start_study(
    name: str,
    files: Mapping[str, Sequence[str]],
    data: Path,
    wishes: Wishes = Wishes(),
    say: Callable[[str], None] = print,
) -> Started:
    """Copy exports into a new study's folder and draft its ``study.yaml``; the folder appears whole or not at all.

    Parameters
    ----------
    files
        Canonical table → its files, each a path, for a spreadsheet with ``#`` and a sheet's name behind it.

    Raises
    ------
    BadInput
        The folder exists, a file is missing or cannot be read, a wish cannot be fulfilled; every problem at once.
    """
    given = [(table, *_path_and_sheet(text)) for table in TABLES for text in files.get(table, ())]
    _refuse(name, [path for _, path, _ in given], data, wishes)
    target = data / name
    with new_folder(target) as folder:
        say(f"{name}: copying {len({path for _, path, _ in given})} file(s)")
        paths = _copy([path for _, path, _ in given], folder)
        sources = [
            Source(table=table, path=paths[path], profile="canonical", sheet=sheet) for table, path, sheet in given
        ]
        draft = _draft(name, sources, folder, wishes, say)
        (folder / "study.yaml").write_text(study_yaml(draft), encoding="utf-8", newline="\n")
        if target.exists():
            raise _folder_exists(name)
    return Started(target, draft)


def _path_and_sheet(text: str) -> tuple[Path, str | None]:
    path = Path(text).expanduser()
    before, mark, sheet = text.rpartition("#")
    return (path, None) if path.exists() or not mark else (Path(before).expanduser(), sheet)


def _refuse(name: str, paths: Sequence[Path], data: Path, wishes: Wishes) -> None:
    """Raise every reason for which the study cannot even be begun."""
    problems: list[Problem] = []
    for refused in (*_refusals_of_name(name, data), *_refusals_of_files(paths), *_refusals_of_wishes(wishes)):
        problems += refused.problems
    if problems:
        raise BadInput(problems)


def _folder_exists(name: str) -> BadInput:
    message = "is there already, and nothing in it is touched; choose another name, or edit its study.yaml"
    return bad_input(name, message, rule="folder_exists")


def _refusals_of_name(name: str, data: Path) -> Iterator[BadInput]:
    if not STUDY_NAME.fullmatch(name):
        message = "is no name for a study: use lower-case letters, digits, - and _ (at most 63), and no path"
        yield bad_input(name[:80], message, rule="study_name")
    elif (data / name).exists():
        yield _folder_exists(name)


def _refusals_of_files(paths: Sequence[Path]) -> Iterator[BadInput]:
    if not paths:
        message = "no file was given; give at least one, for instance --employees FILE"
        yield bad_input("the command", message, rule="parameters")
    for path in dict.fromkeys(paths):
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            message = f"{what}; give the path of an export (and FILE#SHEET for one sheet of a spreadsheet)"
            yield bad_input(str(path), message, rule="missing_file")


def _refusals_of_wishes(wishes: Wishes) -> Iterator[BadInput]:
    known = load_profiles()
    for profile in wishes.profiles:
        if profile not in known:
            yield bad_input("--profile", f"{profile!r} is none; the profiles are {', '.join(known)}", rule="parameters")
    if wishes.as_of is not None and not _is_day(wishes.as_of):
        yield bad_input("--as-of", "is no day of the calendar such as 2025-06-30", rule="parameters")
    if wishes.direction not in (None, "reverse", "traditional", "mutual", "peer"):
        yield bad_input("--direction", "is none of reverse, traditional, mutual, peer", rule="parameters")


def _is_day(text: str) -> bool:
    try:
        return bool(ISO_DATE.fullmatch(text)) and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False


def _copy(paths: Sequence[Path], folder: Path) -> dict[Path, str]:
    """Copy each file into ``raw/`` once and write ``SHA256SUMS``; return its path in the study by where it was."""
    (folder / "raw").mkdir()
    copied: dict[Path, str] = {}
    for path in dict.fromkeys(paths):
        new, n = f"raw/{path.name}", 1
        while new.casefold() in {name.casefold() for name in copied.values()}:
            n += 1
            new = f"raw/{path.stem}_{n}{path.suffix}"
        shutil.copyfile(path, folder / new)
        copied[path] = new
    sums = []
    for name in sorted(copied.values()):
        with (folder / name).open("rb") as file:
            sums.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8", newline="\n")
    return copied


def _draft(name: str, sources: Sequence[Source], folder: Path, wishes: Wishes, say: Callable[[str], None]) -> Draft:
    today = dt.date.today()
    study = Study(schema_version=1, study=name, title=name, study_start=dt.date.min, as_of=today)
    study = study.model_copy(update={"folder": folder})
    profiles, cards = load_profiles(), load_instruments(study)
    looks, problems = [], []
    for source in sources:
        say(f"{name}: reading {source.name}")
        try:
            looks.append(_look(source, study, _candidates(source, profiles, wishes), cards))
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    doubtful = _jobs_beside(looks, study, profiles, cards)
    looks += [one for one in doubtful if not one.seen.needed]
    return _put_together(name, looks, [one for one in doubtful if one.seen.needed], wishes, today, cards)


def _candidates(source: Source, profiles: Mapping[str, Profile], wishes: Wishes) -> dict[str, Profile]:
    """Return the profiles that a file may be of: those wished for, where one of them exports its table."""
    wished = {name: profiles[name] for name in wishes.profiles if source.table in profiles[name].tables}
    return wished or dict(profiles)


def _look(source: Source, study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]) -> Look:
    """Return what a file holds; days and months that cannot be told apart are, where one order alone is possible."""
    recognised = _recognised(source, study, profiles)
    if recognised.export.frame is None:
        raise BadInput(recognised.export.problems)
    found = look(recognised, study, cards)
    if not _has(found, "ambiguous_date"):
        return found
    tried = []
    for order in ORDERS:
        named = recognised.source.model_copy(update={"date_order": order})
        tried.append(look(replace(recognised, source=named), study, cards))
    possible = [one for one in tried if not _has(one, "mixed_date_order")]
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


def _has(one: Look, rule: str) -> bool:
    return any(problem.rule == rule for problem in one.seen.problems)


def _jobs_beside(
    looks: Sequence[Look], study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]
) -> list[Look]:
    """Return the jobs that the employees' own files hold as well, where no file of jobs was given."""
    if any(one.source.table == "jobs" for one in looks):
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


def _put_together(
    name: str,
    looks: Sequence[Look],
    doubtful: Sequence[Look],
    wishes: Wishes,
    today: dt.date,
    cards: Mapping[str, Instrument],
) -> Draft:
    instruments = {one.source.name: next(iter(one.seen.cards)) for one in guess.survey_looks(looks) if one.seen.cards}
    has_waves = any(one.source.table == "waves" for one in looks)
    waves = [] if has_waves else guess.waves(guess.survey_looks(looks), instruments)
    as_of = guess.data_lock(looks, today) if wishes.as_of is None else guess.Guess(wishes.as_of)
    programs = guess.programs(looks, wishes.programs, wishes.direction)
    drafts = [_source(one, instruments, waves, has_waves, programs, cards) for one in looks]
    drafts += [_source(one, instruments, waves, has_waves, programs, cards, is_out=True) for one in doubtful]
    texts = [text for one in looks for text in one.seen.unknown.get("job_level", ())]
    return Draft(
        study=name,
        title=guess.Guess(name.replace("_", " ").replace("-", " ").title(), "from the study's name"),
        study_start=guess.first_day(looks, str(as_of.value)),
        as_of=as_of,
        timezone=_timezone(looks),
        programs=tuple(programs),
        waves=tuple(waves),
        sources=tuple(drafts),
        levels=levels_of(texts),
    )


def _timezone(looks: Sequence[Look]) -> guess.Guess | None:
    zones = {one.export.timezone for one in looks if one.export.timezone}
    if not zones:
        return None
    named = ", ".join(sorted(zones))
    why = f"the times of some exports are of {named}, and the days there count; name the company's own zone"
    return guess.Guess(sorted(zones)[0], why)


def _source(
    one: Look,
    instruments: Mapping[str, str],
    waves: Sequence[guess.WaveGuess],
    has_waves: bool,
    programs: Sequence[guess.ProgramGuess],
    cards: Mapping[str, Instrument],
    is_out: bool = False,
) -> SourceDraft:
    source = one.source
    entry: dict[str, object] = {"table": source.table, "path": source.path, "profile": source.profile}
    entry |= {key: value for key in ("sheet", "date_order") if (value := getattr(source, key)) is not None}
    notes = source_notes(one.seen)
    if source.date_order:
        notes.append(f"guess: date_order {source.date_order}, since other columns of the file allow no other order")
    if source.table in ANSWERS:
        more, told = _survey_keys(one, instruments.get(source.name), waves, has_waves, cards)
        entry, notes = entry | more, [*notes, *told]
    if source.table == "enrolments" and len(programs) > 1 and not guess.program_names([one]):
        entry["program"] = programs[0].id
        notes.append("guess: the file does not say of which program it is")
    if is_out:
        lacking = ", ".join(one.seen.needed)
        notes.append(
            f"the employees' file has jobs as well, but no {lacking}; a file of job changes is better (--jobs)"
        )
    return SourceDraft(one.seen, entry, tuple(notes), is_out)


def _survey_keys(
    one: Look,
    instrument: str | None,
    waves: Sequence[guess.WaveGuess],
    has_waves: bool,
    cards: Mapping[str, Instrument],
) -> tuple[dict[str, object], list[str]]:
    """Return instrument and wave of a survey, and what is to be said of them."""
    if instrument is None:
        message = "no instrument's items were found; write a card in instruments/ and name it here (instrument:)"
        return {}, [message]
    entry: dict[str, object] = {}
    if "instrument" not in one.rows:
        entry["instrument"] = instrument
    shares = [f"{n} of the {len(cards[name].items)} items of {name}" for name, n in list(one.seen.cards.items())[:3]]
    notes = (
        []
        if len(shares) == 1 and one.seen.cards[instrument] == len(cards[instrument].items)
        else [f"guess: instrument {instrument}, since the file has {'; '.join(shares)}"]
    )
    wave = guess.wave_of(one, instrument, waves)
    if wave is not None:
        entry["wave"] = wave
    elif not len(one.days("responded_at")) and not has_waves and "wave" not in one.rows:
        notes.append("its forms have no day: give wave: here, and opens and closes of that wave under waves:")
    return entry, notes
