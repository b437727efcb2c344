"""Surveys without person keys: means of all who answered, wave by wave."""

import numpy as np
import pandas as pd

from analysis.measure.means import LEVEL, mean_interval
from analysis.measure.scales import score_items, wide_items
from analysis.plan.contract import Tables
from analysis.plan.distributions import student_quantile
from analysis.plan.instruments import Instrument, Scale
from analysis.plan.known import known

COLUMNS = ["instrument", "construct", "wave", "opens", "n_forms", "mean", "ci_low", "ci_high"]


def unlinked_means(tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame:
    """Return the mean of each scale of a survey that is linked to nobody.

    Where every answer of a wave says which form it stands on, forms are scored and their mean has Student's limits.
    Otherwise the mean is that of the item means, and its standard error is taken to be the mean of the items' standard
    errors. That is an upper bound: the standard error of a mean of item means is never greater than the mean of
    theirs, and equal to it only where all items are correlated by one. So these limits are approximate and rather too
    wide. Either way who answered may differ from wave to wave, and a difference is nobody's change.

    Returns
    -------
    DataFrame
        One row per instrument, construct and wave: ``instrument, construct, wave, opens``,
        ``n_forms`` (scored; without forms the answers to the item that most answered), ``mean`` in points of the scale,
        ``ci_low, ci_high`` (95 %).
    """
    answers = known(tables.unlinked_responses)
    rows = []
    for name, card in instruments.items():
        mine = answers[(answers["instrument"] == name) & answers["value"].notna()]
        for scale in card.scales.values():
            of_scale = mine[mine["item"].isin(scale.items)]
            for wave, group in of_scale.groupby("wave"):
                found = _of_wave(group, card, scale)
                if found is not None:
                    rows.append({"instrument": name, "construct": scale.construct_name, "wave": wave} | found)
    means = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "opens"])
    dates = known(tables.waves)[["instrument", "wave", "opens"]]
    return means.merge(dates, on=["instrument", "wave"], how="left", validate="many_to_one")[COLUMNS]


def _of_wave(answers: pd.DataFrame, card: Instrument, scale: Scale) -> dict | None:
    """Return one wave's mean of a scale; None where nobody answered enough of it."""
    if answers["respondent_id"].notna().all():
        scored = score_items(wide_items(answers, ["respondent_id"], card, scale), scale, card).dropna().to_numpy()
        return _told(len(scored), mean_interval(scored)) if len(scored) else None
    by_item = answers.assign(value=_points(answers, card, scale)).groupby("item")["value"].agg(["mean", "std", "size"])
    if len(by_item) < scale.min_answered * len(scale.items):
        return None
    times = len(scale.items) if scale.score == "sum" else 1
    centre = times * by_item["mean"].mean()
    fewest = by_item["size"].min()
    std_error = times * (by_item["std"] / np.sqrt(by_item["size"])).mean(skipna=False)
    half = student_quantile((1 + LEVEL) / 2, fewest - 1) * std_error if fewest > 1 else np.nan
    return _told(int(by_item["size"].max()), (centre, centre - half, centre + half))


def _points(answers: pd.DataFrame, card: Instrument, scale: Scale) -> pd.Series:
    """Return each answer right way round, or whether it is the top one where the card counts these."""
    turned = answers["item"].map({code: item.reversed for code, item in scale.items.items()}).astype(bool)
    values = answers["value"].mask(turned, card.response.min + card.response.max - answers["value"])
    return values.eq(card.response.max).astype(float) if scale.score == "top_box" else values


def _told(n_forms: int, interval: tuple[float, float, float]) -> dict:
    return {"n_forms": n_forms} | dict(zip(("mean", "ci_low", "ci_high"), interval, strict=True))
