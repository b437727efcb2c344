"""Do the answers for the silent tell the truth where it is known? Invented surveys that people leave or ignore.

``PYTHONPATH=tests python -m simulations.silence`` (part of ``make simulations``) makes every world that ``silence.csv``
does not have yet, with ``--fresh`` all of them, `N_STUDIES` times; it goes on where it was broken off.
Seeds are names: study 17 of ``unseen`` is ``rng("silence", "unseen", 17)``.
"""

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.design.response import Asked, asked_of
from analysis.estimate.change import regression_adjusted
from analysis.estimate.inference import Interval
from analysis.estimate.lee_bounds import lee_bounds
from analysis.estimate.nonresponse import comparator_weights, once, response_weighted_change, silent_sensitivity
from analysis.plan.probability import rng

N_STUDIES = 500
# The jackknife takes the time: it leaves out groups of people that are fewer than in a report, and equally valid.
N_GROUPS = 30
RAW = Path(__file__).parents[2] / "build" / "simulations"


@dataclass(frozen=True)
class World:
    """Who starts, who leaves and who answers.

    Attributes
    ----------
    is_lottery
        Places are drawn; otherwise people of higher x and morale start more often.
    answers
        (person's frame, is_treated) → the share of each one's dice under which he answers, in that arm.
    n_people, effect, spread
        Size; mean effect in points, and how much it varies with morale.
    leaves
        Whether people leave, the unhappy and the comparators more often.
    """

    name: str
    is_lottery: bool
    answers: Callable[[pd.DataFrame, bool], np.ndarray]
    n_people: int = 600
    effect: float = 0.3
    spread: float = 0.0
    leaves: bool = True


def expit(value) -> np.ndarray:
    return 1 / (1 + np.exp(-value))


def by_what_is_seen(people: pd.DataFrame, is_treated: bool) -> np.ndarray:
    """The dissatisfied fall silent, unless they are in the program."""
    slope = 0.2 if is_treated else 1.6
    return expit(0.6 + slope * (people["before"] - 3.2) + 0.4 * people["x"])


def by_what_is_unseen(people: pd.DataFrame, is_treated: bool) -> np.ndarray:
    """Whoever would feel worse answers less; the program makes everybody answer more: monotone."""
    return expit(0.4 + 2.0 * (people["untreated"] - 3.3) + 2.0 * is_treated)


def at_the_bound(people: pd.DataFrame, is_treated: bool) -> np.ndarray:
    """The program makes the very lowest answer too, and nobody else: the truth is the upper bound itself."""
    lowest = people["untreated"] < 2.6
    return np.where(lowest & (not is_treated), 0.0, 1.0)


def both_ways(people: pd.DataFrame, is_treated: bool) -> np.ndarray:
    """The program makes the lowest answer and silences the highest: not monotone."""
    if is_treated:
        return (people["untreated"] < 4.0).to_numpy(dtype=float)
    return (people["untreated"] > 2.6).to_numpy(dtype=float)


def worse_among_the_treated(people: pd.DataFrame, is_treated: bool) -> np.ndarray:
    """Comparators answer by what is seen; among the treated whoever felt little of the program falls silent."""
    if is_treated:
        return expit(0.6 + 1.5 * (people["treated"] - 3.6))
    return expit(0.6 + 0.8 * (people["before"] - 3.2))


WORLDS = {
    world.name: world
    for world in (
        World("unseen-lottery", True, by_what_is_unseen, spread=0.15),
        World("bound-lottery", True, at_the_bound, leaves=False),
        World("not-monotone", True, both_ways, leaves=False),
        World("seen", False, by_what_is_seen),
        World("unseen", False, by_what_is_unseen, spread=0.15),
        World("silent-worse", False, worse_among_the_treated),
    )
}


def people_of(world: World, draw: np.random.Generator) -> pd.DataFrame:
    """Return everybody, both potential scores and both potential responses beside what would be seen; one row each."""
    n = world.n_people
    x, morale = draw.normal(size=(2, n))
    people = pd.DataFrame({"x": x, "before": 3.2 + 0.6 * morale + 0.4 * draw.normal(size=n)})
    people["untreated"] = 3.3 + 0.6 * morale + 0.2 * x + 0.4 * draw.normal(size=n)
    people["treated"] = people["untreated"] + world.effect + world.spread * morale
    chance = 0.4 if world.is_lottery else expit(-1.0 + 0.6 * x + 0.4 * morale)
    people["is_treated"] = draw.random(n) < chance
    leaving, answering = draw.random((2, n))
    for is_treated in (False, True):
        stays = leaving < expit(1.5 + 0.6 * morale + 0.6 * is_treated) if world.leaves else np.full(n, True)
        people[f"stays_{is_treated}"] = stays
        people[f"scored_{is_treated}"] = stays & (answering < world.answers(people, is_treated))
    return people


def asked_in(people: pd.DataFrame) -> Asked:
    """Return what a survey shows of them, as the estimators take it; people put together for the jackknife."""
    treated = people["is_treated"]
    after = people["treated"].where(treated, people["untreated"])
    scored = people["scored_True"].where(treated, people["scored_False"])
    rows = pd.DataFrame(
        {
            "employee_id": people.index,
            "cell": 0,
            "wave_position": 1,
            "unit": None,
            "is_treated": treated,
            "before": people["before"],
            "after": after.where(scored),
            "is_invited": people["stays_True"].where(treated, people["stays_False"]),
        }
    )
    x = people[["x"]].to_numpy()
    asked = asked_of(rows, (x - x.mean()) / x.std(), is_randomized=people.attrs["is_lottery"])
    return asked if asked.is_randomized else replace(asked, cluster=asked.person % N_GROUPS)


def complete_pairs(asked: Asked) -> Interval:
    """Return the doubly robust difference among those scored alone, as if nobody else had been asked."""
    scored = asked.take(asked.is_scored)
    weights, person = comparator_weights(scored, once(scored))[:, 0], np.arange(len(scored.y))
    return regression_adjusted(scored.y, scored.treated, scored.cell, scored.terms, weights, person).interval


def study(world: World, number: int) -> list[dict]:
    """Return the estimates of one study beside its truth: the effect in its always-responders, or in its stayers."""
    draw = rng("silence", world.name, number)
    people = people_of(world, draw)
    people.attrs["is_lottery"] = world.is_lottery
    asked = asked_in(people)
    effect = people["treated"] - people["untreated"]
    of_interest = people["is_treated"] | world.is_lottery
    always_scored = people["scored_True"] & people["scored_False"] & of_interest
    stayers = effect[of_interest & people["stays_True"]].mean()
    bounds = lee_bounds(asked, draw)
    rows = [
        _row("complete_pairs", stayers, complete_pairs(asked)),
        _row("lee_bounds_lower", effect[always_scored].mean(), bounds.lower, bounds.low, bounds.high),
        _row("lee_bounds_upper", effect[always_scored].mean(), bounds.upper, bounds.low, bounds.high),
    ]
    if not world.is_lottery:
        rows.append(_row("response_weighted", stayers, response_weighted_change(asked, draw)))
        rows += _silent_rows(people, asked, stayers, draw)
    return [{"world": world.name, "number": number} | row for row in rows]


def _silent_rows(people: pd.DataFrame, asked: Asked, truth: float, draw: np.random.Generator) -> list[dict]:
    """Return the estimate at delta 0, and at the delta that is true of those treated who were silent."""
    invited = asked.take(asked.is_invited)
    silent = invited.treated & ~invited.is_scored
    if not silent.any():
        return []
    known = (people["treated"] - people["before"]).to_numpy()[invited.position]
    true_delta = float(known[silent].mean() - predicted(invited)[silent].mean())
    found = silent_sensitivity(asked, 0.2, np.array([true_delta]), draw)
    at_truth = found.curve.iloc[0]
    spread = (at_truth["ci_high"] - at_truth["ci_low"]) / (found.at_zero.high - found.at_zero.low)
    return [
        _row("silent_at_zero", truth, found.at_zero),
        {
            "estimator": "silent_at_true_delta",
            "truth": truth,
            "estimate": at_truth["estimate"],
            "std_error": found.at_zero.std_error * spread,
            "low": at_truth["ci_low"],
            "high": at_truth["ci_high"],
        },
    ]


def predicted(invited: Asked) -> np.ndarray:
    """Return everybody's change as a regression among those scored predicts it, written out anew."""
    arm = invited.treated
    x = np.column_stack([np.ones(len(arm)), arm, arm * invited.known[:, 0], invited.known])
    scored = invited.is_scored
    return x @ np.linalg.lstsq(x[scored], invited.y[scored], rcond=None)[0]


def _row(estimator: str, truth: float, found: Interval, low: float | None = None, high: float | None = None) -> dict:
    return {
        "estimator": estimator,
        "truth": truth,
        "estimate": found.estimate,
        "std_error": found.std_error,
        "low": found.low if low is None else low,
        "high": found.high if high is None else high,
    }


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row per world and estimator: bias with its Monte-Carlo error, spread, mean error, coverage of truth.

    For the bounds ``estimate − truth`` is how far the bound lies from the truth, and ``coverage`` that of the Imbens–
    Manski interval.
    """
    lines = []
    for (world, estimator), group in rows.groupby(["world", "estimator"], sort=False):
        error, n = group["estimate"] - group["truth"], len(group)
        coverage = group["truth"].between(group["low"], group["high"]).mean()
        lines.append(
            {
                "world": world,
                "estimator": estimator,
                "n_studies": n,
                "truth_mean": group["truth"].mean(),
                "bias": error.mean(),
                "mc_error_of_bias": error.std(ddof=1) / np.sqrt(n),
                "empirical_sd": error.std(ddof=1),
                "mean_std_error": group["std_error"].mean(),
                "coverage": coverage,
                "mc_error_of_coverage": np.sqrt(coverage * (1 - coverage) / n),
            }
        )
    return pd.DataFrame(lines)


def main() -> None:
    """Make every world whose results are not there yet, and write the table after each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="make again what has been made before")
    fresh, path = parser.parse_args().fresh, Path(__file__).with_suffix(".csv")
    RAW.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame({"world": [], "estimator": [], "n_studies": []})
    if path.exists() and not fresh:
        table = pd.read_csv(path)
    done = set(table.loc[table["n_studies"] >= N_STUDIES, "world"])
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for world in [w for w in WORLDS.values() if w.name not in done]:
            made = summarize(world_rows(world, pool, fresh))
            table = pd.concat([table[table["world"] != world.name], made], ignore_index=True)
            order = table["world"].map(list(WORLDS).index)
            table = table.iloc[order.argsort(kind="stable")]
            table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
            print(world.name, flush=True)


def world_rows(world: World, pool: ProcessPoolExecutor, fresh: bool) -> pd.DataFrame:
    """Return the rows of a world's studies, made where they are missing."""
    path = RAW / f"silence-{world.name}.csv"
    if fresh:
        path.unlink(missing_ok=True)
    made = set(pd.read_csv(path)["number"]) if path.exists() else set()
    missing = [number for number in range(N_STUDIES) if number not in made]
    for rows in pool.map(partial(study, world), missing, chunksize=5):
        pd.DataFrame(rows).to_csv(path, mode="a", header=not path.exists(), index=False)
    return pd.read_csv(path)


if __name__ == "__main__":
    main()
