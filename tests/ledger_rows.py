"""A sample row of the estimates ledger: what most tests of rows need, and the names by which they differ."""

from typing import Any

from analysis.plan.results import Estimated

STARTED = {"contrast": "enrolled_vs_not", "estimand": "ATT", "estimator": "iptw_aalen_johansen"}
OFFERED = {"contrast": "offered_vs_not", "estimand": "ITT", "estimator": "stratified_difference_in_proportions"}
DASHBOARD = {"contrast": "ever_vs_never", "estimand": "association", "estimator": "aalen_johansen", "analysis": "naive"}
MORALE = {"hypothesis": "H2_morale", "outcome": "morale", "measure": "mean_difference", "estimator": "dr_did"}
NAMES = {"study": "acme", "program": "genius", "hypothesis": "H1_retention", "analysis": "primary",
         "outcome": "voluntary_exit", "role": "mentor", "measure": "risk_difference",
         "horizon_months": 12} | STARTED  # fmt: skip
# The numbers that every row with a number has.
NUMBERS = {"estimate": -0.04, "std_error": 0.02, "ci_low": -0.08, "ci_high": 0.0, "ci_level": 0.95, "n_treated": 140,
           "n_control": 660}  # fmt: skip


def sample_row(**changes: Any) -> Estimated:
    """Return a row on retention of mentors who started, complete; `changes` make another of it."""
    return Estimated(**NAMES | NUMBERS | changes)
