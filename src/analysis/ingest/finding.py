"""What a function on cells noticed."""

from dataclasses import dataclass

import numpy as np

from analysis.plan.errors import Action, Severity


@dataclass(frozen=True)
class Finding:
    rule: str
    severity: Severity
    action: Action
    message: str
    lines: np.ndarray
