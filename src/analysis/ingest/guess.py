"""What study.yaml may say of a study, guessed from its exports: every guess comes with its reason."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from analysis.ingest.cells import is_span
from analysis.ingest.dates import month_end
from analysis.ingest.export import Export
from analysis.ingest.linking import directory, link
from analysis.ingest.look import Look
from analysis.ingest.personal import is_personal
from analysis.plan.contract import FED, ROSTERS
from analysis.plan.study import Source

# Of all steps from a person's row to the next, so many lead to the next list: people stay for months.
LEAST_CONSECUTIVE = 0.8
# Of all rows, so many are the only one of their person in their list.
LEAST_SINGLE = 0.95
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_. ]?(\d\d)[-_. ]?(\d\d)(?!\d)")
_MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d[-_. ]?\d\d(?!\d)|(?<!\d)\d\d[-_. ](?:19|20)\d\d(?!\d)")
_NAMED = re.compile(r"[^\W\d_]{3,}[-_. ]?(?:19|20)\d\d(?!\d)")


def day_of(source: Source) -> dt.date | None:
    """Return the day, else the last day of the month, that a source's sheet, else its file, is named after.

    A sheet may name the month and its file the year; None where neither names a day or month.
    """
    file, sheet = PurePosixPath(source.path).stem, source.sheet or ""
    year = _YEAR.search(file)
    return _day_of_name(sheet) or (_day_of_name(f"{sheet} {year[0]}") if sheet and year else None) or _day_of_name(file)


def _day_of_name(name: str) -> dt.date | None:
    if found := _DAY.search(name):
        try:
            return dt.date(*map(int, found.groups()))
        except ValueError:
            pass
    for form in (_MONTH, _NAMED):
        for found in form.finditer(name):
            if day := month_end(re.sub("[-_.]", " ", found[0])):
                return dt.date.fromisoformat(day)
    return None


def are_snapshots(looks: Sequence[Look]) -> bool:
    """Whether files are together a row a person and day, on at least two days, with people who go on from day to day.

    Job changes are not: most people have no row on the next day on which somebody changes.
    """
    rows = [one.rows[["employee_id", "snapshot_date"]].astype("str") for one in looks if _has_both(one)]
    if not rows:
        return False
    both = pd.concat(rows).dropna()
    days = pd.to_datetime(both["snapshot_date"], format="%Y-%m-%d", errors="coerce")
    both = both.assign(step=days.rank(method="dense"))[days.notna()]
    if both["step"].nunique() < 2:
        return False
    single = both.drop_duplicates()
    steps = single.sort_values(["employee_id", "step"]).groupby("employee_id")["step"].diff().dropna()
    goes_on = len(steps) > 0 and bool((steps == 1).mean() >= LEAST_CONSECUTIVE)
    return goes_on and len(single) >= LEAST_SINGLE * len(both)


def _has_both(one: Look) -> bool:
    return {"employee_id", "snapshot_date"} <= set(one.rows)


# --- guess ------------------------------------------------------------------------------------------------------------
# What study.yaml may say of a study, guessed from its exports: every guess comes with its reason.

WAVE_GAP_DAYS, INTAKE_GAP_DAYS = 30, 45
MOST_PROGRAMS = 20
LEAST_PEOPLE = 3
# Days that are written down before they come: they do not show when an export was made.
PLANNED = ("end_date", "intake_date", "closes", "opens")


@dataclass(frozen=True)
class Guess:
    """A value for study.yaml, and why; no reason where the exports or the user say it outright."""

    value: str | tuple[str, ...]
    why: str = ""


@dataclass(frozen=True)
class WaveGuess:
    """One survey wave: which instrument, its number, the first and the last day on which forms were sent."""

    instrument: str
    wave: int
    opens: str
    closes: str


@dataclass(frozen=True)
class ProgramGuess:
    """One program: every key of it that study.yaml needs."""

    id: str
    name: Guess
    direction: Guess
    format: Guess
    assignment: Guess
    intakes: Guess


def slug(text: str) -> str:
    """Return the text as an id: lower-case letters, digits and hyphens; "program" where nothing is left."""
    return re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-") or "program"


def data_lock(looks: Sequence[Look]) -> Guess:
    """Return the last day on which anything is seen, not in the future: the exports were made no earlier."""
    lists = _sorted(look.days("snapshot_date") for look in looks)
    if len(lists) and not any(look.source.table == "employees" for look in looks):
        return Guess(str(lists[-1]), "the last snapshot, after which nobody can be seen leaving")
    today = dt.date.today()
    last: dict[np.datetime64, str] = {}
    for look in looks:
        for name, column in FED[look.source.table].items():
            if column.kind == "date" and name not in PLANNED:
                days = look.days(name)
                days = days[days <= np.datetime64(today)]
                if len(days):
                    last.setdefault(days[-1], f"{name} in {look.source.name}")
    if not last:
        return Guess(today.isoformat(), "no day could be read from the exports, so it is today")
    latest = max(last)
    return Guess(
        str(latest),
        f"the latest day in the exports that is not in the future ({last[latest]}); better is the day on which the HR "
        "export was made, since a planned exit may lie after it",
    )


def first_day(looks: Sequence[Look], as_of: str) -> Guess:
    """Return the first day from which the exports look complete: the latest of the first exit and first job change.

    An HR system that was introduced, or an export that was cut, on some day knows nobody who left before it; whoever
    was hired earlier is then there only because they stayed.
    """
    lists = _sorted(look.days("snapshot_date") for look in looks)
    alone = not any(look.source.table == "employees" for look in looks)
    if alone and len(lists) and lists[0] < np.datetime64(as_of):
        return Guess(str(lists[0]), "the first snapshot, before which nobody can be seen leaving")
    firsts = {}
    for table, column, what in (
        ("employees", "exit_date", "exit"),
        ("jobs", "effective_date", "job change"),
        ("snapshots", "snapshot_date", "snapshot"),
    ):
        days = _sorted(look.days(column) for look in looks if look.source.table == table)
        if len(days) and days[0] < np.datetime64(as_of):
            firsts[days[0]] = what
    if firsts:
        latest = max(firsts)
        return Guess(
            str(latest.astype("datetime64[M]").astype("datetime64[D]")),
            f"the month of the first {firsts[latest]} in the exports, before which they look incomplete; give the day "
            "from which on they hold everybody who was employed",
        )
    seen = [look.days(name) for look in looks for name in FED[look.source.table]]
    seen = [days[0] for days in seen if len(days) and days[0] < np.datetime64(as_of)]
    wanted = "give the day from which on they hold everybody employed"
    if not seen:
        return Guess(
            str(np.datetime64(as_of) - 365),
            f"no day could be read from the exports, so it is a year before as_of; {wanted}",
        )
    return Guess(str(min(seen)), f"the first day in the exports; {wanted}")


def _sorted(days: Iterable[np.ndarray]) -> np.ndarray:
    return np.sort(np.concatenate([np.empty(0, "datetime64[D]"), *days]))


def clusters(days: np.ndarray, gap: int) -> list[tuple[np.datetime64, np.datetime64]]:
    """Return first and last day of each run of days without more than `gap` days between two; `days` are sorted."""
    if not len(days):
        return []
    breaks = np.flatnonzero(np.diff(days) > np.timedelta64(gap, "D"))
    starts, ends = [0, *(breaks + 1)], [*breaks, len(days) - 1]
    return [(days[a], days[b]) for a, b in zip(starts, ends, strict=True)]


def waves(looks: Sequence[Look], instruments: Mapping[str, str]) -> list[WaveGuess]:
    """Return the waves of every instrument, told by the days of its forms (and by the exports' own numbers).

    Parameters
    ----------
    instruments
        Source name → the survey's instrument.
    """
    found: list[WaveGuess] = []
    for instrument in dict.fromkeys(instruments.values()):
        own = [look for look in looks if instruments.get(look.source.name) == instrument]
        numbered = {n: span for look in own for n, span in _numbered(look).items()}
        days = _sorted(look.days("responded_at") for look in own if "wave" not in look.rows)
        spans = clusters(days, WAVE_GAP_DAYS)
        last = max(numbered, default=0)
        numbered |= dict(enumerate(spans, start=last + 1))
        found += [WaveGuess(instrument, n, str(span[0]), str(span[1])) for n, span in sorted(numbered.items())]
    return found


def _numbered(look: Look) -> dict[int, tuple[np.datetime64, np.datetime64]]:
    """Return the span of each wave that the export itself numbers."""
    if not {"wave", "responded_at"} <= set(look.rows):
        return {}
    days = pd.to_datetime(look.rows["responded_at"].astype("str"), errors="coerce")
    numbers = pd.to_numeric(look.rows["wave"].astype("str"), errors="coerce")
    spans = days.groupby(numbers).agg(["min", "max"]).dropna()
    return {int(n): tuple(row.to_numpy("datetime64[D]")) for n, row in spans.iterrows() if n >= 1}


def wave_of(look: Look, instrument: str, found: Iterable[WaveGuess]) -> int | None:
    """Return the wave that holds all forms of an export; None where there are several, or the export numbers them."""
    days = look.days("responded_at")
    if "wave" in look.rows or not len(days):
        return None
    first, last = str(days[0]), str(days[-1])
    own = [w for w in found if w.instrument == instrument]
    return next((w.wave for w in own if w.opens <= first and last <= w.closes), None)


def programs(looks: Sequence[Look], named: Sequence[str], direction: str | None) -> list[ProgramGuess]:
    """Return the programs: those that the enrolments name, else those that the user names, else one.

    Enrolments that name none, beside others that do, get a program of their own, the last one.
    """
    own = [look for look in looks if look.source.table == "enrolments"]
    if not own and not named:
        return []
    nameless = [look for look in own if not program_names([look])]
    texts = program_names(own)
    parts: list[tuple[Guess, str, list[Look], str | None]] = [(Guess(text), slug(text), own, text) for text in texts]
    parts = parts or [(Guess(text), slug(text), own, None) for text in named]
    if not parts or (texts and nameless):
        name = Guess("Mentoring", "the files do not say; as it is to stand on the report")
        parts.append((name, "program", nameless, None))
    guessed = _direction(looks) if direction is None else Guess(direction)
    ids = _distinct([id_ for _, id_, _, _ in parts])
    return [
        ProgramGuess(id_, name, guessed, _format(files), _assignment(files), _intakes(files, text))
        for id_, (name, _, files, text) in zip(ids, parts, strict=True)
    ]


def program_names(enrolments: Sequence[Look]) -> list[str]:
    """Return the programs that the enrolments name; none where the column holds more than programs' names."""
    names: dict[str, None] = {}
    for look in enrolments:
        if texts := look.texts("program_id"):
            if is_personal("program", look.rows["program_id"].array, ()) or any("@" in text for text in texts):
                return []
            names |= dict.fromkeys(texts)
    return list(names) if len(names) <= MOST_PROGRAMS else []


def _distinct(names: Sequence[str]) -> list[str]:
    """Return the names, numbered where one stands twice."""
    ids: list[str] = []
    for name in names:
        ids.append(name if name not in ids else f"{name}-{len(ids) + 1}")
    return ids


def _direction(looks: Sequence[Look]) -> Guess:
    """Return who mentors whom, told by the job levels, else the ages, of those who take part."""
    for column, what, junior_is_low in (("job_level", "job level", True), ("birth_year", "year of birth", False)):
        typical = _typical(looks, column)
        if {"mentor", "mentee"} <= set(typical) and typical["mentor"] != typical["mentee"]:
            is_reverse = (typical["mentor"] < typical["mentee"]) == junior_is_low
            word = "junior to" if is_reverse else "senior to"
            why = f"by {what} the mentors are mostly {word} the mentees (reverse: the junior mentors the senior)"
            return Guess("reverse" if is_reverse else "traditional", why)
    return Guess("traditional", "the exports do not tell who is senior; reverse where the junior mentors the senior")


def _typical(looks: Sequence[Look], column: str) -> dict[str, float]:
    """Return by role the median of an employees' or jobs' column among those enrolled."""
    exports = [Export(look.source.table, look.source.name, look.rows) for look in looks]
    people = directory(exports)
    known: dict[str, float] = {}
    roles = []
    for export in exports:
        if export.table == "enrolments":
            link(export, people)
            if {"employee_id", "role"} <= set(export.rows):
                roles.append(export.rows[["employee_id", "role"]].astype("str"))
        elif export.table in (*ROSTERS, "jobs") and {"employee_id", column} <= set(export.rows):
            values = pd.to_numeric(export.rows[column].astype("str"), errors="coerce")
            known |= dict(zip(export.rows["employee_id"].astype("str"), values, strict=True))
    if not roles or not known:
        return {}
    enrolled = pd.concat(roles).dropna().drop_duplicates()
    values = enrolled["employee_id"].map(known)
    counts, medians = values.groupby(enrolled["role"]).count(), values.groupby(enrolled["role"]).median()
    return {str(role): float(medians[role]) for role in medians.index if counts[role] >= LEAST_PEOPLE}


def _format(enrolments: Sequence[Look]) -> Guess:
    sizes = [look.rows["match_id"].value_counts() for look in enrolments if "match_id" in look.rows]
    size = pd.concat(sizes).median() if sizes else np.nan
    if size > 2:
        return Guess("group", "most matches in the export have more than two people; clinic where people drop in")
    if size == 2:
        return Guess("pair", "most matches in the export have two people")
    return Guess("pair", "the export does not tell; group or clinic where several meet")


def _assignment(enrolments: Sequence[Look]) -> Guess:
    if any("false" in look.texts("offered") for look in enrolments):
        return Guess(
            "self_selected",
            "some applicants were not offered a place; write lottery only where places were randomized and the "
            "result was kept to, waitlist where they had to wait",
        )
    return Guess("self_selected", "the exports cannot tell; lottery, waitlist or rollout where it really was one")


def _intakes(enrolments: Sequence[Look], program: str | None) -> Guess:
    """Return the days on which intakes opened, where starts come in runs; nothing where the export has intake days."""
    starts = []
    for look in enrolments:
        if len(look.days("intake_date")):
            return Guess(())
        starts.append(_starts(look, program))
    n_spans = sum(_n_spans(look) for look in enrolments)
    if n_spans and n_spans >= sum(map(len, starts)):
        return Guess(
            (),
            "half of the starts or more say no day, so no intakes can be told from them; list the intakes' days",
        )
    spans = clusters(_sorted(starts), INTAKE_GAP_DAYS)
    if not spans:
        return Guess(())
    if any(last - first > np.timedelta64(INTAKE_GAP_DAYS, "D") for first, last in spans):
        return Guess(
            (), "people start all year round in the export, so each start stands alone; list the intakes' days"
        )
    return Guess(
        tuple(str(first) for first, _ in spans),
        f"the first start of each run of starts with more than {INTAKE_GAP_DAYS} days before it; give the days on "
        "which the intakes opened",
    )


def _n_spans(look: Look) -> int:
    """Return how many starts are a month, a season or another span of days."""
    counts = look.rows["start_date"].value_counts() if "start_date" in look.rows else pd.Series(dtype=int)
    return sum(int(n) for text, n in counts.items() if is_span(str(text)))


def _starts(look: Look, program: str | None) -> np.ndarray:
    rows = look.rows
    if program is not None:
        rows = rows[rows["program_id"] == program] if "program_id" in rows else rows.iloc[:0]
    return Look(look.seen, look.layout, look.export, rows).days("start_date")
