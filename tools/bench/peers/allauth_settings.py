"""The peers' settings with django-allauth, as its quickstart and its OpenID Connect page say."""

from .settings import *  # noqa: F403 (the settings of the other peers)
from .settings import (
    COGNITO_ISSUER,
    INSTALLED_APPS,
    MIDDLEWARE,
    OIDC_RP_CLIENT_ID,
    OIDC_RP_CLIENT_SECRET,
)

ROOT_URLCONF = "tools.bench.peers.allauth_urls"
INSTALLED_APPS = [
    *INSTALLED_APPS,
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_EMAIL_VERIFICATION = "none"  # there is no mail server
SOCIALACCOUNT_LOGIN_ON_GET = True  # a link begins the sign-in, as in the other applications
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "pool",
                "name": "Pool",
                "client_id": OIDC_RP_CLIENT_ID,
                "secret": OIDC_RP_CLIENT_SECRET,
                "settings": {"server_url": COGNITO_ISSUER},
            }
        ],
    }
}
