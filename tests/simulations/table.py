"""The README's tables, made from the results of every scenario that there are."""

from pathlib import Path

import pandas as pd

from simulations.summary import NOMINAL, bias_is_small, coverage_is_nominal
from simulations.worlds import WORLDS, World

BEGIN, END = "<!-- tables: made by `make simulations`, not by hand -->", "<!-- end of tables -->"


def results_path(world: World) -> Path:
    """Return the file that holds a scenario's results."""
    return Path(__file__).parent / "results" / f"{world.name}.csv"


def committed_results() -> pd.DataFrame:
    """Return the results of every scenario that has been made, in the order of the worlds."""
    return pd.concat([pd.read_csv(results_path(w)) for w in WORLDS if results_path(w).exists()], ignore_index=True)


def write_readme(folder: Path) -> None:
    """Replace what stands between the marks of ``README.md`` by the tables of the results."""
    replace_between(folder / "README.md", BEGIN, END, tables(committed_results()))


def replace_between(path: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two marks of a file."""
    before, _, rest = path.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def tables(results: pd.DataFrame) -> str:
    """Return how much of the study is there, the ladder and every row of the results, as Markdown."""
    parts = [
        so_far(results),
        "### The ladder: what each correction removes where the program does nothing",
        LADDER_TEXT,
        ladder(results),
        "### Where the bar was missed although the assumptions hold",
        missed(results),
        "### Every scenario",
        every_scenario(results),
    ]
    return "\n\n".join(parts) + "\n"


def so_far(results: pd.DataFrame) -> str:
    """Return how many scenarios and rows there are, and which scenarios are missing."""
    there = set(results["scenario"])
    missing = [f"`{world.name}`" for world in WORLDS if world.name not in there]
    held = results[results["assumptions_hold"] & results["passes_bar"].notna()]
    passed = held["passes_bar"].astype(str) == "True"
    text = (
        f"{len(there)} of {len(WORLDS)} scenarios; where assumptions hold, {passed.sum()} of {len(held)} rows passed."
    )
    return text + (f" **Not made yet:** {', '.join(missing)}." if missing else "")


def missed(results: pd.DataFrame) -> str:
    """Return the rows that should have passed and did not, by what they missed."""
    rows = results[results["assumptions_hold"] & (results["passes_bar"].astype(str) == "False")]
    if rows.empty:
        return "Nowhere."
    lines = [
        "| scenario | estimator | measure, months | bias / SD | coverage | missed |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for row in rows.to_dict("records"):
        what = [] if bias_is_small(row) else ["bias"]
        if not coverage_is_nominal(row):
            what.append("coverage too high" if row["coverage"] > NOMINAL else "coverage too low")
        measure = f"{row['measure'].replace('_', ' ')}, {row['horizon_months']}"
        lines.append(
            f"| `{row['scenario']}` | `{row['estimator']}` | {measure} "
            f"| {row['bias'] / row['empirical_sd']:+.2f} | {row['coverage']:.3f} | {', '.join(what)} |"
        )
    return "\n".join(lines)


LADDER_TEXT = (
    "Mean difference in risk at 12 months, in percentage points, ± its Monte-Carlo error. The truth is 0. "
    "A scenario in bold breaks an assumption."
)
LADDER = ("naive_ever_vs_never", "naive_enrolled_vs_not", "iptw_aalen_johansen")


def ladder(results: pd.DataFrame) -> str:
    """Return the mean difference at 12 months on each rung, in percentage points, for the null worlds people choose."""
    rows = results[results["is_null"] & (results["horizon_months"] == 12) & (results["measure"] == "risk_difference")]
    lines = ["| scenario | ever against never | from the start day | weighted |", "| --- | ---: | ---: | ---: |"]
    for scenario, group in rows[rows["estimator"].isin(LADDER)].groupby("scenario", sort=False):
        by_rung = group.set_index("estimator").loc[list(LADDER)]
        cells = [f"{100 * r.mean_estimate:+.2f} ± {100 * r.mc_error_of_bias:.2f}" for r in by_rung.itertuples()]
        name = f"`{scenario}`" if by_rung["assumptions_hold"].any() else f"**`{scenario}`**"
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


HEADER = "estimator | measure, months | estimated | truth | bias ± MC error | SD | mean SE | coverage | not 0 | bar"
RULE = "--- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---"


def every_scenario(results: pd.DataFrame) -> str:
    """Return one table per scenario under what is special about it."""
    parts = []
    for world in WORLDS:
        rows = results[results["scenario"] == world.name]
        if rows.empty:
            continue
        held = "assumptions hold" if world.assumptions_hold else "**assumptions do not hold**"
        about = f"#### {world.name}\n\n{world.about[0].upper()}{world.about[1:]}; {held}."
        parts.append("\n".join([about, "", f"| {HEADER} |", f"| {RULE} |", *map(_row, rows.itertuples())]))
    return "\n\n".join(parts)


def _row(row) -> str:
    digits = 1 if row.measure.endswith("days") else 4
    known = pd.notna(row.passes_bar)
    bias = f"{row.bias:+.{digits}f} ± {row.mc_error_of_bias:.{digits}f}" if known else "–"
    truth, coverage = (f"{row.truth_mean:.{digits}f}", f"{row.coverage:.3f}") if known else ("–", "–")
    cells = [
        f"`{row.estimator}`",
        f"{row.measure.replace('_', ' ')}, {row.horizon_months:.0f}",
        f"{row.n_estimated} of {row.n_studies}",
        truth,
        bias,
        f"{row.empirical_sd:.{digits}f}",
        f"{row.mean_std_error:.{digits}f}",
        coverage,
        f"{row.false_positives:.3f}",
        _bar(row) if known else "no truth at hand" if pd.isna(row.truth_mean) else "too few to say",
    ]
    return f"| {' | '.join(cell.replace('nan', '–') for cell in cells)} |"


def _bar(row) -> str:
    passed = "passed" if row.passes_bar == True else "**failed**"  # noqa: E712  (read from text: may be a numpy bool)
    return passed if row.assumptions_hold else f"{passed.strip('*')} (none set)"
