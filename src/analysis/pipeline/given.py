"""The files that a person names on the command line, and their copies in a study's ``raw/``."""

import shutil
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.ingest.draft import Unread
from analysis.plan.contract import FED
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.paths import expanded
from analysis.plan.study import Source

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
