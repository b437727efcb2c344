"""Many companies' shared ledgers, from their folders to one report."""

import datetime as dt
from collections.abc import Callable, Sequence
from pathlib import Path

from analysis.pipeline.provenance import program_facts
from analysis.report.folders import new_folder
from analysis.report.synthesis_page import write_synthesis
from analysis.synthesis.ledgers import read_shared
from analysis.synthesis.pools import synthesize

FOLDER = "synthesis"


def write_report(places: Sequence[Path], target: Path, say: Callable[[str], None] = print) -> Path:
    """Write the report over the shared ledgers in these places, replaced whole or not at all; return its page.

    Raises
    ------
    BadInput
        With every mistake of every ledger; nothing is written then. Or the folder cannot be written.
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
    with new_folder(target) as folder:
        write_synthesis(synthesis, run, folder)
    return target / "index.html"
