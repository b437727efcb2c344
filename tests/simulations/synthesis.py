"""Do pooled answers tell the truth where it is known? Networks of companies, simulated at the level of what is shared.

``PYTHONPATH=tests python -m simulations.synthesis`` (part of ``make simulations``) makes every world of
``synthesis.csv`` again, in four minutes, and the table of the README. Seeds are names: network 17 of ``5-large`` is
``rng("synthesis", "5-large", 17)``.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.plan.faults import known
from analysis.plan.probability import rng
from analysis.release.outside import STEPS
from analysis.synthesis.meta import fit, prediction_limits
from simulations.summary import NOMINAL
from simulations.table import replace_between

N_NETWORKS = 1000
HERE = Path(__file__).parent
RESULTS = HERE / "synthesis.csv"
BEGIN, END = "<!-- synthesis: made by `make simulations`, not by hand -->", "<!-- end of synthesis -->"
# Every company's true difference in the risk of leaving is drawn around this one.
MEAN = -0.02
Z = 1.959964


@dataclass(frozen=True)
class World:
    """A network of companies.

    Attributes
    ----------
    n
        Companies.
    tau
        Standard deviation of their true differences in risk.
    is_shared
        Whether differences and errors are rounded as in a shared ledger.
    """

    n: int
    tau: float
    is_shared: bool = False

    @property
    def name(self) -> str:
        """What results and seeds are filed under."""
        kind = {0.0: "same", 0.02: "some", 0.05: "large"}[self.tau]
        return f"{self.n}-{kind}{'-shared' if self.is_shared else ''}"

    @property
    def holds(self) -> bool:
        """Whether coverage is to be nominal; where all companies have one effect, intervals are too wide on purpose."""
        return self.tau > 0


WORLDS = [World(n, tau, shared) for shared in (False, True) for n in (5, 10, 30) for tau in (0.0, 0.02, 0.05)]


def network(world: World, draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return what the companies find and their standard errors: 40 to 400 people in the program, thrice as many beside.

    One in eight leaves.
    """
    size = np.exp(draw.uniform(np.log(40), np.log(400), world.n)).astype(int)
    error = np.sqrt(0.125 * 0.875 * (1 / size + 1 / (3 * size)))
    effect = MEAN + world.tau * draw.standard_normal(world.n) + error * draw.standard_normal(world.n)
    if not world.is_shared:
        return effect, error
    step = np.array([next((s for s in STEPS if s >= 14 / (n // 5 * 5) ** 1.5), STEPS[-1]) for n in size])
    return np.round(effect / step) * step, np.maximum(np.round(error / step), 1) * step


def one_network(world: World, number: int) -> dict[str, float]:
    """Return what one network shows: whether intervals hold the truth, in the way of the report and in others."""
    draw = rng("synthesis", world.name, number)
    effects, errors = network(world, draw)
    new = MEAN + world.tau * draw.standard_normal()
    reml, other = fit(effects, errors), fit(effects, errors, method="paule_mandel")
    classical = reml.std_error / max(1.0, reml.inflation**0.5)
    low, high = known(prediction_limits(effects, errors))
    plug_in = known(reml.plug_in_prediction)
    weight = errors**-2.0 / (errors**-2.0).sum()
    one_effect, its_error = weight @ effects, (errors**-2.0).sum() ** -0.5
    return {
        "mean": reml.limits[0] <= MEAN <= reml.limits[1],
        "mean_paule_mandel": other.limits[0] <= MEAN <= other.limits[1],
        "prediction": low <= new <= high,
        "plug_in_prediction": plug_in[0] <= new <= plug_in[1],
        "mean_without_hartung_knapp": abs(reml.mean - MEAN) <= Z * classical,
        "mean_of_one_common_effect": abs(one_effect - MEAN) <= Z * its_error,
        "error": reml.mean - MEAN,
        "tau": reml.tau2**0.5,
    }


def results() -> pd.DataFrame:
    """Return coverage, bias and its Monte-Carlo error, and the mean estimate of τ, a row a world."""
    rows = []
    for world in WORLDS:
        found = pd.DataFrame([one_network(world, number) for number in range(N_NETWORKS)]).astype(float)
        covered = {f"coverage_{name}": found[name].mean() for name in found if name not in ("error", "tau")}
        sd = found["error"].std()
        rows.append(
            {"world": world.name, "n_companies": world.n, "tau": world.tau, "is_shared": world.is_shared,
             "n_networks": N_NETWORKS, **covered, "bias": found["error"].mean(), "bias_mc_error": sd / N_NETWORKS**0.5,
             "sd": sd, "mean_tau": found["tau"].mean(), "holds": world.holds}
        )  # fmt: skip
    return pd.DataFrame(rows).round(5)


def mc_error(n_networks: int) -> float:
    """Return the Monte-Carlo standard error of a coverage that is nominal."""
    return (NOMINAL * (1 - NOMINAL) / n_networks) ** 0.5


def table(found: pd.DataFrame) -> str:
    """Return the results as Markdown; what is not within three Monte-Carlo errors of 95 % is bold."""
    heads = [
        *(
            "companies",
            "τ",
            "as shared",
            "mean",
            "mean, Paule–Mandel",
            "one more company",
            "the same, τ taken for known",
        ),
        *("mean without Hartung–Knapp", "mean of one common effect", "bias", "mean estimate of τ"),
    ]
    lines = ["| " + " | ".join(heads) + " |", "| " + " | ".join(["---"] * len(heads)) + " |"]
    columns = [c for c in found if c.startswith("coverage_")]
    for row in found.to_dict("records"):
        far = 3 * mc_error(row["n_networks"])
        shares = [f"{row[c]:.3f}" if abs(row[c] - NOMINAL) <= far else f"**{row[c]:.3f}**" for c in columns]
        cells = [row["n_companies"], row["tau"], "yes" if row["is_shared"] else "no", *shares, f"{row['bias']:+.4f}"]
        lines.append("| " + " | ".join(map(str, [*cells, f"{row['mean_tau']:.3f}"])) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Make the results and the table."""
    found = results()
    found.to_csv(RESULTS, index=False, lineterminator="\n")
    replace_between(HERE / "README.md", BEGIN, END, table(pd.read_csv(RESULTS)))


if __name__ == "__main__":
    main()
