"""Situations of rollouts: a program that reaches one department after the other.

Companies of twelve departments of 90 people; exits come from a constant hazard that the rating says, the same in all
departments.
"""

import numpy as np
import pandas as pd
from scipy.special import logit

from analysis.measure.employment import add_months
from simulations.situations.trials import Company, chosen, company, never, within
from simulations.situations.world import Case, Situation

N_UNITS, N_EACH = 12, 90
# The last four are never reached.
REACHED = tuple(pd.date_range("2021-09-01", periods=8, freq="2MS"))
FIRST_YEAR = range(1, 13)


def _units(rng: np.random.Generator) -> tuple[Company, np.ndarray]:
    """Return a company of units, and each person's."""
    world = company(rng, n=N_UNITS * N_EACH)
    unit = np.repeat(np.arange(N_UNITS), N_EACH)
    world.job |= {"department": np.array([f"U{u:02d}" for u in unit], dtype=object)}
    return world, unit


def _rolled_out(rng: np.random.Generator, is_before: bool, n_pilots: int = 0, share_moving: float = 0.0) -> Case:
    """Draw a rollout that cuts the hazard of those who start to 0.4.

    Parameters
    ----------
    n_pilots
        Early starters in every unit on one day, half a year before the first is reached.
    share_moving
        Of the units never reached, how many of the average calm move to the first unit in each month of its first year.
        There they are kept as those are who start, though they do not start.
    """
    world, unit = _units(rng)
    n, since, moved = len(unit), never(len(unit)), never(len(unit))
    reached = pd.DatetimeIndex([*REACHED, *[pd.NaT] * (N_UNITS - len(REACHED))]).to_numpy()[unit]
    waiting = np.isnat(reached)

    def start(who: np.ndarray, day: pd.Timestamp) -> None:
        since[who & since.isna().to_numpy()] = day

    by_lot = rng.permuted(np.arange(n).reshape(N_UNITS, N_EACH), axis=1)
    start(np.isin(np.arange(n), by_lot[:, :n_pilots]), pd.Timestamp("2021-03-01"))
    for month in range(24):
        day = add_months(REACHED[0], month)
        here = np.asarray(world.changed_by(0.4, since) >= day)
        if month in FIRST_YEAR and share_moving:
            moves = chosen(rng, logit(share_moving) + 0.3 * world.calm, waiting & here & moved.isna().to_numpy())
            moved[moves] = day
            start(moves, day)
        start(chosen(rng, -0.7 + 0.4 * world.calm, here & (reached == np.datetime64(day))), day)
    without, world.left = world.left, world.changed_by(0.4, since)
    has_moved = moved.notna().to_numpy()
    treated = (since == pd.Series(reached)).to_numpy() & ~has_moved
    at = pd.DatetimeIndex(since[treated])
    truth = within(world.left[treated], at).mean() - within(without[treated], at).mean()
    started = since.notna().to_numpy() & ~has_moved
    world.start(started, since[started].to_numpy())
    to = {"employee_id": world.ids, "effective_date": moved} | world.job | {"department": "U00"}
    world.changes.append(pd.DataFrame(to)[has_moved])
    program = {"assignment": "rollout"}
    if not is_before:
        dates = {f"U{u:02d}": day.date() for u, day in enumerate(REACHED)}
        program |= {"rollout": {"unit": "department", "dates": dates}}
    return Case(world.study(program), "mentor", "H1_retention", float(truth))


def pilots_everywhere(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw three early starters in every unit."""
    return _rolled_out(rng, is_before, n_pilots=3)


def comparators_lost(rng: np.random.Generator, is_before: bool) -> Case:
    """Draw comparators who move to a reached unit, the calm ones somewhat sooner."""
    return _rolled_out(rng, is_before, share_moving=0.10)


SITUATIONS = (
    Situation("pilot_in_every_unit", "Three early starters in every unit of a rollout", pilots_everywhere),
    Situation(
        "rollout_comparators_lost",
        "Comparators of a rollout move to a unit that it has reached, whose people stay longer",
        comparators_lost,
    ),
)
