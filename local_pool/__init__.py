"""A Cognito user pool for development and tests. Never run it in production.

Start it with ``python -m local_pool``, or in a test with ``local_pool.testing.LocalPool``. It
shares no code with the application, so that one mistake cannot be in both.
"""
