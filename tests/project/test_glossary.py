"""One word per thing: phrases that the glossary retired stand in no message, page, notebook or document."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "GLOSSARY.md", "data/README.md", "data/hypotheses.yaml")
DOCUMENTS += ("docs/your_data.md", "docs/reading_a_report.md", "docs/notebooks.md", "docs/many_companies.md")
DOCUMENTS += ("docs/reviewers.md",)

# What is not said any more (a pattern, whatever its case) → what is said.
RETIRED = {
    r"by lot\b|\b(re-drawn|drew|draw|drawn|drawing( the)?) lots\b|\blots (were|are) drawn": "randomized, at random",
    r"\bmend(s|ed|ing)?\b": "correct, fix",
    r"leaves? out no difference": "excludes zero",
    r"\bat the door\b": "dropped as personal data",
    r"only written otherwise": "reformatted only",
    r"is nobody employed on|is nobody('s)? in the employees": "no employee with this … was employed on",
    r"would be somebody": "matches no employee; adding leading zeros would match",
    r"is no name for a study": "is not a valid study name",
    r"where nothing is known yet": "is after as_of, the end of the data",
    r"worth having": "smallest effect of interest",
    r"alike in what was recorded: the answer": "Adjusted for recorded differences (main estimate)",
    r"each way to make the answer": "Alternative specifications",
    r"trends had parted": "If trends had diverged",
    r"with how much of it": "By age, tenure, timing and dose",
    r"half as large it would more often": "it would probably have missed an effect half that size",
    r"\b(he|his|him|himself)\b": "they, or the role",
}


def retired_in(text: str) -> list[str]:
    """Return the retired phrases that a text holds; a line's end counts as a space."""
    plain = re.sub(r"\s+", " ", text)
    return [found[0] for pattern in RETIRED for found in re.finditer(pattern, plain, re.IGNORECASE)]


def messages(source: str) -> Iterator[str]:
    """Yield the texts in a module that somebody may be shown: no docstring, and of an f-string what is fixed."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def texts() -> Iterator[tuple[str, str]]:
    """Yield what is read by people, and where it stands."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for message in messages(path.read_text(encoding="utf-8")):
            if " " in message:  # a single word is a name
                yield str(path.relative_to(ROOT)), message
    for path in sorted((ROOT / "src").rglob("*.j2")):
        yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            shown = [cell.source] if cell.cell_type == "markdown" else list(messages(cell.source))
            for output in cell.get("outputs", ()):
                data = output.get("data", {"text/plain": output.get("text", "")})
                shown += [text for kind, text in data.items() if kind in ("text/plain", "text/html", "text/markdown")]
            yield from ((path.name, text) for text in shown)
    for name in DOCUMENTS:
        yield name, (ROOT / name).read_text(encoding="utf-8")


def test_no_retired_phrase_is_said():
    assert [(where, phrase) for where, text in texts() for phrase in retired_in(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "Places were drawn by lot.", "within which lots were drawn", "re-drawn lots", "mend it",
        "The interval leaves out no difference",
        "Dropped at the door: Comment", "only written\notherwise", "manager_id is nobody employed on effective_date",
        "employee_id is nobody, but would be somebody with zeros", "is no name for a study",
        "lies after as_of, where nothing is known yet", "the smallest effect worth\n  having",
        "Alike in what was recorded: the answer", "Each way to make the answer, in numbers", "If trends had parted",
        "For whom, when, and with how much of it?", "one half as large it would more often have missed",
        "when he starts",
    ],
)  # fmt: skip
def test_a_retired_phrase_is_found(text):
    assert retired_in(text)


def test_messages_are_told_from_docstrings_and_joined():
    source = '"""By lot."""\ndef f(x):\n    """His."""\n    return f"worth {x}having" "it"\n'
    assert list(messages(source)) == ["worth havingit", "worth ", "havingit"]


def test_every_verdict_and_grade_is_in_the_glossary():
    glossary = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    for word in ("supported", "harmful", "negligible", "no benefit", "inconclusive", "passed", "caution", "failed"):
        assert word in glossary


# Names in code that were retired → what the thing is called.
RETIRED_NAMES = {
    "way_in": "enrolment_funnel",
    "Recount": "WeightedRefit",
    "reweigh": "refit_weights",
    "hurdles": "competing_starts",
    "among_asked": "nonresponse",
    "silence_of": "nonresponse",
    "Wishes": "InitOptions",
    "ReadingRoom": "StudyView",
    "reading_room": "study_view",
    "hidden_cause": "e_value",
    "ways_picture": "robustness_plot",
    "HEART": "REQUIRED_COLUMN",
    "STAND": "SOURCE_COLUMNS",
}


@pytest.mark.parametrize("name", RETIRED_NAMES)
def test_a_retired_name_is_in_no_code(name):
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "tests").rglob("*.py")]
    own = Path(__file__)
    assert not [f.name for f in files if f != own and re.search(rf"\b{name}\b", f.read_text(encoding="utf-8"))]
