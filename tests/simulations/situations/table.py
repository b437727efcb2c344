"""The README's table: every situation with the code before and with the code now."""

from pathlib import Path

import pandas as pd

from simulations.situations.registry import SITUATIONS
from simulations.situations.world import Situation

HERE = Path(__file__).parent
BEGIN, END = "<!-- table: made by `make simulations`, not by hand -->", "<!-- end of table -->"
LEAST_COVERAGE, MOST_COVERAGE = 0.93, 0.975
# Fewer studies say too little to be held against a bar.
LEAST_STUDIES = 500
HEADER = [
    "| situation | before: bias | coverage | now: studies | estimated | truth | bias ± MC error | SD | mean SE "
    "| coverage | not 0 | bar |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
]


def result(folder: str, chosen: Situation) -> pd.Series | None:
    """Return a situation's committed figures (`summary` in ``__main__``); None where it has not been made."""
    path = HERE / folder / f"{chosen.name}.csv"
    return pd.read_csv(path).iloc[0] if path.exists() else None


def passes(chosen: Situation, found: pd.Series) -> bool:
    """Return whether the answer is right: refused where it must be, else unbiased with intervals that hold the truth.

    Bias under a tenth of the standard deviation or within 3 Monte-Carlo errors of zero; coverage at least the least,
    and at most the most where the situation asks for that.
    """
    if chosen.is_refused:
        return bool(found["n_estimated"] <= 0.01 * found["n_studies"])
    is_unbiased = abs(found["bias"]) <= max(found["sd"] / 10, 3 * found["bias_mc_error"])
    is_too_wide = chosen.is_too_wide_a_fault and found["coverage"] > MOST_COVERAGE
    return bool(is_unbiased and found["coverage"] >= LEAST_COVERAGE and not is_too_wide)


def table() -> str:
    """Return every situation as a row of a Markdown table, with what is special about it below."""
    lines = list(HEADER)
    for chosen in SITUATIONS:
        before, now = result("results_before", chosen), result("results", chosen)
        lines.append(f"| `{chosen.name}` | {_before(before)} | {_now(chosen, now)} |")
    return "\n".join([*lines, "", *(f"- `{s.name}`: {s.about}" for s in SITUATIONS)])


def _before(found: pd.Series | None) -> str:
    if found is None:
        return "not made | "
    if found["n_estimated"] == 0:
        return "not estimable | "
    return f"{found['bias']:+.4f} | {found['coverage']:.3f}"


def _now(chosen: Situation, found: pd.Series | None) -> str:
    if found is None:
        return "not made |  |  |  |  |  |  |  | "
    bar = "passed" if passes(chosen, found) else "**failed**"
    if found["n_studies"] < LEAST_STUDIES:
        bar = "too few studies"
    sizes = f"{found['n_studies']:.0f} | {found['n_estimated']:.0f} | {found['truth']:+.4f}"
    if found["n_estimated"] <= 0.01 * found["n_studies"]:
        return f"{sizes} | refused |  |  |  |  | {bar}"
    return (
        f"{sizes} | {found['bias']:+.4f} ± {found['bias_mc_error']:.4f} | {found['sd']:.4f} | {found['mean_se']:.4f} "
        f"| {found['coverage']:.3f} | {found['excludes_zero']:.3f} | {bar}"
    )


def write_readme() -> None:
    """Replace what stands between the marks of ``README.md`` by the table."""
    path = HERE / "README.md"
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}", encoding="utf-8")
