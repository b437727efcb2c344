"""How the bytes of a text file are meant: its encoding, its lines, and whether its quotation marks are clean."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.ingest.export import Export

CHUNK = 1 << 24
LONGEST_LINE = 1 << 26
_HEAD_BYTES = 1 << 10
# Shares of NUL bytes: in letters of two bytes half a header at least is plain, and text has no NUL of its own.
_LEAST_PLAIN, _MOST_STRAY = 0.5, 0.0
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_NUL_BYTES = (
    "holds NUL bytes, which text never does, unless it is UTF-16 without a byte-order mark; export it again as CSV in "
    "UTF-8, or say encoding: utf-16-le in study.yaml"
)


@dataclass
class Scan:
    """What one pass over a text file shows.

    Attributes
    ----------
    encoding
        The encoding's name for Python; its byte-order mark, if any, is no text to it.
    lines
        How many lines the file has, the last one counted whether or not it ends.
    is_quoted
        Whether there is any quotation mark.
    is_plain
        Whether every quotation mark opens, closes or is doubled as CSV asks, and every line ends with ``\\n`` or
        ``\\r\\n``: then there is one way to read the file.
    assumed_lines
        Where the encoding is assumed, the lines on which that matters.
    """

    encoding: str
    lines: int = 0
    is_quoted: bool = False
    is_plain: bool = True
    assumed_lines: list[int] | None = None


class NotText(Exception):
    """Bytes that are not of the encoding, on this line."""

    def __init__(self, line: int):
        self.line = line


def find_encoding(path: Path, given: str | None, delimiter: str, export: Export) -> Scan | None:
    """Find out a text file's encoding and read it through; None where it cannot be text, with the reason noted.

    Parameters
    ----------
    given
        The encoding that study.yaml names.
    """
    if given is not None and not _is_known(given):
        export.fail("encoding", "encoding: in study.yaml is no encoding that is known; try utf-8 or cp1252")
        return None
    mark = marked(path)
    if given and mark and not (_name(given).startswith(_name(mark)) or _name(mark).startswith(_name(given))):
        export.fail("encoding", f"begins as text in {_name(mark)} does; correct encoding: in study.yaml")
        return None
    told = mark or given
    try:
        return _scanned(path, told or "utf-8-sig", delimiter, export)
    except NotText as bad:
        if told:
            message = f"is not text in {_name(told)}; export it again as CSV in UTF-8, or correct encoding:"
            export.fail("encoding", message, [bad.line])
            return None
    try:
        scan = _scanned(path, "cp1252", delimiter, export)
    except NotText as bad:
        export.fail("encoding", "is neither UTF-8 nor Windows-1252 text; export it again as CSV in UTF-8", [bad.line])
        return None
    return scan and _assumed(path, scan, export)


def marked(path: Path) -> str | None:
    """Return the encoding of the byte-order mark with which a file begins; None where it has none.

    UTF-16 without a mark is recognised by its NUL bytes: of plain letters every second byte is one.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), wide_letters(head))


def wide_letters(head: bytes) -> str | None:
    """Return which UTF-16 the first bytes of a file without a mark are of; None where they are not."""
    bytes_ = np.frombuffer(head[: len(head) // 2 * 2], np.uint8)
    empty = [float((bytes_[at::2] == 0).mean()) if len(bytes_) else 0.0 for at in (0, 1)]
    if min(empty) > _MOST_STRAY or max(empty) < _LEAST_PLAIN:
        return None
    return "utf-16-be" if empty[0] > empty[1] else "utf-16-le"


def utf8_chunks(path: Path, encoding: str) -> Iterator[bytes]:
    """Yield the file in whole lines as UTF-8, some MB each, without its mark.

    Raises
    ------
    NotText
        The bytes are not of this encoding.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    is_utf8 = _name(encoding) == "utf-8"
    rest, lines, at_start = b"", 0, True
    with path.open("rb") as file:
        while content := file.read(CHUNK):
            try:
                text = decoder.decode(content)
                rest += content if is_utf8 else text.encode()
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace").encode()
                raise NotText(lines + (rest + before).count(b"\n") + 1) from error
            except UnicodeError as error:
                raise NotText(lines + 1) from error
            rest = rest.removeprefix(codecs.BOM_UTF8) if at_start else rest
            end = rest.rfind(b"\n") + 1 or rest.rfind(b"\r", 0, -1) + 1
            if end:
                yield rest[:end]
                lines += rest.count(b"\n", 0, end)
                rest, at_start = rest[end:], False
            if len(rest) > LONGEST_LINE:
                break
        else:
            try:
                text = decoder.decode(b"", final=True)
                rest += b"" if is_utf8 else text.encode()
            except UnicodeError as error:
                raise NotText(lines + 1) from error
    yield rest


def _is_known(encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)
        return "a".encode(encoding).decode(encoding) == "a"
    except (LookupError, UnicodeError, ValueError):
        return False


def _name(encoding: str) -> str:
    return codecs.lookup(encoding).name.removesuffix("-sig")


def _scanned(path: Path, encoding: str, delimiter: str, export: Export) -> Scan | None:
    scan = Scan(encoding)
    quotes, ends = 0, True
    for chunk in utf8_chunks(path, encoding):
        if 0 in chunk:
            line = scan.lines + chunk.count(b"\n", 0, chunk.index(0)) + 1
            export.fail("nul_bytes", _NUL_BYTES, [line])
            return None
        if len(chunk) > LONGEST_LINE:
            export.fail("endless_line", "has a line of many millions of characters; export it again as CSV")
            return None
        lone_returns = chunk.count(b"\r") - chunk.count(b"\r\n")
        scan.lines += chunk.count(b"\n") + lone_returns
        here = chunk.count(b'"')
        scan.is_plain = scan.is_plain and not lone_returns and (not here or _quotes_fit(chunk, quotes, delimiter))
        quotes += here
        ends = chunk[-1] in b"\r\n" if chunk else ends
    scan.lines += not ends
    scan.is_quoted, scan.is_plain = quotes > 0, scan.is_plain and quotes % 2 == 0
    return scan


def _quotes_fit(chunk: bytes, quotes_before: int, delimiter: str) -> bool:
    """Whether each quotation mark that opens stands at the start of a cell, and each that closes at the end of one.

    A doubled one within a cell closes and opens at once.
    """
    around = np.frombuffer(b"\n" + chunk + b"\n", np.uint8)
    at = np.flatnonzero(around == ord('"'))
    first = quotes_before % 2
    opening, closing = at[first::2], at[1 - first :: 2]
    edges = np.frombuffer(delimiter.encode() + b'"\n\r', np.uint8)
    return bool(np.isin(around[opening - 1], edges).all() and np.isin(around[closing + 1], edges).all())


def _assumed(path: Path, scan: Scan, export: Export) -> Scan | None:
    """Return the scan of a file in Windows-1252; None where some of its lines can only be UTF-8."""
    lines: dict[bool, list[int]] = {True: [], False: []}
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.isascii():
                lines[_is_utf8(line)].append(number)
    if lines[True]:
        rarer = min(lines.values(), key=len)
        most, these = ("UTF-8", "Windows-1252") if rarer is lines[False] else ("Windows-1252", "UTF-8")
        export.fail(
            "mixed_encodings",
            f"is {most} text, and these lines are {these}: two files of different programs were put together; "
            "export each by itself",
            rarer,
        )
        return None
    scan.assumed_lines = lines[False]
    return scan


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
