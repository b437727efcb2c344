"""The company's own look of its pages: logo, two colours and a line at the end, as study.yaml has them."""

import base64
from pathlib import PurePosixPath

from analysis.plan.study import LOGO_KINDS, Study


def brand_of(study: Study | None) -> dict[str, str] | None:
    """Return a study's look: the logo as a source that needs no file, colours as style, footer; None without."""
    if study is None or study.brand is None:
        return None
    brand = study.brand
    colours = {"--brand": brand.colour, "--brand-accent": brand.accent or brand.colour}
    return {
        "logo": _source(study, brand.logo) if brand.logo else "",
        "style": "; ".join(f"{name}: {colour}" for name, colour in colours.items() if colour),
        "footer": brand.footer,
    }


def _source(study: Study, logo: str) -> str:
    kind, content = LOGO_KINDS[PurePosixPath(logo).suffix.lower()], (study.folder / logo).read_bytes()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
