"""What ``study.yaml`` remembers of the exports' headings, so that a later export can be compared with them.

A comment at its end has of each file a short hash of every heading: which columns came or went can be told, and no
heading stands there that may hold somebody's data.
"""

import hashlib
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

from analysis.ingest.look import Seen

HEAD = "# Headings when last read, hashed; `mentoring init --update` compares them:"
WIDTH = 118
_LINE = re.compile(r"#   (?P<file>\S.*?): (?P<marks>[0-9a-f]{8}( [0-9a-f]{8})*)?")
_MORE = re.compile(r"#     (?P<marks>[0-9a-f]{8}( [0-9a-f]{8})*)")


def mark(heading: str) -> str:
    """Return the hash of a heading."""
    return hashlib.sha256(heading.encode()).hexdigest()[:8]


def memory_lines(files: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the comment that remembers the marks of each file's headings."""
    lines = [HEAD] if files else []
    for file, marks in files.items():
        first, *more = textwrap.wrap(f"{file}: {' '.join(marks)}", WIDTH - 6, break_long_words=False) or [f"{file}: "]
        lines += [f"#   {first}", *(f"#     {line}" for line in more)]
    return lines


def remembered(seen: Iterable[Seen]) -> dict[str, tuple[str, ...]]:
    """Return by file the marks of its headings."""
    return {one.source.name: tuple(map(mark, one.headings)) for one in seen}


def recall(text: str) -> tuple[dict[str, tuple[str, ...]], list[int]]:
    """Return what a ``study.yaml`` remembers, and the numbers of the lines (from 0) in which it does."""
    lines = text.splitlines()
    if HEAD not in lines:
        return {}, []
    files: dict[str, tuple[str, ...]] = {}
    at, file = lines.index(HEAD), ""
    own = [at]
    for number, line in enumerate(lines[at + 1 :], start=at + 1):
        if more := _MORE.fullmatch(line):
            files[file] = (*files.get(file, ()), *more["marks"].split())
        elif found := _LINE.fullmatch(line):
            file = found["file"]
            files[file] = tuple((found["marks"] or "").split())
        else:
            break
        own.append(number)
    return files, own
