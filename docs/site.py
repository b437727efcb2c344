"""The site's pages: every document where it lies in the project, what these link to, and a page of functions a room."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)\s#:]+)(?:#[^)]*)?\)")


def documents(nav: list) -> list[str]:
    """Return the documents that the site's contents name."""
    entries = [entry for item in nav for entry in (item.values() if isinstance(item, dict) else [item])]
    return [name for entry in entries for name in (documents(entry) if isinstance(entry, list) else [entry])]


def linked(document: Path) -> set[str]:
    """Return the files in the project that a document links to."""
    found = {(document.parent / path).resolve() for path in LINK.findall(document.read_text(encoding="utf-8"))}
    return {path.relative_to(ROOT).as_posix() for path in found if path.is_file()}


def rooms() -> list[str]:
    """Return the packages of `src/analysis`."""
    return sorted(path.parent.name for path in (ROOT / "src/analysis").glob("*/__init__.py"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put a page a room into the contents."""
    contents = config.nav or []
    contents[-1] = {"API": [f"api/{name}.md" for name in rooms()]}
    config.nav = contents
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Return the site's files: those of the project, at the paths that they have there."""
    pages = {name for name in documents(config.nav or []) if not name.startswith("api/")}
    others = set().union(*(linked(ROOT / name) for name in pages)) - pages
    theirs = [file for file in files if file.src_dir != config.docs_dir]
    own = [File.generated(config, name, abs_src_path=str(ROOT / name)) for name in sorted(pages | others)]
    made = [File.generated(config, f"api/{name}.md", content=f"# {name}\n\n::: analysis.{name}\n") for name in rooms()]
    return Files([*theirs, *own, *made])
