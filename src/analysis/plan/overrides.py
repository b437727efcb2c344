"""Settings that one report has otherwise than its study's file: a row of a batch."""

import json
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager

from analysis.plan.environment import environment

# Of this process and of the kernels that it starts.
OVERRIDES = "MENTORING_OVERRIDES"


def overrides() -> dict[str, object]:
    """Return the keys of study.yaml that the present report has otherwise, and their values."""
    return json.loads(os.environ.get(OVERRIDES, "{}"))


def overriding(settings: Mapping[str, object]) -> AbstractContextManager[None]:
    """Read every study of the block with these settings in place of its own."""
    return environment(**{OVERRIDES: json.dumps(dict(settings))} if settings else {})
