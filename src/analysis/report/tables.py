"""Tables for people: released rows and frames as text, small groups masked, ready for a page or a notebook."""

import re
from collections.abc import Iterable
from html import escape

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import Problem, problems_frame
from analysis.plan.faults import known
from analysis.plan.results import Check, Estimate, Estimated, Finding
from analysis.report.facts import Way, moderator_rows
from analysis.report.marks import Told, without_marks
from analysis.report.tables_quality import n_repaired
from analysis.report.wording import (
    DASH,
    NBSP,
    count,
    interval_text,
    number,
    outcome_name,
    p_text,
    percent,
    spaced_percent,
    unit,
    value_text,
)

NUMERIC = re.compile(r"[\s\d.,+−<%/\[\]–]*|p [<=>] [\d.]+")
RESULTS = {
    "passed": f"✓{NBSP}passed",
    "caution": f"!{NBSP}caution",
    "failed": f"✗{NBSP}failed",
    "untestable": "cannot be tested",
}
ESTIMATE_HEADS = [
    "analysis",
    "outcome",
    "compared",
    "way",
    "unit",
    "months",
    "estimate",
    "interval",
    "p",
    "people",
    "events",
]
STATUSES = {"not_estimable": "not estimable", "suppressed": "suppressed"}


def estimates_table(rows: Iterable[Finding | Estimate], min_cell: int = 10) -> pd.DataFrame:
    """Return one line per row of the estimates ledger, findings laid open with their main row first, as text.

    Estimates in the unit of their measure (risk differences in percentage points); counts under `min_cell` masked.
    """
    lines = []
    for row in rows:
        estimates = row.estimates if isinstance(row, Finding) else (row,)
        found = [_estimate_line(e, min_cell) for e in estimates]
        if isinstance(row, Finding):
            found[0]["analysis"] = CATALOGUE.analyses["primary"]
            if row.registered:
                found = [line | {"plan": row.registered.of(e)} for line, e in zip(found, estimates, strict=True)]
        lines += found
    heads = [*ESTIMATE_HEADS, *(["plan"] if any("plan" in line for line in lines) else [])]
    return pd.DataFrame(lines, columns=heads).rename(columns={"interval": "95 % interval"})


def _estimate_line(row: Estimate, min_cell: int) -> dict[str, str]:
    rated = f", {CATALOGUE.rater_source(row.rater_source)}" if row.rater_source else ""
    # Scores and money count nobody's events; a masked count is a count all the same.
    has_events = CATALOGUE.outcome(row.outcome).is_event and row.measure not in ("net_benefit", "exits_avoided")
    return {
        "analysis": CATALOGUE.analyses[row.analysis],
        "outcome": outcome_name(row.outcome) + rated,
        "compared": f"{CATALOGUE.contrast(row.contrast).label} ({CATALOGUE.estimand(row.estimand).label})",
        "way": CATALOGUE.estimator(row.estimator).short,
        "unit": CATALOGUE.measure(row.measure).label,
        "months": DASH if row.horizon_months is None else str(row.horizon_months),
        "estimate": value_text(row) if row.is_estimated else STATUSES[row.status],
        "interval": interval_text(row) or DASH,
        "p": p_text(Told.of(row, "p_value")),
        "people": _both(row, "n", min_cell),
        "events": _both(row, "events", min_cell) if has_events else DASH,
    }


def ways_table(ways: Iterable[Way]) -> pd.DataFrame:
    """Return one line per way to make the main answer: what is otherwise about it, estimate, interval, p."""
    return pd.DataFrame(
        [(w.text, value_text(w.row), interval_text(w.row), p_text(Told.of(w.row, "p_value"))) for w in ways],
        columns=["made with", "estimate, points", "95 % interval", "p"],
    )


def moderators_table(finding: Finding) -> pd.DataFrame:
    """Return one line per moderator, as text; the reason where there is no number."""
    heads = ["what was looked at", "estimate", "95 % interval", "unit, or why there is none"]
    lines = [(text, *_moderator(row)) for text, row in moderator_rows(finding)]
    return pd.DataFrame(lines, columns=heads)


def _moderator(row: Estimate) -> tuple[str, str, str]:
    if not isinstance(row, Estimated):
        return "not shown" if row.status == "suppressed" else "not estimable", DASH, row.reason
    return value_text(row), interval_text(row), unit(row).unit.replace(" ", NBSP) or unit(row).label


def missing_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return for how many people each covariate was not recorded, those that few people lack left out."""
    gaps = frame.dropna(subset=["n_treated", "n_control"], how="all")
    names = {"covariate": "not recorded", "n_treated": "program", "n_control": "comparison"}
    named = gaps.assign(covariate=gaps["covariate"].str.replace("_", " "))
    return _counted(named[list(names)], min_cell).rename(columns=names).reset_index(drop=True)


def quarters_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return balance by quarter of the start: people, the worst difference before and after weighting, and in what."""
    worst = frame["covariate"].astype(object).where(frame["covariate"].notna(), DASH).astype(str)
    return pd.DataFrame(
        {
            "started in": frame["quarter"].astype(str),
            "program": [count(n, min_cell) for n in frame["n_treated"]],
            "comparison": [count(n, min_cell) for n in frame["n_control"]],
            "worst before": [number(x, signed=True) for x in frame["worst_before"]],
            "worst after": [number(x, signed=True) for x in frame["worst_after"]],
            "in": worst.str.replace("_", " "),
        }
    )


def _both(row: Estimate, counted: str, min_cell: int) -> str:
    """Return how many people, or events, both groups have."""
    treated, control = (count(Told.of(row, f"{counted}_{arm}"), min_cell) for arm in ("treated", "control"))
    return f"{treated} / {control}" if row.is_estimated else DASH


def flow_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return what became of the people, one line per step; counts of people as text."""
    names = {"step": "step", "n_people": "people", "n_treated": "program", "n_control": "comparison"}
    return _counted(frame[[c for c in names if c in frame]], min_cell).rename(columns=names)


def checks_table(checks: Iterable[Check]) -> pd.DataFrame:
    """Return one line per assumption: passed, caution, failed, or one that no data can test."""
    lines = [(c.name, RESULTS[known(c.grade)], spaced_percent(c.sentence)) for c in checks]
    return pd.DataFrame(lines, columns=["assumption", "result", "what was found"])


def quality_table(problems: Iterable[Problem], min_cell: int = 10) -> pd.DataFrame:
    """Return the data-quality ledger, errors first, without line numbers; few rows are few people and are masked.

    What is the same in several files stands in one line.
    """
    frame = problems_frame(problems)
    told = frame.groupby(["severity", "message", "action"], sort=False)
    same = told.agg(source=("source", files_text), rows=("rows", lambda n: n.sum(min_count=1))).reset_index()
    return pd.DataFrame(
        {
            "severity": same["severity"],
            "file": same["source"],
            "rows": [DASH if pd.notna(n) and n == 0 else count(n, min_cell) for n in same["rows"]],
            "what is wrong": same["message"],
            "what was done": same["action"].str.replace("_", " "),
        }
    )


def files_text(sources: Iterable[str]) -> str:
    """Return the files that a line is about: by name where they are two at most, else the first and how many."""
    files = list(dict.fromkeys(sources))
    return ", ".join(files) if len(files) <= 2 else f"{files[0]} and {len(files) - 1} more"


def row_counts_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return rows read, kept (of them translated, repaired) and rejected, one line per file; read = kept + rejected."""
    counted = {
        "rows read": frame["rows_in"],
        "kept": frame["rows_kept"],
        "reformatted only": frame["rows_translated"],
        "repaired": n_repaired(frame),
        "rejected": frame["rows_rejected"],
    }
    told = {name: [count(n, min_cell) for n in counts] for name, counts in counted.items()}
    return pd.DataFrame({"table": frame["table"], "file": frame["source"]} | told)


def participation_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return the way into the program, one line per program, intake and role; people."""
    names = {
        "program_id": "program",
        "intake_date": "intake",
        "role": "role",
        "n_enrolled": "enrolled",
        "n_offered": "offered a place",
        "n_started": "started",
    }
    shown = _counted(frame[list(names)], min_cell).rename(columns=names)
    return shown.assign(intake=[_day(d) for d in frame["intake_date"]])


def exit_rates_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return exits per 100 person-years, one line per calendar year."""
    rates = {
        "voluntary": "voluntary_exit_per_100",
        "dismissals": "involuntary_exit_per_100",
        "other": "other_exit_per_100",
    }
    counted = {
        "year": [str(int(y)) for y in frame["year"]],
        "people": [count(n, min_cell) for n in frame["n_people"]],
        "person-years": [number(x, 0) for x in frame["person_years"]],
    }
    return pd.DataFrame(counted | {name: [number(x, 1) for x in frame[column]] for name, column in rates.items()})


def response_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return who answered, one line per instrument and wave: people employed, people who answered, their share."""
    return pd.DataFrame(
        {
            "survey": frame["instrument"].str.replace("_", " "),
            "wave": [f"{int(w)}" for w in frame["wave"]],
            "opened": [_day(d) for d in frame["opens"]],
            "employed": [count(n, min_cell) for n in frame["n_people"]],
            "answered": [count(n, min_cell) for n in frame["n_answered"]],
            "share": [percent(s) for s in frame["share"]],
        }
    )


def _counted(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return a copy whose ``n_`` columns are counts of people as text."""
    people = {c: [count(n, min_cell) for n in frame[c]] for c in frame.columns if c.startswith("n_")}
    return frame.assign(**people)


def _day(day: pd.Timestamp) -> str:
    return DASH if pd.isna(day) else f"{day:%Y-%m-%d}"


def frame_html(frame: pd.DataFrame) -> str:
    """Return a table of text as HTML: escaped, without an index, numbers to the right."""
    numeric = [_is_numeric(frame[c]) for c in frame.columns]
    heads = "".join(_cell("th", c, n, ' scope="col"') for c, n in zip(frame.columns, numeric, strict=True))
    lines = [
        "<tr>" + "".join(_cell("td", v, n) for v, n in zip(row, numeric, strict=True)) + "</tr>"
        for row in frame.itertuples(index=False)
    ]
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _is_numeric(column: pd.Series) -> bool:
    return len(column) > 0 and all(NUMERIC.fullmatch(without_marks(str(value))) for value in column)


def _cell(tag: str, value: object, numeric: bool, more: str = "") -> str:
    kind = ' class="n"' if numeric else ""
    return f"<{tag}{more}{kind}>{escape(str(value))}</{tag}>"
