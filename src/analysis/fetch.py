"""Public studies, brought into the data folder in the contract's form: downloaded or copied, their sums checked."""

import csv
import hashlib
import http.client
import io
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.plan.errors import BadInput, Problem, bad_input

TIMEOUT_SECONDS = 30
Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class PublicStudy:
    """A study that is public.

    Attributes
    ----------
    subfolder
        The folder's name where several public studies lie side by side.
    base_url
        Where its files are, at a fixed version.
    manifest
        File name → sha256 of the files that are read.
    convert
        Text of those files by name → text of the study folder's files by path.
    """

    subfolder: str
    base_url: str
    manifest: Mapping[str, str]
    convert: Callable[[Mapping[str, str]], dict[str, str]]


def fetch(
    name: str,
    data: Path,
    source: Path | None = None,
    base_url: str | None = None,
    *,
    manifest: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Bring a public study into ``data/<name>``; a folder of that name is replaced whole or not at all.

    Parameters
    ----------
    source
        A folder that has the files, or has the study's subfolder; None = download them.
    base_url, manifest
        Instead of the study's own.
    progress
        Called with each file's name and its bytes so far while it downloads.

    Returns
    -------
    Path
        The study's folder.

    Raises
    ------
    BadInput
        The study is not known, or a file is missing, differs from its checksum or cannot be downloaded; every file's
        problem at once.
    """
    if name not in STUDIES:
        raise bad_input(
            name[:80],
            f"is no public study that can be fetched; there is {', '.join(sorted(STUDIES))}",
            rule="unknown_public_study",
        )
    study = STUDIES[name]
    contents: dict[str, str] = {}
    problems: list[Problem] = []
    for file, expected in (study.manifest if manifest is None else manifest).items():
        try:
            content = (
                _copied(file, source, study.subfolder)
                if source
                else _downloaded(file, base_url or study.base_url, progress)
            )
            contents[file] = _verified(file, content, expected)
        except BadInput as bad:
            problems += bad.problems
    if problems:
        raise BadInput(problems)
    _replace_folder(data / name, study.convert(contents))
    return data / name


def _copied(file: str, source: Path, subfolder: str) -> bytes:
    for folder in (source, source / subfolder):
        if (folder / file).is_file():
            return (folder / file).read_bytes()
    raise bad_input(
        file,
        f"is not in the folder given with --from, nor in its {subfolder}/; give the folder that has it",
        rule="missing_file",
    )


def _downloaded(file: str, base_url: str, progress: Progress | None) -> bytes:
    parts, size = [], 0
    try:
        with urllib.request.urlopen(f"{base_url.rstrip('/')}/{file}", timeout=TIMEOUT_SECONDS) as answer:
            while part := answer.read(1 << 16):
                parts.append(part)
                size += len(part)
                if progress:
                    progress(file, size)
    except (OSError, http.client.HTTPException) as error:  # URLError, HTTPError and time-outs are OSErrors
        reason = getattr(error, "reason", None) or type(error).__name__
        raise bad_input(
            file,
            f"could not be downloaded ({reason}); where there is no network, get the files elsewhere "
            "and give their folder with --from",
            rule="download_failed",
        ) from error
    return b"".join(parts)


def _verified(file: str, content: bytes, expected: str) -> str:
    if hashlib.sha256(content).hexdigest() != expected:
        raise bad_input(
            file,
            "is not the published file (its sha256 differs); get it again, from the source in docs/reading_a_report.md",
            rule="checksum_mismatch",
        )
    return content.decode("utf-8-sig")


def _replace_folder(folder: Path, texts: Mapping[str, str]) -> None:
    """Write a study folder beside its place and move it there, so that no one sees half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        new.chmod(0o755)
        (new / "study").mkdir()
        for path, text in texts.items():
            (new / "study" / path).parent.mkdir(exist_ok=True)
            (new / "study" / path).write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rename(new / "replaced")
        (new / "study").rename(folder)
    finally:
        if (new / "replaced").exists() and not folder.exists():
            (new / "replaced").rename(folder)
        shutil.rmtree(new, ignore_errors=True)


# --- Illinois Workplace Wellness Study -------------------------------------------------------------------------------

ILLINOIS_YAML = """\
# Made by `mentoring fetch illinois-wellness` from the study's public-use data (firm_admin.csv, no key, no dates).
# A real randomized workplace program with exits from HR records, and published figures to compare with.
schema_version: 1
study: illinois-wellness
title: Illinois Workplace Wellness Study (a wellness program, not a mentoring program)
sector: university
citation: >-
  Jones, D., Molitor, D. & Reif, J. (2019). What Do Workplace Wellness Programs Do? Evidence from the Illinois
  Workplace Wellness Study. Quarterly Journal of Economics 134(4), 1747–1791. Data: doi:10.5281/zenodo.4064859.
licence: CC0-1.0; no investigation of specific subjects
confidential: false
study_start: 2016-08-01    # the file holds no hire dates: everyone is hired here
as_of: 2019-01-31
horizons_months: [12, 30]  # exits are known by August 2017 and by January 2019, each placed on its interval's last day
min_cell: 10
programs:
  - id: wellness
    name: Workplace wellness program
    # The contract asks for a direction and a format; a wellness program has neither, and these two claim the least.
    direction: peer
    format: group
    assignment: lottery
sources:
  - {table: employees,  path: raw/employees.csv,  profile: canonical}
  - {table: enrolments, path: raw/enrolments.csv, profile: canonical}
"""


def illinois_wellness(files: Mapping[str, str]) -> dict[str, str]:
    """Return the study folder of the Illinois Workplace Wellness Study.

    One intake of everyone on 2016-08-01; `offered` = `treat`; who took part in year one (`hra_c_yr1`) starts on the
    intake. The file has neither keys nor dates: ids are row numbers, and an exit is placed on the last day of the
    interval in which it is known. Source: Jones, Molitor & Reif 2019, public-use data (CC0 1.0).

    Raises
    ------
    BadInput
        A row says neither 0 nor 1 where it must.
    """
    rows = list(csv.DictReader(io.StringIO(files["firm_admin.csv"])))
    _must_be_flags(rows)
    employees, enrolments = [], []
    for number, row in enumerate(rows, start=1):
        person = f"P{number:04d}"
        exit_date = (
            "2017-07-31" if row["terminated_0717"] == "1" else "2019-01-31" if row["terminated_0119"] == "1" else ""
        )
        employees.append((person, "2016-08-01", exit_date, "", "not recorded" if exit_date else ""))
        start_date = "2016-08-01" if row["hra_c_yr1"] == "1" else ""
        offered = "true" if row["treat"] == "1" else "false"
        enrolments.append(("wellness", "2016-08-01", person, "participant", offered, start_date))
    raw = {
        "raw/employees.csv": _csv(("employee_id", "hire_date", "exit_date", "exit_type", "exit_reason"), employees),
        "raw/enrolments.csv": _csv(
            ("program_id", "intake_date", "employee_id", "role", "offered", "start_date"), enrolments
        ),
    }
    sums = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {path}\n" for path, text in raw.items())
    return raw | {"study.yaml": ILLINOIS_YAML, "SHA256SUMS": sums}


def _must_be_flags(rows: list[dict[str, str]]) -> None:
    """Stop unless every row answers 0 or 1; nobody outside the offered arm could take part."""
    allowed = {
        "treat": {"0", "1"},
        "hra_c_yr1": {"0", "1", ""},
        "terminated_0717": {"0", "1"},
        "terminated_0119": {"0", "1"},
    }
    problems = []
    for column, values in allowed.items():
        lines = [number for number, row in enumerate(rows, start=2) if row.get(column) not in values]
        if lines:
            problems.append(
                Problem(
                    severity="error",
                    table="study",
                    source="firm_admin.csv",
                    rows=len(lines),
                    example_rows=tuple(lines),
                    rule="not_a_flag",
                    action="rejected",
                    message=f"{column} is neither 0 nor 1; get the published file",
                )
            )
    if problems:
        raise BadInput(problems)


def _csv(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


STUDIES: dict[str, PublicStudy] = {
    "illinois-wellness": PublicStudy(
        subfolder="illinois_wellness",
        base_url="https://raw.githubusercontent.com/reifjulian/illinois-wellness-data/"
        "d94e43c3df1d1a40355a8c1834a6558e7829210f/data/csv",
        manifest={"firm_admin.csv": "9d8f4d074a63163154f40580edae53318b5f342b5a3a1f8b81b2330c0811f808"},
        convert=illinois_wellness,
    ),
}
