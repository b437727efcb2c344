"""Executed notebooks as pages that load nothing from anywhere."""

from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

# Addresses that nbconvert would have a browser load scripts from.
FROM_ELSEWHERE = ("mathjax_url", "require_js_url", "jquery_url", "mermaid_js_url", "html_manager_semver_range")


def write_as_html(folder: Path) -> None:
    """Write beside each notebook of a folder the page that it is."""
    exporter = HTMLExporter(exclude_anchor_links=True, embed_images=True)
    for name in FROM_ELSEWHERE:
        if name in exporter.traits():
            setattr(exporter, name, "")
    for path in sorted(folder.glob("*.ipynb")):
        body, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4), {"metadata": {"name": path.stem}})
        path.with_suffix(".html").write_text(body, encoding="utf-8")
