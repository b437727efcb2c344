"""Whether every link of a folder of pages leads somewhere: to a file that is there, and to a place in it."""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINK = re.compile(r'<(?:a|img|source|script|link)\b[^>]*?\b(?:href|src|srcset)="([^"]*)"')
ID = re.compile(r'\bid="([^"]*)"')


def dead_links(folder: Path) -> list[str]:
    """Return the links of all pages in a folder that lead nowhere, or out of the machine, with their page."""
    ids = cache(lambda path: {unescape(found) for found in ID.findall(path.read_text(encoding="utf-8"))})
    return [
        f"{page.relative_to(folder)}: {link}"
        for page in sorted(folder.rglob("*.html"))
        for link in links(page)
        if not _leads_somewhere(link, page, ids)
    ]


def links(page: Path) -> Iterator[str]:
    """Yield the links of a page, each once, but for pictures that are written into it."""
    found = dict.fromkeys(unescape(link) for link in LINK.findall(page.read_text(encoding="utf-8")))
    yield from (link for link in found if not link.startswith("data:image/"))


def _leads_somewhere(link: str, page: Path, ids) -> bool:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    path = page.parent / unquote(parts.path) if parts.path else page
    return path.is_file() and (not parts.fragment or unquote(parts.fragment) in ids(path.resolve()))
