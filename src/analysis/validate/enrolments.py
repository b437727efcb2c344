"""Rules of the enrolments and sessions tables, of lotteries and of rollouts. Treated = `start_date` is not null."""

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.plan.contract import OTHER_SIDE
from analysis.plan.errors import Problem
from analysis.plan.study import Program, Study
from analysis.plan.yaml_file import load_yaml
from analysis.validate.employees import employed_on, person_rules
from analysis.validate.rule import Context, Rule, after_as_of, nowhere, study_file_problem

# --- lots -------------------------------------------------------------------------------------------------------------
# What study.yaml says of how lots were drawn, held against what the tables hold.

# What of a job or a person lots can have been drawn within; what is known only later, or is of one person, cannot.
OF_JOBS = ("department", "job_level", "job_family")
NOT_OF_EMPLOYEES = (
    *("employee_id", "hire_date", "service_date", "exit_date", "exit_type", "exit_reason", "notice_date"),
    *("_source", "_line"),
)


def lot_problems(context: Context) -> list[Problem]:
    """Return the strata that no table has a column for, and the wait-list's days of intakes that nobody enrolled in."""
    found = []
    for i, program in enumerate(context.study.programs):
        for name in _unknown_strata(context, program):
            message = (
                f"programs: strata: neither the employees nor the jobs have a column {name} with values, so nobody's "
                "stratum is known; correct the name, or add the column to the export"
            )
            lines = _lines(context.study, i, "strata")
            found.append(study_file_problem("study", "unknown_stratum", message, rows=1, lines=lines))
        for intake in _unknown_intakes(context, program):
            message = (
                f"programs: waitlist_starts: no enrolment of the program has the intake_date {intake}; correct the day"
            )
            lines = _lines(context.study, i, "waitlist_starts", str(intake))
            found.append(study_file_problem("study", "unknown_intake", message, rows=1, lines=lines))
    return found


def _unknown_strata(context: Context, program: Program) -> Iterator[str]:
    tables = {name: context.rows_of(name, left=True) for name in ("employees", "jobs")}
    is_unread = any(name in context.incomplete for name in tables)
    for name in program.strata if not is_unread else ():
        jobs, employees = tables["jobs"], tables["employees"]
        in_jobs = name in OF_JOBS and _has_values(jobs, name)
        if not in_jobs and (name in NOT_OF_EMPLOYEES or not _has_values(employees, name)):
            yield name


def _has_values(table: pd.DataFrame | None, column: str) -> bool:
    return table is not None and column in table and bool(table[column].notna().any())


def _unknown_intakes(context: Context, program: Program) -> Iterator[object]:
    enrolments = context.rows_of("enrolments", left=True)
    if enrolments is None:
        return
    known = set(enrolments.loc[enrolments["program_id"] == program.id, "intake_date"].dt.date)
    yield from (intake for intake in program.waitlist_starts if intake not in known)


def _lines(study: Study, program: int, *keys: str) -> tuple[int, ...]:
    path = study.folder / "study.yaml"
    return (load_yaml(path, source="study.yaml").line("programs", program, *keys),) if path.is_file() else ()


# --- rollout ----------------------------------------------------------------------------------------------------------
# Whether the units of a rollout, as ``study.yaml`` names them, are units of the data.

# Effective-dated attributes that a rollout may go by; any other column of employees is a fixed one.
UNITS_OF_JOBS = ("department", "job_family")


def rollout_problems(study: Study, kept: Mapping[str, pd.DataFrame]) -> list[Problem]:
    """Return what is wrong with the units and dates of the programs that are rolled out.

    Parameters
    ----------
    kept
        The checked tables, by name. Without employees and jobs there is nothing to look the units up in.
    """
    return [problem for program in study.programs for problem in _problems(program, kept)]


def _problems(program: Program, kept: Mapping[str, pd.DataFrame]) -> Iterator[Problem]:
    if program.rollout is None:
        return
    unit, table = program.rollout.unit, "jobs" if program.rollout.unit in UNITS_OF_JOBS else "employees"
    rows = kept.get(table)
    if rows is None:
        return
    if unit not in rows or rows[unit].isna().all():
        yield study_file_problem(
            table,
            "unknown_unit_column",
            f"rollout of the program {program.id}: unit: {unit!r} is no column of {table} with values; name "
            f"{', '.join(UNITS_OF_JOBS)}, location or another column of employees",
        )
        return
    present = set(rows[unit].dropna().astype(str))
    for name in sorted(set(program.rollout.dates) - present):
        yield study_file_problem(
            table,
            "unknown_unit",
            f"rollout of the program {program.id}: nobody is in the {unit} {name!r} of dates:; write the name as it "
            "stands in the data",
        )
    without = present - set(program.rollout.dates)
    if program.rollout.dates and without:
        yield study_file_problem(
            table,
            "unit_without_date",
            f"rollout of the program {program.id}: {len(without)} of {len(present)} units ({unit}) have no date in "
            "dates:; they count as reached from the day on which enough of their people start, or never",
            severity="info",
        )


# --- enrolments -------------------------------------------------------------------------------------------------------
# Rules of the enrolments and sessions tables. Treated = `start_date` is not null; `status` never decides.

NEVER_STARTED = ("not_selected", "declined", "waitlisted")
STARTED = ("active", "completed")


def _has_nobody_on_the_other_side(frame: pd.DataFrame) -> pd.Series:
    """Return who is on both sides of a match and meets nobody else there.

    Two people who mentor each other are both mentor and mentee of their match. Where an export names no match, the
    people of one of its rows are one.
    """
    row = frame["_source"].astype("str") + "#" + frame["_line"].astype("str")
    match = ["program_id", "intake_date", "match"]
    sides = frame.assign(match=frame["match_id"].astype("str").fillna(row))[[*match, "role", "employee_id"]]
    sides = sides[sides["role"].isin(list(OTHER_SIDE))].dropna()
    on_both = sides.groupby([*match, "employee_id"])["role"].transform("nunique") == len(OTHER_SIDE)
    people = sides.groupby([*match, "role"], observed=True)["employee_id"].nunique()
    other_side = pd.MultiIndex.from_frame(sides[[*match, "role"]].replace({"role": OTHER_SIDE}))
    alone = on_both & (people.reindex(other_side).to_numpy() == 1)
    return alone.reindex(frame.index, fill_value=False)


def _starts_outside_employment(rows: pd.DataFrame, context: Context) -> pd.Series:
    spells = context.rows_of("employees", left=True)
    if spells is None:
        return nowhere(rows)
    employed = employed_on(rows["employee_id"], rows["start_date"], spells)
    return ~employed & rows["employee_id"].isin(spells["employee_id"])


def _never_started(rows: pd.DataFrame) -> pd.Series:
    """Return who has no start; one of which no more is known than that it was is a start."""
    return rows["start_date"].isna() & ~rows["start_unknown"].fillna(False).astype(bool)


def _not_yet(what: str, consequence: str) -> Rule:
    column = f"{what}_date"
    message = f"{column} lies after as_of: {consequence} at the data lock"
    return Rule(f"{what}_after_as_of", column, "info", "set_null", message, lambda f, c: f[column] > c.as_of)


# Who enrols in what and when.
INTAKES = (
    *person_rules("employee_id", outsiders_stay=True),
    Rule(
        "unknown_program",
        "program_id",
        "error",
        "rejected",
        "program_id is no program of study.yaml ({programs}); correct it, or add the program there",
        lambda f, c: ~f["program_id"].isin([program.id for program in c.study.programs]) & f["program_id"].notna(),
    ),
    after_as_of("intake", "intake_date"),
)
# An enrolment's own dates and answers.
KEY = ["employee_id", "program_id", "intake_date", "role"]
ENROLMENTS = (
    Rule(
        "duplicate_enrolment",
        "employee_id",
        "error",
        "rejected",
        "an earlier row has the same person, program, intake and role; keep one row for each",
        lambda f, _: f.duplicated(KEY) & f[KEY].notna().all(axis=1),
    ),
    Rule(
        "end_before_start",
        "end_date",
        "error",
        "rejected",
        "end_date lies before start_date; correct one of them",
        lambda f, _: f["end_date"] < f["start_date"],
    ),
    Rule(
        "start_outside_span",
        "start_date",
        "error",
        "rejected",
        "start_date lies before start_earliest or after start_latest, or these two are the wrong way round; "
        "correct them",
        lambda f, _: (
            (f["start_date"] < f["start_earliest"])
            | (f["start_date"] > f["start_latest"])
            | (f["start_earliest"] > f["start_latest"])
        ),
    ),
    Rule(
        "start_before_intake",
        "start_date",
        "warning",
        "kept",
        "start_date lies before intake_date; check both dates",
        lambda f, _: f["start_date"] < f["intake_date"],
    ),
    Rule(
        "mentor_is_mentee",
        "employee_id",
        "error",
        "rejected",
        "the person is the mentor and the mentee of one match, with nobody else on the other side: nobody mentors "
        "oneself; correct one of the two, or take the match out",
        lambda f, _: _has_nobody_on_the_other_side(f),
    ),
    _not_yet("start", "the person has not started yet"),
    _not_yet("end", "it has not ended yet"),
    _not_yet("applied", "it is not known yet"),
    Rule(
        "start_outside_employment",
        "start_date",
        "warning",
        "kept",
        "the person is not employed on start_date; check it against hire_date and exit_date",
        _starts_outside_employment,
    ),
    Rule(
        "status_never_started",
        "status",
        "warning",
        "kept",
        f"status is one of {', '.join(NEVER_STARTED)}, but there is a start_date, and the start_date decides; "
        "check both",
        lambda f, _: f["status"].isin(NEVER_STARTED) & f["start_date"].notna(),
    ),
    Rule(
        "status_started",
        "status",
        "warning",
        "kept",
        f"status is one of {', '.join(STARTED)}, but there is no start_date, so the person counts as never "
        "started; check both",
        lambda f, _: f["status"].isin(STARTED) & _never_started(f),
    ),
    Rule(
        "started_without_offer",
        "offered",
        "warning",
        "kept",
        "offered is false, but there is a start_date; check both",
        lambda f, _: f["offered"].eq(False).fillna(False) & f["start_date"].notna(),
    ),
    Rule(
        "end_without_start",
        "end_date",
        "warning",
        "kept",
        "there is an end_date but no start_date, so the person counts as never started; check both",
        lambda f, _: f["end_date"].notna() & _never_started(f),
    ),
)


def _is_in_no_enrolment(rows: pd.DataFrame, context: Context) -> pd.Series:
    enrolments = context.rows_of("enrolments")
    return (
        nowhere(rows)
        if enrolments is None
        else ~rows["match_id"].isin(enrolments["match_id"]) & rows["match_id"].notna()
    )


def _meets_before_the_start(rows: pd.DataFrame, context: Context) -> pd.Series:
    enrolments = context.rows_of("enrolments")
    if enrolments is None:
        return nowhere(rows)
    starts = enrolments.groupby("match_id")["start_date"].min()
    return rows["session_date"] < starts.reindex(rows["match_id"]).set_axis(rows.index)


# The meetings of a match.
SESSIONS = (
    after_as_of("session", "session_date"),
    Rule(
        "unknown_match",
        "match_id",
        "warning",
        "kept",
        "match_id is in no enrolment, so nobody is credited with the session; correct it, or complete the enrolments",
        _is_in_no_enrolment,
    ),
    Rule(
        "session_before_start",
        "session_date",
        "info",
        "kept",
        "session_date lies before the match's first start_date; check both",
        _meets_before_the_start,
    ),
)
