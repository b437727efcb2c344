"""The catalogue has every term that a row of the ledger can have and no other, and the documents are made from it."""

import re
from functools import cache
from typing import get_args

import pandas as pd
import pytest
from document_tables import BEGIN, END, MADE, ROOT
from ledger_rows import NAMES
from ledger_terms import COLUMNS, Module, modules, terms_of

from analysis.measure.exposure import ANALYSED_ROLES
from analysis.plan.catalogue import CATALOGUE, METHODS, Catalogue, UnknownTerm
from analysis.plan.contract import RATER_ROLES, ROLES, Assignment
from analysis.plan.hypotheses import load_plan
from analysis.plan.results import AnalysisKind, NotEstimable
from analysis.plan.study import Direction
from analysis.report.template import environment

ROW = NAMES | {"reason": "Nobody left."}


def records(column: str) -> set[str]:
    """Return the terms of a column that have a record; of a family, one of its terms."""
    named = set(getattr(CATALOGUE, f"{column}s")) | (set(CATALOGUE.groups) if column == "estimator" else set())
    return {name.replace("*", "anything") for name in named}


@cache
def in_code() -> set[tuple[str, str]]:
    return terms_of(modules())


def patterns(column: str) -> set[str]:
    """Return what the code and the plan can put into a column."""
    planned = {getattr(h, column) for h in load_plan().hypotheses} if column in ("outcome", "measure") else set()
    return planned | {pattern for found, pattern in in_code() if found == column}


def without_record(column: str, found: set[str]) -> list[str]:
    return sorted(p for p in found if not any(re.fullmatch(p, name) for name in records(column)))


def of_no_row(column: str, names: set[str]) -> list[str]:
    return sorted(name for name in names if not any(re.fullmatch(p, name) for p in patterns(column)))


@pytest.mark.parametrize("column", COLUMNS)
def test_every_term_of_the_code_has_a_record_and_every_record_a_row(column):
    assert without_record(column, patterns(column)) == []
    assert of_no_row(column, records(column)) == []


@pytest.mark.parametrize("column", COLUMNS)
def test_every_term_of_the_demo_ledger_has_a_record_and_is_found_in_the_code(column):
    ledger = pd.read_csv(ROOT / "reports" / "expected" / "estimates.csv")
    found = set(ledger[column])
    assert of_no_row(column, found) == []
    for name in found:
        getattr(CATALOGUE, column)(name)


def test_what_has_no_record_and_what_has_no_row_is_seen():
    assert without_record("estimator", {"iptw_cox", "new_way"}) == ["new_way"]
    assert of_no_row("estimator", {"iptw_cox", "old_way"}) == ["old_way"]
    assert of_no_row("contrast", {"topic_excel_vs_other_topics", "old_vs_young"}) == ["old_vs_young"]


MADE_BY = "def row(ask, estimator, **changes): ...\n"


@pytest.mark.parametrize(
    "code",
    [
        "def f(ask): return row(ask, 'new')",
        "def f(ask): return row(ask, estimator='new')",
        "def f(ask): return partial(row, ask, 'new')",
        "def f(ask): naming = {'estimator': 'new'}",
        "LIST = (Analysis('new', make),)",
        "LIST = (Analysis('frame', make, 'frame'), Analysis('new', make, 'naive', 'new'))",
        "def f(ask, estimator='new'): ...",
        "def f(ask):\n    name = 'new'\n    return row(ask, name)",
        "def f(ask): return row(ask, 'new' if ask else None)",
        "def f(ask): return row(ask, f'{kind()}w')\ndef kind(): return 'ne'",
        "def f(ask):\n    for name, end in (('new', 1),): row(ask, name)",
        "def f(ask):\n    rows = {'new': 1}\n    for name, make in rows.items(): row(ask, name)",
        "def f(ask):\n    rows = {}\n    rows['new'] = 1\n    return [row(ask, name) for name, make in rows.items()]",
        "def f(ask):\n    for place, name in enumerate(('new',)): row(ask, name)",
    ],
)
def test_a_term_is_seen_however_it_comes_into_a_row(code):
    assert terms_of([Module(MADE_BY + code)]) == {("estimator", "new")}


@pytest.mark.parametrize("column", [*COLUMNS, "role", "rater_source"])
def test_a_row_with_an_unknown_term_cannot_be_made(column):
    assert NotEstimable(**ROW).row
    with pytest.raises(UnknownTerm, match=rf"^{column} 'nonsense' has no record: .*plan/catalogue\.yaml"):
        NotEstimable(**ROW | {column: "nonsense"})


def test_the_topics_that_people_met_about_need_no_record_of_their_own():
    told = CATALOGUE.contrast("topic_data_privacy_vs_other_topics")
    assert told.looked_at == "met mainly about data privacy, against other topics (an association)"


def test_main_answers_are_made_by_estimators_of_that_kind():
    ledger = pd.read_csv(ROOT / "reports" / "expected" / "estimates.csv")
    assert {CATALOGUE.estimator(name).kind for name in ledger.loc[ledger["analysis"] == "primary", "estimator"]} == {
        "main"
    }


def test_lists_of_terms_agree_with_what_the_code_allows():
    assert tuple(CATALOGUE.analyses) == get_args(AnalysisKind)
    assert set(CATALOGUE.roles) == {*ROLES, "any"} > {*ANALYSED_ROLES}
    assert set(CATALOGUE.rater_sources) == {*RATER_ROLES, "others"}
    told = environment(is_html=False).get_template("headings.j2").module
    assert set(told.assignments) == set(Assignment) and set(told.directions) == set(get_args(Direction))
    constructs = {h.construct_name for h in load_plan().hypotheses} - {""}
    assert {name for name, outcome in CATALOGUE.outcomes.items() if not outcome.is_event} == constructs
    kinds = {kind for outcome in CATALOGUE.outcomes.values() for kind in outcome.kinds}
    assert all(CATALOGUE.outcome(kind).kinds == (kind,) for kind in kinds)


# --- methods and sources --------------------------------------------------------------------------------------------

NAME = r"[A-ZÀ-Þ][\w'’ø-]+(?: [A-ZÀ-Þ][\w'’-]+)*"
CITATION = re.compile(rf"{NAME}(?:, {NAME})*(?: and {NAME})? (?:19|20)\d\d")


def methods_told() -> list[str]:
    template = ROOT / "src" / "analysis" / "report" / "templates" / "en" / "methods.html.j2"
    return [template.read_text(encoding="utf-8"), *(method.text for method in METHODS.methods.values())]


def test_every_estimator_has_a_method_and_every_main_answer_a_source():
    for name, made in CATALOGUE.estimators.items():
        assert made.method in METHODS.methods and made.made_by, name
    for made in CATALOGUE.estimators.values():
        assert METHODS.cited(made.method), made.label


def test_every_citation_has_its_source_and_every_source_is_cited():
    cited = {citation for text in methods_told() for citation in CITATION.findall(" ".join(text.split()))}
    assert cited == set(METHODS.sources)


def test_a_citation_is_seen():
    text = "right (Lee 2009; interval after Imbens and Manski 2004), Cro, Morris, Kenward and Carpenter 2020."
    assert CITATION.findall(text) == ["Lee 2009", "Imbens and Manski 2004", "Cro, Morris, Kenward and Carpenter 2020"]


# --- documents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_the_tables_of_the_codebook_are_made(name):
    _, _, after = (ROOT / "data/README.md").read_text(encoding="utf-8").partition(BEGIN.format(name))
    assert after.partition(END.format(name))[0].strip() == MADE[name]().strip(), "run make tables"


def test_a_record_without_what_it_needs_is_refused():
    content = CATALOGUE.model_dump(by_alias=True)
    del content["measures"]["risk_ratio"]["sign"]
    with pytest.raises(ValueError, match=r"measures\.risk_ratio\.sign"):
        Catalogue.model_validate(content)
