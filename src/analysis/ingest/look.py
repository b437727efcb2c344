"""What one recognised export holds: which columns become what, which values nobody knows, which days it spans."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading, is_span
from analysis.ingest.columns import Columns, constant
from analysis.ingest.dates import to_days
from analysis.ingest.dates_to_waves import ANSWERS, who_met
from analysis.ingest.export import LINE, Export, note_headings
from analysis.ingest.items import is_generic, item_columns, matches_of
from analysis.ingest.personal import LEAST_ROWS, is_personal, may_be_shown
from analysis.ingest.profile import Key, Layout, Names, names_of
from analysis.ingest.readers.header import leave_out_below
from analysis.ingest.recognise import CANONICAL, FILLED, Recognised, most_like
from analysis.ingest.reshape import card_answers, enrolments_of_pairs
from analysis.ingest.text_matching import plain
from analysis.ingest.translate import IN_WORDS, apply_values, canonical_columns, without_rejects, without_unknown_values
from analysis.plan.contract import FED, ISO_DATE
from analysis.plan.errors import Problem
from analysis.plan.instruments import Instrument
from analysis.plan.study import Source, Study, TableName

_LEVEL = re.compile(r"(\D{0,16}?)\s*(\d{1,2})\s*(\D{0,8})")


@dataclass(frozen=True)
class Seen:
    """What may be said of one export: names of columns, numbers, coded values; nothing of a person.

    Attributes
    ----------
    source
        Its entry in study.yaml, as far as it can be told.
    title, share, by, lacking, rivals, is_doubtful
        As what it was recognised: `ingest.recognise.Recognised`.
    rows
        Records in the file.
    headings
        What its columns are called, in their order.
    called
        Heading → how it may be shown: itself, or where it stands where it may hold somebody's data.
    found
        Canonical column → the export's columns that it is read from.
    missing, needed
        Canonical columns that the export does not have, and those of them without which the table cannot be used.
    unused, personal
        The export's columns that nothing is made of, and those that are dropped for what they hold.
    unknown
        Canonical column → value of the export that is none of the contract's → rows, of those that many rows have and
        that look like codes.
    unshown
        Canonical column → how many other such values there are: in few rows, or too much like names or ids.
    levels
        The number in each job level that is written as a word and a number.
    cards
        Of a survey: instrument card → how many of its items the export has; the most first.
    problems
        What the reader and the profile say of it.
    """

    source: Source
    title: str
    share: float
    by: tuple[str, ...]
    lacking: tuple[str, ...]
    rivals: tuple[str, ...]
    is_doubtful: bool
    rows: int
    headings: tuple[str, ...] = field(repr=False)
    called: Mapping[str, str] = field(repr=False)
    found: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]
    needed: tuple[str, ...]
    unused: tuple[str, ...]
    personal: tuple[str, ...]
    unknown: Mapping[str, Mapping[str, int]]
    unshown: Mapping[str, int]
    levels: Mapping[str, int]
    cards: Mapping[str, int]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Look:
    """One export under canonical names.

    Attributes
    ----------
    rows
        One row per record (of pairs: per person), the canonical columns as categoricals of text, `_line`. People's
        rows: they stay in this room.
    items
        Of a survey with a column a question: item of the card of which it has the most → column.
    """

    seen: Seen
    layout: Layout
    export: Export = field(repr=False)
    rows: pd.DataFrame = field(repr=False)
    items: Mapping[str, str] = field(default_factory=dict)

    @property
    def source(self) -> Source:
        """The export's entry in study.yaml."""
        return self.seen.source

    @property
    def has_foreign_days(self) -> bool:
        """Whether a file of the contract's own form has days that are not written as the contract writes them."""
        dates = [name for name, column in FED[self.source.table].items() if column.kind == "date"]
        texts = [text for name in dates for text in self.texts(name)]
        return self.source.profile == CANONICAL and any(
            not (ISO_DATE.fullmatch(text) or is_span(text)) for text in texts
        )

    def texts(self, column: str) -> list[str]:
        """Return the distinct cells of a canonical column; none where the export does not have it."""
        if column not in self.rows:
            return []
        cells = self.rows[column].array
        return list(cells.categories[np.unique(cells.codes[cells.codes >= 0])])

    def days(self, column: str) -> np.ndarray:
        """Return the days in a canonical column, sorted, one for each row that has one."""
        if column not in self.rows:
            return np.empty(0, "datetime64[D]")
        cells = self.rows[column].array
        days = pd.to_datetime(pd.Series(cells.categories.astype(object)), format="%Y-%m-%d", errors="coerce")
        found = days.to_numpy("datetime64[D]")[cells.codes[cells.codes >= 0]]
        return np.sort(found[~np.isnat(found)])


def look(recognised: Recognised, study: Study, cards: Mapping[str, Instrument], own: Instrument | None = None) -> Look:
    """Return what a recognised export holds, read as its profile says.

    `own` is the card that was drafted of this very survey: that one is meant, whatever others fit too.
    """
    source, layout = recognised.source, recognised.layout
    export = replace(recognised.export, problems=list(recognised.export.problems))
    leave_out_below(export)
    without_rejects(export, layout, source)
    columns, reading = Columns(export.rows), Reading(export, layout, source, study)
    for one in cards.values():
        export.known |= {plain(text) for code, item in one.items.items() for text in (code, item.text) if text}
    columns.take([name for reject in layout.reject for name in reject.when])
    found = _found(layout, source.table, columns)
    rows = _rows(reading, columns)
    if source.snapshot_date is not None and "snapshot_date" not in rows:
        rows = rows.assign(snapshot_date=constant(str(source.snapshot_date), len(rows)))
    if source.table == "ratings":
        rows = rows.assign(**_days_of_ratings(recognised, reading, columns))
    counts = _items_found(export, columns, rows, layout, cards) if source.table in ANSWERS else {}
    card = own or (cards[next(iter(counts))] if counts else None)
    items = _items(reading, columns, card) if card and layout.answers == "wide" else {}
    counts = {own.instrument: len(items)} | {n: c for n, c in counts.items() if n != own.instrument} if own else counts
    columns.take(items.values())
    personal, unused = _leftover(export, columns, layout)
    note_headings(export, columns.used, is_strict=source.profile == CANONICAL)
    if not found and export.is_headless:
        personal, unused = (), ()  # somebody's data, not names of columns
        message = "its first line looks like data and is not shown; put a line with the columns' names above it"
        export.warn("no_header", message)
    given = {"snapshot_date"} & set(rows)
    missing = tuple(name for name in _missing(layout, source.table, found) if name not in given)
    unknown = _unknown(export, rows, found)
    headings = tuple(str(name) for name in recognised.export.rows if name != LINE)
    seen = Seen(
        source=source,
        title=recognised.profile.title,
        share=recognised.share,
        by=recognised.by,
        lacking=recognised.lacking,
        rivals=recognised.rivals,
        is_doubtful=recognised.is_doubtful,
        rows=export.rows_in or len(recognised.export.rows),
        headings=headings,
        called={name: export.shown(name) for name in headings},
        found=found,
        missing=missing,
        needed=tuple(name for name in missing if FED[source.table][name].required),
        unused=_likely_first(unused, source.table, missing),
        personal=personal,
        unknown={name: _common(counts, name, layout) for name, counts in unknown.items()},
        unshown={name: len(counts) - len(_common(counts, name, layout)) for name, counts in unknown.items()},
        levels=levels_of(unknown.get("job_level", ())),
        cards=counts,
        problems=tuple(export.problems),
    )
    return Look(seen, layout, export, rows, items)


def _rows(reading: Reading, columns: Columns) -> pd.DataFrame:
    layout, export = reading.layout, reading.export
    if layout.roles:
        return enrolments_of_pairs(reading, columns)
    cells = canonical_columns(reading, columns, dict(layout.columns), _keys(layout))
    cells |= {} if (met := who_met(reading, columns, cells)) is None else {"attendee_ids": met}
    apply_values(reading, columns, cells)
    without_unknown_values(reading, cells)
    return pd.DataFrame(cells | {LINE: export.rows[LINE].to_numpy()})


def _days_of_ratings(recognised: Recognised, reading: Reading, columns: Columns) -> dict[str, pd.Categorical]:
    """Return when ratings were given, where the vendor's other surveys say when; the contract has no column for it."""
    named = [
        name for own in recognised.profile.tables.get("responses", ()) for name in own.columns.get("responded_at", ())
    ]
    found = columns.take(columns.find(named)[:1])
    if not found:
        return {}
    order = reading.source.date_order or reading.layout.date_order
    days = to_days(found[0], order=order, written_in=None, wanted_in=None, as_of=reading.study.as_of)
    return {"responded_at": days.column}


def _keys(layout: Layout) -> dict[str, tuple[Key, ...]]:
    keys = dict(layout.keys)
    if layout.directory:
        keys["employee_id"] = (*keys.get("employee_id", ()), *layout.directory)
    return keys


def _found(layout: Layout, table: str, columns: Columns) -> dict[str, tuple[str, ...]]:
    """Return by canonical column the export's columns that it is read from; a role's own are named with the role."""
    if not layout.roles:
        directory = columns.find(name for key in layout.directory for name in key.columns)
        others = {"(known to other files by)": tuple(directory)} if directory else {}
        return _found_columns(layout.columns, layout.keys, layout, table, columns) | others
    shared = _found_columns(layout.columns, {}, layout, table, columns)
    for role, part in layout.roles.items():
        own = _found_columns(part.columns, {"employee_id": part.keys}, Layout(), table, columns)
        shared |= {f"{name} ({role})": those for name, those in own.items() if those != shared.get(name)}
    return shared


def _found_columns(
    named: Mapping[str, Names], keys: Mapping[str, Iterable[Key]], layout: Layout, table: str, columns: Columns
) -> dict[str, tuple[str, ...]]:
    found = {}
    for name in FED[table]:
        wanted = [column for key in keys.get(name, ()) for column in key.columns]
        wanted += [*named.get(name, ()), name]
        wanted += [column for pick in layout.picks.get(name, ()) for column in pick.when]
        if name == "duration_seconds" and layout.duration:
            wanted += [*layout.duration.begun, *layout.duration.sent]
        if name == "attendee_ids" and not columns.find(wanted):
            wanted += [column for those in layout.met for column in columns.find(those)[:1]]
        if those := columns.find(wanted):
            found[name] = tuple(those)
    return found


def _missing(layout: Layout, table: str, found: Mapping[str, object]) -> tuple[str, ...]:
    has = {name.partition(" (")[0] for name in found} | set(FILLED)
    has |= {"role"} if layout.roles else set()
    has |= {"match_id"} if table == "sessions" and "attendee_ids" in found else set()
    has |= {"item", "value"} if table in ANSWERS and layout.answers == "wide" else set()
    return tuple(name for name in FED[table] if name not in has)


def _items_found(
    export: Export, columns: Columns, rows: pd.DataFrame, layout: Layout, cards: Mapping[str, Instrument]
) -> dict[str, int]:
    """Return how many items of each card the export has, the most first; cards without any are left out."""
    if layout.answers == "long":
        items = set(rows["item"].cat.categories) if "item" in rows else set()
        items = {code for code in items if "instrument" in rows or not is_generic(code)}
        counts = {name: len(items & set(card.items)) for name, card in cards.items()}
    else:
        counts = {name: len(_items_of(export, columns, card)) for name, card in cards.items()}
    share = {name: n / len(cards[name].items) for name, n in counts.items()}
    return {
        name: counts[name] for name in sorted(counts, key=lambda name: (-counts[name], -share[name])) if counts[name]
    }


def _items_of(export: Export, columns: Columns, card: Instrument) -> dict[str, str]:
    """Return item → column, of a card's items in a survey by wording, or by a code that is no tool's default."""
    matches = matches_of(export, columns.unused(), card, {})
    return {match.rival or match.code: match.column for match in matches if match.rival or match.is_told}


def _items(reading: Reading, columns: Columns, card: Instrument) -> dict[str, str]:
    """Return the items of a card that a survey has, and note what is doubtful in its questions and answers."""
    export = replace(reading.export, problems=[])
    asked = item_columns(export, columns, card, {})
    card_answers(replace(reading, export=export), asked, card)
    reading.export.problems.extend(export.problems)
    return _items_of(export, columns, card) | asked


def _leftover(export: Export, columns: Columns, layout: Layout) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that are dropped for their names, addresses or free text, and the other unused ones."""
    left = columns.unused()
    personal = [name for name in left if is_personal(name, export.rows[name].array, layout.personal)]
    return tuple(personal), tuple(name for name in left if name not in personal)


def _likely_first(unused: tuple[str, ...], table: TableName, missing: tuple[str, ...]) -> tuple[str, ...]:
    """Return unused columns in their order, but first those that are called like a column that is missing somewhere.

    Those of what the table needs come before those of what it may do without.
    """
    needed = [name for name in missing if FED[table][name].required]
    known = {name: names_of(table, name) for name in missing}
    first = [column for name in needed for column in most_like(unused, known[name])]
    then = [column for name in missing for column in most_like(unused, known[name])]
    return tuple(dict.fromkeys([*first, *then, *unused]))


def levels_of(texts: Iterable[str]) -> dict[str, int]:
    """Return the number in each job level such as "L3" or "Grade 5"; {} where one has none or they are not of one kind.

    Two ladders (IC3, M1) are not put in one order: that is the company's to say.
    """
    matches = {text: _LEVEL.fullmatch(text) for text in texts}
    kinds = {(m[1].casefold(), m[3].casefold()) for m in matches.values() if m}
    levels = {text: int(m[2]) for text, m in matches.items() if m}
    is_one_kind = len(kinds) == 1 and len(levels) == len(matches) == len(set(levels.values()))
    return dict(sorted(levels.items(), key=lambda item: item[1])) if is_one_kind else {}


def _common(counts: Mapping[str, int], name: str, layout: Layout) -> dict[str, int]:
    """Return the values that may be asked about by name."""
    common = {text: n for text, n in counts.items() if n >= LEAST_ROWS}
    return common if common and may_be_shown(common, name, layout) else {}


def _unknown(export: Export, rows: pd.DataFrame, found: Mapping[str, tuple[str, ...]]) -> dict[str, dict[str, int]]:
    """Return by canonical column the values that are none of the contract's, with their rows."""
    unknown: dict[str, dict[str, int]] = {}
    for name, column in FED[export.table].items():
        if not (column.allowed or name == "job_level" or name in IN_WORDS):
            continue
        counts = _emptied(export, name, found) or _strange(rows, name, column.allowed)
        if counts:
            unknown[name] = counts
    return unknown


def _emptied(export: Export, name: str, found: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Return the values that the engine did not know and emptied, as they stand in the file."""
    lines = [p.lines for p in export.problems if p.rule == f"unknown_{name}" and p.lines is not None]
    columns = [column for key, those in found.items() if key.partition(" (")[0] == name for column in those[:1]]
    if not lines or not columns:
        return {}
    rows = export.rows[export.rows[LINE].isin(np.concatenate(lines))]
    counts = pd.concat([rows[column].astype("str") for column in columns]).value_counts()
    return {str(text): int(n) for text, n in counts.items()}


def _strange(rows: pd.DataFrame, name: str, allowed: tuple[str, ...]) -> dict[str, int]:
    if name not in rows:
        return {}
    counts = rows[name].value_counts()
    is_number = pd.to_numeric(pd.Series(counts.index.astype(object)), errors="coerce").notna().to_numpy()
    strange = ~(np.isin(counts.index.astype(object), allowed) if allowed else is_number) & (counts.to_numpy() > 0)
    return {str(text): int(n) for text, n in counts[strange].items()}
