"""Rules of the waves, responses and ratings tables, and answers given as labels."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.plan.errors import MAX_EXAMPLE_ROWS, Problem
from analysis.plan.instruments import Instrument
from analysis.validate.employees import employed_on, outsider_rule, person_rules, unknown_employee
from analysis.validate.rule import (
    Context,
    Rule,
    after_as_of,
    among,
    coded,
    lines_by_source,
    nowhere,
    repeated,
    spread,
    together_among,
)

WAVE = ["wave", "instrument"]
EXIT_SURVEY_DAYS = 31


def labels_to_numbers(
    frame: pd.DataFrame, instruments: dict[str, Instrument], table: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """Return the text answers with the labels of their instrument's card ("Agree") turned into its numbers.

    Labels of any language on the card, whatever their case; what is no label stays as it is, for the rules to judge.
    """
    values, is_label = _translated(frame, instruments)
    problems = [
        Problem(
            severity="info",
            table=table,
            source=source,
            rows=len(lines),
            rule="label_to_number",
            action="repaired",
            example_rows=tuple(lines[:MAX_EXAMPLE_ROWS]),
            message="answers given as labels were turned into the numbers of the instrument's card",
            lines=lines,
        )
        for source, lines in lines_by_source(frame.loc[is_label, ["_source", "_line"]])
    ]
    return frame.assign(value=values), problems


def _translated(answers: pd.DataFrame, cards: dict[str, Instrument]) -> tuple[pd.Categorical, np.ndarray]:
    """Return the values, labels of their instrument as its numbers, and which these are, shape (rows,)."""
    (instrument, names), (value, texts) = coded(answers["instrument"]), coded(answers["value"])
    asked = {code: cards[name].response for code, name in enumerate(names) if name in cards}
    numbers = {code: [response.number_of(text) for text in texts] for code, response in asked.items()}
    written = {code: [None if n is None else f"{n:g}" for n in of_texts] for code, of_texts in numbers.items()}
    new = texts.union({text for of_texts in written.values() for text in of_texts if text is not None}, sort=False)
    codes, is_label = spread(value, new.get_indexer(texts).astype(np.int32), -1), np.full(len(answers), False)
    for code, of_texts in written.items():
        rows = np.flatnonzero(instrument == code)
        into = new.get_indexer(
            [text if number is None else number for text, number in zip(texts, of_texts, strict=True)]
        )
        is_label[rows] = spread(value[rows], np.array([number is not None for number in of_texts], dtype=bool), False)
        codes[rows] = spread(value[rows], into.astype(np.int32), -1)
    return pd.Categorical.from_codes(codes, new), is_label


def _answered_while(answers: pd.DataFrame, spells: pd.DataFrame) -> pd.Series:
    """Return whether each answer was given in a spell of its person; True where person or day is not known.

    Each form is judged once: it has many answers.
    """
    form = ["employee_id", "responded_at"]
    forms = answers[form].drop_duplicates().dropna()
    unclear = spells.loc[spells["hire_date"].isna(), "employee_id"]
    forms = forms[forms["employee_id"].isin(spells["employee_id"]) & ~forms["employee_id"].isin(unclear)]
    outside = forms[~employed_on(forms["employee_id"], forms["responded_at"], spells)]
    if outside.empty:
        return ~nowhere(answers)
    return ~pd.Series(
        pd.MultiIndex.from_frame(answers[form]).isin(pd.MultiIndex.from_frame(outside)), index=answers.index
    )


def _answered_after_exit(answers: pd.DataFrame, context: Context, *, lately: bool) -> pd.Series:
    """Return which answers no spell of their person holds: not even one of those who left `lately`, or only these.

    Leavers are sent exit surveys.
    """
    spells = context.rows_of("employees", left=True)
    if spells is None:
        return nowhere(answers)
    longer = spells.assign(exit_date=spells["exit_date"] + pd.Timedelta(days=EXIT_SURVEY_DAYS))
    soon = _answered_while(answers, longer)
    return soon & ~_answered_while(answers, spells) if lately else ~soon


def _is_repeated_rating(f: pd.DataFrame) -> pd.Series:
    """Return the answers that a later one replaces; those of unnamed raters cannot be told apart and stay."""
    rater, ratee = f["rater_id"].astype("str"), f["ratee_id"].astype("str")
    rater = rater.mask(rater.isna() & (f["rater_role"] == "self"), ratee)
    same = ["ratee_id", "rater_id", *WAVE, "item"]
    return repeated(f.assign(rater_id=rater), same, keep="last") & rater.notna()


def _last_answer(is_repeated: Callable[[pd.DataFrame], pd.Series]) -> tuple[Rule]:
    """Return the rule that leaves one answer per person, wave and item."""
    return (
        Rule(
            "duplicate_answer",
            "item",
            "warning",
            "rejected",
            "a later row answers the same item for the same person and wave, and the last one holds; keep one",
            lambda f, _: is_repeated(f),
        ),
    )


def _has_card(answers: pd.DataFrame, context: Context) -> pd.Series:
    return among(answers["instrument"], pd.Index(list(context.instruments), dtype="str"))


def _is_on_no_card(answers: pd.DataFrame, context: Context) -> pd.Series:
    items = pd.MultiIndex.from_tuples(
        [(name, item) for name, card in context.instruments.items() for item in card.items],
        names=["instrument", "item"],
    )
    is_on_card = together_among(answers, ["instrument", "item"], items)
    return ~is_on_card & _has_card(answers, context) & answers["item"].notna()


def _is_off_scale(answers: pd.DataFrame, cards: dict[str, Instrument]) -> pd.Series:
    """Return whether each value lies beyond its instrument's ends; not where it is missing or there is no card."""
    codes, names = coded(answers["instrument"])
    scales = [cards[name].response if name in cards else None for name in names]
    least, greatest = (
        spread(codes, np.array([np.nan if s is None else getattr(s, end) for s in scales], dtype=float), np.nan)
        for end in ("min", "max")
    )
    return (answers["value"] < least) | (answers["value"] > greatest)


def _waves(context: Context, *, left: bool = False) -> pd.MultiIndex | None:
    """Return the waves of the file, or those `left` after their rules; None where they cannot be looked up."""
    rows = context.rows_of("waves", left=left)
    return None if rows is None else pd.MultiIndex.from_frame(rows[WAVE].dropna())


def _is_in_no_wave(answers: pd.DataFrame, context: Context) -> pd.Series:
    listed = _waves(context)
    if listed is None:
        return nowhere(answers)
    return ~together_among(answers, WAVE, listed) & _has_card(answers, context) & answers["wave"].notna()


def _is_in_later_wave(answers: pd.DataFrame, context: Context) -> pd.Series:
    listed, open_by_now = _waves(context), _waves(context, left=True)
    if listed is None or open_by_now is None:
        return nowhere(answers)
    return together_among(answers, WAVE, listed.difference(open_by_now))


WAVES = (
    Rule(
        "closes_before_opens",
        "closes",
        "error",
        "rejected",
        "closes lies before opens; correct one of them",
        lambda f, _: f["closes"] < f["opens"],
    ),
    Rule(
        "duplicate_wave",
        "wave",
        "error",
        "rejected",
        "an earlier row has the same wave and instrument; keep one row for each",
        lambda f, _: repeated(f, WAVE) & f[WAVE].notna().all(axis=1),
    ),
    after_as_of("wave", "opens"),
)
# What ties an answer to its instrument's card and its wave.
ANSWERS = (
    Rule(
        "unknown_instrument",
        "instrument",
        "error",
        "rejected",
        "instrument has no card (known: {cards}); correct it, or add a card to the study's instruments/",
        lambda f, c: ~_has_card(f, c) & f["instrument"].notna(),
    ),
    Rule(
        "unknown_item",
        "item",
        "error",
        "rejected",
        "item is not on its instrument's card; correct it, or add it to the card",
        _is_on_no_card,
    ),
    Rule(
        "answer_out_of_range",
        "value",
        "error",
        "rejected",
        "value lies outside the instrument's answer scale; correct it, or empty it where the item was skipped",
        lambda f, c: _is_off_scale(f, c.instruments),
    ),
    Rule(
        "unknown_wave",
        "wave",
        "error",
        "rejected",
        "wave and instrument are not in the waves table; add the wave there, or correct the answer's",
        _is_in_no_wave,
    ),
    Rule(
        "wave_after_as_of",
        "wave",
        "info",
        "rejected",
        "the wave opens after as_of, the end of the data; move as_of if that is wrong",
        _is_in_later_wave,
    ),
)
# Nothing ties these to a person: who answered twice cannot be told.
UNLINKED = (*ANSWERS, after_as_of("response", "responded_at"))
RESPONSES = (
    *UNLINKED,
    outsider_rule("employee_id"),
    Rule(
        "unknown_employee",
        "employee_id",
        "warning",
        "rejected",
        "no employee in the employees table has this employee_id, so the answer cannot be linked; add the "
        "person there, or correct the id",
        unknown_employee("employee_id", left=True),
    ),
    Rule(
        "answered_outside_employment",
        "responded_at",
        "warning",
        "rejected",
        f"responded_at lies before the person was hired, or more than {EXIT_SURVEY_DAYS} days after they left, so "
        "the answer is not theirs; check the key of the form against hire_date and exit_date",
        lambda f, c: _answered_after_exit(f, c, lately=False),
    ),
    Rule(
        "answered_after_exit",
        "responded_at",
        "info",
        "kept",
        f"responded_at lies in the {EXIT_SURVEY_DAYS} days after the person left, as with exit surveys",
        lambda f, c: _answered_after_exit(f, c, lately=True),
    ),
)
LAST_RESPONSES = _last_answer(lambda f: repeated(f, ["employee_id", *WAVE, "item"], keep="last"))
RATINGS = (*person_rules("ratee_id"), *ANSWERS)
LAST_RATINGS = _last_answer(_is_repeated_rating)
