"""Which pictures a study has, by file name."""

from collections.abc import Callable
from functools import partial

from analysis.plan.results import Finding
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report import figures, figures_checks, figures_described, figures_robust
from analysis.report.canvas import Drawing
from analysis.report.robustness import at_first_horizon
from analysis.report.wording import is_money

EVIDENCE: dict[str, Callable[..., Drawing]] = {
    "curves": figures.incidence_curves,
    "trajectories": figures.trajectory_plot,
    "balance": figures_checks.love_plot,
    "overlap": figures_checks.overlap_plot,
}
NEEDS_STUDY = ("curves", "trajectories")
# What must hold a number for the picture to show anything.
HEART = {"curves": "cumulative_incidence", "trajectories": "mean", "balance": "smd_after", "overlap": "share"}

DESCRIBED: dict[str, Callable[..., Drawing]] = {
    "participation": figures_described.participation_plot,
    "exit_rates": figures_described.exit_rates_plot,
    "response_rates": figures_described.response_plot,
}


def slug(finding: Finding) -> str:
    """Return the finding's part of a file name or an anchor."""
    return f"{finding.program}-{finding.role}-{finding.hypothesis}"


def finding_pictures(finding: Finding, study: Study) -> dict[str, Callable[[], Drawing]]:
    """Return how each picture of a finding is drawn, by kind.

    ``ladder`` (or ``money``), ``ways`` where the answer was made in more than one, ``kinds`` of exit where they can be
    shown, and the evidence that there is.
    """
    if not finding.primary.is_estimated:
        return {}
    if is_money(finding):
        return {"money": partial(figures_robust.net_benefit_plot, finding, study)}
    drawn = {"ladder": partial(figures.naive_beside_corrected, finding)}
    if len(at_first_horizon(finding)) > 1:
        drawn["ways"] = partial(figures_robust.specification_curve, finding)
    if has_kinds(finding):
        drawn["kinds"] = partial(figures_robust.other_exits_plot, finding)
    for kind, draw in EVIDENCE.items():
        frame = finding.evidence.get(kind)
        if frame is None or frame.empty or frame[HEART[kind]].isna().all():
            continue
        drawn[kind] = partial(draw, finding, study) if kind in NEEDS_STUDY else partial(draw, finding)
    return drawn


def has_kinds(finding: Finding) -> bool:
    """Whether of some competing kind of exit both groups had enough to be shown."""
    frame = finding.evidence.get("curves_by_kind")
    return frame is not None and not frame.empty and bool(figures_robust.shown_kinds(frame))


def described_pictures(released: Released) -> dict[str, Callable[[], Drawing]]:
    """Return how each picture of who is in the data is drawn, by the frame's name."""
    frames = {name: released.described.get(name) for name in DESCRIBED}
    return {
        name: partial(DESCRIBED[name], frame, released.study)
        for name, frame in frames.items()
        if frame is not None and len(frame)
    }


def all_pictures(released: Released) -> dict[str, Callable[[], Drawing]]:
    """Return how every picture of a study is drawn, by file name without its ending."""
    found = {
        f"{slug(finding)}-{kind}": draw
        for finding in released.findings
        for kind, draw in finding_pictures(finding, released.study).items()
    }
    return found | described_pictures(released)
