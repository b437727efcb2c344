"""A stand-in is drawn from numbers about many people, keeps what it should, and copies nobody."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from companies import opened as simulated

from analysis.bundle.folder import TAKEN, stand_in_name, write_stand_in
from analysis.bundle.marginals import OTHER, Codes, Marginals, merged_levels, rate, share, shares, steps
from analysis.bundle.nearest import closest, numbers_of, records, refuse_copies, told_of_both, without_equals
from analysis.bundle.standin import draw
from analysis.bundle.taken import coded, take
from analysis.measure.reliability import cronbach_alpha
from analysis.pipeline import OpenStudy, open_study
from analysis.plan.errors import BadInput
from analysis.plan.paths import project_dir
from analysis.release.rule import ReleaseRule

RULE = ReleaseRule(10)


@pytest.fixture(scope="module")
def company() -> OpenStudy:
    """A company of 1,500 people, without the detour over files."""
    return simulated("stand-in-of", like="northbank", employees=1500)[0]


@pytest.fixture(scope="module")
def taken(company) -> tuple[Marginals, Codes]:
    return take(company)


@pytest.fixture(scope="module")
def drawn(company, taken) -> dict[str, pd.DataFrame]:
    return draw(taken[0], company.study, "a seed")


# --- what is taken is about many people -------------------------------------------------------------------------------


def people(n: int) -> pd.Series:
    return pd.Series([f"E{i}" for i in range(n)])


def test_a_value_that_few_people_have_is_not_taken():
    found = shares(pd.Series(["a"] * 60 + ["b"] * 31 + ["c"] * 9), people(100), RULE)
    assert found.kinds == ("a", "b") and found.shares == (0.6667, 0.3333), "60 and 30, rounded down, of 90"


def test_a_person_with_many_rows_is_one_person():
    found = shares(pd.Series(["a"] * 50 + ["b"] * 50), pd.Series([f"E{i % 40}" for i in range(50)] + ["E1"] * 50), RULE)
    assert found.kinds == ("a",)


def test_a_range_ends_where_ten_people_lie_beyond():
    values = pd.Series([*range(100), 100_000.0, -5_000.0])
    found = steps(values, RULE)
    assert (values < found.edges[0]).sum() >= 9 and (values > found.edges[-1]).sum() >= 9
    assert steps(values.head(39), RULE) is None


def test_one_person_more_or_less_is_not_seen_at_the_ends():
    values = pd.Series(np.arange(200.0))
    assert steps(pd.concat([values, pd.Series([9e9])]), RULE).edges[-1] < 200


@pytest.mark.parametrize(("part", "whole", "told"), [(9, 100, 0.0), (95, 100, 1.0), (52, 103, 0.5), (5, 8, 0.0)])
def test_few_count_as_nobody_in_a_share(part, whole, told):
    assert share(part, whole, RULE) == told


def test_a_rate_of_few_events_is_not_told():
    assert rate(9, 100, RULE) is None and rate(13, 100, RULE) == 0.1


def test_words_are_numbered_by_size_and_rare_ones_are_one():
    codes = Codes(RULE)
    words = pd.Series(["Risk"] * 20 + ["Sales"] * 30 + ["Board"] * 3 + [None])
    coded_words = codes.of("department", words, people(54))
    assert set(coded_words.dropna()) == {"department 1", "department 2", OTHER} and coded_words.isna().sum() == 1
    assert codes.word("department", "Sales") == "department 1" and codes.word("department", "Board") == OTHER


def test_a_rare_level_becomes_the_nearest_that_is_not():
    levels = pd.Series([1.0] * 20 + [3.0] * 20 + [9.0, np.nan])
    assert merged_levels(levels, people(42), RULE).tolist()[40:41] == [3.0]
    assert merged_levels(levels, people(42), RULE).isna().sum() == 1


def test_too_small_a_company_has_no_stand_in(company):
    few = replace(company, tables=replace(company.tables, employees=company.tables.employees.head(39)))
    with pytest.raises(BadInput, match="too few for a stand-in"):
        take(few)


# --- what is drawn depends on nothing else ----------------------------------------------------------------------------


def test_a_stand_in_is_drawn_from_what_was_taken_and_from_nothing_else(company, taken, drawn):
    again = draw(Marginals.model_validate_json(taken[0].model_dump_json()), company.study, "a seed")
    assert drawn.keys() == again.keys()
    for name, table in drawn.items():
        pd.testing.assert_frame_equal(table, again[name])
    other = draw(taken[0], company.study, "another seed")
    assert not drawn["employees"]["hire_date"].equals(other["employees"]["hire_date"])


def test_it_keeps_how_common_things_are(company, drawn):
    real, found = coded(company, Codes(RULE))[1], drawn["jobs"]
    for column in ("job_level", "department", "job_family"):
        first = [t.drop_duplicates("employee_id")[column].value_counts(normalize=True) for t in (real, found)]
        assert first[0].sub(first[1], fill_value=0).abs().sum() / 2 < 0.06, column
    left = [t["exit_date"].notna().mean() for t in (company.tables.employees, drawn["employees"])]
    assert left[0] == pytest.approx(left[1], abs=0.08)


def test_it_keeps_age_by_level_who_enrols_and_pay(drawn):
    first = drawn["jobs"].drop_duplicates("employee_id")
    held = drawn["employees"].merge(first, on="employee_id")
    assert held["job_level"].corr(held["birth_year"]) < -0.5 and held["job_level"].corr(held["base_salary"]) > 0.9
    roles = drawn["enrolments"].merge(first, on="employee_id").groupby("role")["job_level"].mean()
    assert roles["mentee"] > roles["mentor"] + 2, "reverse mentoring"
    assert held["base_salary"].median() == pytest.approx(50_000, rel=0.25), "relative to nothing of the company's"


def test_it_keeps_how_items_hang_together(company, drawn):
    def wide(table: pd.DataFrame) -> pd.DataFrame:
        pulse = table[(table["instrument"] == "pulse") & (table["wave"] == 1)]
        rows = pulse.pivot_table(index="employee_id", columns="item", values="value", observed=True)
        mor = rows[[item for item in rows if str(item).startswith("mor")]].dropna()
        turned = [item for item in mor if company.instruments["pulse"].items[item].reversed]
        return mor.assign(**{item: 6 - mor[item] for item in turned})

    real, found = wide(company.tables.responses), wide(drawn["responses"])
    assert cronbach_alpha(found.to_numpy())[0] == pytest.approx(cronbach_alpha(real.to_numpy())[0], abs=0.12)
    assert (real.mean() - found.mean()).abs().max() < 0.25


@pytest.mark.parametrize("demo", ["fjellkode", "ostwire", "heronmere", "kesselwerk"])
def test_everything_can_be_asked_of_it_and_none_of_the_companys_words_is_in_it(demo, tmp_path):
    """A pair program, a rollout by department, a lottery of groups, and ratings by others."""
    real = open_study(demo, project_dir() / "data")
    folder = tmp_path / stand_in_name(demo)
    write_stand_in(real, folder)
    found = open_study(folder.name, tmp_path)
    assert not [p for p in found.problems if p.severity == "error"] and found.study.simulated
    assert {p.id for p in found.study.programs} == {p.id for p in real.study.programs}
    fed = ("employees", "jobs", "enrolments", "sessions", "responses", "ratings")
    assert all((getattr(found.tables, t) is None) == (getattr(real.tables, t) is None) for t in fed)
    text = "\n".join(p.read_text(encoding="utf-8") for p in folder.rglob("*") if p.is_file())
    words = {w for c in ("department", "job_family") for w in real.tables.jobs[c].dropna().unique()}
    words |= set(real.tables.employees["location"].dropna().unique()) | {real.study.title}
    assert not [word for word in words if re.search(rf"\b{re.escape(word)}\b", text)]
    assert (folder / TAKEN).is_file()


# --- it copies nobody -------------------------------------------------------------------------------------------------


def with_rows(drawn: dict[str, pd.DataFrame], company: OpenStudy, rows: slice, shift: int = 0) -> dict:
    """Return a stand-in in which real people stand, their hire dates shifted by some days."""
    employees, jobs = coded(company, Codes(RULE))
    some = employees.iloc[rows].assign(hire_date=lambda t: t["hire_date"] + pd.Timedelta(days=shift))
    theirs = jobs[jobs["employee_id"].isin(some["employee_id"])]
    own = {"employees": some, "jobs": theirs}
    return drawn | {name: pd.concat([drawn[name], table], ignore_index=True) for name, table in own.items()}


def test_an_honest_stand_in_comes_no_nearer_than_chance(company, drawn):
    assert refuse_copies(without_equals(drawn, *coded(company, Codes(RULE))), *coded(company, Codes(RULE))) < 0.08


def test_a_row_that_is_equal_to_a_real_one_is_refused(company, drawn):
    planted = with_rows(drawn, company, slice(700, 701))
    with pytest.raises(BadInput, match="1 of its people are equal to real ones"):
        refuse_copies(planted, *coded(company, Codes(RULE)))


def test_near_copies_are_refused_though_none_is_equal(company, drawn):
    planted = with_rows({n: t.head(0) for n, t in drawn.items()}, company, slice(0, 600), shift=1)
    with pytest.raises(BadInput, match="0 of its people are equal"):
        refuse_copies(planted, *coded(company, Codes(RULE)))


def test_who_is_equal_by_chance_is_taken_out_with_all_their_rows(company, drawn):
    planted = with_rows(drawn, company, slice(700, 702))
    left = without_equals(planted, *coded(company, Codes(RULE)))
    gone = set(company.tables.employees["employee_id"].iloc[700:702])
    assert len(left["employees"]) == len(drawn["employees"])
    assert not gone & set(left["jobs"]["employee_id"]) and not gone & set(left["jobs"]["manager_id"].dropna())


def half_of(company: OpenStudy, ids: set[str]) -> OpenStudy:
    """Return the company of some of its people."""
    tables = company.tables
    left = {n: getattr(tables, n)[lambda t: t["employee_id"].isin(ids)] for n in ("employees", "jobs", "enrolments")}
    return replace(company, tables=replace(tables, **left, responses=None, ratings=None, sessions=None))


def share_nearer_to_the_first(drawn: dict, company: OpenStudy, first: set[str], codes: Codes) -> float:
    """Return the share of a stand-in's people who are nearer to the people of the first half than to the others."""
    employees, jobs = coded(company, codes)
    real, found = told_of_both(drawn, employees, jobs)
    every, mine = numbers_of(real, found)
    is_first = employees["employee_id"].isin(first).to_numpy()
    n = min(is_first.sum(), (~is_first).sum())
    halves = [every[is_first][:n], every[~is_first][:n]]
    to_first, to_others = (closest(mine[:800], half) for half in halves)
    return float(((to_first < to_others) + 0.5 * (to_first == to_others)).mean())


def test_it_is_no_nearer_to_those_it_was_drawn_from_than_to_others(company):
    """The holdout test of Platzer & Reutterer (2021): one half of the people is taken, the other half is not."""
    ids = company.tables.employees["employee_id"].unique()
    first = set(ids[np.random.default_rng(5).permutation(len(ids))[: len(ids) // 2]])
    half = half_of(company, first)
    marginals, codes = take(half)
    found = share_nearer_to_the_first(draw(marginals, company.study, "holdout"), company, first, codes)
    assert found == pytest.approx(0.5, abs=0.06), "three standard errors of a share of 800"
    copied = with_rows({n: t.head(0) for n, t in draw(marginals, company.study, "x").items()}, half, slice(0, 500), 2)
    assert share_nearer_to_the_first(copied, company, first, codes) > 0.9, "the test finds copies"


def test_records_are_compared_without_ids():
    employees = pd.DataFrame({"employee_id": ["E1"], "hire_date": pd.to_datetime(["2020-01-01"]), "gender": ["g"]})
    jobs = pd.DataFrame({"employee_id": ["E1"], "effective_date": employees["hire_date"], "manager_id": ["E2"],
                         "job_level": [1.0]})  # fmt: skip
    assert list(records(employees, jobs)) == ["hire_date", "gender", "job_job_level"]


def test_the_folder_of_a_stand_in_fits_every_name():
    assert stand_in_name("a" * 63) == "a" * 54 + "-standin" and len(Path(stand_in_name("a" * 63)).name) <= 63
