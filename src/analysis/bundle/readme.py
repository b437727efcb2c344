"""The README of a bundle, in the form that data editors of social science journals ask for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analysis.bundle.crate import checksum, files_in
from analysis.bundle.exhibits import estimators, exhibits
from analysis.bundle.folder import TAKEN
from analysis.bundle.measured import Measured, hardware, system
from analysis.plan.study import Study
from analysis.report.template import render_text, say

README = "README.md"


def data_licence(study: Study) -> str:
    """Return under what terms a study's data may be used, in a sentence."""
    return say("licences.data", {"licence": study.licence, "simulated": study.simulated, "study": study.study})


def write_readme(
    folder: Path,
    study: Study,
    told: Study,
    *,
    title: str,
    run: Mapping[str, Any],
    runs: Sequence[Measured],
    near: float,
) -> None:
    """Write the README of a bundle whose other files are there.

    Parameters
    ----------
    told
        The study in the bundle: `study`, or its stand-in.
    run
        What its report's ``run.json`` says.
    near
        The share of a stand-in's people who are near to a real one (`bundle.nearest`).
    """
    report, is_stand_in = folder / "reports" / told.study, told.study != study.study
    whole = sum((folder / name).stat().st_size for name in files_in(folder))
    lock = (folder / "requirements.lock").read_text(encoding="utf-8")
    values = {
        "title": title,
        "study": study.study,
        "report": told.study,
        "version": run["versions"]["mentoring-outcomes"],
        "is_stand_in": is_stand_in,
        "is_inside": is_stand_in and (folder / "reports" / study.study).is_dir(),
        "simulated": study.simulated,
        "has_registrations": (folder / "registrations").is_dir(),
        "citation": study.citation,
        "data_licence": data_licence(study),
        "tables": sorted({source.table for source in study.sources}),
        "n_files": len(study.sources),
        "taken": TAKEN,
        "min_cell": study.min_cell,
        "near": f"{near:.1%}",
        "files": _files(folder / "data" / told.study, told),
        "python": run["versions"]["python"],
        "versions": {name: number for name, number in run["versions"].items() if name not in ("python",)},
        "n_libraries": lock.count("=="),
        "seeds": run["seeds"],
        "system": system(),
        "hardware": hardware(),
        "minutes": runs[0].time,
        "memory": runs[0].peak,
        "runs": [{"study": one.study, "time": one.time, "memory": one.peak} for one in runs],
        "size": f"{whole / 1e6:.0f} MB",
        "estimators": [{"term": t, "label": label, "places": places} for t, label, places in estimators(report)],
        "exhibits": list(exhibits(report)),
    }
    (folder / README).write_text(render_text("readme.md.j2", values), encoding="utf-8")


def _files(folder: Path, study: Study) -> list[dict[str, str]]:
    """Return each data file with the tables that it feeds and its digest."""
    feeds: dict[str, list[str]] = {}
    for source in study.sources:
        feeds.setdefault(source.path, []).append(source.table)
    return [
        {"path": path, "table": ", ".join(dict.fromkeys(tables)), "sha": checksum(folder / path)}
        for path, tables in sorted(feeds.items())
        if path
    ]
