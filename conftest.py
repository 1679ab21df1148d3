"""Fixtures for the tests of all applications (docs/testing.md). Those of this project add more."""

pytest_plugins = ["accounts.testing"]
