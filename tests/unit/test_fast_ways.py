"""What is done at once for plain cells says the same as what is done one by one for the others."""

import datetime as dt
import hmac

import numpy as np
import pandas as pd
import pytest

from analysis.ingest import profile as profiles
from analysis.ingest.dates import to_days, to_moments
from analysis.ingest.export import as_text
from analysis.ingest.ids import clean_ids, concealed
from analysis.ingest.personal import is_free_text, is_personal
from analysis.ingest.text_matching import all_folded, folded, matches

TEXTS = [
    "Plain",
    "two  spaces",
    " before",
    "after ",
    "a\tb",
    "a\nb",
    "Straße",
    "１２.０",
    "a\u00a0b",
    "ZERO\u200bWIDTH",
    "",
]
MOMENTS = [
    *("2021-03-28 02:30:00", "2021-10-31T02:30:00", "2021-02-30 10:00:00", "2021-13-01", "2020-02-29", "1900-01-01"),
    *("9999-12-31 23:59:59", "4000-01-01", "2021-06-30 23:30:00.123", "2021-06-30 00:00:00", "2021-06-30t24:00:00"),
]
ZONES = [(None, None), ("America/New_York", "Europe/Berlin"), (None, "Europe/Berlin"), ("Nowhere", None)]


@pytest.mark.parametrize("texts", [TEXTS, ["Plain", "ASCII, only!"], []])
def test_texts_folded_at_once_are_folded_as_each_is(texts):
    assert list(all_folded(pd.Index(texts, dtype="str"))) == [folded(text) for text in texts]


def test_a_pattern_without_a_star_is_all_of_a_text():
    found = matches(["NA", "n/a", "NAN", "a?b", "a.b", "banana"], ["na", "N/A", "a?b", "*nana"])
    assert list(found) == [True, True, False, True, False, True]


@pytest.mark.parametrize(("written_in", "wanted_in"), ZONES)
def test_dates_in_iso_form_alone_are_read_as_among_others(written_in, wanted_in):
    iso = [moment for moment in MOMENTS if "24:" not in moment]
    alone, among = (_days(cells, written_in, wanted_in) for cells in (iso, [*iso, "01.02.2021"]))
    assert alone[0] == among[0][:-1]
    assert alone[1] == {rule: [line for line in lines if line <= len(iso)] for rule, lines in among[1].items()}


def _days(cells, written_in, wanted_in):
    column, as_of = as_text(cells), dt.date(2022, 1, 1)
    read = to_days(column, order=None, written_in=written_in, wanted_in=wanted_in, as_of=as_of)
    lines = {found.rule: list(np.flatnonzero(found.rows(column)) + 1) for found in read.findings}
    return list(read.column.astype(object)), lines


def test_a_cell_that_is_no_day_or_no_time_stays_as_it_is():
    days, _ = _days(MOMENTS, None, None)
    kept = [moment for moment, day in zip(MOMENTS, days, strict=True) if day == moment]
    assert kept == ["2021-02-30 10:00:00", "2021-13-01", "2020-02-29", "2021-06-30t24:00:00"]


def test_moments_in_iso_form_alone_are_those_among_others():
    alone, among = (
        to_moments(as_text(cells), order=None, as_of=dt.date(2022, 1, 1)) for cells in (MOMENTS[:5], MOMENTS)
    )
    assert alone.astype(str).tolist() == among[:5].astype(str).tolist()
    assert alone[0] == np.datetime64("2021-03-28T02:30:00")


@pytest.mark.parametrize(
    ("ids", "rule"),
    [
        (["12.0", "７.０"], "id_as_number"),
        (["E-1", "1.2E+05"], "id_in_exponent_form"),
        (["1,234", "12"], "id_with_separators"),
        (["E-1", "12", "a_b", "7e05"], None),
    ],
)
def test_ids_with_a_sign_of_a_number_are_looked_at(ids, rule):
    found = clean_ids(as_text(ids)).findings
    assert [one.rule for one in found] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["ann@acme.example", "bo@acme.example", "none"], True),
        (["192.0.2.1", "2001:db8:0:0:0:0:0:1", "::"], True),
        (["10:30", "11:15"], False),
        (["1.5", "2.5"], False),
        (["ann at acme", "bo at acme"], False),
        ([], False),
    ],
)
def test_addresses_are_told_by_their_cells(cells, expected):
    assert is_personal("x", as_text(cells), ()) is expected


def test_free_text_is_long_or_of_many_words_that_do_not_recur():
    wordy = [f"she said {n}" for n in range(10)]
    assert is_free_text(as_text(wordy))
    assert is_free_text(as_text([f"{'x' * 60} y"]))
    assert not is_free_text(as_text(wordy[:9]))
    assert not is_free_text(as_text(wordy * 2))
    assert not is_free_text(as_text(["x" * 61]))


def test_lists_hold_the_pseudonyms_of_the_people_in_them():
    key = b"k" * 32
    tables = {
        "employees": pd.DataFrame({"employee_id": as_text(["E2", "E1", "é"])}),
        "sessions": pd.DataFrame({"attendee_ids": as_text(["E1; E2", "E1;;é", ";", None, "E1;E2"])}),
    }
    hidden = concealed(tables, key)
    names = {
        text: f"{rank:08x}" + hmac.digest(key, f"employee_id:{text}".encode(), "sha256").hex()[:24]
        for rank, text in enumerate(["E1", "E2", "é"])
    }
    assert list(hidden["employees"]["employee_id"]) == [names["E2"], names["E1"], names["é"]]
    both = f"{names['E1']};{names['E2']}"
    lists = hidden["sessions"]["attendee_ids"].astype(object)
    assert list(lists.fillna("")) == [both, f"{names['E1']};{names['é']}", "", "", both]


def test_of_the_shipped_profiles_only_those_that_a_study_names_are_loaded(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(profiles, "_shipped", loaded.append)
    sources = [type("Source", (), {"profile": name}) for name in ("workday", "qualtrics", "workday", "unheard_of")]
    profiles.profiles_of(type("Study", (), {"folder": tmp_path, "sources": sources}))
    assert loaded == ["qualtrics", "workday"]
