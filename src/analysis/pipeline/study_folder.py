"""A study's folder made of the files that people have, and brought up to date with them: ``mentoring init``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from analysis.ingest.checksums import Renewal, is_as_listed, renewal, write_checksums
from analysis.ingest.draft import Draft, Unread, draft_text, mark, recall, remembered, study_yaml
from analysis.ingest.look import Seen
from analysis.ingest.merge import added_lines, merged, stub_values, unread_entries
from analysis.ingest.profile import load_profiles
from analysis.pipeline.drafted import Drafted, blank_study, draft_study
from analysis.pipeline.looked import (
    RAW,
    Given,
    InitOptions,
    copy_file,
    copy_of,
    copy_of_card,
    files_given,
    source_of,
    why_not,
)
from analysis.plan.contract import is_day
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.read_study import load_study
from analysis.plan.study import Direction, Source, Study
from analysis.report.folders import new_folder, writing

__all__ = ["InitOptions", "Started", "start_study"]


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


def start_study(
    name: str,
    files: Mapping[str, Sequence[str]],
    data: Path,
    options: InitOptions,
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
        The folder exists, a wish cannot be fulfilled, or none of the files can be read; every problem at once. Where
        some can be read, the draft says why the others cannot.
    """
    given = files_given(files)
    reasons = {one.path: why_not(one.path) for one in given}
    unread = [one.unread(why) for one in given if (why := reasons[one.path])]
    refused = [*_refusals_of_name(name, data), *_refusals_of_wishes(given, options)]
    refused += [why for card in options.cards if (why := why_not(card))]
    if refused or len(unread) == len(given):
        problems = [problem for bad in refused for problem in bad.problems]
        raise BadInput([*problems, *(problem for one in unread for problem in one.problems)])
    target, there = data / name, [path for path, why in reasons.items() if why is None]
    with new_folder(target, "--data") as folder:
        say(f"{name}: copying {len(there)} file(s)")
        paths: dict[Path, str] = {}
        for path in there:
            paths[path] = copy_of(path, folder, paths.values())
        for card in options.cards:
            copy_of_card(card, folder)
        sources = [source_of(one, paths[one.path]) for one in given if one.path in paths]
        draft = draft_study(blank_study(name, folder), sources, options, say, unread).draft
        (folder / "study.yaml").write_text(study_yaml(draft), encoding="utf-8", newline="\n")
        write_checksums(folder, {str(one.seen.source.path) for one in draft.sources})
        if target.exists():
            raise _folder_exists(name)
    return Started(target, draft)


def _folder_exists(name: str) -> BadInput:
    message = "is there already, and nothing in it is touched; choose another name, or edit its study.yaml"
    return bad_input(name, message, rule="folder_exists")


def _refusals_of_name(name: str, data: Path) -> Iterator[BadInput]:
    if not STUDY_NAME.fullmatch(name):
        message = "is not a valid study name: use lower-case letters, digits, - and _ (at most 63), and no path"
        yield bad_input(name[:80], message, rule="study_name")
    elif (data / name).exists():
        yield _folder_exists(name)
    elif any(above.exists() and not above.is_dir() for above in (data, *data.parents)):
        yield bad_input("--data", "is no folder, or lies in something that is none; name a folder", rule="parameters")


def _refusals_of_wishes(given: Sequence[Given], options: InitOptions) -> Iterator[BadInput]:
    if not given:
        message = "no file was given; give at least one, for instance --employees FILE"
        yield bad_input("the command", message, rule="parameters")
    known = load_profiles()
    for profile in options.profiles:
        if profile not in known:
            yield bad_input("--profile", f"{profile!r} is none; the profiles are {', '.join(known)}", rule="parameters")
    if options.as_of is not None and not is_day(options.as_of):
        yield bad_input("--as-of", "is no day of the calendar such as 2025-06-30", rule="parameters")
    if options.direction not in (None, *get_args(Direction)):
        yield bad_input("--direction", f"is none of {', '.join(get_args(Direction))}", rule="parameters")


# --- updated ----------------------------------------------------------------------------------------------------------
# A study's folder brought up to date with its files: what `mentoring init --update` does.

STUDY_FILE = "study.yaml"


@dataclass(frozen=True)
class Change:
    """What is different in a file that the study has read before.

    Attributes
    ----------
    new_columns
        Where columns stand that were not there before → their heading, and how it may be shown.
    lost_columns
        Where columns stood that are not there any more.
    values
        Canonical column → values that mean nothing yet and that study.yaml does not have → rows.
    """

    source: str
    new_columns: Mapping[int, tuple[str, str]]
    lost_columns: tuple[int, ...]
    needed: tuple[str, ...]
    values: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Updated:
    """What became of a study.

    Attributes
    ----------
    draft
        Of the files that are new, and of those that cannot be read.
    changes
        Of the files that the study had.
    files
        Which files changed, came and went since the checksums were written.
    added
        The lines that were added to ``study.yaml``.
    by_hand
        Whether ``study.yaml`` is written so that they must be added by hand; it was not touched then.
    loose
        Files in ``raw/`` that no source names.
    later
        The last day that any file knows of, where it lies after ``as_of``.
    """

    folder: Path
    draft: Draft
    changes: tuple[Change, ...]
    files: Renewal
    added: tuple[str, ...]
    by_hand: bool
    loose: tuple[str, ...]
    later: str | None


def update_study(
    name: str,
    files: Mapping[str, Sequence[str]],
    data: Path,
    options: InitOptions,
    say: Callable[[str], None] = print,
) -> Updated:
    """Read the files of a study again, take new ones in, and renew its checksums; what people wrote stays.

    Parameters
    ----------
    files
        Canonical table → new files, as for `pipeline.study_folder.start_study`; none are needed.

    Raises
    ------
    BadInput
        ``study.yaml`` is not there or has mistakes, no file can be read, or a file would replace one that was edited
        in ``raw/``.
    """
    study = load_study(name, data)
    path = study.folder / STUDY_FILE
    text = path.read_text(encoding="utf-8-sig")
    given = files_given(files)
    _refuse(study, given, options)
    reasons = {one.path: why_not(one.path) for one in given}
    unread = [one.unread(why) for one in given if (why := reasons[one.path])]
    with writing(study.folder, "--data"):
        taken = [source_of(one, _taken(one, study)) for one in given if reasons[one.path] is None]
        tried, missing = _commented(study, text)
        known = {(one.table, one.path, one.sheet) for one in study.sources}
        new = {(one.table, one.path, one.sheet): one for one in (*tried, *taken)}
        sources = [one for key, one in new.items() if key not in known]
        found = draft_study(study, sources, options, say, [*missing, *unread])
        return _written(study, text, found, _without_old(found.draft, study))


def _refuse(study: Study, given: Sequence[Given], options: InitOptions) -> None:
    refused = []
    if options.cards:
        refused.append(bad_input("--card", "is for a new study; put the card into instruments/", rule="parameters"))
    if options.as_of is not None:
        refused.append(bad_input("--as-of", "is in study.yaml already; correct it there", rule="parameters"))
    for one in given:
        there = study.folder / RAW / one.path.name
        if _replaces(one, study) and not one.path.samefile(there) and not _may_go(study, one.path, there):
            message = (
                f"would replace {RAW}/{one.path.name}, which was edited in the study's folder; correct that one there, "
                "take it away, or give the new file another name"
            )
            refused.append(bad_input(str(one.path), message, rule="would_overwrite"))
    if refused:
        raise BadInput(problem for bad in refused for problem in bad.problems)


def _replaces(one: Given, study: Study) -> bool:
    """Whether a file is a later export of one that the study reads."""
    name = f"{RAW}/{one.path.name}"
    is_source = any((source.table, source.path) == (one.table, name) for source in study.sources)
    return is_source and one.path.is_file() and (study.folder / name).is_file()


def _may_go(study: Study, new: Path, there: Path) -> bool:
    return new.read_bytes() == there.read_bytes() or is_as_listed(study.folder, f"{RAW}/{there.name}")


def _taken(one: Given, study: Study) -> str:
    """Return where a file lies in the study; it is copied where it does not lie there already."""
    if one.path.resolve().is_relative_to(study.folder.resolve()):
        return one.path.resolve().relative_to(study.folder.resolve()).as_posix()
    if _replaces(one, study):
        copy_file(one.path, study.folder / RAW / one.path.name)
        return f"{RAW}/{one.path.name}"
    return copy_of(one.path, study.folder, _files_in_raw(study))


def _files_in_raw(study: Study) -> list[str]:
    return sorted(
        f"{RAW}/{path.name}" for path in (study.folder / RAW).glob("*") if path.is_file() and path.name[0] != "."
    )


def _commented(study: Study, text: str) -> tuple[list[Source], list[Unread]]:
    """Return the files that study.yaml has as comments: those that are there, and those that still are not."""
    there, missing = [], []
    for entry in unread_entries(text):
        table, path, sheet = entry["table"], entry["path"], entry.get("sheet")
        if (study.folder / path).is_file():
            there.append(Source.model_validate(entry | {"profile": "canonical"}))
        else:
            gone = bad_input(path, "is not there; put the file into raw/", rule="missing_file")
            missing.append(Unread(table, path, sheet, gone.problems))
    return there, missing


def _without_old(draft: Draft, study: Study) -> list[Unread]:
    """Return the files that cannot be read and that study.yaml has no entry of."""
    known = {(one.table, one.path) for one in study.sources}
    return [one for one in draft.unread if (one.table, one.path) not in known]


def _written(study: Study, text: str, found: Drafted, unread: Sequence[Unread]) -> Updated:
    path = study.folder / STUDY_FILE
    draft = replace(found.draft, unread=tuple(unread))
    seen = [*found.old, *(source.seen for source in draft.sources)]
    before = recall(text)[0]
    new = merged(text, draft, before | remembered(seen))
    if new is not None and new != text:
        staging = path.with_name(f".{STUDY_FILE}")
        ends = "\r\n" if b"\r\n" in path.read_bytes() else "\n"
        staging.write_text(new, encoding="utf-8", newline=ends)
        staging.replace(path)
    taken = [str(one.seen.source.path) for one in draft.sources if not one.is_out]
    files, listed = renewal(study, taken)
    write_checksums(study.folder, listed)
    named = {*(one.path for one in study.sources), *(one.path for one in draft.unread), *taken}
    return Updated(
        folder=study.folder,
        draft=found.draft,
        changes=tuple(_changes(found.old, before, text)),
        files=files,
        added=tuple(added_lines(text, new) if new is not None else draft_text(draft)),
        by_hand=new is None,
        loose=tuple(name for name in _files_in_raw(study) if name not in named),
        later=str(found.latest.value) if str(found.latest.value) > str(study.as_of) else None,
    )


def _changes(seen: Sequence[Seen], before: Mapping[str, Sequence[str]], text: str) -> Iterator[Change]:
    """Yield what is different in each file, as far as study.yaml remembers it."""
    known = stub_values(text)
    for one in seen:
        now, then = list(map(mark, one.headings)), before.get(one.source.name)
        values = {
            column: {value: n for value, n in counts.items() if value not in known.get(column, ())}
            for column, counts in one.unknown.items()
        }
        change = Change(
            source=one.source.name,
            new_columns={
                n: (heading, one.called[heading])
                for n, heading in enumerate(one.headings, 1)
                if then is not None and mark(heading) not in then
            },
            lost_columns=tuple(n for n, each in enumerate(then or (), 1) if each not in now),
            needed=one.needed,
            values={column: counts for column, counts in values.items() if counts},
        )
        if change.new_columns or change.lost_columns or change.values:
            yield change
