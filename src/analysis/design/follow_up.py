"""Follow-up: of trial rows, cut where a weight changes or a job event comes, and of everybody before the first program.

Landmarks before the first program: van Houwelingen 2007, Scand J Stat 34:70. On every landmark day those eligible that
day are followed from it, so that a plan meets people as a program would: employed, eligible, not under notice.
"""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.design.eligibility import eligible_levels, is_eligible
from analysis.design.trials import Trials
from analysis.measure.employment import (
    ONE_DAY,
    Staff,
    add_months,
    exit_outcome,
    job_history,
    job_value_at,
    months_between,
    months_since,
    staff_on,
    under_notice_on,
)
from analysis.plan.contract import Tables
from analysis.plan.hypotheses import JobEvent
from analysis.plan.study import Eligibility, Program, Study

# --- job events -------------------------------------------------------------------------------------------------------
# An event of the job history as the outcome, such as promotion: the first after time zero, exits competing.


def until_job_event(rows: pd.DataFrame, jobs: pd.DataFrame, zero: str, event: JobEvent, outcome: str) -> pd.DataFrame:
    """Return the rows with follow-up that ends at an event of the job history, if that comes before its end.

    Parameters
    ----------
    rows
        ``employee_id``, ``months, outcome``, the day of time zero and, where it is at hand, the event's column as known
        before time zero; one row per trial and person.
    zero
        Name of the column with time zero. A change that takes effect on that very day was decided before it: it is no
        event, and later values are compared with the one that it led to.
    event
        Which change counts.
    outcome
        What the event is called.
    """
    column, then = event.column, f"{event.column}_then"
    held = job_value_at(jobs, column, rows["employee_id"], rows[zero], on_the_day=True) if len(rows) else None
    if held is None:
        held = rows.get(column, pd.Series(index=rows.index, dtype=jobs[column].dtype))
    elif column in rows:
        held = held.fillna(rows[column])
    asked = rows[["employee_id", zero]].assign(**{column: held}, row=range(len(rows)))
    later = asked.merge(jobs[["employee_id", "effective_date", column]], on="employee_id", suffixes=("", "_then"))
    is_later, is_known = later["effective_date"] > later[zero], later[[column, then]].notna().all(axis=1)
    differs = later[then] > later[column] if event.change == "rise" else later[then].ne(later[column])
    day = (
        later[is_later & is_known & differs.fillna(False)]
        .groupby("row")["effective_date"]
        .min()
        .reindex(range(len(rows)))
    )
    months = months_between(rows[zero], day + ONE_DAY)
    happened = months <= rows["months"].to_numpy()
    return rows.assign(
        months=rows["months"].where(~happened, months), outcome=rows["outcome"].where(~happened, outcome)
    )


# --- follow up --------------------------------------------------------------------------------------------------------
# Trial rows' follow-up, cut where a comparator's weight changes.

MOST_CUTS = 60


@dataclass(frozen=True)
class FollowUp:
    """Follow-up cut where a comparator's weight changes: at each later day on which they could have started.

    Attributes
    ----------
    row
        The trial row that each interval belongs to, shape (intervals,).
    entry, exit
        Calendar months since the trial date; the interval is (entry, exit].
    outcome
        0 = goes on or is censored; k = the k-th kind of exit ended it.
    survived
        First and one past the last position (in the person's order of trials) of the later trials whose start the
        comparator survived untreated before this interval: index ranges into `order`, shape (intervals, 2).
    order
        Trial rows sorted by person and trial date.
    person
        Number of each trial row's person, shape (rows,).
    log_factor
        What is added to the logarithm of an interval's weight whatever the propensity, shape (intervals,).
    """

    row: np.ndarray
    entry: np.ndarray
    exit: np.ndarray
    outcome: np.ndarray
    survived: np.ndarray
    order: np.ndarray
    person: np.ndarray
    log_factor: np.ndarray

    @cached_property
    def latest(self) -> np.ndarray:
        """The row of the last trial that was survived before each interval, or its own, shape (intervals,)."""
        return self.order[self.survived[:, 1] - 1]

    @cached_property
    def later_turns(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The rows of people's second trials and of the ones just before them, of their third trials, and so on."""
        begins = np.flatnonzero(np.append(True, np.diff(self.person[self.order]) > 0))
        n = np.diff(np.append(begins, len(self.order)))
        turns = (begins[n > k] + k for k in range(1, n.max(initial=1)))
        return [(self.order[at], self.order[at - 1]) for at in turns]


def follow_up(trials: Trials, kinds: tuple[str, ...], until_months: float) -> FollowUp:
    """Cut the trial rows' follow-up at `until_months` and, for comparators, at each later trial that they were in.

    With more than `MOST_CUTS` trials the cuts are at every second, third, … later trial, so that the follow-up of a
    program that people join on any day does not grow with the square of its days; a weight then waits for its next cut.
    In a rollout the schedule ends a comparator's follow-up, not a choice of their own: nothing is cut or weighted.
    """
    rows = trials.rows
    person = pd.factorize(rows["employee_id"])[0]
    order = np.lexsort((rows["trial"].to_numpy(), person))
    position = np.empty(len(rows), dtype=int)
    position[order] = np.arange(len(rows))
    end = np.minimum(rows["months"].to_numpy(dtype=float), until_months)
    between = _months_between_trials(rows)
    n_later = np.zeros(len(rows), dtype=int)
    if not trials.by_unit:
        n_later = _later_trials(rows, person, order, position, between, end)
    stride = -(-len(between) // MOST_CUTS)
    n_cuts = n_later // stride
    row = np.repeat(np.arange(len(rows)), n_cuts + 1)
    step = np.arange(len(row)) - np.repeat(np.cumsum(n_cuts + 1) - (n_cuts + 1), n_cuts + 1)
    trial = rows["trial"].to_numpy()
    here, survived = trial[row], step * stride
    entry = np.where(step > 0, between[here, trial[order[np.minimum(position[row] + survived, len(rows) - 1)]]], 0.0)
    last = step == n_cuts[row]
    following = between[here, trial[order[np.minimum(position[row] + survived + stride, len(rows) - 1)]]]
    code = outcome_codes(rows, kinds, until_months)
    return FollowUp(
        row,
        entry,
        np.where(last, end[row], following),
        np.where(last, code[row], 0),
        np.column_stack([position[row] + 1, position[row] + survived + 1]),
        order,
        person,
        np.zeros(len(row)),
    )


def split(follow: FollowUp, row: np.ndarray, month: np.ndarray, log_factor: np.ndarray) -> FollowUp:
    """Return the follow-up cut at further months, with a weight that grows by a factor at each of them.

    Parameters
    ----------
    row, month, log_factor
        The cuts, shape (cuts,): trial row, months since its trial date (inside its follow-up), and what is added to
        the log weight from there on.
    """
    n = len(follow.row)
    of_row, at = np.concatenate([follow.row, row]), np.concatenate([follow.entry, month])
    is_cut = np.arange(len(at)) >= n
    order = np.lexsort((is_cut, at, of_row))
    # Each piece belongs to the last interval that begins at or before it.
    interval = np.maximum.accumulate(np.where(is_cut, -1, np.cumsum(~is_cut) - 1)[order])
    grown = np.cumsum(np.concatenate([np.zeros(n), log_factor])[order])
    before_row = np.concatenate([[0.0], grown])[np.searchsorted(of_row[order], of_row[order], side="left")]
    entry = at[order]
    is_last = np.append(interval[1:] != interval[:-1], True)
    exit = np.where(is_last, follow.exit[interval], np.append(entry[1:], np.inf))
    kept = exit > entry
    interval = interval[kept]
    return FollowUp(
        follow.row[interval],
        entry[kept],
        exit[kept],
        np.where(is_last[kept], follow.outcome[interval], 0),
        follow.survived[interval],
        follow.order,
        follow.person,
        (grown - before_row)[kept],
    )


def _months_between_trials(rows: pd.DataFrame) -> np.ndarray:
    """Return calendar months from each trial's day to each later one's, shape (trials, trials)."""
    # Comparators' days are the trial's; who starts may do so on another (`design.starts.trial_days`).
    by_arm = np.argsort(rows["is_treated"].to_numpy(), kind="stable")
    _, first = np.unique(rows["trial"].to_numpy()[by_arm], return_index=True)
    days = rows["trial_date"].to_numpy()[by_arm[first]]
    first, second = np.nonzero(days[:, None] <= days)
    table = np.full((len(days), len(days)), np.inf)
    table[first, second] = months_between(days[first], days[second])
    return table


def _later_trials(rows, person, order, position, between, end) -> np.ndarray:
    """Return, for each comparator row, how many later trials the same person was in as a comparator while followed."""
    trial = rows["trial"].to_numpy()
    n_trials = between.shape[0]
    key = person[order] * n_trials + trial[order]
    # The last trial whose day lies before the row's follow-up ends; trial numbers rise with their days.
    last_trial, by_trial = np.empty(len(rows), dtype=int), np.argsort(trial, kind="stable")
    for k, of_trial in enumerate(np.split(by_trial, np.cumsum(np.bincount(trial, minlength=n_trials))[:-1])):
        last_trial[of_trial] = k - 1 + np.searchsorted(between[k, k:], end[of_trial], side="left")
    upper = np.searchsorted(key, person * n_trials + last_trial, side="right")
    return np.where(rows["is_treated"].to_numpy(), 0, np.maximum(upper - position - 1, 0))


def grown(follow: FollowUp, base: np.ndarray, odds: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Return each interval's weight: that at time zero, grown by 1 + odds at each later trial survived untreated.

    Shapes (rows, …) → (intervals, …). The growth up to a row's own trial is divided out first, so that an interval
    costs one product however many trials it comes after.

    Parameters
    ----------
    base
        Weights at time zero.
    odds
        Of starting; 1 + odds is one over the chance of not having started.
    """
    growth = 1 + odds
    for rows, before in follow.later_turns:
        growth[rows] *= growth[before]
    growth[treated] = 1.0
    # `take` copies whole rows of many draws, at a third of the price of indexing.
    weights = np.take(base / growth, follow.row, axis=0)
    weights *= np.take(growth, follow.latest, axis=0)
    if follow.log_factor.any():
        weights *= np.exp(follow.log_factor).reshape(-1, *[1] * (base.ndim - 1))
    return weights


def outcome_codes(rows: pd.DataFrame, kinds: tuple[str, ...], until_months: float) -> np.ndarray:
    """Return each row's outcome as a number: k = the k-th of `kinds` by then, 0 = censored, shape (rows,)."""
    return np.where(rows["months"].to_numpy(dtype=float) <= until_months, kind_codes(rows["outcome"], kinds), 0)


def kind_codes(outcome: pd.Series, kinds: tuple[str, ...]) -> np.ndarray:
    """Return each outcome as a number: k = the k-th of `kinds`, 0 = any other or none, shape (rows,)."""
    code, found = pd.factorize(outcome)
    # What is missing has the code −1, and with it the last number.
    return np.array([*(kinds.index(kind) + 1 if kind in kinds else 0 for kind in found), 0])[code]


# --- history ----------------------------------------------------------------------------------------------------------
# The company's own exits before any program could have changed them: what a plan starts from.

# Eligibility is looked at anew so often; stretches of this length between landmarks count every exit once.
STEP_MONTHS = 3
COLUMNS = ["landmark_date", "employee_id", "is_under_notice", "months", "reach_months", "outcome"]


@dataclass(frozen=True)
class History:
    """Follow-up of a role's eligible people before the first program.

    Attributes
    ----------
    rows
        One row per landmark day and person of an eligible level and tenure on it: ``landmark_date``, ``employee_id``,
        ``is_under_notice`` (leaving already: nobody whom a program would take), ``months`` (calendar months from the
        landmark to the end of follow-up), ``reach_months`` (from the landmark to the end of the history), ``outcome``
        (kind of exit that ended it; missing = censored at the end of the history).
    first_day, last_day
        The days between which exits are counted, both included; none are where `last_day` lies before `first_day`.
    observed_months
        Calendar months from the first landmark to the end of the history; 0 where there is none.
    is_before_program
        The history ends the day before the first start in a program, not at the data lock.
    n_eligible
        People eligible on the last day and not under notice, who could then have been offered a place.
    """

    rows: pd.DataFrame
    first_day: dt.date
    last_day: dt.date
    observed_months: float
    is_before_program: bool
    n_eligible: int


def build_history(tables: Tables, study: Study, program: Program | None, role: str) -> History:
    """Return the exits of those eligible for `role`, on landmark days from the study's start on.

    It ends at the data lock or, where somebody has started in any program before that, the day before that first start:
    for everybody, since a colleague's program may change those who are not in it too. Nobody counts before
    `study_start` (delayed entry). Who started in any program before it counts at no time, and ends no history: what
    such a program changed for the others belongs to the company as it is found. Without a program, or levels to go by,
    everybody employed is eligible.

    Raises
    ------
    ValueError
        There are no employees.
    """
    if tables.employees is None:
        raise ValueError("a history needs employees")
    rule = eligible_levels(tables, program, role) if program else Eligibility()
    start, lock_end = pd.Timestamp(study.study_start), pd.Timestamp(study.as_of) + ONE_DAY
    launch, earlier = first_start(tables, start), started_any_before(tables, start)
    is_before_program = launch is not None and launch < lock_end
    end = launch if is_before_program else lock_end
    jobs = job_history(tables.jobs)

    def there(day: pd.Timestamp) -> Staff:
        staff = eligible_on(tables, jobs, rule, day)
        return staff.take(~staff.spells["employee_id"].isin(earlier).to_numpy())

    parts = [_rows(there(day), end) for day in landmarks(start, end)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    last = end - ONE_DAY
    staff = there(last)
    return History(
        rows=rows,
        first_day=start.date(),
        last_day=last.date(),
        observed_months=float(months_since(start, pd.Series([end]))[0]) if end > start else 0.0,
        is_before_program=is_before_program,
        n_eligible=int((~under_notice_on(staff.spells, last)).sum()) if end > start else 0,
    )


def first_start(tables: Tables, since: pd.Timestamp) -> pd.Timestamp | None:
    """Return the first day from `since` on on which anybody started, in any program and role; None where nobody did."""
    if tables.enrolments is None:
        return None
    days = tables.enrolments["start_date"]
    first = days[days >= since].min()
    return None if pd.isna(first) else first


def started_any_before(tables: Tables, day: pd.Timestamp) -> set[str]:
    """Return who started in any of the company's programs before a day."""
    if tables.enrolments is None:
        return set()
    return set(tables.enrolments.loc[tables.enrolments["start_date"] < day, "employee_id"])


def landmarks(start: pd.Timestamp, end: pd.Timestamp) -> list[pd.Timestamp]:
    """Return every `STEP_MONTHS`-th month's day from `start` on, before `end`."""
    days, k = [], 0
    while (day := add_months(start, STEP_MONTHS * k)) < end:
        days.append(day)
        k += 1
    return days


def eligible_on(tables: Tables, jobs: pd.DataFrame | None, rule: Eligibility, day: pd.Timestamp) -> Staff:
    """Return those employed on `day`, of an eligible level and tenure; `jobs` is from `job_history`."""
    staff = staff_on(tables, jobs, day)
    return staff.take(is_eligible(staff, rule))


def _rows(staff: Staff, end: pd.Timestamp) -> pd.DataFrame:
    """Return the landmark's rows; the day of exit is the last one employed and still belongs to the follow-up."""
    exit_end = staff.spells["exit_date"] + ONE_DAY
    is_exit = exit_end <= end
    return pd.DataFrame(
        {
            "landmark_date": staff.day,
            "employee_id": staff.spells["employee_id"],
            "is_under_notice": under_notice_on(staff.spells, staff.day),
            "months": months_between(staff.day, exit_end.where(is_exit, end)),
            "reach_months": months_between(staff.day, np.full(len(staff.day), np.datetime64(end))),
            "outcome": exit_outcome(staff.spells["exit_type"]).where(is_exit, None),
        },
        columns=COLUMNS,
    )
