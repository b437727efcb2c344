"""README, ARCHITECTURE and the codebook say what the code does: every name, default, command, rule and link in them."""

import importlib
import math
import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import typer

from analysis.cli import app
from analysis.pipeline import open_study
from analysis.plan.contract import TABLES
from analysis.plan.errors import Problem
from analysis.plan.hypotheses import Claim, Hypothesis, load_plan
from analysis.plan.instruments import Instrument, Item, Response, Scale, load_instruments
from analysis.plan.results import ESTIMATE_COLUMNS
from analysis.plan.study import Eligibility, Event, Program, Source, Study
from analysis.simulate.truth import TRUTH_COLUMNS

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "data/README.md")
ROOMS = "plan|ingest|validate|measure|design|estimate|release|report|pipeline|notebook|cli|simulate|fetch"
MINUS = "\u2212"


@cache
def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


CODEBOOK = text("data/README.md")


def section(heading: str, document: str = "data/README.md") -> str:
    """Return what stands under a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text(document), re.M | re.S)
    assert found, f"{document} has no section {heading!r}"
    return found[1]


def table_rows(markdown: str) -> list[list[str]]:
    """Return the cells of every table line, headers and rules left out."""
    lines = [re.findall(r"(?<=\|)[^|]*(?=\|)", line) for line in markdown.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line] for line in lines]
    return [line for line in cells if line[0].startswith("`")]


def code_names(markdown: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", markdown))


# --- the codebook -----------------------------------------------------------------------------------------------------


def presence(column) -> str:
    if not column.required:
        return "optional"
    return "required, may be empty" if column.nullable else "required"


@pytest.mark.parametrize("table", TABLES)
def test_codebook_describes_every_column_as_the_contract_does(table):
    rows = table_rows(section(table))
    assert [(row[0].strip("`"), row[1], row[2]) for row in rows] == [
        (name, column.kind, presence(column)) for name, column in TABLES[table].items()
    ]
    for row, column in zip(rows, TABLES[table].values(), strict=True):
        assert {f"`{value}`" for value in column.allowed} == set(re.findall(r"`\w+`", row[3]))
        limits = [f"{limit:g}" for limit in (column.minimum, column.maximum) if limit is not None]
        assert re.findall(r"\d+", row[3]) == limits


def default_text(field) -> str:
    """Return how the codebook writes a key's default."""
    if field.is_required():
        return "required"
    value = field.default
    if value == "":
        return "empty"
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{list(value) if isinstance(value, tuple) else value}`"


@pytest.mark.parametrize(("model", "first_key"), [
    (Study, "schema_version"), (Program, "id"), (Eligibility, "job_level"), (Source, "table"), (Event, "date"),
    (Instrument, "instrument"), (Scale, "construct"),
])
def test_codebook_describes_every_key_with_its_default(model, first_key):
    found = next(rows for rows in key_tables() if rows[0][0] == f"`{first_key}`")
    told = {row[0].strip("`"): row[1] for row in found}
    fields = {field.alias or name: field for name, field in model.model_fields.items() if name != "folder"}
    assert told == {name: default_text(field) for name, field in fields.items()}


def key_tables() -> list[list[list[str]]]:
    return [rows for part in re.split(r"\n\n", CODEBOOK) if part.startswith("| key") and (rows := table_rows(part))]


@pytest.mark.parametrize("model", [Response, Item, Hypothesis, Claim])
def test_codebook_names_every_key_of_the_smaller_parts(model):
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields <= code_names(CODEBOOK)


def test_codebook_lists_every_column_of_the_ledgers():
    def listed(heading: str) -> list[str]:
        return [name for row in table_rows(section(heading)) for name in re.findall(r"`(\w+)`", row[0])]

    assert listed("estimates.csv") == ESTIMATE_COLUMNS
    assert listed("data_quality.csv")[:len(problem := list(Problem.__dataclass_fields__))] == problem
    assert set(TRUTH_COLUMNS) <= code_names(section("Demo studies"))
    assert set(pd.read_csv(ROOT / "data" / "literature.csv").columns) <= code_names(section("literature.csv"))


def rules_in_the_code() -> dict[str, set[tuple[str, str]]]:
    """Return the rules by name, with severity and action where the code says them beside the name."""
    source = "".join(p.read_text(encoding="utf-8") for room in ("ingest", "validate")
                     for p in sorted((ROOT / "src" / "analysis" / room).glob("*.py")))
    found: dict[str, set[tuple[str, str]]] = {}
    for name, severity, action in re.findall(r'Rule\(f?"([^"]+)", \w+|Rule\(', "") or re.findall(
            r'Rule\(\s*f?"([^"]+)",\s*\S+,\s*"(\w+)",\s*"(\w+)"', source):
        found.setdefault(name, set()).add((severity, action))
    for name in re.findall(r'(?:fail|_error)\(\s*"(\w+)"', source):
        found.setdefault(name, set()).add(("error", "rejected"))
    for name in re.findall(r'_problem\([^"\n]*?"(\w+)"|rule="(\w+)"', source):
        found.setdefault("".join(name), set())
    return found


def rules_in_the_codebook() -> dict[str, set[tuple[str, str]]]:
    found: dict[str, set[tuple[str, str]]] = {}
    lines = [line.split("|")[1:-1] for line in section("data_quality.csv").splitlines() if line.startswith("|")]
    for _about, rules, severity, action in [line for line in lines if len(line) == 4]:
        for name in re.findall(r"`(\w+)`", rules):
            found.setdefault(name, set()).add((severity.strip(), action.strip()))
    return found
