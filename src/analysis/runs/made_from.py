"""What a report was made from, by keyed digests: one that is unchanged need not be made again."""

import hashlib
import hmac
import json
import platform
import re
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

from analysis.answers.shared import is_blind_run
from analysis.ingest.ids import load_key
from analysis.plan.faults import LOG, PACKAGE
from analysis.plan.paths import NOT_OF_A_REPORT, digest_of_files, notebooks_dir, shipped
from analysis.plan.registration import FOLDER
from analysis.plan.study import overrides

# Parts of what a report is made from, and what is said where one has changed.
CHANGED = {
    "data": "its raw files changed",
    "study": "study.yaml changed",
    "cards": "its instruments or profiles changed",
    "registration": "a plan was registered",
    "settings": "the settings of the report changed",
    "program": "this program or its libraries changed",
    "notebooks": "its notebooks changed",
    "files": "it is asked for with other files",
}
QUERY = re.compile(r"^[\s-]*query\s*:", re.MULTILINE)
WRITTEN = ("index.html", "estimates.csv", "findings.csv", "data_quality.csv")


def answered_from(folder: Path) -> dict[str, str]:
    """Return a keyed digest of each part of what the answer to a study folder is made from, in this process."""
    return keyed(answer_digests(folder, overrides(), is_blind=is_blind_run()))


def keyed(parts: Mapping[str, str]) -> dict[str, str]:
    """Return digests under the user's key, so that no guess of what stands in a file can be tried with them."""
    key = load_key()
    return {part: hmac.digest(key, told.encode(), "sha256").hex() for part, told in parts.items()}


def digests(
    folder: Path, settings: Mapping[str, object], *, is_blind: bool, with_png: bool, with_pdf: bool = False
) -> dict[str, str]:
    """Return a digest of each part of what the report of a study folder is made from, the same on every machine.

    Without a key: for no file.
    """
    answer = answer_digests(folder, settings, is_blind=is_blind)
    also = [kind for kind, is_wanted in (("png", with_png), ("pdf", with_pdf)) if is_wanted]
    return answer | {"notebooks": _of_notebooks(), "files": " ".join(also)}


def answer_digests(folder: Path, settings: Mapping[str, object], *, is_blind: bool) -> dict[str, str]:
    """Return a digest of each part of what the answer to a study folder is made from, as `digests`."""
    own = [folder / "study.yaml"]
    cards = sorted([*folder.glob("instruments/*.yaml"), *folder.glob("profiles/*.yaml")])
    plans = sorted(folder.glob(f"{FOLDER}/*.yaml"))
    others = {*own, *cards, *plans}
    files = sorted(path for path in folder.rglob("*") if (path.is_file() or path.is_symlink()) and path not in others)
    return {
        "data": digest_of_files(files, folder),
        "study": digest_of_files(own, folder),
        "cards": digest_of_files(cards, folder),
        "registration": digest_of_files(plans, folder),
        "settings": json.dumps(dict(settings) | {"blind": is_blind}, sort_keys=True, default=str),
        "program": program(),
    }


def why_anew(report: Path, parts: Mapping[str, str], study: Path) -> str:
    """Return why a report must be made; empty where the one that is there was made from the same."""
    if not report.is_dir():
        return "it is not there yet"
    if (report / LOG).is_file():
        return "a fault in this program took a part of it away"
    if not (report / "run.json").is_file():
        return "its input could not be used"
    if not all((report / name).is_file() for name in WRITTEN):
        return "some of its files are gone"
    before = _read(report / "run.json").get("made_from", {})
    changed = [said for part, said in CHANGED.items() if before.get(part) != parts[part]]
    if not changed and QUERY.search((study / "study.yaml").read_text(encoding="utf-8", errors="replace")):
        return "it reads a database, which may have changed"
    return "; ".join(changed)


def code_files() -> list[Path]:
    """Return the files that decide what a study's answer is: the program's own, and what ships with it."""
    code = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".ipynb")]
    return sorted(
        [*code, shipped("hypotheses.yaml"), shipped("literature.csv"), *shipped("instruments").glob("*.yaml")]
    )


@cache
def program() -> str:
    """Return a digest of everything that makes an answer but the study: code, hypotheses, instruments, libraries."""
    versions = sorted(f"{one.name} {one.version}" for one in metadata.distributions())
    return hashlib.sha256(
        "\n".join([platform.python_version(), *versions, digest_of_files(code_files(), PACKAGE)]).encode()
    ).hexdigest()


@cache
def _of_notebooks() -> str:
    """Return a digest of what a report's notebooks ask; what they showed when they were last run is none of it."""
    paths = sorted(path for path in notebooks_dir().glob("*.ipynb") if path.name not in NOT_OF_A_REPORT)
    asked = [(path.name, _cells(path)) for path in paths]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _cells(notebook: Path) -> list[tuple[object, ...]]:
    """Return the kind, the tags and the source of each cell."""
    return [
        (cell.get("cell_type"), cell.get("metadata", {}).get("tags"), "".join(cell.get("source", "")))
        for cell in _read(notebook).get("cells", [])
    ]


def _read(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
