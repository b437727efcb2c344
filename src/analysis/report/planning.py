"""A plan in words and tables: what a program of each size could show, and how many people an effect takes."""

import pandas as pd

from analysis.estimate.planning import PlanRow, RolePlan
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.faults import known
from analysis.report.template import say, say_each
from analysis.report.wording import DASH, NBSP, of_100, role_phrase, trimmed

# The size that the sentence speaks of, or the largest below it.
SPOKEN_SIZE = 60
ROUGH = "*"
# How far a released difference is from the effect that it was made for.
ROUNDING = 10 ** -CATALOGUE.measure("risk_difference").digits
NOT_EVEN = "not even if nobody left"


def plan_facts(plan: RolePlan) -> dict[str, object]:
    """Return what a template can name of one role's plan."""
    first, spoken, program = plan.rows[0], spoken_row(plan), plan.program
    planned = [r for r in plan.rows if r.risk is not None]
    return {
        "program": program and program.name,
        "role": program and role_phrase(program, plan.role),
        "is_for_all": plan.role == "any",
        "smallest": plan.smallest_effect,
        "reason": first.reason,
        "is_randomized": first.assignment.is_randomized,
        "effective_share": first.effective_share,
        "spoken": spoken,
        "planned": planned[0] if planned else None,
        "projected": list(dict.fromkeys(r.horizon_months for r in planned if r.basis == "projected")),
    } | (_takes(plan, spoken) if spoken else {})


def _takes(plan: RolePlan, spoken: PlanRow) -> dict[str, object]:
    """Return the rows on what the smallest effect of interest takes, by quantity."""
    return {
        r.quantity: r
        for r in plan.rows
        if r.quantity != "smallest_detectable"
        and r.horizon_months == spoken.horizon_months
        and abs(known(r.difference) - plan.smallest_effect) < ROUNDING
    }


def role_label(plan: RolePlan) -> str:
    """Return whom a plan is about: ``Genius Clinic: mentors (the juniors)``."""
    return say("planning.label", plan_facts(plan))


def people_name(plan: RolePlan) -> str:
    """Return what the people of a plan are called, without the program's name."""
    return say("planning.people", plan_facts(plan))


def plan_sentence(plan: RolePlan) -> str:
    """Return the finding: what a program of about sixty people would miss, and what the smallest effect would take."""
    return say("planning.sentence", plan_facts(plan))


def history_sentence(plan: RolePlan, min_cell: int) -> str:
    """Return what the risks rest on, and which of them are projections."""
    return say("planning.history", plan_facts(plan), min_cell)


def assumptions(plan: RolePlan) -> list[str]:
    """Return what the numbers take for granted, this plan's own comparators first."""
    return say_each("planning.assumptions", plan_facts(plan))


def spoken_row(plan: RolePlan) -> PlanRow | None:
    """Return the row that the sentence and the picture's title speak of: the first horizon, sixty people or fewer."""
    first = [r for r in sized_rows(plan) if r.horizon_months == plan.rows[0].horizon_months]
    return max((r for r in first if size_of(r) <= SPOKEN_SIZE), key=size_of, default=None)


def sized_rows(plan: RolePlan) -> list[PlanRow]:
    """Return what each size of the program could show, by horizon; rows without a risk are left out."""
    return [r for r in plan.rows if r.quantity == "smallest_detectable" and r.n_treated is not None]


def size_of(row: PlanRow) -> int:
    """Return the people in the program of a row that has a size."""
    return known(row.n_treated)


def risk_table(plan: RolePlan) -> pd.DataFrame:
    """Return the risk of leaving without a program, one line per horizon: of 100 people, with its basis."""
    rows = {r.horizon_months: r for r in plan.rows}.values()
    return pd.DataFrame(
        {
            "within months": [str(r.horizon_months) for r in rows],
            "leave, of 100": [of_100(r.risk) for r in rows],
            "95 % interval": [_interval(r) for r in rows],
            "basis": [r.basis or r.reason for r in rows],
        }
    )


def _interval(row: PlanRow) -> str:
    return DASH if row.risk is None else f"[{of_100(row.ci_low)},{NBSP}{of_100(row.ci_high)}]"


def detectable_table(plan: RolePlan) -> pd.DataFrame:
    """Return the smallest detectable difference, one line per size and one column per horizon: fewer leavers of 100."""
    sizes: dict[tuple[int, int], dict[str, str]] = {}
    for row in sized_rows(plan):
        text = NOT_EVEN if row.status == "undetectable" else of_100(row.difference) + (ROUGH if row.is_rough else "")
        sizes.setdefault((size_of(row), known(row.n_control)), {})[f"within {row.horizon_months} months"] = text
    lines = [{"in the program": f"{n:,}", "comparators": f"{m:,}"} | cells for (n, m), cells in sorted(sizes.items())]
    return pd.DataFrame(lines).fillna(DASH)


def size_table(plan: RolePlan) -> pd.DataFrame:
    """Return what a wanted effect takes, one line per horizon and effect: people in the program and per equal group."""
    wanted: dict[tuple[int, float], dict[str, str]] = {}
    for row in plan.rows:
        if row.quantity == "smallest_detectable":
            continue
        line = wanted.setdefault((row.horizon_months, known(row.difference)), {})
        text = f"{row.n_treated:,}" + (ROUGH if row.is_rough else "") if row.status == "estimated" else _why_not(row)
        line["in the program, here" if row.quantity == "program_size" else "per equal group"] = text
    lines = [
        {"within months": str(h), "fewer leavers, of 100": trimmed(100 * d, 1)} | cells
        for (h, d), cells in wanted.items()
    ]
    return pd.DataFrame(lines)


def _why_not(row: PlanRow) -> str:
    return "more than leave at all" if known(row.difference) >= known(row.risk) else "too few are eligible"
