"""The page on the data: what came, what was repaired, what was rejected and why; also where nothing was answered."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import pandas as pd

from analysis.plan.errors import Problem
from analysis.plan.faults import Part, isolated
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import figures_quality as figures
from analysis.report import tables, tables_quality
from analysis.report.origins import with_origins
from analysis.report.pictures import Pictures, all_drawn, described_pictures, drawn_or_fault, safe_name
from analysis.report.sections import brand_of, described, image, shown_table
from analysis.report.tables_quality import REMARKS, empty_columns, gaps, rows_sentence
from analysis.report.template import render

# The reader of a page on bad input has the files themselves: nothing needs to be masked.
NO_MASK = 0
NOTHING_NOTICED: dict[str, dict | None] = {"wrong": None, "formal": None}
NO_PARTS: list[dict] = []
Made = TypeVar("Made")


def quality_pictures(released: Released) -> Pictures:
    """Return how each picture of the quality of the data is drawn, by file name without its ending."""
    frames, study = released.described, released.study
    drawn: Pictures = {}
    if _has(frames, "row_counts"):
        drawn["rows"] = partial(figures.rows_plot, frames["row_counts"], released.problems, study.min_cell)
    for (program, role), rows in _first_answers(frames.get("flow_of_people")):
        drawn[f"people-{safe_name(program)}-{role}"] = partial(figures.people_flow_plot, rows, study)
    if _has(frames, "coverage", "n_employed"):
        drawn["coverage"] = partial(figures.coverage_plot, frames["coverage"], study)
    if _has(frames, "missingness") and len(gaps(frames["missingness"])):
        drawn["gaps"] = partial(figures.gaps_plot, frames["missingness"], study)
    return drawn


def _has(frames: Mapping[str, pd.DataFrame], name: str, heart: str | None = None) -> bool:
    """Whether there is such a frame with rows, and with a number told in the column `heart`."""
    if name not in frames or frames[name].empty:
        return False
    return heart is None or bool(frames[name][heart].notna().any())


def _first_answers(flow: pd.DataFrame | None) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return the participant flow of the first answer of each program and role: the others begin alike.

    A program and role of which no count may be told has none.
    """
    if flow is None or flow.empty:
        return []
    return [
        (who, rows[rows["hypothesis"] == rows["hypothesis"].iloc[0]])
        for who, rows in flow.groupby(["program_id", "role"], sort=False)
        if (rows["n_people"] > 0).any()
    ]


def quality_page(released: Released) -> str:
    """Return the page on the data of a study that was answered, as HTML that loads nothing from anywhere."""
    frames, study = released.described, released.study
    drawn: Pictures = _part("pictures of the data", lambda: quality_pictures(released), {})
    of_people: Pictures = _part("pictures of people", lambda: described_pictures(released), {})
    images = with_origins(all_drawn(drawn | of_people, image), drawn | of_people)
    counts, least = frames.get("row_counts"), study.min_cell
    values = _about(study, released.problems) | {
        "has_origins": True,
        "name": study.study,
        "errors": [],
        "rows": _part("rows", lambda: _rows(counts, released.problems, least, images.get("rows")), None),
        "noticed": _part("repairs and remarks", lambda: _noticed(released.problems, least), NOTHING_NOTICED),
        "people": _part("from employed to analysed", lambda: _people(released, images), None),
        "described": _part("who is in the data", lambda: described(released, images), NO_PARTS),
        "record": _part("on record over time", lambda: _record(frames, study, images), None),
        "gaps": _part("gaps", lambda: _gaps(frames, images), None),
        "created": str(released.run.get("created", ""))[:10],
    }
    return render("quality.html.j2", values)


def _part(name: str, make: Callable[[], Made], instead: Made) -> Made:
    """Return a part of the page; `instead` where a fault takes it away, which the study's page tells."""
    return isolated(Part("section", f"page on the data, {name}"), make, lambda _: instead)


def bad_input_page(name: str, problems: Sequence[Problem], counts: pd.DataFrame | None, study: Study | None) -> str:
    """Return the page on input that cannot be used: what is wrong, where, and what to do.

    Parameters
    ----------
    counts
        What became of the rows of each file (`validate.account.account`); None where no file was read.
    study
        None where ``study.yaml`` itself is at fault.
    """
    values = _about(study, problems) | {
        "has_origins": False,
        "name": name,
        "errors": _by_file([p for p in problems if p.severity == "error"]),
        "rows": _rows(counts, problems, NO_MASK, None),
        "noticed": _noticed([p for p in problems if p.severity != "error"], NO_MASK),
        "people": None,
        "described": [],
        "record": None,
        "gaps": None,
        "created": "",
    }
    return render("quality.html.j2", values)


def _about(study: Study | None, problems: Sequence[Problem]) -> dict:
    """Return what both pages say of the study and of its exports as a whole."""
    return {
        "title": study.page_title if study else None,
        "brand": _part("brand", lambda: brand_of(study), None),
        "is_simulated": bool(study and study.simulated),
        "min_cell": study.min_cell if study else None,
        "round_to": study.round_to if study else None,
        "remarks": _remarks(problems),
    }


def _remarks(problems: Sequence[Problem]) -> list[dict]:
    """Return what must be known of whole exports: each remark once, with the files that it is about."""
    told: dict[tuple[bool, str], list[str]] = {}
    for problem in problems:
        if problem.rule in REMARKS:
            told.setdefault((problem.rule == REMARKS[0], problem.message.rstrip(".")), []).append(problem.source)
    return [
        {"files": ", ".join(dict.fromkeys(sources)), "message": message, "is_unverified": unverified}
        for (unverified, message), sources in sorted(told.items(), key=lambda remark: not remark[0][0])
    ]


def _rows(counts: pd.DataFrame | None, problems: Sequence[Problem], min_cell: int, drawn: dict | None) -> dict | None:
    """Return what became of the rows; None where no file was read. Bad input has its picture drawn here."""
    if counts is None or counts.empty:
        return None
    return {
        "sentence": rows_sentence(counts, min_cell),
        "n_files": counts["source"].nunique(),
        "image": drawn or drawn_or_fault("rows", partial(figures.rows_plot, counts, problems, min_cell), image),
        "table": shown_table("rows", tables.row_counts_table, tables.row_counts_table(counts, min_cell)),
    }


def _by_file(errors: Sequence[Problem]) -> list[dict]:
    files = dict.fromkeys(p.source for p in errors)
    lines = {file: tables_quality.correction_table(p for p in errors if p.source == file) for file in files}
    return [
        {
            "file": file,
            "table": shown_table("problems", tables_quality.correction_table, table.drop(columns="file")),
            "n": len(table),
        }
        for file, table in lines.items()
    ]


def _noticed(problems: Sequence[Problem], min_cell: int) -> dict[str, dict | None]:
    """Return what was wrong, and what was reformatted only or left out of all rows, each as a table or None."""
    told = [p for p in problems if p.rule not in REMARKS]
    formal = [p for p in told if p.is_translation or (p.severity == "info" and p.rows == 0)]
    return {
        name: shown_table("problems", tables.quality_table, tables.quality_table(part, min_cell) if part else None)
        for name, part in (("wrong", [p for p in told if p not in formal]), ("formal", formal))
    }


def _people(released: Released, images: Mapping[str, dict]) -> dict | None:
    frame = released.described.get("flow_of_people")
    if frame is None or not (frame["n_people"] > 0).any():
        return None
    return {
        "images": [picture for name, picture in images.items() if name.startswith("people-")],
        "has_lots": bool((frame["unit"] != "people").any()),
        "table": _table("people", tables_quality.people_flow_table, frame, released.study),
        "steps": _table("people", tables_quality.people_steps_table, frame, released.study),
    }


def _table(name: str, make: Callable[..., pd.DataFrame], *of: object) -> dict | None:
    return shown_table(name, make, make(*of))


def _record(frames: Mapping[str, pd.DataFrame], study: Study, images: Mapping[str, dict]) -> dict | None:
    """Return coverage over time and who answered the surveys."""
    asked = frames["response_rates"] if _has(frames, "response_rates") else None
    found = {
        "image": images.get("coverage"),
        "table": _table("coverage", tables_quality.coverage_table, frames["coverage"], study.min_cell)
        if _has(frames, "coverage", "n_employed")
        else None,
        "response_image": images.get("response_rates"),
        "response_table": None
        if asked is None
        else _table("response_rates", tables.response_table, asked, study.min_cell),
    }
    return found if any(found.values()) else None


def _gaps(frames: Mapping[str, pd.DataFrame], images: Mapping[str, dict]) -> dict | None:
    if not _has(frames, "missingness", "share_missing"):
        return None
    frame = frames["missingness"]
    return {
        "image": images.get("gaps"),
        "table": _table("gaps", tables_quality.gaps_table, frame),
        "empty": empty_columns(frame),
        "has_any": bool(len(gaps(frame)) or empty_columns(frame)),
    }
