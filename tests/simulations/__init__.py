"""The simulation study of the retention estimators: simulated companies with a known answer, by the hundreds.

`worlds` says which companies, `one_study` estimates one of them, `summary` holds many against the written bars and
`table` writes the README's table; ``python -m simulations`` runs it all (``make simulations``).
"""
