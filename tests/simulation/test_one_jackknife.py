"""The committed study of one jackknife for all ways to make an answer, held against its bar."""

import numpy as np
import pandas as pd
from simulations.one_jackknife import NAMES, RESULTS, WAYS, rows_of

ERRORS = {"own jackknife", "influence functions", "main row's jackknife"}


def test_the_main_rows_jackknife_serves_the_other_ways():
    found = pd.read_csv(RESULTS).set_index(["world", "way", "error"])
    assert len(found) == len(NAMES) * len(WAYS) * len(ERRORS) and (found["n_studies"] >= 150).all()
    coverage, errors = (found[name].unstack("error") for name in ("coverage", "mean_se"))
    noise = np.sqrt(0.95 * 0.05 / found["n_studies"].min())
    assert (coverage["main row's jackknife"] > 0.95 - 3 * noise).all()
    assert (coverage["main row's jackknife"] >= coverage["own jackknife"] - noise).all()
    assert (errors["main row's jackknife"] > errors["influence functions"]).all()
    assert (errors["main row's jackknife"] / errors["own jackknife"]).between(0.95, 1.15).all()


def test_a_study_made_anew_has_every_way_with_every_error():
    rows = pd.DataFrame(rows_of("null-ties", 3))
    assert set(rows["way"]) == set(WAYS) and set(rows["error"]) == ERRORS
    assert rows.groupby("way")["estimate"].nunique().eq(1).all(), "errors differ, estimates do not"
