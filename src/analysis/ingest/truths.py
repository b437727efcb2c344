"""Truth values as exports write them become true and false."""

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.finding import Cells, Finding, lines_where
from analysis.ingest.names import folded

_TRUE = ("true", "yes", "ja", "oui", "sí", "si", "y", "j", "x", "1", "checked")
_FALSE = ("false", "no", "nein", "non", "n", "0", "unchecked")
TRUTHS = dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false")


def to_booleans(column: pd.Categorical, lines: np.ndarray) -> Cells:
    """Return a column of truth values as ``true`` and ``false``; what is neither stays as it is.

    Parameters
    ----------
    column
        The export's cells, categorical of text.
    lines
        The line of each row's record.

    Returns
    -------
    Cells
        Finding: `booleans_translated`.
    """
    words = [folded(text) for text in column.categories]
    texts = [TRUTHS.get(word, text) for word, text in zip(words, column.categories, strict=True)]
    is_translated = np.array([TRUTHS.get(word, word) != word for word in words], bool)
    findings = ()
    if is_translated.any():
        translated = lines_where(is_translated, column, lines)
        findings = (
            Finding("booleans_translated", "info", "repaired", "has words for true and false; translated", translated),
        )
    return Cells(recoded(column.codes, texts), findings)
