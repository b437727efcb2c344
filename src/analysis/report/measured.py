"""Were the scales measured well? In sentences, which claim no more than the tables beside them."""

from typing import NamedTuple

import pandas as pd

from analysis.report.tables_measured import freed, source_name
from analysis.report.template import say
from analysis.report.wording import construct_name, in_words

CONVENTION = 0.70


def scale_by(construct: str, role: object = None) -> str:
    """Return a scale by name, with who rated it where that is said."""
    scale = construct_name(construct).capitalize()
    return scale if role is None or pd.isna(role) else f"{scale} ({source_name(role)})"


def reliability_sentences(frame: pd.DataFrame) -> list[str]:
    """Return where Cronbach's α lies, over all scales and waves, and which scales fall short of the convention."""
    known = frame.dropna(subset="alpha")
    if known.empty:
        return []
    short = known[known["alpha"] < CONVENTION]
    roles = short["rater_role"] if "rater_role" in short else [None] * len(short)
    names = dict.fromkeys(scale_by(c, r) for c, r in zip(short["construct"], roles, strict=True))
    return [say("measured.reliability", known["alpha"].min(), known["alpha"].max(), CONVENTION, list(names))]


def keying_sentences(frame: pd.DataFrame) -> list[str]:
    """Return which items run against the others of their scale, a sentence a scale; masked scales are left out."""
    return [
        say("measured.keying", scale_by(row.construct, None if row.rater_role == "self" else row.rater_role), row)
        for row in frame.dropna(subset=["alpha"]).itertuples()
    ]


def invariance_sentences(frame: pd.DataFrame) -> list[str]:
    """Return what scores may be compared for, over time and by group: a sentence for all scales of the same verdict."""
    scales: dict[tuple, list[str]] = {}
    for (construct, role), steps in frame.groupby(["construct", "rater_role"], sort=False, dropna=False):
        across: dict[Comparable, list[str]] = {}
        for name, part in steps.groupby("across", sort=False):
            across.setdefault(_comparable(part), []).append(name)
        verdicts = tuple((verdict, tuple(names)) for verdict, names in across.items())
        scales.setdefault(verdicts, []).append(scale_by(construct, role))
    return [say("measured.invariance", names, verdicts) for verdicts, names in scales.items()]


class Comparable(NamedTuple):
    """For what the scores of one comparison may be compared.

    Attributes
    ----------
    step
        The last that holds with every item equal, empty where none does; None where it cannot be told, for `reason`.
    freed, further
        The item with which left free a further step holds, and that step.
    """

    step: str | None
    reason: str = ""
    freed: str = ""
    further: str = ""


def _comparable(steps: pd.DataFrame) -> Comparable:
    known = steps.dropna(subset="holds")
    if known.empty:
        reasons = [r for r in steps.get("reason", pd.Series(dtype=object)) if isinstance(r, str) and r]
        return Comparable(None, reasons[0].rstrip(".") if reasons else "")
    free, holds = known["freed_item"].map(freed), known["holds"].astype(bool)
    held = known.loc[(free == "") & holds, "step"]
    last = held.iloc[-1] if len(held) else ""
    if last in ("scalar", "residual"):
        return Comparable("scalar")
    further = known[(free != "") & holds & ~known["step"].isin(held)]
    if further.empty:
        return Comparable(last)
    return Comparable(last, freed=freed(further["freed_item"].iloc[-1]), further=further["step"].iloc[-1])


def change_sentences(frame: pd.DataFrame) -> list[str]:
    """Return which items came, went or were reworded, a sentence per scale and wave; masked waves are left out."""
    rows = frame.dropna(subset="changed").itertuples()
    return [say("measured.change", scale_by(row.construct), row) for row in rows]


def careless_sentences(frame: pd.DataFrame) -> list[str]:
    """Return what share of forms any sign of carelessness flags, by survey; masked waves left out."""
    rows = frame[frame["flag"] == "flagged"]
    return [
        say("measured.careless", in_words(str(name)).capitalize(), shares.dropna().tolist(), len(shares))
        for name, shares in rows.groupby("instrument", sort=False)["share_flagged"]
    ]


def agreement_sentences(frame: pd.DataFrame) -> list[str]:
    """Return how far raters agree in the last wave that can be told, a sentence per scale and rater source."""
    last = _last_told(frame, ["icc1", "icck"], ["construct", "rater_role"])
    return [say("measured.agreement", scale_by(row.construct, row.rater_role), row) for row in last.itertuples()]


def self_other_sentences(frame: pd.DataFrame) -> list[str]:
    """Return own scores against those by others in the last wave that can be told, a sentence a scale."""
    last = _last_told(frame, ["mean_difference"], ["construct"])
    return [say("measured.self_other", scale_by(row.construct), row) for row in last.itertuples()]


def _last_told(frame: pd.DataFrame, needed: list[str], by: list[str]) -> pd.DataFrame:
    return frame.dropna(subset=needed).sort_values("wave").groupby(by, sort=False).tail(1)


def leniency_sentences(frame: pd.DataFrame) -> list[str]:
    """Return how much of a rating is the rater's own strictness, a sentence per scale and rater source."""
    known = frame.dropna(subset=["ratee_share", "rater_share"])
    return [say("measured.leniency", scale_by(row.construct, row.rater_role), row) for row in known.itertuples()]


def unlinked_sentences(frame: pd.DataFrame) -> list[str]:
    """Return what a survey that is linked to nobody cannot tell."""
    return [say("measured.unlinked")]
