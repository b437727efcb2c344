"""Careless forms of a whole study: how many there are, and the study without them."""

from dataclasses import replace

import pandas as pd

from analysis.measure.careless import KEY, careless, careless_counts, raw_answers, seconds_per_item
from analysis.measure.forms import RATER_FORM, with_rater
from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument


def careless_own(tables: Tables, instruments: dict[str, Instrument]) -> dict[str, pd.DataFrame]:
    """Return the indices and flags of people's own forms, by instrument, as from `careless.careless`."""
    if tables.responses is None:
        return {}
    return {
        name: careless(
            raw_answers(tables.responses, instruments[name]),
            instruments[name],
            seconds_per_item(tables.responses, instruments[name]),
        )
        for name in _answered(tables.responses, instruments)
    }


def careless_rated(tables: Tables, instruments: dict[str, Instrument]) -> dict[str, pd.DataFrame]:
    """Return the indices and flags of raters' forms, self-ratings included, by instrument.

    Index ``ratee_id, wave, rater_role, rater``. Distances are from the answers of the same rater source in the same
    wave. How long a rater took is not recorded.
    """
    if tables.ratings is None:
        return {}
    rows = with_rater(tables.ratings)
    return {
        name: careless(raw_answers(rows, instruments[name], RATER_FORM), instruments[name])
        for name in _answered(rows, instruments)
    }


def _answered(answers: pd.DataFrame, instruments: dict[str, Instrument]) -> list[str]:
    found = set(answers.loc[answers["value"].notna(), "instrument"])
    return [name for name in instruments if name in found]


def careless_of_study(tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame:
    """Return how many forms each index flags.

    One row per instrument, wave and index, and one for any of them (``flagged``): ``instrument, wave, flag, n_people``
    (forms that have the index), ``n_flagged, share_flagged``. An instrument that people answer about themselves and
    raters about others has both kinds of forms counted together.
    """
    found = [*careless_own(tables, instruments).items(), *careless_rated(tables, instruments).items()]
    parts = [careless_counts(forms).assign(instrument=name) for name, forms in found]
    if not parts:
        return pd.DataFrame(columns=["instrument", "wave", "flag", "n_people", "n_flagged", "share_flagged"])
    by = pd.concat(parts).groupby(["instrument", "wave", "flag"], sort=False)
    counts = by[["n_people", "n_flagged"]].sum().reset_index()
    return counts.assign(share_flagged=counts["n_flagged"] / counts["n_people"].where(counts["n_people"] > 0))


def without_careless(tables: Tables, instruments: dict[str, Instrument]) -> Tables:
    """Return the study's tables without the answers of flagged forms; nothing else changes.

    A form is what a person answered to one instrument on one wave, or a rater about one person. How many were left out
    is the row ``flagged`` of `careless_of_study`.
    """
    responses, ratings = tables.responses, tables.ratings
    if responses is not None:
        responses = responses[~_is_flagged(responses, KEY, careless_own(tables, instruments))]
    if ratings is not None:
        ratings = ratings[~_is_flagged(with_rater(ratings), RATER_FORM, careless_rated(tables, instruments))]
    return replace(tables, responses=responses, ratings=ratings)


def _is_flagged(answers: pd.DataFrame, key: list[str], found: dict[str, pd.DataFrame]) -> pd.Series:
    """Return whether each answer stands on a flagged form."""
    flagged = pd.Series(False, index=answers.index)
    for name, forms in found.items():
        mine = answers["instrument"] == name
        keys = pd.MultiIndex.from_frame(answers.loc[mine, key])
        flagged[mine] = keys.isin(forms.index[forms["flagged"]])
    return flagged
