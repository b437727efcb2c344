"""Reading ``study.yaml``: as far as it can be read, with every mistake and its line."""

from dataclasses import dataclass, replace
from pathlib import Path

from analysis.plan.contract import FIRST_DAY, LAST_DAY
from analysis.plan.contradictions import did_you_mean
from analysis.plan.errors import BadInput, Problem, bad_input
from analysis.plan.paths import STUDY_NAME, leads_out, study_folders
from analysis.plan.study import LARGEST_LOGO, Study, overrides
from analysis.plan.yaml_file import LEADS_OUT, Location, YamlDocument, load_yaml, read_as_far, study_problem


@dataclass(frozen=True)
class ReadStudy:
    """`study.yaml`, read as far as it can be, so that the data can be checked in the same run.

    Attributes
    ----------
    study
        What of the file is valid, with defaults for the rest: to read the data with, never for an estimate where some
        problem is an error.
    document
        The file, which knows its lines.
    problems
        Every mistake of the file and every warning, each with its line.
    left_out
        The keys of the file of which something was left out.
    """

    study: Study
    document: YamlDocument
    problems: tuple[Problem, ...]
    left_out: frozenset[str]


def load_study(name: str, data: Path) -> Study:
    """Read ``data/<name>/study.yaml``.

    Raises
    ------
    BadInput
        The name is not allowed, the folder or the file is missing, or the file says something that it may not;
        every problem of the file at once, each with its line.
    """
    read = read_study(name, data)
    errors = [problem for problem in read.problems if problem.severity == "error"]
    if errors:
        raise BadInput(errors)
    return read.study


def read_study(name: str, data: Path) -> ReadStudy:
    """Read ``data/<name>/study.yaml`` as far as it can be read.

    Raises
    ------
    BadInput
        The name is not allowed, the file is not there or cannot be read, or it is not YAML.
    """
    document = load_yaml(study_file(name, data), source="study.yaml", within=data / name)
    document = replace(document, content=document.content | overrides())
    content = read_as_far(Study, document, source="study.yaml", stand_ins=STAND_INS | {("study",): name})
    study, problems = content.model, list(content.problems)
    if study.study != name and "study" not in content.left_out:
        message = f"says study: {study.study}, but its folder is {name}: make the two equal"
        problems.append(study_problem(message, document.line("study"), rule="study_name_differs"))
    problems += _events_outside(study, document)
    study = study.model_copy(update={"folder": data / name})
    problems += _unusable_logo(study, document)
    return ReadStudy(study, document, tuple(problems), content.left_out)


def study_file(name: str, data: Path) -> Path:
    """Return the path of a study's file.

    Raises
    ------
    BadInput
        The name is not allowed, or there is no such file.
    """
    if not STUDY_NAME.fullmatch(name):
        raise bad_input(
            name[:80],
            "is not a study's name: use lower-case letters, digits, - and _ (at most 63, the "
            f"first a letter or digit), and no path{_nearest(name, data)}",
            rule="study_name",
        )
    path = data / name / "study.yaml"
    try:
        is_there = path.exists()
    except OSError as error:
        message = f"cannot be read ({error.strerror}); check the permissions of the study's folder"
        raise bad_input(f"{name}/study.yaml", message, rule="unreadable_file") from error
    if not is_there:
        raise bad_input(
            f"{name}/study.yaml",
            f"there is no such file in the data folder {data.name}/; check the study's name and "
            f"--data{_nearest(name, data)}",
            rule="missing_file",
        )
    return path


def _nearest(name: str, data: Path) -> str:
    return did_you_mean(name, [folder.name for folder in study_folders(data) if STUDY_NAME.fullmatch(folder.name)])


# What a key that must be there is taken for while the data are checked and the file is yet to be corrected: such that
# no rule of the data speaks up because of it.
STAND_INS: dict[Location, object] = {
    ("schema_version",): 1,
    ("title",): "",
    ("study_start",): str(FIRST_DAY),
    ("as_of",): str(LAST_DAY),
    ("programs", "name"): "",
    ("programs", "direction"): "peer",
    ("programs", "format"): "pair",
    ("programs", "assignment"): "self_selected",
}


def _unusable_logo(study: Study, document: YamlDocument) -> list[Problem]:
    """Return an error where the logo's file is not there, leads out of the folder, or is too large."""
    if study.brand is None or not study.brand.logo:
        return []
    path, line = study.folder / study.brand.logo, document.line("brand", "logo")
    if leads_out(path, study.folder):
        return [study_problem(f"logo {study.brand.logo}: {LEADS_OUT}", line, rule="leaves_study")]
    if not path.is_file():
        message = f"there is no file {study.brand.logo} in the study's folder; correct the path, or put the logo there"
        return [study_problem(message, line, rule="missing_file")]
    if path.stat().st_size > LARGEST_LOGO:
        message = f"the logo has more than {LARGEST_LOGO // 1000} kB and would stand in every page; give a smaller file"
        return [study_problem(message, line, rule="large_logo")]
    return []


def _events_outside(study: Study, document: YamlDocument) -> list[Problem]:
    """Return a warning for each event that no time axis of the study reaches."""
    message = "the event lies outside study_start to as_of and is not drawn; correct its date, or take it out"
    return [
        study_problem(message, document.line("events", n, "date"), rule="event_outside_study", severity="warning")
        for n, event in enumerate(study.events)
        if not study.study_start <= event.date <= study.as_of
    ]
