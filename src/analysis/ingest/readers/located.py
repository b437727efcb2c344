"""Where a source's file is, and that it may be read."""

from pathlib import Path

from analysis.ingest.export import Export
from analysis.plan.paths import LEADS_OUT, leads_out
from analysis.plan.study import Source, Study


def locate(source: Source, study: Study, export: Export) -> Path | None:
    """Return the path of a source's file; None where it cannot be read, with the reason noted."""
    try:
        path = (study.folder / source.path).resolve()
        if leads_out(path, study.folder):
            export.fail("leaves_study", LEADS_OUT)
        elif path.is_dir():
            export.fail("folder", "is a folder; name the file in it")
        elif not path.is_file():
            export.fail(
                "missing_file",
                "there is no such file in the study's folder; put the export there or correct its path in study.yaml",
            )
        elif _is_empty(path):
            export.fail("empty_file", "is empty; export it again, or take it out of study.yaml")
        else:
            return path
    except OSError as error:
        export.fail("unreadable_file", f"cannot be read ({error.strerror}); check the file's permissions")
    except (ValueError, RuntimeError):  # no path at all, or links in a circle
        export.fail("unreadable_file", "is no path that can be followed; correct it in study.yaml")
    return None


def _is_empty(path: Path) -> bool:
    with path.open("rb") as file:
        return not file.read(1)
