"""Rules of the table of leave: one row per absence."""

from analysis.validate.context import Context
from analysis.validate.employment import left_out_rule, person_rules
from analysis.validate.rule import Rule


def leave_rules(context: Context) -> list[Rule]:
    """Return the rules of who is away, and from when to when; overlapping absences are fine."""
    return [
        *person_rules(context, "employee_id"),
        left_out_rule(context, "employee_id"),
        Rule(
            "leave_end_before_start",
            "leave_end",
            "error",
            "rejected",
            "leave_end lies before leave_start; correct one of them",
            lambda f: ~(f["leave_end"] < f["leave_start"]),
        ),
        Rule(
            "leave_after_as_of",
            "leave_start",
            "info",
            "rejected",
            "leave_start is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["leave_start"] > context.as_of),
        ),
    ]
