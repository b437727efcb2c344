"""What says the same gives the same answers: a company written otherwise, renamed, doubled, or among more people.

The answers are those on retention and morale of a simulated company of some 260 people, estimate and standard error.
What changes only how files are written must give the very same tables, and so every answer of a study.
"""

import csv
import dataclasses
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from simulations.situations.main_row import main_row
from simulations.situations.world import Case

from analysis.design.panels import Panels
from analysis.estimate.by_scores import ScaleScores, estimate_change
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study
from analysis.pipeline.events import Comparison
from analysis.plan.contract import TABLES
from analysis.plan.paths import shipped
from analysis.simulate import files, scenario_named, simulate

EXACT = {"rel": 1e-9, "abs": 1e-12}
ROLE = "mentor"
PEOPLE = ("employee_id", "manager_id", "ratee_id", "rater_id")
# The weekdays and leap years of 28 years later are the same.
YEARS_LATER = 28


@dataclasses.dataclass(frozen=True)
class Written:
    """A study as it is on disk: the cells of every file by table, ``study.yaml``, its own cards, and how it is written.

    Attributes
    ----------
    tables
        Every cell as text; an empty one is ``""``. A second file of a table is named ``enrolments/again``.
    profiles
        The study's own profiles, by the table that they read.
    """

    tables: Mapping[str, pd.DataFrame]
    study: dict
    cards: Mapping[str, dict] = dataclasses.field(default_factory=dict)
    profiles: Mapping[str, dict] = dataclasses.field(default_factory=dict)
    encoding: str = "utf-8"
    newline: str = "\n"
    quoting: int = csv.QUOTE_MINIMAL

    def but(self, **changes) -> "Written":
        """Return the study with other attributes."""
        return dataclasses.replace(self, **changes)

    def with_tables(self, **changed: pd.DataFrame) -> "Written":
        """Return the study with other cells in these files."""
        return self.but(tables={**self.tables, **changed})

    def everywhere(self, change: Callable[[pd.DataFrame], pd.DataFrame]) -> "Written":
        """Return the study with every file changed alike."""
        return self.but(tables={table: change(rows) for table, rows in self.tables.items()})

    def opened(self, data: Path) -> OpenStudy:
        """Write the study into a data folder, read it and check it."""
        folder = data / self.study["study"]
        for part in ("raw", "instruments", "profiles"):
            (folder / part).mkdir(parents=True)
        sources = []
        for table, rows in self.tables.items():
            text = io.StringIO()
            rows.to_csv(text, index=False, quoting=self.quoting, lineterminator=self.newline)
            path = f"raw/{table.replace('/', '_')}.csv"
            (folder / path).write_bytes(text.getvalue().encode(self.encoding))
            name = table.partition("/")[0]
            profile = "of_our_own" if name in self.profiles else "canonical"
            sources.append({"table": name, "path": path, "profile": profile})
        (folder / "study.yaml").write_text(yaml.safe_dump(self.study | {"sources": sources}), encoding="utf-8")
        for name, card in self.cards.items():
            (folder / "instruments" / f"{name}.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
        if self.profiles:
            own = {"profile": "of_our_own", "title": "Our own", "tables": dict(self.profiles)}
            (folder / "profiles" / "of_our_own.yaml").write_text(yaml.safe_dump(own), encoding="utf-8")
        return open_study(folder.name, data)


@dataclasses.dataclass(frozen=True)
class Answers:
    """Estimate and standard error of retention and of morale."""

    retention: tuple[float, float]
    morale: tuple[float, float]


def answers(opened: OpenStudy) -> Answers:
    """Return the main rows on retention and morale of the role `ROLE`."""
    exits = main_row(Case(opened, ROLE, "H1_retention", truth=0.0))
    program = opened.study.programs[0]
    scores = self_scores("morale", opened.tables, opened.instruments)
    panel = Panels(opened.tables, opened.study, program, ROLE).after(scores)
    change = estimate_change(
        Comparison(opened, program, ROLE).question("H2_morale"), ScaleScores(panel, n_items=5)
    ).interval
    return Answers((exits.estimate, exits.std_error), (change.estimate, change.std_error))


def assert_same(found: Answers, usual: Answers, **how) -> None:
    """Hold that two pairs of answers are the same."""
    for question in ("retention", "morale"):
        assert getattr(found, question) == pytest.approx(getattr(usual, question), **(how or EXACT)), question


def bank(employees: int) -> Written:
    """Return a bank's program for juniors and seniors, its files in the contract's own form, one for each table."""
    content = files(simulate(scenario_named("metamorphic", employees=employees)))
    study = yaml.safe_load(content["study.yaml"]) | {"horizons_months": [12]}
    parts: dict[str, list[pd.DataFrame]] = {}
    for source in study.pop("sources"):
        rows = pd.read_csv(io.BytesIO(content[source["path"]]), dtype=str, keep_default_na=False)
        filled = {name: str(source[name]) for name in ("wave", "instrument") if name in source}
        parts.setdefault(source["table"], []).append(rows.assign(**filled))
    tables = {table: pd.concat(rows, ignore_index=True) for table, rows in parts.items()}
    tables["employees"]["exit_reason"] = "Zürich"
    tables["sessions"] = tables["sessions"].drop(columns="attendee_ids")
    return Written(tables, study)


@pytest.fixture(scope="module")
def usual() -> Written:
    """The company of most tests."""
    return bank(employees=260)


@pytest.fixture(scope="module")
def as_usual(usual: Written, tmp_path_factory: pytest.TempPathFactory) -> OpenStudy:
    """The company as it is, read."""
    return usual.opened(tmp_path_factory.mktemp("usual"))


@pytest.fixture(scope="module")
def expected(as_usual: OpenStudy) -> Answers:
    """The company's answers."""
    found = answers(as_usual)
    assert 0 < abs(found.retention[0]) < 1 and 0 < abs(found.morale[0]) < 4
    return found


# --- how the files are written ------------------------------------------------------------------------------------


def shuffled_columns(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a file with its columns in another order."""
    return rows[list(np.random.default_rng(1).permutation(rows.columns))]


WAYS_TO_WRITE = {
    "every cell quoted": lambda study: study.but(quoting=csv.QUOTE_ALL),
    "line ends of Windows": lambda study: study.but(newline="\r\n"),
    "line ends of an old Mac": lambda study: study.but(newline="\r"),
    "UTF-8 with a byte-order mark": lambda study: study.but(encoding="utf-8-sig"),
    "UTF-16": lambda study: study.but(encoding="utf-16"),
    "Latin-1": lambda study: study.but(encoding="latin-1"),
    "another order of columns": lambda study: study.everywhere(shuffled_columns),
    "one file in two": lambda study: in_two_files(study, "responses"),
    "enrolments in two sources, some in both": lambda study: enrolled_twice(study),
}


def in_two_files(study: Written, table: str) -> Written:
    """Return a study with the first half of a table in one file and the rest in another."""
    rows, half = study.tables[table], len(study.tables[table]) // 2
    return study.with_tables(**{table: rows[:half], f"{table}/rest": rows[half:]})


def enrolled_twice(study: Written) -> Written:
    """Return a study whose second list of enrolments repeats every third row of the first, as platforms' lists do."""
    rows = study.tables["enrolments"]
    read = {
        "recognised_by": ["employee_id", "intake_date"],
        "keys": {"employee_id": {"by": "id", "columns": ["employee_id"]}},
        "columns": {name: [name] for name in rows if name != "employee_id"},
    }
    return study.with_tables(**{"enrolments/again": rows[::3]}).but(profiles={"enrolments": read})


@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_the_tables_are_the_same_however_the_files_are_written(way, usual, as_usual, tmp_path):
    written = WAYS_TO_WRITE[way](usual).opened(tmp_path).tables
    for table in TABLES:
        expected, found = getattr(as_usual.tables, table), getattr(written, table)
        if expected is not None:
            pd.testing.assert_frame_equal(found[list(expected)], expected, check_categorical=False, obj=table)


def test_the_order_of_rows_changes_nothing(usual, expected, tmp_path):
    shuffled = usual.everywhere(lambda rows: rows.sample(frac=1, random_state=3))
    assert_same(answers(shuffled.opened(tmp_path)), expected)


# --- what people and things are called ----------------------------------------------------------------------------


def renamed(study: Written, names: Mapping[str, str], columns: tuple[str, ...]) -> Written:
    """Return a study in which these columns have other values."""
    return study.everywhere(
        lambda rows: rows.assign(**{c: rows[c].map(names).fillna(rows[c]) for c in columns if c in rows})
    )


def test_names_of_departments_change_nothing_even_if_they_sort_otherwise(usual, expected, tmp_path):
    names = sorted(set(usual.tables["jobs"]["department"]))
    other = {name: f"{chr(ord('Z') - at)} unit" for at, name in enumerate(names[::2] + names[1::2])}
    assert_same(answers(renamed(usual, other, ("department",)).opened(tmp_path)), expected)


def test_names_of_job_families_and_genders_change_nothing(usual, expected, tmp_path):
    families = sorted(set(usual.tables["jobs"]["job_family"]))
    other = dict(zip(families, reversed(families), strict=True)) | {"female": "w", "male": "a"}
    assert_same(answers(renamed(usual, other, ("job_family", "gender")).opened(tmp_path)), expected)


def test_ids_change_no_estimate_whatever_their_order(usual, expected, tmp_path):
    """Who is left out together by the jackknife is drawn by lot in the order of ids, where people are more than the
    hundred groups: then the standard error of retention may move a little. That of morale may not."""
    ids = list(usual.tables["employees"]["employee_id"].unique())
    other = dict(zip(ids, [f"P{n:05d}" for n in np.random.default_rng(2).permutation(len(ids))], strict=True))
    found = answers(renamed(usual, other, PEOPLE).opened(tmp_path))
    assert found.retention[0] == pytest.approx(expected.retention[0], **EXACT)
    assert found.retention[1] == pytest.approx(expected.retention[1], rel=0.1)
    assert found.morale == pytest.approx(expected.morale, **EXACT)


def test_numbers_of_waves_change_nothing(usual, expected, tmp_path):
    """Waves are in the order of the days they open; what they are called says nothing."""
    other = {str(wave): str(100 - wave) for wave in range(1, 7)}
    assert_same(answers(renamed(usual, other, ("wave",)).opened(tmp_path)), expected)


def _later(year: re.Match) -> str:
    return str(int(year[0]) + YEARS_LATER)


def test_the_same_28_years_later(usual, expected, tmp_path):
    """Weekdays, leap years and ages are the same then."""

    def later(rows: pd.DataFrame) -> pd.DataFrame:
        dated = [c for c in rows if rows[c].str.fullmatch(r"\d{4}-\d\d-\d\d").any() or c == "birth_year"]
        return rows.assign(**{c: rows[c].str.replace(r"^\d{4}", _later, regex=True) for c in dated})

    def day_later(value):
        return value.replace(year=value.year + YEARS_LATER) if hasattr(value, "year") else value

    study = {key: day_later(value) for key, value in usual.study.items()} | {"events": []}
    program = study["programs"][0]
    study["programs"] = [program | {"intakes": [day_later(day) for day in program["intakes"]]}]
    assert_same(answers(usual.everywhere(later).but(study=study).opened(tmp_path)), expected)


# --- how the survey asks ------------------------------------------------------------------------------------------


def test_an_item_asked_the_other_way_round_changes_nothing(usual, expected, tmp_path):
    """Answers to a mirrored question are mirrored, and the card says so."""
    card = yaml.safe_load((shipped("instruments") / "pulse.yaml").read_text(encoding="utf-8"))
    items = card["scales"]["morale"]["items"]
    for item in ("mor1", "mor3"):
        items[item]["reversed"] = not items[item].get("reversed", False)
    rows = usual.tables["responses"]
    mirrored = rows["item"].isin(["mor1", "mor3"]) & (rows["instrument"] == "pulse") & (rows["value"] != "")
    turned = rows["value"].replace({str(tick): str(6 - tick) for tick in range(1, 6)})
    other = rows.assign(value=rows["value"].where(~mirrored, turned))
    assert_same(answers(usual.with_tables(responses=other).but(cards={"pulse": card}).opened(tmp_path)), expected)


# --- who is in the company ----------------------------------------------------------------------------------------


def test_a_company_twice_has_the_same_estimate_and_an_error_smaller_by_the_root_of_two(tmp_path):
    """A larger company with few covariates: the shrinkage of the propensity counts half as much in twice the people,
    and how many covariates a model may have grows with them. The estimate may move by a tenth of its error, and the
    error be off by a tenth."""

    def twin(rows: pd.DataFrame) -> pd.DataFrame:
        ids = [c for c in (*PEOPLE, "match_id") if c in rows]
        return rows.assign(**{c: rows[c].where(rows[c] == "", rows[c] + "-twin") for c in ids})

    company = bank(employees=700)
    few = {
        "jobs": ["employee_id", "effective_date", "job_level"],
        "employees": ["employee_id", "hire_date", "exit_date", "exit_type"],
    }
    simple = company.with_tables(**{table: company.tables[table][columns] for table, columns in few.items()})
    doubled = simple.everywhere(lambda rows: rows if "opens" in rows else pd.concat([rows, twin(rows)]))
    once, twice = answers(simple.opened(tmp_path / "once")), answers(doubled.opened(tmp_path / "twice"))
    for question in ("retention", "morale"):
        (estimate, error), (estimate_once, error_once) = getattr(twice, question), getattr(once, question)
        print(question, estimate, estimate_once, error, error_once)
        assert estimate == pytest.approx(estimate_once, abs=0.1 * error_once), question
        assert error_once / error == pytest.approx(np.sqrt(2), rel=0.1), question


def test_people_who_could_not_take_part_change_nothing(usual, expected, tmp_path):
    """Fifty more at a level that no role is open to, and two who lead the program as facilitators."""
    n = 50
    ids = [f"Z{number:05d}" for number in range(n)]
    people = pd.DataFrame({"employee_id": ids, "hire_date": "2018-05-01", "birth_year": "1980", "gender": "female"})
    people["exit_date"] = ["2022-10-10" if number % 5 == 0 else "" for number in range(n)]
    people["exit_type"] = ["voluntary" if number % 5 == 0 else "" for number in range(n)]
    jobs = pd.DataFrame({"employee_id": ids, "effective_date": "2020-10-01", "job_level": "12", "department": "Board"})
    staff = pd.DataFrame(
        {
            "program_id": "genius",
            "intake_date": "2022-02-28",
            "employee_id": ids[:2],
            "role": "facilitator",
            "start_date": "2022-02-28",
        }
    )
    answers_too = usual.tables["responses"].query("employee_id == employee_id.iloc[0]").assign(employee_id=ids[1])
    more = {"employees": people, "jobs": jobs, "enrolments": staff, "responses": answers_too}
    added = {t: pd.concat([usual.tables[t], rows], ignore_index=True).fillna("") for t, rows in more.items()}
    assert_same(answers(usual.with_tables(**added).opened(tmp_path)), expected)
