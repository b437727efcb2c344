"""Whether files of employees are monthly headcount lists, a row a person and month: told by how people recur."""

import datetime as dt
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import pandas as pd

from analysis.ingest.dates import month_end
from analysis.ingest.look import Look
from analysis.plan.study import Source

# Of all steps from a person's row to the next, so many lead to the next list: people stay for months.
LEAST_CONSECUTIVE = 0.8
# Of all rows, so many are the only one of their person in their list.
LEAST_SINGLE = 0.95
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?(\d\d)[-_. ]?(\d\d)(?!\d)")
_MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d[-_. ]?\d\d(?!\d)|(?<!\d)\d\d[-_. ](?:19|20)\d\d(?!\d)")
_NAMED = re.compile(r"[^\W\d_]{3,}[-_. ]?(?:19|20)\d\d(?!\d)")


def day_of(source: Source) -> dt.date | None:
    """Return the day, else the last day of the month, that a source's sheet, else its file, is named after.

    A sheet may name the month and its file the year; None where neither names a day or month.
    """
    file, sheet = PurePosixPath(source.path).stem, source.sheet or ""
    year = _YEAR.search(file)
    return _day_of_name(sheet) or (_day_of_name(f"{sheet} {year[0]}") if sheet and year else None) or _day_of_name(file)


def _day_of_name(name: str) -> dt.date | None:
    if found := _DAY.search(name):
        try:
            return dt.date(*map(int, found.groups()))
        except ValueError:
            pass
    for form in (_MONTH, _NAMED):
        for found in form.finditer(name):
            if day := month_end(re.sub("[-_.]", " ", found[0])):
                return dt.date.fromisoformat(day)
    return None


def are_snapshots(looks: Sequence[Look]) -> bool:
    """Whether files are together a row a person and day, on at least two days, with people who go on from day to day.

    Job changes are not: most people have no row on the next day on which somebody changes.
    """
    rows = [one.rows[["employee_id", "snapshot_date"]].astype("str") for one in looks if _has_both(one)]
    if not rows:
        return False
    both = pd.concat(rows).dropna()
    days = pd.to_datetime(both["snapshot_date"], format="%Y-%m-%d", errors="coerce")
    both = both.assign(step=days.rank(method="dense"))[days.notna()]
    if both["step"].nunique() < 2:
        return False
    single = both.drop_duplicates()
    steps = single.sort_values(["employee_id", "step"]).groupby("employee_id")["step"].diff().dropna()
    goes_on = len(steps) > 0 and bool((steps == 1).mean() >= LEAST_CONSECUTIVE)
    return goes_on and len(single) >= LEAST_SINGLE * len(both)


def _has_both(one: Look) -> bool:
    return {"employee_id", "snapshot_date"} <= set(one.rows)
