"""Canonical tables, checked: every problem is one line of the data-quality ledger."""

from analysis.validate.tables import check_tables, load_tables

__all__ = ["check_tables", "load_tables"]
