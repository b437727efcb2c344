"""A stand-in: a company of people who never were, drawn from few numbers of a real one (`bundle.marginals`).

It has the same tables, columns, programs, waves and items, so that everything runs on it. What it keeps: how common
each value is, job levels by time of hire, age and pay by level, exits by tenure and level, who enrols by level, how
items of a scale hang together and with themselves a wave later. What it does not keep: any effect of a program, teams,
rehires, any rare value, any word of the company, and everything else.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.bundle.marginals import ANY_LEVEL, DAYS_A_YEAR, TENURE_YEARS, Marginals, Role, Shares, Steps
from analysis.plan.contract import TABLES
from analysis.plan.probability import rng
from analysis.plan.study import Program, Study

NEVER = 1_000_000
MEDIAN_PAY, PAY_SPREAD = 50_000, 0.1
# What a rating, and a scale, owes to the person who is rated; the rest is the rater's.
OF_THE_RATED = 0.6
# How many are in a group, and how often a manager is looked for.
GROUP, TRIES = 8, 5


class Company:
    """The people of a stand-in as arrays, one entry a person: what every table is made from."""

    def __init__(self, marginals: Marginals, study: Study, seed: str):
        people = marginals.people
        self.marginals, self.study, self.n = marginals, study, people.n
        self.random = rng(study.study, "stand-in", seed)
        self.start, self.end = _day(study.study_start), _day(study.as_of)
        self.hired = self._between(people.hired, self.n).astype(int)
        step = np.clip(np.searchsorted(people.hired.edges, self.hired, side="right") - 1, 0, len(people.level) - 1)
        self.level = np.array([self._one(people.level[n], np.nan) for n in step], float)
        self.left = self._exits()
        self.ids = np.array([f"S{number:06d}" for number in range(1, self.n + 1)])
        self.trait = self.random.normal(size=self.n)

    def _between(self, steps: Steps, n: int) -> np.ndarray:
        """Return numbers evenly spread between the quantiles."""
        edges, at = np.array(steps.edges), self.random.random(n) * (len(steps.edges) - 1)
        return np.interp(at, np.arange(len(edges)), edges) if len(edges) > 1 else np.full(n, edges[0])

    def _one(self, shares: Shares, nothing: object) -> object:
        return self.some(shares, 1)[0] if shares.kinds else nothing

    def some(self, shares: Shares, n: int) -> np.ndarray:
        """Return `n` values that occur in these shares; None where there are none."""
        if not shares.kinds:
            return np.full(n, None)
        weights = np.array(shares.shares)
        return np.array(shares.kinds, dtype=object)[self.random.choice(len(weights), n, p=weights / weights.sum())]

    def between(self, steps: Steps | None, n: int, instead: float) -> np.ndarray:
        """Return whole numbers spread as the quantiles say; `instead` where they are not known."""
        return np.full(n, instead, int) if steps is None else np.rint(self._between(steps, n)).astype(int)

    def weights(self, level: Shares) -> np.ndarray:
        """Return for each person how much more common their job level is among some than in the company."""
        if not level.kinds:
            return np.ones(self.n)
        here, common = (
            dict(zip(level.kinds, level.shares, strict=True)),
            pd.Series(self.level).value_counts(normalize=True),
        )
        return np.array([here.get(x, 0.0) / common.get(x, 1.0) for x in self.level])

    def _exits(self) -> np.ndarray:
        """Return the last day of each employment: exponential within a band of tenure, from when it is observed."""
        left = np.full(self.n, NEVER)
        is_high = self.level > np.nanmedian(self.level) if np.isfinite(self.level).any() else np.zeros(self.n, bool)
        for (low, high), of_band in zip(pairwise(TENURE_YEARS), self.marginals.people.exits_a_year, strict=True):
            begin = np.maximum(self.hired + low * DAYS_A_YEAR, self.start)
            waits = self.random.exponential(1, self.n) / np.where(is_high, of_band[1], of_band[0]) * DAYS_A_YEAR
            goes = (begin + waits < self.hired + high * DAYS_A_YEAR) & (left == NEVER)
            left = np.where(goes, begin + waits, left)
        return np.where(left <= self.end, left, NEVER).astype(int)

    def employed(self, on: int) -> np.ndarray:
        """Return who is employed on a day."""
        return (self.hired <= on) & (self.left >= on)


def draw(marginals: Marginals, study: Study, seed: str) -> dict[str, pd.DataFrame]:
    """Return the canonical tables of a stand-in; they depend on nothing else than what is given.

    Parameters
    ----------
    study
        Of the stand-in: its programs, days and levels.
    seed
        A secret: who is equal to a real person is left out afterwards, and must not be found by drawing again.
    """
    company = Company(marginals, study, seed)
    jobs = _jobs(company) if "job_level" in marginals.columns.get("jobs", ()) else None
    tables = {"employees": _employees(company), "jobs": jobs, "enrolments": _enrolments(company, jobs)}
    tables |= {"sessions": _sessions(company, tables["enrolments"]), "leave": _leave(company)}
    tables |= {"waves": _waves(marginals)} | _answers(company, jobs)
    return {name: _as_contract(name, table) for name, table in tables.items() if table is not None and len(table)}


def _as_contract(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the contract's columns in their order, then the stand-in's own; empty ones are left out."""
    known = [column for column in TABLES[name] if column in table]
    own = [column for column in table if column not in TABLES[name]]
    required = {column for column, about in TABLES[name].items() if about.required}
    return table[[c for c in (*known, *own) if c in required or table[c].notna().any()]].reset_index(drop=True)


# --- people -----------------------------------------------------------------------------------------------------------


def _employees(company: Company) -> pd.DataFrame:
    people, has_left = company.marginals.people, company.left != NEVER
    born, latest = np.full(company.n, np.nan), 1970 + company.hired / DAYS_A_YEAR - 18
    told = [level for level in people.born if level != ANY_LEVEL]
    for level, steps in people.born.items():
        mine = company.level == float(level) if level in told else ~np.isin(company.level, [float(x) for x in told])
        born[mine] = company.between(steps, int(mine.sum()), 1980)
    noticed = company.left - company.between(people.notice, company.n, 30)
    gives_notice = has_left & (people.notice is not None) & (noticed >= company.hired)
    table = pd.DataFrame(
        {
            "employee_id": company.ids,
            "hire_date": _dates(company.hired),
            "exit_date": _dates(company.left),
            "exit_type": company.some(people.exit_types, company.n),
            "notice_date": _dates(np.where(gives_notice, noticed, NEVER)),
            "birth_year": np.minimum(born, latest).round(),
        }
    )
    table["exit_type"] = table["exit_type"].where(has_left, None)
    return table.assign(**{name: company.some(found, company.n) for name, found in people.of_people.items()})


def _jobs(company: Company) -> pd.DataFrame:
    """Return a record of each person at the start, then one a year, with rises, moves and new ratings on it."""
    people, n = company.marginals.people, company.n
    columns = {name: company.some(found, n) for name, found in people.of_jobs.items()}
    levels = np.unique(company.level[np.isfinite(company.level)])
    place = np.searchsorted(levels, company.level)
    pay = np.array([people.pay.get(str(level), np.nan) for level in levels] or [np.nan])
    own_pay = np.exp(company.random.normal(0, PAY_SPREAD, n))
    on = np.maximum(company.hired, company.start)
    rows = []
    while (alive := (on <= np.minimum(company.left, company.end))).any():
        now = pd.DataFrame({"employee_id": company.ids, "effective_date": _dates(on), "job_level": levels[place]})
        now["manager_id"] = _managers(company, levels[place], on)
        now["base_salary"] = np.round(MEDIAN_PAY * pay[place] * own_pay, -2)
        rows.append(now.assign(**columns)[alive])
        rises = (company.random.random(n) < people.rises_a_year) & (place < len(levels) - 1)
        place, moves = place + rises, company.random.random(n) < people.moves_a_year
        for name in ("department", "performance_rating"):
            anew = moves if name == "department" else company.random.random(n) < 0.5
            if name in columns:
                columns[name] = np.where(anew, company.some(people.of_jobs[name], n), columns[name])
        on = on + 350 + company.random.integers(0, 30, n)
    return pd.concat(rows, ignore_index=True).sort_values(["employee_id", "effective_date"], ignore_index=True)


def _managers(company: Company, level: np.ndarray, on: np.ndarray) -> np.ndarray:
    """Return for each somebody of a higher level who is employed that day; nobody at the top."""
    order = np.argsort(level, kind="stable")
    above = np.searchsorted(level[order], level, side="right")
    found = np.full(company.n, None, dtype=object)
    for _ in range(TRIES):
        at = above + (company.random.random(company.n) * (company.n - above)).astype(int)
        pick = order[np.minimum(at, company.n - 1)]
        fits = (above < company.n) & (company.hired[pick] <= on) & (company.left[pick] >= on) & (found == None)  # noqa: E711
        found[fits] = company.ids[pick][fits]
    return found


# --- programs ---------------------------------------------------------------------------------------------------------


def _enrolments(company: Company, jobs: pd.DataFrame | None) -> pd.DataFrame | None:
    taken: dict[str, np.ndarray] = {}
    rows = []
    for role in company.marginals.roles:
        program = next((p for p in company.study.programs if p.id == role.program), None)
        if program is not None:
            busy = taken.setdefault("everybody", np.zeros(company.n, bool))
            rows += list(_enrolled(company, program, role, busy))
    if not rows:
        return None
    return _matched(company, pd.concat(rows, ignore_index=True))


def _enrolled(company: Company, program: Program, role: Role, busy: np.ndarray) -> Iterator[pd.DataFrame]:
    """Yield the enrolments of a role by intake; `busy` are those who are enrolled already, and grows."""
    weights = company.weights(role.level)
    least = max(
        (rule.min_tenure_days or 0 for name, rule in program.eligibility.items() if name == role.role), default=0
    )
    for opens, part in zip(role.intakes.kinds, role.intakes.shares, strict=True):
        day = int(opens)
        may = company.employed(day) & ~busy & (company.hired <= day - least)
        odds = weights * may
        n = min(round(role.n * part), int((odds > 0).sum()))
        if n == 0:
            continue
        who = np.sort(company.random.choice(company.n, n, replace=False, p=odds / odds.sum()))
        busy[who] = True
        is_offered = company.random.random(n) < (1.0 if role.offered is None else role.offered)
        chance = role.started / max(role.offered, 0.01) if role.offered is not None else role.started
        has_started = is_offered & (company.random.random(n) < chance)
        start = day + company.between(role.lag, n, 14) // 7 * 7
        has_started &= start <= np.minimum(company.left[who], company.end)
        ends, last = start + company.between(role.lasted, n, 180), np.minimum(company.left[who], company.end)
        yield pd.DataFrame(
            {
                "program_id": role.program,
                "intake_date": _dates(np.full(n, day)),
                "employee_id": company.ids[who],
                "role": role.role,
                "offered": pd.array(is_offered if role.offered is not None else [None] * n, dtype="boolean"),
                "start_date": _dates(np.where(has_started, start, NEVER)),
                "end_date": _dates(np.where(has_started & (ends <= last), ends, NEVER)),
            }
        )


def _matched(company: Company, rows: pd.DataFrame) -> pd.DataFrame:
    """Return enrolments with the match that each start belongs to: pairs, or groups of one intake."""
    formats = {program.id: program.format for program in company.study.programs}
    started = rows[rows["start_date"].notna()]
    place = started.groupby(["program_id", "intake_date", "role"]).cumcount()
    size = np.where(started["program_id"].map(formats) == "group", GROUP, 1)
    number = place.to_numpy() // size
    intake = started["intake_date"].dt.strftime("%Y%m%d")
    match = started["program_id"] + "-" + intake + "-" + pd.Series(number, started.index).astype(str)
    return rows.assign(match_id=match.reindex(rows.index))


def _sessions(company: Company, enrolments: pd.DataFrame | None) -> pd.DataFrame | None:
    told = company.marginals.meetings
    if not told or enrolments is None:
        return None
    matches = enrolments.dropna(subset=["match_id"]).groupby("match_id")["start_date"].max()
    counts = company.random.poisson(told["a_match"], len(matches))
    first = np.repeat(_numbers(matches), counts)
    on = first + 7 + company.random.integers(0, 200, len(first))
    table = pd.DataFrame(
        {"match_id": np.repeat(matches.index.to_numpy(), counts), "session_date": on, "minutes": told["minutes"]}
    )
    kept = table[table["session_date"] <= company.end].sort_values(["match_id", "session_date"])
    return kept.assign(session_date=_dates(kept["session_date"].to_numpy()).to_numpy())


def _leave(company: Company) -> pd.DataFrame | None:
    told = company.marginals.absences
    if not told:
        return None
    begin = np.maximum(company.hired, company.start)
    last = np.minimum(company.left, company.end)
    away = (company.random.random(company.n) < told["share"]) & (last - begin > told["days"])
    on = (begin + company.random.random(company.n) * (last - begin - told["days"]))[away].astype(int)
    ends = on + int(told["days"])
    return pd.DataFrame({"employee_id": company.ids[away], "leave_start": _dates(on), "leave_end": _dates(ends)})


# --- surveys ----------------------------------------------------------------------------------------------------------


def _waves(marginals: Marginals) -> pd.DataFrame:
    told = {(s.instrument, s.wave): (s.opens, s.closes) for s in marginals.surveys}
    rows = [(wave, name, *days) for (name, wave), days in sorted(told.items())]
    table = pd.DataFrame(rows, columns=["wave", "instrument", "opens", "closes"])
    return table.assign(**{name: _dates(table[name].to_numpy(int)) for name in ("opens", "closes")})


def _answers(company: Company, jobs: pd.DataFrame | None) -> dict[str, pd.DataFrame | None]:
    made: dict[str, list[pd.DataFrame]] = {}
    for survey in company.marginals.surveys:
        here = np.flatnonzero(company.employed(survey.opens))
        weights = company.weights(survey.level)[here]
        chance = survey.answered * weights / (weights.mean() or 1.0) if len(here) else weights
        who = here[company.random.random(len(here)) < chance] if survey.table != "unlinked_responses" else None
        wave = {"wave": survey.wave, "instrument": survey.instrument}
        if who is None:
            n = int(survey.answered)
            forms = [_form(company, survey.instrument, company.random.normal(size=n), np.arange(n))]
            forms[0]["respondent_id"] = [f"R{survey.wave}-{row}" for row in forms[0].pop("row")]
        elif survey.table == "responses":
            forms = [_form(company, survey.instrument, company.trait[who], who)]
            forms[0]["employee_id"] = company.ids[forms[0].pop("row").to_numpy()]
        else:
            forms = list(_rated(company, survey.instrument, survey.raters, who))
        made.setdefault(survey.table, []).extend(form.assign(**wave) for form in forms)
    return {name: pd.concat(forms, ignore_index=True) for name, forms in made.items()}


def _rated(company: Company, instrument: str, raters: dict[str, float], who: np.ndarray) -> Iterator[pd.DataFrame]:
    """Yield what raters of each role say; oneself by name, others without."""
    for role, a_person in raters.items():
        times = np.ones(len(who), int) if role == "self" else company.random.poisson(a_person, len(who))
        rows = np.repeat(who, times)
        seen = OF_THE_RATED * company.trait[rows] + np.sqrt(1 - OF_THE_RATED**2) * company.random.normal(size=len(rows))
        form = _form(company, instrument, seen, rows)
        ratee = company.ids[form.pop("row").to_numpy()]
        yield form.assign(ratee_id=ratee, rater_role=role, rater_id=ratee if role == "self" else None)


def _form(company: Company, instrument: str, trait: np.ndarray, rows: np.ndarray) -> pd.DataFrame:
    """Return one answer a person and item: as common as they were, and as alike as the items of the scale."""
    items = [item for item in company.marginals.items if item.instrument == instrument]
    lately = company.random.normal(size=len(rows))
    found = []
    for item in items:
        common = np.sqrt(item.stable) * trait + np.sqrt(1 - item.stable) * lately
        mark = item.sign * np.sqrt(item.alike) * common + np.sqrt(1 - item.alike) * company.random.normal(
            size=len(rows)
        )
        rank = (np.argsort(np.argsort(mark)) + 0.5) / max(len(rows), 1)
        upto = np.cumsum(item.answers.shares) / sum(item.answers.shares)
        value = np.array(item.answers.kinds, float)[np.minimum(np.searchsorted(upto, rank), len(upto) - 1)]
        skips = company.random.random(len(rows)) < item.skipped
        found.append(pd.DataFrame({"row": rows, "item": item.item, "value": np.where(skips, np.nan, value)}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame({"row": rows[:0], "item": [], "value": []})


# --- days -------------------------------------------------------------------------------------------------------------


def _dates(days: np.ndarray) -> pd.Series:
    """Return days since 1970 as dates; `NEVER` is missing."""
    known = np.asarray(days) < NEVER
    dates = np.where(known, days, 0).astype("datetime64[D]").astype("datetime64[s]")
    return pd.Series(np.where(known, dates, np.datetime64("NaT")))


def _numbers(dates: pd.Series) -> np.ndarray:
    return dates.to_numpy().astype("datetime64[D]").astype(int)


def _day(date: object) -> int:
    return int(np.datetime64(date, "D").astype(int))  # type: ignore[call-overload]
