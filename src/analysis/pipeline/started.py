"""A study's folder made of the files that people have: what `mentoring init` does."""

import datetime as dt
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.ingest.draft import Draft, study_yaml
from analysis.ingest.profile import load_profiles
from analysis.pipeline.drafted import Wishes, draft_study
from analysis.plan.contract import FED
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import STUDY_NAME, expanded
from analysis.plan.study import ISO_DATE, Source
from analysis.report.write import new_folder

__all__ = ["Started", "Wishes", "start_study"]


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
    wishes: Wishes,
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
    given = [(table, *_path_and_sheet(text)) for table in FED for text in files.get(table, ())]
    _refuse(name, [path for _, path, _ in given], data, wishes)
    target = data / name
    with new_folder(target, "--data") as folder:
        say(f"{name}: copying {len({path for _, path, _ in given})} file(s)")
        paths = _copy([path for _, path, _ in given], folder)
        sources = [
            Source.model_validate({"table": table, "path": paths[path], "profile": "canonical", "sheet": sheet})
            for table, path, sheet in given
        ]
        draft = draft_study(name, sources, folder, wishes, say)
        (folder / "study.yaml").write_text(study_yaml(draft), encoding="utf-8", newline="\n")
        if target.exists():
            raise _folder_exists(name)
    return Started(target, draft)


def _path_and_sheet(text: str) -> tuple[Path, str | None]:
    path = expanded(text)
    before, mark, sheet = text.rpartition("#")
    return (path, None) if path.exists() or not mark else (expanded(before), sheet)


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
    elif any(above.exists() and not above.is_dir() for above in (data, *data.parents)):
        yield bad_input("--data", "is no folder, or lies in something that is none; name a folder", rule="parameters")


def _refusals_of_files(paths: Sequence[Path]) -> Iterator[BadInput]:
    if not paths:
        message = "no file was given; give at least one, for instance --employees FILE"
        yield bad_input("the command", message, rule="parameters")
    for path in dict.fromkeys(paths):
        if not path.is_file():
            what = "is a folder" if path.is_dir() else "is not there"
            message = f"{what}; give the path of an export (and FILE#SHEET for one sheet of a spreadsheet)"
            yield bad_input(str(path), message, rule="missing_file")
        elif not path.name.isprintable():
            message = "has signs in its name that cannot be written down in a line; rename it"
            yield bad_input(ascii(path.name)[:80], message, rule="file_name")


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
