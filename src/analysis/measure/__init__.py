"""Canonical rows → constructs: time on the calendar, employment, jobs, starts, scale scores."""
