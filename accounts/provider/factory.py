"""The provider as Django sees it: the setting COGNITO turned into objects, once.

Everything else asks `provider()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed

from ..cognito.config import CognitoConfig, TrustedPool
from ..cognito.jwks import KeyStore
from ..cognito.token_cache import VerifiedTokens
from ..cognito.transport import Transport
from ..cognito.verifier import TokenVerifier, TrustedPools
from ..core.app_label import page_address
from ..core.encryption import Cipher
from .bounded_endpoint import WatchedTokenEndpoint, counted_fetch
from .client_rights import ClientRights
from .group_mapping import GroupMapping
from .limits import Limits
from .settings import (
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
    """Everything needed to talk to one user pool and to trust what it says."""

    config: CognitoConfig
    verifier: TokenVerifier  # access tokens of every accepted app client
    pools: TrustedPools  # the same, and those of COGNITO_TRUSTED_POOLS
    verified_tokens: VerifiedTokens
    sign_in_verifier: TokenVerifier  # what our own app client was given
    token_endpoint: WatchedTokenEndpoint
    longest_call: float  # seconds that a call to the token endpoint can take
    cipher: Cipher
    public_url: str
    create_people: bool
    group_mappings: Mapping[str, GroupMapping]  # by issuer
    trusted_scopes: Mapping[str, frozenset[str]]  # by issuer, of trusted pools
    client_rights: Mapping[str, ClientRights]  # by app client id
    public_client_id: str  # for browsers that come without our secret; may be empty
    spa_redirect_uris: tuple[str, ...]
    limits: Limits
    shared_cache: str  # its name in CACHES; empty: our processes share none

    def group_mapping(self, issuer: str) -> GroupMapping:
        """Return the rules of the pool with this issuer, or none if it is not accepted (now)."""
        return self.group_mappings.get(issuer, GroupMapping())

    @property
    def callback_url(self) -> str:
        """The redirect_uri registered at the app client, byte for byte."""
        return self.public_url + page_address("callback")

    @property
    def signed_out_url(self) -> str:
        """The sign-out address registered at the app client."""
        return self.public_url + page_address("signed_out")


SNAPSHOT_SECONDS = 60  # a snapshot is trusted so long where renewing it takes a request's time

new_transport: Callable[[], Transport] = Transport  # replaced by accounts.testing


@lru_cache(maxsize=1)
def provider() -> Provider:
    """The provider of this process, built at first use. Raises ConfigurationError."""
    config = read_config()
    transport = new_transport()

    limits, site = read_limits(), read_site_options()
    options: dict[str, Any] = {}
    if site.frozen_between_requests:
        # AWS Lambda stops all threads after each answer: a download has to end within a request.
        options = {"in_background": lambda work: work(), "document_seconds": SNAPSHOT_SECONDS}

    def verifier(pool: CognitoConfig | TrustedPool) -> TokenVerifier:
        document = read_snapshot() if pool is config else None
        fetch = counted_fetch(lambda: transport.get(pool.jwks_url))
        waiting = limits.calls_at_once - 1  # besides the one that downloads
        keys = KeyStore(fetch, document=document, max_waiting=waiting, **options)
        return TokenVerifier(issuer=pool.issuer, client_ids=pool.accepted_clients, keys=keys)

    own = verifier(config)
    trusted = read_trusted_pools()
    pools = TrustedPools([own, *map(verifier, trusted)])
    return Provider(
        config=config,
        verifier=own,
        pools=pools,
        verified_tokens=VerifiedTokens(pools),
        sign_in_verifier=TokenVerifier(
            issuer=config.issuer, client_ids=(config.client_id,), keys=own.keys
        ),
        token_endpoint=WatchedTokenEndpoint(config, transport, calls_at_once=limits.calls_at_once),
        longest_call=transport.longest_call,
        cipher=read_cipher(),
        public_url=site.public_url,
        create_people=site.create_people,
        group_mappings=read_group_mappings(),
        client_rights=read_client_rights(),
        trusted_scopes={pool.issuer: frozenset(pool.scopes) for pool in trusted},
        public_client_id=site.public_client_id,
        spa_redirect_uris=read_spa_redirect_uris(),
        limits=limits,
        shared_cache=site.shared_cache,
    )


def reset_on_setting_change() -> None:
    """Build the provider anew when a test overrides COGNITO."""

    def reset(*, setting: str, **kwargs: Any) -> None:
        if setting == "COGNITO":
            provider.cache_clear()

    setting_changed.connect(reset, weak=False, dispatch_uid=f"{__name__}.reset")
