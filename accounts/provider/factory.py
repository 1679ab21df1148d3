"""The objects that implement the setting COGNITO. `provider()` returns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from django.core.signals import setting_changed

from ..cognito.client_secret import ClientSecret
from ..cognito.config import CognitoConfig
from ..cognito.group_mapping import NO_GROUPS, GroupMapping
from ..cognito.jwks import KeyStore
from ..cognito.pool import Pool
from ..cognito.token_cache import TokenCache
from ..cognito.token_checks import AccessRules
from ..cognito.transport import Transport
from ..cognito.user_sessions import SessionApi
from ..cognito.verifier import TokenVerifier, TrustedPools
from ..core.app_label import registered_path
from ..core.encryption import Cipher
from .bounded_endpoint import BoundedTokenEndpoint, count_fetches
from .client_rights import ClientRights
from .limits import Limits
from .secret_source import open_client_secret
from .settings import (
    SiteOptions,
    read_cipher,
    read_client_rights,
    read_client_secret,
    read_config,
    read_limits,
    read_pools,
    read_sign_in_options,
    read_site_options,
    read_snapshot,
    read_spa_redirect_uris,
)
from .sign_in_options import SignInOptions


@dataclass(frozen=True)
class Provider:
    """The objects that call a user pool, verify its tokens and encrypt them."""

    config: CognitoConfig
    client_secret: ClientSecret
    pools: Mapping[str, Pool]  # by ID: our own, and those of COGNITO_TRUSTED_POOLS
    keys: KeyStore  # of the preferred issuer of our own pool
    access_verifier: TrustedPools  # for access tokens of every accepted pool and app client
    token_cache: TokenCache
    sign_in_verifier: TokenVerifier  # for tokens of our own app client only
    token_endpoint: BoundedTokenEndpoint
    session_api: SessionApi
    max_call_seconds: float  # seconds, for the token endpoint
    cipher: Cipher
    public_url: str
    create_users: bool
    show_trigger_messages: bool
    client_rights: Mapping[str, ClientRights]  # by app client id
    public_client_id: str  # of the app client without a secret, or ""
    spa_redirect_uris: tuple[str, ...]
    sign_in_options: SignInOptions
    limits: Limits
    shared_cache: str  # the alias in CACHES, or "" if the processes share no cache

    @property
    def pool(self) -> Pool:
        """Our own pool, through which users sign in."""
        return self.config.pool

    def group_mapping(self, pool_id: str) -> GroupMapping:
        """Return the mapping of this pool, empty if the pool is not accepted (now)."""
        pool = self.pools.get(pool_id)
        return pool.groups if pool else NO_GROUPS

    @property
    def callback_url(self) -> str:
        """The `redirect_uri` that is registered at the app client, byte for byte."""
        return self.public_url + registered_path("callback")

    @property
    def signed_out_url(self) -> str:
        """The sign-out URL that is registered at the app client, byte for byte."""
        return self.public_url + registered_path("signed_out")


SNAPSHOT_SECONDS = 60  # without background downloads, a snapshot is not renewed for this time

new_transport: Callable[[], Transport] = Transport  # replaced by accounts.testing


@lru_cache(maxsize=1)
def provider() -> Provider:
    """Return the provider of this process, created at its first use. Raises ConfigurationError."""
    config, secret = read_config(), read_client_secret()
    transport = new_transport()

    limits, site, pools = read_limits(), read_site_options(), read_pools()
    keys = _key_stores(pools, config.key_set_url, transport, limits, site)
    access_verifier = TrustedPools(
        TokenVerifier(
            pool_id=pool_id, keys=keys[pool_id], client_ids=pool.client_ids, rules=pool.rules
        )
        for pool_id, pool in pools.items()
    )
    return Provider(
        config=config,
        client_secret=secret,
        pools=pools,
        keys=keys[config.pool_id][config.issuer],
        access_verifier=access_verifier,
        token_cache=TokenCache(access_verifier),
        sign_in_verifier=TokenVerifier(
            pool_id=config.pool_id,
            keys=keys[config.pool_id],
            client_ids=(config.client_id,),
            rules=AccessRules(resources=config.rules.resources),
        ),
        token_endpoint=BoundedTokenEndpoint(
            config, transport, secret, calls_at_once=limits.calls_at_once
        ),
        session_api=SessionApi(config, transport),
        max_call_seconds=transport.max_call_seconds,
        cipher=read_cipher(),
        public_url=site.public_url,
        create_users=site.create_users,
        show_trigger_messages=site.show_trigger_messages,
        client_rights=read_client_rights(),
        public_client_id=site.public_client_id,
        spa_redirect_uris=read_spa_redirect_uris(),
        sign_in_options=read_sign_in_options(),
        limits=limits,
        shared_cache=site.shared_cache,
    )


def _key_stores(
    pools: Mapping[str, Pool],
    snapshot_url: str,
    transport: Transport,
    limits: Limits,
    site: SiteOptions,
) -> dict[str, dict[str, KeyStore]]:
    """Return the keys by pool ID and issuer. A key set is downloaded when a token names its issuer.

    Issuers with one key set share its store. The snapshot is that of `snapshot_url`.
    """
    options: dict[str, Any] = {}
    if site.frozen_between_requests:
        # AWS Lambda stops all threads after each response, so a download must end within a request.
        options = {"in_background": lambda work: work(), "document_seconds": SNAPSHOT_SECONDS}

    @cache
    def key_store(url: str) -> KeyStore:
        return KeyStore(
            count_fetches(lambda: transport.get(url)),
            document=read_snapshot() if url == snapshot_url else None,
            max_waiting=limits.calls_at_once - 1,  # one more thread downloads
            **options,
        )

    return {
        pool_id: {issuer: key_store(url) for issuer, url in pool.key_set_urls.items()}
        for pool_id, pool in pools.items()
    }


def reset_on_setting_change() -> None:
    """Discard the provider when a test overrides COGNITO."""

    def reset(*, setting: str, **kwargs: Any) -> None:
        if setting == "COGNITO":
            provider.cache_clear()
            open_client_secret.cache_clear()

    setting_changed.connect(reset, weak=False, dispatch_uid=f"{__name__}.reset")
