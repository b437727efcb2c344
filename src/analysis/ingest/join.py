"""What takes all exports of a study: who is who, which wave, intake and match, and what each table still lacks."""

import pandas as pd

from analysis.ingest.dates_to_waves import assign_intakes, assign_matches, assign_waves
from analysis.ingest.export import Export
from analysis.ingest.forms import last_forms
from analysis.ingest.ids import unite_ids
from analysis.ingest.linking import (
    directory,
    is_keyed,
    link,
    link_attendees,
    link_other_case,
    namesakes,
    note_lost_zeros,
    take_out,
)
from analysis.ingest.misspelt import probable_column
from analysis.ingest.pairs import unite_enrolments
from analysis.ingest.parts import put_in_exits, put_in_ratings
from analysis.ingest.undated import settle_starts
from analysis.plan.contract import FED, ROSTERS
from analysis.plan.study import Study

# What study.yaml may say of a whole export.
AT_SOURCE = {
    "wave": "wave:",
    "instrument": "instrument:",
    "role": "role:",
    "program_id": "program:",
    "snapshot_date": "snapshot_date:",
}


def join_exports(exports: list[Export], study: Study) -> None:
    """Do what takes all exports: people by e-mail or name, waves and intakes by day, the last form of a person."""
    read = [export for export in exports if export.frame is not None]
    # Before anybody is looked up by name: who has two ids would be two people of one name.
    unite_ids(read)
    people = directory(read)
    alike, waves = namesakes(read, people), [e.rows for e in read if e.table == "waves"]
    listed = [e.rows["employee_id"] for e in read if e.table in ROSTERS and "employee_id" in e.rows]
    known = {text for column in listed for text in column.cat.categories}
    ids = pd.Index(sorted(known), dtype="str")
    has_employees = any(e.table in ROSTERS for e in exports)
    is_known = all(e.frame is not None and "employee_id" in e.frame for e in exports if e.table in ROSTERS)
    for export in read:
        if not is_known and export.table not in ROSTERS and is_keyed(export):
            take_out(export)
            continue
        link(export, people if has_employees else None, alike)
        link_other_case(export, ids)
        link_attendees(export, people, known)
        note_lost_zeros(export, ids)
        settle_starts(export, [e.rows for e in read if e.table == "employees"], study.as_of)
        assign_waves(export, waves)
        assign_intakes(export, study)
        if export.is_forms:
            last_forms(export)
    read = [export for export in read if export.frame is not None]
    assign_matches(read)
    exports += put_in_ratings(read)
    put_in_exits(read)
    with_rows = [export for export in read if not (export.is_canonical or export.frame is None or export.frame.empty)]
    unite_enrolments(with_rows)
    for export in with_rows:
        if export.rows.empty:
            # All that this export says has gone into the rows of others: it is used, though it has none left.
            export.frame = None


def check_columns(export: Export) -> None:
    """Take an export out that lacks a column which its table needs, or that has no row left."""
    missing = [n for n, column in FED[export.table].items() if column.required and n not in export.rows]
    at_source = [AT_SOURCE[name] for name in missing if name in AT_SOURCE]
    if export.rows.empty:
        if not export.has_failed:
            export.fail("no_row_left", "no row can be used; the lines above say why each was left out")
    elif missing:
        is_wide = export.table in ("responses", "unlinked_responses") and {"item", "value"} <= set(missing)
        meant = [f"{probable_column(export, name)} for {name}" for name in missing if name in export.probably]
        export.fail(
            "missing_column",
            f"the header has no column {', '.join(missing)}, which the table {export.table} needs; name it in the "
            "file's first line, or say under columns: in study.yaml what it is called"
            + "".join(f", or give {key} at the source" for key in at_source)
            + (", or write profile: wide where a row is a person and a column a question" if is_wide else "")
            + (f"; did you mean {', '.join(meant)}?" if meant else ""),
            [export.header_line],
        )
    if missing or export.rows.empty:
        export.frame = None
