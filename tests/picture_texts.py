"""Where the texts of a picture stand."""

import re
from xml.etree import ElementTree

# Points by which a text may stand over the edge: less than anybody sees.
LEEWAY = 1.0
BEFORE = {"start": 0.0, "middle": 0.5, "end": 1.0}


def cut_off(svg: str) -> list[str]:
    """Return the texts of a picture that do not lie in it from end to end; those that are turned are passed over."""
    root = ElementTree.fromstring(svg)
    width, height = (float(size) for size in root.attrib["viewBox"].split()[2:])
    found = []
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        told, length = text.attrib, float(text.attrib["textLength"])
        if "rotate" in told.get("transform", ""):
            continue
        moved = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", told.get("transform", ""))
        x, y = (float(told.get(name, 0)) + (float(moved[n]) if moved else 0) for n, name in ((1, "x"), (2, "y")))
        left = x - BEFORE[told.get("text-anchor", "start")] * length
        if left < -LEEWAY or left + length > width + LEEWAY or not -LEEWAY <= y <= height + LEEWAY:
            found.append(text.text or "")
    return found
