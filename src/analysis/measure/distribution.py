"""How the items of a scale were answered: the share of each answer."""

import numpy as np
import pandas as pd

from analysis.measure.forms import Forms

# A slider of a hundred steps has no distribution that could be read item by item.
MOST_OPTIONS = 11
COLUMNS = ["rater_role", "wave", "item", "text", "value", "label", "share", "n_answered", "n_people"]


def answer_shares(forms: Forms) -> pd.DataFrame:
    """Return how each item was answered, in the first and the last wave that asked it of a rater source's scale.

    Parameters
    ----------
    forms
        As from `measure.forms`.

    Returns
    -------
    DataFrame
        One row per rater source, wave, item asked and answer option, those that nobody took included: ``rater_role,
        wave, item, text`` (empty where it may not be shipped), ``value`` right way round, ``label`` what was ticked
        (of a reversed item the label of the answer before it was turned), ``share`` of ``n_answered`` forms about
        ``n_people`` people. Empty where the answer scale has more than `MOST_OPTIONS` whole steps.
    """
    response = forms.instrument.response
    options = np.arange(response.min, response.max + 1)
    if len(options) > MOST_OPTIONS:
        return pd.DataFrame(columns=COLUMNS)
    parts = []
    for role, of_role in forms.items.groupby(level="rater_role"):
        wave = of_role.index.get_level_values("wave")
        for chosen in sorted({wave.min(), wave.max()}):
            rows = of_role[wave == chosen]
            parts += [
                _shares(forms, rows[item].dropna(), options).assign(rater_role=role, wave=chosen)
                for item in rows.columns[rows.notna().any()]
            ]
    return pd.concat(parts, ignore_index=True)[COLUMNS] if parts else pd.DataFrame(columns=COLUMNS)


def _shares(forms: Forms, answers: pd.Series, options: np.ndarray) -> pd.DataFrame:
    item, response = forms.scale.items[answers.name], forms.instrument.response
    ticked = response.min + response.max - options if item.reversed else options
    return pd.DataFrame(
        {
            "item": answers.name,
            "text": item.text,
            "value": options,
            "label": [response.labels.get(option, "") for option in ticked],
            "share": [(answers == option).mean() for option in options],
            "n_answered": len(answers),
            "n_people": answers.index.get_level_values(0).nunique(),
        }
    )
