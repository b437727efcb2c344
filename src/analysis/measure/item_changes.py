"""Which items of a scale stayed the same over the waves, and the score from these alone."""

from itertools import pairwise

import pandas as pd

from analysis.measure.scales import rated_scores, scale_of, self_scores
from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument, Scale

COLUMNS = ["wave", "n_items", "n_items_common", "changed", "n_forms"]


def changes_of(name: str, scale: Scale, answers: pd.DataFrame) -> pd.DataFrame:
    """Return which items of a scale came, went or were reworded; empty where all waves asked the same.

    Parameters
    ----------
    name, scale
        An instrument's name and one of its scales.
    answers
        The responses or ratings table.

    Returns
    -------
    DataFrame
        One row per wave in which the scale was answered: ``wave``, ``n_items`` asked, ``n_items_common`` (asked and
        worded alike in all waves), ``changed`` against the wave before (``mor2 new; mor4 dropped; mor1 reworded``;
        empty where nothing did), ``n_forms`` (people about whom somebody answered). An item that nobody answered in a
        wave was not asked in it.
    """
    rows = _answered(name, scale, answers)
    asked = _asked(rows)
    common = _alike(scale, asked)
    if not asked or len(common) == len(set().union(*asked.values())):
        return pd.DataFrame(columns=COLUMNS)
    person = "ratee_id" if "ratee_id" in rows else "employee_id"
    people, waves = rows.groupby("wave")[person].nunique(), sorted(asked)
    return pd.DataFrame(
        {
            "wave": waves,
            "n_items": [len(asked[wave]) for wave in waves],
            "n_items_common": len(common),
            "changed": ["", *(_changed(scale, asked, *pair) for pair in pairwise(waves))],
            "n_forms": people.reindex(waves).to_numpy(),
        }
    )


def _answered(name: str, scale: Scale, answers: pd.DataFrame) -> pd.DataFrame:
    return answers[(answers["instrument"] == name) & answers["item"].isin(scale.items) & answers["value"].notna()]


def _asked(rows: pd.DataFrame) -> dict[int, set[str]]:
    """Return the items that each wave asked, of the waves that asked any."""
    return {wave: set(items) for wave, items in rows.groupby("wave")["item"]}


def _alike(scale: Scale, asked: dict[int, set[str]]) -> list[str]:
    """Return the items that every wave asked, in the same words."""
    waves = sorted(asked)
    return [
        code
        for code, item in scale.items.items()
        if all(code in asked[wave] for wave in waves)
        and not any(waves[0] < since <= waves[-1] for since in item.reworded_in)
    ]


def _changed(scale: Scale, asked: dict[int, set[str]], before: int, wave: int) -> str:
    told = []
    for code, item in scale.items.items():
        was, now = code in asked[before], code in asked[wave]
        is_reworded = any(before < since <= wave for since in item.reworded_in)
        if was and now and is_reworded:
            told.append(f"{code} reworded")
        elif was != now:
            told.append(f"{code} {'new' if now else 'dropped'}")
    return "; ".join(told)


def common_items(
    construct: str, tables: Tables, instruments: dict[str, Instrument], source: str = "self"
) -> list[str] | None:
    """Return the items of a scale that were asked and worded alike in all waves.

    None where nothing changed, or no instrument measures the construct; an empty list where no item stayed.

    Parameters
    ----------
    source
        ``self`` for the instrument behind `scales.self_scores`; else a source of `scales.rated_scores`.
    """
    for answers in (tables.responses, tables.ratings) if source == "self" else (tables.ratings,):
        found = scale_of(construct, instruments, answers)
        if found is not None:
            changes = changes_of(*found, answers)
            return None if changes.empty else _alike(found[1], _asked(_answered(*found, answers)))
    return None


def self_scores_of_items(
    construct: str, items: list[str], tables: Tables, instruments: dict[str, Instrument]
) -> pd.DataFrame | None:
    """Return self-reported scores as `scales.self_scores`, from some of the items alone.

    The share of items that must be answered is of these. A sum is their mean times the number of all the card's items,
    so that it has the same points as the score from all of them.

    Parameters
    ----------
    items
        Codes of one item at least, as from `common_items`.
    """
    cards, longer = _with_items(construct, items, instruments)
    return _longer(self_scores(construct, tables, cards), longer)


def rated_scores_of_items(
    construct: str, items: list[str], tables: Tables, instruments: dict[str, Instrument], source: str
) -> pd.DataFrame | None:
    """Return multi-rater scores as `scales.rated_scores`, from some of the items alone; see `self_scores_of_items`."""
    cards, longer = _with_items(construct, items, instruments)
    return _longer(rated_scores(construct, tables, cards, source), longer)


def _with_items(
    construct: str, items: list[str], instruments: dict[str, Instrument]
) -> tuple[dict[str, Instrument], float]:
    """Return the cards, of the construct's scale with these items alone, and by how much a sum is longer with all."""
    cards, longer = dict(instruments), 1.0
    for name, card in instruments.items():
        for key, scale in card.scales.items():
            kept = {code: item for code, item in scale.items.items() if code in items}
            if scale.construct_name == construct and kept:
                longer = len(scale.items) / len(kept) if scale.score == "sum" else 1.0
                shorter = scale.model_copy(update={"items": kept})
                cards[name] = card.model_copy(update={"scales": card.scales | {key: shorter}})
    return cards, longer


def _longer(scores: pd.DataFrame | None, times: float) -> pd.DataFrame | None:
    return None if scores is None else scores.assign(score=scores["score"] * times)
