"""What is drawn already in this process and those forked from it: SVG and alternative text, by what it was drawn of.

Apart from what draws, so that whoever only passes it on does not import matplotlib.
"""

DRAWN: dict[bytes, tuple[str, str]] = {}
