"""What a situation is: how one study of it is drawn, and what the right answer is."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.pipeline import OpenStudy


@dataclass(frozen=True)
class Case:
    """One simulated study and the true value of its main row.

    Attributes
    ----------
    opened
        The study; its first program is the one asked about.
    role, hypothesis
        Of the main row.
    truth
        The mean of the treated's (under a lottery the offered's) difference of potential outcomes, on the main row's
        scale.
    estimand
        The row asked about, where it is not the main one: ``CACE``, of the same outcome, measure and horizon.
    """

    opened: OpenStudy
    role: str
    hypothesis: str
    truth: float
    estimand: str | None = None


@dataclass(frozen=True)
class Situation:
    """One scenario, written down before it is run.

    Attributes
    ----------
    name
        With a study's number behind, the seed of everything that is random in it.
    about
        What is special about it, in a sentence.
    make
        (generator, is_before) → a study. `is_before` asks for a `study.yaml` that the code before this study
        understands: without the keys that came with the remedy.
    is_refused
        Whether the right answer is `not_estimable`.
    is_too_wide_a_fault
        Whether intervals that hold the truth far too often are the fault.
    """

    name: str
    about: str
    make: Callable[[np.random.Generator, bool], Case]
    is_refused: bool = False
    is_too_wide_a_fault: bool = False
