"""For whom, when and with how much of it; and people who start another program of the company."""

import numpy as np
import pandas as pd
import pytest

from analysis.design.follow_up import FollowUp, split
from analysis.design.trials import CompetingStarts, Trials
from analysis.design.weights import weight_for_competing_starts
from analysis.measure.exposure import attended, pairs, participation_end, sessions_within
from analysis.plan.contract import Tables

DAY = pd.Timestamp


def one_follow_up() -> FollowUp:
    """Row 0 has two intervals, row 1 one; both end with an exit."""
    return FollowUp(
        row=np.array([0, 0, 1]),
        entry=np.array([0.0, 3.0, 0.0]),
        exit=np.array([3.0, 8.0, 6.0]),
        outcome=np.array([0, 1, 2]),
        survived=np.array([[1, 1], [1, 2], [2, 2]]),
        order=np.array([0, 1]),
        person=np.array([0, 0]),
        log_factor=np.zeros(3),
    )


def test_a_cut_parts_an_interval_and_its_factor_lasts_to_the_end_of_the_row():
    found = split(one_follow_up(), np.array([0, 0, 1]), np.array([5.0, 2.0, 1.0]), np.array([0.2, 0.1, 0.5]))
    assert found.row.tolist() == [0, 0, 0, 0, 1, 1]
    assert found.entry.tolist() == [0, 2, 3, 5, 0, 1]
    assert found.exit.tolist() == [2, 3, 5, 8, 1, 6]
    assert found.outcome.tolist() == [0, 0, 0, 1, 0, 2]
    np.testing.assert_allclose(found.log_factor, [0, 0.1, 0.1, 0.3, 0, 0.5])
    assert found.survived.tolist() == [[1, 1], [1, 1], [1, 2], [1, 2], [2, 2], [2, 2]]


def test_a_cut_where_an_interval_begins_leaves_no_empty_piece():
    found = split(one_follow_up(), np.array([0]), np.array([3.0]), np.array([0.4]))
    assert found.entry.tolist() == [0, 3, 0] and found.exit.tolist() == [3, 8, 6]
    np.testing.assert_allclose(found.log_factor, [0, 0.4, 0])


def test_who_passes_a_start_elsewhere_stands_in_for_those_who_did_not():
    """Four comparators; six months on, one of three who are still there starts another program: weights times 3/2."""
    zero, later = DAY("2022-01-03"), DAY("2022-07-03")
    rows = pd.DataFrame(
        {
            "trial": 0,
            "trial_date": zero,
            "employee_id": list("TABCD"),
            "is_treated": [True, False, False, False, False],
            "unit": "A",
            "months": [12.0, 12.0, 12.0, 6.0, 2.0],
            "outcome": [None, "voluntary_exit", None, None, "voluntary_exit"],
        }
    )
    starts = pd.DataFrame(
        {"trial": 0, "trial_date": later, "employee_id": list("ABC"), "is_treated": [False, False, True]}
    )
    nothing_known = pd.DataFrame(index=range(3))
    flow = pd.DataFrame({"step": ["started"], "n_people": [1]})
    trials = Trials(rows, pd.DataFrame(index=range(5)), flow, False, (CompetingStarts(starts, nothing_known),))
    follow = FollowUp(
        row=np.arange(5),
        entry=np.zeros(5),
        exit=rows["months"].to_numpy(),
        outcome=np.array([0, 1, 0, 0, 1]),
        survived=np.zeros((5, 2), dtype=int),
        order=np.arange(5),
        person=np.arange(5),
        log_factor=np.zeros(5),
    )
    found = weight_for_competing_starts(follow, trials)
    pieces = pd.DataFrame({"row": found.row, "entry": found.entry, "factor": np.exp(found.log_factor)})
    assert pieces.groupby("row").size().tolist() == [1, 2, 2, 1, 1]
    late = pieces[pieces["entry"] > 0]
    assert late["entry"].tolist() == [6.0, 6.0]
    np.testing.assert_allclose(late["factor"], 1.5)
    np.testing.assert_allclose(pieces.loc[pieces["entry"] == 0, "factor"], 1.0)


def enrolled() -> pd.DataFrame:
    return pd.DataFrame(
        [
            ("genius", "A", "mentor", DAY("2022-01-10"), DAY("2022-07-09"), "m1"),
            ("genius", "B", "mentee", DAY("2022-01-10"), pd.NaT, "m1"),
            ("genius", "C", "mentor", DAY("2022-02-07"), pd.NaT, "m2"),
            ("other", "D", "mentor", DAY("2022-02-07"), pd.NaT, "m9"),
            ("genius", "E", "mentor", pd.NaT, pd.NaT, None),
        ],
        columns=["program_id", "employee_id", "role", "start_date", "end_date", "match_id"],
    )


def met() -> pd.DataFrame | None:
    sessions = pd.DataFrame(
        [
            ("m1", DAY("2022-01-20"), None),  # both of the pair
            ("m1", DAY("2022-08-01"), None),  # A has ended
            ("m1", DAY("2022-01-05"), None),  # before the start
            ("m2", DAY("2022-03-01"), "C; X"),
            ("m9", DAY("2022-03-01"), None),  # another program
        ],
        columns=["match_id", "session_date", "attendee_ids"],
    )
    empty = {name: None for name in Tables.__dataclass_fields__ if name not in ("enrolments", "sessions")}
    return attended(Tables(**empty, enrolments=enrolled(), sessions=sessions), "genius")


def test_everyone_of_a_match_attends_while_there_unless_a_list_says_who():
    found = sorted(zip(met()["employee_id"], met()["session_date"].dt.strftime("%m-%d"), strict=True))
    assert found == [("A", "01-20"), ("B", "01-20"), ("B", "08-01"), ("C", "03-01"), ("X", "03-01")]


def test_sessions_count_from_the_start_and_not_beyond_the_months():
    rows = pd.DataFrame({"employee_id": ["A", "B", "C", "Z"], "trial_date": DAY("2022-01-20")})
    assert sessions_within(met(), rows, months=6).tolist() == [1, 1, 1, 0]
    assert sessions_within(met(), rows, months=7).tolist() == [1, 2, 1, 0]


def test_pairs_and_ends_of_taking_part():
    assert pairs(enrolled(), "genius").to_dict() == {"A": "m1", "B": "m1", "C": "m2"}
    rows = pd.DataFrame(
        {"employee_id": ["A", "B", "A"], "trial_date": DAY("2022-01-10"), "is_treated": [True, True, False]}
    )
    assert participation_end(enrolled(), "genius", rows) == pytest.approx([6.0, np.inf, np.inf])
