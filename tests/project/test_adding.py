"""CONTRIBUTING's table "Add a thing" is true: each is added to a copy of the project, works, and takes as many files.

A row's test writes what a contributor would write, runs the command on a tiny study, and counts what changed.
"""

import os
import pickle
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from demo_answers import demo_answer
from faulty_company import write_company
from studies import TINY_COMPANY, write_study

ROOT = Path(__file__).parents[2]
COPIED = ("src/analysis", "data/instruments", "notebooks")
FILES = (
    "pyproject.toml",
    "CONTRIBUTING.md",
    "data/README.md",
    "data/hypotheses.yaml",
    "data/literature.csv",
)
ROW = re.compile(r"^\| (?P<thing>[^|]+?) +\| (?P<n>\d+) +\|", re.M)


class Copy:
    """A copy of the project in which things are added; it knows which of its files are no longer the project's."""

    def __init__(self, folder: Path):
        self.folder = folder
        for part in COPIED:
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.ipynb"))
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        self.before = self._content()

    def _content(self) -> Mapping[str, bytes]:
        held = [path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in held}

    def changed(self) -> list[str]:
        return sorted(name for name, content in self._content().items() if self.before.get(name) != content)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def insert(self, name: str, before: str, text: str) -> None:
        """Put text in front of the only place in a file that reads so."""
        content = (self.folder / name).read_text(encoding="utf-8")
        assert content.count(before) == 1, f"{name} has {content.count(before)} places {before!r}"
        self.write(name, content.replace(before, text + before))

    def run(self, *command: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"PYTHONPATH": str(self.folder / "src")}
        return subprocess.run(
            [sys.executable, *command], cwd=self.folder, env=environment, capture_output=True, text=True
        )

    def make_tables(self) -> None:
        """Do in the copy what ``make tables`` does in the project."""
        code = "import sys; sys.path.append(sys.argv[1]); import document_tables as made, pathlib; "
        done = self.run("-c", code + "made.write_tables(pathlib.Path())", str(ROOT / "tests"))
        assert done.returncode == 0, done.stderr

    def check(self, tables: Mapping[str, str], tmp_path: Path, **study_yaml) -> str:
        """Return what `mentoring check` prints of a study of these tables."""
        write_study(tmp_path / "studies" / "acme", tables, **study_yaml)
        where = ("--data", str(tmp_path / "studies"), "--reports", str(tmp_path / "reports"))
        done = self.run("-m", "analysis", "check", "acme", "--all", *where)
        assert "Traceback" not in done.stderr and done.returncode in (0, 2), done.stderr
        return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path) -> Copy:
    return Copy(tmp_path / "project")


def told() -> dict[str, int]:
    """Return how many files each thing takes, as CONTRIBUTING says."""
    return {row["thing"]: int(row["n"]) for row in ROW.finditer((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))}


PROFILE = """\
profile: acmehr
title: Acme HR
unverified: invented
tables:
  employees:
    recognised_by: [Worker ID, Leaving Date]
    keys:
      employee_id: {by: id, columns: [Worker ID]}
    columns:
      hire_date: [Start Date]
      exit_date: [Leaving Date]
      exit_type: [Leaving Type]
    values:
      exit_type: {voluntary: [Resigned]}
"""
EXPORT = "Worker ID,Start Date,Leaving Date,Leaving Type\nE1,2019-03-01,,\nE2,2020-06-15,2023-09-30,Resigned\n"
SOURCE = {"sources": [{"table": "employees", "path": "raw/employees.csv", "profile": "acmehr"}]}


def test_a_vendor(project, tmp_path):
    tables = {"employees": EXPORT}
    assert "acme: cannot be used" in project.check(tables, tmp_path, **SOURCE)
    project.write("src/analysis/ingest/profiles/acmehr.yaml", PROFILE)
    project.insert("CONTRIBUTING.md", "| `bamboohr` |", "| `acmehr` | Acme HR | `employees` | unverified: invented |\n")
    assert re.search(r"employees +raw/employees.csv +2 +2 ", project.check(tables, tmp_path, **SOURCE))
    assert len(project.changed()) == told()["a vendor's export"], project.changed()


CARD = """\
instrument: curiosity
title: Curiosity
response: {min: 1, max: 5}
scales:
  curiosity:
    construct: curiosity
    source: written for this test
    licence: CC0-1.0
    items:
      cur1: {text: "I ask why."}
      cur2: {text: "I ask how."}
"""
HYPOTHESIS = """\
  - id: H10_curiosity
    title: Curiosity
    question: Does taking part make people curious?
    family: secondary
    outcome: curiosity
    construct: curiosity
    roles: [mentor, mentee, participant]
    measure: mean_difference
    claimed_direction: 1
    smallest_effect: 0.15
    unit: points of the scale
    estimand: as for morale

"""
ANSWERED = TINY_COMPANY | {
    "waves": TINY_COMPANY["waves"] + "        1,curiosity,2022-03-01,2022-03-14\n",
    "responses": TINY_COMPANY["responses"] + "        E1,1,curiosity,cur1,4,\n        E1,1,curiosity,cur2,4,\n",
}


def test_a_scale_hypothesis(project, tmp_path):
    assert "Curiosity" not in project.check(TINY_COMPANY, tmp_path)
    project.write("data/instruments/curiosity.yaml", CARD)
    project.insert("data/hypotheses.yaml", "  - id: H8_promotion\n", HYPOTHESIS)
    assert re.search(r"Curiosity +no: No survey in the study measures", project.check(TINY_COMPANY, tmp_path))
    printed = project.check(ANSWERED, tmp_path)
    assert re.search(r"mentee +Curiosity", printed) and not re.search(r"Curiosity +no: No survey", printed)
    assert len(project.changed()) == told()["a scale hypothesis"], project.changed()


MOVES = """\
  - id: H10_moves
    title: Internal moves
    question: Do people who take part move to other departments more often?
    family: secondary
    outcome: internal_move
    event: {column: department, change: any}
    roles: [mentor, mentee, participant]
    measure: risk_difference
    claimed_direction: 1
    smallest_effect: 0.03
    unit: percentage points
    estimand: The risk of a first move, exits competing.

"""
WORDS = """\
  internal_move:
    label: internal move
    kinds: [internal_move]
    words:
      did: moved
      had: had moved
      do: move
      doing: moving
      plural: moves
      rate_of: a first move
"""
ANSWER = """
import sys
from pathlib import Path
from analysis.pipeline import open_study
from analysis.pipeline.events import comparisons, job_event
from analysis.plan.hypotheses import load_plan
from analysis.report.prose import finding_sentence
opened = open_study("larkfield", Path(sys.argv[1]))
(mentors, _) = comparisons(opened, opened.study.programs[0])
print(finding_sentence(job_event(mentors, load_plan().hypothesis("H10_moves")), opened.study))
"""


def test_an_event_outcome(project, tmp_path):
    project.insert("data/hypotheses.yaml", "  - id: H8_promotion\n", MOVES)
    project.insert("src/analysis/plan/catalogue.yaml", "  morale: {label: morale", WORDS)
    assert "Internal moves" in project.check(TINY_COMPANY, tmp_path)
    said = project.run("-c", ANSWER, str(ROOT / "data"))
    assert "moved" in said.stdout and "within 12 months" in said.stdout, said.stderr
    assert len(project.changed()) == told()["an event outcome"], project.changed()


RULE = """\
    Rule(
        "job_on_sunday",
        "effective_date",
        "warning",
        "kept",
        "effective_date is a Sunday; check it",
        lambda f, _: f["effective_date"].dt.dayofweek == 6,
    ),
"""


def test_a_validation_rule(project, tmp_path):
    sunday = TINY_COMPANY | {"jobs": TINY_COMPANY["jobs"].replace("E3,2021-01-01,2", "E3,2021-01-03,2")}
    project.insert("src/analysis/validate/jobs.py", '    after_as_of("job", "effective_date"),', RULE)
    project.make_tables()
    message = "effective_date is a Sunday; check it [kept]"
    assert f"raw/jobs.csv, line 4: {message}" in project.check(sunday, tmp_path)
    assert message not in project.check(TINY_COMPANY, tmp_path)
    assert len(project.changed()) == told()["a validation rule"], project.changed()


FUNCTION = '''\
def twice(c: ByTrials) -> Iterator[Row]:
    """Yield twice the difference."""
    once = difference(c.arms, c.outcome, c.first)
    twofold = [2 * value for value in (once.estimate, once.std_error, once.low, once.high)]
    yield c.row(c.arms, c.first, read=lambda: Interval(*twofold, once.p_value))


'''
LINE = '    Analysis("iptw_aalen_johansen_twice", twice),\n'
RECORD = """\
  iptw_aalen_johansen_twice:
    kind: other_way
    label: twice
    method: ways
    made_by: [estimate.sensitivity.twice]
"""
ROWS = """
import sys
from analysis.pipeline import open_study
from analysis.pipeline.events import comparisons, retention
opened = open_study("acme", sys.argv[1])
found = retention(comparisons(opened, opened.study.programs[0])[0])
main, *twice = [found.primary, *(row for row in found.alternatives if row.estimator.endswith("_twice"))]
print([row.estimate / main.estimate for row in twice])
"""


def test_a_row_of_an_estimator(project, tmp_path):
    write_company(tmp_path, is_mentors_only=True, is_surveyed=False)
    assert project.run("-c", ROWS, str(tmp_path)).stdout == "[]\n"
    project.insert("src/analysis/estimate/sensitivity.py", "SENSITIVITY: tuple[", FUNCTION)
    project.insert("src/analysis/estimate/sensitivity.py", '    Analysis("e_value",', LINE)
    assert "UnknownTerm" in project.run("-c", ROWS, str(tmp_path)).stderr
    project.insert("src/analysis/plan/catalogue.yaml", "  aipw_aalen_johansen:\n", RECORD)
    assert project.run("-c", ROWS, str(tmp_path)).stdout == "[2.0]\n"
    assert len(project.changed()) == told()["an estimator's row"], project.changed()


SCHEMA = "by_site:\n  - {kind: key, columns: site}\n  - {kind: people, columns: n_people}\n"
SHOWN = """
import pandas as pd
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule
frame = pd.DataFrame({"site": ["Leeds", "York"], "n_people": [43, 4]})
print(release_frame("by_site", frame, ReleaseRule(min_cell=10, round_to=5))["n_people"].tolist())
"""


def test_a_frame_that_may_be_shown(project):
    assert "NoSchemaError" in project.run("-c", SHOWN).stderr
    project.insert("src/analysis/release/schemas.yaml", "flow:\n", SCHEMA)
    done = project.run("-c", SHOWN)
    assert done.stdout.startswith("[40") and "4]" not in done.stdout.replace("<NA>", ""), done.stderr
    assert len(project.changed()) == told()["a table that may be shown"], project.changed()


FIGURE = """

@styled
def missing_plot(finding: Finding) -> Figure:
    rows = finding.evidence["missing"].dropna(subset="n_control")
    figure, axes = sheet(say("pictures.missing", len(rows)), height=2.0)
    axes.barh(rows["covariate"], rows["n_control"].astype(float), color=GREY)
    axes.set_xlabel("people without the number")
    return figure
"""
PAGE = """
import pickle, sys
from pathlib import Path
from analysis.report.page import study_pages
page = " ".join(study_pages(pickle.loads(Path(sys.argv[1]).read_bytes())).values())
print("covariates some are missing" in page, "Who lacks a number." in page)
"""


def test_a_figure(project, tmp_path):
    (tmp_path / "answer").write_bytes(pickle.dumps(demo_answer("fjellkode")))
    path = "src/analysis/report/figures_checks.py"
    project.write(path, (project.folder / path).read_text(encoding="utf-8") + FIGURE)
    line = '    "missing": EvidencePicture(figures_checks.missing_plot, "n_control", "open"),\n'
    project.insert("src/analysis/report/pictures.py", '    "overlap": EvidencePicture(', line)
    macro = "{% macro missing(n) %}\nof {{ n }} covariates some are missing\n{% endmacro %}\n\n"
    templates = "src/analysis/report/templates/en/pictures.j2"
    project.insert(templates, "{% macro caption(kind) %}", macro)
    project.insert(templates, '    "overlap": "Was there', '    "missing": "Who lacks a number.",\n')
    shown = project.run("-c", PAGE, str(tmp_path / "answer"))
    assert shown.stdout.split() == ["True", "True"], shown.stderr
    assert len(project.changed()) == told()["a figure of a frame of evidence"], project.changed()


SAID = """
from analysis.report.template import say
print(say("names.program", "Genius Clinic"))
"""


def test_a_sentence_put_otherwise(project):
    assert project.run("-c", SAID).stdout == "the Genius Clinic program\n"
    project.insert("src/analysis/report/templates/en/names.j2", " program{% endif %}", " mentoring")
    assert project.run("-c", SAID).stdout == "the Genius Clinic mentoring program\n"
    assert len(project.changed()) == told()["a sentence put otherwise"], project.changed()


def test_every_row_of_the_table_has_its_test():
    parts = ("a vendor's export", "a scale hypothesis", "an event outcome", "a validation rule", "an estimator's row")
    parts += ("a figure of a frame of evidence",)
    assert set(told()) == {*parts, "a sentence put otherwise", "a table that may be shown"}
