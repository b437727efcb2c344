"""Enrolments and meetings of a simulated company as mentoring platforms export them.

Every function takes canonical rows of one program, since these tools export program by program: the source in
`study.yaml` names the program, and the program names its intakes. `people` (see `exports.people`) holds everybody.
Further rows are what such exports hold besides: reading must reject them.
"""

import pandas as pd

from analysis.simulate.exports.enrolled import (
    DAY_FIRST,
    ISO,
    MONTH_FIRST,
    MONTH_NAME,
    SIDES,
    everybody,
    known,
    said,
    side_by_side,
    whole,
    whole_name,
    with_copy,
    with_row,
    written,
)
from analysis.simulate.exports.sheet import Sheet

ROLES = {"mentor": "Mentor", "mentee": "Mentee", "participant": "Participant", "facilitator": "Facilitator"}
NOBODY = "nobody@vendor.example"


def chronus_participants(enrolments: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Chronus' participants (a User View): a row a person and intake, and an administrator of the program."""
    started = enrolments["start_date"].notna()
    ended_early = started & enrolments["status"].eq("withdrawn")
    status = said(
        enrolments["status"],
        {"active": "Active", "completed": "Closed", "withdrawn": "Withdrawn"}
        | {"waitlisted": "Unmatched", "declined": "Offer Declined", "not_selected": "Rejected"},
    ).mask(ended_early, "Closed")
    reason = pd.Series("", enrolments.index).mask(ended_early, "Ended early by participant")
    rows = pd.DataFrame(
        {
            "First Name": known(people, "first_name", enrolments["employee_id"]),
            "Last Name": known(people, "last_name", enrolments["employee_id"]),
            "Email": known(people, "email", enrolments["employee_id"]),
            "Role": said(enrolments["role"], ROLES),
            "User Status": "Active",
            "Applied On": written(enrolments["applied_date"], MONTH_NAME),
            "Membership Request Status": said(enrolments["offered"], {True: "Accepted", False: "Rejected"}),
            "Connection ID": enrolments["match_id"],
            "Connection Status": status,
            "Connection Started On": written(enrolments["start_date"], MONTH_NAME),
            "Connection Closed On": written(enrolments["end_date"], MONTH_NAME),
            "Closure Reason": reason.mask(enrolments["status"].eq("completed"), "Accomplished goals of connection"),
            "Topics": enrolments["topics"],
        }
    )
    administrator = {"First Name": "Program", "Last Name": "Office", "Email": NOBODY, "Role": "Administrator"}
    return Sheet.of(with_row(rows, 0, administrator | {"User Status": "Active"}))


def chronus_connections(enrolments: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Chronus' connections: a row a pair, from the first start to the last end, and one that was only drafted.

    A connection does not say when each applied, who stopped earlier, and his topics; who has no match is not in it.
    A further mentor or mentee of a match is a row whose other side is empty.
    """
    pairs = side_by_side(enrolments[enrolments["match_id"].notna()])
    starts, ends = (pairs[[f"{side}_{day}_date" for side in SIDES]] for day in ("start", "end"))
    first = {side: known(people, "first_name", pairs[f"{side}_employee_id"]) for side in SIDES}
    rows = pd.DataFrame(
        {
            "Connection ID": pairs["match_id"],
            "Mentoring Connection Name": first["mentor"].str.cat(first["mentee"], " & "),
            "Mentor Email Address": known(people, "email", pairs["mentor_employee_id"]),
            "Mentee Email Address": known(people, "email", pairs["mentee_employee_id"]),
            "Status": said(ends.notna().any(axis=1), {True: "Closed", False: "Active"}),
            "Started On": written(starts.min(axis=1), MONTH_NAME),
            "Closed On": written(ends.max(axis=1), MONTH_NAME),
            "Goals Progress (%)": "60",
            "Mentor Rating": "4",
        }
    )
    drafted = {"Connection ID": "draft-1", "Mentor Email Address": NOBODY, "Mentee Email Address": NOBODY}
    return Sheet.of(with_row(rows, len(rows), drafted | {"Status": "Drafted"}))


def chronus_meetings(sessions: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Chronus' meetings, and one that was cancelled."""
    rows = pd.DataFrame(
        {
            "Meeting ID": [f"M{n:06d}" for n in range(1, len(sessions) + 1)],
            "Connection ID": sessions["match_id"],
            "Meeting Title": "Our next meeting",
            "Meeting Date": written(sessions["session_date"], f"{MONTH_NAME} 02:00 PM"),
            "Duration (minutes)": whole(sessions["minutes"]),
            "Topic": sessions["topic"],
            "Attendees": everybody(sessions["attendee_ids"], people["employee_id"], people["email"]),
            "Status": "Completed",
        }
    )
    return Sheet.of(with_copy(rows, {"Meeting ID": "M000000", "Status": "Cancelled"}))


def together_participants(enrolments: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Together's participants: a row a person and intake, and one who was invited and never registered."""
    status = {"active": "Active", "completed": "Completed", "withdrawn": "Ended early"}
    status |= {"waitlisted": "Unpaired", "declined": "Opted out", "not_selected": "Not approved"}
    rows = pd.DataFrame(
        {
            "Name": whole_name(people, enrolments["employee_id"]),
            "Email": known(people, "email", enrolments["employee_id"]).str.upper(),
            "Role": said(enrolments["role"], ROLES),
            "Registration Status": "Registered",
            "Registered On": written(enrolments["applied_date"], f"{ISO}T12:00:00.000Z"),
            "Application Status": said(enrolments["offered"], {True: "Approved", False: "Not approved"}),
            "Pairing ID": enrolments["match_id"],
            "Pairing Status": said(enrolments["status"], status),
            "Pairing Start Date": written(enrolments["start_date"], f"{ISO}T12:00:00.000Z"),
            "Pairing End Date": written(enrolments["end_date"], f"{ISO}T12:00:00.000Z"),
            "Skills": enrolments["topics"],
        }
    )
    invited = {"Name": "Guest Account", "Email": NOBODY, "Role": "Mentee", "Registration Status": "Invited"}
    return Sheet.of(with_row(rows, len(rows), invited))


def together_sessions(sessions: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Together's sessions, at noon in UTC, and one that was missed."""
    rows = pd.DataFrame(
        {
            "Pairing ID": sessions["match_id"],
            "Session Status": "Completed",
            "Session Start": written(sessions["session_date"], f"{ISO}T12:00:00.000Z"),
            "Duration": whole(sessions["minutes"]).map(lambda text: f"{text} minutes" if text else ""),
            "Topic": sessions["topic"],
            "Attendee Emails": everybody(sessions["attendee_ids"], people["employee_id"], people["email"]),
            "Session Rating (out of 4)": "3",
        }
    )
    return Sheet.of(with_copy(rows, {"Session Status": "Missed", "Session Rating (out of 4)": ""}))


def qooper_participants(enrolments: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Qooper's participants, months before days, and one who was imported and never registered."""
    status = {"active": "Matched-Active", "completed": "Matched-Duration Completed", "withdrawn": "Concluded"}
    status |= {"waitlisted": "Unmatched", "declined": "Declined", "not_selected": "Not Eligible"}
    rows = pd.DataFrame(
        {
            "Email": known(people, "email", enrolments["employee_id"]),
            "First Name": known(people, "first_name", enrolments["employee_id"]),
            "Last Name": known(people, "last_name", enrolments["employee_id"]),
            "Role": said(enrolments["role"], ROLES),
            "Matching Status": said(enrolments["status"], status),
            "Approval Status": said(enrolments["offered"], {True: "Approved", False: "Rejected"}),
            "Registered (MM-DD-YYYY)": written(enrolments["applied_date"], MONTH_FIRST),
            "Match ID": enrolments["match_id"],
            "Matched (MM-DD-YYYY)": written(enrolments["start_date"], MONTH_FIRST),
            "Match Ended (MM-DD-YYYY)": written(enrolments["end_date"], MONTH_FIRST),
            "Focus Areas": enrolments["topics"],
            "Completed Meetings": "3",
        }
    )
    imported = {"Email": NOBODY, "Role": "Mentee", "Matching Status": "Not Registered"}
    return Sheet.of(with_row(rows, 0, imported))


def qooper_meetings(sessions: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return Qooper's meetings ("Completed": their date is past), and one that is still to come."""
    rows = pd.DataFrame(
        {
            "Match ID": sessions["match_id"],
            "Meeting Status": "Completed",
            "Meeting Date (MM-DD-YYYY)": written(sessions["session_date"], MONTH_FIRST),
            "Duration (min)": whole(sessions["minutes"]),
            "Topic": sessions["topic"],
            "Attendees": everybody(sessions["attendee_ids"], people["employee_id"], people["email"]),
        }
    )
    return Sheet.of(with_copy(rows, {"Meeting Status": "Upcoming"}))


def pushfar_participants(enrolments: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return PushFar's participants, days before months, and one whose registration is incomplete."""
    status = {"active": "Active", "completed": "Completed", "withdrawn": "Ended Early"}
    status |= {"waitlisted": "Not Matched", "declined": "Declined", "not_selected": "Not Approved"}
    rows = pd.DataFrame(
        {
            "First Name": known(people, "first_name", enrolments["employee_id"]),
            "Surname": known(people, "last_name", enrolments["employee_id"]),
            "Email Address": known(people, "email", enrolments["employee_id"]),
            "Mentoring Preference": said(enrolments["role"], ROLES),
            "Account Status": "Active",
            "Date Registered": written(enrolments["applied_date"], DAY_FIRST),
            "Approval Status": said(enrolments["offered"], {True: "Approved", False: "Declined"}),
            "Relationship ID": enrolments["match_id"],
            "Relationship Status": said(enrolments["status"], status),
            "Match Date": written(enrolments["start_date"], DAY_FIRST),
            "Relationship End Date": written(enrolments["end_date"], DAY_FIRST),
            "Areas of Help": enrolments["topics"],
            "Points": "120",
        }
    )
    incomplete = {"Email Address": NOBODY, "Mentoring Preference": "Mentor", "Account Status": "Incomplete"}
    return Sheet.of(with_row(rows, len(rows), incomplete))


def pushfar_meetings(sessions: pd.DataFrame, people: pd.DataFrame) -> Sheet:
    """Return PushFar's meetings with their time of day, and one whose request was declined."""
    rows = pd.DataFrame(
        {
            "Relationship ID": sessions["match_id"],
            "Meeting Date": written(sessions["session_date"], f"{DAY_FIRST} 09:30"),
            "Meeting Duration": whole(sessions["minutes"]).map(lambda text: f"{text} mins" if text else ""),
            "Topic": sessions["topic"],
            "Attendees": everybody(sessions["attendee_ids"], people["employee_id"], people["email"]),
            "Meeting Status": "Confirmed",
        }
    )
    return Sheet.of(with_copy(rows, {"Meeting Status": "Declined"}))
