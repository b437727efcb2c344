"""Sentences about findings: their words are in the templates, what they may name in `facts`."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Response, load_instruments
from analysis.plan.results import Estimate, Finding, estimated
from analysis.plan.study import Study
from analysis.release.answer import Released
from analysis.report.facts import at_first_horizon, facts, ways
from analysis.report.template import say, say_each
from analysis.report.wording import hypothesis_title, is_blind, is_money, is_randomized, is_scale, role_phrase

# --- prose ------------------------------------------------------------------------------------------------------------
# Sentences about findings: their words are in the templates, what they may name in `facts`.

MAIN_HYPOTHESES = ("H1_retention", "H2_morale", "H3_leadership")
# The one assumption that the arithmetic of money rests on, as `estimate.economics` names its check.
ASSUMPTION = "what an exit costs"


def three_sentences(released: Released) -> tuple[str, ...]:
    """Return the answers, a sentence each for retention, morale and leadership, with every program and role."""
    findings, study = released.findings, released.study
    return tuple(_answer(h, [f for f in findings if f.hypothesis == h], study) for h in MAIN_HYPOTHESES)


def _answer(hypothesis: str, findings: Sequence[Finding], study: Study) -> str:
    """Return the answers to a hypothesis in one sentence, those with a number first."""
    ordered = sorted(findings, key=lambda f: not f.primary.is_estimated)
    programs = [f.program for f in ordered]
    told = [facts(f, study) | {"is_first_of_program": programs.index(f.program) == n} for n, f in enumerate(ordered)]
    return say("answer.in_one_sentence", load_plan().hypothesis(hypothesis).title, told)


def finding_sentence(finding: Finding, study: Study) -> str:
    """Return what was found for one program and role, with its interval; or why there is no number."""
    return say("answer.finding", facts(finding, study))


def detectable_sentence(finding: Finding) -> str:
    """Return the smallest effect that the study could have seen, to be read before any p-value; empty without one."""
    return say("answer.detectable", facts(finding))


def outcome_note(finding: Finding) -> str:
    """Return why exits of every kind are counted where voluntary ones cannot be told apart; empty otherwise."""
    return say("answer.note", facts(finding))


def verdict_sentence(finding: Finding) -> str:
    """Return the verdict in plain words, by the written rule, and what the checks found; empty without an estimate."""
    return say("verdict.sentence", facts(finding))


def checks_sentence(finding: Finding) -> str:
    """Return how many checks failed or call for caution, and what they found; empty where nothing could be tested."""
    return say("verdict.checks", facts(finding))


def naive_sentence(finding: Finding) -> str:
    """Return what a dashboard would show, and what is left of it once the comparison is fair; empty without either."""
    return say("dashboard.naive", facts(finding))


def step(before: Estimate, after: Estimate) -> str:
    """Return what a correction did to the figure, from the numbers as they are shown: points off, on, or a turn."""
    return say("dashboard.step", before, after)


def break_even_sentence(finding: Finding) -> str:
    """Return how many exits the program must avoid to pay for itself; empty where that cannot be told."""
    return say("money.break_even", facts(finding))


def assumption_sentence(finding: Finding) -> str:
    """Return what an exit and the program are taken to cost; empty where the study does not say."""
    return next((check.sentence for check in finding.checks if check.name == ASSUMPTION), "")


def ways_title(finding: Finding) -> str:
    """Return what all ways together say: how far the estimates lie apart and how many intervals hold no difference."""
    return say("robustness.ways_title", facts(finding), at_first_horizon(finding))


def ways_sentence(finding: Finding) -> str:
    """Return what all ways say, and how far to trust it; empty where the answer was made in one way only."""
    marked = {way.row.estimator: way.record for way in ways(finding) if way.is_marked}
    return say("robustness.ways", facts(finding), at_first_horizon(finding), list(marked.values()))


def e_value_sentence(finding: Finding) -> str:
    """Return how strong something unrecorded would have to be to explain the answer away; empty where nobody asked."""
    return say("robustness.e_value", facts(finding))


def measure_sentences(finding: Finding) -> list[str]:
    """Return the same contrast in other measures, at the first horizon: days and ratios, or standard deviations."""
    return say_each("robustness.measures", facts(finding))


def control_sentences(finding: Finding) -> list[str]:
    """Return the comparisons that should show nothing, and whether they do; then what a dashboard shows there."""
    return say_each("robustness.controls", facts(finding))


def limits(released: Released) -> list[str]:
    """Return, in sentences, what this study cannot tell; which of them apply depends on its design and its gaps."""
    findings = released.findings
    answered = [f for f in findings if f.primary.is_estimated]
    told = {f.hypothesis for f in answered}
    apply = {
        "is_blind": any(is_blind(f) for f in findings),
        "is_simulated": released.study.simulated,
        "is_answered": bool(answered),
        "has_choice": any(not is_randomized(f) for f in answered),
        "has_lottery": any(is_randomized(f) for f in answered),
        "has_scales": any(is_scale(f) for f in answered),
        "has_money": any(is_money(f) for f in answered),
        "silent": list(dict.fromkeys(hypothesis_title(f).lower() for f in findings if f.hypothesis not in told)),
    }
    return say_each("limits.limits", apply)


def registration_sentence(released: Released) -> str:
    """Return how many answers were registered, and which were not or deviate; empty without a registered plan."""
    told = released.run.get("registration")
    if not isinstance(told, dict):
        return ""
    titles: dict[str, list[str]] = {"registered": [], "exploratory": [], "deviates": []}
    for finding in released.findings:
        titles[known(finding.registered).status].append(hypothesis_title(finding))
    return say(
        "registration.study", told | titles | {"n": len(released.findings), "day": str(told["registered_at"])[:10]}
    )


def comparators(finding: Finding) -> str:
    """Return what the comparators are called; after a failed check nobody calls them comparable."""
    return say("names.comparators", facts(finding))


def label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about: ``Genius Clinic: mentors (the juniors)``; the program alone where it is all."""
    program = study.program(finding.program)
    return program.name if is_money(finding) else f"{program.name}: {role_phrase(program, finding.role)}"


def short_label(finding: Finding, study: Study) -> str:
    """Return whom a finding is about on a page of its own: the role alone where the study has one program."""
    return label(finding, study) if len(study.programs) > 1 else say("names.in_a_label", facts(finding, study))


# --- scale words ------------------------------------------------------------------------------------------------------
# What is found on the scales, in words: before and after, who answered, how bad it could be.

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
    rows = [estimated(f.primary) for f in findings]
    above, below = sum(e.ci_low > 0 for e in rows), sum(e.ci_high < 0 for e in rows)
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


def trajectory_caption(finding: Finding) -> str:
    """Return what is averaged by wave, and how that differs from the participants' own change."""
    return say("scales.trajectory_caption", facts(finding))


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
