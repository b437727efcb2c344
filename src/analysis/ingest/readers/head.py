"""The head of a large text file, and the sheets of a workbook: enough to tell whose export a file is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from analysis.ingest.readers.encoding import wide_letters
from analysis.ingest.readers.kind import kind_of
from analysis.plan.study import Source, Study

HEAD_BYTES, LARGE_BYTES = 1 << 20, 1 << 23
_WIDE_SIGNS = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def head(source: Source, study: Study) -> Iterator[Source]:
    """Yield a source of the first lines of a large text file, for the time of the block; any other as it is."""
    path = study.folder / source.path
    if path.stat().st_size <= LARGE_BYTES or kind_of(path) != "text":
        yield source
        return
    with path.open("rb") as file:
        content = file.read(HEAD_BYTES)
    if content.startswith(_WIDE_SIGNS) or wide_letters(content[:HEAD_BYTES]):  # a line's end is more than one byte
        yield source
        return
    copy = path.with_name(f".head-{path.name}")
    copy.write_bytes(content[: content.rfind(b"\n") + 1])
    try:
        yield source.model_copy(update={"path": copy.relative_to(study.folder).as_posix()})
    finally:
        copy.unlink()


def sheets_of(path: Path) -> list[str]:
    """Return the names of a workbook's visible sheets; the reader has looked at it before and found it safe."""
    sheets = CalamineWorkbook.from_path(str(path)).sheets_metadata
    is_table = [s.typ == SheetTypeEnum.WorkSheet and s.visible == SheetVisibleEnum.Visible for s in sheets]
    return [sheet.name for sheet, one_is in zip(sheets, is_table, strict=True) if one_is]
