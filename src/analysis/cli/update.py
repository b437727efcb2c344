"""What `mentoring init --update` says: which files changed, what is new in them, and what study.yaml got."""

from typing import TYPE_CHECKING

from analysis.cli.terminal import out

if TYPE_CHECKING:
    from analysis.ingest.checksums import Renewal
    from analysis.pipeline.study_folder import Change, Updated


def show_update(name: str, updated: "Updated", show_headings: bool) -> None:
    """Print what became of a study's files and of its study.yaml."""
    _show_files(updated.files)
    for change in updated.changes:
        _show_change(change, show_headings)
    for loose in updated.loose:
        how = f"mentoring init {name} --update --survey {updated.folder / loose} (or --employees, --jobs, …)"
        out.print(f"{loose}: no source names it; if it is to be read: {how}", markup=False)
    if updated.later:
        told = "the files know of days after as_of in study.yaml; if it was exported later, correct as_of there"
        out.print(f"{updated.later}: {told}", markup=False)
    if updated.by_hand:
        out.print(f"{name}: study.yaml is written so that nothing can be added; add by hand:", markup=False)
    elif updated.added:
        out.print(f"{name}: added to study.yaml; nothing that stood there was changed:", markup=False)
    else:
        out.print(f"{name}: no entry was added to study.yaml.", markup=False)
    for line in updated.added:
        out.print(f"  + {line}", markup=False)


def _show_files(files: "Renewal") -> None:
    for what, names in (("changed", files.changed), ("new", files.new), ("gone", files.gone)):
        for one in names:
            out.print(f"{one}: {what}", markup=False)
    for gone in files.gone:
        out.print(f"! {gone} is not there any more; if study.yaml still names it, take its entry out", markup=False)
    counts = f"{len(files.changed)} changed, {len(files.new)} new, {len(files.gone)} gone"
    out.print(f"SHA256SUMS: written again ({counts})", markup=False)


def _show_change(change: "Change", show_headings: bool) -> None:
    for place, (heading, called) in change.new_columns.items():
        named = heading if show_headings else called
        told = f" ({named})" if named == heading else ""
        out.print(f"{change.source}: new column {place}{told}", markup=False)
    if change.lost_columns:
        places = ", ".join(map(str, change.lost_columns))
        out.print(f"{change.source}: gone: what was column {places}", markup=False)
    if change.lost_columns and change.needed:
        out.print(f"! {change.source}: {', '.join(change.needed)} cannot be read from it any more", markup=False)
    for column, counts in change.values.items():
        values = ", ".join(f"{value} ({n})" for value, n in counts.items())
        told = f"new values of {column} that mean nothing yet: {values}"
        out.print(f"{change.source}: {told}; put them under values: in study.yaml", markup=False)
