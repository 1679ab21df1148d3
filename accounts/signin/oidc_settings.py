"""What mozilla-django-oidc asks of settings, answered from our configuration.

Its views and backend read everything through `get_settings`; ours answer from here, so that no
`OIDC_*` setting exists and none can weaken a check.
"""

from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ..provider import provider


def oidc_setting(name: str, *default: Any) -> Any:
    """The value for `name`, else the default mozilla-django-oidc gave.

    Raises ImproperlyConfigured for a name we do not know that has no default.
    """
    config = provider().config
    known = {
        "OIDC_OP_AUTHORIZATION_ENDPOINT": config.authorize_endpoint,
        "OIDC_OP_TOKEN_ENDPOINT": config.token_endpoint,
        "OIDC_OP_USER_ENDPOINT": config.userinfo_endpoint,
        "OIDC_OP_JWKS_ENDPOINT": config.jwks_url,
        "OIDC_RP_CLIENT_ID": config.client_id,
        "OIDC_RP_CLIENT_SECRET": config.client_secret,
        "OIDC_RP_SIGN_ALGO": "RS256",
        "OIDC_RP_SCOPES": " ".join(config.scopes),
        "OIDC_USE_PKCE": True,
        "OIDC_CREATE_USER": provider().create_people,
        "LOGIN_REDIRECT_URL": settings.LOGIN_REDIRECT_URL,
    }
    if name in known:
        return known[name]
    if default:
        return default[0]
    raise ImproperlyConfigured(f"mozilla-django-oidc asks for {name}, which is not answered here.")
