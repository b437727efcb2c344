"""The synthesis: which ledgers are taken, what is pooled with what, and a clear answer where there is little."""

import numpy as np
import pandas as pd
import pytest
from ledger_rows import DASHBOARD, MORALE, OFFERED
from networks import (
    DESIGN,
    PROGRAM,
    change_about,
    invented_network,
    shared_row,
    suppressed,
    write_ledger,
    write_network,
)

from analysis.plan.errors import BadInput
from analysis.plan.hypotheses import load_plan
from analysis.synthesis.ledgers import read_shared
from analysis.synthesis.meta import fit, prediction_limits
from analysis.synthesis.pooled import NotPooled, Pool, Synthesis, pooled_frame
from analysis.synthesis.pools import pooled, synthesize

EFFECTS, ERRORS = (-0.06, -0.01, 0.02, -0.04, -0.03), (0.02, 0.03, 0.04, 0.025, 0.05)


def together(folder) -> Synthesis:
    return synthesize(read_shared([folder]))


def only(synthesis: Synthesis) -> Pool:
    [pool] = synthesis.pools
    return pool


# --- which ledgers are taken ------------------------------------------------------------------------------------------


def test_what_share_writes_is_read(tmp_path):
    shared = read_shared([write_network(tmp_path, EFFECTS, ERRORS)])
    assert list(shared.about) == [f"company-{n:02}" for n in range(5)]
    assert shared.rows["estimate"].tolist() == list(EFFECTS)
    assert (shared.rows["assignment"] == "self_selected").all() and (shared.rows["sector"] == "banking").all()


def edit(path, line: int, column: str, value: str) -> None:
    """Put another value into a cell of a ledger; the header is line 1."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.loc[line - 2, column] = value
    table.to_csv(path, index=False)


CELLS = [
    ("study", "zebra", "another study"),
    ("hypothesis", "H99", "is not in data/hypotheses.yaml"),
    ("analysis", "sensitivity", "for the inside"),
    ("measure", "risk_ratio", "for the inside"),
    ("role", "boss", "catalogue"),
    ("estimand", "ITT", "does not follow from the row's names"),
    ("horizon_months", "", "no whole number of months"),
    ("estimate", "-1.5", "between -1 and 1"),
    ("estimate", "much", "is no number"),
    ("estimate", "-0.0613", "finer than"),
    ("std_error", "0.0217", "finer than"),
    ("std_error", "0", "not above zero"),
    ("ci_low", "-0.2", "does not follow"),
    ("ci_level", "0.9", "is not 0.95"),
    ("n_treated", "2", "people or more"),
    ("n_treated", "50.5", "no whole number"),
    ("p_value", "0.04", "for the inside"),
    ("events_treated", "5", "for the inside"),
    ("status", "guessed", "is none of"),
    ("status", "suppressed", "must be empty"),
]


@pytest.mark.parametrize(("column", "value", "said"), CELLS)
def test_a_cell_that_breaks_the_contract_is_named_with_file_line_and_column(tmp_path, column, value, said):
    folder = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02), shared_row("acme", -0.04, 0.02, role="mentee")])
    read_shared([folder])
    edit(folder / "estimates.csv", 3, column, value)
    with pytest.raises(BadInput) as bad:
        read_shared([folder])
    told = [str(problem) for problem in bad.value.problems]
    assert any(said in text and "estimates.csv, line 3: column " in text for text in told), told
    assert all(problem.lines.tolist() == [3] for problem in bad.value.problems)
    if len(value) > 3:
        assert not any(value in text for text in told), "what stands in a cell might be anything"


def test_every_mistake_of_every_ledger_is_told_at_once(tmp_path):
    write_network(tmp_path, EFFECTS, ERRORS)
    edit(tmp_path / "company-00" / "estimates.csv", 2, "p_value", "0.5")
    edit(tmp_path / "company-03" / "estimates.csv", 2, "std_error", "0")
    (tmp_path / "company-04" / "share.json").write_text('{"audience": ', encoding="utf-8")
    with pytest.raises(BadInput) as bad:
        read_shared([tmp_path])
    assert {p.source.split("/")[-2] for p in bad.value.problems} == {"company-00", "company-03", "company-04"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"audience": "inside"}, "inside of the company"),
        ({"study": "a company"}, "study: not as mentoring share writes it"),
        ({"programs": {PROGRAM: DESIGN | {"direction": "sideways"}}}, "programs: not as"),
        ({"programs": {"other": DESIGN}}, "column program"),
        ({"scales": {"morale": [1, None]}}, "scales: not as"),
    ],
)
def test_what_the_file_beside_a_ledger_must_say(tmp_path, changes, said):
    folder = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02)])
    change_about(folder, changes)
    with pytest.raises(BadInput, match=said):
        read_shared([folder])


def test_a_reports_own_ledger_is_not_taken(tmp_path):
    folder = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02)])
    (folder / "share.json").unlink()
    with pytest.raises(BadInput, match="inside of the company"):
        read_shared([folder])
    with pytest.raises(BadInput, match=r"has no share\.json"):
        read_shared([folder / "estimates.csv", folder])


def test_a_column_too_many_or_missing_is_told_without_its_name(tmp_path):
    path = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02)]) / "estimates.csv"
    table = pd.read_csv(path)
    table.assign(**{"Remarks on Ms X": "?"}).drop(columns="reason").to_csv(path, index=False)
    with pytest.raises(BadInput, match="column reason is missing; 1 column too many") as bad:
        read_shared([path])
    assert "Remarks" not in str(bad.value)


def test_columns_may_stand_in_another_order(tmp_path):
    path = write_ledger(tmp_path, [shared_row("acme", -0.06, 0.02)]) / "estimates.csv"
    before = read_shared([path]).rows
    pd.read_csv(path, dtype=str, keep_default_na=False).iloc[:, ::-1].to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_shared([path]).rows, before)


def test_two_ledgers_of_one_study_and_a_row_twice_are_refused(tmp_path):
    row = shared_row("acme", -0.06, 0.02)
    write_ledger(tmp_path / "a", [row])
    write_ledger(tmp_path / "b", [row])
    with pytest.raises(BadInput, match="second ledger of the study acme, of the same data"):
        read_shared([tmp_path])
    change_about(tmp_path / "b" / "acme", {"digest": "else"})
    with pytest.raises(BadInput, match="of other data"):
        read_shared([tmp_path])
    write_ledger(tmp_path / "c", [row, row])
    with pytest.raises(BadInput, match="a second time"):
        read_shared([tmp_path / "c"])


# --- what is pooled with what -----------------------------------------------------------------------------------------


def test_companies_are_pooled_as_the_estimator_says(tmp_path):
    pool = only(together(write_network(tmp_path, EFFECTS, ERRORS)))
    expected = fit(np.array(EFFECTS), np.array(ERRORS))
    assert pool.main.estimate == pytest.approx(expected.mean) and pool.main.limits == pytest.approx(expected.limits)
    limits = prediction_limits(np.array(EFFECTS), np.array(ERRORS))
    assert (pool.main.prediction_low, pool.main.prediction_high) == pytest.approx(limits)
    assert pool.main.n_studies == 5 and pool.main.n_treated == 500
    assert [r.level for r in pool.of("without")] == [f"company-{n:02}" for n in range(5)]
    assert pool.companies["weight"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "other",
    [OFFERED, {"role": "mentee"}, {"horizon_months": 24}, {"outcome": "any_exit"}, MORALE, DASHBOARD],
    ids=["estimand", "role", "horizon", "outcome", "measure", "naive"],
)
def test_what_is_of_another_kind_is_never_pooled(tmp_path, other):
    write_network(tmp_path / "a", EFFECTS, ERRORS)
    for n, (effect, error) in enumerate(zip(EFFECTS, ERRORS, strict=True)):
        write_ledger(tmp_path / "b", [shared_row(f"other-{n}", effect + 0.2, error, **other)])
    found = together(tmp_path)
    assert sorted(p.main.n_studies for p in (*found.pools, *found.naive)) == [5, 5]
    assert only(together(tmp_path / "a")).main.estimate in [p.main.estimate for p in found.pools]
    rows = read_shared([tmp_path]).rows.assign(scale=None, is_naive=False)
    with pytest.raises(ValueError, match="are not pooled"):
        pooled({}, rows, 0)


def test_points_of_different_scales_are_not_pooled_and_those_of_an_unknown_one_not_at_all(tmp_path):
    for n, (effect, scales) in enumerate([(0.1, [1, 5]), (0.2, [1, 5]), (3.0, [0, 100]), (0.3, None)]):
        facts = {} if scales is None else {"morale": scales}
        write_ledger(tmp_path, [shared_row(f"c{n}", effect, 0.1, **MORALE)], scales=facts)
    found = {p.main.scale: p.main for p in together(tmp_path).pools}
    assert found["1 to 5"].n_studies == 2 and found["1 to 5"].estimate == pytest.approx(0.15)
    assert found["0 to 100"].status == found["unknown"].status == "not_estimable"
    assert "do not say" in found["unknown"].reason


def test_programs_of_one_company_count_once_and_are_no_more_precise_than_one(tmp_path):
    two = [shared_row("acme", -0.06, 0.02), shared_row("acme", -0.02, 0.02)]
    rows = pd.DataFrame({"study": "acme", "estimate": [r.estimate for r in two], "std_error": 0.02, "n_treated": 100,
                         "n_control": 300, "measure": "risk_difference", "assignment": "self_selected",
                         "direction": ["reverse", "traditional"], "format": "pair", "sector": None,
                         "is_capped": [False, True]})  # fmt: skip
    from analysis.synthesis.pools import by_company

    [company] = by_company(rows).to_dict("records")
    assert company["estimate"] == pytest.approx(-0.04) and company["std_error"] == pytest.approx(0.02)
    assert (company["n_programs"], company["direction"], company["format"]) == (2, "several", "pair")
    assert company["is_capped"], "one program whose check failed is enough"


def test_randomized_and_other_companies_of_one_estimand_are_shown_apart_and_together(tmp_path):
    for n, (effect, error) in enumerate(zip(EFFECTS * 2, ERRORS * 2, strict=True)):
        design = DESIGN | {"assignment": "rollout" if n % 2 else "self_selected"}
        write_ledger(tmp_path, [shared_row(f"c{n}", effect, error)], programs={PROGRAM: design})
    pool = only(together(tmp_path))
    apart = {row.level: row for row in pool.of("assignment")}
    assert set(apart) == {"rollout", "self_selected"} and all(r.n_studies == 5 for r in apart.values())
    assert len({r.p_difference for r in apart.values()}) == 1 and pool.main.n_studies == 10


def test_a_moderator_that_makes_the_difference_is_seen_and_one_of_few_companies_is_not_tried(tmp_path):
    rng = np.random.default_rng(1)
    for n in range(16):
        design = DESIGN | {"direction": "reverse" if n % 2 else "traditional", "format": "group" if n < 3 else "pair"}
        effect = (-0.1 if n % 2 else 0.0) + 0.01 * rng.standard_normal()
        write_ledger(tmp_path, [shared_row(f"c{n:02}", effect, 0.02, 40 + 20 * n)], programs={PROGRAM: design})
    pool = only(together(tmp_path))
    direction = {row.level: row for row in pool.of("direction")}
    assert direction["reverse"].estimate < -0.08 < -0.02 < direction["traditional"].estimate
    assert direction["reverse"].p_difference < 0.001 and not pool.of("format") and pool.of("size")


def test_the_reasons_of_families_and_verdicts_are_the_plans(tmp_path):
    effects = np.linspace(-0.13, -0.11, 8)
    main = only(together(write_network(tmp_path, effects, np.full(8, 0.02)))).main
    assert main.verdict == "supported" and main.p_adjusted == pytest.approx(main.p_value)
    assert load_plan().hypothesis("H1_retention").smallest_effect < 0.11


# --- where there is little --------------------------------------------------------------------------------------------


def test_one_company_is_no_pool(tmp_path):
    main = only(together(write_network(tmp_path, EFFECTS[:1], ERRORS[:1]))).main
    assert isinstance(main, NotPooled) and (main.status, main.verdict) == ("not_estimable", "not_estimable")
    assert "nothing to pool" in main.reason


def test_two_companies_have_a_mean_and_no_prediction(tmp_path):
    main = only(together(write_network(tmp_path, EFFECTS[:2], ERRORS[:2]))).main
    assert main.is_estimated and main.prediction_low is None and main.ci_high - main.ci_low > 0.1


def test_companies_that_agree_to_the_last_digit_have_an_interval_all_the_same(tmp_path):
    main = only(together(write_network(tmp_path, [-0.03] * 4, [0.02] * 4))).main
    assert main.tau2 == 0 and main.std_error == pytest.approx(0.01) and main.ci_low < -0.06


def test_where_every_row_is_suppressed_that_is_the_answer(tmp_path):
    for n in range(3):
        write_ledger(tmp_path, [suppressed(shared_row(f"c{n}", 0, 0.1))])
    main = only(together(tmp_path)).main
    assert (main.status, main.verdict, main.n_studies, main.n_absent) == ("suppressed", "suppressed", 0, 3)


def test_companies_without_a_number_are_counted_and_what_they_could_change_is_said(tmp_path):
    write_network(tmp_path, EFFECTS, ERRORS)
    for n in range(5):
        write_ledger(tmp_path, [suppressed(shared_row(f"silent-{n}", 0, 0.1))])
    pool = only(together(tmp_path))
    [absent] = pool.of("absent_without_effect")
    assert pool.main.n_absent == 5 and abs(absent.estimate) < abs(pool.main.estimate) and absent.n_studies == 10


def test_the_weight_of_companies_with_few_events_is_told(tmp_path):
    few = (0.07 * 0.93 * (1 / 100 + 1 / 300)) ** 0.5  # 7 events of 100
    many = (0.3 * 0.7 * (1 / 100 + 1 / 300)) ** 0.5
    pool = only(together(write_network(tmp_path, [-0.02, -0.03, 0.01], [few, few, many])))
    assert pool.companies["few_events"].tolist() == [True, True, False]
    assert 0.6 < pool.main.share_few_events < 1


@pytest.mark.parametrize(
    ("failed", "verdict"),
    [((), "supported"), ((2,), "supported"), ((0, 2), "inconclusive"), ((0, 1, 2), "inconclusive")],
)
def test_where_failed_checks_carry_half_of_the_weight_the_verdict_is_inconclusive(tmp_path, failed, verdict):
    """As in a study: what most of the information is at risk of, the whole is."""
    for n, (effect, error) in enumerate([(-0.11, 0.01), (-0.1, 0.01), (-0.09, 0.02)]):
        row = shared_row(f"company-{n}", effect, error)
        write_ledger(tmp_path, [row], capped=[row.row] if n in failed else [])
    pool = only(together(tmp_path))
    weight = pool.companies.loc[pool.companies["study"].isin([f"company-{n}" for n in failed]), "weight"].sum()
    assert pool.main.share_capped == pytest.approx(weight) and pool.main.verdict == verdict
    assert pool.main.ci_high < 0, "it is not the interval that leaves it open"
    without = pool.of("without_capped")
    assert [row.n_studies for row in without] == ([2] if len(failed) == 1 else [])


def test_the_between_company_variance_is_never_negative():
    rng = np.random.default_rng(2)
    for method in ("reml", "paule_mandel"):
        for _ in range(50):
            s = rng.uniform(0.01, 0.1, 6)
            found = fit(0.3 * s * rng.standard_normal(6), s, method=method)
            assert found.tau2 >= 0 and found.tau2_limits[0] <= found.tau2 <= max(found.tau2_limits[1], found.tau2)


def test_the_interval_is_never_narrower_than_that_of_one_common_effect():
    rng = np.random.default_rng(3)
    for k in (2, 3, 8):
        for _ in range(30):
            s = rng.uniform(0.01, 0.1, k)
            found = fit(rng.uniform(0, 1) * s * rng.standard_normal(k), s)
            assert found.limits[1] - found.limits[0] >= 2 * 1.959964 * (s**-2.0).sum() ** -0.5 * (1 - 1e-9)


def test_an_error_of_zero_is_refused():
    with pytest.raises(ValueError, match="above zero"):
        fit(np.zeros(3), np.array([0.1, 0.0, 0.1]))


def test_rows_have_ids_of_their_own_and_stay_the_same(tmp_path):
    invented_network(tmp_path, 24, np.random.default_rng(4))
    first, again = (pooled_frame(together(tmp_path).rows) for _ in range(2))
    assert first["row"].is_unique and len(first) > 100
    pd.testing.assert_frame_equal(first, again)
