"""Ledgers made again, compared row by row with those of an earlier run: a verdict for each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import pandas as pd

from analysis.pipeline.reproduced import Remade, read_text
from analysis.plan.errors import bad_input

Verdict = Literal["reproduced", "within tolerance", "diverged", "missing", "new"]
VERDICTS: tuple[Verdict, ...] = ("reproduced", "within tolerance", "diverged", "missing", "new")
FAILING: tuple[Verdict, ...] = ("diverged", "missing", "new")
# The tolerance by column: numbers that are computed may differ by one in the last digit that is written, since other
# processors and libraries round a half the other way. Everything else (counts, names, verdicts, reasons) not at all.
ONE_IN_THE_LAST_DIGIT = (
    *("estimate", "std_error", "ci_low", "ci_high", "p_value", "p_adjusted"),
    *("smallest_effect", "smallest_detectable"),
)
# What names a row where the ledger has no id for it.
NAMED_BY = ("severity", "table", "source", "rule", "message")
LEDGERS = ("estimates.csv", "findings.csv", "data_quality.csv")


@dataclass(frozen=True)
class Compared:
    """One row of a ledger, and what became of it.

    Attributes
    ----------
    row
        Its id; of the data-quality ledger its rule and source.
    differences
        ``column: before → now`` of every cell that differs.
    """

    study: str
    ledger: str
    row: str
    verdict: Verdict
    differences: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.study}/{self.ledger}, row {self.row}: {self.verdict}{'; ' if self.differences else ''}"
            + "; ".join(self.differences)
        )


def expected_ledgers(against: Path, studies: Sequence[str]) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the ledgers of an earlier run, by study and file.

    Parameters
    ----------
    against
        A folder of reports, or ``reports/expected``, where one ledger of estimates holds all studies.
    studies
        Those that are asked for; all that it has where none is named.

    Raises
    ------
    BadInput
        It has no ledger, or none of a study that is asked for.
    """
    found: dict[str, dict[str, pd.DataFrame]] = {}
    if (against / LEDGERS[0]).is_file():
        together = read_text(against / LEDGERS[0])
        found = {
            str(name): {LEDGERS[0]: rows.reset_index(drop=True)} for name, rows in together.groupby("study", sort=False)
        }
    for path in sorted(against.glob(f"*/{LEDGERS[0]}")):
        if (path.parent / "run.json").is_file():
            files = [path.parent / name for name in LEDGERS if (path.parent / name).is_file()]
            found[path.parent.name] = {file.name: read_text(file) for file in files}
    missing = [name for name in studies if name not in found]
    if missing or not found:
        what = f"has no ledger of {', '.join(missing)}" if missing else "has no ledger"
        raise bad_input(
            str(against), f"{what}; name another folder of reports with --against", rule="no_ledger", table="estimates"
        )
    return {name: found[name] for name in studies or found}


def compare(remade: Remade, expected: dict[str, pd.DataFrame]) -> list[Compared]:
    """Return a verdict for every row of every ledger that the earlier run has of a study, or this one more."""
    return [
        row
        for ledger, before in expected.items()
        for row in _compared(remade.study, ledger, before, remade.ledgers.get(ledger, before.iloc[:0]))
    ]


def _compared(study: str, ledger: str, before: pd.DataFrame, now: pd.DataFrame) -> Iterator[Compared]:
    columns = tuple(f"column {name}" for name in sorted(set(before) ^ set(now)))
    if columns:
        yield Compared(study, ledger, "(header)", "diverged", columns)
    theirs, ours = _by_name(before), _by_name(now)
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours or name not in theirs:
            yield Compared(study, ledger, name, "missing" if name in theirs else "new")
            continue
        verdicts = {c: _cell(c, theirs[name][c], ours[name][c]) for c in before.columns.intersection(now.columns)}
        unlike = tuple(
            f"{c}: {theirs[name][c] or '(empty)'} → {ours[name][c] or '(empty)'}"
            for c, verdict in verdicts.items()
            if verdict != "reproduced"
        )
        yield Compared(study, ledger, name, max(verdicts.values(), key=VERDICTS.index), unlike)


def _by_name(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the rows of a ledger by their ids; where two have one name, the second has a number."""
    named: dict[str, dict[str, str]] = {}
    seen: Counter[str] = Counter()
    for row in frame.to_dict("records"):
        name = row["row"] if "row" in row else ", ".join(row[c] for c in NAMED_BY if row.get(c))
        seen[name] += 1
        named[name if seen[name] == 1 else f"{name} ({seen[name]})"] = {str(k): str(v) for k, v in row.items()}
    return named


def _cell(column: str, before: str, now: str) -> Verdict:
    if before == now:
        return "reproduced"
    if column not in ONE_IN_THE_LAST_DIGIT:
        return "diverged"
    try:
        a, b = Decimal(before), Decimal(now)
    except InvalidOperation:
        return "diverged"
    if a == b:
        return "reproduced"
    last = min(int(x.as_tuple().exponent) for x in (a, b))
    return "within tolerance" if abs(a - b) <= Decimal(1).scaleb(last) else "diverged"


def verdict_counts(rows: Iterable[Compared]) -> dict[tuple[str, str], Counter[Verdict]]:
    """Return how many rows have each verdict, by study and ledger."""
    found: dict[tuple[str, str], Counter[Verdict]] = {}
    for row in rows:
        found.setdefault((row.study, row.ledger), Counter())[row.verdict] += 1
    return found


def comparison_csv(rows: Iterable[Compared]) -> str:
    """Return every row and its verdict as a CSV file."""
    columns = ["study", "ledger", "row", "verdict", "differences"]
    lines = [(r.study, r.ledger, r.row, r.verdict, "; ".join(r.differences)) for r in rows]
    return pd.DataFrame(lines, columns=columns).to_csv(index=False, lineterminator="\n")
