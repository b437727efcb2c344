"""Everybody followed under both strategies, starting within the grace and not starting, and what each clone weighs.

Clone, censor, weight: Hernán & Robins 2016, Am J Epidemiol 183:758; Hernán, Wang & Leaf 2022, JAMA 328:2446; a day of
starting left to chance within the grace: Cain et al. 2010, Int J Biostat 6(2):18; weights for
censoring: Robins & Finkelstein 2000, Biometrics 56:779.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.design.covariates import design_matrix
from analysis.design.follow_up import MOST_CUTS, kind_codes
from analysis.design.propensity import Propensity, fit_propensity, refitted, start_log_odds
from analysis.design.protocols import NEVER, GraceTrials
from analysis.design.weights import MOST_LIKELY
from analysis.measure.employment import months_between

# So many days of starting are looked at, of all people together: a bootstrap goes over them in every draw.
MOST_STEPS = 500_000
DAYS = 200_000  # more than any day's number, so that person and day make one sortable number


@dataclass(frozen=True)
class CloneIntervals:
    """One arm's follow-up, cut where a clone's weight changes.

    Attributes
    ----------
    row
        Position in the trials' rows, shape (intervals,).
    entry, exit
        Months since the trial date; the interval is (entry, exit].
    outcome
        0 = goes on or is censored; k = the k-th kind of exit ended it.
    first, last
        The steps behind an interval, as index range (see `Clones.weights`), shape (intervals,).
    """

    row: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    outcome: np.ndarray
    first: np.ndarray
    last: np.ndarray


@dataclass(frozen=True)
class Steps:
    """Every day of starting that a person could have used, by person and day.

    Attributes
    ----------
    row
        The trial row whose grace the day belongs to, shape (steps,).
    day
        Number of the day among all trials' days of starting, shape (steps,).
    is_start
        Whether the person started on it, shape (steps,).
    key
        Person and calendar day as one number, ascending, shape (steps,).
    trial_of_day
        The trial of each day, shape (days,).
    """

    row: np.ndarray
    day: np.ndarray
    is_start: np.ndarray
    key: np.ndarray
    trial_of_day: np.ndarray


@dataclass(frozen=True)
class Clones:
    """Both arms of the trials, everybody in each, and what their weights are made of.

    Attributes
    ----------
    whole, trials
        Without those nearly sure to start; and without those who are not in the sample (`worth`).
    person
        Number of each row's person, shape (rows,).
    fit
        Of the chance of starting. Rows count that could still have started on the grace's last start day, or had by
        then and were still there.
    treated, control
        Follow-up under "start within the grace" and under "do not start".
    worth
        How many people each person stands for, shape (people,): 1, or more where those who do not start are a sample.
    """

    whole: GraceTrials
    trials: GraceTrials
    person: np.ndarray
    fit: Propensity
    steps: Steps
    treated: CloneIntervals
    control: CloneIntervals
    worth: np.ndarray

    def weights(self, counts: np.ndarray, chance: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights of both arms' intervals, treated first, when each row counts `counts` times.

        `chance` is each row's as from `chances`, where it is known already; both of shape (rows,).

        With q a person's chance to start within the grace and G(t) the share of the starters who have started by t
        (the day of starting depends on nothing but the intake):

        - everybody weighs q at first, so that both arms look like those who start, the early leavers among them;
        - not started by t: q / (1 − q G(t)) under "do not start", which stands in for those censored by their start,
          and q (1 − G(t)) / (1 − q G(t)) under "start", which hands over to those who have started;
        - started: 1 under "start";
        - a later intake survived without starting, or a part of its grace: a factor 1 / (1 − q G(t)) of that intake.

        Whoever is under notice cannot start: the weight stays as it is from then on, in both arms.
        """
        chance = self.chances(counts[:, None])[:, 0] if chance is None else chance
        share = self._share(counts)
        earlier = np.concatenate([[0.0], share[:-1]])
        is_first = np.concatenate([[True], np.diff(self.steps.trial_of_day) > 0])
        earlier[is_first] = 0.0
        q, s = chance[self.steps.row], self.steps
        started = q * share[s.day]
        grown = np.concatenate([[0.0], np.cumsum(np.log1p(-q * earlier[s.day]) - np.log1p(-started))])
        control = chance[self.control.row] * np.exp(grown[self.control.last] - grown[self.control.first])
        by_step = np.where(s.is_start, 1.0, (q - started) / (1 - started))
        past = self.treated.last > self.treated.first
        latest = by_step[np.maximum(self.treated.last - 1, 0)] if len(by_step) else 0.0
        treated = np.where(past, latest, chance[self.treated.row])
        return treated * counts[self.treated.row], control * counts[self.control.row]

    def chances(self, counts: np.ndarray) -> np.ndarray:
        """Return each row's chance to start within its trial's grace, fitted anew; 0 in a trial without an arm.

        Shape (rows, draws), as of `counts`: how often each row counts in each draw.
        """
        rows = self.trials.rows
        treated, trial = rows["is_treated"].to_numpy(dtype=bool), rows["trial"].to_numpy(dtype=int)
        counts = counts * self.fit.counts[:, None]
        offset = start_log_odds(treated.astype(float), trial, counts)[trial]
        return 1 / (1 + np.exp(-refitted(self.fit, treated, counts * np.isfinite(offset), offset)))

    def _share(self, counts: np.ndarray) -> np.ndarray:
        """Return, for each day of starting, the share of its trial's starters who have started by then.

        Kaplan–Meier: those who leave or give notice before are censored, as the starters among them are.
        """
        steps, n_days = self.steps, len(self.steps.trial_of_day)
        could = np.bincount(steps.day, weights=counts[steps.row], minlength=n_days)
        did = np.bincount(steps.day, weights=counts[steps.row] * steps.is_start, minlength=n_days)
        left = 1 - did / np.maximum(could, 1e-300)
        share = np.zeros(n_days)
        for trial in np.unique(steps.trial_of_day):
            days = steps.trial_of_day == trial
            started = 1 - np.cumprod(left[days])
            share[days] = started / started[-1] if started[-1] > 0 else 0.0
        return share


def clones(trials: GraceTrials, kinds: tuple[str, ...], months: int, draw: np.random.Generator | None = None) -> Clones:
    """Return both arms' follow-up up to `months`; those nearly sure to start are left out, as in `weights.trimmed`.

    Parameters
    ----------
    kinds
        The outcomes that compete; others censor.
    draw
        Where people times days of starting are more than `MOST_STEPS`, those who never start are a sample of so many,
        each of whom stands for several (a case-cohort sample: Prentice 1986, Biometrika 73:1). Without it all are in.

    Raises
    ------
    ValueError
        No trial has both arms.
    """
    fit = _fit(trials)
    if (fit.probability > MOST_LIKELY).any():
        trials = trials.take(fit.probability <= MOST_LIKELY)
        fit = _fit(trials)
    whole, (chosen, worth) = trials, _case_cohort(trials.rows, draw)
    if not chosen.all():
        trials, fit = trials.take(chosen), fit.take(chosen)
    steps, code = _steps(trials.rows), kind_codes(trials.rows["outcome"], kinds)
    treated = _treated_intervals(trials.rows, steps, code, float(months))
    control = _control_intervals(trials.rows, steps, code, float(months))
    return Clones(whole, trials, _person(trials.rows), fit, steps, treated, control, worth)


def _case_cohort(rows: pd.DataFrame, draw: np.random.Generator | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that are looked at, shape (rows,), and how many people each person left in them stands for."""
    person = _person(rows)
    n_days = rows.loc[rows["is_treated"], ["trial", "start_date"]].drop_duplicates()["trial"].value_counts()
    share = MOST_STEPS / max(1, int(rows["trial"].map(n_days).fillna(0).sum()))
    starts = np.bincount(person, weights=rows["is_treated"]) > 0
    chosen = starts | (draw.random(len(starts)) < share) if draw is not None and share < 1 else np.ones_like(starts)
    if rows[chosen[person]].groupby("trial")["is_treated"].nunique().sum() < 2 * rows["trial"].nunique():
        chosen = np.ones_like(starts)  # no trial may lose an arm
    worth = np.where(starts, 1.0, (~starts).sum() / max(1, (chosen & ~starts).sum()))
    return chosen[person], worth[chosen]


def _fit(trials: GraceTrials) -> Propensity:
    """Return the chance to start, fitted on those still there; one row per row of the trials."""
    if trials.rows.empty:
        raise ValueError("no intake has people who start and people who do not")
    treated, trial = trials.rows["is_treated"].to_numpy(dtype=bool), trials.rows["trial"].to_numpy(dtype=int)
    people = trials.rows["employee_id"]
    terms = design_matrix(trials.covariates, treated, people=people).values  # noqa: PD011 (no frame)
    return fit_propensity(terms, treated, trial, counts=_still_there(trials.rows).astype(float))


def _still_there(rows: pd.DataFrame) -> np.ndarray:
    """Return who could start, or had started and was still there, on the last start day of the trial, shape (rows,).

    Judged alike for both, so that leaving within the grace does not look like a reason not to start.
    """
    last = rows["start_date"].where(rows["is_treated"]).groupby(rows["trial"]).transform("max")
    elsewhere = ~rows["is_treated"] & (rows["start_date"] <= last)
    there = (rows["closed_date"] > last) & ~elsewhere
    return (there | ~_has_both(rows, there)).to_numpy()


def _has_both(rows: pd.DataFrame, there: pd.Series) -> pd.Series:
    """Return whether each row's trial has both arms among those still there; else everybody of it is taken."""
    return rows["is_treated"].where(there).groupby(rows["trial"]).transform("nunique") == 2


def _person(rows: pd.DataFrame) -> np.ndarray:
    return pd.factorize(rows["employee_id"])[0]


def _day_number(days: pd.Series | np.ndarray) -> np.ndarray:
    return np.asarray(days, dtype="datetime64[D]").astype(np.int64)


def _steps(rows: pd.DataFrame) -> Steps:
    treated = rows["is_treated"].to_numpy(dtype=bool)
    days = rows.loc[treated, ["trial", "start_date"]].drop_duplicates().sort_values(["trial", "start_date"])
    day_of, trial_of_day = _day_number(days["start_date"]), days["trial"].to_numpy(dtype=int)
    n_days = np.bincount(trial_of_day)
    trial, n = rows["trial"].to_numpy(dtype=int), len(rows)
    row = np.repeat(np.arange(n), n_days[trial])
    begin = np.concatenate([[0], np.cumsum(n_days)])[trial]
    day = begin[row] + np.arange(len(row)) - np.concatenate([[0], np.cumsum(n_days[trial])])[row]
    start, closed = (_day_number(rows[column].fillna(NEVER)) for column in ("start_date", "closed_date"))
    could = (day_of[day] < closed[row]) & (day_of[day] <= start[row])
    row, day = row[could], day[could]
    key = _person(rows)[row] * DAYS + day_of[day]
    order = np.argsort(key, kind="stable")
    row, day = row[order], day[order]
    return Steps(row, day, treated[row] & (day_of[day] == start[row]), key[order], trial_of_day)


def _control_intervals(rows: pd.DataFrame, steps: Steps, code: np.ndarray, until: float) -> CloneIntervals:
    """Return the follow-up under "do not start": until the own start, cut on every day of starting survived.

    With more than `MOST_CUTS` such days it is cut on every second, third, … of them, and the weight then grows by all
    that has come since: a person's intervals would else be days of starting times intakes.
    """
    zero, start, end = (_day_number(rows[c].fillna(NEVER)) for c in ("trial_date", "start_date", "end_date"))
    person, stop = _person(rows) * DAYS, np.minimum(start, end)
    days = np.unique(steps.key % DAYS)
    is_cut = np.isin(steps.key % DAYS, days[::-1][:: max(1, -(-len(days) // MOST_CUTS))])
    cuts, n_before = np.flatnonzero(is_cut), np.concatenate([[0], np.cumsum(is_cut)])
    first = np.searchsorted(steps.key, person + zero, side="left")
    last = np.maximum(np.searchsorted(steps.key, person + stop, side="left"), first)
    n_cuts = n_before[last] - n_before[first]
    row = np.repeat(np.arange(len(rows)), n_cuts + 1)
    nth = np.arange(len(row)) - np.concatenate([[0], np.cumsum(n_cuts + 1)])[row]
    # The cut that ends an interval, and the one that it begins with.
    at = n_before[first][row] + nth
    ends, begins = (cuts[np.clip(place, 0, len(cuts) - 1)] for place in (at, at - 1))
    grown = np.where(nth > 0, begins + 1, first[row])
    code = np.where(end <= start, code, 0)
    return _intervals(rows, row, steps.key[ends] % DAYS, stop, code, until, first[row], grown)


def _treated_intervals(rows: pd.DataFrame, steps: Steps, code: np.ndarray, until: float) -> CloneIntervals:
    """Return the follow-up under "start within the grace": until it is over and there was no start.

    Who could have started on its last start day and did not is censored then; who was gone or under notice before is
    not: leaving was no breach.
    """
    by_row = np.argsort(steps.row, kind="stable")
    n = np.bincount(steps.row, minlength=len(rows))
    begin = np.concatenate([[0], np.cumsum(n)])
    row = np.repeat(np.arange(len(rows)), n + 1)
    nth = np.arange(len(row)) - np.concatenate([[0], np.cumsum(n + 1)])[row]
    step = by_row[np.minimum(begin[row] + nth, len(by_row) - 1)]
    before = by_row[np.maximum(begin[row] + nth - 1, 0)]
    treated = rows["is_treated"].to_numpy(dtype=bool)
    start, end = (_day_number(rows[c].fillna(NEVER)) for c in ("start_date", "end_date"))
    stop = np.where(treated, end, np.minimum(start, end))
    code = np.where(treated | (end <= start), code, 0)
    last = np.where(nth > 0, before + 1, 0)
    found = _intervals(rows, row, steps.key[step] % DAYS, stop, code, until, np.zeros(len(row), dtype=int), last)
    return _without_breach(found, steps)


def _without_breach(intervals: CloneIntervals, steps: Steps) -> CloneIntervals:
    """Return the intervals without those after a last day of starting that was let pass: their weight is 0."""
    is_last_day = np.append(np.diff(steps.trial_of_day) > 0, True)
    latest = np.maximum(intervals.last - 1, 0)
    breach = (intervals.last > 0) & is_last_day[steps.day[latest]] & ~steps.is_start[latest]
    return CloneIntervals(*(value[~breach] for value in vars(intervals).values()))


def _intervals(rows, row, cut, stop, code, until, first, last) -> CloneIntervals:
    """Return the intervals of `row`, each ending at its `cut` but for a row's last one, which ends at its `stop`."""
    is_last = np.append(np.diff(row) > 0, True)
    ends = np.where(is_last, stop[row], cut).astype("datetime64[D]")
    exit = months_between(rows["trial_date"].to_numpy()[row], ends)
    entry = np.where(np.append(True, np.diff(row) > 0), 0.0, np.roll(exit, 1))
    outcome = np.where(is_last & (exit <= until), code[row], 0)
    exit = np.minimum(exit, until)
    kept = exit > entry
    return CloneIntervals(row[kept], entry[kept], exit[kept], outcome[kept], first[kept], last[kept])
