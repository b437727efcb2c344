"""A simulated company on disk, as a study folder."""

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import yaml

from analysis.plan.errors import bad_input
from analysis.simulate.company import Company


def write_company(company: Company, folder: Path, *, overwrite: bool = False) -> None:
    """Write a study folder: ``study.yaml``, ``raw/``, ``SHA256SUMS`` and, beside the raw files, ``truth.csv``.

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
    raw = {source["path"]: _csv(_rows(company, source)) for source in company.study["sources"]}
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in sorted(raw.items()))
    study = yaml.dump(
        company.study, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None
    )
    return raw | {"study.yaml": study.encode(), "SHA256SUMS": sums.encode(), "truth.csv": _csv(company.truth)}


def _rows(company: Company, source: dict) -> pd.DataFrame:
    """Return the rows of one raw file; of a survey those of its wave, which study.yaml names."""
    rows = getattr(company.tables, source["table"])
    if "wave" not in source:
        return rows
    is_here = (rows["wave"] == source["wave"]) & (rows["instrument"] == source["instrument"])
    return rows[is_here].drop(columns=["wave", "instrument"])


def _csv(frame: pd.DataFrame) -> bytes:
    """Return a typed table as the contract writes it; columns that are empty and need not be there are left out."""
    needless = [name for name in ("attendee_ids", "responded_at") if name in frame and frame[name].isna().all()]
    frame = frame.drop(columns=needless)
    whole = [c for c in frame.select_dtypes("float64") if (frame[c].dropna() % 1 == 0).all()]
    text = frame.astype(dict.fromkeys(whole, "Int64"))
    flags = {c: text[c].map({True: "true", False: "false"}) for c in text.select_dtypes("boolean")}
    lines = text.assign(**flags).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n", float_format="%.6g")
    return lines.encode()
