"""What papermill finds under the name ``mentoring`` among its engines' entry points.

Apart from the engine itself: papermill loads entry points while it is imported, and the engine imports papermill.
"""

from typing import Any

from papermill.engines import Engine


class MentoringEngine(Engine):
    """``papermill --engine mentoring``: `report.forked.ForkingEngine`, imported when it is first used."""

    @classmethod
    def execute_managed_notebook(cls, *args: Any, **options: Any) -> None:
        """Run a notebook's cells."""
        from analysis.report.forked import ForkingEngine

        ForkingEngine.execute_managed_notebook(*args, **options)
