"""Whether a report came out whole: every picture, page, ledger and notebook, without a warning or a "nan"."""

import ast
import html
import io
import json
import re
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
from page_numbers import page_complaints
from picture_texts import cut_off

from analysis.answers.shared import shared
from analysis.estimate import answer_lottery, event_study, protocol_rows, randomized_score, sensitivity
from analysis.notebook import choosing, figures, opening, progress, showing
from analysis.pipeline import answer, open_study
from analysis.plan.errors import BadInput
from analysis.plan.faults import Faults, collecting
from analysis.plan.results import ESTIMATE_NUMBERS, estimates_frame
from analysis.release.answer import Released
from analysis.report import page, quality_page, sections
from analysis.report.canvas import Drawing
from analysis.report.execute import declared_parameters, notebook_runs, notebooks_of_reports

FAULT = "fault in this program"
# Modules through which a cell displays something.
DISPLAYING = (choosing, figures, opening, progress, showing)
# What a number that is none looks like in print. "None of them" is English.
NO_NUMBER = re.compile(r"(?<![\w-])(?:nan|NaN|NaT|<NA>|[-−+]?inf|None(?! of\b))(?![\w-])")
# How often a report draws; an odd study goes wrong with few draws as with many.
FEWER_DRAWS = {
    (randomized_score, "N_DRAWS"): 200,
    (answer_lottery, "N_DRAWS"): 200,
    (event_study, "N_DRAWS"): 200,
    (protocol_rows, "N_PLACEBOS"): 2,
    (protocol_rows, "N_REPETITIONS"): 10,
    (sensitivity, "N_IMPUTATIONS"): 2,
}


def complaints(name: str, data: Path, notebooks: bool = False) -> list[str]:
    """Return what is wrong with the report of a study; empty where it came out whole.

    Parameters
    ----------
    data
        The folder of the study's folder.
    notebooks
        Run the code of every notebook, too, in this process.
    """
    found: list[str] = []
    try:
        with _loudly():
            opened = open_study(name, data)
    except BadInput as bad:
        return [f"not a legal study: {problem}" for problem in bad.problems if problem.severity == "error"]
    except Exception:  # noqa: BLE001  (whatever it is, it is what is looked for)
        return [f"open_study: {_last_frames()}"]
    with collecting(Faults(name)) as faults:
        released = _tried("answer", lambda: answer(opened), found)
        if released is not None:
            found += ledger_complaints(released)
            found += _page_complaints(released)
    found += [str(fault) for fault in faults.found]
    if notebooks and released is not None:
        found += notebook_complaints(name, data, released)
    return found


def _page_complaints(released: Released) -> list[str]:
    """Return what is wrong with the pages of a study and the pictures on them."""
    found: list[str] = []
    with _read_images(found):
        pages = _tried("study_pages", lambda: page.study_pages(released), found) or {}
        on_data = _tried("quality_page", lambda: quality_page.quality_page(released), found) or ""
        for what, text in (pages | {"quality_page": on_data}).items():
            found += [f"{what}: {said}" for said in text_complaints(page_text(text))]
        found += page_complaints(pages, released.findings)
    return found


@contextmanager
def few_draws() -> Iterator[None]:
    """Let reports draw as little as `FEWER_DRAWS` says."""
    with ExitStack() as stack:
        for (module, name), n in FEWER_DRAWS.items():
            stack.enter_context(patched(module, name, n))
        yield


def _tried(what: str, make: Callable[[], object], found: list[str]) -> object:
    """Return what `make` makes; where it fails or warns, that is added to `found`, and None returned."""
    try:
        with _loudly():
            return make()
    except Exception:  # noqa: BLE001  (whatever it is, it is what is looked for)
        found.append(f"{what}: {_last_frames()}")
        return None


@contextmanager
def _loudly() -> Iterator[None]:
    """Every warning is an error; so is what NumPy would say of a division by zero."""
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        yield


def _last_frames() -> str:
    """Return the last lines of our own code that an exception passed, and what it said."""
    lines = [line.strip() for line in traceback.format_exc().splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("File") and "/src/analysis/" in line]
    where = " < ".join(
        re.sub(r'File ".*/src/analysis/(.*)", line (\d+), in (\w+)', r"\1:\2 \3", x) for x in ours[:-4:-1]
    )
    return f"{lines[-1][:200]} [{where}]"


@contextmanager
def _read_images(found: list[str]) -> Iterator[None]:
    """Look at every text in the pictures for the pages of this process."""

    def looked_at(drawing: Drawing) -> dict[str, str]:
        narrow = drawing.narrow()
        cut = [f"{text!r} is cut off" for svg in (drawing.svg, narrow) if svg for text in cut_off(svg)]
        found.extend(f"picture {drawing.alt[:40]!r}: {said}" for said in [*text_complaints(seen(drawing)), *cut])
        return {"src": "", "narrow": "", "least": 0, "alt": drawing.alt, "origin": None}

    with ExitStack() as stack:
        for module in (page, sections, quality_page):
            if hasattr(module, "image"):
                stack.enter_context(patched(module, "image", looked_at))
        yield


def page_text(page: str) -> str:
    """Return what a reader sees of a page."""
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", page, flags=re.DOTALL)
    alts = " ".join(re.findall(r'alt="([^"]*)"', shown))
    return html.unescape(re.sub(r"<[^>]+>", " ", shown) + " " + alts)


def text_complaints(text: str) -> list[str]:
    """Return where a text shows a number that is none, or a fault of the program."""
    found = [m.start() for m in NO_NUMBER.finditer(text)] + [m.start() for m in re.finditer(FAULT, text)]
    return [f"shows {' '.join(text[max(0, at - 60) : at + 40].split())!r}" for at in found[:3]]


def ledger_complaints(released: Released) -> list[str]:
    """Return which questions were neither answered nor refused with a reason."""
    found = []
    for finding in released.findings:
        if not finding.verdict or not finding.primary.status:
            found.append(f"{finding.hypothesis} of {finding.program}, {finding.role}: no verdict")
    rows = [row for finding in released.findings for row in (finding.primary, *finding.alternatives)]
    for row in rows:
        about = f"{row.hypothesis} {row.program} {row.role} {row.estimator} {row.measure}"
        if row.is_estimated:
            numbers = [getattr(row, name) for name in ESTIMATE_NUMBERS]
            if not all(number is None or np.isfinite(number) for number in numbers):
                found.append(f"{about}: a number that is none among {numbers}")
        elif not row.reason or FAULT in row.reason or NO_NUMBER.search(row.reason):
            found.append(f"{about}: {row.status} because {row.reason!r}")
    for finding in released.findings:
        found += [
            f"{finding.hypothesis} {finding.role}, check {check.name}: {check.sentence!r}"
            for check in finding.checks
            if NO_NUMBER.search(check.sentence) or FAULT in check.sentence
        ]
    estimates_frame(rows)
    return found + question_complaints(released)


def question_complaints(released: Released) -> list[str]:
    """Return which hypotheses of which programs have no finding."""
    found = {(f.program, f.hypothesis) for f in released.findings}
    study = released.study
    always = ("H1_retention", "H2_morale", "H3_leadership", "H8_promotion", "H9_economics")
    asked = [(program.id, hypothesis) for program in study.programs for hypothesis in always]
    return [
        f"no finding on {hypothesis} of {program}"
        for program, hypothesis in asked
        if (program, hypothesis) not in found
    ]


def notebook_complaints(name: str, data: Path, released: Released) -> list[str]:
    """Return what is wrong with the notebooks on a study, their code run in this process."""
    scales = {f.hypothesis for f in released.findings if f.primary.status != "not_estimable"}
    found = []
    for book in notebooks_of_reports():
        for path, output, given in notebook_runs(book, name, scales):
            found += [f"{output} {said}" for said in _run(path, given | {"data": str(data)}, released)]
    return found


def _run(book: Path, given: dict, released: Released) -> list[str]:
    """Run a notebook's cells with parameters, without a kernel; return what failed or shows what it should not."""
    declared = declared_parameters(book)
    cells = [c for c in json.loads(book.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    sources = enumerate("".join(cell["source"]) for cell in cells)
    found: list[str] = []
    with shared(released):
        for number, source in sources:
            if not all(f"{name} = " in source for name in declared):
                told = _tried(f"cell {number}", partial(_cell_text, source, given), found)
                found += [f"cell {number} {said}" for said in text_complaints(str(told or ""))]
    return found


def _cell_text(source: str, namespace: dict) -> str:
    """Run a cell and return what a reader sees of its output; names that it sets stay in the namespace."""
    out: list[str] = []
    *before, last = ast.parse(source).body
    is_value = isinstance(last, ast.Expr)
    with ExitStack() as stack:
        for module in DISPLAYING:
            stack.enter_context(patched(module, "display", lambda what: out.append(seen(what))))
        printed = stack.enter_context(redirect_stdout(io.StringIO()))
        exec(compile(ast.Module(before if is_value else [*before, last], []), "cell", "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace) if is_value else None
        if value is not None:
            out.append(seen(value))
    return " ".join([printed.getvalue(), *out])


def seen(what: object) -> str:
    """Return what a reader sees of something displayed: a picture, a table, a text."""
    if isinstance(what, Drawing):
        return " | ".join(html.unescape(text) for text in re.findall(r"<text [^>]*>(.*?)</text>", what.svg))
    if hasattr(what, "_repr_html_"):
        return page_text(what._repr_html_())
    return str(getattr(what, "data", what))


def shown(data: Mapping[str, str]) -> str:
    """Return what a reader sees of the output of an executed notebook's cell."""
    if "text/html" in data:
        return page_text(data["text/html"])
    return str(data.get("text/markdown", data.get("text/plain", "")))


@contextmanager
def patched(module: ModuleType, name: str, value: object) -> Iterator[None]:
    """Let a module's name stand for something else for a while."""
    usual = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, usual)
