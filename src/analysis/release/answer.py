"""What the report is made of: everything in it may be shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis.plan.errors import Problem
from analysis.plan.faults import Fault
from analysis.plan.results import Finding
from analysis.plan.study import Study


@dataclass(frozen=True, kw_only=True)
class Released:
    """One study's answers, after disclosure control.

    Attributes
    ----------
    findings
        By hypothesis, program and role; economics by program.
    problems
        The data-quality ledger.
    described
        Frames about who is in the data, by name (``participation``, ``exit_rates``, ``response_rates``), about how
        good the data are (``row_counts``, ``coverage``, ``missingness``, ``flow_of_people``), and about how well it was
        measured (those of `pipeline.described`).
    run
        Provenance: parameters, keyed digests of the data, versions, commit, seeds, times.
    faults
        What a fault of this program took away so far; nothing of a person is in them.
    """

    study: Study
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    described: Mapping[str, pd.DataFrame]
    run: Mapping[str, object] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
