"""Who answered in which survey wave: counted, not scored."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.estimate.analyses import Question
from analysis.measure.calendar import add_months
from analysis.measure.scales import scale_of
from analysis.pipeline.opened import OpenStudy
from analysis.plan.catalogue import CATALOGUE
from analysis.plan.known import known


@dataclass(frozen=True)
class AnsweredWaves:
    """The waves that measure one construct.

    Attributes
    ----------
    forms
        One row per person and wave with an answer to the scale: ``employee_id``, ``wave``.
    waves
        The waves with any such answer, in time: ``wave``, ``opens``, ``closes``.
    """

    forms: pd.DataFrame
    waves: pd.DataFrame

    def around(self, starts: pd.Series, horizon: int) -> pd.DataFrame:
        """Return who has a wave that closed before the start and one that opened within the horizon from it on.

        Parameters
        ----------
        starts
            Day of the start by employee id.

        Returns
        -------
        DataFrame
            By employee id, those with such a pair of waves: ``is_answered``, whether they answered in both.
        """
        later = self.after(starts, horizon)
        before = [self._in_waves(day, None) for day in starts]
        found = pd.DataFrame({"waves": before}, index=starts.index).reindex(later.index)
        has_before = found["waves"].map(len).gt(0)
        both = later["is_answered"] & self._answered(found["waves"])
        return pd.DataFrame({"is_answered": both})[has_before.to_numpy(dtype=bool)]

    def after(self, zero: pd.Series, horizon: int) -> pd.DataFrame:
        """Return whose day has a wave that opens on or after it within the horizon, and who answered in one."""
        waves = pd.Series([self._in_waves(day, horizon) for day in zero], index=zero.index, dtype=object)
        waves = waves[waves.map(len).gt(0).to_numpy(dtype=bool)]
        return pd.DataFrame({"is_answered": self._answered(waves)}, index=waves.index)

    def answered_twice(self, exclude: pd.Index) -> int:
        """Return how many people, but for those excluded, answered in more than one wave."""
        counts = self.forms.loc[~self.forms["employee_id"].isin(exclude), "employee_id"].value_counts()
        return int((counts > 1).sum())

    def _in_waves(self, day: pd.Timestamp, horizon: int | None) -> tuple:
        if horizon is None:
            return tuple(self.waves.loc[self.waves["closes"] < day, "wave"])
        end = add_months(day, horizon)
        return tuple(self.waves.loc[(self.waves["opens"] >= day) & (self.waves["opens"] < end), "wave"])

    def _answered(self, waves: pd.Series) -> np.ndarray:
        """Return whether each person answered in one of the waves beside the id, shape (people,)."""
        seen = set(zip(self.forms["employee_id"].astype(str), self.forms["wave"], strict=True))
        return np.array([any((str(who), wave) in seen for wave in those) for who, those in waves.items()], dtype=bool)


def answered_waves(opened: OpenStudy, question: Question) -> AnsweredWaves | None:
    """Return who answered the scale of a hypothesis in which wave; None where no linked survey measures it."""
    tables, construct = opened.tables, question.hypothesis.construct_name
    parts: list[AnsweredWaves] = []
    for answers, person in ((tables.responses, "employee_id"), (tables.ratings, "ratee_id")):
        found = scale_of(construct, opened.instruments, answers)
        if (
            answers is None
            or found is None
            or (person == "ratee_id" and parts and not CATALOGUE.outcome(construct).is_rated)
        ):
            continue
        name, scale = found
        chosen = (answers["instrument"] == name) & answers["item"].isin(list(scale.items)) & answers["value"].notna()
        forms = answers.loc[chosen, [person, "wave"]].drop_duplicates().rename(columns={person: "employee_id"})
        waves = known(tables.waves)
        waves = waves[(waves["instrument"] == name) & waves["wave"].isin(forms["wave"])]
        if len(forms):
            parts.append(AnsweredWaves(forms, waves.sort_values("opens")[["wave", "opens", "closes"]]))
    # of the two sources of leadership the one with more waves, then with more people
    return max(parts, key=lambda one: (len(one.waves), len(one.forms)), default=None)
