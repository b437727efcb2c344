"""Names, addresses and free text are dropped as personal data: they are not read into a table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns
from analysis.ingest.export import LINE, Export, as_text
from analysis.ingest.profile import Layout
from analysis.ingest.text_matching import folded, matches, plain
from analysis.plan.yaml_file import load_yaml

WORDS = Path(__file__).parent / "personal_words.yaml"
NO_PERSON = (
    "ismanager",
    "issupervisor",
    "*departmentname*",
    "*jobname*",
    "*companyname*",
    "*locationname*",
    "*programname*",
    "*unitname*",
)
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_IP = re.compile(r"(\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){3,7}")
_EMAIL_OR_IP = "@|^[^ g-zG-Z-]*[.:][^ g-zG-Z-]*$"  # of each of both, and of some other texts
_TELLING = re.compile(r".*[^\W\d_].*|[0-9]{5,}", re.DOTALL)
FREE_TEXT = ("exit_reason", "topic", "topics")
MOST_VALUES = 20
# A value that so many rows have is nobody's own.
LEAST_ROWS = 10
# One word, as codes are; a person's name in a column of codes has two, or is in a column of names as well.
_ONE_WORD = re.compile(r"[^\W\d_]{1,24}([_/-][^\W\d_]{1,24}){0,3}\d{0,3}")
LONG_TEXT, MOST_LABELS, LEAST_DISTINCT = 60, 0.5, 10


def without_personal(
    reading: Reading, columns: Columns, *, keeps_asked: bool, keeps_all: bool
) -> dict[str, pd.Categorical]:
    """Return the columns that nothing was made of and that stay, under the export's own names; the rest is noted.

    Parameters
    ----------
    keeps_asked
        Whether those stay for which the study asks by name.
    keeps_all
        Whether those stay too that hold nothing personal, as the contract says of files in its own form.
    """
    export, layout = reading.export, reading.layout
    wanted = reading.study.keep.get(reading.source.table, ())
    export.kept = tuple(name for name in wanted if columns.find([name]))
    asked = set(columns.find([*wanted, *reading.study.named_columns])) if keeps_asked else set()
    stays, personal, unused = {}, [], []
    for name in columns.unused():
        cells = export.rows[name].array
        if name in asked:
            stays[name] = cells
        elif is_called(name, layout.ignored):
            unused.append(name)
        elif is_personal(name, cells, layout.personal):
            personal.append(name)
        elif keeps_all:
            stays[name] = cells
        else:
            unused.append(name)
    # of a file without a header, the first line's "names" are somebody's data
    show = bool(columns.used) and not export.is_headless
    if personal:
        _note_columns(
            export,
            "personal_dropped",
            "hold names, addresses or free text and were not read",
            personal,
            show,
            keeps_asked,
        )
    if unused:
        _note_columns(export, "column_unused", "were not used", unused, show, keeps_asked)
    return stays


def without_free_text(reading: Reading, cells: dict[str, pd.Categorical]) -> None:
    """Drop, in place, columns of the contract in which people wrote freely; unless the study names the column."""
    study, export = reading.study, reading.export
    named = {*reading.named, *study.keep.get(export.table, ())}
    asked = [name for name in FREE_TEXT if name in cells and name not in named]
    free = [name for name in asked if is_free_text(_listed(cells[name]) if name == "topics" else cells[name])]
    for name in free:
        del cells[name]
    if free:
        _note_columns(export, "personal_dropped", "hold names, addresses or free text and were not read", free)


def _note_columns(
    export: Export, rule: str, what: str, names: list[str], show: bool = True, can_stay: bool = True
) -> None:
    shown = ", ".join(map(export.shown, names[:8]))
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    which = f" ({shown}{more})" if show else ""
    advice = "; ask for one under keep: in study.yaml if it is needed" if can_stay else ""
    export.note(rule, f"{len(names)} column(s) {what}{which}{advice}", action="set_null")


@cache
def _personal_names() -> re.Pattern[str]:
    """Return what columns with people's own data are called, in the languages that exports come in."""
    listed = load_yaml(WORDS, source=WORDS.name).content
    names = {name for languages in listed.values() for names in languages.values() for name in names}
    return re.compile("|".join(".*".join(plain(part) for part in name.split("*")) for name in sorted(names)))


def _names_personal_data(name: str) -> bool:
    return bool(_personal_names().fullmatch(plain(name)))


def is_personal(name: str, cells: pd.Categorical, patterns: Sequence[str]) -> bool:
    """Whether a column holds names, addresses, ids or free text, by the profile's patterns, its name or its cells."""
    if is_called(name, patterns) or (_names_personal_data(name) and not is_called(name, NO_PERSON)):
        return True
    texts = cells.categories
    possible = texts[texts.str.contains(_EMAIL_OR_IP).astype(bool)].to_numpy(object)
    found = sum(bool(_EMAIL.search(text) or _IP.fullmatch(text)) for text in possible)
    return len(texts) > 0 and (found > len(texts) / 2 or is_free_text(cells) or _is_of_one_each(cells))


def _is_of_one_each(cells: pd.Categorical) -> bool:
    """Whether a column tells people apart as an id does: no two rows alike, of letters or of long numbers."""
    texts = cells.categories
    is_id = len(texts) >= LEAST_DISTINCT and len(texts) == int((cells.codes >= 0).sum())
    return is_id and all(map(_TELLING.fullmatch, texts))


def is_free_text(cells: pd.Categorical) -> bool:
    """Whether people wrote the cells themselves: long texts, or texts of several words of which few recur."""
    texts = cells.categories
    n_spaces = texts.str.count(" ")
    if ((texts.str.len() > LONG_TEXT) & (n_spaces > 0)).any():
        return True
    filled = int((cells.codes >= 0).sum())
    recurs = len(texts) < LEAST_DISTINCT or len(texts) <= MOST_LABELS * filled
    return not recurs and bool((n_spaces >= 2).mean() > MOST_LABELS)


def _listed(cells: pd.Categorical) -> pd.Categorical:
    """Return what stands in ``;``-separated lists: few topics make many lists."""
    n_rows = np.bincount(cells.codes[cells.codes >= 0], minlength=len(cells.categories))
    lists = [text.split(";") for text in cells.categories]
    return as_text(part for parts, n in zip(lists, n_rows, strict=True) for part in parts * n)


def is_called(name: str, patterns: Sequence[str]) -> bool:
    """Whether the name of a column has one of the patterns, case, spaces and punctuation aside."""
    plainly = ["*".join(plain(part) for part in pattern.split("*")) for pattern in patterns]
    return bool(matches([plain(name)], plainly).any())


def may_be_shown(counts: Mapping[str, int], name: str, layout: Layout) -> bool:
    """Whether the values are codes: few words, or texts that many rows have, and nothing that names a person."""
    texts = pd.Categorical(np.repeat(list(counts), list(counts.values())))
    is_coded = len(counts) <= MOST_VALUES or min(counts.values()) >= LEAST_ROWS
    are_codes = all(n >= LEAST_ROWS or _ONE_WORD.fullmatch(text) for text, n in counts.items())
    is_id = any("@" in text or sum(sign.isdigit() for sign in text) > 3 for text in counts)
    return is_coded and are_codes and not is_id and not is_personal(name, texts, layout.personal)


def names_a_person(texts: Iterable[str], reading: Reading) -> bool:
    """Whether some text has no word that does not stand in the export's columns of names and addresses."""
    rows, layout = reading.export.rows, reading.layout
    keys = Columns(rows).find(name for key in layout.directory for name in key.columns)
    called = {str(name) for name in rows if is_called(str(name), layout.personal) or _names_personal_data(str(name))}
    named = {*keys, *called} - {LINE}
    cells = (text for name in named for text in rows[name].cat.categories)
    words = {word for text in cells for word in folded(text).replace(",", " ").split()}
    return any(words.issuperset(folded(text).replace(",", " ").split()) for text in texts)
