"""Placeholder until the page lands."""
figure_files = index_facts = study_page = None
