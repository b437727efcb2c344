"""What the terms of the ledger are called in words: measures, estimators, contrasts, outcomes."""

from dataclasses import dataclass

MEASURES = {
    "risk_difference": "percentage points",
    "risk_difference_per_decade_of_age": "percentage points per ten years of age",
    "risk_difference_per_year_of_tenure": "percentage points per year of tenure",
    "risk_difference_per_five_sessions": "percentage points per five sessions",
    "risk_ratio": "ratio of risks",
    "mean_difference": "points of the scale",
    "mean_difference_per_decade_of_age": "points of the scale per ten years of age",
    "mean_difference_per_year_of_tenure": "points of the scale per year of tenure",
    "mean_difference_per_five_sessions": "points of the scale per five sessions",
    "standardized_mean_difference": "standard deviations",
    "rmst_difference_days": "days employed",
    "rmtl_difference_days": "days lost to the outcome",
    "hazard_ratio": "ratio of hazards",
    "odds_ratio": "ratio of odds of a higher answer",
    "e_value": "E-value",
    "net_benefit": "net benefit, in the study's currency",
    "exits_avoided": "exits avoided",
}

ESTIMATORS = {
    "iptw_aalen_johansen": "inverse-probability-weighted Aalen–Johansen",
    "aipw_aalen_johansen": "doubly robust: weighted and regressed",
    "ccw_aalen_johansen": "clone–censor–weight from the intake",
    "ipw_adherence_aalen_johansen": "weighted for keeping to the meetings",
    "iptw_cox": "weighted Cox regression",
    "aalen_johansen": "Aalen–Johansen, nothing adjusted",
    "pseudo_value_regression": "regression of pseudo-values",
    "stratified_difference_in_proportions": "difference in shares by stratum of the lottery",
    "stratified_aalen_johansen": "Aalen–Johansen by stratum of the lottery",
    "stratified_cox": "Cox regression, weighted by stratum of the lottery",
    "wald_ratio": "Wald ratio (the offer as instrument)",
    "dr_did": "doubly robust difference-in-differences",
    "ancova": "difference adjusted for the score before (ANCOVA)",
    "difference_in_means": "difference in means, nothing adjusted",
    "mean_change": "participants' own change, nobody to compare with",
    "linear_mixed_model": "linear mixed model, employees within managers",
    "ordinal_logit": "ordinal (proportional-odds) regression",
    "lee_bounds_lower": "Lee bounds, lower",
    "lee_bounds_upper": "Lee bounds, upper",
    "honest_did": "bounds if trends had diverged",
    "avoided_exits_times_cost": "exits avoided times what an exit costs, less the program's cost",
}

# For a narrow column.
SHORT_ESTIMATORS = {
    "iptw_aalen_johansen": "weighted",
    "aalen_johansen": "nothing adjusted",
    "iptw_cox": "weighted Cox",
    "pseudo_value_regression": "pseudo-values",
    "stratified_difference_in_proportions": "by stratum",
    "stratified_aalen_johansen": "by stratum",
    "stratified_cox": "Cox by stratum",
    "wald_ratio": "offer as instrument",
    "dr_did": "doubly robust",
    "ancova": "ANCOVA",
    "difference_in_means": "nothing adjusted",
    "mean_change": "before and after alone",
    "linear_mixed_model": "mixed model",
    "ordinal_logit": "ordinal regression",
    "lee_bounds_lower": "Lee bounds, lower",
    "lee_bounds_upper": "Lee bounds, upper",
    "honest_did": "if trends had diverged",
    "avoided_exits_times_cost": "arithmetic",
    "e_value": "from the ratio of risks",
}

# One choice made otherwise, in the words of somebody who has not read the methods.
WAYS = {
    "aipw_aalen_johansen": "weighted and regressed (doubly robust)",
    "ccw_aalen_johansen": "grace period, from the intake",
    "ipw_adherence_aalen_johansen": "only those who kept meeting",
    "iptw_aalen_johansen_bootstrap": "interval by resampling people",
    "iptw_aalen_johansen_by_manager": "people of one manager counted together",
    "iptw_aalen_johansen_by_pair": "both people of a pair counted together",
    "iptw_aalen_johansen_few_covariates": "adjusted for tenure, age, level and rating alone",
    "iptw_aalen_johansen_starts_first_day": "imprecise starts on their earliest day",
    "iptw_aalen_johansen_starts_midpoint": "imprecise starts in the middle of their days",
    "iptw_aalen_johansen_starts_last_day": "imprecise starts on their latest day",
    "iptw_aalen_johansen_trimmed": "without those more likely to start than not",
    "iptw_aalen_johansen_truncated": "weights cut at the 99th percentile",
    "iptw_aalen_johansen_imputed": "missing values imputed, not marked",
    "iptw_aalen_johansen_without_one_manager_lower": "lowest, one manager's people left out",
    "iptw_aalen_johansen_without_one_manager_upper": "highest, one manager's people left out",
    "iptw_aalen_johansen_without_organization": "not adjusted for department, job and place",
    "iptw_aalen_johansen_without_scores": "not adjusted for survey scores",
    "ancova": "later score, adjusted for the earlier one",
    "linear_mixed_model": "employees within managers (mixed model)",
    "dr_did_never_enrolled": "compared with those who never enrolled",
}
# The same choices made otherwise, whether the change or the later score is compared.
WAYS |= {
    f"{estimator}_{choice}": text
    for estimator in ("dr_did", "ancova")
    for choice, text in {
        "response_weighted": "those scored stand in for the silent",
        "without_careless": "without forms filled in carelessly",
        "common_items": "only items alike in every wave",
        "delta": "the silent predicted from the others",
    }.items()
}


CONTRASTS = {
    "ever_vs_never": "ever in the program against never",
    "enrolled_vs_not": "started against not started",
    "offered_vs_not": "offered a place against not offered",
    "participants_vs_not_among_offered": "took part against did not, among those offered",
    "enrolled_vs_not_before_start": "the same people, before any start",
    "after_vs_before": "participants after against before",
    "start_within_grace_vs_not": "started within the grace period against did not",
    "attended_vs_not_started": "kept meeting against not started",
    "placebo_start_vs_not": "starts made up before the program existed",
    "placebo_ever_vs_never": "ever against never, for starts made up before the program existed",
    "during_program_vs_not": "while taking part, against not started",
    "after_program_vs_not": "after taking part, against not started",
    "reverse_vs_traditional": "effect of the reverse program less that of the traditional one",
    "more_vs_fewer_sessions": "more sessions against fewer, among those who started",
}

ANALYSES = {
    "primary": "main answer",
    "secondary": "secondary",
    "sensitivity": "sensitivity",
    "negative_control": "negative control",
    "naive": "naive",
    "descriptive": "descriptive",
}

OUTCOMES = {
    "voluntary_exit": "voluntary exit",
    "involuntary_exit": "dismissal",
    "other_exit": "other exit (retirement, end of contract, …)",
    "any_exit": "exit of any kind",
    "promotion": "promotion",
}

# Constructs whose name has a hyphen; the others are read as they are written.
SCALES = {"cross_generational_climate": "cross-generational climate"}


@dataclass(frozen=True)
class EventWords:
    """How an event is told.

    Attributes
    ----------
    did, had
        What people did, and had done: ``left``, ``had left``.
    do
        What fewer or more people do, on an axis.
    doing
        The event as a noun: ``leaving``.
    plural
        The events.
    rate_of
        What a rate is a rate of.
    """

    did: str
    had: str
    do: str
    doing: str
    plural: str
    rate_of: str


EVENTS = {
    "voluntary_exit": EventWords("left of their own accord", "had left", "leave", "leaving", "exits", "voluntary exit"),
    "any_exit": EventWords("left", "had left", "leave", "leaving", "exits", "exit"),
    "promotion": EventWords(
        "were promoted",
        "had been promoted",
        "are promoted",
        "being promoted",
        "promotions",
        "a first promotion",
    ),
}

RATED = {
    "self": "self-rated",
    "others": "other-rated",
    "manager": "manager-rated",
    "peer": "peer-rated",
    "direct_report": "report-rated",
}

ROLES = {"mentor": "mentors", "mentee": "mentees", "participant": "participants", "any": "people"}
SENIORITY = {"mentor": " (the juniors)", "mentee": " (the seniors)"}
