"""Exits that stand in a file of their own, such as one of exit interviews, become a part of the employees' rows."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from analysis.ingest.columns import with_texts
from analysis.ingest.export import LINE, Export
from analysis.plan.bounds import is_day

# A last day at work and a last day employed may lie so far apart.
MOST_DAYS_APART = 7
TOLD = ["exit_type", "exit_reason"]


class _Spell(NamedTuple):
    """One row of the employees: of which export, at which position, its two days and what it says of the exit."""

    export: int
    at: int
    hired: str | None
    left: str | None
    said: dict[str, str]


def put_in_exits(exports: Sequence[Export]) -> None:
    """Fill kind and reason of exits from the exports of table ``exits``, in place; people must be linked.

    Told is the spell that ends on that day, or up to a week from it. Where no file of employees has a column of exits,
    the list says when people left, too. What the employees' file says stays: where the two disagree, each is noted.
    """
    lists = [export for export in exports if export.table == "exits" and "exit_date" in export.rows]
    employees = [e for e in exports if e.table == "employees" and {"employee_id", "hire_date"} <= set(e.rows)]
    if not lists or not employees:
        return
    has_days = any("exit_date" in export.rows for export in employees)
    spells, told = _spells(employees), dict[tuple[int, int], dict[str, str]]()
    for export in lists:
        alone, against = [], []
        for at, (person, day, *said) in enumerate(_rows(export, ["employee_id", "exit_date", *TOLD])):
            if not (person and is_day(day)):
                continue
            spell = _spell_that_ends(spells.get(person, []), day, has_days)
            if spell is None:
                alone.append(at)
                continue
            new = {name: text for name, text in zip(TOLD, said, strict=True) if text}
            if spell.said.get("exit_type", new.get("exit_type")) != new.get("exit_type", spell.said.get("exit_type")):
                against.append(at)
            new = {name: text for name, text in new.items() if name not in spell.said}
            spell.said.update(new)
            told.setdefault((spell.export, spell.at), {}).update(new if has_days else {"exit_date": day} | new)
        _note(export, alone, against)
    _fill(employees, told)


def _spells(employees: Sequence[Export]) -> dict[str, list[_Spell]]:
    """Return the spells of each person."""
    spells: dict[str, list[_Spell]] = {}
    for n, export in enumerate(employees):
        columns = ["employee_id", "hire_date", "exit_date", *TOLD]
        for at, (person, hired, left, *said) in enumerate(_rows(export, columns)):
            own = {name: text for name, text in zip(TOLD, said, strict=True) if text}
            spells.setdefault(person or "", []).append(_Spell(n, at, hired, left, own))
    return spells


def _rows(export: Export, columns: list[str]) -> Iterator[tuple[str | None, ...]]:
    rows = export.rows.reindex(columns=columns).astype(object)
    return rows.where(rows.notna(), None).itertuples(index=False, name=None)


def _spell_that_ends(spells: list[_Spell], day: str, has_days: bool) -> _Spell | None:
    """Return the spell that ends nearest to a day; where no file says when people left, the last begun by then."""
    if not has_days:
        begun = [spell for spell in spells if is_day(spell.hired) and spell.hired <= day]
        return max(begun, key=lambda spell: spell.hired or "", default=None)
    ended = [(_days_apart(spell.left, day), spell) for spell in spells if is_day(spell.left)]
    near = [(apart, spell) for apart, spell in ended if apart <= MOST_DAYS_APART]
    return min(near, key=lambda one: one[0])[1] if near else None


def _days_apart(one: str, other: str) -> int:
    return abs((dt.date.fromisoformat(one) - dt.date.fromisoformat(other)).days)


def _note(export: Export, alone: list[int], against: list[int]) -> None:
    lines = export.rows[LINE].to_numpy()
    if alone:
        message = (
            f"no employment of the person in the employees' file ends within {MOST_DAYS_APART} days of exit_date (or, "
            "where that file has no exits, began before it), so the row was not used; correct the day here or there"
        )
        export.note("exit_of_no_spell", message, lines[alone], severity="warning", action="rejected")
    if against:
        message = (
            "the exit_type is not the one that the employees' file, or an earlier row, has of this exit, and that one "
            "stays; make the two agree"
        )
        export.note("exit_types_differ", message, lines[against], severity="warning", action="kept")
    if alone:
        export.frame = export.rows.drop(index=alone).reset_index(drop=True)


def _fill(employees: Sequence[Export], told: dict[tuple[int, int], dict[str, str]]) -> None:
    for n, export in enumerate(employees):
        rows = {at: said for (of, at), said in told.items() if of == n}
        for name in ("exit_date", *TOLD):
            texts = {at: said[name] for at, said in rows.items() if name in said}
            if texts:
                cells = with_texts(export.rows.get(name), len(export.rows), list(texts), list(texts.values()))
                export.frame = export.rows.assign(**{name: cells})
