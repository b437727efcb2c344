"""The plan of a study's programs, from its own exit history to what may be shown."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from analysis.design.follow_up import build_history
from analysis.estimate.by_trials import retention_outcome
from analysis.estimate.planning import Baseline, PlanRow, RolePlan, baseline, plan_rows
from analysis.measure.exposure import ANALYSED_ROLES, analysed_roles
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.provenance import provenance
from analysis.plan.contract import Assignment
from analysis.plan.errors import BadInput, bad_input
from analysis.plan.hypotheses import load_plan, smallest_effect
from analysis.plan.paths import STUDY_NAME
from analysis.plan.study import Program
from analysis.release.findings import release_problems
from analysis.release.planning import ReleasedPlan, release_plan
from analysis.release.rule import ReleaseRule
from analysis.report.folders import new_folder
from analysis.report.ledger import write_problems

NO_EMPLOYEES = "The study has no HR dates (employees), so who left and when is unknown."
NOTEBOOK = "08_planning.ipynb"


def plan(opened: OpenStudy, wanted: tuple[float, ...] = (), effective_share: float = 1.0) -> ReleasedPlan:
    """Return what a program could show, for every program and role of the study, or for everybody where it has none.

    Parameters
    ----------
    wanted
        Effects asked for beside the study's smallest effect of interest: fewer exits as positive shares.
    effective_share
        Share of the comparators that is taken to count after weighting, above 0 and at most 1; all do under a lottery.
    """
    study, rule = opened.study, ReleaseRule.of(opened.study)
    roles = (
        release_plan(_role_plan(opened, program, role, wanted, effective_share), rule)
        for program, role in _planned_roles(opened)
    )
    created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    return ReleasedPlan(
        study=study,
        roles=tuple(roles),
        problems=release_problems(opened.problems, rule),
        run=provenance(study) | {"created": created},
    )


def _planned_roles(opened: OpenStudy) -> Iterator[tuple[Program | None, str]]:
    """Yield every program with each role that it names or has enrolled; a study without one gives everybody."""
    for program in opened.study.programs:
        named = {*program.eligibility, *analysed_roles(opened.tables.enrolments, program.id)}
        yield from ((program, role) for role in [r for r in ANALYSED_ROLES if r in named] or ["any"])
    if not opened.study.programs:
        yield None, "any"


def _role_plan(
    opened: OpenStudy, program: Program | None, role: str, wanted: tuple[float, ...], effective_share: float
) -> RolePlan:
    study, tables = opened.study, opened.tables
    least = smallest_effect(study, load_plan().hypothesis("H1_retention"))
    effects = tuple(sorted({least, *wanted}))
    outcome = "voluntary_exit" if tables.employees is None else retention_outcome(tables.employees)
    history = None if tables.employees is None else build_history(tables, study, program, role)
    # Lots leave nothing to weight for.
    is_lottery = program is not None and program.is_randomized
    rows: list[PlanRow] = []
    for horizon in study.horizons_months:
        naming = PlanRow(
            study=study.study,
            program=program.id if program else "",
            role=role,
            assignment=program.assignment if program else Assignment.SELF_SELECTED,
            outcome=outcome,
            horizon_months=horizon,
            quantity="smallest_detectable",
            effective_share=1.0 if is_lottery else effective_share,
        )
        known = (
            baseline(history, outcome, horizon)
            if history
            else Baseline(outcome=outcome, horizon_months=horizon, reason=NO_EMPLOYEES)
        )
        # Sizes and comparators are parted out of those eligible, who could be added up from them.
        rows += plan_rows(naming, replace(known, n_eligible=ReleaseRule.of(study).rounded(known.n_eligible)), effects)
    return RolePlan(program, role, least, tuple(rows))


def plan_study(
    name: str,
    data: Path,
    reports: Path,
    wanted: tuple[float, ...] = (),
    effective_share: float = 1.0,
    say: Callable[[str], None] = print,
) -> ReleasedPlan:
    """Write the plan of one study into ``reports/<name>.plan/``, replaced whole or not at all, and return it.

    Raises
    ------
    BadInput
        With every problem; the folder then holds the data-quality ledger alone.
    """
    # What draws and what runs notebooks takes seconds to import: those who only look at a study do not wait for it.
    from analysis.report.execute import execute_notebooks
    from analysis.report.planning_page import write_plan

    target = reports / f"{name}.plan"
    try:
        say(f"{name}: reading and checking")
        opened = open_study(name, data)
        if opened.tables.employees is None:
            raise bad_input("study.yaml", f"{NO_EMPLOYEES} Add a source of table employees.", rule="missing_table")
    except BadInput as bad:
        if STUDY_NAME.fullmatch(name) and (data / name).is_dir():
            with new_folder(target) as folder:
                write_problems(bad.problems, folder)
        raise
    say(f"{name}: planning")
    planned = plan(opened, wanted, effective_share)
    with new_folder(target) as folder:
        write_plan(planned, folder)
        execute_notebooks(name, data, folder / "notebooks", pattern=NOTEBOOK, say=lambda done: say(f"{name}: {done}"))
    return planned
