"""One wave's answers as the forms that came in, and beside them the forms that are nobody's answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.plan.instruments import Instrument

QUIRK_SHARE = 0.02
MORNING, EVENING = 7 * 3600, 19 * 3600
UNHURRIED_SECONDS = 180
N_PREVIEWS = 2
Quirk = Literal["repeated", "unfinished", "previews"]


@dataclass(frozen=True)
class Forms:
    """Forms in the order of their export.

    Attributes
    ----------
    frame
        One row per form: whom it concerns (the key columns), ``kind`` (sent, unfinished, preview), ``begun`` and
        ``ended`` (missing where the wave has no days), ``seconds`` and a column of answers for each item.
    items
        The items, in the order of the questions.
    is_dated, is_timed
        Whether the canonical answers have a day, and a duration: a tool's columns of what they lack are left out.
    """

    frame: pd.DataFrame
    items: list[str]
    is_dated: bool
    is_timed: bool

    @property
    def answers(self) -> pd.DataFrame:
        """The answers alone: a row per form, a column per item."""
        return self.frame[self.items]

    def __len__(self) -> int:
        return len(self.frame)


def forms_of(
    answers: pd.DataFrame,
    keys: Sequence[str],
    card: Instrument,
    random: np.random.Generator,
    *,
    quirks: tuple[Quirk, ...] = ("repeated",),
    silent: pd.DataFrame | None = None,
) -> Forms:
    """Return the forms that hold these answers, and forms that reading must leave out again.

    Parameters
    ----------
    answers
        The canonical answers of one wave and instrument, one row per answer.
    keys
        The columns that say whom a form concerns.
    quirks
        What else is in the export: forms of people who sent another one later (`repeated`), forms begun and given up
        (`unfinished`), trials of the survey's author (`previews`).
    silent
        Keys of people who sent no form: some of them began one.
    """
    items = answers["item"].drop_duplicates().tolist()
    sent = _sent(answers, list(keys), items, random)
    parts = [sent]
    if "repeated" in quirks:
        parts.append(_repeated(sent, items, card, random))
    if "unfinished" in quirks:
        people = pd.concat([sent[[*keys]], *([] if silent is None else [silent])], ignore_index=True)
        parts.append(_unfinished(sent, people, items, card, random))
    if "previews" in quirks:
        parts.append(_previews(sent, list(keys), items, card, random))
    frame = pd.concat(parts).sort_values("position", kind="stable", ignore_index=True).drop(columns="position")
    is_timed = "duration_seconds" in answers and bool(answers["duration_seconds"].notna().any())
    return Forms(frame, items, bool(sent["ended"].notna().any()), is_timed)


def _sent(answers: pd.DataFrame, keys: list[str], items: list[str], random: np.random.Generator) -> pd.DataFrame:
    """Return the forms behind the answers, in their order; nameless raters of one person have a form each."""
    again = answers.groupby([*keys, "item"], dropna=False, sort=False).cumcount()
    form = answers.assign(again=again).groupby([*keys, "again"], dropna=False, sort=False).ngroup()
    given = answers.assign(form=form).pivot(index="form", columns="item", values="value")[items]
    heads = answers[~form.duplicated()].reset_index(drop=True)
    n = len(heads)
    days = heads["responded_at"] if "responded_at" in heads else pd.Series(pd.NaT, heads.index)
    guessed = pd.Series(random.lognormal(np.log(UNHURRIED_SECONDS), 0.4, n).round())
    seconds = heads["duration_seconds"].fillna(guessed) if "duration_seconds" in heads else guessed
    ended = pd.to_datetime(days) + pd.to_timedelta(random.integers(MORNING, EVENING, n), unit="s")
    return pd.concat([heads[keys], given.reset_index(drop=True)], axis=1).assign(
        kind="sent",
        ended=ended,
        seconds=seconds,
        begun=ended - pd.to_timedelta(seconds, unit="s"),
        position=np.arange(n),
    )


def _some(n: int, random: np.random.Generator) -> np.ndarray:
    return np.sort(random.choice(n, min(n, max(1, round(QUIRK_SHARE * n))), replace=False))


def _answered_anew(
    forms: pd.DataFrame, items: list[str], card: Instrument, random: np.random.Generator
) -> pd.DataFrame:
    steps = np.arange(card.response.min, card.response.max + 1)
    return forms.assign(**{item: random.choice(steps, len(forms)) for item in items})


def _sooner(forms: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the forms as sent on the same days some minutes or hours before, and standing before the real ones."""
    before = pd.to_timedelta(random.integers(600, 5 * 3600, len(forms)), unit="s")
    return forms.assign(begun=forms["begun"] - before, ended=forms["ended"] - before, position=forms["position"] - 0.5)


def _repeated(sent: pd.DataFrame, items: list[str], card: Instrument, random: np.random.Generator) -> pd.DataFrame:
    """Return forms of people who sent another one later: the later one counts."""
    return _sooner(_answered_anew(sent.iloc[_some(len(sent), random)], items, card, random), random)


def _unfinished(
    sent: pd.DataFrame, people: pd.DataFrame, items: list[str], card: Instrument, random: np.random.Generator
) -> pd.DataFrame:
    """Return forms that were begun and given up, by people who sent one later and by people who never did."""
    rows = _some(len(people), random)
    forms = sent.iloc[rows % len(sent)].reset_index(drop=True)
    forms = _sooner(_answered_anew(forms, items, card, random), random)
    forms = forms.assign(kind="unfinished", **{key: people[key].to_numpy()[rows] for key in people})
    reached = random.integers(1, max(2, len(items)), len(forms))
    return forms.assign(**{item: forms[item].where(reached > at) for at, item in enumerate(items)})


def _previews(
    sent: pd.DataFrame, keys: list[str], items: list[str], card: Instrument, random: np.random.Generator
) -> pd.DataFrame:
    """Return the trials of the survey's author, on the day of the first form."""
    first = pd.concat([sent.iloc[[0]]] * N_PREVIEWS, ignore_index=True)
    return _answered_anew(_sooner(first, random), items, card, random).assign(
        kind="preview", position=-1.0, **dict.fromkeys(keys, pd.NA)
    )
