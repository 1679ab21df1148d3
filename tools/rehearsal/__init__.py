"""A production setup on one machine: two instances behind nginx, with PostgreSQL and Redis.

tests/production, `make chaos` and `make hostile` use it. The programs must be installed.
"""
