"""A wave's answers as survey tools export them: a row a form, previews, given-up and repeated forms included.

Every function takes the canonical answers of one wave and instrument and the company's `people` (see `people.people`),
and returns the cells of one file. Read back, it gives the same answers, in the same order. Tools without a duration
lose ``duration_seconds``; where the answers have no day, the tool's times are left out.
"""

import numpy as np
import pandas as pd

from analysis.plan.instruments import Instrument
from analysis.plan.seeds import rng
from analysis.simulate.exports.form_columns import (
    answers_as_text,
    comments,
    ip_addresses,
    numbered,
    people_of,
    question_of,
    random_codes,
    scale_numbers,
    sheet_of,
    silent_people,
    without_times,
    written,
)
from analysis.simulate.exports.forms import forms_of
from analysis.simulate.exports.sheet import Sheet

HOW_FAR = "How far do you agree?"
ANYTHING_ELSE = "Is there anything else that you would like to say?"
GOOGLE = {
    "en": ("Timestamp", "Email Address", "{:%-m/%-d/%Y %-H:%M:%S}"),
    "de": ("Zeitstempel", "E-Mail-Adresse", "{:%d.%m.%Y %H:%M:%S}"),
}
MS_MULTIPLE_CHOICE = ("", "Teams;", "Teams;Excel;", "Excel;Outlook;")


def surveymonkey_responses(frame: pd.DataFrame, people: pd.DataFrame, card: Instrument, wave: int) -> Sheet:
    """Return SurveyMonkey's individual responses: two header lines, people known by their e-mail address.

    Days are written month first; where none of them is after the 12th, the source's entry needs ``date_order: mdy``.
    """
    random = rng("surveymonkey", card.instrument, wave)
    forms = forms_of(frame, ["employee_id"], card, random)
    who = people_of(forms, people)
    columns = {
        "Respondent ID": numbered(118_000_000_000, forms, random),
        "Collector ID": pd.Series("408811236", forms.frame.index),
        "Start Date": written(forms.frame["begun"], "{:%m/%d/%Y %I:%M:%S %p}"),
        "End Date": written(forms.frame["ended"], "{:%m/%d/%Y %I:%M:%S %p}"),
        "IP Address": ip_addresses(forms, random),
        "Email Address": who["email"],
        "First Name": who["first_name"],
        "Last Name": who["last_name"],
        "Custom Data 1": pd.Series("", forms.frame.index),
    }
    columns = without_times(columns, forms, dates=["Start Date", "End Date"])
    blocks = scale_numbers(card, forms.items)
    questions = [f"{HOW_FAR} ({n})" if n not in blocks[:at] else "" for at, n in enumerate(blocks)]
    above = [*columns, *questions, ANYTHING_ELSE]
    below = [*([""] * len(columns)), *(question_of(card, item) for item in forms.items), "Open-Ended Response"]
    return sheet_of(columns, answers_as_text(forms, card, "en"), comments(forms, random), [above, below])


def ms_forms_responses(
    frame: pd.DataFrame, people: pd.DataFrame, card: Instrument, wave: int, *, as_csv: bool = False
) -> Sheet:
    """Return the answers of a Microsoft Form, people known by their e-mail address.

    As a spreadsheet (`sheet.workbook`) its times are Excel's; `as_csv`, for ``Sheet.csv(encoding="cp1252")``, they are
    written month first, the source's entry needing ``date_order: mdy`` where no day is after the 12th.
    """
    random = rng("ms_forms", card.instrument, wave)
    forms = forms_of(frame, ["employee_id"], card, random)
    who = people_of(forms, people)
    names = who["first_name"] + " " + who["last_name"]
    time = "{:%-m/%-d/%y %-H:%M:%S}" if as_csv else "{:%Y-%m-%d %H:%M:%S}"
    columns = {
        "ID": pd.Series(np.arange(1, len(forms) + 1), forms.frame.index).astype("str"),
        "Start time": written(forms.frame["begun"], time),
        "Completion time": written(forms.frame["ended"], time),
        "Email": who["email"],
        # what Excel makes of letters that Windows-1252 lacks
        "Name": names.map(lambda name: name.encode("cp1252", "replace").decode("cp1252")) if as_csv else names,
        "Last modified time": pd.Series("", forms.frame.index),
        "Which programs do you use every day?": pd.Series(random.choice(MS_MULTIPLE_CHOICE, len(forms))),
    }
    columns = without_times(columns, forms, dates=["Start time", "Completion time", "Last modified time"])
    # the editor leaves a hard space behind some questions
    questions = [question_of(card, item) + "\xa0" * (at % 3 == 0) for at, item in enumerate(forms.items)]
    header = [*columns, *questions, ANYTHING_ELSE]
    return sheet_of(columns, answers_as_text(forms, card, "en"), comments(forms, random), [header])


def google_forms_responses(
    frame: pd.DataFrame, people: pd.DataFrame, card: Instrument, wave: int, *, language: str = "en"
) -> Sheet:
    """Return the answers of a Google Form, people known by their e-mail address, in English or German (``de``).

    In English, days are written month first; where none is after the 12th, the entry needs ``date_order: mdy``.
    """
    random = rng("google_forms", card.instrument, wave)
    forms = forms_of(frame, ["employee_id"], card, random)
    timestamp, email, time = GOOGLE[language]
    columns = {timestamp: written(forms.frame["ended"], time), email: people_of(forms, people)["email"]}
    columns = without_times(columns, forms, dates=[timestamp])
    header = [*columns, *(f"{HOW_FAR} [{question_of(card, item)}]" for item in forms.items), ANYTHING_ELSE]
    return sheet_of(columns, answers_as_text(forms, card, language), comments(forms, random), [header])


def limesurvey_responses(
    frame: pd.DataFrame, people: pd.DataFrame, card: Instrument, wave: int, *, language: str = "de"
) -> Sheet:
    """Return LimeSurvey's responses: question codes as headings, full answers in a language, e-mail addresses chosen.

    The tool writes them as ``Sheet.csv(delimiter=";", encoding="utf-8-sig", quote_all=True)``.
    """
    random = rng("limesurvey", card.instrument, wave)
    forms = forms_of(
        frame, ["employee_id"], card, random, quirks=("repeated", "unfinished"), silent=silent_people(frame, people)
    )
    who, time, is_sent = people_of(forms, people), "{:%Y-%m-%d %H:%M:%S}", forms.frame["kind"] == "sent"
    submitted = (
        written(forms.frame["ended"], time) if forms.is_dated else pd.Series("1980-01-01 00:00:00", is_sent.index)
    )
    columns = {
        "id": numbered(1, forms, random),
        "submitdate": submitted.where(is_sent, ""),
        "lastpage": pd.Series(np.where(is_sent, "2", "1")),
        "startlanguage": pd.Series(language, is_sent.index),
        "seed": numbered(1_100_000_000, forms, random),
        "token": pd.Series(random_codes(forms, 15, random)),
        "startdate": written(forms.frame["begun"], time),
        "datestamp": written(forms.frame["ended"], time),
        "email": who["email"],
    }
    columns = without_times(columns, forms, dates=["startdate", "datestamp"])
    codes = [f"G{n:02d}Q01[{item}]" for n, item in zip(scale_numbers(card, forms.items), forms.items, strict=True)]
    answers = answers_as_text(forms, card, language)
    if not forms.is_timed:
        return sheet_of(columns, answers, comments(forms, random), [[*columns, *codes, "G99Q01"]])
    seconds = forms.frame["seconds"].map("{:g}".format).rename("interviewtime")
    after = pd.concat([comments(forms, random), seconds], axis=1)
    return sheet_of(columns, answers, after, [[*columns, *codes, "G99Q01", "interviewtime"]])


def culture_amp_responses(frame: pd.DataFrame, departments: pd.Series, card: Instrument) -> Sheet:
    """Return Culture Amp's de-identified extract: a department and the answers, no person and no day.

    Parameters
    ----------
    frame
        The canonical answers with their people, who are not in the file.
    departments
        The department of each person, by employee id.
    """
    forms = forms_of(frame, ["employee_id"], card, rng("culture_amp", card.instrument), quirks=())
    columns = {"Department": forms.frame["employee_id"].map(departments)}
    header = ["Department", *(question_of(card, item) for item in forms.items)]
    return sheet_of(columns, answers_as_text(forms, card, None), None, [header])
