"""The section on how the scales were measured, ready to be set; frames that a study lacks leave no trace."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd

from analysis.plan.faults import Part, isolated
from analysis.release.answer import Released
from analysis.report import measured, tables_measured
from analysis.report.pictures import measured_pictures
from analysis.report.sections import shown_table
from analysis.report.template import say

Telling = Callable[[pd.DataFrame], list[str]]


def nothing(frame: pd.DataFrame) -> list[str]:
    """Return no sentence, of frames that a table or a picture tells."""
    return []


def last_waves(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the last wave of each scale and rater source; the notebook has them all."""
    return frame[frame["wave"] == frame.groupby(["construct", "rater_role"])["wave"].transform("max")]


def last_items_table(frame: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return how each item serves its scale in the last wave; the notebook has all waves."""
    return tables_measured.item_statistics_table(last_waves(frame), min_cell)


# By part of the section: each frame with its sentences, and how the names of its pictures begin.
PARTS: Mapping[str, Sequence[tuple[str, Telling, str]]] = {
    "belong_together": (
        ("reliability", measured.reliability_sentences, ""),
        ("item_keying", measured.keying_sentences, ""),
        ("item_statistics", nothing, ""),
    ),
    "mean_the_same": (
        ("invariance", measured.invariance_sentences, ""),
        ("item_changes", measured.change_sentences, ""),
    ),
    "filled_in_with_care": (("careless", measured.careless_sentences, ""),),
    "seen_by_others": (
        ("self_other", measured.self_other_sentences, ""),
        ("self_other_bins", nothing, "self-other"),
        ("agreement", measured.agreement_sentences, ""),
        ("leniency", measured.leniency_sentences, ""),
    ),
    "gap_before": (("skill_gap", nothing, "skill-gap"),),
    "linked_to_nobody": (("unlinked", measured.unlinked_sentences, "unlinked"),),
}
TABLES = {
    "reliability": tables_measured.reliability_table,
    "item_statistics": last_items_table,
    "invariance": tables_measured.invariance_table,
    "item_changes": tables_measured.item_changes_table,
    "careless": tables_measured.careless_table,
    "self_other": tables_measured.self_other_table,
    "agreement": tables_measured.agreement_table,
    "leniency": tables_measured.leniency_table,
    "skill_gap": tables_measured.skill_gap_table,
    "unlinked": tables_measured.unlinked_table,
}


def has_measurement(released: Released) -> bool:
    """Whether anything can be told of how the scales were measured."""
    told = {name for frames in PARTS.values() for name, *_ in frames}
    return any(len(frame) > 0 for name, frame in released.described.items() if name in told)


def measurement(released: Released, images: Mapping[str, dict]) -> list[dict]:
    """Return the parts of the section: title, sentences, pictures, and what can be laid open under each."""
    drawn = [name for name in measured_pictures(released) if name in images]
    titled = ((say("headings.heading", name), frames) for name, frames in PARTS.items())
    made = {title: partial(_part, title, frames, released, drawn, images) for title, frames in titled}
    parts = [isolated(Part("section", title), make, lambda _: None) for title, make in made.items()]
    found = [part for part in parts if part and (part["sentences"] or part["pictures"] or part["folded"])]
    items = [{"image": images[name], "caption": ""} for name in drawn if name.startswith("items-")]
    if items and found:
        found[0]["folded"].append({"title": say("headings.heading", "item_answers"), "pictures": items, "table": None})
    return found


def _part(title: str, frames: Sequence, released: Released, drawn: Sequence[str], images: Mapping[str, dict]) -> dict:
    sentences, pictures = [], []
    folded: list[dict] = []
    for name, tell, prefix in frames:
        frame = released.described.get(name)
        if frame is None or frame.empty:
            continue
        sentences += tell(frame)
        pictures += [{"image": images[n], "caption": ""} for n in drawn if prefix and n.startswith(f"{prefix}-")]
        if name in TABLES:
            made = shown_table(name, TABLES[name], TABLES[name](frame, min_cell=released.study.min_cell))
            folded.append({"title": say("headings.heading", name), "pictures": [], "table": made})
    return {"title": title, "sentences": sentences, "pictures": pictures, "folded": folded}
