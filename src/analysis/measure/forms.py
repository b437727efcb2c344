"""Forms: what one person answered, or one rater about one person, to the items of a scale on one wave."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from analysis.measure.scales import item_answers, scale_of, score_items, wide_items
from analysis.plan.contract import Tables
from analysis.plan.instruments import Instrument, Scale
from analysis.plan.known import known

RATER_FORM = ["ratee_id", "wave", "rater_role", "rater"]


@dataclass(frozen=True)
class Forms:
    """The forms of one scale in one instrument.

    Attributes
    ----------
    instrument, scale
        The card and its scale.
    items
        Answers right way round, one column an item. Index ``employee_id, wave, rater_role`` where people answer about
        themselves (``self``), ``ratee_id, wave, rater_role, rater`` where raters do. The first level is the person whom
        the answers are about.
    """

    instrument: Instrument
    scale: Scale
    items: pd.DataFrame

    @property
    def scores(self) -> pd.Series:
        """The score of each form, by the index of `items`; missing where too few items were answered."""
        return score_items(self.items, self.scale, self.instrument)


def constructs_answered(tables: Tables, instruments: dict[str, Instrument]) -> list[str]:
    """Return the constructs that a card of the study measures and to which somebody gave an answer.

    Those of surveys first, in the order of the cards, then those of multi-rater instruments. Surveys without person
    keys do not count.
    """
    found = []
    for answers in (tables.responses, tables.ratings):
        if answers is not None:
            given = answers.loc[answers["value"].notna(), ["instrument", "item"]].drop_duplicates()
            answered = set(given.itertuples(index=False, name=None))
            found += [
                scale.construct_name
                for name, card in instruments.items()
                for scale in card.scales.values()
                if any((name, item) in answered for item in scale.items)
            ]
    return list(dict.fromkeys(found))


def own_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Forms | None:
    """Return people's answers about themselves in a survey; None where no survey measures the construct."""
    found = scale_of(construct, instruments, tables.responses)
    if found is None:
        return None
    items = known(item_answers(construct, tables, instruments))
    items = items.assign(rater_role="self").set_index("rater_role", append=True)
    return Forms(instruments[found[0]], found[1], items)


def own_items(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return people's answers about themselves, one row per (employee_id, wave), one column an item, right way round.

    Self-ratings in a multi-rater instrument serve where no survey measures the construct. None where nobody answered.
    """
    forms = own_forms(construct, tables, instruments) or rater_forms(construct, tables, instruments)
    if forms is None:
        return None
    items = forms.items[forms.items.index.get_level_values("rater_role") == "self"]
    items = items.droplevel([level for level in ("rater_role", "rater") if level in items.index.names])
    return None if items.empty else items.rename_axis(index=["employee_id", "wave"])


def rater_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Forms | None:
    """Return raters' forms, self-ratings included; None where no multi-rater instrument measures the construct."""
    found = scale_of(construct, instruments, tables.ratings)
    if found is None:
        return None
    name, scale = found
    ratings = known(tables.ratings)
    rows = with_rater(ratings[ratings["instrument"] == name])
    return Forms(instruments[name], scale, wide_items(rows, RATER_FORM, instruments[name], scale))


def all_forms(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> Iterator[Forms]:
    """Yield the forms of a construct from which scores are made, of the survey and of the multi-rater instrument.

    Where a survey measures the construct, self-ratings in the multi-rater instrument are left out, as in
    `scales.self_scores`: one rater source never has two instruments.
    """
    own, rated = own_forms(construct, tables, instruments), rater_forms(construct, tables, instruments)
    if own is not None:
        yield own
    if rated is not None and own is not None:
        is_self = rated.items.index.get_level_values("rater_role") == "self"
        rated = Forms(rated.instrument, rated.scale, rated.items[~is_self])
    if rated is not None:
        yield rated


def with_rater(ratings: pd.DataFrame) -> pd.DataFrame:
    """Return ratings with the column ``rater``: the rater's id, or a number where there is none.

    Raters without an id still are different people where their answers to one item are. They are numbered in the order
    of the file, which keeps a form together as long as nobody's row is missing between others'.
    """
    same = ["ratee_id", "wave", "instrument", "rater_role", "item"]
    unnamed = "#" + ratings.groupby(same).cumcount().astype(str)
    return ratings.assign(rater=ratings["rater_id"].astype("str").fillna(unnamed))


def rater_scores(construct: str, tables: Tables, instruments: dict[str, Instrument]) -> pd.DataFrame | None:
    """Return the score that each rater's form gives: ``ratee_id, rater_id, rater_role, wave, score``.

    Self-ratings and forms that cannot be scored are left out; ``rater_id`` is missing where raters are anonymous. None
    where no multi-rater instrument measures the construct.
    """
    forms = rater_forms(construct, tables, instruments)
    if forms is None:
        return None
    scores = forms.scores.dropna().rename("score").reset_index()
    scores = scores[scores["rater_role"] != "self"]
    is_unnamed = scores["rater"].str.startswith("#")
    scores = scores.assign(rater_id=scores["rater"].mask(is_unnamed))
    return scores[["ratee_id", "rater_id", "rater_role", "wave", "score"]].reset_index(drop=True)
