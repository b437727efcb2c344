"""Two releases of one study: with the record nothing follows from their difference, without it a lot does."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from attacks import RULE, events_of_the_few, finding, plain
from networks import shared_row, write_ledger

from analysis.pipeline.recorded import received_ledgers, workforce_mark
from analysis.plan.results import Estimate, Estimated, estimates_frame
from analysis.release.differences import Difference, between, differences, is_one_company, renamed
from analysis.release.outside import shared_rows
from analysis.release.record import Ledger, Release, shown_ledgers
from analysis.release.rule import ReleaseRule
from analysis.synthesis.ledgers import read_shared
from analysis.synthesis.meta import fit
from analysis.synthesis.pools import synthesize


def shown(*rows: Estimate, rule: ReleaseRule = RULE, **about: str) -> Ledger:
    """Return what the record holds of a study with these exact rows."""
    told = [row for each in rows for row in shared_rows([finding(each)], rule)]
    return held(told, rule, **about)


def held(told: list[Estimate], rule: ReleaseRule = RULE, **about: str) -> Ledger:
    [ledger] = shown_ledgers(estimates_frame(told), {told[0].study: asdict(rule) | about})
    return ledger


def release(*ledgers: Ledger, kind: str = "share") -> Release:
    return Release(date="2026-03-01T00:00:00+00:00", kind=kind, ledgers=ledgers)


def refused(new: Ledger, *earlier: Ledger) -> list[Difference]:
    return differences(release(new), [release(one) for one in earlier])


# --- what a reader works out ------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Two releases by which a few people of the first group differ."""

    before: Estimated
    now: Estimated
    sizes: tuple[int, int]
    few: int
    joined: bool

    @property
    def is_refused(self) -> bool:
        then, now = (held([row]) for row in (self.before, self.now))
        return bool(differences(release(now), [release(then)]))

    @property
    def possible(self) -> set[int]:
        return events_of_the_few(self.before, self.now, self.sizes, self.few, joined=self.joined)


def pairs(n: int, seed: int) -> Iterator[Pair]:
    """Yield pairs of shared rows, both of which may be shown by themselves."""
    rng = np.random.default_rng(seed)
    while n:
        n1, n0 = (int(size) for size in rng.integers(30, 400, 2))
        few, joined = int(rng.integers(1, 10)), bool(rng.integers(2))
        a, b = (int(rng.binomial(size, rng.uniform(0.03, 0.3))) for size in (n1, n0))
        k = int(rng.integers(0, min(few, n1 - a) + 1))
        rows = [plain(a, b, n1, n0), plain(a + k, b, n1 + joined * few, n0)]
        before, now = (shared_rows([finding(row)], RULE)[0] for row in rows)
        if isinstance(before, Estimated) and isinstance(now, Estimated):
            n -= 1
            yield Pair(before, now, (n1, n0), few, joined)


@pytest.fixture(scope="module")
def attacked() -> list[tuple[Pair, set[int]]]:
    return [(pair, pair.possible) for pair in pairs(400, 18)]


def test_without_the_record_the_difference_tells_that_some_of_a_few_people_left(attacked):
    """Each release keeps its own promise; together they do not."""
    told = [min(possible) > 0 for _, possible in attacked]
    assert np.mean(told) > 0.2


def test_with_the_record_no_difference_tells_that_any_of_a_few_people_left(attacked):
    passed = [(pair, possible) for pair, possible in attacked if not pair.is_refused]
    assert len(passed) > 80
    assert all(min(possible) == 0 for _, possible in passed)
    assert all(possible == {0, 1} for pair, possible in passed if pair.few == 1)


def test_a_row_that_stays_the_same_tells_that_not_all_of_the_few_left(attacked):
    """Not promised, and the README says so: rounding hides an event or two, and what stays hides no more."""
    few = [(pair, possible) for pair, possible in attacked if not pair.is_refused and pair.few > 1]
    assert np.mean([len(possible) == 1 for _, possible in few]) < 0.02
    assert 0.1 < np.mean([max(possible) < pair.few for pair, possible in few]) < 0.6


# --- what is refused, and what is not ---------------------------------------------------------------------------------

BASE = plain(10, 146, 137, 664)
WHOLE, MOST = plain(30, 146, 254, 664), plain(29, 146, 246, 664)
LATER = plain(11, 148, 137, 664, horizon_months=13, analysis="primary")
MARK = "0123456789abcdef" * 4


def scored(mean: float, n1: int, n0: int, **changes) -> Estimate:
    about = {"hypothesis": "H2_morale", "outcome": "morale", "measure": "mean_difference", "std_error": 0.09} | changes
    return plain(5, 5, n1, n0, estimate=mean, events_treated=None, events_control=None, **about)


NORTH, SOUTH, AGAIN = replace(MOST, program="north"), replace(BASE, program="south"), replace(MOST, study="acme-2")
ANOTHER = {"estimator": "iptw_aalen_johansen", "contrast": "enrolled_vs_not", "estimand": "ATT"}
SEVENS, TWELVE = ReleaseRule(10, 7), ReleaseRule(12, 5)
FEW = plain(10, 30, 42, 120)
# What is to be released, and what was released before.
SEEN = {
    "two more leavers a month later": (shown(plain(12, 146, 137, 664)), shown(BASE)),
    "one person joined": (shown(plain(10, 146, 140, 664)), shown(plain(10, 146, 139, 664))),
    "two comparators fewer": (shown(plain(10, 136, 137, 662)), shown(BASE)),
    "a subgroup and its whole": (shown(MOST), shown(WHOLE)),
    "a program divided, nearly all in one part": (shown(NORTH, SOUTH), shown(WHOLE)),
    "programs put together": (shown(WHOLE), shown(NORTH, SOUTH)),
    "a horizon moved by a month": (shown(LATER), shown(BASE)),
    "the same people, rounded to sevens": (shown(FEW, rule=SEVENS), shown(FEW)),
    "the same people, a lower min_cell": (shown(scored(0.2, 13, 60)), shown(scored(0.2, 13, 60), rule=TWELVE)),
    "another name, the same files": (shown(AGAIN, digest="d"), shown(WHOLE, digest="d")),
    "another name, newer files": (shown(AGAIN, mark=MARK), shown(WHOLE, mark=MARK[:40] + "-" * 24)),
    "another estimator": (shown(replace(MOST, **ANOTHER)), shown(WHOLE)),
    "scores of one person more": (shown(scored(0.23, 138, 664)), shown(scored(0.21, 137, 664))),
    "scores of a few comparators": (shown(scored(-0.06, 50, 27)), shown(scored(0.1, 36, 22))),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_release_beside_an_earlier_one_of_nearly_the_same_people_is_refused(name):
    now, before = SEEN[name]
    assert now.told and before.told, "each may be shown by itself"
    [found] = refused(now, before)
    assert 1 <= found.n < found.min_cell and found.release == 1
    assert found.row in now.told and found.earlier in before.told


@pytest.mark.parametrize("name", SEEN)
def test_without_the_record_nobody_looks(name):
    """The attacks find what they should: it is the earlier release alone that forbids the new one."""
    now, _ = SEEN[name]
    assert refused(now) == []


MANY = plain(25, 170, 190, 760)
PROMOTED = plain(30, 260, 137, 664, months=24, hypothesis="H8_promotion", outcome="promotion")
ELSEWHERE = replace(plain(12, 146, 137, 664), study="other")
PASSED = {
    "the same once more": (shown(BASE), shown(BASE)),
    "an exit that rounding hides": (shown(plain(10, 147, 137, 664)), shown(BASE)),
    "a year later, with many more people": (shown(MANY), shown(BASE)),
    "a row that was suppressed": (shown(BASE), shown(plain(1, 3, 9, 60))),
    "a row that is suppressed now": (shown(plain(1, 3, 9, 60)), shown(BASE)),
    "another answer beside it": (shown(BASE, PROMOTED), shown(BASE)),
    "another hypothesis": (shown(scored(0.2, 137, 664)), shown(BASE)),
    "another company": (shown(ELSEWHERE, mark="f" * 64), shown(BASE, mark=MARK)),
    "another program, in a study of its own": (
        shown(replace(MANY, program="north"), mark=MARK),
        shown(BASE, mark=MARK),
    ),
}


@pytest.mark.parametrize("name", PASSED)
def test_a_release_that_tells_of_no_few_people_is_made(name):
    assert refused(*PASSED[name]) == []


def test_the_release_that_forbids_it_is_found_among_many():
    """The second is far from both: what counts is the difference from each earlier one."""
    [found] = refused(shown(plain(12, 146, 137, 664)), shown(BASE), shown(MANY))
    assert found.release == 1
    [found] = refused(shown(plain(12, 146, 137, 664)), shown(BASE), shown(MANY), shown(plain(10, 140, 137, 664)))
    assert found.release == 3, "the latest is named"


def test_what_lies_between_two_rows_is_at_least_what_is_said():
    """Over all sizes near a round one: never more than truly lie between; passed from 15 more in each group on."""
    for n1 in range(60, 66):
        for more in range(25):
            then, now = (shown(scored(mean, n, 3 * n)) for mean, n in ((0.1, n1), (0.2, n1 + more)))
            [(_, _, fewest)] = between(now, then)
            assert fewest <= max(more, 1)
            assert (fewest >= RULE.min_cell) or more < RULE.min_cell + RULE.round_to


def test_programs_that_grow_by_a_third_a_year_pass_once_a_year_and_not_every_month():
    rng, passed = np.random.default_rng(5), {1: [], 12: []}
    for _ in range(200):
        n1, n0, p1, p0 = int(rng.integers(60, 400)), int(rng.integers(200, 900)), *rng.uniform(0.05, 0.2, 2)
        a, b = rng.binomial((n1, n0), (p1, p0))
        for months, told in passed.items():
            new1, new0 = rng.poisson((n1 / 3 * months / 12, n0 / 3 * months / 12))
            now = plain(
                int(a + rng.binomial(new1, p1)), int(b + rng.binomial(new0, p0)), int(n1 + new1), int(n0 + new0)
            )
            told.append(not refused(shown(now), shown(plain(int(a), int(b), n1, n0))))
    assert np.mean(passed[12]) > 0.95 and np.mean(passed[1]) < 0.5


# --- of one company ---------------------------------------------------------------------------------------------------


def people(rng: np.random.Generator, n: int) -> pd.Series:
    return pd.Series([f"00000000{rng.bytes(12).hex()}" for _ in range(n)])


@pytest.mark.parametrize("n", [60, 300, 2000])
def test_a_workforce_is_known_again_after_two_years_and_others_are_not(n):
    rng = np.random.default_rng(n)
    for _ in range(10):
        before = people(rng, n)
        after = pd.concat([before[: int(0.75 * n)], people(rng, n // 4)])
        assert is_one_company(workforce_mark(before), workforce_mark(after.sample(frac=1, random_state=1)))
        assert not is_one_company(workforce_mark(before), workforce_mark(people(rng, n)))


def test_a_mark_tells_of_nobody():
    """Whoever is taken out or put in, the mark is nearly always the same; and it is no person's hash."""
    rng = np.random.default_rng(2)
    before = people(rng, 2000)
    marks = [workforce_mark(before.drop(n)) for n in range(100)]
    assert np.mean([mark == workforce_mark(before) for mark in marks]) > 0.9
    assert len(marks[0]) == 64


# --- many companies ---------------------------------------------------------------------------------------------------


def pool(folder, names: list[str], changes: dict[str, dict] | None = None) -> tuple:
    """Return the shared ledgers of companies, and what their pool shows in `pooled.csv`."""
    for n, name in enumerate(names):
        row = shared_row(name, -0.05 + 0.02 * n, 0.02 + 0.005 * n, 100 + 20 * n)
        write_ledger(folder, [replace(row, **(changes or {}).get(name, {}))])
    shared = read_shared([folder])
    return release(*received_ledgers(shared), kind="synthesis"), synthesize(shared).pools[0].main


def test_a_pool_and_the_pool_without_one_company_tell_what_that_company_shared_and_nothing_finer(tmp_path):
    """Found by trying every shared row: the only one that gives the mean and its error. It is about many people, and
    the forest plot shows it by name; so a pool with a company less is not refused."""
    names = ["acme", "birch", "cedar", "dogwood"]
    (four, mean), (three, _) = pool(tmp_path / "four", names), pool(tmp_path / "three", names[:3])
    known = [one.told[0] for one in three.ledgers]
    y, s = ([getattr(row, name) for row in known] for name in ("estimate", "std_error"))
    found = []
    for effect in np.arange(-0.1, 0.1, 0.0025).round(6):
        for error in np.arange(0.0025, 0.06, 0.0025).round(6):
            pooled = fit(np.array([*y, effect]), np.array([*s, error]))
            if np.allclose([pooled.mean, pooled.std_error], [mean.estimate, mean.std_error], rtol=0, atol=1e-6):
                found.append((effect, error))
    [row] = four.ledgers[3].told
    assert found == [(row.estimate, row.std_error)]
    assert min(row.n_treated, row.n_control) >= 10
    assert differences(three, [four]) == differences(four, [three]) == []


def test_a_pool_with_a_company_a_few_people_later_is_refused(tmp_path):
    names = ["acme", "birch", "cedar"]
    before, _ = pool(tmp_path / "before", names)
    now, _ = pool(
        tmp_path / "now",
        names,
        {"birch": {"n_treated": 125, "estimate": -0.02, "ci_low": -0.068999, "ci_high": 0.028999}},
    )
    [found] = differences(now, [before])
    assert (found.ledger.study, found.n) == ("birch", 1)
    assert differences(now, []) == []


def test_a_company_that_a_pool_names_is_not_unnamed_by_another_name(tmp_path):
    """Its row stands in both, and so does its name: whoever has both pools knows it."""
    before, _ = pool(tmp_path / "before", ["acme", "birch"])
    now, _ = pool(tmp_path / "now", ["acme", "company-2"])
    [found] = renamed(now, [before])
    assert (found.ledger.study, found.was, found.release) == ("company-2", "birch", 1)
    assert renamed(now, []) == [] == renamed(before, [before])
    other = release(*before.ledgers, kind="share")
    assert renamed(now, [other]) == [], "a company may give its own study another name"
