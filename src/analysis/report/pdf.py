"""The full report as one PDF, from its pages as they are: no browser and no LaTeX."""

import importlib
import re
from collections.abc import Mapping
from html import unescape
from pathlib import PurePosixPath

FILE = "report.pdf"
ID, HREF = re.compile(r'\bid="([^"]*)"'), re.compile(r'<a\b([^>]*?)\bhref="([^"]*)"')
# A part of the report begins on a new sheet; what a screen needs, and paper does not, is left out.
NOT_ON_PAPER = re.compile(r"<script>.*?</script>|<source\b[^>]*>|<nav\b.*?</nav>", re.DOTALL)
MISSING = (
    "--pdf needs WeasyPrint: install it with pip install 'mentoring-outcomes[pdf]' and, where it is not there yet, the "
    "library Pango (on Debian or Ubuntu: apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)"
)


def can_make_pdf() -> bool:
    """Whether WeasyPrint and the libraries that it needs are installed."""
    try:
        importlib.import_module("weasyprint")
    except (ImportError, OSError):
        return False
    return True


def pdf_of(pages: Mapping[str, str]) -> bytes:
    """Return the pages of a report as one PDF, in their order; links between them lead from part to part.

    Parameters
    ----------
    pages
        HTML by file name.
    """
    from weasyprint import HTML

    documents = [HTML(string=_as_part(file, page, pages)).render() for file, page in pages.items()]
    sheets = [sheet for document in documents for sheet in document.pages]
    return documents[0].copy(sheets).write_pdf()


def _as_part(file: str, page: str, pages: Mapping[str, str]) -> str:
    """Return a page whose ids are told apart from those of other parts, and whose links stay within the PDF."""
    stem = PurePosixPath(file).stem
    parted = ID.sub(lambda found: f'id="{stem}--{found[1]}"', NOT_ON_PAPER.sub("", page))

    def link(found: re.Match) -> str:
        to, _, anchor = unescape(found[2]).partition("#")
        if to and to not in pages:
            return f"<a{found[1]}"
        return f'<a{found[1]} href="#{PurePosixPath(to or file).stem}--{anchor or "top"}"'

    return HREF.sub(link, parted)
