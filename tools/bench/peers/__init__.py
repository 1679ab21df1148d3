"""The peers: the same list in a plain DRF viewset, with authentication by other libraries.

The libraries are django-cognito-jwt and mozilla-django-oidc, configured as their documentation
says, with the key cache. django-allauth, for sign-ins only, has settings of its own. They use our
database, with Django's default connection per request.
"""
