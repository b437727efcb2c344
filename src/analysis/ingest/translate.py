"""One export → rows under the contract's column names, as a profile and the study say."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import CANONICAL, Reading
from analysis.ingest.columns import Columns, emptied, first_filled, is_one_of, rows_where
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.keys import first_and_last
from analysis.ingest.personal import MOST_VALUES, may_be_shown, names_a_person
from analysis.ingest.profile import Key, Layout, Names
from analysis.ingest.staff_words import CONTRADICTION, exit_kind, no_shows, worker_types
from analysis.ingest.text_matching import matches
from analysis.plan.contract import FED, PARTS, ROSTERS
from analysis.plan.study import Source

# A person by another key than an id stands in a column of its own until every export has been read.
WAYS = {"email": "@email", "name": "@name", "first_and_last": "@name"}
# A value that none of the contract's is (a kind of exit, a status) is unknown, unless the file is the contract's own.
UNKNOWN_ALLOWED = ("exit_type", "status")
# Numbers that companies have words for.
IN_WORDS = ("performance_rating",)


def choose_layout(layouts: Sequence[Layout], export: Export) -> Layout:
    """Return the shape whose columns the export has the most of; of equal ones the first."""
    columns = Columns(export.rows)
    return max(layouts, key=lambda layout: recognised_share(layout, columns))


def recognised_share(layout: Layout, columns: Columns) -> float:
    """Return the share of the columns by which a layout is known that the export has; 0 where it names none."""
    found = [bool(columns.find(names)) for names in layout.recognised_by]
    return sum(found) / len(found) if found else 0.0


def without_rejects(export: Export, layout: Layout, source: Source) -> None:
    """Take out the rows that are no records (previews, rescinded hires, forms that were not sent), each noted."""
    columns = Columns(export.rows)
    gone = np.zeros(len(export.rows), dtype=bool)
    for reject in layout.reject:
        rows = None if reject.incomplete and source.incomplete == "keep" else rows_where(reject.when, columns)
        if rows is None or not (rows & ~gone).any():
            continue
        lines = export.rows.loc[rows & ~gone, LINE]
        export.note(reject.rule, reject.message, lines, severity=reject.severity, action="rejected")
        gone |= rows
    export.frame = export.rows[~gone].reset_index(drop=True)


def canonical_columns(
    reading: Reading, columns: Columns, named: Mapping[str, Names], keys: Mapping[str, Sequence[Key]]
) -> dict[str, pd.Categorical]:
    """Return the cells of the contract's columns that the export has, and of the keys to people beside ids.

    Parameters
    ----------
    named
        Canonical column → the export's columns, the first with a value counting.
    keys
        Canonical id column → how the export names that person. For both, a column that the study names counts instead.
    """
    table, cells = reading.export.table, {}
    own = reading.named
    for name in FED[table]:
        ids = [column for key in keys.get(name, ()) if key.by == "id" for column in key.columns]
        found = columns.find((own[name], name) if name in own else (*ids, *named.get(name, ()), name))
        if name == "worker_type" and found and not reading.is_canonical:
            kinds = reading.study.values.get(table, {}).get(name, {})  # noqa: PD011 (no frames)
            cells[name] = worker_types(columns.take(found), kinds)
        elif found:
            read = [reading.canonical(c, name, f) for c, f in zip(columns.take(found), found, strict=True)]
            cells[name] = first_filled(read)
    if "no_show" in FED[table]:
        _add_no_shows(reading, columns, named, cells)
    for name, ways in keys.items():
        for key in (key for key in ways if key.by != "id"):
            taken, column = _people(reading, columns, key), name + WAYS[key.by]
            if table in ROSTERS and key.by != "email":
                # a legal, a preferred and a displayed name all stand for the person
                for one in taken:
                    cells[f"{column}{len(cells)}"] = one
            elif taken:
                cells[column] = first_filled([cells[column], *taken] if column in cells else taken)
    return cells


def _add_no_shows(
    reading: Reading, columns: Columns, named: Mapping[str, Names], cells: dict[str, pd.Categorical]
) -> None:
    """Mark, in place, the rows in which a kind of exit or its reason says that the person never came."""
    told = [name for key in ("exit_type", "exit_reason") for name in (*named.get(key, ()), key)]
    told += [name for pick in reading.layout.picks.get("exit_type", ()) for name in pick.when]
    never = no_shows([columns.frame[name].array for name in columns.find(told)])
    if never.any():
        told_so = recoded(np.where(never, 0, -1), ["true"])
        cells["no_show"] = first_filled([told_so, *([cells["no_show"]] if "no_show" in cells else [])])


def _people(reading: Reading, columns: Columns, key: Key) -> list[pd.Categorical]:
    """Return the columns by which a key names people; of first and last names, the whole names."""
    if key.by == "first_and_last" and len(columns.find(key.columns)) != 2:
        return []
    taken = [reading.entered(column) for column in columns.take(key.columns)]
    return [first_and_last(*taken)] if key.by == "first_and_last" else taken


def apply_values(reading: Reading, columns: Columns, cells: dict[str, pd.Categorical]) -> None:
    """Translate the export's values into the contract's, in place.

    What the study says of a value counts before the profile's picks, and those before the profile's values. Of kinds
    of exit the words that are the same everywhere come between what the profile writes in full and its patterns. Where
    the export has no kind of an exit its reason tells it, if that is one of these words.
    """
    export, layout = reading.export, reading.layout
    own = reading.study.values_of(reading.source)
    reasons = _reasons_of_exits(reading, columns)
    shared = ["exit_type"] if ("exit_type" in cells or reasons) and not _is_strict(reading) else []
    for name in dict.fromkeys([*own, *layout.picks, *layout.values, *shared]):  # noqa: PD011
        given = cells.get(name, recoded(np.full(len(export.rows), -1), []))
        _check_patterns(export, name, given, own.get(name, {}), layout.values.get(name, {}))  # noqa: PD011
        picks = [(rows_where(pick.when, columns), pick.value) for pick in layout.picks.get(name, ())]
        decided = [
            *_by_value(given, own.get(name, {})),
            *((rows, value) for rows, value in picks if rows is not None),
            *_by_profile(given, layout.values.get(name, {}), by_words=name in shared),  # noqa: PD011
        ]
        for reason in reasons if name in shared else ():
            told = _by_profile(reason, layout.values.get(name, {}), by_words=True)  # noqa: PD011
            decided += [(rows & (given.codes < 0), value) for rows, value in told]
        codes = given.codes.astype(np.int64)
        undecided = np.ones(len(codes), dtype=bool)
        for n, (rows, _) in enumerate(decided, start=len(given.categories)):
            codes[rows & undecided] = n
            undecided &= ~rows
        texts = [*given.categories, *(value for _, value in decided)]
        changed = (codes >= 0) & (np.append(np.array(texts, dtype=object), "")[codes] != _texts(given))
        if name in cells or changed.any():
            cells[name] = recoded(codes, texts)
        if changed.any():
            message = f"values of {name} were translated as study.yaml or the profile says"
            export.note("values_translated", message, export.rows.loc[changed, LINE])


def _reasons_of_exits(reading: Reading, columns: Columns) -> list[pd.Categorical]:
    """Return the export's columns with reasons of exits; none of a file in the contract's own form."""
    layout = reading.layout
    if "exit_type" not in FED[reading.export.table] or _is_strict(reading):
        return []
    names = [
        *layout.columns.get("exit_reason", ()),
        *(n for pick in layout.picks.get("exit_type", ()) for n in pick.when),
    ]
    return [reading.entered(column) for column in columns.take(columns.find(names))]


def _check_patterns(
    export: Export, name: str, cells: pd.Categorical, own: Mapping[str, Sequence[str]], known: Mapping[str, Names]
) -> None:
    """Refuse the study's patterns where they take what means something else: *voluntary* fits "Involuntary"."""
    means = {value: np.append(matches(cells.categories, [value, *known.get(value, ())]), False) for value in known}
    fits = {value: np.append(matches(cells.categories, patterns), False) for value, patterns in own.items()}
    contested = np.sum([*fits.values(), np.zeros(len(cells.categories) + 1, bool)], axis=0) > 1
    for value, patterns in own.items():
        wide = np.append(matches(cells.categories, [text for text in patterns if "*" in text]), False)
        is_own = means.get(value, np.zeros_like(contested))
        for other, which in means.items():
            contested |= wide & which & ~is_own & (other != value)
    if contested[cells.codes].any():
        export.note(
            f"contested_{name}",
            f"values: in study.yaml has patterns of {name} that fit these cells, but another value claims them too; "
            "write the export's values in full, without *",
            export.rows.loc[contested[cells.codes], LINE],
            severity="error",
            action="rejected",
            column=name,
        )


def _by_value(cells: pd.Categorical, values: Mapping[str, Sequence[str]]) -> list[tuple[np.ndarray, str]]:
    return [(is_one_of(cells, patterns), value) for value, patterns in values.items()]


def _by_profile(
    cells: pd.Categorical, values: Mapping[str, Sequence[str]], *, by_words: bool
) -> list[tuple[np.ndarray, str]]:
    """Return what the profile says of values; `by_words`, with the words for kinds of exit that no profile need list.

    A word counts before a pattern that it fits, or "Voluntary Separation Agreement" would be what "Voluntary*" is.
    """
    if not by_words:
        return _by_value(cells, values)
    in_full = {value: [text for text in texts if "*" not in text] for value, texts in values.items()}
    open_ = {value: [text for text in texts if "*" in text] for value, texts in values.items()}
    kinds = np.array([*map(exit_kind, cells.categories), None], dtype=object)[cells.codes]
    return [
        *_by_value(cells, in_full),
        *((kinds == kind, kind) for kind in FED["employees"]["exit_type"].allowed),
        *((rows & (kinds != CONTRADICTION), value) for rows, value in _by_value(cells, open_)),
    ]


def _texts(cells: pd.Categorical) -> np.ndarray:
    return np.append(np.array(cells.categories, dtype=object), "")[cells.codes]


def without_unknown_values(reading: Reading, cells: dict[str, pd.Categorical]) -> None:
    """Empty, in place, what is none of the contract's values where that may be unknown; never guess at it.

    A file in the contract's own form is left to validation.
    """
    export = reading.export
    for name in UNKNOWN_ALLOWED:
        if name not in cells or _is_strict(reading):
            continue
        allowed = FED[export.table][name].allowed
        known = np.append([text in allowed for text in cells[name].categories], True).astype(bool)
        strange = ~known[cells[name].codes]
        if strange.any():
            export.warn(
                f"unknown_{name}",
                f"{name} is none that the profile knows and counts as unknown{_shown(reading, name, cells, strange)}; "
                f"translate the export's values under values: {{{export.table}: {{{name}: …}}}} in study.yaml",
                export.rows.loc[strange, LINE],
                action="set_null",
                column=name,
            )
            cells[name] = emptied(cells[name], strange)


def refuse_words(reading: Reading, cells: dict[str, pd.Categorical]) -> None:
    """Refuse words where a number stands for each, by the order in which study.yaml lists them; in place.

    They are emptied, so that validation does not tell them again.
    """
    table, own = reading.export.table, reading.study.values_of(reading.source)
    for name in [name for name in cells if name in own or name in IN_WORDS]:
        if name not in FED[table] or FED[table][name].kind != "number":
            continue
        numbers = pd.to_numeric(pd.Series(cells[name].categories, dtype=object), errors="coerce")
        words = np.append(numbers.isna().to_numpy(), False)[cells[name].codes]
        if words.any():
            said = "that values: in study.yaml does not list" if name in own else "and no numbers"
            advice = (
                f"list all of them there, the lowest first, as values: {{{table}: {{{name}: [LOWEST, …, HIGHEST]}}}}; "
                "each counts as its place in the list"
            )
            message = f"{name} has words {said}{_shown(reading, name, cells, words)}; {advice}"
            reading.export.fail("words_for_numbers", message, reading.export.rows.loc[words, LINE])
            cells[name] = emptied(cells[name], words)


def _is_strict(reading: Reading) -> bool:
    """Whether words for the contract's values must be the contract's; no vendor's profile reads a list of exits."""
    return reading.source.profile == CANONICAL and reading.export.table not in PARTS


def _shown(reading: Reading, name: str, cells: Mapping[str, pd.Categorical], which: np.ndarray) -> str:
    """Return the values of some rows and how many have each, as they stand in a message; nothing where they may be
    about a person.
    """
    given = pd.Series(cells[name])[which]
    counts = {str(text): int(n) for text, n in given.value_counts().items() if n}
    if names_a_person(counts, reading) or not may_be_shown(counts, name, reading.layout):
        return ""
    shown = ", ".join(f"{' '.join(text.split())[:40]} ({n})" for text, n in list(counts.items())[:MOST_VALUES])
    return f": {shown}" + (" and more" if len(counts) > MOST_VALUES else "")
