"""The page over many companies: self-contained HTML in the look of a study's page, and the files beside it."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

from analysis.plan.hypotheses import Hypothesis, load_plan
from analysis.report.figures_synthesis import forest_plot
from analysis.report.origins import Origin, told_place
from analysis.report.pictures import safe_name
from analysis.report.safe_cells import export_safe
from analysis.report.sections import image
from analysis.report.synthesis import (
    Asked,
    answer_sentence,
    claims_board,
    every_answer_table,
    further_sentences,
    moderator_table,
    naive_sentences,
    question_label,
    questions,
    unanswered,
)
from analysis.report.tables import frame_html
from analysis.report.template import render
from analysis.synthesis.literature import published
from analysis.synthesis.pooled import Pool, Synthesis, pooled_frame

LEDGER = "pooled.csv"


def synthesis_page(synthesis: Synthesis, run: Mapping[str, object]) -> str:
    """Return the report over many companies as one HTML page that loads nothing from anywhere."""
    asked = questions(synthesis)
    sections = [
        _section(h, [a for a in asked if a.first.hypothesis == h.id], synthesis)
        for h in load_plan().hypotheses
        if any(pool.main.hypothesis == h.id for pool in synthesis.pools)
    ]
    values = {
        "studies": synthesis.studies,
        "n_simulated": len(synthesis.simulated),
        "sections": sections,
        "claims": claims_board(asked),
        "has_naive": any(pool.main.is_estimated for pool in synthesis.naive),
        "ledger": LEDGER,
        "brand": None,
        "origins": {"answers": _origin(questions), "claims": _origin(claims_board)},
        "created": str(run.get("created", ""))[:10],
        "run": run,
    }
    return render("synthesis.html.j2", values)


def _section(plan: Hypothesis, asked: list[Asked], synthesis: Synthesis) -> dict:
    pools = [pool for pool in synthesis.pools if pool.main.hypothesis == plan.id]
    naive = [pool for pool in synthesis.naive if pool.main.hypothesis == plan.id]
    return {
        "plan": plan,
        "lines": [_line(pool) for question in asked for pool in question.pools if pool.main.is_estimated],
        "unanswered": unanswered(asked),
        "questions": [
            {
                "image": image(forest_plot(question)) | {"origin": _origin(forest_plot)} if question.is_drawn else None,
                "naive": naive_sentences(question),
                "answers": [_answer(pool) for pool in question.pools],
            }
            for question in asked
        ],
        "every": _table(every_answer_table, pools),
        "every_naive": _table(every_answer_table, naive) if naive else None,
        "literature": [told for told in published() if plan.id in told.hypotheses],
    }


def _line(pool: Pool) -> dict:
    return {"label": question_label(pool.main), "verdict": pool.main.verdict, "row": pool.main}


def _answer(pool: Pool) -> dict:
    return _line(pool) | {
        "sentence": answer_sentence(pool),
        "further": further_sentences(pool),
        "moderators": _table(moderator_table, pool),
    }


def _table(make: Callable[..., pd.DataFrame], of: object) -> dict | None:
    """Return a table as HTML with its origin; None where it has no row."""
    made = make(of)
    return {"html": frame_html(made), "origin": _origin(make)} if len(made) else None


def _origin(make: Callable) -> Origin:
    """Return where what is shown comes from: a synthesis has no notebook beside it."""
    return Origin(LEDGER, "#methods", told_place(make))


def write_synthesis(synthesis: Synthesis, run: Mapping[str, object], folder: Path) -> None:
    """Write the page, the pooled ledger, the forest plots and ``run.json``."""
    export_safe(pooled_frame(synthesis.rows)).to_csv(folder / LEDGER, index=False, lineterminator="\n")
    (folder / "run.json").write_text(json.dumps(dict(run), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "figures").mkdir()
    for question in [q for q in questions(synthesis) if q.is_drawn]:
        row = question.first
        parts = [row.hypothesis, row.role, *([row.rater_source] if row.rater_source else []), f"{row.horizon_months}"]
        parts += [row.scale.replace(" ", "-")] if row.scale else []
        path = folder / "figures" / f"forest-{safe_name('-'.join(parts))}.svg"
        path.write_text(forest_plot(question).svg, encoding="utf-8")
    (folder / "index.html").write_text(synthesis_page(synthesis, run), encoding="utf-8")
