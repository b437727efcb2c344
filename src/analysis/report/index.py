"""The list of all studies, made from what the report folders hold."""

from pathlib import Path

from analysis.report.page import index_page, read_index_entry


def write_index(reports: Path) -> Path:
    """Write ``index.html`` over every study with a report in `reports`; return its path."""
    folders = sorted(p.parent for p in reports.glob("[a-z0-9]*/run.json"))
    page = reports / "index.html"
    staging = reports / ".index.html"
    staging.write_text(index_page([read_index_entry(folder) for folder in folders]), encoding="utf-8")
    staging.replace(page)
    return page
