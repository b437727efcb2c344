"""Would another analyst find the same? The main answer on a scale made in other ways."""

from analysis.estimate.ask import Ask
from analysis.estimate.change import Adjusted, Changed
from analysis.estimate.change_rows import (
    ANCOVA,
    DID,
    Measured,
    attempted,
    by_unit,
    change_row,
    covariates_of,
    estimate_change,
    has_both_arms,
    is_lottery,
    main_estimator,
)
from analysis.estimate.cross_checks import ancova_change, mixed_change, mixed_score, ordinal_odds_ratio
from analysis.plan.results import Estimate


def sensitivity_rows(ask: Ask, main: Measured, found: Adjusted, others: tuple[Measured, ...]) -> list[Estimate]:
    """Return the answer by other models, from other answers, against other people and by other raters.

    Parameters
    ----------
    found
        The main answer, as from `estimate.change_rows.estimate_change`.
    others
        The other rater sources.
    """
    rows = _other_models(ask, main, found)
    if not is_lottery(ask):
        rows += _against_never_enrolled(ask, main)
    for name, again in main.again.items():
        anew = estimate_change(ask, again)
        rows += attempted(ask, again, lambda a=anew: a and a.interval, "sensitivity", f"{main_estimator(ask)}_{name}")
    for other in others:
        anew = estimate_change(ask, other)
        rows.append(change_row(ask, other, anew and anew.interval, "sensitivity", main_estimator(ask)))
    return rows


def _other_models(ask: Ask, main: Measured, found: Adjusted) -> list[Estimate]:
    panel, units = main.panel, by_unit(ask)
    terms = covariates_of(ask, panel.covariates, panel.rows).values
    managers = panel.rows["manager_id"].to_numpy() if panel.rows["manager_id"].notna().any() else None
    mixed = mixed_score if panel.is_randomized else mixed_change
    makers = {"linear_mixed_model": lambda: mixed(panel, terms, managers, units)}
    if isinstance(found, Changed):
        makers[ANCOVA] = lambda: ancova_change(panel, terms, found.weights, units)
    rows = [row for name, make in makers.items() for row in attempted(ask, main, make, "sensitivity", name)]
    if main.n_items == 1:
        odds = ordinal_odds_ratio(panel, terms, units)
        rows += attempted(ask, main, lambda: odds, "sensitivity", "ordinal_logit", measure="odds_ratio")
    return rows


def _against_never_enrolled(ask: Ask, main: Measured) -> list[Estimate]:
    """Return the answer with comparators who never started, for whom no later start can have cast its shadow."""
    panels = [
        None if panel is None else panel.take(~panel.everyone["is_later_starter"].to_numpy(dtype=bool))
        for panel in (main.panel, main.earlier)
    ]
    never = Measured(*panels, rater_source=main.rater_source)
    if len(never.panel.rows) == len(main.panel.rows) or not has_both_arms(never.panel):
        return []
    return attempted(ask, never, lambda: estimate_change(ask, never).interval, "sensitivity", f"{DID}_never_enrolled")
