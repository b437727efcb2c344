"""What HR systems' codes and reasons of an exit are taken for."""

import pytest
from exports import study_in

from analysis.ingest.sources import read_exports
from analysis.plan.study import Source

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
        ("workday", "Terminate_Employee_Voluntary,Terminate_Employee_Voluntary_Death", "death"),
        ("workday", "Terminate_Employee_Other,", "other"),
        ("workday", ",", None),
        ("successfactors", "TERINVOL_SUSPENSION", "involuntary"),
        ("successfactors", "TERVOLDEATH", "death"),
        ("successfactors", "TERVOLRET", "retirement"),
        ("successfactors", "TEROTH", "other"),
        ("successfactors", "TERM_BREACH_OF_CONTRACT", None),
        ("successfactors", "ZZ_77", None),
        ("bamboohr", "Resignation (Voluntary),Death in the family", "voluntary"),
        ("bamboohr", "Resignation (Voluntary),Early retirement", "retirement"),
        ("bamboohr", "Other,", "other"),
        ("bamboohr", "Terminated,", None),
        ("personio", "AGREEMENT", "other"),
        ("personio", "Aufhebungsvertrag", "other"),
        ("personio", "UNSPECIFIED", None),
        ("hibob", "voluntary,Death in the family", "voluntary"),
        ("hibob", "mutual,Better pay", "other"),
        ("oracle", "RESIGNATION,FAMILY_DEATH", "voluntary"),
        ("oracle", "RESIGNATION,RETIREMENT", "retirement"),
        ("oracle", "OTHER,", "other"),
        ("oracle", "TERMINATION,", None),
        ("ukg", "V,Death in the family", "voluntary"),
        ("ukg", "I,Retired", "retirement"),
        ("ukg", "V,Death of employee", "death"),
        ("ukg", "O,", "other"),
        ("ukg", ",", None),
    ],
)
def test_a_reason_is_taken_for_what_it_says_and_an_unknown_one_is_never_voluntary(vendor, codes, kind, tmp_path):
    (tmp_path / "leavers.csv").write_text(f"{LEAVER[vendor]}\n0007,2020-01-13,2023-05-31,{codes}\n")
    source = {"table": "employees", "path": "leavers.csv", "profile": vendor}
    raw = read_exports(study_in(tmp_path).model_copy(update={"sources": (Source(**source),)}))
    assert [str(p) for p in raw.problems if p.severity == "error"] == []
    found = raw.tables["employees"]
    kinds = (
        found["exit_type"].astype(object).where(found["exit_type"].notna(), None) if "exit_type" in found else [None]
    )
    assert list(kinds) == [kind]
