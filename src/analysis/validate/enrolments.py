"""Rules of the enrolments and sessions tables. Treated = `start_date` is not null; `status` never decides."""

from collections.abc import Callable

import pandas as pd

from analysis.plan.contract import OTHER_SIDE
from analysis.validate.context import Context
from analysis.validate.employment import employed_on, left_out_rule, person_rules
from analysis.validate.rule import Rule

NEVER_STARTED = ("not_selected", "declined", "waitlisted")
STARTED = ("active", "completed")


def intake_rules(context: Context) -> list[Rule]:
    """Return the rules of who enrols in what and when."""
    programs = [program.id for program in context.study.programs]
    return [
        *person_rules(context, "employee_id"),
        left_out_rule(context, "employee_id", stays=True),
        Rule(
            "unknown_program",
            "program_id",
            "error",
            "rejected",
            f"program_id is no program of study.yaml ({', '.join(programs) or 'it names none'}); correct it, or add "
            "the program there",
            lambda f: f["program_id"].isin(programs) | f["program_id"].isna(),
        ),
        Rule(
            "intake_after_as_of",
            "intake_date",
            "info",
            "rejected",
            "intake_date is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["intake_date"] > context.as_of),
        ),
    ]


def enrolment_rules(context: Context) -> list[Rule]:
    """Return the rules of an enrolment's own dates and answers."""
    key = ["employee_id", "program_id", "intake_date", "role"]
    return [
        Rule(
            "duplicate_enrolment",
            "employee_id",
            "error",
            "rejected",
            "an earlier row has the same person, program, intake and role; keep one row for each",
            lambda f: ~f.duplicated(key) | f[key].isna().any(axis=1),
        ),
        Rule(
            "end_before_start",
            "end_date",
            "error",
            "rejected",
            "end_date lies before start_date; correct one of them",
            lambda f: ~(f["end_date"] < f["start_date"]),
        ),
        Rule(
            "start_outside_span",
            "start_date",
            "error",
            "rejected",
            "start_date lies before start_earliest or after start_latest, or these two are the wrong way round; "
            "correct them",
            lambda f: (
                ~(f["start_date"] < f["start_earliest"])
                & ~(f["start_date"] > f["start_latest"])
                & ~(f["start_earliest"] > f["start_latest"])
            ),
        ),
        Rule(
            "start_before_intake",
            "start_date",
            "warning",
            "kept",
            "start_date lies before intake_date; check both dates",
            lambda f: ~(f["start_date"] < f["intake_date"]),
        ),
        Rule(
            "mentor_is_mentee",
            "employee_id",
            "error",
            "rejected",
            "the person is the mentor and the mentee of one match, with nobody else on the other side: nobody mentors "
            "oneself; correct one of the two, or take the match out",
            _has_somebody_on_the_other_side,
        ),
        *_lock_rules(context.as_of),
        *_employment_rules(context),
        *_status_rules(),
    ]


def _has_somebody_on_the_other_side(frame: pd.DataFrame) -> pd.Series:
    """Return whether each person who is on both sides of a match meets somebody else there; True for all others.

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
    return ~alone.reindex(frame.index, fill_value=False)


def _lock_rules(as_of: pd.Timestamp) -> list[Rule]:
    consequence = {
        "start_date": "the person has not started yet",
        "end_date": "it has not ended yet",
        "applied_date": "it is not known yet",
    }
    return [
        Rule(
            f"{column.removesuffix('_date')}_after_as_of",
            column,
            "info",
            "set_null",
            f"{column} lies after as_of: {then} at the data lock",
            _known_by(as_of, column),
        )
        for column, then in consequence.items()
    ]


def _known_by(as_of: pd.Timestamp, column: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda rows: ~(rows[column] > as_of)


def _employment_rules(context: Context) -> list[Rule]:
    spells = context.rows_of("employees", left=True)
    if spells is None:
        return []
    return [
        Rule(
            "start_outside_employment",
            "start_date",
            "warning",
            "kept",
            "the person is not employed on start_date; check it against hire_date and exit_date",
            lambda f: (
                employed_on(f["employee_id"], f["start_date"], spells) | ~f["employee_id"].isin(spells["employee_id"])
            ),
        )
    ]


def _status_rules() -> list[Rule]:
    return [
        Rule(
            "status_never_started",
            "status",
            "warning",
            "kept",
            f"status is one of {', '.join(NEVER_STARTED)}, but there is a start_date, and the start_date decides; "
            "check both",
            lambda f: ~(f["status"].isin(NEVER_STARTED) & f["start_date"].notna()),
        ),
        Rule(
            "status_started",
            "status",
            "warning",
            "kept",
            f"status is one of {', '.join(STARTED)}, but there is no start_date, so the person counts as never "
            "started; check both",
            lambda f: ~(f["status"].isin(STARTED) & _never_started(f)),
        ),
        Rule(
            "started_without_offer",
            "offered",
            "warning",
            "kept",
            "offered is false, but there is a start_date; check both",
            lambda f: ~(f["offered"].eq(False).fillna(False) & f["start_date"].notna()).astype(bool),
        ),
        Rule(
            "end_without_start",
            "end_date",
            "warning",
            "kept",
            "there is an end_date but no start_date, so the person counts as never started; check both",
            lambda f: f["end_date"].isna() | ~_never_started(f),
        ),
    ]


def _never_started(rows: pd.DataFrame) -> pd.Series:
    """Return who has no start; one of which no more is known than that it was is a start."""
    return rows["start_date"].isna() & ~rows["start_unknown"].fillna(False).astype(bool)


def session_rules(context: Context) -> list[Rule]:
    """Return the rules of the meetings of a match."""
    rules = [
        Rule(
            "session_after_as_of",
            "session_date",
            "info",
            "rejected",
            "session_date is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["session_date"] > context.as_of),
        )
    ]
    enrolments = context.rows_of("enrolments")
    if enrolments is not None:
        starts = enrolments.groupby("match_id")["start_date"].min()
        rules += [
            Rule(
                "unknown_match",
                "match_id",
                "warning",
                "kept",
                "match_id is in no enrolment, so nobody is credited with the session; correct it, or complete the "
                "enrolments",
                lambda f: f["match_id"].isin(starts.index) | f["match_id"].isna(),
            ),
            Rule(
                "session_before_start",
                "session_date",
                "info",
                "kept",
                "session_date lies before the match's first start_date; check both",
                lambda f: ~(f["session_date"] < starts.reindex(f["match_id"]).set_axis(f.index)),
            ),
        ]
    return rules
