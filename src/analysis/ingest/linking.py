"""People whom an export names by e-mail or name get their employee ids; exactly, and with a list of who did not."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.ingest.columns import emptied, first_filled
from analysis.ingest.export import LINE, Export, recoded
from analysis.ingest.ids import lost_zeros
from analysis.ingest.keys import Directory, KeyKind, Namesakes, tell_apart, without_attributes
from analysis.ingest.text_matching import plain_email, visible
from analysis.plan.contract import ROSTERS
from analysis.plan.errors import Action

IDS = ("employee_id", "manager_id", "ratee_id", "rater_id")
# Without this person the row says nothing; without another it says less.
NEEDED = ("employee_id", "ratee_id")
WAYS: dict[KeyKind, str] = {"email": "@email", "name": "@name"}
NOTHING_KNOWN = Namesakes()
UNMATCHED = ("unmatched_person", "ambiguous_person")


def directory(exports: Iterable[Export]) -> Directory:
    """Return by which e-mail addresses and names the employees are known to other exports."""
    frames = _of_employees(exports)
    ways = {f"employee_id{mark}": way for way, mark in WAYS.items()}
    return Directory.of(
        frame[["employee_id", column]].set_axis(["employee_id", way], axis="columns")
        for frame in frames
        for column in frame
        for mark, way in ways.items()
        if "employee_id" in frame and str(column).startswith(mark)
    )


def namesakes(exports: Iterable[Export], people: Directory) -> Namesakes:
    """Return what tells employees apart who share a name."""
    shared = {person for those in people.shared["name"].values() for person in those}
    return Namesakes.of([frame for frame in _of_employees(exports) if "employee_id" in frame], shared)


def _of_employees(exports: Iterable[Export]) -> list[pd.DataFrame]:
    return [e.frame for e in exports if e.table in (*ROSTERS, "jobs") and e.frame is not None]


def is_keyed(export: Export) -> bool:
    """Whether an export names people by something else than their ids."""
    return any(name + mark in export.rows for name in IDS for mark in WAYS.values())


def take_out(export: Export) -> None:
    """Take an export out whose people would be strangers only because the employees could not be read."""
    message = "names people by e-mail or name, and the employees' exports could not be read; correct those first"
    export.warn("employees_unread", message, export.rows[LINE], action="rejected")
    export.frame = None


def link(export: Export, people: Directory | None, alike: Namesakes = NOTHING_KNOWN) -> None:
    """Give every person of an export the employee id, and drop what named them otherwise.

    In a study that has no export of employees (`people` is None) an e-mail address stands for the id itself.
    The first key with a value counts: the id, else the e-mail address, else the name. A row whose own person is not
    found, or is one of two of that name, is left out; another person (the manager, a rater) becomes unknown. What the
    row says of the person beside the name may tell the two apart (`alike`).
    """
    for name in IDS:
        ways = [way for way, mark in WAYS.items() if name + mark in export.rows]
        if not ways or (export.table in ROSTERS and name == "employee_id"):
            continue
        columns = [export.rows[name].array] if name in export.rows else []
        taken = np.zeros(len(export.rows), dtype=bool) if not columns else columns[0].codes >= 0
        for way in ways:
            given = export.rows[name + WAYS[way]].array
            here = emptied(given, taken)
            if people is None and way == "email":
                ids = recoded(here.codes, [plain_email(text) for text in here.categories])
                _note_no_address(export, name, (here.codes >= 0) & (ids.codes < 0))
                columns.append(ids)
            else:
                found = (people or Directory.of([])).find(way, here)
                told = tell_apart(export, name, found.candidates, here, alike)
                _note_told(export, name, told.codes >= 0)
                still = found.ambiguous & (told.codes < 0)
                _note(export, name, way, found.unmatched, still, alike.telling(found.candidates))
                columns += [found.ids, told]
            taken = taken | (given.codes >= 0)
        export.frame = export.rows.assign(**{name: first_filled(columns)})
        if name in NEEDED:
            # who was named and not found is out; who was not named at all is for validation to say, but for forms:
            # some respondent without a name must not stop a study
            nameless = ~taken & export.is_forms & export.rows[name].isna().to_numpy()
            if nameless.any():
                message = (
                    "the form names nobody, so the answers cannot be linked; give the person's id or e-mail address"
                )
                export.warn("nobody_named", message, export.rows.loc[nameless, LINE], action="rejected")
            stays = (~taken & ~nameless) | export.rows[name].notna().to_numpy()
            export.frame = export.rows[stays].reset_index(drop=True)
    drop = [c for c in export.rows.columns if "@" in c and c.partition("@")[0] in IDS]
    export.frame = without_attributes(export.rows.drop(columns=drop))


def _note_told(export: Export, name: str, which: np.ndarray) -> None:
    if which.any():
        message = f"several employees have the name given for {name}, and what the row says of the person told which"
        export.note("namesake", message, export.rows.loc[which, LINE], action="kept")


def _note(
    export: Export, name: str, way: KeyKind, unmatched: np.ndarray, ambiguous: np.ndarray, telling: list[str]
) -> None:
    action: Action = "rejected" if name in NEEDED else "set_null"
    word = {"email": "e-mail address", "name": "name"}[way]
    if (unmatched & ~ambiguous).any():
        lines = export.rows.loc[unmatched & ~ambiguous, LINE]
        message = (
            f"the {word} for {name} matches no employee in the employees' exports (compared exactly, but for case and "
            "spaces); unmatched.csv lists the lines: correct them there, or give the employee's id"
        )
        export.warn("unmatched_person", message, lines, action=action, column=name)
    if ambiguous.any():
        message = f"several employees have the {word} given for {name}, and nobody is guessed; give the employee's id"
        if telling and way == "name":
            message += f", or a column with the person's {' or '.join(telling)} as the employees' exports have it"
        lines = export.rows.loc[ambiguous, LINE]
        export.warn("ambiguous_person", message, lines, action=action, column=name)


def _note_no_address(export: Export, name: str, which: np.ndarray) -> None:
    if not which.any():
        return
    message = (
        f"what stands in the place of an e-mail address for {name} is none, and there is no file of employees to find "
        "anybody in; correct it there, or add the employees"
    )
    action: Action = "rejected" if name in NEEDED else "set_null"
    lines = export.rows.loc[which, LINE]
    export.warn("unmatched_person", message, lines, action=action, column=name)


def link_attendees(export: Export, people: Directory, known: set[str]) -> None:
    """Give the people who came to a session their employee ids; who is not found is left off the list.

    A session at which nobody is known is left out: without a list it would count for everyone in its match.
    """
    if "attendee_ids" not in export.rows or not known:
        return
    cells = export.rows["attendee_ids"].array
    lists = [[visible(part) for part in text.split(";") if visible(part)] for text in cells.categories]
    found = _ids_of({part for some in lists for part in some}, people, known)
    left = [[found[part] for part in some if part in found] for some in lists]
    some_lost, all_lost = (
        np.array([*lost, False], dtype=bool)[cells.codes]
        for lost in (
            [0 < len(ids) < len(some) for ids, some in zip(left, lists, strict=True)],
            [len(some) > 0 and not ids for ids, some in zip(left, lists, strict=True)],
        )
    )
    _note_strangers(export, some_lost, all_lost)
    attendees = recoded(cells.codes, [";".join(ids) for ids in left])
    export.frame = export.rows.assign(attendee_ids=attendees)[~all_lost].reset_index(drop=True)


def _ids_of(parts: set[str], people: Directory, known: set[str]) -> dict[str, str]:
    """Return the employee id of each part of a list that is one, or is somebody's e-mail address or name."""
    found, others = {part: part for part in parts & known}, sorted(parts - known)
    found |= _other_case(others, known)[0]
    column = recoded(np.arange(len(others)), others)
    for way in WAYS:
        ids = people.find(way, column).ids
        for part, code in zip(others, ids.codes, strict=True):
            if code >= 0:
                found.setdefault(part, ids.categories[code])
    return found


def _note_strangers(export: Export, some: np.ndarray, everybody: np.ndarray) -> None:
    whose = "matches no employee in the employees' exports"
    if some.any():
        message = f"somebody in attendee_ids {whose} and is left off the list"
        export.warn("unmatched_person", message, export.rows.loc[some, LINE], action="repaired")
    if everybody.any():
        message = f"everybody in attendee_ids {whose}; correct them there, or give the employees' ids"
        lines = export.rows.loc[everybody, LINE]
        export.warn("unmatched_person", message, lines, action="rejected")


def link_other_case(export: Export, known: pd.Index) -> None:
    """Give ids that are nobody's as written, and one employee's when case is ignored, that employee's id; and say so.

    An id that several employees have when case is ignored stays as it is: nobody is guessed.
    """
    for name in IDS:
        if (export.table in ROSTERS and name == "employee_id") or name not in export.rows or known.empty:
            continue
        cells = export.rows[name].array
        strangers = cells.categories[~cells.categories.isin(known)]
        ids, several = _other_case(strangers, known)
        _note_case(export, name, list(ids), "one employee in other case, and was taken for that one", "repaired")
        _note_case(export, name, list(several), "several employees in other case: nobody is guessed", "kept")
        if ids:
            linked = recoded(cells.codes, [ids.get(text, text) for text in cells.categories])
            export.frame = export.rows.assign(**{name: linked})


def _note_case(export: Export, name: str, which: list[str], what: str, action: Action) -> None:
    cells = export.rows[name].array
    rows = np.append(cells.categories.isin(which), False)[cells.codes]
    if rows.any():
        message = f"{name} matches no employee as it is written and {what}; write ids alike in all exports"
        lines = export.rows.loc[rows, LINE]
        export.warn("id_in_other_case", message, lines, action=action, column=name)


def _other_case(strangers: Iterable[str], known: Iterable[str]) -> tuple[dict[str, str], set[str]]:
    """Return stranger → the one known id that differs in case alone, and the strangers for whom there are several."""
    wanted = {text: text.casefold() for text in strangers}
    folds = set(wanted.values())
    by_fold: dict[str, list[str]] = {}
    for text in known if folds else ():
        if text.casefold() in folds:
            by_fold.setdefault(text.casefold(), []).append(text)
    hits = {text: by_fold[fold] for text, fold in wanted.items() if fold in by_fold}
    return {text: ids[0] for text, ids in hits.items() if len(ids) == 1}, {t for t, ids in hits.items() if len(ids) > 1}


def note_lost_zeros(export: Export, known: pd.Index) -> None:
    """Warn of ids that are nobody's, but would be somebody's with the zeros that a spreadsheet takes off."""
    for name in IDS:
        if (export.table in ROSTERS and name == "employee_id") or name not in export.rows or known.empty:
            continue
        cells = export.rows[name].array
        lost = np.append(lost_zeros(pd.Index(cells.categories), known), False)[cells.codes]
        if lost.any():
            export.warn(
                "lost_leading_zeros",
                f"{name} matches no employee; adding leading zeros, which spreadsheets take off, would match; export "
                "the column as text",
                export.rows.loc[lost, LINE],
            )
