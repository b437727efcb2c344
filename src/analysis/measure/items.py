"""Items over the waves: which stayed the same, and which are most likely keyed the wrong way on the card."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from analysis.measure.groups import answered_in_full, by_wave
from analysis.measure.reliability import alpha_alone
from analysis.measure.scales import Forms, all_forms, constructs_answered, rated_scores, scale_of, self_scores
from analysis.plan.contract import Tables
from analysis.plan.errors import Problem
from analysis.plan.instruments import Instrument, Scale
from analysis.plan.probability import normal_quantile
from analysis.plan.study import Study

# --- item changes -----------------------------------------------------------------------------------------------------
# Which items of a scale stayed the same over the waves, and the score from these alone.

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


# --- item keying ------------------------------------------------------------------------------------------------------
# Items that run against the others of their scale: most likely keyed the wrong way on the card.

# Of fewer people nothing is said: chance makes a weak item look turned.
LEAST_PEOPLE = 30
# The correlation with the other items must be this low, and its one-sided interval of that error below zero. An item
# that measures nothing has one of about zero; a turned one is as far below as it should be above.
CLEARLY_NEGATIVE, ERROR = -0.15, 0.0005


@dataclass(frozen=True)
class Keying:
    """Whether the items of a scale point the same way, in the wave that most people answered in full.

    Attributes
    ----------
    instrument, construct
        What was asked.
    rater_role
        Who answered; ``self`` for people about themselves.
    n_people
        People whose form counts, one each.
    lowest
        The lowest correlation of an item with the sum of the others, as the card has them; NaN where none exists.
    against
        Items that run against the others, in the order of the card; both of a scale of two.
    alpha, alpha_turned
        Cronbach's alpha as the card has the items, and with those turned.
    """

    instrument: str
    construct: str
    rater_role: str
    n_people: int
    lowest: float
    against: tuple[str, ...]
    alpha: float
    alpha_turned: float


def keyings(tables: Tables, instruments: dict[str, Instrument]) -> Iterator[Keying]:
    """Yield the keying of each scale that enough people answered, by rater source."""
    for construct in constructs_answered(tables, instruments):
        for forms in all_forms(construct, tables, instruments):
            yield from _of_forms(construct, forms)


def keying_problems(study: Study, found: Iterable[Keying]) -> tuple[Problem, ...]:
    """Return a warning for each scale with items that run against the others; nothing is repaired."""
    return tuple(_problem(study, keying) for keying in found if keying.against)


def _problem(study: Study, found: Keying) -> Problem:
    own = f"instruments/{found.instrument}.yaml"
    return Problem(
        severity="warning",
        table="study",
        source=own if (study.folder / own).is_file() else f"data/{own}",
        rule="item_against_the_others",
        message=f"{said_of(found)}; compare its wording with `reversed` on the card and correct the card, or check "
        "whether the survey tool has turned the answers already",
    )


def said_of(found: Keying) -> str:
    """Return which items run against the others and what alpha says, by codes of the card."""
    items, scale = " and ".join(found.against), found.construct.replace("_", " ")
    who = "" if found.rater_role == "self" else f" as {found.rater_role.replace('_', ' ')}s rate it"
    if len(found.against) == 2 and np.isclose(found.alpha_turned, found.alpha):
        return f"items {items} of {scale}{who} run against each other, so one of them may be keyed the wrong way"
    runs = "items {} run" if len(found.against) > 1 else "item {} runs"
    return (
        f"{runs.format(items)} against the other items of {scale}{who} and may be keyed the wrong way: alpha is "
        f"{found.alpha:.2f} as the card has it and {found.alpha_turned:.2f} with that turned"
    )


def _of_forms(construct: str, forms: Forms) -> Iterator[Keying]:
    """Yield the keying of one scale by rater source, from one form a person: the first of several raters counts."""
    found: dict[str, pd.DataFrame] = {}
    for keys, rows in by_wave(forms.items):
        one_each = answered_in_full(rows).groupby(level=0).first()
        role = keys["rater_role"]
        if role not in found or len(one_each) > len(found[role]):
            found[role] = one_each
    for role, rows in found.items():
        if len(rows) >= LEAST_PEOPLE and rows.shape[1] > 1:
            yield _keying(forms.instrument.instrument, construct, role, rows)


def _keying(instrument: str, construct: str, role: str, rows: pd.DataFrame) -> Keying:
    values = rows.to_numpy(dtype=float)
    against = items_against(values)
    turned = np.where(np.isin(np.arange(values.shape[1]), against), -values, values)
    alphas = (_alpha(values), _alpha(turned))
    names = tuple(rows.columns[i] for i in against)
    return Keying(instrument, construct, role, len(rows), _lowest(item_rest(values)), names, *alphas)


def _lowest(correlations: np.ndarray) -> float:
    known = correlations[np.isfinite(correlations)]
    return float(known.min()) if len(known) else np.nan


def items_against(values: np.ndarray) -> list[int]:
    """Return the items that run against the others, by column; of two items that run against each other, both.

    The item with the lowest corrected item-total correlation (Nunnally & Bernstein 1994, Psychometric Theory, ch. 8) is
    turned as long as that correlation is clearly negative (`CLEARLY_NEGATIVE`, and by Fisher's z with an error of
    `ERROR` an item) and alpha rises by it. Where more than half of the items were turned, the others are those that
    run against.

    Parameters
    ----------
    values
        Answers right way round by the card, one row a person, shape (people, items), none missing.
    """
    n, k = values.shape
    limit = min(CLEARLY_NEGATIVE, np.tanh(normal_quantile(ERROR) / np.sqrt(max(n - 3, 1))))
    turned, signs = values.copy(), np.ones(k)
    for _ in range(k):
        correlations = item_rest(turned)
        if not np.isfinite(correlations).any() or np.nanmin(correlations) > limit:
            break
        worst = int(np.nanargmin(correlations))
        flipped = turned * np.where(np.arange(k) == worst, -1.0, 1.0)
        if k > 2 and not _alpha(flipped) > _alpha(turned):
            break
        turned, signs[worst] = flipped, -signs[worst]
        if k == 2:
            return [0, 1]
    against = signs < 0
    return np.flatnonzero(~against if against.sum() > k / 2 else against).tolist()


def item_rest(values: np.ndarray) -> np.ndarray:
    """Return each item's correlation with the sum of the others, shape (items,); NaN where one does not vary."""
    rest = values.sum(axis=1, keepdims=True) - values
    centred, others = values - values.mean(axis=0), rest - rest.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) * (others**2).sum(axis=0))
    product = (centred * others).sum(axis=0)
    return np.divide(product, spread, out=np.full(values.shape[1], np.nan), where=spread > 1e-12)


def _alpha(values: np.ndarray) -> float:
    return alpha_alone(values) if np.ptp(values.sum(axis=1)) > 0 else np.nan
