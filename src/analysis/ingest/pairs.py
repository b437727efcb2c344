"""Rows that name several people become one enrolment a person."""

import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, constant, stacked
from analysis.ingest.export import LINE
from analysis.ingest.personal import without_free_text
from analysis.ingest.translate import apply_values, canonical_columns, without_unknown_values


def enrolments_of_pairs(reading: Reading, columns: Columns) -> pd.DataFrame:
    """Return one row per person whom a row of the export names, in the order of the rows and then of the roles.

    A row that names nobody is left out and noted.
    """
    export, parts = reading.export, []
    for n, (role, part) in enumerate(reading.layout.roles.items()):
        cells = canonical_columns(reading, columns, reading.layout.columns | part.columns, {"employee_id": part.keys})
        apply_values(reading, columns, cells)
        without_unknown_values(reading, cells)
        without_free_text(reading, cells)
        rows = pd.DataFrame(cells | {"role": constant(role, len(export.rows)), LINE: export.rows[LINE]})
        is_named = rows[[c for c in rows if c.partition("@")[0] == "employee_id"]].notna().any(axis="columns")
        parts.append(rows[is_named].assign(**{"_role": n}))
    # what a row says of both people was read, and told, for each of them
    export.problems = list(dict.fromkeys(export.problems))
    order = pd.concat([part[[LINE, "_role"]] for part in parts], ignore_index=True)
    people = stacked([part.drop(columns="_role") for part in parts])
    nobody = export.rows.loc[~export.rows[LINE].isin(people[LINE]), LINE]
    if len(nobody):
        message = "the row names nobody; give the people of the pair by id, e-mail or name"
        export.note("nobody_named", message, nobody, severity="warning", action="rejected")
    return people.loc[order.sort_values([LINE, "_role"]).index].reset_index(drop=True)
