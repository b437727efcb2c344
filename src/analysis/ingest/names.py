"""Texts compared as people mean them: names of columns, patterns of cells, e-mail addresses, names of people."""

import re
import unicodedata
from collections.abc import Iterable

import numpy as np


def plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def matches(texts: Iterable[str], patterns: Iterable[str]) -> np.ndarray:
    parts = [".*".join(map(re.escape, p.strip().casefold().split("*"))) for p in patterns if p]
    test = re.compile("|".join(f"(?:{part})" for part in parts) or r"(?!)", re.DOTALL)
    return np.array([bool(test.fullmatch(t.strip().casefold())) for t in texts], dtype=bool)
