"""The objects that implement the setting COGNITO. `provider()` returns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from ..cognito.config import CognitoConfig, TrustedPool
from ..cognito.jwks import KeyStore
from ..cognito.token_cache import TokenCache
from ..cognito.token_checks import AccessRules
from ..cognito.transport import Transport
from ..cognito.verifier import TokenVerifier, TrustedPools
from ..core.app_label import page_url
from ..core.encryption import Cipher
from .bounded_endpoint import BoundedTokenEndpoint, count_fetches
from .client_rights import ClientRights
from .group_mapping import GroupMapping
from .limits import Limits
from .settings import (
    read_access_rules,
    read_cipher,
    read_client_rights,
    read_config,
    read_group_mappings,
    read_limits,
    read_site_options,
    read_snapshot,
    read_spa_redirect_uris,
    read_trusted_pools,
)


@dataclass(frozen=True)
class Provider:
    """The objects that call a user pool, verify its tokens and encrypt them."""

    config: CognitoConfig
    verifier: TokenVerifier  # for access tokens of every accepted app client
    pools: TrustedPools  # the same, and the pools of COGNITO_TRUSTED_POOLS
    token_cache: TokenCache
    sign_in_verifier: TokenVerifier  # for tokens of our own app client only
    token_endpoint: BoundedTokenEndpoint
    max_call_seconds: float  # seconds, for the token endpoint
    cipher: Cipher
    public_url: str
    create_users: bool
    group_mappings: Mapping[str, GroupMapping]  # by issuer
    trusted_scopes: Mapping[str, frozenset[str]]  # by issuer, of trusted pools
    access_rules: AccessRules  # for bound and exchanged access tokens of our own pool
    client_rights: Mapping[str, ClientRights]  # by app client id
    public_client_id: str  # of the app client without a secret, or ""
    spa_redirect_uris: tuple[str, ...]
    limits: Limits
    shared_cache: str  # the alias in CACHES, or "" if the processes share no cache

    def group_mapping(self, issuer: str) -> GroupMapping:
        """Return the mapping of the pool with this issuer, empty if it is not accepted (now)."""
        return self.group_mappings.get(issuer, GroupMapping())

    @property
    def callback_url(self) -> str:
        """The `redirect_uri` that is registered at the app client, byte for byte."""
        return self.public_url + page_url("callback")

    @property
    def signed_out_url(self) -> str:
        """The sign-out URL that is registered at the app client, byte for byte."""
        return self.public_url + page_url("signed_out")


SNAPSHOT_SECONDS = 60  # without background downloads, a snapshot is not renewed for this time

new_transport: Callable[[], Transport] = Transport  # replaced by accounts.testing


@lru_cache(maxsize=1)
def provider() -> Provider:
    """Return the provider of this process, created at its first use. Raises ConfigurationError."""
    config = read_config()
    transport = new_transport()

    limits, site = read_limits(), read_site_options()
    options: dict[str, Any] = {}
    if site.frozen_between_requests:
        # AWS Lambda stops all threads after each response, so a download must end within a request.
        options = {"in_background": lambda work: work(), "document_seconds": SNAPSHOT_SECONDS}

    rules = read_access_rules()
    bound_only = AccessRules(resources=rules.resources)

    def verifier(pool: CognitoConfig | TrustedPool) -> TokenVerifier:
        document = read_snapshot() if pool is config else None
        fetch = count_fetches(lambda: transport.get(pool.jwks_url))
        max_waiting = limits.calls_at_once - 1  # one more thread downloads
        keys = KeyStore(fetch, document=document, max_waiting=max_waiting, **options)
        return TokenVerifier(
            issuer=pool.issuer,
            client_ids=pool.accepted_clients,
            keys=keys,
            rules=rules if pool is config else bound_only,
        )

    own_verifier = verifier(config)
    trusted_pools = read_trusted_pools()
    pools = TrustedPools([own_verifier, *map(verifier, trusted_pools)])
    return Provider(
        config=config,
        verifier=own_verifier,
        pools=pools,
        token_cache=TokenCache(pools),
        sign_in_verifier=TokenVerifier(
            issuer=config.issuer,
            client_ids=(config.client_id,),
            keys=own_verifier.keys,
            rules=bound_only,
        ),
        token_endpoint=BoundedTokenEndpoint(config, transport, calls_at_once=limits.calls_at_once),
        max_call_seconds=transport.max_call_seconds,
        cipher=read_cipher(),
        public_url=site.public_url,
        create_users=site.create_users,
        group_mappings=read_group_mappings(),
        access_rules=rules,
        client_rights=read_client_rights(),
        trusted_scopes={pool.issuer: frozenset(pool.scopes) for pool in trusted_pools},
        public_client_id=site.public_client_id,
        spa_redirect_uris=read_spa_redirect_uris(),
        limits=limits,
        shared_cache=site.shared_cache,
    )


def reset_on_setting_change() -> None:
    """Discard the provider when a test overrides COGNITO."""

    def reset(*, setting: str, **kwargs: Any) -> None:
        if setting == "COGNITO":
            provider.cache_clear()

    setting_changed.connect(reset, weak=False, dispatch_uid=f"{__name__}.reset")
