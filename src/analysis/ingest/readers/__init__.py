"""Readers: files and queries of every kind become an `Export`, text as it came, and what is wrong with them is told."""

from analysis.ingest.export import Export
from analysis.ingest.profile import Header
from analysis.ingest.readers.csv_file import read_csv
from analysis.ingest.readers.located import locate
from analysis.plan.study import Source, Study

__all__ = ["read_export"]


def read_export(source: Source, study: Study, header: Header) -> Export:
    """Read one source of a study as text.

    What a file is, is told by its content; its name's ending decides nothing but what is told.

    Parameters
    ----------
    header
        Which of its lines name the columns; for text files and spreadsheets.

    Returns
    -------
    Export
        Nothing is raised: every problem is in it.
    """
    export = Export(source.table, source.name)
    path = locate(source, study, export)
    if path is not None:
        read_csv(path, source, header, export)
    return export
