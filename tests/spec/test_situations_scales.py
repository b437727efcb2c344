"""Scales in companies where other things go on: other programs and roles, older programs, rollouts, an item turned."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from studies import STUDY, write_study

from analysis.design.competing import stand_in_weights
from analysis.design.panels import Panel, Panels
from analysis.estimate.change_assumptions import same_direction_check
from analysis.estimate.event_study import overall
from analysis.estimate.inference import satterthwaite
from analysis.estimate.staggered import Stack, stacked
from analysis.measure.items import Keying, items_against, keyings
from analysis.measure.scales import self_scores
from analysis.pipeline import OpenStudy, open_study

pytestmark = pytest.mark.usefixtures("original_ids")

PROGRAM = STUDY["programs"][0]
BOTH = [PROGRAM, PROGRAM | {"id": "academy", "name": "Academy"}]
IDS = [f"E{n}" for n in range(1, 8)]
WAVES = """\
    wave,instrument,opens,closes
    1,mini,2022-03-01,2022-03-14
    2,mini,2022-09-01,2022-09-14
    3,mini,2023-03-01,2023-03-14
    """
# E1 starts the program between waves 2 and 3; everybody answers every wave.
E1_STARTS = "genius,2022-10-01,E1,mentor,2022-10-03"


def company(folder: Path, *enrolled: str, jobs: tuple[str, ...] = (), **study) -> OpenStudy:
    """Return seven people of one level in departments North and South, and who started what."""
    north = [f"{i},2019-01-01,1,{'North' if n < 4 else 'South'}" for n, i in enumerate(IDS)]
    answers = [f"{i},{wave},mini,m1,{2 + wave % 2}" for i in IDS for wave in (1, 2, 3)]
    tables = {
        "employees": "\n".join(["employee_id,hire_date,exit_date", *(f"{i},2019-01-01," for i in IDS)]),
        "jobs": "\n".join(["employee_id,effective_date,job_level,department", *north, *jobs]),
        "enrolments": "\n".join(["program_id,intake_date,employee_id,role,start_date", E1_STARTS, *enrolled]),
        "waves": WAVES,
        "responses": "\n".join(["employee_id,wave,instrument,item,value", *answers]),
    }
    write_study(folder / "acme", tables, **{"programs": BOTH, **study})
    return open_study("acme", folder)


def panels(opened: OpenStudy) -> tuple[Panel, Panel]:
    """Return the panels after the start and before it, of mentors' morale."""
    scores = self_scores("morale", opened.tables, opened.instruments)
    found = Panels(opened.tables, opened.study, opened.study.programs[0], "mentor")
    return found.after(scores), found.before(scores)


def arms(panel: Panel) -> tuple[list[str], list[str]]:
    """Return who is treated and who is compared."""
    rows = panel.rows
    treated = rows["is_treated"].astype(bool)
    return sorted(rows.loc[treated, "employee_id"]), sorted(rows.loc[~treated, "employee_id"])


# Who is compared


def test_who_starts_another_program_or_the_other_role_before_the_later_wave_is_no_comparator(tmp_path):
    """E2 starts the academy in January, E3 is mentored from November, E4 starts the academy after wave 3."""
    after, _ = panels(
        company(
            tmp_path,
            "academy,2023-01-01,E2,mentor,2023-01-09",
            "genius,2022-11-01,E3,mentee,2022-11-07",
            "academy,2023-06-01,E4,mentor,2023-06-05",
        )
    )
    assert arms(after) == (["E1"], ["E4", "E5", "E6", "E7"])
    flow = after.flow.set_index("step")["n_control"]
    assert flow.iloc[0] == 6 and flow["in the comparison"] == 4, "the flow says that two were lost"


def test_the_same_day_counts_as_a_competing_start_and_those_treated_are_followed_as_they_are(tmp_path):
    """E2 starts the academy on the very day on which E1 starts the program; E1 starts the academy later."""
    after, _ = panels(
        company(tmp_path, "academy,2022-10-01,E2,mentor,2022-10-03", "academy,2023-01-01,E1,mentor,2023-01-09")
    )
    assert arms(after) == (["E1"], ["E3", "E4", "E5", "E6", "E7"])


def test_a_start_elsewhere_after_the_earlier_wave_excludes_both_arms_and_an_older_one_is_a_covariate(tmp_path):
    """E8's like: between wave 2 and the program's start E2 starts the academy; E3 had done so before wave 2."""
    after, _ = panels(
        company(tmp_path, "academy,2022-09-20,E2,mentor,2022-09-26", "academy,2022-06-01,E3,mentor,2022-06-06")
    )
    assert arms(after) == (["E1"], ["E3", "E4", "E5", "E6", "E7"])
    took_part = after.covariates.set_index(after.rows["employee_id"])["in_other_program"]
    assert took_part.to_dict() == {i: float(i == "E3") for i in ["E1", "E3", "E4", "E5", "E6", "E7"]}
    again, _ = panels(company(tmp_path / "again", "academy,2022-09-20,E1,mentor,2022-09-26"))
    assert arms(again) == ([], []), "what the academy did would be in E1's change"


def test_waves_before_the_start_leave_out_who_started_something_else_between_them(tmp_path):
    """Between waves 1 and 2 E2 starts the academy; E3 starts it after wave 2, which these two waves cannot show."""
    _, before = panels(
        company(tmp_path, "academy,2022-06-01,E2,mentor,2022-06-06", "academy,2023-01-01,E3,mentor,2023-01-09")
    )
    assert arms(before) == (["E1"], ["E3", "E4", "E5", "E6", "E7"])


def test_who_started_before_the_period_observed_is_in_neither_arm(tmp_path):
    """The extract begins in October 2022; E2 started in June, between waves 1 and 2."""
    opened = company(tmp_path, "genius,2022-06-01,E2,mentor,2022-06-06", study_start="2022-10-01")
    after, _ = panels(opened)
    assert arms(after) == (["E1"], ["E3", "E4", "E5", "E6", "E7"])
    flow = after.flow.set_index("step")["n_treated"]
    assert flow["started at any time, and their colleagues"] == 2
    assert flow["started in the period observed, and their colleagues"] == 1


def test_in_a_rollout_who_starts_early_or_moves_to_a_reached_unit_is_no_comparator_any_more(tmp_path):
    """North is reached with E1 and E2. E5 of South moves there in December, E6 only after wave 3."""
    after, _ = panels(
        company(
            tmp_path,
            "genius,2022-10-01,E2,mentor,2022-10-03",
            jobs=("E5,2022-12-01,1,North", "E6,2023-06-01,1,North"),
            programs=[PROGRAM | {"assignment": "rollout"}, BOTH[1]],
        )
    )
    assert arms(after) == (["E1", "E2"], ["E6", "E7"])


def test_those_who_stay_stand_in_for_those_like_them_who_left():
    """Forty scored low and forty high; twenty of the low start something else: a low one left stands for about two."""
    low = np.repeat([True, False], 40)
    rows = pd.DataFrame({"cell": 0, "is_treated": False, "is_ended": np.arange(80) < 20, "before": np.where(low, 2, 4)})
    rows = pd.concat([rows, pd.DataFrame({"cell": [0], "is_treated": [True], "is_ended": [False], "before": [3]})])
    rows = rows.assign(before_mean=rows["before"])
    weights = stand_in_weights(rows, pd.DataFrame(index=rows.index))
    assert weights[-1] == 1
    stays = ~rows["is_ended"].to_numpy(dtype=bool)[:80]
    assert weights[:80][stays & low].mean() / weights[:80][stays & ~low].mean() == pytest.approx(2, rel=0.15)
    assert np.average(rows["before"][:80][stays], weights=weights[:80][stays]) == pytest.approx(3, abs=0.08)


def test_nobody_left_is_everybody_once():
    rows = pd.DataFrame(
        {"cell": [0, 0], "is_treated": [True, False], "is_ended": False, "before": 3.0, "before_mean": 3.0}
    )
    assert stand_in_weights(rows, pd.DataFrame(index=rows.index)).tolist() == [1, 1]


# Few units


def test_the_unit_that_a_rollout_goes_by_is_no_covariate_and_others_are():
    """Forty people of two sites and two departments, and sites are reached."""
    one = np.arange(40)
    rows = pd.DataFrame({"cell": 0, "is_treated": one < 10, "wave_position": 1, "employee_id": one, "before": 3.0})
    rows = rows.assign(after=3.0 + one % 3, unit=one < 20, stand_in_weight=1.0)
    known = pd.DataFrame({"location": np.where(one < 20, "Ghent", "Oslo"), "department": np.where(one % 2, "a", "b")})
    _, matrix = stacked((Panel(rows, known, unit="location"),), by_unit=True)
    assert set(matrix.levels) == {"department"}
    _, matrix = stacked((Panel(rows, known),), by_unit=True)
    assert set(matrix.levels) == {"location"}


def test_degrees_of_freedom_of_two_means_are_welchs():
    """Means of two and of four units with the same variance: (1/2 + 1/4)² / ((1/2)²/1 + (1/4)²/3)."""
    blocks = [np.eye(n) - 1 / n for n in (2, 4)]
    responses = np.zeros((6, 6))
    responses[:2, :2], responses[2:, 2:] = blocks[0] / 2 * np.sqrt(2), blocks[1] / 4 * np.sqrt(4 / 3)
    assert satterthwaite(responses) == pytest.approx(0.75**2 / (0.25 + 0.0625 / 3))


def test_two_units_of_six_have_the_variance_of_their_means_and_welchs_degrees_of_freedom():
    """Changes of ten people in each of six units: all of a unit alike, so that units are all there is to see."""
    change = np.array([0.3, 0.1, 0.0, 0.2, -0.2, 0.4])
    unit = np.repeat(np.arange(6), 10)
    one = np.ones(60, dtype=int)
    stack = Stack(change[unit], unit < 2, one - 1, one, np.zeros((60, 0)), unit, by_unit=True)
    found = overall(stack, np.where(unit < 2, 1.0, 0.5))
    assert found.estimates[0] == pytest.approx(change[:2].mean() - change[2:].mean())
    variance = change[:2].var(ddof=1) / 2 + change[2:].var(ddof=1) / 4
    assert found.covariance[0, 0] == pytest.approx(variance, rel=0.03), "HC3 enlarges the people's residuals a little"
    assert found.df[0] == pytest.approx(0.75**2 / (0.25 + 0.0625 / 3), rel=1e-3)


def test_one_unit_left_to_compare_with_gives_no_interval():
    unit = np.repeat(np.arange(4), 5)
    one = np.ones(20, dtype=int)
    stack = Stack(unit + 0.0, unit < 3, one - 1, one, np.zeros((20, 0)), unit, by_unit=True)
    assert np.isnan(overall(stack, np.where(unit < 3, 1.0, 3.0)).interval(0).std_error)


# An item keyed the wrong way


def answers(n: int, turned: tuple[int, ...] = (), loading: float = 0.65) -> np.ndarray:
    """Return answers of 1 to 5 to five questions about the same thing, some of them keyed the wrong way."""
    draw = np.random.default_rng(n)
    trait, own = draw.normal(size=(n, 1)), draw.normal(size=(n, 5))
    values = np.rint(3 + 1.1 * (loading * trait + np.sqrt(1 - loading**2) * own)).clip(1, 5)
    return np.where(np.isin(np.arange(5), turned), 6 - values, values)


def test_a_turned_item_is_found_and_an_item_that_measures_nothing_is_not():
    assert items_against(answers(300)) == []
    assert items_against(answers(300, turned=(2,))) == [2]
    assert items_against(answers(300, turned=(2, 4))) == [2, 4]
    assert items_against(answers(300, loading=0.0)) == []
    assert items_against(answers(20, turned=(2,), loading=0.4)) == []


def surveyed(folder: Path, turned: tuple[int, ...]) -> OpenStudy:
    """Return a company of which 120 people answered five questions of one card, all keyed alike there."""
    given = answers(120, turned)
    forms = [f"P{p},1,five,q{i + 1},{given[p, i]:g}" for p in range(120) for i in range(5)]
    tables = {
        "employees": "\n".join(["employee_id,hire_date", *(f"P{p},2019-01-01" for p in range(120))]),
        "waves": "wave,instrument,opens,closes\n1,five,2022-03-01,2022-03-14",
        "responses": "\n".join(["employee_id,wave,instrument,item,value", *forms]),
    }
    write_study(folder / "acme", tables)
    items = "\n".join(f"      q{i}: {{text: 'Question {i}'}}" for i in range(1, 6))
    card = (
        "instrument: five\ntitle: Five questions\nresponse: {min: 1, max: 5}\nscales:\n  morale:\n"
        f"    construct: morale\n    source: invented\n    licence: CC0-1.0\n    items:\n{items}\n"
    )
    (folder / "acme" / "instruments").mkdir(exist_ok=True)
    (folder / "acme" / "instruments" / "five.yaml").write_text(card)
    return open_study("acme", folder)


def test_the_ledger_names_the_item_that_the_card_has_the_wrong_way(tmp_path):
    found = [p for p in surveyed(tmp_path, (2,)).problems if p.rule == "item_against_the_others"]
    assert [(p.severity, p.source, p.action) for p in found] == [("warning", "instruments/five.yaml", "kept")]
    assert "item q3 runs against the other items of morale" in found[0].message
    assert not [p for p in surveyed(tmp_path / "right", ()).problems if p.rule == "item_against_the_others"]


def test_the_answer_has_a_check_of_it(tmp_path):
    turned = surveyed(tmp_path, (2,))
    failed = same_direction_check(keyings(turned.tables, turned.instruments))
    assert failed.passed is False and "q3" in failed.sentence
    assert same_direction_check([]).passed is None
    right = Keying("five", "morale", "self", 120, 0.4, (), 0.8, 0.8)
    assert same_direction_check([right]).passed is True
