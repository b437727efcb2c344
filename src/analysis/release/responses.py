"""Who answered, step by step: no small group follows from two steps by subtraction."""

import pandas as pd

# What is told first is told most likely: everyone, then those scored, then what lies between.
TOLD_FIRST = ("n_people", "n_scored", "n_invited", "n_answered", "n_paired")


def release_response(flow: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return the flow of answers with the steps missing that would tell of 1 to `min_cell` − 1 people.

    Parameters
    ----------
    flow
        As from `design.response.response_flow`: each step holds the next, so that two steps that are nearly equal tell
        how few left, stayed silent or could not be scored.
    """
    released = flow.copy()
    released[list(TOLD_FIRST)] = [
        _told([int(n) for n in row], min_cell) for row in flow[list(TOLD_FIRST)].itertuples(index=False)
    ]
    return released.astype(dict.fromkeys(TOLD_FIRST, "Int64"))


def release_steps(flow: pd.DataFrame, min_cell: int) -> pd.DataFrame:
    """Return people by step and arm without the steps that would tell of 1 to `min_cell` − 1 people by subtraction.

    Parameters
    ----------
    flow
        ``step, n_treated, n_control``: everyone first, those with all scores last; these two are told first.
    """
    order = [0, len(flow) - 1, *range(1, len(flow) - 1)] if len(flow) > 1 else list(range(len(flow)))
    released = flow.copy()
    for arm in [c for c in flow.columns if c.startswith("n_")]:
        told = pd.Series(_told([int(flow[arm].iloc[i]) for i in order], min_cell), index=flow.index[order])
        released[arm] = told.reindex(flow.index).astype("Int64")
    return released


def _told(counts: list[int], min_cell: int) -> list[int | None]:
    told: list[int] = [0]
    found = []
    for n in counts:
        is_safe = all(n == other or abs(n - other) >= min_cell for other in told)
        told += [n] if is_safe else []
        found.append(n if is_safe else None)
    return found
