"""A new release beside every earlier one: whether their difference tells of fewer people than may be shown.

Whoever has two ledgers of nearly the same people can subtract them, and has a ledger of those by whom they differ: the
differencing attack (Denning, Denning & Schwartz 1979, ACM Trans Database Syst 4:76; Hundepool et al. 2012, Statistical
Disclosure Control, ch. 5; Griffiths et al. 2019, Handbook on Statistical Disclosure Control for Outputs). So the
difference of two rows is treated as a row of its own: it may be had where both its groups have `min_cell` people.

What is known of both is what was shown, no more. Rounded counts are intervals, and the fewest people that may lie
between two of them are counted. So whoever has the ledgers can do the same, and a refusal tells nothing that they do
not (Kenthapadi, Mishra & Nissim 2005, PODS: simulatable auditing). The price: where many people come and as many go,
few may seem to lie between, and a release is refused that need not be.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.release.record import Ledger, Release, Row

ARMS = ("n_treated", "n_control")
# Marks of two workforces that agree in so many places, and in a third of those that both have, are of one company. By
# chance one place in sixteen agrees.
LEAST_PLACES, LEAST_ALIKE = 16, 1 / 3
NO_PLACE = "-"


@dataclass(frozen=True)
class Difference:
    """A row whose difference from one of an earlier release may be about too few people.

    Attributes
    ----------
    n
        The fewest people who may lie between the two rows, in the arm where these are fewest.
    min_cell
        So many there must be.
    ledger, row
        What is to be shown now.
    release
        The earlier release: its place in the record, from 1.
    before, earlier
        The ledger and the row that it showed.
    """

    n: int
    min_cell: int
    ledger: Ledger
    row: Row
    release: int
    before: Ledger
    earlier: Row


@dataclass(frozen=True)
class Renamed:
    """A company of a synthesis, the name under which an earlier one showed it, and that one's place in the record."""

    ledger: Ledger
    was: str
    release: int


def differences(release: Release, earlier: Sequence[Release]) -> list[Difference]:
    """Return every row of a release that must not stand beside an earlier one, with the latest that forbids it."""
    found: dict[tuple[str, Row], Difference] = {}
    known = _Known(earlier)
    for ledger in release.ledgers:
        for n, other in known.of(ledger):
            for row, before, fewest in between(ledger, other):
                least = max(ledger.min_cell, other.min_cell)
                if fewest < least:
                    found.setdefault((ledger.study, row), Difference(fewest, least, ledger, row, n, other, before))
    return list(found.values())


def between(new: Ledger, old: Ledger) -> Iterator[tuple[Row, Row, int]]:
    """Yield rows of two ledgers that answer one question in other numbers, and the fewest people between them.

    Rows of one name belong together. One whose name is new belongs to every earlier one of its question whose name is
    gone: programs may have been put together or divided, and horizons moved by a month.
    """
    if new.shown == old.shown:
        return
    now, then = ({row.name: row for row in ledger.told} for ledger in (new, old))
    gone = defaultdict(list)
    for name, row in then.items():
        if name not in now:
            gone[_question(row)].append(row)
    for name, row in now.items():
        for before in [then[name]] if name in then else gone[_question(row)]:
            if row.numbers != before.numbers:
                yield row, before, _fewest(row, new, before, old)


def renamed(release: Release, earlier: Sequence[Release]) -> list[Renamed]:
    """Return the companies of a synthesis that an earlier one showed under other names: the new names hide nothing."""
    pools = [(n, one) for n, one in enumerate(earlier, 1) if one.kind == release.kind == "synthesis"]
    names: dict[str, tuple[str, int]] = {}
    for n, one in pools:
        names |= {key: (ledger.study, n) for ledger in one.ledgers for key in _keys(ledger)}
    known = [(ledger, names[key]) for ledger in release.ledgers for key in _keys(ledger) if key in names]
    return list({ledger.study: Renamed(ledger, *was) for ledger, was in known if was[0] != ledger.study}.values())


def _keys(ledger: Ledger) -> set[str]:
    """Return what a ledger is known by under another name: its data, and its rows."""
    return {ledger.digest, ledger.shown if ledger.rows else ""} - {""}


def _question(row: Row) -> tuple[str, ...]:
    analysis = "main" if row.analysis in ("primary", "secondary") else row.analysis
    return row.hypothesis, row.outcome, row.role, row.rater_source, row.measure, analysis


def _fewest(new: Row, of_new: Ledger, old: Row, of_old: Ledger) -> int:
    """Return the fewest people between two rows in the arm where these are fewest; one at least, as the numbers differ.

    Of different programs participants alone are looked at: their comparators may be the whole company's both times.
    """
    arms = ARMS if new.program == old.program else ARMS[:1]
    gaps = (_gap(_sizes(getattr(new, arm), of_new), _sizes(getattr(old, arm), of_old)) for arm in arms)
    return max(min(gaps), 1)


def _sizes(shown: int, ledger: Ledger) -> tuple[int, int]:
    """Return the smallest and the largest size that is shown like this."""
    return shown, (shown // ledger.round_to + 1) * ledger.round_to - 1


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    return max(0, one[0] - other[1], other[0] - one[1])


# --- of one company ---------------------------------------------------------------------------------------------------


class _Known:
    """The ledgers of earlier releases, found by company, the latest first."""

    def __init__(self, releases: Sequence[Release]) -> None:
        self._ledgers = [(n, ledger) for n, one in enumerate(releases, 1) for ledger in one.ledgers][::-1]
        self._by_name = defaultdict(list)
        for at, (_, ledger) in enumerate(self._ledgers):
            for name in {ledger.study, ledger.digest} - {""}:
                self._by_name[name].append(at)
        self._marked = [at for at, (_, ledger) in enumerate(self._ledgers) if ledger.mark]

    def of(self, ledger: Ledger) -> list[tuple[int, Ledger]]:
        """Return the ledgers of the same company, with the places of their releases."""
        same = {at for name in {ledger.study, ledger.digest} - {""} for at in self._by_name[name]}
        if ledger.mark:
            same |= {at for at in self._marked if is_one_company(ledger.mark, self._ledgers[at][1].mark)}
        return [self._ledgers[at] for at in sorted(same)]


def is_one_company(mark: str, other: str) -> bool:
    """Whether the marks of two workforces are of one company, at two times or of a part and the whole."""
    places = [(a, b) for a, b in zip(mark, other, strict=False) if NO_PLACE not in (a, b)]
    return len(places) >= LEAST_PLACES and sum(a == b for a, b in places) >= LEAST_ALIKE * len(places)
