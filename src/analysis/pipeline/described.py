"""Who is in the data: the frames that describe a study, before disclosure control."""

import pandas as pd

from analysis.measure.coverage import coverage, missingness
from analysis.measure.employment import annual_exit_rates
from analysis.measure.exposure import participation
from analysis.measure.scales import response_rates
from analysis.pipeline.measured import measured
from analysis.pipeline.opened import OpenStudy


def describe(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return what can be described, by name (see `release.answer.Released`); what the study lacks is left out."""
    tables, study = opened.tables, opened.study
    frames = {"row_counts": tables.row_counts, "missingness": missingness(tables)}
    if tables.enrolments is not None:
        frames["participation"] = participation(tables.enrolments)
    if tables.employees is not None:
        frames["exit_rates"] = annual_exit_rates(tables, study.study_start, study.as_of)
        frames["coverage"] = coverage(tables, study.study_start, study.as_of)
    if tables.responses is not None and tables.waves is not None:
        instruments = sorted(tables.responses["instrument"].unique())
        rates = [response_rates(tables, name).assign(instrument=name) for name in instruments]
        frames["response_rates"] = pd.concat(rates, ignore_index=True)
    return frames | measured(opened)
