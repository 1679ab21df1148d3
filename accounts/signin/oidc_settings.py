"""The settings of mozilla-django-oidc, taken from our own configuration.

Its views and its backend read every setting through `get_settings`. Ours override that, so no
`OIDC_*` setting can weaken a check.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..provider import provider


def oidc_setting(name: str, *default: Any) -> Any:
    """Return the value for `name`, or the default that mozilla-django-oidc passes.

    Raises ImproperlyConfigured for an unknown name without a default.
    """
    config = provider().config
    values = {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": config.authorize_endpoint,
        "OIDC_OP_TOKEN_ENDPOINT": config.token_endpoint,
        "OIDC_OP_USER_ENDPOINT": config.userinfo_endpoint,
        "OIDC_OP_JWKS_ENDPOINT": config.key_set_url,
        "OIDC_RP_CLIENT_ID": config.client_id,
        "OIDC_RP_CLIENT_SECRET": provider().client_secret.value,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_RP_SCOPES": " ".join(config.scopes),
        "OIDC_USE_PKCE": True,
        "OIDC_CREATE_USER": provider().create_users,
        "LOGIN_REDIRECT_URL": settings.LOGIN_REDIRECT_URL,
    }
    if name in values:
        return values[name]
    if default:
        return default[0]
    raise ImproperlyConfigured(f"mozilla-django-oidc reads {name}, which is not set here.")
