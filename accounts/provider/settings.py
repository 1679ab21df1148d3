"""The only reader of `settings.COGNITO`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from ..cognito.config import CognitoConfig, TrustedPool
from ..cognito.errors import CognitoUnavailable, ConfigurationError
from ..cognito.jwks import parse_key_set
from ..cognito.safe_urls import address_problem
from ..core.app_label import page_address
from ..core.encryption import Cipher
from .group_mapping import GroupMapping, parse_rules
from .trusted_pools import parse_trusted_pool


@dataclass(frozen=True)
class Limits:
    """How long things last, in seconds.

    `renewal_grace`: a session goes on this long after its access token, while renewing it fails.
    `session_idle`, `session_absolute`: a sign-in ends unused after the one, in any case after the
    other. `access_token`: no access token of the pool lives longer (Cognito allows a day).
    `events`: the record of sign-ins is kept so long.
    `calls_at_once` is no time: so many threads of a process may wait for Cognito together.
    """

    renewal_grace: int = 900
    session_idle: int = 43_200
    session_absolute: int = 1_209_600
    access_token: int = 86_400
    events: int = 31_536_000
    calls_at_once: int = 8


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
        accepted_clients=tuple(
            client
            for client in (*values.get("ACCEPTED_CLIENTS", ()), values.get("PUBLIC_CLIENT_ID", ""))
            if client
        ),
        scopes=tuple(values.get("SCOPES") or ("openid", "email", "profile")),
    )


def read_trusted_pools() -> list[TrustedPool]:
    """Return the further pools of COGNITO_TRUSTED_POOLS. Raises ConfigurationError."""
    pools = dict(settings.COGNITO.get("TRUSTED_POOLS", {}))
    return [parse_trusted_pool(pool_id, members) for pool_id, members in pools.items()]


def read_group_mappings() -> dict[str, GroupMapping]:
    """What groups give, by issuer. Raises ConfigurationError.

    COGNITO_GROUPS is for our own pool: another one's "admins" are not ours, so that a trusted pool
    has rules of its own or none.
    """
    absent_means_none = settings.COGNITO.get("GROUPS_ABSENT_MEANS_NONE", True)
    own = {"COGNITO_GROUPS": (read_config().issuer, settings.COGNITO.get("GROUPS", {}))}
    members = dict(settings.COGNITO.get("TRUSTED_POOLS", {})).values()
    for pool, values in zip(read_trusted_pools(), members, strict=True):
        own[f"COGNITO_TRUSTED_POOLS (pool {pool.pool_id!r})"] = pool.issuer, values.get("groups")
    mappings = {}
    for name, (issuer, rules) in own.items():
        try:
            mappings[issuer] = GroupMapping(parse_rules(rules or {}), absent_means_none)
        except (ValueError, AttributeError) as error:
            raise ConfigurationError({name: str(error)}) from error
    return mappings


def read_spa_redirect_uris() -> tuple[str, ...]:
    """COGNITO_SPA_REDIRECT_URIS. Raises ConfigurationError.

    Our own callback is refused: the API would then redeem codes that belong to this site's own
    sign-ins, whose state, nonce and verifier it cannot check.
    """
    addresses = tuple(settings.COGNITO.get("SPA_REDIRECT_URIS", ()))
    for redirect_uri in addresses:
        own = settings.COGNITO["PUBLIC_URL"] + page_address("callback")
        problem = address_problem(redirect_uri)
        if problem is None and redirect_uri.rstrip("/") == own:
            problem = "is this site's own callback, whose codes the API must not redeem"
        if problem is not None:
            raise ConfigurationError({"COGNITO_SPA_REDIRECT_URIS": f"({redirect_uri}) {problem}"})
    return addresses


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


def read_snapshot() -> bytes | None:
    """The key set to start from, out of the file COGNITO_JWKS_SNAPSHOT; None when there is none.

    Raises ConfigurationError.
    """
    name = settings.COGNITO.get("JWKS_SNAPSHOT", "")
    if not name:
        return None
    try:
        document = Path(name).read_bytes()
        parse_key_set(document)
    except (OSError, CognitoUnavailable) as error:
        problem = f"({name}) is not a file with the pool's key set, as its jwks.json shows it"
        raise ConfigurationError({"COGNITO_JWKS_SNAPSHOT": problem}) from error
    return document
