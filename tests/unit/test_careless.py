"""Careless responding: indices by hand and against R, and flags that say no more than they can."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.measure.careless import (
    FLAGS,
    careless,
    careless_counts,
    even_odd,
    longstring,
    mahalanobis,
    raw_answers,
    response_variability,
    seconds_per_item,
)
from analysis.measure.groups import NotEstimable
from analysis.plan.instruments import Instrument, Item, Response, Scale
from analysis.plan.probability import rng

FIXTURES = Path(__file__).parents[1] / "fixtures"
CLOSED_FORM = 1e-6
SKIPPED = np.nan


def card(n_scales: int, n_items: int, reversed_item: int | None = None) -> Instrument:
    """Return a card of scales s1, s2, … with items s1_1, s1_2, …; one item of each scale may be reversed."""
    scales = {}
    for s in range(1, n_scales + 1):
        items = {f"s{s}_{j}": Item(reversed=j == reversed_item) for j in range(1, n_items + 1)}
        scales[f"s{s}"] = Scale(construct=f"c{s}", source="invented", licence="CC0-1.0", items=items)
    return Instrument(instrument="pulse", title="Pulse", response=Response(min=1, max=5), scales=scales)


def answered(values, instrument: Instrument, wave: int = 1) -> pd.DataFrame:
    people = [f"E{i:04d}" for i in range(len(values))]
    index = pd.MultiIndex.from_arrays([people, [wave] * len(people)], names=["employee_id", "wave"])
    return pd.DataFrame(np.asarray(values, dtype=float), index=index, columns=list(instrument.items))


def fixture() -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, expected = (pd.read_csv(FIXTURES / f"{name}.csv") for name in ("careless_input", "careless"))
    return answered(rows, card(5, 4, 3)), expected


def careful(n: int, n_scales: int, n_items: int, random: np.random.Generator) -> np.ndarray:
    """Return the answers of people who read: their own level, a level on each scale, and noise on each item."""
    level = 3.4 + random.normal(0, 0.6, (n, 1, 1)) + random.normal(0, 0.4, (n, n_scales, 1))
    return np.rint(level + random.normal(0, 0.6, (n, n_scales, n_items))).clip(1, 5).reshape(n, -1)


def test_longstring_by_hand():
    rows = [
        [1, 1, 2, 2, 2, 1],
        [4, 4, 4, 4, 4, 4],
        [1, 2, 3, 4, 5, 1],
        [3, 3, SKIPPED, 3, 3, 3],
        [SKIPPED, 2, 2, SKIPPED, SKIPPED, 2],
        [SKIPPED] * 6,
    ]
    assert longstring(np.array(rows, dtype=float)).tolist() == [3, 6, 1, 3, 2, 0]


def test_variability_by_hand():
    rows = [[1, 5, 1, 5], [3, 3, 3, 3], [2, 4, SKIPPED, SKIPPED], [2, SKIPPED, SKIPPED, SKIPPED]]
    expected = [np.sqrt(16 / 3), 0, np.sqrt(2), np.nan]
    np.testing.assert_allclose(response_variability(np.array(rows, dtype=float)), expected)


def test_even_odd_by_hand():
    """Odd halves 1, 3, 5 and even halves 2, 3, 5 over three scales: r = .982; opposite halves end at −1."""
    instrument = card(3, 2)
    found = even_odd(answered([[1, 2, 3, 3, 5, 5], [1, 5, 3, 3, 5, 1], [2, 2, 2, 2, 2, 2]], instrument), instrument)
    r = np.corrcoef([1, 3, 5], [2, 3, 5])[0, 1]
    np.testing.assert_allclose(found, [2 * r / (1 + r), -1, np.nan])


def test_even_odd_turns_reversed_items_first():
    instrument = card(3, 2, reversed_item=2)
    found = even_odd(answered([[1, 5, 3, 3, 5, 1]], instrument), instrument)
    np.testing.assert_allclose(found, [1.0])


def test_every_index_equals_r():
    answers, expected = fixture()
    found = careless(answers, card(5, 4, 3))
    columns = ["longstring", "variability", "mahalanobis", "mahalanobis_p", "even_odd"]
    np.testing.assert_array_equal(found[columns].isna(), expected[columns].isna())
    np.testing.assert_allclose(found[columns], expected[columns], rtol=CLOSED_FORM, atol=1e-12)


def test_a_row_answered_blindly_is_flagged_for_what_it_is():
    answers, expected = fixture()
    found = careless(answers, card(5, 4, 3))
    straight, run = found.iloc[:6], found.iloc[12]
    assert straight["is_longstring"].all() and straight["is_invariable"].all() and straight["flagged"].all()
    assert run["longstring"] >= 13 and run["is_longstring"] and not run["is_invariable"]
    assert (found["is_outlying"] == (expected["mahalanobis_p"] < 0.001).to_numpy()).all()
    assert not found["is_inconsistent"].any() and not found["is_fast"].any()


def test_on_a_short_questionnaire_equal_answers_flag_nobody():
    instrument = card(1, 5)
    found = careless(answered(np.full((4, 5), 4), instrument), instrument)
    assert (found["longstring"] == 5).all() and (found["variability"] == 0).all()
    assert not found["flagged"].any()


def test_careful_people_are_rarely_flagged_and_those_who_tick_at_random_or_straight_down_often():
    """Four thousand careful people, 30 scales of four items: under one in ten is flagged; nearly all the careless."""
    random, instrument = rng("careless", "rates"), card(30, 4)
    read = careful(4000, 30, 4, random)
    ticked = random.integers(1, 6, (200, 120))
    straight = np.repeat(random.integers(1, 6, (200, 1)), 120, axis=1)
    found = careless(answered(np.vstack([read, ticked, straight]), instrument), instrument)
    assert found["flagged"][:4000].mean() < 0.10
    assert found["flagged"][4000:4200].mean() > 0.95
    assert found["is_longstring"][4200:].all()


def test_the_tail_of_the_distance_is_right_for_normal_answers():
    values = rng("careless", "distance").normal(size=(20_000, 6)) @ np.triu(np.ones((6, 6)))
    _, tail = mahalanobis(values)
    for level in (0.05, 0.01):
        assert abs((tail < level).mean() - level) < 3 * np.sqrt(level * (1 - level) / 20_000)


@pytest.mark.parametrize(
    "values",
    [
        np.array([[1.0, 2, 3], [2, 3, 1], [3, 1, 2]]),
        np.array([[1.0, 2, 4], [2, 3, 4], [3, 1, 4], [5, 5, 4], [4, 1, 4]]),
        np.array([[1.0, 2, 3], [2, 3, 5], [3, 1, 4], [5, 5, 10], [4, 1, 5]]),
    ],
    ids=["as many people as items", "a constant item", "an item that is the sum of others"],
)
def test_no_distance_where_the_covariance_is_singular(values):
    with pytest.raises(NotEstimable):
        mahalanobis(values)
    instrument = card(1, 3)
    found = careless(answered(values, instrument), instrument)
    assert found["mahalanobis"].isna().all() and not found["is_outlying"].any()
    assert found["reason"].str.contains("distances").all()


def test_a_wave_is_judged_by_itself_and_by_what_it_asked():
    """Wave 2 asked the first two scales alone: its distances have eight degrees of freedom, and it has no even–odd."""
    random, instrument = rng("careless", "waves"), card(5, 4)
    first = answered(careful(80, 5, 4, random), instrument, wave=1)
    second = answered(careful(60, 5, 4, random), instrument, wave=2)
    second.iloc[:, 8:] = np.nan
    together = pd.concat([second, first])
    found = careless(together, instrument)
    assert found.index.equals(together.index)
    alone = mahalanobis(second.iloc[:, :8].to_numpy())
    np.testing.assert_allclose(found["mahalanobis_p"][:60], alone[1])
    assert found["even_odd"][:60].isna().all() and found["even_odd"][60:].notna().any()
    assert found["reason"][:60].str.contains("three scales").all() and found["reason"][60:].isna().all()


def responses(rows: list[tuple]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["employee_id", "item", "value", "duration_seconds"])
    return frame.assign(wave=1, instrument="pulse")


def test_answers_stand_as_ticked_and_in_the_order_of_the_card():
    rows = [("E1", "s1_3", 5.0, 9), ("E1", "s1_1", 1.0, 9), ("E1", "s1_2", SKIPPED, 9), ("E1", "other", 2.0, 9)]
    wide = raw_answers(responses(rows), card(1, 3, reversed_item=3))
    assert list(wide.columns) == ["s1_1", "s1_2", "s1_3"]
    np.testing.assert_array_equal(wide.to_numpy(), [[1, np.nan, 5]])


def test_seconds_are_those_of_the_questionnaire_for_each_item_answered():
    rows = [("E1", f"s1_{j}", 3.0, 4) for j in (1, 2, 3)] + [("E2", "s1_1", 3.0, 4), ("E2", "s1_2", SKIPPED, 4)]
    rows += [("E3", "s1_1", 3.0, np.nan)]
    instrument = card(1, 3)
    seconds = seconds_per_item(responses(rows), instrument)
    assert seconds.round(3).to_dict() == {("E1", 1): 1.333, ("E2", 1): 4.0}
    found = careless(raw_answers(responses(rows), instrument), instrument, seconds)
    assert found["is_fast"].tolist() == [True, False, False] and found["flagged"].tolist() == [True, False, False]


def test_counts_are_of_those_who_have_the_index():
    answers, expected = fixture()
    found = careless(answers, card(5, 4, 3))
    counts = careless_counts(found).set_index("flag")
    assert set(counts.index) == {*FLAGS, "flagged"} and (counts["wave"] == 1).all()
    assert counts.loc["is_outlying", "n_people"] == expected["mahalanobis"].notna().sum()
    assert counts.loc["is_longstring", "n_flagged"] == found["is_longstring"].sum()
    assert counts.loc["flagged", "n_people"] == len(answers)
    assert np.isnan(counts.loc["is_fast", "share_flagged"])
