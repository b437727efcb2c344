"""Figures by name, shown in a notebook or saved as a file."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from IPython.display import display

from analysis.plan.errors import bad_input
from analysis.release.answer import Released
from analysis.report.canvas import Drawing
from analysis.report.pictures import (
    EVIDENCE,
    Pictures,
    described_pictures,
    measured_pictures,
    possible_pictures,
    scales_picture,
    slug,
)
from analysis.report.quality_page import quality_pictures

# What the field calls a figure, by the function that draws it → its kind here.
ALSO_CALLED = {one.draw.__name__: kind for kind, one in EVIDENCE.items()}
COLUMNS = ("figure", "kind", "program", "role", "hypothesis")


@dataclass(frozen=True)
class Figures:
    """One figure or several of a kind, drawn when they are shown or saved.

    Attributes
    ----------
    pictures
        Name → how it is drawn.
    """

    pictures: Pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Drawing]:
        return (draw() for draw in self.pictures.values())

    def __repr__(self) -> str:
        return f"Figures: {', '.join(self.pictures)}"

    def _ipython_display_(self) -> None:
        for drawing in self:
            display(drawing)

    def save(self, path: str | Path) -> list[Path]:
        """Write each figure to a file whose ending says how: .svg, .png or .pdf. Return the files.

        Of several figures each file has its name after the one that is given: ``love.svg`` becomes
        ``love-genius-mentor-H1_retention-balance.svg``, and so on.

        Raises
        ------
        BadInput
            The ending is another one, or the file cannot be written.
        """
        path = Path(path)
        if path.suffix not in FORMATS:
            raise bad_input(str(path), f"must end in {', '.join(FORMATS)}", rule="parameters")
        drawn = {name: FORMATS[path.suffix](draw()) for name, draw in self.pictures.items()}
        files = {path if len(drawn) == 1 else path.with_stem(f"{path.stem}-{name}"): c for name, c in drawn.items()}
        try:
            for file, content in files.items():
                file.write_bytes(content)
        except OSError as error:
            raise bad_input(str(path), f"cannot be written ({error.strerror})", rule="unwritable_folder") from None
        return list(files)


def _svg(drawing: Drawing) -> bytes:
    return drawing.svg.encode()


def _pdf(drawing: Drawing) -> bytes:
    buffer = io.BytesIO()
    drawing.figure().savefig(buffer, format="pdf", metadata={"CreationDate": None})
    return buffer.getvalue()


FORMATS = {".svg": _svg, ".png": Drawing.png, ".pdf": _pdf}


def all_figures(released: Released) -> dict[str, tuple[Mapping[str, str], Pictures]]:
    """Return every figure of a study by name: what it is about (`COLUMNS`), and how it is drawn."""
    found: dict[str, tuple[Mapping[str, str], Pictures]] = {}
    for finding in released.findings:
        about = {"program": finding.program, "role": finding.role, "hypothesis": finding.hypothesis}
        for kind, draw in possible_pictures(finding, released.study).items():
            name = f"{slug(finding)}-{kind}"
            found[name] = ({"figure": name, "kind": kind} | about, {name: draw})
    of_study = described_pictures(released) | measured_pictures(released) | quality_pictures(released)
    for name, draw in (of_study | scales_picture(released)).items():
        found[name] = ({"figure": name, "kind": name}, {name: draw})
    return found
