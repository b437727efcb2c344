"""The plan: what a study, an instrument and a hypothesis may say, and what a mistake in one gets."""

import csv
from pathlib import Path

import pytest
from ledger_rows import NAMES, NUMBERS, sample_row

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.errors import BadInput, Problem, problems_frame
from analysis.plan.hypotheses import load_plan, smallest_effect, unusable_effects
from analysis.plan.instruments import load_instruments
from analysis.plan.paths import shipped, study_folders
from analysis.plan.probability import rng
from analysis.plan.read_study import load_study
from analysis.plan.results import (
    ESTIMATE_COLUMNS,
    Estimated,
    NotEstimable,
    Suppressed,
    estimated,
    estimates_frame,
    reasons,
    with_number,
)
from analysis.plan.study import Study

ACME = """\
schema_version: 1
study: acme
title: ACME's buddies
study_start: 2022-01-01
as_of: 2025-06-30
horizons_months: [12, 24]
min_cell: 10
programs:
  - id: buddies
    name: Buddies
    direction: reverse
    format: pair
    assignment: self_selected
    eligibility:
      mentor: {job_level: [1, 3], min_tenure_days: 90}
sources:
  - {table: employees, path: raw/workers.csv, profile: workday}
  - {table: responses, path: raw/pulse.csv, profile: qualtrics, wave: 1, instrument: pulse}
values:
  employees: {exit_type: {voluntary: [Resignation]}}
"""

CARD = """\
instrument: climate
title: Climate
response: {min: 1, max: 5}
scales:
  trust:
    construct: trust
    source: written for this test
    licence: CC0-1.0
    items:
      tru1: {text: "I trust this test."}
      tru2: {reversed: true}
"""


def write_study(data: Path, text: str = ACME, folder: str = "acme") -> Path:
    (data / folder).mkdir(parents=True, exist_ok=True)
    (data / folder / "study.yaml").write_text(text, encoding="utf-8")
    return data


def problems_of(data: Path, name: str = "acme") -> tuple[Problem, ...]:
    with pytest.raises(BadInput) as caught:
        load_study(name, data)
    return caught.value.problems


# --- study.yaml ---


def test_a_study_says_what_the_company_runs(tmp_path):
    study = load_study("acme", write_study(tmp_path))
    assert study.program("buddies").eligibility["mentor"].job_level == (1, 3)
    assert [source.table for source in study.sources] == ["employees", "responses"]
    assert study.sources[1].wave == 1
    assert study.folder == tmp_path / "acme"
    assert study.page_title == "ACME's buddies"
    simulated = load_study("acme", write_study(tmp_path, ACME + "simulated: true\n"))
    assert simulated.page_title == "ACME's buddies (simulated data)"


def test_only_the_first_five_keys_are_required(tmp_path):
    study = load_study("acme", write_study(tmp_path, "\n".join(ACME.splitlines()[:5])))
    assert (study.horizons_months, study.min_cell, study.programs) == ((12, 24), 10, ())


@pytest.mark.parametrize(
    ("right", "wrong", "line", "message"),
    [
        ("study_start: 2022-01-01", "study_start: someday", 4, "study_start"),
        ("study_start: 2022-01-01", "study_start: 2022-01-01 08:00:00", 4, "without a time"),
        ("min_cell: 10", "min_cell: 2", 7, "greater than or equal to 3"),
        ("min_cell: 10", "mincell: 10", 7, "not a key that the contract knows"),
        ("direction: reverse", "direction: backwards", 11, "'reverse', 'traditional', 'mutual' or 'peer'"),
        ("min_tenure_days: 90", "min_tenure_days: -1", 15, "min_tenure_days"),
        ("table: employees, path", "table: people, path", 17, "'employees'"),
        ("path: raw/workers.csv", "path: ../other/workers.csv", 17, "must lie inside the study's folder"),
        ("path: raw/workers.csv", "path: /raw/workers.csv", 17, "must lie inside the study's folder"),
        ("title: ACME's buddies", "# title forgotten", 1, "title: Field required"),
        ("study: acme", "study: other", 2, "its folder is acme"),
        ("as_of: 2025-06-30", "as_of: 2021-06-30", 5, "as_of must lie after study_start"),
        ("[12, 24]", "[24, 12]", 6, "horizons_months must rise"),
        ("[12, 24]", "[0, 12]", 6, "horizons_months"),
        ("exit_type: {voluntary", "exit_kind: {voluntary", 20, "no such canonical column: employees.exit_kind"),
        ("format: pair", "format: [pair", 13, "is not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path, right, wrong, line, message):
    assert right in ACME
    (problem,) = problems_of(write_study(tmp_path, ACME.replace(right, wrong, 1)))
    assert message in problem.message
    assert (problem.source, problem.example_rows) == ("study.yaml", (line,))


def test_every_mistake_is_told_at_once(tmp_path):
    text = (
        ACME.replace("study_start: 2022-01-01", "study_start: someday")
        .replace("min_cell: 10", "min_cell: 1")
        .replace("format: pair", "format: trio")
        .replace("raw/workers.csv", "../workers.csv")
    )
    problems = problems_of(write_study(tmp_path, text))
    assert sorted(p.example_rows[0] for p in problems) == [4, 7, 12, 17]
    assert all(p.severity == "error" and p.action == "rejected" for p in problems)


def test_two_programs_of_one_id_are_refused(tmp_path):
    program = "  - {id: buddies, name: Again, direction: peer, format: pair, assignment: lottery}\n"
    (problem,) = problems_of(write_study(tmp_path, ACME.replace("sources:", program + "sources:")))
    assert "two programs have the same id" in problem.message


@pytest.mark.parametrize("name", ["../acme", "..", "", "ACME", "a/b", "-acme", "a" * 64, "acme\n"])
def test_a_name_that_is_no_study_name_is_refused(tmp_path, name):
    write_study(tmp_path)
    (problem,) = problems_of(write_study(tmp_path / "data"), name)
    assert problem.rule == "study_name"


def test_a_missing_study_is_told(tmp_path):
    (problem,) = problems_of(tmp_path, "nowhere")
    assert problem.rule == "missing_file"
    assert str(tmp_path) not in str(problem)


def test_a_file_that_is_no_mapping_or_no_text_is_refused(tmp_path):
    (problem,) = problems_of(write_study(tmp_path, "- just\n- a list\n"))
    assert "must be a mapping" in problem.message
    (tmp_path / "acme" / "study.yaml").write_bytes(ACME.replace("title: A", "title: Ä").encode("cp1252"))
    (problem,) = problems_of(tmp_path)
    assert problem.rule == "encoding"


@pytest.mark.parametrize(
    ("line", "text", "message"),
    [
        (2, "a: 1\nb: &x [1, 2]\n", "anchors and aliases"),
        (1, "a: &x 1\nb: *x\n", "anchors and aliases"),
        (3, "a: 1\nb:\n  <<: *x\n", "anchors and aliases"),
        (2, "a: 1\nb: !!python/object/apply:os.system [ls]\n", "tags (!) are not allowed"),
        (1, "a: !secret x\n", "tags (!) are not allowed"),
        (1, "a: !!str 1\n", "tags (!) are not allowed"),
        (1, "a: " + "[" * 100_000, "nested more than 30 deep"),
        (1, "a: " + "{b: " * 5_000, "nested more than 30 deep"),
        (30, "".join(f"{' ' * depth}a:\n" for depth in range(900)), "nested more than 30 deep"),
        (2, "a: 1\n? [b, c]\n: 2\n", "a key must be a single word or text"),
        (2, "a: 1\na: 2\n", "is given twice"),
    ],
)
def test_yaml_that_hides_or_multiplies_values_is_refused_with_its_line(tmp_path, line, text, message):
    (problem,) = problems_of(write_study(tmp_path, text))
    assert (problem.rule, problem.example_rows) == ("yaml", (line,))
    assert message in problem.message


def test_a_bomb_of_aliases_is_refused_at_once(tmp_path):
    rows = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (problem,) = problems_of(write_study(tmp_path, "\n".join(["a0: &a0 [lol]", *rows])))
    assert problem.rule == "yaml"


def test_a_huge_or_unreadable_yaml_file_is_refused(tmp_path, monkeypatch):
    data = write_study(tmp_path, ACME + "# " + "x" * (1 << 20))
    (problem,) = problems_of(data)
    assert "larger than 1 MB" in problem.message

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    (problem,) = problems_of(data)
    assert (problem.rule, str(tmp_path) in str(problem)) == ("unreadable_file", False)


def test_files_beside_the_study_folders_are_ignored(tmp_path):
    write_study(tmp_path, folder="zeta")
    write_study(tmp_path, folder="acme")
    (tmp_path / "instruments").mkdir()
    (tmp_path / "notes.txt").write_text("not a study")
    assert [folder.name for folder in study_folders(tmp_path)] == ["acme", "zeta"]


# --- instruments ---


@pytest.fixture
def acme(tmp_path) -> Study:
    return load_study("acme", write_study(tmp_path))


def write_card(study: Study, name: str, text: str) -> None:
    (study.folder / "instruments").mkdir(exist_ok=True)
    (study.folder / "instruments" / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_the_shipped_instruments_measure_the_planned_constructs(acme):
    cards = load_instruments(acme)
    measured = {scale.construct_name for card in cards.values() for scale in card.scales.values()}
    assert {h.construct_name for h in load_plan().hypotheses if h.construct_name} <= measured
    assert {code for code, item in cards["pulse"].items.items() if item.reversed} == {"mor3", "mor5"}
    assert len(cards["leadership"].items) == len(cards["leadership_multirater"].items)
    ours = [card for card in cards.values() if not card.available_from]
    assert {card.instrument for card in ours} == {"pulse", "leadership", "leadership_multirater"}
    for card in ours:
        assert set(card.response.labels) == {1, 2, 3, 4, 5}
        assert {"de", "fr", "es", "nl", "it"} <= set(card.response.labels_in)
        assert all(set(names) == {1, 2, 3, 4, 5} for lang, names in card.response.labels_in.items() if lang != "en")
        assert all(item.text for item in card.items.values())
        assert all("CC0" in scale.licence for scale in card.scales.values())


def test_of_what_others_own_no_wording_ships(acme):
    cards = load_instruments(acme)
    licensed = {name: card for name, card in cards.items() if card.available_from}
    assert {name: len(card.items) for name, card in licensed.items()} == {
        "alq": 16, "lpi": 30, "mfq9": 9, "mlq5x": 20, "q12": 12, "tcm_affective": 6, "uwes9": 9, "who5": 5,
    }  # fmt: skip
    for card in licensed.values():
        assert card.available_from.startswith("https://")
        assert not any(item.text for item in card.items.values())
        assert all("copyrighted" in scale.licence for scale in card.scales.values())
        assert {card.response.min, card.response.max} <= set(card.response.labels)
    reversed_ = [code for code, item in licensed["tcm_affective"].items.items() if item.reversed]
    assert reversed_ == ["acs3", "acs4", "acs5"]


def test_a_studys_own_instrument_wins_over_the_shipped_one(acme):
    write_card(acme, "climate", CARD)
    write_card(acme, "pulse", CARD.replace("climate", "pulse"))
    cards = load_instruments(acme)
    assert list(cards["climate"].items) == ["tru1", "tru2"]
    assert list(cards["pulse"].items) == ["tru1", "tru2"]


@pytest.mark.parametrize(
    ("labels_in", "said"),
    [
        ("{de: {4: Stimme zu, 5: stimme  ZU}}", "stands for 4 and for 5"),
        ("{de: {4: Neutral}, es: {3: Neutral}}", "stands for 4 and for 3"),
        ("{de: {6: Stimme zu}}", "6 is not on the answer scale"),
    ],
)
def test_a_label_that_stands_for_two_numbers_or_for_none_of_the_scale_is_told(acme, labels_in, said):
    write_card(acme, "climate", CARD.replace("max: 5", f"max: 5, labels_in: {labels_in}"))
    with pytest.raises(BadInput) as caught:
        load_instruments(acme)
    assert said in str(caught.value.problems)


def test_two_languages_may_share_a_label_of_one_number(acme):
    write_card(
        acme, "climate", CARD.replace("max: 5", "max: 5, labels_in: {de: {3: Neutral}, es: {3: [Neutral, Nada]}}")
    )
    assert load_instruments(acme)["climate"].response.number_of("NEUTRAL") == 3


def test_every_mistake_of_every_card_is_told_at_once(acme):
    write_card(acme, "climate", CARD.replace("max: 5", "max: 1"))
    write_card(acme, "mood", CARD.replace("    licence: CC0-1.0\n", "").replace("reversed: true", "reverse: true"))
    write_card(acme, "torn", "instrument: [")
    with pytest.raises(BadInput) as caught:
        load_instruments(acme)
    told = str(caught.value)
    assert "instruments/climate.yaml, line 1: response: max must be greater than min" in told
    assert "instruments/mood.yaml, line 5: scales.trust.licence: Field required" in told
    assert "instruments/mood.yaml, line 10: scales.trust.items.tru2.reverse: is not a key" in told
    assert "instruments/torn.yaml" in told
    assert len(caught.value.problems) == 4


# --- hypotheses, claims, literature ---


def test_every_hypothesis_is_planned():
    plan = load_plan()
    assert [h.id.split("_")[0] for h in plan.hypotheses] == [f"H{n}" for n in range(1, 10)]
    assert [h.family for h in plan.hypotheses] == ["primary"] * 3 + ["secondary"] * 5 + ["arithmetic"]
    assert all(h.smallest_effect for h in plan.hypotheses)


@pytest.mark.parametrize(
    ("hypothesis", "measure", "direction", "smallest"),
    [
        ("H1_retention", "risk_difference", -1, 0.03),
        ("H2_morale", "mean_difference", 1, 0.15),
        ("H3_leadership", "mean_difference", 1, 0.15),
    ],
)
def test_the_primary_hypotheses_are_as_planned(hypothesis, measure, direction, smallest):
    planned = load_plan().hypothesis(hypothesis)
    assert (planned.measure, planned.claimed_direction, planned.smallest_effect) == (measure, direction, smallest)
    assert planned.roles == ("mentor", "mentee", "participant")


def test_every_claim_is_traced_both_ways_or_is_context():
    plan = load_plan()
    assert [c.id for c in plan.claims] == [f"C{n:02}" for n in range(1, 32)]
    from_claims = {(c.id, h) for c in plan.claims for h in c.hypotheses}
    from_hypotheses = {(c, h.id) for h in plan.hypotheses for c in h.claims}
    assert from_claims == from_hypotheses
    assert all(c.note for c in plan.claims if not c.hypotheses)


def test_a_study_may_set_its_own_smallest_effect(tmp_path):
    text = ACME + "smallest_effects: {H1_retention: 0.05}\n"
    study, plan = load_study("acme", write_study(tmp_path, text)), load_plan()
    assert smallest_effect(study, plan.hypothesis("H1_retention")) == 0.05
    assert smallest_effect(study, plan.hypothesis("H2_morale")) == 0.15


def test_every_literature_figure_says_whether_it_was_verified():
    with shipped("literature.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    known = {h.id for h in load_plan().hypotheses}
    numbers = ["estimate", "ci_low", "ci_high", "naive"]
    told = ["study", "year", "design", "figure", "verified", "used_for", "measure", "estimand", "horizon_months"]
    assert list(rows[0]) == [*told, *numbers]
    assert {row["verified"] for row in rows} == {"yes", "second-hand"}
    assert all(set(row["used_for"].split(";")) <= known for row in rows)
    assert all(row["figure"] and None not in row for row in rows)
    drawn = [row for row in rows if row["estimate"]]
    assert drawn and all(row["verified"] == "yes" and row["measure"] in CATALOGUE.measures for row in drawn)
    for row in drawn:  # as it was printed
        for name in numbers:
            points = f"{100 * float(row[name]):+.1f}".replace("-", "−")
            assert points in row["figure"], (row["study"], name)


# --- answers, problems, seeds ---


@pytest.mark.parametrize("column", NUMBERS)
@pytest.mark.parametrize("nothing", [None, float("nan")])
def test_an_estimate_is_complete_or_does_not_exist(column, nothing):
    assert sample_row().is_estimated
    with pytest.raises(ValueError, match="needs its estimate"):
        sample_row(**{column: nothing})


@pytest.mark.parametrize("kind", [NotEstimable, Suppressed])
def test_no_estimate_needs_a_reason_and_no_number(kind):
    assert not kind(**NAMES, reason="Nobody started.").is_estimated
    for reason in (None, ""):
        with pytest.raises(ValueError, match="needs a reason"):
            kind(**NAMES, reason=reason)
    with pytest.raises(TypeError, match="unexpected keyword"):
        kind(**NAMES, **NUMBERS, reason="Nobody started.")


def test_a_row_that_loses_its_number_keeps_its_name():
    row = sample_row()
    for without in (row.not_estimable("Nobody started."), row.suppressed("Small cell.")):
        assert without.row == row.row and without.names == row.names
        assert not isinstance(without, Estimated) and with_number([without, row]) == [row]
    assert reasons([row, row.suppressed("Small cell.")]) == ["Small cell."]
    with pytest.raises(ValueError, match="no number where it should"):
        estimated(row.suppressed("Small cell."))


def test_the_estimates_ledger_has_the_contracts_columns():
    contract = [
        "study",
        "program",
        "hypothesis",
        "analysis",
        "outcome",
        "role",
        "rater_source",
        "contrast",
        "estimand",
        "estimator",
        "measure",
        "horizon_months",
        "estimate",
        "std_error",
        "ci_low",
        "ci_high",
        "ci_level",
        "p_value",
        "p_adjusted",
        "n_treated",
        "n_control",
        "events_treated",
        "events_control",
        "status",
        "reason",
    ]
    suppressed = Suppressed(**NAMES, reason="Small cell.")
    frame = estimates_frame([sample_row(), suppressed])
    assert list(frame.columns) == [*ESTIMATE_COLUMNS, "row"] == [*contract, "row"]
    assert frame["n_treated"].isna().tolist() == [False, True]
    assert frame["n_treated"].dtype == "Int64"
    assert list(estimates_frame([]).columns) == [*contract, "row"]


def test_the_data_quality_ledger_puts_errors_first_and_shows_five_lines():
    small = Problem(severity="info", table="jobs", source="raw/jobs.csv", rule="age", message="Old.")
    many = Problem(
        severity="error",
        table="jobs",
        source="raw/jobs.csv",
        rows=7,
        example_rows=tuple(range(2, 9)),
        rule="bad_date",
        message="is not a date.",
        action="rejected",
    )
    frame = problems_frame([small, many])
    assert frame["severity"].tolist() == ["error", "info"]
    assert frame["example_rows"].tolist() == ["2;3;4;5;6", ""]
    assert str(many) == "raw/jobs.csv, lines 2, 3, 4, 5, 6, …: is not a date."


def test_random_numbers_depend_on_the_names_alone():
    assert rng("acme", "permutation").integers(10**9) == 94902796
    assert rng("acme", "permutation").random() != rng("acme", "bootstrap").random()


def test_a_key_given_twice_is_a_mistake_and_not_silently_the_last(tmp_path):
    (problem,) = problems_of(write_study(tmp_path, ACME + "\nmin_cell: 12\nmin_cell: 3\n"))
    assert "min_cell" in problem.message and "twice" in problem.message


@pytest.mark.parametrize("impossible", ["2022-13-01", "20220101", "2022-1-1"])
def test_a_date_that_is_none_is_told_with_its_line(tmp_path, impossible):
    (problem,) = problems_of(
        write_study(tmp_path, ACME.replace("study_start: 2022-01-01", f"study_start: {impossible}"))
    )
    assert problem.example_rows == (4,) and problem.message.startswith("study_start")


def test_a_smallest_effect_for_no_hypothesis_is_refused(tmp_path):
    study = load_study("acme", write_study(tmp_path, ACME + "\nsmallest_effects: {H1_retentoin: 0.02}\n"))
    (problem,) = unusable_effects(study, lambda *_: 7)
    assert problem.severity == "error" and "H1_retentoin" in problem.message and problem.example_rows == (7,)
