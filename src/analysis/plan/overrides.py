"""Settings that one report has otherwise than its study's file: a row of a batch."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Of this process and of the kernels that it starts.
OVERRIDES = "MENTORING_OVERRIDES"


def overrides() -> dict[str, object]:
    """Return the keys of study.yaml that the present report has otherwise, and their values."""
    return json.loads(os.environ.get(OVERRIDES, "{}"))


@contextmanager
def overriding(settings: Mapping[str, object]) -> Iterator[None]:
    """Read every study of the block with these settings in place of its own."""
    before = os.environ.get(OVERRIDES)
    if settings:
        os.environ[OVERRIDES] = json.dumps(dict(settings))
    try:
        yield
    finally:
        os.environ.pop(OVERRIDES, None)
        if before is not None:
            os.environ[OVERRIDES] = before
