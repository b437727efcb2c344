"""What the analyst types in that first hour: the files for `mentoring init`, and the edits of its draft."""

from pathlib import Path

# What was drafted → what the analyst makes of it. The project asks for ten at most.
EDITS = (
    ("intakes: [2022-03-14, 2022-10-10, 2023-03-13]", "intakes: [2022-03-07, 2022-10-03, 2023-03-06]"),
    ("# values:\n", "values:\n"),
    ("#   snapshots:\n", "  snapshots:\n"),
    ("#     performance_rating: [Unsat", "    performance_rating: [Unsat"),
)


def options(files: Path) -> tuple[dict[str, list[str]], dict]:
    """Return the files by table, and what else is said on the command line."""
    surveys = [f"{files}/pulse_{wave}.csv" for wave in ("1", "2", "3_en", "3_de")]
    tables = {
        "employees": [f"{files}/workers.xlsx"],
        "jobs": [f"{files}/headcount.csv"],
        "leave": [f"{files}/absences.csv"],
        "responses": surveys,
        "enrolments": [f"{files}/pairs.xlsx#Pairs", f"{files}/pairs.xlsx#Waiting list"],
        "sessions": [f"{files}/meetings.csv"],
    }
    said = {"programs": ("Reverse Mentoring",), "direction": "reverse", "as_of": "2025-06-30"}
    return tables, said | {"cards": (files / "pulse.yaml",)}


def with_edits(text: str) -> str:
    """Return study.yaml as the analyst leaves it.

    Raises
    ------
    ValueError
        The draft has no longer what an edit replaces, or there are more edits than ten.
    """
    for old, new in EDITS:
        if text.count(old) != 1 or len(EDITS) > 10:
            raise ValueError(f"not once in the draft: {old}")
        text = text.replace(old, new)
    return text
