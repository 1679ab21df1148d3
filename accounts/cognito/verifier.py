"""Verify tokens: parse the token, find the key, verify the signature, check the claims.

Only this module imports the JWT library, and only to verify RS256 signatures. This package itself
selects the key and checks the claims
(RFC 8725; https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
No setting weakens a check.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping

import jwt

from . import claim_checks as check
from .claims import AccessClaims, IdClaims
from .errors import (
    BadSignature,
    CognitoUnavailable,
    ConfigurationError,
    WrongIssuer,
)
from .jwks import KeyStore
from .token_checks import (
    UNBOUND_ONLY,
    AccessRules,
    check_access_claims,
    check_expiry,
    check_id_claims,
)
from .token_parsing import UnverifiedToken, parse

_RS256 = jwt.get_algorithm_by_name("RS256")


class TokenVerifier:
    """The verifier of the tokens of one user pool, for some of its app clients.

    ``keys`` are the signing keys of each issuer of the pool, the preferred one first. A token is
    verified with the keys of the issuer that it names.
    ``rules`` decide on access tokens that are bound to a resource or have an actor. ``clock``
    returns seconds since the epoch.
    """

    def __init__(
        self,
        *,
        pool_id: str,
        keys: Mapping[str, KeyStore],
        client_ids: Collection[str],
        rules: AccessRules = UNBOUND_ONLY,
        clock: Callable[[], float] = lambda: time.time(),
    ) -> None:
        self.pool_id = pool_id
        self.keys = dict(keys)
        self.client_ids = frozenset(client_ids)
        self._rules = rules
        self._clock = clock

    def access_claims(self, unverified_access_token: str) -> AccessClaims:
        """Return the claims of an access token of this pool for one of the app clients.

        Raises:
            TokenExpired: the token has expired. The error has its verified claims.
            TokenRejected: the token is not acceptable. The subclass says why.
            CognitoUnavailable: the signing keys are unavailable.
        """
        return self.claims_of_access_token(parse(unverified_access_token))

    def claims_of_access_token(self, token: UnverifiedToken) -> AccessClaims:
        """Return what `access_claims` returns, for a parsed token."""
        now = self._clock()
        issuer = self._verify_signature(token)
        claims = check_access_claims(
            token.payload,
            pool_id=self.pool_id,
            issuer=issuer,
            client_ids=self.client_ids,
            rules=self._rules,
            now=now,
        )
        check_expiry(claims, now=now)
        return claims

    def id_claims(
        self, unverified_id_token: str, *, nonce: str | None, access_token: str | None = None
    ) -> IdClaims:
        """Return the claims of an ID token of this pool for one of the app clients.

        ``nonce`` is that of the sign-in attempt, or None if it is not to be checked (after a
        refresh). If ``access_token`` is given, ``at_hash`` must match it, if present.

        Raises:
            TokenExpired: the token has expired. The error has its verified claims.
            TokenRejected: the token is not acceptable. The subclass says why.
            CognitoUnavailable: the signing keys are unavailable.
        """
        now, token = self._clock(), parse(unverified_id_token)
        issuer = self._verify_signature(token)
        claims = check_id_claims(
            token.payload,
            pool_id=self.pool_id,
            issuer=issuer,
            client_ids=self.client_ids,
            nonce=nonce,
            access_token=access_token,
            now=now,
        )
        check_expiry(claims, now=now)
        return claims

    def is_unused(self, issuer: str) -> bool:
        """Return True if Cognito never published the keys of this issuer, and refuses it now.

        The pool does not use such an issuer. The keys of the preferred issuer can only be missing
        because of an outage or a wrong setting.
        """
        keys, preferred = self.keys[issuer], next(iter(self.keys.values()))
        status = keys.failure.data.get("status") if keys.failure else None
        return keys is not preferred and keys.document is None and status in (403, 404)

    def _verify_signature(self, token: UnverifiedToken) -> str:
        """Verify the signature with a key of the issuer that the token names. Returns that issuer.

        The key set of an issuer is only asked for a token that names it: AWS responds with 403 at
        the updated issuer of a pool that does not use it.
        """
        issuer = check.issuer(token.payload, self.keys)
        key = self.keys[issuer].key(token.key_id)
        if not _RS256.verify(token.signing_input, key, token.signature):
            raise BadSignature("The signature of this token does not match its content.")
        return issuer


class TrustedPools:
    """The verifiers of several pools. The issuer in the token selects the verifier.

    That issuer is unverified at first, and the selected verifier checks it. So a token is only
    accepted with the keys, app clients and issuers of one pool.
    """

    def __init__(self, verifiers: Iterable[TokenVerifier]) -> None:
        self._by_issuer: dict[str, TokenVerifier] = {}
        for verifier in verifiers:
            for issuer in verifier.keys:
                if self._by_issuer.setdefault(issuer, verifier) is not verifier:
                    problem = f"lists {issuer} twice, or it is the pool of COGNITO_POOL_ID"
                    raise ConfigurationError({"COGNITO_TRUSTED_POOLS": problem})

    def access_claims(self, unverified_access_token: str) -> AccessClaims:
        """Return the claims of an access token of any of the pools. Anyone can send such a token.

        Raises:
            TokenExpired: the token has expired. The error has its verified claims.
            TokenRejected: the token is not acceptable (WrongIssuer if it is of another pool).
            CognitoUnavailable: the signing keys of that issuer are unavailable.
        """
        return self.claims_of_access_token(parse(unverified_access_token))

    def claims_of_access_token(self, token: UnverifiedToken) -> AccessClaims:
        """Return what `access_claims` returns, for a parsed token."""
        issuer = check.issuer(token.payload, self._by_issuer)
        verifier = self._by_issuer[issuer]
        try:
            return verifier.claims_of_access_token(token)
        except CognitoUnavailable as error:
            # Without this, anyone could cause responses with status 503, as in an outage.
            if verifier.is_unused(issuer):
                message = "The user pool does not use this issuer."
                raise WrongIssuer(message, claim="iss", actual=issuer) from error
            raise

    def keys_of(self, issuer: str) -> KeyStore:
        """Return the signing keys of `issuer`, which one of the pools must have."""
        return self._by_issuer[issuer].keys[issuer]
