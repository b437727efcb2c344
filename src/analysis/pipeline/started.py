"""A study's folder made of the files that people have: what `mentoring init` does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from analysis.ingest.checksums import write_checksums
from analysis.ingest.draft import Draft, study_yaml
from analysis.ingest.profile import load_profiles
from analysis.pipeline.drafted import blank_study, draft_study
from analysis.pipeline.given import Given, copy_of, copy_of_card, files_given, source_of, why_not
from analysis.pipeline.looked import InitOptions
from analysis.plan.bounds import is_day
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.plan.study import Direction
from analysis.report.folders import new_folder

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
