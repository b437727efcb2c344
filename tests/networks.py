"""Shared ledgers of companies that do not exist, written as `mentoring share` writes them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ledger_rows import DASHBOARD, MORALE, NAMES, OFFERED, STARTED, sample_row

from analysis.plan.hypotheses import load_plan
from analysis.plan.results import Estimate
from analysis.release.outside import STEPS, Z
from analysis.report.write import write_shared

PROGRAM = "buddies"
DESIGN = {"direction": "reverse", "format": "pair", "assignment": "self_selected"}
SUPPRESSED = "Not shared: there is no estimate, or it would tell of too few people."


def shared_row(study: str, effect: float, error: float, n: int = 100, **changes: Any) -> Estimate:
    """Return a shared row on retention of mentors, in steps as small as may be; `changes` make another of it."""
    about = NAMES | {"study": study, "program": PROGRAM} | changes
    step = STEPS[0] if about["measure"] == "risk_difference" else 0.01
    told, told_error = round(effect / step) * step, max(round(error / step), 1) * step
    limits = {"ci_low": told - Z * told_error, "ci_high": told + Z * told_error}
    numbers = {name: round(x, 6) for name, x in ({"estimate": told, "std_error": told_error} | limits).items()}
    return sample_row(**about | numbers | {"n_treated": n, "n_control": 3 * n})


def suppressed(row: Estimate) -> Estimate:
    """Return a row as it is shared where it would tell of too few people."""
    return row.suppressed(SUPPRESSED)


def write_ledger(folder: Path, rows: Iterable[Estimate], **facts: Any) -> Path:
    """Write the ledger of one company into a folder named after its study."""
    rows = list(rows)
    study = rows[0].study
    about = {"study": study, "digest": f"{study:>064}", "simulated": True, "sector": "banking",
             "programs": {PROGRAM: DESIGN}, "scales": {"morale": [1, 5]}} | facts  # fmt: skip
    target = folder / study
    target.mkdir(parents=True)
    write_shared(rows, about, target)
    return target


def write_network(folder: Path, effects: Iterable[float], errors: Iterable[float], **changes: Any) -> Path:
    """Write a ledger a company, with a row each."""
    for n, (effect, error) in enumerate(zip(effects, errors, strict=True)):
        write_ledger(folder, [shared_row(f"company-{n:02}", effect, error, **changes)])
    return folder


def invented_network(folder: Path, n: int, rng: np.random.Generator, scales: Iterable[str] = ("H2_morale",)) -> Path:
    """Write companies with retention and scales of both roles, dashboards' figures, and some that cannot tell."""
    asked = [h for h in load_plan().scales if h.id in scales]
    sectors, directions = ("banking", "software", "health care"), ("reverse", "traditional")
    for number in range(n):
        study, size = f"company-{number:05}", int(np.exp(rng.uniform(np.log(40), np.log(400)))) // 5 * 5
        is_lottery = number % 3 == 0
        design = OFFERED if is_lottery else STARTED
        facts = {"direction": directions[number % 2], "format": "pair",
                 "assignment": "lottery" if is_lottery else "self_selected"}  # fmt: skip
        rows = []
        for role in ("mentor", "mentee"):
            error = float(np.sqrt(0.11 * (1 / size + 1 / (3 * size))))
            true = -0.02 - 0.02 * (role == "mentor") + 0.02 * rng.standard_normal()
            risk = shared_row(study, true + error * rng.standard_normal(), error, size, role=role, **design)
            naive = shared_row(study, risk.estimate - 0.07, error, size, role=role, **DASHBOARD)
            rows += [suppressed(risk) if number % 10 == 9 else risk, naive]
            for scale in asked:
                about = design | MORALE | {"hypothesis": scale.id, "outcome": scale.outcome, "role": role}
                points = 0.12 + 0.15 * rng.standard_normal()
                rows.append(shared_row(study, points, 0.1, size, **about))
                about |= {"measure": "standardized_mean_difference", "analysis": "secondary"}
                rows.append(shared_row(study, 1.4 * points, 0.14, size, **about))
        ends = {scale.outcome: [1, 5] for scale in asked}
        write_ledger(folder, rows, programs={PROGRAM: facts}, sector=sectors[number % 3], scales=ends)
    return folder


def change_about(folder: Path, changes: Mapping[str, Any]) -> None:
    """Change what a company's ``share.json`` says."""
    path = folder / "share.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | dict(changes)), encoding="utf-8")
