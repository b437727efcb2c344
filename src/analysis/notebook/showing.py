"""Blocks of a notebook: views of every answer, each under its heading; what is the same for all stands once."""

from collections.abc import Sequence

import pandas as pd
from IPython.display import Markdown, display

from analysis.report.canvas import Drawing

NOTHING = "*Nothing to show: see above for what could not be estimated, and why.*"


def show_each(headings: Sequence[str], shown: Sequence[Sequence[object]]) -> None:
    """Show what there is of each answer under its heading, then under all headings together what they have in common.

    Parameters
    ----------
    shown
        What the views gave, one sequence an answer and as many entries as views: a sentence is shown as text, several
        as a list, a table or a figure as such, None not at all.
    """
    kept = [
        (heading, parts) for heading, parts in zip(headings, shown, strict=True) if any(p is not None for p in parts)
    ]
    if not kept:
        display(Markdown(NOTHING))
        return
    first = kept[0][1]
    common = {n for n in range(len(first)) if len(kept) > 1 and all(_is_same(first[n], parts[n]) for _, parts in kept)}
    for heading, parts in kept:
        _show(heading, [part for n, part in enumerate(parts) if n not in common])
    _show("; ".join(heading for heading, _ in kept), [first[n] for n in sorted(common)])


def _is_same(one: object, other: object) -> bool:
    if isinstance(one, pd.DataFrame) and isinstance(other, pd.DataFrame):
        return one.equals(other)
    return type(one) is type(other) and not isinstance(one, Drawing) and one == other


def _show(heading: str, parts: Sequence[object]) -> None:
    told = [part for part in parts if part is not None]
    if told:
        display(Markdown(f"### {heading}"))
    for part in told:
        text = "\n".join(f"- {sentence}" for sentence in part) if isinstance(part, list) else part
        display(Markdown(text) if isinstance(text, str) else text)
