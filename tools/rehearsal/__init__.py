"""The production arrangement with processes on one machine: two instances of the site behind nginx,
sharing PostgreSQL and Redis. For tests/production, `make chaos` and `make hostile`.

Needs those programs installed.
"""
