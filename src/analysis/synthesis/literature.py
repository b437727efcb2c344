"""What published studies found (``data/literature.csv``): to stand beside a pooled answer, and never to be pooled."""

from dataclasses import dataclass
from functools import cache

import pandas as pd

from analysis.plan.paths import shipped


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published study; the numbers are those that it printed, where they are of a measure of ours.

    Attributes
    ----------
    figure
        What it found, in words.
    hypotheses
        Whom it may stand beside.
    naive
        What the same data say unadjusted.
    """

    study: str
    year: int | None
    design: str
    figure: str
    hypotheses: tuple[str, ...]
    measure: str | None
    estimand: str | None
    horizon_months: int | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    naive: float | None

    @property
    def name(self) -> str:
        """The authors and the year: ``Jones, Molitor & Reif 2019``."""
        parts = [part for part in self.study.split(", ") if not any(c.isdigit() for c in part)]
        return f"{', '.join(parts)} {self.year or ''}".strip()

    @property
    def is_drawn(self) -> bool:
        """Whether it printed a number of a measure of ours, with its interval."""
        return self.estimate is not None


@cache
def published() -> tuple[Published, ...]:
    """Return the published figures that were read in the source's own text; second-hand ones are never shown."""
    rows = pd.read_csv(shipped("literature.csv"), dtype={"measure": object, "estimand": object})
    rows = rows[rows["verified"] == "yes"].astype(object)
    whole = ("year", "horizon_months")
    found = []
    for row in rows.where(rows.notna(), None).to_dict("records"):
        told = {str(key): value for key, value in row.items() if key not in ("verified", "used_for")}
        told |= {key: None if told[key] is None else int(told[key]) for key in whole}
        found.append(Published(**told, hypotheses=tuple(row["used_for"].split(";"))))
    return tuple(found)
