"""Programs as companies really run them: for each situation the main row's answer beside the true one.

`python -m simulations.situations` makes the studies; `README.md` here holds the results.
"""
