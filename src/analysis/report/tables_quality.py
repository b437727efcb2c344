"""How good the data are, in tables and sentences: what must be corrected, rows, gaps, coverage, participant flow."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.plan.errors import Problem, problems_frame
from analysis.plan.hypotheses import load_plan
from analysis.plan.study import Program, Study
from analysis.report.template import say
from analysis.report.wording import DASH, count, percent, role_phrase

# Problems that say something of an export as a whole, and ask for nothing to be corrected.
REMARKS = ("unverified_profile", "remark")
MOST_REASONS = 2
STAGES = ("employed", "enrolled", "offered a place", "started", "analysed")


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
    told = (int(n.sum()) for n in (counts["rows_in"], counts["rows_rejected"], n_repaired(counts)))
    return say("quality.rows", *(None if n < min_cell else n for n in told), min_cell)


def coverage_sentence(frame: pd.DataFrame, min_cell: int) -> str:
    """Return how complete the job history is in its worst month."""
    shares = (frame["share_with_job_row"].min(), frame["share_with_manager"].min())
    return say("quality.coverage", *(None if pd.isna(share) else share for share in shares), min_cell)


def gaps_sentence(frame: pd.DataFrame, min_cell: int) -> str:
    """Return how many columns have gaps, and which has the largest."""
    found = gaps(frame)
    worst = None if found.empty else found.loc[found["share_missing"].astype(float).idxmax()].to_dict()
    return say("quality.gaps", len(found), worst, min_cell)


def stage_name(step: str, program: Program, role: str) -> str:
    """Return a stage of the participant flow as a reader calls it."""
    return say("quality.stage", step, role_phrase(program, role))


def flow_sentence(rows: pd.DataFrame, program: Program, min_cell: int) -> str:
    """Return where a participant flow begins and ends."""
    stages, role = rows[rows["kind"] == "stage"], role_phrase(program, rows["role"].iloc[0])
    first, last = stages.iloc[0].to_dict(), stages.iloc[-1].to_dict()
    return say("quality.flow", program.name, role, first, last, min_cell)


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


def gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in which something is missing, those that are empty altogether left out."""
    share = frame["share_missing"].astype(float)
    return frame[(share > 0) & (share < 1)].reset_index(drop=True)


def empty_columns(frame: pd.DataFrame) -> str:
    """Return the columns that hold nothing, by table: ``enrolments: topics; jobs: fte``."""
    empty = frame[frame["share_missing"].astype(float) == 1]
    return "; ".join(f"{table}: {', '.join(rows['column'])}" for table, rows in empty.groupby("table", sort=False))


def correction_table(problems: Iterable[Problem]) -> pd.DataFrame:
    """Return what must or can be corrected, with the lines: for those who have the files and nobody else."""
    frame = problems_frame(problems)
    lines = frame["example_rows"].str.replace(";", ", ")
    more = [", …" if shown and rows > shown.count(";") + 1 else "" for shown, rows in
            zip(frame["example_rows"], frame["rows"], strict=True)]  # fmt: skip
    return pd.DataFrame(
        {
            "file": frame["source"],
            "lines": [text or "the whole file" for text in lines + more],
            "rows": [f"{n:,}" if n else DASH for n in frame["rows"]],
            "what is wrong, and what to do": frame["message"],
        }
    )


def coverage_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return who is on record, one line per year: its first month in the study's time."""
    yearly = frame[(frame["month"].dt.month == 1) | (frame.index == 0)]
    return pd.DataFrame(
        {
            "on": [f"{day:%Y-%m-%d}" for day in yearly["month"]],
            "employed": [count(n, min_cell) for n in yearly["n_employed"]],
            "with a job on record": [percent(s) for s in yearly["share_with_job_row"]],
            "with a manager on record": [percent(s) for s in yearly["share_with_manager"]],
        }
    )


def gaps_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns with gaps, one line each, and the empty ones of each table in one line."""
    found = gaps(frame)
    lines = [(row.table, row.column, percent(row.share_missing), row.of) for row in found.itertuples()]
    for part in filter(None, empty_columns(frame).split("; ")):
        table, _, columns = part.partition(": ")
        lines.append((table, columns, "nothing recorded", ""))
    return pd.DataFrame(lines, columns=["table", "column", "missing", "of"])


def people_flow_table(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the stages of every answer, one line per program, role and hypothesis; a dash where there is none."""
    plan, lines = load_plan(), []
    for (program_id, role, hypothesis), rows in frame.groupby(["program_id", "role", "hypothesis"], sort=False):
        program = study.program(program_id)
        stages = rows[rows["kind"] == "stage"].set_index("step")
        counted = {s: _stage(stages, s, study.min_cell) for s in STAGES}
        who = f"{program.name}: {role_phrase(program, role)}"
        lines.append({"who": who, "answer": plan.hypothesis(hypothesis).title} | counted)
    return pd.DataFrame(lines, columns=["who", "answer", *STAGES])


def _stage(stages: pd.DataFrame, step: str, min_cell: int) -> str:
    if step not in stages.index:
        return DASH
    n = count(stages.loc[step, "n_people"], min_cell)
    return n if stages.loc[step, "unit"] == "people" else f"{n} {stages.loc[step, 'unit']}"


def people_steps_table(frame: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return every stage and loss of every answer, one line each, so that the numbers can be added up."""
    plan = load_plan()
    lines = []
    for row in frame.itertuples():
        program = study.program(row.program_id)
        n, is_loss = count(row.n_people, study.min_cell), row.kind == "loss"
        step = row.step if is_loss else stage_name(row.step, program, row.role)
        lines.append(
            {
                "who": f"{program.name}: {role_phrase(program, row.role)}",
                "answer": plan.hypothesis(row.hypothesis).title,
                "step": step,
                "lost": n if is_loss else "",
                "left": "" if is_loss else n,
                "counted in": row.unit,
            }
        )
    return pd.DataFrame(lines, columns=["who", "answer", "step", "lost", "left", "counted in"])
