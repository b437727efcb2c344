"""Which pictures a study has, by file name."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeVar

import pandas as pd

from analysis.plan.faults import Part, isolated
from analysis.plan.results import Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import (
    figures,
    figures_checks,
    figures_described,
    figures_measured,
    figures_robust,
    figures_scales,
)
from analysis.report.canvas import Drawing
from analysis.report.facts import at_first_horizon
from analysis.report.prose import answered_scales, is_compact
from analysis.report.wording import is_blind, is_money

Made = TypeVar("Made")
# Name → how the picture is drawn.
Pictures = dict[str, Callable[[], Drawing]]
SAFE_NAME = re.compile(r"\w[\w.-]{0,59}")


@dataclass(frozen=True)
class EvidencePicture:
    """How a frame of evidence is drawn, and where on the page.

    Attributes
    ----------
    draw
        From a finding, and from the study where `needs_study`.
    required_column
        What must hold a number for the picture to show anything.
    place
        ``open`` under the answer; under ``silence``, who answers and what the silent could change; of the ``groups``,
        which say something also where there is no answer.
    """

    draw: Callable[..., Drawing]
    required_column: str
    place: Literal["open", "silence", "groups"]
    needs_study: bool = False


# By the name of the frame.
EVIDENCE = {
    "curves": EvidencePicture(figures.incidence_curves, "cumulative_incidence", "open", needs_study=True),
    "trajectories": EvidencePicture(figures_scales.trajectory_plot, "mean", "open", needs_study=True),
    "event_study": EvidencePicture(figures_scales.event_study_plot, "band_low", "open"),
    "response": EvidencePicture(figures_scales.response_flow_plot, "n_scored", "silence"),
    "delta": EvidencePicture(figures_scales.delta_plot, "ci_low", "silence"),
    "balance": EvidencePicture(figures_checks.love_plot, "smd_after", "groups"),
    "overlap": EvidencePicture(figures_checks.overlap_plot, "share", "groups"),
}
# A further scale shares its people and its forms with morale: their pictures are not drawn again.
COMPACT = ("trajectories", "event_study", "ways")
FOREST = "scales"

# By the name of the frame: the drawing, and the columns of which one must hold a number that may be shown.
DESCRIBED: dict[str, tuple[Callable[..., Drawing], list[str]]] = {
    "participation": (figures_described.participation_plot, ["n_enrolled", "n_offered", "n_started"]),
    "exit_rates": (figures_described.exit_rates_plot, [column for column, *_ in figures_described.EXIT_KINDS]),
    "response_rates": (figures_described.response_plot, ["share"]),
}


def slug(finding: Finding) -> str:
    """Return the finding's part of a file name or an anchor."""
    return f"{safe_name(finding.program)}-{finding.role}-{finding.hypothesis}"


def safe_name(given: str) -> str:
    """Return an id as a part of a file name: a path or a sign that files cannot have gives way to a checksum."""
    if SAFE_NAME.fullmatch(given):
        return given
    checksum = hashlib.sha256(given.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9]+', '_', given)[:40].strip('_')}-{checksum}".lstrip("-")


def drawn_or_fault(name: str, draw: Callable[[], Drawing], make: Callable[[Drawing], Made]) -> Made | None:
    """Return what `make` makes of a picture; None where a fault takes it away."""
    return isolated(Part("picture", name), lambda: make(draw()), lambda _: None)


def all_drawn(pictures: Pictures, make: Callable[[Drawing], Made]) -> dict[str, Made]:
    """Return what `make` makes of each picture, by name, without those that a fault takes away."""
    made = {name: drawn_or_fault(name, draw, make) for name, draw in pictures.items()}
    return {name: content for name, content in made.items() if content is not None}


def finding_pictures(finding: Finding, study: Study) -> Pictures:
    """Return how each picture of a finding is drawn that a report holds: of a further scale only those in `COMPACT`."""
    drawn = possible_pictures(finding, study)
    return {kind: draw for kind, draw in drawn.items() if kind in COMPACT} if is_compact(finding) else drawn


def possible_pictures(finding: Finding, study: Study) -> Pictures:
    """Return how each picture of a finding is drawn, by kind.

    ``ladder`` (or ``money``), ``ways`` where the answer was made in more than one, ``kinds`` of exit where they can be
    shown, and the evidence that there is.
    """
    if is_blind(finding):
        return evidence_pictures(finding, study)
    if not finding.primary.is_estimated:
        return {}
    if is_money(finding):
        return {"money": partial(figures_robust.net_benefit_plot, finding, study)}
    drawn = {"ladder": partial(figures.naive_beside_corrected, finding)}
    if len(at_first_horizon(finding)) > 1:
        drawn["ways"] = partial(figures_robust.specification_curve, finding)
    if has_kinds(finding):
        drawn["kinds"] = partial(figures_robust.other_exits_plot, finding)
    return drawn | evidence_pictures(finding, study)


def evidence_pictures(finding: Finding, study: Study) -> Pictures:
    """Return how each picture of a frame of evidence is drawn, by kind, whether or not there is an answer.

    Of an effect that is withheld only what came before it.
    """
    return {
        kind: partial(one.draw, finding, study) if one.needs_study else partial(one.draw, finding)
        for kind, one in EVIDENCE.items()
        if (frame := finding.evidence.get(kind)) is not None and frame[one.required_column].notna().any()
    }


def placed(place: str) -> tuple[str, ...]:
    """Return the kinds of evidence whose pictures stand at a place of the page."""
    return tuple(kind for kind, one in EVIDENCE.items() if one.place == place)


def has_kinds(finding: Finding) -> bool:
    """Whether of some competing kind of exit both groups had enough to be shown."""
    frame = finding.evidence.get("curves_by_kind")
    return frame is not None and not frame.empty and bool(figures_robust.shown_kinds(frame))


def described_pictures(released: Released) -> Pictures:
    """Return how each picture of who is in the data is drawn, by the frame's name; none where nothing may be shown."""
    frames = {name: released.described.get(name) for name in DESCRIBED}
    return {
        name: partial(DESCRIBED[name][0], frame, released.study)
        for name, frame in frames.items()
        if frame is not None and frame[DESCRIBED[name][1]].notna().any(axis=None)
    }


def measured_pictures(released: Released) -> Pictures:
    """Return how each picture of how the scales were measured is drawn, by file name; empty frames have none."""
    return {
        name: partial(draw, part)
        for frame, prefix, keys, heart, draw in MEASURED
        for name, part in _parts(released.described.get(frame), prefix, keys, heart)
    }


# Frame, first part of the file name, columns that set its pictures apart, column that must hold numbers, drawing.
MEASURED = (
    ("item_answers", "items", ["construct", "rater_role"], "share", figures_measured.item_bars),
    ("self_other_bins", "self-other", ["construct"], "others_mean", figures_measured.self_other_plot),
    ("skill_gap", "skill-gap", ["construct"], "mean", figures_measured.skill_gap_plot),
    ("unlinked", "unlinked", ["instrument"], "mean", figures_measured.unlinked_plot),
)
# All constructs have a gap by level and age; the articles claim one of digital fluency.
GAP_OF = "digital_fluency"


def _parts(frame: pd.DataFrame | None, prefix: str, keys: list[str], heart: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the name and the rows of every picture of a frame."""
    if frame is None or frame.empty:
        return
    shown = frame[frame["construct"] == GAP_OF] if prefix == "skill-gap" else frame
    for values, part in shown.groupby(keys, sort=False):
        if part[heart].notna().any():
            yield "-".join([prefix, *map(safe_name, values)]), part


def scales_picture(released: Released) -> Pictures:
    """Return how every scale at a glance is drawn; empty where no scale could be estimated."""
    if not answered_scales(released.findings):
        return {}
    return {FOREST: partial(figures_scales.scales_forest, released.findings, released.study)}


def all_pictures(released: Released) -> Pictures:
    """Return how every picture of a study is drawn, by file name without its ending."""
    found = {
        f"{slug(finding)}-{kind}": draw
        for finding in released.findings
        for kind, draw in finding_pictures(finding, released.study).items()
    }
    return found | described_pictures(released) | measured_pictures(released) | scales_picture(released)
