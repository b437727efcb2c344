"""Tables to go on with: frames of numbers that look like a report's table when a notebook shows them."""

from collections.abc import Callable, Iterable, Mapping
from numbers import Real

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.results import Finding, estimates_frame
from analysis.report.tables import frame_html
from analysis.report.wording import DASH, minus, number

MOST_ROWS = 60
# Numbers on the scale of the row's measure, and p-values; every other number of a row is a count.
IN_UNITS = ("estimate", "ci_low", "ci_high")
P_VALUES = ("p_value", "p_adjusted")
WHOSE = ("program", "role", "hypothesis")
ANSWERS = (*WHOSE, "verdict", "outcome", "measure", "horizon_months", *IN_UNITS, "p_adjusted", "n_treated", "n_control")


class NumbersFrame(pd.DataFrame):
    """A frame whose cells are numbers, and which is shown as people read them: in units, with signs, rounded.

    Whatever is made of it, or copied from it, has the numbers: differences in risk as shares, not as points.
    """

    @property
    def _constructor(self) -> Callable[..., "NumbersFrame"]:
        return NumbersFrame

    def _repr_html_(self) -> str:
        more = f"<p>{MOST_ROWS} of {len(self):,} rows.</p>" if len(self) > MOST_ROWS else ""
        html = frame_html(as_read(pd.DataFrame(self).head(MOST_ROWS)))
        # JupyterLab aligns every cell at its right, and text is read from its left.
        for tag in ("<td", '<th scope="col"'):
            html = html.replace(f"{tag}>", f'{tag} style="text-align: left">')
        return html + more


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame as text for a reader; numbers of a measure in its unit, where the frame has the measure."""
    shown = {name: [_text(name, value) for value in frame[name]] for name in frame}
    if "measure" in frame:
        units = [CATALOGUE.measure(measure) for measure in frame["measure"]]
        shown |= {
            name: [number(value, unit) for value, unit in zip(frame[name], units, strict=True)]
            for name in IN_UNITS
            if name in frame
        }
        shown["measure"] = [unit.label for unit in units]
    return pd.DataFrame(shown, columns=frame.columns).rename(columns=lambda name: str(name).replace("_", " "))


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None or pd.isna(value):
        return DASH
    if name in P_VALUES:
        return f"{value:.3f}"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    if not isinstance(value, Real) or isinstance(value, bool):
        return str(value)
    return number(float(value), 0) if float(value).is_integer() else minus(f"{value:.3g}")


def estimates(findings: Iterable[Finding]) -> NumbersFrame:
    """Return the rows of the estimates ledger, one a number that the study claims, with the verdict of their finding.

    Columns as in the contract; ``estimate``, ``std_error`` and the limits on the measure's own scale.
    """
    findings = list(findings)
    frame = estimates_frame(row for finding in findings for row in finding.estimates)
    return NumbersFrame(frame.assign(verdict=[f.verdict for f in findings for _ in f.estimates]))


def answers(findings: Iterable[Finding]) -> NumbersFrame:
    """Return the main row of every finding, one per program, role and hypothesis, with its verdict."""
    findings = list(findings)
    frame = estimates_frame(finding.primary for finding in findings)
    return NumbersFrame(frame.assign(verdict=[f.verdict for f in findings])[list(ANSWERS)])


def evidence(findings: Iterable[Finding], name: str) -> NumbersFrame:
    """Return a frame of evidence of all findings that have it, below each other, with whose each row is in front."""
    parts = [
        finding.evidence[name].assign(**{key: getattr(finding, key) for key in WHOSE})
        for finding in findings
        if name in finding.evidence
    ]
    frame = pd.concat(parts, ignore_index=True)
    return NumbersFrame(frame[[*WHOSE, *(column for column in frame if column not in WHOSE)]])


def described(frames: Mapping[str, pd.DataFrame], name: str) -> NumbersFrame:
    """Return a copy of a frame that describes the study."""
    return NumbersFrame(frames[name].copy())
