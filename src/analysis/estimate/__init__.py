"""Analysis sets → Estimates. Numbers happen here; nothing is drawn."""
