"""The parameters of a notebook: what its cell of parameters, or papermill, says; never a variable of somebody's own."""

import ast
from collections.abc import Iterator, Mapping
from typing import Any

from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import bad_input
from analysis.report.parameters import check_parameters

# Every notebook of the project has these parameters; the one on scales names its hypothesis besides.
PARAMETERS: Mapping[str, object] = {"study": "", "data": ""}
SCALES_PARAMETERS = {**PARAMETERS, "hypothesis": ""}
# How papermill begins the cell that it puts in with the parameters that it was given.
INJECTED = "# Parameters\n"
THIS = "this notebook"


def parameters_of(namespace: Mapping[str, object], declared: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of a notebook's parameters, by name, whatever else its kernel holds.

    A name that has become something else in a cell of somebody's own (``data`` is often a table) still means what it
    was set to in the cell of parameters.

    Parameters
    ----------
    namespace
        The notebook's ``globals()``.
    declared
        Name → a default, of the type that the parameter has.

    Raises
    ------
    BadInput
        A parameter is misspelt, missing, of another type, or no study is named.
    """
    cells = list(_cells_of_literals(namespace))
    told = next((cell for cell in reversed(cells) if declared.keys() <= cell.keys()), {})
    given = {name: namespace[name] for name in declared if name in namespace}
    for name, value in given.items():
        if type(value) is not type(declared[name]) and name in told:
            given[name] = told[name]
    # Of a misspelt parameter papermill only warns, and in a kernel that has run before, the older value is still there.
    misspelt = _misspelt(cells, declared)
    check_parameters(
        (dict(declared) if misspelt else {}) | given | _injected(namespace, cells) | misspelt, declared, THIS
    )
    if not given["study"]:
        raise bad_input(THIS, "parameter 'study' is empty; name a study folder", rule="parameters")
    return given


def _typed(namespace: Mapping[str, object]) -> list[str]:
    """Return the cells that have been run, in order; none outside of IPython."""
    typed = namespace.get("In")
    return [cell for cell in typed if isinstance(cell, str)] if isinstance(typed, list) else []


def _is_injected(cell: str) -> bool:
    return cell.startswith(INJECTED)


def _cells_of_literals(namespace: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Yield what was set in each cell of plain assignments that has been run, in order, papermill's aside."""
    for cell in _typed(namespace):
        found = {} if _is_injected(cell) else _literals(cell)
        if found:
            yield found


def _literals(cell: str) -> dict[str, object]:
    """Return the names and values of a cell of nothing but plain assignments; empty for any other cell."""
    found: dict[str, object] = {}
    try:
        for statement in ast.parse(cell).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    found[name] = ast.literal_eval(value)
                case _:
                    return {}
    except (SyntaxError, ValueError):
        return {}
    return found


def _misspelt(cells: list[dict[str, object]], declared: Mapping[str, object]) -> dict[str, object]:
    """Return the misspelt names of the last cell of parameters, with their values.

    That cell has as many names as there are parameters, and each is a parameter's or close to one that is not there.
    """
    for cell in reversed(cells):
        missing, unknown = [p for p in declared if p not in cell], [n for n in cell if n not in declared]
        if len(cell) == len(declared) and all(did_you_mean(name, missing) for name in unknown):
            return {name: cell[name] for name in unknown}
    return {}


def _injected(namespace: Mapping[str, object], cells: list[dict[str, object]]) -> dict[str, object]:
    """Return what papermill was given and no cell of the notebook has set before: no parameter of it."""
    given = [cell for cell in _typed(namespace) if _is_injected(cell)]
    known = {name for cell in cells for name in cell}
    return {name: value for name, value in (_literals(given[-1]) if given else {}).items() if name not in known}
