"""Tiny companies that are legal and odd: each oddity is one function, and any of them can be combined.

`company` makes an ordinary one of some ninety invented people; a function of `ODDITIES` takes something away from it or
makes something of it all alike. Whatever comes out is a study that ``mentoring check`` accepts.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

STUDY_START, AS_OF = "2022-01-01", "2024-12-31"
FIRST_INTAKE, SECOND_INTAKE = "2022-06-01", "2023-02-01"
WAVES = (
    (1, "2022-03-01", "2022-03-14"),
    (2, "2022-10-01", "2022-10-14"),
    (3, "2023-04-01", "2023-04-14"),
    (4, "2023-10-01", "2023-10-14"),
)
ANSWERS = {"min": 1, "max": 5}
FREE = {"source": "written for this project, CC0, unvalidated", "licence": "CC0-1.0"}
CARDS = {
    "mini": {
        "instrument": "mini",
        "title": "Five questions",
        "response": ANSWERS,
        "scales": {
            "morale": FREE
            | {
                "construct": "morale",
                "items": {"m1": {}, "m2": {"reversed": True}, "m3": {}},
            },
            "digital_fluency": FREE | {"construct": "digital_fluency", "items": {"d1": {}, "d2": {}}},
        },
    },
    "around": {
        "instrument": "around",
        "title": "Asked around",
        "response": ANSWERS,
        "scales": {"leadership": FREE | {"construct": "leadership", "items": {"l1": {}, "l2": {}, "l3": {}}}},
    },
}
REVERSED = ("m2",)


@dataclass
class Company:
    """A study before it is written: the content of ``study.yaml``, the tables and the instruments' cards.

    Attributes
    ----------
    tables
        Cells as they stand in the files, a missing one None; by table, or ``table/second`` for another file of it.
    """

    study: dict
    tables: dict[str, pd.DataFrame]
    cards: dict[str, dict] = field(default_factory=dict)

    @property
    def program(self) -> dict:
        """The first program of the study."""
        return self.study["programs"][0]

    def set(self, table: str, **columns) -> None:
        """Set columns of a table, where the study has it; a function is given the table."""
        if table in self.tables:
            self.tables[table] = self.tables[table].assign(**columns)

    def keep(self, table: str, which: Callable[[pd.DataFrame], pd.Series]) -> None:
        """Keep these rows of a table, where the study has it; a table without a row is taken out."""
        if table in self.tables:
            rows = self.tables[table]
            self.tables[table] = rows[which(rows)].reset_index(drop=True)
            if self.tables[table].empty:
                self.drop(table)

    def drop(self, *tables: str) -> None:
        """Take tables out."""
        for table in tables:
            self.tables.pop(table, None)

    def only(self, people: Iterable[str]) -> None:
        """Keep these people alone, in every table."""
        kept = set(people)
        for table, column in PERSON.items():
            self.keep(table, lambda rows, column=column: rows[column].isin(kept))
        for table, column in (("jobs", "manager_id"), ("ratings", "rater_id")):
            if table in self.tables and column in self.tables[table]:
                others = self.tables[table][column]
                self.set(table, **{column: others.where(others.isin(kept), None)})


PERSON = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "responses": "employee_id",
    "ratings": "ratee_id",
    "enrolments": "employee_id",
}


def company(people: int = 90, seed: int = 0) -> Company:
    """Return an ordinary small company: two intakes of a reverse program, four waves of a survey, a rise in level."""
    draw = np.random.default_rng(seed)
    employees, levels = _employees(people, draw)
    jobs = _jobs(employees, levels, draw)
    enrolments = _enrolments(employees, levels, draw)
    return Company(
        study={
            "schema_version": 1,
            "title": "An odd company",
            "study_start": STUDY_START,
            "as_of": AS_OF,
            "horizons_months": [12],
            "min_cell": 3,
            "currency": "EUR",
            "replacement_cost_share": 0.5,
            "programs": [
                {
                    "id": "genius",
                    "name": "Genius Program",
                    "direction": "reverse",
                    "format": "pair",
                    "assignment": "self_selected",
                    "cost_fixed": 5000,
                    "cost_per_participant": 200,
                }
            ],
        },
        tables={
            "employees": employees,
            "jobs": jobs,
            "waves": pd.DataFrame(
                [(wave, name, opens, closes) for name in CARDS for wave, opens, closes in WAVES],
                columns=["wave", "instrument", "opens", "closes"],
            ),
            "responses": _answers(employees, draw),
            "ratings": _ratings(employees, draw),
            "enrolments": enrolments,
            "sessions": _sessions(enrolments),
        },
        cards={name: yaml.safe_load(yaml.safe_dump(card)) for name, card in CARDS.items()},
    )


def _days(first: str, days: np.ndarray) -> np.ndarray:
    """Return days after a first one, as text."""
    return (pd.Timestamp(first) + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d").to_numpy(dtype=object)


def _employees(n: int, draw: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """Return who works there, a third of whom leave while observed, and each person's job level."""
    hired = _days("2014-01-01", draw.integers(0, 365 * 9, n))
    leaves = draw.random(n) < 0.35
    left = _days("2022-02-01", draw.integers(0, 1000, n))
    leaves &= left > _days("2014-06-01", (pd.to_datetime(hired) - pd.Timestamp("2014-01-01")).days.to_numpy())
    kinds = draw.choice(["voluntary", "involuntary", "retirement"], n, p=[0.7, 0.2, 0.1])
    return pd.DataFrame(
        {
            "employee_id": [f"E{number:03d}" for number in range(n)],
            "hire_date": hired,
            "exit_date": np.where(leaves, left, None),
            "exit_type": np.where(leaves, kinds, None),
            "birth_year": draw.integers(1960, 2000, n),
            "gender": draw.choice(["f", "m"], n),
            "location": draw.choice(["North", "South"], n),
        }
    ), draw.integers(1, 7, n)


def _jobs(employees: pd.DataFrame, levels: np.ndarray, draw: np.random.Generator) -> pd.DataFrame:
    """Return a job from the day of hire on, and for a third of the people a rise in level in the summer of 2023."""
    n = len(employees)
    first = pd.DataFrame(
        {
            "employee_id": employees["employee_id"],
            "effective_date": employees["hire_date"],
            "job_level": levels,
            "job_family": draw.choice(["Technology", "Sales"], n),
            "department": draw.choice(["Bridges", "Roads", "Tunnels"], n),
            "manager_id": [None if number < 6 else f"E{number % 6:03d}" for number in range(n)],
            "base_salary": draw.integers(30, 90, n) * 1000,
            "performance_rating": draw.integers(1, 6, n),
        }
    )
    stays = employees["exit_date"].isna() | (employees["exit_date"] > "2023-08-01")
    rises = stays & (employees["hire_date"] < "2023-01-01") & (draw.random(n) < 0.35)
    later = first[rises].assign(effective_date="2023-07-01", job_level=lambda rows: rows["job_level"] + 1)
    return pd.concat([first, later], ignore_index=True)


def _enrolments(employees: pd.DataFrame, levels: np.ndarray, draw: np.random.Generator) -> pd.DataFrame:
    """Return who applied at the two intakes: the first three levels as mentors, the others as mentees.

    Two of three applicants start within a month, all of whom were offered a place.
    """
    parts = []
    applies = draw.random(len(employees))
    for intake, low, high in ((FIRST_INTAKE, 0.0, 0.3), (SECOND_INTAKE, 0.3, 0.6)):
        there = (employees["hire_date"] < intake) & ~(employees["exit_date"] <= intake)
        asked = employees[there & (low <= applies) & (applies < high)]
        n = len(asked)
        start = _days(intake, draw.integers(3, 30, n))
        gone = asked["exit_date"].fillna("9999").to_numpy() <= start
        begins = (draw.random(n) < 0.7) & ~gone
        parts.append(
            pd.DataFrame(
                {
                    "program_id": "genius",
                    "intake_date": intake,
                    "employee_id": asked["employee_id"].to_numpy(),
                    "role": np.where(levels[asked.index] <= 3, "mentor", "mentee"),
                    "applied_date": intake,
                    "offered": np.where(begins, "true", "false"),
                    "start_date": np.where(begins, start, None),
                    "end_date": None,
                    "status": np.where(begins, "active", "not_selected"),
                    "match_id": np.where(begins, [f"{intake}-{number // 2}" for number in range(n)], None),
                    "topics": np.where(begins, "mobile apps;data privacy", None),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _forms(employees: pd.DataFrame, draw: np.random.Generator, share: float) -> pd.DataFrame:
    """Return who answers at which wave, one row a form."""
    forms = [
        pd.DataFrame({"employee_id": there["employee_id"], "wave": wave, "responded_at": opens})
        for wave, opens, _ in WAVES
        for there in [employees[(employees["hire_date"] < opens) & ~(employees["exit_date"] < opens)]]
    ]
    found = pd.concat(forms, ignore_index=True)
    return found[draw.random(len(found)) < share].reset_index(drop=True)


def _ticks(forms: pd.DataFrame, items: Iterable[str], draw: np.random.Generator) -> pd.DataFrame:
    """Return a form's answers: what the person always says, give or take one."""
    usual = forms["employee_id"].str[1:].astype(int).to_numpy() % 3 + 2
    parts = []
    for item in items:
        said = np.clip(usual + draw.integers(-1, 2, len(forms)), 1, 5)
        parts.append(forms.assign(item=item, value=6 - said if item in REVERSED else said))
    return pd.concat(parts, ignore_index=True)


def _answers(employees: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    forms = _forms(employees, draw, 0.8).assign(instrument="mini")
    rows = _ticks(forms, ("m1", "m2", "m3", "d1", "d2"), draw)
    return rows[["employee_id", "wave", "instrument", "item", "value", "responded_at"]]


def _ratings(employees: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Return how people see their own leadership and how the manager and two peers see it."""
    parts = []
    for role in ("self", "manager", "peer"):
        forms = _forms(employees, draw, 0.7).assign(rater_role=role, instrument="around")
        rows = _ticks(forms, ("l1", "l2", "l3"), draw)
        rater = rows["employee_id"] if role == "self" else "E000" if role == "manager" else None
        parts.append(rows.assign(rater_id=rater).rename(columns={"employee_id": "ratee_id"}))
    columns = ["ratee_id", "rater_id", "rater_role", "wave", "instrument", "item", "value"]
    return pd.concat(parts, ignore_index=True)[columns]


def _sessions(enrolments: pd.DataFrame) -> pd.DataFrame:
    """Return three meetings of every match, a month apart."""
    first = enrolments.dropna(subset="match_id").groupby("match_id")["start_date"].max()
    rows = [
        (match, day.strftime("%Y-%m-%d"), 45)
        for match, start in first.items()
        for day in pd.date_range(start, periods=3, freq="30D")
    ]
    return pd.DataFrame(rows, columns=["match_id", "session_date", "minutes"])


# The oddities, by name, in the order in which they are applied.
ODDITIES: dict[str, Callable[[Company], None]] = {}


def oddity(change: Callable[[Company], None]) -> Callable[[Company], None]:
    """Enter a change into `ODDITIES`."""
    ODDITIES[change.__name__] = change
    return change


# Who leaves, when and how.


@oddity
def nobody_leaves(odd: Company) -> None:
    """Nobody ever left."""
    odd.set("employees", exit_date=None, exit_type=None)


@oddity
def nobody_leaves_voluntarily(odd: Company) -> None:
    """Everybody who left was made to."""
    _one_kind(odd, "involuntary")


@oddity
def everybody_leaves_voluntarily(odd: Company) -> None:
    """Nobody left in another way."""
    _one_kind(odd, "voluntary")


@oddity
def exits_of_unknown_kind(odd: Company) -> None:
    """Of no exit the kind is known."""
    odd.set("employees", exit_type=None)


def _one_kind(odd: Company, kind: str) -> None:
    odd.set("employees", exit_type=lambda rows: np.where(rows["exit_date"].notna(), kind, None))


@oddity
def everybody_leaves_on_one_day(odd: Company) -> None:
    """The company closed."""
    odd.set("employees", exit_date="2024-05-31", exit_type="voluntary")


@oddity
def everybody_gone_before_study_start(odd: Company) -> None:
    """Everybody left before the first day observed; who took part did so before, too."""
    odd.set("employees", hire_date="2014-01-01", exit_date="2021-06-30", exit_type="voluntary")
    odd.set("jobs", effective_date="2014-01-01")
    odd.tables["jobs"] = odd.tables["jobs"].drop_duplicates("employee_id", ignore_index=True)
    earlier = {FIRST_INTAKE: "2020-06-01", SECOND_INTAKE: "2021-02-01"}
    odd.set(
        "enrolments",
        intake_date=lambda rows: rows["intake_date"].map(earlier),
        applied_date=lambda rows: rows["intake_date"],
        start_date=lambda rows: rows["intake_date"].where(rows["start_date"].notna(), None),
    )


@oddity
def every_exit_before_the_first_start(odd: Company) -> None:
    """Who left had left before anybody started."""

    def earlier(rows: pd.DataFrame) -> pd.Series:
        return pd.Series("2022-05-15", index=rows.index).where(rows["exit_date"].notna(), None)

    odd.set("employees", exit_date=earlier)
    gone = odd.tables["employees"].dropna(subset="exit_date")["employee_id"]
    odd.keep("enrolments", lambda rows: ~rows["employee_id"].isin(gone))
    odd.keep("jobs", lambda rows: ~(rows["employee_id"].isin(gone) & (rows["effective_date"] > "2022-05-15")))
    odd.keep("employees", lambda rows: rows["hire_date"] < "2022-05-15")
    odd.only(odd.tables["employees"]["employee_id"])


@oddity
def one_exit(odd: Company) -> None:
    """One person left."""
    leaver = odd.tables["employees"]["exit_date"].first_valid_index()
    odd.set(
        "employees",
        exit_date=lambda rows: rows["exit_date"].where(rows.index == leaver, None),
        exit_type=lambda rows: rows["exit_type"].where(rows.index == leaver, None),
    )


# Who starts, and when.


def _start(odd: Company, starts: Callable[[pd.DataFrame], pd.Series]) -> None:
    """Let those rows of the enrolments start for which `starts` says so, a week after the intake where nothing else is
    said."""

    def day(rows: pd.DataFrame) -> pd.Series:
        usual = pd.to_datetime(rows["intake_date"]) + pd.Timedelta(days=7)
        given = rows["start_date"].where(rows["start_date"].notna(), usual.dt.strftime("%Y-%m-%d"))
        return given.where(starts(rows), None)

    odd.set("enrolments", start_date=day)
    odd.set(
        "enrolments",
        offered=lambda rows: np.where(rows["start_date"].notna(), "true", "false"),
        status=None,
        match_id=lambda rows: rows["match_id"].where(rows["start_date"].notna(), None),
        topics=None,
    )


@oddity
def nobody_starts(odd: Company) -> None:
    """All were turned down."""
    _start(odd, lambda rows: rows["employee_id"].isna())


@oddity
def every_applicant_starts(odd: Company) -> None:
    """Nobody who applied was turned down."""
    gone = odd.tables["employees"].set_index("employee_id")["exit_date"].dropna()

    def is_there(rows: pd.DataFrame) -> pd.Series:
        return rows["start_date"].notna() | ~(rows["employee_id"].map(gone) < rows["intake_date"].str[:8] + "31")

    _start(odd, is_there)


@oddity
def everybody_starts(odd: Company) -> None:
    """The whole company started on one day, and nobody stayed out."""
    there = odd.tables["employees"]
    there = there[(there["hire_date"] < FIRST_INTAKE) & ~(there["exit_date"] <= "2022-07-31")]
    odd.only(there["employee_id"])
    if "employees" not in odd.tables:
        return
    first = odd.tables["employees"]["employee_id"]
    everybody = pd.DataFrame({"employee_id": first, "program_id": odd.program["id"], "intake_date": FIRST_INTAKE})
    odd.tables["enrolments"] = everybody.assign(
        role="mentor", offered="true", start_date="2022-06-08", end_date=None, status=None, match_id=None, topics=None
    )
    odd.drop("sessions")


@oddity
def all_starts_on_one_day(odd: Company) -> None:
    """One intake, and everybody started on the day it opened."""
    one_intake(odd)
    odd.set("enrolments", start_date=lambda rows: rows["intake_date"].where(rows["start_date"].notna(), None))


@oddity
def one_intake(odd: Company) -> None:
    """The program ran once."""
    odd.keep("enrolments", lambda rows: rows["intake_date"] == rows["intake_date"].min())


@oddity
def one_starter(odd: Company) -> None:
    """One person started."""
    first = odd.tables["enrolments"]["start_date"].first_valid_index() if "enrolments" in odd.tables else None
    _start(odd, lambda rows: rows.index == first)


@oddity
def two_people_in_an_arm(odd: Company) -> None:
    """Two people started in each role, fewer than may be shown."""
    _start(odd, lambda rows: rows[rows["start_date"].notna()].groupby("role").cumcount().reindex(rows.index) < 2)


@oddity
def everything_on_one_day(odd: Company) -> None:
    """Hires, starts, exits and answers all fall on one day of each."""
    odd.set(
        "employees",
        hire_date="2020-01-01",
        exit_date=lambda rows: np.where(rows["exit_date"].notna(), "2023-01-31", None),
    )
    odd.set("jobs", effective_date="2020-01-01")
    if "jobs" in odd.tables:
        odd.tables["jobs"] = odd.tables["jobs"].drop_duplicates("employee_id", ignore_index=True)
    all_starts_on_one_day(odd)


@oddity
def one_role(odd: Company) -> None:
    """Everybody took part as participant of a group."""
    odd.program["format"], odd.program["direction"] = "group", "peer"
    odd.set("enrolments", role="participant")


@oddity
def only_facilitators(odd: Company) -> None:
    """Those enrolled are staff."""
    odd.set("enrolments", role="facilitator")


@oddity
def no_enrolment(odd: Company) -> None:
    """Nobody is enrolled, and no file says so."""
    odd.drop("enrolments", "sessions")


# How they came in.


@oddity
def a_lottery(odd: Company) -> None:
    """Lots decided."""
    odd.program["assignment"] = "lottery"


@oddity
def a_lottery_with_nobody_offered(odd: Company) -> None:
    """A lottery without a prize."""
    nobody_starts(odd)
    odd.program["assignment"] = "lottery"
    odd.set("enrolments", offered="false")


@oddity
def a_lottery_with_everybody_offered(odd: Company) -> None:
    """A lottery without a blank."""
    odd.program["assignment"] = "lottery"
    odd.set("enrolments", offered="true", status=None)


@oddity
def a_lottery_without_answers(odd: Company) -> None:
    """A lottery of which nobody wrote down who won."""
    odd.program["assignment"] = "lottery"
    odd.set("enrolments", offered=None, status=None)


@oddity
def a_waitlist(odd: Company) -> None:
    """Who lost the lots started half a year later."""
    odd.program["assignment"] = "waitlist"
    gone = odd.tables["employees"].set_index("employee_id")["exit_date"].dropna()

    def later(rows: pd.DataFrame) -> pd.Series:
        turn = (pd.to_datetime(rows["intake_date"]) + pd.Timedelta(days=190)).dt.strftime("%Y-%m-%d")
        there = ~(rows["employee_id"].map(gone) <= turn)
        return rows["start_date"].where(rows["start_date"].notna() | ~there, turn)

    odd.set("enrolments", start_date=later, status=None)


@oddity
def a_waitlist_that_never_starts(odd: Company) -> None:
    """Who lost the lots is waiting still."""
    odd.program["assignment"] = "waitlist"


@oddity
def a_rollout(odd: Company) -> None:
    """One department after the other: Bridges at the first intake, Roads at the second, Tunnels never."""
    odd.program["assignment"] = "rollout"
    if "jobs" not in odd.tables:
        return
    first = odd.tables["jobs"].drop_duplicates("employee_id").set_index("employee_id")["department"]
    reached = {"Bridges": FIRST_INTAKE, "Roads": SECOND_INTAKE}
    odd.keep("enrolments", lambda rows: rows["employee_id"].map(first).map(reached) == rows["intake_date"])


@oddity
def a_rollout_all_at_once(odd: Company) -> None:
    """A rollout that reached every department on one day."""
    odd.program["assignment"] = "rollout"
    all_starts_on_one_day(odd)


@oddity
def a_rollout_with_one_unit(odd: Company) -> None:
    """A rollout in a company of one department."""
    odd.program["assignment"] = "rollout"
    odd.set("jobs", department="Bridges")


@oddity
def a_second_program_with_the_same_people(odd: Company) -> None:
    """All who started one program started the other on the same day."""
    odd.study["programs"].append(odd.program | {"id": "twin", "name": "Twin", "direction": "traditional"})
    if "enrolments" in odd.tables:
        rows = odd.tables["enrolments"]
        match = rows["match_id"].where(rows["match_id"].isna(), "T" + rows["match_id"].astype("object").astype(str))
        odd.tables["enrolments"] = pd.concat([rows, rows.assign(program_id="twin", match_id=match)], ignore_index=True)


@oddity
def a_program_with_no_enrolment(odd: Company) -> None:
    """A second program that nobody is enrolled in."""
    odd.study["programs"].append(odd.program | {"id": "empty", "name": "Empty", "direction": "traditional"})


# What is known of the people.


@oddity
def one_level(odd: Company) -> None:
    """A company without a ladder: everybody is of one level, and nobody rises."""
    odd.set("jobs", job_level=3)


@oddity
def one_unit(odd: Company) -> None:
    """One department, one location, one family of jobs."""
    odd.set("jobs", department="Bridges", job_family="Sales")
    odd.set("employees", location="North")


@oddity
def nobody_is_promoted(odd: Company) -> None:
    """One row a person in the history of jobs."""
    if "jobs" in odd.tables:
        odd.tables["jobs"] = odd.tables["jobs"].drop_duplicates("employee_id", ignore_index=True)


@oddity
def everybody_is_promoted(odd: Company) -> None:
    """Everybody rose on one day."""
    nobody_is_promoted(odd)
    if "jobs" in odd.tables and "employees" in odd.tables:
        people = odd.tables["employees"]
        there = people[(people["hire_date"] < "2023-07-01") & ~(people["exit_date"] < "2023-07-01")]["employee_id"]
        rows = odd.tables["jobs"]
        rise = rows[rows["employee_id"].isin(there)].assign(effective_date="2023-07-01", job_level=9)
        odd.tables["jobs"] = pd.concat([rows, rise], ignore_index=True)


@oddity
def no_jobs(odd: Company) -> None:
    """No history of jobs."""
    odd.drop("jobs")


@oddity
def nothing_optional(odd: Company) -> None:
    """Columns that need not be there are not there."""
    keep = {
        "employees": ["employee_id", "hire_date", "exit_date"],
        "jobs": ["employee_id", "effective_date", "job_level"],
        "responses": ["employee_id", "wave", "instrument", "item", "value"],
        "ratings": ["ratee_id", "rater_role", "wave", "instrument", "item", "value"],
        "enrolments": ["program_id", "intake_date", "employee_id", "role", "start_date"],
    }
    for table, columns in keep.items():
        if table in odd.tables:
            odd.tables[table] = odd.tables[table][columns]
    odd.drop("sessions")
    for key in ("currency", "replacement_cost_share"):
        odd.study.pop(key, None)
    for program in odd.study["programs"]:
        program.pop("cost_fixed", None)
        program.pop("cost_per_participant", None)


@oddity
def no_hr_file(odd: Company) -> None:
    """Nobody knows who left."""
    odd.drop("employees")


@oddity
def everybody_hired_late(odd: Company) -> None:
    """The company began on the day of the first intake."""
    odd.set("employees", hire_date=FIRST_INTAKE)
    odd.set("jobs", effective_date=lambda rows: rows["effective_date"].clip(lower=FIRST_INTAKE))
    odd.keep("employees", lambda rows: ~(rows["exit_date"] <= FIRST_INTAKE))
    if "employees" in odd.tables:
        odd.only(odd.tables["employees"]["employee_id"])


# What they answered.


@oddity
def no_survey(odd: Company) -> None:
    """Nobody was asked anything."""
    odd.drop("waves", "responses", "ratings")


@oddity
def one_wave(odd: Company) -> None:
    """Asked once, before the program."""
    _only_waves(odd, [1])


@oddity
def two_waves(odd: Company) -> None:
    """Asked once before and once after."""
    _only_waves(odd, [1, 3])


@oddity
def only_waves_before_the_start(odd: Company) -> None:
    """Asked before anybody started, and never again."""
    for wave, opens in ((2, "2022-04-15"), (3, "2022-05-01")):
        for table, column in (("waves", "opens"), ("waves", "closes"), ("responses", "responded_at")):
            if column in odd.tables.get(table, ()):
                odd.set(table, **{column: lambda rows, c=column, w=wave, o=opens: rows[c].where(rows["wave"] != w, o)})
    _only_waves(odd, [1, 2, 3])


@oddity
def only_waves_after_the_start(odd: Company) -> None:
    """Nobody was asked before the program."""
    _only_waves(odd, [3, 4])


def _only_waves(odd: Company, waves: list[int]) -> None:
    for table in ("waves", "responses", "ratings"):
        odd.keep(table, lambda rows: rows["wave"].isin(waves))


@oddity
def one_item(odd: Company) -> None:
    """A scale of one question each."""
    for card in odd.cards.values():
        for scale in card["scales"].values():
            first = next(iter(scale["items"]))
            scale["items"] = {first: scale["items"][first]}
    asked = {item for card in odd.cards.values() for scale in card["scales"].values() for item in scale["items"]}
    for table in ("responses", "ratings"):
        odd.keep(table, lambda rows: rows["item"].isin(asked))


@oddity
def one_scale(odd: Company) -> None:
    """Asked about morale alone, and nobody is rated by others."""
    odd.drop("ratings")
    odd.cards.pop("around", None)
    odd.keep("waves", lambda rows: rows["instrument"] == "mini")
    odd.keep("responses", lambda rows: rows["item"].str.startswith("m"))
    odd.cards["mini"]["scales"].pop("digital_fluency", None)


@oddity
def two_items(odd: Company) -> None:
    """Scales of two questions: no model of one factor can be tested."""
    for table in ("responses", "ratings"):
        odd.keep(table, lambda rows: ~rows["item"].isin(["m3", "l3"]))
    for card in odd.cards.values():
        for scale in card["scales"].values():
            scale["items"].pop("m3", None)
            scale["items"].pop("l3", None)


@oddity
def no_variance_in_answers(odd: Company) -> None:
    """Everybody ticked the middle, everywhere."""
    for table in ("responses", "ratings"):
        odd.set(table, value=3)


@oddity
def nobody_changes(odd: Company) -> None:
    """Everybody says the same at every wave."""
    for table, person in (("responses", "employee_id"), ("ratings", "ratee_id")):
        odd.set(table, value=lambda rows, person=person: rows[person].str[1:].astype(int) % 5 + 1)


@oddity
def those_who_stay_out_never_change(odd: Company) -> None:
    """Only those who started ever answer otherwise than before."""
    if "enrolments" not in odd.tables:
        return
    started = odd.tables["enrolments"].dropna(subset="start_date")["employee_id"]
    for table, person in (("responses", "employee_id"), ("ratings", "ratee_id")):
        odd.set(table, value=lambda rows, p=person: rows["value"].where(rows[p].isin(started), 4))


@oddity
def one_item_always_skipped(odd: Company) -> None:
    """Nobody answered one of the questions."""
    odd.set("responses", value=lambda rows: rows["value"].where(rows["item"] != "m1", None))


@oddity
def everything_skipped(odd: Company) -> None:
    """Forms were sent in empty."""
    for table in ("responses", "ratings"):
        odd.set(table, value=None)


@oddity
def two_people_answer(odd: Company) -> None:
    """Two people answered the survey."""
    odd.keep("responses", lambda rows: rows["employee_id"].isin(sorted(set(rows["employee_id"]))[:2]))
    odd.keep("ratings", lambda rows: rows["ratee_id"].isin(sorted(set(rows["ratee_id"]))[:2]))


@oddity
def starters_never_answer(odd: Company) -> None:
    """Nobody who started answered the survey."""
    if "enrolments" not in odd.tables:
        return
    started = odd.tables["enrolments"].dropna(subset="start_date")["employee_id"]
    odd.keep("responses", lambda rows: ~rows["employee_id"].isin(started))
    odd.keep("ratings", lambda rows: ~rows["ratee_id"].isin(started))


@oddity
def only_starters_answer(odd: Company) -> None:
    """Nobody who stayed out answered the survey."""
    if "enrolments" not in odd.tables:
        return
    started = odd.tables["enrolments"].dropna(subset="start_date")["employee_id"]
    odd.keep("responses", lambda rows: rows["employee_id"].isin(started))
    odd.keep("ratings", lambda rows: rows["ratee_id"].isin(started))


@oddity
def a_survey_without_names(odd: Company) -> None:
    """The survey says nothing of who answered."""
    if "responses" in odd.tables:
        rows = odd.tables.pop("responses").rename(columns={"employee_id": "respondent_id"})
        odd.tables["unlinked_responses"] = rows.assign(respondent_id="R" + rows["respondent_id"].str[1:])
    odd.drop("ratings")


@oddity
def only_self_ratings(odd: Company) -> None:
    """Nobody but oneself rates anybody."""
    odd.keep("ratings", lambda rows: rows["rater_role"] == "self")


# Files that do not fit together, and what the study file says.


@oddity
def everyone_unmatched_in_the_survey(odd: Company) -> None:
    """The survey's ids are of another system."""
    odd.set("responses", employee_id=lambda rows: "X" + rows["employee_id"])


@oddity
def managers_of_another_system(odd: Company) -> None:
    """The ids of the managers are nobody's."""
    odd.set("jobs", manager_id=lambda rows: "X" + rows["employee_id"])


@oddity
def every_wave_after_as_of(odd: Company) -> None:
    """The data were locked before anybody was asked."""
    later = {"opens": "2025-03-01", "closes": "2025-03-14"}
    odd.keep("waves", lambda rows: rows["wave"] == 1)
    odd.set("waves", **later)
    for table in ("responses", "ratings"):
        odd.keep(table, lambda rows: rows["wave"] == 1)
    odd.set("responses", responded_at="2025-03-02")


@oddity
def data_locked_soon_after_the_start(odd: Company) -> None:
    """Nobody has been followed to the horizon yet."""
    odd.study["as_of"] = "2022-08-31"


@oddity
def data_locked_before_the_start(odd: Company) -> None:
    """The program has not begun."""
    odd.study["as_of"] = "2022-05-31"


@oddity
def a_horizon_of_twenty_years(odd: Company) -> None:
    """A horizon that nobody will see."""
    odd.study["horizons_months"] = [12, 240]


@oddity
def a_horizon_of_one_month(odd: Company) -> None:
    """A horizon before anything can have happened."""
    odd.study["horizons_months"] = [1]


@oddity
def an_event_far_away(odd: Company) -> None:
    """A reorganization in another century."""
    odd.study["events"] = [{"date": dt.date(1924, 1, 1), "label": "Founded"}]


@oddity
def a_large_min_cell(odd: Company) -> None:
    """Nothing may be shown of fewer than fifty."""
    odd.study["min_cell"] = 50


@oddity
def no_program(odd: Company) -> None:
    """The company runs nothing."""
    odd.study["programs"] = []
    odd.drop("enrolments", "sessions")


@oddity
def four_people(odd: Company) -> None:
    """Four people in all: one mentor, one mentee, two who stayed out."""
    people, started = odd.tables.get("employees"), []
    if "enrolments" in odd.tables:
        rows = odd.tables["enrolments"].dropna(subset="start_date")
        started = list(rows.drop_duplicates("role")["employee_id"])
    known = people if people is not None else odd.tables.get("enrolments", pd.DataFrame({"employee_id": []}))
    others = [person for person in dict.fromkeys(known["employee_id"]) if person not in started]
    odd.only([*started, *others][:4])
    if "enrolments" in odd.tables and "sessions" in odd.tables:
        odd.keep("sessions", lambda rows: rows["match_id"].isin(odd.tables["enrolments"]["match_id"]))


def odd_company(names: Iterable[str], people: int = 90, seed: int = 0) -> Company:
    """Return the ordinary company with these oddities, applied in the order of `ODDITIES`."""
    asked = set(names)
    unknown = asked - set(ODDITIES)
    if unknown:
        raise ValueError(f"no such oddity: {', '.join(sorted(unknown))}")
    odd = company(people, seed)
    for name, change in ODDITIES.items():
        if name in asked:
            change(odd)
    return odd


# Every oddity at least once, a few to a study, none of which hides another; in words: what is together.
LIGHT = ("one_role", "one_scale")
COMBINED: tuple[tuple[str, ...], ...] = (
    ("nobody_leaves", "one_unit", "one_item"),
    ("nobody_leaves_voluntarily", "nobody_is_promoted", "no_variance_in_answers", "an_event_far_away"),
    ("everybody_leaves_voluntarily", "every_applicant_starts", "two_waves", "one_level"),
    ("exits_of_unknown_kind", "nothing_optional", "nobody_changes"),
    ("everybody_leaves_on_one_day", "one_intake", "those_who_stay_out_never_change", "everybody_is_promoted"),
    ("everybody_gone_before_study_start",),
    ("every_exit_before_the_first_start", "only_waves_before_the_start"),
    ("one_exit", "all_starts_on_one_day", "one_item_always_skipped"),
    ("nobody_starts", "two_people_answer"),
    ("everybody_starts", "one_wave"),
    ("one_starter", "starters_never_answer"),
    ("two_people_in_an_arm", "only_waves_after_the_start"),
    ("everything_on_one_day", "everything_skipped"),
    ("only_facilitators", "no_jobs"),
    ("no_enrolment", "a_survey_without_names"),
    ("a_lottery", "only_starters_answer"),
    ("a_lottery_with_nobody_offered",),
    ("a_lottery_with_everybody_offered", "no_survey"),
    ("a_lottery_without_answers", "everybody_hired_late"),
    ("a_waitlist", "a_horizon_of_one_month"),
    ("a_waitlist_that_never_starts", "two_items"),
    ("a_rollout",),
    ("a_rollout_all_at_once", "no_jobs"),
    ("a_rollout_with_one_unit", "nobody_leaves"),
    ("a_second_program_with_the_same_people", "everyone_unmatched_in_the_survey"),
    ("a_program_with_no_enrolment", "data_locked_soon_after_the_start"),
    ("no_hr_file",),
    ("managers_of_another_system", "every_wave_after_as_of"),
    ("data_locked_before_the_start",),
    ("a_horizon_of_twenty_years", "a_large_min_cell"),
    ("no_program",),
    ("four_people", "nothing_optional"),
    ("four_people", "no_jobs", "only_self_ratings"),
)


def write(odd: Company, folder: Path) -> None:
    """Write a study folder: ``study.yaml``, ``raw/`` and the instruments' cards; tables without a row are left out."""
    for part in ("raw", "instruments"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = []
    for name, rows in odd.tables.items():
        path = f"raw/{name.replace('/', '_')}.csv"
        rows.to_csv(folder / path, index=False)
        sources.append({"table": name.partition("/")[0], "path": path, "profile": "canonical"})
    stated = odd.study | {"study": folder.name, "sources": sources}
    (folder / "study.yaml").write_text(yaml.dump(stated, Dumper=_Plain, sort_keys=False), encoding="utf-8")
    for name, card in odd.cards.items():
        (folder / "instruments" / f"{name}.yaml").write_text(yaml.safe_dump(card, sort_keys=False), encoding="utf-8")


class _Plain(yaml.SafeDumper):
    """Writes a value that recurs in full: a study file may have no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True
