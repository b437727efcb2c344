"""What the planning notebook shows."""

from collections.abc import Callable
from dataclasses import dataclass

from analysis.estimate.planning import RolePlan
from analysis.notebook.showing import show_each
from analysis.release.planning import ReleasedPlan
from analysis.report import planning


@dataclass(frozen=True)
class PlanningView:
    """What the planning notebook shows: everything in it has passed disclosure control."""

    planned: ReleasedPlan

    def show(self, *views: Callable[[RolePlan], object]) -> None:
        """Show views of the plan of every program and role, under a heading that says which it is.

        A view gives a sentence (shown as text), several (as a list), a table or a figure; None where there is nothing.
        """
        roles = self.planned.roles
        show_each([planning.role_label(role) for role in roles], [[view(role) for view in views] for role in roles])

    def history(self, role: RolePlan) -> str:
        """Return what the risks of leaving rest on."""
        return planning.history_sentence(role, self.planned.study.min_cell)
