"""What a reader might try: numbers that are shown, put together until a hidden one follows.

Each attack is told the release rule and everything that is public about how tables are made. It answers with the whole
numbers that a hidden count may be: one is a find.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from ledger_rows import OFFERED, sample_row
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from analysis.plan.results import Estimate, Estimated, Finding
from analysis.release.outside import step_of
from analysis.release.rule import ReleaseRule

RULE, OPEN = ReleaseRule(10, 5), ReleaseRule(0, 1)
# A sum of counts: how often each of them is added.
Parts = Mapping[str, int]


def plain(a: int, b: int, n1: int, n0: int, months: int = 12, **changes) -> Estimate:
    """Return a difference of two plain proportions with Wald's standard error."""
    p1, p0 = a / n1, b / n0
    error = math.sqrt(max(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0, 1e-6))
    low, high = p1 - p0 - 2 * error, p1 - p0 + 2 * error
    numbers = {"estimate": p1 - p0, "std_error": error, "ci_low": low, "ci_high": high, "p_value": 0.04,
               "n_treated": n1, "n_control": n0, "events_treated": a, "events_control": b}  # fmt: skip
    analysis = "primary" if months == 12 else "secondary"
    return sample_row(**OFFERED | {"analysis": analysis, "horizon_months": months} | numbers | changes)


def finding(*rows: Estimate, **changes) -> Finding:
    main, *others = rows
    return Finding(hypothesis=main.hypothesis, program=main.program, role="mentor", primary=main,
                   alternatives=tuple(others), verdict="inconclusive", smallest_effect=0.03, **changes)  # fmt: skip


@dataclass
class Margins:
    """Counts that are known within limits, and what they must add up to: solved as an integer programme."""

    rule: ReleaseRule
    limits: dict[str, tuple[int, int]] = field(default_factory=dict)
    sums: list[tuple[Parts, int, float]] = field(default_factory=list)

    def see(self, name: str, n: int) -> None:
        """Take in a count as it is shown: a multiple stands for itself and what follows, none for a small one."""
        [shown] = self.rule.counts(pd.Series([n]))
        low, high = (0, self.rule.min_cell - 1) if pd.isna(shown) else (int(shown), int(shown) + self.rule.round_to - 1)
        self.limits[name] = (low, high)

    def know(self, least: int, most: float = np.inf, **parts: int) -> None:
        """Take in that a sum of counts lies between two numbers."""
        self.sums.append((parts, least, most))

    def possible(self, **parts: int) -> tuple[int, int]:
        """Return the least and the greatest number that a sum of counts may be."""
        names = {name: i for i, name in enumerate(self.limits)}
        aim = np.zeros(len(names))
        aim[[names[name] for name in parts]] = list(parts.values())
        cells = [(row, names[name], n) for row, (s, *_) in enumerate(self.sums) for name, n in s.items()]
        rows, columns, times = np.array(cells).T if cells else ([], [], [])
        sums = csr_array((times, (rows, columns)), shape=(len(self.sums), len(names)))
        known = LinearConstraint(sums, [low for _, low, _ in self.sums], [high for *_, high in self.sums])
        bounds = Bounds(*np.array(list(self.limits.values())).T)
        found = [milp(way * aim, constraints=known, bounds=bounds, integrality=np.ones(len(names))) for way in (1, -1)]
        assert all(one.success for one in found), "what is shown contradicts itself"
        return round(found[0].fun), round(-found[1].fun)


def intakes_against_people(intakes: pd.DataFrame, people: Mapping[str, int], rule: ReleaseRule) -> Margins:
    """Return what the table of intakes and the way into the program tell together of one role.

    Parameters
    ----------
    intakes
        ``n_enrolled, n_offered, n_started``, as they are.
    people
        Distinct people by stage: ``enrolled``, ``offered``, ``started``.
    """
    margins = Margins(rule)
    for stage, n in people.items():
        margins.see(stage, n)
        for i, some in enumerate(intakes[f"n_{stage}"]):
            margins.see(f"{stage}{i}", int(some))
            margins.know(0, **{stage: 1, f"{stage}{i}": -1})
        margins.know(0, **{f"{stage}{i}": 1 for i in range(len(intakes))}, **{stage: -1})
    for early, late in (("enrolled", "offered"), ("offered", "started")):
        margins.know(0, **{early: 1, late: -1})
        for i in range(len(intakes)):
            margins.know(0, **{f"{early}{i}": 1, f"{late}{i}": -1})
    return margins


def exits_of_rate(n: int, years: float, rule: ReleaseRule) -> set[int]:
    """Return the numbers of exits that show the same rate and person-years as `n` exits in `years`."""

    def told(k: int) -> tuple:
        frame = pd.Series([k]), pd.Series([years])
        return tuple(float(f"{100 * x:.2g}") if pd.notna(x) else None for x in rule.per(*frame))

    return {k for k in range(max(0, n - 30), n + 30) if told(k) == told(n)}


def from_difference_and_ratio(difference: float, ratio: float, n_treated: int) -> float:
    """Return the number of events that p₁ = RD·RR/(RR − 1) gives."""
    return difference * ratio / (ratio - 1) * n_treated


def events_like(shared: pd.Series, step: float) -> tuple[set[int], set[int]]:
    """Return the numbers of events, by arm, that give a shared difference of plain proportions and its standard error.

    Group sizes are known to within the rounding alone.
    """
    found: tuple[set[int], set[int]] = (set(), set())
    for n1 in range(int(shared["n_treated"]), int(shared["n_treated"]) + 5):
        for n0 in range(int(shared["n_control"]), int(shared["n_control"]) + 5):
            treated, control = np.nonzero(fits(shared["estimate"], shared["std_error"], n1, n0, step))
            found[0].update(treated.tolist())
            found[1].update(control.tolist())
    return found


def fits(estimate: float, std_error: float, n1: int, n0: int, step: float) -> np.ndarray:
    """Return which numbers of events, of so many people in each group, give a shared difference of plain proportions.

    Shape (n1 + 1, n0 + 1): events of the first group, of the second.
    """
    a, b = np.meshgrid(np.arange(n1 + 1), np.arange(n0 + 1), indexing="ij")
    p1, p0 = a / n1, b / n0
    error = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
    is_same = np.round((p1 - p0) / step) == round(estimate / step)
    return is_same & (np.maximum(np.round(error / step), 1) == round(std_error / step))


def sizes_like(rows: Sequence[Estimate], release: Callable[[Estimate], Estimate]) -> set[int]:
    """Return the sizes of the first group that would show a difference and a ratio of two plain proportions likewise.

    Parameters
    ----------
    rows
        The difference, and the ratio, as they are.
    release
        What is done before they are shown: both groups' sizes are known to within five.
    """
    difference, ratio = (release(row) for row in rows)
    found = set()
    for n1 in range(difference.n_treated, difference.n_treated + 5):
        for n0 in range(difference.n_control, difference.n_control + 5):
            a, b = np.meshgrid(np.arange(n1 + 1), np.arange(1, n0 + 1), indexing="ij")
            near = np.abs(a / n1 - b / n0 - rows[0].estimate) < 0.001
            near &= np.abs(a / n1 / (b / n0) - rows[1].estimate) < 0.01
            for p1, p0 in zip(a[near] / n1, b[near] / n0, strict=True):
                told = release(replace(rows[0], estimate=p1 - p0)), release(replace(rows[1], estimate=p1 / p0))
                if (told[0].estimate, told[1].estimate) == (difference.estimate, ratio.estimate):
                    found.add(n1)
                    break
    return found


def event_of_one(release: Callable[[int, int, int, int], object], a: int, b: int, n1: int, n0: int) -> tuple[set, set]:
    """Return whether the one person of the first group whom a second report lacks had the event: had, had not.

    Each is what may be true where it is, for a reader who knows both groups and everybody else's events.

    Parameters
    ----------
    release
        What is shown of so many events in each group and so many people in each.
    """
    told = {had: release(a - had, b, n1 - 1, n0) for had in (True, False)}
    had, had_not = ({one for one, shown in told.items() if shown == told[true]} for true in (True, False))
    return had, had_not


def events_of_the_few(before: Estimated, now: Estimated, sizes: tuple[int, int], few: int, *, joined: bool) -> set[int]:
    """Return how many of a few people of the first group may have had the event, for a reader of two shared rows.

    The differencing attack. The reader knows both groups, and that these few alone differ between the releases: they
    joined the first group, or were in it and were followed for longer. Events are known from the two rows alone.

    Parameters
    ----------
    sizes
        Of both groups before.
    """
    n1, n0 = sizes
    later = n1 + few if joined else n1
    then, after = (
        fits(row.estimate, row.std_error, n, n0, step_of(row, RULE)) for row, n in ((before, n1), (now, later))
    )
    found = set()
    for k in range(few + 1):
        n = min(n1, later - k) + 1
        if (then[:n] & after[k : k + n]).any():
            found.add(k)
    return found


def whole_numbers(text: str) -> set[int]:
    """Return every whole number that stands by itself in a text: no part of a decimal, a day, a name or a share."""
    found = re.findall(
        r"(?<![\w.,#&\-–−/])\d{1,3}(?:,\d{3})+(?![\w.])|(?<![\w.,#&\-–−/])\d+(?![\w.,%\-–/:;]|\u00a0%)", text
    )
    return {int(number.replace(",", "")) for number in found}


def exact_counts(frames: Iterable[pd.DataFrame]) -> set[int]:
    """Return the exact counts in frames before release that rounding changes and chance hardly brings forth."""
    counts = [frame[c].dropna().astype(float) for frame in frames for c in frame if str(c).startswith(("n_", "rows_"))]
    known = {int(n) for column in counts for n in column if n >= 100 and n == int(n)}
    return {n for n in known if n % RULE.round_to}
