"""One runner makes every analysis of a design: rows in order, reasons, nothing that does not apply, and faults."""

from dataclasses import dataclass, field

import pandas as pd
import pytest
from faulty_company import fail
from studies import STUDY

from analysis.estimate.analyses import SUPPRESSED, Analysis, Groups, Numbers, Question, Row, run
from analysis.estimate.inference import Interval
from analysis.plan.faults import Faults, collecting
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Check, NotEstimable
from analysis.plan.study import Study

NUMBERS = Numbers(Interval(0.1, 0.05, 0.0, 0.2, 0.05), Groups(30, 80))


@dataclass(frozen=True)
class Asked:
    """The context of a design that has nothing but its rows' outcome."""

    question: Question
    naming: dict = field(default_factory=lambda: {"outcome": "any_exit"})


@pytest.fixture(scope="module")
def asked() -> Asked:
    study = Study.model_validate(STUDY | {"study": "acme"})
    return Asked(Question(study, study.programs[0], "mentor", load_plan().hypothesis("H1_retention")))


def one(result: Numbers | str, **naming):
    return lambda context: [Row(result, naming)]


def test_rows_stand_in_the_order_of_the_list_and_the_nearest_name_counts(asked):
    analyses = (
        Analysis("iptw_cox", one(NUMBERS, measure="hazard_ratio"), "secondary"),
        Analysis("later_horizons", one(NUMBERS, horizon_months=24), None, "iptw_aalen_johansen"),
        Analysis("aalen_johansen", one(NUMBERS), "naive", naming={"outcome": "other_exit", "estimand": "association"}),
    )
    named = [(r.analysis, r.estimator, r.outcome, r.measure, r.horizon_months) for r in run(analyses, asked).rows]
    assert named == [
        ("secondary", "iptw_cox", "any_exit", "hazard_ratio", 12),
        ("primary", "iptw_aalen_johansen", "any_exit", "risk_difference", 24),
        ("naive", "aalen_johansen", "other_exit", "risk_difference", 12),
    ]


def test_a_reason_becomes_a_row_and_so_does_a_group_that_is_too_small(asked):
    analyses = (Analysis("iptw_cox", one("Nobody left.")), Analysis("e_value", one(SUPPRESSED)))
    found, small = run(analyses, asked).rows
    assert isinstance(found, NotEstimable) and found.reason == "Nobody left."
    assert small.status == "suppressed" and "too small to be shown" in small.reason


def test_what_does_not_apply_has_no_row_and_is_not_made(asked):
    assert run([Analysis("iptw_cox", fail, applies=lambda context: False)], asked).rows == ()


def test_a_fault_takes_its_own_rows_away_and_the_others_stand(asked):
    def half(context):
        yield Row(NUMBERS)
        fail()

    analyses = (
        Analysis("e_value", one(NUMBERS)),
        Analysis("phases", half, estimator="iptw_cox", naming={"contrast": "during_program_vs_not"}),
        Analysis("curves", fail, "frame"),
        Analysis("overlap", fail, "checks"),
        Analysis("iptw_cox", one(NUMBERS)),
    )
    with collecting(Faults("acme")) as faults:
        told = run(analyses, asked)
    assert [(row.estimator, row.status) for row in told.rows] == [
        ("e_value", "estimated"),
        ("phases", "not_estimable"),
        ("iptw_cox", "estimated"),
    ]
    assert told.rows[1].reason == "A fault in this program (see faults.log, fault 1)."
    assert told.rows[1].contrast == "during_program_vs_not"
    assert [(fault.part.kind, fault.part.name) for fault in faults.found] == [
        ("analysis", "phases"),
        ("frame", "curves"),
        ("checks", "overlap"),
    ]
    assert told.frames == {} and [check.grade for check in told.checks] == ["untestable"]


def test_outside_a_report_a_fault_is_raised(asked):
    with pytest.raises(Exception, match="Erika"):
        run([Analysis("e_value", fail)], asked)


def test_rows_frames_and_checks_come_out_of_one_analysis(asked):
    frame, check = pd.DataFrame({"month": [1]}), Check("alike", True, None, None, "They are.")

    def everything(context):
        yield check
        yield {"curves": frame}
        yield Row(NUMBERS)

    told = run([Analysis("e_value", everything)], asked)
    assert len(told.rows) == 1 and told.frames == {"curves": frame} and told.checks == (check,)


def test_a_row_that_should_show_nothing_is_held_against_that_where_it_has_a_number(asked):
    def control(row):
        return Check("control", row.holds_zero, row.estimate, None, "Said.")

    analyses = [
        Analysis("e_value", one(NUMBERS, analysis="negative_control"), control=control),
        Analysis("e_value", one("Nobody left."), "negative_control", control=control),
        Analysis("e_value", one(NUMBERS), control=control),
    ]
    assert [check.statistic for check in run(analyses, asked).checks] == [0.1]


def test_what_is_drawn_depends_on_names_alone(asked):
    draws = [
        asked.question.rng("bootstrap").random(),
        asked.question.rng("bootstrap").random(),
        asked.question.rng("lots").random(),
    ]
    assert draws[0] == draws[1] != draws[2]
