"""Readers: files and queries of every kind become an `Export`, text as it came, and what is wrong with them is told."""

from pathlib import Path

from analysis.ingest.export import Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.csv_file import read_csv
from analysis.ingest.readers.json_lines import read_json_lines
from analysis.ingest.readers.kind import SPREADSHEETS, kind_of
from analysis.ingest.readers.located import locate
from analysis.ingest.readers.parquet import read_parquet
from analysis.ingest.readers.spreadsheet import read_spreadsheet
from analysis.plan.study import Source, Study

__all__ = ["read_export"]


def read_export(source: Source, study: Study, header: Header) -> Export:
    """Read one source of a study as text.

    What a file is, is told by its content; its name only decides what is said of it.

    Parameters
    ----------
    header
        Which of its lines name the columns; of text files and spreadsheets.

    Returns
    -------
    Export
        Nothing is raised: every problem is in it.
    """
    export = Export(source.table, source.name)
    try:
        if source.query:
            from analysis.ingest.readers.database import read_query  # SQLAlchemy, which few studies need

            read_query(source, export)
        elif (path := locate(source, study, export)) is not None:
            _read_file(path, source, header, export)
    except OSError as error:
        export.fail("unreadable_file", f"cannot be read ({error.strerror}); check the file and its permissions")
    except MemoryError:
        export.frame = None
        export.fail("too_large", "is larger than this machine's memory can hold; split it, or use a larger machine")
    return export


def _read_file(path: Path, source: Source, header: Header, export: Export) -> None:
    kind = kind_of(path)
    if source.sheet and kind not in ("zip", "ole"):
        return export.fail("which_sheet", "has no sheets: take sheet: out at the source in study.yaml")
    match kind:
        case "zip" | "ole":
            read_spreadsheet(path, kind, source, header, export)
        case "parquet":
            read_parquet(path, export)
        case "sav" | "por" | "dta" | "sas7bdat":
            from analysis.ingest.readers.statistics_file import read_statistics

            read_statistics(path, kind, source.encoding, export)
        case "json":
            read_json_lines(path, export)
        case "text":
            if path.suffix.lower() in SPREADSHEETS:
                export.note("other_format", f"is named {path.suffix.lower()} and is text: read as CSV", action="kept")
            read_csv(path, source, header, export)
        case _:
            export.fail("not_a_table", f"is {kind}, which cannot be read; export it as CSV or .xlsx")
