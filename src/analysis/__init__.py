"""Mentoring Outcomes: does a company's mentoring program work?

The rooms, from the ground up; each imports from the rooms below it only (``tests/test_architecture.py``):

``plan``      what is asked: study, hypotheses, instruments, results, errors, paths
``ingest``    exports → canonical tables
``validate``  canonical tables checked, every problem one line of the ledger
``measure``   canonical rows → constructs
``design``    constructs → analysis sets
``estimate``  analysis sets → Estimates
``release``   what may leave
``report``    draws and writes, computes nothing
``pipeline``  one study, from raw files to released report
``cli``       what a person types

``simulate`` stands aside: companies with a known answer, made from ``plan`` alone.
"""
