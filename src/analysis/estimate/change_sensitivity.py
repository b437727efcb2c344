"""Would another analyst find the same? The main answer on a scale made in other ways."""

from collections.abc import Callable
from functools import partial

from analysis.design.panels import Panel
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
    its_interval,
    main_estimator,
)
from analysis.estimate.cross_checks import ancova_change, mixed_change, mixed_score, ordinal_odds_ratio
from analysis.estimate.faulted import rows_or_fault
from analysis.estimate.inference import Interval
from analysis.plan.known import known
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

    def anew(again: Measured, estimator: str) -> list[Estimate]:
        repeated = estimate_change(ask, again)
        return attempted(ask, again, lambda: its_interval(repeated), "sensitivity", estimator)

    def by_others(other: Measured) -> list[Estimate]:
        repeated = estimate_change(ask, other)
        return [change_row(ask, other, its_interval(repeated), "sensitivity", main_estimator(ask))]

    groups = _other_models(ask, main, found)
    if not is_lottery(ask):
        groups[f"{DID}_never_enrolled"] = lambda: _against_never_enrolled(ask, main)
    for name, again in main.again.items():
        estimator = f"{main_estimator(ask)}_{name}"
        groups[estimator] = partial(anew, again, estimator)
    source = main.rater_source
    rows = []
    for estimator, make in groups.items():
        rows += rows_or_fault(ask, estimator, make, rater_source=source)
    for other in others:
        rows += rows_or_fault(ask, main_estimator(ask), partial(by_others, other), rater_source=other.rater_source)
    return rows


def _other_models(ask: Ask, main: Measured, found: Adjusted) -> dict[str, Callable[[], list[Estimate]]]:
    """Return how the row of each other model is made, by its estimator."""
    panel, units = known(main.panel), by_unit(ask)
    terms = covariates_of(ask, panel.covariates, panel.rows).values
    managers = panel.rows["manager_id"].to_numpy() if panel.rows["manager_id"].notna().any() else None
    mixed = mixed_score if panel.is_randomized else mixed_change
    makers: dict[str, Callable[[], Interval | None]] = {
        "linear_mixed_model": lambda: mixed(panel, terms, managers, units)
    }
    if isinstance(found, Changed):
        makers[ANCOVA] = lambda: ancova_change(panel, terms, found.weights, units)
    rows: dict[str, Callable[[], list[Estimate]]] = {
        name: partial(attempted, ask, main, make, "sensitivity", name) for name, make in makers.items()
    }
    if main.n_items == 1:

        def odds() -> Interval | None:
            return ordinal_odds_ratio(panel, terms, units)

        name = "ordinal_logit"
        rows[name] = partial(attempted, ask, main, odds, "sensitivity", name, measure="odds_ratio")
    return rows


def _against_never_enrolled(ask: Ask, main: Measured) -> list[Estimate]:
    """Return the answer with comparators who never started, for whom no later start can have cast its shadow."""
    everybody = known(main.panel)
    panel, earlier = _never_enrolled(everybody), main.earlier and _never_enrolled(main.earlier)
    never = Measured(panel, earlier, rater_source=main.rater_source)
    if len(panel.rows) == len(everybody.rows) or not has_both_arms(panel):
        return []
    # None where the change of those who are left does not vary.
    found = estimate_change(ask, never)
    return attempted(ask, never, lambda: its_interval(found), "sensitivity", f"{DID}_never_enrolled")


def _never_enrolled(panel: Panel) -> Panel:
    """Return the panel without comparators who started later."""
    return panel.take(~panel.everyone["is_later_starter"].to_numpy(dtype=bool))
