"""Every situation, in the order of the page."""

from importlib import import_module
from pathlib import Path

from simulations.situations.world import Situation

MODULES = ("trials", "lotteries", "rollouts", "scales", "few_exits")
SITUATIONS: tuple[Situation, ...] = tuple(
    found
    for module in MODULES
    if (Path(__file__).parent / f"{module}.py").is_file()
    for found in import_module(f"simulations.situations.{module}").SITUATIONS
)


def situation(name: str) -> Situation:
    """Return the situation of that name."""
    return next(s for s in SITUATIONS if s.name == name)
