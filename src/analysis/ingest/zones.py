"""The day that it is in one time zone when it is some time in another."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


class Clocks(NamedTuple):
    """Times of the day, one for each distinct cell.

    Attributes
    ----------
    seconds
        Since midnight; NaN where the cell has no time.
    offset
        Minutes that its zone is ahead of UTC; NaN where it names no zone.
    """

    seconds: np.ndarray
    offset: np.ndarray


def days_in_zone(dates: np.ndarray, clocks: Clocks, *, written_in: str | None, wanted_in: str | None) -> np.ndarray:
    """Return the days on which the moments fall in the zone that is wanted.

    Without `wanted_in`, and for a time without any zone, the written day stands; so it does for all where every time
    is midnight, which is how programs write days.

    Parameters
    ----------
    dates
        The written days, ``datetime64[D]``; NaT stays.
    clocks
        Their times.
    written_in
        IANA name of the zone of the times without one of their own.
    wanted_in
        IANA name of the zone whose day is wanted.
    """
    moves = ~np.isnat(dates) & ~np.isnan(clocks.seconds) & (~np.isnan(clocks.offset) | (written_in is not None))
    if wanted_in is None or not np.nan_to_num(clocks.seconds[moves]).any():
        return dates
    local = dates[moves].astype("datetime64[s]") + clocks.seconds[moves].astype("timedelta64[s]")
    offset = clocks.offset[moves]
    own = ~np.isnan(offset)
    moments = local - np.nan_to_num(offset * 60).astype("timedelta64[s]")
    moments[~own] = _to_utc(local[~own], written_in)
    in_zone = pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(ZoneInfo(wanted_in)).tz_localize(None)
    moved = dates.copy()
    moved[moves] = in_zone.to_numpy().astype("datetime64[D]")
    return moved


def _to_utc(local: np.ndarray, zone: str | None) -> np.ndarray:
    """Return local times in UTC; of an hour that comes twice the first, and one that is skipped ends as it begins."""
    if zone is None:
        return local
    times = pd.DatetimeIndex(local).tz_localize(
        ZoneInfo(zone), ambiguous=np.ones(len(local), bool), nonexistent="shift_forward"
    )
    return times.tz_convert("UTC").tz_localize(None).to_numpy()
