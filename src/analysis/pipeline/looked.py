"""The files that a person names on the command line: what they are, and their copies in a study's ``raw/``."""

import shutil
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analysis.ingest.card import Card, draft_card
from analysis.ingest.dates_to_waves import ANSWERS
from analysis.ingest.draft import Unread
from analysis.ingest.export import Export, shown_sheets
from analysis.ingest.guess import are_snapshots, day_of
from analysis.ingest.look import Look, look
from analysis.ingest.profile import Header, Profile
from analysis.ingest.readers import head, read_export, sheets_of
from analysis.ingest.recognise import CANONICAL, HEADCOUNT, WIDE, Recognised, rank, recognise
from analysis.plan.contract import FED
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.instruments import Instrument, load_instruments
from analysis.plan.paths import expanded
from analysis.plan.study import Source, Study

RAW = "raw"


@dataclass(frozen=True)
class Given:
    """One file, the table it feeds, and the sheet that was named behind ``#``."""

    table: str
    path: Path
    sheet: str | None

    def unread(self, why: BadInput) -> Unread:
        """Return the file as one that could not be read."""
        name = self.path.name if self.path.name.isprintable() else ascii(self.path.name)[1:-1]
        return Unread(self.table, f"{RAW}/{name[:80]}", self.sheet, why.problems)


def files_given(files: Mapping[str, Sequence[str]]) -> list[Given]:
    """Return the files of a command, in the order of the contract's tables."""
    return [Given(table, *_path_and_sheet(text)) for table in FED for text in files.get(table, ())]


def _path_and_sheet(text: str) -> tuple[Path, str | None]:
    path = expanded(text)
    before, mark, sheet = text.rpartition("#")
    return (path, None) if path.exists() or not mark else (expanded(before), sheet)


def why_not(path: Path) -> BadInput | None:
    """Return why a file cannot be taken, each told alone; None where it can be."""
    if not path.name.isprintable():
        message = "has signs in its name that cannot be written down in a line; rename it"
        return bad_input(ascii(path.name)[:80], message, rule="file_name")
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        message = f"{what}; give the path of an export (and FILE#SHEET for one sheet of a spreadsheet)"
        return bad_input(str(path), message, rule="missing_file")
    try:
        with path.open("rb"):
            return None
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check the file's permissions"
        return bad_input(str(path), message, rule="unreadable_file")


def copy_of(path: Path, folder: Path, taken: Iterable[str]) -> str:
    """Copy a file into a study's ``raw/`` under a name that is none of `taken`; return its path in the study."""
    (folder / RAW).mkdir(exist_ok=True)
    new, n = f"{RAW}/{path.name}", 1
    others = {name.casefold() for name in taken}
    while new.casefold() in others:
        n += 1
        new = f"{RAW}/{path.stem}_{n}{path.suffix}"
    copy_file(path, folder / new)
    return new


def copy_file(path: Path, new: Path) -> None:
    """Copy a file, whole or not at all; nobody may read the copy at any time who may not read the file."""
    part = new.with_name(f".{new.name}.part")
    try:
        part.touch(0o600, exist_ok=False)
        with path.open("rb") as source, part.open("wb") as copy:
            shutil.copyfileobj(source, copy)
        part.chmod(stat.S_IMODE(path.stat().st_mode) & 0o666)
        part.replace(new)
    finally:
        part.unlink(missing_ok=True)


def source_of(given: Given, path: str) -> Source:
    """Return the entry of a file that is now at `path` in the study; whose export it is, is not known yet."""
    return Source.model_validate({"table": given.table, "path": path, "profile": "canonical", "sheet": given.sheet})


def copy_of_card(path: Path, folder: Path) -> None:
    """Copy a questionnaire's card into a study's ``instruments/``."""
    (folder / "instruments").mkdir(exist_ok=True)
    copy_file(path, folder / "instruments" / path.name)


# --- looked -----------------------------------------------------------------------------------------------------------
# What the files given to `mentoring init` are: recognised, read, and seen as one table or another.

ORDERS = ("dmy", "mdy")


@dataclass(frozen=True)
class InitOptions:
    """What the user said beside the files; empty or None where nothing was said."""

    programs: tuple[str, ...] = ()
    direction: str | None = None
    as_of: str | None = None
    profiles: tuple[str, ...] = ()
    cards: tuple[Path, ...] = ()


def files_of(study: Study, profiles: Mapping[str, Profile]) -> list[Source]:
    """Return the study's sources that are files, are there and are of a profile that has their table."""
    return [
        one
        for one in study.sources
        if one.path and (study.folder / one.path).is_file()
        if one.profile in profiles and one.table in profiles[one.profile].tables
    ]


def as_wide(one: Look, study: Study, profiles: Mapping[str, Profile], cards: Mapping[str, Instrument]) -> Look:
    """Return a survey of no known tool as a form a row, where its columns are questions."""
    if one.source.table not in profiles[WIDE].tables:
        return one
    other = look_at(one.source, study, {WIDE: profiles[WIDE]}, cards)
    return other if other.seen.cards or draft_card(other, cards) is not None else one


def own_card(one: Look, cards: Mapping[str, Instrument]) -> Card | None:
    """Return a card drafted of a survey that has half of no card's items, and half of whose questions are on none."""
    if one.source.table not in ANSWERS or one.layout.answers != "wide":
        return None
    if any(2 * n >= len(cards[name].items) for name, n in one.seen.cards.items()):
        return None
    card, known = draft_card(one, cards), set(one.items.values())
    return card if card and known <= set(card.columns) and len(card.columns) > 2 * len(known) else None


def with_card(card: Card, study: Study) -> dict[str, Instrument]:
    """Write a card into the study and return all cards that it can use now."""
    folder = study.folder / "instruments"
    folder.mkdir(exist_ok=True)
    (folder / f"{card.name}.yaml").write_text(card.text, encoding="utf-8", newline="\n")
    return load_instruments(study)


def candidates(source: Source, profiles: Mapping[str, Profile], options: InitOptions) -> dict[str, Profile]:
    """Return the profiles that a file may be of: those wished for, where one of them exports its table."""
    wished = {name: profiles[name] for name in options.profiles if source.table in profiles[name].tables}
    return wished or {name: profile for name, profile in profiles.items() if name != WIDE}


def look_at(
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
    read, all_ = (shown_sheets(sheets, some) for some in ({str(best.source.sheet)}, sheets))
    told = f"guess: of its sheets ({all_}) {read} is read, which looks most like the table"
    best.export.warn("sheet_chosen", told)
    return best


def headcounts(
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
    found = look_at(source, study, lists, cards)
    day = None if "snapshot_date" in found.rows else day_of(source)
    return found if day is None else look_at(source.model_copy(update={"snapshot_date": day}), study, lists, cards)


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


def jobs_beside(
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
