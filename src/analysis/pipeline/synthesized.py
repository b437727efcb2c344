"""Many companies' shared ledgers, from their folders to one report."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.pipeline.provenance import program_facts
from analysis.pipeline.recorded import new_release, received_ledgers, recorded
from analysis.report.folders import new_folder
from analysis.report.synthesis_page import write_synthesis
from analysis.synthesis.ledgers import read_shared
from analysis.synthesis.pools import synthesize

FOLDER = "synthesis"


def write_report(
    places: Sequence[Path], target: Path, say: Callable[[str], None] = print, to: str = "", reviewed: str = ""
) -> Path:
    """Write the report over the shared ledgers in these places, replaced whole or not at all; return its page.

    It shows every company's row by name, so it is a release of each ledger, and put on record beside `target`. What a
    pool with a company and one without it tell together is that company's row, which both it and the page show.

    Parameters
    ----------
    to, reviewed
        For whom it is, and why it may be shown, as in `pipeline.recorded.new_release`.

    Raises
    ------
    BadInput
        With every mistake of every ledger; nothing is written then. Or the folder cannot be written, or the difference
        from an earlier release may be about too few people (`pipeline.recorded`).
    """
    say("reading and checking")
    shared = read_shared(places)
    say(f"pooling {len(shared.about):,} companies")
    synthesis = synthesize(shared)
    run = program_facts() | {
        "created": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "ledgers": {name: about.digest for name, about in shared.about.items()},
    }
    say("writing")
    release = new_release("synthesis", received_ledgers(shared), to, reviewed)
    with new_folder(target) as folder, recorded(release, target.parent, say):
        write_synthesis(synthesis, run, folder)
    return target / "index.html"
