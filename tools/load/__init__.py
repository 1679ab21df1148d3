"""Honest users of a rehearsed site, the ledger of the responses, and its checker.

Shared by `make chaos` and `make hostile`.
"""
