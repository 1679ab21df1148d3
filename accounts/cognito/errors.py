"""What can go wrong between us and Cognito.

A class exists only if a caller reacts to it in its own way; docs/architecture.md draws the tree.
Messages are for people and never contain a token, a code or a secret; ``data`` is for programs. The
table that turns these classes into statuses and pages is not here but at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from .claims import AccessClaims, IdClaims


class CognitoError(Exception):
    """Base of everything this package raises on purpose."""

    code: ClassVar[str] = "cognito_error"  # stable: tests, logs and clients may compare it

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class ConfigurationError(CognitoError):
    """Settings are missing or malformed; ``problems`` maps each environment name to a sentence."""

    code = "configuration"

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        sentences = "; ".join(f"{name} {problem}" for name, problem in self.problems.items())
        super().__init__(sentences, problems=self.problems)


class TokenRejected(CognitoError):
    """Somebody's access or ID token is not acceptable."""

    code = "token_rejected"


class MalformedToken(TokenRejected):
    """Not a JSON Web Token of the one shape Cognito issues (RFC 7515, compact)."""

    code = "malformed_token"


class UnknownKey(TokenRejected):
    """Names a signing key that the pool's current key set does not hold."""

    code = "unknown_key"


class BadSignature(TokenRejected):
    """The signature is not RS256, or was not made by the pool's key over these bytes."""

    code = "bad_signature"


class ClaimRejected(TokenRejected):
    """The signature is genuine, but one claim is missing or not what we accept."""

    code = "claim_rejected"

    def __init__(
        self, message: str, *, claim: str, expected: object = None, actual: object = None
    ) -> None:
        super().__init__(message, claim=claim, expected=expected, actual=actual)
        self.claim = claim
        self.expected = expected
        self.actual = actual


class TokenExpired(ClaimRejected):
    """Genuine and right in every other respect, but past ``exp``; ``claims`` is what it says."""

    code = "token_expired"

    def __init__(self, message: str, *, claims: AccessClaims | IdClaims, now: float) -> None:
        super().__init__(message, claim="exp", expected=f"> {int(now)}", actual=claims.expires_at)
        self.claims = claims


class WrongIssuer(ClaimRejected):
    """Issued by another user pool."""

    code = "wrong_issuer"


class WrongClient(ClaimRejected):
    """Issued for another app client, or bound to another resource."""

    code = "wrong_client"


class WrongTokenUse(ClaimRejected):
    """An ID token where an access token belongs, or the reverse."""

    code = "wrong_token_use"


class NonceMismatch(ClaimRejected):
    """Not the ID token of this sign-in attempt."""

    code = "nonce_mismatch"


class TokenRevoked(TokenRejected):
    """Its sign-in was ended, or its person disabled, after it was issued."""

    code = "token_revoked"


class SignInRejected(CognitoError):
    """The callback of the hosted UI cannot be honoured."""

    code = "sign_in_rejected"


class StateMismatch(SignInRejected):
    """The callback's ``state`` belongs to no open attempt of this browser."""

    code = "state_mismatch"


class InvalidCallback(SignInRejected):
    """Not a callback that Cognito makes: parameters missing, repeated, oversized or foreign."""

    code = "invalid_callback"


class ProviderRefused(SignInRejected):
    """Cognito sent the person back with its ``error`` code and a free-text ``description``."""

    code = "provider_refused"

    def __init__(self, message: str, *, error: str, description: str = "") -> None:
        super().__init__(message, error=error, description=description)
        self.error = error
        self.description = description


class TokenEndpointError(CognitoError):
    """The token endpoint understood us and said no: trying again changes nothing."""

    code = "token_endpoint"


class GrantRejected(TokenEndpointError):
    """The code or refresh token is used, expired, revoked, or its person disabled."""

    code = "grant_rejected"


class ClientRejected(TokenEndpointError):
    """Cognito does not know our client id, or the secret is wrong."""

    code = "client_rejected"


class RequestRejected(TokenEndpointError):
    """The request does not fit the app client: redirect address, flow or scope."""

    code = "request_rejected"


class CognitoUnavailable(CognitoError):
    """No usable answer; says nothing about tokens or people. ``retry_after`` is in seconds."""

    code = "cognito_unavailable"

    def __init__(self, message: str, *, retry_after: float | None = None, **data: Any) -> None:
        super().__init__(message, retry_after=retry_after, **data)
        self.retry_after = retry_after
