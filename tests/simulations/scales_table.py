"""The README's tables of the scales' study, made from the results of every world that there are."""

from pathlib import Path

import pandas as pd

from simulations.scales_summary import positives_are_nominal
from simulations.scales_worlds import BAND, HONEST, PRE_TREND, WORLDS, World
from simulations.summary import NOMINAL, bias_is_small, coverage_is_nominal
from simulations.table import replace_between

BEGIN, END = "<!-- scales: made by `make simulations`, not by hand -->", "<!-- end of scales -->"
LIMITS_ALONE = (BAND, PRE_TREND, HONEST)


def results_path(world: World) -> Path:
    """Return the file that holds a world's results."""
    return Path(__file__).parent / "scale_results" / f"{world.name}.csv"


def committed_results() -> pd.DataFrame:
    """Return the results of every world that has been made, in the order of the worlds."""
    return pd.concat([pd.read_csv(results_path(w)) for w in WORLDS if results_path(w).exists()], ignore_index=True)


def write_readme(folder: Path) -> None:
    """Replace what stands between the marks of ``README.md`` by the tables of the results."""
    replace_between(folder / "README.md", BEGIN, END, tables(committed_results()))


def tables(results: pd.DataFrame) -> str:
    """Return the worlds, what missed its bar and every row of the results, as Markdown."""
    parts = [
        so_far(results),
        "#### The worlds",
        worlds(),
        "#### Where the bar was missed although the assumptions hold",
        missed(results),
        "#### Every world",
        every_world(results),
    ]
    return "\n\n".join(parts) + "\n"


def so_far(results: pd.DataFrame) -> str:
    """Return how many worlds and rows there are, and which worlds are missing."""
    there = set(results["scenario"])
    missing = [f"`{world.name}`" for world in WORLDS if world.name not in there]
    held = results[results["assumptions_hold"] & results["passes_bar"].notna()]
    passed = held["passes_bar"].astype(str) == "True"
    text = f"{len(there)} of {len(WORLDS)} worlds; where assumptions hold, {passed.sum()} of {len(held)} rows passed."
    return text + (f" **Not made yet:** {', '.join(missing)}." if missing else "")


def worlds() -> str:
    """Return what is special about each world, and whose assumptions hold in it."""
    lines = ["| world | what is special | effect | assumptions hold for |", "| --- | --- | ---: | --- |"]
    for world in WORLDS:
        holds = ", ".join(f"`{name}`" for name in sorted(world.holds)) or "**none**"
        lines.append(f"| `{world.name}` | {world.about} | {world.effect:+.1f} | {holds} |")
    return "\n".join(lines).replace("+0.0", "0")


def missed(results: pd.DataFrame) -> str:
    """Return the rows that should have passed and did not, by what they missed."""
    rows = results[results["assumptions_hold"] & (results["passes_bar"].astype(str) == "False")]
    if rows.empty:
        return "Nowhere."
    lines = [
        "| world | estimator | bias / SD | coverage | p < .05 | missed |",
        "| --- | --- | ---: | ---: | ---: | --- |",
    ]
    for row in rows.to_dict("records"):
        numbers = f"{row['bias'] / row['empirical_sd']:+.2f} | {row['coverage']:.3f} | {row['p_below_05']:.3f}"
        line = f"| `{row['scenario']}` | `{row['estimator']}` | {numbers} | {', '.join(_misses(row))} |"
        lines.append(line.replace("+nan", "–").replace("nan", "–"))
    return "\n".join(lines)


def _misses(row: dict) -> list[str]:
    found = []
    if row["estimator"] not in LIMITS_ALONE and not bias_is_small(row):
        found.append("bias")
    if row["estimator"] != PRE_TREND and not coverage_is_nominal(row):
        found.append("coverage too high" if row["coverage"] > NOMINAL else "coverage too low")
    is_tested = row["estimator"] == PRE_TREND or (row["is_null"] and row["estimator"] not in LIMITS_ALONE)
    if is_tested and not positives_are_nominal(row):
        found.append("false positives")
    return found


HEADER = (
    "estimator | estimated | truth | bias ± MC error | SD | mean SE | mean width | coverage | not 0 | p < .05 | bar"
)
RULE = "--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---"


def every_world(results: pd.DataFrame) -> str:
    """Return one table per world under what is special about it."""
    parts = []
    for world in WORLDS:
        rows = results[results["scenario"] == world.name]
        if rows.empty:
            continue
        n = rows["mean_n_treated"].max()
        about = f"**{world.name}**: {world.about}; {n:.0f} treated with scores before and after, on the mean."
        if world.is_lottery:
            about = f"**{world.name}**: {world.about}; {n:.0f} offered with a score afterwards, on the mean."
        parts.append("\n".join([about, "", f"| {HEADER} |", f"| {RULE} |", *map(_row, rows.itertuples())]))
    return "\n\n".join(parts)


def _row(row) -> str:
    cells = [
        f"`{row.estimator}`",
        f"{row.n_estimated} of {row.n_studies}",
        f"{row.truth_mean:.3f}",
        f"{row.bias:+.4f} ± {row.mc_error_of_bias:.4f}" if pd.notna(row.bias) else "–",
        f"{row.empirical_sd:.4f}",
        f"{row.mean_std_error:.4f}",
        f"{row.mean_width:.3f}",
        f"{row.coverage:.3f}",
        f"{row.excludes_zero:.3f}",
        f"{row.p_below_05:.3f}",
        _bar(row),
    ]
    return f"| {' | '.join(cell.replace('nan', '–') for cell in cells)} |"


def _bar(row) -> str:
    if pd.isna(row.passes_bar):
        return "too few to say"
    passed = "passed" if str(row.passes_bar) == "True" else "**failed**"
    return passed if row.assumptions_hold else f"{passed.strip('*')} (none set)"
