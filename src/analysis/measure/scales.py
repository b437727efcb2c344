"""Answers → forms → scale scores, by the instrument's card."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.instruments import Instrument, Scale
from analysis.validate.rule import PLACES_A_ROW, ascending, coded, spread

# --- forms ------------------------------------------------------------------------------------------------------------
# Forms: what one person answered, or one rater about one person, to the items of a scale on one wave.

RATER_FORM = ["ratee_id", "wave", "rater_role", "rater"]


@dataclass(frozen=True)
class Forms:
    """The forms of one scale in one instrument.

    Attributes
    ----------
    instrument, scale
        The card and its scale.
    items
        Answers right way round, one column an item. Index ``employee_id, wave, rater_role`` where people answer about
        themselves (``self``), ``ratee_id, wave, rater_role, rater`` where raters do. The first level is the person whom
        the answers are about.
    """

    instrument: Instrument
    scale: Scale
    items: pd.DataFrame

    @property
    def scores(self) -> pd.Series:
        """The score of each form, by the index of `items`; missing where too few items were answered."""
        return score_items(self.items, self.scale, self.instrument)


def constructs_answered(tables: Tables, instruments: dict[str, Instrument]) -> list[str]:
    """Return the constructs that a card of the study measures and to which somebody gave an answer.

    Those of surveys first, in the order of the cards, then those of multi-rater instruments. Surveys without person
    keys do not count.
    """
    found = []
    for answers in (tables.responses, tables.ratings):
        if answers is not None:
            given = answers.loc[answers["value"].notna(), ["instrument", "item"]].drop_duplicates()
            answered = set(given.itertuples(index=False, name=None))
            found += [
                scale.construct_name
                for name, card in instruments.items()
                for scale in card.scales.values()
                if any((name, item) in answered for item in scale.items)
            ]
    return list(dict.fromkeys(found))


def own_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Forms | None:
    """Return people's answers about themselves in a survey; None where no survey measures the construct."""
    found = scale_of(construct, instruments, tables.responses)
    if found is None:
        return None
    items = known(item_answers(construct, tables, instruments))
    items = items.assign(rater_role="self").set_index("rater_role", append=True)
    return Forms(instruments[found[0]], found[1], items)


def own_items(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return people's answers about themselves, one row per (employee_id, wave), one column an item, right way round.

    Self-ratings in a multi-rater instrument serve where no survey measures the construct. None where nobody answered.
    """
    forms = own_forms(construct, tables, instruments) or rater_forms(construct, tables, instruments)
    if forms is None:
        return None
    items = forms.items[forms.items.index.get_level_values("rater_role") == "self"]
    items = items.droplevel([level for level in ("rater_role", "rater") if level in items.index.names])
    return None if items.empty else items.rename_axis(index=["employee_id", "wave"])


def rater_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Forms | None:
    """Return raters' forms, self-ratings included; None where no multi-rater instrument measures the construct."""
    found = scale_of(construct, instruments, tables.ratings)
    if found is None:
        return None
    name, scale = found
    ratings = known(tables.ratings)
    rows = with_rater(ratings[ratings["instrument"] == name])
    return Forms(instruments[name], scale, wide_items(rows, RATER_FORM, instruments[name], scale))


def all_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Iterator[Forms]:
    """Yield the forms of a construct from which scores are made, of the survey and of the multi-rater instrument.

    Where a survey measures the construct, self-ratings in the multi-rater instrument are left out, as in
    `scales.self_scores`: one rater source never has two instruments.
    """
    own, rated = own_forms(construct, tables, instruments), rater_forms(construct, tables, instruments)
    if own is not None:
        yield own
    if rated is not None and own is not None:
        is_self = rated.items.index.get_level_values("rater_role") == "self"
        rated = Forms(rated.instrument, rated.scale, rated.items[~is_self])
    if rated is not None:
        yield rated


def with_rater(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return ratings with the column ``rater``: the rater's id, or a number where there is none.

    Raters without an id still are different people where their answers to one item are. They are numbered in the order
    of the file, which keeps a form together as long as nobody's row is missing between others'.
    """
    same = ["ratee_id", "wave", "instrument", "rater_role", "item"]
    unnamed = "#" + ratings.groupby(same).cumcount().astype(str)
    return ratings.assign(rater=ratings["rater_id"].astype("str").fillna(unnamed))


def rater_scores(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return the score that each rater's form gives: ``ratee_id, rater_id, rater_role, wave, score``.

    Self-ratings and forms that cannot be scored are left out; ``rater_id`` is missing where raters are anonymous. None
    where no multi-rater instrument measures the construct.
    """
    forms = rater_forms(construct, tables, instruments)
    if forms is None:
        return None
    scores = forms.scores.dropna().rename("score").reset_index()
    scores = scores[scores["rater_role"] != "self"]
    is_unnamed = scores["rater"].str.startswith("#")
    scores = scores.assign(rater_id=scores["rater"].mask(is_unnamed))
    return scores[["ratee_id", "rater_id", "rater_role", "wave", "score"]].reset_index(drop=True)


# --- scales -----------------------------------------------------------------------------------------------------------
# Answers → scale scores, by the instrument's card.

SCORE_COLUMNS = ["employee_id", "wave", "opens", "closes", "score", "n_answered", "n_raters"]


def scale_of(
    construct: str, instruments: dict[str, Instrument], answers: pd.DataFrame | None
) -> tuple[str, Scale] | None:
    """Return the instrument's name and the scale that measures `construct` in these answers; None where none does.

    Where several instruments do, the one with the most answers is taken, so that an occasional extra does not
    replace the regular survey.
    """
    found = None if answers is None else _found(construct, instruments, answers["instrument"])
    return None if found is None else found[:2]


def _found(
    construct: str, instruments: dict[str, Instrument], names: pd.Series
) -> tuple[str, Scale, np.ndarray] | None:
    """Return what `scale_of` does, and which of the answers are to that instrument, shape (answers,)."""
    # In a card the first scale of the construct counts.
    scales = {
        name: scale
        for name, card in instruments.items()
        for scale in reversed(card.scales.values())
        if scale.construct_name == construct
    }
    which = _which(names, scales)
    counts = np.bincount(which + 1, minlength=len(scales) + 1)[1:]
    if not counts.any():
        return None
    # Of several with as many answers, the one whose answers come first.
    most = np.flatnonzero(counts == counts.max())
    chosen = most[0] if len(most) == 1 else which[np.isin(which, most).argmax()]
    name = list(scales)[chosen]
    return name, scales[name], which == chosen


def _which(texts: pd.Series, known: Collection[str]) -> np.ndarray:
    """Return which of the known texts stands in each row, shape (rows,); −1 where none of them does."""
    codes, values = coded(texts)
    return spread(codes, pd.Index(list(known), dtype="str").get_indexer(values), -1)


def _answers_to(items: Collection[str], is_its: np.ndarray, answers: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return the answers to these items: ``column`` (0 = first item), ``value`` and `key`.

    Nothing else of the answers is copied. `is_its` are the answers to the items' instrument.
    """
    column = _which(answers["item"], items)
    chosen = np.flatnonzero((column >= 0) & is_its)
    return answers[["value", *key]].iloc[chosen].assign(column=column[chosen])


def _wide(rows: pd.DataFrame, key: list[str], items: Collection[str]) -> pd.DataFrame:
    """Return one row per key and one column per item, as ticked; of several answers the last one counts."""
    rows = rows[rows["value"].notna()]
    number, keys = _numbered(rows[key])
    cell, value = number * len(items) + rows["column"].to_numpy(), rows["value"].to_numpy()
    known = number >= 0
    wide = np.full((len(keys), len(items)), np.nan)
    wide.ravel()[cell[known]] = value[known]  # the last one written stays
    return pd.DataFrame(wide, index=keys, columns=pd.Index(list(items), name="item"))


def _wide_items(rows: pd.DataFrame, key: list[str], instrument: Instrument, scale: Scale) -> pd.DataFrame:
    """Return what `_wide` does of the scale's items, right way round."""
    wide = _wide(rows, key, scale.items)
    turned = [code for code, item in scale.items.items() if item.reversed]
    return wide.assign(**{code: instrument.response.min + instrument.response.max - wide[code] for code in turned})


def _numbered(keys: pd.DataFrame) -> tuple[np.ndarray, pd.MultiIndex]:
    """Return the distinct keys in ascending order, and which of them each row has (−1: part of it is missing)."""
    codes, levels = zip(*(ascending(keys[name]) for name in keys), strict=True)
    sizes, known = [len(level) for level in levels], np.min(codes, axis=0) >= 0
    number = np.full(len(keys), -1)
    number[known], distinct = _ranked(np.ravel_multi_index(np.compress(known, codes, axis=1), sizes), math.prod(sizes))
    return number, pd.MultiIndex(levels, np.unravel_index(distinct, sizes), names=list(keys))


def _ranked(numbers: np.ndarray, n_numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each number among the distinct ones, from 0, and these; the numbers are below `n_numbers`."""
    if n_numbers > PLACES_A_ROW * len(numbers):
        return pd.factorize(numbers, sort=True)
    occurs = np.zeros(n_numbers, dtype=bool)
    occurs[numbers] = True
    return (np.cumsum(occurs) - 1)[numbers], np.flatnonzero(occurs)


def wide_items(answers: pd.DataFrame, key: list[str], instrument: Instrument, scale: Scale) -> pd.DataFrame:
    """Return the answers to a scale's items, right way round: one row per `key`, one column per item of the card.

    Parameters
    ----------
    answers
        To this instrument: ``item, value`` and the columns of `key`; of several answers to an item the last one counts.
    """
    rows = _answers_to(scale.items, np.full(len(answers), True), answers, key)
    return _wide_items(rows, key, instrument, scale)


def ticked_items(answers: pd.DataFrame, key: list[str], instrument: Instrument) -> pd.DataFrame:
    """Return the answers to an instrument as ticked, reversed items not turned: one row per `key`, one column per item.

    Parameters
    ----------
    answers
        As for `wide_items`, to any instruments.
    """
    is_its = _which(answers["instrument"], [instrument.instrument]) == 0
    return _wide(_answers_to(instrument.items, is_its, answers, key), key, instrument.items)


def score_items(items: pd.DataFrame, scale: Scale, instrument: Instrument) -> pd.Series:
    """Return each row's score on a scale by its card's rule; missing where too few items were answered.

    Parameters
    ----------
    items
        As from `wide_items`.
    """
    enough = items.notna().mean(axis="columns") >= scale.min_answered
    if scale.score == "top_box":
        score = items.eq(instrument.response.max).where(items.notna()).mean(axis="columns")
    else:
        score = items.mean(axis="columns") * (items.shape[1] if scale.score == "sum" else 1)
    return score.where(enough)


def item_answers(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return the self-reported items of a construct, wide, keyed right way round: one row per (employee_id, wave)."""
    found = _own_items(construct, tables, instruments)
    return None if found is None else found[2]


def _own_items(construct: str, tables: Tables, instruments: dict[str, Instrument]):
    """Return the instrument's name, the scale and its items; None where none measures the construct."""
    if tables.responses is None:
        return None
    found = _found(construct, instruments, tables.responses["instrument"])
    if found is None:
        return None
    name, scale, is_its = found
    key = ["employee_id", "wave"]
    rows = _answers_to(scale.items, is_its, tables.responses, key)
    return name, scale, _wide_items(rows, key, instruments[name], scale)


def self_scores(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return self-reported scores of a construct, one row per person and wave that can be scored.

    Columns `SCORE_COLUMNS`; ``score`` on the scale's own points. Self-ratings in a multi-rater instrument serve
    where the survey does not measure the construct. None where nothing does.
    """
    found = _own_items(construct, tables, instruments)
    if found is None:
        return rated_scores(construct, tables, instruments, "self")
    name, scale, items = found
    scored = pd.DataFrame(
        {"score": score_items(items, scale, instruments[name]), "n_answered": items.notna().sum(axis=1)}
    )
    return _dated(scored.reset_index(), tables.waves, name)


def rated_scores(
    construct: str, tables: Tables, instruments: dict[str, Instrument], source: str
) -> pd.DataFrame | None:
    """Return multi-rater scores, one row per ratee and wave: the mean over raters of each rater's score.

    `source` is a rater role, or ``others`` for everyone but the ratee; a rater counts once. None without ratings.
    """
    if tables.ratings is None:
        return None
    found = _found(construct, instruments, tables.ratings["instrument"])
    if found is None:
        return None
    name, scale, is_its = found
    key = ["ratee_id", "wave", "rater_role", "rater_id"]
    rows = _answers_to(scale.items, is_its, tables.ratings, key)
    rows = rows[rows["rater_role"] != "self"] if source == "others" else rows[rows["rater_role"] == source]
    if rows["rater_id"].isna().any():
        # Raters without an id still are different people where their answers to one item are: number them.
        unnamed = rows.groupby(["ratee_id", "wave", "rater_role", "column"]).cumcount().astype(str)
        rows = rows.assign(rater_id=rows["rater_id"].astype("str").fillna("#" + unnamed))
    items = _wide_items(rows, key, instruments[name], scale)
    by_rater = score_items(items, scale, instruments[name]).dropna()
    scored = by_rater.groupby(["ratee_id", "wave"]).agg(score="mean", n_raters="size").reset_index()
    return _dated(scored.rename(columns={"ratee_id": "employee_id"}), tables.waves, name)


def _dated(scored: pd.DataFrame, waves: pd.DataFrame, instrument: str) -> pd.DataFrame:
    """Return what can be scored with its wave's dates, in the order given: by person and wave."""
    dates = waves.loc[waves["instrument"] == instrument, ["wave", "opens", "closes"]]
    dated = scored.dropna(subset=["score"]).merge(dates, on="wave", how="left", validate="many_to_one")
    return dated.reindex(columns=SCORE_COLUMNS)


def response_rates(tables: Tables, instrument: str) -> pd.DataFrame:
    """Return who was asked and who answered, one row per wave.

    Columns ``wave, opens, n_people`` (employed on the day it opened), ``n_answered, share``.
    Without employment data the asked are unknown: ``n_people`` and ``share`` are missing.
    """
    waves, answers = known(tables.waves), known(tables.responses)
    waves = waves[waves["instrument"] == instrument].sort_values("wave")
    answers = answers[(answers["instrument"] == instrument) & answers["value"].notna()]
    answered = answers.groupby("wave")["employee_id"].nunique()
    rows = []
    for wave in waves.itertuples():
        asked = np.nan
        if tables.employees is not None:
            spells = tables.employees
            asked = (
                (spells["hire_date"] <= wave.opens) & (spells["exit_date"].isna() | (spells["exit_date"] >= wave.opens))
            ).sum()
        n = answered.get(wave.wave, 0)
        # Before anybody was hired nobody could answer: there is no share.
        share = n / asked if asked else np.nan
        rows.append({"wave": wave.wave, "opens": wave.opens, "n_people": asked, "n_answered": n, "share": share})
    return pd.DataFrame(rows)
