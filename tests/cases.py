"""Studies of ordinary companies on which a report once stopped, or said something wrong without a word.

Each is the invented company in ``tests/fixtures/cases/m`` with one thing changed.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

COMPANY = Path(__file__).parent / "fixtures" / "cases" / "m"
NAME = "m"


def _change(folder: Path, file: str, change: Callable[[str], str]) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert change(text) != text, file
    path.write_text(change(text), encoding="utf-8")


def _one_spell_each(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows of employees, of who came back the last spell."""
    return list({row[0]: row for row in rows}.values())


def _everybody_left_before(folder: Path) -> None:
    def left(text: str) -> str:
        header, *lines = text.splitlines()
        rows = _one_spell_each([line.split(",") for line in lines])
        gone = [[row[0], "2010-01-01", "2015-01-01", "voluntary", "", "", *row[6:]] for row in rows]
        return "\n".join([header, *(",".join(row) for row in gone), ""])

    _change(folder, "raw/employees.csv", left)


def _event_outside(folder: Path) -> None:
    event = "events: [{date: 2015-01-01, label: Merger}]"
    _change(folder, "study.yaml", lambda text: text.replace("events: []", event))


def _misspelt_column(folder: Path) -> None:
    def misspelt(text: str) -> str:
        rows = _one_spell_each([line.split(",") for line in text.replace("exit_date", "exit_dt").splitlines()])
        return "\n".join(",".join([*row[:3], *row[6:]]) for row in rows) + "\n"

    _change(folder, "raw/employees.csv", misspelt)


def _survey_of_another_system(folder: Path) -> None:
    for path in folder.glob("raw/pulse_*.csv"):
        _change(folder, f"raw/{path.name}", lambda text: re.sub(r"^F", "SF", text, flags=re.MULTILINE))


CASES: dict[str, Callable[[Path], None]] = {
    "all_left_before_study_start": _everybody_left_before,
    "event_outside_the_study": _event_outside,
    "misspelt_optional_column": _misspelt_column,
    "survey_links_to_nobody": _survey_of_another_system,
}


def write_case(case: str, data: Path) -> Path:
    """Write a case's study as ``data/m`` and return its folder."""
    folder = data / NAME
    shutil.copytree(COMPANY, folder)
    CASES[case](folder)
    return folder
