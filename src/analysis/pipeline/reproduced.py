"""A study's ledgers made again from its raw files, as text: what a report would write, and nothing of it is kept."""

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from analysis.ingest.checksums import SUMS
from analysis.pipeline.opened import open_study
from analysis.pipeline.released import find, released_findings
from analysis.plan.errors import BadInput, Problem, problems_frame
from analysis.plan.faults import Faults, Part, collecting
from analysis.plan.paths import ONE_THREAD, environment
from analysis.plan.results import estimates_frame, findings_frame
from analysis.release.findings import release_problems
from analysis.release.rule import ReleaseRule
from analysis.report.safe_cells import export_safe


@dataclass(frozen=True)
class Remade:
    """What became of one study.

    Attributes
    ----------
    ledgers
        By file name, every cell as text; empty where there are none.
    problems
        Why not: of bad input, a raw file that is not the one of its checksum among it.
    faults
        Faults of this program, in words that hold nothing of the data.
    is_verified
        Whether the study has checksums of its raw files.
    """

    study: str
    ledgers: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    faults: tuple[str, ...] = ()
    is_verified: bool = False


def remake_all(studies: Sequence[str], data: Path, jobs: int) -> Iterator[Remade]:
    """Yield the studies' ledgers as they are made, each in a fresh process of its own, so many at a time."""
    with environment(**ONE_THREAD), ProcessPoolExecutor(jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        for future in as_completed([pool.submit(remake, name, data) for name in studies]):
            yield future.result()


def remake(name: str, data: Path) -> Remade:
    """Return one study's ledgers from its raw files, whose checksums are verified first."""
    is_verified = (data / name / SUMS).is_file()
    with collecting(Faults(name)) as faults:
        try:
            ledgers = _ledgers(name, data)
        except BadInput as bad:
            return Remade(name, problems=bad.problems, is_verified=is_verified)
        except Exception as error:  # noqa: BLE001  (its text might hold somebody's data: it is reported without)
            faults.add(Part("command", name), error)
            ledgers = {}
    return Remade(name, ledgers, faults=tuple(map(str, faults.found)), is_verified=is_verified)


def _ledgers(name: str, data: Path) -> dict[str, pd.DataFrame]:
    opened = open_study(name, data)
    rule = ReleaseRule.of(opened.study)
    findings = released_findings(find(opened), rule)
    problems = release_problems(opened.problems, rule)
    frames = {
        "estimates.csv": estimates_frame(e for finding in findings for e in finding.estimates),
        "findings.csv": findings_frame(findings),
        "data_quality.csv": problems_frame(problems),
    }
    return {file: as_text(frame) for file, frame in frames.items()}


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a ledger as it stands in its file, every cell as text."""
    return read_text(io.StringIO(export_safe(frame).to_csv(index=False, lineterminator="\n")))


def read_text(file: Path | io.StringIO) -> pd.DataFrame:
    """Return a ledger's file, every cell as text."""
    return pd.read_csv(file, dtype=str, keep_default_na=False)
