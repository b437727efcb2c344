"""Which starts can be trials, and on which days the trials are."""

import pandas as pd

from analysis.measure.exposure import first_starts, not_staff, started_before, undated
from analysis.plan.contract import Tables
from analysis.plan.faults import known
from analysis.plan.study import Program, Study

NOT_STAFF, UNDATED = "no employee", "started on an unknown day"
ON_LEAVE = "on leave"
BEFORE_PERIOD = "started before the period observed"
OTHER_ROLE = "earlier start in another role"
BEFORE_UNIT, NO_UNIT = "started before the unit was reached", "unit not known"
FLOW_STEPS = (
    "started",
    NOT_STAFF,
    UNDATED,
    BEFORE_PERIOD,
    OTHER_ROLE,
    "not employed that day",
    "under notice",
    ON_LEAVE,
    "level or tenure not eligible",
    NO_UNIT,
    BEFORE_UNIT,
    "no colleague to compare with that day",
    "no colleague nearly as likely to start",
    "analysed",
)
# So many rows the trials may have, days times staff: memory and time grow with them and with the follow-up.
MOST_TRIAL_ROWS = 300_000


def known_enrolments(tables: Tables, study: Study) -> pd.DataFrame:
    """Return the enrolments with the starts that the study can know of: none after the data lock."""
    rows = known(tables.enrolments)
    return rows.assign(start_date=rows["start_date"].where(rows["start_date"] <= pd.Timestamp(study.as_of)))


def observed_starts(
    enrolments: pd.DataFrame, study: Study, program: Program, role: str, lost: dict[str, int] | None = None
) -> pd.Series:
    """Return the first starts of the role that can be trials, by employee id; count into `lost` those that cannot.

    They lie within the period observed. Whoever started the program in any role before it could not have been seen
    leaving after that start and is no trial; whoever first started another role of it is lost to that one.
    """
    lost = dict.fromkeys(FLOW_STEPS, 0) if lost is None else lost
    starts, own_start = first_starts(enrolments, program.id, role), first_starts(enrolments, program.id)
    mine, no_day = starts.index.union(undated(enrolments, program.id, role)), undated(enrolments)
    strangers = mine.isin(not_staff(enrolments))
    starts = starts[~starts.index.isin(no_day.union(mine[strangers]))]
    earlier = starts.index.isin(started_before(enrolments, program.id, pd.Timestamp(study.study_start)))
    is_other = ~earlier & (starts > own_start.reindex(starts.index)).to_numpy()
    lost["started"] += len(mine)
    lost[NOT_STAFF] += int(strangers.sum())
    lost[UNDATED] += int((mine.isin(no_day) & ~strangers).sum())
    lost[BEFORE_PERIOD] += int(earlier.sum())
    lost[OTHER_ROLE] += int(is_other.sum())
    return starts[~earlier & ~is_other]


def trial_days(starts: pd.Series, n_staff: int) -> pd.Series:
    """Return the day of the trial that each start belongs to, same index.

    Each day is a trial, as long as days times staff are at most `MOST_TRIAL_ROWS`. Beyond that the time from the first
    start to the last is cut into as many windows of one length as rows allow, and each is one trial, on its median
    start. Its comparators are those of that day, up to half a window earlier or later than a start; nobody is followed
    from a day before the own start, so no time before it is credited to the program.

    Parameters
    ----------
    starts
        Days, by employee id.
    n_staff
        People whom each trial might compare.
    """
    most = max(1, MOST_TRIAL_ROWS // max(1, n_staff))
    if starts.nunique() <= most:
        return starts
    since = (starts - starts.min()).dt.days
    length = -(-(since.max() + 1) // most)
    return starts.groupby(since // length).transform(lambda own: own.sort_values().iloc[(len(own) - 1) // 2])
