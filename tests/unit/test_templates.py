"""The words of the report: every sentence of every template can be said, and none of them without a fact it names."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import scale_examples as examples
from jinja2 import UndefinedError, nodes
from ledger_rows import OFFERED
from networks import DESIGN, PROGRAM, invented_network, shared_row, suppressed, write_ledger, write_network
from test_report import (
    CHECKS,
    EVIDENCE,
    VERDICTS,
    acme,
    economics,
    examined,
    finding,
    morale,
    promotion,
    released,
    retention,
    row,
    unmeasured,
    whole,
    without_costs,
    without_number,
)

from analysis.estimate.diagnostics import TREND
from analysis.estimate.planning import PlanRow, RolePlan
from analysis.plan.contract import Assignment
from analysis.plan.registration import Deviation, Registered
from analysis.plan.results import Check
from analysis.report import template
from analysis.report.facts import facts
from analysis.report.measured import Comparable
from analysis.report.planning import plan_facts
from analysis.report.summary import program_facts
from analysis.report.synthesis import pool_facts
from analysis.report.template import LANGUAGE, TEMPLATES, environment, say, say_each
from analysis.synthesis.ledgers import read_shared
from analysis.synthesis.pools import synthesize

WORDS = environment(is_html=False)
TOPICS = [path.stem for path in sorted((TEMPLATES / LANGUAGE).glob("*.j2")) if not path.stem.endswith(".html")]


def macros() -> dict[str, nodes.Macro]:
    """Return every macro of the sentences, as ``topic.macro``."""
    sources = {topic: WORDS.loader.get_source(WORDS, f"{topic}.j2")[0] for topic in TOPICS}
    return {
        f"{topic}.{macro.name}": macro
        for topic, source in sources.items()
        for macro in WORDS.parse(source).find_all(nodes.Macro)
    }


MACROS = macros()

# --- facts of findings, plans and studies: what reaches every sentence ----------------------------------------------

FAILED = (
    Check("balance", False, 0.3, 0.2, "They differ.", "failed", "they differ", "groups_not_comparable"),
    Check("overlap", False, 0.6, 1.0, "Few comparators.", brief="few comparators"),
    Check(TREND, False, 0.2, 0.15, "They drifted.", brief="they drifted"),
)
LOTS = (
    row(**OFFERED),
    row(**OFFERED | {"horizon_months": 24, "analysis": "secondary"}),
    row(**OFFERED | {"analysis": "naive", "contrast": "participants_vs_not_among_offered", "estimate": -0.1}),
    row(**OFFERED | {"analysis": "naive", "contrast": "participants_vs_not_among_offered", "horizon_months": 24}),
)
SMALL = without_number("suppressed", "A group has fewer than 10 people.")
FINDINGS = (
    retention(),
    examined(),
    examined(checks=FAILED, verdict_reason="groups_not_comparable"),
    morale(),
    promotion(),
    unmeasured(),
    without_costs(),
    examples.scale(),
    replace(examples.scale(), checks=FAILED),
    examples.by_lottery(),
    examples.led(),
    economics(),
    replace(economics(), smallest_effect=5000.0),
    economics("supported", ci_low=1000.0),
    economics("negligible"),
    economics("no_benefit"),
    replace(economics(), verdict_reason="adjusted_p"),
    finding(LOTS[0], "supported", alternatives=LOTS[1:], smallest_detectable=0.5),
    finding(SMALL, "suppressed"),
    finding(row(outcome="any_exit"), "inconclusive"),
    replace(unmeasured(), verdict_reason="blind", checks=CHECKS),
    finding(row(estimate=0.0, ci_low=-0.01, ci_high=0.01), "negligible", verdict_reason="adjusted_p", n_family=6),
    finding(row(), "inconclusive", smallest_detectable=0.5),
    finding(row(ci_low=-0.4), "inconclusive", evidence=EVIDENCE),
    *(finding(estimate, verdict) for verdict, (estimate, _) in VERDICTS.items()),
    *(
        replace(examined(), registered=Registered(status, off, frozenset([examined().primary.row])))
        for status, off in (
            ("registered", ()),
            ("deviates", (Deviation("grace_days", "45", "30"), Deviation("as_of", "2025-06-30", "2025-05-31"))),
            ("exploratory", ()),
        )
    ),
)
TWO = acme().model_copy(update={"programs": (*acme().programs, acme().programs[0])})
FACTS = [
    facts(f, study) | {"is_first_of_program": first}
    for f in FINDINGS
    for study, first in ((acme(currency="USD"), True), (TWO, False))
]


def role_plan(assignment: Assignment = Assignment.SELF_SELECTED, status: str = "estimated", **changes) -> RolePlan:
    """Return a plan of one horizon, with what sixty people show and what three leavers of 100 take."""
    base = {"study": "acme", "program": "genius", "role": "mentor", "assignment": assignment, "horizon_months": 12,
            "outcome": "voluntary_exit", "basis": "projected", "risk": 0.1, "n_people": 400, "n_exits": 40,
            "person_years": 800.0, "observed_months": 24.0, "n_eligible": 400, "effective_share": 0.6,
            "n_treated": 60, "n_control": 340, "difference": 0.03, "status": status} | changes  # fmt: skip
    quantities = ("smallest_detectable", "sample_size_per_arm", "program_size")
    return RolePlan(acme().programs[0], "mentor", 0.03, tuple(PlanRow(quantity=q, **base) for q in quantities))


NOTHING = {"risk": None, "n_treated": None, "status": "not_estimable", "reason": "Nobody is known."}
PLANS = [
    plan_facts(plan)
    for plan in (
        role_plan(),
        role_plan(Assignment.LOTTERY),
        role_plan(outcome="any_exit", effective_share=1.0, person_years=None),
        role_plan(status="undetectable"),
        role_plan(**NOTHING),
        replace(role_plan(), program=None, role="any"),
    )
]
STUDIES = [
    dict.fromkeys(("is_simulated", "is_answered", "has_choice", "has_lottery", "has_scales", "has_money"), True)
    | {"is_blind": is_blind, "silent": ["morale"]}
    for is_blind in (False, True)
]
LOTS_STUDY = acme(programs=[vars(acme().programs[0]) | {"assignment": "lottery"}])
BOTTOM_LINES = [
    program_facts(study.programs[0], found, study)
    for study, found in (
        (acme(currency="USD"), (examined(), morale(), economics())),
        (acme(currency="USD"), (examined(checks=FAILED, verdict_reason="groups_not_comparable"), without_costs())),
        (acme(), (retention(smallest_effect=0.5), *(f for f in FINDINGS if f.verdict == "harmful"))),
        (acme(), (retention(evidence={}), replace(morale(), verdict="no_benefit"))),
        (acme(), (finding(row(n_treated=10), "negligible", evidence=EVIDENCE), morale())),
        (acme(), (unmeasured(),)),
        (acme(), (replace(unmeasured(), verdict_reason="blind"), replace(without_costs(), verdict_reason="blind"))),
        (LOTS_STUDY, (finding(row(**OFFERED), "supported", evidence=EVIDENCE),)),
    )
]


def pools() -> list[dict]:
    """Return what sentences can name of pools: of thirty companies, of many alike, of two, of one, and of nobody."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        invented_network(folder / "thirty", 30, np.random.default_rng(11))
        errors = 0.02 * np.arange(1, 13)
        write_network(folder / "biased", -0.02 - 2 * errors + 0.003 * np.tile([1, -1], 6), errors)
        write_network(folder / "turned", [-0.03, -0.04, -0.5, -0.02], [0.015, 0.02, 0.1, 0.02])
        write_network(folder / "alike", [-0.03] * 4, [0.02] * 4)
        write_network(folder / "two", [-0.03, 0.01], [0.02, 0.03])
        write_network(folder / "one", [-0.03], [0.02])
        for n, ways in enumerate(["rollout", "self_selected"] * 2):
            way = {PROGRAM: DESIGN | {"assignment": ways}}
            write_ledger(folder / "mixed", [shared_row(f"c{n}", -0.03 - 0.01 * n, 0.02)], programs=way)
        for n in range(5):
            row = shared_row(f"c{n}", -0.05 - 0.01 * n, 0.01 + 0.005 * n)
            write_ledger(folder / "capped", [row], capped=[row.row] if n < 4 else [])
            write_ledger(folder / "one-capped", [row], capped=[row.row] if n == 4 else [])
        write_ledger(folder / "none", [suppressed(shared_row("acme", 0, 0.1))])
        found = [synthesize(read_shared([part])) for part in sorted(folder.iterdir())]
    return [pool_facts(pool) for one in found for pool in (*one.pools, *one.naive)]


POOLS = pools()
OF_FACTS = {"f": FACTS, "p": PLANS, "s": STUDIES, "b": BOTTOM_LINES, "o": POOLS}
# Macros that are only said of some of these.
SAID_OF = {"synthesis.further": [pool for pool in POOLS if pool["row"].is_estimated and not pool["is_naive"]]}
ABOUT = {name: macro.args[0].name for name, macro in MACROS.items() if macro.args and macro.args[0].name in OF_FACTS}

# --- what else a macro is given -------------------------------------------------------------------------------------

EVENT, SCORE = facts(examined(), acme()), facts(examples.scale(), acme())
RATED = SimpleNamespace(
    against="mor3", alpha=0.7, alpha_turned=0.8, wave=2.0, changed="mor2 is new.", icc1=0.3, icck=0.6, k=4.2,
    mean_difference=-0.2, difference_low=-0.3, difference_high=-0.1, correlation=0.4, rater_share=0.2, ratee_share=0.5,
)  # fmt: skip
GAP = {"column": "job_level", "table": "jobs", "of": "all rows", "share_missing": 0.2}
FIRST, LAST = {"step": "enrolled", "n_people": 90}, {"step": "analysed", "n_people": 60, "unit": "people"}
TURN = {"turn": -0.5, "holds_as_predicted": False, "lowest": -1.0, "highest": 0.5}
GROUPS = {"mean": 3.1, "group": "1"}, {"mean": 3.4, "group": "5"}
PLAN = {"version": 1, "day": "2025-01-02", "digest": "0" * 64, "counts": True, "effects_seen_at": "", "plans": 2}
PLAN |= {
    "is_same_code": True,
    "n": 3,
    "registered": ["Retention"],
    "deviates": ["Morale"],
    "exploratory": ["Promotion"],
}
SUBGROUP = [
    {"name": "age years", "is_range": True, "low": "18", "high": "40", "named": "18, 40"},
    {"name": "location", "is_range": False, "low": "Vienna", "high": "Graz", "named": "Vienna, Graz"},
]
ARGUMENTS = {
    "registration.study": (PLAN,),
    "licences.data": ({"study": "acme", "licence": "CC BY 4.0", "simulated": False},),
    "answer.end": (EVENT, 0.01),
    "exploratory.about": ("exit of any kind", 18, "age years 18 to 40", "location"),
    "exploratory.every": (2,),
    "exploratory.group": ("the subgroup", "age years 18 to 40"),
    "exploratory.subgroup": (SUBGROUP,),
    "exploratory.title": ("morale", 12, 3, 2),
    "answer.in_one_sentence": ("Retention", FACTS[:4]),
    "dashboard.events": (row(), "points"),
    "dashboard.step": (row(), row(estimate=-0.01)),
    "headings.heading": ("flow",),
    "headings.program": (acme().programs[0],),
    "measured.agreement": ("Morale", RATED),
    "measured.careless": ("Pulse", [0.01, 0.02], 2),
    "measured.change": ("Morale", RATED),
    "measured.comparable": (Comparable("metric", freed="mor2", further="scalar"), "from wave to wave"),
    "measured.invariance": (["Morale"], [(Comparable(None, "too few"), ["waves", "arms"])]),
    "measured.keying": ("Morale", RATED),
    "measured.leniency": ("Morale", RATED),
    "measured.reliability": (0.6, 0.8, 0.7, ["Morale"]),
    "measured.self_other": ("Morale", RATED),
    "measured.where": (["waves", "arms"],),
    "money.end": (facts(economics(), acme()), 10.0),
    "money.sum": (10.0, facts(economics(), acme())),
    "names.program": ("Genius Clinic",),
    "pictures.balance": (EVENT, 0.04),
    "pictures.caption": ("curves",),
    "pictures.curves": (EVENT, [0.1, 0.2]),
    "pictures.exit_rates": (1.0, 2.0),
    "pictures.items": ("Morale", 2.0, 0.4, 0.6),
    "pictures.kinds": (EVENT, "involuntary_exit", 12.0, [0.1, 0.2]),
    "pictures.overlap": (CHECKS[1],),
    "pictures.participation": (100, 50),
    "pictures.response_rates": (0.3, 0.4),
    "pictures.rung": (EVENT, row()),
    "pictures.self_other": ("Morale", {"self_mean": 3.0, "others_mean": 3.2}, {"self_mean": 4.0, "others_mean": 3.5}),
    "pictures.skill_gap": ("Morale", [("age", *GROUPS)]),
    "pictures.unlinked": ("pulse",),
    "planning.history": (PLANS[0], 10),
    "quality.coverage": (0.9, 0.8, 10),
    "quality.flow": ("Genius", "mentors", FIRST, LAST, 10),
    "quality.gaps": (2, GAP, 10),
    "quality.nearly_all": (0.9, 10),
    "quality.rows": (300, 20, 30, 10),
    "quality.share": (GAP,),
    "quality.stage": ("started", "mentors"),
    "robustness.day": (1.0, row(measure="rmst_difference_days", estimate=1.0), "fewer", "more"),
    "robustness.days": (row(measure="rmst_difference_days", estimate=5.0), "fewer", "more"),
    "robustness.way": ("other", row(), False),
    "robustness.ways": (EVENT, [row(), row()], []),
    "robustness.ways_title": (EVENT, [row(), row()]),
    "scales.delta": (SCORE, TURN),
    "scales.delta_title": (TURN,),
    "scales.event_study_title": (SCORE, [0.1, 0.2]),
    "scales.forest_title": (3, 1, 1),
    "scales.lie": (1,),
    "scales.off": (-0.5,),
    "scales.response": (SCORE, (0.3, 0.4), (0.5, 0.5)),
    "scales.response_title": (SCORE, (0.3, 0.4), (0.5, 0.5)),
    "scales.span": ((0.3, 0.4),),
    "scales.trajectory_title": (SCORE, (3.0, 3.1), (3.0, 3.2)),
    "summary.about": (["retention", "morale"], ["mentors"]),
    "summary.fewer": (0.03,),
    "summary.listed": (["retention", "morale", "recognition"],),
    "summary.whom": ("Mentors", "self-rated"),
    "claims.count": (31, 26, 20, 3),
    "headings.design": ("rollout",),
    "headings.size": (True, "135", "664"),
    "headings.estimand": ("ATT. Under a lottery ITT.", False),
    "synthesis.end": (POOLS[0], 0.01),
    "synthesis.picture": (POOLS,),
    "verdict.briefs": (FAILED,),
}
# The same in other cases, in which it needs what it does without in the first.
MORE = {
    "licences.data": [({"study": "acme", "licence": "", "simulated": is_so},) for is_so in (True, False)],
    "registration.study": [
        (PLAN | {"registered": ["Retention"] * 2, "deviates": [], "exploratory": []},),
        (PLAN | {"effects_seen_at": "2025-01-01", "is_same_code": False},),
        (PLAN | {"counts": False},),
    ],
    "exploratory.about": [("morale", 12, "", "")],
    "exploratory.every": [(3,)],
    "exploratory.group": [("everyone", ""), ("everyone else", "")],
    "exploratory.title": [("morale", 12, n, clear) for n in (1, 3) for clear in range(n + 1)],
    "measured.careless": [("Pulse", [], 2)],
    "pictures.curves": [(EVENT, None)],
    "pictures.rung": [(EVENT, found.primary) for found in FINDINGS],
    "quality.coverage": [(1.0, 1.0, 10)],
    "quality.gaps": [(0, GAP, 10)],
    "quality.rows": [(None, None, None, 10)],
    "quality.nearly_all": [(1.0, 10)],
    "quality.stage": [("enrolled", "mentors")],
    "robustness.ways_title": [(EVENT, [row()])],
    "scales.trajectory_title": [(SCORE, None, None)],
    "claims.count": [(31, 26, 20, 0), (31, 26, 0, 0)],
    "summary.about": [(["retention"], [])],
    "summary.listed": [(["retention"],)],
    "summary.whom": [("Mentors", "")],
    "synthesis.picture": [([pool for pool in POOLS if not pool["row"].is_estimated],)],
}
# What these say by themselves where it is not given.
MAY_LACK = {"dashboard.events"}
NO_FACTS = {name for name, macro in MACROS.items() if not macro.args}


def said(name: str, *given: object) -> str | None:
    """Return what is said, or None where a fact is missing."""
    try:
        return say(name, *given)
    except (UndefinedError, TypeError):
        return None


def given(name: str) -> list[tuple]:
    """Return what a macro can be said of: whatever else it is given, of every finding, plan or study that there is."""
    own = [tuple(arguments) for arguments in (ARGUMENTS.get(name, ()), *MORE.get(name, ()))]
    if name not in ABOUT:
        return own
    return [(found, *arguments[1:]) for arguments in own for found in SAID_OF.get(name, OF_FACTS[ABOUT[name]])]


def test_every_macro_is_said_here():
    assert {*ARGUMENTS, *ABOUT, *NO_FACTS} == set(MACROS)
    assert all(say(name) for name in NO_FACTS)


@pytest.mark.parametrize("name", sorted({*ARGUMENTS, *ABOUT}))
def test_every_macro_says_something(name):
    texts = [said(name, *arguments) for arguments in given(name)]
    assert any(texts), name
    assert not any("None" in (text or "") or "  " in (text or "") or "{" in (text or "") for text in texts)


@pytest.mark.parametrize("name", sorted(ABOUT))
def test_no_macro_does_without_a_fact_that_it_names(name):
    about = ABOUT[name]
    read = [n for n in MACROS[name].find_all(nodes.Getattr) if isinstance(n.node, nodes.Name)]
    named = {n.attr for n in read if n.node.name == about}
    examples_of = [arguments for arguments in given(name) if said(name, *arguments) is not None]
    for fact in named:
        holed = [({k: v for k, v in found.items() if k != fact}, *rest) for found, *rest in examples_of]
        assert any(said(name, *arguments) is None for arguments in holed), f"{name} is said without {fact}"


@pytest.mark.parametrize("name", sorted(ARGUMENTS.keys() - MAY_LACK))
def test_no_macro_does_without_what_it_is_given(name):
    for n in range(len(ARGUMENTS[name])):
        texts = [said(name, *arguments[:n]) for arguments in given(name)]
        assert None in texts, f"{name} is said with {n} of its arguments"


# --- the rules of these templates -----------------------------------------------------------------------------------


def words(monkeypatch, folder, **files: str) -> None:
    """Have the sentences come from these files."""
    (folder / "xx").mkdir(parents=True)
    for topic, text in files.items():
        (folder / "xx" / f"{topic}.j2").write_text(text, encoding="utf-8")
    monkeypatch.setattr(template, "TEMPLATES", folder)
    monkeypatch.setattr(template, "LANGUAGE", "xx")
    monkeypatch.setattr(template, "environment", environment.__wrapped__)


def test_a_line_may_end_anywhere_and_a_point_stands_without_a_blank(monkeypatch, tmp_path):
    noun = "{% if n == 1 %}\npicture\n{% else %}\npictures\n{% endif %}"
    words(monkeypatch, tmp_path, own=f"{{% macro all(n) %}}\nOf {{{{ n }}}}\n{noun}\n, none.\n{{% endmacro %}}")
    assert template.say("own.all", 1) == "Of 1 picture, none." and template.say("own.all", 2) == "Of 2 pictures, none."


def test_a_list_has_a_sentence_for_each_hyphen(monkeypatch, tmp_path):
    listed = "- One,\nhalf-way.\n{% if true %}\n- Two.\n{% endif %}"
    words(monkeypatch, tmp_path, own=f"{{% macro all() %}}\n{listed}\n{{% endmacro %}}")
    assert template.say_each("own.all") == ["One, half-way.", "Two."]


@pytest.mark.parametrize("asked", ["f.x", "f.x is none", "f.x == 1", "not f.x"])
def test_a_fact_that_is_missing_is_not_even_nothing(monkeypatch, tmp_path, asked):
    words(monkeypatch, tmp_path, own="{% macro all(f) %}{% if " + asked + " %}yes{% else %}no{% endif %}{% endmacro %}")
    assert template.say("own.all", {"x": 1}) in ("yes", "no")
    with pytest.raises(UndefinedError):
        template.say("own.all", {})


@pytest.mark.parametrize("value", [0.5, None])
def test_neither_a_fraction_without_a_filter_nor_nothing_gets_into_a_sentence(monkeypatch, tmp_path, value):
    words(monkeypatch, tmp_path, own="{% macro all(x) %}About {{ x }}.{% endmacro %}")
    with pytest.raises(UndefinedError, match="cannot hold"):
        template.say("own.all", value)


def test_what_no_sentence_is_written_for_is_an_error():
    for name in ("verdict.by_the_rule", "verdict.in_short"):
        with pytest.raises(UndefinedError, match="no sentence is written for 'not_estimable'"):
            say(name, facts(replace(retention(), verdict="not_estimable"), acme()))


def test_a_sentence_is_plain_text_and_a_page_escapes_it():
    study = acme(name="R&D <b>First</b>")
    assert say("names.program", study.programs[0].name) == "the R&D <b>First</b> program"
    page = whole(released(retention(), study=study))
    assert "the R&amp;D &lt;b&gt;First&lt;/b&gt; program" in page and "<b>First</b>" not in page


def test_another_language_is_another_folder(monkeypatch, tmp_path):
    shutil.copytree(TEMPLATES, tmp_path / "templates")
    shutil.copytree(TEMPLATES / LANGUAGE, tmp_path / "templates" / "de")
    names = tmp_path / "templates" / "de" / "names.j2"
    names.write_text(names.read_text(encoding="utf-8").replace("comparable colleagues", "ähnliche Kollegen"), "utf-8")
    monkeypatch.setattr(template, "TEMPLATES", tmp_path / "templates")
    monkeypatch.setattr(template, "LANGUAGE", "de")
    monkeypatch.setattr(template, "environment", environment.__wrapped__)
    page = whole(released(retention()))
    assert "ähnliche Kollegen" in page and '<html lang="de">' in page


def test_every_listed_sentence_begins_with_a_hyphen():
    assert len(say_each("limits.limits", STUDIES[0])) == 8 and len(say_each("limits.limits", STUDIES[1])) == 1
    assert all(len(say_each("planning.assumptions", plan)) == 6 for plan in PLANS)
