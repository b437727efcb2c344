"""What a file is, told by how it begins and not by its name."""

import json
import re
from pathlib import Path

_HEAD_BYTES = 1 << 16
_BY_START = (
    (b"PK\x03\x04", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"PAR1", "parquet"),
    (b"$FL2", "sav"),
    (b"$FL3", "sav"),
    (b"<stata_dta>", "dta"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3\0", "an SQLite database"),
)
_SAS = b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00\x09\xc7\x31\x8c\x18\x1f\x10\x11"
_OLD_STATA = re.compile(rb"[\x68-\x73][\x01\x02]\x01\x00")
_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|table|\?xml|meta|style)", re.IGNORECASE)
SPREADSHEETS = (".xlsx", ".xls", ".xlsb", ".ods", ".xlsm")
JSON_LINES = (".jsonl", ".ndjson")


def kind_of(path: Path) -> str:
    """Return ``zip``, ``ole``, ``parquet``, ``sav``, ``por``, ``dta``, ``sas7bdat``, ``json``, ``text``, or the name
    of what no reader here can read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    for start, kind in _BY_START:
        if head.startswith(start):
            return kind
    if head.startswith(_SAS):
        return "sas7bdat"
    if _OLD_STATA.match(head):
        return "dta"
    if b"SPSS PORT FILE" in head[:300]:
        return "por"
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        return "a web page or XML"
    return "json" if path.suffix.lower() in JSON_LINES or _is_json(text) else "text"


def _is_json(head: bytes) -> bool:
    first = next((line for line in head.splitlines() if line.strip()), b"").strip()
    if first == b"[" or first.startswith(b"[{"):
        return True
    if not first.startswith(b"{"):
        return False
    try:
        return first == b"{" or isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False
