"""Target trials: at every start day, those who start against those who could have and did not.

Hernán & Robins 2016, Am J Epidemiol 183:758 (target trial); Danaei et al. 2013, Stat Methods Med Res 22:70 (a
sequence of trials, one per start).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
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
    not_staff,
    started_before,
    starts_elsewhere,
    undated,
)
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Eligibility, Program, Study

NOT_STAFF, UNDATED = "no employee", "started on an unknown day"
ON_LEAVE = "on leave"
BEFORE_PERIOD = "started before the period observed"
OTHER_ROLE = "earlier start in another role"
BEFORE_UNIT, NO_UNIT = "started before the unit was reached", "unit not known"
FLOW_STEPS = (
    "started",
    NOT_STAFF,
    UNDATED,
    BEFORE_PERIOD,
    OTHER_ROLE,
    "not employed that day",
    "under notice",
    ON_LEAVE,
    "level or tenure not eligible",
    NO_UNIT,
    BEFORE_UNIT,
    "no colleague to compare with that day",
    "no colleague nearly as likely to start",
    "analysed",
)
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
    fits
        What `design.weights` has fitted to these very trials: made once, however often they are weighted.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    by_unit: bool
    competing_starts: tuple[CompetingStarts, ...] = ()
    unit: str = DEFAULT_UNIT
    fits: dict = field(default_factory=dict, init=False, repr=False, compare=False)

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
        return replace(self, rows=rows, covariates=covariates, flow=flow.reset_index())


def known_enrolments(tables: Tables, study: Study) -> pd.DataFrame:
    """Return the enrolments with the starts that the study can know of: none after the data lock."""
    rows = known(tables.enrolments)
    return rows.assign(start_date=rows["start_date"].where(rows["start_date"] <= pd.Timestamp(study.as_of)))


def observed_starts(
    enrolments: pd.DataFrame, study: Study, program: Program, role: str, lost: dict[str, int] | None = None
) -> pd.Series:
    """Return the first starts of the role that can be trials, by employee id; count into `lost` those that cannot.

    They lie within the period observed. Whoever started the program in any role before it could not have been seen
    leaving after that start and is no trial; whoever first started another role of it is lost to that one.
    """
    lost = dict.fromkeys(FLOW_STEPS, 0) if lost is None else lost
    starts, own_start = first_starts(enrolments, program.id, role), first_starts(enrolments, program.id)
    mine, no_day = starts.index.union(undated(enrolments, program.id, role)), undated(enrolments)
    strangers = mine.isin(not_staff(enrolments))
    starts = starts[~starts.index.isin(no_day.union(mine[strangers]))]
    earlier = starts.index.isin(started_before(enrolments, program.id, pd.Timestamp(study.study_start)))
    is_other = ~earlier & (starts > own_start.reindex(starts.index)).to_numpy()
    lost["started"] += len(mine)
    lost[NOT_STAFF] += int(strangers.sum())
    lost[UNDATED] += int((mine.isin(no_day) & ~strangers).sum())
    lost[BEFORE_PERIOD] += int(earlier.sum())
    lost[OTHER_ROLE] += int(is_other.sum())
    return starts[~earlier & ~is_other]


def build_trials(tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]) -> Trials:
    """Return one trial per day of the period observed on which somebody first started `role` in `program`.

    In the trial of a day are those employed, of an eligible level and tenure, neither under notice nor on leave, who
    had not started the program in any role. Eligibility, assignment and follow-up begin on that same day in both arms,
    so no day before the start is credited to the program. Comparators start neither this program nor another one of
    the company that day, and are followed until they do; in a rollout they are in units not yet reached, and followed
    until their unit is, or they move to one that has been.

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
    rows, covariates = _stacked([company.trials(some, lost) for some in company.blocks(starts)])
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
    return rows.assign(trial=pd.factorize(rows["trial_date"], sort=True)[0]), covariates


def _has_both_arms(trial: np.ndarray, is_treated: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Return which rows are of a trial (or day) in which, among those kept, some are treated and some are not."""
    code, trials = pd.factorize(trial)
    n, n_treated = (np.bincount(code[rows], minlength=len(trials)) for rows in (keep, keep & is_treated))
    return ((n_treated > 0) & (n_treated < n))[code]


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
        """Yield the starts of a few days after the other, so that the staff of all days need not be held at once."""
        days = np.sort(starts.unique())
        n_days = max(1, MOST_ROWS // max(1, len(known(self.tables.employees))))
        for first in range(0, len(days), n_days):
            yield starts[starts.isin(days[first : first + n_days])]

    def staff_of(self, starts: pd.Series) -> Staff:
        """Return the staff of every day on which somebody starts."""
        return staff_on(self.tables, self.history, np.sort(starts.unique()))

    def trials(self, starts: pd.Series, lost: dict[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows and covariates of the trials of some days; of those with one arm none. Count who is lost."""
        staff = self.staff_of(starts)
        is_starter, keep = self._who_is_in(staff, starts, lost)
        has_both = _has_both_arms(staff.day, is_starter, keep)
        lost["no colleague to compare with that day"] += int((is_starter & keep & ~has_both).sum())
        keep &= has_both
        staff = staff.take(keep)
        rows = trial_rows(staff, is_starter[keep], self.study, self._stop(staff), self.unit)
        return rows, covariates_of(staff, self.scores, self.elsewhere)

    def _who_is_in(self, staff: Staff, starts: pd.Series, lost: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
        """Return who starts and who is in the trial; count into `lost` the starters who cannot be in it."""
        begins = starts.reindex(staff.spells["employee_id"]).to_numpy("datetime64[us]") == staff.day
        lost["not employed that day"] += len(starts) - int(begins.sum())
        is_in = begins.copy()
        for step, fits in self._conditions(staff):
            lost[step] += int((is_in & ~fits).sum())
            is_in &= fits
        competes = start_on(self.competing, staff)
        waits = not_started(staff, self.own_start, after=staff.day) & ~competes & self._is_unreached(staff)
        common = ~under_notice_on(staff.spells, staff.day).to_numpy() & is_eligible(staff, self.rule)
        return begins, is_in | (~begins & waits & common)

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
        the days on which people are lost, by employee id.
        """
        staff = self.staff_of(lost)
        people = staff.spells["employee_id"]
        is_lost = start_on(lost.rename("start_date").rename_axis("employee_id").reset_index(), staff)
        keep = not_started(staff, self.own_start, after=staff.day - DAY)
        keep &= compared.reindex(people).to_numpy("datetime64[us]") < staff.day
        # Who moves on the day is in a reached unit from then on.
        keep &= self._is_unreached(staff) | (is_lost & is_move)
        keep &= ~under_notice_on(staff.spells, staff.day).to_numpy()
        keep &= _has_both_arms(staff.day, is_lost, keep)
        staff = staff.take(keep)
        rows = {"trial_date": staff.day, "employee_id": staff.spells["employee_id"], "is_treated": is_lost[keep]}
        return pd.DataFrame(rows), covariates_of(staff, self.scores, self.elsewhere)


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
