"""The report for the company itself: what the rule promises is kept; with the door open the attacks find a lot."""

import base64
import hashlib
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from attacks import (
    OPEN,
    RULE,
    event_of_one,
    exact_counts,
    exits_of_rate,
    from_difference_and_ratio,
    intakes_against_people,
    plain,
    sizes_like,
    whole_numbers,
)
from demo_answers import DemoAnswer, demo_exact
from one_report import OneReport, roles, widths

from analysis.measure.exposure import participation
from analysis.pipeline import open_study
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import problems_frame
from analysis.plan.faults import Faults, collecting
from analysis.plan.paths import notebooks_dir, project_dir
from analysis.plan.results import Estimate, Estimated, estimates_frame
from analysis.release.answer import Released
from analysis.release.findings import release_estimate, release_finding, release_frames, release_problems
from analysis.release.frames import release_frame
from analysis.release.rule import ReleaseRule
from analysis.report.page import study_pages
from analysis.report.quality_page import quality_page
from analysis.simulate import demo_scenarios

# --- every demo company, its ledgers and frames; of one of 127 people the whole report


def of_rule(company: DemoAnswer, rule: ReleaseRule) -> Released:
    """Return a company's answer as a rule shows it."""
    study = company.released.study
    with collecting(Faults(study.study)) as faults:
        made = Released(
            study=study if rule.min_cell else study.model_copy(update={"min_cell": 0}),
            findings=tuple(release_finding(finding, rule) for finding in company.findings),
            problems=release_problems(company.problems, rule),
            described=release_frames(company.frames, rule),
            run={"blind": False},
        )
    assert not faults.found, "every frame and every column has a schema"
    return made


@pytest.fixture(scope="module", params=sorted(demo_scenarios()))
def company(request) -> DemoAnswer:
    return demo_exact(request.param)


@pytest.fixture(scope="module")
def small() -> DemoAnswer:
    return demo_exact("fjellkode")


@pytest.fixture(scope="module")
def pages(small) -> list[str]:
    answer = of_rule(small, RULE)
    return [*study_pages(answer).values(), quality_page(answer)]


def pictures_of(page: str) -> list[str]:
    return [base64.b64decode(m).decode() for m in re.findall(r"svg\+xml;base64,([\w+/=]+)", page)]


def texts_of(pages: list[str]) -> str:
    """Return the text of pages and of their pictures."""
    pictures = [picture for page in pages for picture in pictures_of(page)]
    labels = [" | ".join(re.findall(r"<text [^>]*>(.*?)</text>", picture)) for picture in pictures]
    return "\n".join(
        [*(re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.DOTALL) for page in pages), *labels]
    )


def counts_of(answer: Released) -> str:
    """Return the columns of people in ledgers and frames, as a notebook would print them."""
    ledger = estimates_frame(e for f in answer.findings for e in f.estimates)
    frames = [ledger.filter(regex="^(n|events)_"), problems_frame(answer.problems)[["rows", "example_rows"]]]
    frames += [frame for f in answer.findings for frame in f.evidence.values()] + list(answer.described.values())
    return "\n".join(frame.filter(regex="^(n_|rows|events|example)").to_csv(index=False, sep=" ") for frame in frames)


def exact_counts_of(company: DemoAnswer) -> set[int]:
    frames = [f for finding in company.findings for f in finding.evidence.values()]
    return exact_counts([*frames, *company.frames.values()])


def test_no_exact_count_stands_in_any_ledger_or_frame(company):
    exact = exact_counts_of(company)
    assert len(exact) > 5
    assert whole_numbers(counts_of(of_rule(company, RULE))) & exact == set()
    assert len(whole_numbers(counts_of(of_rule(company, OPEN))) & exact) > 5, "with the door open they stand there"


def test_no_exact_count_stands_in_a_page_or_picture(small, pages):
    exact = exact_counts_of(small)
    assert whole_numbers(texts_of(pages)) & exact == set()
    assert whole_numbers(texts_of([quality_page(of_rule(small, OPEN))])) & exact, "with the door open they stand there"


def test_every_count_is_a_multiple_and_none_is_small(company):
    answer, floor = of_rule(company, RULE), RULE.min_cell
    frames = [f for finding in answer.findings for f in finding.evidence.values()] + list(answer.described.values())
    counts = np.concatenate(
        [frame[c].dropna().to_numpy(float) for frame in frames for c in frame if re.match("n_(?!items)|rows_", str(c))]
    )
    assert len(counts) > 100 and (counts % 5 == 0).all() and counts[counts > 0].min() >= floor
    rows = estimates_frame(e for f in answer.findings for e in f.estimates)
    people = pd.concat([rows["n_treated"], rows["n_control"]]).dropna()
    assert len(people) and (people % 5 == 0).all() and people.min() >= floor
    assert (pd.concat([rows["events_treated"], rows["events_control"]]).dropna() % 5 == 0).all()


def test_no_effect_is_finer_than_what_the_page_says(company):
    rows = [e for f in of_rule(company, RULE).findings for e in f.estimates if e.is_estimated]
    for row in rows:
        told = np.array([row.estimate, *row.limits]) * 10.0 ** CATALOGUE.measure(row.measure).digits
        assert np.allclose(told, np.round(told), atol=1e-6, rtol=1e-9), row
    exact = [e for f in company.findings for e in f.estimates if e.is_estimated and e.measure == "risk_difference"]
    assert any(round(e.estimate, 3) != round(e.estimate, 6) for e in exact), "before they were"


def test_pictures_are_no_finer_than_can_be_seen(pages):
    pictures = pictures_of("".join(pages))
    places = r'\b(?:d|x|y|cx|cy|width|height|textLength|transform)="([^"]*)"'
    told = [place for picture in pictures for place in re.findall(places, picture)]
    assert len(pictures) > 5 and len(told) > 500 and not any(re.search(r"\.\d{2}", place) for place in told)


def test_the_data_quality_ledger_tells_of_no_few_rows_and_no_line(company):
    ledger = problems_frame(release_problems(company.problems, RULE))
    assert (ledger["example_rows"] == "").all() and (ledger["rows"].dropna() % 5 == 0).all()
    assert not ledger["rows"].dropna().between(1, 9).any()


def test_what_is_printed_of_a_run_is_no_oracle_for_the_files(company):
    """Who guesses a cell cannot try the guess: the digest of the file as it is stands nowhere."""
    study = company.released.study
    files = [study.folder / source.path for source in study.sources]
    assert not [file for file in files if hashlib.sha256(file.read_bytes()).hexdigest() in str(company.released.run)]


# --- subtraction, on a company with many intakes


@pytest.fixture(scope="module")
def northbank() -> list[tuple[pd.DataFrame, dict[str, int]]]:
    """Return the intakes of each role of Northbank, and its distinct people by stage."""
    enrolments = open_study("northbank", project_dir() / "data").tables.enrolments
    table = participation(enrolments)
    roles = []
    for role, rows in enrolments.groupby("role"):
        offered = rows[rows["offered"].fillna(True).astype(bool) | rows["start_date"].notna()]
        people = {"enrolled": rows, "offered": offered, "started": rows[rows["start_date"].notna()]}
        distinct = {stage: some["employee_id"].nunique() for stage, some in people.items()}
        roles.append((table[table["role"] == role].reset_index(drop=True), distinct))
    return roles


def hidden(intakes: pd.DataFrame, people: dict[str, int]) -> list[tuple[dict[str, int], int]]:
    """Return the small numbers that tables hide, as sums of what they show: who did not start, who enrolled twice."""
    sums = [({early: 1, late: -1}, people[early] - people[late]) for early, late in
            (("enrolled", "offered"), ("offered", "started"))]  # fmt: skip
    for i, row in intakes.iterrows():
        sums += [({f"enrolled{i}": 1, f"offered{i}": -1}, row["n_enrolled"] - row["n_offered"]),
                 ({f"offered{i}": 1, f"started{i}": -1}, row["n_offered"] - row["n_started"])]  # fmt: skip
    again = {f"enrolled{i}": 1 for i in range(len(intakes))} | {"enrolled": -1}
    sums += [(again, intakes["n_enrolled"].sum() - people["enrolled"])]
    return [(parts, int(n)) for parts, n in sums if 0 < n < RULE.min_cell]


def test_no_small_number_follows_from_intakes_and_people_together(northbank):
    found = 0
    for intakes, people in northbank:
        shut, ajar = (intakes_against_people(intakes, people, rule) for rule in (RULE, OPEN))
        for parts, n in hidden(intakes, people):
            low, high = shut.possible(**parts)
            assert low <= n <= high and high - low + 1 >= 5, (parts, n, low, high)
            assert ajar.possible(**parts) == (n, n), "with the door open it follows"
            found += 1
    assert found > 5


@pytest.mark.parametrize("n", [10, 11, 12, 13, 14])
def test_ten_to_fourteen_people_of_a_role_look_alike_and_nine_are_not_shown(n):
    def told(size: int) -> list:
        frame = pd.DataFrame({"program_id": "p", "intake_date": [pd.Timestamp("2022-01-01")], "role": "mentor",
                              "n_enrolled": [size], "n_offered": [size], "n_started": [size]})  # fmt: skip
        return release_frame("participation", frame, RULE).filter(like="n_").iloc[0].tolist()

    assert told(n) == [10, 10, 10] and told(9) == [pd.NA] * 3


def test_a_subgroup_less_its_whole_may_be_five_numbers():
    """Of 12 people 10 have a score: two have none, which is shown as 10 of 10."""
    margins = intakes_against_people(pd.DataFrame({"n_enrolled": [12], "n_offered": [12], "n_started": [10]}),
                                     {"enrolled": 12, "offered": 12, "started": 10}, RULE)  # fmt: skip
    assert margins.possible(offered=1, started=-1) == (0, 4)


def test_in_small_companies_that_fit_badly_nothing_ever_follows():
    """Sums can narrow what a count may be, where every intake lies at the end of its five; never here to one number."""
    rng, widths = np.random.default_rng(14), []
    for _ in range(100):
        enrolled = rng.integers(9, 22, rng.integers(1, 4))
        started = np.maximum(enrolled - rng.integers(0, 5, len(enrolled)), 0)
        intakes = pd.DataFrame({"n_enrolled": enrolled, "n_offered": enrolled, "n_started": started})
        twice = rng.integers(0, 3) if len(enrolled) > 1 else 0
        people = {"enrolled": enrolled.sum() - twice, "offered": enrolled.sum() - twice, "started": started.sum()}
        if people["offered"] < people["started"]:
            continue
        margins = intakes_against_people(intakes, people, RULE)
        widths += [high - low + 1 for parts, _ in hidden(intakes, people) for low, high in [margins.possible(**parts)]]
    assert len(widths) > 150 and min(widths) > 2 and np.mean(np.array(widths) >= 5) > 0.9


def test_no_small_number_follows_from_all_tables_of_a_report_together(company):
    """Intakes, stages, answers, months, quarters, rows; four numbers are left where intakes add up badly, else five."""
    found = np.concatenate([widths(OneReport(company, *role, RULE)) for role in roles(company)])
    assert len(found) > 30 and found.min() >= 4 and np.mean(found >= 5) > 0.95


def test_with_the_door_open_all_tables_together_tell_every_number(small):
    for role in roles(small):
        shut, ajar = (OneReport(small, *role, rule) for rule in (RULE, OPEN))
        told = [(ajar.margins.possible(**parts), n) for parts, n in shut.hidden]
        assert told and all(limits == (n, n) for limits, n in told)


# --- rates


@pytest.mark.parametrize(("n", "years"), [(86, 800.7), (10, 85.3), (14, 44.9), (73, 784.4)])
def test_exits_do_not_follow_from_a_rate_and_person_years(n, years):
    assert len(exits_of_rate(n, years, RULE)) >= 5
    exact = [k for k in range(200) if round(100 * k / years, 6) == round(100 * n / years, 6)]
    assert exact == [n], "six decimals and exact person-years tell it"


# --- sizes of groups from decimals


@pytest.mark.parametrize(("a", "n1", "b", "n0"), [(10, 137, 146, 664), (22, 128, 98, 402)])
def test_the_size_of_a_group_does_not_follow_from_a_difference_and_a_ratio(a, n1, b, n0):
    """Two exact sizes would tell how many people lie between them. Of groups under a hundred it is not promised."""
    base = {"study": "x", "program": "p", "hypothesis": "H1_retention", "analysis": "naive", "role": "mentor",
            "outcome": "voluntary_exit", "contrast": "ever_vs_never", "estimand": "association", "std_error": 0.03,
            "estimator": "aalen_johansen", "ci_low": -1.0, "ci_high": 3.0, "ci_level": 0.95,
            "n_treated": n1, "n_control": n0}  # fmt: skip
    p1, p0 = a / n1, b / n0
    rows = [Estimated(**base, measure="risk_difference", estimate=p1 - p0),
            Estimated(**base, measure="risk_ratio", estimate=p1 / p0)]  # fmt: skip
    assert len(sizes_like(rows, lambda row: release_estimate(row, RULE))) == 5

    def six_decimals(row: Estimate) -> Estimate:
        return replace(release_estimate(row, RULE), estimate=round(row.estimate, 6))

    assert sizes_like(rows, six_decimals) == {n1}, "what the ledger told before"


# --- what is not promised


def test_the_number_of_events_in_a_group_is_not_hidden_inside(small):
    """The risk in each arm is said, and p₁ = RD·RR/(RR − 1) gives it: the rule says so, and promises nothing else."""
    found = from_difference_and_ratio(10 / 135 - 146 / 664, (10 / 135) / (146 / 664), 135)
    assert found == pytest.approx(10)
    main = replace(small.findings[0].primary, events_treated=3)
    assert release_finding(replace(small.findings[0], primary=main), RULE).primary.events_treated == 0


@pytest.mark.parametrize(("a", "b", "n1", "n0"), [(10, 146, 137, 664), (4, 30, 45, 200)])
def test_two_reports_a_person_apart_tell_whether_that_person_left(a, b, n1, n0):
    """So whoever gets both learns it: no rule about one report prevents that, and the README says so."""

    def shown(a: int, b: int, n1: int, n0: int) -> Estimate:
        return release_estimate(plain(a, b, n1, n0), RULE)

    assert event_of_one(shown, a, b, n1, n0) == ({True}, {False})
    readme = " ".join((project_dir() / "README.md").read_text(encoding="utf-8").split())
    assert "two reports of the same company a person apart tell whether that person left" in readme


@pytest.mark.parametrize("n", [10, 11, 13, 14, 60])
def test_a_count_is_the_same_in_four_of_five_reports_a_person_apart(n):
    same = [RULE.rounded(k) == RULE.rounded(k + 1) for k in range(n, n + 5)]
    assert sum(same) == 4


def test_the_committed_notebooks_show_rounded_counts():
    """Tables of people in the outputs of the default demo study."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(notebooks_dir().glob("*.ipynb")))
    flows = re.findall(r'"(?:\d+ +)?started +([\d,]+)', text)
    assert all(int(n.replace(",", "")) % 5 == 0 for n in flows)
