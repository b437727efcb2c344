"""Mentoring Outcomes: does a company's mentoring program work?

The rooms, from the ground up; each imports from the rooms below it only (``tests/project/test_architecture.py``):

``plan``      what is asked: study, hypotheses, instruments, results, errors, paths
``ingest``    exports → canonical tables
``validate``  canonical tables checked, every problem one line of the ledger
``measure``   canonical rows → constructs
``design``    constructs → analysis sets
``estimate``  analysis sets → Estimates
``release``   what may leave
``report``    draws and writes, computes nothing
``pipeline``  one study, from raw files to released report
``notebook``  what a notebook needs
``kernels``   the program of the process that a report's kernels are forked from
``cli``       what a person types

``simulate`` (companies with a known answer) and ``fetch`` (public studies) stand aside and use ``plan`` alone.
"""
