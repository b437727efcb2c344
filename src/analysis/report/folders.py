"""Folders written whole or not at all, and what keeps one from being written told as a mistake to be corrected."""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from analysis.plan.errors import UNWRITABLE, bad_input
from analysis.plan.faults import LOG

# What keeps a folder from being written that is the user's to change: the error's number and what to do.
NO_RIGHT = "you may not write there; choose another folder with {option}, or ask for the right to write"
FILE_THERE = "a file stands where a folder is needed; move the file, or choose another folder with {option}"
TO_DO = {
    errno.EACCES: NO_RIGHT,
    errno.EPERM: NO_RIGHT,
    errno.EROFS: "it is on a disk that can only be read; choose another folder with {option}",
    errno.ENOSPC: "the disk is full; free some space, or choose another folder with {option}",
    errno.EDQUOT: "your share of the disk is used up; free some space, or choose another folder with {option}",
    errno.ENOTDIR: FILE_THERE,
    errno.EEXIST: FILE_THERE,
    errno.ENAMETOOLONG: "its path is too long for this disk; choose another folder with {option}",
}
# These are about the disk, whichever file they name.
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
# What this program writes into every folder that it may replace: one of these.
OURS = ("run.json", "data_quality.csv", LOG, "share.json")
# A staging folder ends in the eight characters that `tempfile.mkdtemp` draws.
DRAWN = "[a-z0-9_]{8}"


@contextmanager
def writing(folder: Path, option: str = "--reports") -> Iterator[None]:
    """Turn what keeps `folder` from being written into a mistake that a user can correct.

    Parameters
    ----------
    option
        Of the command line, by which another folder is chosen.

    Raises
    ------
    BadInput
        The folder is read-only, forbidden, full or no folder at all.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in TO_DO or not _is_about(error, folder):
            raise
        message = f"cannot be written: {TO_DO[error.errno].format(option=option)}"
        # whoever reads this has not seen the staging folder, and it is gone
        shown = re.sub(rf"/\.([^/]+)-{DRAWN}/new(?=/|$)", r"/\1", folder.as_posix())
        raise bad_input(shown, message, rule=UNWRITABLE) from None


def _is_about(error: OSError, folder: Path) -> bool:
    """Whether an error is about a folder: about a file in it or beside it, a folder above it, or the whole disk."""
    if error.errno in DISK or error.filename is None:
        return error.errno in DISK
    named, folder = Path(os.fsdecode(error.filename)).absolute(), folder.absolute()
    return named.is_relative_to(folder.parent) or folder.is_relative_to(named)


@contextmanager
def alone(reports: Path, name: str) -> Iterator[None]:
    """Keep other runs from making the same report, and clear what a run left that ended in the middle.

    Raises
    ------
    BadInput
        Another run is making it, or the folder cannot be written.
    """
    path = reports / f".{name}.lock"
    with writing(reports / name):
        reports.mkdir(parents=True, exist_ok=True)
        lock = path.open("w")
    with lock:
        if not _is_locked(lock, path):
            message = "another run is making this report; wait until it has ended"
            raise bad_input(str(reports / name), message, rule=UNWRITABLE)
        try:
            with writing(reports / name):
                _clear_left(reports / name)
            yield
        finally:
            path.unlink(missing_ok=True)


def _is_locked(lock: IO[str], path: Path) -> bool:
    """Lock a file and return whether that succeeded, and the file is still the one of that name."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(lock.fileno()).st_ino == path.stat().st_ino
    except OSError:
        return False


def _clear_left(target: Path) -> None:
    """Remove the staging folders of runs that are dead; a report that stood between two names gets its own back."""
    left = re.compile(rf"\.{re.escape(target.name)}-{DRAWN}")
    for staging in [path for path in target.parent.iterdir() if left.fullmatch(path.name)]:
        if (staging / "old").exists() and not target.exists():
            (staging / "old").rename(target)
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def new_folder(target: Path, option: str = "--reports") -> Iterator[Path]:
    """Yield an empty folder that replaces `target` when the block ends well, and vanishes when it does not.

    What stood there before is there again when it cannot be replaced.

    Raises
    ------
    BadInput
        The folder cannot be written (`writing`), or holds what this program did not write.
    """
    with writing(target, option):
        if target.is_dir() and any(target.iterdir()) and not any((target / name).exists() for name in OURS):
            message = f"holds files that this program did not write; move them, or choose another folder with {option}"
            raise bad_input(str(target), message, rule=UNWRITABLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
        staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        new, old = staging / "new", staging / "old"
        try:
            new.mkdir()
            yield new
            if target.exists():
                target.rename(old)
            new.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(staging, ignore_errors=True)
