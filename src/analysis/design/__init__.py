"""Constructs → analysis sets: emulated trials, lotteries, change panels, covariates and weights."""
