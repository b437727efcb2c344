"""Rules that hold in every study, said in the draft of one whose files they change something in: to be confirmed."""

from collections.abc import Sequence

import pandas as pd

from analysis.ingest.guess import Guess
from analysis.ingest.look import Look
from analysis.ingest.staff_words import EMPLOYEE
from analysis.plan.contract import ROSTERS
from analysis.validate.employees import MOST_DAYS_BETWEEN

SERVICE = "tenure counts from the date of continuous service where there is one"
NO_SHOW = "who never came, or left on the day of hire, was not employed"
TRANSFER = (
    f"an employment that follows a transfer within {MOST_DAYS_BETWEEN} days, or under a new id, continues the one "
    "before: a transfer is no exit; one that nothing follows ends what can be seen, and never counts as voluntary"
)
LEAVE = "who is on leave on a day is not eligible that day"


def staff_of(looks: Sequence[Look]) -> Guess | None:
    """Return who counts as staff, with how many rows are of whom; None where the files know employees alone."""
    kinds = [one.rows["worker_type"] for one in looks if one.source.table == "employees" and "worker_type" in one.rows]
    counts = pd.concat(kinds).astype("str").value_counts() if kinds else pd.Series(dtype=int)
    others = {kind: n for kind, n in counts.items() if kind != EMPLOYEE}
    if not others:
        return None
    told = ", ".join(f"{kind} ({n:,} rows)" for kind, n in others.items())
    return Guess((EMPLOYEE,), f"others are left out: {told}; add a kind to count it in")


def rules_of(looks: Sequence[Look]) -> tuple[str, ...]:
    """Return the rules by which somebody is employed, eligible or gone, of those that the files touch."""
    rosters = [one for one in looks if one.source.table in ROSTERS]
    has = {name for one in rosters for name in one.rows if one.rows[name].notna().any()}
    exits = {text for one in rosters for text in one.texts("exit_type")}
    rules = {
        SERVICE: "service_date" in has,
        NO_SHOW: any("true" in one.texts("no_show") for one in rosters),
        TRANSFER: "transfer" in exits or "previous_employee_id" in has,
        LEAVE: any(one.source.table == "leave" for one in looks),
    }
    return tuple(rule for rule, holds in rules.items() if holds)
