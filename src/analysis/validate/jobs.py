"""Rules of the jobs table: one row per change, effective-dated."""

from analysis.validate.coded import repeated
from analysis.validate.context import Context
from analysis.validate.employment import employed_on, left_out_rule, person_rules
from analysis.validate.managers import in_cycle
from analysis.validate.rule import Rule


def change_rules(context: Context) -> list[Rule]:
    """Return the rules of who changes and when."""
    return [
        *person_rules(context, "employee_id"),
        left_out_rule(context, "employee_id"),
        Rule(
            "job_after_as_of",
            "effective_date",
            "info",
            "rejected",
            "effective_date is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["effective_date"] > context.as_of),
        ),
    ]


def duplicate_rules(context: Context) -> list[Rule]:
    """Return the rule that leaves one row per person and day."""
    return [
        Rule(
            "duplicate_job",
            "effective_date",
            "warning",
            "rejected",
            "a later row has the same employee_id and effective_date, and the last one holds; keep one row per "
            "person and day",
            lambda f: ~repeated(f, ["employee_id", "effective_date"], keep="last"),
        )
    ]


def manager_rules(context: Context) -> list[Rule]:
    """Return the rules of whom a person reports to; what breaks them is used as an unknown manager."""
    rules = [
        Rule(
            "manager_is_oneself",
            "manager_id",
            "warning",
            "set_null",
            "manager_id is the employee's own id; give the manager, or leave it empty at the top",
            lambda f: ~(f["manager_id"] == f["employee_id"]).fillna(False),
        ),
        Rule(
            "manager_in_cycle",
            "manager_id",
            "warning",
            "set_null",
            "manager_id leads back to the employee on that day, from manager to manager; correct who reports to whom",
            lambda f: ~in_cycle(f),
        ),
    ]
    spells = context.rows_of("employees", left=True)
    if spells is not None:
        rules.append(
            Rule(
                "manager_not_employed",
                "manager_id",
                "warning",
                "set_null",
                "no employee with this manager_id was employed on effective_date; correct it, or complete the "
                "employees table",
                lambda f: employed_on(f["manager_id"], f["effective_date"], spells),
            )
        )
    return rules
