"""Who answers and whose ratings count: the way to a score, and weights that stand in for the silent."""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from analysis.design.panels import Panel
from analysis.design.propensity import fit_logistic, refitted, totals
from analysis.measure.employment import is_employed
from analysis.validate.rule import coded, spread

FLOW_COLUMNS = ["n_people", "n_invited", "n_answered", "n_scored", "n_paired"]
ARMS = (("treated", True), ("control", False))
# A weight beyond this quantile of all weights is cut to it (Cole & Hernán 2008, Am J Epidemiol 168:656).
CUT_AT = 0.99


def with_response(
    rows: pd.DataFrame, employees: pd.DataFrame | None, waves: pd.DataFrame, answered: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows with how far each person came at the later wave: ``is_invited``, ``is_answered``, ``is_scored``.

    Invited is whoever is employed on the day the wave opens, and whoever answered, whatever the dates say. Without
    employment data nobody is seen to leave. A score that others give (ratings) counts as the ratee's answer.

    Parameters
    ----------
    rows
        Everyone in the comparison, one row per person and cell, as in `design.panels.Panel` (``employee_id,
        wave_after, after``, …) but whether or not there are scores.
    employees
        Employment spells of the contract, or None.
    waves
        ``wave, opens``, one row per wave of the instrument.
    answered
        ``employee_id, wave``: who answered at least one item of the instrument, scored or not.

    Raises
    ------
    ValueError
        A wave is listed twice, as when those of two instruments are mixed.
    """
    if employees is not None and waves["wave"].duplicated().any():
        raise ValueError("a wave is listed twice; give the waves of one instrument")
    is_scored, opens = rows["after"].notna().to_numpy(), waves.set_index("wave")["opens"]
    is_answered, is_invited = is_scored.copy(), np.full(len(rows), employees is None)
    person, people = pd.factorize(rows["employee_id"])
    # Ids are looked up once; −1 stands for an id that is not among the rows.
    answering = _places(answered["employee_id"], people)
    working = None if employees is None else _places(employees["employee_id"], people)
    for wave in rows["wave_after"].unique():
        here = (rows["wave_after"] == wave).to_numpy()
        is_answered[here] |= _marked(answering[(answered["wave"] == wave).to_numpy()], len(people))[person[here]]
        if employees is not None and working is not None:
            there = is_employed(employees, opens.loc[wave]).to_numpy()
            is_invited[here] = _marked(working[there], len(people))[person[here]]
    return rows.assign(is_invited=is_invited | is_answered, is_answered=is_answered, is_scored=is_scored)


def _places(ids: pd.Series, people: pd.Index) -> np.ndarray:
    codes, values = coded(ids)
    return spread(codes, people.get_indexer(values), -1)


def _marked(places: np.ndarray, n_people: int) -> np.ndarray:
    """Return who of the people has one of the places, and False for nobody at the end, shape (people + 1,)."""
    marked = np.zeros(n_people + 1, dtype=bool)
    marked[places] = True
    marked[-1] = False
    return marked


def response_flow(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many people came how far, one row per later wave and arm.

    Columns ``wave, arm`` and `FLOW_COLUMNS`, people: ``n_people`` (in the comparison), ``n_invited`` (the others had
    left when the wave opened: nobody asked them), ``n_answered`` (the others were silent), ``n_scored`` (the others
    answered too few items), ``n_paired`` (with an earlier score too). Each holds the next.

    Parameters
    ----------
    rows
        As from `with_response`. Whoever stands in several comparisons at a wave is counted once.
    """
    arm = rows["is_treated"].astype(bool).map({is_treated: name for name, is_treated in ARMS})
    steps = [True, rows["is_invited"], rows["is_answered"], rows["is_scored"]]
    steps.append(rows["is_scored"] & rows["before"].notna())
    counted = rows[["employee_id"]].assign(
        wave=rows["wave_after"], arm=arm, **dict(zip(FLOW_COLUMNS, steps, strict=True))
    )
    people = counted.groupby(["wave", "arm", "employee_id"]).any()
    flow = people.groupby(["wave", "arm"])[FLOW_COLUMNS].sum().astype(int).reset_index()
    return flow.sort_values(["wave", "arm"], ascending=[True, False], ignore_index=True)


@dataclass(frozen=True)
class Asked:
    """Everyone whose later score was hoped for, whether or not it came; one row per person and cell.

    Attributes
    ----------
    y
        The outcome: change from the earlier score, or under a lottery the later score; NaN where there is none; in
        points of the scale, shape (rows,).
    before
        The earlier score, shape (rows,); NaN where it is missing (under a lottery alone).
    treated, cell, wave_position
        Arm (bool), pair of waves (codes), and the later wave counted from the start (1 = first; all 1 under a lottery,
        where slopes need not differ by wave); shape (rows,).
    person, cluster
        Who it is, and who is counted together in the variance (people, or units in a rollout); codes, shape (rows,).
    is_invited
        Whether the person was asked; False for those who had left. Shape (rows,).
    known
        What foretells an answer: the earlier score, an indicator where it is missing, the covariates; standardized,
        shape (rows, known).
    terms
        What the arms are made alike by: covariates, or under a lottery the earlier score; shape (rows, terms).
    position
        Each row's place in the frame that it came from, shape (rows,).
    stand_in
        How many comparators each one stands for (`design.competing.stand_in_weights`), shape (rows,).
    is_randomized
        Whether a lottery decided the arm.
    """

    y: np.ndarray
    before: np.ndarray
    treated: np.ndarray
    cell: np.ndarray
    wave_position: np.ndarray
    person: np.ndarray
    cluster: np.ndarray
    is_invited: np.ndarray
    known: np.ndarray
    terms: np.ndarray
    position: np.ndarray
    stand_in: np.ndarray
    is_randomized: bool

    @property
    def is_scored(self) -> np.ndarray:
        """Whether there is an outcome, shape (rows,)."""
        return np.isfinite(self.y)

    def take(self, chosen: np.ndarray) -> "Asked":
        """Return the rows of a mask; cells are numbered anew."""
        arrays = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name != "is_randomized"}
        arrays["cell"] = np.unique(arrays["cell"], return_inverse=True)[1]
        return Asked(**arrays, is_randomized=self.is_randomized)

    def in_both_arms(self) -> "Asked":
        """Return the rows of those cells in which both arms have a row."""
        arms = [np.bincount(self.cell[arm], minlength=self.cell.max(initial=0) + 1) for arm in self.arms]
        return self.take(((arms[0] > 0) & (arms[1] > 0))[self.cell])

    def counts_in_both_arms(self, counts: np.ndarray, counted: np.ndarray | None = None) -> np.ndarray:
        """Return how often rows count in each draw, (rows, draws), where their cell has both arms, and elsewhere 0.

        Parameters
        ----------
        counted
            The rows that make an arm, shape (rows,); any where not given.
        """
        counted = np.full(len(self.y), True) if counted is None else counted
        treated, control = (totals(self.cell, counts * (counted & arm)[:, None]) > 0 for arm in self.arms)
        return counts * (treated & control)[self.cell]

    @property
    def arms(self) -> tuple[np.ndarray, np.ndarray]:
        """Masks of the treated and of the comparators."""
        return self.treated, ~self.treated


def asked_of(rows: pd.DataFrame, covariates: np.ndarray, is_randomized: bool = False, by_unit: bool = False) -> Asked:
    """Return those who can be compared, with what is known of them; cells without both arms are left out.

    Nothing randomized: those with an earlier score, compared by their change. Lottery: everybody who drew, compared by
    the later score, with the earlier one (missing: the mean and an indicator) as covariate.

    Parameters
    ----------
    rows
        As from `with_response`.
    covariates
        Standardized terms of the same rows (`design.covariates.design_matrix`), shape (rows, terms).
    by_unit
        Whether units are what is clustered by (a rollout), not people.
    """
    before, after = (rows[name].to_numpy(dtype=float) for name in ("before", "after"))
    missing = np.isnan(before)
    earlier = _standardized(np.column_stack([np.where(missing, _mean(before[~missing]), before), missing]))
    person = pd.factorize(rows["employee_id"])[0]
    asked = Asked(
        y=after if is_randomized else after - before,
        before=before,
        treated=rows["is_treated"].to_numpy(dtype=bool),
        cell=pd.factorize(rows["cell"], sort=True)[0],
        wave_position=np.ones(len(rows), dtype=int) if is_randomized else rows["wave_position"].to_numpy(dtype=int),
        person=person,
        cluster=pd.factorize(rows["unit"].fillna("none"))[0] if by_unit else person,
        is_invited=rows["is_invited"].to_numpy(dtype=bool),
        known=np.column_stack([earlier, covariates]),
        terms=earlier if is_randomized else covariates,
        position=np.arange(len(rows)),
        stand_in=stand_in_of(rows),
        is_randomized=is_randomized,
    )
    return asked.in_both_arms() if is_randomized else asked.take(~missing).in_both_arms()


def stand_in_of(rows: pd.DataFrame) -> np.ndarray:
    """Return how many comparators each row stands for, shape (rows,); one where nothing is said."""
    return rows.get("stand_in_weight", pd.Series(1.0, index=rows.index)).astype(float).fillna(1.0).to_numpy()


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0


def _standardized(columns: np.ndarray) -> np.ndarray:
    """Return the columns that vary, centred, with unit standard deviation."""
    spread = columns.std(axis=0) if len(columns) else np.zeros(columns.shape[1])
    varying = columns[:, spread > 1e-9]
    return (varying - varying.mean(axis=0)) / spread[spread > 1e-9] if varying.size else varying


@dataclass(frozen=True)
class ResponseWeights:
    """Weights by which those who were scored stand in for all who were invited.

    Attributes
    ----------
    probability
        The fitted chance of a score, shape (rows,).
    weights
        0 where there is no score, shape (rows,).
    n_cut
        Rows whose weight was cut.
    """

    probability: np.ndarray
    weights: np.ndarray
    n_cut: int


def response_weights(invited: Asked) -> ResponseWeights:
    """Return inverse-probability weights for having been scored, among those who were invited.

    The chance of a score is a logistic regression on the cell, the arm, what was known beforehand (earlier score and
    covariates) and the earlier score by arm, since a program may change whether the dissatisfied still answer. All
    coefficients but the intercept have the prior of `design.propensity`. The numerator is the arm's own share of
    scores, which keeps the weights near one and, being one number an arm, changes no mean in it; weights above the
    `CUT_AT` quantile are cut to it (Robins, Rotnitzky & Zhao 1995, JASA 90:106; Seaman & White 2013, Stat Methods Med
    Res 22:278; cut: Cole & Hernán 2008, Am J Epidemiol 168:656).

    Leavers are not weighted for: they have no score that could be missing. What is then estimated is the effect on the
    scores of those who had an earlier score and were still employed when the later wave opened, had all of them
    answered; right where answering depends on nothing but what is in the model. If the program changes who stays, the
    arms' stayers are different people, and no weight for silence corrects that: see `estimate.lee_bounds`.

    Parameters
    ----------
    invited
        Rows of those who were invited alone.
    """
    probability, weights, limit = (each[..., 0] for each in chance_and_weights(invited, np.ones((len(invited.y), 1))))
    return ResponseWeights(probability, np.minimum(weights, limit), int((weights > limit).sum()))


def chance_and_weights(invited: Asked, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the chance of a score, the weights before they are cut, both (rows, draws), and the cut, (draws,).

    Parameters
    ----------
    counts
        How often each row counts in each draw, shape (rows, draws).
    """
    scored, answered = invited.is_scored, invited.is_scored.astype(float)
    chance = np.ones(counts.shape)
    if not scored.all():
        model = fit_logistic(_response_terms(invited), answered, np.zeros(len(scored)), np.ones(len(scored)))
        # Where all are scored, or nobody is, there is nothing to fit.
        both = (counts[scored] > 0).any(axis=0) & (counts[~scored] > 0).any(axis=0)
        fitted = 1 / (1 + np.exp(-refitted(model, scored, counts * both, np.zeros(counts.shape))))
        chance = np.where(both, fitted, 1.0)
    sizes = [(counts[arm & scored].sum(axis=0), counts[arm].sum(axis=0)) for arm in invited.arms]
    share = [np.divide(n, of, where=of > 0, out=np.full(len(of), np.nan)) for n, of in sizes]
    weights = np.where(scored[:, None], np.where(invited.treated[:, None], *share) / chance, 0.0)
    used = (counts > 0) & scored[:, None]
    limits = [np.quantile(weights[rows, n], CUT_AT) if rows.any() else np.inf for n, rows in enumerate(used.T)]
    return chance, weights, np.array(limits)


def _response_terms(invited: Asked) -> np.ndarray:
    n_cells = int(invited.cell.max()) + 1
    cells = np.eye(n_cells)[invited.cell] if n_cells > 1 else np.zeros((len(invited.cell), 0))
    arm = invited.treated[:, None].astype(float)
    # The earlier score is the first of what is known, where it varies at all.
    by_arm = arm * invited.known[:, :1]
    return np.column_stack([np.ones(len(arm)), cells, arm, by_arm, invited.known])


def response_balance(raw: pd.DataFrame, invited: Asked, weights: np.ndarray) -> pd.DataFrame:
    """Return whom the answers stand for, one row per arm and covariate.

    Columns ``arm, covariate, mean_invited, mean_scored, mean_weighted`` (those scored, as they are and weighted) and
    ``smd_before, smd_after``: scored minus invited in standard deviations of the arm's invited, before and after
    weighting.

    Parameters
    ----------
    raw
        Covariates on their own scale, the earlier score among them, one row for each row that `asked_of` was given.
    invited
        Rows of those who were invited alone; both arms have somebody who was scored.
    weights
        As from `response_weights`, shape (rows,).
    """
    values, found = raw.to_numpy(dtype=float)[invited.position], []
    for (name, _), arm in zip(ARMS, invited.arms, strict=True):
        scored = arm & invited.is_scored
        everyone, spread = values[arm].mean(axis=0), values[arm].std(axis=0)
        plain, weighted = values[scored].mean(axis=0), np.average(values[scored], axis=0, weights=weights[scored])
        unit = np.where(spread > 0, spread, np.inf)
        part = {"arm": name, "covariate": raw.columns, "mean_invited": everyone, "mean_scored": plain}
        part |= {"mean_weighted": weighted, "smd_before": (plain - everyone) / unit}
        found.append(pd.DataFrame(part | {"smd_after": (weighted - everyone) / unit}))
    return pd.concat(found, ignore_index=True)


# --- sources ----------------------------------------------------------------------------------------------------------
# Whose ratings count: sources of enough raters, and the rule that picks the primary one before outcomes are read.

MIN_RATERS = 3
MIN_SHARE = 0.70
SOURCES = ("manager", "peer", "direct_report")
TOO_FEW_RATERS = f"Nobody has {MIN_RATERS} raters of this source at one wave, below which their scores are not used."


def of_enough_raters(scores: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the scores of one rater source without those of people whom fewer than `MIN_RATERS` of it rated.

    Who said what of whom would be plain; a manager, of whom there is one, is known to have rated.

    Parameters
    ----------
    scores
        As from `measure.scales.rated_scores`: ``employee_id, wave, n_raters``.
    """
    return scores if source == "manager" else scores[scores["n_raters"] >= MIN_RATERS]


def others_suffice(panel: Panel, other_scores: pd.DataFrame) -> bool:
    """Return whether others' ratings can carry the answer: enough raters before and after, in enough of both arms.

    At least `MIN_SHARE` of each arm must have `MIN_RATERS` raters in both waves of a cell. Only the number of raters is
    looked at, never a score.

    Parameters
    ----------
    panel
        The panel of others' scores.
    other_scores
        As from `measure.scales.rated_scores`: ``employee_id, wave, n_raters``.
    """
    if panel.rows.empty:
        return False
    n_raters = other_scores.set_index(["employee_id", "wave"])["n_raters"]
    enough = pd.Series(True, index=panel.rows.index)
    for side in ("wave_before", "wave_after"):
        keys = pd.MultiIndex.from_frame(panel.rows[["employee_id", side]])
        enough &= (n_raters.reindex(keys) >= MIN_RATERS).to_numpy()
    shares = enough.groupby(panel.rows["is_treated"]).mean()
    return len(shares) == 2 and bool((shares >= MIN_SHARE).all())
