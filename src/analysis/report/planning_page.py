"""The page of one plan: self-contained HTML in the look of the study's page, and the files beside it."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.estimate.planning import RolePlan, plan_frame
from analysis.release.planning import ReleasedPlan
from analysis.report import planning
from analysis.report.figures_planning import detectable_plot
from analysis.report.origins import Origin, told_place
from analysis.report.safe_cells import export_safe
from analysis.report.sections import brand_of, day_text, image
from analysis.report.tables import frame_html
from analysis.report.template import render
from analysis.report.write import write_problems


def plan_page(plan: ReleasedPlan) -> str:
    """Return the plan as one HTML page that loads nothing from anywhere."""
    study = plan.study
    values = {
        "study": study,
        "brand": brand_of(study),
        "observed": [day_text(study.study_start), day_text(study.as_of)],
        "roles": [_role(role, study.min_cell) for role in plan.roles],
        "created": str(plan.run.get("created", ""))[:10],
        "run": plan.run,
    }
    return render("planning.html.j2", values)


def _role(role: RolePlan, min_cell: int) -> dict:
    drawn = detectable_plot(role)
    return {
        "label": planning.role_label(role),
        "slug": _slug(role),
        "sentence": planning.plan_sentence(role),
        "history": planning.history_sentence(role, min_cell),
        "risks": _table(planning.risk_table, role),
        "image": image(drawn) | {"origin": _origin(detectable_plot)} if drawn else None,
        "detectable": _table(planning.detectable_table, role),
        "sizes": _table(planning.size_table, role),
        "assumptions": planning.assumptions(role),
    }


def _table(make: Callable[[RolePlan], pd.DataFrame], role: RolePlan) -> dict:
    return {"html": frame_html(make(role)), "origin": _origin(make)}


def _origin(make: Callable) -> Origin:
    """Return where what is shown comes from: a plan has no notebook beside it."""
    return Origin("plan.csv", "#methods", told_place(make))


def _slug(role: RolePlan) -> str:
    return f"{role.program.id}-{role.role}" if role.program else role.role


def write_plan(plan: ReleasedPlan, folder: Path) -> None:
    """Write the page, ``plan.csv``, the data-quality ledger, the figures and ``run.json`` of one plan."""
    export_safe(plan_frame(plan.rows)).to_csv(folder / "plan.csv", index=False, lineterminator="\n")
    write_problems(plan.problems, folder)
    run = json.dumps(dict(plan.run), indent=1, ensure_ascii=False)
    (folder / "run.json").write_text(run + "\n", encoding="utf-8")
    (folder / "index.html").write_text(plan_page(plan), encoding="utf-8")
    figures = folder / "figures"
    figures.mkdir()
    for number, role in enumerate(plan.roles, start=1):
        drawn = detectable_plot(role)
        if drawn:
            (figures / f"plan-{number}-{role.role}.svg").write_text(drawn.svg, encoding="utf-8")
