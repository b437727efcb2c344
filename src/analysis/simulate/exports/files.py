"""The raw files of a simulated company, as the vendors that it uses write them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import pandas as pd

from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument
from analysis.plan.known import known
from analysis.plan.paths import shipped
from analysis.plan.yaml_file import load_yaml, validated
from analysis.simulate.exports import hr, pairs, platforms, qualtrics, surveys
from analysis.simulate.exports.people import people
from analysis.simulate.exports.sheet import Sheet, workbook
from analysis.simulate.scenario import Scenario, Survey

Bytes = Callable[[], bytes]
Exporter = Callable[..., Sheet]


@dataclass(frozen=True)
class Raw:
    """One raw file: its entry under ``sources`` of study.yaml, and what writes it.

    A company that is only simulated, as in the simulation studies, is never written.
    """

    source: dict
    write: Bytes

    @property
    def path(self) -> str:
        """Its path in the study's folder."""
        return self.source["path"]


def raw_files(scenario: Scenario, tables: Tables) -> list[Raw]:
    """Return every raw file of a company, in the order of its sources."""
    waves = [] if tables.waves is None else [_canonical("waves", "waves", lambda: tables.waves)]
    return [*_hr(scenario, tables), *_platform(scenario, tables), *waves, *_surveys(scenario, tables)]


def _names(tables: Tables, scenario: Scenario) -> pd.DataFrame:
    return people(scenario.name, known(tables.employees)["employee_id"])


def _raw(table: str, path: str, profile: str, write: Bytes, **more) -> Raw:
    return Raw({"table": table, "path": f"raw/{path}", "profile": profile} | more, write)


def _canonical(table: str, name: str, frame: Callable[[], pd.DataFrame], **more) -> Raw:
    return _raw(table, f"{name}.csv", "canonical", lambda: canonical_csv(frame()), **more)


# HR system → table, file, what makes the sheet of it, and how the sheet is written.
HR = {
    "workday": (
        ("employees", "workers.csv", hr.workday_workers, {}),
        ("jobs", "job_changes.xlsx", hr.workday_job_changes, {"sheet": "Job Changes"}),
    ),
    "successfactors": (
        ("employees", "EmpEmployment.csv", hr.successfactors_employment, {}),
        ("jobs", "EmpJob.csv", hr.successfactors_job_info, {}),
    ),
    "bamboohr": (
        ("employees", "employees.csv", hr.bamboohr_employees, {"encoding": "utf-8-sig"}),
        ("jobs", "job_information.csv", hr.bamboohr_jobs, {"encoding": "utf-8-sig"}),
    ),
    "personio": (
        ("employees", "mitarbeiter.csv", hr.personio_employees, {"delimiter": ";", "encoding": "utf-8-sig"}),
        ("jobs", "historie.csv", hr.personio_jobs, {"delimiter": ";", "encoding": "utf-8-sig"}),
    ),
    "hibob": (
        ("employees", "people.csv", hr.hibob_people, {}),
        ("jobs", "work_history.csv", hr.hibob_work_history, {}),
    ),
    "oracle": (
        ("employees", "work_relationships.csv", hr.oracle_work_relationships, {"delimiter": "|"}),
        ("jobs", "assignments.csv", hr.oracle_assignments, {"delimiter": "|"}),
    ),
    "ukg": (
        ("employees", "employment_details.csv", hr.ukg_employees, {"encoding": "utf-16"}),
        ("jobs", "job_history.csv", hr.ukg_jobs, {"delimiter": "\t"}),
    ),
}
PLATFORMS: dict[str, tuple[Exporter, Exporter]] = {
    "chronus": (platforms.chronus_participants, platforms.chronus_meetings),
    "together": (platforms.together_participants, platforms.together_sessions),
    "qooper": (platforms.qooper_participants, platforms.qooper_meetings),
    "pushfar": (platforms.pushfar_participants, platforms.pushfar_meetings),
}


def _hr(scenario: Scenario, tables: Tables) -> Iterator[Raw]:
    vendor = scenario.vendors.hr
    if vendor == "canonical":
        yield _canonical("employees", "employees", lambda: tables.employees)
        yield _canonical("jobs", "jobs", lambda: tables.jobs)
        return
    for table, name, exporter, how in HR[vendor]:
        yield _raw(table, name, vendor, _writer(exporter, table, scenario, tables, how))


def _writer(exporter: Callable, table: str, scenario: Scenario, tables: Tables, how: dict) -> Bytes:
    def write() -> bytes:
        sheet = exporter(getattr(tables, table), _names(tables, scenario))
        return workbook({how["sheet"]: sheet}) if "sheet" in how else sheet.csv(**how)

    return write


def _platform(scenario: Scenario, tables: Tables) -> Iterator[Raw]:
    vendor = scenario.vendors.platform
    if vendor == "canonical":
        yield _canonical("enrolments", "enrolments", lambda: tables.enrolments)
        yield _canonical("sessions", "sessions", lambda: tables.sessions)
        return
    language = scenario.vendors.language
    participants, meetings = (pairs.pairs_sheet, pairs.pairs_sessions) if vendor == "pairs" else PLATFORMS[vendor]
    more = {"language": language} if vendor == "pairs" else {}
    for program in [program.id for program in scenario.programs]:

        def sheet(program: str = program) -> Sheet:
            enrolments = known(tables.enrolments)
            rows = enrolments[enrolments["program_id"] == program]
            return participants(rows, _names(tables, scenario), **more)

        yield _sheet("enrolments", f"{program}_participants", vendor, sheet, language, program=program)
    name = "treffen" if vendor == "pairs" and language == "de" else "meetings"
    yield _sheet(
        "sessions", name, vendor, lambda: meetings(tables.sessions, _names(tables, scenario), **more), language
    )


def _sheet(table: str, name: str, vendor: str, sheet: Callable[[], Sheet], language: str, **more) -> Raw:
    """Return a platform's file: hand-kept sheets and Chronus' are spreadsheets, German ones CSV as Excel saves it."""
    if vendor == "pairs" and language == "de":
        return _raw(table, f"{name}.csv", vendor, lambda: sheet().csv(delimiter=";", encoding="utf-8-sig"), **more)
    if vendor in ("pairs", "chronus"):
        return _raw(table, f"{name}.xlsx", vendor, lambda: workbook({"Export": sheet()}), **more)
    return _raw(table, f"{name}.csv", vendor, lambda: sheet().csv(), **more)


def _surveys(scenario: Scenario, tables: Tables) -> Iterator[Raw]:
    for survey in scenario.surveys:
        for wave, opens in enumerate(survey.opens, start=1):
            if opens <= scenario.as_of:
                yield _survey(scenario, tables, survey, wave)


def _survey(scenario: Scenario, tables: Tables, survey: Survey, wave: int) -> Raw:
    table = "ratings" if survey.multirater else "responses"
    vendor, given = scenario.vendors.survey, {"wave": wave, "instrument": survey.instrument}

    def rows() -> pd.DataFrame:
        frame = getattr(tables, table)
        return frame[(frame["wave"] == wave) & (frame["instrument"] == survey.instrument)].reset_index(drop=True)

    name = f"{survey.instrument}_w{wave}"
    if vendor == "canonical":
        return _canonical(table, name, lambda: rows().drop(columns=["wave", "instrument"]), **given)
    card = _card(survey.instrument)
    if survey.multirater:
        sheet = lambda: qualtrics.qualtrics_ratings(rows(), card, wave).csv()  # noqa: E731 (as its neighbours)
        return _raw(table, f"{name}.csv", "qualtrics", sheet, **given)
    ending, more, write = SURVEYS[vendor]
    profile = vendor.partition("-")[0]
    return _raw(
        table, f"{name}.{ending}", profile, lambda: write(rows(), _names(tables, scenario), card, wave), **given, **more
    )


# Survey tool → the file's ending, what its entry in study.yaml must say besides, and what writes it.
SURVEYS = {
    "qualtrics": ("csv", {}, lambda *form: qualtrics.qualtrics_responses(*form).csv()),
    "qualtrics-legacy": ("csv", {}, lambda *form: qualtrics.qualtrics_responses(*form, legacy=True).csv()),
    "qualtrics-values": (
        "csv",
        {"codes": "card"},
        lambda *form: qualtrics.qualtrics_responses(*form, labels=False).csv(),
    ),
    "surveymonkey": (
        "csv",
        {"date_order": "mdy"},
        lambda *form: surveys.surveymonkey_responses(*form).csv(encoding="utf-8-sig"),
    ),
    "ms_forms": ("xlsx", {}, lambda *form: workbook({"Sheet1": surveys.ms_forms_responses(*form)})),
    "google_forms": ("csv", {"date_order": "mdy"}, lambda *form: surveys.google_forms_responses(*form).csv()),
    "limesurvey": (
        "csv",
        {},
        lambda *form: surveys.limesurvey_responses(*form).csv(delimiter=";", encoding="utf-8-sig", quote_all=True),
    ),
}


@cache
def _card(instrument: str) -> Instrument:
    path = shipped("instruments") / f"{instrument}.yaml"
    return validated(Instrument, load_yaml(path, source=path.name), source=path.name)


def canonical_csv(frame: pd.DataFrame) -> bytes:
    """Return a typed table as the contract writes it; columns that are empty and need not be there are left out."""
    needless = [name for name in ("attendee_ids", "responded_at") if name in frame and frame[name].isna().all()]
    frame = frame.drop(columns=needless)
    whole = [c for c in frame.select_dtypes("float64") if (frame[c].dropna() % 1 == 0).all()]
    text = frame.astype(dict.fromkeys(whole, "Int64"))
    flags = {c: text[c].map({True: "true", False: "false"}) for c in text.select_dtypes("boolean")}
    lines = text.assign(**flags).to_csv(index=False, date_format="%Y-%m-%d", lineterminator="\n", float_format="%.6g")
    return lines.encode()
