"""What verified tokens say: the only types in this project that mean "verified".

One check per claim, for payloads whose signature the verifier has already checked
(https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
and -id-token.html; RFC 7519 section 4.1; OpenID Connect Core section 3.1.3.7). Types are strict,
because what counts as a number or a name in Python is wider than what Cognito sends. Expiry comes
last and is a separate step: a token that is merely expired is genuine, and is asked again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessClaims:
    """A verified access token. Times are seconds since the epoch.

    ``groups`` is None when the claim is absent, which Cognito does for people in no group, and a
    token-generation trigger may do for anybody. ``username`` is None for machines
    (client_credentials), whose ``subject`` is their client id.
    """

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
    raw: Payload = field(repr=False, compare=False)

    @property
    def is_machine(self) -> bool:
        return self.username is None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdClaims:
    """A verified ID token: who signed in, for the client that asked. Times as in AccessClaims."""

    issuer: str
    subject: str
    client_id: str
    username: str
    groups: tuple[str, ...] | None
    expires_at: int
    issued_at: int
    auth_time: int
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
