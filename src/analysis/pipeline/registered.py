"""A plan registered before outcomes are read: ``mentoring register``."""

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from analysis.pipeline.opened import OpenStudy, open_study
from analysis.pipeline.provenance import program_facts
from analysis.pipeline.recorded import RECORD
from analysis.pipeline.released import find
from analysis.plan.errors import bad_input
from analysis.plan.registration import FOLDER, Registration, code_digest, digest_of, frozen_design, planned_answer
from analysis.release.record import read_record
from analysis.report.folders import writing

HEAD = """\
# The plan of this study, written by `mentoring register`. It must stay as it is: reports compare it with its digest.
# docs/reading_a_report.md says what it shows, and what it cannot.
"""


@dataclass(frozen=True)
class Registering:
    """What became of a registration.

    Attributes
    ----------
    file
        Where the plan stands.
    is_new
        False where the last plan says the same already, and nothing was written.
    """

    file: Path
    plan: Registration
    is_new: bool


def register(name: str, data: Path, reports: Path, reason: str, say: Callable[[str], None] = print) -> Registering:
    """Write the study's plan as it is now into ``registrations/``; earlier plans stay as they are.

    Every answer is found as for a report, because only so is it known which rows there will be; no number of them is
    kept or shown.

    Parameters
    ----------
    reports
        Where reports are looked for that were made with their effects.
    reason
        Why there is another plan; needed from the second on.

    Raises
    ------
    BadInput
        The study cannot be used, a plan differs from the one before it and no reason was given, or the folder cannot
        be written.
    """
    say(f"{name}: reading and checking")
    opened = open_study(name, data)
    say(f"{name}: finding which rows there will be")
    answers = [planned_answer(finding).model_dump(mode="json") for finding in find(opened)]
    design = frozen_design(opened.study, opened.instruments)
    last = opened.plans[-1] if opened.plans else None
    if last is not None and _says_the_same(last, answers, design):
        return Registering(opened.study.folder / FOLDER / f"{last.version}.yaml", last, is_new=False)
    if last is not None and not reason.strip():
        message = f"plan {last.version} is registered already, and this one differs: say why with --reason"
        raise bad_input(f"{FOLDER}/{last.version}.yaml", message, rule="registration")
    content: dict[str, Any] = {
        "schema_version": 1,
        "study": name,
        "version": len(opened.plans) + 1,
        "registered_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "reason": reason.strip() if last is not None else "",
        "effects_seen_at": effects_seen_at(name, reports),
        "replaces": last.digest if last else "",
        "made_by": made_by(),
        "design": design,
        "answers": answers,
    }
    content |= {"digest": digest_of(content)}
    return Registering(_written(content, opened), Registration.model_validate(content), is_new=True)


def _says_the_same(last: Registration, answers: list[dict], design: dict) -> bool:
    told = last.model_dump(mode="json")
    return (told["answers"], told["design"], told["made_by"]["code"]) == (answers, design, code_digest())


def _written(content: dict[str, Any], opened: OpenStudy) -> Path:
    """Write a plan beside the earlier ones; it appears whole or not at all, and never in the place of another."""
    target = opened.study.folder / FOLDER / f"{content['version']}.yaml"
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
    with writing(target.parent, "--data"):
        target.parent.mkdir(exist_ok=True)
        staging = target.with_name(f".{target.name}")
        staging.write_text(HEAD + text, encoding="utf-8")
        try:
            target.hardlink_to(staging)
        finally:
            staging.unlink()
    return target


def effects_seen_at(name: str, reports: Path) -> str:
    """Return when effects were first shown that are known of here: in the report that is there, or on record.

    Empty where there are none. What was made elsewhere, or was deleted, cannot be known.
    """
    run = reports / name / "run.json"
    told = json.loads(run.read_text(encoding="utf-8")) if run.is_file() else {"blind": True}
    seen = [] if told.get("blind") else [str(told.get("created", "unknown"))]
    seen += [one.date for one in read_record(reports / RECORD) if name in {ledger.study for ledger in one.ledgers}]
    return min(seen, default="")


def made_by() -> dict[str, str | None]:
    """Return which program it is: its version, its commit and the digest of its code."""
    facts = program_facts()
    return {"version": facts["versions"]["mentoring-outcomes"], "commit": facts["commit"], "code": code_digest()}
