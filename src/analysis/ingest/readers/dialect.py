"""Which mark separates the values of a text file."""

import csv
import io
import re
from itertools import islice

from analysis.ingest.profile import Header
from analysis.ingest.readers.around import lines_above

MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SAMPLE_RECORDS = 200
# A first line with which spreadsheet programs are told the mark; it is no part of the table.
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[\r\n]*')


def find_delimiter(sample: str, header: Header) -> str:
    """Return the mark that splits the names' line into most columns and the other lines into as many.

    Parameters
    ----------
    sample
        The head of the file, cut anywhere.
    """
    first = next(io.StringIO(sample, newline=""), "")
    if told := SEPARATOR_LINE.fullmatch(first):
        return told[1]
    scores = {mark: _score(sample, mark, header) for mark in MARKS}
    return max(scores, key=scores.__getitem__)


def _score(sample: str, mark: str, header: Header) -> float:
    try:
        records = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=mark), _SAMPLE_RECORDS))
    except csv.Error:
        return 0.0
    while records and not any(cell.strip() for cell in records[0]):
        records.pop(0)
    records = records[lines_above(records, header) :]
    if len(records) < header.names:
        return 0.0
    width = len(records[header.names - 1])
    below = [len(record) for record in records[header.names :] if record]
    if len(below) > 1:
        below.pop()  # the sample may end within it
    alike = sum(n == width for n in below) / len(below) if below else 1.0
    return (width - 1) * (alike + 0.01)
