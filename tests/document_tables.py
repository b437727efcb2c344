"""The tables of the codebook that are made from the catalogue and the rules: ``make tables`` writes them."""

from pathlib import Path

from simulations.table import replace_between

from analysis.plan.catalogue import CATALOGUE, METHODS
from analysis.validate.tables import PHASES

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- {}: made by `make tables`, not by hand -->", "<!-- end of {} -->"
KINDS = {
    "main": "main answer",
    "other_way": "the same question another way",
    "bound": "bound",
    "other_question": "another question",
    "naive": "naive figure",
}


def table(heads: list[str], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def code(names) -> str:
    return ", ".join(f"`{name}`" for name in names)


def terms() -> str:
    """Return every term of the ledger with its meaning, a table for each column."""
    outcomes = [(f"`{n}`", o.label, "event" if o.is_event else "score") for n, o in CATALOGUE.outcomes.items()]
    contrasts = [(f"`{name}`", contrast.label) for name, contrast in CATALOGUE.contrasts.items()]
    estimands = [(f"`{name}`", estimand.people) for name, estimand in CATALOGUE.estimands.items()]
    measures = [(f"`{name}`", measure.label, measure.sign) for name, measure in CATALOGUE.measures.items()]
    estimators = [
        (f"`{name}`", made.label, KINDS[made.kind], code(made.made_by), "; ".join(METHODS.cited(made.method)))
        for name, made in CATALOGUE.estimators.items()
    ]
    groups = [(f"`{name}`", label) for name, label in CATALOGUE.groups.items()]
    return "\n".join(
        (
            table(["`outcome`", "is", "kind"], outcomes),
            table(["`contrast`", "compared"], contrasts),
            table(["`estimand`", "an effect in"], estimands),
            table(["`measure`", "unit", "what its sign says"], measures),
            table(["`estimator`", "is", "its rows are", "made by", "source"], estimators),
            "Where a fault of this program took a group of rows away, one row stands for it:\n",
            table(["`estimator`", "rows that are missing"], groups),
        )
    )


def rules() -> str:
    """Return every rule of the canonical tables; tables that have the same rule share a line."""
    tables: dict[tuple[str, str, str, str], list[str]] = {}
    for name, phases in PHASES.items():
        for rule in (rule for phase in phases for rule in phase):
            message = rule.message.format(programs="the study's programs", cards="the study's cards")
            tables.setdefault((rule.name, rule.severity, rule.action, message), []).append(name)
    rows = [(", ".join(names), f"`{rule}`", *rest) for (rule, *rest), names in tables.items()]
    return table(["table", "rule", "severity", "action", "message"], rows)


# The names of the codebook's marks, and what stands between them.
MADE = {"terms": terms, "rules": rules}


def write_tables(root: Path = ROOT) -> None:
    """Write every table into the codebook."""
    for name, make in MADE.items():
        replace_between(root / "data/README.md", BEGIN.format(name), END.format(name), make())


if __name__ == "__main__":
    write_tables()
