"""Target trials: at every start day, those who start against those who could have and did not.

Hernán & Robins 2016, Am J Epidemiol 183:758 (target trial); Danaei et al. 2013, Stat Methods Med Res 22:70 (a
sequence of trials, one per start).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import DesignMatrix, covariates_on
from analysis.design.eligibility import (
    DEFAULT_UNIT,
    Rollout,
    eligible_levels,
    first_after,
    is_eligible,
    not_started,
    start_on,
    started_elsewhere,
    units_of,
)
from analysis.design.starts import (
    BEFORE_UNIT,
    FLOW_STEPS,
    NO_UNIT,
    NOT_STAFF,
    ON_LEAVE,
    UNDATED,
    known_enrolments,
    observed_starts,
    trial_days,
)
from analysis.measure.employment import (
    ONE_DAY,
    Staff,
    exit_outcome,
    job_history,
    months_between,
    staff_on,
    under_notice_on,
)
from analysis.measure.exposure import (
    competing_kinds,
    competing_starts,
    first_starts,
    starts_elsewhere,
)
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Eligibility, Program, Study

ROLLOUT_STEPS = (NO_UNIT, BEFORE_UNIT)
# So many rows of staff are looked at together: days of starts times staff.
MOST_ROWS = 400_000
DAY = np.timedelta64(1, "D")
ROW_COLUMNS = [
    "trial_date",
    "employee_id",
    "is_treated",
    "unit",
    "manager_id",
    "job_level",
    "months",
    "outcome",
    "trial",
]


@dataclass(frozen=True)
class CompetingStarts:
    """The days on which comparators were lost in one way: those lost, among everybody who could have been that day.

    Attributes
    ----------
    rows
        One row per day and comparator of an earlier trial: ``trial`` (0, 1, … by day), ``trial_date``,
        ``employee_id``, ``is_treated`` (lost that day).
    covariates
        Same rows, what was known before the day.
    fits
        As those of `Trials`.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    fits: dict = field(default_factory=dict, init=False, repr=False, compare=False)


@dataclass(frozen=True)
class Trials:
    """The emulated trials of one program and role.

    Attributes
    ----------
    rows
        One row per trial and person in it: ``trial`` (0, 1, … by start day), ``trial_date``, ``employee_id``,
        ``is_treated``, ``unit`` (department, or the unit of a rollout), ``months`` (calendar months from the trial date
        to the end of follow-up), ``outcome`` (kind of exit that ended it; missing = censored: data lock, own start or
        a competing one), and ``job_level`` and ``manager_id``, as known before that day.
    covariates
        Same rows, what was known before the trial date.
    flow
        What became of those who started, one row per step: ``step``, ``n_people``.
    by_unit
        Comparators are those in units that the program has not reached (rollout).
    competing_starts
        How else comparators are lost, each way by itself: by starting another role or program; in a rollout also by
        starting before the unit is reached, or by moving to a reached one. Who is lost is no accident, and the others
        are weighted to stand in for them (`design.weights.weight_for_competing_starts`).
    unit
        The column that ``unit`` is of.
    matrix
        The covariates' design matrix where it was made for more rows than these; None: it is made of these.
    fits
        What `design.weights` has found of these very trials: made once, however often they are weighted.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    by_unit: bool
    competing_starts: tuple[CompetingStarts, ...] = ()
    unit: str = DEFAULT_UNIT
    matrix: DesignMatrix | None = None
    fits: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def known_as(self, covariates: pd.DataFrame) -> "Trials":
        """Return the same people with other covariates: how long each is followed does not hang on these."""
        other = replace(self, covariates=covariates)
        other.fits.update({what: fit for what, fit in self.fits.items() if what != "propensity"})
        return other

    def take(self, chosen: np.ndarray) -> "Trials":
        """Return the trials of the rows chosen (a mask), without those that are left with one arm.

        Those who started and go are counted in the flow as having no colleague nearly as likely to start.
        """
        trial, treated = self.rows["trial"].to_numpy(dtype=int), self.rows["is_treated"].to_numpy(dtype=bool)
        kept = chosen & _has_both_arms(trial, treated, chosen)
        rows = self.rows[kept].reset_index(drop=True)
        rows = rows.assign(trial=pd.factorize(rows["trial"], sort=True)[0])
        n_treated = int(rows["is_treated"].sum())
        flow = self.flow.set_index("step")["n_people"].copy()
        flow[FLOW_STEPS[-2]] += flow["analysed"] - n_treated
        flow["analysed"] = n_treated
        covariates = self.covariates[kept].reset_index(drop=True)
        matrix = None if self.matrix is None else self.matrix.take(kept)
        return replace(self, rows=rows, covariates=covariates, flow=flow.reset_index(), matrix=matrix)


def build_trials(tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]) -> Trials:
    """Return one trial per day of the period observed on which somebody first started `role` in `program`.

    In the trial of a day are those employed, of an eligible level and tenure, neither under notice nor on leave, who
    had not started the program in any role. Eligibility, assignment and follow-up begin on that same day in both arms,
    so no day before the start is credited to the program. Comparators start neither this program nor another one of
    the company that day, and are followed until they do; in a rollout they are in units not yet reached, and followed
    until their unit is, or they move to one that has been. In a large company with many start days several are one
    trial (`design.starts.trial_days`): comparators are those of its day, and who starts is taken on the own day.

    Raises
    ------
    ValueError
        Employees or enrolments are missing: nothing to build trials from.
    """
    if tables.employees is None or tables.enrolments is None:
        raise ValueError("trials need employees and enrolments")
    by_unit = program.assignment.by_unit
    lost = {step: 0 for step in FLOW_STEPS if by_unit or step not in ROLLOUT_STEPS}
    enrolments = known_enrolments(tables, study)
    starts = observed_starts(enrolments, study, program, role, lost)
    own_start = first_starts(enrolments, program.id)
    company = _Company(
        tables,
        study,
        eligible_levels(tables, program, role),
        own_start,
        Rollout.of(tables, program, own_start) if by_unit else None,
        competing_starts(enrolments, program.id, role),
        starts_elsewhere(enrolments, program.id),
        job_history(tables.jobs),
        scores,
    )
    rows, covariates = _stacked([company.trials(starts, days, lost) for days in company.blocks(starts)])
    lost["analysed"] = int(rows["is_treated"].sum())
    # Lists of employees alone, of which every start has a day and nobody is on leave, have nothing to say of others.
    told = {step: n for step, n in lost.items() if n or step not in (NOT_STAFF, UNDATED, ON_LEAVE)}
    flow = pd.DataFrame({"step": list(told), "n_people": list(told.values())})
    compared = rows[~rows["is_treated"].astype(bool)].groupby("employee_id")["trial_date"].min()
    competing = tuple(company.competing_starts(competing_kinds(enrolments, program.id, role), compared))
    return Trials(rows, covariates, flow, by_unit, competing, company.unit)


def _stacked(parts: list[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows and covariates of all trials, numbered by day."""
    if not any(len(rows) for rows, _ in parts):
        return pd.DataFrame(columns=ROW_COLUMNS), pd.DataFrame()
    rows = pd.concat([rows for rows, _ in parts if len(rows)], ignore_index=True)
    covariates = pd.concat([before for rows, before in parts if len(rows)], ignore_index=True)
    return rows.assign(trial=pd.factorize(rows["trial"], sort=True)[0]), covariates


def _has_both_arms(trial: np.ndarray, is_treated: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return which rows are of a trial (or day) in which, among those kept, some are treated and some are not."""
    code, trials = pd.factorize(trial)
    n, n_treated = (np.bincount(code[rows], minlength=len(trials)) for rows in (keep, keep & is_treated))
    return ((n_treated > 0) & (n_treated < n))[code]


def _with_both_arms(
    parts: list[tuple[pd.DataFrame, pd.DataFrame]], lost: dict[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows and covariates of the trials that have both arms; count into `lost` the starters of others."""
    if not parts:
        return pd.DataFrame(columns=ROW_COLUMNS), pd.DataFrame()
    rows, covariates = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
    treated = rows["is_treated"].to_numpy(dtype=bool)
    both = _has_both_arms(rows["trial"].to_numpy(), treated, np.ones(len(rows), dtype=bool))
    lost["no colleague to compare with that day"] += int((treated & ~both).sum())
    return rows[both].reset_index(drop=True), covariates[both].reset_index(drop=True)


@dataclass(frozen=True)
class _Company:
    """What a trial of any day is made from: tables, eligibility, and who started what and when."""

    tables: Tables
    study: Study
    rule: Eligibility
    own_start: pd.Series
    rollout: Rollout | None
    competing: pd.DataFrame
    elsewhere: pd.DataFrame
    history: pd.DataFrame | None
    scores: dict[str, pd.DataFrame]

    @property
    def unit(self) -> str:
        """The column of the rows' unit."""
        return DEFAULT_UNIT if self.rollout is None else self.rollout.unit

    def blocks(self, starts: pd.Series) -> Iterator[pd.Series]:
        """Yield the trial days of a few trials after the other, by employee id: all staff need not be held at once."""
        n_staff = len(known(self.tables.employees))
        trial_day = trial_days(starts, n_staff)
        days, n_days = np.sort(trial_day.unique()), max(1, MOST_ROWS // max(1, n_staff))
        for first in range(0, len(days), n_days):
            yield trial_day[trial_day.isin(days[first : first + n_days])]

    def staff_of(self, days: pd.Series) -> Staff:
        """Return the staff of every one of the days."""
        return staff_on(self.tables, self.history, np.sort(days.unique()))

    def trials(
        self, starts: pd.Series, trial_day: pd.Series, lost: dict[str, int]
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows and covariates of the trials of some days; of those with one arm none. Count who is lost.

        Parameters
        ----------
        trial_day
            The day of the trial of those who start in it, by employee id.
        """
        mine, staff = starts.reindex(trial_day.index), self.staff_of(trial_day)
        waits = self._who_waits(staff, trial_day)
        if mine.equals(trial_day):
            starter = self._who_starts(staff, mine, lost)
            parts = [(staff, starter, starter | waits)]
        else:
            people = known(self.tables.employees)
            of_starters = replace(self.tables, employees=people[people["employee_id"].isin(mine.index)])
            own = replace(self, tables=of_starters).staff_of(mine)
            starter = self._who_starts(own, mine, lost)
            parts = [(own, starter, starter), (staff, np.zeros(len(waits), dtype=bool), waits)]
        found = [self._rows(some.take(kept), starts_then[kept], trial_day) for some, starts_then, kept in parts]
        return _with_both_arms(found, lost)

    def _rows(self, staff: Staff, is_starter: np.ndarray, trial_day: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
        rows = trial_rows(staff, is_starter, self.study, self._stop(staff), self.unit)
        own_trial = trial_day.reindex(rows["employee_id"]).to_numpy("datetime64[us]")
        rows = rows.assign(trial=np.where(is_starter, own_trial, staff.day))
        return rows, covariates_of(staff, self.scores, self.elsewhere)

    def _who_starts(self, staff: Staff, starts: pd.Series, lost: dict[str, int]) -> np.ndarray:
        """Return who starts that day and is in the trial; count into `lost` the starters who cannot be in it."""
        is_in = starts.reindex(staff.spells["employee_id"]).to_numpy("datetime64[us]") == staff.day
        lost["not employed that day"] += len(starts) - int(is_in.sum())
        for step, fits in self._conditions(staff):
            lost[step] += int((is_in & ~fits).sum())
            is_in &= fits
        return is_in

    def _who_waits(self, staff: Staff, trial_day: pd.Series) -> np.ndarray:
        """Return who could have started that day and did not, nor in the rest of the trial."""
        begins = trial_day.reindex(staff.spells["employee_id"]).to_numpy("datetime64[us]") == staff.day
        waits = not_started(staff, self.own_start, after=staff.day) & ~start_on(self.competing, staff)
        common = ~under_notice_on(staff.spells, staff.day).to_numpy() & is_eligible(staff, self.rule)
        return ~begins & waits & self._is_unreached(staff) & common

    def _conditions(self, staff: Staff) -> Iterator[tuple[str, np.ndarray]]:
        """Yield what a starter must meet to be in the trial, with the step at which those who do not are lost."""
        yield "under notice", ~under_notice_on(staff.spells, staff.day).to_numpy()
        yield ON_LEAVE, ~staff.is_away
        yield "level or tenure not eligible", is_eligible(staff, self.rule)
        if self.rollout is not None:
            yield NO_UNIT, self.rollout.is_known(staff)
            yield BEFORE_UNIT, self.rollout.reached_on(staff) <= staff.day

    def _is_unreached(self, staff: Staff) -> np.ndarray:
        """Return who is in a unit that the program reaches only later, or never; all where there are no units."""
        if self.rollout is None:
            return np.ones(len(staff.spells), dtype=bool)
        reached = self.rollout.reached_on(staff)
        return self.rollout.is_known(staff) & (np.isnat(reached) | (reached > staff.day))

    def _stop(self, staff: Staff) -> pd.Series:
        """Return the first later day on which a comparison with each person ends: missing = none.

        That is the day of the own start, of a competing one or, in a rollout, of being in a reached unit.
        """
        own = self.own_start.reindex(staff.spells["employee_id"]).to_numpy()
        ends = {"own": own, "competing": first_after(self.competing, staff)}
        if self.rollout is not None:
            ends["reached"] = self.rollout.reached_on(staff)
        return pd.DataFrame(ends, dtype="datetime64[us]").min(axis=1)

    def competing_starts(self, kinds: list[pd.DataFrame], compared: pd.Series) -> Iterator[CompetingStarts]:
        """Yield the ways in which comparators are lost, each with its days.

        Parameters
        ----------
        kinds
            As from `measure.exposure.competing_kinds`.
        compared
            The day of each comparator's first trial, by employee id.
        """
        if compared.empty:
            return
        ways = [(starts, False) for starts in kinds]
        if self.rollout is not None:
            own = self.own_start.rename("start_date").rename_axis("employee_id").reset_index()
            ways += [(own, False), (self.rollout.moved_on(compared.index), True)]
        for starts, is_move in ways:
            mine = starts[starts["start_date"] > starts["employee_id"].map(compared)]
            days = mine.set_index("employee_id")["start_date"]
            rows, covariates = _stacked([self._competing(some, compared, is_move) for some in self.blocks(days)])
            if len(rows):
                yield CompetingStarts(rows, covariates)

    def _competing(self, lost: pd.Series, compared: pd.Series, is_move: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return those who were comparators before each day and still could be, and their covariates.

        Whoever starts this program that day is among those who stayed: that start is looked at for itself. `lost` are
        the days on which people are lost, by employee id; of several that are one (`blocks`) that one.
        """
        staff = self.staff_of(lost)
        people = staff.spells["employee_id"]
        is_lost = lost.reindex(people).to_numpy("datetime64[us]") == staff.day
        keep = not_started(staff, self.own_start, after=staff.day - DAY)
        keep &= compared.reindex(people).to_numpy("datetime64[us]") < staff.day
        # Who moves on the day is in a reached unit from then on.
        keep &= self._is_unreached(staff) | (is_lost & is_move)
        keep &= ~under_notice_on(staff.spells, staff.day).to_numpy()
        keep &= _has_both_arms(staff.day, is_lost, keep)
        staff = staff.take(keep)
        rows = {"trial_date": staff.day, "employee_id": staff.spells["employee_id"], "is_treated": is_lost[keep]}
        return pd.DataFrame(rows | {"trial": staff.day}), covariates_of(staff, self.scores, self.elsewhere)


def covariates_of(staff: Staff, scores: dict[str, pd.DataFrame], elsewhere: pd.DataFrame) -> pd.DataFrame:
    """Return `covariates_on` the day, with who had started another of the company's programs before it."""
    return covariates_on(staff, scores).assign(**started_elsewhere(elsewhere, staff))


def trial_rows(
    staff: Staff, is_starter: np.ndarray, study: Study, stop: pd.Series, unit: str = DEFAULT_UNIT
) -> pd.DataFrame:
    """Return the trial's rows: follow-up in months, ended by exit (its day counts), a start or the data lock."""
    spells = staff.spells
    exit_end = spells["exit_date"] + ONE_DAY
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    stop = pd.to_datetime(stop).where(~is_starter).fillna(lock_end).clip(upper=lock_end)
    is_exit = exit_end <= stop
    return pd.DataFrame(
        {
            "trial_date": staff.day,
            "employee_id": spells["employee_id"],
            "is_treated": is_starter,
            "unit": units_of(staff, unit),
            "manager_id": staff.jobs["manager_id"],
            "job_level": staff.jobs["job_level"],
            "months": months_between(staff.day, exit_end.where(is_exit, stop)),
            "outcome": exit_outcome(spells["exit_type"]).where(is_exit, None),
        }
    )
