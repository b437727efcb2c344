"""Answers → scale scores, by the instrument's card."""

import numpy as np
import pandas as pd

from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument, Scale

SCORE_COLUMNS = ["employee_id", "wave", "opens", "closes", "score", "n_answered", "n_raters"]


def scale_of(
    construct: str, instruments: dict[str, Instrument], answers: pd.DataFrame | None
) -> tuple[str, Scale] | None:
    """Return the instrument's name and the scale that measures `construct` in these answers; None where none does.

    Where several instruments do, the one with the most answers is taken, so that an occasional extra does not
    replace the regular survey.
    """
    if answers is None:
        return None
    counts = answers["instrument"].value_counts()
    found = [
        (name, scale)
        for name in counts.index
        if name in instruments
        for scale in instruments[name].scales.values()
        if scale.construct_name == construct
    ]
    return found[0] if found else None


def _wide_items(answers: pd.DataFrame, key: list[str], instrument: Instrument, scale: Scale) -> pd.DataFrame:
    rows = answers[answers["item"].isin(scale.items)]
    wide = rows.pivot_table(index=key, columns="item", values="value", aggfunc="last").reindex(
        columns=list(scale.items)
    )
    turned = [code for code, item in scale.items.items() if item.reversed]
    wide[turned] = instrument.response.min + instrument.response.max - wide[turned]
    return wide


def _score(items: pd.DataFrame, scale: Scale, instrument: Instrument) -> pd.Series:
    enough = items.notna().mean(axis="columns") >= scale.min_answered
    if scale.score == "top_box":
        score = items.eq(instrument.response.max).where(items.notna()).mean(axis="columns")
    else:
        score = items.mean(axis="columns") * (items.shape[1] if scale.score == "sum" else 1)
    return score.where(enough)


def item_answers(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return the self-reported items of a construct, wide, keyed right way round: one row per (employee_id, wave)."""
    found = scale_of(construct, instruments, tables.responses)
    if found is None:
        return None
    name, scale = found
    rows = tables.responses[tables.responses["instrument"] == name]
    return _wide_items(rows, ["employee_id", "wave"], instruments[name], scale)


def self_scores(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return self-reported scores of a construct, one row per person and wave that can be scored.

    Columns `SCORE_COLUMNS`; ``score`` on the scale's own points. Self-ratings in a multi-rater instrument serve
    where the survey does not measure the construct. None where nothing does.
    """
    found = scale_of(construct, instruments, tables.responses)
    if found is None:
        return rated_scores(construct, tables, instruments, "self")
    name, scale = found
    items = item_answers(construct, tables, instruments)
    scored = pd.DataFrame({"score": _score(items, scale, instruments[name]), "n_answered": items.notna().sum(axis=1)})
    return _dated(scored.reset_index(), tables.waves, name)


def rated_scores(
    construct: str, tables: Tables, instruments: dict[str, Instrument], source: str
) -> pd.DataFrame | None:
    """Return multi-rater scores, one row per ratee and wave: the mean over raters of each rater's score.

    `source` is a rater role, or ``others`` for everyone but the ratee; a rater counts once. None without ratings.
    """
    found = scale_of(construct, instruments, tables.ratings)
    if found is None:
        return None
    name, scale = found
    rows = tables.ratings[tables.ratings["instrument"] == name]
    rows = rows[rows["rater_role"] != "self"] if source == "others" else rows[rows["rater_role"] == source]
    # Raters without an id still are different people where their answers to one item are: number them.
    unnamed = rows.groupby(["ratee_id", "wave", "rater_role", "item"]).cumcount().astype(str)
    rows = rows.assign(rater=rows["rater_role"] + rows["rater_id"].fillna("#" + unnamed))
    items = _wide_items(rows, ["ratee_id", "wave", "rater"], instruments[name], scale)
    by_rater = _score(items, scale, instruments[name]).dropna()
    scored = by_rater.groupby(["ratee_id", "wave"]).agg(score="mean", n_raters="size").reset_index()
    return _dated(scored.rename(columns={"ratee_id": "employee_id"}), tables.waves, name)


def _dated(scored: pd.DataFrame, waves: pd.DataFrame, instrument: str) -> pd.DataFrame:
    dates = waves.loc[waves["instrument"] == instrument, ["wave", "opens", "closes"]]
    dated = scored.dropna(subset=["score"]).merge(dates, on="wave", how="left", validate="many_to_one")
    return dated.reindex(columns=SCORE_COLUMNS).sort_values(["employee_id", "wave"], ignore_index=True)


def response_rates(tables: Tables, instrument: str) -> pd.DataFrame:
    """Return who was asked and who answered, one row per wave.

    Columns ``wave, opens, n_people`` (employed on the day it opened), ``n_answered, share``.
    Without employment data the asked are unknown: ``n_people`` and ``share`` are missing.
    """
    waves = tables.waves[tables.waves["instrument"] == instrument].sort_values("wave")
    answers = tables.responses[(tables.responses["instrument"] == instrument) & tables.responses["value"].notna()]
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
        rows.append({"wave": wave.wave, "opens": wave.opens, "n_people": asked, "n_answered": n, "share": n / asked})
    return pd.DataFrame(rows)


def score_items(items: pd.DataFrame, scale: Scale, instrument: Instrument) -> pd.Series:
    """Return each row's score on a scale by its card's rule; missing where too few items were answered.

    Parameters
    ----------
    items
        Answers right way round, one column for each item of the scale.
    """
    return _score(items, scale, instrument)
