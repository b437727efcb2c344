"""Columns by their distinct values: what pandas says row by row, for text and for categories of it."""

import numpy as np
import pandas as pd
import pytest

from analysis.validate import rule
from analysis.validate.employees import employed_on
from analysis.validate.rule import among, positions, repeated, spread, together_among

SEEDS = range(8)


def answers(seed: int, n: int = 400, *, as_category: bool = False) -> pd.DataFrame:
    """Return rows in no order, some cells missing, the index no range."""
    random = np.random.default_rng(seed)
    person = pd.Series([f"E{i}" for i in random.integers(40, size=n)], dtype="str")
    item = pd.Series([f"m{i}" for i in random.integers(4, size=n)], dtype="str")
    frame = pd.DataFrame(
        {
            "employee_id": person.mask(random.random(n) < 0.1),
            "item": item.mask(random.random(n) < 0.1),
            "wave": np.where(random.random(n) < 0.1, np.nan, random.integers(1, 4, n)),
        }
    ).set_index(random.permutation(n))
    if as_category:
        # Categories that no row has, and in no order.
        texts = {
            name: random.permutation([*frame[name].dropna().unique(), "nowhere"]) for name in ("employee_id", "item")
        }
        frame = frame.assign(**{name: pd.Categorical(frame[name], categories=its) for name, its in texts.items()})
    return frame


@pytest.mark.parametrize("as_category", [False, True])
@pytest.mark.parametrize("places", [0, 8, 10_000])
@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("seed", SEEDS)
def test_repeated_rows_are_those_that_pandas_finds(monkeypatch, seed, keep, places, as_category):
    monkeypatch.setattr(rule, "PLACES_A_ROW", places)
    frame, columns = answers(seed, as_category=as_category), ["employee_id", "wave", "item"]
    expected = answers(seed).duplicated(columns, keep=keep)
    assert expected.any() and not expected.all()
    pd.testing.assert_series_equal(repeated(frame, columns, keep=keep), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_combinations_than_a_number_can_tell_apart_are_told_apart(monkeypatch, seed):
    monkeypatch.setattr(rule, "_MOST", 50)
    frame, columns = answers(seed), ["employee_id", "wave", "item"]
    pd.testing.assert_series_equal(repeated(frame, columns), frame.duplicated(columns))


def test_without_rows_nothing_is_repeated():
    assert repeated(answers(0).iloc[:0], ["employee_id", "wave"]).empty


@pytest.mark.parametrize("as_category", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_are_looked_up_together_and_a_missing_part_is_not_among_them(seed, as_category):
    known = pd.MultiIndex.from_tuples([(1.0, "m0"), (2.0, "m1"), (2.0, "m2"), (9.0, "m3")], names=["wave", "item"])
    plain = answers(seed)
    expected = [pair in set(known) for pair in zip(plain["wave"], plain["item"], strict=True)]
    found = together_among(answers(seed, as_category=as_category), ["wave", "item"], known)
    assert found.tolist() == expected and found.any() and not found.all()
    assert not together_among(plain, ["wave", "item"], known[:0]).any()


def test_many_pairs_of_which_few_are_known_take_no_room():
    # a waves table that is none: a table of all combinations would have ten billion places
    known = pd.MultiIndex.from_arrays([np.arange(100_000.0), [f"m{i}" for i in range(100_000)]], names=["wave", "item"])
    frame = pd.DataFrame({"wave": [7.0, 7.0, 99_999.0], "item": ["m7", "m8", "m99999"]})
    assert together_among(frame, ["wave", "item"], known).tolist() == [True, False, True]


@pytest.mark.parametrize("as_category", [False, True])
def test_a_value_is_among_the_known_ones_or_not_and_a_missing_one_is_not(as_category):
    frame, known = answers(1, as_category=as_category), pd.Index(["E3", "E7", "X"], dtype="str")
    expected = frame["employee_id"].isin(known)
    pd.testing.assert_series_equal(among(frame["employee_id"], known), expected, check_names=False)
    assert positions(pd.Index(["X", "no", "E3"], dtype="str"), known).tolist() == [2, -1, 0]
    assert spread(np.array([1, -1, 0]), np.array([5, 6]), 0).tolist() == [6, 0, 5]


@pytest.mark.parametrize("seed", SEEDS)
def test_employed_on_a_day_is_who_was_last_hired_by_then_and_has_not_left(seed):
    random = np.random.default_rng(seed)
    hired = pd.Timestamp("1960-01-01") + pd.to_timedelta(random.integers(20_000, size=60), unit="D")
    spells = pd.DataFrame(
        {"employee_id": pd.Series([f"E{i % 25}" for i in range(60)], dtype="str"), "hire_date": hired}
    )
    exits = spells["hire_date"] + pd.to_timedelta(random.integers(3_000, size=60), unit="D")
    spells = spells.assign(exit_date=exits.where(random.random(60) < 0.7))
    ids = pd.Series([f"E{i}" for i in random.integers(30, size=500)], dtype="str").mask(random.random(500) < 0.1)
    days = pd.Series(pd.Timestamp("1955-01-01") + pd.to_timedelta(random.integers(30_000, size=500), unit="D"))
    days = days.mask(random.random(500) < 0.1)

    def plain(person: str, day: pd.Timestamp) -> bool:
        if pd.isna(person) or pd.isna(day):
            return True
        mine = spells[(spells["employee_id"] == person) & (spells["hire_date"] <= day)].sort_values("hire_date")
        return len(mine) > 0 and not mine["exit_date"].iloc[-1] < day

    expected = [plain(person, day) for person, day in zip(ids, days, strict=True)]
    assert employed_on(ids, days, spells).tolist() == expected
    assert employed_on(ids.astype("category"), days, spells).tolist() == expected
    assert employed_on(ids, days, spells.iloc[:0]).tolist() == (ids.isna() | days.isna()).tolist()


def test_before_the_only_hire_there_is_nobody():
    spell = pd.DataFrame({"employee_id": ["E1"], "hire_date": [pd.Timestamp("2020-01-01")], "exit_date": [pd.NaT]})
    days = pd.Series(pd.to_datetime(["2019-12-31", "2020-01-01"]))
    assert employed_on(pd.Series(["E1", "E1"]), days, spell).tolist() == [False, True]
