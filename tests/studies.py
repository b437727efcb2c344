"""A tiny company of invented employees, as text that a colleague can read, and a study folder made of it."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import yaml

STUDY = {
    "schema_version": 1,
    "title": "A tiny company",
    "study_start": "2022-01-01",
    "as_of": "2024-12-31",
    "horizons_months": [12, 24],
    "programs": [
        {
            "id": "genius",
            "name": "Genius Program",
            "direction": "reverse",
            "format": "pair",
            "assignment": "self_selected",
        }
    ],
}

# Item codes of their own, so that no shipped card stands in.
INSTRUMENT = """\
instrument: mini
title: Two questions
response: {min: 1, max: 5, labels: {1: Strongly disagree, 2: Disagree, 3: Neither, 4: Agree, 5: Strongly agree}}
scales:
  morale:
    construct: morale
    source: written for this project, CC0, unvalidated
    licence: CC0-1.0
    items:
      m1: {text: "I look forward to coming to work."}
      m2: {text: "Most days drag.", reversed: true}
"""

# E2 resigned, E4 left and came back; E2 started with E1 as a match, E3 applied and was not selected.
TINY_COMPANY = {
    "employees": """\
        employee_id,hire_date,exit_date,exit_type,exit_reason,notice_date,birth_year,location
        E1,2019-03-01,,,,,1970,Vienna
        E2,2020-06-15,2023-09-30,voluntary,moved away,2023-08-31,1994,Vienna
        E3,2021-01-01,,,,,1996,"Graz, Austria"
        E4,2018-02-01,2022-05-31,end_of_contract,,,1985,Graz
        E4,2023-02-01,,,,,1985,Graz
        """,
    "jobs": """\
        employee_id,effective_date,job_level,manager_id,fte
        E1,2019-03-01,5,,1
        E2,2020-06-15,1,E1,1
        E3,2021-01-01,2,E1,0.5
        E4,2018-02-01,3,,1
        E4,2023-02-01,3,E1,1
        """,
    "waves": """\
        wave,instrument,opens,closes
        1,mini,2022-03-01,2022-03-14
        2,mini,2023-03-01,2023-03-14
        """,
    "responses": """\
        employee_id,wave,instrument,item,value,responded_at
        E1,1,mini,m1,4,2022-03-02
        E1,1,mini,m2,2,2022-03-02
        E3,1,mini,m1,5,2022-03-03
        E3,1,mini,m2,,2022-03-03
        E1,2,mini,m1,4,2023-03-02
        """,
    "unlinked_responses": """\
        respondent_id,wave,instrument,item,value,responded_at
        R1,1,mini,m1,4,
        R1,1,mini,m2,3,
        R2,1,mini,m1,2,2022-03-02
        ,2,mini,m1,5,
        """,
    "ratings": """\
        ratee_id,rater_id,rater_role,wave,instrument,item,value
        E2,E2,self,1,mini,m1,3
        E2,E1,manager,1,mini,m1,4
        E2,,peer,1,mini,m1,5
        E2,,peer,1,mini,m1,4
        """,
    "enrolments": """\
        program_id,intake_date,employee_id,role,applied_date,offered,start_date,end_date,status,match_id
        genius,2022-06-01,E2,mentor,2022-05-10,true,2022-06-08,2022-12-08,completed,M1
        genius,2022-06-01,E1,mentee,2022-05-11,Yes,2022-06-08,,active,M1
        genius,2022-06-01,E3,mentor,2022-05-12,0,,,not_selected,
        """,
    "sessions": """\
        match_id,session_date,minutes
        M1,2022-06-20,60
        M1,2022-07-20,45
        """,
}


def as_csv(text: str) -> str:
    """Return a table drawn in a test as the text of a file: indentation and a first empty line taken off."""
    return textwrap.dedent(text).removeprefix("\n")


def write_study(folder: Path, tables: Mapping[str, str], **study_yaml) -> None:
    """Write a study folder: ``study.yaml``, ``raw/`` and the instrument card ``mini``.

    Parameters
    ----------
    folder
        ``data/<study>``; its name becomes the study's.
    tables
        CSV text by table, each read with the canonical profile. A second file of a table is named ``responses/w2``.
    study_yaml
        Keys of ``study.yaml`` that replace the ones of `STUDY`.
    """
    for part in ("raw", "instruments"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = []
    for name, text in tables.items():
        path = f"raw/{name.replace('/', '_')}.csv"
        (folder / path).write_text(as_csv(text), encoding="utf-8")
        sources.append({"table": name.partition("/")[0], "path": path, "profile": "canonical"})
    study = STUDY | {"study": folder.name, "sources": sources} | study_yaml
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    (folder / "instruments" / "mini.yaml").write_text(INSTRUMENT, encoding="utf-8")
