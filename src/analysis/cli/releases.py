"""``mentoring releases``: what was shown outside, when and to whom; and what every release is asked for."""

from pathlib import Path
from typing import Annotated

import typer

from analysis.cli.terminal import Reports, add_row, new_table, out, show_table
from analysis.plan.errors import bad_input
from analysis.plan.paths import reports_dir

LONGEST = 200


def _label(text: str) -> str:
    """Return what was said of a release, checked as far as a program can."""
    text = text.strip()
    if "@" in text or len(text) > LONGEST or not text.isprintable():
        message = f"is no line of at most {LONGEST} characters without an address; name an audience, and no person"
        raise bad_input("--to, --after-review", message, rule="parameters")
    return text


To = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="AUDIENCE",
        callback=_label,
        help='For whom it is, such as "works council", for the record of releases; an audience, never a name.',
    ),
]
AfterReview = Annotated[
    str,
    typer.Option(
        "--after-review",
        metavar="REASON",
        callback=_label,
        help="Release it although its difference from an earlier release may be about few people, because whoever "
        "answers for data protection has looked at both; why, for the record, without names.",
    ),
]


def releases(
    study: Annotated[str | None, typer.Argument(help="Name of a study (default: every release).")] = None,
    reports: Reports = None,
) -> None:
    """List what was shown outside: date, kind, audience, studies, and why a refused release was made after a review.

    mentoring share, bundle and synthesize check a new release against every one of these, and add it.
    """
    from analysis.pipeline.recorded import RECORD
    from analysis.release.record import read_record

    path: Path = reports_dir(reports) / RECORD
    found = [
        (n, release)
        for n, release in enumerate(read_record(path), 1)
        if study is None or any(ledger.study == study for ledger in release.ledgers)
    ]
    if not found:
        of = "" if study is None else f" of {study}"
        out.print(f"{path} holds no release{of}; a new one is checked against none", markup=False)
        return
    table = new_table("", "date", "kind", "to", "study", "rows", "after a review, because", numbers=("", "rows"))
    for n, release in found:
        names = [ledger.study for ledger in release.ledgers]
        of = names[0] if len(names) == 1 else f"{len(names):,} studies"
        rows = sum(len(ledger.told) for ledger in release.ledgers)
        add_row(table, n, release.date[:10], release.kind, release.to or "not said", of, f"{rows:,}", release.reviewed)
    show_table(table)
