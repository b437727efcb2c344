"""Tables of how the scales were measured, as text: small groups masked, ready for a page or a notebook."""

from collections.abc import Callable, Mapping

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.report.prose import response_shares
from analysis.report.wording import DASH, construct_name, count, number, p_text, percent

FLAGS = {
    "is_longstring": "the same answer over and over",
    "is_invariable": "all answers the same",
    "is_outlying": "answers far from everybody else's",
    "is_inconsistent": "answers that contradict each other",
    "is_fast": "too fast to have been read",
    "flagged": "any of these",
}
RESTRICTIONS = {
    "relative_magnitudes": "a wave by so many of the largest earlier steps",
    "smoothness": "a wave by a line that bends by so many points",
}
ARMS = {"treated": "program", "control": "comparison"}


def source_name(role: object) -> str:
    """Return who rated, e.g. ``self-rated``; a dash where nobody is named."""
    return DASH if pd.isna(role) else CATALOGUE.rater_source(str(role))


def _about(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns that say which scale, rated by whom, in which wave; those that the frame has."""
    tellers: dict[str, tuple[str, Callable[..., str]]] = {
        "instrument": ("survey", lambda name: str(name).replace("_", " ")),
        "construct": ("scale", construct_name),
        "rater_role": ("rated", source_name),
        "across": ("across", str),
        "wave": ("wave", lambda wave: DASH if pd.isna(wave) else f"{wave:g}"),
        "opens": ("opened", lambda day: f"{day:%Y-%m-%d}"),
    }
    return {head: [tell(v) for v in frame[column]] for column, (head, tell) in tellers.items() if column in frame}


def _people(frame: pd.DataFrame, names: Mapping[str, str], min_cell: int) -> dict[str, list[str]]:
    return {head: [count(n, min_cell) for n in frame[column]] for column, head in names.items() if column in frame}


def _numbers(frame: pd.DataFrame, names: Mapping[str, str], decimals: int = 2, signed: bool = False) -> dict:
    return {h: [number(x, decimals, signed) for x in frame[c]] for c, h in names.items() if c in frame}


def _between(frame: pd.DataFrame, low: str, high: str) -> list[str]:
    limits = zip(frame[low], frame[high], strict=True)
    return [DASH if pd.isna(a) or pd.isna(b) else f"[{number(a)}, {number(b)}]" for a, b in limits]


def _with_interval(frame: pd.DataFrame, column: str, low: str, high: str) -> list[str]:
    """Return each number with its interval behind it."""
    pairs = zip(frame[column], _between(frame, low, high), strict=True)
    return [DASH if pd.isna(x) else f"{number(x)} {limits}" for x, limits in pairs]


def reliability_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return Cronbach's α and McDonald's ω with their 95 % intervals, one line per scale, rater source and wave.

    Two items have their Spearman–Brown coefficient.
    """
    items = [DASH if pd.isna(n) else str(int(n)) for n in frame["n_items"]]
    found = _about(frame) | _people(frame, {"n_people": "people"}, min_cell) | {"items": items}
    found |= {"α": [number(a) for a in frame["alpha"]], "95 % interval": _between(frame, "ci_low", "ci_high")}
    if "omega" in frame and frame["omega"].notna().any():
        found["ω"] = _with_interval(frame, "omega", "omega_low", "omega_high")
    if "spearman_brown" in frame and frame["spearman_brown"].notna().any():
        found["two items"] = _with_interval(frame, "spearman_brown", "spearman_brown_low", "spearman_brown_high")
    return pd.DataFrame(found)


def item_statistics_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return how each item serves its scale, one line per item and wave."""
    names = {"mean": "mean", "sd": "SD", "item_rest": "with the other items", "alpha_if_dropped": "α without it"}
    found = _about(frame) | {"item": [str(i) for i in frame["item"]]}
    return pd.DataFrame(found | _people(frame, {"n_people": "people"}, min_cell) | _numbers(frame, names))


def invariance_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return the fit of each step, one line a model."""
    return pd.DataFrame(
        _about(frame)
        # What kept a model from being fitted is a row without a step.
        | {"step": [DASH if pd.isna(s) else str(s) for s in frame["step"]]}
        | {"free": [freed(item) or DASH for item in frame["freed_item"]]}
        | _people(frame, {"n_people": "people"}, min_cell)
        | _numbers(frame, {"chi2": "χ²"}, 1)
        | _numbers(frame, {"df": "df"}, 0)
        | {"p": [p_text(p) for p in frame["p"]]}
        | _numbers(frame, {"cfi": "CFI", "rmsea": "RMSEA", "srmr": "SRMR"}, 3)
        | _numbers(frame, {"delta_cfi": "change of CFI"}, 3, signed=True)
        | {"holds": [DASH if pd.isna(h) else "yes" if h else "no" for h in frame["holds"]]}
    )


def freed(item: object) -> str:
    """Return the item that a step leaves free; empty where it leaves none."""
    return "" if pd.isna(item) or item in ("", "None", "nan") else str(item)


def item_changes_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return which items came, went or were reworded, one line per scale and wave; it counts items and no people."""
    whole = {"n_items": "items", "n_items_common": "alike in every wave"}
    found = (
        _about(frame)
        | _numbers(frame, whole, 0)
        | {"what changed": [DASH if pd.isna(text) else str(text) for text in frame["changed"]]}
    )
    return pd.DataFrame(found)


def careless_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return how many forms each sign of carelessness flags, one line per survey, wave and sign."""
    signs = [FLAGS.get(flag, str(flag)) for flag in frame["flag"]]
    found = _about(frame) | {"sign": signs} | _people(frame, {"n_people": "forms", "n_flagged": "flagged"}, min_cell)
    return pd.DataFrame(found | {"share": [percent(s, 1) for s in frame["share_flagged"]]})


def agreement_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return how far raters of the same person agree, one line per scale, rater source and wave."""
    return pd.DataFrame(
        _about(frame)
        | _people(frame, {"n_people": "people rated", "n_ratings": "ratings"}, min_cell)
        | {
            "one rater: ICC(1)": _with_interval(frame, "icc1", "icc1_low", "icc1_high"),
            "their mean: ICC(k)": _with_interval(frame, "icck", "icck_low", "icck_high"),
        }
        | _numbers(frame, {"k": "raters"}, 1)
        | _numbers(frame, {"rwg_median": "r_wg, median"})
        | {"r_wg of .70 or more": [percent(s) for s in frame["rwg_share_70"]]}
    )


def self_other_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return own scores against those by others, one line per scale and wave."""
    return pd.DataFrame(
        _about(frame)
        | _people(frame, {"n_people": "people"}, min_cell)
        | {
            "own less others', points": _with_interval(frame, "mean_difference", "difference_low", "difference_high"),
            "correlation": _with_interval(frame, "correlation", "correlation_low", "correlation_high"),
        }
    )


def leniency_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return whose doing a rating is: the person rated, the rater, or neither; one line per scale and rater source."""
    people = {"n_ratees": "people rated", "n_raters": "raters", "n_forms": "ratings"}
    shares = {"ratee_share": "by who is rated", "rater_share": "by who rates", "rest_share": "neither"}
    told = {head: [percent(s) for s in frame[column]] for column, head in shares.items()}
    return pd.DataFrame(_about(frame) | _people(frame, people, min_cell) | told)


def skill_gap_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return mean scores before any program, one line per scale and group of job levels or ages."""
    by = {"job_level": "job level", "age": "age"}
    groups = {"by": [by.get(b, b) for b in frame["by"]], "group": [str(g) for g in frame["group"]]}
    found = _about(frame) | groups | _people(frame, {"n_people": "people"}, min_cell)
    return pd.DataFrame(found | {"mean": _with_interval(frame, "mean", "ci_low", "ci_high")})


def unlinked_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return the means of surveys that are linked to nobody, one line per scale and wave."""
    found = _about(frame) | _people(frame, {"n_forms": "forms"}, min_cell)
    return pd.DataFrame(found | {"mean": _with_interval(frame, "mean", "ci_low", "ci_high")})


# --- evidence of one finding --------------------------------------------------------------------------------------


def asked_table(frame: pd.DataFrame, min_cell: int = 10) -> pd.DataFrame:
    """Return who came how far from the comparison to a pair of scores, one line per wave and group."""
    names = {
        "n_people": "in the comparison",
        "n_invited": "still employed",
        "n_answered": "answered",
        "n_scored": "scored",
        "n_paired": "scored before too",
    }
    counted = {h: [count(n, min_cell) for n in frame[c]] for c, h in names.items()}
    scored = [percent(s) for s in response_shares(frame)["n_scored"]]
    return pd.DataFrame(
        {"wave": [f"{w:g}" for w in frame["wave"]], "group": [ARMS[a] for a in frame["arm"]]}
        | counted
        | {"share with a score": scored}
    )


def response_balance_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return those scored against those asked, one line per group and covariate, before and after weighting."""
    return pd.DataFrame(
        {"group": [ARMS[a] for a in frame["arm"]], "covariate": frame["covariate"].astype(str).str.replace("_", " ")}
        | _numbers(frame, {"smd_before": "scored less asked, SD", "smd_after": "after weighting, SD"}, signed=True)
    )


def honest_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the interval under each limit on how far trends may have parted, one line a limit."""
    told = [RESTRICTIONS[r] for r in frame["restriction"]]
    ends = [
        DASH if pd.isna(a) or pd.isna(b) else f"[{number(a, signed=True)}, {number(b, signed=True)}]"
        for a, b in zip(frame["low"], frame["high"], strict=True)
    ]
    return pd.DataFrame({"trends may part": told, "limit": [f"{x:g}" for x in frame["limit"]], "interval": ends})
