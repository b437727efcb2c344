"""Who is in the data: the frames that describe a study, before disclosure control."""

from collections.abc import Callable

import pandas as pd

from analysis.measure.coverage import coverage, missingness
from analysis.measure.employment import annual_exit_rates
from analysis.measure.exposure import participation
from analysis.measure.scales import response_rates
from analysis.pipeline.measured import measured
from analysis.pipeline.opened import OpenStudy
from analysis.plan.contract import Tables
from analysis.plan.faults import Part, isolated
from analysis.plan.known import known


def describe(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return what can be described, by name (see `release.answer.Released`); what the study lacks is left out.

    Each frame is made by itself: one that a fault takes away is left out, the others are there.
    """
    tables, study = opened.tables, opened.study
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "row_counts": lambda: tables.row_counts,
        "missingness": lambda: missingness(tables),
    }
    if tables.enrolments is not None:
        makers["participation"] = lambda: participation(tables.enrolments)
    if tables.employees is not None:
        makers["exit_rates"] = lambda: annual_exit_rates(tables, study.study_start, study.as_of)
        makers["coverage"] = lambda: coverage(tables, study.study_start, study.as_of)
    if tables.responses is not None and tables.waves is not None and len(tables.responses):
        makers["response_rates"] = lambda: _response_rates(tables)
    made = {name: isolated(Part("frame", name), make, lambda _: None) for name, make in makers.items()}
    return {name: frame for name, frame in made.items() if frame is not None} | measured(opened)


def _response_rates(tables: Tables) -> pd.DataFrame:
    """Return who answered each wave, by instrument; there is one answer at least."""
    instruments = sorted(known(tables.responses)["instrument"].unique())
    rates = [response_rates(tables, name).assign(instrument=name) for name in instruments]
    return pd.concat(rates, ignore_index=True)
