"""A study's first ``study.yaml``: what its exports say, what was guessed and why, and which headings it remembers."""

import hashlib
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from analysis.ingest.guess import Guess, ProgramGuess, WaveGuess
from analysis.ingest.look import Seen
from analysis.ingest.personal import LEAST_ROWS
from analysis.ingest.recognise import CANONICAL, LEAST_SHARE, WIDE
from analysis.ingest.translate import IN_WORDS
from analysis.plan.contract import FED
from analysis.plan.errors import Problem

# --- memory -----------------------------------------------------------------------------------------------------------
# What ``study.yaml`` remembers of the exports' headings, so that a later export can be compared with them.
# A comment at its end has of each file a short hash of every heading: which columns came or went can be told, and
# no heading stands there that may hold somebody's data.

_REMEMBERED = "# Headings when last read, hashed; `mentoring init --update` compares them:"
_LINE = re.compile(r"#   (?P<file>\S.*?): (?P<marks>[0-9a-f]{8}( [0-9a-f]{8})*)?")
_MORE_MARKS = re.compile(r"#     (?P<marks>[0-9a-f]{8}( [0-9a-f]{8})*)")


def mark(heading: str) -> str:
    """Return the hash of a heading."""
    return hashlib.sha256(heading.encode()).hexdigest()[:8]


def memory_lines(files: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the comment that remembers the marks of each file's headings."""
    lines = [_REMEMBERED] if files else []
    for file, marks in files.items():
        first, *more = textwrap.wrap(f"{file}: {' '.join(marks)}", WIDTH - 6, break_long_words=False) or [f"{file}: "]
        lines += [f"#   {first}", *(f"#     {line}" for line in more)]
    return lines


def remembered(seen: Iterable[Seen]) -> dict[str, tuple[str, ...]]:
    """Return by file the marks of its headings."""
    return {one.source.name: tuple(map(mark, one.headings)) for one in seen}


def recall(text: str) -> tuple[dict[str, tuple[str, ...]], list[int]]:
    """Return what a ``study.yaml`` remembers, and the numbers of the lines (from 0) in which it does."""
    lines = text.splitlines()
    if _REMEMBERED not in lines:
        return {}, []
    files: dict[str, tuple[str, ...]] = {}
    at, file = lines.index(_REMEMBERED), ""
    own = [at]
    for number, line in enumerate(lines[at + 1 :], start=at + 1):
        if more := _MORE_MARKS.fullmatch(line):
            files[file] = (*files.get(file, ()), *more["marks"].split())
        elif found := _LINE.fullmatch(line):
            file = found["file"]
            files[file] = tuple((found["marks"] or "").split())
        else:
            break
        own.append(number)
    return files, own


# --- draft ------------------------------------------------------------------------------------------------------------
# A study's first ``study.yaml``: what its exports say, what was guessed, and why.

WIDTH = 118
# Parts of common words for ratings, with the place that they mostly have; the first that fits counts.
RATINGS = (
    (0, ("unsat", "poor", "not meet", "fail", "ungenügend", "insuffisant")),
    (1, ("below", "partial", "need", "develop", "improve", "under", "teilweise", "unter ")),
    (4, ("outstanding", "excellent", "far ", "exceptional", "greatly", "significantly", "hervorragend", "weit ")),
    (3, ("exceed", "above", "strong", "very good", "sehr gut", "übert")),
)
# Of a file that lacks a column, so many others are shown, those that may be meant first.
MOST_UNUSED = 40
# How the comment begins that says why a file could not be read.
UNREAD = "unread:"
HEAD = """\
Drafted by `mentoring init` from the files in raw/. A comment that begins with "guess" says why a value stands there:
look at each. Every key is explained in data/README.md. Then run: mentoring check {study}"""


@dataclass(frozen=True)
class SourceDraft:
    """One entry of ``sources:``.

    Attributes
    ----------
    seen
        The export that it names.
    entry
        Its keys, in their order.
    notes
        What to look at, each in a sentence.
    is_out
        It is written as a comment, for the user to decide.
    """

    seen: Seen
    entry: Mapping[str, object]
    notes: tuple[str, ...] = ()
    is_out: bool = False


@dataclass(frozen=True)
class Unread:
    """A file that could not be read, and why: a comment under ``sources:`` until it is corrected."""

    table: str
    path: str
    sheet: str | None
    problems: tuple[Problem, ...]

    @property
    def entry(self) -> dict[str, str]:
        """Its keys under ``sources:``, as far as they are known; without the profile it is told from other comments."""
        return {"table": self.table, "path": self.path} | ({"sheet": self.sheet} if self.sheet else {})


@dataclass(frozen=True)
class Draft:
    """Everything that ``study.yaml`` will say, each guess with its reason."""

    study: str
    title: Guess
    study_start: Guess
    as_of: Guess
    timezone: Guess | None
    programs: tuple[ProgramGuess, ...]
    waves: tuple[WaveGuess, ...]
    sources: tuple[SourceDraft, ...]
    levels: Mapping[str, int] = field(default_factory=dict)
    has_imprecise_starts: bool = False
    staff: Guess | None = None
    rules: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def guesses(self) -> list[tuple[str, Guess]]:
        """Every guess that has a reason, by its key in the file."""
        named = [("title", self.title), ("study_start", self.study_start), ("as_of", self.as_of)]
        named += [] if self.staff is None else [("staff", self.staff)]
        for program in self.programs:
            for key in ("name", "direction", "format", "assignment", "intakes"):
                named.append((f"program {program.id}: {key}", getattr(program, key)))
        return [(key, guess) for key, guess in named if guess.why]


def study_yaml(draft: Draft) -> str:
    """Return the text of ``study.yaml``."""
    parts = [
        [f"# {line}" for line in HEAD.format(study=draft.study).splitlines()],
        ["schema_version: 1", f"study: {scalar(draft.study)}"],
        _key("title", draft.title),
        _key("study_start", draft.study_start),
        _key("as_of", draft.as_of),
        ["horizons_months: [12, 24]", "min_cell: 10"],
        _timezone(draft.timezone),
        _staff(draft.staff),
        [line for rule in draft.rules for line in _comment(f"rule: {rule}")],
        _imprecise_dates(draft.has_imprecise_starts),
        _programs(draft.programs),
        _waves(draft.waves),
        _sources(draft),
        _columns([source.seen for source in draft.sources if not source.is_out]),
        _values([source.seen for source in draft.sources if not source.is_out], draft.levels),
        memory_lines(remembered(source.seen for source in draft.sources)),
    ]
    return "\n".join(line for part in parts for line in part) + "\n"


def draft_parts(draft: Draft) -> tuple[dict[str, list[str]], list[str]]:
    """Return what a draft adds to a ``study.yaml``: the entries of its lists, by key, and comments for its end."""
    lists = {"programs": _programs(draft.programs), "waves": _waves(draft.waves), "sources": _sources(draft)}
    seen = [source.seen for source in draft.sources if not source.is_out]
    values = [line if line.startswith("#") else f"# {line}" for line in _values(seen, draft.levels)]
    return {key: lines[1:] for key, lines in lists.items() if len(lines) > 1}, [*_columns(seen), *values]


def draft_text(draft: Draft) -> list[str]:
    """Return the lines of `draft_parts`, as they are added by hand."""
    lists, stubs = draft_parts(draft)
    return [line for key, lines in lists.items() for line in (f"{key}:", *lines)] + stubs


def in_order(words: Iterable[str]) -> list[str]:
    """Return words for ratings, those first that are mostly the lowest; of what is not known, in their order."""

    def place(word: str) -> int:
        hits = [n for n, parts in RATINGS if any(part in word.casefold() for part in parts)]
        return hits[0] if hits else 2

    return sorted(words, key=place)


def scalar(value: object) -> str:
    """Return a value as it stands in a line of YAML, quoted where it must be; of a text, its lines become one."""
    flat = " ".join(value.split()) if isinstance(value, str) else value
    # within a list, since a comma or a bracket needs quotation marks there
    return yaml.safe_dump([flat], default_flow_style=True, allow_unicode=True, width=10**6).strip()[1:-1]


def _flow(entry: Mapping[str, object]) -> str:
    return "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in entry.items()) + "}"


def _comment(text: str, indent: str = "") -> list[str]:
    """Return a comment in as many lines as it takes."""
    mark = f"{indent}# "
    return textwrap.wrap(" ".join(text.split()), WIDTH, initial_indent=mark, subsequent_indent=f"{mark}  ")


def _with_reason(line: str, why: str) -> list[str]:
    """Return a line with its reason behind it, or above it where there is no room."""
    if not why:
        return [line]
    behind = f"{line}  # guess: {why}"
    indent = line[: len(line) - len(line.lstrip())]
    return [behind] if len(behind) <= WIDTH else [*_comment(f"guess: {why}", indent), line]


def _key(key: str, guess: Guess, indent: str = "") -> list[str]:
    value = str(guess.value) if key in ("study_start", "as_of") else scalar(guess.value)
    return _with_reason(f"{indent}{key}: {value}", guess.why)


def _timezone(guess: Guess | None) -> list[str]:
    if guess is None:
        return []
    return [*_comment(guess.why), f"# timezone: {guess.value}"]


def _staff(guess: Guess | None) -> list[str]:
    return [] if guess is None else _with_reason(f"staff: [{', '.join(guess.value)}]", guess.why)


def _imprecise_dates(has_some: bool) -> list[str]:
    """Return the key for starts that are spans of days, as a comment, where an export has such."""
    why = (
        "some starts say a month, a quarter or another span of days, and who has one is left out; take the # away to "
        "make one day of it the start (first_day, midpoint or last_day)"
    )
    return [*_comment(why), "# imprecise_dates: midpoint"] if has_some else []


def _programs(programs: Sequence[ProgramGuess]) -> list[str]:
    lines = ["programs:"] if programs else []
    for program in programs:
        lines += [f"  - id: {scalar(program.id)}"]
        for key in ("name", "direction", "format", "assignment"):
            lines += _key(key, getattr(program, key), "    ")
        days, why = program.intakes.value, program.intakes.why
        if days:
            lines += _with_reason(f"    intakes: [{', '.join(days)}]", why)
        elif why:
            lines += [*_comment(why, "    "), "    # intakes: []"]
    return lines


def _waves(waves: Sequence[WaveGuess]) -> list[str]:
    if not waves:
        return []
    why = "guess: first and last day of the forms sent; give the days on which each survey really opened and closed"
    return [
        "waves:",
        *_comment(why, "  "),
        *(
            f"  - {{wave: {w.wave}, instrument: {scalar(w.instrument)}, opens: {w.opens}, closes: {w.closes}}}"
            for w in waves
        ),
    ]


def _sources(draft: Draft) -> list[str]:
    lines = ["sources:"]
    for source in draft.sources:
        for note in source.notes:
            lines += _comment(note, "  ")
        lines += [f"  {'# ' if source.is_out else ''}- {_flow(source.entry)}"]
    for one in draft.unread:
        lines += _unread(one, draft.study)
    return lines


def _unread(one: Unread, study: str) -> list[str]:
    """Return the entry of a file that could not be read, as a comment with the reason above it."""
    why = "; ".join(_reason(problem) for problem in one.problems if problem.severity == "error")
    told = f"{UNREAD} {one.path} {why}. Correct the file in raw/, then run: mentoring init {study} --update"
    return [*_comment(told, "  "), f"  # - {_flow(one.entry)}"]


def _columns(seen: Sequence[Seen]) -> list[str]:
    """Return a stub, in comments, for the columns that a table needs and that were not found."""
    lacking = [one for one in seen if one.needed]
    if not lacking:
        return []
    lines = _comment("columns that are needed and were not found: take the # away and name the export's column of each")
    lines += ["# columns:"]
    for one in lacking:
        called = [one.called[name] for name in one.unused]
        lines += _comment(f"{one.source.path} has unused: {shown_names(called, MOST_UNUSED) or 'none'}", "# ")
        lines += [f"#   {one.source.table}: {{{', '.join(f'{name}: COLUMN' for name in one.needed)}}}"]
    return lines


def _values(seen: Sequence[Seen], levels: Mapping[str, int]) -> list[str]:
    """Return what the exports' values mean where that is known, and stubs in comments where it is not."""
    active, stubs = [], []
    if levels:
        numbers = ", ".join(f'"{number}": [{scalar(text)}]' for text, number in levels.items())
        why = "guess: the number in each level; check that 1 is the most junior and that they rise"
        active = ["values:"]
        for table in dict.fromkeys(one.source.table for one in seen if "job_level" in one.unknown):
            active += [f"  {table}:", *_comment(why, "    "), f"    job_level: {{{numbers}}}"]
    for one in seen:
        for column, counts in one.unknown.items():
            if not (levels and column == "job_level"):
                stubs += _stub(one, column, counts)
    if not stubs:
        return active
    told = "values that are none of the contract's and count as unknown or are errors: put each where it belongs"
    told += " (CHOOSE stands for the contract's value), and take the # away"
    return [*active, *_comment(told), *([] if active else ["# values:"]), *stubs]


def _stub(seen: Seen, column: str, counts: Mapping[str, int]) -> list[str]:
    if column in IN_WORDS:
        words = ", ".join(map(scalar, in_order(counts))) or "LOWEST, HIGHEST"
        why = "in this order? the lowest first; each counts as its place in the list, and words left out are an error"
        return [f"#   {seen.source.table}:", *_comment(why, "#     "), f"#     {column}: [{words}]"]
    allowed = ", ".join(FED[seen.source.table][column].allowed) or "numbers, 1 for the most junior"
    lines = [f"#   {seen.source.table}:", *_comment(f"one of: {allowed}", "#     ")]
    if counts:
        lines += _comment("rows: " + ", ".join(f"{scalar(text)} {n}" for text, n in counts.items()), "#     ")
    if n := seen.unshown.get(column):
        lines += _comment(unshown_values(n), "#     ")
    return [*lines, f"#     {column}: {{CHOOSE: [{', '.join(map(scalar, counts))}]}}"]


def source_notes(seen: Seen) -> list[str]:
    """Return what is doubtful in how an export was recognised and read."""
    notes = []
    lacking = [name for name in seen.lacking if getattr(seen.source, name, None) is None]
    if seen.source.profile == WIDE:
        notes.append(
            "guess: no vendor's export was recognised; its rows are read as forms and its columns as questions"
        )
    elif seen.share == 0 and seen.source.profile != CANONICAL:
        notes.append(f"guess: read as {seen.title}, as was asked for; nothing in it was recognised as such")
    elif seen.share == 0:
        notes.append("guess: no vendor's export was recognised; it is read as the contract's own form")
    elif seen.share < LEAST_SHARE and lacking:
        notes.append(f"guess: {seen.title} by {shown_names(seen.by)} alone; not found: {shown_names(lacking)}")
    if seen.rivals:
        notes.append(f"guess: {seen.source.profile}, but it fits as well as {', '.join(seen.rivals)}")
    told = [p for p in seen.problems if p.severity != "info" and not p.rule.startswith("unknown_")]
    return list(dict.fromkeys([*notes, *map(_note, told)]))


def _note(problem: Problem) -> str:
    if problem.message.startswith("guess"):
        return problem.message
    return f"look: {_reason(problem)}"


def _reason(problem: Problem) -> str:
    """Return what is wrong, and of an error on which lines."""
    lines = ", ".join(map(str, problem.example_rows)) if problem.severity == "error" else ""
    return f"{problem.message} (line {lines})" if lines else problem.message


def unshown_values(n: int) -> str:
    """Return what is said of values that are not named: how many there are, and why."""
    return f"{n} value{'s' if n > 1 else ''} in fewer than {LEAST_ROWS} rows, or like names or ids: look in the file"


def shown_names(names: Iterable[str], most: int = 8) -> str:
    """Return names of columns in one line, long ones cut, at most so many."""
    names = list(names)
    shown = ", ".join(" ".join(name.split())[:40] for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
