"""What machines read of a bundle: RO-Crate 1.1 metadata, checksums and a citation file."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

METADATA, SUMS, LICENSE, CITATION = "ro-crate-metadata.json", "SHA256SUMS", "LICENSE.txt", "CITATION.cff"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
# Kinds that are not in every table of kinds.
KINDS = {".ipynb": "application/x-ipynb+json", ".md": "text/markdown", ".yaml": "application/yaml", ".j2": "text/plain"}
KINDS |= {".csv": "text/csv", ".svg": "image/svg+xml", ".py": "text/x-python", ".json": "application/json"}
OTHER_KIND = "application/octet-stream"


def files_in(folder: Path) -> list[str]:
    """Return the path of every file in a folder, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def checksum(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_checksums(folder: Path) -> None:
    """Write the checksums of all files that are there."""
    lines = [f"{checksum(folder / name)}  {name}\n" for name in files_in(folder)]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def write_citation(folder: Path, title: str, study: str, version: str) -> None:
    """Write how the bundle is cited, in the Citation File Format 1.2.0."""
    content = {
        "cff-version": "1.2.0",
        "message": "If you use this package, please cite it, and the software that made it.",
        "type": "dataset",
        "title": title,
        "authors": [{"name": f"The authors of the study {study}"}],
        "references": [
            {
                "type": "software",
                "title": "Mentoring Outcomes",
                "version": version,
                "authors": [{"name": "The Mentoring Outcomes authors"}],
                "license": "MIT",
            }
        ],
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
    (folder / CITATION).write_text(text, encoding="utf-8")


def write_crate(folder: Path, about: Mapping[str, str], report: str) -> None:
    """Write RO-Crate metadata on every file of the bundle.

    Parameters
    ----------
    about
        ``name``, ``description``, ``published`` (a day), and ``version`` of the program.
    report
        The study whose report was made from the data in the bundle.
    """
    graph = [*_root(folder, about, report), *(_file(folder, name) for name in files_in(folder))]
    content = {"@context": f"{SPECIFICATION}/context", "@graph": graph}
    (folder / METADATA).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _root(folder: Path, about: Mapping[str, str], report: str) -> Iterator[dict[str, Any]]:
    """Yield the descriptor, the root with all its files, and the run that made the results from the data."""
    names = files_in(folder)
    yield {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": SPECIFICATION},
    }
    yield {
        "@id": "./",
        "@type": "Dataset",
        "name": about["name"],
        "description": about["description"],
        "datePublished": about["published"],
        "license": {"@id": LICENSE},
        "author": {"@id": "#authors"},
        "publisher": {"@id": "#authors"},
        "hasPart": [{"@id": _id(name)} for name in names],
        "mentions": {"@id": "#run"},
    }
    yield {"@id": "#authors", "@type": "Organization", "name": "The authors of the study"}
    yield {
        "@id": "#program",
        "@type": "SoftwareApplication",
        "name": "Mentoring Outcomes",
        "version": about["version"],
        "softwareVersion": about["version"],
        "url": "program/README.md",
    }
    data = [n for n in names if n.startswith(f"data/{report}/")]
    made = [n for n in names if n.startswith(f"reports/{report}/")]
    yield {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"mentoring report {report}",
        "instrument": {"@id": "#program"},
        "object": [{"@id": _id(name)} for name in data],
        "result": [{"@id": _id(name)} for name in made],
    }


def _file(folder: Path, name: str) -> dict[str, Any]:
    kind = KINDS.get(Path(name).suffix) or guess_type(name)[0] or OTHER_KIND
    size = (folder / name).stat().st_size
    return {"@id": _id(name), "@type": "File", "name": name, "contentSize": str(size), "encodingFormat": kind}


def _id(name: str) -> str:
    """Return a file's path as a relative URI."""
    return quote(name)
