"""What the names of an export's columns tell: whose export it is, and which are misspelt names of the contract."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from analysis.ingest.columns import Columns
from analysis.ingest.export import Export
from analysis.ingest.personal import is_called
from analysis.ingest.profile import Header, Layout, Profile, RolePart
from analysis.ingest.text_matching import plain
from analysis.plan.contract import ANSWERS, FED
from analysis.plan.study import Source

# As difflib counts: twice the letters in common over all letters; "exitdt" and "exitdate" share .86 of theirs.
ALIKE = 0.8
ALIKE_BUT_FOR_THE_FIRST = 0.9
# Enough to be listed first.
SOMEWHAT_ALIKE = 0.7
LEAST_LETTERS = 3
# What a name may leave out at its end: "exit" for exit_date, "manager" for manager_id.
ENDINGS = ("date", "id", "type")
_WORDS = re.compile(r"[A-Za-z]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def resembling(unused: Sequence[str], absent: Iterable[str]) -> dict[str, str]:
    """Return canonical column → the export's column that is probably meant by it, each at most once.

    Parameters
    ----------
    unused
        Columns of the export that nothing was made of.
    absent
        Canonical columns that the export does not have.
    """
    found: dict[str, str] = {}
    for name in absent:
        near = [column for column in unused if column not in found.values() and is_like(column, name)]
        if near:
            found[name] = max(near, key=lambda column: _share(plain(column), plain(name)))
    return found


def most_like(columns: Sequence[str], names: Collection[str]) -> list[str]:
    """Return the columns that are called like one of some names, the likest first."""
    shares = {column: max((_likeness(column, name) for name in names), default=0.0) for column in columns}
    like = [column for column in columns if shares[column] >= SOMEWHAT_ALIKE]
    return sorted(like, key=lambda column: -shares[column])


def _likeness(column: str, name: str) -> float:
    return 1.0 if is_like(column, name) else _share(plain(column), plain(name))


@lru_cache(maxsize=50_000)
def is_like(column: str, canonical: str) -> bool:
    """Whether a column's name is a slip or an abbreviation of a canonical name: exit_dt, dept, Manager."""
    short, long = plain(column), plain(canonical)
    if len(short) < LEAST_LETTERS or short == long:
        return False
    # A slip at the first letter is rare, and Ende is no slip of gender.
    alike = ALIKE if short[0] == long[0] else ALIKE_BUT_FOR_THE_FIRST
    if _share(short, long) >= alike or any(short + ending == long for ending in ENDINGS):
        return True
    words, known = _words(column), canonical.split("_")
    return len(words) == len(known) and all(map(_abbreviates, words, known))


@lru_cache(maxsize=50_000)
def _share(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(_CAMEL.sub(" ", name))]


def _abbreviates(short: str, word: str) -> bool:
    """Whether a word begins like another and has some of its letters in their order: mgr for manager."""
    rest = iter(word)
    is_part = all(letter in rest for letter in short)
    return is_part and len(short) >= 2 and short[0] == word[0]


def note_misspelt(export: Export, unused: Sequence[str], layout: Layout, source: Source) -> None:
    """Warn of columns that were probably meant to be read; what a required column probably is goes to the export.

    Only a heading that is close to a name of the contract is repeated: any other may be somebody's data.
    """
    table = FED.get(export.table, {})
    absent = [name for name in table if name not in export.rows and name not in source.fills]
    absent = [name for name in absent if not any(f"{name}@" in str(column) for column in export.rows)]
    export.probably = resembling([name for name in unused if not is_called(name, layout.ignored)], absent)
    for name in export.probably:
        if not table[name].required:
            export.warn(
                "column_unused",
                f"{probable_column(export, name)} is not read: did you mean {name}? Then call it so, or write "
                f"columns: {{{export.table}: {{{name}: {export.probably[name]}}}}} in study.yaml",
                [export.header_line],
            )


def probable_column(export: Export, name: str) -> str:
    """Return where the column stands that is probably meant by a canonical name, and what it is called."""
    column = export.probably[name]
    return f"column {export.headings.index(column) + 1} ({' '.join(column.split())[:40]})"


# --- recognise --------------------------------------------------------------------------------------------------------
# Which vendor's export a file is, told by the names of its columns.

CANONICAL = "canonical"
# The profile of surveys of no tool in particular.
WIDE = "wide"
# The profile of monthly headcount lists of no tool in particular.
HEADCOUNT = "headcount"
# With fewer of its columns a vendor's export is told as a doubtful guess.
LEAST_SHARE = 0.6
# What study.yaml or the engine fills where an export does not have it.
FILLED = ("wave", "instrument", "program_id", "intake_date", "start_unknown", "start_earliest", "start_latest")
Read = Callable[[Source, Header], Export]


@dataclass(frozen=True)
class Recognised:
    """One shape of one vendor's export, and how much of it a file has.

    Attributes
    ----------
    export
        The file as text, read under the profile's header; its frame is None where it could not be read.
    share
        Share of the columns by which the layout is known that the file has.
    by, lacking
        The export's columns by which it was recognised, and the names of those that it should have as well.
    named
        How many of the file's columns the layout names or leaves out by name.
    rivals
        Other profiles that fit as well.
    """

    source: Source
    profile: Profile
    layout: Layout
    export: Export
    share: float = 0.0
    by: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    named: int = 0
    rivals: tuple[str, ...] = ()

    @property
    def is_doubtful(self) -> bool:
        """Whether a survey may be of no known tool: nothing of it, or a single column, was recognised."""
        if self.profile.profile == CANONICAL:
            return self.share == 0 or {"item", "value"} <= set(self.lacking)
        return self.share < LEAST_SHARE and len(self.by) < 2


def recognise(source: Source, profiles: Mapping[str, Profile], read: Read) -> Recognised:
    """Return the profile and layout of which the file has the largest share of columns.

    Of equal shares the one known by more columns counts, then the one that names more of the file's columns; of equals
    in that too, the contract's own form and then the profiles' order, and `rivals` names the others. A file
    of which nothing is recognised counts as the contract's own, whether or not it can be read as such: under another
    header somebody's answers might become names of columns. What is no vendor's comes last: it fits many.

    Parameters
    ----------
    source
        The file and the table it feeds; its profile is not looked at.
    read
        Reads a source under a header. It is called once for each form of header that some profile has.
    """
    found = list(_fits(source, profiles, read))
    readable = [fit for fit in found if fit.export.frame is not None and (fit.share > 0 or fit is found[0])]
    if not readable:
        return found[0]
    vendors = [fit for fit in readable if fit.profile.profile != WIDE]
    if vendors and not (max(vendors, key=rank).is_doubtful and source.table in ANSWERS):
        readable = vendors
    best = max(readable, key=rank)
    if best.share == 0 or (best.profile.profile == CANONICAL and best.share == 1):
        return best
    equal = {fit.profile.profile for fit in readable if rank(fit) == rank(best)}
    return replace(best, rivals=tuple(sorted(equal - {best.profile.profile})))


def rank(fit: Recognised) -> tuple[float, int, int]:
    """Return how well a layout fits, to be compared: share and number of its columns, then the file's columns named."""
    return fit.share, len(fit.by), fit.named


def _fits(source: Source, profiles: Mapping[str, Profile], read: Read) -> Iterator[Recognised]:
    """Yield what the file has of every layout of the table, the contract's own first."""
    exports: dict[Header, Export] = {}
    ordered = sorted(profiles.values(), key=lambda profile: profile.profile != CANONICAL)
    for profile in (profile for profile in ordered if source.table in profile.tables):
        if profile.header not in exports:
            exports[profile.header] = read(source, profile.header)
        export, named = exports[profile.header], source.model_copy(update={"profile": profile.profile})
        for layout in profile.tables[source.table]:
            if export.frame is None:
                yield Recognised(named, profile, layout, export)
            elif profile.profile == CANONICAL:
                yield _own_form(named, profile, layout, export)
            else:
                yield _fit(named, profile, layout, export)


def _fit(source: Source, profile: Profile, layout: Layout, export: Export) -> Recognised:
    columns = Columns(export.rows)
    hits = [columns.find(names) for names in layout.recognised_by]
    by = tuple(columns_found[0] for columns_found in hits if columns_found)
    lacking = tuple(names[0] for names, hit in zip(layout.recognised_by, hits, strict=True) if not hit)
    share = len(by) / max(len(hits), 1)
    return Recognised(source, profile, layout, export, share, by, lacking, len(_named(layout, columns)))


def _named(layout: Layout, columns: Columns) -> set[str]:
    """Return the file's columns that the layout names or leaves out."""
    parts: list[Layout | RolePart] = [layout, *layout.roles.values()]
    names = [name for part in parts for those in part.columns.values() for name in those]
    keys = [key for part in layout.roles.values() for key in part.keys]
    keys += [*layout.directory, *(key for ways in layout.keys.values() for key in ways)]
    whens = [pick.when for picks in layout.picks.values() for pick in picks]
    whens += [reject.when for reject in layout.reject]
    names += [name for key in keys for name in key.columns] + [name for when in whens for name in when]
    ignored = {name for name in columns.unused() if is_called(name, layout.ignored)}
    return {*columns.find(names), *ignored}


def _own_form(source: Source, profile: Profile, layout: Layout, export: Export) -> Recognised:
    # To the letter: a vendor's "Employee ID" is written otherwise, and what is like it is recognised by the vendor's.
    needed = [name for name, column in FED[source.table].items() if column.required and name not in FILLED]
    named = {name: [name, *(c for key in layout.keys.get(name, ()) for c in key.columns)] for name in needed}
    hits = {name: [column for column in columns if column in export.rows] for name, columns in named.items()}
    by = tuple(columns[0] for columns in hits.values() if columns)
    lacking = tuple(name for name, columns in hits.items() if not columns)
    known = sum(name in export.rows for name in FED[source.table])
    return Recognised(source, profile, layout, export, len(by) / len(needed), by, lacking, known)
