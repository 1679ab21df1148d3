"""A Cognito user pool for development and tests. Never run it in production.

``python -m local_pool`` serves it to people, ``local_pool.testing.LocalPool`` to tests. It shares
no code with the application it signs people in to, so the same mistake cannot stand on both sides.
"""
