"""What every column of every frame is: the release rule reads this and nothing else.

A frame that is not here is not released, nor is one with a column that is not. A new frame needs its lines here and
no code.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Column(NamedTuple):
    """What a column is.

    Attributes
    ----------
    kind
        ``key`` says where a row stands, and tells of nobody; ``part`` is a key too, and says which part of a whole the
        row is. ``people`` and ``rows`` are counts, ``basis`` is a count that is not shown, ``way`` counts the people of
        stages and of the losses between them, ``rest`` is the difference of two counts. ``text`` is from a closed
        list, ``mean`` describes, ``estimate`` is a statistic of a group. ``share`` is a share of people or rows,
        ``share_of`` one of which only the whole is counted, ``snapped_share`` one of which few count as nobody,
        ``parts`` are the shares of all parts of a whole, ``rate`` is a number per 100.
    of
        The counts that it is derived of: of a share, rate or rest the two counts first. It is shown where none of
        them is small.
    decimals
        Of an estimate.
    """

    kind: str
    of: tuple[str, ...] = ()
    decimals: int = 3


Schema = Mapping[str, Column]


def _all(kind: str, names: str, of: str = "", decimals: int = 3) -> dict[str, Column]:
    return {name: Column(kind, tuple(of.split()), decimals) for name in names.split()}


def _keys(names: str) -> dict[str, Column]:
    return _all("key", names)


def _people(names: str) -> dict[str, Column]:
    return _all("people", names)


def _rows(names: str) -> dict[str, Column]:
    return _all("rows", names)


def _estimates(names: str, of: str = "", decimals: int = 3) -> dict[str, Column]:
    return _all("estimate", names, of, decimals)


ARMS = "n_treated n_control"
INTERVAL = "ci_low ci_high"
ITEMS = _keys("construct rater_role wave")
CURVES = {
    **_keys("outcome arm months"),
    **_people("n_at_risk"),
    **_all("basis", "n_events"),
    **_estimates(f"cumulative_incidence {INTERVAL}", of="n_at_risk"),
}

# The evidence of an answer.
EVIDENCE: Mapping[str, Schema] = {
    "flow": {**_keys("step"), **_all("way", f"n_people {ARMS}")},
    "curves": CURVES,
    "curves_by_kind": CURVES,
    "balance": {
        **_keys("covariate kind levels"),
        **_all("basis", ARMS),
        **_estimates("smd_before smd_after", of=ARMS),
    },
    "balance_by_quarter": {
        **_keys("quarter"),
        **_people(ARMS),
        **_all("text", "covariate", of=ARMS),
        **_estimates("worst_before worst_after", of=ARMS, decimals=2),
    },
    "balance_response": {**_keys("arm covariate"), **_estimates("smd_before smd_after", decimals=2)},
    "overlap": {
        **_keys("log_odds_from log_odds_to arm"),
        **_all("basis", "n_rows n_rows_of_arm"),
        **_all("share", "share", of="n_rows n_rows_of_arm"),
    },
    "missing": {**_keys("covariate"), **_people(ARMS)},
    "event_study": {
        **_keys("position"),
        **_people(ARMS),
        **_estimates(f"estimate std_error {INTERVAL} band_low band_high", of=ARMS),
    },
    "trajectories": {
        **_keys("arm wave_position"),
        **_people("n_people"),
        **_estimates(f"mean {INTERVAL}", of="n_people", decimals=2),
    },
    "honest": {**_keys("restriction limit"), **_estimates("low high")},
    "delta": {**_keys("delta"), **_estimates(f"estimate {INTERVAL}")},
    "lee": {
        **_people(ARMS),
        **_estimates("lower upper low high", of=ARMS),
        **_estimates("response_treated response_control trimmed_share", of=ARMS, decimals=2),
    },
    "response": {**_keys("wave arm"), **_people("n_people n_invited n_answered n_scored n_paired")},
}

# Who is in the data, how good they are, and how well it was measured.
DESCRIBED: Mapping[str, Schema] = {
    "participation": {**_keys("program_id intake_date role"), **_people("n_enrolled n_offered n_started")},
    "flow_of_people": {**_keys("program_id role hypothesis unit kind step"), **_all("way", "n_people")},
    "exit_rates": {
        **_keys("year"),
        **_people("n_people person_years"),
        **_all("basis", "n_voluntary_exit n_involuntary_exit n_other_exit"),
        **_all("rate", "voluntary_exit_per_100", of="n_voluntary_exit person_years"),
        **_all("rate", "involuntary_exit_per_100", of="n_involuntary_exit person_years"),
        **_all("rate", "other_exit_per_100", of="n_other_exit person_years"),
    },
    "response_rates": {
        **_keys("instrument wave opens"),
        **_people("n_people n_answered"),
        **_all("share", "share", of="n_answered n_people"),
    },
    "row_counts": {
        **_keys("table source"),
        **_rows("rows_in rows_kept rows_repaired rows_translated"),
        **_all("rest", "rows_rejected", of="rows_in rows_kept"),
    },
    "coverage": {
        **_keys("month"),
        **_people("n_employed"),
        **_all("basis", "n_with_job_row n_with_manager"),
        **_all("snapped_share", "share_with_job_row", of="n_with_job_row n_employed"),
        **_all("snapped_share", "share_with_manager", of="n_with_manager n_employed"),
    },
    "missingness": {
        **_keys("table column of"),
        **_people("n_people"),
        **_all("basis", "n_rows n_missing"),
        **_all("snapped_share", "share_missing", of="n_missing n_rows n_people"),
    },
    "reliability": {
        **ITEMS,
        **_keys("n_items"),
        **_people("n_people"),
        **_rows("n_forms"),
        **_estimates(f"alpha {INTERVAL} omega omega_low omega_high", of="n_people"),
        **_estimates("spearman_brown spearman_brown_low spearman_brown_high", of="n_people"),
        **_all("text", "reason", of="n_people"),
    },
    "item_statistics": {
        **ITEMS,
        **_keys("item"),
        **_people("n_people"),
        **_all("mean", "mean sd", of="n_people"),
        **_estimates("item_rest alpha_if_dropped", of="n_people"),
        **_all("text", "reason", of="n_people"),
    },
    "item_keying": {
        **_keys("instrument construct rater_role"),
        **_people("n_people"),
        **_estimates("lowest alpha alpha_turned", of="n_people"),
        **_all("text", "against", of="n_people"),
    },
    "item_answers": {
        **ITEMS,
        **_keys("item"),
        **_all("part", "text value label"),
        **_people("n_people"),
        **_rows("n_answered"),
        **_all("parts", "share", of="n_answered n_people"),
    },
    "item_changes": {
        **_keys("construct instrument wave n_items_common"),
        **_rows("n_forms"),
        **_all("text", "n_items changed", of="n_forms"),
    },
    "invariance": {
        **_keys("construct rater_role across waves step df delta_df"),
        **_people(f"n_people {ARMS}"),
        **_estimates("chi2 p cfi rmsea srmr", of=f"n_people {ARMS}"),
        **_estimates("delta_chi2 delta_p delta_cfi delta_rmsea delta_srmr", of=f"n_people {ARMS}"),
        **_all("text", "freed_item proper holds_by_chi2 holds_by_chen holds reason", of=f"n_people {ARMS}"),
    },
    "careless": {
        **_keys("instrument wave flag"),
        **_rows("n_people n_flagged"),
        **_all("share", "share_flagged", of="n_flagged n_people"),
    },
    "agreement": {
        **ITEMS,
        **_people("n_people n_with_rwg"),
        **_rows("n_ratings"),
        # They are these counts less one, which would tell where between two multiples a count lies.
        **_all("basis", "df1 df2"),
        **_estimates("icc1 icc1_low icc1_high icck icck_low icck_high f p_value", of="n_people"),
        **_all("mean", "k", of="n_people"),
        **_all("mean", "rwg_mean rwg_median", of="n_with_rwg"),
        **_all("share_of", "rwg_share_70 rwg_share_set_to_zero", of="n_with_rwg"),
        **_all("text", "reason", of="n_people"),
    },
    "self_other": {
        **_keys("construct wave"),
        **_people("n_people"),
        **_all("mean", "mean_difference difference_low difference_high", of="n_people"),
        **_estimates("correlation correlation_low correlation_high", of="n_people"),
        **_all("text", "reason", of="n_people"),
    },
    "self_other_bins": {
        **_keys("construct bin"),
        **_people("n_people"),
        **_all("mean", f"self_mean others_mean {INTERVAL}", of="n_people"),
    },
    "leniency": {
        **_keys("construct rater_role"),
        **_people("n_ratees n_raters"),
        **_rows("n_forms"),
        **_all("mean", "ratee_sd rater_sd rest_sd ratee_share rater_share rest_share", of="n_ratees n_raters"),
        **_all("text", "reason", of="n_ratees n_raters"),
    },
    "skill_gap": {
        **_keys("construct by group group_from group_to"),
        **_people("n_people"),
        **_all("mean", f"mean {INTERVAL}", of="n_people"),
    },
    "unlinked": {
        **_keys("instrument construct wave opens"),
        **_rows("n_forms"),
        **_all("mean", f"mean {INTERVAL}", of="n_forms"),
    },
}
SCHEMAS: Mapping[str, Schema] = {**EVIDENCE, **DESCRIBED}
