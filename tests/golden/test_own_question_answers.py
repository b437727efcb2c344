"""A question of one's own is answered by the study's own methods: asked as the study asks it, the same to the digit."""

import pytest
from demo_answers import demo_answer

from analysis.estimate.sensitivity import COVARIATE_SETS
from analysis.pipeline import open_study
from analysis.pipeline.exploratory import EVERYONE, OwnQuestion, explore
from analysis.plan.paths import project_dir
from analysis.plan.results import Estimated, Finding

ASKED = [
    ("northbank", "H1_retention", "voluntary_exit"),
    ("northbank", "H8_promotion", "promotion"),
    ("northbank", "H2_morale", "morale"),
    ("northbank", "H3_leadership", "leadership"),
    ("larkfield", "H1_retention", "voluntary_exit"),
    ("larkfield", "H2_morale", "morale"),
]
NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "p_value", "n_treated", "n_control", "contrast", "estimand")


@pytest.fixture(scope="module")
def studies() -> dict:
    return {name: open_study(name, project_dir() / "data") for name in ("northbank", "larkfield")}


@pytest.mark.parametrize(("study", "hypothesis", "outcome"), ASKED)
def test_asked_as_the_study_asks_it_it_has_the_studys_answer(studies, study, hypothesis, outcome):
    findings = [f for f in demo_answer(study).findings if f.hypothesis == hypothesis]
    horizon = studies[study].study.horizons_months[0]
    answers = explore(studies[study], OwnQuestion(outcome, horizon, {})).answers
    assert [a.row.role for a in answers] == [f.role for f in findings] and findings
    for answer, finding in zip(answers, findings, strict=True):
        assert answer.group == EVERYONE and answer.row.analysis == "descriptive"
        assert answer.row.status == finding.primary.status
        if isinstance(answer.row, Estimated):
            assert [getattr(answer.row, n) for n in NUMBERS] == [getattr(finding.primary, n) for n in NUMBERS]
    assert any(isinstance(answer.row, Estimated) for answer in answers)


def alternative(finding: Finding, estimator: str) -> Estimated:
    return next(row for row in finding.alternatives if row.estimator == estimator)


def test_a_smaller_adjustment_set_is_the_studys_own_with_few_covariates(studies):
    """The study leaves the same covariates out in one of its alternative specifications."""
    own = OwnQuestion("voluntary_exit", 12, {}, COVARIATE_SETS["few_covariates"])
    answers = explore(studies["northbank"], own).answers
    findings = [f for f in demo_answer("northbank").findings if f.hypothesis == "H1_retention"]
    for answer, finding in zip(answers, findings, strict=True):
        same = alternative(finding, "iptw_aalen_johansen_few_covariates")
        assert answer.row.estimate == same.estimate != finding.primary.estimate
