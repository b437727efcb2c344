"""Scores of scales, by position, against the plain way: one pivot table of the last answers."""

import numpy as np
import pandas as pd
import pytest

from analysis.measure.scales import SCORE_COLUMNS, item_answers, rated_scores, scale_of, self_scores
from analysis.plan.contract import RATER_ROLES, Tables
from analysis.plan.instruments import Instrument

SEEDS = range(12)
RULES = ("mean", "sum", "top_box")
LEAST = {"mean": 0.5, "sum": 0.75, "top_box": 0.3}


def card(name: str, rule: str, reversed_items: tuple[int, ...] = (2, 4)) -> Instrument:
    """Return an instrument of three scales: morale of nine items, leadership of four, recognition of one."""
    sizes = {"morale": 9, "leadership": 4, "recognition": 1}
    scales = {
        construct: {
            "construct": construct,
            "source": "made up",
            "licence": "CC0-1.0",
            "score": rule,
            "min_answered": LEAST[rule],
            "items": {f"{name}_{construct}{i}": {"reversed": i in reversed_items} for i in range(1, size + 1)},
        }
        for construct, size in sizes.items()
    }
    return Instrument.model_validate(
        {"instrument": name, "title": name, "response": {"min": 1, "max": 5}, "scales": scales}
    )


def cards(rule: str) -> dict[str, Instrument]:
    """Return two instruments that measure the same."""
    return {name: card(name, rule) for name in ("one", "two")}


def random_tables(seed: int, rule: str, n: int = 2_500) -> Tables:
    """Return answers in no order: people who answer twice, skip, and tick what is no whole number; other items."""
    random = np.random.default_rng(seed)
    codes = np.array([(i, code) for i, c in cards(rule).items() for code in c.items] + [("one", "x"), ("three", "y")])
    picked = codes[random.integers(len(codes), size=n)]
    ids = pd.Series([f"E{i}" for i in random.integers(2, 25, n)], dtype="str")
    value = np.where(random.random(n) < 0.15, np.nan, random.integers(1, 6, n) + random.choice([0, 0, 0.1, 1 / 3], n))
    value = np.where(random.random(n) < 0.2, 5.0, value)
    answers = pd.DataFrame(
        {
            "wave": random.integers(1, 4, n).astype(float),
            "instrument": pd.Series(picked[:, 0], dtype="str"),
            "item": pd.Series(picked[:, 1], dtype="str"),
            "value": value,
        },
        index=random.permutation(n),
    )
    raters = pd.Series([f"R{i}" for i in random.integers(6, size=n)], dtype="str")
    ratings = answers.assign(
        ratee_id=ids.to_numpy(),
        rater_id=raters.where(random.random(n) < 0.8).to_numpy(),
        rater_role=random.choice(RATER_ROLES, n),
    ).astype({"ratee_id": "str", "rater_id": "str", "rater_role": "str"})
    return Tables(waves=waves(), responses=answers.assign(employee_id=ids.to_numpy()), ratings=ratings)


def waves() -> pd.DataFrame:
    """Return three waves of each instrument."""
    opens = pd.to_datetime(["2020-01-06", "2021-01-04", "2022-01-03"]).astype("datetime64[s]")
    frame = pd.DataFrame({"wave": [1.0, 2.0, 3.0], "opens": opens, "closes": opens + pd.Timedelta(days=14)})
    return pd.concat([frame.assign(instrument=name) for name in ("one", "two")], ignore_index=True)


# The plain way


def plain_scale(construct: str, instruments: dict[str, Instrument], answers: pd.DataFrame):
    for name in answers["instrument"].value_counts().index:
        for scale in instruments[name].scales.values() if name in instruments else ():
            if scale.construct_name == construct:
                return name, scale
    return None


def plain_items(rows: pd.DataFrame, key: list[str], instrument: Instrument, scale) -> pd.DataFrame:
    rows = rows[rows["item"].isin(scale.items)]
    wide = rows.pivot_table(index=key, columns="item", values="value", aggfunc="last").reindex(
        columns=list(scale.items)
    )
    turned = [code for code, item in scale.items.items() if item.reversed]
    wide[turned] = instrument.response.min + instrument.response.max - wide[turned]
    return wide


def plain_score(items: pd.DataFrame, scale, instrument: Instrument) -> pd.Series:
    n = items.notna().sum(axis="columns")
    if scale.score == "top_box":
        total = (items == instrument.response.max).sum(axis="columns")
    else:
        total = items.sum(axis="columns") * (items.shape[1] if scale.score == "sum" else 1)
    return (total / n).where(n / items.shape[1] >= scale.min_answered)


def plain_ratings(tables: Tables, source: str, name: str) -> pd.DataFrame:
    rows = tables.ratings[tables.ratings["instrument"] == name]
    rows = rows[rows["rater_role"] != "self"] if source == "others" else rows[rows["rater_role"] == source]
    unnamed = rows.groupby(["ratee_id", "wave", "rater_role", "item"]).cumcount().astype(str)
    return rows.assign(rater=rows["rater_role"] + rows["rater_id"].fillna("#" + unnamed))


def assert_scores(scored: pd.DataFrame, expected: pd.DataFrame, name: str) -> None:
    """Fail unless the scores are the expected ones, with their wave's dates, in order of person and wave."""
    dates = waves().query("instrument == @name").set_index("wave")
    assert list(scored.columns) == SCORE_COLUMNS
    columns = [c for c in ("employee_id", "wave", "score", "n_answered", "n_raters") if c in expected]
    pd.testing.assert_frame_equal(scored[columns], expected[columns], check_dtype=False, rtol=1e-12)
    for column in ("opens", "closes"):
        assert (scored[column].to_numpy() == dates.loc[scored["wave"], column].to_numpy()).all()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", SEEDS)
def test_items_are_those_of_a_pivot_table_of_the_last_answers(seed, rule):
    tables, instruments = random_tables(seed, rule), cards(rule)
    for construct in ("morale", "leadership", "recognition"):
        name, scale = plain_scale(construct, instruments, tables.responses)
        rows = tables.responses[tables.responses["instrument"] == name]
        expected = plain_items(rows, ["employee_id", "wave"], instruments[name], scale)
        pd.testing.assert_frame_equal(item_answers(construct, tables, instruments), expected, check_exact=True)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", SEEDS)
def test_own_scores_are_those_of_the_plain_way(seed, rule):
    tables, instruments = random_tables(seed, rule), cards(rule)
    for construct in ("morale", "leadership", "recognition"):
        name, scale = plain_scale(construct, instruments, tables.responses)
        rows = tables.responses[tables.responses["instrument"] == name]
        items = plain_items(rows, ["employee_id", "wave"], instruments[name], scale)
        expected = pd.DataFrame(
            {"score": plain_score(items, scale, instruments[name]), "n_answered": items.notna().sum(axis=1)}
        )
        expected = expected.dropna().reset_index().sort_values(["employee_id", "wave"], ignore_index=True)
        assert len(expected) > 0
        assert_scores(self_scores(construct, tables, instruments), expected, name)


@pytest.mark.parametrize("source", ("others", *RATER_ROLES))
@pytest.mark.parametrize("seed", SEEDS)
def test_rated_scores_are_the_mean_over_raters_named_or_not(seed, source):
    tables, instruments = random_tables(seed, "mean", n=4_000), cards("mean")
    for construct in ("morale", "leadership", "recognition"):
        name, scale = plain_scale(construct, instruments, tables.ratings)
        rows = plain_ratings(tables, source, name)
        items = plain_items(rows, ["ratee_id", "wave", "rater"], instruments[name], scale)
        by_rater = plain_score(items, scale, instruments[name]).dropna()
        expected = by_rater.groupby(["ratee_id", "wave"]).agg(score="mean", n_raters="size").reset_index()
        expected = expected.rename(columns={"ratee_id": "employee_id"})
        assert_scores(rated_scores(construct, tables, instruments, source), expected, name)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_instrument_with_most_answers_is_taken_and_of_equals_the_first(seed):
    instruments, random = cards("mean"), np.random.default_rng(seed)
    for n in (1, 2, 3, 4, 9, 40):
        names = random.choice(["one", "two", "three"], n)
        answers = pd.DataFrame({"instrument": pd.Series(names, dtype="str")})
        found = scale_of("morale", instruments, answers)
        assert found == plain_scale("morale", instruments, answers)
        assert (found is None) == (set(names) == {"three"})


def test_in_a_card_the_first_scale_of_a_construct_is_taken():
    content = card("one", "mean").model_dump(by_alias=True)
    content["scales"] = {f"{name} again": scale for name, scale in content["scales"].items()} | {
        "late": content["scales"]["leadership"] | {"construct": "morale"}
    }
    twice = {"one": Instrument.model_validate(content)}
    answers = pd.DataFrame({"instrument": pd.Series(["one"], dtype="str")})
    assert scale_of("morale", twice, answers) == ("one", twice["one"].scales["morale again"])


# One case each


def one_person(*answers: tuple[str, float]) -> Tables:
    """Return one person's answers on one wave, in that order."""
    items, values = zip(*answers, strict=True)
    frame = pd.DataFrame(
        {
            "employee_id": pd.Series(["E1"] * len(items), dtype="str"),
            "wave": 1.0,
            "instrument": pd.Series(["one"] * len(items), dtype="str"),
            "item": pd.Series(items, dtype="str"),
            "value": np.array(values, dtype=float),
        }
    )
    return Tables(waves=waves(), responses=frame)


def test_of_two_answers_the_last_one_counts_but_a_skipped_one_does_not():
    tables = one_person(
        ("one_leadership1", 2), ("one_leadership3", 1), ("one_leadership1", 4), ("one_leadership1", np.nan)
    )
    items = item_answers("leadership", tables, cards("mean"))
    assert items["one_leadership1"].tolist() == [4.0]
    assert self_scores("leadership", tables, cards("mean"))["score"].tolist() == [2.5]


def test_reversed_items_are_turned():
    items = item_answers("leadership", one_person(("one_leadership1", 2), ("one_leadership2", 2)), cards("mean"))
    assert items.iloc[0, :2].tolist() == [2.0, 4.0]
    assert items.iloc[0, 2:].isna().all()


def test_too_few_answers_give_no_score_but_their_items():
    tables = one_person(("one_leadership1", 2))
    assert len(item_answers("leadership", tables, cards("mean"))) == 1
    scored = self_scores("leadership", tables, cards("mean"))
    assert scored.empty and list(scored.columns) == SCORE_COLUMNS


@pytest.mark.parametrize("answer", [("x", 3.0), ("one_leadership1", np.nan)])
def test_without_an_answer_to_the_scale_there_are_no_rows(answer):
    tables = one_person(answer)
    items = item_answers("leadership", tables, cards("mean"))
    assert items.shape == (0, 4) and items.index.names == ["employee_id", "wave"]
    assert self_scores("leadership", tables, cards("mean")).empty


def test_a_construct_that_no_card_has_is_not_measured():
    tables = one_person(("one_leadership1", 2))
    assert item_answers("digital_fluency", tables, cards("mean")) is None
    assert scale_of("leadership", cards("mean"), None) is None


def test_answers_without_a_person_are_left_out():
    tables = one_person(("one_leadership1", 2), ("one_leadership2", 2), ("one_leadership3", 5))
    tables.responses["employee_id"] = pd.Series(["E1", "E1", None], dtype="str")
    assert item_answers("leadership", tables, cards("mean")).notna().sum(axis=1).tolist() == [2]
