"""Every source of a study as text rows with canonical column names."""

from dataclasses import dataclass, field

import pandas as pd

from analysis.ingest.checksums import verify_checksums
from analysis.ingest.export import SOURCE, Export
from analysis.ingest.profile import Layout, load_profiles
from analysis.ingest.readers import read_export
from analysis.plan.contract import TABLES
from analysis.plan.errors import Problem
from analysis.plan.study import Source, Study


@dataclass(frozen=True)
class RawTables:
    """The rows of a study's sources, as text.

    Attributes
    ----------
    tables
        One frame per table that could be read, one row per record of its files: the canonical columns that the files
        have and any further ones, text (`str`) with missing cells; `_source`, the file as study.yaml names it;
        `_line`, the line on which the record begins (the header is line 1).
    problems
        What is wrong with the files, and what was repaired or translated on the way.
    """

    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    @property
    def incomplete(self) -> frozenset[str]:
        """The tables of which something could not be read: nothing can be looked up in them."""
        return frozenset(p.table for p in self.problems if p.severity == "error")


def read_sources(study: Study) -> RawTables:
    """Read every source that `study.yaml` names, its checksums first.

    Returns
    -------
    RawTables
        Nothing is raised: every problem of every file is in it.
    """
    problems = verify_checksums(study)
    frames: dict[str, list[pd.DataFrame]] = {}
    for source in study.sources:
        file = _read(source, study)
        problems += file.problems
        if file.frame is not None:
            frames.setdefault(file.table, []).append(file.frame)
    tables = {table: pd.concat(parts, ignore_index=True) for table, parts in frames.items()}
    return RawTables(tables, tuple(problems))


def _read(source: Source, study: Study) -> Export:
    file = Export(source.table, source.name)
    profiles = load_profiles()
    if source.profile not in profiles:
        file.fail(
            "unknown_profile",
            f"profile {source.profile!r} in study.yaml is not known; the profiles are {', '.join(sorted(profiles))}",
        )
        return file
    layouts = profiles[source.profile].tables.get(source.table)
    if layouts is None:
        file.fail(
            "unknown_profile",
            f"profile {source.profile} does not export the table {source.table}; correct the "
            "table or the profile in study.yaml",
        )
        return file
    file = read_export(source, study, profiles[source.profile].header)
    if file.frame is not None:
        cells = file.frame.columns.drop("_line")
        file.frame = file.frame.astype(dict.fromkeys(cells, "str"))
        file.frame = _canonical(file, source, layouts[0], study)
    return file


def _canonical(file: Export, source: Source, profile: Layout, study: Study) -> pd.DataFrame | None:
    """Return the file's rows under canonical names; None where a required column is missing."""
    frame = _renamed(
        file, {name: names[0] for name, names in profile.columns.items()} | study.columns.get(source.table, {})
    )
    if source.table == "responses":
        frame = _linked_or_not(frame, file)
    for column in ("wave", "instrument"):
        given = getattr(source, column)
        if given is not None and column in TABLES[file.table]:
            filled = frame[column].fillna(str(given)) if column in frame else pd.Series(str(given), frame.index)
            frame = frame.assign(**{column: filled.astype("str")})
    missing = [name for name, column in TABLES[file.table].items() if column.required and name not in frame]
    if missing:
        file.fail(
            "missing_column",
            f"the header has no column {', '.join(missing)}, which the table {file.table} "
            "needs; name it in the file's first line, or say under columns: in study.yaml what it is called",
            [1],
        )
        return None
    for values in (profile.values, study.values.get(source.table, {})):  # noqa: PD011 (no frames)
        frame = _translated(frame, values, file)
    return frame.assign(**{SOURCE: pd.Series(source.path, frame.index, dtype="str")})


def _linked_or_not(frame: pd.DataFrame, file: Export) -> pd.DataFrame:
    """Return the rows of a survey; one without a key to any person goes to the table of its own kind."""
    if "employee_id" in frame and (frame.empty or frame["employee_id"].notna().any()):
        return frame
    file.table = "unlinked_responses"
    file.problems.append(
        Problem(
            severity="warning",
            table=file.table,
            source=file.source,
            rows=len(frame),
            rule="unlinked_survey",
            action="kept",
            message="the answers have no employee_id, so nobody's change can be followed and no effect estimated; if "
            "the file has a key, or a pseudonym for it, name that column under columns: in study.yaml",
        )
    )
    return frame.drop(columns="employee_id", errors="ignore")


def _renamed(file: Export, columns: dict[str, str]) -> pd.DataFrame:
    frame = file.frame
    absent = [f"{name}: {export}" for name, export in columns.items() if export not in frame and name not in frame]
    if absent:
        file.fail(
            "missing_column",
            f"study.yaml names columns that the header does not have ({', '.join(absent)}); correct the name there",
            [1],
        )
    exports = {name: export for name, export in columns.items() if export in frame}
    replaced = sorted(exports.keys() & set(frame) - set(exports.values()))
    if replaced:
        file.problems.append(
            Problem(
                severity="warning",
                table=file.table,
                source=file.source,
                rule="column_replaced",
                action="set_null",
                rows=len(frame),
                message=f"the file's own column {', '.join(replaced)} is not used, because study.yaml "
                "reads it from another column",
            )
        )
    renamed = {name: frame[export] for name, export in exports.items()}
    return frame.drop(columns=[*replaced, *set(exports.values())]).assign(**renamed)


def _translated(frame: pd.DataFrame, values: dict[str, dict[str, list[str]]], file: Export) -> pd.DataFrame:
    """Return the rows with the export's values replaced by canonical ones, each column noted."""
    for column, exported in values.items():
        canonical = {old: new for new, olds in exported.items() for old in olds}
        if column not in frame:
            continue
        changed = frame[column].isin(list(canonical))
        if changed.any():
            frame = frame.assign(**{column: frame[column].where(~changed, frame[column].map(canonical)).astype("str")})
            file.problems.append(
                Problem(
                    severity="info",
                    table=file.table,
                    source=file.source,
                    rows=int(changed.sum()),
                    example_rows=tuple(frame.loc[changed, "_line"][:5]),
                    rule="values_translated",
                    action="repaired",
                    message=f"values of {column} were translated as study.yaml or the profile says",
                )
            )
    return frame
