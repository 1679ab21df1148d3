"""The production arrangement with processes on one machine: two instances of the site behind nginx,
sharing PostgreSQL and Redis. For tests/production and `make chaos`; needs those programs installed.
"""
