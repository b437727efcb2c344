"""Lotteries: strata, the odds in them, and those offered a place against those who were not."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.design.covariates import covariates_on
from analysis.design.weights import WeightedFollowUp, as_followed
from analysis.measure.employment import (
    ONE_DAY,
    employed_on,
    exit_outcome,
    job_history,
    job_value_at,
    months_between,
    staff_on,
    under_notice_on,
)
from analysis.plan.contract import TABLES, Assignment, Tables
from analysis.plan.study import Program, Study

# --- strata -----------------------------------------------------------------------------------------------------------
# Within what lots were drawn, and what was recorded of people that the odds of a place may differ by.

# What an ordinary HR system records of everybody, and a lottery may have been stratified by without a word.
RECORDED = ("department", "job_level", "job_family", "location")
UNKNOWN = "not recorded"


def recorded_at(tables: Tables, rows: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return what was recorded of each row's person on the intake day, as text; columns without any value are left out.

    Parameters
    ----------
    rows
        ``employee_id, intake_date``, one row per person and intake.
    columns
        Of the jobs or else of the employees; what is missing for a person is a value of its own.
    """
    found = {}
    for column in columns:
        in_jobs = tables.jobs is not None and column in TABLES["jobs"] and tables.jobs[column].notna().any()
        if in_jobs and len(rows):
            values = job_value_at(tables.jobs, column, rows["employee_id"], rows["intake_date"])
        elif tables.employees is not None and column in tables.employees and len(rows):
            values = _of_spell(tables.employees, column, rows)
        else:
            continue
        if values.notna().any():
            found[column] = values.astype(object).where(values.notna(), UNKNOWN).astype(str)
    return pd.DataFrame(found, index=rows.index)


def _of_spell(employees: pd.DataFrame, column: str, rows: pd.DataFrame) -> pd.Series:
    parts = []
    for day, group in rows.groupby("intake_date"):
        there = employed_on(employees, day).drop_duplicates("employee_id", keep="last").set_index("employee_id")
        parts.append(there[column].reindex(group["employee_id"]).set_axis(group.index))
    return pd.concat(parts).reindex(rows.index)


def stratum_codes(rows: pd.DataFrame, named: pd.DataFrame) -> pd.Series:
    """Return the stratum of each row as 0, 1, … by intake date: the intake and everything that is named beside it.

    Parameters
    ----------
    rows
        ``intake_date`` and ``stratum_named`` (the enrolments' own column, empty where there is none).
    named
        Same rows, the columns that the program names.
    """
    if rows.empty:
        return pd.Series(0, index=rows.index)
    keys = pd.concat([rows["intake_date"], named, rows["stratum_named"].fillna(UNKNOWN).astype(str)], axis=1)
    return keys.groupby(list(keys.columns), sort=True).ngroup().astype(int)


def is_stratified(rows: pd.DataFrame, program: Program) -> bool:
    """Whether the lots were drawn within something narrower than an intake, as far as the study says."""
    return bool(program.strata) or bool(rows["stratum_named"].notna().any())


# --- lottery ----------------------------------------------------------------------------------------------------------
# Lotteries: those offered a place against those who were not, from the day the intake opened.

FLOW_STEPS = ("drew a lot", "not employed on the intake day", "under notice", "intake without both arms", "analysed")
# Stands between the last two where lots were drawn within something narrower than an intake.
LONE_STRATUM = "stratum without both arms"
# The wait-list has started when this share of those waiting at an intake have, and two of them at least: one person who
# starts early is a crossover, not the end of the comparison.
WAITLIST_STARTED = 0.10


@dataclass(frozen=True)
class Lottery:
    """The randomized comparison of one program and role.

    Attributes
    ----------
    rows
        One row per person and intake: ``stratum`` (0, 1, … by intake date: intake × what the lots were drawn within),
        ``intake_date``, ``employee_id``, ``is_offered``, ``is_started`` and ``months_to_start`` (whether and how many
        months after this intake the person started the program in this role, at whichever intake; infinite = never),
        ``job_level`` that day, ``months`` (calendar months from the intake to the end of follow-up),
        ``months_observed`` (for how long the arms can be compared: to the data lock, or to the day on which those who
        waited at this intake started) and ``outcome`` (kind of exit; missing = still employed at the lock).
    covariates
        Same rows, what was known before the intake; empty without employment data.
    flow
        What became of those who drew, one row per step: ``step``, ``n_treated`` (offered), ``n_control``.
    recorded
        Same rows, what else was recorded that the odds may differ by: text, the columns that no stratum names.
    waitlist_starts
        The day on which those waiting at an intake started, by intake date; missing where none did, empty in a plain
        lottery.
    is_stratified
        Whether the study says within what the lots were drawn.
    """

    rows: pd.DataFrame
    covariates: pd.DataFrame
    flow: pd.DataFrame
    recorded: pd.DataFrame
    waitlist_starts: pd.Series
    is_stratified: bool = False


def build_lottery(
    tables: Tables, study: Study, program: Program, role: str, scores: dict[str, pd.DataFrame]
) -> Lottery:
    """Return everyone who drew a lot, as drawn: whoever was offered is treated, whether or not they started.

    Without employment data nobody is left out, and nobody is seen to leave.
    Enrolments without an answer (`offered` missing) drew no lot and are left out. Leaving between the intake and the
    start counts, in both arms alike. Strata are intakes × what the study names beside them; one without both arms
    compares nothing and is left out.
    """
    rows = _drew(tables.enrolments, program, role)
    flow = [_count(FLOW_STEPS[0], rows)]
    spells, reasons = _spells_at_intake(tables.employees, rows)
    flow += [_count(step, rows[reasons == step]) for step in FLOW_STEPS[1:3]]
    rows = rows.assign(exit_date=spells["exit_date"], exit_type=spells["exit_type"])[reasons.isna()]
    waitlist = _waitlist_starts(rows, program)
    stratified, is_narrow = is_stratified(rows, program), _lacks_an_arm(rows, rows["intake_date"])
    flow.append(_count(FLOW_STEPS[3], rows[is_narrow]))
    rows = rows[~is_narrow]
    rows = rows.assign(stratum=stratum_codes(rows, recorded_at(tables, rows, program.strata)))
    if stratified:
        is_narrow = _lacks_an_arm(rows, rows["stratum"])
        flow.append(_count(LONE_STRATUM, rows[is_narrow]))
        rows = rows[~is_narrow]
    rows = rows.reset_index(drop=True)
    flow.append(_count(FLOW_STEPS[4], rows))
    level = pd.Series(np.nan, index=rows.index)
    if tables.jobs is not None and len(rows):
        level = job_value_at(tables.jobs, "job_level", rows["employee_id"], rows["intake_date"])
    return Lottery(
        _follow_up(rows.assign(job_level=level), study, waitlist),
        _covariates(tables, rows, scores),
        pd.DataFrame(flow),
        recorded_at(tables, rows, tuple(column for column in RECORDED if column not in program.strata)),
        waitlist,
        stratified,
    )


def _drew(enrolled: pd.DataFrame, program: Program, role: str) -> pd.DataFrame:
    """Return the lots drawn, one row per person and intake, with the person's first start from that intake on.

    A start is a fact about the person: who loses one draw and wins the next has started.
    """
    here = enrolled[(enrolled["program_id"] == program.id) & (enrolled["role"] == role)]
    drew = here[here["offered"].notna()]
    rows = pd.DataFrame(
        {
            "intake_date": drew["intake_date"],
            "employee_id": drew["employee_id"],
            "is_offered": drew["offered"].astype(bool),
            "own_start": drew["start_date"],
            "stratum_named": drew.get("stratum"),
        }
    ).reset_index(drop=True)
    starts = here.loc[here["start_date"].notna(), ["employee_id", "start_date"]]
    pairs = rows[["employee_id", "intake_date", "own_start"]].assign(row=rows.index).merge(starts, on="employee_id")
    counts = (pairs["start_date"] >= pairs["intake_date"]) | (pairs["start_date"] == pairs["own_start"])
    first = pairs[counts].groupby("row")["start_date"].min()
    return rows.assign(start_date=pd.to_datetime(first.reindex(rows.index))).drop(columns="own_start")


def _lacks_an_arm(rows: pd.DataFrame, stratum: pd.Series) -> pd.Series:
    return rows.groupby(stratum)["is_offered"].transform("nunique") < 2


def _covariates(tables: Tables, rows: pd.DataFrame, scores: dict[str, pd.DataFrame]) -> pd.DataFrame:
    if tables.employees is None or rows.empty:
        return pd.DataFrame(index=rows.index)
    history, parts = job_history(tables.jobs), []
    for day, group in rows.groupby("intake_date"):
        staff = staff_on(tables, history, day)
        drawn = staff.take(pd.Index(staff.spells["employee_id"]).get_indexer(group["employee_id"]))
        parts.append(covariates_on(drawn, scores).set_axis(group.index))
    return pd.concat(parts).reindex(rows.index)


def _count(step: str, rows: pd.DataFrame) -> dict:
    offered = rows["is_offered"].astype(bool)
    return {"step": step, "n_treated": int(offered.sum()), "n_control": int((~offered).sum())}


def _spells_at_intake(employees: pd.DataFrame | None, rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """Return each row's spell on its intake day, and why a row cannot be analysed (missing = it can)."""
    spells, reasons = [], pd.Series(None, index=rows.index, dtype=object)
    if employees is None:
        return pd.DataFrame({"exit_date": pd.NaT, "exit_type": None}, index=rows.index), reasons
    for day, group in rows.groupby("intake_date"):
        there = employed_on(employees, day).drop_duplicates("employee_id", keep="last").set_index("employee_id")
        found = there.reindex(group["employee_id"])
        reasons[group.index[found["hire_date"].isna().to_numpy()]] = FLOW_STEPS[1]
        reasons[group.index[under_notice_on(found, day).to_numpy()]] = FLOW_STEPS[2]
        spells.append(found[["exit_date", "exit_type"]].set_axis(group.index))
    if not spells:
        none = {"exit_date": pd.Series(dtype="datetime64[ns]"), "exit_type": pd.Series(dtype=object)}
        return pd.DataFrame(none), reasons
    return pd.concat(spells).reindex(rows.index), reasons


def _follow_up(rows: pd.DataFrame, study: Study, waitlist: pd.Series) -> pd.DataFrame:
    lock_end = pd.Timestamp(study.as_of) + ONE_DAY
    exit_end = rows["exit_date"] + ONE_DAY
    waits_until = pd.to_datetime(waitlist.reindex(rows["intake_date"])).set_axis(rows.index)
    return pd.DataFrame(
        {
            "stratum": rows["stratum"].rank(method="dense").sub(1).astype(int),
            "intake_date": rows["intake_date"],
            "employee_id": rows["employee_id"],
            "is_offered": rows["is_offered"],
            "is_started": rows["start_date"].notna(),
            "months_to_start": months_between(rows["intake_date"], rows["start_date"]),
            "job_level": rows["job_level"],
            "months": months_between(rows["intake_date"], exit_end.fillna(lock_end)),
            "months_observed": months_between(rows["intake_date"], waits_until.fillna(lock_end).clip(upper=lock_end)),
            "outcome": exit_outcome(rows["exit_type"]).where(exit_end.notna(), None),
        }
    )


def _waitlist_starts(rows: pd.DataFrame, program: Program) -> pd.Series:
    """Return the day on which those waiting at each intake started: as the study states it, else as the data show.

    Without a stated day it is the first by which `WAITLIST_STARTED` of those waiting at that intake, and two of them
    at least, had started.
    """
    if program.assignment is not Assignment.WAITLIST:
        return pd.Series(dtype="datetime64[ns]")
    stated = {pd.Timestamp(intake): pd.Timestamp(day) for intake, day in program.waitlist_starts.items()}
    found = {}
    for intake, waiting in rows[~rows["is_offered"]].groupby("intake_date"):
        starts = np.sort(waiting["start_date"].dropna().to_numpy())
        enough = min(len(waiting), max(2, int(np.ceil(WAITLIST_STARTED * len(waiting)))))
        found[intake] = pd.Timestamp(starts[enough - 1]) if len(starts) >= enough else pd.NaT
    return pd.Series(found | stated, dtype="datetime64[ns]")


def as_weighted(lottery: Lottery, kinds: tuple[str, ...], months: int) -> WeightedFollowUp:
    """Return both arms of a lottery with each stratum's not offered weighted to the number offered in it.

    Strata whose arms cannot be compared for all of `months`, for the data lock or the wait-list's start, are left out,
    so that every month compares the same people.
    """
    rows = lottery.rows[lottery.rows["months_observed"] >= months].reset_index(drop=True)
    offered = rows["is_offered"].astype(bool)
    share = offered.groupby(rows["stratum"]).transform("mean")
    followed = as_followed(rows.assign(is_treated=offered), kinds, months)
    return replace(followed, weights=np.where(offered, 1.0, share / (1 - share)))


# --- odds -------------------------------------------------------------------------------------------------------------
# Were the odds of being offered a place the same for everybody who drew within a stratum?

# The chance that a lottery with equal odds is refused, over all columns looked at.
FALSE_ALARMS = 0.005
# Draws of the lots: a few to see that nothing is amiss, else enough for so small a chance.
FIRST_DRAWS, N_DRAWS = 500, 20_000
CLEARLY_ALIKE = 0.02


def differing_odds(lottery: Lottery, rng: np.random.Generator) -> pd.DataFrame:
    """Return whether the odds differ by something recorded, one row per column: ``column, p_value, differs``.

    For each column the levels (departments, say) are split in the two groups whose shares of offers differ most, given
    the strata; the chance of so clear a split is that among re-drawn lots, so it holds for small counts. A split finds
    what a test with a degree of freedom for each level would miss: 70 % in some departments and 30 % in the others.
    With several intakes it is looked for in all of them together, and in each (odds may differ the other way round).
    `FALSE_ALARMS` is shared out over the columns and ways of looking (Bonferroni).
    """
    rows, found = lottery.rows, {}
    offered, stratum = rows["is_offered"].to_numpy(dtype=bool), rows["stratum"].to_numpy(dtype=int)
    intake = pd.factorize(rows["intake_date"])[0]
    blocks = [np.zeros_like(intake)] + ([intake] if len(rows) and intake.max() > 0 else [])
    for name, values in lottery.recorded.items():
        level = pd.factorize(values, sort=True)[0]
        if level.max(initial=0) > 0:
            chances = [_chance(offered, stratum, level, block, rng) for block in blocks]
            found[name] = min(1.0, min(chances) * len(blocks))
    threshold = FALSE_ALARMS / max(1, len(found))
    frame = pd.DataFrame({"column": list(found), "p_value": list(found.values())})
    return frame.assign(differs=frame["p_value"] < threshold)


def _chance(
    offered: np.ndarray, stratum: np.ndarray, level: np.ndarray, block: np.ndarray, rng: np.random.Generator
) -> float:
    """Return the chance of a split at least as clear, the splits of the blocks (intakes, or all rows) added up."""
    tables = [_Table.of(offered[block == b], stratum[block == b], level[block == b]) for b in np.unique(block)]
    observed = sum(table.clearest_split(table.offered[None])[0] for table in tables)
    p = 1.0
    for n_draws in (FIRST_DRAWS, N_DRAWS):
        drawn = sum(table.clearest_split(table.redrawn(n_draws, rng)) for table in tables)
        p = (1 + np.sum(drawn >= observed - 1e-9)) / (1 + n_draws)
        if p > CLEARLY_ALIKE:
            break
    return float(p)


class _Table:
    """Offers by level within strata: people of each level in each stratum, and how many of them were offered."""

    def __init__(self, people: np.ndarray, n_offered: np.ndarray, offered: np.ndarray):
        self.people, self.n_offered, self.offered = people, n_offered, offered
        n = people.sum(axis=1)
        share = n_offered / n
        self.expected = share @ people
        spread = share * (1 - share) * n / np.maximum(n - 1, 1)
        within = people / n[:, None]
        # The hypergeometric covariance of the offers, added up over strata (Mantel & Haenszel 1959, JNCI 22:719).
        self.covariance = np.diag(spread @ people) - np.einsum("s,sk,sl->kl", spread * n, within, within)

    @classmethod
    def of(cls, offered: np.ndarray, stratum: np.ndarray, level: np.ndarray) -> "_Table":
        """Count people and offers by stratum and level."""
        codes, levels = np.unique(stratum, return_inverse=True)[1], np.unique(level, return_inverse=True)[1]
        people = np.zeros((codes.max() + 1, levels.max() + 1), dtype=int)
        np.add.at(people, (codes, levels), 1)
        chosen = np.bincount(levels, weights=offered, minlength=people.shape[1])
        return cls(people, np.bincount(codes, weights=offered).astype(int), chosen)

    def redrawn(self, n_draws: int, rng: np.random.Generator) -> np.ndarray:
        """Return offers by level in re-drawn lots, shape (draws, levels)."""
        total = np.zeros((n_draws, self.people.shape[1]))
        for people, n in zip(self.people, self.n_offered, strict=True):
            total += rng.multivariate_hypergeometric(people, n, size=n_draws, method="marginals")
        return total

    def clearest_split(self, offered: np.ndarray) -> np.ndarray:
        """Return the largest chi-square of the levels split in two by their share of offers, shape (draws,).

        Of all splits one that respects the order of the shares is the clearest (Breiman et al. 1984, Classification
        and Regression Trees, sect. 4.2.2).
        """
        surplus = offered - self.expected
        order = np.argsort(surplus / np.maximum(self.expected, 1e-9), axis=1)
        gap = np.cumsum(np.take_along_axis(surplus, order, axis=1), axis=1)[:, :-1]
        best = np.zeros(len(offered))
        variance = np.zeros(len(offered))
        taken = np.zeros((len(offered), self.people.shape[1]))
        draws = np.arange(len(offered))
        for i in range(gap.shape[1]):
            new = order[:, i]
            variance += self.covariance[new, new] + 2 * np.einsum("dk,dk->d", taken, self.covariance[new])
            taken[draws, new] = 1.0
            best = np.maximum(best, np.where(variance > 1e-9, gap[:, i] ** 2 / np.maximum(variance, 1e-9), 0.0))
        return best
