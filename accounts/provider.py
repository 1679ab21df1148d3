"""The provider as Django sees it: settings.COGNITO turned into objects, once.

The only reader of `settings.COGNITO`. Everything else asks `provider()`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.urls import reverse

from .cognito.config import CognitoConfig
from .cognito.errors import ConfigurationError
from .cognito.jwks import KeyStore
from .cognito.token_endpoint import TokenEndpoint
from .cognito.transport import Transport
from .cognito.verifier import TokenVerifier
from .encryption import Cipher


@dataclass(frozen=True)
class Limits:
    """How long things last, in seconds.

    `renewal_grace`: a session goes on this long after its access token, while renewing it fails.
    `session_idle`, `session_absolute`: a sign-in ends unused after the one, in any case after the
    other. `access_token`: no access token of the pool lives longer (Cognito allows a day).
    """

    renewal_grace: int = 900
    session_idle: int = 43_200
    session_absolute: int = 1_209_600
    access_token: int = 86_400


@dataclass(frozen=True)
class Provider:
    """Everything needed to talk to one user pool and to trust what it says."""

    config: CognitoConfig
    verifier: TokenVerifier  # access tokens of every accepted app client
    sign_in_verifier: TokenVerifier  # what our own app client was given
    token_endpoint: TokenEndpoint
    cipher: Cipher
    public_url: str
    create_people: bool
    limits: Limits

    @property
    def callback_url(self) -> str:
        """The redirect_uri registered at the app client, byte for byte."""
        return self.public_url + reverse("accounts:callback")

    @property
    def signed_out_url(self) -> str:
        """The sign-out address registered at the app client."""
        return self.public_url + reverse("accounts:signed_out")


def read_config() -> CognitoConfig:
    """The pool's configuration. Raises ConfigurationError that names every wrong variable."""
    values: Mapping[str, Any] = settings.COGNITO
    return CognitoConfig(
        pool_id=values["POOL_ID"],
        client_id=values["CLIENT_ID"],
        client_secret=values["CLIENT_SECRET"],
        domain=values["CLIENT_DOMAIN"],
        region=values.get("CLIENT_REGION", ""),
        issuer=values.get("ISSUER", ""),
        jwks_url=values.get("JWKS_URL", ""),
        accepted_clients=tuple(values.get("ACCEPTED_CLIENTS", ())),
        scopes=tuple(values.get("SCOPES") or ("openid", "email", "profile")),
    )


def read_cipher() -> Cipher:
    """The cipher of TOKEN_ENCRYPTION_KEYS. Raises ConfigurationError."""
    keys = settings.COGNITO["TOKEN_ENCRYPTION_KEYS"]
    if not keys:
        raise ConfigurationError({"TOKEN_ENCRYPTION_KEYS": "is missing"})
    try:
        return Cipher(keys)
    except ValueError as error:
        raise ConfigurationError(
            {
                "TOKEN_ENCRYPTION_KEYS": "must be keys of 32 bytes in url-safe base64, as "
                "cryptography.fernet.Fernet.generate_key() makes them, separated by commas"
            }
        ) from error


@lru_cache(maxsize=1)
def provider() -> Provider:
    """The provider of this process, built at first use. Raises ConfigurationError."""
    config = read_config()
    transport = Transport()
    keys = KeyStore(lambda: transport.get(config.jwks_url))
    return Provider(
        config=config,
        verifier=TokenVerifier(issuer=config.issuer, client_ids=config.accepted_clients, keys=keys),
        sign_in_verifier=TokenVerifier(
            issuer=config.issuer, client_ids=(config.client_id,), keys=keys
        ),
        token_endpoint=TokenEndpoint(config, transport),
        cipher=read_cipher(),
        public_url=settings.COGNITO["PUBLIC_URL"],
        create_people=settings.COGNITO.get("CREATE_PEOPLE", True),
        limits=Limits(**settings.COGNITO.get("LIMITS", {})),
    )


def reset_on_setting_change() -> None:
    """Build the provider anew when a test overrides settings.COGNITO."""

    def reset(*, setting: str, **kwargs: Any) -> None:
        if setting == "COGNITO":
            provider.cache_clear()

    setting_changed.connect(reset, weak=False, dispatch_uid=f"{__name__}.reset")
