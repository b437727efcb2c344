"""Rows of another grain: survey forms become answers, rows that name a pair become an enrolment a person."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.ingest.cells import Reading
from analysis.ingest.columns import Columns, constant, emptied, stacked, with_texts
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.keys import attributes_of
from analysis.ingest.personal import without_free_text
from analysis.ingest.translate import apply_values, canonical_columns, without_unknown_values
from analysis.plan.instruments import Instrument, Response

# --- answer codes -----------------------------------------------------------------------------------------------------
# Answers in numbers: those of the instrument's card, or codes of the tool that wrote them, which need not be the
# same.
# Qualtrics numbers the choices of a question in the order in which they were made: strongly agree may be 4, and
# seven answers from Never (0 on the card) are 1 to 7. What the file or study.yaml says of its numbers counts; else
# there is a warning.

LARGEST_CODE = 100
_NUMBER = re.compile(r"-?\d{1,6}(?:[.]\d{1,6})?")
Answers = dict[str, pd.Categorical]


def card_answers(reading: Reading, items: Mapping[str, str], card: Instrument) -> Answers:
    """Return column → its answers as the card has them, for the columns of `items`; what is doubtful is noted.

    Parameters
    ----------
    items
        Item code → the export's column of it.
    """
    export, scale = reading.export, card.response
    answers = {
        column: reading.entered(export.rows[column].array, export.labels.get(column)) for column in items.values()
    }
    answers = {column: _without_marks(export, column, cells, scale) for column, cells in answers.items()}
    codes = reading.source.codes
    if isinstance(codes, dict):
        return {column: _recoded(export, column, cells, codes) for column, cells in answers.items()}
    if codes is None:
        answers = {column: _labelled(export, column, cells, scale) for column, cells in answers.items()}
        unsure = {column: cells for column, cells in answers.items() if not _numbers_meant(export, column, scale)}
        if reading.layout.own_codes or _starts_late(unsure, scale):
            _judge(export, unsure, card)
    return answers


def numbers_of(cells: pd.Categorical) -> list[float]:
    """Return the distinct numbers among the answers."""
    return [float(text) for text in cells.remove_unused_categories().categories if _NUMBER.fullmatch(text)]


def _without_marks(export: Export, column: str, cells: pd.Categorical, scale: Response) -> pd.Categorical:
    """Empty labels that the file gives to a code off the scale, and that the card does not know: -99, 9, "Refused"."""
    known = export.labels.get(column, {})
    off = [code for code, label in known.items() if scale.number_of(label) is None and not _is_on(code, scale)]
    marks = {text for code in off for text in (code, known[code])}
    gone = np.append([text in marks for text in cells.categories], False).astype(bool)[cells.codes]
    if gone.any():
        message = f"{export.called(column)} has labelled codes that are no answer of the scale; read as empty"
        export.warn("nothing_entered", message, export.rows.loc[gone, LINE], action="set_null")
    return emptied(cells, gone)


def _is_on(code: str, scale: Response) -> bool:
    return bool(_NUMBER.fullmatch(code)) and scale.min <= float(code) <= scale.max


def _recoded(export: Export, column: str, cells: pd.Categorical, codes: Mapping[float, float]) -> pd.Categorical:
    """Return the answers with the number on the card in place of each code, as study.yaml says."""
    strange = [bool(_NUMBER.fullmatch(text)) and float(text) not in codes for text in cells.categories]
    lines = export.rows.loc[np.append(strange, False).astype(bool)[cells.codes], LINE]
    if len(lines):
        export.fail("tool_codes", f"{export.called(column)} has numbers that are not under codes: in study.yaml", lines)
    texts = [f"{codes.get(float(t), float(t)):g}" if _NUMBER.fullmatch(t) else t for t in cells.categories]
    return recoded(cells.codes, texts)


def _labelled(export: Export, column: str, cells: pd.Categorical, scale: Response) -> pd.Categorical:
    """Return the answers with the label in place of each number that the file has a label for.

    A number without one is the card's only where those with labels are.
    """
    label_of = {float(c): label for c, label in export.labels.get(column, {}).items() if _NUMBER.fullmatch(c)}
    meant = _numbers_meant(export, column, scale)
    open_ = [number for number in numbers_of(cells) if number not in label_of]
    if open_ and any(code != number for code, number in meant.items()):
        export.fail(
            "tool_codes",
            f"{export.called(column)} has numbers without a label, and the labels of the others show that they are not "
            "the card's; label all of them in the file, export choice text, or give codes: at the source in study.yaml",
            [1],
        )
    texts = [label_of.get(float(t), t) if _NUMBER.fullmatch(t) and meant else t for t in cells.categories]
    return recoded(cells.codes, texts)


def _numbers_meant(export: Export, column: str, scale: Response) -> dict[float, float]:
    """Return what the file's own labels say of its numbers: code → the card's number."""
    known = {
        float(c): scale.number_of(label) for c, label in export.labels.get(column, {}).items() if _NUMBER.fullmatch(c)
    }
    return {code: number for code, number in known.items() if number is not None}


def _starts_late(answers: Answers, scale: Response) -> bool:
    """Whether nobody gave the 0 of a scale that begins there: most tools count from 1."""
    given = [number for cells in answers.values() for number in numbers_of(cells)]
    return scale.min == 0 and bool(given) and min(given) >= 1


def _judge(export: Export, answers: Answers, card: Instrument) -> None:
    """Tell that answers are the tool's own codes: an error where they do not even fit the card's range."""
    scale = card.response
    numbers = {column: found for column, cells in answers.items() if (found := numbers_of(cells))}
    off = [column for column, found in numbers.items() if min(found) < scale.min or max(found) > scale.max]
    given = [number for found in numbers.values() for number in found] or [0]
    # What is no code may be somebody's number, and is not said.
    are_codes = all(number.is_integer() and abs(number) < LARGEST_CODE for number in map(float, given))
    told = f"the answers are numbers from {min(given):g} to {max(given):g}" if are_codes else "the answers are numbers"
    told += f" and card {card.instrument} has {scale.min:g} to {scale.max:g}"
    advice = (
        "export choice text, or give codes: at the source in study.yaml (card, or the card's number of each code), or "
        "labels_from: (an export of the same answers with choice text)"
    )
    if off:
        export.fail(
            "tool_codes",
            f"{told}: {_called(export, off)} cannot be the card's numbers and may be the tool's own codes; {advice}",
            [1],
        )
    elif numbers:
        export.warn(
            "tool_codes",
            f"{told}, but may be the tool's own codes, in which a label can have any number; {advice}",
            [1],
        )


def _called(export: Export, columns: Sequence[str]) -> str:
    shown = ", ".join(map(export.called, columns[:8]))
    return f"{shown} and {len(columns) - 8} more" if len(columns) > 8 else shown


# --- forms ------------------------------------------------------------------------------------------------------------
# Survey forms, one a row, become answers, one a row.


def long_answers(frame: pd.DataFrame, cells: Mapping[str, pd.Categorical], items: Mapping[str, str]) -> pd.DataFrame:
    """Return one row per form and item: `cells` of the form, ``item``, ``value`` and ``_line``.

    Parameters
    ----------
    frame
        The export, one row per form.
    cells
        What holds for the whole form: the person, the day.
    items
        Item code → the export's column of it.
    """
    n_forms, n_items = len(frame), len(items)
    codes = np.empty((n_forms, n_items), dtype=np.int32)
    texts: list[str] = []
    for at, column in enumerate(items.values()):
        answers = frame[column].array
        codes[:, at] = np.where(answers.codes < 0, -1, answers.codes.astype(np.int32) + len(texts))
        texts += list(answers.categories)
    whole = {
        name: pd.Categorical.from_codes(np.repeat(column.codes, n_items), column.categories)
        for name, column in cells.items()
    }
    item = np.tile(np.arange(n_items, dtype=np.int16), n_forms)
    return pd.DataFrame(
        whole
        | {
            "item": pd.Categorical.from_codes(item, pd.Index(list(items), dtype="str")),
            "value": recoded(codes.ravel(), texts),
            LINE: np.repeat(frame[LINE].to_numpy(), n_items),
        }
    )


def last_forms(export: Export) -> None:
    """Leave the last form that a person sent in a wave; the earlier ones are noted.

    The last is the one of the latest day, and of one day the one that stands last in the file.
    """
    who = [name for name in ("employee_id", "ratee_id", "rater_id", "rater_role", "wave") if name in export.rows]
    person = "ratee_id" if "ratee_id" in who else "employee_id"
    if person not in who:
        return
    forms = export.rows.drop_duplicates(LINE)
    forms = forms[forms[person].notna() & (forms["rater_id"].notna() if "rater_id" in forms else True)]
    if "responded_at" in forms:
        forms = forms.assign(day=forms["responded_at"].astype("str")).sort_values(["day", LINE], na_position="first")
    earlier = forms.loc[forms.duplicated(who, keep="last"), LINE]
    if len(earlier):
        export.warn(
            "duplicate_form",
            "the same person sent a later form in this wave, and the last one counts",
            earlier,
            action="rejected",
        )
        export.frame = export.rows[~export.rows[LINE].isin(earlier)].reset_index(drop=True)


# --- pairs ------------------------------------------------------------------------------------------------------------
# Rows that name several people become one enrolment a person.

# What stands between two people in one cell. A comma may stand within a name, and a plus within an address.
_BETWEEN = re.compile(r"\s*(?:[;\n\r|&]|\band\b|\bund\b|\bet\b)\s*")


def enrolments_of_pairs(reading: Reading, columns: Columns) -> pd.DataFrame:
    """Return one row per person whom a row of the export names, in the order of the rows and then of the roles.

    A row that names nobody is left out and noted.
    """
    export, parts = reading.export, []
    for n, (role, part) in enumerate(reading.layout.roles.items()):
        cells = canonical_columns(reading, columns, reading.layout.columns | part.columns, {"employee_id": part.keys})
        apply_values(reading, columns, cells)
        without_unknown_values(reading, cells)
        without_free_text(reading, cells)
        if "employee_id@name" in cells:
            cells |= attributes_of(reading, columns, role=role)
        rows = pd.DataFrame(cells | {"role": constant(role, len(export.rows)), LINE: export.rows[LINE]})
        is_named = rows[[c for c in rows if c.partition("@")[0] == "employee_id"]].notna().any(axis="columns")
        parts.append(rows[is_named].assign(**{"_role": n}))
    # what a row says of both people was read, and told, for each of them
    export.problems = list(dict.fromkeys(export.problems))
    order = pd.concat([part[[LINE, "_role"]] for part in parts], ignore_index=True)
    people = stacked([part.drop(columns="_role") for part in parts])
    nobody = export.rows.loc[~export.rows[LINE].isin(people[LINE]), LINE]
    if len(nobody):
        message = "the row names nobody; give the people of the pair by id, e-mail or name"
        export.warn("nobody_named", message, nobody, action="rejected")
    people = people.loc[order.sort_values([LINE, "_role"]).index].reset_index(drop=True)
    return _one_person_each(export, _with_matches(people))


def _with_matches(people: pd.DataFrame) -> pd.DataFrame:
    """Make each row of a list that numbers no pairs a match: with two mentees a mentor stands in two of its rows."""
    if "match_id" in people or people.empty:
        return people
    lines = people[LINE].to_numpy()
    is_pair = people.duplicated([LINE], keep=False).to_numpy()
    codes, distinct = pd.factorize(np.where(is_pair, lines, -1))
    return people.assign(match_id=recoded(codes, [f"line {line}" if line >= 0 else None for line in distinct]))


def _one_person_each(export: Export, people: pd.DataFrame) -> pd.DataFrame:
    """Make a row for each of several people in one cell, noted: as a name of nobody they would never have started."""
    for name in [column for column in people if str(column).partition("@")[0] == "employee_id"]:
        cells = people[name].array
        parts = [[part for part in _BETWEEN.split(text) if part] for text in cells.categories]
        n_people = np.append([max(len(those), 1) for those in parts], 1)[cells.codes]
        if (n_people == 1).all():
            continue
        message = "a cell names several people, and each of them became a row"
        export.note("several_in_cell", message, people.loc[n_people > 1, LINE])
        at = np.repeat(np.arange(len(people)), n_people)
        nth = np.arange(len(at)) - np.repeat(np.cumsum(n_people) - n_people, n_people)
        texts = [parts[code][n] if code >= 0 else None for code, n in zip(cells.codes[at], nth, strict=True)]
        people = people.iloc[at].reset_index(drop=True).assign(**{name: _coded(texts)})
    return people


def _coded(texts: list[str | None]) -> pd.Categorical:
    codes, distinct = pd.factorize(pd.Series(texts, dtype=object))
    return recoded(codes, list(distinct))


# --- same enrolment ---------------------------------------------------------------------------------------------------
# One person, program, intake and role is one enrolment, in however many files and pairs it stands.

KEY = ["program_id", "intake_date", "employee_id", "role"]
SPAN = ["start_earliest", "start_latest"]
SAID = ["applied_date", "offered", "start_date", *SPAN, "start_unknown", "end_date", "status"]
SAID += ["match_id", "topics", "stratum"]
STILL_OPEN = "9999-12-31"


def unite_enrolments(exports: Sequence[Export]) -> None:
    """Make one row of those that tell different things of one person's enrolment.

    Platforms say in one export who applied and in another who was matched, and a mentor of two mentees has two pairs.
    The enrolment runs from the first start to the last end, and is open while one is; its match is the first, its
    status that of the last; what this row does not say comes from the others. Rows of one file with the same match,
    or with none, repeat each other: they are left for validation. Intakes must have been assigned.
    """
    parts = [e for e in exports if e.table == "enrolments" and e.frame is not None and set(KEY) <= set(e.frame)]
    if not parts:
        return
    frames = [e.rows.reindex(columns=[*KEY, *SAID, LINE]).assign(export=n) for n, e in enumerate(parts)]
    rows = pd.concat(frames, keys=range(len(parts)), names=["export_at", "row"]).astype(object)
    rows = rows[rows[KEY].notna().all(axis=1) & rows.duplicated(KEY, keep=False)]
    repeats = rows.duplicated([*KEY, "export", "match_id"], keep=False)
    rows = rows[~repeats.groupby([rows[name] for name in KEY]).transform("any").astype(bool)]
    if rows.empty:
        return
    rows = rows.sort_values("start_date", na_position="last", kind="stable")
    rows = rows.assign(kept_match=rows.groupby(KEY, sort=False)["match_id"].transform("first"))
    first = ~rows.duplicated(KEY)
    united = _united(rows).set_axis(rows.index[first])
    for n, export in enumerate(parts):
        if n in rows.index.get_level_values(0):
            own = rows.index.get_level_values(0) == n
            _put(export, rows[own & first], united, rows[own & ~first])


def _united(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what the rows of each person say together, in the order in which the persons come first."""
    said = rows.groupby(KEY, sort=False)[SAID].first()
    started = rows[rows["start_date"].notna()].assign(end_date=lambda r: r["end_date"].fillna(STILL_OPEN))
    last = started.sort_values("end_date", kind="stable").groupby(KEY, sort=False)[["end_date", "status"]].last()
    last = last.reindex(said.index)
    said["end_date"] = last["end_date"].where(last["end_date"].ne(STILL_OPEN)).where(last["end_date"].notna())
    said["status"] = last["status"].fillna(said["status"])
    if rows[SPAN].notna().any(axis=None):
        ends = rows[SPAN].apply(lambda end: end.fillna(rows["start_date"]))
        said[SPAN] = ends.groupby([rows[name] for name in KEY], sort=False).min()
    return said


def _put(export: Export, stays: pd.DataFrame, united: pd.DataFrame, goes: pd.DataFrame) -> None:
    """Write the united rows into an export and take the others out, each noted."""
    frame = export.rows
    at, gone = stays.index.get_level_values(1), goes.index.get_level_values(1)
    for name in SAID:
        texts = united.loc[stays.index, name]
        if texts.notna().any() or name in frame:
            frame = frame.assign(**{name: with_texts(frame.get(name), len(frame), at, list(texts))})
    export.frame = frame.drop(index=gone).reset_index(drop=True)
    several = goes["match_id"].notna() & goes["start_date"].notna() & (goes["match_id"] != goes["kept_match"])
    if len(at):
        message = "several rows tell of one person, program, intake and role; what the others say was put into this one"
        export.note("same_enrolment", message, stays[LINE])
    out = ~goes[LINE].isin(export.rows[LINE])
    if out.any():
        message = "another row tells of the same person, program, intake and role; what this one says was put into it"
        export.note("same_enrolment", message, goes.loc[out, LINE], action="rejected")
    if several.any():
        message = (
            "the person has several matches at one intake and counts once, from the first start to the last end; a "
            "session of a later match counts for the person only where attendee_ids lists them"
        )
        export.warn("several_matches", message, goes.loc[several, LINE])
