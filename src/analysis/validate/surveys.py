"""Rules of the waves, responses and ratings tables, and answers given as labels."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.plan.errors import MAX_EXAMPLE_ROWS, Problem
from analysis.plan.instruments import Instrument
from analysis.validate.employees import employed_on, left_out, left_out_rule, person_rules
from analysis.validate.rule import Context, Rule, among, coded, lines_by_source, repeated, spread, together_among

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


def wave_rules(context: Context) -> list[Rule]:
    """Return the rules of the survey waves."""
    return [
        Rule(
            "closes_before_opens",
            "closes",
            "error",
            "rejected",
            "closes lies before opens; correct one of them",
            lambda f: ~(f["closes"] < f["opens"]),
        ),
        Rule(
            "duplicate_wave",
            "wave",
            "error",
            "rejected",
            "an earlier row has the same wave and instrument; keep one row for each",
            lambda f: ~repeated(f, WAVE) | f[WAVE].isna().any(axis=1),
        ),
        Rule(
            "wave_after_as_of",
            "opens",
            "info",
            "rejected",
            "opens is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["opens"] > context.as_of),
        ),
    ]


def response_rules(context: Context) -> list[Rule]:
    """Return the rules of an employee's own answers."""
    rules = unlinked_rules(context)
    hired = context.rows_of("employees", left=True)
    if hired is not None:
        hired_ids = pd.Index(hired["employee_id"].dropna().unique()).union(left_out(context))
        rules.append(left_out_rule(context, "employee_id"))
        rules.append(
            Rule(
                "unknown_employee",
                "employee_id",
                "warning",
                "rejected",
                "no employee in the employees table has this employee_id, so the answer cannot be linked; add the "
                "person there, or correct the id",
                lambda f: among(f["employee_id"], hired_ids) | f["employee_id"].isna(),
            )
        )
        rules += _employment_rules(hired)
    return rules


def _employment_rules(spells: pd.DataFrame) -> list[Rule]:
    """Return the rules that a person answers while employed, or soon after: leavers are sent exit surveys."""
    lately = spells.assign(exit_date=spells["exit_date"] + pd.Timedelta(days=EXIT_SURVEY_DAYS))
    return [
        Rule(
            "answered_outside_employment",
            "responded_at",
            "warning",
            "rejected",
            f"responded_at lies before the person was hired, or more than {EXIT_SURVEY_DAYS} days after they left, so "
            "the answer is not theirs; check the key of the form against hire_date and exit_date",
            lambda f: _answered_while(f, lately),
        ),
        Rule(
            "answered_after_exit",
            "responded_at",
            "info",
            "kept",
            f"responded_at lies in the {EXIT_SURVEY_DAYS} days after the person left, as with exit surveys",
            lambda f: _answered_while(f, spells) | ~_answered_while(f, lately),
        ),
    ]


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
        return pd.Series(True, index=answers.index)
    return ~pd.Series(
        pd.MultiIndex.from_frame(answers[form]).isin(pd.MultiIndex.from_frame(outside)), index=answers.index
    )


def unlinked_rules(context: Context) -> list[Rule]:
    """Return the rules of answers that nothing ties to a person: who answered twice cannot be told."""
    return [
        *_answer_rules(context),
        Rule(
            "response_after_as_of",
            "responded_at",
            "info",
            "rejected",
            "responded_at is after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~(f["responded_at"] > context.as_of),
        ),
    ]


def rating_rules(context: Context) -> list[Rule]:
    """Return the rules of the answers that others give about a person."""
    return [*person_rules(context, "ratee_id"), left_out_rule(context, "ratee_id"), *_answer_rules(context)]


def duplicate_response_rules(context: Context) -> list[Rule]:
    """Return the rule that leaves one answer per person, wave and item."""
    return [_last_answer(lambda f: repeated(f, ["employee_id", *WAVE, "item"], keep="last"))]


def duplicate_rating_rules(context: Context) -> list[Rule]:
    """Return the rule that leaves one answer per rater; answers of unnamed raters cannot be told apart and stay."""

    def is_repeated(f: pd.DataFrame) -> pd.Series:
        rater, ratee = f["rater_id"].astype("str"), f["ratee_id"].astype("str")
        rater = rater.mask(rater.isna() & (f["rater_role"] == "self"), ratee)
        same = ["ratee_id", "rater_id", *WAVE, "item"]
        return repeated(f.assign(rater_id=rater), same, keep="last") & rater.notna()

    return [_last_answer(is_repeated)]


def _last_answer(is_repeated: Callable[[pd.DataFrame], pd.Series]) -> Rule:
    return Rule(
        "duplicate_answer",
        "item",
        "warning",
        "rejected",
        "a later row answers the same item for the same person and wave, and the last one holds; keep one",
        lambda f: ~is_repeated(f),
    )


def _answer_rules(context: Context) -> list[Rule]:
    """Return the rules that tie an answer to its instrument's card and its wave."""
    cards = context.instruments
    items = pd.MultiIndex.from_tuples(
        [(name, item) for name, card in cards.items() for item in card.items], names=["instrument", "item"]
    )
    names = pd.Index(list(cards), dtype="str")
    return [
        Rule(
            "unknown_instrument",
            "instrument",
            "error",
            "rejected",
            f"instrument has no card (known: {', '.join(sorted(cards)) or 'none'}); correct it, or add a card to the "
            "study's instruments/",
            lambda f: among(f["instrument"], names) | f["instrument"].isna(),
        ),
        Rule(
            "unknown_item",
            "item",
            "error",
            "rejected",
            "item is not on its instrument's card; correct it, or add it to the card",
            lambda f: (
                together_among(f, ["instrument", "item"], items) | ~among(f["instrument"], names) | f["item"].isna()
            ),
        ),
        Rule(
            "answer_out_of_range",
            "value",
            "error",
            "rejected",
            "value lies outside the instrument's answer scale; correct it, or empty it where the item was skipped",
            lambda f: _is_on_scale(f, cards),
        ),
        *_wave_look_up(context),
    ]


def _is_on_scale(answers: pd.DataFrame, cards: dict[str, Instrument]) -> pd.Series:
    """Return whether each value lies between its instrument's ends; True where it is missing or there is no card."""
    codes, names = coded(answers["instrument"])
    scales = [cards[name].response if name in cards else None for name in names]
    least, greatest = (
        spread(codes, np.array([np.nan if s is None else getattr(s, end) for s in scales], dtype=float), np.nan)
        for end in ("min", "max")
    )
    return ~((answers["value"] < least) | (answers["value"] > greatest))


def _wave_look_up(context: Context) -> list[Rule]:
    waves, known_by_now = context.rows_of("waves"), context.rows_of("waves", left=True)
    if waves is None or known_by_now is None:
        return []
    listed, open_by_now = (pd.MultiIndex.from_frame(rows[WAVE].dropna()) for rows in (waves, known_by_now))
    later = listed.difference(open_by_now)
    names = pd.Index(list(context.instruments), dtype="str")
    return [
        Rule(
            "unknown_wave",
            "wave",
            "error",
            "rejected",
            "wave and instrument are not in the waves table; add the wave there, or correct the answer's",
            lambda f: together_among(f, WAVE, listed) | ~among(f["instrument"], names) | f["wave"].isna(),
        ),
        Rule(
            "wave_after_as_of",
            "wave",
            "info",
            "rejected",
            "the wave opens after as_of, the end of the data; move as_of if that is wrong",
            lambda f: ~together_among(f, WAVE, later),
        ),
    ]
