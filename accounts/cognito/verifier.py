"""Verify tokens: parse the token, find the key, verify the signature, check the claims.

Only this module imports the JWT library, and only to verify RS256 signatures. This package itself
selects the key and checks the claims
(RFC 8725; https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
No setting weakens a check.
"""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NoReturn

import jwt

from . import claim_checks as check
from .claims import AccessClaims, IdClaims, Payload
from .errors import (
    BadSignature,
    CognitoUnavailable,
    ConfigurationError,
    MalformedToken,
    UnknownKey,
)
from .jwks import KeyStore
from .token_checks import (
    UNBOUND_ONLY,
    AccessRules,
    check_access_claims,
    check_expiry,
    check_id_claims,
)

# The token of a user in 100 groups (Cognito's maximum) with the longest names is still shorter.
MAX_TOKEN_LENGTH = 32_768
_MAX_HEADER_LENGTH = 1024

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
# With these header members, a token could select its own key, encoding or rules.
_FORBIDDEN = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})
_RS256 = jwt.PyJWS(algorithms=["RS256"])


class TokenVerifier:
    """The verifier of the tokens of one user pool, for some of its app clients.

    ``keys`` are the signing keys of each issuer of the pool; a token is verified with those of the
    issuer that it names.
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
        clock: Callable[[], float] = time.time,
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
        now = self._clock()
        issuer, payload = self._signed_payload(unverified_access_token)
        claims = check_access_claims(
            payload,
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
        now = self._clock()
        issuer, payload = self._signed_payload(unverified_id_token)
        claims = check_id_claims(
            payload,
            pool_id=self.pool_id,
            issuer=issuer,
            client_ids=self.client_ids,
            nonce=nonce,
            access_token=access_token,
            now=now,
        )
        check_expiry(claims, now=now)
        return claims

    def is_key_published(self, issuer: str, key_id: str) -> bool:
        """Return True if the issuer still publishes the key that signed a cached token.

        Like every use of the key set, this call renews it when it is due.
        """
        try:
            self.keys[issuer].key(key_id)
        except (UnknownKey, CognitoUnavailable):
            return False
        return True

    def _signed_payload(self, unverified_token: str) -> tuple[str, Payload]:
        """Verify the signature with a key of the issuer that the token names.

        Returns that issuer and the payload, whose claims are not checked yet. The key set of an
        issuer is only asked for a token that names it: AWS responds with 403 at the updated issuer
        of a pool that does not use it.
        """
        key_id = _key_id(_unverified_header(unverified_token))
        issuer = check.issuer(_unverified_payload(unverified_token), self.keys)
        key = self.keys[issuer].key(key_id)
        try:
            token = _RS256.decode_complete(unverified_token, key, algorithms=["RS256"])
        except jwt.PyJWTError as error:
            raise BadSignature("The signature of this token does not match its content.") from error
        return issuer, _json_object(token["payload"])


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
        self._only = verifier if set(self._by_issuer.values()) == {verifier} else None

    def access_claims(self, unverified_access_token: str) -> AccessClaims:
        """Return the claims of an access token of any of the pools.

        Raises:
            TokenExpired: the token has expired. The error has its verified claims.
            TokenRejected: the token is not acceptable (WrongIssuer if it is of another pool).
            CognitoUnavailable: the signing keys of that pool are unavailable.
        """
        if self._only is not None:  # the token need not be parsed twice
            return self._only.access_claims(unverified_access_token)
        issuer = check.issuer(_unverified_payload(unverified_access_token), self._by_issuer)
        return self._by_issuer[issuer].access_claims(unverified_access_token)

    def is_key_published(self, issuer: str, key_id: str) -> bool:
        """Return True if `issuer` still publishes the key."""
        return self._by_issuer[issuer].is_key_published(issuer, key_id)


def signing_key_id(unverified_token: str) -> str:
    """Return the key ID (``kid``) in the header of a token.

    Raises:
        BadSignature: the token is not signed with RS256.
        MalformedToken: it is not a token as Cognito issues them.
    """
    return _key_id(_unverified_header(unverified_token))


def _unverified_segments(unverified_token: str) -> tuple[str, str]:
    """Return the encoded header and payload, after checking length, alphabet and parts."""
    if len(unverified_token) > MAX_TOKEN_LENGTH:
        raise MalformedToken(f"This token is longer than {MAX_TOKEN_LENGTH} characters.")
    match = _COMPACT.fullmatch(unverified_token)
    if not match:
        raise MalformedToken("This is not a JSON Web Token: three base64url parts joined by dots.")
    return match[1], match[2]


def _unverified_header(unverified_token: str) -> dict[str, Any]:
    segment, _ = _unverified_segments(unverified_token)
    if len(segment) > _MAX_HEADER_LENGTH:
        raise MalformedToken(f"This token's header is longer than {_MAX_HEADER_LENGTH} characters.")
    return _json_object(_decode(segment))


def _unverified_payload(unverified_token: str) -> Payload:
    """Return the payload without any check. Use it only to select a verifier or an error."""
    _, segment = _unverified_segments(unverified_token)
    return _json_object(_decode(segment))


def _key_id(header: dict[str, Any]) -> str:
    """Return the ``kid`` of a header that has ``alg`` RS256 and no forbidden member."""
    if header.get("alg") != "RS256":
        raise BadSignature("This token is not signed with RS256, the only accepted algorithm.")
    if not _FORBIDDEN.isdisjoint(header):
        raise MalformedToken("This token's header has members that Cognito never sends.")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise MalformedToken("This token's header does not name the signing key (kid).")
    return key_id


def _decode(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise MalformedToken("This token is not valid base64url.") from error


def _json_object(document: bytes) -> dict[str, Any]:
    try:
        value = _JSON.decode(document.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedToken("This token does not contain valid JSON.") from error
    if not isinstance(value, dict):
        raise MalformedToken("This token does not contain a JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # by default, Python accepts NaN and Infinity


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
