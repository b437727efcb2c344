"""The worlds of the scales' simulation study, written down before any of them was run."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

N_WAVES = 6
NULL, POSITIVE, NEGATIVE = 0.0, 0.2, -0.2
DID, WEIGHTED, ANCOVA, PLAIN = "dr_did", "dr_did_response_weighted", "ancova", "difference_in_means"
BAND, PRE_TREND, HONEST, TWFE = "event_study_band", "pre_trend", "honest_did", "two_way_fixed_effects"
PARALLEL = frozenset({DID, BAND, PRE_TREND, HONEST})


@dataclass(frozen=True)
class Moment:
    """What decides on a wave who answers it, or leaves just before it; every array of shape (people,).

    Attributes
    ----------
    wave
        1, 2, …
    rating
        Performance rating, standardized; in the file.
    stable
        What of a person's morale lasts, standardized; in no file.
    now
        The person's score on this wave, whether or not he answers it, less the scale's mean.
    earlier
        His score on the last wave before the first start, less the scale's mean.
    in_program
        Whether he has started.
    """

    wave: int
    rating: np.ndarray
    stable: np.ndarray
    now: np.ndarray
    earlier: np.ndarray
    in_program: np.ndarray


def expit(value) -> np.ndarray:
    """Return the logistic function."""
    return 1 / (1 + np.exp(-value))


def by_rating(at: Moment) -> np.ndarray:
    """Three in four answer, the better rated more often."""
    return expit(1.1 + 0.3 * at.rating)


def by_stable_morale(at: Moment) -> np.ndarray:
    """Whoever is lastingly unhappy answers less, in both arms alike."""
    return expit(1.1 + 1.0 * at.stable)


def by_morale_now(at: Moment) -> np.ndarray:
    """Whoever feels bad today answers less, in both arms alike."""
    return expit(1.1 + 1.8 * at.now)


def by_morale_now_unless_in_program(at: Moment) -> np.ndarray:
    """Whoever feels bad today answers less; whoever is in the program answers whatever he feels."""
    return np.where(at.in_program, expit(1.5), by_morale_now(at))


def by_earlier_score_unless_in_program(at: Moment) -> np.ndarray:
    """From the start on, whoever scored low before it answers less, unless he is in the program."""
    slope = np.where(at.in_program, 0.2, 2.0) * (at.wave > min(ONCE))
    return expit(1.1 + slope * at.earlier)


def seldom(at: Moment) -> np.ndarray:
    """Two in a hundred leave in each half year, whoever they are."""
    return np.full(len(at.now), 0.02)


def lastingly_unhappy(at: Moment) -> np.ndarray:
    """Whoever is lastingly unhappy leaves more, and the program keeps people."""
    return expit(-2.0 - 0.8 * at.stable - 1.0 * at.in_program)


def unhappy_now(at: Moment) -> np.ndarray:
    """Whoever feels bad now leaves before he is asked, and the program keeps people."""
    return expit(-2.0 - 2.0 * at.now - 1.0 * at.in_program)


STAGGERED, ONCE = (2, 3, 4), (3,)


@dataclass(frozen=True)
class World:
    """One scenario of the study: six half-yearly waves of one scale, and a program that some start between them.

    Attributes
    ----------
    about
        What is special about it.
    holds
        Estimators whose assumptions hold.
    n_people
        Employed at the first wave.
    bases
        Waves after which people start.
    log_odds
        Of starting after each of them, for the average person.
    on_recorded, on_morale, on_last_score
        What else decides who starts: an index of rating, tenure, age and department; lasting morale; the score on the
        base wave (per point).
    effect, growth, spread
        Points on the first wave after the start; what each later wave adds, in shares of it; how much the effect
        varies with lasting morale (points per SD).
    trend
        How much the index of recorded covariates decides who improves anyway (points a wave).
    drift, drifts_from
        Points a wave that those who start gain without the program: from which wave on (0 = the first).
    mean
        Of the scale, where the average person starts.
    is_counted_in_items
        Scores are means of five items answered 1 to 5; otherwise numbers without limits.
    is_lottery
        Places are drawn among those who apply.
    answers, leaves
        (moment) → the chance to answer a wave, and to leave just before it.
    """

    name: str
    about: str
    holds: frozenset[str] = PARALLEL
    n_people: int = 450
    bases: tuple[int, ...] = STAGGERED
    log_odds: float = -2.6
    on_recorded: float = 0.8
    on_morale: float = 0.4
    on_last_score: float = 0.0
    effect: float = NULL
    growth: float = 0.0
    spread: float = 0.0
    trend: float = 0.05
    drift: float = 0.0
    drifts_from: int = 0
    mean: float = 3.3
    is_counted_in_items: bool = False
    is_lottery: bool = False
    answers: Callable[[Moment], np.ndarray] = by_rating
    leaves: Callable[[Moment], np.ndarray] = seldom

    @property
    def is_null(self) -> bool:
        """Whether the program does nothing, to anybody."""
        return self.effect == NULL and self.spread == 0

    @property
    def weighs_response(self) -> bool:
        """Whether the estimator for the silent is made: where who answers is what the world is about."""
        return WEIGHTED in self.holds or self.answers is not by_rating


def _worlds(ending: str, about: str, effects: dict[str, float], **knobs) -> list[World]:
    return [World(f"{name}-{ending}", about, effect=effect, **knobs) for name, effect in effects.items()]


ONE, TWO = {"null": NULL}, {"null": NULL, "positive": POSITIVE}
ALL = TWO | {"negative": NEGATIVE}
LATE = {"log_odds": -1.5, "bases": ONCE}
NOBODY: frozenset[str] = frozenset()

WORLDS: tuple[World, ...] = (
    *_worlds(
        "staggered",
        "starts after three waves; what is recorded says who starts and who improves anyway, lasting morale who starts",
        ALL,
        holds=PARALLEL | {WEIGHTED},
    ),
    replace(
        _worlds("varied", "the effect varies with lasting morale", {"positive": POSITIVE})[0],
        spread=0.1,
    ),
    *_worlds("few", "few start: about 16 of them have scores before and after", TWO, n_people=300, log_odds=-3.9),
    *_worlds(
        "growing",
        "most start sooner or later, each wave adds as much as the first, nobody improves anyway by what is recorded",
        {"positive": POSITIVE},
        growth=1.0,
        log_odds=-0.9,
        trend=0.0,
    ),
    *_worlds(
        "level",
        "as growing, but all of the effect is there on the first wave and stays",
        {"positive": POSITIVE},
        holds=PARALLEL | {TWFE},
        log_odds=-0.9,
        trend=0.0,
    ),
    *_worlds(
        "ceiling",
        "most answers are 4 or 5, and what is recorded alone says who starts",
        TWO,
        mean=4.4,
        is_counted_in_items=True,
        on_morale=0.0,
    ),
    *_worlds(
        "ceiling-morale",
        "most answers are 4 or 5; the happy start and have no room to improve when everybody does",
        ONE,
        holds=NOBODY,
        mean=4.4,
        is_counted_in_items=True,
        on_morale=1.0,
    ),
    *_worlds(
        "silence-stable",
        "whoever is lastingly unhappy answers less, in both arms alike",
        ONE,
        answers=by_stable_morale,
    ),
    *_worlds(
        "silence-seen",
        "whoever scored low before the start answers less after it, unless he is in the program",
        TWO,
        holds=frozenset({WEIGHTED, PRE_TREND}),
        answers=by_earlier_score_unless_in_program,
        **LATE,
    ),
    *_worlds(
        "silence-now",
        "whoever feels bad today answers less, in both arms alike; nobody sees how he feels",
        TWO,
        holds=NOBODY,
        answers=by_morale_now,
    ),
    *_worlds(
        "silence-now-by-arm",
        "whoever feels bad today answers less, unless he is in the program; nobody sees how he feels",
        ONE,
        holds=NOBODY,
        answers=by_morale_now_unless_in_program,
    ),
    *_worlds(
        "leavers",
        "whoever is lastingly unhappy leaves more, and the program keeps people",
        TWO,
        leaves=lastingly_unhappy,
    ),
    *_worlds(
        "leavers-now",
        "whoever feels bad now leaves before he is asked, and the program keeps people",
        ONE,
        holds=NOBODY,
        leaves=unhappy_now,
    ),
    *_worlds(
        "drift",
        "those who start improve by .08 points a wave more than others, before and after: trends are not parallel",
        ONE,
        holds=frozenset({HONEST}),
        drift=0.08,
        **LATE,
    ),
    *_worlds(
        "late-drift",
        "those who start improve by .08 points a wave more than others, from their start on, for another reason",
        ONE,
        holds=frozenset({PRE_TREND}),
        drift=0.08,
        drifts_from=min(ONCE),
        **LATE,
    ),
    *_worlds(
        "dip",
        "whoever scored low last time starts: scores go back to their mean by themselves (Ashenfelter's dip)",
        ONE,
        holds=frozenset({ANCOVA, HONEST}),
        on_morale=0.0,
        on_last_score=-2.0,
        **LATE,
    ),
    *_worlds(
        "lottery",
        "half of those who apply are drawn, and four in five of them start",
        TWO,
        holds=frozenset({ANCOVA, PLAIN}),
        bases=(2, 3),
        log_odds=-1.0,
        is_lottery=True,
    ),
)
