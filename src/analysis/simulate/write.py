"""A simulated company on disk, as a study folder."""

import hashlib
import shutil
from pathlib import Path

import yaml

from analysis.plan.errors import bad_input
from analysis.simulate.company import Company
from analysis.simulate.exports.files import canonical_csv, raw_files


def write_company(company: Company, folder: Path, *, overwrite: bool = False) -> None:
    """Write a study folder: ``study.yaml``, ``raw/``, ``SHA256SUMS`` and, beside the raw exports, ``truth.csv``.

    The folder appears whole or not at all.

    Raises
    ------
    BadInput
        The folder exists and is not empty, and `overwrite` was not asked for.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())) and not overwrite:
        raise bad_input(
            folder.name,
            "is already there and not empty; choose another name, or allow it to be replaced",
            rule="folder_exists",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    new, old = folder.with_name(f".{folder.name}.new"), folder.with_name(f".{folder.name}.old")
    for leftover in (new, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    (new / "raw").mkdir(parents=True)
    for path, content in files(company).items():
        (new / path).write_bytes(content)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    if old.exists():
        shutil.rmtree(old)


class _Dumper(yaml.SafeDumper):
    """Writes a value that recurs in full each time: anchors are not allowed in a study file."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def files(company: Company) -> dict[str, bytes]:
    """Return the content of every file of the study folder by its path in it."""
    raw = {file.path: file.write() for file in raw_files(company.scenario, company.tables)}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(raw.items()))
    study = yaml.dump(
        company.study, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    truth = canonical_csv(company.truth)
    return raw | {"study.yaml": study.encode(), "SHA256SUMS": sums.encode(), "truth.csv": truth}
