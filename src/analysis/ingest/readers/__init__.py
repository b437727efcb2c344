"""Temporary stand-in."""

from analysis.ingest.csv_file import read_csv
from analysis.ingest.export import Export, as_text


def read_export(source, study, header):
    file = read_csv(study.folder / source.path, table=source.table, source=source.name)
    export = Export(source.table, source.name, problems=file.problems)
    if file.frame is not None:
        export.rows_in = len(file.frame)
        export.frame = file.frame.assign(
            **{c: as_text([None if x != x else x for x in file.frame[c]]) for c in file.frame if c != "_line"}
        )
    return export
