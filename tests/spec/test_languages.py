"""One questionnaire in two languages: its exports give the same numbers, and the first language is shown."""

from pathlib import Path

import pytest
from studies import write_study

from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput

pytestmark = pytest.mark.usefixtures("original_ids")

CARD = """\
instrument: duo
title: Two questions
response:
  min: 1
  max: 3
  labels: LABELS
scales:
  morale:
    construct: morale
    source: written for this test
    licence: CC0-1.0
    items:
      m1: {text: {en: I look forward to work., de: [Ich freue mich auf die Arbeit., Ich gehe gern zur Arbeit.]}}
      m2: {text: [Most days drag., Die Tage ziehen sich.], reversed: true}
"""
LABELS = {
    "by language": "{en: {1: Disagree, 2: Neither, 3: [Agree, I agree]}, de: {1: Nein, 2: Weder noch, 3: Stimme zu}}",
    "by number": "{1: [Disagree, Nein], 2: [Neither, Weder noch], 3: [Agree, I agree, Stimme zu]}",
    "beside": "{1: Disagree, 2: Neither, 3: Agree}\n"
    "  labels_in: {no: {1: Nei}, de: {1: Nein, 2: Weder noch, 3: Stimme zu}}",
}
ENGLISH = "Employee ID,I look forward to work.,Most days drag.\nE1,Agree,Disagree\nE2,Neither,Agree\n"
GERMAN = "Employee ID,Die Tage ziehen sich.,Ich gehe gern zur Arbeit.\nE1,Nein,Stimme zu\nE2,Stimme zu,Weder noch\n"


def opened(folder: Path, export: str, labels: str = LABELS["by language"], card: str = CARD) -> OpenStudy:
    study = folder / "acme"
    write_study(study, {"employees": "employee_id,hire_date\nE1,2019-01-01\nE2,2019-01-01\n"})
    (study / "instruments" / "duo.yaml").write_text(card.replace("LABELS", labels), encoding="utf-8")
    (study / "raw" / "survey.csv").write_text(export, encoding="utf-8")
    survey = {"table": "responses", "path": "raw/survey.csv", "profile": "wide", "wave": 1, "instrument": "duo"}
    people = {"table": "employees", "path": "raw/employees.csv", "profile": "canonical"}
    waves = [{"wave": 1, "instrument": "duo", "opens": "2022-03-01", "closes": "2022-03-14"}]
    write_study(study, {}, sources=[people, survey], waves=waves)
    return open_study("acme", folder)


def answers(study: OpenStudy) -> dict[tuple[str, str], float]:
    rows = study.tables.responses[["employee_id", "item", "value"]].astype(object)
    return {(person, item): value for person, item, value in rows.itertuples(index=False)}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("export", [ENGLISH, GERMAN], ids=["English", "German"])
def test_both_exports_give_the_same_numbers(tmp_path, export, labels):
    study = opened(tmp_path, export, labels)
    assert answers(study) == {("E1", "m1"): 3, ("E1", "m2"): 1, ("E2", "m1"): 2, ("E2", "m2"): 3}
    assert [p.rule for p in study.problems if p.rule in ("code_and_wording", "generic_codes")] == []


def test_a_code_with_a_wording_of_the_other_language_is_no_doubt(tmp_path):
    coded = "Employee ID,m1: Ich freue mich auf die Arbeit.,m2: Die Tage ziehen sich.\nE1,Stimme zu,Nein\n"
    study = opened(tmp_path, coded)
    assert answers(study) == {("E1", "m1"): 3, ("E1", "m2"): 1}
    assert not [p for p in study.problems if p.rule == "code_and_wording"]


def test_a_code_with_another_items_wording_in_the_other_language_is_an_error(tmp_path):
    with pytest.raises(BadInput) as bad:
        opened(tmp_path, "Employee ID,m1: Die Tage ziehen sich.,other\nE1,Stimme zu,Nein\n")
    [error] = [p for p in bad.value.problems if p.severity == "error"]
    assert error.rule == "code_and_wording" and "“I look forward to work.”" in error.message


def test_the_first_language_is_shown(tmp_path):
    card = opened(tmp_path, GERMAN).instruments["duo"]
    assert [item.text for item in card.items.values()] == ["I look forward to work.", "Most days drag."]
    assert card.response.labels == {1: "Disagree", 2: "Neither", 3: "Agree"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Die Tage ziehen sich.", "Ich freue mich auf die Arbeit.", "items m1 and m2 have the same wording"),
        ("de: {1: Nein", "de: {1: Agree", "'Agree' stands for 3 and for 1"),
        ("de: {1: Nein", "de: {4: Nein", "4 is not on the answer scale"),
    ],
)
def test_a_card_whose_languages_contradict_each_other_is_an_error(tmp_path, old, new, told):
    card = CARD.replace("LABELS", LABELS["by language"])
    assert old in card
    with pytest.raises(BadInput) as bad:
        opened(tmp_path, ENGLISH, card=card.replace(old, new))
    assert any(told in p.message and p.source == "instruments/duo.yaml" for p in bad.value.problems)


@pytest.mark.parametrize(
    "labels", ["[Disagree, Agree]", "{en: {}}", "{1: []}", "{1: Disagree}\n  labels_in: [de]", "7"]
)
def test_labels_of_another_form_are_told_by_line(tmp_path, labels):
    with pytest.raises(BadInput) as bad:
        opened(tmp_path, ENGLISH, labels)
    assert {p.source for p in bad.value.problems if p.severity == "error"} <= {"instruments/duo.yaml", "raw/survey.csv"}
