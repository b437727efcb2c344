"""Records and scores as they are: how complete they are, the share of each answer, who had which skill before."""

import numpy as np
import pandas as pd

from analysis.measure.employment import ONE_DAY, job_value_at
from analysis.measure.groups import LEVEL, mean_interval, neighbours_merged
from analysis.measure.scales import Forms, score_items, wide_items
from analysis.plan.contract import TABLES, Tables
from analysis.plan.faults import known
from analysis.plan.instruments import Instrument, Scale
from analysis.plan.probability import student_quantile

# Whom a row is about, to count people; a table without one holds nobody's data.
PERSON = {
    "employees": "employee_id",
    "jobs": "employee_id",
    "responses": "employee_id",
    "unlinked_responses": "respondent_id",
    "ratings": "ratee_id",
    "enrolments": "employee_id",
    "sessions": "match_id",
}
# An empty cell here says something itself: still employed, never started, on the staff, in service since the hire.
TELLING = {
    ("employees", "no_show"),
    ("employees", "service_date"),
    ("employees", "original_hire_date"),
    ("employees", "previous_employee_id"),
    ("employees", "worker_type"),
    ("employees", "exit_date"),
    ("enrolments", "start_date"),
    ("enrolments", "start_unknown"),
    ("enrolments", "start_earliest"),
    ("enrolments", "start_latest"),
    ("sessions", "attendee_ids"),
}
# These can be filled in some rows only: which, and the column whose value makes it so.
ASKED_OF: dict[tuple[str, str], tuple[str, str]] = {
    ("employees", "exit_type"): ("exits", "exit_date"),
    ("employees", "exit_reason"): ("exits", "exit_date"),
    ("employees", "notice_date"): ("exits", "exit_date"),
    ("enrolments", "match_id"): ("starts", "start_date"),
    ("enrolments", "topics"): ("starts", "start_date"),
    ("enrolments", "end_date"): ("starts", "start_date"),
}


COUNTS = {"n_with_job_row": "share_with_job_row", "n_with_manager": "share_with_manager"}


def coverage(tables: Tables, study_start: pd.Timestamp, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return how many people are on record, one row per month of the study's time, on its first day.

    Columns ``month`` (that day), ``n_employed``, of them ``n_with_job_row`` (whose job is known, by
    `measure.employment.job_on`) and ``n_with_manager`` (it names a manager), and ``share_with_job_row`` and
    ``share_with_manager``; without jobs these four are missing.
    """
    days = pd.date_range(study_start, as_of, freq="MS").to_numpy(dtype="datetime64[us]")
    spells = known(tables.employees)[["employee_id", "hire_date", "exit_date"]]
    last = spells["exit_date"].fillna(pd.Timestamp(as_of))
    found = pd.DataFrame({"month": days, "n_employed": _on(days, spells["hire_date"], last)})
    if tables.jobs is None:
        return found.assign(**dict.fromkeys((*COUNTS, *COUNTS.values()), np.nan))
    held = _jobs_held(tables.jobs, spells.assign(exit_date=last))
    for count, rows in zip(COUNTS, (held, held[held["is_managed"]]), strict=True):
        found[count] = _on(days, rows["begin"], rows["end"])
    return found.assign(**{share: found[count] / found["n_employed"] for count, share in COUNTS.items()})


def _jobs_held(jobs: pd.DataFrame, spells: pd.DataFrame) -> pd.DataFrame:
    """Return each job within each spell of its person: ``is_managed``, and its first and last day there."""
    person, people = pd.factorize(jobs["employee_id"])
    rows = {"person": person, "effective_date": jobs["effective_date"], "is_managed": jobs["manager_id"].notna()}
    ordered = pd.DataFrame(rows).sort_values(["person", "effective_date"])
    held = ordered.assign(is_first=~ordered["person"].duplicated()).merge(
        spells.assign(person=people.get_indexer(spells["employee_id"])), on="person"
    )
    # A change is known from the day after it on, but for a first row and that of the day of hiring.
    is_known = held["is_first"] | (held["effective_date"] == held["hire_date"])
    known = held["effective_date"].where(is_known, held["effective_date"] + ONE_DAY)
    until = known.groupby([held["person"], held["hire_date"]]).shift(-1) - ONE_DAY
    begin = known.where(known > held["hire_date"], held["hire_date"])
    end = until.where(until < held["exit_date"], held["exit_date"])
    return held.assign(begin=begin, end=end).loc[begin <= end, ["is_managed", "begin", "end"]]


def _on(days: np.ndarray, begin: pd.Series, end: pd.Series) -> np.ndarray:
    """Return how many of the spans hold each day, both of their ends included."""
    begun, ended = (np.sort(side.to_numpy(dtype="datetime64[us]")) for side in (begin, end))
    return np.searchsorted(begun, days, side="right") - np.searchsorted(ended, days, side="left")


def missingness(tables: Tables) -> pd.DataFrame:
    """Return the gaps in every column that may have some, one row per table and column of the contract.

    Columns ``table, column, of`` (in which rows it could be filled), ``n_people`` (in these rows), ``n_rows``,
    ``n_missing`` and ``share_missing`` (of these rows, 0 to 1). Columns whose empty cells say something themselves are
    left out.
    """
    parts = [
        _gap(table, column, getattr(tables, table))
        for table in PERSON
        if getattr(tables, table) is not None
        for column, about in TABLES[table].items()
        if about.nullable and column != PERSON[table] and (table, column) not in TELLING
    ]
    return pd.DataFrame(parts, columns=["table", "column", "of", "n_people", "n_rows", "n_missing", "share_missing"])


def _gap(table: str, column: str, rows: pd.DataFrame) -> tuple[str, str, str, int, int, int, float]:
    of, condition = ASKED_OF.get((table, column), ("all rows", ""))
    asked = rows[rows[condition].notna()] if condition else rows
    people = asked[PERSON[table]].nunique()
    missing = int(asked[column].isna().sum())
    return table, column, of, people, len(asked), missing, missing / len(asked) if len(asked) else np.nan


# --- distribution -----------------------------------------------------------------------------------------------------
# How the items of a scale were answered: the share of each answer.

# A slider of a hundred steps has no distribution that could be read item by item.
MOST_OPTIONS = 11
SHARE_COLUMNS = ["rater_role", "wave", "item", "text", "value", "label", "share", "n_answered", "n_people"]


def answer_shares(forms: Forms) -> pd.DataFrame:
    """Return how each item was answered, in the first and the last wave that asked it of a rater source's scale.

    Parameters
    ----------
    forms
        As from `measure.scales`.

    Returns
    -------
    DataFrame
        One row per rater source, wave, item asked and answer option, those that nobody took included: ``rater_role,
        wave, item, text`` (empty where it may not be shipped), ``value`` right way round, ``label`` what was ticked
        (of a reversed item the label of the answer before it was turned), ``share`` of ``n_answered`` forms about
        ``n_people`` people. Empty where the answer scale has more than `MOST_OPTIONS` whole steps.
    """
    response = forms.instrument.response
    options = np.arange(response.min, response.max + 1)
    if len(options) > MOST_OPTIONS:
        return pd.DataFrame(columns=SHARE_COLUMNS)
    parts = []
    for role, of_role in forms.items.groupby(level="rater_role"):
        wave = of_role.index.get_level_values("wave")
        for chosen in sorted({wave.min(), wave.max()}):
            rows = of_role[wave == chosen]
            parts += [
                _shares(forms, rows[item].dropna(), options).assign(rater_role=role, wave=chosen)
                for item in rows.columns[rows.notna().any()]
            ]
    return pd.concat(parts, ignore_index=True)[SHARE_COLUMNS] if parts else pd.DataFrame(columns=SHARE_COLUMNS)


def _shares(forms: Forms, answers: pd.Series, options: np.ndarray) -> pd.DataFrame:
    item, response = forms.scale.items[answers.name], forms.instrument.response
    ticked = response.min + response.max - options if item.reversed else options
    return pd.DataFrame(
        {
            "item": answers.name,
            "text": item.text,
            "value": options,
            "label": [response.labels.get(option, "") for option in ticked],
            "share": [(answers == option).mean() for option in options],
            "n_answered": len(answers),
            "n_people": answers.index.get_level_values(0).nunique(),
        }
    )


# --- skill gap --------------------------------------------------------------------------------------------------------
# Who had which skill before any program: scores by job level and by age.

YEARS = 10
GAP_COLUMNS = ["by", "group", "group_from", "group_to", "mean", "ci_low", "ci_high", "n_people"]


def skill_gap(scores: pd.DataFrame, tables: Tables, before: pd.Timestamp | None, least: int) -> pd.DataFrame:
    """Return mean scores before anybody started a program, by job level and by age.

    Parameters
    ----------
    scores
        As from `scales.self_scores`.
    tables
        ``jobs`` for the level, ``employees`` for the year of birth; what is missing is not told of.
    before
        The first start in any program: only waves that closed before it count. None where nobody ever started.
    least
        Fewest people in a group; neighbours are merged until they are that many.

    Returns
    -------
    DataFrame
        One row per group: ``by`` (``job_level`` or ``age``), ``group`` (its name), ``group_from, group_to`` (levels;
        years of age, both included), ``mean`` of each person's last score, ``ci_low, ci_high`` (95 %, Student's t),
        ``n_people``. Level and age are as of the day that the wave opened, age in whole calendar years. Both divisions
        are of the same people, those for whom both are known, so that nobody follows from one and the other.
    """
    last = scores if before is None else scores[scores["closes"] < before]
    last = last.sort_values("opens", kind="stable").drop_duplicates("employee_id", keep="last")
    if last.empty:
        return pd.DataFrame(columns=GAP_COLUMNS)
    known = _known(last, tables).dropna(axis="columns", how="all").dropna()
    scored = last.loc[known.index, "score"].to_numpy()
    parts = []
    if "job_level" in known and len(known):
        parts.append(_by_level(known["job_level"].to_numpy(dtype=float), scored, least))
    if "age" in known and len(known):
        parts.append(_by_age(known["age"].to_numpy(dtype=float), scored, least))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=GAP_COLUMNS)


def _known(last: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Return the job level and the age of each row's person on the day that the wave opened."""
    known = pd.DataFrame({"job_level": np.nan, "age": np.nan}, index=last.index)
    if tables.jobs is not None:
        known["job_level"] = job_value_at(tables.jobs, "job_level", last["employee_id"], last["opens"])
    if tables.employees is not None:
        born = tables.employees.drop_duplicates("employee_id", keep="last").set_index("employee_id")["birth_year"]
        known["age"] = last["opens"].dt.year - last["employee_id"].map(born).astype(float)
    return known


def _by_level(level: np.ndarray, scored: np.ndarray, least: int) -> pd.DataFrame:
    levels, sizes = np.unique(level, return_counts=True)
    group = neighbours_merged(sizes, least)
    rows = []
    for number in range(group.max() + 1):
        low, high = levels[group == number][[0, -1]]
        name = f"{low:g}" if low == high else f"{low:g}–{high:g}"
        rows.append(_row("job_level", name, low, high, scored[(level >= low) & (level <= high)]))
    return pd.DataFrame(rows, columns=GAP_COLUMNS)


def _by_age(age: np.ndarray, scored: np.ndarray, least: int) -> pd.DataFrame:
    decades, sizes = np.unique(age // YEARS * YEARS, return_counts=True)
    group = neighbours_merged(sizes, least)
    rows = []
    for number in range(group.max() + 1):
        low, high = decades[group == number][[0, -1]] + [0, YEARS - 1]
        name = f"{low:g}–{high:g}"
        if 0 < number == group.max():
            name = f"{low:g} and over"
        elif number == 0 < group.max():
            name = f"under {high + 1:g}"
        rows.append(_row("age", name, low, high, scored[(age >= low) & (age <= high)]))
    return pd.DataFrame(rows, columns=GAP_COLUMNS)


def _row(by: str, name: str, low: float, high: float, scored: np.ndarray) -> dict:
    found = dict(zip(("mean", "ci_low", "ci_high"), mean_interval(scored), strict=True))
    return {"by": by, "group": name, "group_from": low, "group_to": high, "n_people": len(scored)} | found


# --- unlinked ---------------------------------------------------------------------------------------------------------
# Surveys without person keys: means of all who answered, wave by wave.

UNLINKED_COLUMNS = ["instrument", "construct", "wave", "opens", "n_forms", "mean", "ci_low", "ci_high"]


def unlinked_means(tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame:
    """Return the mean of each scale of a survey that is linked to nobody.

    Where every answer of a wave says which form it stands on, forms are scored and their mean has Student's limits.
    Otherwise the mean is that of the item means, and its standard error is taken to be the mean of the items' standard
    errors. That is an upper bound: the standard error of a mean of item means is never greater than the mean of
    theirs, and equal to it only where all items are correlated by one. So these limits are approximate and rather too
    wide. Either way who answered may differ from wave to wave, and a difference is nobody's change.

    Returns
    -------
    DataFrame
        One row per instrument, construct and wave: ``instrument, construct, wave, opens``,
        ``n_forms`` (scored; without forms the answers to the item that most answered), ``mean`` in points of the scale,
        ``ci_low, ci_high`` (95 %).
    """
    answers = known(tables.unlinked_responses)
    rows = []
    for name, card in instruments.items():
        mine = answers[(answers["instrument"] == name) & answers["value"].notna()]
        for scale in card.scales.values():
            of_scale = mine[mine["item"].isin(scale.items)]
            for wave, group in of_scale.groupby("wave"):
                found = _of_wave(group, card, scale)
                if found is not None:
                    rows.append({"instrument": name, "construct": scale.construct_name, "wave": wave} | found)
    means = pd.DataFrame(rows, columns=[c for c in UNLINKED_COLUMNS if c != "opens"])
    dates = known(tables.waves)[["instrument", "wave", "opens"]]
    return means.merge(dates, on=["instrument", "wave"], how="left", validate="many_to_one")[UNLINKED_COLUMNS]


def _of_wave(answers: pd.DataFrame, card: Instrument, scale: Scale) -> dict | None:
    """Return one wave's mean of a scale; None where nobody answered enough of it."""
    if answers["respondent_id"].notna().all():
        scored = score_items(wide_items(answers, ["respondent_id"], card, scale), scale, card).dropna().to_numpy()
        return _told(len(scored), mean_interval(scored)) if len(scored) else None
    by_item = answers.assign(value=_points(answers, card, scale)).groupby("item")["value"].agg(["mean", "std", "size"])
    if len(by_item) < scale.min_answered * len(scale.items):
        return None
    times = len(scale.items) if scale.score == "sum" else 1
    centre = times * by_item["mean"].mean()
    fewest = by_item["size"].min()
    std_error = times * (by_item["std"] / np.sqrt(by_item["size"])).mean(skipna=False)
    half = student_quantile((1 + LEVEL) / 2, fewest - 1) * std_error if fewest > 1 else np.nan
    return _told(int(by_item["size"].max()), (centre, centre - half, centre + half))


def _points(answers: pd.DataFrame, card: Instrument, scale: Scale) -> pd.Series:
    """Return each answer right way round, or whether it is the top one where the card counts these."""
    turned = answers["item"].map({code: item.reversed for code, item in scale.items.items()}).astype(bool)
    values = answers["value"].mask(turned, card.response.min + card.response.max - answers["value"])
    return values.eq(card.response.max).astype(float) if scale.score == "top_box" else values


def _told(n_forms: int, interval: tuple[float, float, float]) -> dict:
    return {"n_forms": n_forms} | dict(zip(("mean", "ci_low", "ci_high"), interval, strict=True))
