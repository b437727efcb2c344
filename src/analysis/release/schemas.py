"""What every column of every frame is, read from ``schemas.yaml``: a new frame needs its lines there and no code."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml


class Column(NamedTuple):
    """What a column is, and the counts that it rests on."""

    kind: str
    of: tuple[str, ...] = ()


Schema = Mapping[str, Column]


@cache
def load_schemas() -> Mapping[str, Schema]:
    """Return the schema of each frame: its columns by name."""
    frames = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return {
        frame: {
            name: Column(entry["kind"], tuple(entry.get("of", "").split()))
            for entry in entries
            for name in entry["columns"].split()
        }
        for frame, entries in frames.items()
    }
