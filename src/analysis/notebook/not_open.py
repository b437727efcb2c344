"""What stands in a notebook for a study that could not be opened, so that nobody takes an earlier one for it.

JupyterLab may run the cells after one that failed. The variable of the notebooks would then still be the study that was
open before: another company's numbers under the name of the one that was asked for.
"""

from collections.abc import Mapping, MutableMapping

from analysis.notebook.parameters import THIS
from analysis.plan.errors import bad_input


class NotOpen:
    """Answers everything with one line: that no study is open."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_"):
            raise AttributeError(name)
        raise bad_input(
            THIS, "no study is open; see what is wrong with the parameters, and run all cells again", rule="parameters"
        )


def close(namespace: Mapping[str, object], variable: str = "view") -> None:
    """Let a notebook's variable of an opened study stand for none, until it is assigned anew."""
    is_ours = type(namespace.get(variable)).__module__.partition(".")[0] == __name__.partition(".")[0]
    if isinstance(namespace, MutableMapping) and is_ours:
        namespace[variable] = NotOpen()
