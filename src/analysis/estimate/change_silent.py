"""Who answers, and what the silent and the leavers could have hidden: rows, frames and checks."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.design.response import Asked, asked_of, response_balance, response_flow, response_weights
from analysis.estimate.among_asked import invited_rows, once, response_weighted_change
from analysis.estimate.ask import Ask
from analysis.estimate.change import baseline_sd
from analysis.estimate.change_rows import Measured, by_unit, covariates_of, is_lottery, main_estimator
from analysis.estimate.lee_bounds import MONOTONE, NOT_RANDOMIZED, Bounds, lee_bounds
from analysis.estimate.rows import Groups, Question, estimated
from analysis.estimate.silent import silent_sensitivity
from analysis.plan.known import known
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
# In standard deviations of the comparators' earlier scores.
DELTAS = np.linspace(-1.5, 1.5, 41)


def silence_of(ask: Ask, measured: Measured) -> tuple[list[Estimate], dict, list[Check]]:
    """Return the rows, the frames and the checks about those who never answered."""
    panel = known(measured.panel)
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
    unit = baseline_sd(panel)
    deltas = DELTAS * (unit if unit > 0 else 1.0)
    # How many were silent follows from how steep the curve is, and from shares: told where these are many or none.
    is_told = _tells_of_nobody(asked, ask.study.min_cell)
    silent = silent_sensitivity(asked, sign, deltas.round(3), rng(*naming, "silent"))
    if silent is not None:
        name = f"{main_estimator(ask)}_delta"
        rows.append(estimated(question, "sensitivity", name, silent.at_zero, Groups(*_scored(asked))))
        evidence |= {"delta": silent.curve} if is_told else {}
    bounds = lee_bounds(asked, rng(*naming, "lee"))
    checks = []
    if bounds is not None:
        rows += _bound_rows(question, bounds)
        evidence["lee"] = _bounds_frame(bounds, is_told)
        checks = [_alike(bounds, is_told), MONOTONE, *([] if is_lottery(ask) else [NOT_RANDOMIZED])]
    invited, _ = invited_rows(asked, once(asked))
    if len(invited.y):
        beside = matrix.raw.assign(**{"earlier score": panel.everyone["before"].to_numpy(dtype=float)})
        beside["earlier score"] = beside["earlier score"].fillna(beside["earlier score"].mean())
        told = beside[[name for name in beside if _is_common(beside[name], invited, ask.study.min_cell)]]
        alike = response_balance(told, invited, response_weights(invited).weights)
        # Means would give the shares away, and a category of a few the silence of one of them.
        evidence["balance_response"] = alike[["arm", "covariate", "smd_before", "smd_after"]].round(2)
    return rows, evidence, [*checks, STAYERS]


def _scored(asked: Asked) -> tuple[int, int]:
    treated, control = (len(np.unique(asked.person[arm & asked.is_scored])) for arm in asked.arms)
    return treated, control


def _tells_of_nobody(asked: Asked, min_cell: int) -> bool:
    """Whether in both arms nobody was left without a score, or `min_cell` people at least."""
    silent = (len(np.unique(asked.person[arm & ~asked.is_scored])) for arm in asked.arms)
    return all(n == 0 or n >= min_cell for n in silent)


def _is_common(column: pd.Series, invited: Asked, min_cell: int) -> bool:
    """Whether a covariate is a number, or an indicator that `min_cell` people of each arm have and as many have not."""
    values = column.to_numpy(dtype=float)[invited.position]
    if not np.isin(values, (0.0, 1.0)).all():
        return True
    groups = (
        arm & (values == value) & scored
        for arm in invited.arms
        for value in (0.0, 1.0)
        for scored in (invited.is_scored, ~invited.is_scored)
    )
    return all(len(np.unique(invited.person[group])) >= min_cell for group in groups)


def _bound_rows(question: Question, bounds: Bounds) -> list[Estimate]:
    """Return both bounds, each with its own interval."""
    sizes = Groups(bounds.n_treated, bounds.n_control)
    ends = (("lee_bounds_lower", bounds.lower), ("lee_bounds_upper", bounds.upper))
    about = replace(question, estimand="always_responders")
    return [estimated(about, "sensitivity", name, end, sizes) for name, end in ends]


def _bounds_frame(bounds: Bounds, is_told: bool) -> pd.DataFrame:
    """Return both bounds, the interval for the effect between them, and what was trimmed to get them: one row."""
    told = {"lower": bounds.lower.estimate, "upper": bounds.upper.estimate}
    told |= {name: getattr(bounds, name) for name in ("low", "high", "n_treated", "n_control")}
    shares = ("response_treated", "response_control", "trimmed_share")
    return pd.DataFrame([told | {name: round(getattr(bounds, name), 2) if is_told else np.nan for name in shares}])


def _alike(bounds: Bounds, is_told: bool) -> Check:
    shares = bounds.response_treated, bounds.response_control
    gap = round(abs(shares[0] - shares[1]), 2)
    brief = "" if gap <= ALIKE else "one group answers more often than the other"
    if not is_told:
        sentence = (
            "How many have a later score is masked: in some group only few have one, or only few lack it. The shares "
            f"of both groups are {'no more' if gap <= ALIKE else 'more'} than {ALIKE:.0%} apart."
        )
        return Check("both groups answer alike", bool(gap <= ALIKE), None, ALIKE, sentence, brief=brief)
    sentence = (
        f"{shares[0]:.0%} of the treated and {shares[1]:.0%} of the comparators have a later score (leavers and the "
        f"silent do not); a gap of up to {ALIKE:.0%} is called alike."
    )
    return Check("both groups answer alike", bool(gap <= ALIKE), float(gap), ALIKE, sentence, brief=brief)
