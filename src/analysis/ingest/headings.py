"""Columns of one name, and columns without any: they matter where something is read from them."""

from collections.abc import Collection

from analysis.ingest.export import Export


def note_headings(export: Export, read: Collection[str], *, is_strict: bool) -> None:
    """Note columns of an export that share a name or have none; an error where such a column is read.

    Parameters
    ----------
    read
        The columns of which something is made.
    is_strict
        Whether every column must have a name, as in a file of the contract's own form.
    """
    meant = {name: places for name, places in export.repeated.items() if name in read}
    others = {name: places for name, places in export.repeated.items() if name not in read}
    if meant:
        export.fail(
            "duplicate_column",
            f"{_listed(export, meant)} stand more than once in the header, and which one is meant is not known; keep "
            "one of each, or rename the others",
            [1],
        )
    if others:
        message = f"{_listed(export, others)} stand more than once in the header; none of them is read"
        export.note("duplicate_column", message, action="set_null")
    if export.unnamed:
        places = ", ".join(map(str, export.unnamed))
        message = f"{len(export.unnamed)} column(s) without a name in the header (column {places})"
        if is_strict:
            export.fail("unnamed_column", f"{message}; name them or take them out", [1])
        else:
            message = f"{message} were not read; name them if they are needed"
            export.note("unnamed_column", message, severity="warning", action="set_null")


def _listed(export: Export, repeated: dict[str, tuple[int, ...]]) -> str:
    shown = []
    for name, places in list(repeated.items())[:8]:
        called = " ".join(name.split())[:40] if export.may_show(name) else "one name"
        shown.append(f"{called} (columns {', '.join(map(str, places))})")
    return ", ".join(shown) + (f" and {len(repeated) - 8} more" if len(repeated) > 8 else "")
