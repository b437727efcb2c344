"""The release rule: small groups suppressed, counts rounded, everything else made of what is shown."""

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from ledger_rows import sample_row

from analysis.plan.errors import Problem
from analysis.plan.faults import Faults, collecting
from analysis.plan.results import Check, Estimated, Finding, Suppressed, estimates_frame
from analysis.release.findings import release_check, release_estimate, release_finding, release_problems
from analysis.release.frames import KINDS, NoSchemaError, release_frame
from analysis.release.rule import ReleaseRule, significant
from analysis.release.schemas import load_schemas

RULE = ReleaseRule(10, 5)
ROW = {"estimate": -0.0512345678, "ci_low": -0.09, "ci_high": -0.01, "p_value": 0.01, "n_treated": 43, "n_control": 300,
       "events_treated": 12, "events_control": 90}  # fmt: skip
NUMBERS = ("estimate", "std_error", "ci_low", "ci_high", "ci_level", "p_value", "p_adjusted")
COUNTS = ("n_treated", "n_control", "events_treated", "events_control")


def estimate(**changes) -> Estimated:
    return sample_row(**ROW | changes)


def shown(counts: list[float | None]) -> list[int | None]:
    return [None if pd.isna(n) else int(n) for n in RULE.counts(pd.Series(counts, dtype="Float64"))]


# --- counts


def test_counts_are_rounded_down_and_small_ones_are_missing_nobody_included():
    assert shown([0, 1, 9, 10, 14, 15, 137, None]) == [None, None, None, 10, 10, 15, 135, None]


def test_every_count_that_is_shown_stands_for_five():
    """The smallest one too, where the threshold is a multiple: that is why counts are rounded down."""
    counts = list(range(10, 150))
    stands_for = pd.Series(counts).groupby(shown(counts)).agg(list)
    assert {len(some) for some in stands_for} == {5} and stands_for[10] == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(("min_cell", "counts"), [(3, [None, 3, 3, 5, 5, 10]), (12, [None, None, None, None, 12, 15])])
def test_the_smallest_count_that_is_shown_is_never_below_the_threshold(min_cell, counts):
    """Where the threshold is no multiple, it stands for itself and what is below the next one."""
    found = ReleaseRule(min_cell).counts(pd.Series([2, 3, 4, 9, 13, 16] if min_cell == 12 else [2, 3, 4, 5, 9, 10]))
    assert [None if pd.isna(n) else n for n in found] == counts


# --- the people of one way


def way(*counts: int, losses: tuple[int, ...]) -> list[int | None]:
    told = RULE.along(pd.Series(counts), [n in losses for n in range(len(counts))])
    return [None if pd.isna(n) else int(n) for n in told]


def test_a_stage_less_its_losses_is_the_next_stage_as_it_is_shown():
    assert way(137, 12, 23, 102, losses=(1, 2)) == [135, 10, 25, 100]
    assert way(137, 2, 0, 135, losses=(1, 2)) == [135, None, None, 135]


def test_few_who_are_left_do_not_follow_from_those_lost():
    """Of 30 who started 25 could not be compared: 5 are left, which nobody may read."""
    assert way(30, 25, 0, 5, losses=(1, 2)) == [30, 30, None, None]


def test_each_loss_of_a_way_may_have_been_five_numbers_or_more():
    """By enumeration of all ways of two losses from 25 to 34 people: what is shown of one is shown of others too."""
    ways = [(n, a, b, n - a - b) for n in range(25, 35) for a, b in product(range(13), repeat=2) if n - a - b >= 0]
    alike: dict[tuple, list[tuple]] = {}
    for one in ways:
        alike.setdefault(tuple(way(*one, losses=(1, 2))), []).append(one)
    inner = [same for same in alike.values() if all(max(one[1:3]) < 12 for one in same)]
    assert len(inner) > 4
    for same in inner:
        assert min(len({one[column] for one in same}) for column in range(4)) >= 5


# --- shares, rates, averages


def test_a_share_is_made_of_rounded_counts_and_masked_where_few_have_it_or_lack_it():
    part, whole = pd.Series([63, 9, 92, 120]), pd.Series([101, 101, 101, 144])
    found = RULE.share(part, whole)
    assert found[0] == pytest.approx(60 / 100) and found.isna().tolist() == [False, True, True, False]


def test_whether_a_share_is_masked_follows_from_the_rounded_counts():
    """Else 90 of 100 would tell apart whether six or ten people lack it."""
    pairs = list(product(range(90, 95), range(100, 105)))
    parts, wholes = (pd.Series(side) for side in zip(*pairs, strict=True))
    assert RULE.share(parts, wholes).isna().all()


def test_where_few_count_as_nobody_a_share_is_none_or_all():
    found = RULE.share(pd.Series([4, 97, 60, 4]), pd.Series([100, 100, 100, 9]), is_snapped=True)
    assert found.iloc[:3].tolist() == [0.0, 1.0, 0.6] and pd.isna(found[3])


def test_the_shares_of_answers_are_of_rounded_counts_and_add_up():
    found = RULE.parts(pd.Series([3, 21, 80, 76, 20]) / 200, 200)
    assert found.tolist() == pytest.approx([0, 0.1, 0.4, 0.4, 0.1]) and found.sum() == pytest.approx(1)


def test_a_mean_of_two_digits_does_not_tell_of_how_many_it_is():
    """34 points of 11 people are 3.0909…; to two digits any of 10 to 14 people may have it."""
    assert significant(pd.Series([34 / 11, 0.012345]), 2).tolist() == [3.1, 0.012]
    could_be = [n for n in range(10, 15) if any(significant(pd.Series([k / n]), 2)[0] == 3.1 for k in range(80))]
    assert could_be == [10, 11, 12, 13, 14]


# --- frames, by their schemas


def test_every_column_is_of_a_known_kind_and_rests_on_counts_of_its_frame():
    counts = ("people", "rows", "basis")
    for name, schema in load_schemas().items():
        assert {column.kind for column in schema.values()} <= {*KINDS, "basis"}, name
        assert all(schema[count].kind in counts for column in schema.values() for count in column.of), name


def test_a_frame_without_a_schema_is_not_released():
    with pytest.raises(NoSchemaError, match="salaries"):
        release_frame("salaries", pd.DataFrame({"n_people": [40]}), RULE)
    with pytest.raises(NoSchemaError, match="surname"):
        release_frame("missing", pd.DataFrame({"covariate": ["age"], "surname": ["x"]}), RULE)


def test_a_column_without_the_counts_that_it_rests_on_is_not_released():
    with pytest.raises(NoSchemaError, match="n_people"):
        release_frame("skill_gap", pd.DataFrame({"construct": ["morale"], "mean": [3.2]}), RULE)


def test_at_run_time_nothing_of_such_a_frame_is_shown_and_the_fault_is_told():
    found = finding(evidence={"salaries": pd.DataFrame({"n_people": [40]}), "missing": GAPS})
    with collecting(Faults("acme")) as faults:
        released = release_finding(found, RULE)
    assert list(released.evidence) == ["missing"]
    assert [str(fault.part) for fault in faults.found] == ["frame salaries (genius mentor, H1_retention)"]


GAPS = pd.DataFrame({"covariate": ["rating", "team"], "n_treated": [9, 0], "n_control": [76, 13]})


def test_a_frame_without_rows_stays_one():
    for name, schema in load_schemas().items():
        assert release_frame(name, pd.DataFrame(columns=list(schema)), RULE).empty


def test_few_people_with_a_gap_are_not_counted():
    released = release_frame("missing", GAPS, RULE)
    assert released["n_treated"].isna().all() and released["n_control"].tolist() == [75, 10]


def test_a_small_count_takes_with_it_what_rests_on_it():
    frame = pd.DataFrame(
        {
            "arm": "treated",
            "months": [0, 6, 12],
            "cumulative_incidence": [0.0, 0.1, 0.25],
            "ci_low": 0.0,
            "ci_high": 0.5,
            "n_at_risk": [20, 12, 9],
            "n_events": [0, 2, 5],
        }
    )
    released = release_frame("curves", frame, RULE)
    assert released["n_at_risk"].tolist()[:2] == [20, 10] and released.loc[2, "n_at_risk"] is pd.NA
    assert released["cumulative_incidence"].isna().tolist() == [False, False, True]
    assert released["months"].tolist() == [0, 6, 12] and "n_events" not in released
    assert frame.loc[2, "n_at_risk"] == 9, "the caller's frame stays as it was"


def test_the_reason_of_a_small_group_is_hidden_with_its_numbers():
    frame = pd.DataFrame({"construct": "morale", "wave": [1, 2], "n_people": [4, 44], "mean_difference": [0.5, 0.123],
                          "reason": ["all said alike", "few items"]})  # fmt: skip
    released = release_frame("self_other", frame, RULE)
    assert released["reason"].isna().tolist() == [True, False] and released.loc[1, "mean_difference"] == 0.12


def test_exits_a_year_do_not_follow_from_rates_and_person_years():
    frame = pd.DataFrame(
        {
            "year": [2022, 2023],
            "n_people": [912, 893],
            "person_years": [800.71, 784.44],
            "n_voluntary_exit": [86, 73],
            "n_involuntary_exit": [16, 9],
            "n_other_exit": [19, 20],
            "voluntary_exit_per_100": [10.740, 9.306],
            "involuntary_exit_per_100": [1.998, 1.147],
            "other_exit_per_100": [2.373, 2.550],
        }
    )
    released = release_frame("exit_rates", frame, RULE)
    assert released["person_years"].tolist() == [800, 780]
    assert released["voluntary_exit_per_100"].tolist() == [11.0, 9.0], "85 and 70 by 800 and 780, two digits"
    assert released["involuntary_exit_per_100"].isna().tolist() == [False, True]
    assert not [column for column in released if column.startswith("n_") and column != "n_people"]


def test_rows_of_a_file_add_up_as_they_are_shown():
    counts = pd.DataFrame({"table": "jobs", "source": ["a.csv", "b.csv"], "rows_in": [1003, 200],
                           "rows_kept": [980, 197], "rows_repaired": [97, 91], "rows_translated": [90, 40],
                           "rows_rejected": [23, 3]})  # fmt: skip
    released = release_frame("row_counts", counts, RULE)
    assert released["rows_in"].tolist() == [1000, 200] and released["rows_kept"].tolist() == [980, 195]
    assert released.loc[0, "rows_rejected"] == 20 and released.loc[1, "rows_rejected"] is pd.NA


# --- rows of the ledger


@pytest.mark.parametrize("small", [{"n_treated": 9}, {"n_control": 9}])
def test_a_group_under_min_cell_suppresses_every_number_of_its_row(small):
    released = release_estimate(estimate(**small), RULE)
    assert released.status == "suppressed" and "10" in released.reason
    assert isinstance(released, Suppressed) and released.names == estimate().names
    ledger = estimates_frame([released])
    assert ledger[[*NUMBERS, *COUNTS]].isna().all(axis=None) and len({*NUMBERS, *COUNTS}) == 11


def test_a_group_of_min_cell_is_shown():
    released = release_estimate(estimate(n_treated=10), RULE)
    assert (released.status, released.n_treated) == ("estimated", 10)


def test_counts_of_a_row_are_rounded_and_few_events_are_not_hidden():
    released = release_estimate(estimate(events_treated=9), RULE)
    assert [getattr(released, name) for name in COUNTS] == [40, 300, 5, 90]


@pytest.mark.parametrize(
    ("measure", "told"),
    [
        ("risk_difference", [-0.051, -0.091, -0.001]),
        ("mean_difference", [-0.05, -0.09, -0.01]),
        ("rmst_difference_days", [0.0, -1.0, -1.0]),
    ],
)
def test_an_effect_is_as_precise_as_the_page_and_its_interval_stays_on_its_side_of_nothing(measure, told):
    numbers = {"estimate": -0.051235, "ci_low": -0.09058, "ci_high": -0.000234, "std_error": 0.0241, "p_value": 0.0317}
    exact = estimate(measure=measure, **numbers)
    row = release_estimate(exact, RULE)
    assert [row.estimate, row.ci_low, row.ci_high] == told
    assert (row.std_error, row.p_value) == (0.024, 0.032) and not row.holds_zero


def test_a_ratio_whose_interval_leaves_out_one_still_does():
    row = release_estimate(estimate(measure="risk_ratio", estimate=1.4051, ci_low=1.0004, ci_high=2.104), RULE)
    assert [row.estimate, row.ci_low, row.ci_high] == [1.41, 1.01, 2.1]


def test_an_analysis_that_leaves_two_people_out_shows_the_same_group():
    assert release_estimate(estimate(n_treated=41), RULE).n_treated == release_estimate(estimate(), RULE).n_treated


# --- findings, checks, the data-quality ledger


def finding(**changes) -> Finding:
    base = {"hypothesis": "H1_retention", "program": "genius", "role": "mentor", "primary": estimate()}
    return Finding(**(base | {"verdict": "supported", "smallest_effect": 0.03} | changes))


def test_a_suppressed_answer_takes_its_figures_and_checks_with_it():
    curves = pd.DataFrame(
        {"arm": ["control"], "months": [12], "cumulative_incidence": [0.2], "ci_low": [0.1], "ci_high": [0.3]}
        | {"n_at_risk": [300], "n_events": [60]}
    )
    flow = pd.DataFrame({"step": ["started", "under notice", "analysed"], "n_people": [12, 4, 8]})
    released = release_finding(
        finding(
            primary=estimate(n_treated=8),
            checks=(Check("overlap", True, 3.0, 1.0, "enough"),),
            smallest_detectable=0.05,
            evidence={"curves": curves, "flow": flow},
        ),
        RULE,
    )
    assert released.verdict == "suppressed" and released.checks == () and released.smallest_detectable is None
    assert list(released.evidence) == ["flow"] and released.evidence["flow"]["n_people"].isna().tolist()[2]


def test_a_check_tells_shares_of_rounded_counts_and_of_few_in_words():
    check = Check("lottery", True, 0.0, 0.05, "{taken} started, {crossed} did not; {all} came",
                  shares={"taken": (83, 101), "crossed": (4, 96), "all": (97, 101)})  # fmt: skip
    assert release_check(check, RULE).sentence == "80% started, fewer than 10 did not; all but fewer than 10 came"


def problem(**changes) -> Problem:
    told = {"severity": "warning", "table": "jobs", "source": "a.csv", "rule": "r", "message": "m", "rows": 3}
    return Problem(**told | {"example_rows": (5, 13, 36), "lines": np.array([5, 13, 36])} | changes)


def test_few_rows_of_the_ledger_are_not_counted_and_no_line_is_told():
    few, many, whole = release_problems([problem(), problem(rows=38), problem(rows=0, example_rows=())], RULE)
    assert [few.rows, many.rows, whole.rows] == [None, 35, 0]
    assert {p.example_rows for p in (few, many, whole)} == {()} and few.lines is None


def test_no_number_of_rows_stands_in_a_message_beside_an_answer():
    counted = problem(message="counts as unknown: Boss (3), Chief (1)")
    unused = problem(message="none of the 26 sessions could be used", told="none of the sessions could be used")
    messages = [p.message for p in release_problems([counted, unused], RULE)]
    assert messages == ["counts as unknown: Boss, Chief", "none of the sessions could be used"]


def test_a_ledger_that_stops_the_study_keeps_its_lines_for_whoever_mends_the_files():
    ledger = (problem(severity="error"), problem())
    assert release_problems(ledger, RULE) == ledger


def test_the_study_says_how_counts_are_rounded():
    rule = replace(RULE, round_to=10)
    assert rule.counts(pd.Series([43, 9])).tolist() == [40, pd.NA]


def test_a_snapped_share_of_what_is_unknown_is_unknown():
    """Without a job history nobody's job is known: of 95 people not, and of 2 as little."""
    unknown, employed = pd.Series([None, None], dtype="Float64"), pd.Series([95, 2])
    assert ReleaseRule(3, 5).share(unknown, employed, is_snapped=True).isna().all()
    assert ReleaseRule(3, 5).share(pd.Series([95, 1]), employed, is_snapped=True).isna().tolist() == [False, True]
