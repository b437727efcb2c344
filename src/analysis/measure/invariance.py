"""Do the items measure the same thing in the same way, wave after wave and in both arms? Measurement invariance."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.measure.factor_model import (
    FactorFit,
    FactorModel,
    FitMeasures,
    Matrices,
    Reference,
    fit_factor_model,
    fit_measures,
    reference,
    score_statistic,
    starting_values,
)
from analysis.measure.normal_models import Sample, sample_of
from analysis.plan.probability import chi2_tail

# --- invariance models ------------------------------------------------------------------------------------------------
# The factor models of one scale on several occasions, with what is to be equal between them.


@dataclass(frozen=True)
class _Numbers:
    """Numbers of parameters; −1 is fixed. Of items: shape (occasions, items); of factors: shape (occasions,)."""

    loadings: np.ndarray
    intercepts: np.ndarray
    residual_variances: np.ndarray
    factor_variances: np.ndarray
    factor_means: np.ndarray


class _Fresh:
    """Gives parameters numbers that none has had before."""

    def __init__(self) -> None:
        self.used = 0

    def __call__(self, *shape: int) -> np.ndarray:
        numbers = self.used + np.arange(np.prod(shape, dtype=int)).reshape(shape)
        self.used += numbers.size
        return numbers

    def pairs(self, size: int) -> np.ndarray:
        """Return a symmetric matrix, shape (size, size), each pair with its number."""
        numbers = np.triu(self(size, size))
        return numbers + np.triu(numbers, 1).T


def waves_model(equal: np.ndarray, n_waves: int) -> FactorModel:
    """Return the model of the same people on several waves: one group, one factor a wave.

    Factors covary freely, and so do the residuals of the same item on different waves.

    Parameters
    ----------
    equal
        By item, what is equal on all occasions: 0 nothing, 1 its loading, 2 its intercept as well, 3 its residual
        variance as well. Shape (items,).
    n_waves
        The variables are ordered by wave, then by item.
    """
    fresh, p = _Fresh(), n_waves * len(equal)
    numbers = _numbers(fresh, equal, n_waves)
    wave, item = np.divmod(np.arange(p), len(equal))
    loadings = np.where(wave[:, None] == np.arange(n_waves), numbers.loadings.reshape(p, 1), -1)
    factors, residuals = fresh.pairs(n_waves), np.where(item[:, None] == item, fresh.pairs(p), -1)
    np.fill_diagonal(factors, numbers.factor_variances)
    np.fill_diagonal(residuals, numbers.residual_variances)
    return _from_zero([Matrices(loadings, factors, residuals, numbers.intercepts.ravel(), numbers.factor_means)])


def arms_model(equal: np.ndarray, n_arms: int) -> FactorModel:
    """Return the model of different people in several arms: a group and a factor each; `equal` as in `waves_model`."""
    numbers = _numbers(_Fresh(), equal, n_arms)
    on_diagonal = np.eye(len(equal), dtype=bool)
    return _from_zero(
        [
            Matrices(
                numbers.loadings[[arm]].T,
                numbers.factor_variances[[[arm]]],
                np.where(on_diagonal, numbers.residual_variances[arm], -1),
                numbers.intercepts[arm],
                numbers.factor_means[[arm]],
            )
            for arm in range(n_arms)
        ]
    )


def _numbers(fresh: _Fresh, equal: np.ndarray, n_occasions: int) -> _Numbers:
    """Return the parameters of items and factors: equal cells share the first occasion's number.

    The first occasion's factor has variance 1 and mean 0. Another's variance is free once any loading is equal to the
    first's, and its mean once any intercept is.
    """
    items = []
    for level in (1, 2, 3):
        own = fresh(n_occasions, len(equal))
        items.append(np.where(equal >= level, own[0], own))
    later = np.arange(n_occasions) > 0
    factors = [np.where(later & (equal >= level).any(), fresh(n_occasions), -1) for level in (1, 2)]
    return _Numbers(*items, *factors)


def _from_zero(groups: list[Matrices]) -> FactorModel:
    """Return the model with parameters numbered without gaps; factor variances are fixed at 1 and all else at 0."""
    flat = np.concatenate([group.flat() for group in groups])
    used = np.unique(flat[flat >= 0])
    parameters = [group.like(np.where(group.flat() < 0, -1, np.searchsorted(used, group.flat()))) for group in groups]
    fixed = [
        replace(group.like(np.zeros(len(group.flat()))), factor_covariance=np.eye(len(group.factor_means)))
        for group in groups
    ]
    return FactorModel(tuple(parameters), tuple(fixed))


# --- invariance -------------------------------------------------------------------------------------------------------
# Do the items measure the same thing in the same way, wave after wave and in both arms? Measurement invariance.

STEPS = ("configural", "metric", "scalar", "residual")
COLUMNS = [
    *("across", "step", "chi2", "df", "p", "cfi", "rmsea", "srmr"),
    *("delta_chi2", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "delta_srmr"),
    *("freed_item", "n_people", "proper", "holds_by_chi2", "holds_by_chen", "holds"),
]
FEWEST_ITEMS = 3
ALPHA = 0.05
# Configural: Bentler & Bonett 1980, Psychol Bull 88:588; Hu & Bentler 1999, Struct Equ Modeling 6:1.
LEAST_CFI, MOST_SRMR = 0.90, 0.08
# Chen 2007, Struct Equ Modeling 14:464, p. 501: the largest fall of CFI, by whether there are more than 300 people.
FEW_PEOPLE, CFI_FALL_FEW, CFI_FALL = 300, 0.005, 0.010
UNDETERMINED = "the covariance of the items is not determined: too few answers in common, or an item is a sum of others"


@dataclass(frozen=True)
class Invariance:
    """What came of the steps.

    Attributes
    ----------
    steps
        One row a model, columns `COLUMNS`, in the order in which they were fitted. First all four steps with every
        item held equal; then, if one of them does not hold, that step and the later ones with one item free
        (``freed_item``). Empty where nothing could be fitted.
    reason
        Why rows are missing; None where none is.
    """

    steps: pd.DataFrame
    reason: str | None


@dataclass(frozen=True)
class _Layout:
    """k items answered on several occasions: waves of the same people, or arms of different ones."""

    across: str
    items: list[str]
    n_occasions: int

    def model(self, equal: np.ndarray) -> FactorModel:
        return (waves_model if self.across == "waves" else arms_model)(equal, self.n_occasions)


@dataclass(frozen=True)
class _Step:
    """A fitted step: what is equal by item (0 nothing, 1 loading, 2 intercept too, 3 residual variance too)."""

    equal: np.ndarray
    fit: FactorFit
    measures: FitMeasures


def invariance_across_waves(answers: pd.DataFrame) -> Invariance:
    """Return the invariance of one scale over waves of the same people.

    One factor a wave, factors correlated freely, and the residuals of the same item in different waves as well.

    Parameters
    ----------
    answers
        One row per (employee_id, wave), the index, and one column an item, keyed the right way round, as from
        `scales.item_answers`. Missing answers and missing waves are kept by full-information maximum likelihood, right
        where they are missing at random given the other answers. Pass the waves that are compared: cost grows
        with (items · waves)⁴.

    Notes
    -----
    Steps, as lavaan with ``semTools::measEq.syntax``: *configural* (the same items on one factor), *metric* (equal
    loadings), *scalar* (equal intercepts too: changes of the score are changes of the factor), *residual* (equal
    residual variances too). The first wave's factor has mean 0 and variance 1; the other waves' variances are free
    once loadings are equal, their means once intercepts are. Meredith 1993, Psychometrika 58:525; Widaman, Ferrer &
    Conger 2010, Child Dev Perspect 4:10. For what `holds` means see `_verdict`.

    With k items on W waves the df are p(p+3)/2 less 3kW + W(W−1)/2 + kW(W−1)/2 parameters, p = kW, for the configural
    model, so 5 for three items on two waves; then (k−1)(W−1) more for metric, the same for scalar, k(W−1) for residual.
    Fewer than three items on a factor are not identified and give a reason.
    """
    wide = answers.unstack("wave").swaplevel(axis=1)
    waves, items = wide.columns.unique(0).sort_values(), list(answers.columns)
    wide = wide[[(wave, item) for wave in waves for item in items]]
    return _invariance(_Layout("waves", items, len(waves)), {"": _item_numbers(wide)})


def invariance_across_arms(answers: pd.DataFrame, arm: pd.Series) -> Invariance:
    """Return the invariance of one scale over groups of different people, such as arms.

    Steps, identification and `holds` as in `invariance_across_waves`, with the arms in the place of waves and nothing
    shared by people of different arms.

    Parameters
    ----------
    answers
        One row a person and one column an item, keyed the right way round, at one wave.
    arm
        Each person's arm, by the same index.

    Notes
    -----
    With k items in G arms the configural df are G·k(k−3)/2: none for three items, whose configural model fits always;
    then (k−1)(G−1), (k−1)(G−1) and k(G−1) more.
    """
    groups = {str(name): _item_numbers(rows) for name, rows in answers.groupby(arm, sort=True)}
    return _invariance(_Layout("arms", list(answers.columns), len(groups)), groups)


def _item_numbers(answers: pd.DataFrame) -> np.ndarray:
    return answers.to_numpy(dtype=float, na_value=np.nan)


def _invariance(layout: _Layout, groups: dict[str, np.ndarray]) -> Invariance:
    reason = _too_little(layout, groups)
    if reason:
        return _told([], reason)
    samples = [sample_of(rows) for rows in groups.values()]
    to = reference(samples)
    return _sequence(layout, samples, to) if to else _told([], UNDETERMINED)


def _too_little(layout: _Layout, groups: dict[str, np.ndarray]) -> str | None:
    """Return what the answers lack for any factor model; without a count or an arm, which might tell of few people."""
    if len(layout.items) < FEWEST_ITEMS:
        return f"a factor needs at least {FEWEST_ITEMS} items, the scale has {len(layout.items)}"
    if layout.n_occasions < 2:
        return f"there is only one of the {layout.across} to compare"
    for rows in groups.values():
        known = ~np.isnan(rows)
        if known.any(axis=1).sum() <= rows.shape[1]:
            return "there are no more people than items times waves, or, in an arm, than items"
        if (known.T.astype(float) @ known).min() < 2:
            return "two items were hardly ever answered by the same people"
        if (np.nanmax(rows, axis=0) == np.nanmin(rows, axis=0)).any():
            return "an item's answers do not vary"
    return None


def _sequence(layout: _Layout, samples: list[Sample], to: Reference) -> Invariance:
    """Fit the four steps, then again with one item free from the first step on that does not hold."""
    k = len(layout.items)
    fitted: list[_Step] = []
    rows: list[dict] = []
    for step in range(len(STEPS)):
        new = _fit(layout, samples, to, np.full(k, step), fitted[-1] if fitted else None)
        if new is None:
            return _told(rows, f"the {STEPS[step]} model has no maximum that the search could find")
        rows.append(_row(layout, step, new, fitted[-1] if fitted else None, None, rows[-1]["holds"] if rows else True))
        fitted.append(new)
    failed = next((step for step, row in enumerate(rows) if not row["holds"]), None)
    if not failed:
        return _told(rows, None)
    return _partial(layout, samples, to, rows, fitted, failed)


def _partial(
    layout: _Layout, samples: list[Sample], to: Reference, rows: list[dict], fitted: list[_Step], failed: int
) -> Invariance:
    """Add the rows with one item free, from the step that failed on; that item is the one whose release helps most."""
    before, free = fitted[failed - 1], np.full(len(layout.items), len(STEPS) - 1)
    free[_worst_item(layout, samples, fitted[failed])] = failed - 1
    name, holds = layout.items[int(free.argmin())], True
    rows = list(rows)
    for step in range(failed, len(STEPS)):
        new = _fit(layout, samples, to, np.minimum(free, step), before)
        if new is None:
            return _told(rows, f"the {STEPS[step]} model with {name} free has no maximum that the search could find")
        rows.append(_row(layout, step, new, before, name, holds))
        before, holds = new, rows[-1]["holds"]
    return _told(rows, None)


def _told(rows: list[dict], reason: str | None) -> Invariance:
    return Invariance(pd.DataFrame(rows, columns=COLUMNS).astype({"freed_item": "str"}), reason)


def _fit(
    layout: _Layout, samples: list[Sample], to: Reference, equal: np.ndarray, before: _Step | None
) -> _Step | None:
    model = layout.model(equal)
    start = before.fit.estimates if before else starting_values(model, to.saturated)
    fit = fit_factor_model(model, samples, start)
    return _Step(equal, fit, fit_measures(fit, samples, to)) if fit.converged else None


def _worst_item(layout: _Layout, samples: list[Sample], step: _Step) -> int:
    """Return the item whose release improves the step most, by its score test."""
    released = [np.where(np.arange(len(layout.items)) == i, step.equal - 1, step.equal) for i in range(len(step.equal))]
    gains = [score_statistic(layout.model(equal), samples, step.fit.estimates) for equal in released]
    return int(np.argmax(np.nan_to_num(gains, nan=-np.inf)))


def _row(layout: _Layout, step: int, new: _Step, before: _Step | None, freed: str | None, held: bool) -> dict:
    now = new.measures
    names = ("chi2", "df", "cfi", "rmsea", "srmr")
    then = before.measures if before else None
    delta = {f"delta_{name}": getattr(now, name) - getattr(then, name) if then else np.nan for name in names}
    delta["delta_p"] = _tail(delta["delta_chi2"], delta["delta_df"]) if then else np.nan
    by_chi2, by_chen = _verdict(now, delta)
    return {
        **{"across": layout.across, "step": STEPS[step], "p": now.p, "n_people": now.n_people},
        **{name: getattr(now, name) for name in names},
        **delta,
        **{"freed_item": freed, "proper": new.fit.proper},
        **{"holds_by_chi2": by_chi2, "holds_by_chen": by_chen, "holds": held and (by_chi2 or by_chen)},
    }


def _tail(chi2: float, df: float) -> float:
    return float(chi2_tail(max(chi2, 0.0), df))


def _verdict(now: FitMeasures, delta: dict[str, float]) -> tuple[bool, bool]:
    """Return whether a step holds by its χ² test and by Chen's cut-off; it is rejected only where both reject it.

    The test alone rejects trifles among thousands. The cut-off alone takes no account of chance: among few people CFI
    falls by that much in scales that are invariant. Together the test decides where people are few and the cut-off
    where they are many, and an invariant scale is rejected no more often than by the test (in simulations its 5 %; 8 %
    with fifty people an arm). With loadings and spreads
    as usual, a fall of .010 is what one item of six gives whose intercept moves by a fifth of its standard deviation,
    arms and waves alike: about 0.05 standard deviations of the score, below any effect of interest. A step
    holds, besides, only if every step before it does (``holds``). What "holds" says is that nothing of that size was
    seen, which among few people is little.

    After the first step: p of Δχ² below .05, and CFI falls by more than .010 (.005 with at most 300 people). Of Chen's
    three indices CFI is her main one; the changes of RMSEA (.015) and SRMR (.030 metric, .010 after it) are told and
    not used. Configural: p of χ² below .05, and CFI below .90 or SRMR above .08.
    """
    if np.isnan(delta["delta_cfi"]):
        return not now.p < ALPHA, now.cfi >= LEAST_CFI and now.srmr <= MOST_SRMR
    fall = CFI_FALL if now.n_people > FEW_PEOPLE else CFI_FALL_FEW
    return delta["delta_p"] >= ALPHA, -delta["delta_cfi"] <= fall
