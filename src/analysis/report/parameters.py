"""What the parameters of a notebook may be."""

from collections.abc import Mapping

from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import BadInput, Problem
from analysis.plan.hypotheses import load_plan


def scale_hypotheses() -> list[str]:
    """Return the hypotheses whose outcome is a score: what the parameter ``hypothesis`` may be."""
    return [h.id for h in load_plan().hypotheses if h.measure == "mean_difference"]


def check_parameters(given: Mapping[str, object], declared: Mapping[str, object], notebook: str) -> None:
    """Refuse parameters that are misspelt, missing or of another type than the default; and an unknown hypothesis.

    Raises
    ------
    BadInput
        With every mistake.
    """
    known = ", ".join(declared)
    mistakes = [
        f"there is no parameter {name!r}; the parameters are {known}{did_you_mean(name, declared)}"
        for name in given
        if name not in declared
    ]
    mistakes += [f"parameter {name!r} is missing" for name in declared if name not in given]
    mistakes += [
        f"parameter {name!r} must be {type(declared[name]).__name__}, not {type(value).__name__}"
        for name, value in given.items()
        if name in declared and type(value) is not type(declared[name])
    ]
    scales = scale_hypotheses() if "hypothesis" in declared and "hypothesis" in given else []
    if scales and given["hypothesis"] not in scales:
        wrong = given["hypothesis"]
        near = did_you_mean(str(wrong), scales)
        mistakes.append(f"there is no hypothesis {wrong!r} on a scale; they are {', '.join(scales)}{near}")
    if mistakes:
        raise BadInput(
            Problem(severity="error", table="study", source=notebook, rule="parameters", message=m, action="rejected")
            for m in mistakes
        )
