"""All tables of people of one report, taken together: what is known of each count, and what must be true of them."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from attacks import Margins, Parts
from demo_answers import DemoAnswer

from analysis.plan.results import Estimated, Finding, with_number
from analysis.release.rule import ReleaseRule

STAGES = {"employed": "employed", "enrolled": "enrolled", "offered a place": "offered", "started": "started"}
FORMS = ("n_people", "n_invited", "n_answered", "n_scored", "n_paired")
ARMS = ("treated", "control")


class OneReport:
    """What a report tells of one role of one program, by a reader who knows how its tables are made.

    Attributes
    ----------
    margins
        The counts as they are shown, and their sums.
    exact
        The counts as they are.
    """

    def __init__(self, company: DemoAnswer, program: str, role: str, rule: ReleaseRule) -> None:
        self.margins, self.exact, self._hidden = Margins(rule), dict[str, int](), list[Parts]()
        self._intakes(_of(company.frames["participation"], program, role))
        self._people(_of(company.frames["flow_of_people"], program, role))
        for finding in company.findings:
            if (finding.program, finding.role) == (program, role):
                self._answer(finding)

    @property
    def hidden(self) -> Iterator[tuple[Parts, int]]:
        """Every small number of people that no table shows, as the sum of counts that do, and how many they are."""
        for parts in self._hidden:
            n = sum(self.exact[name] * times for name, times in parts.items())
            if 0 < n < self.margins.rule.min_cell:
                yield parts, n

    def see(self, name: str, n: float) -> str:
        n = 0 if pd.isna(n) else int(n)
        assert self.exact.setdefault(name, n) == n, f"one name for two numbers: {name}"
        self.margins.see(name, n)
        return name

    def least_zero(self, **parts: int) -> None:
        """Take in that a sum of counts is a number of people, which nobody shows."""
        self.margins.know(0, **parts)
        self._hidden.append(parts)

    def whole(self, whole: str, part: str) -> None:
        """Take in that some people are part of others."""
        if whole != part:
            self.least_zero(**{whole: 1, part: -1})

    def chain(self, names: list[str]) -> None:
        for whole, part in pairwise(names):
            self.whole(whole, part)

    def _intakes(self, intakes: pd.DataFrame) -> None:
        for i, row in enumerate(intakes.to_dict("records")):
            names = [self.see(f"{stage}{i}", row[f"n_{stage}"]) for stage in ("enrolled", "offered", "started")]
            self._hidden += [{name: 1} for name in names]
            self.chain(names)
        self.n_intakes = len(intakes)

    def _people(self, flow: pd.DataFrame) -> None:
        for hypothesis, way in flow[flow["unit"] == "people"].groupby("hypothesis"):
            stages = way[way["kind"] == "stage"]
            self.chain(
                [self.see(STAGES.get(step, f"{hypothesis} {step}"), n)
                 for step, n in zip(stages["step"], stages["n_people"], strict=True)]
            )  # fmt: skip
        for stage in {"enrolled", "offered", "started"} & set(self.exact) if self.n_intakes else ():
            intakes = [f"{stage}{i}" for i in range(self.n_intakes)]
            for intake in intakes:
                self.margins.know(0, **{stage: 1, intake: -1})
            self.least_zero(**dict.fromkeys(intakes, 1), **{stage: -1})

    def _answer(self, finding: Finding) -> None:
        main = finding.primary
        for arm in ARMS if isinstance(main, Estimated) else ():
            name = self.see(f"{finding.hypothesis} {arm}", getattr(main, f"n_{arm}"))
            analysed = f"{finding.hypothesis} analysed"
            if arm == "treated" and self.exact.get(analysed) == self.exact[name]:
                self.margins.know(0, 0, **{analysed: 1, name: -1})
            self._other_rows(finding, arm, name)
            self._frames(finding, arm, name)

    def _other_rows(self, finding: Finding, arm: str, name: str) -> None:
        """Take in the rows of the same groups less some people."""
        told = {self.exact[name]}
        for row in with_number(finding.estimates):
            n = getattr(row, f"n_{arm}")
            if row.contrast == finding.primary.contrast and n < self.exact[name] and n not in told:
                told.add(n)
                self.whole(name, self.see(f"{name} {row.row}", n))

    def _frames(self, finding: Finding, arm: str, name: str) -> None:
        frames = finding.evidence
        if "curves" in frames:
            curve = frames["curves"].query("arm == @arm")
            months = [self.see(f"{name} {m}", n) for m, n in zip(curve["months"], curve["n_at_risk"], strict=True)]
            self.chain(([name] if self.exact[months[0]] == self.exact[name] else []) + months)
        if "missing" in frames:
            for covariate, n in zip(frames["missing"]["covariate"], frames["missing"][f"n_{arm}"], strict=True):
                self._hidden.append({self.see(f"{name} without {covariate}", n): 1})
                self.whole(name, f"{name} without {covariate}")
        if "response" in frames:
            for row in frames["response"].query("arm == @arm").to_dict("records"):
                self.chain([self.see(f"{name} wave {row['wave']} {forms}", row[forms]) for forms in FORMS])
        if f"n_{arm}" in frames.get("flow", ()) and "answered both" in set(frames["flow"]["step"]):
            self._answered(frames["flow"].set_index("step")[f"n_{arm}"], arm, name)
        if "balance_by_quarter" in frames and arm == "treated":
            self._quarters(frames["balance_by_quarter"], name)

    def _answered(self, people: pd.Series, arm: str, name: str) -> None:
        everybody, before, after, both = (
            self.see(f"{name} {step}", people[step])
            for step in ("in the comparison", "answered before", "answered after", "answered both")
        )
        self.chain([everybody, before, both])
        self.chain([everybody, after, both])
        # A comparator of two intakes may have answered before one and after the other.
        if arm == "treated":
            self.least_zero(**{everybody: 1, before: -1, after: -1, both: 1})
        if self.exact[both] == self.exact[name]:
            self.margins.know(0, 0, **{both: 1, name: -1})

    def _quarters(self, quarters: pd.DataFrame, name: str) -> None:
        if quarters["n_treated"].sum() == self.exact[name]:
            parts = [self.see(f"{name} {q}", n) for q, n in quarters[["quarter", "n_treated"]].itertuples(index=False)]
            self._hidden += [{part: 1} for part in parts]
            self.margins.know(0, 0, **{name: 1} | dict.fromkeys(parts, -1))


def roles(company: DemoAnswer) -> list[tuple[str, str]]:
    """Return the programs and roles of which a report tells how many people came how far."""
    return list(
        dict.fromkeys(company.frames["flow_of_people"][["program_id", "role"]].itertuples(index=False, name=None))
    )


def _of(frame: pd.DataFrame, program: str, role: str) -> pd.DataFrame:
    return frame[(frame["program_id"] == program) & (frame["role"] == role)].reset_index(drop=True)


def widths(report: OneReport) -> np.ndarray:
    """Return how many numbers each hidden one may be; the true one is always among them."""
    found = []
    for parts, n in report.hidden:
        low, high = report.margins.possible(**parts)
        assert low <= n <= high, f"{parts}: {n} is not within {low} to {high}"
        found.append(high - low + 1)
    return np.array(found)
