"""Who answers, and what the silent and the leavers could have hidden: rows, frames and checks."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.design.response import Asked, asked_of, response_balance, response_flow, response_weights
from analysis.estimate.among_asked import response_weighted_change, those_invited
from analysis.estimate.ask import Ask
from analysis.estimate.change_rows import Measured, by_unit, covariates_of, is_lottery, main_estimator
from analysis.estimate.lee_bounds import MONOTONE, NOT_RANDOMIZED, Bounds, lee_bounds
from analysis.estimate.rows import Groups, Question, estimated
from analysis.estimate.silent import silent_sensitivity
from analysis.plan.results import Check, Estimate
from analysis.plan.seeds import rng

STAYERS = Check(
    "leavers never answer",
    None,
    None,
    None,
    "Scores exist only for those who stayed and answered; if the program changes who stays or answers, the "
    "comparison shifts with it.",
)
ALIKE = 0.10
DELTAS = np.linspace(-1.0, 1.0, 41).round(2)


def silence_of(ask: Ask, measured: Measured) -> tuple[list[Estimate], dict, list[Check]]:
    """Return the rows, the frames and the checks about those who never answered."""
    panel = measured.panel
    evidence = {"response": response_flow(panel.everyone)}
    matrix = covariates_of(ask, panel.known, panel.everyone)
    terms = matrix.values  # noqa: PD011
    asked = asked_of(panel.everyone, terms, is_lottery(ask), by_unit(ask))
    if min(_scored(asked)) < 2:
        return [], evidence, [STAYERS]
    question = ask.question(rater_source=measured.rater_source)
    naming = (ask.study.study, ask.program.id, ask.role, ask.hypothesis.id, measured.rater_source or "")
    rows = []
    weighted = response_weighted_change(asked, rng(*naming, "response"))
    if weighted is not None:
        name = f"{main_estimator(ask)}_response_weighted"
        rows.append(estimated(question, "sensitivity", name, weighted, Groups(*_scored(asked))))
    sign = ask.hypothesis.claimed_direction * ask.smallest_effect
    silent = silent_sensitivity(asked, sign, DELTAS, rng(*naming, "silent"))
    if silent is not None:
        name = f"{main_estimator(ask)}_delta"
        rows.append(estimated(question, "sensitivity", name, silent.at_zero, _invited(asked)))
        evidence["delta"] = silent.curve
    bounds = lee_bounds(asked, rng(*naming, "lee"))
    checks = []
    if bounds is not None:
        rows += _bound_rows(question, bounds)
        evidence["lee"] = _bounds_frame(bounds)
        checks = [_alike(bounds), MONOTONE, *([] if is_lottery(ask) else [NOT_RANDOMIZED])]
    invited = those_invited(asked)
    if invited is not None:
        known = matrix.raw.assign(**{"earlier score": panel.everyone["before"].to_numpy(dtype=float)})
        known["earlier score"] = known["earlier score"].fillna(known["earlier score"].mean())
        alike = response_balance(known, invited, response_weights(invited).weights)
        # Shares of small groups could be counted from means; differences in standard deviations tell of nobody.
        evidence["balance_response"] = alike[["arm", "covariate", "smd_before", "smd_after"]]
    return rows, evidence, [*checks, STAYERS]


def _scored(asked: Asked) -> tuple[int, int]:
    return tuple(len(np.unique(asked.person[arm & asked.is_scored])) for arm in asked.arms)


def _invited(asked: Asked) -> Groups:
    invited = those_invited(asked)
    return Groups(*(len(np.unique(invited.person[arm])) for arm in invited.arms))


def _bound_rows(question: Question, bounds: Bounds) -> list[Estimate]:
    """Return both bounds, each with its own interval."""
    sizes = Groups(bounds.n_treated, bounds.n_control)
    ends = (("lee_bounds_lower", bounds.lower), ("lee_bounds_upper", bounds.upper))
    about = replace(question, estimand="always_responders")
    return [estimated(about, "sensitivity", name, end, sizes) for name, end in ends]


def _bounds_frame(bounds: Bounds) -> pd.DataFrame:
    """Return both bounds, the interval for the effect between them, and what was trimmed to get them: one row."""
    told = {"lower": bounds.lower.estimate, "upper": bounds.upper.estimate}
    names = ("low", "high", "response_treated", "response_control", "trimmed_share", "n_treated", "n_control")
    return pd.DataFrame([told | {name: getattr(bounds, name) for name in names}])


def _alike(bounds: Bounds) -> Check:
    shares = bounds.response_treated, bounds.response_control
    gap = abs(shares[0] - shares[1])
    sentence = (
        f"{shares[0]:.0%} of the treated and {shares[1]:.0%} of the comparators have a later score (leavers and the "
        f"silent do not); a gap of up to {ALIKE:.0%} is called alike."
    )
    return Check("both groups answer alike", bool(gap <= ALIKE), float(gap), ALIKE, sentence)
