"""Who is in the data, and who came how far from being employed to being analysed."""

from collections.abc import Callable, Sequence

import pandas as pd

from analysis.design.starters import ENROLLED, LOSS, STAGE, enrolment_funnel
from analysis.measure.coverage import coverage, missingness
from analysis.measure.employment import annual_exit_rates
from analysis.measure.exposure import participation
from analysis.measure.scales import response_rates
from analysis.pipeline.measured import measured
from analysis.pipeline.opened import OpenStudy
from analysis.plan.contract import Tables
from analysis.plan.faults import Part, isolated
from analysis.plan.known import known
from analysis.plan.results import Finding

# --- people flow ------------------------------------------------------------------------------------------------------
# From everyone employed to those analysed: the way into each program and role, and what each answer made of them.

COLUMNS = ["program_id", "role", "hypothesis", "unit", "kind", "step", "n_people"]
ANALYSED = "analysed"
LOTS = "lots drawn"
ARMS = "people by arm"


def people_flow(opened: OpenStudy, findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the participant flow of every answer that compares people.

    One row per program, role, hypothesis and stage or loss, in order: ``unit`` (``people``; of lotteries, in
    which a person may draw several times, ``lots`` or ``people by arm``), ``kind`` (``stage`` or ``loss``), ``step``,
    ``n_people`` (missing where there is no answer). Within a unit a stage less its losses is the next stage.
    """
    frames, ways = [], {}
    for finding in findings:
        flow = finding.evidence.get("flow")
        if flow is None or flow.empty or opened.tables.enrolments is None:
            continue
        program = opened.study.program(finding.program)
        key = (finding.program, finding.role)
        if key not in ways:
            ways[key] = enrolment_funnel(opened.tables, opened.study, program, finding.role)
        rows = _ladder(ways[key], finding, program.is_randomized)
        frames.append(rows.assign(program_id=finding.program, role=finding.role, hypothesis=finding.hypothesis))
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def _ladder(way: pd.DataFrame, finding: Finding, by_lot: bool) -> pd.DataFrame:
    """Return the stages of one answer: the enrolment funnel, then what the answer says of those it could compare."""
    flow = finding.evidence["flow"]
    # Who was offered a place and who started does not decide who is analysed where lots were drawn.
    way = (way.iloc[: way.index[way["step"] == ENROLLED][0] + 1] if by_lot else way).assign(unit="people")
    if flow["step"].iloc[-1] != ANALYSED:
        return _concat(way, _scored(finding, way["n_people"].iloc[-1], by_lot), ARMS if by_lot else "people")
    counts = [column for column in flow.columns if column.startswith("n_")]
    told = pd.DataFrame({"step": flow["step"], "n_people": flow[counts].sum(axis=1, skipna=False)})
    kinds = [STAGE if step in ("drew a lot", ANALYSED) else LOSS for step in told["step"]]
    if by_lot:
        return _concat(way, told.assign(kind=kinds).replace({"step": {"drew a lot": LOTS}}), "lots")
    return _concat(way, told.assign(kind=kinds).iloc[1:], "people")


def _scored(finding: Finding, started: int, by_lot: bool) -> pd.DataFrame:
    """Return those with the scores that a scale's answer needs: of both arms where lots were drawn."""
    row = finding.primary
    if by_lot:
        n = known(row.n_treated) + known(row.n_control) if row.is_estimated else pd.NA
        return pd.DataFrame({"kind": [STAGE], "step": [ANALYSED], "n_people": [n]})
    n = known(row.n_treated) if row.is_estimated else pd.NA
    steps = ["no score before and after", ANALYSED]
    return pd.DataFrame({"kind": [LOSS, STAGE], "step": steps, "n_people": [started - n, n]})


def _concat(way: pd.DataFrame, rest: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return both parts in one; counts as nullable integers."""
    both = pd.concat([way.astype({"n_people": object}), rest.assign(unit=unit).astype({"n_people": object})])
    return both.assign(n_people=pd.array(both["n_people"].tolist(), dtype="Int64"))


# --- described --------------------------------------------------------------------------------------------------------
# Who is in the data: the frames that describe a study, before disclosure control.


def describe(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return what can be described, by name (see `release.answer.Released`); what the study lacks is left out.

    Each frame is made by itself: one that a fault takes away is left out, the others are there.
    """
    tables, study = opened.tables, opened.study
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "row_counts": lambda: tables.row_counts,
        "missingness": lambda: missingness(tables),
    }
    if tables.enrolments is not None:
        makers["participation"] = lambda: participation(tables.enrolments)
    if tables.employees is not None:
        makers["exit_rates"] = lambda: annual_exit_rates(tables, study.study_start, study.as_of)
        makers["coverage"] = lambda: coverage(tables, study.study_start, study.as_of)
    if tables.responses is not None and tables.waves is not None and len(tables.responses):
        makers["response_rates"] = lambda: _response_rates(tables)
    made = {name: isolated(Part("frame", name), make, lambda _: None) for name, make in makers.items()}
    return {name: frame for name, frame in made.items() if frame is not None} | measured(opened)


def _response_rates(tables: Tables) -> pd.DataFrame:
    """Return who answered each wave, by instrument; there is one answer at least."""
    instruments = sorted(known(tables.responses)["instrument"].unique())
    rates = [response_rates(tables, name).assign(instrument=name) for name in instruments]
    return pd.concat(rates, ignore_index=True)
