"""What the survey tool exported: three waves, the second copied and reordered, the third also in German."""

import pandas as pd

from realistic_company.company import Realistic
from realistic_company.hr_files import text_of

ENGLISH = {
    "mor1": "I look forward to coming to work.",
    "mor2": "My team is in good spirits.",
    "mor3": "Most days drag.",
    "mor4": "I would choose to work here again.",
    "mor5": "I have lost interest in what we are trying to achieve.",
    "dig1": "I pick up new digital tools without help.",
    "dig2": "I know how our customers use social media and mobile apps.",
    "dig3": "I am at ease showing up online in my professional role.",
}
GERMAN = {
    "mor1": "Ich freue mich auf die Arbeit.",
    "mor2": "In meinem Team ist die Stimmung gut.",
    "mor3": "Die meisten Tage ziehen sich.",
    "mor4": "Ich würde wieder hier anfangen.",
    "mor5": "Was wir hier erreichen wollen, ist mir gleichgültig geworden.",
    "dig1": "Neue digitale Werkzeuge lerne ich ohne Hilfe.",
    "dig2": "Ich weiß, wie unsere Kunden soziale Medien und Apps nutzen.",
    "dig3": "Ich zeige mich im Beruf gern im Netz.",
}
WORDING = {"en": ENGLISH, "de": GERMAN}
LABELS = {
    "en": ("Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"),
    "de": (
        *("Stimme überhaupt nicht zu", "Stimme eher nicht zu", "Weder noch"),
        *("Stimme eher zu", "Stimme voll und ganz zu"),
    ),
}
# By wave, the items in the order of its form: codes follow the place, so that Q4_1 is another question in wave 2.
ORDER = {
    1: ("mor1", "mor2", "mor3", "mor4", "mor5", "dig1", "dig2", "dig3"),
    2: ("dig1", "dig2", "dig3", "mor5", "mor3", "mor1", "mor2", "mor4"),
    3: ("mor2", "mor1", "mor4", "mor3", "mor5", "dig3", "dig1", "dig2"),
}
TOOL = {
    "StartDate": "Start Date",
    "EndDate": "End Date",
    "Status": "Response Type",
    "Progress": "Progress",
    "Duration (in seconds)": "Duration (in seconds)",
    "Finished": "Finished",
    "RecordedDate": "Recorded Date",
    "ResponseId": "Response ID",
    "RecipientEmail": "Recipient Email",
    "UserLanguage": "User Language",
}


def survey(found: Realistic, wave: int, language: str | None = None) -> str:
    """Return a wave of the survey; with a language, only the forms of those who answered in it (a fifth in German)."""
    answers = found.company.tables.responses
    mails = found.people.set_index("employee_id")["email"]
    forms = answers[answers["wave"] == wave].pivot(index="employee_id", columns="item", values="value")
    is_german = pd.Series([int(who) % 5 == 0 for who in forms.index], forms.index)
    if language is not None:
        forms = forms[is_german == (language == "de")]
    spoken = language or "en"
    times = answers[answers["wave"] == wave].groupby("employee_id")[["responded_at", "duration_seconds"]].first()
    codes = [f"Q4_{k}" for k in range(1, len(ORDER[wave]) + 1)]
    lead = "Please say how far you agree. - " if spoken == "en" else "Bitte geben Sie an, wie sehr Sie zustimmen. - "
    head = [*TOOL, *codes, "Q9"]
    wording = [*TOOL.values(), *(lead + WORDING[spoken][item] for item in ORDER[wave]), "Anything else?"]
    rows: list[list[object]] = [head, wording, [f'{{"ImportId":"{name}"}}' for name in head]]
    for n, (who, form) in enumerate(forms.iterrows()):
        day, took = f"{times.loc[who, 'responded_at']:%Y-%m-%d}", int(times.loc[who, "duration_seconds"])
        own = [f"{day} 09:00:00", f"{day} 09:05:00", "IP Address", 100, took, "True", f"{day} 09:05:01"]
        given = ["" if pd.isna(form[item]) else LABELS[spoken][int(form[item]) - 1] for item in ORDER[wave]]
        comment = "Mehr Obst, bitte" if n % 40 == 0 else ""
        rows.append([*own, f"R_{wave}{spoken}{n:04}", mails[who], spoken.upper(), *given, comment])
    return text_of(rows)


CARD = "\n".join(
    [
        "# The pulse as the project ships it, with the company's German wording.",
        "instrument: pulse",
        "title: Half-yearly pulse",
        "response:",
        "  min: 1",
        "  max: 5",
        "  labels: {1: Strongly disagree, 2: Disagree, 3: Neither, 4: Agree, 5: Strongly agree}",
        "  labels_in:",
        "    en: {3: Neither agree nor disagree}",
        "    de: {" + ", ".join(f"{k}: {text}" for k, text in enumerate(LABELS["de"], start=1)) + "}",
        "scales:",
        *(
            line
            for construct, items in (("morale", ORDER[1][:5]), ("digital_fluency", ORDER[1][5:]))
            for line in (
                f"  {construct}:",
                f"    construct: {construct}",
                "    source: written for this project, CC0, unvalidated",
                "    licence: CC0-1.0",
                "    items:",
                *(
                    f'      {item}: {{text: {{en: "{ENGLISH[item]}", de: "{GERMAN[item]}"}}'
                    + (", reversed: true}" if item in ("mor3", "mor5") else "}")
                    for item in items
                ),
            )
        ),
        "",
    ]
)
