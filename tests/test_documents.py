"""README, ARCHITECTURE and the codebook say what the code does: every name, default, command, rule and link in them."""

import ast
import importlib
import math
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import typer
from test_architecture import FROM_THE_GROUND

from analysis.cli import app
from analysis.pipeline import open_study
from analysis.plan.contract import TABLES
from analysis.plan.errors import Problem
from analysis.plan.hypotheses import Claim, Hypothesis, load_plan
from analysis.plan.instruments import Instrument, Item, Response, Scale, load_instruments
from analysis.plan.results import ESTIMATE_COLUMNS
from analysis.plan.study import Eligibility, Event, Program, Source, Study, load_study
from analysis.simulate import DEMOS
from analysis.simulate.truth import TRUTH_COLUMNS
from analysis.validate.cells import cell_rules, typed
from analysis.validate.context import Context
from analysis.validate.tables import PHASES

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


FIRST_KEYS = {Study: "schema_version", Program: "id", Eligibility: "job_level", Source: "table", Event: "date"}
FIRST_KEYS |= {Instrument: "instrument", Scale: "construct"}


@pytest.mark.parametrize(("model", "first_key"), FIRST_KEYS.items())
def test_codebook_describes_every_key_with_its_default(model, first_key):
    found = next(rows for rows in key_tables() if rows[0][0] == f"`{first_key}`")
    told = {row[0].strip("`"): row[1] for row in found}
    fields = {field.alias or name: field for name, field in model.model_fields.items() if name != "folder"}
    assert told == {name: default_text(field) for name, field in fields.items()}


@pytest.mark.parametrize(("model", "first_key"), [(Program, "id"), (Source, "table"), (Scale, "construct")])
def test_codebook_lists_every_value_that_a_key_may_take(model, first_key):
    told = {
        row[0].strip("`"): set(re.findall(r"`(\w+)`", row[2]))
        for row in next(rows for rows in key_tables() if rows[0][0] == f"`{first_key}`")
    }
    for name, field in model.model_fields.items():
        choices = {value for value in get_args(field.annotation) if isinstance(value, str)}
        assert choices <= told[field.alias or name]


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
    problem = list(Problem.__dataclass_fields__)
    assert listed("data_quality.csv")[: len(problem)] == problem
    assert set(TRUTH_COLUMNS) <= code_names(section("Demo studies"))
    assert set(pd.read_csv(ROOT / "data" / "literature.csv").columns) <= code_names(section("literature.csv"))


def table_rules() -> set[tuple[str, str, str]]:
    """Return (name, severity, action) of every rule of the canonical tables, look-ups in other tables included."""
    study = load_study("northbank", ROOT / "data")
    empty = {table: typed(pd.DataFrame(), table) for table in TABLES}
    context = Context(study, load_instruments(study), seen=empty, kept=empty)
    rules = [rule for phases in PHASES.values() for phase in phases for rule in phase(context)]
    rules += [rule for table in TABLES for rule in cell_rules(table)]
    return {(rule.name, rule.severity, rule.action) for rule in rules}


def file_rules() -> set[str]:
    """Return the names of the rules that are no `Rule`: about files, headers and study.yaml."""
    calls = [
        node
        for room in ("plan", "ingest", "validate")
        for path in (ROOT / "src/analysis" / room).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    ]
    named = [keyword.value for call in calls for keyword in call.keywords if keyword.arg == "rule"]
    named += [call.args[0] for call in calls if getattr(call.func, "attr", "") == "fail"]
    named += [call.args[1] for call in calls if getattr(call.func, "id", "") == "_problem" and len(call.args) > 1]
    return {node.value for node in named if isinstance(node, ast.Constant)}


def told_rules() -> set[tuple[str, str, str]]:
    lines = [line.split("|")[1:-1] for line in section("data_quality.csv").splitlines() if line.startswith("|")]
    return {
        (name, severity.strip(), action.strip())
        for _about, rules, severity, action in [line for line in lines if len(line) == 4]
        for name in re.findall(r"`([a-z_]+)`", rules)
    }


def test_codebook_lists_every_rule_with_its_severity_and_action():
    names = {name for name, _, _ in table_rules()}
    assert {told for told in told_rules() if told[0] in names} == table_rules()
    assert {name for name, _, _ in told_rules()} - names == file_rules()


def test_codebook_names_every_instrument_and_scale():
    cards = load_instruments(load_study("northbank", ROOT / "data"))
    names = {scale.construct_name for card in cards.values() for scale in card.scales.values()}
    assert names | set(cards) <= code_names(section("Instruments"))


DEMO_PROGRAMS = [(study, program.id) for study in DEMOS for program in load_study(study, ROOT / "data").programs]


def test_codebook_lists_every_demo_and_its_programs():
    told = [tuple(code_names(row[0])) for row in table_rows(section("Demo studies")) if row[0].count("`") == 4]
    assert sorted(map(sorted, told)) == sorted(map(sorted, DEMO_PROGRAMS))


@pytest.mark.parametrize(("study", "program"), DEMO_PROGRAMS)
def test_codebook_says_how_large_a_demo_is_and_what_is_true_in_it(study, program):
    row = next(row for row in table_rows(section("Demo studies")) if row[0] == f"`{study}` `{program}`")
    employees = pd.read_csv(ROOT / "data" / study / "raw" / "employees.csv", dtype=str)
    enrolments = pd.read_csv(ROOT / "data" / study / "raw" / "enrolments.csv", dtype=str)
    truth = pd.read_csv(ROOT / "data" / study / "truth.csv")
    assert row[2] == f"{employees['employee_id'].nunique():,}, {len(employees):,}"
    enrolments, truth = enrolments[enrolments["program_id"] == program], truth[truth["program"] == program]
    started = enrolments[enrolments["start_date"].notna()].groupby("role")["employee_id"].size()
    roles = [role for role in ("mentor", "mentee", "participant") if role in started]
    assert row[3] == ", ".join(f"{role}s {started[role]}" for role in roles)
    shown = (("H1_retention", 100, 1), ("H8_promotion", 100, 1), ("H2_morale", 1, 2), ("H3_leadership", 1, 2))
    for cell, (hypothesis, scale, decimals) in zip(row[4:], shown, strict=True):
        # The last rater source in the file is the others'.
        rows = truth[(truth["hypothesis"] == hypothesis) & (truth["horizon_months"] == 12)]
        found = (scale * rows.groupby("role")["truth"].last()).to_dict()
        expected = [f"{role}s {_signed(found[role], decimals)}" for role in roles if role in found]
        assert cell.removesuffix(" (by others)") == (", ".join(expected) or "not surveyed")


def test_codebook_says_what_the_workshops_change():
    truth = pd.read_csv(ROOT / "data" / "heronmere" / "truth.csv").drop_duplicates(["hypothesis", "rater_source"])
    own = truth[truth["rater_source"] != "others"].set_index("hypothesis")["truth"]
    told = {row[0].strip("`"): row[2] for row in table_rows(section("Demo studies")) if row[0].startswith("`H")}
    assert told == {name: _signed(own[name], 2) for name in own.index if re.match("H[3-7]", name)}


def test_codebook_counts_the_groups_and_their_facilitators():
    enrolments = pd.read_csv(ROOT / "data" / "heronmere" / "raw" / "enrolments.csv", dtype=str)
    leads, words = enrolments[enrolments["role"] == "facilitator"], {5: "Five"}
    said = f"{words[leads['employee_id'].nunique()]} facilitators lead the {leads['match_id'].nunique()} groups."
    assert said in " ".join(section("Demo studies").split())


def _signed(value: float, decimals: int) -> str:
    return f"{value:+.{decimals}f}".replace("-", MINUS) if value else f"{value:.{decimals}f}"


def snippets(document: str) -> list[str]:
    """Return code spans and the lines of code blocks; what stands two spaces after a command explains it."""
    spans = re.findall(r"`([^`\n]+)`", text(document))
    lines = [line.strip() for line in text(document).splitlines() if line.startswith("    ")]
    return spans + [re.split(r" {2,}", line)[0] for line in lines]


def mistakes_in_commands(found: list[str]) -> list[str]:
    """Return every subcommand, option and make target in the snippets that does not exist."""
    commands = typer.main.get_command(app).commands
    options = {name: {o for p in c.params for o in p.opts} | {"--help"} for name, c in commands.items()}
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    wrong = []
    for snippet in found:
        words = snippet.removeprefix(".venv/bin/").split()
        given = {w for w in words if w.startswith("--")}
        if words[:1] == ["mentoring"] and len(words) > 1:
            known = options.get(words[1])
            wrong += [snippet] if known is None or given - known else []
        elif words[:1] == ["make"] and len(words) > 1:
            wrong += [snippet] if words[1] not in targets else []
        elif words and words[0].startswith("--"):
            wrong += [snippet] if given - set().union(*options.values()) else []
    return wrong


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_and_option_exists(document):
    assert mistakes_in_commands(snippets(document)) == []


def test_the_readme_names_every_command():
    said = " ".join(snippets("README.md"))
    assert all(f"mentoring {name}" in said for name in typer.main.get_command(app).commands)


@pytest.mark.parametrize("wrong", ["mentoring synthesise", "mentoring check acme --force", "make expectations", "--x"])
def test_a_command_that_does_not_exist_is_seen(wrong):
    assert mistakes_in_commands(["mentoring check acme", wrong]) == [wrong]


def anchors(markdown: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", markdown, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(document: str) -> list[tuple[str, str]]:
    found = re.findall(r"\]\(([^)\s#]*)#?([^)\s]*)\)", text(document))
    return [(path, anchor) for path, anchor in found if "://" not in path]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document):
    here, dead = ROOT / document, []
    for path, anchor in links(document):
        target = here.parent / path if path else here
        if not target.is_file() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(f"{path}#{anchor}")
    assert dead == []


@pytest.mark.parametrize(
    "name",
    sorted(n for n in set().union(*map(code_names, map(text, DOCUMENTS))) if re.fullmatch(rf"({ROOMS})(\.\w+)+", n)),
)
def test_every_module_and_function_named_exists(name):
    path, _, last = f"analysis.{name}".rpartition(".")
    try:
        importlib.import_module(f"{path}.{last}")
    except ModuleNotFoundError:
        assert hasattr(importlib.import_module(path), last)


def test_architecture_lists_every_room_in_its_order():
    said = [row[0].strip("`") for row in table_rows(section("Rooms", "ARCHITECTURE.md"))]
    there = [room for room in FROM_THE_GROUND if (ROOT / "src/analysis" / room).is_dir() or room in ("cli", "notebook")]
    assert said == there[::-1]


def test_the_example_company_of_the_readme_can_be_used(tmp_path):
    files = re.findall(r"^`data/(acme/[\w./]+)`[^\n]*\n\n```\w+\n(.*?)```", text("README.md"), re.M | re.S)
    assert len(files) == 6
    for path, content in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    opened = open_study("acme", tmp_path)
    assert {problem.rule for problem in opened.problems} == {"label_to_number"}
    assert opened.tables.employees["employee_id"].tolist() == ["0007", "0012", "0031"]


def test_the_immortal_time_example_of_the_readme_is_right():
    leaving, enrolling, years, ever = -math.log(1 - 0.122), 0.045, 5, 0.15
    total = leaving + enrolling
    share = enrolling / total * (1 - math.exp(-total * years))
    stay = math.exp(-leaving * years)
    stay_ever = stay * (1 - math.exp(-enrolling * years)) / share
    assert share == pytest.approx(ever, abs=0.001)
    stay_never = (stay - share * stay_ever) / (1 - share)
    said = f"{100 * stay_ever:.1f} % of the ever enrolled are still employed and {100 * stay_never:.1f} % of the rest"
    assert said in text("README.md").replace("\n", " ")


def test_the_readme_states_the_smallest_effects_of_the_plan():
    plan = load_plan()
    assert f"{100 * plan.hypothesis('H1_retention').smallest_effect:g} percentage points" in text("README.md")
    for hypothesis in ("H2_morale", "H3_leadership"):
        assert f"{plan.hypothesis(hypothesis).smallest_effect:g} points of a scale" in text("README.md")
