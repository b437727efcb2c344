"""What the cells of an export mean: dates, numbers, truth values, ids, and who is meant by a name or an address."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.ingest.date_forms import _MONTHS, MONTHS
from analysis.ingest.dates import to_days
from analysis.ingest.export import as_text
from analysis.ingest.ids import clean_ids, lost_zeros
from analysis.ingest.keys import Directory, first_and_last
from analysis.ingest.numbers import to_booleans, to_numbers
from analysis.ingest.text_matching import matches, plain, plain_email, plain_person

AS_OF = dt.date(2025, 6, 30)
ANY_CELLS = st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=8)
NEAR_DATES = st.lists(st.text(alphabet="0123456789/-.: TZ+apmMr,()Date", max_size=24), max_size=8)
NEAR_NUMBERS = st.lists(st.text(alphabet="0123456789.,' €%eE+-", max_size=12), max_size=8)


def days(*cells, order=None, written_in=None, wanted_in=None):
    """Read a column of dates whose first cell stands on line 2."""
    return read(to_days, *cells, order=order, written_in=written_in, wanted_in=wanted_in, as_of=AS_OF)


class Found(NamedTuple):
    """A column as it was read, what was found, and the column as it came."""

    column: pd.Categorical
    findings: tuple
    given: pd.Categorical


def read(function, *cells, **settings_):
    column = as_text(cells)
    made = function(column, **settings_)
    return Found(made.column, made.findings, column)


def texts(cells):
    return [None if pd.isna(text) else text for text in cells.column]


def rules(cells):
    """Return what was found: rule → lines."""
    return {finding.rule: (np.flatnonzero(finding.rows(cells.given)) + 2).tolist() for finding in cells.findings}


def errors(cells):
    return {rule: lines for rule, lines in rules(cells).items() if is_error(rule, cells)}


def is_error(rule, cells):
    return any(finding.rule == rule and finding.severity == "error" for finding in cells.findings)


# Dates


@pytest.mark.parametrize(
    "cell",
    [
        "2021-03-01T14:03:22", "2021-03-01 14:03:22.123", "2021-03-01T14:03:22Z", "2021-03-01T14:03:22.5+01:00",
        "2021-03-01-08:00", "2021-3-1", "2021/03/01", "20210301", "/Date(1614556800000)/", "/Date(1614556800000+0000)/",
        "Mar 1, 2021", "March 1 2021 2:05 PM", "March 1st, 2021", "1 March 2021", "01-Mar-21", "01-MAR-2021",
        "01-MAR-21 02.05.06.123456 PM +01:00", "Mar  1 2021  2:05PM", "2021-Mar-01", "1. März 2021", "1er mars 2021",
        "1 de março de 2021", "1 mrt. 2021", "1 marzo 2021", "1. marts 2021", "2021/03/01 2:03:22 PM GMT+1",
        "March 1, 2021, 2:05 p.m.", "2021-03-01 10:00:00 EST",
    ],
)  # fmt: skip
def test_the_first_of_march_is_read_in_every_form_that_cannot_be_mistaken(cell):
    assert texts(days(cell)) == ["2021-03-01"]
    assert rules(days(cell)) == {"dates_translated": [2]}


def test_a_canonical_column_stays_as_it_is_and_nothing_is_said():
    found = days("2021-03-01", None, "2020-02-29")
    assert texts(found) == ["2021-03-01", None, "2020-02-29"]
    assert found.findings == ()


def test_one_day_after_the_twelfth_says_the_order_for_the_whole_column():
    assert texts(days("03/04/2021", "31/12/2020")) == ["2021-04-03", "2020-12-31"]
    assert texts(days("03/04/2021", "12/31/2020")) == ["2021-03-04", "2020-12-31"]
    assert texts(days("5/10/2021 14:03:22", "5/13/2021 09:00:00")) == ["2021-05-10", "2021-05-13"]


def test_between_dots_the_day_is_first():
    assert texts(days("03.04.2021", "03.04.21")) == ["2021-04-03", "2021-04-03"]


def test_what_dots_say_does_not_hold_for_slashes():
    found = days("31.12.2020", "03/04/2021")
    assert texts(found) == ["2020-12-31", "03/04/2021"]
    assert errors(found) == {"ambiguous_date": [3]}


def test_a_column_that_does_not_show_its_order_is_an_error_naming_the_rows():
    found = days("2021-05-31", "03/04/2021", "03/03/2021", "04/03/2021 10:00")
    assert errors(found) == {"ambiguous_date": [3, 5]}
    assert texts(found)[1] == "03/04/2021"
    assert "date_order: dmy" in found.findings[0].message


def test_the_order_that_is_given_decides():
    assert texts(days("03/04/2021", order="dmy")) == ["2021-04-03"]
    assert texts(days("03/04/2021", order="mdy")) == ["2021-03-04"]
    assert errors(days("03/04/2021", "13/04/2021", order="mdy")) == {"mixed_date_order": [3]}


def test_two_orders_in_one_column_are_an_error_naming_the_rarer():
    found = days("31/12/2020", "30/12/2020", "12/31/2020", "01/02/2021")
    assert errors(found) == {"mixed_date_order": [4]}
    assert texts(found)[3] == "01/02/2021"


def test_two_formats_that_cannot_be_mistaken_are_fine():
    found = days("2020-12-31", "31.12.2020")
    assert texts(found) == ["2020-12-31"] * 2
    assert rules(found) == {"dates_translated": [3]}


def test_the_same_number_twice_says_nothing_and_needs_nothing():
    assert texts(days("03/03/2021")) == ["2021-03-03"]
    assert errors(days("03/03/2021", "03/04/2021")) == {"ambiguous_date": [3]}


@pytest.mark.parametrize(
    "cell",
    ["31.02.2021", "2021-02-30", "29/02/2021", "13/13/2021", "soon", "2021-13-01", "2021-03-01 25:00:00",
     "2021-03-01 13:00 PM", "2021-03-01 10:00 +99:00", "31122020", "Marsch 1, 2021", "03/2021", "1021-05"],
)  # fmt: skip
def test_what_is_no_day_of_the_calendar_stays_for_validation_to_report(cell):
    found = days(cell)
    assert texts(found) == [cell]
    assert found.findings == ()


def test_two_digits_of_a_year_reach_ten_years_past_the_data_lock():
    assert texts(days("31.12.35", "31.12.36", "31.12.99")) == ["2035-12-31", "1936-12-31", "1999-12-31"]


def test_days_and_words_that_stand_for_none_become_empty():
    none = ["N/A-StillEmployed", "N/A", "null", "--", "TBD", "0000-00-00", "00.00.0000", "Still employed"]
    none += ["9999-12-31", "31.12.9999", "9999-12-31T00:00:00Z", "/Date(253402214400000)/", "2999-12-31", "4000-01-01"]
    none += ["1900-01-01", "0001-01-01T00:00:00"]
    found = days("2021-03-01", *none)
    assert texts(found) == ["2021-03-01"] + [None] * len(none)
    assert rules(found) == {"no_date": list(range(3, 3 + len(none)))}
    assert texts(days("12/31/9999")) == [None]


def test_a_year_that_is_a_slip_of_the_pen_is_not_taken_for_none():
    assert texts(days("2921-03-01", "2099-12-31")) == ["2921-03-01", "2099-12-31"]


def test_serial_numbers_are_days_only_where_the_column_holds_nothing_else():
    found = days("44256", "44257.5", "n/a")
    assert texts(found) == ["2021-03-01", "2021-03-02", None]
    assert rules(found) == {"serial_dates": [2, 3], "no_date": [4]}
    assert texts(days("44256", "2021-03-01")) == ["44256", "2021-03-01"]
    assert texts(days("44256", "12")) == ["44256", "12"]


def test_a_time_falls_on_the_day_that_it_is_where_the_study_is():
    late = "2021-03-01 23:30:00"
    assert texts(days(late, written_in="America/Denver", wanted_in="Europe/Berlin")) == ["2021-03-02"]
    assert texts(days(late + "-07:00", wanted_in="Europe/Berlin")) == ["2021-03-02"]
    assert texts(days(late, wanted_in="Europe/Berlin")) == ["2021-03-01"]
    assert texts(days(late + "Z")) == ["2021-03-01"]
    assert texts(days("2021-03-01T03:00:00Z", "2021-03-01", wanted_in="America/Denver")) == ["2021-02-28", "2021-03-01"]


def test_days_written_as_midnight_are_not_moved_to_another_day():
    assert texts(days("2021-03-01T00:00:00Z", wanted_in="America/Denver")) == ["2021-03-01"]
    assert texts(days("/Date(1614556800000)/", wanted_in="America/Denver")) == ["2021-03-01"]
    assert texts(days("2021-03-01T00:00:00Z", "2021-03-01T00:00:01Z", wanted_in="America/Denver")) == ["2021-02-28"] * 2


def test_the_skipped_and_the_doubled_hour_of_summer_time_have_their_day():
    cells = ("2021-03-28 02:30:00", "2021-10-31 02:30:00")
    assert texts(days(*cells, written_in="Europe/Berlin", wanted_in="UTC")) == ["2021-03-28", "2021-10-31"]


@pytest.mark.parametrize("zone", ["Mars/Base", "../etc", "America", "", "Mountain Time"])
def test_an_unknown_time_zone_is_an_error(zone):
    found = days("2021-03-01 23:30:00", written_in=zone, wanted_in="Europe/Berlin")
    assert errors(found) == {"unknown_timezone": []}
    assert errors(days("2021-03-01", written_in=zone, wanted_in="Europe/Berlin")) == {}


def test_a_month_has_one_meaning_in_all_languages():
    assert len(MONTHS) == len(set(_MONTHS.split())) == len(_MONTHS.split())
    assert set(MONTHS.values()) == set(range(1, 13))


GERMAN = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
          "Dezember"]  # fmt: skip
FORMATS = [
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.000Z", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%d.%m.%Y %H:%M",
    "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%m/%d/%Y %I:%M:%S %p", "%d-%m-%Y", "%m-%d-%Y", "%d/%m/%y", "%m/%d/%y %H:%M",
    "%d-%b-%y", "%d-%b-%Y", "%b %d, %Y", "%B %d %Y %I:%M %p", "%d %B %Y", "%d. {german} %Y",
]  # fmt: skip


@given(
    st.lists(st.datetimes(dt.datetime(1940, 1, 1), dt.datetime(2035, 12, 31)), min_size=1, max_size=12),
    st.sampled_from(FORMATS),
)
@settings(max_examples=150, deadline=None)
def test_days_written_in_any_form_come_back_when_one_is_after_the_twelfth(moments, form):
    moments = [*moments, dt.datetime(2020, 2, 13, 9, 30)]
    cells = [moment.strftime(form.replace("{german}", GERMAN[moment.month - 1])) for moment in moments]
    found = days(*cells)
    assert texts(found) == [moment.date().isoformat() for moment in moments]
    assert errors(found) == {}


@given(st.lists(st.dates(dt.date(1940, 1, 1), dt.date(2035, 12, 31)), min_size=1, max_size=8), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_day_is_never_read_in_the_wrong_order(dates, day_first):
    form = "%d/%m/%Y" if day_first else "%m/%d/%Y"
    found = days(*[date.strftime(form) for date in dates])
    if not errors(found):
        assert texts(found) == [date.isoformat() for date in dates]


# Numbers and truth values


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1234.5", "1.234"], ["1234.5", "1.234"]),
        (["1,234.50", "1,234"], ["1234.50", "1234"]),
        (["1.234,50", "1.234"], ["1234.50", "1234"]),
        (["12,5", "1,234"], ["12.5", "1.234"]),
        (["0,123"], ["0.123"]),
        (["1.234.567", "1.234"], ["1234567", "1234"]),
        (["1,234,567", "1,234"], ["1234567", "1234"]),
        (["1 234,5", "1 234", "1'234", "1’234.5"], ["1234.5", "1234", "1234", "1234.5"]),
        (["€ 12,50", "12,50 EUR", "$1,234.5", "US$5", "-3", "−3"], ["12.50", "12.50", "1234.5", "5", "-3", "-3"]),
        (["1.5E+05", "1,5E+05"], ["1.5E+05", "1.5e+05"]),
        (["12 34", "1.2.3", "(5)", "80 %", "x", "12,34,5.6"], ["12 34", "1.2.3", "(5)", "80 %", "x", "12,34,5.6"]),
    ],
)
def test_numbers_get_a_decimal_point(cells, numbers):
    found = read(to_numbers, *cells)
    assert texts(found) == numbers
    assert errors(found) == {}
    changed = [line for line, pair in enumerate(zip(cells, numbers, strict=True), 2) if pair[0] != pair[1]]
    assert rules(found).get("numbers_translated", []) == changed


def test_a_comma_before_three_digits_alone_is_an_error_naming_the_rows():
    found = read(to_numbers, "7", "1,234", "12,345")
    assert errors(found) == {"ambiguous_number": [3, 4]}
    assert texts(found) == ["7", "1,234", "12,345"]
    assert texts(read(to_numbers, "1,234", decimal=",")) == ["1.234"]
    assert texts(read(to_numbers, "1,234", decimal=".")) == ["1234"]
    assert texts(read(to_numbers, "1.234", decimal=",")) == ["1234"]


def test_a_column_with_both_decimal_signs_leaves_what_is_open_as_an_error():
    assert errors(read(to_numbers, "1.5", "2,5", "1,234", "1.234")) == {"ambiguous_number": [4, 5]}


def test_percent_is_a_share_only_where_it_is_asked_for():
    assert texts(read(to_numbers, "80 %", "0.8", "7,5%", "100%", is_share=True)) == ["0.8", "0.8", "0.075", "1"]


STYLES = [
    (",", "."),
    (".", ","),
    (" ", ","),
    (" ", "."),
    ("\u00a0", ","),
    ("\u202f", ","),
    ("'", "."),
    ("’", "."),
    ("", ","),
    ("", "."),
]


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=8),
    st.sampled_from(STYLES),
    st.sampled_from(["", "€", " EUR"]),
)
@settings(max_examples=150, deadline=None)
def test_numbers_written_in_any_style_come_back(hundredths, style, currency):
    thousands, decimal = style
    values = [value / 100 for value in hundredths]
    cells = [f"{value:,.2f}".translate(str.maketrans({",": thousands, ".": decimal})) + currency for value in values]
    found = read(to_numbers, *cells)
    assert [float(text) for text in texts(found)] == values
    assert errors(found) == {}


def test_words_for_true_and_false_are_translated():
    found = read(to_booleans, "true", "FALSE", "Ja", "Sí", "x", "unchecked", "perhaps", None)
    assert texts(found) == ["true", "FALSE", "true", "true", "true", "false", "perhaps", None]
    assert rules(found) == {"booleans_translated": [4, 5, 6, 7]}


# Ids


def test_ids_read_as_numbers_are_repaired_when_every_one_is():
    found = read(clean_ids, "12345.0", None, "7.0")
    assert texts(found) == ["12345", None, "7"]
    assert rules(found) == {"id_as_number": [2, 4]}
    assert texts(read(clean_ids, "12345.0", "A7")) == ["12345.0", "A7"]


def test_ids_that_a_spreadsheet_has_spoilt_are_errors():
    assert errors(read(clean_ids, "1.23E+05", "123", "1,2E+11")) == {"id_in_exponent_form": [2, 4]}
    assert errors(read(clean_ids, "1,234", "123", "12,345")) == {"id_with_separators": [2, 4]}
    assert errors(read(clean_ids, "1\u202f234", "123")) == {"id_with_separators": [2]}


@pytest.mark.parametrize("cells", [["007", "A-12"], ["1E5", "2E7"], ["12.345", "12.346"], ["1,234", "A7"]])
def test_ids_that_only_look_strange_stay(cells):
    found = read(clean_ids, *cells)
    assert texts(found) == cells
    assert found.findings == ()


def test_ids_that_lost_their_zeros_are_recognised_and_no_others():
    unknown = pd.Index(["7", "07", "0007", "A7", "8"], dtype="str")
    known = pd.Index(["007", "00A7", "8", "9"], dtype="str")
    assert lost_zeros(unknown, known).tolist() == [True, True, False, False, False]


# Names, patterns and keys


def test_columns_are_compared_by_their_letters_and_digits():
    assert plain("Hire_Date") == plain("Hire Date") == plain("hireDate") == plain(" HIRE\u00a0DATE: ") == "hiredate"
    assert plain("Kündigung (am)") == plain("Ku\u0308ndigung am")


def test_patterns_match_whole_cells_without_case():
    cells = ["Resignation", "Voluntary - Death", "voluntary", "a?b", "axb", "[x]"]
    assert matches(cells, ["resign*"]).tolist() == [True] + [False] * 5
    assert matches(cells, ["voluntary", "*death"]).tolist() == [False, True, True, False, False, False]
    assert matches(cells, ["A?B", "[x]"]).tolist() == [False, False, False, True, False, True]
    assert not matches(cells, [""]).any()
    assert not matches(cells, []).any()
    assert matches(cells, ["*"]).all()


@pytest.mark.parametrize(
    "text", ["ana@x.com", " Ana@X.com ", "mailto:ana@x.com", "Ana Ito <ana@x.com>", "'ana@x.com'", "ana@x.com;"]
)
def test_an_address_is_the_same_however_it_is_written(text):
    assert plain_email(text) == "ana@x.com"


@pytest.mark.parametrize(
    "text", ["", "anonymous", "a@b", "a b@x.com", "ana@x.com; bo@x.com", "@x.com", "ana@", "a@x..com"]
)
def test_what_is_no_single_address_is_none(text):
    assert plain_email(text) is None


def test_a_name_is_the_same_with_the_last_name_first():
    assert plain_person("Ito, Ana  Maria") == plain_person("ana maria ITO") == "ana maria ito"
    assert plain_person("O’Neil, Tim") == plain_person("Tim O'Neil")
    assert plain_person("Dr. Ana Ito") != plain_person("Ana Ito")
    assert plain_person("King, Jr., Bo") == "king, jr., bo"
    assert plain_person(" , ") is None


PEOPLE = pd.DataFrame(
    {
        "employee_id": as_text(["1", "2", "3", "4", "1"]),
        "email": as_text(["ana@x.com", "bo@x.com", "team@x.com", "team@x.com", "ana.ito@x.com"]),
        "name": as_text(["Ito, Ana", "Bo Lee", "Bo  LEE", None, "Ana Berg"]),
    }
)


def test_a_person_is_found_under_every_address_and_name():
    directory = Directory.of([PEOPLE])
    found = directory.find("email", as_text(["ANA@x.com", "Ana <ana.ito@x.com>", None, "who@x.com", "anonymous"]))
    assert [None if pd.isna(i) else i for i in found.ids] == ["1", "1", None, None, None]
    assert found.unmatched.tolist() == [False, False, False, True, True]
    assert not found.ambiguous.any()
    assert list(directory.find("name", as_text(["ana ito", "Berg, Ana"])).ids) == ["1", "1"]


def test_what_two_employees_carry_matches_neither():
    directory = Directory.of([PEOPLE.iloc[:2], PEOPLE.iloc[2:]])
    for kind, cell in (("email", "team@x.com"), ("name", "Lee, Bo")):
        found = directory.find(kind, as_text([cell]))
        assert pd.isna(found.ids[0])
        assert found.ambiguous.tolist() == [True]
        assert found.unmatched.tolist() == [False]


def test_an_employee_with_two_spells_is_one_person():
    twice = PEOPLE.iloc[[0, 0]]
    assert list(Directory.of([twice]).find("name", as_text(["Ana Ito"])).ids) == ["1"]


def test_nobody_is_found_by_likeness_or_in_an_empty_directory():
    assert Directory.of([PEOPLE]).find("name", as_text(["Anna Ito", "A. Ito", "Ana"])).unmatched.all()
    assert Directory.of([]).find("email", as_text(["ana@x.com"])).unmatched.tolist() == [True]


def test_first_and_last_names_are_joined_where_both_are_there():
    joined = first_and_last(as_text(["Ana", "Ana", None, "Bo", None]), as_text(["Ito", "Berg", "Lee", None, None]))
    assert [None if pd.isna(name) else name for name in joined] == ["Ana Ito", "Ana Berg", None, None, None]
    assert len(first_and_last(as_text([]), as_text([]))) == 0


NAMES = st.text(alphabet="aAbB ,'", max_size=5)


@given(st.lists(st.tuples(st.sampled_from("1234"), NAMES), max_size=10), st.lists(NAMES, max_size=6))
@settings(max_examples=200, deadline=None)
def test_who_is_found_is_the_only_one_who_carries_the_name(people, asked):
    frame = pd.DataFrame({"employee_id": as_text([id_ for id_, _ in people]), "name": as_text([n for _, n in people])})
    found = Directory.of([frame]).find("name", as_text(asked))
    for cell, id_, unmatched, ambiguous in zip(asked, found.ids, found.unmatched, found.ambiguous, strict=True):
        carriers = {i for i, name in people if plain_person(name) == plain_person(cell) is not None}
        assert (None if pd.isna(id_) else id_) == (next(iter(carriers)) if len(carriers) == 1 else None)
        assert ambiguous == (len(carriers) > 1)
        assert unmatched == (not carriers and bool(cell.strip()))


# Whatever stands in a cell


@given(
    st.one_of(ANY_CELLS, NEAR_DATES, NEAR_NUMBERS),
    st.sampled_from([None, "dmy"]),
    st.sampled_from([None, "America/Denver"]),
)
@settings(max_examples=300, deadline=None)
def test_no_text_makes_anything_fail_and_rows_stay_rows(cells, order, zone):
    column = as_text(cells)
    for found in (
        days(*cells, order=order, written_in=zone, wanted_in=zone and "Asia/Tokyo"),
        read(to_numbers, *cells),
        read(to_numbers, *cells, is_share=True),
        read(to_booleans, *cells),
        read(clean_ids, *cells),
    ):
        assert len(found.column) == len(cells)
        assert not (column.isna() & ~found.column.isna()).any()
    frame = pd.DataFrame({"employee_id": column, "email": column, "name": column})
    directory = Directory.of([frame])
    for kind in ("email", "name"):
        assert len(directory.find(kind, column).ids) == len(cells)
    matches(column.categories, [*column.categories, "*a*"])
    assert [plain(text) is not None for text in column.categories] == [True] * len(column.categories)


@given(NEAR_DATES)
@settings(max_examples=200, deadline=None)
def test_messages_hold_no_cell(cells):
    marked = [f"{cell}qz" for cell in cells] + ["03/04/2021", "1,234", "1.23E+05"]
    for found in (days(*marked), read(to_numbers, *marked), read(clean_ids, *marked)):
        for finding in found.findings:
            assert "qz" not in finding.message
            assert "1,234" not in finding.message
