"""Executed notebooks as pages, for those without Jupyter: self-contained, in the look of a study's pages."""

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.plan.faults import Part, isolated
from analysis.plan.study import Study
from analysis.report.notebook_files import nbformat
from analysis.report.sections import brand_of, svg_source
from analysis.report.template import render

if TYPE_CHECKING:
    from nbconvert import HTMLExporter

TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
# Headings repeat from role to role, and an id must not.
HEADING_ID = re.compile(r'(<h[1-6]) id="[^"]*"')
# What may be wider than the screen scrolls by itself, also with the keyboard.
SCROLLS = re.compile(r'<(pre|div class="output_html[^"]*")>')
PICTURE, SVG = "Picture: ", "image/svg+xml"


def write_notebook_pages(folder: Path, study: Study) -> None:
    """Write a page beside every executed notebook of a report, and a list of them.

    Parameters
    ----------
    folder
        The report's folder of notebooks.
    """
    from nbconvert import HTMLExporter
    from nbconvert.filters import Highlight2HTML
    from nbconvert.filters.widgetsdatatypefilter import WidgetsDataTypeFilter

    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True, optimistic_validation=True)
    exporter.register_filter("highlight_code", Highlight2HTML(pygments_lexer="ipython3"))
    exporter.register_filter("filter_data_type", WidgetsDataTypeFilter({}))
    about = {"study": study, "brand": isolated(Part("section", "brand"), lambda: brand_of(study), lambda _: None)}
    listed = []
    for path in sorted(folder.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        title = next((found[1] for cell in notebook.cells if (found := TITLE.search(cell.source))), path.stem)
        page = about | {"title": title, "file": path.name, "body": _body(notebook, exporter)}
        path.with_suffix(".html").write_text(render("notebook.html.j2", page), encoding="utf-8")
        listed.append((path.with_suffix(".html").name, path.name, title))
    page = about | {"title": "Notebooks", "file": "", "notebooks": listed}
    (folder / "index.html").write_text(render("notebooks.html.j2", page), encoding="utf-8")


def _body(notebook: nbformat.NotebookNode, exporter: "HTMLExporter") -> str:
    """Return a notebook's cells as HTML, its pictures with what they show for those who cannot see it."""
    from nbconvert import TemplateExporter

    for output in (output for cell in notebook.cells for output in cell.get("outputs", ())):
        data = output.get("data", {})
        if SVG in data:
            alt = escape(data.get("text/plain", "").removeprefix(PICTURE))
            output.data = nbformat.from_dict({"text/html": f'<img src="{svg_source(data[SVG])}" alt="{alt}">'})
    # HTMLExporter's own method would parse the whole page anew, to find pictures that nobody has described.
    body, _ = TemplateExporter.from_notebook_node(exporter, notebook)
    body = body.replace("<th></th>", "<td></td>").replace(' border="1"', "")
    return SCROLLS.sub(r'<\1 tabindex="0">', HEADING_ID.sub(r"\1", body))
