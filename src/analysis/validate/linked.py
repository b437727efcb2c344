"""Files of which little or nothing could be used: their ids are another system's, or their days are not those meant."""

from collections.abc import Mapping

import pandas as pd

from analysis.plan.contract import ANSWERS
from analysis.plan.errors import Problem
from analysis.validate.account import COLUMNS

# A file of which less than this share could be used is told as a whole.
LEAST_SHARE = 0.5
# Of fewer rows nothing is said of the file beyond what is said of its rows.
LEAST_ROWS = 10
FORMS = {"responses": ["employee_id", "wave", "instrument"], "ratings": ["ratee_id", "rater_id", "wave", "instrument"]}


def unlinked_files(
    row_counts: pd.DataFrame, seen: Mapping[str, pd.DataFrame], kept: Mapping[str, pd.DataFrame]
) -> list[Problem]:
    """Return a warning for each file of which no row is left, and for each of surveys of which most are gone.

    Parameters
    ----------
    row_counts
        As from `validate.account.account`.
    seen, kept
        The typed rows by table, of all files and those left after the rules, with ``_source``.
    """
    problems = []
    for row in row_counts[COLUMNS].itertuples(index=False):
        table = row.table if row.table in seen else f"unlinked_{row.table}"
        if table not in seen or not row.rows_in:
            continue
        given, used, things = _counted(table, row.source, seen[table], kept.get(table, seen[table].iloc[:0]))
        if not given or used >= LEAST_SHARE * given or (used and (table not in ANSWERS or given < LEAST_ROWS)):
            continue
        how_many = f"only {used:,} of {given:,}" if used else f"none of the {given:,}"
        few = "only some of the" if used else "none of the"
        consequence = "nothing is known from it" if not used else "the rest is unknown"
        message = (
            f"{{}} {things} in this file could be linked and used, so {consequence}: the lines about this file say "
            "why. Check that its ids are those of the employees table and that its days lie before as_of"
        )
        problems.append(
            Problem(
                severity="warning",
                table=table,
                source=row.source,
                rule="file_unused",
                message=message.format(how_many),
                told=message.format(few),
                action="kept",
            )
        )
    return problems


def _counted(table: str, source: str, seen: pd.DataFrame, kept: pd.DataFrame) -> tuple[int, int, str]:
    """Return how many forms (of other tables, rows) a file has, how many are left, and what they are called."""
    key, things = (FORMS[table], "forms") if table in FORMS else (["_line"], "rows")
    given, used = (
        len(rows.loc[(rows["_source"] == source).to_numpy(), key].drop_duplicates()) for rows in (seen, kept)
    )
    return given, used, things
