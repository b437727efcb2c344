"""Simulation studies of the estimators: invented companies with a known answer, by the hundreds.

Retention: `worlds` says which companies, `one_study` estimates one of them, `summary` holds many against the written
bars and `table` writes the README's table; ``python -m simulations`` runs it all. Scales: `scales_worlds`,
`scales_people` (a company of a world), `scales_study`, `scales_summary`, `scales_table`, run by ``python -m
simulations.scales``. `silence` is the study of those who do not answer. ``make simulations`` runs all three.
"""
