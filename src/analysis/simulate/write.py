"""A simulated company on disk, as a study folder."""

import hashlib
import shutil
from pathlib import Path

import pandas as pd
import yaml

from analysis.plan.errors import bad_input
from analysis.simulate.company import Company


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
    for path, text in files(company).items():
        (new / path).write_text(text, encoding="utf-8", newline="\n")
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    if old.exists():
        shutil.rmtree(old)


def files(company: Company) -> dict[str, str]:
    """Return the text of every file of the study folder by its path in it."""
    raw = {source["path"]: _csv(_rows_of(company, source)) for source in company.study["sources"]}
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in sorted(raw.items()))
    study = yaml.safe_dump(company.study, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    return raw | {"study.yaml": study, "SHA256SUMS": sums, "truth.csv": _csv(company.truth)}


def _rows_of(company: Company, source: dict) -> pd.DataFrame:
    """Return the rows of one source's file; what its entry in the study file says is not repeated in every row."""
    frame = getattr(company.tables, source["table"])
    if "wave" in source:
        frame = frame[(frame["wave"] == source["wave"]) & (frame["instrument"] == source["instrument"])]
        frame = frame.drop(columns=["wave", "instrument"])
    needless = {"sessions": "attendee_ids", "responses": "responded_at"}.get(source["table"])
    return frame.drop(columns=needless) if needless and frame[needless].isna().all() else frame


def _csv(frame: pd.DataFrame) -> str:
    whole = [c for c in frame.select_dtypes("float64") if (frame[c].dropna() % 1 == 0).all()]
    text = frame.astype(dict.fromkeys(whole, "Int64"))
    flags = {c: text[c].map({True: "true", False: "false"}) for c in text.select_dtypes("boolean")}
    return text.assign(**flags).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n", float_format="%.6g")
