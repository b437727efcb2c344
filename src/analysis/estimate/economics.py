"""Does the program pay? Exits avoided times what replacing a leaver costs, less what the program costs (H9)."""

from collections.abc import Sequence

import numpy as np

from analysis.estimate.analyses import SUPPRESSED, Groups, Numbers, Question, finding, unanswered
from analysis.estimate.inference import Interval, touching
from analysis.measure.exposure import Costs
from analysis.plan.faults import known
from analysis.plan.results import Check, Estimated, Finding, Suppressed

ESTIMATOR = "avoided_exits_times_cost"


def answer_economics(question: Question, retention: Sequence[Finding], costs: Costs) -> Finding:
    """Return H9: arithmetic on the H1 main rows of the program's roles, their intervals carried through.

    Each role's risk difference counts for the people it is about. The roles' intervals are combined by the method of
    variance estimates recovery (Zou & Donner 2008, Stat Med 27:1693), which keeps an asymmetric interval asymmetric
    and takes the roles as independent: they are different people, and their comparators mostly are.
    """
    if any(isinstance(f.primary, Suppressed) for f in retention):
        return unanswered(question, ESTIMATOR, SUPPRESSED)
    rows = [f.primary for f in retention if isinstance(f.primary, Estimated)]
    reason = missing_costs(costs) or (None if rows and len(rows) == len(retention) else NO_EXITS_AVOIDED)
    if reason:
        return unanswered(question, ESTIMATOR, reason)
    groups = Groups(sum(row.n_treated for row in rows), sum(row.n_control for row in rows))
    main = question.row(ESTIMATOR, Numbers(net_benefit(rows, costs), groups))
    avoided = question.row(ESTIMATOR, Numbers(exits_avoided(rows), groups), {"measure": "exits_avoided"})
    return finding(question, main, alternatives=(avoided,), checks=(_assumption(costs),))


def exits_avoided(rows: Sequence[Estimated]) -> Interval:
    """Return the exits that the program avoided among those who started, with the interval."""
    values = np.array([-row.n_treated * row.estimate for row in rows])
    lows = np.array([-row.n_treated * row.limits[1] for row in rows])
    highs = np.array([-row.n_treated * row.limits[0] for row in rows])
    total = values.sum()
    error = np.sqrt(sum((row.n_treated * row.std_error) ** 2 for row in rows))
    low, high = total - np.sqrt(np.sum((values - lows) ** 2)), total + np.sqrt(np.sum((highs - values) ** 2))
    return Interval(float(total), float(error), float(low), float(high), touching(total, low, high))


def net_benefit(rows: Sequence[Estimated], costs: Costs) -> Interval:
    """Return replacement cost avoided less program cost, in the study's currency."""
    exits, saved, spent = exits_avoided(rows), known(costs.replacement), known(costs.program)
    estimate, low, high = (saved * x - spent for x in (exits.estimate, exits.low, exits.high))
    error = saved * exits.std_error
    return Interval(estimate, error, low, high, touching(estimate, low, high))


def missing_costs(costs: Costs) -> str | None:
    """Return which costs the study does not say, or None where it says all that are needed."""
    lacking = []
    if costs.replacement is None:
        lacking.append(
            "what replacing a leaver costs (replacement_cost_share and base salaries, or replacement_cost_amount)"
        )
    if costs.program is None:
        lacking.append("what the program costs (cost_fixed, cost_per_participant)")
    return f"The study does not say {' nor '.join(lacking)}, which would be needed." if lacking else None


NO_EXITS_AVOIDED = (
    "Retention could not be estimated for every role of the program, so the exits it avoided are not known."
)


def _assumption(costs: Costs) -> Check:
    unit = f" {costs.currency}" if costs.currency else ""
    return Check.untestable(
        "what an exit costs",
        f"It is assumed that replacing a leaver costs about {_two_digits(known(costs.replacement))}{unit} "
        f"({costs.replacement_source}) and that the program cost about {_two_digits(known(costs.program))}{unit} for "
        "everybody who started; neither was measured here. Exits are counted for those who could be compared, so what "
        "the others may have cost or saved is left out.",
    )


def _two_digits(amount: float) -> str:
    """Return an amount to two digits: from all of them and the costs a person, how many started would follow."""
    return f"{float(f'{amount:.2g}'):,.0f}"
