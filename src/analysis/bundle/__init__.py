"""What a reviewer gets: one zip of a study, from which everything can be made again."""

import datetime as dt
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from analysis.bundle.crate import LICENSE, checksum, files_in, write_checksums, write_citation, write_crate
from analysis.bundle.folder import stand_in_name, write_stand_in
from analysis.bundle.measured import Measured, measured_report
from analysis.bundle.program import write_program
from analysis.bundle.readme import data_licence, write_readme
from analysis.bundle.target import target_page
from analysis.ingest.checksums import SUMS
from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.released import Asked, sharing
from analysis.plan.paths import shipped_dir
from analysis.plan.read_study import load_study
from analysis.plan.registration import FOLDER as REGISTRATIONS
from analysis.plan.registration import registration_facts
from analysis.plan.study import Study
from analysis.report.folders import writing
from analysis.report.write import write_index

__all__ = ["Bundle", "is_confidential", "make_bundle"]
# A zip holds no earlier time; with one for all files the same content is the same zip.
EARLIEST, READABLE = (1980, 1, 1, 0, 0, 0), 0o644 << 16


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written.

    Attributes
    ----------
    report
        The study whose data and report are in it: the study itself, or its stand-in.
    is_stand_in
        Whether the data stayed with the company.
    is_inside
        Whether the report for the inside of the company is in it.
    digest
        SHA-256 of the zip.
    """

    file: Path
    report: str
    is_stand_in: bool
    is_inside: bool
    digest: str


def is_confidential(study: Study) -> bool:
    """Whether a study's data stay with the company: unless they are simulated, or the study says that they need not."""
    return not study.simulated if study.confidential is None else study.confidential


def make_bundle(
    name: str,
    data: Path,
    target: Path,
    record: Path,
    asked: Asked,
    jobs: int = 1,
    say: Callable[[str], None] = print,
    *,
    inside: bool = False,
) -> Bundle:
    """Write the bundle of a study into a zip file, whole or not at all.

    Parameters
    ----------
    record
        The folder with the record of releases, on which a bundle of confidential data is put.
    asked
        How the study's shared ledger is made.
    inside
        Whether the report for the inside of the company goes along where the data are confidential.

    Raises
    ------
    BadInput
        The study cannot be used, its stand-in comes too near to real people, its shared ledger differs too little from
        an earlier release, or the file cannot be written.
    """
    say(f"{name}: reading and checking")
    opened = open_study(name, data)
    confidential = is_confidential(opened.study)
    report = stand_in_name(name) if confidential else name
    # On record first, in its place last: rather a release on record that never was than one that nobody remembers.
    with tempfile.TemporaryDirectory() as made, new_file(target) as staging, ExitStack() as stack:
        folder, near = Path(made) / "bundle", 0.0
        if confidential:
            stack.enter_context(sharing(opened, "bundle", record, say, asked))(folder_of(folder, "shared"))
            say(f"{name}: drawing a stand-in")
            near = write_stand_in(opened, folder / "data" / report).near
        else:
            copy_study(opened, folder / "data" / name)
        runs = [_reported(report, folder / "data", folder, jobs, say)]
        if confidential and inside:
            runs.append(_reported(name, data, folder, jobs, say))
        write_index(folder / "reports")
        _describe(opened, folder, report, runs, near)
        write_zip(folder, staging)
    return Bundle(target, report, confidential, inside and confidential, checksum(target))


def folder_of(folder: Path, name: str) -> Path:
    """Return a new folder in another one."""
    made = folder / name
    made.mkdir(parents=True)
    return made


def copy_study(opened: OpenStudy, folder: Path) -> None:
    """Copy everything that a study is read from, and its plans; what else lies in its folder stays there."""
    study = opened.study
    names = {"study.yaml", *(source.path for source in study.sources if source.path)}
    names |= {source.labels_from for source in study.sources if source.labels_from}
    names |= {study.brand.logo} if study.brand and study.brand.logo else set()
    found = [study.folder / name for name in names]
    found += [p for part in ("instruments", "profiles", REGISTRATIONS) for p in (study.folder / part).glob("*.yaml")]
    found += [study.folder / SUMS, *([study.folder / "truth.csv"] if study.simulated else [])]
    for path in (path for path in found if path.is_file()):
        goal = folder / path.relative_to(study.folder)
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, goal)


def _reported(study: str, data: Path, folder: Path, jobs: int, say: Callable[[str], None]) -> Measured:
    """Make a report aside and take it into the bundle, with its notebooks as pages; what is private stays aside."""
    with tempfile.TemporaryDirectory() as aside:
        measured = measured_report(study, data, Path(aside), jobs, say)
        shutil.copytree(Path(aside) / study, folder / "reports" / study)
    return measured


def _describe(opened: OpenStudy, folder: Path, report: str, runs: list[Measured], near: float) -> None:
    """Write what says what the bundle is: program, licences, citation, checklist, README, checksums, metadata."""
    study, is_stand_in = opened.study, report != opened.study.study
    told = load_study(report, folder / "data")
    run = json.loads((folder / "reports" / report / "run.json").read_text(encoding="utf-8"))
    version = run["versions"]["mentoring-outcomes"]
    title = f"Replication package: {study.study}" if is_stand_in else f"Replication package: {study.page_title}"
    write_program(folder / "program")
    shutil.copyfile(folder / "program" / "requirements.lock", folder / "requirements.lock")
    if len(runs) > 1 and opened.plans:  # a plan has the company's words in it
        shutil.copytree(study.folder / REGISTRATIONS, folder / REGISTRATIONS)
    licence = (shipped_dir() / "LICENSE").read_text(encoding="utf-8")
    (folder / LICENSE).write_text(f"{licence.rstrip()}\n\n{data_licence(study)}\n", encoding="utf-8")
    write_citation(folder, title, study.study, version)
    plan = registration_facts(opened.plans).get("registration")
    page = target_page(told, folder / "reports" / report, plan, is_stand_in)
    (folder / "TARGET.html").write_text(page, encoding="utf-8")
    write_readme(folder, study, told, title=title, run=run, runs=runs, near=near)
    write_checksums(folder)
    about = {
        "name": title,
        "description": f"Data, program and results of the study {study.study} of mentoring; README.md says more.",
        "published": dt.datetime.now(dt.UTC).date().isoformat(),
        "version": version,
    }
    write_crate(folder, about, report)


@contextmanager
def new_file(target: Path) -> Iterator[Path]:
    """Yield the path of a file that takes the place of `target` when the block ends well, and vanishes otherwise.

    Raises
    ------
    BadInput
        The file cannot be written.
    """
    staging = target.with_name(f".{target.name}")
    with writing(target, "--out"):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield staging
            staging.replace(target)
        finally:
            staging.unlink(missing_ok=True)


def write_zip(folder: Path, target: Path) -> None:
    """Write a folder's files into a zip, in order and without times, so that the same files are the same zip."""
    with zipfile.ZipFile(target, "w") as file:
        for name in files_in(folder):
            info = zipfile.ZipInfo(name, EARLIEST)
            info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, READABLE, 3
            file.writestr(info, (folder / name).read_bytes())
