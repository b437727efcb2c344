"""What is found on the scales, in words: before and after, who answered, how bad it could be."""

from collections.abc import Iterable

import pandas as pd

from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Response, load_instruments
from analysis.plan.results import Finding
from analysis.plan.study import Study
from analysis.report.facts import facts
from analysis.report.template import say, say_each
from analysis.report.wording import is_scale

MAIN_SCALES = ("H2_morale", "H3_leadership")
ARMS = ("treated", "control")
STEPS = {"n_invited": "still employed", "n_scored": "gave a score", "n_paired": "scored before and after"}


def is_compact(finding: Finding) -> bool:
    """Whether the answer is one of the further scales, which a page tells in less space."""
    return is_scale(finding) and finding.hypothesis not in MAIN_SCALES


def answered_scales(findings: Iterable[Finding]) -> list[Finding]:
    """Return the scale findings that have a number, by program and role and in the plan's order within them."""
    order = [h.id for h in load_plan().hypotheses]
    found = [f for f in findings if is_scale(f) and f.primary.is_estimated]
    groups = list(dict.fromkeys((f.program, f.role) for f in found))
    return sorted(found, key=lambda f: (groups.index((f.program, f.role)), order.index(f.hypothesis)))


def answer_scale(study: Study, construct: str) -> Response | None:
    """Return the answer scale of a construct's items; None where the study's files do not name one instrument for it.

    Scores that are sums, or shares of top answers, do not live on the answer scale: None as well.
    """
    used = {source.instrument for source in study.sources} - {None}
    if not used:
        return None
    cards = {name: card for name, card in load_instruments(study).items() if name in used}
    found = {
        (card.response.min, card.response.max): card.response
        for card in cards.values()
        for scale in card.scales.values()
        if scale.construct_name == construct and scale.score == "mean"
    }
    return next(iter(found.values())) if len(found) == 1 else None


def frame_of(finding: Finding, name: str, *needed: str) -> pd.DataFrame | None:
    """Return a frame of evidence without the rows that lack one of these columns; None where nothing is left."""
    frame = finding.evidence.get(name)
    if frame is None or frame.empty:
        return None
    shown = frame.dropna(subset=list(needed))
    return None if shown.empty else shown


def response_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the response flow with every step as a share of those in the comparison: wave, arm and one column each."""
    shares = {step: frame[step].astype("Float64") / frame["n_people"].astype("Float64") for step in STEPS}
    return frame[["wave", "arm"]].assign(**{s: v.astype(float) for s, v in shares.items()})


# --- titles and sentences: what they name of a frame, or None where it tells nothing -------------------------------


def scale_name(finding: Finding) -> str:
    """Return what was scored and by whom: ``Leadership skills, self-rated``."""
    return say("scales.name", facts(finding))


def forest_title(findings: Iterable[Finding]) -> str:
    """Return how many intervals lie above zero, below it, or hold it."""
    rows = [f.primary for f in findings]
    above, below = sum(e.limits[0] > 0 for e in rows), sum(e.limits[1] < 0 for e in rows)
    return say("scales.forest_title", len(rows), above, below)


def event_study_title(finding: Finding) -> str:
    """Return what the waves before the start show, as the check of trends judges them, and what came after."""
    rows = frame_of(finding, "event_study", "position", "band_low", "band_high")
    after = None if rows is None else rows[rows["position"] > 0].sort_values("position")["estimate"].tolist()
    return say("scales.event_study_title", facts(finding), after)


def response_title(finding: Finding) -> str:
    """Return what share of each group gave a score, over the waves that can be shown."""
    return say("scales.response_title", facts(finding), *_shares_scored(finding))


def response_sentence(finding: Finding) -> str:
    """Return who answered, and how many of the comparison are left for an answer; empty without the flow."""
    if frame_of(finding, "response", "n_people", "n_scored") is None:
        return ""
    return say("scales.response", facts(finding), *_shares_scored(finding))


def _shares_scored(finding: Finding) -> list[tuple[float, float] | None]:
    """Return the lowest and highest share of each group that gave a score."""
    shares = response_shares(finding.evidence["response"]).dropna(subset="n_scored")
    scored = [shares.loc[shares["arm"] == arm, "n_scored"] for arm in ARMS]
    return [(s.min(), s.max()) if len(s) else None for s in scored]


def delta_title(finding: Finding) -> str:
    """Return at which of the deltas drawn the interval begins to hold zero, or stops to."""
    return say("scales.delta_title", _turn(finding))


def delta_sentence(finding: Finding) -> str:
    """Return how much worse the silent among the program's people would have to be; empty where nobody asked."""
    if frame_of(finding, "delta", "ci_low", "ci_high") is None:
        return ""
    return say("scales.delta", facts(finding), _turn(finding))


def _turn(finding: Finding) -> dict[str, object]:
    """Return whether the interval holds zero where the silent are as predicted, and the least delta that turns it."""
    rows = finding.evidence["delta"].dropna(subset=["ci_low", "ci_high"]).set_index("delta").sort_index()
    holds = (rows["ci_low"] <= 0) & (rows["ci_high"] >= 0)
    as_predicted = bool(holds.iloc[abs(holds.index.to_numpy()).argmin()])
    turned = holds.index[holds != as_predicted]
    return {
        "lowest": holds.index.min(),
        "highest": holds.index.max(),
        "holds_as_predicted": as_predicted,
        "turn": min(turned, key=abs, default=None),
    }


def trajectory_title(finding: Finding) -> str:
    """Return both groups' means at the last wave before the start and at the first one after it."""
    rows = finding.evidence["trajectories"].dropna(subset="mean").set_index(["arm", "wave_position"])["mean"]
    means = [[rows.get((arm, wave)) for wave in (0, 1)] for arm in ARMS]
    told = all(mean is not None for of_arm in means for mean in of_arm)
    return say("scales.trajectory_title", facts(finding), *(means if told else (None, None)))


def bounds_sentences(finding: Finding) -> list[str]:
    """Return what the effect could still be: if the program moved who answers, and if trends had diverged."""
    found, frame = facts(finding), frame_of(finding, "lee", "low", "high")
    if found["lee"] and frame is not None:
        # The interval for the effect itself, which is shorter than from the one bound's limit to the other's.
        found["lee_interval"] = [frame[end].iloc[0] for end in ("low", "high")]
    return say_each("scales.bounds", found)


def other_sources(finding: Finding) -> list[str]:
    """Return what other raters' scores say: never pooled, each a sentence."""
    return say_each("scales.other_sources", facts(finding))
