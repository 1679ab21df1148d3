"""Measures this project beside its peers: `make bench`. docs/performance.md holds what came of it.

Figures are ratios of things measured in turn in one run, so that whatever else the machine does
befalls all alike. A ratio is refused when an answer of either side was wrong.
"""
