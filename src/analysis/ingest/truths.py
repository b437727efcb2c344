"""Truth values as exports write them become true and false."""

import numpy as np
import pandas as pd

from analysis.ingest.export import recoded
from analysis.ingest.finding import Cells, Finding, lines_where
from analysis.ingest.names import folded

_TRUE = ("true", "yes", "ja", "oui", "sí", "si", "y", "j", "x", "1", "checked")
_FALSE = ("false", "no", "nein", "non", "n", "0", "unchecked")
_UNDERSTOOD = {"true", "false", "yes", "no", "1", "0"}
TRUTHS = dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false")


def to_booleans(column: pd.Categorical, lines: np.ndarray) -> Cells:
    """Return a column of truth values with other words for ``true`` and ``false`` translated.

    What the contract's columns may hold anyway (true and false, yes and no, 1 and 0) stays as it is, and so does what
    is no truth value at all.

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
    is_translated = np.array([word in TRUTHS and word not in _UNDERSTOOD for word in words], bool)
    texts = [
        TRUTHS[word] if other else text
        for word, text, other in zip(words, column.categories, is_translated, strict=True)
    ]
    findings: tuple[Finding, ...] = ()
    if is_translated.any():
        translated = lines_where(is_translated, column, lines)
        findings = (
            Finding("booleans_translated", "info", "repaired", "has words for true and false; translated", translated),
        )
    return Cells(recoded(column.codes, texts), findings)
