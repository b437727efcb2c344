"""The same by plain pandas, as an analyst would write it for these very files: read, check, clean, score.

Every check stops with an `AssertionError` where the company's files are not as expected; what our ledger would tell
(which lines, what to do) it does not. Managers' cycles are not looked for.
"""

import time
from pathlib import Path

import pandas as pd
from exports import AS_OF, INSTRUMENT, ITEMS, LABELS, OPENS, REVERSED

CODES = {label.casefold(): code for code, label in LABELS.items()}
EXIT_TYPES = ["voluntary", "involuntary", "retirement", "end_of_contract", "death", "transfer", "other"]
LOCK = pd.Timestamp(AS_OF)


def plain_scores(folder: Path, shape: str, construct: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """Return the scores of a construct, one row per person and wave in that order, and seconds of each step."""
    raw, clock = folder / "company" / "raw", {}
    start = time.perf_counter()
    employees, jobs, waves = (pd.read_csv(raw / f"{name}.csv", dtype=str) for name in ("employees", "jobs", "waves"))
    answers = read_answers(raw, shape)
    clock["read"], start = time.perf_counter() - start, time.perf_counter()
    employees = checked_employees(employees)
    checked_jobs(jobs, employees)
    answers = checked_answers(answers, employees, checked_waves(waves))
    clock["check"], start = time.perf_counter() - start, time.perf_counter()
    scored = scores(answers, construct)
    clock["score"] = time.perf_counter() - start
    return scored, clock


def read_answers(raw: Path, shape: str) -> pd.DataFrame:
    """Return all waves' answers, one row each, as text."""
    files = [raw / f"survey_{wave}.csv" for wave in range(1, len(OPENS) + 1)]
    if shape == "long":
        return pd.concat([pd.read_csv(file, dtype=str) for file in files], ignore_index=True)
    return pd.concat([melted(file, wave) for wave, file in enumerate(files, start=1)], ignore_index=True)


def melted(file: Path, wave: int) -> pd.DataFrame:
    """Return one wave's forms as long answers, of each person the form sent last."""
    forms = pd.read_csv(file, dtype=str, skiprows=[1, 2])
    forms = forms[(forms["Status"] != "Survey Preview") & (forms["Finished"] == "True")]
    forms = forms.assign(responded_at=pd.to_datetime(forms["RecordedDate"]).dt.normalize())
    forms = forms.sort_values("RecordedDate", kind="stable").drop_duplicates("ExternalReference", keep="last")
    names = {"ExternalReference": "employee_id", "Duration (in seconds)": "duration_seconds"}
    forms = forms.rename(columns=names)[["employee_id", "responded_at", "duration_seconds", *ITEMS]]
    long = forms.melt(id_vars=["employee_id", "responded_at", "duration_seconds"], var_name="item")
    return long.assign(wave=str(wave), instrument=INSTRUMENT)


def checked_employees(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the employees with dates and numbers, those hired by the lock."""
    assert frame[["employee_id", "hire_date"]].notna().all(axis=None)
    assert frame["exit_type"].dropna().isin(EXIT_TYPES).all()
    dates = {name: pd.to_datetime(frame[name], format="%Y-%m-%d") for name in ("hire_date", "exit_date")}
    frame = frame.assign(birth_year=pd.to_numeric(frame["birth_year"]), **dates)
    assert frame["birth_year"].dropna().between(1900, 2100).all()
    assert not (frame["exit_date"] < frame["hire_date"]).any()
    assert not frame.duplicated(["employee_id", "hire_date"]).any()
    ordered = frame.sort_values(["employee_id", "hire_date"])
    before = ordered.groupby("employee_id")["exit_date"].shift()
    assert not (ordered["hire_date"] <= before).any()
    return frame[frame["hire_date"] <= LOCK]


def checked_jobs(frame: pd.DataFrame, employees: pd.DataFrame) -> pd.DataFrame:
    """Return the job changes, the last of each person's day, without managers that cannot be."""
    assert frame[["employee_id", "effective_date", "job_level"]].notna().all(axis=None)
    numbers = {name: pd.to_numeric(frame[name]) for name in ("job_level", "fte", "base_salary")}
    frame = frame.assign(effective_date=pd.to_datetime(frame["effective_date"], format="%Y-%m-%d"), **numbers)
    assert frame["fte"].dropna().between(0, 1).all() and (frame["base_salary"].dropna() >= 0).all()
    assert frame["employee_id"].isin(employees["employee_id"]).all()
    frame = frame[frame["effective_date"] <= LOCK]
    frame = frame.drop_duplicates(["employee_id", "effective_date"], keep="last").reset_index(drop=True)
    spells = employees[["employee_id", "hire_date", "exit_date"]].rename(columns={"employee_id": "manager_id"})
    led = frame[["manager_id", "effective_date"]].dropna().reset_index().sort_values("effective_date")
    found = pd.merge_asof(
        led, spells.sort_values("hire_date"), left_on="effective_date", right_on="hire_date", by="manager_id"
    )
    is_employed = found["hire_date"].notna() & ~(found["exit_date"] < found["effective_date"])
    impossible = frame.index.isin(found.loc[~is_employed, "index"]) | (frame["manager_id"] == frame["employee_id"])
    return frame.assign(manager_id=frame["manager_id"].mask(impossible))


def checked_waves(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the waves that have opened by the lock."""
    dates = {name: pd.to_datetime(frame[name], format="%Y-%m-%d") for name in ("opens", "closes")}
    frame = frame.assign(wave=pd.to_numeric(frame["wave"]), **dates)
    assert not (frame["closes"] < frame["opens"]).any() and not frame.duplicated(["wave", "instrument"]).any()
    return frame[frame["opens"] <= LOCK]


def checked_answers(frame: pd.DataFrame, employees: pd.DataFrame, waves: pd.DataFrame) -> pd.DataFrame:
    """Return the answers as numbers, of known people, one for each item, with the dates of their wave."""
    assert frame[["employee_id", "wave", "instrument", "item"]].notna().all(axis=None)
    value = frame["value"].str.strip().str.casefold().map(CODES)
    assert (value.notna() | frame["value"].isna()).all() and value.dropna().between(1, 5).all()
    frame = frame.assign(
        value=value,
        wave=pd.to_numeric(frame["wave"]),
        responded_at=pd.to_datetime(frame["responded_at"], format="%Y-%m-%d"),
    )
    if "duration_seconds" in frame:
        frame = frame.assign(duration_seconds=pd.to_numeric(frame["duration_seconds"]))
        assert (frame["duration_seconds"].dropna() >= 0).all()
    assert (frame["instrument"] == INSTRUMENT).all() and frame["item"].isin(ITEMS).all()
    frame = frame[frame["employee_id"].isin(employees["employee_id"]) & ~(frame["responded_at"] > LOCK)]
    frame = frame.drop_duplicates(["employee_id", "wave", "instrument", "item"], keep="last")
    dated = frame.merge(waves, on=["wave", "instrument"], how="left", validate="many_to_one")
    assert dated["opens"].notna().all()
    return dated


def scores(answers: pd.DataFrame, construct: str) -> pd.DataFrame:
    """Return the mean of the items of each person and wave, where half of them were answered."""
    items = [item for item in ITEMS if item.startswith(construct[:3])]
    mine = answers[answers["item"].isin(items)]
    is_turned = mine["item"].isin([item for item in items if int(item[3:]) in REVERSED])
    mine = mine.assign(value=mine["value"].where(~is_turned, 6 - mine["value"]))
    by_form = mine.groupby(["employee_id", "wave"])["value"].agg(["mean", "count"])
    enough = by_form[by_form["count"] >= 0.5 * len(items)]
    return enough.rename(columns={"mean": "score", "count": "n_answered"}).reset_index()
