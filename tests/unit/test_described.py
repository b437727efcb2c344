"""What describes a study's measurement: each frame against a case worked out by hand, and a company's as a whole."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from demo_answers import demo_exact
from studies import TINY_COMPANY, write_study

from analysis.measure.agreement import self_other_bins
from analysis.measure.careless import careless_of_study, careless_own, careless_rated, without_careless
from analysis.measure.comparability import across_arms, across_waves
from analysis.measure.described import answer_shares, skill_gap, unlinked_means
from analysis.measure.groups import mean_interval, neighbours_merged
from analysis.measure.items import changes_of, common_items, rated_scores_of_items, self_scores_of_items
from analysis.measure.reliability import item_statistics, reliability
from analysis.measure.scales import all_forms, constructs_answered, rater_scores, self_scores, with_rater
from analysis.pipeline import open_study
from analysis.pipeline.described import describe
from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument
from analysis.plan.probability import rng
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule

AGREE = {1: "No", 2: "Hardly", 3: "Partly", 4: "Mostly", 5: "Yes"}
FIVE = {"min": 1, "max": 5, "labels": AGREE}


def card(name: str = "pulse", items: dict | None = None, construct: str = "morale", **scale) -> dict[str, Instrument]:
    """Return the card of one scale; without items three, of which the last is reversed."""
    items = items or {"mor1": {"text": "Good"}, "mor2": {"text": "Fine"}, "mor3": {"text": "Drags", "reversed": True}}
    about = {"construct": construct, "source": "invented", "licence": "CC0-1.0", "items": items} | scale
    document = {"instrument": name, "title": name, "response": FIVE, "scales": {construct: about}}
    return {name: Instrument.model_validate(document)}


def waves(*opens: str, instrument: str = "pulse") -> pd.DataFrame:
    days = pd.to_datetime(list(opens))
    return pd.DataFrame(
        {
            "wave": range(1, len(days) + 1),
            "instrument": instrument,
            "opens": days,
            "closes": days + pd.Timedelta(13, "D"),
        }
    )


def answered(forms: dict[tuple, list], items=("mor1", "mor2", "mor3"), instrument: str = "pulse") -> pd.DataFrame:
    """Return responses from {(person, wave): answers}; None = skipped."""
    rows = [
        {"employee_id": person, "wave": wave, "instrument": instrument, "item": item, "value": value}
        for (person, wave), values in forms.items()
        for item, value in zip(items, values, strict=True)
    ]
    return pd.DataFrame(rows).astype({"value": float}).assign(duration_seconds=np.nan)


def rated(forms: list[tuple], items=("lmr1", "lmr2")) -> pd.DataFrame:
    """Return ratings from [(ratee, rater, role, wave, answers)]."""
    rows = [
        {"ratee_id": ratee, "rater_id": rater, "rater_role": role, "wave": wave, "instrument": "views", "item": item}
        | {"value": value}
        for ratee, rater, role, wave, values in forms
        for item, value in zip(items, values, strict=True)
    ]
    return pd.DataFrame(rows).astype({"value": float, "rater_id": "str"})


VIEWS = card("views", {"lmr1": {"text": "Listens"}, "lmr2": {"text": "Decides"}}, "leadership")
RATINGS = rated(
    [
        ("Ann", "Ann", "self", 1, [5, 4]),
        ("Ann", "Bob", "manager", 1, [4, 4]),
        ("Ann", "Cid", "peer", 1, [3, 4]),
        ("Ann", "Dot", "peer", 1, [2, None]),
        ("Bob", "Bob", "self", 1, [3, 3]),
        ("Bob", "Dot", "peer", 1, [4, 5]),
    ]
)


# --- forms


def test_a_raters_form_is_one_row_and_self_ratings_stay_out_where_a_survey_asks_the_same():
    cards = VIEWS | card(items={"lead1": {"text": "I listen"}}, construct="leadership")
    tables = Tables(ratings=RATINGS, responses=answered({("Ann", 1): [4]}, ["lead1"]))
    own, others = all_forms("leadership", tables, cards)
    assert own.items.index.tolist() == [("Ann", 1, "self")] and own.scores.tolist() == [4]
    assert sorted(others.items.index) == [
        ("Ann", 1, "manager", "Bob"), ("Ann", 1, "peer", "Cid"), ("Ann", 1, "peer", "Dot"), ("Bob", 1, "peer", "Dot"),
    ]  # fmt: skip
    (alone,) = all_forms("leadership", replace(tables, responses=None), VIEWS)
    assert "self" in alone.items.index.unique("rater_role")


def test_raters_scores_are_by_form_and_leave_out_self_ratings():
    found = rater_scores("leadership", Tables(ratings=RATINGS), VIEWS).set_index(["ratee_id", "rater_id"])
    assert found["score"].to_dict() == {("Ann", "Bob"): 4, ("Ann", "Cid"): 3.5, ("Ann", "Dot"): 2, ("Bob", "Dot"): 4.5}
    assert list(found.reset_index()) == ["ratee_id", "rater_id", "rater_role", "wave", "score"]


def test_raters_without_an_id_are_different_people_and_stay_nameless():
    unnamed = RATINGS.assign(rater_id=RATINGS["rater_id"].mask(RATINGS["rater_role"] == "peer"))
    found = rater_scores("leadership", Tables(ratings=unnamed), VIEWS)
    peers = found[(found["rater_role"] == "peer") & (found["ratee_id"] == "Ann")]
    assert peers["rater_id"].isna().all() and sorted(peers["score"]) == [2, 3.5]
    assert with_rater(unnamed)["rater"].notna().all()


def test_constructs_are_those_that_somebody_answered():
    cards = card() | card("idle", {"idl1": {}}, "recognition") | VIEWS
    silent = answered({("Ann", 1): [None]}, ["idl1"], "idle")
    tables = Tables(responses=pd.concat([silent, answered({("Ann", 1): [4, 4, 2]})]), ratings=RATINGS)
    assert constructs_answered(tables, cards) == ["morale", "leadership"]
    assert constructs_answered(Tables(), cards) == []


# --- items not asked


def test_an_item_that_a_wave_did_not_ask_leaves_nobody_out_of_it():
    """Twelve people answer three items in wave 1 and two in wave 2: two items there, and twelve people."""
    random = rng("described", "asked")
    forms = {(f"E{i}", wave): [*random.integers(1, 6, 2), 3 + i % 3 if wave == 1 else None]
             for i in range(12) for wave in (1, 2)}  # fmt: skip
    (own,) = all_forms("morale", Tables(responses=answered(forms)), card())
    found = reliability(own.items)
    assert found["n_items"].tolist() == [3, 2] and found["n_people"].tolist() == [12, 12]
    assert item_statistics(own.items).groupby("wave").size().tolist() == [3, 2]


# --- shares of answers


def test_shares_of_answers_by_hand_with_the_label_that_was_ticked():
    """Of four people two tick “Yes” to “Drags”: right way round that is 1."""
    answers = {("Ann", 1): [4, 3, 5], ("Bob", 1): [4, 3, 5], ("Cid", 1): [5, None, 2], ("Dot", 1): [1, 3, 1]}
    (own,) = all_forms("morale", Tables(responses=answered(answers)), card())
    found = answer_shares(own).set_index(["item", "value"])
    assert found["share"]["mor1"].to_dict() == {1: 0.25, 2: 0, 3: 0, 4: 0.5, 5: 0.25}
    assert found["share"]["mor3"].to_dict() == {1: 0.5, 2: 0, 3: 0, 4: 0.25, 5: 0.25}
    assert found.loc[("mor3", 1), ["label", "text"]].tolist() == ["Yes", "Drags"]
    assert found["n_answered"]["mor2"].unique().tolist() == [3]


def test_only_the_first_and_the_last_wave_are_told_and_no_slider():
    forms = {("Ann", wave): [4, 3, 2] for wave in (1, 2, 3)}
    (own,) = all_forms("morale", Tables(responses=answered(forms)), card())
    assert answer_shares(own)["wave"].unique().tolist() == [1, 3]
    slider = own.instrument.model_copy(update={"response": own.instrument.response.model_copy(update={"max": 100.0})})
    assert answer_shares(replace(own, instrument=slider)).empty


# --- items that changed

CHANGING = {"mor1": {}, "mor2": {"reworded_in": [2]}, "mor3": {}, "mor4": {}}
OVER_TIME = answered(
    {
        ("Ann", 1): [4, 2, 5, None],
        ("Bob", 1): [3, 3, 1, None],
        ("Ann", 2): [5, 2, None, 1],
        ("Ann", 3): [2, 2, None, 1],
    },
    CHANGING,
)


def test_items_that_came_went_or_were_reworded_are_told_wave_by_wave():
    scale = card(items=CHANGING)["pulse"].scales["morale"]
    found = changes_of("pulse", scale, OVER_TIME)
    assert found["changed"].tolist() == ["", "mor2 reworded; mor3 dropped; mor4 new", ""]
    assert found[["n_items", "n_items_common", "n_forms"]].to_numpy().tolist() == [[3, 1, 2], [3, 1, 1], [3, 1, 1]]


def test_a_scale_that_stayed_as_it_was_has_no_rows_and_no_common_items():
    steady = Tables(responses=answered({("Ann", 1): [4, 3, 2], ("Ann", 2): [None, 3, 2], ("Bob", 2): [1, 3, 2]}))
    assert changes_of("pulse", card()["pulse"].scales["morale"], steady.responses).empty
    assert common_items("morale", steady, card()) is None
    assert common_items("recognition", steady, card()) is None


def test_a_wording_changed_before_the_first_wave_or_after_the_last_changes_nothing():
    forms = answered({("Ann", 2): [4, 3, 2], ("Ann", 3): [4, 3, 2]})
    early = card(items={"mor1": {"reworded_in": [2]}, "mor2": {"reworded_in": [4]}, "mor3": {}})
    assert common_items("morale", Tables(responses=forms), early) is None
    amid = card(items={"mor1": {"reworded_in": [3]}, "mor2": {}, "mor3": {}})
    assert common_items("morale", Tables(responses=forms), amid) == ["mor2", "mor3"]


@pytest.mark.parametrize(("score", "expected"), [("mean", [4, 3, 5, 2]), ("sum", [16, 12, 20, 8])])
def test_scores_from_common_items_are_in_the_points_of_the_whole_scale(score, expected):
    cards = card(items=CHANGING, score=score)
    tables = Tables(responses=OVER_TIME, waves=waves("2022-03-01", "2023-03-01", "2024-03-01"))
    items = common_items("morale", tables, cards)
    assert items == ["mor1"]
    found = self_scores_of_items("morale", items, tables, cards).sort_values(["wave", "employee_id"])
    assert found["score"].tolist() == expected


def test_ratings_have_common_items_of_their_own():
    later = RATINGS[RATINGS["item"] == "lmr1"].assign(wave=2)
    tables = Tables(ratings=pd.concat([RATINGS, later]), waves=waves("2022-03-01", "2023-03-01", instrument="views"))
    assert common_items("leadership", tables, VIEWS) == ["lmr1"] == common_items("leadership", tables, VIEWS, "others")
    found = rated_scores_of_items("leadership", ["lmr1"], tables, VIEWS, "others")
    assert found.groupby(["employee_id", "wave"])["score"].first().to_dict() == {
        ("Ann", 1): 3, ("Ann", 2): 3, ("Bob", 1): 4, ("Bob", 2): 4,
    }  # fmt: skip
    assert found["n_raters"].tolist() == [3, 3, 1, 1]


# --- careless forms

TEN = {f"q{i}": {} for i in range(1, 11)}
STRAIGHT = {
    ("Sly", 1): [4] * 10,
    ("Ann", 1): [4, 3, 4, 5, 3, 4, 2, 4, 5, 4],
    ("Sly", 2): [4, 3, 4, 5, 3, 4, 2, 4, 5, 4],
}


def test_only_the_flagged_form_is_left_out_and_it_is_counted():
    tables, cards = Tables(responses=answered(STRAIGHT, TEN)), card(items=TEN)
    kept = without_careless(tables, cards)
    assert set(zip(kept.responses["employee_id"], kept.responses["wave"], strict=True)) == {("Ann", 1), ("Sly", 2)}
    found = careless_of_study(tables, cards).set_index(["wave", "flag"])
    assert found.loc[(1, "flagged"), ["n_people", "n_flagged"]].tolist() == [2, 1]
    assert found.loc[(2, "flagged"), "n_flagged"] == 0 and found["instrument"].unique().tolist() == ["pulse"]
    assert len(careless_own(tables, cards)["pulse"]) == 3 and tables.responses.shape[0] == 30


def test_of_ratings_it_is_the_raters_form_that_is_left_out_not_the_ratee():
    cards = card("views", TEN, "leadership")
    steady = [4, 3, 4, 5, 3, 4, 2, 4, 5, 4]
    forms = [("Ann", "Bob", "peer", 1, [3] * 10), ("Ann", "Cid", "peer", 1, steady), ("Dot", "Bob", "peer", 1, steady)]
    tables = Tables(ratings=rated(forms, TEN))
    kept = without_careless(tables, cards).ratings
    assert list(kept) == list(tables.ratings)
    assert set(zip(kept["ratee_id"], kept["rater_id"], strict=True)) == {("Ann", "Cid"), ("Dot", "Bob")}
    assert careless_rated(tables, cards)["views"]["flagged"].sum() == 1


# --- raters


def both(own: list[float], others: list[float]) -> pd.DataFrame:
    people = [f"L{i:02d}" for i in range(len(own))]
    return pd.DataFrame({"employee_id": people, "wave": 1, "self_score": own, "others_score": others})


def test_leaders_are_grouped_by_their_own_rating_and_each_group_is_large_enough():
    found = self_other_bins(both([1.0, 2, 3, 4, 5, 6, 7, 8, 9], [2.0, 2, 2, 3, 3, 3, 4, 4, 4]), least=3)
    assert found["n_people"].tolist() == [3, 3, 3] and found["bin"].tolist() == [1, 2, 3]
    assert found["self_mean"].tolist() == [2, 5, 8] and found["others_mean"].tolist() == [2, 3, 4]
    assert found["ci_low"].tolist() == [2, 3, 4]


def test_equal_self_ratings_stay_in_one_group_and_a_person_counts_once():
    found = self_other_bins(both([3.0] * 8 + [5.0], [2.0] * 9), least=3)
    assert found["n_people"].tolist() == [9]
    twice = pd.concat([both([1.0, 2], [1.0, 2]), both([3.0, 4], [3.0, 4]).assign(wave=2)])
    (row,) = self_other_bins(twice, least=3).to_dict("records")
    assert row["n_people"] == 2 and row["self_mean"] == 2.5
    assert self_other_bins(both([], []), least=3).empty


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [([5, 5, 5], [0, 1, 2]), ([1, 5, 2, 2, 5], [0, 0, 1, 1, 2]), ([5, 5, 1], [0, 1, 1]), ([1, 2], [0, 0]), ([9], [0])],
)
def test_small_neighbours_are_merged(sizes, groups):
    assert neighbours_merged(sizes, 4).tolist() == groups


def test_the_interval_of_a_mean_is_students():
    """2, 4, 6: mean 4, standard error 2/√3, and 4.303 of them with two degrees of freedom."""
    np.testing.assert_allclose(mean_interval(np.array([2.0, 4, 6])), [4, 4 - 4.968276, 4 + 4.968276], rtol=1e-6)
    assert np.isnan(mean_interval(np.array([3.0]))[1:]).all()


# --- skill gap

PEOPLE = [("Ann", 1, 1995), ("Bob", 1, 1996), ("Cid", 2, 1985), ("Dot", 5, 1980), ("Eve", 5, 1962), ("Fay", 6, 1960)]


def company() -> Tables:
    """Six people, levels 1 to 6; Gus has no level. Fay is promoted between the waves, the last wave is too late."""
    jobs = [(name, "2020-01-01", level) for name, level, _ in PEOPLE] + [("Fay", "2022-09-01", 7)]
    scored = {(name, 1): [5 - i, 5 - i, 1 + i] for i, name in enumerate(["Ann", "Bob", "Cid", "Dot"])}
    scored |= {("Eve", 1): [5, 5, 1], ("Eve", 2): [2, 2, 4], ("Fay", 2): [1, 1, 5], ("Gus", 2): [5, 5, 1]}
    scored |= {(name, 3): [5, 5, 1] for name, *_ in PEOPLE}
    return Tables(
        employees=pd.DataFrame(
            {"employee_id": [*(p[0] for p in PEOPLE), "Gus"], "birth_year": [*(p[2] for p in PEOPLE), 1990]}
        ),
        jobs=pd.DataFrame(jobs, columns=["employee_id", "effective_date", "job_level"]).assign(
            effective_date=lambda f: pd.to_datetime(f["effective_date"]),
            job_level=lambda f: f["job_level"].astype(float),
        ),
        responses=answered(scored),
        waves=waves("2022-03-01", "2023-03-01", "2024-03-01"),
    )


def gap(tables: Tables, least: int = 2, before: str | None = "2024-03-05") -> pd.DataFrame:
    scores = self_scores("morale", tables, card())
    found = skill_gap(scores, tables, None if before is None else pd.Timestamp(before), least)
    return found.set_index(["by", "group"])


def test_the_gap_is_of_last_scores_before_the_start_by_level_and_age_of_that_day():
    found = gap(company())
    assert found["mean"]["job_level"].to_dict() == {"1": 4.5, "2–7": 2.0}
    assert found["mean"]["age"].to_dict() == {"under 30": 4.5, "30–49": 2.5, "60 and over": 1.5}
    assert found["n_people"].groupby("by").sum().to_dict() == {"age": 6, "job_level": 6}, "Gus has no level"
    limits = found.loc["job_level", ["group_from", "group_to"]].to_numpy().tolist()
    assert limits == [[1, 1], [2, 7]], "Fay is of level 7 on the day of her last score"


def test_a_division_of_a_few_is_one_group_and_without_levels_only_age_is_told():
    found = gap(company(), least=10)
    assert found["n_people"].tolist() == [6, 6]
    assert gap(replace(company(), jobs=None)).index.unique("by").tolist() == ["age"]
    assert gap(company(), before="2021-01-01").empty


def test_where_nobody_ever_starts_the_last_score_counts():
    assert gap(company(), before=None).loc["age", "mean"].unique().tolist() == [5]


# --- surveys without person keys


def unlinked(rows: list[tuple]) -> Tables:
    frame = pd.DataFrame(rows, columns=["respondent_id", "wave", "item", "value"]).astype({"respondent_id": "str"})
    return Tables(unlinked_responses=frame.assign(instrument="pulse", value=frame["value"].astype(float)),
                  waves=waves("2022-03-01", "2023-03-01"))  # fmt: skip


FORMS = [("R1", 1, "mor1", 4), ("R1", 1, "mor3", 2), ("R2", 1, "mor1", 2), ("R2", 1, "mor3", 4), ("R3", 1, "mor1", 3),
         ("R3", 1, "mor3", 3), ("R4", 1, "mor1", 5)]  # fmt: skip


def test_with_forms_each_is_scored_and_the_interval_is_students():
    """Scores 4, 2 and 3; the fourth answered one item of three and has no score."""
    (row,) = unlinked_means(unlinked(FORMS), card()).to_dict("records")
    assert row["n_forms"] == 3 and row["opens"] == pd.Timestamp("2022-03-01")
    np.testing.assert_allclose([row["mean"], row["ci_low"], row["ci_high"]], mean_interval(np.array([4.0, 2, 3])))


def test_without_forms_the_items_standard_errors_are_averaged():
    """Means 3.5 and 3 (turned), standard errors √(5/3)/2 and 1/√3, two degrees of freedom from the item that fewest
    answered."""
    nameless = [(None, *rest) for _, *rest in FORMS]
    (row,) = unlinked_means(unlinked(nameless), card()).to_dict("records")
    half = 4.302653 * (np.sqrt(5 / 3) / 2 + 1 / np.sqrt(3)) / 2
    assert (row["n_forms"], row["mean"]) == (4, 3.25)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], [3.25 - half, 3.25 + half], rtol=1e-6)


def test_without_forms_the_interval_is_never_shorter_than_with_them():
    random = rng("described", "unlinked")
    level = random.normal(3, 0.7, 200)
    ticked = np.rint(level[:, None] + random.normal(0, 0.8, (200, 3))).clip(1, 5)
    rows = [
        (f"R{i}", 1, item, v)
        for i, form in enumerate(ticked)
        for item, v in zip(("mor1", "mor2", "mor3"), form, strict=True)
    ]
    keyed, keyless = (unlinked_means(unlinked(r), card()).iloc[0] for r in (rows, [(None, *r[1:]) for r in rows]))
    assert keyed["mean"] == pytest.approx(keyless["mean"])
    assert keyless["ci_high"] - keyless["ci_low"] > keyed["ci_high"] - keyed["ci_low"]


# --- invariance


def scale_over_waves(n: int, n_waves: int, k: int = 3, later: float = 0.0) -> pd.DataFrame:
    """Return answers of people who answer every wave; from the second on the last item is `later` points higher."""
    random = rng("described", "invariance", n, n_waves, k)
    person = random.normal(0, 0.8, (n, 1, 1)) + random.normal(0, 0.4, (n, n_waves, 1))
    items = 3 + person + random.normal(0, 0.6, (n, n_waves, k))
    items[:, 1:, -1] += later
    index = pd.MultiIndex.from_product([[f"E{i:03d}" for i in range(n)], range(1, n_waves + 1)],
                                       names=["employee_id", "wave"])  # fmt: skip
    return pd.DataFrame(items.reshape(n * n_waves, k), index=index, columns=[f"i{j}" for j in range(k)])


def test_first_middle_and_last_wave_are_compared_and_a_moved_item_is_seen():
    steady, moved = across_waves(scale_over_waves(200, 5)), across_waves(scale_over_waves(200, 5, later=0.6))
    assert set(steady["waves"]) == {"1, 3, 5"} and set(steady["across"]) == {"waves"}
    assert steady["holds"].all() and steady["reason"].isna().all()
    assert not moved.set_index("step")["holds"].iloc[2] and "i2" in set(moved["freed_item"].dropna())


def test_a_long_scale_is_compared_on_two_waves_and_an_item_of_one_wave_is_left_out():
    long = across_waves(scale_over_waves(120, 3, k=6))
    assert set(long["waves"]) == {"1, 3"}
    partly = scale_over_waves(120, 2, k=4)
    partly.loc[partly.index.get_level_values("wave") == 2, "i3"] = np.nan
    three = scale_over_waves(120, 2, k=4)[["i0", "i1", "i2"]]
    np.testing.assert_allclose(across_waves(partly)["chi2"], across_waves(three)["chi2"])


def test_where_few_answered_all_three_waves_two_are_compared():
    items = scale_over_waves(120, 3)
    person, wave = items.index.get_level_values(0), items.index.get_level_values("wave")
    assert set(across_waves(items[(wave < 3) | (person < "E030")])["waves"]) == {"1, 2, 3"}
    assert set(across_waves(items[(wave != 2) | (person < "E015")])["waves"]) == {"1, 3"}


@pytest.mark.parametrize(
    ("n_waves", "k", "reason"), [(2, 2, "at least 3 items"), (1, 3, "only one"), (2, 16, "too many for a model")]
)
def test_what_cannot_be_compared_is_one_row_that_says_why(n_waves, k, reason):
    (row,) = across_waves(scale_over_waves(80, n_waves, k)).to_dict("records")
    assert reason in row["reason"] and pd.isna(row["step"]) and pd.isna(row["holds"]) and row["n_people"] == 80


def test_those_who_will_start_are_compared_with_the_others_on_the_last_wave_before():
    items, starts = scale_over_waves(200, 3), pd.Series(pd.Timestamp("2023-06-01"), [f"E{i:03d}" for i in range(60)])
    dates = waves("2022-03-01", "2023-03-01", "2024-03-01")
    found = across_arms(items, dates, starts, starts.min(), "mentors and everybody else")
    assert set(found["waves"]) == {"2"} and found["holds"].all()
    assert found.loc[0, ["n_people", "n_treated", "n_control"]].tolist() == [200, 60, 140]
    (none,) = across_arms(items, dates, starts, pd.Timestamp("2022-03-05"), "mentors").to_dict("records")
    assert "no wave closed" in none["reason"]


# --- release


def test_shares_of_answers_are_of_rounded_counts_and_still_add_up():
    frame = pd.DataFrame({"construct": "morale", "rater_role": "self", "wave": 1, "item": "mor1", "text": "",
                          "label": "", "value": range(1, 6), "share": [0.015, 0.105, 0.4, 0.38, 0.1], "n_answered": 200,
                          "n_people": 200})  # fmt: skip
    shown = release_frame("item_answers", frame, ReleaseRule(10))
    assert shown["share"].tolist() == pytest.approx([0.0, 0.1, 0.4, 0.4, 0.1])
    few = release_frame("item_answers", frame.assign(n_people=9), ReleaseRule(10))
    assert few["share"].isna().all() and few["value"].tolist() == [1, 2, 3, 4, 5]


def test_few_flagged_forms_are_not_counted():
    frame = pd.DataFrame({"instrument": "pulse", "wave": 1, "flag": ["is_fast", "is_longstring", "flagged"],
                          "n_people": 304, "n_flagged": [27, 9, 33], "share_flagged": [0.09, 0.03, 0.11]})  # fmt: skip
    shown = release_frame("careless", frame, ReleaseRule(10))
    assert shown["n_flagged"].tolist() == [25, pd.NA, 30] and shown["n_people"].tolist() == [300] * 3
    assert shown["share_flagged"].round(3).tolist()[::2] == [0.083, 0.1] and pd.isna(shown.loc[1, "share_flagged"])


def test_verdicts_and_counts_of_a_small_arm_are_hidden_and_waves_stay():
    starts = pd.Series(pd.Timestamp("2023-06-01"), [f"E{i:03d}" for i in range(8)])
    arms = across_arms(scale_over_waves(200, 2), waves("2022-03-01", "2023-03-01"), starts, starts.min(), "mentors")
    frame = pd.concat([across_waves(scale_over_waves(200, 2)), arms], ignore_index=True)
    shown = release_frame("invariance", frame, ReleaseRule(10))
    of_arms, of_waves = (shown[(shown["across"] == "waves") == is_waves] for is_waves in (False, True))
    hidden = ["chi2", "holds", "proper", "n_treated", "reason", "freed_item"]
    assert of_arms[hidden].isna().all(axis=None) and of_waves[["chi2", "holds", "n_people"]].notna().all(axis=None)


def test_a_wave_that_few_answered_does_not_tell_which_item_they_skipped():
    frame = pd.DataFrame({"construct": "morale", "instrument": "pulse", "wave": [1, 2], "n_items": [3, 2],
                          "n_items_common": [2, 2], "changed": ["", "mor3 dropped"], "n_forms": [40, 6]})  # fmt: skip
    shown = release_frame("item_changes", frame, ReleaseRule(10))
    assert shown["changed"].isna().tolist() == [False, True] and pd.isna(shown.loc[1, "n_items"])


# --- a company


@pytest.mark.parametrize(
    "missing", [(), ("responses",), ("ratings",), ("employees", "jobs"), ("enrolments", "sessions")]
)
def test_a_tiny_company_is_described_without_any_of_its_tables_and_nothing_of_it_is_shown(tmp_path, missing):
    write_study(tmp_path / "acme", {name: text for name, text in TINY_COMPANY.items() if name not in missing})
    frames = describe(open_study("acme", tmp_path))
    assert ("response_rates" in frames) == ("responses" not in missing) and "unlinked" in frames
    assert ("agreement" in frames) == ("ratings" not in missing)
    assert not frames["careless"].duplicated(["instrument", "wave", "flag"]).any()
    for name in set(frames) - {"row_counts", "participation", "exit_rates", "response_rates"}:
        shown = release_frame(name, frames[name], ReleaseRule(10))
        found = shown.filter(regex="^(mean|alpha|share|sd|icc1|self_mean|chi2|holds)$")
        assert (found.isna() | (found == 0)).all(axis=None), name


@pytest.fixture(scope="module")
def heronmere() -> dict[str, pd.DataFrame]:
    """Return the frames that describe the hospital, as they are."""
    return demo_exact("heronmere").frames


def test_a_hospital_with_six_scales_and_raters_is_described_in_full(heronmere):
    names = ("reliability", "item_statistics", "item_answers", "invariance", "careless", "agreement")
    assert {*names, "self_other", "self_other_bins", "skill_gap"} <= set(heronmere)
    assert "item_changes" not in heronmere and "unlinked" not in heronmere
    found = heronmere["reliability"]
    assert found["construct"].nunique() == 6
    roles = found[found["construct"] == "leadership"]["rater_role"]
    assert sorted(roles.unique()) == ["direct_report", "manager", "peer", "self"] and len(roles) == 12
    assert list(found)[:3] == ["construct", "rater_role", "wave"] and found["alpha"].between(0.5, 0.95).all()
    assert heronmere["careless"].groupby("instrument")["wave"].nunique().to_dict() == {
        "leadership_multirater": 3, "pulse": 6,
    }  # fmt: skip
    assert not heronmere["invariance"].duplicated(["construct", "across", "step", "freed_item"]).any()


def test_in_the_hospital_skill_falls_with_level_and_no_group_is_small(heronmere):
    found = heronmere["skill_gap"]
    digital = found[(found["construct"] == "digital_fluency") & (found["by"] == "job_level")]
    assert digital["mean"].iloc[0] > digital["mean"].iloc[-1] and found["n_people"].min() >= 10
    sizes = found.groupby(["construct", "by"])["n_people"].sum().unstack()
    assert (sizes["age"] == sizes["job_level"]).all()


def test_what_is_released_of_the_hospital_holds_no_small_count(heronmere):
    for name, frame in heronmere.items():
        shown = release_frame(name, frame, ReleaseRule(10))
        counts = shown[[c for c in shown if c.startswith("n_") and not c.startswith("n_items")]].astype(float)
        assert not (counts < 10).any(axis=None) and (counts.fillna(0) % 5 == 0).all(axis=None), name
        assert len(shown) == len(frame)


def test_the_hospitals_leaders_agree_with_others_in_part(heronmere):
    assert heronmere["self_other"]["mean_difference"].gt(0).all()
    assert heronmere["self_other_bins"]["others_mean"].is_monotonic_increasing
    managers = heronmere["agreement"].query("rater_role == 'manager'")
    assert managers["icc1"].isna().all() and managers["reason"].notna().all()
    assert heronmere["agreement"].query("rater_role == 'peer'")["icc1"].between(0.2, 0.8).all()
