"""A registered plan: what was fixed before outcomes were read, kept so that an edit is found, and compared with.

A study's plans are ``registrations/1.yaml``, ``2.yaml``, …; each holds the digest of its own content and that of the
plan before it. The digest finds edits. It does not prove a date: who wants that deposits it with somebody else.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.hypotheses import load_plan
from analysis.plan.instruments import Instrument
from analysis.plan.paths import PACKAGE, digest_of_files, shipped
from analysis.plan.study import Program, Study
from analysis.plan.yaml_file import load_yaml, validated

if TYPE_CHECKING:
    from analysis.plan.results import Finding, LedgerRow

FOLDER, RULE = "registrations", "registration"
WHAT_TO_DO = "bring back the file as it was written, or take it away and register again"
# What of study.yaml decides an answer, beside its programs; where files lie and how small groups are shown does not.
OF_THE_STUDY = ("study_start", "as_of", "staff", "columns", "values", "timezone", "imprecise_dates")
# What of a source decides how its cells are read; a further file that is read in the same way changes no plan.
OF_A_SOURCE = ("profile", "columns", "values", "codes", "imprecise_dates", "incomplete", "date_order", "timezone")
OF_MONEY = ("currency", "replacement_cost_share", "replacement_cost_amount")
COSTS, IN_WORDS = ("cost_fixed", "cost_per_participant"), ("id", "name")
# What names the main row of an answer, and what its verdict rests on.
MAIN_ROW = ("outcome", "rater_source", "contrast", "estimand", "estimator", "measure", "horizon_months")
OF_THE_VERDICT = ("smallest_effect", "claimed_direction", "family")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedAnswer(_Part):
    """One hypothesis for one program and role, as it was planned.

    Attributes
    ----------
    rows
        Ids of every row of the estimates ledger that was planned, the main one first.
    """

    hypothesis: str
    program: str
    role: str
    outcome: str
    rater_source: str | None
    contrast: str
    estimand: str
    estimator: str
    measure: str
    horizon_months: int | None
    smallest_effect: float
    claimed_direction: int
    family: str
    rows: tuple[str, ...]

    @property
    def about(self) -> tuple[str, str, str]:
        """Which answer it is."""
        return self.hypothesis, self.program, self.role


class Registration(_Part):
    """One registered plan.

    Attributes
    ----------
    registered_at
        When, in UTC (ISO 8601).
    reason
        Why another plan was registered; empty for the first.
    effects_seen_at
        When a report, or a shared ledger, that was there at that time had been made with its effects; empty where there
        was none on this machine.
    replaces
        The digest of the plan before it; empty for the first.
    made_by
        The program: its version, its commit and the digest of its code.
    design
        What decides the answers, by part (`frozen_design`).
    digest
        SHA-256 of everything else (`digest_of`).
    """

    schema_version: Literal[1]
    study: str
    version: int
    registered_at: str
    reason: str
    effects_seen_at: str
    replaces: str
    made_by: dict[str, str | None]
    design: dict[str, dict[str, Any]]
    answers: tuple[PlannedAnswer, ...]
    digest: str


def digest_of(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a plan's content, its own digest left out; comments and the order of keys do not count."""
    told = {key: value for key, value in content.items() if key != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()


# --- read -------------------------------------------------------------------------------------------------------------


def read_registrations(folder: Path, study: str) -> tuple[Registration, ...]:
    """Return a study's registered plans, the first one first; none where it has none.

    Raises
    ------
    BadInput
        A plan was edited, is missing between others, or cannot be read; every problem at once.
    """
    files = {int(path.stem): path for path in (folder / FOLDER).glob("*.yaml") if path.stem.isdecimal()}
    plans: list[Registration] = []
    problems: list[Problem] = []
    for version in range(1, max(files, default=0) + 1):
        source = f"{FOLDER}/{version}.yaml"
        if version not in files:
            problems += _problem(source, f"is missing, though a later plan is there; {WHAT_TO_DO}")
            continue
        try:
            plans.append(_read(files[version], source, folder))
        except BadInput as bad:
            problems += bad.problems
    problems += [] if problems else list(_broken(plans, study))
    if problems:
        raise BadInput(problems)
    return tuple(plans)


def _problem(source: str, message: str) -> tuple[Problem, ...]:
    return bad_input(source, message, rule=RULE).problems


def _read(path: Path, source: str, folder: Path) -> Registration:
    document = load_yaml(path, source=source, within=folder)
    plan = validated(Registration, document, source=source)
    if digest_of(document.content) != plan.digest:
        message = f"was edited after it was registered: its content does not have its digest; {WHAT_TO_DO}"
        raise bad_input(source, message, rule=RULE, line=document.line("digest"))
    return plan


def _broken(plans: Sequence[Registration], study: str) -> Iterator[Problem]:
    """Yield what is wrong between plans that are each sound."""
    before = ""
    for n, plan in enumerate(plans, start=1):
        if plan.study != study:
            yield from _problem(f"{FOLDER}/{n}.yaml", f"is of the study {plan.study}, not of {study}; take it away")
        elif (plan.version, plan.replaces) != (n, before):
            message = f"does not follow the plan before it, which was replaced or taken away; {WHAT_TO_DO}"
            yield from _problem(f"{FOLDER}/{n}.yaml", message)
        before = plan.digest


def plan_that_counts(plans: Sequence[Registration]) -> Registration | None:
    """Return the last plan that was registered before any effect was seen here; None where there is none."""
    return next((plan for plan in reversed(plans) if not plan.effects_seen_at), None)


# --- frozen -----------------------------------------------------------------------------------------------------------


def frozen_design(study: Study, cards: Mapping[str, Instrument]) -> dict[str, dict[str, Any]]:
    """Return what decides a study's answers: its own settings, programs, thresholds of checks, and how scales score.

    What the hypotheses ask stands there to be read. Digests stand for the cards that measure a scale, and for how the
    files of a table are read.
    """
    settings = study.model_dump(mode="json")
    constructs = sorted({scale.construct_name for card in cards.values() for scale in card.scales.values()})
    return {
        "study": {key: settings[key] for key in (*OF_THE_STUDY, *OF_MONEY)},
        "programs": {program["id"]: program for program in settings["programs"]},
        "hypotheses": {h.id: {"question": h.question, "estimand": h.estimand} for h in load_plan().hypotheses},
        "diagnostics": load_plan().diagnostics.model_dump(mode="json"),
        "reading": {table: _reading(table, settings["sources"]) for table in sorted({s.table for s in study.sources})},
        "scales": {construct: _scoring(construct, cards) for construct in constructs},
    }


def _reading(table: str, sources: Sequence[Mapping[str, Any]]) -> str:
    ways = {json.dumps([s[key] for key in OF_A_SOURCE], sort_keys=True) for s in sources if s["table"] == table}
    return hashlib.sha256(json.dumps(sorted(ways)).encode()).hexdigest()


def _scoring(construct: str, cards: Mapping[str, Instrument]) -> str:
    told = {
        name: [card.response.model_dump_json(), *(scale.model_dump_json() for scale in scales)]
        for name, card in sorted(cards.items())
        if (scales := [s for s in card.scales.values() if s.construct_name == construct])
    }
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def planned_answer(finding: "Finding") -> PlannedAnswer:
    """Return what of an answer is fixed before its number is looked at."""
    hypothesis, main = load_plan().hypothesis(finding.hypothesis), finding.primary
    return PlannedAnswer(
        hypothesis=finding.hypothesis,
        program=finding.program,
        role=finding.role,
        smallest_effect=finding.smallest_effect,
        claimed_direction=hypothesis.claimed_direction,
        family=hypothesis.family,
        rows=tuple(dict.fromkeys(row.row for row in finding.estimates)),
        **{name: getattr(main, name) for name in MAIN_ROW},
    )


# --- compared ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Deviation:
    """One thing that is otherwise than it was registered, each as text."""

    what: str
    planned: str
    now: str


@dataclass(frozen=True)
class Registered:
    """How an answer stands to the plan that was registered before effects were seen.

    Attributes
    ----------
    deviations
        From what an answer that ``deviates`` does.
    rows
        Ids of the rows that were planned.
    """

    status: Literal["registered", "exploratory", "deviates"]
    deviations: tuple[Deviation, ...] = ()
    rows: frozenset[str] = frozenset()

    def of(self, row: "LedgerRow") -> str:
        """Return how one row of the answer stands to the plan: as the answer does where it was planned."""
        return self.status if row.row in self.rows else "exploratory"


def registered_as(finding: "Finding", plan: Registration | None, now: Mapping[str, Mapping[str, Any]]) -> Registered:
    """Return how an answer stands to the plan that counts; without one it is exploratory.

    Parameters
    ----------
    now
        The study's design as it is now (`frozen_design`).
    """
    answer = planned_answer(finding)
    planned = next((one for one in plan.answers if one.about == answer.about), None) if plan else None
    if plan is None or planned is None:
        return Registered("exploratory")
    before, after = _decisive(planned, plan.design), _decisive(answer, now)
    found = tuple(
        Deviation(name, _text(before.get(name)), _text(after.get(name)))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    )
    rows = frozenset([*planned.rows, finding.primary.row])
    return Registered("deviates" if found else "registered", found, rows)


def _decisive(answer: PlannedAnswer, design: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return everything that decides one answer, by what it is called, nested keys joined by points."""
    money = answer.family == "arithmetic"
    program = {k: v for k, v in design["programs"].get(answer.program, {}).items() if money or k not in COSTS}
    if answer.role in (roles := program.get("eligibility") or {}):
        program |= {"eligibility": {answer.role: roles[answer.role]}}
    of_program = {key: value for key, value in program.items() if key in Program.model_fields and key not in IN_WORDS}
    study = {key: value for key, value in design["study"].items() if money or key not in OF_MONEY}
    scale = {"scoring": design["scales"].get(answer.outcome)}
    fixed = {name: getattr(answer, name) for name in (*MAIN_ROW, *OF_THE_VERDICT)}
    parts = {"": fixed | study | of_program | scale} | {name: design[name] for name in ("diagnostics", "reading")}
    return {name: value for part, told in parts.items() for name, value in _flat(told, part)}


def _flat(told: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            yield from _flat(value, name)
        else:
            yield name, value or None if isinstance(value, list | tuple | Mapping | str) else value


def _text(value: object) -> str:
    """Return a setting as a reader may be told it; a digest says nothing to anybody."""
    if value is None:
        return "nothing"
    if isinstance(value, str) and len(value) == 64:
        return f"one of digest {value[:8]}"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# --- in a report ------------------------------------------------------------------------------------------------------


def with_plan(
    findings: Sequence["Finding"], plans: Sequence[Registration], study: Study, cards: Mapping[str, Instrument]
) -> tuple["Finding", ...]:
    """Return findings that say how they stand to the plan that counts, where the study has registered any."""
    if not plans:
        return tuple(findings)
    plan, now = plan_that_counts(plans), frozen_design(study, cards)
    return tuple(replace(finding, registered=registered_as(finding, plan, now)) for finding in findings)


def registration_facts(plans: Sequence[Registration]) -> dict[str, Any]:
    """Return what `run.json` says of the registered plans; nothing where there are none."""
    if not plans:
        return {}
    counts, last = plan_that_counts(plans), plans[-1]
    told = counts or last
    facts = {
        "plans": len(plans),
        "version": told.version,
        "registered_at": told.registered_at,
        "digest": told.digest,
        "counts": counts is not None,
        "effects_seen_at": last.effects_seen_at,
        "is_same_code": told.made_by["code"] == code_digest(),
    }
    return {"registration": facts}


def code_digest() -> str:
    """Return a digest of the program's code and hypotheses, the same for a clone and for a wheel."""
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".yaml")]
    code = sorted(path for path in files if path.relative_to(PACKAGE).parts[0] != "shipped")
    plan = shipped("hypotheses.yaml")
    told = digest_of_files(code, PACKAGE) + digest_of_files([plan], plan.parent)
    return hashlib.sha256(told.encode()).hexdigest()
