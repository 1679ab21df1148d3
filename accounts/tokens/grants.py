"""The tokens that Cognito grants, verified."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..cognito.claims import AccessClaims, IdClaims
from ..cognito.errors import ClaimRejected
from ..cognito.token_endpoint import TokenSet
from ..models import Identity, SignIn, is_same_pool
from ..provider import provider
from . import revocations


@dataclass(frozen=True)
class GrantedTokens:
    """The verified tokens of a code exchange or a renewal."""

    tokens: TokenSet = field(repr=False)
    id_claims: IdClaims
    access_claims: AccessClaims


def verified_grant(tokens: TokenSet, *, nonce: str | None) -> GrantedTokens:
    """Verify the tokens of an exchanged code, and return them with their claims.

    If `nonce` is None, the claim is not compared.

    Raises TokenRejected, CognitoUnavailable.
    """
    verifier = provider().sign_in_verifier
    id_claims = verifier.id_claims(tokens.id_token, nonce=nonce, access_token=tokens.access_token)
    access_claims = verifier.access_claims(tokens.access_token)
    if access_claims.subject != id_claims.subject:
        raise ClaimRejected(
            "access token and ID token are of two users",
            claim="sub",
            expected=id_claims.subject,
            actual=access_claims.subject,
        )
    revocations.record_clock_skew(access_claims)
    return GrantedTokens(tokens=tokens, id_claims=id_claims, access_claims=access_claims)


def require_same_sign_in(original: SignIn | AccessClaims, renewed: AccessClaims | IdClaims) -> None:
    """Raise ClaimRejected unless the renewed token continues the `original` sign-in.

    OpenID Connect Core section 12.2. Otherwise, the refresh token of any user would do. The issuer
    may differ from the original one, if both are of the same pool.
    """
    if not is_same_pool(original, renewed):
        raise _of_another_sign_in("issuer", original.issuer, renewed.issuer)
    names = ["subject", "client_id", "auth_time"]
    # A SignIn may hold the access token's own ID instead of `origin_jti`.
    if isinstance(original, AccessClaims):
        names.append("origin_jti")
    for name in names:
        expected, actual = getattr(original, name), getattr(renewed, name)
        if expected != actual:
            raise _of_another_sign_in(name, expected, actual)
    if isinstance(original, SignIn):
        # An earlier version may have signed this browser in to an account that was set aside.
        # `original.identity` would be cached, and lack the groups of the renewed token.
        identity = Identity.objects.get_exact(original)
        if identity is not None and identity.user_id != original.user_id:
            raise _of_another_sign_in("user", original.user_id, identity.user_id)


def _of_another_sign_in(name: str, expected: Any, actual: Any) -> ClaimRejected:
    message = f"the refresh token belongs to another sign-in: {name} differs"
    return ClaimRejected(message, claim=name, expected=expected, actual=actual)
