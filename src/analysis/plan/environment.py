"""Environment variables set for the length of a block, for this process and those that it starts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Sums depend on the number of threads, and processes that run side by side would fight for the cores.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Set variables for the length of the block, and take out those that are None; then all are as they were."""
    before = {name: os.environ.get(name) for name in variables}
    _set(variables)
    try:
        yield
    finally:
        _set(before)


def _set(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
