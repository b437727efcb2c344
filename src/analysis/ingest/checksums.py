"""``SHA256SUMS``: the exports are the ones that were put there."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from analysis.plan.errors import Problem, Severity
from analysis.plan.paths import LEADS_OUT, leads_out
from analysis.plan.study import Study

SUMS = "SHA256SUMS"
_NOT_THERE = f"is listed in {SUMS} but is not there; bring it back, or run mentoring init {{}} --update"
_LINE = re.compile(r"(?P<sum>[0-9a-fA-F]{64}) [ *](?P<path>.+)")


def verify_checksums(study: Study) -> list[Problem]:
    """Compare the study's files with ``SHA256SUMS``, where the study has one.

    Returns
    -------
    list of Problem
        An error for every file that differs or is missing and every line that says nothing; a warning for every
        source that the sums do not cover.
    """
    path = study.folder / SUMS
    if not path.is_file():
        return []
    if leads_out(path, study.folder):
        return [_problem(SUMS, "leaves_study", LEADS_OUT)]
    problems, covered = [], set()
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        return [_problem(SUMS, "unreadable_file", f"cannot be read ({error.strerror}); check the file's permissions")]
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.rstrip())
        if not match or not _inside(match["path"]):
            problems.append(
                _problem(
                    SUMS,
                    "checksum_line",
                    "is not '<sha256>  <path inside the study's folder>'; write it with sha256sum",
                    (number,),
                )
            )
            continue
        listed = PurePosixPath(match["path"])
        covered.add(listed)
        problems += _differs(study.folder, listed, match["sum"].lower())
    return problems + [
        _problem(
            source,
            "checksum_absent",
            f"is not listed in {SUMS}, so that a change would not be noticed; run mentoring init {study.folder.name} "
            "--update",
            severity="warning",
        )
        for source in dict.fromkeys(s.path for s in study.sources if s.path)
        if PurePosixPath(source) not in covered
    ]


@dataclass(frozen=True)
class Renewal:
    """What became of a study's files since ``SHA256SUMS`` was written, each a path in the study."""

    changed: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def renewal(study: Study, taken: Iterable[str] = ()) -> tuple[Renewal, tuple[str, ...]]:
    """Return what became of the files, and which ``SHA256SUMS`` is to list: those it has, the sources, and `taken`."""
    listed = _listed(study.folder / SUMS)
    wanted = dict.fromkeys([*listed, *(source.path for source in study.sources if source.path), *taken])
    there = tuple(name for name in wanted if (study.folder / name).is_file())
    return Renewal(
        changed=tuple(name for name in there if name in listed and _sum(study.folder / name) != listed[name]),
        new=tuple(name for name in there if name not in listed),
        gone=tuple(name for name in wanted if name in listed and name not in there),
    ), there


def is_as_listed(folder: Path, name: str) -> bool:
    """Whether a file of a study is, to the byte, the one that was put there."""
    return _listed(folder / SUMS).get(name) == _sum(folder / name)


def _listed(path: Path) -> dict[str, str]:
    """Return file → sum of the lines that say one."""
    text = path.read_text(encoding="utf-8-sig", errors="replace") if path.is_file() else ""
    matches = [_LINE.fullmatch(line.rstrip()) for line in text.splitlines()]
    return {str(PurePosixPath(m["path"])): m["sum"].lower() for m in matches if m and _inside(m["path"])}


def write_checksums(folder: Path, files: Iterable[str]) -> None:
    """Write ``SHA256SUMS`` of files of a study, as sha256sum does."""
    lines = [f"{_sum(folder / name)}  {name}\n" for name in sorted(files)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _inside(path: str) -> bool:
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def _differs(folder: Path, listed: PurePosixPath, expected: str) -> list[Problem]:
    path = folder / listed
    if not path.is_file():
        return [_problem(str(listed), "checksum_missing_file", _NOT_THERE.format(folder.name))]
    try:
        found = _sum(path)
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check the file's permissions"
        return [_problem(str(listed), "unreadable_file", message)]
    if found == expected:
        return []
    return [
        _problem(
            str(listed),
            "checksum_mismatch",
            f"is not the file that {SUMS} was written for; if the change is meant, run mentoring init {folder.name} "
            "--update, which says what changed and writes the sums again; else bring the original back",
        )
    ]


def _problem(
    source: str, rule: str, message: str, lines: tuple[int, ...] = (), severity: Severity = "error"
) -> Problem:
    return Problem(
        severity=severity,
        table="study",
        source=source,
        rows=len(lines),
        example_rows=lines,
        rule=rule,
        message=message,
        action="rejected" if severity == "error" else "kept",
    )
