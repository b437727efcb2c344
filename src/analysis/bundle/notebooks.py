"""Executed notebooks as pages that load nothing from anywhere."""

from pathlib import Path

import nbformat
from nbconvert import HTMLExporter


def write_as_html(folder: Path) -> None:
    """Write beside each notebook of a folder the page that it is."""
    exporter = HTMLExporter(exclude_anchor_links=True, embed_images=True)
    for name in exporter.traits():  # addresses that a browser would load scripts from
        if name.endswith("_url"):
            setattr(exporter, name, "")
    for path in sorted(folder.glob("*.ipynb")):
        body, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4), {"metadata": {"name": path.stem}})
        path.with_suffix(".html").write_text(body, encoding="utf-8")
