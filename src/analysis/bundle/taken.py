"""The numbers of a company that its stand-in is drawn from, taken from its tables (`bundle.marginals`)."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.bundle.marginals import (
    ANY_LEVEL,
    DAYS_A_YEAR,
    TENURE_YEARS,
    Codes,
    Item,
    Marginals,
    People,
    Role,
    Shares,
    Steps,
    Survey,
    merged_levels,
    rate,
    share,
    shares,
    steps,
)
from analysis.pipeline.opened import OpenStudy
from analysis.plan.errors import bad_input
from analysis.plan.instruments import Instrument
from analysis.plan.study import Study
from analysis.release.rule import ReleaseRule

# Columns in code, and those whose words are the contract's own.
IN_CODE, AS_THEY_ARE = ("gender", "location", "department", "job_family"), ("worker_type",)
NO_SHARES = Shares(kinds=(), shares=())
# To which hire dates, birth years and lags are told.
HIRED_DAYS, BORN_YEARS = 30, 2
DAY = pd.Timedelta(days=1)


def take(opened: OpenStudy) -> tuple[Marginals, Codes]:
    """Return what a stand-in of a study is drawn from, and what its words stand for; the latter leaves no company.

    Raises
    ------
    BadInput
        The company has too few people for any stand-in.
    """
    study, tables = opened.study, opened.tables
    rule = ReleaseRule.of(study)
    if tables.employees is None or len(tables.employees) < 4 * rule.min_cell:
        message = f"fewer than {4 * rule.min_cell} people are in the employees table, too few for a stand-in of them"
        raise bad_input("employees", message, rule="stand_in")
    codes = Codes(rule)
    employees, jobs = coded(opened, codes)
    marginals = Marginals(
        people=_people(employees, jobs, study, rule),
        roles=tuple(_roles(opened, jobs, rule)),
        surveys=tuple(_surveys(opened, jobs, rule)),
        items=tuple(_items(opened, rule)),
        meetings=_meetings(tables.sessions, rule),
        absences=_absences(tables.leave, employees, study, rule),
        columns={
            name: tuple(c for c in table.columns if table[c].notna().any())
            for name, table in (("employees", employees), ("jobs", jobs))
            if table is not None
        },
    )
    return marginals, codes


def coded(opened: OpenStudy, codes: Codes) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return employees and jobs with the company's words in code and rare job levels merged; further columns are gone.

    A column that strata or units are read from is kept, under a name of its own.
    """
    rule, tables = codes.rule, opened.tables
    employees = pd.DataFrame(tables.employees)
    people = employees["employee_id"]
    kept = ["employee_id", "hire_date", "exit_date", "exit_type", "notice_date", "birth_year", *AS_THEY_ARE]
    named = [c for c in sorted(opened.study.named_columns) if c in employees and c not in (*IN_CODE, *kept)]
    of_people = {c: codes.of(c, employees[c], people) for c in IN_CODE if c in employees}
    of_people |= {new_name(opened.study, c): codes.of(new_name(opened.study, c), employees[c], people) for c in named}
    found = employees[kept].assign(**of_people)
    if tables.jobs is None:
        return found, None
    jobs = tables.jobs
    owners = jobs["employee_id"]
    of_jobs = {c: codes.of(c, jobs[c], owners) for c in ("department", "job_family")}
    of_jobs |= {c: merged_levels(jobs[c], owners, rule) for c in ("job_level", "fte", "performance_rating")}
    names = ["employee_id", "effective_date", "manager_id", "base_salary"]
    return found, jobs[names].assign(**of_jobs).sort_values(["employee_id", "effective_date"], ignore_index=True)


def new_name(study: Study, column: str) -> str:
    """Return what a column of the company's own that strata or units are read from is called in the stand-in."""
    own = [c for c in sorted(study.named_columns) if c not in (*IN_CODE, "job_level")]
    return f"own_{own.index(column) + 1}" if column in own else column


# --- people -----------------------------------------------------------------------------------------------------------


def _people(employees: pd.DataFrame, jobs: pd.DataFrame | None, study: Study, rule: ReleaseRule) -> People:
    ids = employees["employee_id"]
    days = _days(employees["hire_date"])
    hired = steps(days, rule, HIRED_DAYS) or Steps(edges=(_day(study.study_start) - 1500, _day(study.as_of) - 90))
    first = None if jobs is None else jobs.drop_duplicates("employee_id").set_index("employee_id")
    level = pd.Series(np.nan, employees.index) if first is None else ids.map(first["job_level"])
    part = np.clip(np.searchsorted(hired.edges, days, side="right") - 1, 0, len(hired.edges) - 2)
    overall = shares(level, ids, rule)
    by_step = [shares(level[part == n], ids[part == n], rule) for n in range(len(hired.edges) - 1)]
    born = {str(x): steps(employees["birth_year"][level == x], rule, BORN_YEARS) for x in overall.kinds}
    born[ANY_LEVEL] = steps(employees["birth_year"], rule, BORN_YEARS)
    names = [c for c in employees if c in (*IN_CODE, *AS_THEY_ARE) or str(c).startswith("own_")]
    of_jobs = ("department", "job_family", "fte", "performance_rating")
    changes = {"job_level": 0.0, "department": 0.0} if jobs is None else _changes(jobs, rule)
    return People(
        n=rule.rounded(len(employees)),
        hired=hired,
        level=tuple(found if found.kinds else overall for found in by_step),
        born={name: found for name, found in born.items() if found is not None},
        of_people={str(c): shares(employees[c], ids, rule) for c in names},
        of_jobs={} if jobs is None else {c: shares(jobs[c], jobs["employee_id"], rule) for c in of_jobs},
        pay={} if jobs is None else _pay(jobs, rule),
        exits_a_year=_exits(employees, level, study, rule),
        exit_types=shares(employees["exit_type"].where(employees["exit_date"].notna()), ids, rule),
        notice=steps((employees["exit_date"] - employees["notice_date"]) / DAY, rule, 5),
        rises_a_year=changes["job_level"],
        moves_a_year=changes["department"],
    )


def _exits(
    employees: pd.DataFrame, level: pd.Series, study: Study, rule: ReleaseRule
) -> tuple[tuple[float, float], ...]:
    """Return exits a person-year by band of tenure and half of the levels, within what was observed.

    Where few left in a cell the rate of its band counts, or that of all.
    """
    start, end = pd.Timestamp(study.study_start), pd.Timestamp(study.as_of)
    hired, left = employees["hire_date"], employees["exit_date"].where(employees["exit_date"] <= end)
    begin = (hired.clip(lower=start) - hired) / DAY / DAYS_A_YEAR
    last = (left.fillna(end) - hired) / DAY / DAYS_A_YEAR
    is_high = (level > level.median()).to_numpy()
    has_left = left.notna() & (left >= start)

    def cell(low: float, high: float, rows: np.ndarray) -> float | None:
        years = (last.clip(upper=high) - begin.clip(lower=low)).clip(lower=0)[rows].sum()
        return rate(float((has_left & (last >= low) & (last < high))[rows].sum()), years, rule)

    everybody = np.ones(len(employees), bool)
    overall = cell(0, TENURE_YEARS[-1], everybody) or 0.1
    bands = [(low, high, cell(low, high, everybody) or overall) for low, high in pairwise(TENURE_YEARS)]
    return tuple((cell(a, b, ~is_high) or pooled, cell(a, b, is_high) or pooled) for a, b, pooled in bands)


def _changes(jobs: pd.DataFrame, rule: ReleaseRule) -> dict[str, float]:
    """Return how often in a person-year the job level rises and the department changes."""
    before = jobs.groupby("employee_id")[["effective_date", "job_level", "department"]].shift()
    is_later = before["effective_date"].notna()
    years = float(((jobs["effective_date"] - before["effective_date"]) / DAY / DAYS_A_YEAR)[is_later].sum())
    moved = is_later & before["department"].notna() & (jobs["department"] != before["department"])
    events = {"job_level": (is_later & (jobs["job_level"] > before["job_level"])).sum(), "department": moved.sum()}
    return {name: rate(float(n), years, rule) or 0.0 for name, n in events.items()}


def _pay(jobs: pd.DataFrame, rule: ReleaseRule) -> dict[str, float]:
    """Return median base salaries by job level relative to that of all; empty where few are known."""
    known = jobs[jobs["base_salary"].notna() & jobs["job_level"].notna()]
    n = known.groupby("job_level")["employee_id"].nunique()
    medians = known.groupby("job_level")["base_salary"].median()[n >= rule.min_cell] / known["base_salary"].median()
    return {str(level): round(float(value), 1) for level, value in medians.items()}


# --- programs ---------------------------------------------------------------------------------------------------------


def _roles(opened: OpenStudy, jobs: pd.DataFrame | None, rule: ReleaseRule) -> Iterator[Role]:
    enrolments = opened.tables.enrolments
    if enrolments is None:
        return
    for (program, role), rows in enrolments.groupby(["program_id", "role"], observed=True):
        people, n = rows["employee_id"], rows["employee_id"].nunique()
        if n < rule.min_cell:
            yield _role_of_few(str(program), str(role), opened.study, rule)
            continue
        asked, lasted = rows["offered"].dropna(), (rows["end_date"] - rows["start_date"]) / DAY
        yield Role(
            program=str(program),
            role=str(role),
            n=rule.rounded(n),
            intakes=_intakes(rows, rule),
            level=NO_SHARES if jobs is None else shares(_level_at(rows, jobs), people, rule),
            started=share(int(rows["start_date"].notna().sum()), len(rows), rule),
            offered=share(int(asked.sum()), len(asked), rule) if len(asked) >= rule.min_cell else None,
            lag=steps(((rows["start_date"] - rows["intake_date"]) / DAY).clip(lower=0), rule, 7),
            lasted=steps(lasted, rule, 30),
        )


def _role_of_few(program: str, role: str, study: Study, rule: ReleaseRule) -> Role:
    """Return a role that few people have, of which only its name is used: the numbers are ours."""
    days = [_day(day) for one in study.programs if one.id == program for day in one.intakes]
    days = days or [(_day(study.study_start) + _day(study.as_of)) // 2]
    return Role(
        program=program, role=role, n=rule.min_cell, level=NO_SHARES, started=1.0, offered=None, lag=None, lasted=None,
        intakes=Shares(kinds=tuple(map(float, days)), shares=(1 / len(days),) * len(days)),
    )  # fmt: skip


def _intakes(rows: pd.DataFrame, rule: ReleaseRule) -> Shares:
    """Return the days of intakes that many people have; where each start is an intake of its own, months."""
    found = shares(_days(rows["intake_date"]), rows["employee_id"], rule)
    if found.kinds:
        return found
    months = rows["intake_date"].dt.to_period("M").dt.start_time
    spread = steps(_days(months), rule, HIRED_DAYS)
    days = spread.edges if spread else (_day(rows["intake_date"].median()) // HIRED_DAYS * HIRED_DAYS,)
    return Shares(kinds=tuple(days), shares=(1 / len(days),) * len(days))


def _level_at(rows: pd.DataFrame, jobs: pd.DataFrame) -> pd.Series:
    """Return each enrolment's job level on its intake."""
    asked = rows[["employee_id", "intake_date"]].reset_index().sort_values("intake_date")
    held = jobs[["employee_id", "effective_date", "job_level"]].sort_values("effective_date")
    found = pd.merge_asof(asked, held, left_on="intake_date", right_on="effective_date", by="employee_id")
    return found.set_index("index")["job_level"].reindex(rows.index)


def _meetings(sessions: pd.DataFrame | None, rule: ReleaseRule) -> dict[str, float]:
    if sessions is None:
        return {}
    if sessions["match_id"].nunique() < rule.min_cell:
        return {"a_match": 6.0, "minutes": 60.0}  # ours
    minutes = sessions["minutes"].median()
    return {
        "a_match": float(max(1, round(len(sessions) / sessions["match_id"].nunique()))),
        "minutes": 60.0 if pd.isna(minutes) else float(round(minutes / 15) * 15),
    }


def _absences(leave: pd.DataFrame | None, employees: pd.DataFrame, study: Study, rule: ReleaseRule) -> dict[str, float]:
    if leave is None or leave["employee_id"].nunique() < rule.min_cell:
        return {}
    days = ((leave["leave_end"] - leave["leave_start"]) / DAY).median()
    absent = share(leave["employee_id"].nunique(), employees["employee_id"].nunique(), rule)
    return {"share": absent, "days": 90.0 if pd.isna(days) else float(round(days / 30) * 30)}


# --- surveys ----------------------------------------------------------------------------------------------------------


def _surveys(opened: OpenStudy, jobs: pd.DataFrame | None, rule: ReleaseRule) -> Iterator[Survey]:
    waves, employees = opened.tables.waves, opened.tables.employees
    for name, who in (("responses", "employee_id"), ("unlinked_responses", "respondent_id"), ("ratings", "ratee_id")):
        answers = getattr(opened.tables, name)
        if answers is None or waves is None or employees is None:
            continue
        for wave in waves.itertuples():
            here = answers[(answers["wave"] == wave.wave) & (answers["instrument"] == wave.instrument)]
            n = here[who].nunique()
            employed = ((employees["hire_date"] <= wave.opens) & ~(employees["exit_date"] < wave.opens)).sum()
            if n < rule.min_cell:
                continue
            yield Survey(
                table=name,
                instrument=str(wave.instrument),
                wave=int(wave.wave),
                opens=_day(wave.opens),
                closes=_day(wave.closes),
                answered=rule.rounded(n) if name == "unlinked_responses" else share(n, int(employed), rule),
                level=_levels_of(here[who].astype(object), wave.opens, jobs, rule),
                raters=_raters(here, n, rule) if name == "ratings" else {},
            )


def _levels_of(people: pd.Series, day: pd.Timestamp, jobs: pd.DataFrame | None, rule: ReleaseRule) -> Shares:
    if jobs is None or people.name == "respondent_id":
        return NO_SHARES
    asked = pd.DataFrame({"employee_id": people.unique().astype(str), "intake_date": day})
    return shares(_level_at(asked, jobs), asked["employee_id"], rule)


def _raters(here: pd.DataFrame, n_ratees: int, rule: ReleaseRule) -> dict[str, float]:
    """Return raters a ratee by their role, to halves."""
    an_item = here["item"].iloc[0]
    counts = here[here["item"] == an_item].groupby("rater_role", observed=True).size()
    return {str(role): round(2 * n / n_ratees) / 2 for role, n in counts.items() if n >= rule.min_cell}


def _items(opened: OpenStudy, rule: ReleaseRule) -> Iterator[Item]:
    for name, who in (("responses", "employee_id"), ("unlinked_responses", "respondent_id"), ("ratings", "ratee_id")):
        answers = getattr(opened.tables, name)
        if answers is None:
            continue
        for instrument, rows in answers.groupby("instrument", observed=True):
            card = opened.instruments.get(str(instrument))
            if card is not None and rows[who].nunique() >= 4 * rule.min_cell:
                yield from _of_card(str(instrument), card, rows, rows[who].astype(object), rule)


def _of_card(name: str, card: Instrument, rows: pd.DataFrame, people: pd.Series, rule: ReleaseRule) -> Iterator[Item]:
    told: set[str] = set()
    for scale in card.scales.values():
        alike, stable = _association(rows, people, scale.items.keys(), card)
        for code in scale.items.keys() - told:
            mine = rows["item"] == code
            answers = shares(rows.loc[mine, "value"], people[mine], rule)
            if answers.kinds:
                whole = sum(answers.shares)
                skipped = share(int(rows.loc[mine, "value"].isna().sum()), int(mine.sum()), rule)
                kept = tuple(round(s / whole, 3) for s in answers.shares)
                sign = -1 if scale.items[code].reversed else 1
                yield Item(
                    instrument=name, item=code, answers=Shares(kinds=answers.kinds, shares=kept),
                    skipped=skipped, alike=alike, stable=stable, sign=sign,
                )  # fmt: skip
        told |= scale.items.keys()


def _association(rows: pd.DataFrame, people: pd.Series, items: Iterable[str], card: Instrument) -> tuple[float, float]:
    """Return how alike the items of a scale are answered, and how alike a person answers a wave later; to tenths."""
    wanted = rows["item"].isin(list(items))
    asked = rows[wanted].assign(person=people[wanted].to_numpy(), item=rows.loc[wanted, "item"].astype(str))
    turned = [code for code in asked["item"].unique() if card.items[code].reversed]
    ends = card.response.min + card.response.max
    asked["value"] = asked["value"].where(~asked["item"].isin(turned), ends - asked["value"])
    wide = asked.pivot_table(index=["person", "wave"], columns="item", values="value", aggfunc="mean", observed=True)
    between = wide.corr().to_numpy() if wide.shape[1] > 1 else np.array([[1.0]])
    off = between[np.triu_indices(len(between), 1)]
    alike = float(np.nanmean(off)) if len(off) and np.isfinite(off).any() else 0.4
    means = wide.mean(axis=1).unstack("wave")
    later = [means.iloc[:, n].corr(means.iloc[:, n + 1]) for n in range(means.shape[1] - 1)]
    known = [r for r in later if np.isfinite(r)]
    return round(min(max(alike, 0.1), 0.8), 1), round(min(max(float(np.mean(known)) if known else 0.6, 0.2), 0.9), 1)


def _days(dates: pd.Series) -> pd.Series:
    """Return dates as days since 1970."""
    return (dates - pd.Timestamp(0)) / DAY


def _day(date: object) -> int:
    return int((pd.Timestamp(date) - pd.Timestamp(0)) / DAY)  # type: ignore[arg-type]
