"""Profiles: how one vendor's export maps onto the canonical tables."""

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from analysis.plan.study import TableName
from analysis.plan.yaml_file import load_yaml, validated

PROFILES = Path(__file__).parent / "profiles"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TableProfile(_Part):
    """How one table is exported.

    Attributes
    ----------
    columns
        Canonical name → the export's column; what is not named keeps its name.
    values
        Canonical column → canonical value → the export's values.
    """

    columns: dict[str, str] = {}
    values: dict[str, dict[str, list[str]]] = {}


class Profile(_Part):
    """One vendor's export: the tables that it can feed."""

    profile: str
    title: str
    tables: dict[TableName, TableProfile]


@cache
def load_profiles() -> dict[str, Profile]:
    """Return the profiles that ship with the package, by name.

    Raises
    ------
    BadInput
        A profile breaks the form above.
    """
    paths = sorted(PROFILES.glob("*.yaml"))
    profiles = [
        validated(Profile, load_yaml(p, source=f"profiles/{p.name}"), source=f"profiles/{p.name}") for p in paths
    ]
    return {profile.profile: profile for profile in profiles}
