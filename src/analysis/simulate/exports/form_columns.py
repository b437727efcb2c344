"""Columns of survey exports as text: who answered, when, and what."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.plan.instruments import Instrument
from analysis.simulate.exports.forms import Forms
from analysis.simulate.exports.sheet import Sheet

COMMENTS = ("", "", "", "Thank you for asking.", "Fewer meetings,\nlonger breaks.", 'They say "soon"; and again.')
LETTERS = np.array(list("0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"))


def answers_as_text(forms: Forms, card: Instrument, language: str | None) -> pd.DataFrame:
    """Return the answers as their labels in a language, or as numbers where it is None; a skipped item is empty."""
    labels: dict[float, str] = {}
    if language is not None:
        labels = card.response.labels | {n: names[0] for n, names in card.response.labels_in.get(language, {}).items()}
    ticked = np.unique(forms.answers.to_numpy(dtype="float64"))
    texts = {value: labels.get(value, f"{value:g}") for value in ticked[~np.isnan(ticked)]}
    return forms.answers.apply(lambda column: column.astype("float64").map(texts)).astype("str").fillna("")


def question_of(card: Instrument, item: str) -> str:
    """Return the item's wording, or its code where the wording is its owner's."""
    return card.items[item].text or item


def scale_numbers(card: Instrument, items: Sequence[str]) -> list[int]:
    """Return for each item which of the form's blocks of questions it is in: the first of the card's scales is 1."""
    blocks = {item: n for n, scale in reversed(list(enumerate(card.scales.values(), start=1))) for item in scale.items}
    return [blocks[item] for item in items]


def sheet_of(
    columns: dict[str, pd.Series],
    answers: pd.DataFrame,
    after: pd.Series | pd.DataFrame | None,
    header: list[list[str]],
) -> Sheet:
    rows = pd.concat([pd.DataFrame(columns), answers, *([] if after is None else [after])], axis=1)
    return Sheet.of(rows.set_axis(header[-1], axis=1), *header[:-1])


def people_of(forms: Forms, people: pd.DataFrame) -> pd.DataFrame:
    return people.set_index("employee_id").reindex(forms.frame["employee_id"]).reset_index(drop=True)


def silent_people(frame: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    return people.loc[~people["employee_id"].isin(frame["employee_id"]), ["employee_id"]]


def written(times: pd.Series, form: str) -> pd.Series:
    return times.map(lambda time: form.format(time), na_action="ignore").astype("str").fillna("")


def without_times(columns: dict[str, pd.Series], forms: Forms, *, dates: Sequence[str]) -> dict[str, pd.Series]:
    return columns if forms.is_dated else {name: cells for name, cells in columns.items() if name not in dates}


def numbered(first: int, forms: Forms, random: np.random.Generator) -> pd.Series:
    return pd.Series(first + np.cumsum(random.integers(1, 40, len(forms)))).astype("str")


def ip_addresses(forms: Forms, random: np.random.Generator) -> pd.Series:
    """Return addresses of a block that is reserved for examples."""
    return pd.Series([f"198.51.100.{n}" for n in random.integers(1, 255, len(forms))])


def random_codes(forms: Forms, length: int, random: np.random.Generator) -> list[str]:
    """Return codes of letters and digits, as tools give to forms."""
    return ["".join(code) for code in LETTERS[random.integers(0, len(LETTERS), (len(forms), length))]]


def comments(forms: Forms, random: np.random.Generator) -> pd.Series:
    return pd.Series(random.choice(COMMENTS, len(forms)), name="comment")
