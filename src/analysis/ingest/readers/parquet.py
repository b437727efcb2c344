"""Parquet files."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from analysis.ingest.export import Export, is_heading
from analysis.ingest.readers.cells import text_of
from analysis.ingest.readers.columns import Coded, Rows, fill
from analysis.ingest.readers.header import Columns, is_good

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
        fill(export, Columns(tuple(names)), Rows(_columns(table), np.arange(2, table.num_rows + 2)))
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


def _columns(table: pa.Table) -> Iterator[Coded]:
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
