"""The exports of a large company, made up for the benchmark of reading: employees, job changes, surveys.

Surveys come in two shapes with the same answers: ``long`` (the contract's own, one row an answer) and ``wide`` (as
Qualtrics writes them, one row a form). A few forms are filled in twice and a few are of people whom nobody knows.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import yaml

INSTRUMENT = "ten"
SCALES = {"morale": 5, "leadership": 5}
REVERSED = (2, 4)
ITEMS = [f"{scale[:3]}{i}" for scale, n in SCALES.items() for i in range(1, n + 1)]
LABELS = {1: "Strongly disagree", 2: "Disagree", 3: "Neither agree nor disagree", 4: "Agree", 5: "Strongly agree"}
STUDY_START, AS_OF = np.datetime64("2020-01-01"), np.datetime64("2024-12-31")
OPENS = pd.date_range("2020-03-02", periods=10, freq="182D").to_numpy().astype("datetime64[D]")
WINDOW_DAYS = 14
ANSWER_SHARE, SKIP_SHARE, TWICE_SHARE, STRANGERS = 0.2, 0.05, 0.001, 20
CHANGES_EACH = 2.5
TOOL = ["StartDate", "EndDate", "Status", "Progress", "Duration (in seconds)", "Finished", "RecordedDate", "ResponseId"]


def make_exports(folder: Path, n: int, shape: str) -> None:
    """Write the study ``company`` with its exports: `n` employees, for each 3.5 job rows and 20 answers."""
    raw = folder / "company" / "raw"
    for part in (raw, folder / "company" / "instruments"):
        part.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng([20200101, n])
    ids = np.char.add("E", np.char.zfill(np.arange(1, n + 1).astype(str), 7))
    hired, left = _spells(n, random)
    _write(_employees(ids, hired, left, random), raw / "employees.csv")
    _write(_jobs(ids, hired, left, random), raw / "jobs.csv")
    waves = {"wave": np.arange(1, len(OPENS) + 1), "instrument": np.full(len(OPENS), INSTRUMENT)}
    waves |= {"opens": OPENS, "closes": OPENS + WINDOW_DAYS}
    _write(waves, raw / "waves.csv")
    for wave, opens in enumerate(OPENS, start=1):
        forms, values = _forms(ids, hired, left, opens, random)
        (_write_wide if shape == "wide" else _write_long)(forms, values, wave, raw)
    _write_study(folder / "company", shape)


def _spells(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return days of hire, in order, and last days; NaT while employed."""
    hired = np.sort(AS_OF - random.integers(30, 4_000, n).astype("timedelta64[D]"))
    left = hired + random.gamma(2.0, 1_800, n).astype("timedelta64[D]")
    left[(left > AS_OF) | (np.arange(n) < n // 8)] = np.datetime64("NaT")  # who leads stays
    return hired, left


def _employees(ids: np.ndarray, hired: np.ndarray, left: np.ndarray, random: np.random.Generator) -> dict:
    kinds = np.array(["voluntary", "involuntary", "retirement", "end_of_contract"])[random.integers(4, size=len(ids))]
    return {
        "employee_id": ids,
        "hire_date": hired,
        "exit_date": left,
        "exit_type": np.where(np.isnat(left), "", kinds),
        "birth_year": random.integers(1955, 2003, len(ids)),
        "gender": np.array(["female", "male"])[random.integers(2, size=len(ids))],
        "location": np.array(["Vienna", "Graz", "Linz", "Salzburg"])[random.integers(4, size=len(ids))],
    }


def _jobs(ids: np.ndarray, hired: np.ndarray, left: np.ndarray, random: np.random.Generator) -> dict:
    """Return the job on the day of hire and later changes; a manager is of longer standing and leads eight."""
    n = len(ids)
    person = np.sort(np.append(np.arange(n), random.integers(n, size=round(CHANGES_EACH * n))))
    is_first = np.append(True, person[1:] != person[:-1])
    last = np.where(np.isnat(left), AS_OF, left)
    days = (last - hired).astype(int)
    day = hired[person] + np.where(is_first, 0, random.random(len(person)) * days[person]).astype(int)
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    return {
        "employee_id": ids[person],
        "effective_date": day,
        "job_level": random.integers(1, 9, len(person)),
        "department": np.array([f"Department {i}" for i in range(40)])[random.integers(40, size=len(person))],
        "manager_id": np.where(person == 0, "", ids[person // 8]),
        "fte": np.array(["1", "0.5", "0.8"])[random.choice(3, len(person), p=[0.8, 0.1, 0.1])],
        "base_salary": 20_000 + 500 * random.integers(160, size=len(person)),
    }


def _forms(
    ids: np.ndarray, hired: np.ndarray, left: np.ndarray, opens: np.datetime64, random: np.random.Generator
) -> tuple[dict, np.ndarray]:
    """Return one wave's forms in the order in which they came, and the answers, shape (forms, items), 0 = skipped."""
    employed = np.flatnonzero((hired <= opens) & ~(left < opens))
    n = min(round(ANSWER_SHARE * len(ids)), len(employed))
    person = random.choice(employed, n, replace=False)
    person = np.append(person, random.choice(person, round(TWICE_SHARE * n), replace=False))
    who = np.append(ids[person], [f"X{i:07d}" for i in range(STRANGERS)])
    begun = opens.astype("datetime64[s]") + np.sort(random.integers(WINDOW_DAYS * 86_400, size=len(who)))
    values = random.integers(1, 6, (len(who), len(ITEMS)))
    values[random.random(values.shape) < SKIP_SHARE] = 0
    return {"employee_id": who, "begun": begun, "seconds": random.integers(60, 900, len(who))}, values


def _write_long(forms: dict, values: np.ndarray, wave: int, raw: Path) -> None:
    n = len(values)
    labels = np.array(["", *LABELS.values()])
    long = {
        "employee_id": np.repeat(forms["employee_id"], len(ITEMS)),
        "wave": np.full(n * len(ITEMS), wave),
        "instrument": np.full(n * len(ITEMS), INSTRUMENT),
        "item": np.tile(ITEMS, n),
        "value": labels[values.ravel()],
        "responded_at": np.repeat(forms["begun"].astype("datetime64[D]"), len(ITEMS)),
    }
    _write(long, raw / f"survey_{wave}.csv")


def _write_wide(forms: dict, values: np.ndarray, wave: int, raw: Path) -> None:
    labels, n = np.array(["", *LABELS.values()]), len(values)
    begun, ended = forms["begun"], forms["begun"] + forms["seconds"]
    tool = (begun, ended, np.full(n, "IP Address"), np.full(n, "100"), forms["seconds"], np.full(n, "True"), ended)
    wide = dict(zip(TOOL, (*tool, [f"R_{wave}x{i:014d}" for i in range(n)]), strict=True))
    wide |= {"ExternalReference": forms["employee_id"]} | dict(zip(ITEMS, labels[values].T, strict=True))
    words = ",".join(f'"Question {name}"' for name in wide)
    imports = ",".join('"{""ImportId"":""' + name + '""}"' for name in wide)
    _write(wide, raw / f"survey_{wave}.csv", f"{','.join(wide)}\n{words}\n{imports}\n")


def _write(columns: dict, path: Path, head: str | None = None) -> None:
    """Write the columns as CSV; `head` in place of the line of names."""
    table = pa.table({name: _as_cells(np.asarray(values)) for name, values in columns.items()})
    with path.open("wb") as file:
        file.write((head or ",".join(columns) + "\n").encode())
        pa_csv.write_csv(table, file, pa_csv.WriteOptions(include_header=False, quoting_style="none"))


def _as_cells(values: np.ndarray) -> pa.Array:
    """Return a column to be written; dates and times as text, with nothing where there is none."""
    if values.dtype.kind == "M":
        is_day = values.dtype == np.dtype("datetime64[D]")
        return pa.array(values).cast(pa.string()) if is_day else pa.array(np.char.replace(values.astype(str), "T", " "))
    return pa.array(values)


def _write_study(folder: Path, shape: str) -> None:
    profile = {"profile": "canonical"} if shape == "long" else {"profile": "qualtrics", "instrument": INSTRUMENT}
    sources = [{"table": t, "path": f"raw/{t}.csv", "profile": "canonical"} for t in ("employees", "jobs", "waves")]
    for wave in range(1, len(OPENS) + 1):
        of_wave = {} if shape == "long" else {"wave": wave}
        sources.append({"table": "responses", "path": f"raw/survey_{wave}.csv"} | profile | of_wave)
    study = {"schema_version": 1, "study": "company", "title": "Benchmark", "horizons_months": [12], "simulated": True}
    study |= {"study_start": STUDY_START.item(), "as_of": AS_OF.item(), "programs": [_program()], "sources": sources}
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (folder / "instruments" / f"{INSTRUMENT}.yaml").write_text(yaml.safe_dump(_card(), sort_keys=False))


def _program() -> dict:
    return {
        "id": "circle",
        "name": "Circle",
        "direction": "mutual",
        "format": "group",
        "assignment": "self_selected",
    }


def _card() -> dict:
    return {
        "instrument": INSTRUMENT,
        "title": "Ten items",
        "response": {"min": 1, "max": 5, "labels": LABELS},
        "scales": {
            scale: {
                "construct": scale,
                "source": "made up",
                "licence": "CC0-1.0",
                "items": {f"{scale[:3]}{i}": {"reversed": i in REVERSED} for i in range(1, n + 1)},
            }
            for scale, n in SCALES.items()
        },
    }
