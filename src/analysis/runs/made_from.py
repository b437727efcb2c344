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

from analysis.ingest.ids import load_key
from analysis.plan.faults import LOG, PACKAGE
from analysis.plan.paths import digest_of_files, notebooks_dir, shipped
from analysis.plan.registration import FOLDER

# Parts of what a report is made from, and what is said where one has changed.
CHANGED = {
    "data": "its raw files changed",
    "study": "study.yaml changed",
    "cards": "its instruments or profiles changed",
    "registration": "a plan was registered",
    "settings": "the settings of the report changed",
    "program": "this program, its notebooks or its libraries changed",
}
QUERY = re.compile(r"^[\s-]*query\s*:", re.MULTILINE)
WRITTEN = ("index.html", "estimates.csv", "findings.csv", "data_quality.csv")


def made_from(folder: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """Return a keyed digest of each part of what the report of a study folder is made from."""
    return keyed(digests(folder, settings))


def keyed(parts: Mapping[str, str]) -> dict[str, str]:
    """Return digests under the user's key, so that no guess of what stands in a file can be tried with them."""
    key = load_key()
    return {part: hmac.digest(key, told.encode(), "sha256").hex() for part, told in parts.items()}


def digests(folder: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """Return a digest of each part of what the report of a study folder is made from, the same on every machine.

    Without a key: for no file.
    """
    own = [folder / "study.yaml"]
    cards = sorted([*folder.glob("instruments/*.yaml"), *folder.glob("profiles/*.yaml")])
    plans = sorted(folder.glob(f"{FOLDER}/*.yaml"))
    others = {*own, *cards, *plans}
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path not in others)
    return {
        "data": digest_of_files(files, folder),
        "study": digest_of_files(own, folder),
        "cards": digest_of_files(cards, folder),
        "registration": digest_of_files(plans, folder),
        "settings": json.dumps(dict(settings), sort_keys=True, default=str),
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


@cache
def program() -> str:
    """Return a digest of everything that makes a report but the study: code, notebooks, hypotheses, libraries."""
    code = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    code += [*notebooks_dir().glob("*.ipynb"), shipped("hypotheses.yaml"), shipped("literature.csv")]
    code += shipped("instruments").glob("*.yaml")
    versions = sorted(f"{one.name} {one.version}" for one in metadata.distributions())
    return hashlib.sha256(
        "\n".join([platform.python_version(), *versions, digest_of_files(sorted(code), PACKAGE)]).encode()
    ).hexdigest()


def _read(path: Path) -> dict:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
