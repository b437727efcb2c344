"""Economics: arithmetic on the retention rows, and what the study says of money."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_estimate import estimate, finding

from analysis.estimate.analyses import Question
from analysis.estimate.economics import answer_economics, exits_avoided, net_benefit
from analysis.measure.exposure import Costs, program_costs
from analysis.plan.contract import Tables
from analysis.plan.hypotheses import load_plan
from analysis.plan.study import Program, Study

COSTS = Costs(20_000.0, "as the study states it", 50_000.0, "EUR")
MENTORS = estimate(-0.05, -0.10, 0.02, n_treated=100, n_control=400)
MENTEES = estimate(0.02, -0.02, 0.08, n_treated=50, n_control=200)


def question(**changes) -> Question:
    program = Program(id="genius", name="Genius", direction="reverse", format="pair", assignment="self_selected")
    study = Study(
        schema_version=1, study="acme", title="Acme", study_start=dt.date(2021, 1, 1), as_of=dt.date(2025, 6, 30),
        programs=(program,), **changes,
    )  # fmt: skip
    return Question(study, program, "any", load_plan().hypothesis("H9_economics"))


def test_exits_avoided_add_up_and_keep_an_asymmetric_interval_asymmetric():
    found = exits_avoided([MENTORS, MENTEES])
    assert found.estimate == pytest.approx(100 * 0.05 - 50 * 0.02)
    assert found.low == pytest.approx(4 - np.hypot(100 * (-0.05 + 0.12), 50 * 0.06))
    assert found.high == pytest.approx(4 + np.hypot(100 * 0.05, 50 * 0.04))
    assert found.std_error == pytest.approx(np.hypot(100 * 0.01, 50 * 0.01))


def test_one_role_alone_has_the_limits_of_its_own_interval():
    found = exits_avoided([MENTORS])
    assert (found.low, found.high) == pytest.approx((-2.0, 10.0))


def test_the_interval_of_two_independent_roles_covers():
    """Two risk differences with normal errors: the sum's interval holds the truth as often as it says."""
    rng, held, errors = np.random.default_rng(7), 0, (0.02, 0.035)
    for _ in range(2000):
        rows = [
            replace(row, estimate=e, std_error=se, ci_low=e - 1.96 * se, ci_high=e + 1.96 * se)
            for row, se in zip((MENTORS, MENTEES), errors, strict=True)
            for e in [rng.normal(-0.03, se)]
        ]
        found = net_benefit(rows, COSTS)
        held += found.low <= 20_000 * 150 * 0.03 - 50_000 <= found.high
    assert held / 2000 == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 2000))


def test_the_net_benefit_is_exits_times_cost_less_the_program():
    found = net_benefit([MENTORS, MENTEES], COSTS)
    exits = exits_avoided([MENTORS, MENTEES])
    assert found.estimate == pytest.approx(20_000 * 4 - 50_000)
    assert (found.low, found.high) == pytest.approx((20_000 * exits.low - 50_000, 20_000 * exits.high - 50_000))


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (replace(COSTS, replacement=None), "what replacing a leaver costs"),
        (replace(COSTS, program=None), "what the program costs"),
        (replace(COSTS, replacement=None, program=None), "nor what the program costs"),
    ],
)
def test_without_costs_there_is_no_answer_but_what_is_needed(costs, said):
    found = answer_economics(question(), [finding(0.01)], costs)
    assert found.primary.status == "not_estimable" and said in found.primary.reason


def test_one_role_without_an_answer_leaves_none_and_a_small_one_suppresses():
    none = finding(0.01).primary.not_estimable("Too short.")
    small = finding(0.01).primary.suppressed("Too small.")
    with_none = answer_economics(question(), [finding(0.01), replace(finding(0.01), primary=none)], COSTS)
    with_small = answer_economics(question(), [finding(0.01), replace(finding(0.01), primary=small)], COSTS)
    assert with_none.primary.status == "not_estimable" and "every role" in with_none.primary.reason
    assert with_small.primary.status == "suppressed"
    assert answer_economics(question(), [], COSTS).primary.status == "not_estimable"


def test_the_assumption_is_told_with_the_answer():
    found = answer_economics(question(), [finding(0.01)], COSTS)
    (check,) = found.checks
    assert check.passed is None and "20,000 EUR" in check.sentence and "50,000 EUR" in check.sentence


def tables(n: int, salary: float | None) -> Tables:
    people = [f"E{i:02d}" for i in range(n)]
    day = pd.Timestamp("2022-03-01")
    enrolments = pd.DataFrame(
        {"program_id": "genius", "employee_id": people, "role": "mentor", "start_date": day, "intake_date": day}
    )
    raised = pd.Timestamp("2023-01-01")  # after the start: does not count
    jobs = pd.DataFrame(
        {
            "employee_id": people * 2,
            "effective_date": [pd.Timestamp("2021-01-01")] * n + [raised] * n,
            "base_salary": [salary] * n + [10 * (salary or 1)] * n,
        }
    )
    empty = {name: None for name in Tables.__dataclass_fields__ if name not in ("enrolments", "jobs")}
    return Tables(**empty, enrolments=enrolments, jobs=jobs)


def test_costs_come_from_the_salary_on_the_day_of_the_start_or_from_the_amount():
    a = question(replacement_cost_share=0.5)
    program = a.program.model_copy(update={"cost_fixed": 1000.0, "cost_per_participant": 100.0})
    found = program_costs(tables(12, 40_000.0), a.study, program)
    assert (found.replacement, found.program) == (20_000.0, 2200.0)
    assert "50%" in found.replacement_source
    amount = question(replacement_cost_share=0.5, replacement_cost_amount=9000.0)
    assert program_costs(tables(12, 40_000.0), amount.study, program).replacement == 9000.0


def test_the_mean_salary_of_a_few_people_is_not_used():
    study = question(replacement_cost_share=0.5).study
    assert program_costs(tables(9, 40_000.0), study, study.programs[0]).replacement is None
    assert program_costs(tables(12, None), study, study.programs[0]).replacement is None
    assert program_costs(tables(12, 40_000.0), study, study.programs[0]).program is None
