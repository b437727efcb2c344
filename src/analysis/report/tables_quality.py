"""Tables of how good the data are, as text: what must be corrected, gaps, coverage, the participant flow."""

from collections.abc import Iterable

import pandas as pd

from analysis.plan.errors import Problem, problems_frame
from analysis.plan.hypotheses import load_plan
from analysis.plan.study import Study
from analysis.report.quality_words import empty_columns, gaps, stage_name
from analysis.report.wording import DASH, count, percent, role_phrase

STAGES = ("employed", "enrolled", "offered a place", "started", "analysed")


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
