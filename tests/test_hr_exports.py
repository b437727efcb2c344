"""What the HR systems' exporters write is read back, quirks and all, as the tables that they were given."""

import datetime as dt
import functools

import pandas as pd
import pytest
from analysis.simulate.exports import hr
from analysis.simulate.exports.people import people
from analysis.simulate.exports.sheet import Sheet, workbook

from analysis.ingest.columns import Columns
from analysis.ingest.profile import load_profiles
from analysis.ingest.sources import read_exports
from analysis.ingest.translate import recognised_share
from analysis.plan.contract import TABLES
from analysis.plan.study import Study
from analysis.simulate import scenario_named, simulate
from analysis.validate.cells import typed

EXPORTERS = {
    "workday": (hr.workday_workers, hr.workday_job_changes),
    "successfactors": (hr.successfactors_employment, hr.successfactors_job_info),
    "bamboohr": (hr.bamboohr_employees, hr.bamboohr_jobs),
    "personio": (hr.personio_employees, hr.personio_jobs),
    "hibob": (hr.hibob_people, hr.hibob_work_history),
    "oracle": (hr.oracle_work_relationships, hr.oracle_assignments),
    "ukg": (hr.ukg_employees, hr.ukg_jobs),
}
AS_OF = dt.date(2025, 6, 30)


@functools.cache
def company() -> dict[str, pd.DataFrame]:
    """Return the employees and jobs of a small company in which people leave in every way."""
    made = simulate(scenario_named("hrtest", like="plumetree", employees=120)).tables
    employees = made.employees.copy()
    left = employees.index[employees["exit_type"].notna()]
    for n, kind in enumerate(["retirement", "death", "end_of_contract", "transfer", "other", "involuntary"]):
        employees.loc[left[n], ["exit_type", "exit_reason"]] = [kind, pd.NA]
    employees.loc[left[6], ["exit_type", "exit_reason"]] = pd.NA
    return {"employees": employees, "jobs": made.jobs}


def everybody() -> pd.DataFrame:
    return people("hrtest", company()["employees"]["employee_id"])


def written(vendor: str, table: str) -> Sheet:
    return EXPORTERS[vendor][table == "jobs"](company()[table], everybody())


def read_back(vendor: str, folder, name: str = "{table}.csv", **source) -> dict[str, pd.DataFrame]:
    """Return the canonical tables that are read from the vendor's files in a folder."""
    sources = [{"table": t, "path": name.format(table=t), "profile": vendor, **source} for t in ("employees", "jobs")]
    study = Study(
        schema_version=1, study="hrtest", title="HR", study_start="2021-01-01", as_of=str(AS_OF), sources=sources
    ).model_copy(update={"folder": folder})
    raw = read_exports(study)
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    return raw.tables


def assert_same(raw: pd.DataFrame, table: str) -> None:
    # the company's tables do not say what some systems add: when a person was hired first of all
    wanted = company()[table].drop(columns="original_hire_date", errors="ignore")
    filled = {name for name in wanted if wanted[name].notna().any()}
    assert filled <= set(raw) - {"_source", "_line"} <= set(TABLES[table]), "nothing of the vendor's own is left"
    found = typed(raw.reset_index(drop=True), table)[list(wanted)].astype(wanted.dtypes.to_dict())
    pd.testing.assert_frame_equal(found, wanted)


@pytest.mark.parametrize("vendor", EXPORTERS)
def test_an_export_is_read_back_as_the_tables_that_it_was_made_of(vendor, tmp_path):
    dialect = {"delimiter": ";", "encoding": "utf-8-sig"} if vendor == "personio" else {}
    for table in ("employees", "jobs"):
        (tmp_path / f"{table}.csv").write_bytes(written(vendor, table).csv(**dialect))
    raw = read_back(vendor, tmp_path)
    for table in ("employees", "jobs"):
        assert_same(raw[table], table)


def test_a_spreadsheet_is_read_back_like_a_csv_file(tmp_path):
    numbers = ("Job_Level", "FTE", "Total_Base_Pay_Annualized_-_Amount", "Performance_Rating")
    for table in ("employees", "jobs"):
        (tmp_path / f"{table}.xlsx").write_bytes(workbook({"Report": written("workday", table)}, numbers=numbers))
    raw = read_back("workday", tmp_path, "{table}.xlsx")
    for table in ("employees", "jobs"):
        assert_same(raw[table], table)


@pytest.mark.parametrize("vendor", EXPORTERS)
def test_every_cell_is_text_under_a_name_of_its_own(vendor):
    for table in ("employees", "jobs"):
        header, *rows = written(vendor, table).cells
        assert len(set(header)) == len(header)
        assert all(len(row) == len(header) for row in rows)
        assert all(isinstance(cell, str) for row in rows for cell in row)


@pytest.mark.parametrize("table", ["employees", "jobs"])
@pytest.mark.parametrize("vendor", EXPORTERS)
def test_an_export_is_recognised_as_its_own_vendors_and_no_others(vendor, table):
    columns = Columns(pd.DataFrame(columns=written(vendor, table).cells[0]))
    shares = {
        name: max(recognised_share(layout, columns) for layout in profile.tables[table])
        for name, profile in load_profiles().items()
        if table in profile.tables
    }
    assert shares.pop(vendor) == 1
    assert max(shares.values()) < 1


@pytest.mark.parametrize(
    ("vendor", "table", "quirk"),
    [
        ("workday", "employees", "N/A-StillEmployed"),
        ("workday", "employees", "Terminate_Employee_Voluntary_Retirement"),
        ("workday", "employees", "Terminate_Employee_Voluntary_Death"),
        ("workday", "jobs", "Terminate Employee"),
        ("successfactors", "employees", "/Date(253402214400000)/"),
        ("successfactors", "employees", "TERVOLRET"),
        ("successfactors", "jobs", "NO_MANAGER"),
        ("bamboohr", "employees", "0000-00-00"),
        ("personio", "employees", "Renteneintritt"),
        ("hibob", "employees", "mutual"),
        ("hibob", "jobs", "80%"),
        ("oracle", "employees", "31-DEC-4712"),
        ("oracle", "jobs", "INACTIVE"),
        ("ukg", "employees", "TRO"),
    ],
)
def test_an_export_has_its_vendors_quirks(vendor, table, quirk):
    assert any(quirk in row for row in written(vendor, table).cells)


def test_one_of_workdays_hires_was_rescinded_and_is_nobody():
    header, *rows = written("workday", "employees").cells
    rescinded = [row for row in rows if row[header.index("Hire_Rescinded")] == "1"]
    assert len(rescinded) == 1
    assert rescinded[0][0] not in set(company()["employees"]["employee_id"])


def test_bamboohr_knows_managers_by_name_alone_last_name_first():
    header, *rows = written("bamboohr", "jobs").cells
    names = {row[header.index("Reporting to")] for row in rows} - {""}
    assert names and all(name.count(", ") == 1 for name in names)
    assert not {"supervisorId", "Supervisor EID"} & set(header)


def test_a_german_account_writes_amounts_with_points_and_a_comma():
    header, *rows = written("personio", "jobs").cells
    assert all(row[header.index("Jahresgehalt")].endswith(",00") for row in rows)
    assert any("." in row[header.index("Jahresgehalt")] for row in rows)


def test_somebody_who_came_back_has_a_second_user_in_successfactors():
    header, *rows = written("successfactors", "employees").cells
    users = [row[header.index("userId")] for row in rows]
    assert len(set(users)) == len(users)
    assert any(user.endswith("-2") for user in users)


@pytest.mark.parametrize("kind", ["death", "retirement"])
@pytest.mark.parametrize("vendor", ["workday", "successfactors", "ukg", "oracle"])
def test_deaths_and_retirements_under_a_voluntary_code_are_not_voluntary(vendor, kind, tmp_path):
    (tmp_path / "employees.csv").write_bytes(written(vendor, "employees").csv())
    (tmp_path / "jobs.csv").write_bytes(written(vendor, "jobs").csv())
    raw = read_back(vendor, tmp_path)["employees"]
    meant = company()["employees"]["exit_type"].eq(kind)
    assert meant.any()
    assert set(raw["exit_type"].astype("str")[meant.to_numpy()]) == {kind}


LEAVER = {
    "workday": "Employee_ID,Hire_Date,Termination_Date,Primary_Termination_Category,Primary_Termination_Reason",
    "successfactors": "personIdExternal,startDate,endDate,eventReason",
    "bamboohr": "Employee #,Hire Date,Termination Date,Termination Type,Termination Reason",
    "personio": "Personnel number,Hire date,Termination date,Termination type",
    "hibob": "Employee ID,Start date,Termination date,Termination type,Termination reason",
    "oracle": "PERSON_NUMBER,DATE_START,ACTUAL_TERMINATION_DATE,ACTION_CODE,REASON_CODE",
    "ukg": "employeeNumber,lastHireDate,dateOfTermination,termType,terminationReasonDescription",
}


@pytest.mark.parametrize(
    ("vendor", "codes", "kind"),
    [
        ("workday", "Terminate_Employee_Voluntary,Terminate_Employee_Voluntary_Death_in_Family", "voluntary"),
        ("workday", "Terminate_Employee_Voluntary,Terminate_Employee_Voluntary_Spouse_Transferred", "voluntary"),
        ("workday", "Terminate Employee > Voluntary,Terminate Employee > Voluntary > Retirement", "retirement"),
        ("workday", ",", None),
        ("successfactors", "TERINVOL_SUSPENSION", "involuntary"),
        ("successfactors", "TERM_BREACH_OF_CONTRACT", None),
        ("successfactors", "ZZ_77", None),
        ("bamboohr", "Resignation (Voluntary),Death in the family", "voluntary"),
        ("bamboohr", "Resignation (Voluntary),Early retirement", "retirement"),
        ("bamboohr", "Terminated,", None),
        ("personio", "AGREEMENT", "other"),
        ("personio", "UNSPECIFIED", None),
        ("hibob", "voluntary,Death in the family", "voluntary"),
        ("hibob", "mutual,Better pay", "other"),
        ("oracle", "RESIGNATION,FAMILY_DEATH", "voluntary"),
        ("oracle", "TERMINATION,", None),
        ("ukg", "V,Death in the family", "voluntary"),
        ("ukg", "I,Retired", "retirement"),
        ("ukg", ",", None),
    ],
)
def test_a_reason_is_taken_for_what_it_says_and_an_unknown_one_is_never_voluntary(vendor, codes, kind, tmp_path):
    (tmp_path / "employees.csv").write_text(f"{LEAVER[vendor]}\n0007,2020-01-13,2023-05-31,{codes}\n")
    (tmp_path / "jobs.csv").write_bytes(written(vendor, "jobs").csv())
    found = read_back(vendor, tmp_path)["employees"]
    kinds = (
        found["exit_type"].astype(object).where(found["exit_type"].notna(), None) if "exit_type" in found else [None]
    )
    assert list(kinds) == [kind]
