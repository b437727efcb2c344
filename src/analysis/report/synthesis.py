"""Pooled answers in words and tables: what each question is called, what its sentences can name."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from analysis.plan.catalogue import CATALOGUE
from analysis.plan.hypotheses import Claim, load_plan
from analysis.report.template import say, say_each
from analysis.report.wording import DASH, estimate_text, number, p_text, percent, unit
from analysis.synthesis.literature import Published, published
from analysis.synthesis.pooled import Group, NotPooled, Pool, Pooled, PooledRow, Synthesis, is_capped, is_judged

# Offered and started are told side by side and never pooled; these rows are about one question.
ASKED = ("hypothesis", "outcome", "role", "rater_source", "measure", "scale", "horizon_months")
MODERATORS: tuple[Group, ...] = ("assignment", "direction", "format", "sector", "size")
LEVELS = {"self_selected": "people chose", "rollout": "units reached in turn", "randomized": "places randomized"}


@dataclass(frozen=True)
class Asked:
    """One question over all companies: an answer for each estimand, and the dashboards' figures beside it."""

    pools: tuple[Pool, ...]
    naive: tuple[Pool, ...]
    literature: tuple[Published, ...]

    @property
    def first(self) -> PooledRow:
        """A row that names the question."""
        return self.pools[0].main

    @property
    def is_drawn(self) -> bool:
        """Whether a company has a number."""
        return any(len(pool.companies) for pool in self.pools)


def questions(synthesis: Synthesis) -> list[Asked]:
    """Return every question that has a verdict, at its first horizon, in the order of the plan."""
    found: dict[tuple, list[Pool]] = {}
    for pool in [pool for pool in synthesis.pools if is_judged(pool.main) and pool.main.verdict]:
        found.setdefault(_asked(pool.main), []).append(pool)
    return [
        Asked(tuple(pools), tuple(p for p in synthesis.naive if _asked(p.main) == key), _literature(pools[0].main))
        for key, pools in found.items()
    ]


def _asked(row: PooledRow) -> tuple:
    return tuple(getattr(row, name) for name in ASKED)


def _literature(row: PooledRow) -> tuple[Published, ...]:
    return tuple(p for p in published() if p.is_drawn and p.measure == row.measure and row.hypothesis in p.hypotheses)


def pool_facts(pool: Pool) -> dict[str, object]:
    """Return what a sentence can name of one pool, and every judgement that chooses between sentences."""
    row, fitted = pool.main, pool.fitted
    without = pool.of("without")
    low, high = (f(without, key=lambda r: r.estimate, default=None) for f in (min, max))
    return {
        "row": row,
        "unit": unit(row),
        "outcome": CATALOGUE.outcome(row.outcome),
        "role": CATALOGUE.role(row.role).label,
        "people": CATALOGUE.estimand(row.estimand).people,
        "rated": CATALOGUE.rater_source(row.rater_source) if row.rater_source else "",
        "is_event": row.measure == "risk_difference",
        "is_offer": row.estimand == "ITT",
        "is_naive": row.analysis == "naive",
        "n_programs": int(pool.companies["n_programs"].sum()),
        "paule_mandel": next((r for r in pool.others if r.estimator == "paule_mandel"), None),
        "absent": next(iter(pool.of("absent_without_effect")), None),
        "is_capped": isinstance(row, Pooled) and is_capped(row),
        "n_capped": int(pool.companies["is_capped"].sum()),
        "without_capped": next(iter(pool.of("without_capped")), None),
        "apart": [(LEVELS[r.level], r) for r in pool.of("assignment")],
        "assignments": sorted({LEVELS[a] for a in pool.companies["assignment"].dropna() if a in LEVELS}),
        "lowest": low,
        "highest": high,
        "has_turned": isinstance(row, Pooled) and any(r.holds_zero != row.holds_zero for r in (low, high) if r),
        "n_left_out": len(without),
        "is_guarded": fitted is not None and fitted.inflation < 1,
        "tau": row.tau2**0.5 if isinstance(row, Pooled) else None,
        "tau_limits": [row.tau2_low**0.5, row.tau2_high**0.5] if isinstance(row, Pooled) else None,
        "slope": pool.slope,
        "alpha": load_plan().diagnostics.alpha,
    }


def question_label(row: PooledRow) -> str:
    """Return whom an answer is about, within its hypothesis: ``mentors, self-rated, those who start``."""
    return say("synthesis.label", {"role": CATALOGUE.role(row.role).label, "row": row, "rated": _rated(row)})


def _rated(row: PooledRow) -> str:
    return CATALOGUE.rater_source(row.rater_source) if row.rater_source else ""


def answer_sentence(pool: Pool) -> str:
    """Return the pooled answer with its interval, or why there is none."""
    return say("synthesis.answer", pool_facts(pool))


def further_sentences(pool: Pool) -> list[str]:
    """Return what stands under an answer: one more company, how far they differ, what is absent, what it hangs on."""
    return say_each("synthesis.further", pool_facts(pool)) if pool.main.is_estimated else []


def naive_sentences(asked: Asked) -> list[str]:
    """Return what dashboards would claim, kept apart from the answers."""
    return [say("synthesis.naive", pool_facts(pool)) for pool in asked.naive if pool.main.is_estimated]


def picture_title(asked: Asked) -> str:
    """Return the finding of a question's forest plot."""
    return say("synthesis.picture", [pool_facts(pool) for pool in asked.pools])


def moderator_table(pool: Pool) -> pd.DataFrame:
    """Return the levels of every moderator with enough companies, a line each; texts."""
    return pd.DataFrame(
        [
            {
                "by": row.group,
                "level": LEVELS.get(row.level, row.level),
                "companies": str(row.n_studies),
                "effect, 95 % interval": estimate_text(row),
                "do levels differ?": p_text(row.p_difference),
            }
            for row in pool.of(*MODERATORS)
            if row.p_difference is not None
        ]
    )


def every_answer_table(pools: Iterable[Pool]) -> pd.DataFrame:
    """Return every pooled row of a hypothesis' answers, later horizons and other measures included; texts."""
    return pd.DataFrame(
        [
            {
                "who": question_label(pool.main),
                "measure": unit(pool.main).label,
                "months": str(pool.main.horizon_months),
                "companies": str(pool.main.n_studies),
                "absent": str(pool.main.n_absent),
                "mean, 95 % interval": estimate_text(pool.main) if isinstance(pool.main, Pooled) else pool.main.reason,
                "one more company": _prediction(pool.main),
                "τ": _tau(pool.main),
                "I²": percent(pool.main.i2 if isinstance(pool.main, Pooled) else None),
                "row": pool.main.row,
            }
            for pool in pools
        ]
    )


def _prediction(row: Pooled | NotPooled) -> str:
    if not isinstance(row, Pooled) or row.prediction_low is None:
        return DASH
    low, high = (number(x, unit(row)) for x in (row.prediction_low, row.prediction_high))
    return f"[{low}, {high}]"


def _tau(row: Pooled | NotPooled) -> str:
    return number(row.tau2**0.5, unit(row), signed=False) if isinstance(row, Pooled) else DASH


def unanswered(asked: Iterable[Asked]) -> list[str]:
    """Return whom no two companies have a number about."""
    return [question_label(p.main) for question in asked for p in question.pools if not p.main.is_estimated]


@dataclass(frozen=True)
class ClaimLine:
    """A claim of the articles, the pooled verdicts on what it says, and how many answers it lacks."""

    claim: Claim
    verdicts: tuple[tuple[str, PooledRow], ...]
    n_unanswered: int


def claims_board(asked: Iterable[Asked]) -> list[ClaimLine]:
    """Return every claim that a pooled answer is about, with the verdicts of all its hypotheses."""
    rows = [pool.main for question in asked for pool in question.pools]
    titles = {h.id: h.title for h in load_plan().hypotheses}
    lines = []
    for claim in load_plan().claims:
        about = [row for row in rows if row.hypothesis in claim.hypotheses]
        told = [(f"{titles[row.hypothesis]}, {question_label(row)}", row) for row in about if row.is_estimated]
        if about:
            lines.append(ClaimLine(claim, tuple(told), len(about) - len(told)))
    return lines
