"""Where each number comes from, ready to be set: the rows of the ledger, how each was made, and what went in."""

from collections.abc import Sequence

from analysis.plan.results import Estimate, Finding
from analysis.release.answer import Released
from analysis.report import tables
from analysis.report.origins import cell_link, making_of, notebook_of, origin_of
from analysis.report.pictures import slug
from analysis.report.prose import short_label
from analysis.report.sections import shown_table
from analysis.report.summary import has_section, page_of
from analysis.report.wording import hypothesis_title


def rows_section(released: Released) -> dict[str, object]:
    """Return every finding's rows, the estimators that made them, and what became of the rows of the files."""
    findings = [finding for finding in released.findings if has_section(finding)]
    names = dict.fromkeys(row.estimator for finding in findings for row in finding.estimates)
    counts, least = released.described.get("row_counts"), released.study.min_cell
    went_in = None if counts is None else tables.row_counts_table(counts, least)
    return {
        "findings": [_finding(finding, released) for finding in findings],
        "makings": {name: making_of(name) for name in names},
        "went_in": shown_table("rows", tables.row_counts_table, went_in),
    }


def _finding(finding: Finding, released: Released) -> dict[str, object]:
    rows: Sequence[Estimate] = finding.estimates
    lines = tables.estimates_table([finding], released.study.min_cell).to_dict("records")
    return {
        "title": f"{hypothesis_title(finding)}: {short_label(finding, released.study)}",
        "href": f"{page_of(finding.hypothesis)}#{slug(finding)}",
        "origin": origin_of("estimates", tables.estimates_table, finding),
        "rows": [_row(row, line, finding) for row, line in zip(rows, lines, strict=True)],
    }


def _row(row: Estimate, line: dict[str, str], finding: Finding) -> dict[str, str]:
    view = "main_row" if row is finding.primary else "estimates"
    what = f"{line['analysis']}: {line['outcome']}, {line['compared']}"
    months = f"{row.horizon_months} months" if row.horizon_months is not None else ""
    interval = line["95 % interval"] if row.is_estimated else ""
    return {
        "id": row.row,
        "what": ", ".join(part for part in (what, months) if part),
        "number": f"{line['estimate']} {interval}".strip(),
        "unit": line["unit"] if row.is_estimated else "",
        "estimator": row.estimator,
        "way": line["way"],
        "cell": cell_link(notebook_of(finding.hypothesis), view),
    }
