"""The documents say what the code does: every name, default, command, rule and link in them."""

import ast
import importlib
import math
import os
import re
import subprocess
import sys
from enum import Enum
from functools import cache
from pathlib import Path
from typing import get_args

import pandas as pd
import pytest
import typer
import yaml
from test_architecture import FROM_THE_GROUND

from analysis.cli import app
from analysis.ingest.profile import Header, Layout, Profile, load_profiles
from analysis.ingest.sources import RawTables, read_exports
from analysis.ingest.translate import UNKNOWN_ALLOWED
from analysis.pipeline import open_study
from analysis.plan.contract import FED
from analysis.plan.errors import LEDGER
from analysis.plan.hypotheses import Claim, Hypothesis, load_plan
from analysis.plan.instruments import Instrument, Item, Response, Scale, load_instruments
from analysis.plan.read_study import load_study
from analysis.plan.results import ESTIMATE_COLUMNS, FINDINGS_COLUMNS
from analysis.plan.study import Brand, Eligibility, Event, Program, Source, Study
from analysis.simulate import demo_scenarios
from analysis.simulate.truth import TRUTH_COLUMNS
from analysis.validate.tables import PHASES, cell_rules

ROOT = Path(__file__).parents[2]
GUIDE = ("docs/your_data.md", "docs/reading_a_report.md", "docs/notebooks.md", "docs/many_companies.md")
GUIDE += ("docs/reviewers.md",)
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md", "data/README.md", *GUIDE)
ROOMS = "plan|ingest|validate|measure|design|estimate|release|report|pipeline|runs|bundle|notebook|kernels|cli|simulate"
ROOMS += "|fetch"
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


@pytest.mark.parametrize("table", FED)
def test_codebook_describes_every_column_as_the_contract_does(table):
    rows = table_rows(section(table))
    assert [(row[0].strip("`"), row[1], row[2]) for row in rows] == [
        (name, column.kind, presence(column)) for name, column in FED[table].items()
    ]
    for row, column in zip(rows, FED[table].values(), strict=True):
        assert {f"`{value}`" for value in column.allowed} == set(re.findall(r"`\w+`", row[3]))
        limits = [f"{limit:.0f}" for limit in (column.minimum, column.maximum) if limit is not None]
        assert re.findall(r"-?\d+", row[3].replace(MINUS, "-")) == limits


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
        assert choices(field.annotation) <= told[field.alias or name]


def choices(annotation) -> set[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return set(annotation)
    return {value for value in get_args(annotation) if isinstance(value, str)}


def key_tables() -> list[list[list[str]]]:
    return [rows for part in re.split(r"\n\n", CODEBOOK) if part.startswith("| key") and (rows := table_rows(part))]


@pytest.mark.parametrize("model", [Response, Item, Hypothesis, Claim, Brand])
def test_codebook_names_every_key_of_the_smaller_parts(model):
    fields = {field.alias or name for name, field in model.model_fields.items()}
    assert fields <= code_names(CODEBOOK)


def test_codebook_lists_every_column_of_the_ledgers():
    def listed(heading: str) -> list[str]:
        return [name for row in table_rows(section(heading)) for name in re.findall(r"`(\w+)`", row[0])]

    assert listed("estimates.csv") == [*ESTIMATE_COLUMNS, "row"]
    assert listed("findings.csv") == FINDINGS_COLUMNS
    assert listed("data_quality.csv")[: len(LEDGER)] == list(LEDGER)
    assert listed("unmatched.csv") == ["source", "line", "rule", "reason"]
    assert set(TRUTH_COLUMNS) <= code_names(section("Demo studies"))
    assert set(pd.read_csv(ROOT / "data" / "literature.csv").columns) <= code_names(section("literature.csv"))


def table_rules() -> set[tuple[str, str, str]]:
    """Return (name, severity, action) of every rule of the canonical tables."""
    rules = [rule for phases in PHASES.values() for phase in phases for rule in phase]
    rules += [rule for table in FED for rule in cell_rules(table)]
    return {(rule.name, rule.severity, rule.action) for rule in rules}


Told = tuple[str, str | None, str | None]


def constant(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) else None


def noted_rules(node: ast.AST) -> list[Told]:
    """Return (name, severity, action) of the rules that a piece of code notes; None stands for what it computes."""
    if isinstance(node, ast.Dict):
        rows = [(constant(key), row.elts) for key, row in zip(node.keys, node.values, strict=True) if is_telling(row)]
        return [(name, constant(elements[0]), constant(elements[1])) for name, elements in rows]
    if not isinstance(node, ast.Call):
        return []
    called = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    given, named = [constant(value) for value in node.args], {word.arg: constant(word.value) for word in node.keywords}
    match called, given:
        case "fail", [str(rule), *_]:
            return [(rule, "error", "rejected")]
        case "note", [str(rule), *_]:
            return [(rule, named.get("severity", "info"), named.get("action", "repaired"))]
        case "warn", [str(rule), *_]:
            return [(rule, "warning", named.get("action", "kept"))]
        case "CellIssue", [str(rule), severity, action, *_]:
            return [(rule, severity, action)]
        case "_note_columns", [_, str(rule), *_]:
            return [(rule, None, None)]
        case "_problem" | "study_file_problem", [_, str(rule), *_]:
            return [(rule, named.get("severity", "error"), None)]
        case "study_problem", _:
            return [(named.get("rule", "study_file"), named.get("severity", "error"), None)]
        case "bad_input", _:
            return [(named["rule"], "error", "rejected")]
        case "Problem", _ if named["rule"]:
            return [(named["rule"], named["severity"], named.get("action", "kept"))]
    return []


def is_telling(row: ast.AST) -> bool:
    return isinstance(row, ast.Tuple) and constant(row.elts[0]) in ("error", "warning", "info")


def file_rules() -> set[Told]:
    """Return the rules that are no `Rule`: of files, headers, cells, people, forms, profiles and study.yaml."""
    parts = [
        node
        for room in ("plan", "ingest", "validate", "measure")
        for path in (ROOT / "src/analysis" / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    ]
    layouts = [one for profile in load_profiles().values() for several in profile.tables.values() for one in several]
    rejects = {(reject.rule, reject.severity, "rejected") for one in layouts for reject in one.reject}
    unknown = {(f"unknown_{column}", "warning", "set_null") for column in UNKNOWN_ALLOWED}
    return {rule for part in parts for rule in noted_rules(part)} | rejects | unknown


def told_rules() -> set[tuple[str, str, str]]:
    lines = [line.split("|")[1:-1] for line in section("data_quality.csv").splitlines() if line.startswith("|")]
    return {
        (name, severity.strip(), action.strip())
        for _about, rules, severity, action, *_message in [line for line in lines if len(line) in (4, 5)]
        for name in re.findall(r"`([a-z_]+)`", rules)
    }


def fits(rule: Told, told: tuple[str, str, str]) -> bool:
    return all(known in (None, said) for known, said in zip(rule, told, strict=True))


def test_codebook_lists_every_rule_with_its_severity_and_action():
    rules, told = table_rules() | file_rules(), told_rules()
    assert [rule for rule in rules if not any(fits(rule, said) for said in told)] == []
    assert [said for said in told if not any(fits(rule, said) for rule in rules)] == []


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("export.fail('a', 'is bad')", ("a", "error", "rejected")),
        ("export.note('a', 'was so', lines)", ("a", "info", "repaired")),
        ("export.note('a', 'was so', severity='warning', action=action)", ("a", "warning", None)),
        ("export.warn('a', 'was so')", ("a", "warning", "kept")),
        ("export.warn('a', 'was so', lines, action='rejected')", ("a", "warning", "rejected")),
        ("CellIssue('a', 'error', 'rejected', 'is bad', lines)", ("a", "error", "rejected")),
        ("{'a': ('info', 'set_null', 'is none')}", ("a", "info", "set_null")),
        ("_note_columns(export, 'a', 'were not read', names)", ("a", None, None)),
        ("bad_input('study.yaml', 'is bad', rule='a')", ("a", "error", "rejected")),
        ("study_problem('is odd', 3, rule='a', severity='warning')", ("a", "warning", None)),
    ],
)
def test_a_rule_is_seen_however_it_is_noted(code, rule):
    assert [found for node in ast.walk(ast.parse(code)) for found in noted_rules(node)] == [rule]


def test_codebook_lists_what_the_demo_exports_met():
    met = {(p.rule, p.severity, p.action) for study in demo_scenarios() for p in exports(study).problems}
    assert {rule for rule, _, _ in met} >= {"dates_translated", "duplicate_form", "unverified_profile"}
    assert met <= told_rules()


def test_codebook_names_every_instrument_and_scale():
    cards = load_instruments(load_study("northbank", ROOT / "data"))
    names = {scale.construct_name for card in cards.values() for scale in card.scales.values()}
    assert names | set(cards) <= code_names(section("Instruments"))


@cache
def exports(study: str) -> RawTables:
    """Return what a demo's exports hold, read as any study's are."""
    return read_exports(load_study(study, ROOT / "data"))


def test_codebook_says_whose_exports_each_demo_has():
    kinds = {"employees": 0, "responses": 1, "ratings": 1, "enrolments": 2}
    told = {row[0].strip("`"): row[1:] for row in table_rows(section("Demo studies")) if len(row) == len(kinds)}
    assert sorted(told) == sorted(demo_scenarios())
    for study, row in told.items():
        used = [set(), set(), set()]
        for source in load_study(study, ROOT / "data").sources:
            if source.table in kinds:
                used[kinds[source.table]].add(source.profile)
        assert [code_names(cell) for cell in row] == used


def test_every_profile_that_ships_is_in_the_list_with_what_it_was_checked_against():
    told = {row[0].strip("`"): row for row in table_rows(section("Profiles that ship", "CONTRIBUTING.md"))}
    profiles = {name: profile for name, profile in load_profiles().items() if name != "canonical"}
    assert told.keys() == profiles.keys()
    for name, profile in profiles.items():
        assert code_names(told[name][2]) == set(profile.tables)
        assert told[name][3].startswith("unverified: " if profile.unverified else "verified: ")


def test_the_profile_of_the_example_reads_its_export(tmp_path):
    given, rows, expected, more = blocks("A profile: another vendor's export", "CONTRIBUTING.md", 4)
    (tmp_path / "acme" / "raw").mkdir(parents=True)
    (tmp_path / "acme" / "profiles").mkdir()
    (tmp_path / "acme" / "raw" / "staff.csv").write_text(given, encoding="utf-8")
    (tmp_path / "acme" / "profiles" / "acmehr.yaml").write_text(rows + more, encoding="utf-8")
    (tmp_path / "acme" / "study.yaml").write_text(
        "schema_version: 1\nstudy: acme\ntitle: Acme\nstudy_start: 2015-01-01\nas_of: 2024-12-31\n"
        "sources: [{table: employees, path: raw/staff.csv, profile: acmehr}]\n",
        encoding="utf-8",
    )
    raw = read_exports(load_study("acme", tmp_path))
    found = raw.tables["employees"].drop(columns=["_source", "_line"])
    assert [str(problem) for problem in raw.problems if problem.severity == "error"] == []
    assert found.to_csv(index=False, lineterminator="\n") == expected


def test_the_example_shows_every_key_of_a_profile():
    shown = "".join(blocks("A profile: another vendor's export", "CONTRIBUTING.md", 4))
    keys = {field.alias or name for part in (Profile, Layout, Header) for name, field in part.model_fields.items()}
    assert {key for key in keys if f"{key}:" not in shown} == set()


def test_the_example_of_the_codebook_is_a_study():
    (shown,) = blocks("study.yaml", "data/README.md", 1)
    given = {"schema_version": 1, "study": "acme", "title": "Acme", "study_start": "2022-01-01", "as_of": "2025-06-30"}
    study = Study(**given | yaml.safe_load(shown))
    assert study.sources[0].name == "raw/staff.xlsx#People"


def blocks(heading: str, document: str, n: int) -> list[str]:
    """Return the code blocks of a section, of which there must be `n`."""
    found = re.findall(r"^```\w+\n(.*?)^```", section(heading, document), re.M | re.S)
    assert len(found) == n
    return found


DEMO_PROGRAMS = [
    (study, program.id) for study in demo_scenarios() for program in load_study(study, ROOT / "data").programs
]


def test_codebook_lists_every_demo_and_its_programs():
    told = [tuple(code_names(row[0])) for row in table_rows(section("Demo studies")) if row[0].count("`") == 4]
    assert sorted(map(sorted, told)) == sorted(map(sorted, DEMO_PROGRAMS))


@pytest.mark.parametrize(("study", "program"), DEMO_PROGRAMS)
def test_codebook_says_how_large_a_demo_is_and_what_is_true_in_it(study, program):
    row = next(row for row in table_rows(section("Demo studies")) if row[0] == f"`{study}` `{program}`")
    employees, enrolments = (exports(study).tables[table].astype(object) for table in ("employees", "enrolments"))
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
    enrolments = exports("heronmere").tables["enrolments"].astype(object)
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
    files = ("cli", "kernels")
    said = [row[0].strip("`") for row in table_rows(section("Rooms", "ARCHITECTURE.md"))]
    there = [room for room in FROM_THE_GROUND if (ROOT / "src/analysis" / room).is_dir() or room in files]
    assert said == there[::-1]


def test_the_example_company_of_the_guide_can_be_used(tmp_path):
    files = re.findall(r"^`data/(acme/[\w./]+)`[^\n]*\n\n```\w+\n(.*?)```", text("docs/your_data.md"), re.M | re.S)
    assert len(files) == 6
    for path, content in files:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    opened = open_study("acme", tmp_path)
    assert {problem.rule for problem in opened.problems} == {"label_to_number"}
    assert opened.tables.employees["birth_year"].tolist() == [1970, 1994, 1991]


def test_the_immortal_time_example_is_right():
    leaving, enrolling, years, ever = -math.log(1 - 0.122), 0.045, 5, 0.15
    total = leaving + enrolling
    share = enrolling / total * (1 - math.exp(-total * years))
    stay = math.exp(-leaving * years)
    stay_ever = stay * (1 - math.exp(-enrolling * years)) / share
    assert share == pytest.approx(ever, abs=0.001)
    stay_never = (stay - share * stay_ever) / (1 - share)
    said = f"{100 * stay_ever:.1f} % of the ever enrolled are still employed and {100 * stay_never:.1f} % of the rest"
    assert all(said in text(name).replace("\n", " ") for name in ("README.md", "docs/reading_a_report.md"))


def test_the_guide_states_the_smallest_effects_of_the_plan():
    plan, guide = load_plan(), text("docs/reading_a_report.md").replace("\n", " ")
    assert f"{100 * plan.hypothesis('H1_retention').smallest_effect:g} percentage points" in guide
    for hypothesis in ("H2_morale", "H3_leadership"):
        assert f"{plan.hypothesis(hypothesis).smallest_effect:g} points of a scale" in guide


def test_the_site_is_made_whole_and_loads_nothing_from_a_network(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert made.returncode == 0, made.stderr
    files = tmp_path.rglob("*.html")
    pages = {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in files}
    assert {"index.html", "data/index.html", "docs/your_data.html", "api/estimate.html"} <= set(pages)
    assert "e_value" in pages["api/estimate.html"]
    fetched = r'<(?:script|img|iframe|link rel="(?:stylesheet|icon|preload)")[^>]+(?:src|href)="?(?:https?:)?//'
    assert not [name for name, page in pages.items() if re.search(fetched, page)]
