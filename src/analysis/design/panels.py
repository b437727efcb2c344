"""Change panels: scores before and after, of those who started and of those who had not (yet)."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial

import numpy as np
import pandas as pd

from analysis.design.cells import Pair, Wave, cells, months_since_start, people_with_hr, people_without_hr, waves_of
from analysis.design.competing import Starts, stand_in_weights, took_part_before, without_start_between
from analysis.design.eligibility import DEFAULT_UNIT, eligible_levels
from analysis.design.lottery import Lottery, build_lottery
from analysis.measure.employment import Staff, add_months, job_history, staff_on
from analysis.measure.exposure import started_before, undated
from analysis.plan.contract import Tables
from analysis.plan.study import Program, Study

PANEL_COLUMNS = [
    *("cell", "wave_before", "wave_after", "wave_position", "employee_id", "is_treated", "unit", "manager_id"),
    *("start_date", "is_later_starter", "months_since_start", "before", "after", "stand_in_weight"),
]
STARTED, OBSERVED = "started at any time, and their colleagues", "started in the period observed, and their colleagues"
IN_THE_COMPARISON = "in the comparison"


@dataclass(frozen=True)
class Panel:
    """Scores of one scale before and after, for one program and role.

    Attributes
    ----------
    everyone
        One row per person in the comparison and cell, a cell being a pair of waves, whether or not there are scores:
        ``cell``, ``wave_before``, ``wave_after``, ``wave_position`` (1 = first wave after the start; −1 = the wave
        before the last one before it), ``employee_id``, ``is_treated``, ``unit``, ``manager_id``, ``start_date`` (the
        treated's), ``is_later_starter`` (a comparator who starts the program later on), ``months_since_start`` (the
        treated's, at the wave of that position; negative before the start), ``before``, ``after`` (scores),
        ``stand_in_weight`` (of comparators, for those who are none any more at the later wave:
        `design.competing.stand_in_weights`; 1 for the treated). In a lottery the treated are those offered, the start
        is the intake, and months are not counted.
    known
        Same rows, what was known before the first start in the cell.
    is_randomized
        Whether lots decided: then nobody is left out for want of an earlier score.
    enrolment_funnel
        People on the way into the comparison, in the steps before it: ``step``, ``n_treated``, ``n_control``.
    unit
        The column that says which unit a person is in.
    """

    everyone: pd.DataFrame
    known: pd.DataFrame
    is_randomized: bool = False
    enrolment_funnel: pd.DataFrame | None = None
    unit: str = DEFAULT_UNIT

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Rows of ``everyone`` with the scores that the comparison needs, in cells with both arms, numbered anew."""
        rows = self.everyone[self._is_compared]
        return rows.assign(cell=np.unique(rows["cell"], return_inverse=True)[1]).reset_index(drop=True)

    @cached_property
    def covariates(self) -> pd.DataFrame:
        """Rows of ``known`` that belong to ``rows``."""
        return self.known[self._is_compared].reset_index(drop=True)

    @cached_property
    def flow(self) -> pd.DataFrame:
        """People by step and arm: ``step``, ``n_treated``, ``n_control``; each step holds the next."""
        flow = _flow(self.everyone)
        return flow if self.enrolment_funnel is None else pd.concat([self.enrolment_funnel, flow], ignore_index=True)

    @cached_property
    def _is_compared(self) -> np.ndarray:
        rows = self.everyone
        is_scored = rows["after"].notna() & (self.is_randomized | rows["before"].notna())
        arms = rows["is_treated"].astype(bool).where(is_scored).groupby(rows["cell"]).transform("nunique")
        return (is_scored & (arms == 2)).to_numpy(dtype=bool)

    def take(self, chosen: np.ndarray) -> "Panel":
        """Return the panel of these rows of ``everyone``, shape (rows,)."""
        everyone, known = (frame[chosen].reset_index(drop=True) for frame in (self.everyone, self.known))
        return replace(self, everyone=everyone, known=known, enrolment_funnel=None)


@dataclass(frozen=True)
class Panels:
    """The change panels of one program and role, whatever is scored: who is compared is found once for the same waves.

    Scores are as from `measure.scales`: one row per person and wave.
    """

    tables: Tables
    study: Study
    program: Program
    role: str

    def after(self, scores: pd.DataFrame) -> Panel:
        """Return the change of those who started against those who had not by the end of the later wave.

        A cell pairs the last wave that closed before a start with a wave that opens on or after it and within the first
        horizon. Comparators in a cell are of the role's levels, had not started the program when the later wave closed
        and, in a rollout, belong to units that it had not reached.

        The estimand is the effect of starting the role, with all that those who start do afterwards, against starting
        neither it nor anything that competes with it by the later wave. Those who started are therefore followed as
        they are, another program begun on the same day or later included, as in retention. A comparator who starts
        another program or another role of this one (in a rollout also: who starts early, or moves to a unit that was
        reached) is none from that day on, and the others stand in (`design.competing.stand_in_weights`). Who started
        another program after the earlier wave and before the start is in neither arm, since that program's effect would
        be in their change too; to have started one before the earlier wave is a covariate. Who started this program
        before the period observed is in neither arm.
        """
        rows, known = self._everyone(scores, is_after_start=True)
        rows["stand_in_weight"] = stand_in_weights(rows, known)
        stays = ~rows["is_ended"].to_numpy(dtype=bool)
        kept = rows.loc[stays, PANEL_COLUMNS].reset_index(drop=True)
        enrolments, program = self.tables.enrolments, self.program.id
        before = started_before(enrolments, program, self.study.study_start).union(self._starts.set_aside)
        of_role = self._starts.role.index.union(undated(enrolments, program, self.role))
        funnel = _enrolment_funnel(rows, kept, of_role.intersection(before), self._own.index)
        return Panel(kept, known[stays].reset_index(drop=True), enrolment_funnel=funnel, unit=self._starts.unit)

    def before(self, scores: pd.DataFrame) -> Panel:
        """Return the change from every wave before a start to the last one before it: what an event study shows there.

        A cell pairs them in the order of time: ``after`` is the last score before the start, and ``wave_position`` is
        −1 for the wave before it, −2 for the one before that. Comparators in a cell are of the role's levels and had
        not started the program when the last wave before the start closed (as not-yet-treated in Callaway & Sant'Anna
        2021, J Econometrics 225:200). Who started another program, or another role, between the two waves is in neither
        arm.
        """
        rows, known = self._everyone(scores, is_after_start=False)
        return Panel(rows.assign(stand_in_weight=1.0)[PANEL_COLUMNS], known, unit=self._starts.unit)

    @cached_property
    def lottery(self) -> Lottery:
        """Who drew a lot."""
        return build_lottery(self.tables, self.study, self.program, self.role, {})

    @cached_property
    def _starts(self) -> Starts:
        return Starts.of(self.tables, self.program, self.role)

    @cached_property
    def _own(self) -> pd.Series:
        return _observed(self._starts, self.study)

    @cached_property
    def _staff_on(self) -> Callable[[pd.Timestamp], Staff]:
        # All cells of those who start in one interval ask for the staff of the same day.
        return cache(partial(staff_on, self.tables, job_history(self.tables.jobs)))

    def _everyone(self, scores: pd.DataFrame, is_after_start: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return everyone in the cells and their covariates; a cell may turn out to hold one arm alone.

        Columns as in `Panel.everyone` but for the weight, and ``is_ended`` (a comparator at first, and not at the later
        wave) and ``before_mean`` (of all scores up to the earlier wave).
        """
        waves = waves_of(scores)
        # Without HR data those who ever answered are all of whom anything is known.
        answered = () if self.tables.employees is not None else tuple(sorted(scores["employee_id"].unique()))
        people, known = self._people_in(waves, answered, is_after_start)
        return people.assign(**_scored(people, scores, [wave.wave for wave in waves])), known

    @cached_property
    def _people_in(self) -> Callable[..., tuple[pd.DataFrame, pd.DataFrame]]:
        return cache(self._in_cells)

    def _in_cells(
        self, waves: tuple[Wave, ...], answered: tuple[str, ...], is_after_start: bool
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows of `_everyone` without their scores."""
        starts, parts, known = self._starts, [], []
        rule = eligible_levels(self.tables, self.program, self.role)
        limit = self.study.horizons_months[0] if is_after_start else None
        for number, (before, after, position, starters) in enumerate(cells(waves, self._own, limit)):
            pair = Pair(before.closes, after.closes, starters.min(), is_after_start)
            treated = without_start_between(starters, starts.elsewhere, (before if is_after_start else after).closes)
            if self.tables.employees is None:
                people, covariates = people_without_hr(pair, treated, starts, pd.Index(answered).union(starters.index))
            else:
                people, covariates = people_with_hr(pair, self._staff_on(pair.day), rule, treated, starts)
            ids, is_treated = people["employee_id"], people["is_treated"].to_numpy(dtype=bool)
            rows = people.assign(
                cell=number,
                wave_before=before.wave,
                wave_after=after.wave,
                wave_position=position,
                start_date=starters.reindex(ids).to_numpy(),
                is_later_starter=starts.program.reindex(ids).notna().to_numpy() & ~is_treated,
                months_since_start=months_since_start(ids, starters, (after if is_after_start else before).opens),
            )
            parts.append(rows)
            known.append(covariates.assign(**took_part_before(starts, ids, before.closes)))
        rows = _stacked(parts, [*PANEL_COLUMNS[:-3], "is_ended"])
        return rows, pd.concat(known, ignore_index=True) if known else pd.DataFrame(index=rows.index)


def _scored(people: pd.DataFrame, scores: pd.DataFrame, waves: list[int]) -> dict[str, np.ndarray]:
    """Return the scores of people in cells: ``before``, ``before_mean``, ``after``, shape (rows,) each."""
    wide = scores.pivot(index="employee_id", columns="wave", values="score")[waves]
    # Who has no score at all has the position −1, and with it the last row.
    values = np.vstack([wide.to_numpy(dtype=float), np.full(len(waves), np.nan)])
    person = wide.index.get_indexer(people["employee_id"])
    before, after = (wide.columns.get_indexer(people[name]) for name in ("wave_before", "wave_after"))
    n, totals = (np.cumsum(each, axis=1)[person, before] for each in (~np.isnan(values), np.nan_to_num(values)))
    mean = np.divide(totals, n, where=n > 0, out=np.full(len(people), np.nan))
    return {"before": values[person, before], "before_mean": mean, "after": values[person, after]}


def _observed(starts: Starts, study: Study) -> pd.Series:
    """Return the first starts in the role, of the period observed, of who was not in another role or program before.

    In a rollout those who started before their unit was reached chose to, and are left out too.
    """
    own = starts.role[starts.role <= starts.program.reindex(starts.role.index)]
    own = own[(own >= pd.Timestamp(study.study_start)) & ~own.index.isin(starts.set_aside)]
    if starts.moves is None or starts.moves.empty:
        return own
    there = starts.moves.groupby("employee_id")["start_date"].min().reindex(own.index)
    return own[there.isna() | (there <= own)]


def _enrolment_funnel(
    everyone: pd.DataFrame, kept: pd.DataFrame, unobserved: pd.Index, own: pd.Index
) -> pd.DataFrame | None:
    """Return the steps before the comparison, where people were lost to them: all steps hold the next."""
    control = everyone.loc[~everyone["is_treated"].astype(bool), "employee_id"].nunique()
    there = kept.loc[~kept["is_treated"].astype(bool), "employee_id"].nunique()
    found = []
    if len(unobserved):
        found.append((STARTED, len(own) + len(unobserved), control))
    if len(unobserved) or control > there:
        found.append((OBSERVED, len(own), control))
    return pd.DataFrame(found, columns=["step", "n_treated", "n_control"]) if found else None


def build_lottery_panel(scores: pd.DataFrame, lottery: Lottery, horizon: int) -> Panel:
    """Return everyone who drew a lot: the later scores, with the last score before the intake.

    Columns as in `Panel.everyone`, and ``stratum``. A cell is a stratum of the lots and a wave. Once those waiting at
    an intake start nobody is left to compare with: waves from then on say nothing.

    Parameters
    ----------
    scores
        As from `measure.scales`.
    horizon
        Months after the intake within which a wave opens to count.
    """
    wide = scores.pivot(index="employee_id", columns="wave", values="score")
    waves = waves_of(scores)
    parts, known, n_cells = [], [], 0
    for intake, drew in lottery.rows.groupby("intake_date"):
        earlier = [wave.wave for wave in waves if wave.closes < intake]
        until = min(add_months(intake, horizon), lottery.waitlist_starts.get(intake, pd.NaT), key=_day_or_never)
        later = [wave.wave for wave in waves if intake <= wave.opens < until]
        pair = wide.reindex(drew["employee_id"])
        before = pair[earlier].ffill(axis="columns").iloc[:, -1] if len(earlier) else pair.iloc[:, 0] * np.nan
        stratum = np.unique(drew["stratum"], return_inverse=True)[1]
        for position, wave in enumerate(later, start=1):
            rows = {
                "cell": n_cells + stratum,
                "wave_before": max(earlier, default=np.nan),
                "wave_after": wave,
                "wave_position": position,
                "employee_id": drew["employee_id"].to_numpy(),
                "is_treated": drew["is_offered"].to_numpy(),
                "unit": None,
                "manager_id": None,
                "start_date": intake,
                "is_later_starter": False,
                "months_since_start": np.nan,
                "before": before.to_numpy(),
                "after": pair[wave].to_numpy(),
                "stand_in_weight": 1.0,
                "stratum": drew["stratum"].to_numpy(),
            }
            n_cells += stratum.max() + 1
            parts.append(pd.DataFrame(rows))
            known.append(lottery.covariates.loc[drew.index])
    rows = _stacked(parts, [*PANEL_COLUMNS, "stratum"])
    covariates = pd.concat(known, ignore_index=True) if known else pd.DataFrame(index=rows.index)
    return Panel(rows, covariates, is_randomized=True)


def _day_or_never(day: pd.Timestamp) -> pd.Timestamp:
    return pd.Timestamp.max if pd.isna(day) else day


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Return the cells' rows one below the other; without a cell, no rows of the same columns."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def _flow(rows: pd.DataFrame) -> pd.DataFrame:
    """Return people by step and arm: in the comparison, answered before, answered after, answered both."""
    before, after = (rows[name].notna().to_numpy(dtype=bool) for name in ("before", "after"))
    steps = {
        IN_THE_COMPARISON: np.full(len(rows), True),
        "answered before": before,
        "answered after": after,
        "answered both": before & after,
    }
    person, treated = pd.factorize(rows["employee_id"])[0], rows["is_treated"].to_numpy(dtype=bool)
    arms = {"n_treated": treated, "n_control": ~treated}
    counted = [
        {"step": step} | {name: len(np.unique(person[there & arm])) for name, arm in arms.items()}
        for step, there in steps.items()
    ]
    return pd.DataFrame(counted)
