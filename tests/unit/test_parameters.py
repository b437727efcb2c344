"""A notebook's parameters: what its cell says, whatever else a kernel holds that has run for a while."""

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from analysis.notebook.parameters import PARAMETERS, SCALES_PARAMETERS, parameters_of
from analysis.plan.errors import BadInput

CELL = 'study = "northbank"  # a folder in the data folder\ndata = ""'
OTHER = 'study = "kesselwerk"\ndata = ""'


def kernel(*cells: str) -> dict[str, object]:
    """Return what a kernel holds in which these cells were run."""
    namespace: dict[str, object] = {"In": [""]}
    for cell in cells:
        namespace["In"].append(cell)
        exec(cell, namespace)
    return namespace


def named(*cells: str) -> str:
    return str(parameters_of(kernel(*cells), PARAMETERS)["study"])


def refused(*cells: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parameters_of(kernel(*cells), PARAMETERS)
    return [problem.message for problem in caught.value.problems]


def test_a_notebook_runs_again_in_the_same_kernel_with_another_study():
    assert named(CELL, "view = 1", OTHER) == "kesselwerk"
    assert named(CELL, 'study = "kesselwerk"') == "kesselwerk"
    assert named(CELL, "study = 'kessel' + 'werk'") == "kesselwerk"


@pytest.mark.parametrize(
    "own",
    [
        "months = 12",
        'months = 12\nroom = "x"\nhypothesis = 3',
        "import pandas as pd\ntable = pd.DataFrame()",
        "def f(x): return x",
        "a, b = 1, 2",
        "1 + 1",
        'where = "Vienna"\nyear = 2024',
    ],
)
def test_cells_of_ones_own_do_not_disturb(own):
    assert named(CELL, own) == named(own, CELL) == "northbank"


def test_a_table_that_is_called_like_a_parameter_is_not_the_parameter():
    assert parameters_of(kernel(CELL, "data = [1, 2]"), PARAMETERS) == {"study": "northbank", "data": ""}
    frame = kernel(CELL) | {"data": pd.DataFrame({"study": [1]})}
    assert parameters_of(frame, PARAMETERS)["data"] == ""


def test_a_misspelt_parameter_is_told_once_with_the_nearest():
    fresh = refused('studdy = "kesselwerk"\ndata = ""')
    assert fresh == ["there is no parameter 'studdy'; the parameters are study, data; did you mean study?"]
    # The kernel still has the older study, which is not what was asked for.
    assert refused(CELL, 'studdy = "kesselwerk"\ndata = ""') == fresh
    assert named(CELL, 'studdy = "kesselwerk"\ndata = ""', OTHER) == "kesselwerk"


def test_a_parameter_of_another_type_is_refused():
    assert refused('study = 5\ndata = ""') == ["parameter 'study' must be str, not int"]
    assert refused('study = ""\ndata = ""') == ["parameter 'study' is empty; name a study folder"]
    with pytest.raises(BadInput, match="parameter 'hypothesis' is missing"):
        parameters_of(kernel(CELL), SCALES_PARAMETERS)


def test_what_papermill_was_given_and_nobody_declared_is_refused():
    told = refused(CELL, "# Parameters\nstudy = 'northbank'\nstdy = 'kesselwerk'")
    assert told == ["there is no parameter 'stdy'; the parameters are study, data; did you mean study?"]
    assert named(CELL, "# Parameters\nstudy = 'kesselwerk'") == "kesselwerk"


def test_another_view_of_the_same_notebook_may_have_further_parameters():
    """The notebook of one's own questions opens the study, too, which knows nothing of an outcome."""
    cells = (CELL + '\noutcome = "any_exit"', "# Parameters\nstudy = 'kesselwerk'\noutcome = 'morale'")
    assert named(*cells) == "kesselwerk"
    assert parameters_of(kernel(*cells), {**PARAMETERS, "outcome": ""})["outcome"] == "morale"


def test_a_users_mistake_has_no_traceback_in_a_notebook(capsys):
    shell = InteractiveShell.instance()
    shell.user_ns["parameters_of"], shell.user_ns["declared"] = parameters_of, PARAMETERS
    result = shell.run_cell("parameters_of({'study': 5, 'data': ''}, declared)")
    shown = capsys.readouterr().out
    InteractiveShell.clear_instance()
    assert isinstance(result.error_in_exec, BadInput)
    assert shown.strip() == "this notebook: parameter 'study' must be str, not int"
