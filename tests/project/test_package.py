"""The wheel holds all that the commands need: installed without the repository, `mentoring` works from any folder."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from first_hour import write_files

ROOT = Path(__file__).parents[2]
CODE = (".py", ".pyc")
# Imports every module, then reads the hypotheses, and says which files in `places` were opened by each.
READ_AT_IMPORT = """
import importlib, json, pathlib, pkgutil, sys
sys.dont_write_bytecode = True  # that would open files, too
read = []
sys.addaudithook(lambda event, about: read.append(str(about[0])) if event == "open" else None)
import analysis
for module in pkgutil.walk_packages(analysis.__path__, "analysis."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
n_at_import = len(read)
analysis.plan.hypotheses.load_plan()
for part in (read[:n_at_import], read[n_at_import:]):
    print(json.dumps([name for name in part if name.startswith({places}) and not name.endswith({code})]))
"""


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def installed(wheel, tmp_path_factory) -> Path:
    """What a wheel becomes when it is installed: a folder that Python finds."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder)
    return folder


def run(*command: str, path: Path, cwd: Path) -> subprocess.CompletedProcess:
    """Run Python with the package of `path` alone, in a folder that knows nothing of the repository."""
    theirs = {name: value for name, value in os.environ.items() if name not in ("MENTORING_DATA", "MENTORING_REPORTS")}
    environment = theirs | {"PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True)


def files_under(*folders: str) -> set[str]:
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {
        path.relative_to(ROOT).as_posix() for path in paths if path.suffix not in CODE and ".ipynb_" not in str(path)
    }


def test_every_file_that_ships_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as file:
        held = set(file.namelist())
    shipped = {"pyproject.toml", "requirements.lock", "README.md", "LICENSE", "CITATION.cff", "data/README.md"}
    shipped |= {"data/hypotheses.yaml", "data/literature.csv"} | files_under("data/instruments", "notebooks")
    assert {f"analysis/shipped/{name}" for name in shipped} == {n for n in held if n.startswith("analysis/shipped/")}
    assert {name.removeprefix("src/") for name in files_under("src/analysis")} <= held


def test_from_an_empty_folder_files_become_a_checked_study(installed, tmp_path):
    files = write_files(tmp_path / "files")
    given = [text for option, path in files.items() for text in (option, str(path))]
    started = run("-m", "analysis", "init", "acme", *given, path=installed, cwd=tmp_path)
    assert started.returncode == 0, started.stderr
    checked = run("-m", "analysis", "check", "acme", path=installed, cwd=tmp_path)
    assert checked.returncode == 0 and "acme: can be used" in checked.stdout, checked.stderr
    assert (tmp_path / "data" / "acme" / "study.yaml").is_file(), "data/ lies in the folder that one works in"
    assert (tmp_path / "reports" / "acme" / "data_quality.csv").is_file()


def test_the_installed_package_finds_its_own_files_and_claims_no_commit(installed, tmp_path):
    """Nor does it take the commit of a repository that happens to lie around it."""
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    asked = (
        "import json; from analysis.plan import paths; from analysis.pipeline.provenance import _commit; "
        "from analysis.plan.hypotheses import load_plan; print(json.dumps([str(paths.notebooks_dir()), "
        "str(paths.data_dir()), _commit(), len(load_plan().hypotheses)]))"
    )
    done = run("-c", asked, path=installed, cwd=tmp_path)
    notebooks, data, commit, n_hypotheses = json.loads(done.stdout)
    assert Path(notebooks) == installed / "analysis" / "shipped" / "notebooks" and any(Path(notebooks).glob("*.ipynb"))
    assert Path(data) == tmp_path / "data" and commit is None and n_hypotheses == 9


# The catalogue of terms is read at once, so that a term that it does not know is an error at import.
TERMS = ["catalogue.yaml", "methods.yaml"]


def test_importing_the_package_reads_none_of_its_files_but_the_terms(tmp_path):
    """What reads the hypotheses afterwards shows that a file that is read would be seen."""
    places = tuple(str(ROOT / folder) for folder in ("data", "notebooks", "src/analysis"))
    done = run("-c", READ_AT_IMPORT.format(places=places, code=CODE), path=ROOT / "src", cwd=tmp_path)
    at_import, afterwards = ([Path(name).name for name in json.loads(line)] for line in done.stdout.splitlines())
    assert at_import == TERMS and afterwards == ["hypotheses.yaml"], done.stderr


@pytest.mark.parametrize("command", [("--help",), ("check", "--help"), ("report", "--help")])
def test_help_waits_for_no_scientific_library(command, tmp_path):
    asked = (
        f"import contextlib, sys\nsys.argv = {['mentoring', *command]}\nfrom analysis.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
    )
    heavy = "print(sorted({'numpy', 'pandas', 'scipy', 'matplotlib', 'nbformat'} & sys.modules.keys()))"
    done = run("-c", asked + heavy, path=ROOT / "src", cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_check_draws_estimates_and_runs_nothing(tmp_path):
    asked = "import analysis.pipeline.checked, analysis.report.ledger, analysis.report.private, sys\n"
    heavy = {"matplotlib", "seaborn", "nbformat", "papermill", "patsy", "scipy.special", "scipy.sparse", "sqlalchemy"}
    loaded = f"print(sorted({heavy} & sys.modules.keys()))"
    done = run("-c", asked + loaded, path=ROOT / "src", cwd=tmp_path)
    assert done.stdout.strip() == "[]", done.stderr


def test_notebooks_wait_for_no_grammar_of_web_addresses(tmp_path):
    """Where jsonschema finds rfc3987-syntax it waits two seconds for it; whoever wants it afterwards still gets it."""
    asked = (
        "import sys, analysis.notebook, analysis.report.execute\n"
        "print('nbformat' in sys.modules, 'rfc3987_syntax' in sys.modules)\n"
        "import rfc3987_syntax\nprint(rfc3987_syntax.is_valid_syntax('iri', 'https://example.org'))\n"
    )
    done = run("-c", asked, path=ROOT / "src", cwd=tmp_path)
    assert done.stdout.split() == ["True", "False", "True"], done.stderr


def test_what_workers_are_forked_from_has_one_thread(tmp_path):
    asked = (
        "import importlib, threading\nfrom analysis.runs.workers import PRELOADED\n"
        "for name in PRELOADED: importlib.import_module(name)\nprint(threading.active_count())\n"
    )
    done = run("-c", asked, path=ROOT / "src", cwd=tmp_path)
    assert done.stdout.strip() == "1", done.stderr
