"""The worlds of the simulation study, written down before any of them was run."""

import datetime as dt
from dataclasses import dataclass, replace

from analysis.simulate import Intake, ProgramDesign, RoleDesign, Scale, Scenario, Survey

NULL, PROTECTIVE, HARMFUL = 1.0, 0.6, 1.7
HEAVY = 0.30
UNITS = tuple(f"Unit {letter}" for letter in "ABCDEFGHIJKL")
# Reviews fall on 1 March, promotions on 1 April, moves on 1 July. Intakes keep away from them, so that the rating
# by which people apply is the one in the file when they start.
INTAKES = (dt.date(2022, 5, 9), dt.date(2022, 11, 7))


@dataclass(frozen=True)
class World:
    """One scenario of the study.

    Attributes
    ----------
    scenario
        Its name is replaced by each study's.
    assumptions_hold
        Whether everything that decides both who starts and who leaves is recorded, and enough of both arms is there.
    about
        What is special about it.
    notices_recorded
        Whether the HR file knows who has given notice.
    """

    scenario: Scenario
    assumptions_hold: bool
    about: str
    notices_recorded: bool = True

    @property
    def name(self) -> str:
        """What its studies are called, with a number behind."""
        return self.scenario.name

    @property
    def is_null(self) -> bool:
        """Whether the program does nothing."""
        return self.scenario.programs[0].mentor.hazard_ratio == NULL

    def study(self, number: int) -> Scenario:
        """Return the scenario of one study; its name alone seeds everything that is random."""
        return replace(self.scenario, name=f"{self.name}-{number:04d}")


BASE = Scenario(
    name="base",
    title="A simulated company",
    sector="banking",
    id_letter="S",
    employees=900,
    study_start=dt.date(2021, 1, 1),
    as_of=dt.date(2025, 6, 30),
    annual_voluntary=0.13,
    per_performance=-0.30,
    return_share=0.0,  # nobody who came back can start, which no column of the file says
    departments=UNITS[:6],
    programs=(
        ProgramDesign(
            id="genius",
            name="Reverse Mentoring",
            format="clinic",
            assignment="self_selected",
            weeks_to_start=4,
            intakes=tuple(Intake(opens=day) for day in INTAKES),
            mentor=RoleDesign(levels=(1, 4), apply_share=0.20),
            mentee=RoleDesign(levels=(7, 8), apply_share=0.20),
            on_performance=0.0,
            on_morale=0.0,
            on_tenure=0.0,
        ),
    ),
)


def _world(
    name: str,
    ratio: float,
    about: str,
    *,
    holds: bool = True,
    notices_recorded: bool = True,
    mentor: dict | None = None,
    program: dict | None = None,
    **company,
) -> World:
    """Return the base company with these knobs of its mentors, its program and itself turned."""
    design = BASE.programs[0]
    role = replace(design.mentor, hazard_ratio=ratio, **(mentor or {}))
    design = replace(design, mentor=role, **(program or {}))
    return World(replace(BASE, name=name, programs=(design,), **company), holds, about, notices_recorded)


def _effects(ending: str, about: str, ratios: dict[str, float], **knobs) -> list[World]:
    return [_world(f"{effect}-{ending}", ratio, about, **knobs) for effect, ratio in ratios.items()]


# Selection on what is recorded: people apply by their last rating and tenure, and a committee reads the ratings.
SELECTED = {
    "mentor": {"apply_share": 0.35, "offer_share": 0.6},
    "program": {"on_performance": 0.8, "on_tenure": 0.5},
}
FEW = SELECTED | {"mentor": {"apply_share": 0.06, "offer_share": 0.6}}
GRACE = SELECTED | {"program": SELECTED["program"] | {"grace_days": 91, "weeks_to_start": 13}}
LOTTERY = {
    "mentor": {"apply_share": 0.40, "offer_share": 0.5},
    "program": SELECTED["program"] | {"assignment": "lottery", "sit_out_days": 900},
}
QUARTERS = tuple(dt.date(2021 + (q + 2) // 4, (9, 12, 3, 6)[q % 4], 6) for q in range(10))
ROLLOUT = {
    "mentor": {"apply_share": 0.50},
    "program": SELECTED["program"]
    | {
        "assignment": "rollout",
        "weeks_to_start": 3,
        "intakes": tuple(Intake(opens=day, department=unit) for day, unit in zip(QUARTERS, UNITS, strict=False)),
    },
    "employees": 1_500,
    "departments": UNITS,
    "move_share": 0.0,
}
MORALE = {
    "mentor": {"apply_share": 0.20},
    "program": {"on_morale": 0.8},
    "per_morale": -0.6,
}
PULSE = Survey(
    instrument="pulse",
    scales=(
        Scale(construct="morale", items=("mor1", "mor2", "mor3", "mor4", "mor5"), reversed_items=("mor3", "mor5")),
    ),
    opens=(dt.date(2021, 10, 11), dt.date(2022, 4, 11), dt.date(2022, 10, 3)),
    response_share=0.4,
)
# The simulator's own defaults, and no committee: overlap is good.
VOLUNTEERS = {"program": {"on_performance": 0.5, "on_tenure": 0.4}}
STRONG = {"program": {"on_performance": 2.0, "on_tenure": 1.0}}
LEAVING = {"annual_voluntary": HEAVY}
ALL = {"null": NULL, "protective": PROTECTIVE, "harmful": HARMFUL}
TWO = {"null": NULL, "protective": PROTECTIVE}
ONE = {"null": NULL}

WORLDS: tuple[World, ...] = (
    *_effects("unselected", "anybody eligible may start, whoever it is", ALL),
    *_effects(
        "selected", "rating and tenure say who starts, and who leaves; a committee reads ratings", ALL, **SELECTED
    ),
    *_effects("heavy-exit", "selected; 30 % a year decide to leave", TWO, **LEAVING, **SELECTED),
    *_effects("few-treated", "selected; about 25 start", TWO, **FEW),
    *_effects("ties", "selected; every exit is on the last day of a month", TWO, exits_at_month_end=True, **SELECTED),
    *_effects("long-grace", "heavy exit; starts up to 13 weeks after the intake", TWO, **LEAVING, **GRACE),
    *_effects("strong-selection", "rating and tenure nearly decide who starts: little overlap", ONE, **STRONG),
    *_effects("lottery", "half of those who apply are drawn", TWO, **LOTTERY),
    *_effects("rollout", "one of twelve departments a quarter, the last two never", TWO, **ROLLOUT),
    *_effects(
        "hidden-morale", "morale says who applies and who leaves; nobody measures it", ONE, holds=False, **MORALE
    ),
    *_effects(
        "surveyed-morale",
        "the same, but a survey measures morale, with error, in the 40 % who answer",
        ONE,
        holds=False,
        surveys=(PULSE,),
        **MORALE,
    ),
    *_effects(
        "notice-unknown",
        "selected; no notice dates in the file: some comparators are on their way out, those who start never are",
        ONE,
        holds=False,
        notices_recorded=False,
        **SELECTED,
    ),
    # Added after the results of the worlds above, to tell selection from thin overlap.
    *_effects("volunteers", "by rating and tenure, less steeply than selected, and no committee", TWO, **VOLUNTEERS),
)
