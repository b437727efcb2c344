"""A ``study.yaml`` that people have edited, with entries added: no line of theirs is changed or taken out."""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import yaml

from analysis.ingest.draft import UNREAD, Draft, draft_parts, memory_lines, recall
from analysis.plan.contract import FED

_ENTRY = re.compile(r"\s*# - (\{.*\})")
_VALUES = re.compile(r"[#\s]*(?P<column>\w+): (?P<values>\{.*\})\s*")
_WHY, _MORE = re.compile(rf"\s*# {UNREAD} .*"), re.compile(r"\s*#   .*")


def unread_entries(text: str) -> list[dict[str, str]]:
    """Return the entries of files that could not be read, which stand in a ``study.yaml`` as comments."""
    return [entry for entry, _ in _unread_blocks(text)]


def _unread_blocks(text: str) -> list[tuple[dict[str, str], list[int]]]:
    """Return each entry with the numbers of its lines (from 0): the reason, as it was drafted, and the entry."""
    lines, found = text.splitlines(), []
    for number, line in enumerate(lines):
        matched = _ENTRY.fullmatch(line)
        entry = _mapping(matched[1]) if matched else {}
        is_file = entry.keys() <= {"table", "path", "sheet"} and _is_inside(entry.get("path"))
        if is_file and entry.get("table") in FED:
            first = number
            while first and _MORE.fullmatch(lines[first - 1]):
                first -= 1
            is_reason = first > 0 and _WHY.fullmatch(lines[first - 1])
            found.append((entry, list(range(first - 1 if is_reason else number, number + 1))))
    return found


def _is_inside(path: object) -> bool:
    return isinstance(path, str) and not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def stub_values(text: str) -> dict[str, set[str]]:
    """Return the values that a ``study.yaml`` names, as entries or as comments, by column."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if matched := _VALUES.fullmatch(line):
            lists = [some for some in _mapping(matched["values"]).values() if isinstance(some, list)]
            found.setdefault(matched["column"], set()).update(str(value) for some in lists for value in some)
    return found


def _mapping(text: str) -> dict[str, str]:
    try:
        read = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return read if isinstance(read, dict) else {}


def merged(text: str, draft: Draft, memory: Mapping[str, Sequence[str]]) -> str | None:
    """Return a ``study.yaml`` with what was drafted of new files; None where its form lets nothing be added.

    Entries go to the end of their list, what is left to be decided to the end of the file, as comments. Only two
    things of the file's own are replaced, which nobody edits: what it remembers of headings, and the comment of a file
    that could not be read, by its entry or the present reason.
    """
    lines = text.splitlines()
    gone = {number for _, numbers in _unread_blocks(text) for number in numbers} | set(recall(text)[1])
    root = yaml.compose(text, yaml.SafeLoader)
    parts, stubs = draft_parts(draft)
    after: dict[int, list[str]] = {}
    for key, block in parts.items():
        node = next((value for name, value in root.value if name.value == key), None)
        if node is None:
            has_entries = any(not line.lstrip().startswith("#") for line in block)
            stubs = [*([f"{key}:"] if has_entries else []), *block, *stubs]
        elif isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
            indent = " " * node.start_mark.column
            after[_last_line(node)] = [indent + line.removeprefix("  ") for line in block]
        else:
            return None
    kept = [[*([line] if n not in gone else []), *after.get(n, ())] for n, line in enumerate(lines)]
    new = "\n".join([*(line for some in kept for line in some), *stubs, *memory_lines(memory)]) + "\n"
    return new if _keeps(yaml.safe_load(text), _mapping(new)) else None


def _last_line(node: yaml.Node) -> int:
    """Return the number (from 0) of the last line of a node: what PyYAML calls its end may lie after comments."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.line - (node.end_mark.column == 0)


def _keeps(old: Mapping, new: Mapping) -> bool:
    """Whether everything of a file is in another, and only lists are longer."""
    return all(
        key in new and (new[key][: len(value)] == value if isinstance(value, list) else new[key] == value)
        for key, value in old.items()
    )


def added_lines(old: str, new: str) -> list[str]:
    """Return the lines that were added to a text, but for what it remembers of headings."""
    left = old.splitlines()
    memory = {new.splitlines()[number] for number in recall(new)[1]}
    return [line for line in new.splitlines() if line not in left and line not in memory]
