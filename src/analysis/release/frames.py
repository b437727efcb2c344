"""Any frame through the door, by its schema alone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.release.rule import ReleaseRule, significant
from analysis.release.schemas import Schema, load_schemas


class NoSchemaError(LookupError):
    """A frame, or a column of one, of which nothing says what it is: it is not shown."""


def release_frame(name: str, frame: pd.DataFrame, rule: ReleaseRule) -> pd.DataFrame:
    """Return a frame as it may be shown; its rows and their order stay.

    Raises
    ------
    NoSchemaError
        ``schemas.yaml`` does not know the frame or one of its columns, or a count that a column rests on is missing.
    """
    schema = load_schemas().get(name, {})
    unknown = [str(column) for column in frame if column not in schema]
    lacking = {count for column in frame if column in schema for count in schema[column].of if count not in frame}
    if unknown or lacking:
        raise NoSchemaError(f"frame {name}: no schema for {unknown}, no counts {sorted(lacking)}")
    door, columns = _Door(frame, schema, rule), [c for c in frame if schema[c].kind != "basis"]
    return pd.DataFrame({c: door.shown(c) for c in columns}, index=frame.index) if len(frame) else frame[columns]


@dataclass(frozen=True)
class _Door:
    frame: pd.DataFrame
    schema: Schema
    rule: ReleaseRule

    def shown(self, name: str) -> pd.Series:
        """Return a column as it may be shown: made by its kind, missing where a count behind it is small."""
        column = self.schema[name]
        counts = [self.frame[count] for count in column.of]
        shown = KINDS[column.kind](self, self.frame[name], counts)
        # What is made of two counts has looked at them itself.
        others = counts[2:] if column.kind in MADE_OF_TWO else counts
        for few in map(self.rule.is_few, others):
            shown = shown.mask(few)
        return shown

    def way(self, people: pd.Series) -> pd.Series:
        """Return the people of stages and losses, way by way; between the first stage and ``analysed`` are losses."""
        step = self.frame["step"]
        if "kind" in self.frame:
            is_loss = self.frame["kind"] == "loss"
            ways = self.frame.groupby([key for key in self.keys if key not in ("kind", "step")], sort=False).ngroup()
        else:
            is_loss = pd.Series(step.iloc[-1:].eq("analysed").any(), step.index)
            is_loss.iloc[[0, -1]] = False
            ways = is_loss * 0
        parts = [self.rule.along(part, is_loss[part.index]) for _, part in people.groupby(ways)]
        return pd.concat(parts).reindex(people.index)

    def parts(self, shares: pd.Series, whole: pd.Series) -> pd.Series:
        """Return the shares of the parts of each whole, which the frame's keys tell apart."""
        wholes = [shares[rows] for rows in self.frame.groupby(self.keys, sort=False, dropna=False).groups.values()]
        return pd.concat([self.rule.parts(some, whole[some.index].iloc[0]) for some in wholes]).reindex(shares.index)

    @property
    def keys(self) -> list[str]:
        return [name for name in self.frame if self.schema[name].kind == "key"]


Kind = Callable[[_Door, pd.Series, Sequence[pd.Series]], pd.Series]
KINDS: Mapping[str, Kind] = {
    "key": lambda door, values, of: values,
    "part": lambda door, values, of: values,
    "people": lambda door, values, of: door.rule.counts(values),
    "rows": lambda door, values, of: door.rule.counts(values),
    "way": lambda door, values, of: door.way(values),
    "rest": lambda door, values, of: door.rule.rest(*of),
    "share": lambda door, values, of: door.rule.share(of[0], of[1]),
    "share of all": lambda door, values, of: door.rule.share((values * of[0]).round(), of[0]),
    "snapped share": lambda door, values, of: door.rule.share(of[0], of[1], is_snapped=True),
    "rate": lambda door, values, of: significant(100 * door.rule.per(*of), 2),
    "parts": lambda door, values, of: door.parts(values, of[0]),
    "text": lambda door, values, of: values.astype(object),
    "mean": lambda door, values, of: significant(values, 2),
    "estimate": lambda door, values, of: values.astype(float).round(3),
    "hundredths": lambda door, values, of: values.astype(float).round(2),
}
MADE_OF_TWO = ("rest", "share", "snapped share", "rate")
