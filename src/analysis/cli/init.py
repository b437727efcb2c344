"""``mentoring init``: from the files that people have to a study's folder, every guess told."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from analysis.cli.check import options
from analysis.cli.terminal import PARTLY, Data, add_row, guarded, new_table, out, progress, show_problems, show_table
from analysis.cli.update import show_update
from analysis.plan.paths import data_dir, expanded

if TYPE_CHECKING:
    from analysis.ingest.draft import Draft, SourceDraft, Unread
    from analysis.ingest.look import Seen
    from analysis.pipeline.study_folder import Started

Files = list[str] | None


def _files(help_: str) -> typer.models.OptionInfo:
    return typer.Option(help=help_, metavar="FILE")


def init(
    name: Annotated[str, typer.Argument(help="Name of the new study: lower-case letters, digits, - and _.")],
    employees: Annotated[Files, _files("Who was employed, leavers included; or monthly headcount lists.")] = None,
    jobs: Annotated[Files, _files("Job changes: level, department, manager.")] = None,
    ratings_history: Annotated[Files, _files("Performance ratings, where they stand in a file of their own.")] = None,
    exits: Annotated[Files, _files("Kinds and reasons of exits, where they stand in a file of their own.")] = None,
    leave: Annotated[Files, _files("Leaves of absence, from when to when.")] = None,
    survey: Annotated[Files, _files("Answers of a survey; linked to people or not.")] = None,
    ratings: Annotated[Files, _files("Answers of a 360° survey, about others.")] = None,
    enrolments: Annotated[Files, _files("Participants, applicants or pairs, from the mentoring platform.")] = None,
    sessions: Annotated[Files, _files("Meetings.")] = None,
    waves: Annotated[Files, _files("When each survey was open.")] = None,
    program: Annotated[list[str] | None, typer.Option(help="A program's name, where the files have none.")] = None,
    direction: Annotated[
        str | None, typer.Option(help="reverse (the junior mentors the senior), traditional, mutual or peer.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="The last day that the exports know of, such as 2025-06-30.")
    ] = None,
    profile: Annotated[
        list[str] | None, typer.Option(help="Take the files for this vendor's (workday, qualtrics, …).")
    ] = None,
    card: Annotated[Files, _files("A questionnaire's card of your own (YAML), for a new study.")] = None,
    update: Annotated[
        bool,
        typer.Option(
            "--update",
            help="Read the files of a study again, take new ones in, say what changed, renew SHA256SUMS.",
        ),
    ] = False,
    show_headings: Annotated[
        bool,
        typer.Option(
            "--show-headings", help="Print every heading, those too that may hold somebody's data; no file gets them."
        ),
    ] = False,
    data: Data = None,
) -> None:
    """Make a study's folder from exports: recognise each file, copy it to raw/ and draft study.yaml.

    Every file option may be given several times. One sheet of a spreadsheet: FILE#SHEET. The files themselves are left
    as they are.

    With --update nothing that people wrote in study.yaml is changed: entries are added for files that are new, and
    what was corrected in raw/ or lies there as a later export counts from then on. A file given again replaces the one
    in raw/, unless that one was edited there.

    Exit code: 0 when every file was read, 3 when study.yaml was drafted and some file could not be read (it stands
    there as a comment with the reason), 2 when none could be read or nothing was written.
    """
    from analysis.pipeline.study_folder import InitOptions, start_study, update_study

    files = {
        "employees": employees,
        "jobs": jobs,
        "ratings_history": ratings_history,
        "exits": exits,
        "leave": leave,
        "responses": survey,
        "ratings": ratings,
        "enrolments": enrolments,
        "sessions": sessions,
        "waves": waves,
    }
    given = {table: paths for table, paths in files.items() if paths}
    asked = InitOptions(tuple(program or ()), direction, as_of, tuple(profile or ()), tuple(map(expanded, card or ())))
    with progress() as say:
        if update:
            updated = guarded(name, update_study, name, given, data_dir(data), asked, say)
        else:
            started = guarded(name, start_study, name, given, data_dir(data), asked, say)
    draft = updated.draft if update else started.draft
    for source in draft.sources:
        _show_source(source, show_headings)
    if update:
        show_update(name, updated, show_headings)
    else:
        _show_start(name, started, given)
    if draft.unread:
        _say_unread(name, draft.unread, options(data=data))
        raise typer.Exit(PARTLY)
    out.print(f"Next: mentoring check {name}{options(data=data)}", markup=False)


def _show_start(name: str, started: "Started", given: Mapping[str, list[str]]) -> None:
    """Print what was guessed, and what was not given."""
    _show_guesses(started.draft)
    fed = {source.seen.source.table for source in started.draft.sources} | set(given)
    fed |= {"employees", "jobs"} if "snapshots" in fed else set()
    absent = [table for table in ("employees", "jobs", "enrolments", "sessions", "responses") if table not in fed]
    if absent:
        out.print(
            f"No file was given of: {', '.join(absent)}; data/README.md says what each is needed for.", markup=False
        )
    out.print(f"{name}: look through {started.folder / 'study.yaml'}", markup=False)


def _say_unread(name: str, unread: Sequence["Unread"], given: str) -> None:
    """Print all files that could not be read, and what to do about them."""
    title = f"{name}: {len(unread)} file(s) could not be read; those that are new stand in study.yaml as comments:"
    show_problems((problem for one in unread for problem in one.problems if problem.severity == "error"), title)
    what = "correct them in raw/ (or put those that are not there into it)"
    out.print(f"Next: {what}, then: mentoring init {name} --update{given}", markup=False)


def _show_source(source: "SourceDraft", show_headings: bool) -> None:
    """Print what one file was recognised as, what is read from it and what is not."""
    from analysis.ingest.draft import MOST_UNUSED, shown_names

    seen = source.seen
    by = f"by {shown_names(seen.by)}" if seen.by else "nothing in it was recognised"
    out.print(f"\n{seen.source.name}", style="bold", markup=False)
    out.print(f"{seen.source.table}, {seen.rows:,} rows: {seen.title} ({by})", markup=False)
    table = new_table("column of the contract", "read from")
    for column, names in seen.found.items():
        add_row(table, column, shown_names(names))
    if seen.cards:
        add_row(table, "item, value", ", ".join(f"{n} items of {card}" for card, n in seen.cards.items()))
    for column in seen.missing:
        add_row(table, column, "not found: needed" if column in seen.needed else "not found")
    show_table(table)
    for what, names in (("Not used", seen.unused), ("Dropped as personal data", seen.personal)):
        if names:
            called = names if show_headings else [seen.called[name] for name in names]
            hint = "" if set(called) == set(names) else " (--show-headings shows all names)"
            out.print(f"{what}: {shown_names(called, MOST_UNUSED if seen.needed else 8)}{hint}", markup=False)
    for note in source.notes:
        out.print(f"! {note}", markup=False)
    _show_unknown(seen)


def _show_unknown(seen: "Seen") -> None:
    """Print the values that mean nothing yet, with the rows that have them."""
    from analysis.ingest.draft import unshown_values

    for column, counts in seen.unknown.items():
        if n := seen.unshown.get(column):
            out.print(f"! of {column} unknown: {unshown_values(n)}", markup=False)
        if not counts:
            continue
        table = new_table(f"unknown {column}", "rows", numbers=["rows"])
        for value, n in counts.items():
            add_row(table, value, f"{n:,}")
        show_table(table)


def _show_guesses(draft: "Draft") -> None:
    """Print what was guessed of the study as a whole, and why."""
    table = new_table("guessed", "value", "because", title="\nstudy.yaml", leading=1)
    for key, guess in draft.guesses:
        value = ", ".join(guess.value) if isinstance(guess.value, tuple) else guess.value
        add_row(table, key, value or "none", guess.why)
    for wave in draft.waves:
        add_row(table, f"wave {wave.wave} of {wave.instrument}", f"{wave.opens} to {wave.closes}", "days of its forms")
    show_table(table)
