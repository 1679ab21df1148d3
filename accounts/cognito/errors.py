"""The errors of the protocol.

A class exists only if a caller reacts to it in its own way. docs/architecture.md draws the tree.
Messages are for developers and operators, and never contain a token, a code or a secret. ``data``
is for programs. problems/catalog.py turns these classes into statuses and pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .claims import AccessClaims, IdClaims


class CognitoError(Exception):
    """The base class of all errors that this package raises."""

    code: ClassVar[str] = "cognito_error"  # stable: tests, logs and clients compare it

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class ConfigurationError(CognitoError):
    """Missing or malformed settings. ``problems`` maps environment variables to the problem."""

    code = "configuration"

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        sentences = "; ".join(f"{name} {problem}" for name, problem in self.problems.items())
        super().__init__(sentences, problems=self.problems)


class TokenRejected(CognitoError):
    """An access or ID token that is not acceptable."""

    code = "token_rejected"


class MalformedToken(TokenRejected):
    """A token that is not a JSON Web Token as Cognito issues them (RFC 7515, compact)."""

    code = "malformed_token"


class UnknownKey(TokenRejected):
    """A token signed with a key that the pool's current key set does not contain."""

    code = "unknown_key"


class BadSignature(TokenRejected):
    """A signature that is not RS256, or does not match the pool's key and the content."""

    code = "bad_signature"


class ClaimRejected(TokenRejected):
    """A genuine token in which a claim is missing or not acceptable."""

    code = "claim_rejected"

    def __init__(
        self, message: str, *, claim: str, expected: object = None, actual: object = None
    ) -> None:
        super().__init__(message, claim=claim, expected=expected, actual=actual)
        self.claim = claim
        self.expected = expected
        self.actual = actual


class TokenExpired(ClaimRejected):
    """A token that passed all checks except expiry. ``claims`` are its verified claims."""

    code = "token_expired"

    def __init__(self, message: str, *, claims: AccessClaims | IdClaims, now: float) -> None:
        super().__init__(message, claim="exp", expected=f"> {int(now)}", actual=claims.expires_at)
        self.claims = claims


class WrongIssuer(ClaimRejected):
    """A token of another user pool."""

    code = "wrong_issuer"


class WrongClient(ClaimRejected):
    """A token for another app client."""

    code = "wrong_client"


class WrongResource(WrongClient):
    """An access token that is bound to another resource (RFC 8707). The message names it."""

    code = "wrong_resource"


class ActorRejected(ClaimRejected):
    """A token with which a service acts for its subject, and may not do so here."""

    code = "actor_rejected"


class WrongTokenUse(ClaimRejected):
    """An ID token instead of an access token, or the reverse."""

    code = "wrong_token_use"


class NonceMismatch(ClaimRejected):
    """An ID token of another sign-in attempt."""

    code = "nonce_mismatch"


class TokenRevoked(TokenRejected):
    """A token whose sign-in was ended, or whose user was deactivated, after it was issued."""

    code = "token_revoked"


class SignInRejected(CognitoError):
    """A sign-in that cannot be completed."""

    code = "sign_in_rejected"


class StateMismatch(SignInRejected):
    """A callback whose ``state`` does not belong to an open attempt of this browser."""

    code = "state_mismatch"


class InvalidCallback(SignInRejected):
    """A callback that Cognito does not send: a parameter is missing, repeated or too long."""

    code = "invalid_callback"


class ProviderRefused(SignInRejected):
    """A callback with an ``error`` code of Cognito and a free-text ``description``."""

    code = "provider_refused"

    def __init__(self, message: str, *, error: str, description: str = "") -> None:
        super().__init__(message, error=error, description=description)
        self.error = error
        self.description = description


class TokenEndpointError(CognitoError):
    """A final refusal of the token endpoint. Another try would fail too."""

    code = "token_endpoint"


class GrantRejected(TokenEndpointError):
    """A code or refresh token that was used, expired or revoked, or whose user is disabled."""

    code = "grant_rejected"


class ClientRejected(TokenEndpointError):
    """A client ID or client secret that Cognito does not accept."""

    code = "client_rejected"


class RequestRejected(TokenEndpointError):
    """A request that does not fit the app client: its redirect URI, flow or scope is wrong."""

    code = "request_rejected"


class ExchangeRejected(RequestRejected):
    """A token exchange that the app client or the user pool does not allow (RFC 8693)."""

    code = "exchange_rejected"


class CognitoUnavailable(CognitoError):
    """No usable response from Cognito. Tokens may still be valid. ``retry_after`` is in seconds."""

    code = "cognito_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None, **data: Any) -> None:
        super().__init__(message, retry_after=retry_after, **data)
        self.retry_after = retry_after
