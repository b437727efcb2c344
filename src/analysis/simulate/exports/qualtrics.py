"""Answers as Qualtrics exports them: three header lines (two of old), previews, repeated and given-up forms."""

import json

import numpy as np
import pandas as pd

from analysis.plan.instruments import Instrument
from analysis.plan.seeds import rng
from analysis.simulate.exports.form_columns import (
    answers_as_text,
    comments,
    ip_addresses,
    people_of,
    question_of,
    random_codes,
    scale_numbers,
    silent_people,
    without_times,
    written,
)
from analysis.simulate.exports.forms import Forms, Quirk, forms_of
from analysis.simulate.exports.sheet import Sheet

ACCOUNT_ZONE = "America/Denver"
HOW_FAR = "Please say how far you agree\nwith each of these. "
ANYTHING_ELSE = "Is there anything else you would like to tell us?"
DATES = ("StartDate", "EndDate", "RecordedDate")
# Column → its wording in the second line and its import id in the third.
COLUMNS = {
    "StartDate": ("Start Date", "startDate"),
    "EndDate": ("End Date", "endDate"),
    "Status": ("Response Type", "status"),
    "IPAddress": ("IP Address", "ipAddress"),
    "Progress": ("Progress", "progress"),
    "Duration (in seconds)": ("Duration (in seconds)", "duration"),
    "Finished": ("Finished", "finished"),
    "RecordedDate": ("Recorded Date", "recordedDate"),
    "ResponseId": ("Response ID", "_recordId"),
    "RecipientLastName": ("Recipient Last Name", "recipientLastName"),
    "RecipientFirstName": ("Recipient First Name", "recipientFirstName"),
    "RecipientEmail": ("Recipient Email", "recipientEmail"),
    "ExternalReference": ("External Data Reference", "externalDataReference"),
    "LocationLatitude": ("Location Latitude", "locationLatitude"),
    "LocationLongitude": ("Location Longitude", "locationLongitude"),
    "DistributionChannel": ("Distribution Channel", "distributionChannel"),
    "UserLanguage": ("User Language", "userLanguage"),
    "SubjectUniqueIdentifier": ("SubjectUniqueIdentifier", "SubjectUniqueIdentifier"),
    "ParticipantUniqueIdentifier": ("ParticipantUniqueIdentifier", "ParticipantUniqueIdentifier"),
    "Relationship": ("Relationship", "Relationship"),
    "Unsolicited": ("Unsolicited", "Unsolicited"),
}
LEGACY = {
    "V1": ("ResponseID", "ResponseId"),
    "V2": ("ResponseSet", None),
    "V3": ("Name", None),
    "V4": ("ExternalDataReference", "ExternalReference"),
    "V5": ("EmailAddress", "RecipientEmail"),
    "V6": ("IPAddress", "IPAddress"),
    "V7": ("Status", "Status"),
    "V8": ("StartDate", "StartDate"),
    "V9": ("EndDate", "EndDate"),
    "V10": ("Finished", "Finished"),
}
CODES = {"sent": ("0", "1"), "unfinished": ("0", "0"), "preview": ("1", "1")}
LABELS = {"sent": ("IP Address", "True"), "unfinished": ("IP Address", "False"), "preview": ("Survey Preview", "True")}
RELATIONSHIPS = {"self": "Self", "manager": "Manager", "peer": "Peer", "direct_report": "DirectReport"}


def qualtrics_responses(
    frame: pd.DataFrame,
    people: pd.DataFrame,
    card: Instrument,
    wave: int,
    *,
    legacy: bool = False,
    labels: bool = True,
    timezone: str = "UTC",
) -> Sheet:
    """Return a survey's responses; a person's id is the contact list's external reference.

    Parameters
    ----------
    frame
        The canonical answers of one wave and instrument. Where they have no day, or no duration, the tool's columns of
        it are left out.
    people
        Everybody's name and e-mail address, by ``employee_id``.
    legacy
        Two header lines, columns V1 to V10 and no duration, times without a zone.
    labels
        Answers as choice text, not as recoded values.
    timezone
        Where the company is: the file's times are of the account's zone, so that reading needs the study's ``timezone``
        to find the days (in UTC and east of it up to Europe's zones, also without).
    """
    random = rng("qualtrics", card.instrument, wave)
    quirks: tuple[Quirk, ...] = ("repeated", "unfinished", "previews")
    forms = forms_of(frame, ["employee_id"], card, random, quirks=quirks, silent=silent_people(frame, people))
    columns = _columns(forms, random, labels, None if legacy else timezone)
    who = people_of(forms, people)
    columns |= {
        "RecipientLastName": who["last_name"],
        "RecipientFirstName": who["first_name"],
        "RecipientEmail": who["email"],
        "ExternalReference": forms.frame["employee_id"],
    }
    answers = answers_as_text(forms, card, "en" if labels else None)
    answers = answers.assign(Q99=comments(forms, random))
    return _legacy_sheet(columns, answers, forms, card) if legacy else _sheet(columns, answers, forms, card)


def qualtrics_ratings(frame: pd.DataFrame, card: Instrument, wave: int, *, labels: bool = True) -> Sheet:
    """Return the evaluations of a 360 project, a row an evaluation; without days, which canonical ratings lack."""
    random = rng("qualtrics", card.instrument, wave)
    keys = ["ratee_id", "rater_id", "rater_role"]
    forms = forms_of(frame, keys, card, random, quirks=("repeated", "unfinished"))
    columns = _columns(forms, random, labels, None)
    columns["Status"] = columns["Status"].replace({"IP Address": "EX", "0": "32"})
    columns |= {
        "SubjectUniqueIdentifier": forms.frame["ratee_id"],
        "ParticipantUniqueIdentifier": forms.frame["rater_id"],
        "Relationship": forms.frame["rater_role"].map(RELATIONSHIPS),
        "Unsolicited": pd.Series("", forms.frame.index),
    }
    return _sheet(columns, answers_as_text(forms, card, "en" if labels else None), forms, card)


def _columns(forms: Forms, random: np.random.Generator, labels: bool, timezone: str | None) -> dict[str, pd.Series]:
    """Return the tool's own columns; times of the account's zone where the company's is given, else the company's."""
    kind = forms.frame["kind"]
    words = LABELS if labels else CODES
    progress = pd.Series(np.where(kind == "unfinished", random.integers(10, 90, len(forms)), 100))
    # a form that was given up is closed a week later
    recorded = forms.frame["ended"] + pd.to_timedelta(np.where(kind == "unfinished", 7, 0), unit="D")
    times = {"StartDate": forms.frame["begun"], "EndDate": forms.frame["ended"], "RecordedDate": recorded}
    columns = {
        name: written(_in_account_zone(time, timezone), "{:%Y-%m-%d %H:%M:%S}") for name, time in times.items()
    } | {
        "Status": kind.map(lambda k: words[k][0]),
        "IPAddress": ip_addresses(forms, random),
        "Progress": progress.astype("str"),
        "Duration (in seconds)": forms.frame["seconds"].map("{:g}".format),
        "Finished": kind.map(lambda k: words[k][1]),
        "ResponseId": pd.Series(["R_" + code for code in random_codes(forms, 15, random)]),
        "LocationLatitude": pd.Series(random.uniform(40, 60, len(forms))).map("{:.4f}".format),
        "LocationLongitude": pd.Series(random.uniform(0, 20, len(forms))).map("{:.4f}".format),
        "DistributionChannel": kind.map({"preview": "preview"}).fillna("email"),
        "UserLanguage": pd.Series("EN", kind.index),
    }
    if not forms.is_timed:
        del columns["Duration (in seconds)"]
    return without_times(columns, forms, dates=DATES)


def _in_account_zone(times: pd.Series, timezone: str | None) -> pd.Series:
    if timezone is None:
        return times
    return times.dt.tz_localize(timezone).dt.tz_convert(ACCOUNT_ZONE).dt.tz_localize(None)


def _sheet(columns: dict[str, pd.Series], answers: pd.DataFrame, forms: Forms, card: Instrument) -> Sheet:
    names = [name for name in COLUMNS if name in columns]
    rows = pd.concat([pd.DataFrame({name: columns[name] for name in names}), answers], axis=1)
    ids = [{"ImportId": COLUMNS[name][1]} | ({"timeZone": ACCOUNT_ZONE} if name in DATES else {}) for name in names]
    questions, wording = _questions(forms, card, list(answers))
    ids += [{"ImportId": f"QID{name.removeprefix('Q')}"} for name in questions]
    third = [json.dumps(one, separators=(",", ":")) for one in ids]
    return Sheet.of(
        rows.set_axis(third, axis=1), [*names, *questions], [*(COLUMNS[name][0] for name in names), *wording]
    )


def _legacy_sheet(columns: dict[str, pd.Series], answers: pd.DataFrame, forms: Forms, card: Instrument) -> Sheet:
    """Return the cells of the old form: its second line tells what V1 to V10 are, and every line ends with a comma."""
    columns["Name"] = (columns["RecipientLastName"] + ", " + columns["RecipientFirstName"]).fillna("Anonymous")
    columns["ResponseSet"] = pd.Series("Default Response Set", answers.index)
    columns["LocationAccuracy"] = pd.Series("-1", answers.index)
    first = {
        name: columns[source or called] for name, (called, source) in LEGACY.items() if (source or called) in columns
    }
    last = ["LocationLatitude", "LocationLongitude", "LocationAccuracy"]
    rows = pd.concat([pd.DataFrame(first), answers, pd.DataFrame({name: columns[name] for name in last})], axis=1)
    questions, wording = _questions(forms, card, list(answers))
    return Sheet.of(
        rows.assign(nothing="").set_axis([*(LEGACY[name][0] for name in first), *wording, *last, ""], axis=1),
        [*first, *questions, *last, ""],
    )


def _questions(forms: Forms, card: Instrument, answers: list[str]) -> tuple[list[str], list[str]]:
    """Return the names and the wording of the questions: a matrix a scale, its statements behind " - "."""
    blocks = scale_numbers(card, forms.items)
    names = [f"Q{n}_{blocks[: at + 1].count(n)}" for at, n in enumerate(blocks)]
    wording = [f"{HOW_FAR}- {question_of(card, item)}" for item in forms.items]
    for at, item in enumerate(forms.items):
        if not card.items[item].text:
            names[at] = f"Q{blocks[at]}_{item}"
    return ([*names, "Q99"], [*wording, ANYTHING_ELSE]) if "Q99" in answers else (names, wording)
