"""A plan in words and tables: what a program of each size could show, and how many people an effect takes."""

import pandas as pd

from analysis.estimate.planning import PlanRow, RolePlan
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known
from analysis.report.wording import DASH, NBSP, count, number, role_phrase, trimmed

# The size that the sentence speaks of, or the largest below it.
SPOKEN_SIZE = 60
ROUGH = "*"
# How far a released difference is from the effect that it was made for.
ROUNDING = 10 ** -CATALOGUE.measure("risk_difference").digits
NOT_EVEN = "not even if nobody left"

ASSUMES = (
    "One person's leaving is taken to tell nothing of a colleague's. Where whole units are reached in turn (a "
    "rollout), or pairs leave together, more people are needed.",
    "Everybody is taken to be followed to the horizon, and to leave as often as those who were eligible before.",
    "Whoever starts, or is offered a place, is taken to be an average eligible person. Volunteers often leave less "
    "anyway, and then even a large effect is a small number.",
    "Two-sided test of two shares at a level of 5 %, found in 80 of 100 repetitions. Several roles or programs tested "
    "together need more.",
    f"Where a group expects fewer than five leavers ({ROUGH}), the difference needed is larger than the one shown.",
)


def role_label(plan: RolePlan) -> str:
    """Return whom a plan is about: ``Genius Clinic: mentors (the juniors)``."""
    if plan.program is None:
        return "A program for everybody"
    who = "everybody" if plan.role == "any" else role_phrase(plan.program, plan.role)
    return f"{plan.program.name}: {who}"


def people_name(plan: RolePlan) -> str:
    """Return what the people of a plan are called, without the program's name."""
    return "people" if plan.program is None else role_phrase(plan.program, plan.role).partition(" (")[0]


def leaving(row: PlanRow) -> str:
    """Return the outcome as a verb."""
    return "leave" if row.outcome == "any_exit" else "leave of their own accord"


def of_100(share: float | None) -> str:
    """Return a share as people of 100, with one decimal."""
    return number(None if share is None else 100 * share, 1)


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


def plan_sentence(plan: RolePlan) -> str:
    """Return the finding: what a program of about sixty people would miss, and what the smallest effect would take."""
    row, who = spoken_row(plan), people_name(plan)
    if row is None:
        return f"Nothing can be planned. {plan.rows[0].reason}"
    risk = f"Of 100 eligible people, {of_100(row.risk)} {leaving(row)} within {row.horizon_months} months"
    sized = f"with {row.n_treated} {who} and {row.n_control:,} comparators"
    if row.status == "undetectable":
        found = f"{sized}, not even a program that nobody leaves could be told from chance"
    else:
        found = (
            f"{sized}, a program that keeps fewer than {of_100(row.difference)} more of 100 would be missed too often"
        )
    return f"{risk}; {found}. {_takes(plan, row)}".strip()


def _takes(plan: RolePlan, spoken: PlanRow) -> str:
    """Return what the smallest effect of interest takes."""
    wanted = {
        r.quantity: r
        for r in plan.rows
        if r.quantity != "smallest_detectable"
        and r.horizon_months == spoken.horizon_months
        and abs(known(r.difference) - plan.smallest_effect) < ROUNDING
    }
    least = f"The smallest effect of interest, {trimmed(100 * plan.smallest_effect, 1)} of 100"
    per_arm, here = wanted["sample_size_per_arm"], wanted["program_size"]
    if per_arm.status != "estimated":
        return f"{least}, is as many as leave at all, or more: no program can reach it."
    people = f"{per_arm.n_treated:,} {people_name(plan)} and as many comparators"
    if here.status != "estimated":
        return f"{least}, takes {people}, more than there are."
    here_text = f"{here.n_treated:,} {people_name(plan)} among the {here.n_eligible:,} eligible"
    return f"{least}, takes {here_text} (with equal groups: {people})."


def history_sentence(plan: RolePlan, min_cell: int) -> str:
    """Return what the risks rest on, and which of them are projections."""
    planned = [r for r in plan.rows if r.risk is not None]
    if not planned:
        return known(plan.rows[0].reason)
    row = planned[0]
    time = "" if row.person_years is None else f", followed for {number(row.person_years, 0)} person-years"
    text = (
        f"The risks come from {count(row.n_people, min_cell)} eligible people{time} in the "
        f"{number(row.observed_months, 0)} months observed before a program, with {count(row.n_exits, min_cell)} such "
        f"exits; {count(row.n_eligible, min_cell)} people were eligible at their end."
    )
    projected = list(dict.fromkeys(r.horizon_months for r in planned if r.basis == "projected"))
    if projected:
        months = " and ".join(str(m) for m in projected)
        text += (
            f" Too few could be followed for {months} months: from where the history ends, people are taken to go on "
            "leaving so fast."
        )
    return text


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


def assumptions(plan: RolePlan) -> list[str]:
    """Return what the numbers take for granted, this plan's own comparators first."""
    row = plan.rows[0]
    compared = (
        "Places are randomized among twice as many applicants: as many are compared as are offered a place. People "
        "who are offered a place and never start make the difference smaller."
        if row.assignment.is_randomized
        else "All eligible people who do not start are comparators."
    )
    counted = "" if row.assignment.is_randomized else _weighting(row.effective_share)
    return [f"{compared} {counted}".strip(), *ASSUMES]


def _weighting(share: float) -> str:
    if share == 1:
        return "Every one of them counts in full; weighting, which makes them resemble those who start, leaves fewer."
    return f"Weighting is taken to leave as much information as {trimmed(100 * share, 1)} % of them."
