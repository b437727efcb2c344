"""Callaway & Sant'Anna's estimator of one library, timed, on the panel that benchmarks/scales.py left in a folder.

    python benchmarks/did_libraries.py LIBRARY FOLDER TERMS     (scales.py calls it, with the interpreter it is told)

Group-time effects, doubly robust, not yet treated as comparators, the last wave before the start as base for all;
their average over groups and waves; the event study with its simultaneous band from `N_DRAWS` multiplier draws. The
data frame is made outside the clock. Needs the library alone, not our package. Ends with code 3 where it is missing.
"""

import importlib
import importlib.metadata
import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

N_DRAWS, SEED = 1_000, 1
# diff-diff lifts smaller chances to this; by default 0.01, in which a wave with 1 % starters loses its model.
LEAST_CHANCE = 1e-6
IS_MISSING = 3
CLEAR = Path("/proc/self/clear_refs")


def main() -> None:
    """Run one library with as many terms as asked for and write what it found."""
    library, folder, n_terms = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    warnings.filterwarnings("ignore")
    try:
        importlib.import_module(library)
    except ImportError:
        sys.exit(IS_MISSING)
    panel = np.load(folder / "panel.npz")
    frame, terms = long_frame(panel["scores"], panel["cohort"], panel["terms"][:, :n_terms])
    forget_peak()
    before, clock, processor = peak_mb(), time.perf_counter(), time.process_time()
    overall, curve = LIBRARIES[library](frame, terms)
    figures = {
        "version": importlib.metadata.version(library.replace("_", "-")),
        "wall": time.perf_counter() - clock,
        "cpu": time.process_time() - processor,
        "peak_mb": peak_mb(),
        "peak_mb_before": before,
        "overall": overall,
        "curve": np.asarray(curve, dtype=float).tolist(),
    }
    (folder / f"{library}.json").write_text(json.dumps(figures, default=float))


def long_frame(scores: np.ndarray, cohort: np.ndarray, terms: np.ndarray) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per person and wave, and the covariates' names; ``cohort`` 0 = never started."""
    n, n_waves = scores.shape
    names = [f"x{i}" for i in range(terms.shape[1])]
    frame = pd.DataFrame(np.repeat(terms, n_waves, axis=0), columns=names)
    frame.insert(0, "person", np.repeat(np.arange(1, n + 1), n_waves))
    frame.insert(1, "wave", np.tile(np.arange(1, n_waves + 1), n))
    frame.insert(2, "cohort", np.repeat(cohort, n_waves))
    frame.insert(3, "score", scores.ravel())
    return frame, names


def with_diff_diff(frame: pd.DataFrame, terms: list[str]):
    """Return the overall effect and the curve by diff-diff."""
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(
        control_group="not_yet_treated",
        estimation_method="dr",
        base_period="universal",
        n_bootstrap=N_DRAWS,
        seed=SEED,
        pscore_trim=LEAST_CHANCE,
    )
    found = model.fit(
        frame, outcome="score", unit="person", time="wave", first_treat="cohort", covariates=terms or None
    )
    curve = found.aggregate("event_study").to_dataframe()
    return (found.overall_att, found.overall_se), curve[["event_time", "att", "se", "cband_lower", "cband_upper"]]


def with_moderndid(frame: pd.DataFrame, terms: list[str]):
    """Return the overall effect and the curve by moderndid."""
    from moderndid import aggte, att_gt

    found = att_gt(
        frame,
        yname="score",
        tname="wave",
        idname="person",
        gname="cohort",
        xformla="~ " + (" + ".join(terms) or "1"),
        control_group="notyettreated",
        base_period="universal",
        boot=True,
        biters=N_DRAWS,
        random_state=SEED,
    )
    simple = aggte(found, type="simple", random_state=SEED)
    return (simple.overall_att, simple.overall_se), _rows(aggte(found, type="dynamic", random_state=SEED))


def _rows(event):
    half = event.critical_values * event.se_by_event
    low, high = event.att_by_event - half, event.att_by_event + half
    return np.column_stack([event.event_times, event.att_by_event, event.se_by_event, low, high])


def with_csdid(frame: pd.DataFrame, terms: list[str]):
    """Return the overall effect and the curve by csdid."""
    from csdid.att_gt import ATTgt

    found = ATTgt(
        yname="score",
        tname="wave",
        idname="person",
        gname="cohort",
        data=frame,
        control_group=["notyettreated"],
        xformla="score ~ " + (" + ".join(terms) or "1"),
        cband=True,
        biters=N_DRAWS,
    ).fit(est_method="dr", base_period="universal", bstrap=True)
    overall = found.aggte(typec="simple").atte
    simple = float(overall["overall_att"]), float(np.ravel(overall["overall_se"])[0])
    event = found.aggte(typec="dynamic").atte
    effect, error = np.ravel(event["att_egt"]), np.ravel(event["se_egt"]).astype(float)
    half = np.ravel(event["crit_val_egt"])[0] * error
    return simple, np.column_stack([event["egt"], effect, error, effect - half, effect + half])


def with_differences(frame: pd.DataFrame, terms: list[str]):
    """Return the overall effect and the curve by differences."""
    from differences import ATTgt

    data = frame.assign(cohort=frame["cohort"].where(frame["cohort"] > 0)).set_index(["person", "wave"])
    model = ATTgt(data=data, cohort_column="cohort", base_period="universal")
    model.fit(
        formula="score ~ " + " + ".join(terms) if terms else "score",
        est_method="dr",
        control_group="not_yet_treated",
        boot_iterations=N_DRAWS,
        random_state=SEED,
        progress_bar=False,
    )
    simple = model.aggregate("simple", boot_iterations=N_DRAWS, random_state=SEED).to_numpy(dtype=object)[0]
    event = model.aggregate("event", boot_iterations=N_DRAWS, random_state=SEED)
    curve = [
        (int(np.ravel(e)[0]), *(float(x) for x in row[:4]))
        for e, row in zip(event.index, event.to_numpy(dtype=object), strict=True)
    ]
    return (float(simple[0]), float(simple[1])), curve


def forget_peak() -> None:
    """Let the peak begin at what is resident now, under Linux; elsewhere what came before stays in it."""
    if CLEAR.exists():
        CLEAR.write_text("5")


def peak_mb() -> float:
    """Return the process's peak resident memory in MB."""
    if CLEAR.exists():
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


LIBRARIES: dict[str, Callable] = {
    "diff_diff": with_diff_diff,
    "moderndid": with_moderndid,
    "csdid": with_csdid,
    "differences": with_differences,
}

if __name__ == "__main__":
    main()
