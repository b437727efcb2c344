"""The demonstration companies, and new ones like them."""

import datetime as dt
from dataclasses import replace

from analysis.plan.errors import bad_input
from analysis.plan.paths import STUDY_NAME
from analysis.simulate.scenario import Intake, ProgramDesign, RoleDesign, Scale, Scenario, Shock, Survey

MORALE = Scale(construct="morale", items=("mor1", "mor2", "mor3", "mor4", "mor5"), reversed_items=("mor3", "mor5"))
FLUENCY = Scale(construct="digital_fluency", items=("dig1", "dig2", "dig3"))
ATTITUDES = (
    FLUENCY,
    Scale(construct="cross_generational_climate", items=("cgc1", "cgc2", "cgc3")),
    Scale(construct="idea_sharing", items=("ide1", "ide2", "ide3")),
    Scale(construct="recognition", items=("rec1", "rec2", "rec3")),
)
LEADERSHIP = Scale(construct="leadership", items=("lead1", "lead2", "lead3", "lead4", "lead5"))
MULTIRATER = Scale(construct="leadership", items=("lmr1", "lmr2", "lmr3", "lmr4", "lmr5"))
FEWEST_EMPLOYEES, MOST_EMPLOYEES = 40, 20_000


def _days(*texts: str) -> tuple[dt.date, ...]:
    return tuple(map(dt.date.fromisoformat, texts))


def _intakes(*texts: str) -> tuple[Intake, ...]:
    return tuple(Intake(opens=day) for day in _days(*texts))


def _pulse(opens: tuple[dt.date, ...], scales: tuple[Scale, ...] = (MORALE,), **knobs) -> Survey:
    return Survey(instrument="pulse", scales=scales, opens=opens, **knobs)


def _leadership(opens: tuple[dt.date, ...], **knobs) -> Survey:
    return Survey(instrument="leadership", scales=(LEADERSHIP,), opens=opens, eligible_only=True, **knobs)


def _northbank() -> Scenario:
    """Return a bank whose clinic does nothing at all, with a turnover that makes the naive figure look splendid."""
    waves = _days("2021-05-10", "2021-11-08", "2022-05-09", "2022-11-07", "2023-05-08", "2023-11-06")
    return Scenario(
        name="northbank",
        title="Northbank's Genius Clinic",
        sector="banking",
        id_letter="N",
        employees=1_800,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.145,
        departments=("Retail banking", "Corporate banking", "Wealth", "Risk", "Operations", "Technology"),
        shocks=(Shock(date=dt.date(2023, 2, 1), label="Branch reorganization"),),
        programs=(
            ProgramDesign(
                id="genius",
                name="Genius Clinic",
                format="clinic",
                assignment="self_selected",
                intakes=_intakes("2022-02-28", "2022-09-05", "2023-03-06"),
                mentor=RoleDesign(levels=(1, 3), apply_share=0.16, offer_share=0.6),
                mentee=RoleDesign(levels=(6, 8), apply_share=0.30, offer_share=0.8),
            ),
        ),
        surveys=(_pulse(waves, (MORALE, FLUENCY), response_share=0.4), _leadership(waves, response_share=0.4)),
    )


DIVISIONS = (
    *("Boilers", "Valves", "Pumps", "Turbines", "Controls", "Castings"),
    *("Pipework", "Service", "Logistics", "Tooling", "Coatings", "Research"),
)


def _one_division_a_quarter() -> ProgramDesign:
    """Return a program that reaches one division every quarter, and the last two not before the data end."""
    opens = _days("2021-09-06", "2021-12-06", "2022-03-07", "2022-06-07", "2022-09-05") + _days(
        "2022-12-05", "2023-03-06", "2023-06-06", "2023-09-04", "2023-12-04"
    )
    return ProgramDesign(
        id="umgekehrt",
        name="Reverse Mentoring",
        format="pair",
        assignment="rollout",
        intakes=tuple(Intake(opens=day, department=name) for day, name in zip(opens, DIVISIONS[:10], strict=True)),
        mentor=RoleDesign(
            levels=(1, 2),
            apply_share=0.65,
            offer_share=None,
            hazard_ratio=0.65,
            effects={"morale": 0.20, "leadership": 0.25},
        ),
        mentee=RoleDesign(
            levels=(5, 7), apply_share=0.95, hazard_ratio=0.85, effects={"morale": 0.20, "leadership": 0.25}
        ),
    )


def _kesselwerk() -> Scenario:
    """Return an industrial group that pairs its executives with juniors, one division after the other; it works."""
    return Scenario(
        name="kesselwerk",
        title="Kesselwerk Group",
        sector="industrial",
        id_letter="K",
        employees=2_450,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.115,
        currency="EUR",
        departments=DIVISIONS,
        stock_share=0.68,
        move_share=0.0,  # the division is the unit that the program reaches
        promotion_share=0.03,
        stock_levels=(6, 9, 34, 39, 5, 3, 2, 2),
        hire_levels=(11, 12, 38, 31, 4, 2, 1, 1),
        locations=("Plant 1", "Plant 2", "Plant 3", "Head office"),
        job_families=("Production", "Engineering", "Commercial", "Administration"),
        programs=(_one_division_a_quarter(),),
        surveys=(
            _pulse(_days("2021-06-14", "2022-06-13", "2023-06-12", "2024-06-10"), response_share=0.47),
            Survey(
                instrument="leadership_multirater",
                scales=(MULTIRATER,),
                multirater=True,
                eligible_only=True,
                response_share=0.85,
                window_days=28,
                opens=_days("2021-05-03", "2022-05-02", "2023-05-02", "2024-05-06"),
            ),
        ),
    )


def _fjellkode() -> Scenario:
    """Return a software firm so small that little can be said, and that little must be said carefully."""
    return Scenario(
        name="fjellkode",
        title="Fjellkode",
        sector="software",
        id_letter="F",
        employees=130,
        study_start=dt.date(2022, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.12,
        currency="NOK",
        departments=("Product", "Platform", "Customers"),
        locations=("Bergen", "Oslo"),
        job_families=("Engineering", "Design", "Business"),
        stock_levels=(18, 22, 22, 18, 10, 6, 3, 1),
        programs=(
            ProgramDesign(
                id="omvendt",
                name="Reverse Mentoring",
                format="pair",
                assignment="self_selected",
                intakes=_intakes("2023-09-04"),
                mentor=RoleDesign(
                    levels=(1, 3),
                    apply_share=0.45,
                    offer_share=0.68,
                    hazard_ratio=0.75,
                    effects={"morale": 0.15, "leadership": 0.15},
                ),
                mentee=RoleDesign(
                    levels=(5, 7),
                    apply_share=0.6,
                    offer_share=0.9,
                    hazard_ratio=0.9,
                    effects={"morale": 0.10, "leadership": 0.10},
                ),
            ),
        ),
        surveys=(
            _pulse(
                _days("2022-10-10", "2023-04-11", "2023-10-09", "2024-04-08", "2024-10-07", "2025-04-07"),
                response_share=0.65,
            ),
        ),
    )


def _larkfield() -> Scenario:
    """Return a service company that draws its places by lot, so that the answer needs no model."""
    waves = _days("2021-10-04", "2022-06-07", "2022-10-03", "2023-06-05", "2023-10-02", "2024-06-03")
    return Scenario(
        name="larkfield",
        title="Larkfield Services",
        sector="business services",
        id_letter="L",
        employees=2_100,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.15,
        departments=("Facilities", "Catering", "Security", "Payroll", "Help desk", "Sales", "Headquarters"),
        stock_levels=(20, 20, 18, 14, 13, 8, 5, 2),
        hire_levels=(30, 25, 16, 12, 9, 5, 2, 1),
        programs=(
            ProgramDesign(
                id="exchange",
                name="The Exchange",
                format="pair",
                assignment="lottery",
                on_performance=0.4,
                intakes=_intakes("2021-11-08", "2022-11-14", "2023-11-20"),
                accept_share=0.88,
                sit_out_days=735,
                mentor=RoleDesign(
                    levels=(1, 2),
                    apply_share=0.36,
                    offer_share=0.5,
                    hazard_ratio=0.6,
                    effects={"morale": 0.25, "leadership": 0.15},
                ),
                mentee=RoleDesign(
                    levels=(6, 8),
                    apply_share=0.46,
                    offer_share=0.5,
                    hazard_ratio=0.8,
                    effects={"morale": 0.25, "leadership": 0.15, "digital_fluency": 0.35},
                ),
            ),
        ),
        surveys=(
            _pulse(waves, (MORALE, FLUENCY), response_share=0.42),
            _leadership((*waves[::2], dt.date(2024, 10, 7)), response_share=0.42),
        ),
    )


def _uplink(intakes: tuple[Intake, ...]) -> ProgramDesign:
    """Return a reverse program that keeps its juniors and gets them promoted."""
    return ProgramDesign(
        id="uplink",
        name="Uplink",
        direction="reverse",
        format="pair",
        assignment="self_selected",
        intakes=intakes,
        mentor=RoleDesign(
            levels=(1, 3),
            apply_share=0.15,
            offer_share=0.6,
            hazard_ratio=0.7,
            promotion_odds_ratio=1.6,
            effects={"morale": 0.15},
        ),
        mentee=RoleDesign(
            levels=(6, 8), apply_share=0.30, offer_share=0.85, hazard_ratio=0.9, effects={"morale": 0.10}
        ),
        cost_fixed=30_000,
        cost_per_participant=350,
    )


def _backbone(intakes: tuple[Intake, ...]) -> ProgramDesign:
    """Return a traditional program that keeps its juniors, less so."""
    return ProgramDesign(
        id="backbone",
        name="Backbone Mentoring",
        direction="traditional",
        format="pair",
        assignment="self_selected",
        intakes=intakes,
        mentor=RoleDesign(levels=(5, 8), apply_share=0.22, offer_share=0.9, effects={"morale": 0.05}),
        mentee=RoleDesign(
            levels=(1, 3),
            apply_share=0.15,
            offer_share=0.6,
            hazard_ratio=0.85,
            promotion_odds_ratio=1.3,
            effects={"morale": 0.10},
        ),
        topics=("career", "the industry", "customers", "leading projects", "who decides what"),
        cost_fixed=25_000,
        cost_per_participant=300,
    )


def _ostwire() -> Scenario:
    """Return a network vendor that runs a reverse and a traditional program side by side; both work, for juniors.

    Both open on the same days, so that a junior chooses between teaching and being taught; whoever is in the one never
    comes into the other.
    """
    intakes = _intakes("2022-03-07", "2022-10-03", "2023-03-06")
    return Scenario(
        name="ostwire",
        title="Ostwire Networks",
        sector="network equipment",
        id_letter="W",
        employees=1_700,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.13,
        currency="EUR",
        departments=("Routing", "Optical", "Radio", "Software", "Field service", "Sales", "Headquarters"),
        locations=("Head office", "Laboratory", "East", "West"),
        job_families=("Engineering", "Software", "Commercial", "Support"),
        programs=(_uplink(intakes), _backbone(intakes)),
        surveys=(
            _pulse(
                _days("2021-06-07", "2022-06-13", "2022-12-05", "2023-06-05", "2024-06-03"),
                response_share=0.42,
            ),
        ),
    )


def _plumetree() -> Scenario:
    """Return a small agency whose program makes its juniors visible to other agencies, which hire them away.

    It costs a lot for its size, is about social media alone, and does harm: a report that cannot say so is worth
    nothing.
    """
    return Scenario(
        name="plumetree",
        title="Plumetree",
        sector="advertising",
        id_letter="P",
        employees=340,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.2,
        currency="GBP",
        departments=("Creative", "Strategy", "Accounts", "Media"),
        locations=("London", "Bristol"),
        job_families=("Creative", "Planning", "Client service", "Support"),
        programs=(
            ProgramDesign(
                id="feed",
                name="The Feed",
                format="pair",
                assignment="self_selected",
                intakes=_intakes("2022-03-07", "2023-03-06"),
                mentor=RoleDesign(
                    levels=(1, 3), apply_share=0.35, offer_share=0.7, hazard_ratio=2.2, effects={"morale": -0.05}
                ),
                mentee=RoleDesign(
                    levels=(5, 8), apply_share=0.45, offer_share=0.9, hazard_ratio=1.3, effects={"morale": -0.05}
                ),
                topics=("social media", "social media video", "social media analytics"),
                cost_fixed=45_000,
                cost_per_participant=1_200,
            ),
        ),
        surveys=(_pulse(_days("2021-10-11", "2022-06-13", "2022-12-05", "2023-06-05", "2024-06-03")),),
    )


def _workshops() -> ProgramDesign:
    """Return facilitated workshops of mixed ages and levels, which change how people talk and nothing about leaving."""
    return ProgramDesign(
        id="roundtable",
        name="The Round Table",
        direction="mutual",
        format="group",
        assignment="self_selected",
        intakes=_intakes("2022-02-28", "2022-09-26", "2023-02-27", "2023-09-25"),
        weeks_to_start=4,
        participant=RoleDesign(
            levels=(1, 8),
            apply_share=0.09,
            offer_share=0.8,
            effects={
                "cross_generational_climate": 0.40,
                "idea_sharing": 0.35,
                "digital_fluency": 0.10,
                "recognition": 0.10,
                "morale": 0.05,
            },
            response_shift=0.15,
        ),
        topics=("handovers", "digital tools", "talking with patients", "new ways of working", "what we expect"),
        cost_fixed=12_000,
        cost_per_participant=250,
    )


def _heronmere() -> Scenario:
    """Return a hospital trust whose mixed-age workshops open people's mouths, and that is all they do.

    Leaders rate themselves higher afterwards; those who work with them see no change. Raters differ in leniency, and a
    few of all forms are filled in carelessly.
    """
    return Scenario(
        name="heronmere",
        title="Heronmere Hospital Trust",
        sector="health care",
        id_letter="H",
        employees=1_210,
        study_start=dt.date(2021, 1, 1),
        as_of=dt.date(2025, 6, 30),
        annual_voluntary=0.11,
        currency="GBP",
        departments=("Medicine", "Surgery", "Emergency", "Diagnostics", "Community care", "Administration"),
        locations=("Main site", "Day clinic", "Community"),
        job_families=("Nursing", "Medical", "Allied health", "Administration"),
        stock_share=0.66,
        programs=(_workshops(),),
        surveys=(
            _pulse(
                _days("2021-07-05", "2022-01-17", "2022-07-04", "2023-01-16", "2023-07-03", "2024-01-15"),
                scales=(MORALE, *ATTITUDES),
                response_share=0.42,
                careless_share=0.03,
                is_dated=False,
            ),
            Survey(
                instrument="leadership_multirater",
                scales=(MULTIRATER,),
                multirater=True,
                leaders_only=True,
                response_share=0.9,
                window_days=28,
                leniency_sd=0.3,
                careless_share=0.03,
                opens=_days("2022-02-07", "2023-02-06", "2024-02-05"),
            ),
        ),
    )


DEMOS: dict[str, Scenario] = {
    s.name: s for s in (_northbank(), _kesselwerk(), _fjellkode(), _larkfield(), _ostwire(), _plumetree(), _heronmere())
}


def scenario_named(
    name: str, *, like: str = "northbank", employees: int | None = None, no_effect: bool = False
) -> Scenario:
    """Return a new company like one of the demos.

    Parameters
    ----------
    name
        The study's name; it alone seeds everything that is random.
    like
        The demo whose knobs are taken.
    employees
        About how many people ever work there; the demo's own number where not given.
    no_effect
        The program does nothing.

    Raises
    ------
    BadInput
        The name may not be a study's, there is no such demo, or the number of employees is out of range.
    """
    if not STUDY_NAME.fullmatch(name):
        raise bad_input(
            name[:80],
            "is not a study's name: use lower-case letters, digits, - and _ (at most 63, the first a letter or digit)",
            rule="study_name",
        )
    if like not in DEMOS:
        raise bad_input(like[:80], f"is not a demo; choose one of {', '.join(DEMOS)}", rule="unknown_demo")
    demo = DEMOS[like]
    employees = demo.employees if employees is None else employees
    if not FEWEST_EMPLOYEES <= employees <= MOST_EMPLOYEES:
        raise bad_input(name, f"must have {FEWEST_EMPLOYEES} to {MOST_EMPLOYEES} employees", rule="employees")
    title = demo.title if name == like else f"{name}, a company like {demo.title}"
    scenario = replace(demo, name=name, title=title, employees=employees)
    return without_effect(scenario) if no_effect else scenario


def without_effect(scenario: Scenario) -> Scenario:
    """Return the same company with programs that do nothing."""
    programs = [
        replace(p, mentor=_idle(p.mentor), mentee=_idle(p.mentee), participant=_idle(p.participant))
        for p in scenario.programs
    ]
    return replace(scenario, programs=tuple(programs))


def _idle(role: RoleDesign | None) -> RoleDesign | None:
    if role is None:
        return None
    return replace(role, hazard_ratio=1.0, promotion_odds_ratio=1.0, effects={}, response_shift=0.0)
