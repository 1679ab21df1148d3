"""What others would write: the same list of the same rows in a plain DRF viewset, behind
django-cognito-jwt, behind mozilla-django-oidc's DRF class, and behind nothing.

Each is set up as its documentation says, with the key cache on. Their database is ours, and their
connection to it Django's usual one, made for each request.
"""
