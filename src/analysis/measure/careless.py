"""Signs of careless responding, from the answers as ticked, and a study without such forms."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.measure.groups import NotEstimable, by_wave
from analysis.measure.scales import RATER_FORM, ticked_items, with_rater
from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument
from analysis.plan.probability import chi2_tail

# --- careless ---------------------------------------------------------------------------------------------------------
# Signs of careless responding, per person and wave, from the answers as ticked. They flag; nobody is dropped here.
# Each index sees one kind of carelessness and none proves it: identical answers (longstring, variability), answers
# far from everybody else's (Mahalanobis), answers that contradict their own scale (even–odd), answers given too
# fast.

# Curran 2016, Journal of Experimental Social Psychology 66:4: half the questionnaire or more answered alike in a row.
LONGSTRING_SHARE = 0.5
# Equal answers to fewer items than this are no sign: on five items that mean the same, two careful people in five give
# three equal answers in a row and one in twenty gives five. On ten, about one in a hundred gives ten.
LEAST_RUN = 10
# Meade & Craig 2012, Psychological Methods 17:437.
MAHALANOBIS_P = 0.001
# Jackson 1977, as used by Johnson 2005, Journal of Research in Personality 39:103, on a questionnaire of 30 scales.
# With five to ten scales a careful person's index lies below it in up to three cases of ten: there it flags nobody.
LEAST_CONSISTENCY = 0.30
SCALES_TO_FLAG = 30
# Huang, Curran, Keeney, Poposki & DeShon 2012, Journal of Business and Psychology 27:99.
LEAST_SECONDS = 2.0
# A correlation over fewer scales than this is no number at all.
MIN_SCALES = 3

KEY = ["employee_id", "wave"]
INDICES = ["longstring", "variability", "mahalanobis", "mahalanobis_p", "even_odd", "seconds_per_item"]
FLAGS = {
    "is_longstring": "longstring",
    "is_invariable": "variability",
    "is_outlying": "mahalanobis",
    "is_inconsistent": "even_odd",
    "is_fast": "seconds_per_item",
}


def raw_answers(answers: pd.DataFrame, instrument: Instrument, key: Sequence[str] = KEY) -> pd.DataFrame:
    """Return the answers to one instrument as ticked, reversed items not turned: one row per form.

    One column per item, in the order of the card, which is taken for the order of the questionnaire. `key` says what a
    form is: a person's on a wave, or a rater's about a person on a wave.
    """
    return ticked_items(answers, list(key), instrument)


def seconds_per_item(responses: pd.DataFrame, instrument: Instrument) -> pd.Series:
    """Return seconds per answered item, by (employee_id, wave), where ``duration_seconds`` was recorded.

    The duration is the whole questionnaire's, repeated on each of its rows. Where the questionnaire held more than
    this instrument, a person looks slower than they were.
    """
    mine = responses["instrument"] == instrument.instrument
    rows = responses[mine & responses["value"].notna() & responses["duration_seconds"].notna()]
    rows = rows[[*KEY, "duration_seconds"]].astype({"employee_id": "str"})
    by_form = rows.groupby(KEY)["duration_seconds"].agg(["max", "size"])
    return by_form["max"] / by_form["size"]


def longstring(values: np.ndarray) -> np.ndarray:
    """Return the longest run of equal answers to neighbouring items; a skipped item ends a run.

    Parameters
    ----------
    values
        Shape (rows, items): answers as ticked, in the questionnaire's order, NaN where skipped.

    Returns
    -------
    Shape (rows,): number of items; 0 for who answered none.

    References
    ----------
    Johnson 2005, Journal of Research in Personality 39:103.
    """
    run = longest = np.zeros(len(values))
    before = np.full(len(values), np.nan)
    for answer in values.T:
        run = np.where(answer == before, run + 1, np.where(np.isnan(answer), 0, 1))
        longest, before = np.maximum(longest, run), answer
    return longest


def response_variability(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation (n − 1) of each row's own answers, shape (rows,); NaN with fewer than two.

    References
    ----------
    Dunn, Heggestad, Shanock & Theilgard 2018, Journal of Business and Psychology 33:105.
    """
    answered = (~np.isnan(values)).sum(axis=1)
    deviations = values - (np.nansum(values, axis=1) / np.maximum(answered, 1))[:, None]
    squares = np.nansum(deviations**2, axis=1)
    return np.where(answered > 1, np.sqrt(squares / np.maximum(answered - 1, 1)), np.nan)


def mahalanobis(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the squared distance of each row from the mean, and its χ² tail with as many degrees as items.

    Only rows without a skipped item count and get one. The tail is that of normal answers: with five answer options
    more than one careful person in a thousand lies beyond .001.

    Parameters
    ----------
    values
        Shape (rows, items).

    Returns
    -------
    squared distance, p-value
        Each of shape (rows,).

    Raises
    ------
    NotEstimable
        No more complete rows than items, or items whose covariance matrix is singular.

    References
    ----------
    Mahalanobis 1936, Proceedings of the National Institute of Sciences of India 2:49; Meade & Craig 2012,
    Psychological Methods 17:437.
    """
    n_items = values.shape[1]
    complete = ~np.isnan(values).any(axis=1)
    if complete.sum() <= n_items or n_items < 2:
        raise NotEstimable("Too few people answered every item for distances.")
    deviations = values - values[complete].mean(axis=0)
    covariance = np.cov(values[complete], rowvar=False)
    scale = np.sqrt(np.diag(covariance))
    if (scale == 0).any() or np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] < 1e-10:
        raise NotEstimable("An item is constant or a combination of the others, so there are no distances.")
    squared = np.einsum("ij,ij->i", deviations @ np.linalg.inv(covariance), deviations)
    return squared, chi2_tail(squared, n_items)


def even_odd(answers: pd.DataFrame, instrument: Instrument) -> np.ndarray:
    """Return how well each row's even items agree with its odd ones over the scales, shape (rows,).

    Each scale of two items or more is scored twice, from its first, third, … and from its second, fourth, … item,
    reversed ones turned; the two scores are correlated over the scales of a person, and stepped up to full length by
    Spearman–Brown. Below −1 it is set to −1. NaN where fewer than `MIN_SCALES` scales were answered in both halves, or
    where a half does not differ between scales.

    Raises
    ------
    NotEstimable
        The questionnaire asked fewer than `MIN_SCALES` scales of two items or more.

    References
    ----------
    Johnson 2005, Journal of Research in Personality 39:103.
    """
    halves = _halves(answers, instrument)
    if len(halves) < MIN_SCALES:
        raise NotEstimable("Even–odd consistency needs three scales of two items or more.")
    ends = instrument.response.min + instrument.response.max
    turned = answers.assign(**{c: ends - answers[c] for c in answers if instrument.items[c].reversed})
    odd, even = (
        np.column_stack([turned[items].mean(axis="columns") for items in part]) for part in zip(*halves, strict=True)
    )
    r = _row_correlation(odd, even)
    # 2r / (1 + r) is −1 at r = −1/3 and falls without limit below
    return np.where(np.isnan(r), np.nan, 2 * np.maximum(r, -1 / 3) / (1 + np.maximum(r, -1 / 3)))


def careless(answers: pd.DataFrame, instrument: Instrument, seconds: pd.Series | None = None) -> pd.DataFrame:
    """Return every index and flag, one row per person and wave.

    Parameters
    ----------
    answers
        As from `raw_answers`. Items that nobody answered in a wave were not asked in it. With a level ``rater_role``
        rater sources are kept apart.
    instrument
        The card: its scales, answer options and reversed items.
    seconds
        As from `seconds_per_item`; None where no duration was recorded.

    Returns
    -------
    DataFrame
        The index of `answers`; ``n_answered``; the indices ``longstring`` (items), ``variability`` (points),
        ``mahalanobis`` (squared) and ``mahalanobis_p``, ``even_odd``, ``seconds_per_item``, NaN where there is none; a
        flag each, ``is_longstring, is_invariable, is_outlying, is_inconsistent, is_fast``, False where the index is
        NaN; ``flagged`` (any of them); ``reason``: which indices the wave does not allow and why, else None.
    """
    parts = [_one_wave(group.dropna(axis="columns", how="all"), instrument) for _, group in by_wave(answers)]
    found = pd.concat(parts).reindex(answers.index) if parts else pd.DataFrame(index=answers.index)
    found = found.assign(seconds_per_item=np.nan if seconds is None else seconds.reindex(answers.index))
    found = found.assign(is_fast=found["seconds_per_item"] < LEAST_SECONDS)
    found["flagged"] = found.reindex(columns=list(FLAGS), fill_value=False).any(axis="columns")
    return found.reindex(columns=["n_answered", *INDICES, *FLAGS, "flagged", "reason"])


def _one_wave(answers: pd.DataFrame, instrument: Instrument) -> pd.DataFrame:
    """Return the indices of one wave, response times aside, from the items that it asked."""
    values = answers.to_numpy(dtype=float)
    reasons: list[str] = []
    distance: np.ndarray | float = np.nan
    tail: np.ndarray | float = np.nan
    consistency: np.ndarray | float = np.nan
    try:
        distance, tail = mahalanobis(values)
    except NotEstimable as why:
        reasons.append(str(why))
    try:
        consistency = even_odd(answers, instrument)
    except NotEstimable as why:
        reasons.append(str(why))
    found = pd.DataFrame(
        {
            "n_answered": (~np.isnan(values)).sum(axis=1),
            "longstring": longstring(values),
            "variability": response_variability(values),
            "mahalanobis": distance,
            "mahalanobis_p": tail,
            "even_odd": consistency,
        },
        index=answers.index,
    )
    run, n_scales = max(LEAST_RUN, LONGSTRING_SHARE * values.shape[1]), len(_halves(answers, instrument))
    return found.assign(
        is_longstring=found["longstring"] >= run,
        is_invariable=(found["n_answered"] >= LEAST_RUN) & (found["variability"] < 1e-9),
        is_outlying=found["mahalanobis_p"] < MAHALANOBIS_P,
        is_inconsistent=(found["even_odd"] < LEAST_CONSISTENCY) & (n_scales >= SCALES_TO_FLAG),
        reason=" ".join(reasons) or None,
    )


def careless_counts(found: pd.DataFrame) -> pd.DataFrame:
    """Return how many people each index flags, one row per wave and index, and one for any of them.

    Columns ``wave, flag, n_people`` (who have the index), ``n_flagged, share_flagged``; `found` as from `careless`.
    """
    by_flag = [(flag, found[index].notna(), found[flag]) for flag, index in FLAGS.items()]
    by_flag.append(("flagged", found["n_answered"] > 0, found["flagged"]))
    rows = [
        pd.DataFrame({"flag": flag, "n_people": has, "n_flagged": is_flagged & has})
        .groupby([found.index.get_level_values("wave"), "flag"])
        .sum()
        for flag, has, is_flagged in by_flag
    ]
    counts = pd.concat(rows).reset_index()
    return counts.assign(share_flagged=counts["n_flagged"] / counts["n_people"].where(counts["n_people"] > 0))


def _halves(answers: pd.DataFrame, instrument: Instrument) -> list[tuple[list[str], list[str]]]:
    """Return the items of the odd and of the even half of each scale of which two items or more were asked."""
    asked = [[code for code in scale.items if code in answers] for scale in instrument.scales.values()]
    return [(items[::2], items[1::2]) for items in asked if len(items) > 1]


def _row_correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the correlation within each row of two arrays of shape (rows, scales), over what both have."""
    both = ~(np.isnan(one) | np.isnan(other))
    n = both.sum(axis=1)

    def centred(x: np.ndarray) -> np.ndarray:
        held = np.where(both, x, 0.0)
        return np.where(both, held - (held.sum(axis=1) / np.maximum(n, 1))[:, None], 0.0)

    x, y = centred(one), centred(other)
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    is_known = (n >= MIN_SCALES) & (spread > 1e-9)
    return np.where(is_known, (x * y).sum(axis=1) / np.where(is_known, spread, 1.0), np.nan)


# --- careless forms ---------------------------------------------------------------------------------------------------
# Careless forms of a whole study: how many there are, and the study without them.


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
