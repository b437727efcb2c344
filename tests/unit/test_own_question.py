"""A question of one's own: what can be asked, marked for what it is, and nothing told of a few people."""

from dataclasses import replace

import numpy as np
import pytest
from companies import opened
from IPython.display import Markdown

from analysis.notebook.own import OwnView
from analysis.pipeline.exploratory import OTHERS, SUBGROUP, OwnQuestion, explore
from analysis.plan.errors import BadInput
from analysis.plan.results import Estimated, Suppressed
from analysis.release.rule import ReleaseRule
from analysis.release.subgroups import may_be_told_apart

RULE = ReleaseRule(10, 5)


# --- what can be asked


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"outcome": "any_exits"}, "there is no outcome 'any_exits'; did you mean any_exit?"),
        ({"outcome": "net_benefit"}, "there is no outcome 'net_benefit'; there is voluntary_exit, "),
        ({"horizon_months": 0}, "horizon_months must be from 1 to 240"),
        ({"subgroup": {"job_levle": [1, 3]}}, "there is no covariate 'job_levle'; did you mean job_level?"),
        ({"left_out": ["salary"]}, "there is no covariate 'salary'; did you mean log_salary?"),
        ({"subgroup": {"job_level": [3, 1]}}, "subgroup: job_level needs two numbers, from and to, such as [1, 3]"),
        ({"subgroup": {"job_level": 3}}, "subgroup: job_level needs two numbers, from and to, such as [1, 3]"),
        ({"subgroup": {"department": "IT"}}, "subgroup: department needs a list of values"),
        ({"subgroup": {"department": []}}, "subgroup: department needs a list of values"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused_in_one_line(asked, told):
    with pytest.raises(BadInput) as caught:
        OwnQuestion(**{"outcome": "any_exit", "horizon_months": 12, "subgroup": {}} | asked)
    [problem] = caught.value.problems
    assert problem.message.startswith(told)


def test_every_mistake_is_told_at_once():
    with pytest.raises(BadInput) as caught:
        OwnQuestion("x", 0, {"y": 1}, ["z"])
    assert len(caught.value.problems) == 4


# --- disclosure control


@pytest.mark.parametrize(
    ("treated", "of_them", "is_shown"),
    [
        (40, 20, True),
        (40, 10, True),
        (40, 9, False),  # the subgroup is small
        (40, 31, False),  # everyone else is small, and follows by subtraction
        (40, 0, False),
        (40, 40, False),  # a subgroup of everyone is hidden like an empty one
    ],
)
def test_a_subgroup_is_shown_where_neither_it_nor_the_rest_is_small(treated, of_them, is_shown):
    whole, part = [range(treated), range(100, 300)], [range(of_them), range(100, 200)]
    assert may_be_told_apart(whole, part, RULE) == is_shown
    assert may_be_told_apart(whole[::-1], part[::-1], RULE) == is_shown


def test_a_person_in_both_groups_is_no_cover_for_the_few_in_one():
    """Somebody is of the subgroup in one trial and of the rest in another: only who is of the rest alone is hidden."""
    everyone, some = range(100), range(95)
    assert not may_be_told_apart([everyone, everyone], [some, range(50)], RULE)


@pytest.fixture(scope="module")
def companies() -> dict:
    return {
        "trials": opened("own-trials", like="northbank", employees=700)[0],
        "lottery": opened("own-lottery", like="larkfield", employees=700)[0],
    }


@pytest.mark.parametrize(
    ("company", "outcome"),
    [
        ("trials", "any_exit"),
        ("trials", "morale"),
        ("lottery", "any_exit"),
        ("lottery", "promotion"),
        ("lottery", "morale"),
    ],
)
def test_small_subgroups_and_small_rests_are_suppressed_on_both_sides(companies, company, outcome):
    told = {}
    for name, ages in {"few": [18, 21], "nearly all": [21, 90], "nobody": [0, 1], "all": [0, 120]}.items():
        answers = explore(companies[company], OwnQuestion(outcome, 12, {"age_years": ages})).answers
        assert answers and {answer.group for answer in answers} == {SUBGROUP, OTHERS}
        told[name] = [(answer.row, answer.checks) for answer in answers]
        assert all(isinstance(row, Suppressed) and not checks for row, checks in told[name])
    assert told["nobody"] == told["all"], "whether a group is empty or everyone is not told"


@pytest.mark.parametrize("company", ["trials", "lottery"])
def test_a_subgroup_and_everyone_else_are_shown_side_by_side_in_rounded_numbers(companies, company):
    study = companies[company]
    own = OwnQuestion("any_exit", 18, {"tenure_years": [0, 3]})
    answers = explore(study, own).answers
    shown = [a for a in answers if isinstance(a.row, Estimated)]
    assert shown and all(a.row.horizon_months == 18 and a.row.outcome == "any_exit" for a in answers)
    for answer in shown:
        assert answer.row.n_treated % 5 == 0 and answer.row.smaller_group >= study.study.min_cell
        assert answer.row.analysis == "descriptive" and answer.checks
    sides = {a.group for a in shown}
    assert sides == {SUBGROUP, OTHERS}


def test_a_category_whose_values_nobody_has_is_as_small_as_any(companies):
    """A message that a value does not exist would tell which departments there are."""
    unknown = explore(companies["trials"], OwnQuestion("any_exit", 12, {"department": ["No such"]})).answers
    assert all(isinstance(answer.row, Suppressed) for answer in unknown)


def test_a_larger_min_cell_is_kept_to(companies):
    study = companies["trials"]
    strict = replace(study, study=study.study.model_copy(update={"min_cell": 500}))
    answers = explore(strict, OwnQuestion("any_exit", 12, {"age_years": [18, 40]})).answers
    assert all(isinstance(answer.row, Suppressed) for answer in answers)


# --- what is shown of it


def test_rows_are_marked_exploratory_and_have_no_verdict(companies):
    view = OwnView(explore(companies["trials"], OwnQuestion("any_exit", 12, {"tenure_years": [0, 5]})))
    rows = view.answers()
    assert set(rows["registered"]) == {"exploratory"} and "verdict" not in rows and "p_adjusted" not in rows
    assert {"tenure years 0 to 5", "everyone else"} == set(rows["group"])
    assert rows["estimate"].dtype == np.float64
    assert len(repr(view)) < 120
    assert "Exploratory: exit of any kind, 12 months" in repr(view.figure())
    assert {"program", "role", "group"} <= set(view.checks().index.names)


def test_where_no_row_has_a_number_that_is_said(companies):
    view = OwnView(explore(companies["trials"], OwnQuestion("any_exit", 12, {"age_years": [0, 1]})))
    assert isinstance(view.figure(), Markdown) and "No row has a number" in view.figure().data
    assert len(view.checks()) == 0


def test_the_title_counts_the_intervals_that_exclude_zero(companies):
    from test_report import row

    from analysis.report.figures_exploratory import own_answers_plot

    clear, open_ = row(ci_low=-0.1, ci_high=-0.02), row()
    titles = {
        "the interval includes zero": [open_],
        "the interval excludes zero": [clear],
        "both intervals include zero": [open_, open_],
        "all 3 intervals exclude zero": [clear] * 3,
        "1 of 3 intervals excludes zero": [clear, open_, open_],
        "2 of 3 intervals exclude zero": [clear, clear, open_],
    }
    for title, rows in titles.items():
        names = [(f"group {n}", one) for n, one in enumerate(rows)]
        assert own_answers_plot(tuple(names)).alt.endswith(title)
