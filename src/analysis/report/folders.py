"""Folders written whole or not at all, and what keeps one from being written told as a mistake that can be mended."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.plan.errors import UNWRITABLE, bad_input

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


@contextmanager
def writing(folder: Path, option: str = "--reports") -> Iterator[None]:
    """Turn what keeps `folder` from being written into a mistake that a user can mend.

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
        raise bad_input(str(folder), message, rule=UNWRITABLE) from None


def _is_about(error: OSError, folder: Path) -> bool:
    """Whether an error is about a folder: about a file in it or beside it, a folder above it, or the whole disk."""
    if error.errno in DISK or error.filename is None:
        return error.errno in DISK
    named, folder = Path(os.fsdecode(error.filename)).absolute(), folder.absolute()
    return named.is_relative_to(folder.parent) or folder.is_relative_to(named)


@contextmanager
def new_folder(target: Path, option: str = "--reports") -> Iterator[Path]:
    """Yield an empty folder that replaces `target` when the block ends well, and vanishes when it does not.

    What stood there before is there again when it cannot be replaced.

    Raises
    ------
    BadInput
        The folder cannot be written (`writing`).
    """
    with writing(target, option):
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
