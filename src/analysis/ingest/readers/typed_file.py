"""Files whose values have types: JSON lines, Parquet, and files of statistics programs with their value labels."""

import json
from collections.abc import Hashable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from analysis.ingest.export import Export, is_heading
from analysis.ingest.readers.columns import Coded, Coder, Rows, fill, text_of
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


# --- parquet ----------------------------------------------------------------------------------------------------------
# Parquet files.

_UNREADABLE = "is a Parquet file that is damaged or cannot be read; export it again, or as CSV"


def read_parquet(path: Path, export: Export) -> None:
    """Read one Parquet file into `export`; `_line` is 1 + the number of the row."""
    try:
        schema = pa.parquet.read_schema(path)
        names = [name.strip() for name in schema.names]
        if not is_good(names, export) or not _is_flat(schema, export):
            return
        text = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        table = pa.parquet.ParquetFile(path, read_dictionary=text).read()
        if not table.num_rows:
            export.fail("empty_file", "has columns but no rows; export it again, or take it out of study.yaml")
            return
        fill(export, Columns(tuple(names)), Rows(_table_columns(table), np.arange(2, table.num_rows + 2)))
    except pa.ArrowMemoryError:
        raise
    except (pa.ArrowException, UnicodeDecodeError):
        export.frame = None
        export.fail("unreadable_file", _UNREADABLE)


def _is_flat(schema: pa.Schema, export: Export) -> bool:
    odd = [n for n, f in enumerate(schema, 1) if pa.types.is_nested(f.type) or pa.types.is_binary(f.type)]
    if odd:
        shown = [name if is_heading(name := schema[n - 1].name) else str(n) for n in odd]
        export.fail("nested_value", f"column(s) {', '.join(shown)} hold lists, records or bytes; export flat columns")
    return not odd


def _table_columns(table: pa.Table) -> Iterator[Coded]:
    while table.num_columns:
        column, table = table.column(0), table.remove_column(0)
        if pa.types.is_null(column.type):
            column = column.cast(pa.string())
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        values = column.unify_dictionaries().combine_chunks()
        codes = values.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        is_typed = not (pa.types.is_string(values.type.value_type) or pa.types.is_large_string(values.type.value_type))
        texts = [text_of(value) or "" for value in values.dictionary.to_pylist()]
        yield Coded(codes.astype(np.int64), texts, is_typed)


# --- statistics file --------------------------------------------------------------------------------------------------
# Files of SPSS, Stata and SAS, with their value labels.


def read_statistics(path: Path, kind: str, encoding: str | None, export: Export) -> None:
    """Read one file of a statistics program into `export`.

    A value with a label becomes the label, a value declared missing by the user is missing, and a variable's label
    is its wording. `_line` is 1 + the number of the row.
    """
    import pyreadstat  # which few studies need

    try:
        chosen = {} if kind == "por" else {"encoding": encoding}
        cells, meta = getattr(pyreadstat, f"read_{kind}")(path, output_format="dict", **chosen)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, ValueError, OverflowError, LookupError):
        return export.fail("unreadable_file", "is damaged or of a version that cannot be read; export it again as CSV")
    n_rows = len(next(iter(cells.values()), ()))
    if not n_rows:
        return export.fail("empty_file", "has no rows; export it again, or take it out of study.yaml")
    names = tuple(name.strip() for name in cells)
    if not is_good(names, export):
        return None
    wording: dict[str, tuple[str, ...]] = {
        name.strip(): (label,) for name, label in meta.column_names_to_labels.items() if label
    }
    rows = Rows(_labelled_columns(cells, meta.variable_value_labels), np.arange(2, n_rows + 2))
    labels = {
        name.strip(): {text_of(code) or "": label for code, label in known.items()}
        for name, known in meta.variable_value_labels.items()
    }
    return fill(export, Columns(names, wording, labels), rows)


def _labelled_columns(cells: dict[str, np.ndarray], labels: dict[str, dict]) -> Iterator[Coded]:
    return (_coded(column, labels.get(name, {})) for name, column in cells.items())


def _coded(column: np.ndarray, label_of: dict) -> Coded:
    coder: Coder[Hashable] = Coder()
    coder.add(column)
    return coder.coded(lambda cell: label_of.get(cell) or text_of(cell))
