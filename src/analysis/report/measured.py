"""Were the scales measured well? In sentences, which claim no more than the tables beside them."""

import pandas as pd

from analysis.report.tables_measured import freed, source_name
from analysis.report.wording import construct_name, number, percent

CONVENTION = 0.70
# What may be said of scores, by the last step that holds with every item equal; past the scalar one no more is said.
VERDICTS = {
    "": "the questions do not hang together as one scale {where}, so read single questions",
    "configural": "the questions weigh differently {where}, so scores do not compare",
    "metric": "some question is answered higher or lower for a reason of its own {where}, so a difference in score may "
    "lie in that",
    "scalar": "the questions work alike {where}, so a difference in score may be read as one in what the scale "
    "measures",
}
UNLINKED = (
    "These forms carry no person's key. Who took part is unknown, and so is whether the same people answered twice: a "
    "rise or a fall here says nothing about a program."
)


def scale_by(construct: str, role: object = None) -> str:
    """Return a scale by name, with who rated it where that is said."""
    scale = construct_name(construct).capitalize()
    return scale if role is None or pd.isna(role) else f"{scale} ({source_name(role)})"


def reliability_sentences(frame: pd.DataFrame) -> list[str]:
    """Return where Cronbach's α lies, over all scales and waves, and which scales fall short of the convention."""
    known = frame.dropna(subset="alpha")
    if known.empty:
        return []
    low, high = number(known["alpha"].min()), number(known["alpha"].max())
    short = known[known["alpha"] < CONVENTION]
    roles = short["rater_role"] if "rater_role" in short else [None] * len(short)
    names = dict.fromkeys(scale_by(c, r) for c, r in zip(short["construct"], roles, strict=True))
    said = f"Below {number(CONVENTION)} in some wave: {', '.join(names)}." if names else "No scale falls below that."
    return [
        f"Cronbach's α lies between {low} and {high} over all scales and waves; {number(CONVENTION)} is a convention, "
        f"not a gate. {said}"
    ]


def keying_sentences(frame: pd.DataFrame) -> list[str]:
    """Return which items run against the others of their scale, a sentence a scale; masked scales are left out."""
    return [
        f"{scale_by(row.construct, None if row.rater_role == 'self' else row.rater_role)}: {row.against} may be keyed "
        "the wrong way on the card, since what people answer there runs against the other questions (α "
        f"{number(row.alpha)} as the card has it, {number(row.alpha_turned)} turned). Check the card before "
        "anything is read from this scale."
        for row in frame.dropna(subset=["alpha"]).itertuples()
    ]


def invariance_sentences(frame: pd.DataFrame) -> list[str]:
    """Return what scores may be compared for, over time and by group: a sentence for all scales of the same verdict."""
    keys = ["construct", "rater_role"]
    names: dict[str, list[str]] = {}
    for (construct, role), steps in frame.groupby(keys, sort=False, dropna=False):
        names.setdefault(_verdicts(steps), []).append(scale_by(construct, role))
    return [f"{', '.join(scales)}: {said}." for said, scales in names.items()]


def _verdicts(steps: pd.DataFrame) -> str:
    """Return what is said of one scale, comparisons of the same verdict together."""
    wheres: dict[str, list[str]] = {}
    for across, part in steps.groupby("across", sort=False):
        where = "from wave to wave" if across == "waves" else f"between {across}"
        wheres.setdefault(_verdict(part), []).append(where)
    return "; ".join(verdict.format(where=" and ".join(places)) for verdict, places in wheres.items())


def _verdict(steps: pd.DataFrame) -> str:
    """Return what is said of one comparison, with a place for which it is."""
    known = steps.dropna(subset="holds")
    if known.empty:
        reasons = [r for r in steps.get("reason", pd.Series(dtype=object)) if isinstance(r, str) and r]
        return f"{{where}} it cannot be told{', for ' + reasons[0].rstrip('.') if reasons else ''}"
    free = known["freed_item"].map(freed)
    held = known.loc[(free == "") & known["holds"].astype(bool), "step"]
    last = held.iloc[-1] if len(held) else ""
    if last in ("scalar", "residual"):
        return VERDICTS["scalar"]
    return VERDICTS[last] + _partly(known[free != ""], held)


def _partly(loosened: pd.DataFrame, held: pd.Series) -> str:
    """Return what holds with one item left free, where that is a step further; empty otherwise."""
    further = loosened[loosened["holds"].astype(bool) & ~loosened["step"].isin(held)]
    if further.empty:
        return ""
    return f" (with {freed(further['freed_item'].iloc[-1])} left free the {further['step'].iloc[-1]} step holds)"


def change_sentences(frame: pd.DataFrame) -> list[str]:
    """Return which items came, went or were reworded, a sentence per scale and wave; masked waves are left out."""
    return [
        f"{scale_by(row.construct)}, wave {row.wave:g}: {row.changed.rstrip('.')}."
        for row in frame.dropna(subset="changed").itertuples()
    ]


def careless_sentences(frame: pd.DataFrame) -> list[str]:
    """Return what share of forms any sign of carelessness flags, by survey; masked waves left out."""
    rows = frame[frame["flag"] == "flagged"]
    return [
        f"{str(name).replace('_', ' ').capitalize()}: {_flagged(part['share_flagged'])}"
        for name, part in rows.groupby("instrument", sort=False)
    ]


def _flagged(shares: pd.Series) -> str:
    known = shares.dropna()
    if not (known > 0).any():
        some = "no form shows" if len(known) == len(shares) else "in no wave are there enough forms to be shown with"
        return f"{some} a sign of carelessness."
    return (
        f"{_span(known)} of forms{' of a wave' if len(known) > 1 else ''} show some sign of carelessness. They are "
        "kept in the main answer and left out in another one beside it."
    )


def _span(shares: pd.Series) -> str:
    low, high = percent(shares.min(), 1), percent(shares.max(), 1)
    return low if low == high else f"{low} to {high}"


def agreement_sentences(frame: pd.DataFrame) -> list[str]:
    """Return how far raters agree in the last wave that can be told, a sentence per scale and rater source."""
    known = frame.dropna(subset=["icc1", "icck"]).sort_values("wave")
    last = known.groupby(["construct", "rater_role"], sort=False).tail(1)
    return [
        f"{scale_by(row.construct, row.rater_role)}: of what differs between single ratings, {percent(row.icc1)} is "
        f"between the people rated; the mean of {number(row.k, 1)} raters is reliable to {number(row.icck)}."
        for row in last.itertuples()
    ]


def self_other_sentences(frame: pd.DataFrame) -> list[str]:
    """Return own scores against those by others in the last wave that can be told, a sentence a scale."""
    known = frame.dropna(subset=["mean_difference"]).sort_values("wave")
    return [
        f"{scale_by(row.construct)}: people rate themselves {number(abs(row.mean_difference))} points "
        f"{'higher' if row.mean_difference >= 0 else 'lower'} than others rate them (95 % interval "
        f"{number(row.difference_low, signed=True)} to {number(row.difference_high, signed=True)}); own and others' "
        f"scores correlate at {number(row.correlation)}."
        for row in known.groupby("construct", sort=False).tail(1).itertuples()
    ]


def leniency_sentences(frame: pd.DataFrame) -> list[str]:
    """Return how much of a rating is the rater's own strictness, a sentence per scale and rater source."""
    known = frame.dropna(subset=["ratee_share", "rater_share"])
    return [
        f"{scale_by(row.construct, row.rater_role)}: {percent(row.rater_share)} of what differs between ratings is the "
        f"rater's strictness or leniency, {percent(row.ratee_share)} the person rated."
        for row in known.itertuples()
    ]
