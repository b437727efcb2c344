"""`mentoring bundle`: what is in the zip, what is not, and that everything in it can be found and verified."""

import csv
import hashlib
import io
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import yaml
from in_process import shelve
from typer.testing import CliRunner

from analysis.bundle import is_confidential, make_bundle, write_zip
from analysis.bundle.crate import METADATA, SPECIFICATION, files_in
from analysis.bundle.target import ITEMS
from analysis.cli import app
from analysis.pipeline.recorded import RECORD
from analysis.pipeline.released import Asked, share_study
from analysis.plan.errors import BadInput
from analysis.plan.paths import notebooks_dir, project_dir
from analysis.plan.read_study import load_study
from analysis.release.outside import shared_rows
from analysis.release.record import read_record

DEMO = project_dir() / "data" / "fjellkode"


def copied(data: Path, name: str, **study_yaml) -> Path:
    """Copy a demo under another name, its study's file changed; a value of None takes a key out."""
    shutil.copytree(DEMO, data / name, ignore=shutil.ignore_patterns("truth.csv"))
    told = yaml.safe_load((DEMO / "study.yaml").read_text(encoding="utf-8")) | {"study": name} | study_yaml
    kept = {key: value for key, value in told.items() if value is not None}
    (data / name / "study.yaml").write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    return data


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Path]:
    """The bundles of a company whose data are confidential, with and without the inside, and of one whose are not."""
    folder = tmp_path_factory.mktemp("bundles")
    data = copied(folder / "data", "acme", simulated=None)
    copied(data, "public", simulated=None, confidential=False, licence="CC BY 4.0", citation="Doe (2024).")
    asked = {"outside": ("acme", []), "inside": ("acme", ["--inside"]), "public": ("public", [])}
    with pytest.MonkeyPatch.context() as patch:
        shelf = shelve(patch, folder / "shelf")
        shutil.copy(notebooks_dir() / "04_retention.ipynb", shelf)
        for name, (study, options) in asked.items():
            target = folder / f"{name}.zip"
            command = ["bundle", study, "--data", str(data), "--reports", str(folder / "record"), "--jobs", "1"]
            command += ["--out", str(target), *options]
            run = CliRunner().invoke(app, command)
            assert run.exit_code == 0, run.output
            (folder / f"{name}.txt").write_text(run.output, encoding="utf-8")
            with zipfile.ZipFile(target) as file:
                file.extractall(folder / name)
    return {name: folder / name for name in asked}


@pytest.fixture(scope="module")
def outside(made) -> Path:
    """The unpacked bundle of the confidential company, as it leaves it."""
    return made["outside"]


# --- nothing of a person leaves ---------------------------------------------------------------------------------------

# What a cell of an export is that belongs to one person alone: an address, an id, or several words.
PERSONAL = re.compile(r"\S+@\S+|[A-Z]?\d{4,}|.*\w \w.*")
# Anchors of a scale and topics of meetings are nobody's.
NOBODYS = re.compile(r"(strongly |neither )?(dis)?agree.*|social media|mobile apps|.*digital.*", re.IGNORECASE)


def personal_cells(raw: Path) -> set[str]:
    """Return every cell of the exports that tells who somebody is, or what they wrote."""
    found = set()
    for path in raw.glob("*.csv"):
        header, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        found |= {c.strip() for row in rows for c in row if PERSONAL.fullmatch(c.strip())}
        found |= {row[n] for row in rows for n, name in enumerate(header) if "name" in name.lower() and n < len(row)}
    is_number = re.compile(r"[\d\s.,:/TZ+-]+")
    return {c for c in found if len(c) > 4 and not is_number.fullmatch(c) and not NOBODYS.match(c)}


def texts(folder: Path) -> dict[str, str]:
    """Return the text of everything in a bundle that was made of the company: all but the program."""
    return {
        name: (folder / name).read_bytes().decode("utf-8", "replace")
        for name in files_in(folder)
        if not name.startswith("program/") and name != "requirements.lock"
    }


def leaks(folder: Path) -> list[tuple[str, str]]:
    """Return each cell of a person that stands somewhere in a bundle, and where."""
    told = texts(folder)
    return [(cell, name) for cell in personal_cells(DEMO / "raw") for name, text in told.items() if cell in text]


def test_no_cell_of_a_confidential_export_is_in_its_bundle(outside):
    assert len(personal_cells(DEMO / "raw")) > 200
    assert leaks(outside) == []


def test_a_cell_that_leaks_is_found(outside, tmp_path):
    shutil.copytree(outside, tmp_path / "planted")
    cell = max(personal_cells(DEMO / "raw"), key=lambda c: "@" in c)
    with (tmp_path / "planted" / "TARGET.html").open("a", encoding="utf-8") as file:
        file.write(cell)
    assert leaks(tmp_path / "planted") == [(cell, "TARGET.html")]


def test_neither_files_nor_words_of_the_company_are_told_outside(outside):
    told = "\n".join(text for name, text in texts(outside).items() if not name.startswith("reports/"))
    study = load_study("fjellkode", project_dir() / "data")
    own = {source.path for source in study.sources if source.table not in ("waves", "sessions")}
    assert not [name for name in own if name in told]
    assert study.title not in told and study.programs[0].name not in told
    digests = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (DEMO / "raw").iterdir()}
    assert [name for name, digest in digests.items() if digest in told] in ([], ["waves.csv"]), (
        "days of waves are shown"
    )


def test_of_its_own_numbers_only_the_shared_ledger_leaves(outside):
    assert sorted(path.name for path in (outside / "reports").iterdir()) == ["acme-standin", "index.html"]
    assert json.loads((outside / "shared" / "share.json").read_text())["audience"] == "outside"
    assert [path.name for path in (outside / "data").iterdir()] == ["acme-standin"]


def test_the_inside_goes_along_only_where_asked_for_and_says_so(made):
    inside = made["inside"]
    assert (inside / "reports" / "acme" / "findings.csv").is_file() and not (inside / "data" / "acme").exists()
    assert "must not leave the company" in (inside / "README.md").read_text(encoding="utf-8")
    assert "must not leave the company" in inside.with_suffix(".txt").read_text(encoding="utf-8")
    assert "must not leave" not in made["outside"].with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("told", "stays"),
    [({}, True), ({"simulated": True}, False), ({"confidential": False}, False),
     ({"simulated": True, "confidential": True}, True), ({"licence": "internal use"}, True)],
)  # fmt: skip
def test_data_stay_unless_they_are_simulated_or_said_to_be_public(told, stays):
    study = load_study("fjellkode", project_dir() / "data").model_copy(update={"simulated": False})
    assert is_confidential(study.model_copy(update=told)) is stays


# --- what a reviewer finds --------------------------------------------------------------------------------------------


def test_public_data_go_along_as_they_are(made):
    raw = made["public"] / "data" / "public" / "raw"
    assert {p.name: p.read_bytes() for p in raw.iterdir()} == {p.name: p.read_bytes() for p in (DEMO / "raw").iterdir()}
    readme = (made["public"] / "README.md").read_text(encoding="utf-8")
    assert "CC BY 4.0" in readme and "Doe (2024)." in readme and "[x] All data **are**" in readme
    assert all(hashlib.sha256(path.read_bytes()).hexdigest() in readme for path in raw.iterdir())
    assert not (made["public"] / "shared").exists()


HEADINGS = (
    "Overview", "Data Availability and Provenance Statements", "Statement about Rights", "License for Data",
    "Summary of Availability", "Details on each Data Source", "Computational requirements", "Software Requirements",
    "Controlled Randomness", "Memory, Runtime, Storage Requirements", "Description of programs/code",
    "License for Code", "Instructions to Replicators", "List of tables, figures and programs", "References",
)  # fmt: skip


@pytest.mark.parametrize("name", ["outside", "inside", "public"])
def test_the_readme_has_every_part_of_the_template_and_names_every_exhibit(made, name):
    readme = (made[name] / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^##+ (.*)$", readme, re.MULTILINE) == list(HEADINGS)
    report = next(p for p in (made[name] / "reports").iterdir() if p.name in ("acme-standin", "public"))
    shown = [p.relative_to(report).as_posix() for p in report.rglob("*") if p.suffix in (".csv", ".html", ".svg")]
    assert not [file for file in shown if "notebooks/" not in file and f"| `{file}` |" not in readme]
    places = re.findall(r"\((program/src/[\w/.]+):(\d+)\)", readme)
    assert len(places) > 20
    for file, line in places:
        assert re.match(r"(@|def |class |\w+ = )", (made[name] / file).read_text("utf-8").splitlines()[int(line) - 1])
    assert not re.search(r"\n\n\|(?! ---)[^\n]*\n(?!\| ---)", readme), "no table is broken by an empty line"


def test_the_readme_says_what_was_measured(outside):
    readme = (outside / "README.md").read_text(encoding="utf-8")
    measured = re.compile(r"report of `acme-standin`, notebooks included \| (\d+) seconds \| ([\d.]+) GB")
    [(seconds, memory)] = measured.findall(readme)
    assert int(seconds) > 0 and 0.1 < float(memory) < 8


@pytest.mark.parametrize("name", ["outside", "public"])
def test_the_checklist_has_every_item_and_no_link_leads_nowhere(made, name):
    page = (made[name] / "TARGET.html").read_text(encoding="utf-8")
    numbers = re.findall(r'id="item-(\d+)', page)
    assert sorted({int(n) for n in numbers}) == list(ITEMS) and len(numbers) == 39
    links = set(re.findall(r'href="([^"]+)"', page))
    for file, _, anchor in (link.partition("#") for link in links if not link.startswith("#")):
        assert (made[name] / file).is_file(), file
        assert not anchor or f'id="{anchor}"' in (made[name] / file).read_text(encoding="utf-8"), f"{file}#{anchor}"


def test_notebooks_are_there_executed_and_as_pages_that_load_nothing(outside):
    folder = outside / "reports" / "acme-standin" / "notebooks"
    assert sorted(p.name for p in folder.iterdir()) == ["04_retention.html", "04_retention.ipynb", "index.html"]
    page = (folder / "04_retention.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)=["']https?:|import\(?["']https?:|url\(["']?https?:""", page)
    assert "Stand-in for acme" in page


def test_every_file_has_its_checksum_and_no_path_of_the_machine_is_told(outside):
    sums = dict(line.split("  ", 1)[::-1] for line in (outside / "SHA256SUMS").read_text("utf-8").splitlines())
    assert sums.keys() == set(files_in(outside)) - {"SHA256SUMS", METADATA}
    assert all(hashlib.sha256((outside / name).read_bytes()).hexdigest() == told for name, told in sums.items())
    own = (str(Path.home()), str(outside.parent), str(project_dir()))
    assert not [name for name, text in texts(outside).items() if any(path in text for path in own)]


def test_the_program_in_it_can_be_built(outside):
    program = outside / "program"
    sources = {p.relative_to(project_dir() / "src").as_posix() for p in (project_dir() / "src").rglob("*.py")}
    assert sources == {name.removeprefix("src/") for name in files_in(program) if name.endswith(".py")}
    for name in ("pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "data/hypotheses.yaml", "data/README.md"):
        assert (program / name).read_bytes() == (project_dir() / name).read_bytes()
    assert (outside / "requirements.lock").read_bytes() == (project_dir() / "requirements.lock").read_bytes()


def test_it_is_cited_as_the_format_asks(outside):
    cited = yaml.safe_load((outside / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys() and cited["cff-version"] == "1.2.0"
    assert cited["type"] == "dataset" and all(author["name"] for author in cited["authors"])


# --- RO-Crate 1.1 -----------------------------------------------------------------------------------------------------


def crate_problems(folder: Path) -> list[str]:
    """Return which MUSTs of RO-Crate 1.1 a crate breaks (https://w3id.org/ro/crate/1.1, sections in brackets)."""
    found = []
    crate = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    graph = crate["@graph"]
    by_id = {entity.get("@id"): entity for entity in graph}
    if crate["@context"] != f"{SPECIFICATION}/context":
        found.append("the context is that of the specification [RO-Crate JSON-LD]")
    if len(by_id) != len(graph) or None in by_id or not all("@type" in entity for entity in graph):
        found.append("each entity has one @id of its own and a @type [RO-Crate JSON-LD]")
    if any(isinstance(value, dict) and value.keys() != {"@id"} for entity in graph for value in entity.values()):
        found.append("the graph is flat [RO-Crate JSON-LD]")
    about = by_id.get(METADATA, {})
    if about.get("@type") != "CreativeWork" or about.get("about") != {"@id": "./"}:
        found.append("the descriptor is a CreativeWork about the root [Root Data Entity]")
    if about.get("conformsTo") != {"@id": SPECIFICATION}:
        found.append("the descriptor says to what it conforms [Root Data Entity]")
    root = by_id.get("./", {})
    if root.get("@type") != "Dataset" or not re.fullmatch(r"\d{4}-\d\d-\d\d", root.get("datePublished", "")):
        found.append("the root is a Dataset with the day of its publication [Root Data Entity]")
    if not (root.get("name") and root.get("description") and root.get("license", {}).get("@id") in by_id):
        found.append("the root has a name, a description and a licence that is described [Root Data Entity]")
    files = {entity["@id"] for entity in graph if entity.get("@type") == "File"}
    parts = {part["@id"] for part in root.get("hasPart", ())}
    if files != parts or not all((folder / name).is_file() for name in files):
        found.append("each file is there, a part of the root, and described [Data Entities]")
    values = [v for e in graph for vs in e.values() for v in (vs if isinstance(vs, list) else [vs])]
    referred = {v.get("@id", "") for v in values if isinstance(v, dict)}
    if not {name for name in referred if not name.startswith("http")} <= by_id.keys():
        found.append("what is referred to is described [Contextual Entities]")
    return found


def test_the_metadata_keep_to_ro_crate(made):
    assert {name: crate_problems(folder) for name, folder in made.items()} == {name: [] for name in made}
    described = json.loads((made["outside"] / METADATA).read_text(encoding="utf-8"))["@graph"]
    assert {e["@id"] for e in described if e["@type"] == "File"} == set(files_in(made["outside"])) - {METADATA}


@pytest.mark.parametrize(
    ("spoil", "about"),
    [
        (lambda g: g[1].pop("datePublished"), "day of its publication"),
        (lambda g: g[1].pop("license"), "licence"),
        (lambda g: g[0].pop("conformsTo"), "conforms"),
        (lambda g: g[0].update(about={"@id": "elsewhere/"}), "about the root"),
        (lambda g: g[1]["hasPart"].pop(), "part of the root"),
        (lambda g: g.append({"@id": "gone.csv", "@type": "File"}), "part of the root"),
        (lambda g: g.append(dict(g[1])), "@id of its own"),
        (lambda g: g[1].update(author={"@id": "#nobody"}), "referred to"),
        (lambda g: g[1].update(author={"name": "nested"}), "flat"),
    ],
)
def test_metadata_that_break_a_rule_are_found(outside, tmp_path, spoil, about):
    shutil.copytree(outside, tmp_path / "crate")
    crate = json.loads((outside / METADATA).read_text(encoding="utf-8"))
    spoil(crate["@graph"])
    (tmp_path / "crate" / METADATA).write_text(json.dumps(crate), encoding="utf-8")
    assert any(about in problem for problem in crate_problems(tmp_path / "crate"))


# --- the zip ----------------------------------------------------------------------------------------------------------


def test_the_same_files_are_the_same_zip(tmp_path):
    for n in (1, 2):
        for name in (["b.txt", "a/c.txt"], ["a/c.txt", "b.txt"])[n - 1]:
            (tmp_path / str(n) / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / str(n) / name).write_text(name)
        write_zip(tmp_path / str(n), tmp_path / f"{n}.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert zipfile.ZipFile(tmp_path / "1.zip").namelist() == ["a/c.txt", "b.txt"]


def test_what_cannot_be_bundled_leaves_no_file(tmp_path, monkeypatch):
    data = copied(tmp_path / "data", "acme", simulated=None)
    stood = tmp_path / "acme.zip"
    stood.write_text("an earlier bundle")

    def refuse(*_: object) -> None:
        raise OSError(28, "no space left", str(stood))

    monkeypatch.setattr("analysis.bundle.write_stand_in", refuse)
    asked = ["bundle", "acme", "--data", str(data), "--out", str(stood), "--reports", str(tmp_path / "record")]
    run = CliRunner().invoke(app, asked)
    assert isinstance(run.exception, BadInput) and "the disk is full" in str(run.exception)
    assert stood.read_text() == "an earlier bundle"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["acme.zip", "data", "record"]
    assert not (tmp_path / "record" / RECORD).exists(), "what was not released is on no record"


def test_what_leaves_without_the_data_is_on_record(made):
    releases = read_record(made["outside"].parent / "record" / RECORD)
    assert [(one.kind, one.ledgers[0].study) for one in releases] == [("bundle", "acme")] * 2
    told = pd.read_csv(made["outside"] / "shared" / "estimates.csv")
    shown = told.loc[told["status"] == "estimated", "estimate"]
    assert sorted(row.estimate for row in releases[0].ledgers[0].told) == pytest.approx(sorted(shown)) and len(shown)


def test_a_bundle_that_differs_too_little_from_an_earlier_release_is_refused(tmp_path, monkeypatch):
    data = copied(tmp_path / "data", "acme", simulated=None)
    share_study("acme", data, tmp_path / "record" / "acme.share", lambda _: None)
    monkeypatch.setattr("analysis.pipeline.released.shared_rows", _a_little_otherwise)
    with pytest.raises(BadInput, match="as few as"):
        make_bundle("acme", data, tmp_path / "x.zip", tmp_path / "record", Asked(), say=lambda _: None)
    assert not (tmp_path / "x.zip").exists() and len(read_record(tmp_path / "record" / RECORD)) == 1


def _a_little_otherwise(findings, rule, *, with_naive):
    """Return a ledger whose estimates are those of one person more or less."""
    rows = shared_rows(findings, rule, with_naive=with_naive)
    return tuple(replace(row, estimate=row.estimate + 0.01) if row.status == "estimated" else row for row in rows)


def test_a_study_with_errors_is_not_bundled(tmp_path):
    data = copied(tmp_path / "data", "acme", as_of="yesterday")
    with pytest.raises(Exception, match="as_of"):
        make_bundle("acme", data, tmp_path / "x.zip", tmp_path, Asked(), say=lambda _: None)
    assert not (tmp_path / "x.zip").exists()
