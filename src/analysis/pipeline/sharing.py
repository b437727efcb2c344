"""One study's shared ledger: what may leave the company, for a synthesis, a publication or a foreign reviewer."""

from collections.abc import Callable
from pathlib import Path

from analysis.pipeline.opened import open_study
from analysis.pipeline.provenance import digest, provenance
from analysis.pipeline.questions import find
from analysis.release.outside import shared_rows
from analysis.release.rule import ReleaseRule
from analysis.report.folders import new_folder
from analysis.report.write import write_shared


def share_study(name: str, data: Path, target: Path, say: Callable[[str], None] = print) -> Path:
    """Write the shared ledger of one study into the folder `target`, replaced whole or not at all; return that folder.

    Raises
    ------
    BadInput
        With every problem; nothing is written then. Or the folder cannot be written.
    """
    say(f"{name}: reading and checking")
    opened = open_study(name, data)
    say(f"{name}: estimating")
    study, run = opened.study, provenance(opened.study)
    rows = shared_rows(find(opened), ReleaseRule.of(study))
    about = {key: run[key] for key in ("study", "parameters", "versions", "commit")} | {"digest": digest(study)}
    with new_folder(target, "--out") as folder:
        write_shared(rows, about | {"simulated": study.simulated, "sector": study.sector}, folder)
    return target
