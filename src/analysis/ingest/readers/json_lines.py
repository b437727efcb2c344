"""JSON lines: one object a line, strictly."""

import json
from itertools import islice
from pathlib import Path

import numpy as np

from analysis.ingest.export import Export
from analysis.ingest.readers.cells import text_of
from analysis.ingest.readers.columns import Coder, Rows, fill
from analysis.ingest.readers.encoding import LONGEST_LINE
from analysis.ingest.readers.header import Columns, is_good

_CHUNK_LINES = 50_000


def read_json_lines(path: Path, export: Export) -> None:
    """Read one file of JSON lines into `export`; its columns are the keys of all its objects."""
    coders: dict[str, Coder[tuple[type, str | None]]] = {}
    lines: list[int] = []
    bad: dict[str, list[int]] = {"json_line": [], "nested_value": []}
    with path.open("rb") as file:
        numbered = enumerate(iter(lambda: file.readline(LONGEST_LINE), b""), start=1)
        while chunk := list(islice(numbered, _CHUNK_LINES)):
            rows = []
            for number, line in chunk:
                if not line.strip(b" \t\r\n\xef\xbb\xbf"):
                    continue
                record = _record(line)
                if isinstance(record, str):
                    bad[record].append(number)
                else:
                    rows.append(record)
                    lines.append(number)
            _add(rows, coders, before=len(lines) - len(rows))
    _note_bad(bad, export)
    if not lines:
        return None if export.has_failed else export.fail("empty_file", "holds no records; export it again")
    if not is_good(tuple(coders), export):
        return None
    columns = (coder.coded(lambda cell: cell[1]) for coder in coders.values())
    return fill(export, Columns(tuple(coders)), Rows(columns, np.array(lines), ragged=sum(map(len, bad.values()))))


def _record(line: bytes) -> dict | str:
    """Return a line's object; the rule that it breaks where it is none."""
    try:
        record = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return "json_line"
    if not isinstance(record, dict):
        return "json_line"
    return "nested_value" if any(isinstance(value, (dict, list)) for value in record.values()) else record


def _object(pairs: list[tuple[str, object]]) -> dict:
    found = {key.strip(): value for key, value in pairs}
    if len(found) < len(pairs) or "" in found:
        raise ValueError("a key is empty or given twice")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _add(rows: list[dict], coders: dict[str, Coder], before: int) -> None:
    """Append rows; a key that is new here was missing in all rows `before`."""
    for key in dict.fromkeys(key for row in rows for key in row):
        if key not in coders:
            coders[key] = Coder()
            coders[key].add([(type(None), None)] * before)
    for key, coder in coders.items():
        coder.add([(type(row.get(key)), text_of(row.get(key))) for row in rows])


def _note_bad(bad: dict[str, list[int]], export: Export) -> None:
    if bad["json_line"]:
        export.fail(
            "json_line",
            "is not one JSON object a line, in UTF-8 and each key once; export it again as JSON lines",
            bad["json_line"],
        )
    if bad["nested_value"]:
        export.fail("nested_value", "holds lists or objects within an object; export flat records", bad["nested_value"])
