"""Answers whose text is categories give what answers of plain text give: scores, forms and all that is said of them."""

from dataclasses import replace

import pandas as pd
import pytest
from companies import opened
from test_scale_edges import question

from analysis.measure.careless import without_careless
from analysis.measure.scales import rated_scores, response_rates, self_scores
from analysis.pipeline import OpenStudy
from analysis.pipeline.described import describe, measured
from analysis.plan.contract import ANSWERS, TABLES


def as_categories(found: OpenStudy) -> OpenStudy:
    """Return the study with the text of its answers as categories, in ascending order, one of which has no row."""
    changed = {}
    for table in ANSWERS:
        answers = getattr(found.tables, table)
        for name, column in TABLES[table].items() if answers is not None else ():
            if column.kind in ("id", "text"):
                texts = pd.Index(sorted({*answers[name].dropna(), "~nowhere"}), dtype="str")
                answers = answers.assign(**{name: pd.Categorical(answers[name], categories=texts)})
        changed[table] = answers
    return replace(found, tables=replace(found.tables, **changed))


@pytest.fixture(scope="module")
def both() -> tuple[OpenStudy, OpenStudy]:
    found, _ = opened("categories", "heronmere", 300)
    assert found.tables.responses is not None and found.tables.ratings is not None
    return found, as_categories(found)


def test_what_is_told_of_the_measurement_is_the_same(both):
    of_text, of_categories = (measured(study) for study in both)
    assert list(of_text) == list(of_categories) and "leniency" in of_text and "careless" in of_text
    for name, frame in of_text.items():
        pd.testing.assert_frame_equal(of_categories[name], frame, check_exact=True, obj=name)


def test_scores_are_the_same_and_their_ids_are_text(both):
    for score in (lambda s: self_scores("morale", s.tables, s.instruments),
                  lambda s: self_scores("leadership", s.tables, s.instruments),
                  lambda s: rated_scores("leadership", s.tables, s.instruments, "others"),
                  lambda s: rated_scores("leadership", s.tables, s.instruments, "manager")):  # fmt: skip
        of_text, of_categories = (score(study) for study in both)
        assert len(of_text) and of_categories["employee_id"].dtype == "str"
        pd.testing.assert_frame_equal(of_categories, of_text, check_exact=True)


def test_the_findings_of_a_scale_are_the_same(both):
    of_text, of_categories = (question(study, "H3_leadership", "participant").finding() for study in both)
    assert of_text.primary.status == "estimated"
    assert repr(of_categories.estimates) == repr(of_text.estimates)


def test_who_answered_is_the_same(both):
    for name in both[0].tables.responses["instrument"].unique():
        of_text, of_categories = (response_rates(study.tables, name) for study in both)
        pd.testing.assert_frame_equal(of_categories, of_text, check_exact=True)
    of_text, of_categories = (describe(study)["response_rates"] for study in both)
    pd.testing.assert_frame_equal(of_categories, of_text, check_exact=True)


def test_the_same_careless_forms_are_left_out(both):
    of_text, of_categories = (without_careless(study.tables, study.instruments) for study in both)
    assert len(of_text.responses) < len(both[0].tables.responses)
    for table in ("responses", "ratings"):
        assert getattr(of_categories, table).index.equals(getattr(of_text, table).index)
