"""Answers kept on disk, so that a notebook need not compute again what a report, or another notebook, has found.

What is kept is what may be shown, never people's rows; and still it is confidential. The folder ``.cache`` among the
reports is for its owner's eyes alone. Files are pickles, because an answer is made of some twenty types and of frames
whose types must come back as they were; a pickle can run anything when it is read, so each file begins with a code that
only this user's key can make (HMAC-SHA256), over its content and over what the answer was made from. It is compared
before anything is unpickled: a file that is broken, somebody else's, of another study, of older data or of another
version of the program does not have it, and counts as not there.
"""

import hmac
import json
import os
import pickle
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from analysis.ingest.ids import load_key
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.drawn import DRAWN

if TYPE_CHECKING:
    from analysis.release.planning import ReleasedPlan

FOLDER, CODE_BYTES = ".cache", 32
# Of the parts that `runs.made_from` has digests of, those of a report that its answer does not hang on.
NOT_OF_THE_ANSWER = ("notebooks", "files")
Kind = Literal["answer", "plan"]


@dataclass(frozen=True)
class AnswerCache:
    """The answers kept beside the reports of a folder."""

    reports: Path

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self.reports / FOLDER

    def files(self) -> list[Path]:
        """Return the files of all answers, by name."""
        return sorted(path for kind in get_args(Kind) for path in self.folder.glob(f"*.{kind}"))

    def keep(
        self, found: "Released | ReleasedPlan", parts: Mapping[str, str], drawn: Mapping[bytes, tuple[str, str]] = {}
    ) -> None:
        """Keep an answer in place of an older one to the same study with the same settings, whole or not at all.

        Not kept is what a fault has taken something away from, and what came from a database, of which no digest tells
        whether it has changed. Where nothing can be written nothing is kept.

        Parameters
        ----------
        parts
            Keyed digests of what it was made from.
        drawn
            The pictures that were drawn of it (`report.drawn.DRAWN`).
        """
        if getattr(found, "faults", ()) or any(source.query for source in found.study.sources):
            return
        path = self._path("answer" if isinstance(found, Released) else "plan", found.study.study, parts)
        content = pickle.dumps((found, dict(drawn)))
        with suppress(OSError):
            self._prepare()
            descriptor, staging = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(_code(path.suffix, parts, content) + content)
                Path(staging).replace(path)
            finally:
                Path(staging).unlink(missing_ok=True)

    def kept(self, kind: Kind, folder: Path, parts: Mapping[str, str]) -> "Released | ReleasedPlan | None":
        """Return the answer to the study in a folder that was made from these parts; None where there is none.

        The pictures that were drawn of it need not be drawn again then.
        """
        path = self._path(kind, folder.name, parts)
        content = _own_content(path) if self._is_ours() else b""
        code, content = content[:CODE_BYTES], content[CODE_BYTES:]
        if not hmac.compare_digest(code, _code(path.suffix, parts, content)):
            return None
        found, drawn = pickle.loads(content)
        DRAWN.update(drawn)
        study: Study = found.study
        return replace(found, study=study.model_copy(update={"folder": folder}))

    def clear(self) -> int:
        """Remove every answer, and what a run left that was stopped while it wrote; return how many answers."""
        files = self.files()
        for path in [*files, *self.folder.glob(".new-*")]:
            path.unlink(missing_ok=True)
        return len(files)

    def _path(self, kind: Kind, study: str, parts: Mapping[str, str]) -> Path:
        return self.folder / f"{study}-{parts['settings'][:16]}.{kind}"

    def _prepare(self) -> None:
        """Make the folder, for this user alone and for no repository."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._is_ours():
            raise PermissionError
        self.folder.chmod(0o700)
        (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")

    def _is_ours(self) -> bool:
        """Whether the folder is one, and this user's, and nobody else can put a file there."""
        with suppress(OSError):
            return _is_own(self.folder.lstat(), stat.S_ISDIR)
        return False


def _code(kind: str, parts: Mapping[str, str], content: bytes) -> bytes:
    """Return the code of a file's content, which only who has the user's key can make."""
    answer = {part: digest for part, digest in parts.items() if part not in NOT_OF_THE_ANSWER}
    made_from = json.dumps([kind, answer], sort_keys=True).encode()
    key = hmac.digest(load_key(), b"answer cache", "sha256")
    return hmac.digest(key, len(made_from).to_bytes(8) + made_from + content, "sha256")


def _own_content(path: Path) -> bytes:
    """Return what a file of this user holds; nothing where it is not there, is a link, or others may write to it."""
    with suppress(OSError), os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read() if _is_own(os.fstat(file.fileno()), stat.S_ISREG) else b""
    return b""


def _is_own(status: os.stat_result, is_kind) -> bool:
    return is_kind(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
