"""Transfers within the group: a spell that goes on in another entity is one employment."""

import pandas as pd

from analysis.plan.errors import Problem
from analysis.validate.rule import lines_by_source

# The new entity may enter its people on the first of the next month.
MOST_DAYS_BETWEEN = 31
MESSAGE = (
    "exit_type is transfer, or the next row names a former id, and the person's next spell follows at once: one "
    "employment, from the first hire on"
)


def united(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the employees' rows with each transfer and the spell that follows it as one, and what is told of it.

    A spell goes on where its exit is a transfer, or the next row names a former id of the person, and the next spell
    of the person begins within `MOST_DAYS_BETWEEN` days. The united spell has the first one's hire and continuous
    service, and all else of the last one, or what the first one says where the last is silent.
    """
    ordered = rows.sort_values(["employee_id", "hire_date"], kind="stable")
    goes_on = _goes_on(ordered)
    if not goes_on.any():
        return rows, []
    problems = [
        Problem(
            severity="info",
            table="employees",
            source=source,
            rows=len(lines),
            example_rows=tuple(lines),
            rule="transfer_united",
            message=MESSAGE,
            action="repaired",
            lines=lines,
        )
        for source, lines in lines_by_source(ordered[goes_on])
    ]
    number = (~goes_on.groupby(ordered["employee_id"]).shift(fill_value=False)).cumsum()
    by_spell = ordered.groupby(number)
    last = ordered[~number.duplicated(keep="last")]
    exits = ["exit_date", "exit_type", "exit_reason", "notice_date"]
    filled = by_spell.ffill()[[name for name in ordered if name not in ("employee_id", *exits)]].loc[last.index]
    first = ordered[~number.duplicated()].set_index(number[~number.duplicated()])
    key = number.loc[last.index]
    filled["hire_date"] = first["hire_date"].reindex(key).to_numpy()
    filled["service_date"] = first["service_date"].reindex(key).to_numpy()
    return last.assign(**{name: filled[name] for name in filled}).sort_index().reset_index(drop=True), problems


def _goes_on(ordered: pd.DataFrame) -> pd.Series:
    """Return which spells go on in the next row of their person; rows are in the order of person and hire."""
    after = ordered.groupby("employee_id")[["hire_date", "previous_employee_id"]].shift(-1)
    days = (after["hire_date"] - ordered["exit_date"]).dt.days
    is_transfer = (ordered["exit_type"] == "transfer") | after["previous_employee_id"].notna()
    return days.between(0, MOST_DAYS_BETWEEN) & is_transfer
