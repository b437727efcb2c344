"""What is found on the scales, in words: before and after, who answered, how bad it could be."""

from collections.abc import Iterable

import pandas as pd

from analysis.estimate.diagnostics import TREND
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Response, load_instruments
from analysis.plan.results import Estimate, Finding
from analysis.plan.study import Study
from analysis.report.wording import (
    hypothesis_title,
    interval_text,
    is_blind,
    is_randomized,
    is_scale,
    level_text,
    limit_texts,
    measured,
    number,
    percent,
    value_text,
)

MAIN_SCALES = ("H2_morale", "H3_leadership")
STEPS = {"n_invited": "still employed", "n_scored": "gave a score", "n_paired": "scored before and after"}


def is_compact(finding: Finding) -> bool:
    """Whether the answer is one of the further scales, which a page tells in less space."""
    return is_scale(finding) and finding.hypothesis not in MAIN_SCALES


def scale_name(finding: Finding) -> str:
    """Return what was scored and by whom: ``Leadership skills, self-rated``."""
    source = finding.primary.rater_source
    return hypothesis_title(finding) + (f", {CATALOGUE.rater_source(source)}" if source else "")


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


def forest_title(findings: Iterable[Finding]) -> str:
    """Return how many intervals lie above zero, below it, or hold it."""
    rows = [f.primary for f in findings]
    above, below = sum(e.limits[0] > 0 for e in rows), sum(e.limits[1] < 0 for e in rows)
    if above + below == 0:
        return f"Of {len(rows)} answers on scales {'the only interval holds' if len(rows) == 1 else 'all hold'} zero"
    said = [f"{n} {'lies' if n == 1 else 'lie'} {where} zero" for n, where in ((above, "above"), (below, "below")) if n]
    rest = len(rows) - above - below
    said += [f"{rest} {'holds' if rest == 1 else 'hold'} it"] if rest else []
    return f"Of {len(rows)} intervals on scales {_and(said)}"


def _and(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def event_study_title(finding: Finding) -> str:
    """Return what the waves before the start show, as the check of trends judges them, and what came after."""
    rows = frame_of(finding, "event_study", "position", "band_low", "band_high")
    if rows is None:
        return "Too few people in every wave to compare them"
    after = rows[rows["position"] > 0]
    said = "what came after is withheld" if is_blind(finding) else _after(after)
    return f"{_before(finding)}; {said}"


def _before(finding: Finding) -> str:
    """Return the judgement that the check of trends before the start made."""
    check = next((c for c in finding.checks if c.name == TREND), None)
    if check is None or check.grade == "untestable":
        return "No earlier waves to compare trends in"
    if check.passed is None:
        return "Too few people to tell whether the groups drifted apart before the start"
    return "No drift to be seen before the start" if check.passed else "The groups were drifting apart before the start"


def _after(rows: pd.DataFrame) -> str:
    if rows.empty:
        return "no wave after it can be shown"
    if len(rows) == 1:
        return f"after it {number(rows['estimate'].iloc[0], 2, signed=True)} points"
    first, last = rows.sort_values("position")["estimate"].iloc[[0, -1]]
    return f"after it {number(first, 2, signed=True)} points at first, {number(last, 2, signed=True)} at last"


def response_shares(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the response flow with every step as a share of those in the comparison: wave, arm and one column each."""
    shares = {step: frame[step].astype("Float64") / frame["n_people"].astype("Float64") for step in STEPS}
    return frame[["wave", "arm"]].assign(**{s: v.astype(float) for s, v in shares.items()})


def response_title(finding: Finding) -> str:
    """Return what share of each group gave a score, over the waves that can be shown."""
    shares = response_shares(finding.evidence["response"]).dropna(subset="n_scored")
    told = [
        f"{_range(shares.loc[shares['arm'] == arm, 'n_scored'])} of {who}"
        for arm, who in zip(("treated", "control"), _people(finding), strict=True)
        if (shares["arm"] == arm).any()
    ]
    return f"Gave a score after the start: {', '.join(told)}" if told else "Too few people to show who answered"


def _people(finding: Finding) -> tuple[str, str]:
    if is_randomized(finding):
        return "those offered a place", "those not offered one"
    return "those who started", "their comparators"


def _range(shares: pd.Series) -> str:
    low, high = percent(shares.min()), percent(shares.max())
    return low if low == high else f"{low} to {high}"


def delta_title(finding: Finding) -> str:
    """Return at which of the deltas drawn the interval begins to hold zero, or stops to."""
    rows = finding.evidence["delta"].dropna(subset=["ci_low", "ci_high"]).sort_values("delta")
    holds = rows.set_index("delta").apply(lambda r: r["ci_low"] <= 0 <= r["ci_high"], axis="columns")
    ends = " or ".join(_off(x) for x in (rows["delta"].min(), rows["delta"].max()))
    if holds.all() or not holds.any():
        return f"The interval {'holds' if holds.all() else 'leaves out'} zero, even if the silent did {ends}"
    turned = ~holds if _at_zero(holds) else holds
    becomes = "leaves out" if _at_zero(holds) else "holds"
    return f"The interval {becomes} zero once the silent did {_off(min(holds.index[turned], key=abs))}"


def _off(delta: float) -> str:
    return f"{number(abs(delta))} points {'worse' if delta < 0 else 'better'} than predicted"


def _at_zero(holds: pd.Series) -> bool:
    """Whether the interval holds zero where the silent are as predicted."""
    return bool(holds.iloc[abs(holds.index.to_numpy()).argmin()])


def trajectory_title(finding: Finding) -> str:
    """Return both groups' means at the last wave before the start and at the first one after it."""
    rows = finding.evidence["trajectories"].dropna(subset="mean")
    means = rows.pivot(index="wave_position", columns="arm", values="mean").astype(float)
    if not {"treated", "control"} <= set(means) or not {0, 1} <= set(means.dropna().index):
        if is_blind(finding):
            return f"{scale_name(finding)} before the start"
        return f"{scale_name(finding)} before and after: the difference is {value_text(finding.primary)} points"
    told = [
        f"{number(means.loc[0, arm])} to {number(means.loc[1, arm])} in {who}"
        for arm, who in zip(("treated", "control"), _people(finding), strict=True)
    ]
    return f"{scale_name(finding)}, before to after: {', '.join(told)}"


# --- sentences ----------------------------------------------------------------------------------------------------


def response_sentence(finding: Finding) -> str:
    """Return who answered, and how many of the comparison are left for an answer; empty without the flow."""
    rows = frame_of(finding, "response", "n_people", "n_scored")
    if rows is None:
        return ""
    return (
        f"{response_title(finding)}. Shares are of those in the comparison; people who had left when a wave opened "
        "were never asked."
    )


def bounds_sentences(finding: Finding) -> list[str]:
    """Return what the effect could still be: if the program moved who answers, and if trends had diverged."""
    return [s for s in (_lee(finding), _honest(finding)) if s]


def _lee(finding: Finding) -> str:
    lower, upper = (_by_estimator(finding, f"lee_bounds_{end}") for end in ("lower", "upper"))
    if lower is None or upper is None:
        return ""
    return (
        f"Those who answer only with the program, or only without it, may differ from the others. In those who "
        f"would have answered either way the effect lies between {value_text(lower)} and {value_text(upper)} points "
        f"({level_text(lower)} interval for it {_lee_limits(finding, lower, upper)})."
    )


def _lee_limits(finding: Finding, lower: Estimate, upper: Estimate) -> str:
    """Return the interval for the effect itself, which is shorter than from the one bound's limit to the other's."""
    frame = frame_of(finding, "lee", "low", "high")
    if frame is None:
        return f"{limit_texts(lower)[0]} to {limit_texts(upper)[1]}"
    return " to ".join(number(frame[end].iloc[0], signed=True) for end in ("low", "high"))


def _honest(finding: Finding) -> str:
    row = _by_estimator(finding, "honest_did")
    if row is None:
        return ""
    holds = "hold" if row.holds_zero else "still leave out"
    low, high = limit_texts(row)
    return (
        f"If the groups' trends parted after the start, from wave to wave, by as much as by the largest step before "
        f"it, the interval would run from {low} to {high} and {holds} zero."
    )


def _by_estimator(finding: Finding, estimator: str) -> Estimate | None:
    source = finding.primary.rater_source
    return next(
        (e for e in finding.alternatives if e.is_estimated and e.estimator == estimator and e.rater_source == source),
        None,
    )


def delta_sentence(finding: Finding) -> str:
    """Return how much worse the silent among the program's people would have to be; empty where nobody asked."""
    if frame_of(finding, "delta", "ci_low", "ci_high") is None:
        return ""
    who = _people(finding)[0]
    return f"{delta_title(finding)} (the silent: {who}, were asked and gave no score; predicted from those who did)."


def scale_measures(finding: Finding) -> list[str]:
    """Return the same contrast in standard deviations, and as odds where the scale is one question."""
    main = (finding.primary.contrast, finding.primary.rater_source)
    said = {
        "standardized_mean_difference": "In standard deviations of comparators' earlier scores: {}.",
        "odds_ratio": "Odds of a higher answer, the answer taken as an order of steps: {} times (1 is no difference).",
    }
    return [
        text.format(f"{value_text(row)} {interval_text(row)}")
        for measure, text in said.items()
        for row in measured(finding, measure)
        if (row.contrast, row.rater_source) == main
    ]


def other_sources(finding: Finding) -> list[str]:
    """Return what other raters' scores say: never pooled, each a sentence."""
    main = finding.primary
    return [
        f"{CATALOGUE.rater_source(e.rater_source).capitalize()}: {value_text(e)} {interval_text(e)} points."
        for e in measured(finding, main.measure, contrast=main.contrast)
        if e.rater_source and e.rater_source != main.rater_source and e.estimator == main.estimator
    ]
