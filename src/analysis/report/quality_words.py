"""How the quality of the data is put in words: rows, gaps, coverage and the participant flow."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.plan.errors import Problem
from analysis.plan.study import Program
from analysis.report.wording import count, percent, role_phrase

# Problems that say something of an export as a whole, and ask for nothing to be corrected.
REMARKS = ("unverified_profile", "remark")
MOST_REASONS = 2
STAGES = {"employed": "Employed at some time", "offered a place": "Offered a place", "started": "Started",
          "analysed": "In the analysis", "lots drawn": "Randomized in all intakes"}  # fmt: skip


def n_repaired(counts: pd.DataFrame) -> pd.Series:
    """Return how many rows of each source were repaired because something was wrong; a few count as none."""
    return counts["rows_repaired"].fillna(0).astype(int) - counts["rows_translated"].fillna(0).astype(int)


def rows_sentence(counts: pd.DataFrame, min_cell: int) -> str:
    """Return how many rows came in and what became of them: ``180 of 21,400 rows were rejected, few repaired``.

    Parameters
    ----------
    min_cell
        Fewer rows are only said to be few; 0 where the reader may know.
    """
    rows_in, rejected, repaired = (
        int(n.sum()) for n in (counts["rows_in"], counts["rows_rejected"], n_repaired(counts))
    )
    if rows_in < min_cell:
        return f"Every file has fewer than {min_cell} rows"
    told = "few" if repaired < min_cell else f"{repaired:,}" if repaired else "none"
    if not rejected and not min_cell:
        return f"All {rows_in:,} rows were kept, {told} repaired"
    many = "few" if rejected < min_cell else f"{rejected:,}"
    return f"{many} of {rows_in:,} rows {'was' if rejected == 1 else 'were'} rejected, {told} repaired".capitalize()


def reasons(problems: Iterable[Problem], actions: Sequence[str], min_cell: int) -> str:
    """Return the main reasons why rows were rejected or repaired, most rows first, by the short names of the rules."""
    found: dict[str, int] = {}
    for problem in problems:
        if problem.rows != 0 and (problem.action in actions or problem.severity == "error"):
            found[problem.rule] = found.get(problem.rule, 0) + (problem.rows or 0)
    ordered = sorted(found.items(), key=lambda reason: -reason[1])
    if len(ordered) == 1:
        return plain_rule(ordered[0][0])
    told = [f"{plain_rule(rule)} ({count(n, min_cell)})" for rule, n in ordered[:MOST_REASONS]]
    return ", ".join([*told, "…"] if len(ordered) > MOST_REASONS else told)


def plain_rule(rule: str) -> str:
    """Return a rule's short name as words."""
    return rule.replace("_", " ").replace("as of", "as_of")


def coverage_sentence(frame: pd.DataFrame, min_cell: int) -> str:
    """Return how complete the job history is in its worst month."""
    jobs, managers = frame["share_with_job_row"].min(), frame["share_with_manager"].min()
    if pd.isna(jobs):
        return "The study has no job history: levels, departments and managers are unknown"
    all_but = f"all but fewer than {min_cell}"
    told = [all_but if share == 1 else f"at least {percent(share)}" for share in (jobs, managers)]
    return f"In every month {told[0]} of those employed have a job on record, and {told[1]} a manager"


def gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in which something is missing, those that are empty altogether left out."""
    share = frame["share_missing"].astype(float)
    return frame[(share > 0) & (share < 1)].reset_index(drop=True)


def empty_columns(frame: pd.DataFrame) -> str:
    """Return the columns that hold nothing, by table: ``enrolments: topics; jobs: fte``."""
    empty = frame[frame["share_missing"].astype(float) == 1]
    return "; ".join(f"{table}: {', '.join(rows['column'])}" for table, rows in empty.groupby("table", sort=False))


def gaps_sentence(frame: pd.DataFrame, min_cell: int) -> str:
    """Return how many columns have gaps, and which has the largest."""
    found = gaps(frame)
    if found.empty:
        return f"No column has gaps in {min_cell} rows or more"
    worst = found.loc[found["share_missing"].astype(float).idxmax()]
    of = "" if worst["of"] == "all rows" else f" of the {worst['of']}"
    have = "column has" if len(found) == 1 else "columns have"
    return (
        f"{len(found)} {have} gaps; the largest: {worst['column']} in {worst['table']}, "
        f"missing in {percent(worst['share_missing'])}{of or ' of the rows'}"
    )


def stage_name(step: str, program: Program, role: str) -> str:
    """Return a stage of the participant flow as a reader calls it."""
    return f"Enrolled as {role_phrase(program, role)}" if step == "enrolled" else STAGES[step]


def flow_sentence(rows: pd.DataFrame, program: Program, min_cell: int) -> str:
    """Return where a participant flow begins and ends."""
    stages = rows[rows["kind"] == "stage"]
    first, last = stages.iloc[0], stages.iloc[-1]
    who = f"{program.name}, {role_phrase(program, rows['role'].iloc[0])}"
    begin = f"{count(first['n_people'], min_cell)} people {'enrolled' if first['step'] == 'enrolled' else 'employed'}"
    return f"{who}: of {begin}, {count(last['n_people'], min_cell)} {last['unit']} are in the analysis"
