"""Who is in the data, who came how far from being employed to being analysed, and how well it was measured."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pandas as pd

from analysis.design.eligibility import ENROLLED, LOSS, STAGE, enrolment_funnel
from analysis.measure.agreement import agreement, leniency, self_and_others, self_other_agreement, self_other_bins
from analysis.measure.careless import careless_of_study
from analysis.measure.comparability import across_arms
from analysis.measure.described import answer_shares, coverage, missingness, skill_gap, unlinked_means
from analysis.measure.employment import annual_exit_rates
from analysis.measure.exposure import analysed_roles, first_starts, participation
from analysis.measure.items import changes_of
from analysis.measure.reliability import item_statistics, reliability
from analysis.measure.scales import (
    Forms,
    all_forms,
    constructs_answered,
    own_items,
    rated_scores,
    rater_forms,
    rater_scores,
    response_rates,
    self_scores,
)
from analysis.pipeline.opened import OpenStudy
from analysis.plan.contract import Tables
from analysis.plan.faults import Part, isolated, known
from analysis.plan.instruments import Instrument
from analysis.plan.results import Estimated, Finding

FIRST = ["construct", "rater_role", "wave"]


def measured(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return the frames about measurement, by name; a frame without rows is left out.

    Of a multi-rater instrument they hold nothing but figures over all ratees of a wave, or over groups of ratees of
    ``min_cell`` people at least, and count the ratees in ``n_people``, so that disclosure control hides them where
    these are few: what a source of one or two raters said of one person stands nowhere by itself.
    """
    study = _Measured(opened)
    made = {name: isolated(Part("frame", name), partial(_frame, study, make), lambda _: None) for name, make in MAKERS}
    return {name: frame for name, frame in made.items() if frame is not None}


def _frame(study: "_Measured", make: "Maker") -> pd.DataFrame | None:
    """Return a frame; None where there is no row."""
    parts = [part for part in make(study) if len(part)]
    return _in_order(pd.concat(parts, ignore_index=True)) if parts else None


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with what says where a row stands in front."""
    first = [column for column in FIRST if column in frame]
    return frame[[*first, *(column for column in frame if column not in first)]]


@dataclass(frozen=True)
class _Measured:
    """An open study and its forms by construct, which are made once."""

    opened: OpenStudy

    @property
    def parts(self) -> tuple[Tables, dict[str, Instrument]]:
        return self.opened.tables, self.opened.instruments

    @cached_property
    def forms(self) -> dict[str, list[Forms]]:
        return {c: list(all_forms(c, *self.parts)) for c in constructs_answered(*self.parts)}

    @cached_property
    def raters(self) -> dict[str, Forms]:
        """Raters' forms, self-ratings included, of the constructs that have any."""
        found = {construct: rater_forms(construct, *self.parts) for construct in self.forms}
        return {construct: forms for construct, forms in found.items() if forms is not None}

    def own_and_others(self, construct: str) -> list[pd.DataFrame]:
        """Return the ratings that people give themselves, and those of others."""
        return [rated_scores(construct, *self.parts, source) for source in ("self", "others")]


def _of_each_form(make: Callable[[Forms], pd.DataFrame]) -> "Maker":
    """Return what makes a frame of the forms of every construct."""
    return lambda study: (
        make(forms).assign(construct=construct) for construct, found in study.forms.items() for forms in found
    )


def _of_self_and_others(make: Callable[[pd.DataFrame, int], pd.DataFrame]) -> "Maker":
    """Return what makes a frame of the ratings that people give themselves beside those of others, by instrument."""
    return lambda study: (
        make(self_and_others(*study.own_and_others(construct)), study.opened.study.min_cell).assign(construct=construct)
        for construct in study.raters
    )


def _item_keying(study: _Measured) -> Iterator[pd.DataFrame]:
    """Yield the scales with items that run against the others."""
    found = [vars(k) | {"against": ", ".join(k.against)} for k in study.opened.keyings if k.against]
    yield pd.DataFrame(found)


def _item_changes(study: _Measured) -> Iterator[pd.DataFrame]:
    tables, cards = study.parts
    for answers in (tables.responses, tables.ratings):
        for name in [] if answers is None else [name for name in cards if (answers["instrument"] == name).any()]:
            for scale in cards[name].scales.values():
                changes = changes_of(name, scale, answers)
                yield changes.assign(construct=scale.construct_name, instrument=name)


def _invariance(study: _Measured) -> Iterator[pd.DataFrame]:
    tables = study.opened.tables
    for construct, over_waves in study.opened.comparability.items():
        name = {"construct": construct, "rater_role": "self"}
        yield over_waves.assign(**name)
        forms, items = study.forms[construct][0], own_items(construct, *study.parts)
        waves = known(tables.waves)
        waves = waves[waves["instrument"] == forms.instrument.instrument]
        for across, starts, before in _arms(study.opened):
            yield across_arms(items, waves, starts, before, across).assign(**name)


def _arms(opened: OpenStudy) -> Iterator[tuple[str, pd.Series, pd.Timestamp]]:
    """Yield, for each program and role that somebody started: its name, the first starts, the program's first."""
    enrolments = opened.tables.enrolments
    for program in opened.study.programs:
        named = f", {program.name}" if len(opened.study.programs) > 1 else ""
        for role in analysed_roles(enrolments, program.id):
            starts = first_starts(enrolments, program.id, role)
            if len(starts):
                yield f"{role}s and everybody else{named}", starts, first_starts(enrolments, program.id).min()


def _agreement(study: _Measured) -> Iterator[pd.DataFrame]:
    for construct, forms in study.raters.items():
        is_other = forms.items.index.get_level_values("rater_role") != "self"
        if is_other.any():
            found = agreement(forms.scores[is_other], forms.items[is_other], forms.instrument.response)
            yield found.assign(construct=construct)


def _leniency(study: _Measured) -> Iterator[pd.DataFrame]:
    for construct in study.raters:
        yield leniency(rater_scores(construct, *study.parts)).assign(construct=construct)


def _skill_gap(study: _Measured) -> Iterator[pd.DataFrame]:
    tables, cards = study.parts
    started = None if tables.enrolments is None else tables.enrolments["start_date"].min()
    before = None if pd.isna(started) else started
    for construct in study.forms:
        scores = self_scores(construct, tables, cards)
        gap = skill_gap(scores, tables, before, study.opened.study.min_cell)
        yield gap.assign(construct=construct)


def _unlinked(study: _Measured) -> Iterator[pd.DataFrame]:
    if study.opened.tables.unlinked_responses is not None:
        yield unlinked_means(*study.parts)


Maker = Callable[[_Measured], Iterator[pd.DataFrame]]
# The frames by name, and what makes each of them.
MAKERS: tuple[tuple[str, Maker], ...] = (
    ("reliability", _of_each_form(lambda forms: reliability(forms.items))),
    ("item_statistics", _of_each_form(lambda forms: item_statistics(forms.items))),
    ("item_keying", _item_keying),
    ("item_answers", _of_each_form(answer_shares)),
    ("item_changes", _item_changes),
    ("invariance", _invariance),
    ("careless", lambda study: iter([careless_of_study(*study.parts)])),
    ("agreement", _agreement),
    ("self_other", _of_self_and_others(lambda both, _: self_other_agreement(both))),
    ("self_other_bins", _of_self_and_others(self_other_bins)),
    ("leniency", _leniency),
    ("skill_gap", _skill_gap),
    ("unlinked", _unlinked),
)


# --- people flow ------------------------------------------------------------------------------------------------------
# From everyone employed to those analysed: the way into each program and role, and what each answer made of them.

COLUMNS = ["program_id", "role", "hypothesis", "unit", "kind", "step", "n_people"]
ANALYSED = "analysed"
LOTS = "lots drawn"
ARMS = "people by arm"


def people_flow(opened: OpenStudy, findings: Sequence[Finding]) -> pd.DataFrame:
    """Return the participant flow of every answer that compares people.

    One row per program, role, hypothesis and stage or loss, in order: ``unit`` (``people``; of lotteries, in
    which a person may draw several times, ``lots`` or ``people by arm``), ``kind`` (``stage`` or ``loss``), ``step``,
    ``n_people`` (missing where there is no answer). Within a unit a stage less its losses is the next stage.
    """
    frames, ways = [], {}
    for finding in findings:
        flow = finding.evidence.get("flow")
        if flow is None or flow.empty or opened.tables.enrolments is None:
            continue
        program = opened.study.program(finding.program)
        key = (finding.program, finding.role)
        if key not in ways:
            ways[key] = enrolment_funnel(opened.tables, opened.study, program, finding.role)
        rows = _ladder(ways[key], finding, program.is_randomized)
        frames.append(rows.assign(program_id=finding.program, role=finding.role, hypothesis=finding.hypothesis))
    return pd.concat(frames, ignore_index=True)[COLUMNS] if frames else pd.DataFrame(columns=COLUMNS)


def _ladder(way: pd.DataFrame, finding: Finding, by_lot: bool) -> pd.DataFrame:
    """Return the stages of one answer: the enrolment funnel, then what the answer says of those it could compare."""
    flow = finding.evidence["flow"]
    # Who was offered a place and who started does not decide who is analysed where lots were drawn.
    way = (way.iloc[: way.index[way["step"] == ENROLLED][0] + 1] if by_lot else way).assign(unit="people")
    if flow["step"].iloc[-1] != ANALYSED:
        return _concat(way, _scored(finding, way["n_people"].iloc[-1], by_lot), ARMS if by_lot else "people")
    counts = [column for column in flow.columns if column.startswith("n_")]
    told = pd.DataFrame({"step": flow["step"], "n_people": flow[counts].sum(axis=1, skipna=False)})
    kinds = [STAGE if step in ("drew a lot", ANALYSED) else LOSS for step in told["step"]]
    if by_lot:
        return _concat(way, told.assign(kind=kinds).replace({"step": {"drew a lot": LOTS}}), "lots")
    return _concat(way, told.assign(kind=kinds).iloc[1:], "people")


def _scored(finding: Finding, started: int, by_lot: bool) -> pd.DataFrame:
    """Return those with the scores that a scale's answer needs: of both arms where lots were drawn."""
    row = finding.primary
    if by_lot:
        n = row.n_treated + row.n_control if isinstance(row, Estimated) else pd.NA
        return pd.DataFrame({"kind": [STAGE], "step": [ANALYSED], "n_people": [n]})
    n = row.n_treated if isinstance(row, Estimated) else pd.NA
    steps = ["no score before and after", ANALYSED]
    return pd.DataFrame({"kind": [LOSS, STAGE], "step": steps, "n_people": [started - n, n]})


def _concat(way: pd.DataFrame, rest: pd.DataFrame, unit: str) -> pd.DataFrame:
    """Return both parts in one; counts as nullable integers."""
    both = pd.concat([way.astype({"n_people": object}), rest.assign(unit=unit).astype({"n_people": object})])
    return both.assign(n_people=pd.array(both["n_people"].tolist(), dtype="Int64"))


# --- described --------------------------------------------------------------------------------------------------------
# Who is in the data: the frames that describe a study, before disclosure control.


def describe(opened: OpenStudy) -> dict[str, pd.DataFrame]:
    """Return what can be described, by name (see `release.answer.Released`); what the study lacks is left out.

    Each frame is made by itself: one that a fault takes away is left out, the others are there.
    """
    tables, study = opened.tables, opened.study
    makers: dict[str, Callable[[], pd.DataFrame]] = {
        "row_counts": lambda: tables.row_counts,
        "missingness": lambda: missingness(tables),
    }
    if tables.enrolments is not None:
        makers["participation"] = lambda: participation(tables.enrolments)
    if tables.employees is not None:
        makers["exit_rates"] = lambda: annual_exit_rates(tables, study.study_start, study.as_of)
        makers["coverage"] = lambda: coverage(tables, study.study_start, study.as_of)
    if tables.responses is not None and tables.waves is not None and len(tables.responses):
        makers["response_rates"] = lambda: _response_rates(tables)
    made = {name: isolated(Part("frame", name), make, lambda _: None) for name, make in makers.items()}
    return {name: frame for name, frame in made.items() if frame is not None} | measured(opened)


def _response_rates(tables: Tables) -> pd.DataFrame:
    """Return who answered each wave, by instrument; there is one answer at least."""
    instruments = sorted(known(tables.responses)["instrument"].unique())
    rates = [response_rates(tables, name).assign(instrument=name) for name in instruments]
    return pd.concat(rates, ignore_index=True)
