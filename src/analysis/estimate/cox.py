"""Weighted Cox regression with delayed entry and tied exits, and the ratio of hazards between two arms."""

from dataclasses import dataclass

import numpy as np

from analysis.design.weights import WeightedFollowUp
from analysis.estimate.arms import Arms
from analysis.estimate.inference import Interval, std_error, wald_on_log
from analysis.estimate.resampling import Jackknife, contributions
from analysis.plan.catalogue import CATALOGUE

# --- cox --------------------------------------------------------------------------------------------------------------
# Weighted Cox regression with delayed entry and tied exits, and its influence function.

# Of the linear predictor, in standard deviations of a covariate: the last step of Newton's before the maximum.
STEP = 1e-9
# Information per event, in the same unit, below which the likelihood is flat in some direction.
FLAT = 1e-10
# A fall of the log-likelihood, as a share of it, that is no more than rounding.
ROUNDING = 1e-11
MAX_STEPS, MAX_HALVINGS = 60, 30


@dataclass(frozen=True)
class CoxFit:
    """Log hazard ratios and what their uncertainty is made of.

    Attributes
    ----------
    coefficients
        Log hazard ratio by unit of each covariate, shape (p,).
    information
        Efron's information at the maximum, shape (p, p). Its inverse is the variance only where intervals are
        independent and weights are counts.
    influence
        Derivative of the coefficients by the log weight of each interval, shape (intervals, p). Its sum over a cluster
        is that cluster's contribution to the robust variance.
    """

    coefficients: np.ndarray
    information: np.ndarray
    influence: np.ndarray


@dataclass(frozen=True)
class _RiskSets:
    """Who is at risk when; the d events tied at a time make d of Efron's steps, together one a row with an event.

    Interval i is at risk at the event times ``first[i] <= k < last[i]``. `events` are the positions of the rows with an
    event, by time. The other three have one value a step: position of its time, share of the tied events already
    taken out, and mean weight of the tied events.
    """

    first: np.ndarray
    last: np.ndarray
    n_times: int
    events: np.ndarray
    time: np.ndarray
    taken: np.ndarray
    mean_weight: np.ndarray

    def by_time(self, values: np.ndarray) -> np.ndarray:
        """Return sums over the steps of each time: shape (steps, columns) → (times, columns)."""
        return np.column_stack([np.bincount(self.time, weights=c, minlength=self.n_times) for c in values.T])


@dataclass(frozen=True)
class _Likelihood:
    """The partial likelihood at one place.

    `hazard` is each interval's relative hazard, `at_risk` and `mean` are the total of it at each of Efron's steps and
    the mean of the covariates weighted by it.
    """

    value: float
    score: np.ndarray
    information: np.ndarray
    hazard: np.ndarray
    at_risk: np.ndarray
    mean: np.ndarray


def cox(entry: np.ndarray, exit: np.ndarray, event: np.ndarray, weights: np.ndarray, x: np.ndarray) -> CoxFit | None:
    """Return the weighted proportional-hazards fit; None where the data set no finite hazard ratio.

    That is so without events, where a covariate is constant or the sum of others among those at risk, and where the
    likelihood only rises: an arm without events, or whose every event comes first among those at risk with it.

    Parameters
    ----------
    entry, exit
        At risk in (entry, exit], shape (intervals,). A person whose covariates change has several intervals. Times are
        tied when they are equal to the last digit.
    event
        Whether the interval ends with the event, shape (intervals,).
    weights
        Positive, shape (intervals,).
    x
        Covariates, shape (intervals, p).

    Raises
    ------
    ValueError
        For shapes that do not fit, values that are not finite, exits not after entries, weights not positive.

    Notes
    -----
    Cox 1972, J R Stat Soc B 34:187; ties by Efron 1977, JASA 72:557, with the mean weight of the tied events in each
    step; influence by Lin & Wei 1989, JASA 84:1074, weighted by Binder 1992, Biometrika 79:139. As R's ``coxph``:
    Therneau & Grambsch 2000, Modeling Survival Data, sections 3.3 and 7.3; `influence` is its weighted ``dfbeta``.
    Maximized by Newton's method with halved steps on standardized covariates; the likelihood is concave.
    """
    entry, exit, weights, x = (np.asarray(values, dtype=float) for values in (entry, exit, weights, x))
    event = np.asarray(event, dtype=bool)
    _check(entry, exit, event, weights, x)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    if not event.any() or (spread <= 1e-12 * np.abs(centre)).any():
        return None
    z, sets = (x - centre) / spread, _risk_sets(entry, exit, event, weights)
    # A step far too long may leave nobody at risk to the last digit; it is halved until somebody is.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = _maximize(z, weights, sets)
    if found is None:
        return None
    coefficients, top = found
    scores = _score_residuals(z, sets, top) * weights[:, None]
    influence = np.linalg.solve(top.information, scores.T).T
    return CoxFit(coefficients / spread, top.information * np.outer(spread, spread), influence / spread)


def _check(entry, exit, event, weights, x) -> None:
    rules = {
        "x must have shape (intervals, p) with p at least 1": x.ndim == 2 and x.shape[1] > 0,
        "entry, exit, event, weights and x must have one row an interval": (
            entry.ndim == 1 and all(values.shape[:1] == entry.shape for values in (exit, event, weights, x))
        ),
        "values must be finite": all(np.isfinite(values).all() for values in (entry, exit, weights, x)),
    }
    if all(rules.values()):
        rules["exits must come after entries"] = bool((entry < exit).all())
        rules["weights must be positive"] = bool((weights > 0).all())
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        raise ValueError("; ".join(broken))


def _risk_sets(entry: np.ndarray, exit: np.ndarray, event: np.ndarray, weights: np.ndarray) -> _RiskSets:
    grid = np.unique(exit[event])
    first, last = np.searchsorted(grid, entry, side="right"), np.searchsorted(grid, exit, side="right")
    events = np.flatnonzero(event)
    events = events[np.argsort(last[events], kind="stable")]
    time = last[events] - 1
    tied = np.bincount(time, minlength=len(grid))
    begins = np.cumsum(tied) - tied
    taken = (np.arange(len(events)) - begins[time]) / tied[time]
    mean_weight = np.bincount(time, weights=weights[events], minlength=len(grid)) / tied
    return _RiskSets(first, last, len(grid), events, time, taken, mean_weight[time])


def _maximize(z: np.ndarray, weights: np.ndarray, sets: _RiskSets) -> tuple[np.ndarray, _Likelihood] | None:
    """Return the coefficients and the likelihood there; None where it is flat or only rises."""
    columns, n_events = _columns(z), weights[sets.events].sum()
    place = np.zeros(z.shape[1])
    here = _likelihood(place, columns, z, weights, sets)
    for _ in range(MAX_STEPS):
        # On the way to an infinite coefficient the information dies away while Newton's steps stay as long as ever.
        if not np.linalg.eigvalsh(here.information)[0] > FLAT * n_events:
            return None
        step = np.linalg.solve(here.information, here.score)
        for _ in range(MAX_HALVINGS):
            there = _likelihood(place + step, columns, z, weights, sets)
            if there.value >= here.value - ROUNDING * abs(here.value):
                break
            step = step / 2
        else:
            return None
        place, here = place + step, there
        if np.abs(step).max() < STEP:
            return place, here
    return None


def _columns(z: np.ndarray) -> np.ndarray:
    """Return 1, the covariates and their products pair by pair, shape (intervals, 1 + p + p(p + 1)/2)."""
    one, two = np.triu_indices(z.shape[1])
    return np.column_stack([np.ones(len(z)), z, z[:, one] * z[:, two]])


def _likelihood(
    place: np.ndarray, columns: np.ndarray, z: np.ndarray, weights: np.ndarray, sets: _RiskSets
) -> _Likelihood:
    p, linear = len(place), z @ place
    linear = linear - linear.max()
    hazard = np.exp(linear)
    sums = _sums_at_steps(columns * (weights * hazard)[:, None], sets)
    at_risk = sums[:, 0]
    mean = sums[:, 1 : p + 1] / at_risk[:, None]
    spread = np.empty((p, p))
    one, two = np.triu_indices(p)
    spread[one, two] = sets.mean_weight @ (sums[:, p + 1 :] / at_risk[:, None] - mean[:, one] * mean[:, two])
    spread[two, one] = spread[one, two]
    of_events = weights[sets.events]
    return _Likelihood(
        float(of_events @ linear[sets.events] - sets.mean_weight @ np.log(at_risk)),
        of_events @ z[sets.events] - sets.mean_weight @ mean,
        spread,
        hazard,
        at_risk,
        mean,
    )


def _sums_at_steps(values: np.ndarray, sets: _RiskSets) -> np.ndarray:
    """Return sums over those at risk at each step, tied events in part taken out: shape (steps, columns)."""
    n = sets.n_times + 1
    change = [np.bincount(sets.first, c, n) - np.bincount(sets.last, c, n) for c in values.T]
    everybody = np.cumsum(np.column_stack(change), axis=0)[:-1]
    tied = sets.by_time(values[sets.events])
    return everybody[sets.time] - sets.taken[:, None] * tied[sets.time]


def _score_residuals(z: np.ndarray, sets: _RiskSets, top: _Likelihood) -> np.ndarray:
    """Return the derivative of the score by the weight of each interval, shape (intervals, p).

    An interval moves the mean at every step while it is at risk; with an event it moves also the sum of the covariates
    and the mean weight at its time, and counts less in the steps where tied events are in part taken out.
    """
    rate = sets.mean_weight / top.at_risk
    both = np.column_stack([rate, rate[:, None] * top.mean])
    passed = np.vstack([np.zeros(both.shape[1]), np.cumsum(sets.by_time(both), axis=0)])
    passed = passed[sets.last] - passed[sets.first]
    residuals = -top.hazard[:, None] * (z * passed[:, :1] - passed[:, 1:])
    taken = sets.by_time(sets.taken[:, None] * both)[sets.time]
    share = 1 / np.bincount(sets.time, minlength=sets.n_times)
    expected = (sets.by_time(top.mean) * share[:, None])[sets.time]
    own = z[sets.events]
    residuals[sets.events] += own - expected + top.hazard[sets.events, None] * (own * taken[:, :1] - taken[:, 1:])
    return residuals


# --- hazard -----------------------------------------------------------------------------------------------------------
# The ratio of cause-specific hazards between two arms, by weighted Cox regression.

COX = "iptw_cox"


def hazard_ratio(followed: WeightedFollowUp, arms: Arms, outcome: str, month: float) -> Interval | None:
    """Return the ratio of the cause-specific hazards within `month`, treated to control; None without events in an arm.

    A marginal structural Cox model: weights as for the risks, other exits censor (Hernán, Brumback & Robins 2000,
    Epidemiology 11:561). Its standard error counts clusters and the estimated weights, as that of the risks does.
    """
    x = followed.treated[followed.row].astype(float)[:, None]
    found = hazard_ratios(followed, arms, outcome, month, x)
    if found is None:
        return None
    if arms.jackknife is None:
        return found[0]
    log_ratio = float(np.log(found[0].estimate))
    without = _without_groups(arms.jackknife, log_ratio, _kinds(followed, outcome), month)
    # Nothing is known of how far a ratio is off that all hangs on one group of people.
    error = std_error(contributions(without)) if np.isfinite(without).all() else np.inf
    return wald_on_log(log_ratio, error, arms.df)


def _kinds(followed: WeightedFollowUp, outcome: str) -> list[int]:
    """Return the positions of an outcome's kinds among the follow-up's."""
    wanted = CATALOGUE.outcome(outcome).kinds
    return [followed.kinds.index(kind) for kind in wanted if kind in followed.kinds]


def _without_groups(jackknife: Jackknife, log_ratio: float, kinds: list[int], month: float) -> np.ndarray:
    """Return the log hazard ratio without each group, shape (groups,): one Newton step from the whole sample's.

    One step has a value also where the group takes an arm's last events with it; NaN where nothing is left to compare
    at any event. Tied events as by Breslow 1974
    (Biometrics 30:89): of the spread between groups that changes next to nothing.
    """
    treated, control = jackknife.treated, jackknife.control
    inside = treated.grid <= month
    events = [arm.events[kinds].sum(axis=0)[:, inside] for arm in (treated, control)]
    at_risk = np.exp(log_ratio) * treated.at_risk[:, inside]
    everybody, both = at_risk + control.at_risk[:, inside], sum(events)
    share = np.divide(at_risk, everybody, out=np.zeros_like(at_risk), where=everybody > 0)
    score = (events[0] - both * share).sum(axis=1)
    information = (both * share * (1 - share)).sum(axis=1)
    return log_ratio + np.divide(score, information, out=np.full_like(score, np.nan), where=information > 0)


def hazard_ratios(
    followed: WeightedFollowUp,
    arms: Arms,
    outcome: str,
    month: float,
    x: np.ndarray,
    origin: np.ndarray | None = None,
) -> list[Interval] | None:
    """Return one hazard ratio for each column of `x`, shape (intervals, columns); None where one has no value.

    Parameters
    ----------
    origin
        Where intervals were split: position of each among those that `arms` was made from.
    """
    inside = np.flatnonzero(followed.entry < month)
    codes = [position + 1 for position in _kinds(followed, outcome)]
    event = np.isin(followed.outcome[inside], codes) & (followed.exit[inside] <= month)
    exit = np.minimum(followed.exit[inside], month)
    fit = cox(followed.entry[inside], exit, event, followed.weights[inside], x[inside])
    if fit is None:
        return None
    intervals = inside if origin is None else origin[inside]
    by_cluster = [arms.clusters.sums(intervals, fit.influence[:, column]) for column in range(x.shape[1])]
    return [
        wald_on_log(beta, std_error(parts), arms.df) for beta, parts in zip(fit.coefficients, by_cluster, strict=True)
    ]
