"""Exports become text rows with canonical column names; what each vendor's file looks like is data (`profiles/`)."""

from analysis.ingest.sources import RawTables, read_sources

__all__ = ["RawTables", "read_sources"]
