"""What exporters of enrolments and meetings share: people instead of ids, days as written, matches side by side."""

from collections.abc import Mapping

import pandas as pd

ISO, MONTH_NAME, MONTH_FIRST, DAY_FIRST, DOTS = "%Y-%m-%d", "%b %d, %Y", "%m-%d-%Y", "%d/%m/%Y", "%d.%m.%Y"
SIDES = ("mentor", "mentee")


def known(people: pd.DataFrame, column: str, ids: pd.Series) -> pd.Series:
    """Return a column of `people` for each id; empty where there is none."""
    return ids.map(people.set_index("employee_id")[column]).astype("str").fillna("")


def whole_name(people: pd.DataFrame, ids: pd.Series) -> pd.Series:
    """Return "First Last" for each id; empty where there is none."""
    return known(people, "first_name", ids).str.cat(known(people, "last_name", ids), " ").str.strip()


def everybody(attendee_ids: pd.Series, ids: pd.Series, words: pd.Series) -> pd.Series:
    """Return each ``;``-joined list of ids with every id as the word that stands for it."""
    word_of = dict(zip(ids, words, strict=True))
    lists = attendee_ids.fillna("").str.split(";")
    return lists.map(lambda ids: ";".join(word_of[one] for one in ids if one)).astype("str")


def written(dates: pd.Series, form: str) -> pd.Series:
    """Return days as text; empty where there is none."""
    return dates.dt.strftime(form).astype("str").fillna("")


def whole(numbers: pd.Series) -> pd.Series:
    """Return whole numbers as text; empty where there is none."""
    return numbers.astype("Int64").astype("str").fillna("")


def said(values: pd.Series, spelling: Mapping) -> pd.Series:
    """Return values in the tool's words; empty where there is none."""
    return values.astype(object).map(spelling).astype("str").fillna("")


def with_row(rows: pd.DataFrame, place: int, row: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows with a further one at a place; what it does not say is empty."""
    further = pd.DataFrame([row]).reindex(columns=rows.columns)
    return pd.concat([rows.iloc[:place], further, rows.iloc[place:]], ignore_index=True).fillna("")


def with_copy(rows: pd.DataFrame, difference: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows with a copy of the first, but for the difference, below it; none where there are none."""
    return with_row(rows, 1, rows.iloc[0].to_dict() | difference) if len(rows) else rows


def side_by_side(enrolments: pd.DataFrame) -> pd.DataFrame:
    """Return matches as pairs: ``match_id``, and every column of either role under ``mentor_…`` and ``mentee_…``.

    The n-th mentor of a match stands beside its n-th mentee; where one role has more, the other side is missing. Who
    has no match stands alone, below.
    """
    matched = enrolments["match_id"].notna()
    place = enrolments.groupby(["match_id", "role"]).cumcount().where(matched, range(len(enrolments)))
    keyed = enrolments.drop(columns=["program_id", "role", "match_id"])
    keyed = keyed.set_index([enrolments["match_id"].fillna(""), place.rename("place")])
    mentors, mentees = (keyed[(enrolments["role"] == side).to_numpy()].add_prefix(f"{side}_") for side in SIDES)
    pairs = mentors.join(mentees, how="outer").reset_index()
    pairs["match_id"] = pairs["match_id"].where(pairs["match_id"] != "")
    return pairs.sort_values(["match_id", "place"], ignore_index=True)
