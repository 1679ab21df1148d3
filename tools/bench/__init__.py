"""Benchmarks against other libraries: `make bench`. docs/performance.md contains the results.

Figures are ratios of subjects that take turns in one run, so that other work on the machine
affects all of them. There is no ratio if a response of either subject was wrong.
"""
