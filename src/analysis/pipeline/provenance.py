"""Where an answer comes from: data, code and versions."""

import hmac
import platform
import subprocess
from importlib import metadata

from analysis.answers.shared import checksums
from analysis.ingest.ids import load_key
from analysis.plan.paths import repository
from analysis.plan.study import Study

PACKAGES = ("mentoring-outcomes", "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "papermill")


def provenance(study: Study) -> dict:
    """Return what `run.json` says of a run, but for its times: no path and no person's data are in it.

    The digests of the files are keyed, as pseudonyms are: with the key the files can be recognised, and without it no
    guess of what stands in them can be tried.
    """
    key = load_key()
    return {
        "study": study.study,
        "parameters": {
            "as_of": str(study.as_of),
            "horizons_months": list(study.horizons_months),
            "min_cell": study.min_cell,
            "round_to": study.round_to,
            "smallest_effects": dict(study.smallest_effects),
        },
        "data_digests": {
            name: hmac.digest(key, sha.encode(), "sha256").hex() for name, sha in checksums(study).items()
        },
        **program_facts(),
        "seeds": "SHA-256 of the names of study, program, role, outcome and horizon (analysis.plan.probability)",
    }


def program_facts() -> dict:
    """Return which program made a run: versions, and the commit of a clone."""
    return {
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def digest(study: Study) -> str:
    """Return one keyed digest of all of the study's files."""
    return hmac.digest(load_key(), "".join(checksums(study).values()).encode(), "sha256").hex()


def _commit() -> str | None:
    """Return the project's commit, marked where files have been changed since; None where it is no clone."""
    clone = repository()
    if clone is None:
        return None
    command = ["git", "-C", str(clone), "describe", "--always", "--dirty", "--abbrev=40"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
