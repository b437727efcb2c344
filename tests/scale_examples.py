"""Invented answers on scales, complete and by their agreed names: what the report must be able to show."""

import pandas as pd
from test_report import MORALE, acme, finding, row, without_number

from analysis.estimate.diagnostics import TREND
from analysis.plan.results import Check, Estimate, Finding
from analysis.plan.study import Study
from analysis.release.answer import Released

TITLES = {
    "H2_morale": "morale",
    "H3_leadership": "leadership",
    "H4_digital_fluency": "digital_fluency",
    "H5_cross_generational": "cross_generational_climate",
    "H6_idea_sharing": "idea_sharing",
    "H7_recognition": "recognition",
}
BY_LOTS = {"estimand": "ITT", "contrast": "offered_vs_not", "estimator": "ancova"}


def score(**changes) -> Estimate:
    """Return a row of a scale finding: morale of mentors, +0.31 points."""
    return row(**MORALE | {"p_adjusted": None} | changes)


def beside(**changes) -> tuple[Estimate, ...]:
    """Return everything that the ledger holds beside a main row that nobody drew lots for."""

    def other(analysis: str, estimator: str = "dr_did", estimate: float = 0.3, half: float = 0.2, **more) -> Estimate:
        limits = {"ci_low": round(estimate - half, 4), "ci_high": round(estimate + half, 4)}
        return score(**{"analysis": analysis, "estimator": estimator, "estimate": estimate} | limits | changes | more)

    return (
        other("naive", "difference_in_means", 0.62, estimand="association"),
        other("naive", "mean_change", 0.44, estimand="association", contrast="after_vs_before"),
        other("secondary", estimate=0.45, measure="standardized_mean_difference"),
        other("negative_control", estimate=0.02, contrast="enrolled_vs_not_before_start", horizon_months=None),
        other("sensitivity", "ancova", 0.33),
        other("sensitivity", "linear_mixed_model", 0.29),
        other("sensitivity", "dr_did_never_enrolled", 0.27),
        other("sensitivity", "dr_did_response_weighted", 0.30),
        other("sensitivity", "dr_did_without_careless", 0.34),
        other("sensitivity", "dr_did_common_items", 0.25, 0.3),
        other("sensitivity", "dr_did_delta", 0.28),
        other("sensitivity", "lee_bounds_lower", 0.19, estimand="always_responders"),
        other("sensitivity", "lee_bounds_upper", 0.41, estimand="always_responders"),
        other("sensitivity", "honest_did", 0.31, 0.45),
        other("secondary", estimate=0.04, half=0.1, measure="mean_difference_per_decade_of_age"),
        other("secondary", estimate=-0.01, half=0.03, measure="mean_difference_per_year_of_tenure"),
        other("descriptive", estimate=0.06, half=0.08, measure="mean_difference_per_five_sessions",
              contrast="more_vs_fewer_sessions", estimand="association"),
        other("descriptive", estimate=0.1, contrast="topic_digital_tools_vs_other_topics", estimand="association"),
        other("secondary", estimate=-0.05, contrast="reverse_vs_traditional"),
    )  # fmt: skip


TRAJECTORIES = pd.DataFrame({
    "arm": ["treated", "control"] * 5, "wave_position": [-2, -2, -1, -1, 0, 0, 1, 1, 2, 2],
    "mean": [3.46, 3.48, 3.5, 3.49, 3.48, 3.5, 3.83, 3.54, 3.78, 3.51],
    "ci_low": [3.28, 3.4, 3.36, 3.43, 3.35, 3.44, 3.7, 3.47, 3.6, 3.41],
    "ci_high": [3.64, 3.56, 3.64, 3.55, 3.61, 3.56, 3.96, 3.61, 3.96, 3.61],
    "n_people": pd.array([31, 160, 55, 244, 88, 490, 88, 490, 47, 233], dtype="Int64"),
})  # fmt: skip
EVENT_STUDY = pd.DataFrame({
    "position": [-2, -1, 0, 1, 2], "estimate": [0.03, 0.02, 0.0, 0.31, 0.27],
    "std_error": [0.09, 0.07, None, 0.07, 0.1],
    "ci_low": [-0.15, -0.12, None, 0.17, 0.07], "ci_high": [0.21, 0.16, None, 0.45, 0.47],
    "band_low": [-0.2, -0.16, None, 0.13, 0.01], "band_high": [0.26, 0.2, None, 0.49, 0.53],
    "n_treated": pd.array([31, 55, 88, 88, 47], dtype="Int64"),
    "n_control": pd.array([160, 244, 490, 490, 233], dtype="Int64"),
})  # fmt: skip
HONEST = pd.DataFrame({
    "restriction": ["relative_magnitudes"] * 3 + ["smoothness"] * 2, "limit": [0.5, 1.0, 2.0, 0.0, 0.05],
    "low": [0.05, -0.14, -0.5, 0.02, -0.2], "high": [0.57, 0.76, 1.1, 0.6, 0.8],
})  # fmt: skip
RESPONSE = pd.DataFrame({
    "wave": [3, 3, 4, 4, 5, 5], "arm": ["treated", "control"] * 3,
    "n_people": pd.array([50, 700, 90, 1100, 130, 1500], dtype="Int64"),
    "n_invited": pd.array([49, 660, 86, 1010, 121, 1330], dtype="Int64"),
    "n_answered": pd.array([30, 270, 52, 400, 70, 520], dtype="Int64"),
    "n_scored": pd.array([29, 262, 50, 392, 69, 510], dtype="Int64"),
    "n_paired": pd.array([22, 150, 39, 220, 52, 300], dtype="Int64"),
})  # fmt: skip
DELTA = pd.DataFrame({
    "delta": [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5],
    "estimate": [-0.16, -0.05, 0.06, 0.17, 0.28, 0.39, 0.5],
    "ci_low": [-0.41, -0.28, -0.15, -0.03, 0.09, 0.2, 0.29], "ci_high": [0.09, 0.18, 0.27, 0.37, 0.47, 0.58, 0.71],
})  # fmt: skip
BALANCE_RESPONSE = pd.DataFrame({
    "arm": ["treated", "treated", "control", "control"], "covariate": ["score_before", "tenure_years"] * 2,
    "smd_before": [0.15, 0.1, 0.05, 0.02], "smd_after": [0.01, 0.0, 0.0, 0.0],
})  # fmt: skip
BALANCE = pd.DataFrame({"covariate": ["tenure_years", "age"], "smd_before": [0.4, -0.3], "smd_after": [0.02, -0.01],
                        "n_treated": 88, "n_control": 490})  # fmt: skip
FLOW = pd.DataFrame({"step": ["started", "in the comparison", "analysed"],
                     "n_treated": pd.array([150, 130, 88], dtype="Int64"),
                     "n_control": pd.array([1800, 1500, 490], dtype="Int64")})  # fmt: skip
EVIDENCE = {"flow": FLOW, "trajectories": TRAJECTORIES, "event_study": EVENT_STUDY, "honest": HONEST,
            "response": RESPONSE, "delta": DELTA, "balance_response": BALANCE_RESPONSE, "balance": BALANCE}  # fmt: skip
CHECKS = (
    Check("balance", True, 0.02, 0.1, "The groups are alike in what was recorded."),
    Check(TREND, True, 0.02, 0.15, "Nothing before the start."),
    Check("parallel trends", None, None, None, "It is assumed that trends would have been alike."),
)


def scale(hypothesis: str = "H2_morale", role: str = "mentor", verdict: str = "supported", **changes) -> Finding:
    """Return a complete scale finding where people chose to take part."""
    naming = {"hypothesis": hypothesis, "outcome": TITLES[hypothesis], "role": role}
    main = {"analysis": "primary" if hypothesis in ("H2_morale", "H3_leadership") else "secondary", "p_adjusted": 0.02}
    return finding(score(**naming | main | changes), verdict, alternatives=beside(**naming),
                   evidence=EVIDENCE, checks=CHECKS)  # fmt: skip


def by_lottery(hypothesis: str = "H2_morale") -> Finding:
    """Return a scale finding under a lottery: no event study, no trends."""
    naming = {"hypothesis": hypothesis, "outcome": TITLES[hypothesis]} | BY_LOTS
    rows = [row(**vars(e) | {"estimand": "ITT" if e.estimand == "ATT" else e.estimand} | _by_lots(e))
            for e in beside(**{k: v for k, v in naming.items() if k in ("hypothesis", "outcome")})
            if e.estimator not in ("honest_did", "ancova", "dr_did_never_enrolled")
            and e.contrast not in ("enrolled_vs_not_before_start", "after_vs_before")]  # fmt: skip
    evidence = {name: frame for name, frame in EVIDENCE.items() if name not in ("event_study", "honest", "balance")}
    return finding(score(**naming), "supported", alternatives=tuple(rows), evidence=evidence)


def _by_lots(e: Estimate) -> dict[str, str]:
    contrast = "offered_vs_not" if e.contrast == "enrolled_vs_not" else e.contrast
    return {"estimator": e.estimator.replace("dr_did", "ancova"), "contrast": contrast}


def led() -> Finding:
    """Return leadership rated by others, with people's own ratings beside it."""
    named = {"hypothesis": "H3_leadership", "outcome": "leadership", "rater_source": "others"}
    own = [score(**named | {"analysis": "sensitivity", "rater_source": source, "estimate": at, "ci_low": at - 0.15,
                            "ci_high": at + 0.15}) for source, at in (("self", 0.3), ("manager", 0.05))]  # fmt: skip
    primary = score(**named | {"estimate": 0.1, "ci_low": -0.04, "ci_high": 0.24, "p_value": 0.15, "p_adjusted": 0.3})
    return finding(primary, "inconclusive", alternatives=(*beside(**named), *own), evidence=EVIDENCE, checks=CHECKS)


def unasked(hypothesis: str, role: str = "mentor") -> Finding:
    """Return a scale that no survey of the study measures."""
    naming = {"hypothesis": hypothesis, "role": role, "outcome": TITLES[hypothesis], "analysis": "secondary",
              "measure": "mean_difference", "estimator": "dr_did"}  # fmt: skip
    reason = f"No survey in the study measures {TITLES[hypothesis].replace('_', ' ')}."
    return finding(without_number("not_estimable", reason, **naming), "not_estimable")


def every_scale() -> tuple[Finding, ...]:
    """Return six scales in two roles, one of them not estimable, as a large study has them."""
    numbers = {"H2_morale": (0.31, 0.19), "H4_digital_fluency": (0.52, 0.21), "H5_cross_generational": (0.02, 0.12),
               "H6_idea_sharing": (-0.22, 0.17), "H7_recognition": (0.11, 0.2)}  # fmt: skip
    verdicts = dict(zip(numbers, ("supported", "supported", "no_benefit", "harmful", "inconclusive"), strict=True))
    found = [led()]
    for hypothesis, (at, half) in numbers.items():
        for role, less in (("mentor", 0.0), ("mentee", 0.05)):
            limits = {"estimate": at - less, "ci_low": at - less - half, "ci_high": at - less + half}
            found.append(scale(hypothesis, role, verdicts[hypothesis], **limits))
    found[-1] = unasked("H7_recognition", "mentee")
    return tuple(sorted(found, key=lambda f: (f.hypothesis, f.role)))


# --- frames that describe the study -------------------------------------------------------------------------------

CONSTRUCTS = ("morale", "digital_fluency", "cross_generational_climate", "idea_sharing", "recognition")
RELIABILITY = pd.concat([
    pd.DataFrame({
        "construct": construct, "rater_role": role, "wave": [1.0, 6.0], "n_people": [420, 512], "n_forms": [420, 512],
        "n_items": [5, 5], "alpha": [0.83, 0.81], "ci_low": [0.8, 0.78], "ci_high": [0.86, 0.84],
        "omega": [0.84, 0.82], "omega_low": [0.81, 0.79], "omega_high": [0.87, 0.85], "spearman_brown": None,
        "spearman_brown_low": None, "spearman_brown_high": None, "reason": None,
    })
    for construct, role in [*((c, "self") for c in CONSTRUCTS), ("leadership", "self"), ("leadership", "manager")]
], ignore_index=True)  # fmt: skip
ITEMS = {"mor1": "I look forward to coming to work.", "mor2": "My team is in good spirits.", "mor3": "Most days drag.",
         "mor4": "I would choose to work here again.",
         "mor5": "I have lost interest in what we are trying to achieve."}  # fmt: skip
ITEM_STATISTICS = pd.DataFrame({
    "construct": "morale", "rater_role": "self", "wave": 6.0, "item": list(ITEMS), "n_people": 512,
    "mean": [3.5, 3.4, 3.6, 3.3, 3.7], "sd": 1.0, "item_rest": [0.61, 0.55, 0.58, 0.64, 0.31],
    "alpha_if_dropped": [0.79, 0.8, 0.79, 0.78, 0.84], "reason": None,
})  # fmt: skip
TURNED = ("mor3", "mor5")
LABELS = {1: "Strongly disagree", 2: "Disagree", 3: "Neither", 4: "Agree", 5: "Strongly agree"}
SHARES = {1.0: [0.06, 0.17, 0.25, 0.37, 0.15], 6.0: [0.04, 0.13, 0.24, 0.40, 0.19]}
ITEM_ANSWERS = pd.DataFrame([
    {"construct": construct, "rater_role": "self", "wave": wave, "item": item, "text": text, "value": float(value),
     "label": LABELS[6 - value] if item in TURNED else label, "share": share, "n_answered": 420, "n_people": 420}
    for construct, items in (("morale", ITEMS), ("leadership", {f"mlq_vision{i}": "" for i in range(1, 4)}))
    for wave, shares in SHARES.items()
    for item, text in items.items()
    for (value, label), share in zip(LABELS.items(), shares, strict=True)
])  # fmt: skip
STEPS = pd.DataFrame({
    "construct": ["morale"] * 4 + ["recognition"] * 3, "rater_role": "self", "across": "waves",
    "step": ["configural", "metric", "scalar", "residual", "configural", "metric", "scalar"],
    "chi2": [80.1, 90.3, 99.0, 120.0, 5.0, 9.0, 60.0], "df": [60, 68, 76, 86, 5, 7, 9],
    "p": [0.04, 0.04, 0.04, 0.01, 0.4, 0.25, 0.0], "cfi": [0.98, 0.98, 0.97, 0.97, 1.0, 0.99, 0.93],
    "rmsea": [0.03, 0.03, 0.03, 0.03, 0.0, 0.03, 0.11], "srmr": [0.03, 0.03, 0.03, 0.04, 0.01, 0.03, 0.09],
    "delta_cfi": [None, -0.001, -0.002, -0.003, None, -0.004, -0.06], "delta_p": [None, 0.3, 0.2, 0.1, None, 0.1, 0.0],
    "freed_item": None, "n_people": 601, "n_treated": None, "n_control": None, "proper": True,
    "holds": [True, True, True, True, True, True, False], "reason": None,
})  # fmt: skip
CARELESS = pd.DataFrame({
    "instrument": "pulse", "wave": [1.0, 1.0, 6.0, 6.0], "flag": ["is_longstring", "flagged"] * 2,
    "n_people": pd.array([420, 420, 512, 512], dtype="Int64"),
    "n_flagged": pd.array([12, 21, None, 30], dtype="Int64"), "share_flagged": [0.029, 0.05, None, 0.059],
})  # fmt: skip
AGREEMENT = pd.DataFrame({
    "construct": "leadership", "rater_role": ["manager", "peer"], "wave": 1.0,
    "n_people": pd.array([200, 260], dtype="Int64"), "n_ratings": pd.array([210, 900], dtype="Int64"),
    "icc1": [None, 0.23], "icc1_low": [None, 0.17], "icc1_high": [None, 0.29], "icck": [None, 0.5],
    "icck_low": [None, 0.41], "icck_high": [None, 0.58], "k": [None, 3.4], "f": [None, 2.0], "df1": [None, 259],
    "df2": [None, 640], "p_value": [None, 0.0001], "n_with_rwg": pd.array([0, 240], dtype="Int64"),
    "rwg_mean": [None, 0.8], "rwg_median": [None, 0.86], "rwg_share_70": [None, 0.77],
    "rwg_share_set_to_zero": [None, 0.02], "reason": ["Agreement needs somebody with two raters.", None],
})  # fmt: skip
SELF_OTHER = pd.DataFrame({
    "construct": "leadership", "wave": [1.0, 2.0], "n_people": pd.array([180, 190], dtype="Int64"),
    "mean_difference": [0.31, 0.28], "difference_low": [0.22, 0.2], "difference_high": [0.4, 0.36],
    "correlation": [0.25, 0.3], "correlation_low": [0.11, 0.16], "correlation_high": [0.38, 0.42], "reason": None,
})  # fmt: skip
SELF_OTHER_BINS = pd.DataFrame({
    "construct": "leadership", "bin": [1, 2, 3, 4, 5], "self_mean": [2.7, 3.3, 3.7, 4.1, 4.6],
    "others_mean": [3.2, 3.35, 3.45, 3.5, 3.7], "ci_low": [3.05, 3.22, 3.32, 3.37, 3.55],
    "ci_high": [3.35, 3.48, 3.58, 3.63, 3.85], "n_people": pd.array([42, 42, 42, 42, 41], dtype="Int64"),
})  # fmt: skip
LENIENCY = pd.DataFrame({
    "construct": "leadership", "rater_role": ["peer", "direct_report"], "n_ratees": pd.array([260, 90], dtype="Int64"),
    "n_raters": pd.array([700, 300], dtype="Int64"), "n_forms": pd.array([900, 330], dtype="Int64"),
    "ratee_share": [0.22, 0.3], "rater_share": [0.35, 0.2], "rest_share": [0.43, 0.5], "ratee_sd": [0.33, 0.4],
    "rater_sd": [0.42, 0.33],
})  # fmt: skip
SKILL_GAP = pd.DataFrame({
    "construct": "digital_fluency", "by": ["job_level"] * 4 + ["age"] * 5,
    "group": ["1–2", "3–4", "5–6", "7–8", "under 30", "30–39", "40–49", "50–59", "60 and over"],
    "group_from": [1, 3, 5, 7, 18, 30, 40, 50, 60], "group_to": [2, 4, 6, 8, 30, 40, 50, 60, 80],
    "mean": [3.9, 3.7, 3.3, None, 4.1, 3.8, 3.5, 3.1, 2.9], "ci_low": [3.8, 3.6, 3.1, None, 4.0, 3.7, 3.4, 2.9, 2.5],
    "ci_high": [4.0, 3.8, 3.5, None, 4.2, 3.9, 3.6, 3.3, 3.3],
    "n_people": pd.array([320, 240, 80, None, 150, 200, 160, 100, 22], dtype="Int64"),
})  # fmt: skip
ITEM_CHANGES = pd.DataFrame({"construct": "recognition", "wave": [4.0], "n_items": [3], "n_items_common": [2],
                             "changed": ["rec3 reworded"], "n_forms": [40]})  # fmt: skip
UNLINKED = pd.DataFrame({
    "instrument": "climate", "construct": "morale", "wave": [1.0, 2.0, 3.0],
    "opens": pd.to_datetime(["2021-05-10", "2022-05-09", "2023-05-08"]),
    "n_forms": pd.array([310, 290, 305], dtype="Int64"), "mean": [3.4, 3.5, 3.6], "ci_low": [3.3, 3.4, 3.5],
    "ci_high": [3.5, 3.6, 3.7],
})  # fmt: skip
DESCRIBED = {
    "reliability": RELIABILITY, "item_statistics": ITEM_STATISTICS, "item_answers": ITEM_ANSWERS,
    "item_changes": ITEM_CHANGES, "invariance": STEPS, "careless": CARELESS, "agreement": AGREEMENT,
    "self_other": SELF_OTHER, "self_other_bins": SELF_OTHER_BINS, "leniency": LENIENCY, "skill_gap": SKILL_GAP,
    "unlinked": UNLINKED,
}  # fmt: skip


def study_of_scales(*findings: Finding, study: Study | None = None, **described: pd.DataFrame) -> Released:
    """Return a released study with every frame on measurement; frames named otherwise replace those."""
    return Released(study=study or acme(), findings=findings or every_scale(), problems=(),
                    described=DESCRIBED | described, run={})  # fmt: skip
