"""Rules of the employees table: one row per employment spell."""

import pandas as pd

from analysis.validate.coded import coded, repeated
from analysis.validate.context import Context
from analysis.validate.rule import Rule


def rules_of_the_lock(context: Context) -> list[Rule]:
    """Return the rule that takes out who is hired after the data lock."""
    return [
        Rule(
            "hired_after_as_of",
            "hire_date",
            "info",
            "rejected",
            "hire_date lies after as_of, where nothing is known yet; move as_of if that is wrong",
            lambda f: ~(f["hire_date"] > context.as_of),
        )
    ]


def spell_rules(context: Context) -> list[Rule]:
    """Return the rules of a spell and of one person's spells together."""
    return [
        Rule(
            "exit_before_hire",
            "exit_date",
            "error",
            "rejected",
            "exit_date lies before hire_date; correct one of them",
            lambda f: ~(f["exit_date"] < f["hire_date"]),
        ),
        Rule(
            "duplicate_spell",
            "hire_date",
            "error",
            "rejected",
            "an earlier row has the same employee_id and hire_date; keep one row per employment spell",
            lambda f: ~repeated(f, ["employee_id", "hire_date"]) | f["hire_date"].isna(),
        ),
        Rule(
            "overlapping_spells",
            "hire_date",
            "error",
            "rejected",
            "hire_date lies within another spell of the same employee; end that spell before this hire (exit_date is "
            "the last day employed)",
            lambda f: ~overlaps(f),
        ),
        Rule(
            "exit_before_study_start",
            "exit_date",
            "info",
            "kept",
            "exit_date lies before study_start; the spell is kept but not followed",
            lambda f: ~(f["exit_date"] < pd.Timestamp(context.study.study_start)),
        ),
        *_exit_rules(context.as_of),
        *_notice_rules(context.as_of),
    ]


def overlaps(spells: pd.DataFrame) -> pd.Series:
    """Return whether a spell begins before an earlier one of the same person has ended (not: on the same day)."""
    known = spells[["hire_date", "exit_date"]].assign(person=coded(spells["employee_id"])[0])
    known = known[(known["person"] >= 0) & known["hire_date"].notna()]
    ordered = known.sort_values(["person", "hire_date"], kind="stable")
    ends = ordered["exit_date"].fillna(pd.Timestamp.max.floor("D")).astype("datetime64[us]")
    latest_end = ends.groupby(ordered["person"]).cummax().groupby(ordered["person"]).shift()
    begun = (ordered["hire_date"] <= latest_end) & ~repeated(ordered, ["person", "hire_date"])
    return begun.reindex(spells.index, fill_value=False)


def _exit_rules(as_of: pd.Timestamp) -> list[Rule]:
    return [
        Rule(
            "exit_after_as_of",
            "exit_date",
            "info",
            "set_null",
            "exit_date lies after as_of: the person is still employed at the data lock",
            lambda f: ~(f["exit_date"] > as_of),
            nulls=("exit_date", "exit_type", "exit_reason"),
        ),
        Rule(
            "exit_type_without_date",
            "exit_type",
            "warning",
            "set_null",
            "exit_type is given without an exit_date; give the last day employed, or empty the type",
            lambda f: f["exit_type"].isna() | f["exit_date"].notna(),
        ),
        Rule(
            "exit_without_type",
            "exit_type",
            "info",
            "kept",
            "exit_date is given without an exit_type: the exit counts as one of unknown kind; give the type if it is "
            "known",
            lambda f: f["exit_type"].notna() | f["exit_date"].isna() | (f["exit_date"] > as_of),
        ),
    ]


def _notice_rules(as_of: pd.Timestamp) -> list[Rule]:
    return [
        Rule(
            "notice_after_as_of",
            "notice_date",
            "info",
            "set_null",
            "notice_date lies after as_of, where nothing is known yet",
            lambda f: ~(f["notice_date"] > as_of),
        ),
        Rule(
            "notice_after_exit",
            "notice_date",
            "warning",
            "set_null",
            "notice_date lies after exit_date; correct one of them",
            lambda f: ~(f["notice_date"] > f["exit_date"]),
        ),
        Rule(
            "notice_before_hire",
            "notice_date",
            "warning",
            "set_null",
            "notice_date lies before hire_date; correct one of them",
            lambda f: ~(f["notice_date"] < f["hire_date"]),
        ),
    ]
