"""``mentoring register``: what is asked and how it is judged, fixed before outcomes are read."""

from typing import Annotated

import typer

from analysis.cli.terminal import Data, Reports, guarded, out
from analysis.plan.paths import data_dir, reports_dir


def register(
    study: Annotated[str, typer.Argument(help="Name of a study folder.")],
    reason: Annotated[
        str, typer.Option(help="Why the plan is another one than the last; needed from the second on.")
    ] = "",
    data: Data = None,
    reports: Reports = None,
) -> None:
    """Register the plan: hypotheses, estimands, smallest effects, thresholds, design and code, with digest and date.

    First look at the design with mentoring report --blind, then register, then make the report: it says of each answer
    whether it is registered, exploratory, or from what it deviates. The plan is a text file in the study's folder,
    registrations/1.yaml; a later one never replaces it. A plan counts only where no report with effects was there.
    """
    from analysis.pipeline.registered import register as write

    asked = (study, data_dir(data), reports_dir(reports), reason)
    done = guarded(study, write, *asked, lambda text: out.print(text, markup=False))
    plan = done.plan
    if not done.is_new:
        out.print(f"{study}: plan {plan.version} of {plan.registered_at} says the same; nothing written", markup=False)
        return
    out.print(f"{study}: plan {plan.version} registered, {len(plan.answers)} answers: {done.file}", markup=False)
    out.print(f"digest: {plan.digest}", markup=False)
    if plan.effects_seen_at:
        message = f"but effects had been seen: a report or shared ledger of {plan.effects_seen_at} is there"
        out.print(f"{message}, so this plan does not count", style="yellow", markup=False)
    else:
        message = "The digest finds edits; it proves no date. Send it to somebody outside, or deposit the file."
        out.print(message, markup=False)
