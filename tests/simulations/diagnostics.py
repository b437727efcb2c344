"""How often each check is graded what, where its assumptions hold: ``python -m simulations.diagnostics``.

The bar: a finding fails a check in at most 5 % of the studies (within three Monte-Carlo standard errors). Results go
into ``diagnostics.csv`` beside this file, one row a world and check; worlds that have results are made again only when
asked for by name: ``PYTHONPATH=tests python -m simulations.diagnostics --studies 200 --only null-selected``.
"""

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.design.panels import Panels
from analysis.estimate.analyses import Question, run
from analysis.estimate.answer_change import SCALES
from analysis.estimate.answer_lottery import retention_by_lottery
from analysis.estimate.answer_retention import answer_by_trials
from analysis.estimate.by_scores import ByScores, ScaleScores
from analysis.estimate.by_trials import ByTrials
from analysis.estimate.diagnostics import settle_controls
from analysis.estimate.protocol_rows import PROTOCOL
from analysis.plan.hypotheses import load_plan
from analysis.plan.probability import rng
from analysis.plan.results import Check
from analysis.simulate import simulate
from simulations import scales_worlds, worlds
from simulations.one_study import OUTCOME, _comparison
from simulations.scales_people import ROLE, STUDY, company_of, program_of

RESULTS = Path(__file__).parent / "diagnostics.csv"
GRADES = ("passed", "caution", "failed", "untestable")
BAR, ANY = 0.05, "any check"
COLUMNS = ["world", "check", "n_studies", *GRADES, "share_failed", "mc_error", "passes_bar"]


def retention_checks(world: worlds.World, number: int) -> tuple[Check, ...]:
    """Return the checks of the mentors' answer on retention, settled over its own controls."""
    comparison = _comparison(simulate(world.study(number)), world)
    question = comparison.question("H1_retention")
    if comparison.is_randomized:
        return retention_by_lottery(question, comparison.lottery, OUTCOME).checks
    asked = ByTrials(question, OUTCOME, comparison.trials, comparison, lambda: comparison.ever)
    placebo = tuple(analysis for analysis in PROTOCOL if analysis.id == "placebo")
    return settle_controls([answer_by_trials(asked, placebo)], question.study.min_cell)[0].checks


def scale_checks(world: scales_worlds.World, number: int) -> tuple[Check, ...]:
    """Return the checks of balance and of trends before the start, of an answer on morale."""
    company, program = company_of(world, rng("scales", world.name, number)), program_of(world)
    panels = Panels(company.tables, STUDY, program, ROLE)
    panel = panels.after(company.scores)
    if not panel.rows["is_treated"].any():
        return ()
    measured = ScaleScores(panel, panels.before(company.scores))
    asked = ByScores(Question(STUDY, program, ROLE, load_plan().hypothesis("H2_morale")), measured, None)
    return run([analysis for analysis in SCALES["dr_did"] if analysis.id in ("balance", "trends")], asked).checks


def judged_worlds() -> dict:
    """Return, by name, how a study of each world is checked; only worlds in which the assumptions hold."""
    found = {w.name: partial(retention_checks, w) for w in worlds.WORLDS if w.assumptions_hold}
    on_scales = [w for w in scales_worlds.WORLDS if scales_worlds.DID in w.holds and not w.is_lottery]
    return found | {f"scales-{w.name}": partial(scale_checks, w) for w in on_scales}


def grades(name: str, number: int) -> list[dict]:
    """Return one line per check of one study, and one for the worst of them."""
    checks = [c for c in judged_worlds()[name](number) if c.grade != "untestable" or c.caps]
    lines = [{"world": name, "number": number, "check": c.name, "grade": c.grade} for c in checks]
    worst = next((g for g in ("failed", "caution", "passed") if any(c.grade == g for c in checks)), "untestable")
    return [*lines, {"world": name, "number": number, "check": ANY, "grade": worst}]


def summarize(lines: list[dict], n_studies: int) -> Iterator[dict]:
    """Yield one row per check of a world: how many studies had each grade, and whether the bar holds."""
    frame = pd.DataFrame(lines)
    for check, rows in frame.groupby("check", sort=False):
        counts = {grade: int((rows["grade"] == grade).sum()) for grade in GRADES}
        share = counts["failed"] / n_studies
        error = float(np.sqrt(BAR * (1 - BAR) / n_studies))
        told = {"world": rows["world"].iloc[0], "check": check, "n_studies": n_studies}
        yield told | counts | {"share_failed": share, "mc_error": error, "passes_bar": share <= BAR + 3 * error}


def main() -> None:
    """Make the worlds asked for, and replace their rows of the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200, help="studies a world")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--only", nargs="*", help="these worlds alone")
    asked = parser.parse_args()
    made_before = set(pd.read_csv(RESULTS)["world"]) if RESULTS.exists() else set()
    for name in asked.only or [n for n in judged_worlds() if n not in made_before]:
        with ProcessPoolExecutor(asked.jobs) as pool:
            parts = list(pool.map(partial(grades, name), range(asked.studies)))
        made = pd.DataFrame(summarize([line for part in parts for line in part], asked.studies), columns=COLUMNS)
        before = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame(columns=COLUMNS)
        kept = before[before["world"] != name]
        together = pd.concat([kept, made], ignore_index=True) if len(kept) else made
        together.to_csv(RESULTS, index=False, float_format="%.4g", lineterminator="\n")
        print(made.to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
