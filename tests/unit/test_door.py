"""What of an employees' file is read at all: what the contract and the study name, whatever the headings are called."""

import pytest
import yaml
from studies import TINY_COMPANY, as_csv, write_study

from analysis.pipeline import open_study

HEADINGS = [
    "Naam",
    "Achternaam",
    "Imię",
    "Nazwisko",
    "氏名",
    "ФИО",
    "Förnamn",
    "Nom",
    "Führungskraft",
    "DOB",
]
HEADINGS += [
    "Geburtsort",
    "Gehalt",
    "Krankheitstage",
    "Schwerbehindert",
    "Religion",
    "Gewerkschaft",
    "Telefoon",
    "PESEL",
    "Sueldo",
]


def columns(folder, profile: str, headings: list[str], **study) -> set[str]:
    """Return the columns of the employees of a study whose file has these further ones, with a value in each."""
    tables = {name: text for name, text in TINY_COMPANY.items() if name == "employees"}
    head, *rows = as_csv(tables["employees"]).splitlines()
    further = [",".join([head, *headings]), *(",".join([row, *["x"] * len(headings)]) for row in rows)]
    write_study(folder / "acme", {"employees": "\n".join(further)}, **study)
    path = folder / "acme" / "study.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["sources"][0]["profile"] = profile
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return set(open_study("acme", folder).tables.employees)


@pytest.mark.parametrize("profile", ["canonical", "workday", "personio", "bamboohr"])
def test_no_column_of_peoples_own_data_is_read_whatever_the_language(tmp_path, profile):
    assert not columns(tmp_path, profile, HEADINGS) & set(HEADINGS)


def test_of_a_vendors_export_nothing_is_read_that_nothing_needs(tmp_path):
    assert "Cost Centre" not in columns(tmp_path, "bamboohr", ["Cost Centre", "Site"])


def test_what_the_study_names_is_read(tmp_path):
    lottery = {"id": "genius", "name": "Genius", "direction": "reverse", "format": "pair", "assignment": "lottery"}
    study = {"keep": {"employees": ["Cost Centre"]}, "programs": [lottery | {"strata": ["Site"]}]}
    assert {"Cost Centre", "Site"} <= columns(tmp_path, "bamboohr", ["Cost Centre", "Site", "Shift"], **study)


def test_a_file_in_the_contracts_form_keeps_its_further_attributes(tmp_path):
    assert "cost_centre" in columns(tmp_path, "canonical", ["cost_centre"])
