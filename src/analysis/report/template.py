"""Templates: facts in, a page or a sentence out. The words of all reports are in the folder of their language."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, UndefinedError

from analysis.report.wording import FILTERS, NBSP

TEMPLATES = Path(__file__).parent / "templates"
LANGUAGE = "en"
# Style sheet and scripts, which are written into the pages.
WRITTEN_IN = {"style": "style.css", "tables_script": "tables.js", "index_script": "index.js"}
# A sentence's lines may end anywhere; one that begins with a point or a comma goes on without a blank.
BEFORE_POINT, BREAK = re.compile(r"[ \n]*\n[ \n]*(?=[.,;:)])"), re.compile(r"[ \n]+")
EMPTY_LINES = re.compile(r"\n[ \n]*\n")
ITEM = re.compile(r"^ *- ", re.MULTILINE)


@cache
def environment(is_html: bool) -> Environment:
    """Return what pages are made with, which escapes whatever is put in, or sentences, which are plain text."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES / LANGUAGE),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=is_html,
        lstrip_blocks=True,
        finalize=None if is_html else _put_in,
    )
    made.filters |= FILTERS
    # In a test of being nothing, or the same, a missing fact would be no error, but something else.
    made.tests["none"] = _is_none
    del made.tests["sameas"]
    made.globals |= {"language": LANGUAGE, "nbsp": NBSP, "no_words_for": _no_words_for}
    return made


def read_all() -> None:
    """Read every template now, so that processes that are forked from this one find them read."""
    pages, sentences = environment(is_html=True), environment(is_html=False)
    for name in pages.list_templates(extensions=["j2"]):
        pages.get_template(name)
        if not name.endswith(".html.j2"):
            sentences.get_template(name)


def _is_none(value: object) -> bool:
    if isinstance(value, Undefined):
        raise UndefinedError(f"{value._undefined_name!r} is not there")
    return value is None


def _put_in(value: object) -> object:
    """Return what stands in a sentence for a value, without the line breaks around a macro.

    Nothing stands for a value that is not there, nor does a fraction as it is: a filter gives it decimals and a unit.
    """
    if value is None or isinstance(value, float):
        raise UndefinedError(f"a sentence cannot hold {value!r}")
    return value.strip("\n") if isinstance(value, str) else value


def _no_words_for(case: object) -> str:
    raise UndefinedError(f"no sentence is written for {case!r}")


def render(template: str, values: Mapping[str, object]) -> str:
    """Return a page from one of the templates; style sheet and scripts are written into it."""
    parts = {name: (TEMPLATES / file).read_text(encoding="utf-8") for name, file in WRITTEN_IN.items()}
    return environment(is_html=True).get_template(template).render(**parts, **values)


def render_text(template: str, values: Mapping[str, object]) -> str:
    """Return a page that is plain text, such as Markdown; of empty lines one at most stands between others."""
    text = environment(is_html=False).get_template(template).render(**values)
    return EMPTY_LINES.sub("\n\n", text).strip() + "\n"


def say(sentence: str, *facts: object) -> str:
    """Return what a macro says of these facts, as plain text in one line: ``say("verdict.in_short", facts)``."""
    return _one_line(_said(sentence, facts))


def say_each(sentences: str, *facts: object) -> list[str]:
    """Return the sentences of a macro that lists them: each begins with a hyphen on a line of its own."""
    return [_one_line(item) for item in ITEM.split(_said(sentences, facts))[1:]]


def _said(name: str, facts: tuple[object, ...]) -> str:
    topic, _, macro = name.partition(".")
    return str(getattr(environment(is_html=False).get_template(f"{topic}.j2").module, macro)(*facts))


def _one_line(text: str) -> str:
    return BREAK.sub(" ", BEFORE_POINT.sub("", text)).strip(" ")
