"""In which unit, and how precisely, each measure is told: the one precision of pages, notebooks and ledgers."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """How a measure is shown: its scale, decimals, full and short name; a ratio carries no sign."""

    scale: float = 1.0
    decimals: int = 2
    name: str = ""
    short: str = ""
    is_ratio: bool = False

    @property
    def digits(self) -> int:
        """Decimals of an estimate in the ledger, on the measure's own scale."""
        return self.decimals + round(math.log10(self.scale))

    def rounded(self, value: float) -> float:
        """Return an estimate as precisely as it is told."""
        return round(value, self.digits) + 0.0

    def limit(self, value: float) -> float:
        """Return an end of an interval likewise; one beside no effect stays on its side, and is never on it."""
        none, step = 1.0 if self.is_ratio else 0.0, 10.0**-self.digits
        shown = self.rounded(value)
        return self.rounded(none + math.copysign(step, value - none)) if shown == none != value else shown


UNITS = {
    "risk_difference": Unit(100, 1, "percentage points", "points"),
    "risk_difference_per_decade_of_age": Unit(100, 1, "percentage points", "points"),
    "risk_difference_per_year_of_tenure": Unit(100, 1, "percentage points", "points"),
    "risk_difference_per_five_sessions": Unit(100, 1, "percentage points", "points"),
    "mean_difference": Unit(1, 2, "points", "points"),
    "mean_difference_per_decade_of_age": Unit(1, 2, "points", "points"),
    "mean_difference_per_year_of_tenure": Unit(1, 2, "points", "points"),
    "mean_difference_per_five_sessions": Unit(1, 2, "points", "points"),
    "standardized_mean_difference": Unit(1, 2, "standard deviations", "SD"),
    "rmst_difference_days": Unit(1, 0, "days", "days"),
    "rmtl_difference_days": Unit(1, 0, "days", "days"),
    "net_benefit": Unit(1, 0, "in the study's currency", ""),
    "exits_avoided": Unit(1, 1, "exits", "exits"),
    "risk_ratio": Unit(is_ratio=True),
    "hazard_ratio": Unit(is_ratio=True),
    "odds_ratio": Unit(is_ratio=True),
    "e_value": Unit(1, 1, is_ratio=True),
}
