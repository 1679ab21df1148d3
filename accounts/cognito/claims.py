"""The claims of verified tokens. Only these types mean "verified" in this project.

The claims are those of
https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
and -id-token.html (RFC 7519 section 4.1; OpenID Connect Core section 3.1.3.7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """The claims of a verified access token. Times are in seconds since the epoch.

    A user is ``pool_id`` and ``subject``: a pool can have several issuers (see `Pool`).

    ``groups`` is None if the claim is absent. Cognito omits it for a user without groups, and a
    token-generation trigger may omit it for any user. ``username`` is None for machines
    (client_credentials), whose ``subject`` is their client ID.

    ``acr`` is the level of the user's authentication and ``amr`` its methods (RFC 8176). Cognito
    does not send them on every plan.

    ``audience`` are the resources that the token is bound to (RFC 8707), empty if it is not bound.
    ``actors`` are the services that act for the subject after a token exchange (RFC 8693 section
    4.1), the current one first. An exchange without an actor leaves no trace in the token.
    """

    pool_id: str
    issuer: str
    subject: str
    client_id: str
    username: str | None
    scopes: frozenset[str]
    groups: tuple[str, ...] | None
    expires_at: int
    issued_at: int
    auth_time: int | None
    jti: str | None
    origin_jti: str | None
    acr: str | None = None
    amr: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    raw: Payload = field(repr=False, compare=False)

    @property
    def is_machine(self) -> bool:
        return self.username is None

    @property
    def actor(self) -> str | None:
        """The service that acts for the subject, or None."""
        return self.actors[0] if self.actors else None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdClaims:
    """The claims of a verified ID token. Times are in seconds since the epoch."""

    pool_id: str
    issuer: str
    subject: str
    client_id: str
    username: str
    groups: tuple[str, ...] | None
    expires_at: int
    issued_at: int
    auth_time: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    jti: str | None
    origin_jti: str | None
    nonce: str | None = field(repr=False)
    email: str | None = field(repr=False)
    email_verified: bool
    name: str | None = field(repr=False)
    given_name: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    raw: Payload = field(repr=False, compare=False)


Payload = Mapping[str, Any]
