"""Honest users of a rehearsed site, the ledger of what they were told, and its checker.

Shared by `make chaos` and `make hostile`.
"""
