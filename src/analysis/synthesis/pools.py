"""From shared ledgers to pooled answers: like with like, one number a company, nothing mixed."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.estimate.inference import adjusted_p
from analysis.plan.contract import Assignment
from analysis.plan.faults import known
from analysis.plan.hypotheses import load_plan
from analysis.synthesis.ledgers import Shared
from analysis.synthesis.meta import LEVEL, Fit, fit, most_influential, prediction_limits, small_studies, without_each
from analysis.synthesis.pooled import NotPooled, Pool, Pooled, PooledRow, Synthesis, family_of, is_judged, verdict_of

# What rows must have in common to be pooled, and what companies must have been asked alike to be counted as absent.
KEY = ("hypothesis", "outcome", "role", "rater_source", "contrast", "estimand", "measure", "scale", "horizon_months")
ASKED = ["is_naive", "hypothesis", "outcome", "role", "contrast", "estimand", "horizon_months"]
MODERATORS = ("assignment", "direction", "format", "sector")
# Companies for a moderator or a slope, in all and in each level (Higgins & Thompson 2004, Stat Med 23:1663; Fu et al.
# 2011, J Clin Epidemiol 64:1187; Sterne et al. 2011, BMJ 343:d4002).
ENOUGH, ENOUGH_A_LEVEL = 10, 4
# Without so many companies, those that move the mean most, it is made again.
MOST_LEFT_OUT = 30
FEW_EVENTS = 10
SEVERAL = "several"
ONE = "One company has a number: there is nothing to pool."
NONE = "No company has a number that may be shown."
UNKNOWN_SCALE = (
    "The ledgers do not say from where to where the points of their scales go, so they cannot be put together; "
    "ledgers shared by the present version say it."
)


def synthesize(shared: Shared) -> Synthesis:
    """Return what the companies say together, with adjusted p-values and verdicts."""
    rows = _prepared(shared.rows)
    asked = {key: set(names) for key, names in rows.groupby(ASKED, dropna=False)["study"]}
    told = rows[rows["status"] == "estimated"]
    answered = {key: set(names) for key, names in told.groupby(ASKED, dropna=False)["study"]}
    pools: list[Pool] = []
    naive: list[Pool] = []
    for key, of_pool in told.groupby(["is_naive", *KEY], dropna=False, sort=False):
        about = dict(zip(("is_naive", *KEY), key, strict=True))
        same = tuple(about[name] for name in ASKED)
        n_absent = len(asked[same] - answered[same])
        (naive if about["is_naive"] else pools).append(pooled(_names(about), of_pool, n_absent))
    pools += _silent(rows, asked, answered)
    order = [h.id for h in load_plan().hypotheses]
    for found in (pools, naive):
        found.sort(key=lambda pool: _place(pool.main, order))
    return Synthesis(
        pools=_judged(pools),
        naive=tuple(naive),
        studies=tuple(shared.about),
        simulated=frozenset(name for name, about in shared.about.items() if about.simulated),
    )


def _place(row: PooledRow, order: list[str]) -> tuple:
    names = (row.role, row.outcome, row.rater_source or "", row.estimand, row.measure, row.scale or "")
    return order.index(row.hypothesis), *names, row.horizon_months


def _prepared(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with what decides their pool: randomized or not, and the scale where points are of one."""
    points = rows["measure"] == "mean_difference"
    randomized = {a.value: "randomized" if a.is_randomized else a.value for a in Assignment}
    return rows.assign(
        scale=rows["scale"].fillna("unknown").where(points, None),
        rater_source=rows["rater_source"].where(rows["rater_source"].notna(), None),
        assignment=rows["assignment"].map(randomized),
        is_naive=rows["analysis"] == "naive",
    )


def _names(about: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that name a pooled row."""
    plain: dict[str, Any] = {name: None if pd.isna(about[name]) else about[name] for name in KEY}
    family = load_plan().hypothesis(plain["hypothesis"]).family
    analysis = "naive" if about["is_naive"] else "primary" if family == "primary" else "secondary"
    return plain | {"horizon_months": int(plain["horizon_months"]), "analysis": analysis}


def _silent(rows: pd.DataFrame, asked: dict, answered: dict) -> Iterator[Pool]:
    """Yield a pool for each question that some company was asked and none can answer."""
    for about in rows.drop_duplicates(ASKED).to_dict("records"):
        key = tuple(about[name] for name in ASKED)
        if key in answered or about["is_naive"]:
            continue
        measure = load_plan().hypothesis(about["hypothesis"]).measure
        names = _names(about | {"rater_source": None, "scale": None, "measure": measure})
        main = NotPooled(**names, n_absent=len(asked[key]), status="suppressed", reason=NONE)
        yield Pool(main=main, companies=by_company(rows.iloc[:0]))


def by_company(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one number a company: its programs averaged by precision.

    They share comparators, so their errors are taken to go fully together, which can only widen the average's
    (Borenstein et al. 2009, Introduction to Meta-Analysis, ch. 24). A moderator on which they differ is "several".
    """
    rows = rows.assign(w=rows["std_error"] ** -2.0, few_events=few_events(rows))
    rows = rows.assign(wy=rows["w"] * rows["estimate"], ws=rows["w"] * rows["std_error"])
    by = rows.groupby("study", sort=True)
    sums = by[["w", "wy", "ws", "n_treated", "n_control"]].sum()
    firsts = by[list(MODERATORS)].first()
    several = by[list(MODERATORS)].nunique() >= 2
    return pd.DataFrame(
        {
            "estimate": sums["wy"] / sums["w"],
            "std_error": sums["ws"] / sums["w"],
            "n_treated": sums["n_treated"].astype(int),
            "n_control": sums["n_control"].astype(int),
            "few_events": by["few_events"].max().astype(bool),
            "is_capped": by["is_capped"].max().astype(bool),
            "n_programs": by.size(),
        }
        | {name: firsts[name].where(~several[name], SEVERAL) for name in MODERATORS}
    ).reset_index()


def few_events(rows: pd.DataFrame) -> np.ndarray:
    """Return where the smaller arm has fewer than ten events, as far as a shared row tells: its errors and sizes.

    With a risk p in both arms the variance is p (1 − p) (1/n₁ + 1/n₀). Weights and clusters enlarge it, so that events
    of a weighted row are rather fewer than it says.
    """
    n1, n0 = rows["n_treated"].to_numpy(dtype=float), rows["n_control"].to_numpy(dtype=float)
    product = np.minimum(rows["std_error"].to_numpy(dtype=float) ** 2 / (1 / n1 + 1 / n0), 0.25)
    risk = (1 - np.sqrt(1 - 4 * product)) / 2
    return (rows["measure"] == "risk_difference").to_numpy() & (risk * np.minimum(n1, n0) < FEW_EVENTS)


def pooled(names: dict[str, Any], rows: pd.DataFrame, n_absent: int) -> Pool:
    """Return the pool of rows that agree in everything by which they may be pooled.

    Parameters
    ----------
    names
        The columns that name its rows.
    n_absent
        Companies that were asked and have no number.

    Raises
    ------
    ValueError
        Rows of different estimands, measures, scales, horizons, outcomes or raters.
    """
    if len(rows[list(KEY)].drop_duplicates()) != 1:
        raise ValueError("rows of different estimands, measures, scales or horizons are not pooled")
    companies = by_company(rows)
    counts: dict[str, Any] = {"n_studies": len(companies), "n_absent": n_absent}
    reason = UNKNOWN_SCALE if names["scale"] == "unknown" else ONE if len(companies) == 1 else None
    if reason:
        silent = NotPooled(**names, **counts, status="not_estimable", reason=reason)
        return Pool(main=silent, companies=companies.assign(weight=np.nan))
    y, s = (companies[c].to_numpy(dtype=float) for c in ("estimate", "std_error"))
    fitted = fit(y, s)
    companies = companies.assign(weight=fitted.weights)
    people: dict[str, Any] = {name: int(companies[name].sum()) for name in ("n_treated", "n_control")}
    few, capped = (float(companies.loc[companies[name], "weight"].sum()) for name in ("few_events", "is_capped"))
    is_risk, is_naive = names["measure"] == "risk_difference", names["analysis"] == "naive"
    low, high = prediction_limits(y, s) or (None, None)
    numbers = _numbers(fitted) | {"prediction_low": low, "prediction_high": high}
    shares: dict[str, Any] = {
        "share_few_events": few if is_risk else None,
        "share_capped": None if is_naive else capped,
    }
    main = Pooled(**names, **counts, **people, **numbers, **shares)
    slope = small_studies(y, s) if len(y) >= ENOUGH and np.ptp(s) > 0 else None
    others = [] if is_naive else _others(main, companies, fitted)
    return Pool(main=main, others=tuple(others), companies=companies, fitted=fitted, slope=slope)


def _numbers(fitted: Fit) -> dict[str, Any]:
    low, high = fitted.limits
    plug_in = fitted.plug_in_prediction or (None, None)
    return {
        "estimate": fitted.mean,
        "std_error": fitted.std_error,
        "ci_low": low,
        "ci_high": high,
        "ci_level": LEVEL,
        "p_value": fitted.p_value,
        "plug_in_low": plug_in[0],
        "plug_in_high": plug_in[1],
        "tau2": fitted.tau2,
        "tau2_low": fitted.tau2_limits[0],
        "tau2_high": fitted.tau2_limits[1],
        "i2": fitted.i2,
        "i2_low": fitted.i2_limits[0],
        "i2_high": fitted.i2_limits[1],
        "q": fitted.q,
        "q_p": fitted.q_p,
    }


def _row(main: Pooled, fitted: Fit, **more: Any) -> Pooled:
    """Return another row of a pool: of the same question, made in another way or of other companies."""
    nothing: dict[str, Any] = dict.fromkeys(("n_treated", "n_control", "share_few_events", "share_capped"))
    nothing |= {"n_absent": 0, "prediction_low": None, "prediction_high": None}
    changes: dict[str, Any] = nothing | _numbers(fitted) | {"analysis": "sensitivity", "n_studies": len(fitted.weights)}
    return replace(main, **changes | more)


def _others(main: Pooled, companies: pd.DataFrame, fitted: Fit) -> Iterator[Pooled]:
    """Yield everything beside the pooled answer."""
    y, s = (companies[c].to_numpy(dtype=float) for c in ("estimate", "std_error"))
    yield _row(main, fit(y, s, method="paule_mandel"), estimator="paule_mandel")
    if main.n_absent:
        n = main.n_absent
        absent = fit(np.append(y, np.zeros(n)), np.append(s, np.full(n, np.median(s))))
        yield _row(main, absent, group="absent_without_effect", level=str(n))
    kept = ~companies["is_capped"].to_numpy()
    if 1 < kept.sum() < len(y):
        yield _row(main, fit(y[kept], s[kept]), group="without_capped", level=str(len(y) - kept.sum()))
    if len(y) > 2:
        chosen = np.sort(most_influential(y, fitted, MOST_LEFT_OUT))
        for n, left in zip(chosen, without_each(y, s, chosen), strict=True):
            yield _row(main, left, group="without", level=companies["study"].iloc[n])
    for name in MODERATORS:
        yield from _by_level(main, companies, name)
    yield from _by_size(main, companies)


def _by_level(main: Pooled, companies: pd.DataFrame, name: Any) -> Iterator[Pooled]:
    """Yield the mean of each level of a moderator, and whether they differ, where there are companies enough.

    One τ² for all levels, by meta-regression. Those whose randomization differs are shown apart in any case.
    """
    known_level = companies[companies[name].notna() & (companies[name] != SEVERAL)]
    sizes = known_level[name].value_counts()
    enough = sorted(sizes[sizes >= ENOUGH_A_LEVEL].index)
    some = known_level[known_level[name].isin(enough)]
    if len(enough) > 1 and len(some) >= ENOUGH:
        design = np.column_stack([np.ones(len(some)), *[some[name] == level for level in enough[1:]]]).astype(float)
        fitted = fit(some["estimate"].to_numpy(), some["std_error"].to_numpy(), design)
        for n, level in enumerate(enough):
            at = np.eye(len(enough))[0] + (np.eye(len(enough))[n] if n else 0)
            n_studies = int(sizes[level])
            yield _moderated(main, fitted, at, group=name, level=level, n_studies=n_studies)
    elif name == "assignment" and len(sizes) > 1:
        for level in sorted(sizes[sizes > 1].index):
            apart = known_level[known_level[name] == level]
            yield _row(main, fit(apart["estimate"].to_numpy(), apart["std_error"].to_numpy()), group=name, level=level)


def _by_size(main: Pooled, companies: pd.DataFrame) -> Iterator[Pooled]:
    """Yield how the effect goes with the people in the program: the slope for twice as many."""
    size = np.log2(companies["n_treated"].to_numpy(dtype=float))
    if len(companies) >= ENOUGH and np.ptp(size) > 0:
        design = np.column_stack([np.ones(len(size)), size - size.mean()])
        fitted = fit(companies["estimate"].to_numpy(), companies["std_error"].to_numpy(), design)
        yield _moderated(main, fitted, np.array([0.0, 1.0]), group="size", level="twice as many people")


def _moderated(main: Pooled, fitted: Fit, at: np.ndarray, **names: Any) -> Pooled:
    estimate, error, (low, high), p = fitted.at(at)
    numbers: dict[str, Any] = {"estimate": estimate, "std_error": error, "ci_low": low, "ci_high": high, "p_value": p}
    nothing = dict.fromkeys(("plug_in_low", "plug_in_high", "i2", "i2_low", "i2_high"))
    return _row(main, fitted, **nothing, **numbers, p_difference=fitted.moderator_p, **names)


def _judged(pools: Iterable[Pool]) -> tuple[Pool, ...]:
    """Return the pools with verdicts at the first horizon; p-values are adjusted over roles and estimands by family.

    A later horizon is read beside the first one, and is no test of its own.
    """
    pools = list(pools)
    first: dict[tuple, int] = {}
    for row in (pool.main for pool in pools):
        first[_question(row)] = min(first.get(_question(row), row.horizon_months), row.horizon_months)
    mains = {
        n: pool.main
        for n, pool in enumerate(pools)
        if is_judged(pool.main) and pool.main.horizon_months == first[_question(pool.main)]
    }
    for method in {family_of(row) for row in mains.values() if row.is_estimated} - {None}:
        told = {n: row for n, row in mains.items() if isinstance(row, Pooled) and family_of(row) == method}
        adjusted = adjusted_p([row.p_value for row in told.values()], known(method))
        mains |= {n: replace(row, p_adjusted=float(p)) for (n, row), p in zip(told.items(), adjusted, strict=True)}
    for n, row in mains.items():
        pools[n] = replace(pools[n], main=replace(row, verdict=verdict_of(row)))
    return tuple(pools)


def _question(row: PooledRow) -> tuple:
    return tuple(getattr(row, name) for name in KEY if name != "horizon_months")
