"""From an unverified token to claims: parse, key, signature, claims, in that order.

The only file that imports the JWT library, which here does what it is best at: splitting the token
and checking its RS256 signature. Which key, and what the claims must say, is decided by us
(RFC 8725; https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html).
No setting weakens any of it.
"""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Collection, Iterable
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
from .token_checks import check_access_claims, check_expiry, check_id_claims

# A person in the 100 groups Cognito allows, with the longest names, stays below 20,000 characters.
LONGEST_TOKEN = 32_768
_LONGEST_HEADER = 1024

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")
# Header members that would let a token choose its own key, packing or rules.
_FORBIDDEN = frozenset({"crit", "b64", "zip", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256"})
_RS256 = jwt.PyJWS(algorithms=["RS256"])


class TokenVerifier:
    """Verifies the tokens of one user pool for some of its app clients.

    ``audiences`` are resources (RFC 8707) this server answers to, when tokens are bound to them.
    ``clock`` gives seconds since the epoch.
    """

    def __init__(
        self,
        *,
        issuer: str,
        client_ids: Collection[str],
        keys: KeyStore,
        audiences: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.issuer = issuer
        self.client_ids = frozenset(client_ids)
        self.keys = keys
        self._audiences = frozenset(audiences)
        self._clock = clock

    def access_claims(self, unverified_access_token: str) -> AccessClaims:
        """The claims of an access token of this pool, for one of our clients, now.

        Raises:
            TokenExpired: everything else about it is in order; carries the claims.
            TokenRejected: any other reason not to accept it, as its subclasses say.
            CognitoUnavailable: the signing keys cannot be had.
        """
        now = self._clock()
        claims = check_access_claims(
            self._signed_payload(unverified_access_token),
            issuer=self.issuer,
            client_ids=self.client_ids,
            audiences=self._audiences,
            now=now,
        )
        check_expiry(claims, now=now)
        return claims

    def id_claims(
        self, unverified_id_token: str, *, nonce: str | None, access_token: str | None = None
    ) -> IdClaims:
        """The claims of an ID token of this pool, for one of our clients, now.

        ``nonce`` is that of the sign-in attempt; None leaves it unchecked on purpose, as after a
        refresh. With ``access_token`` given, ``at_hash`` must fit it when present.

        Raises:
            TokenExpired: everything else about it is in order; carries the claims.
            TokenRejected: any other reason not to accept it, as its subclasses say.
            CognitoUnavailable: the signing keys cannot be had.
        """
        now = self._clock()
        claims = check_id_claims(
            self._signed_payload(unverified_id_token),
            issuer=self.issuer,
            client_ids=self.client_ids,
            nonce=nonce,
            access_token=access_token,
            now=now,
        )
        check_expiry(claims, now=now)
        return claims

    def still_published(self, key_id: str) -> bool:
        """Whether a key that signed an access token earlier may still vouch for it.

        Asked for tokens that are remembered as verified. Like any use of the key set, it keeps it
        fresh.
        """
        try:
            self.keys.key(key_id)
        except (UnknownKey, CognitoUnavailable):
            return False
        return True

    def _signed_payload(self, unverified_token: str) -> Payload:
        """The payload of a token whose signature is good; its claims are still to be checked."""
        key_id = _key_id(_unverified_header(unverified_token))
        try:
            key = self.keys.key(key_id)
        except UnknownKey:
            # Most foreign tokens end here; saying whose they are saves people a search.
            check.issuer(_unverified_payload(unverified_token), {self.issuer})
            raise
        try:
            signed = _RS256.decode_complete(unverified_token, key, algorithms=["RS256"])
        except jwt.PyJWTError as error:
            raise BadSignature("the signature does not fit the content") from error
        return _json_object(signed["payload"])


class TrustedPools:
    """The verifiers of several pools: each token goes to the one of the issuer it names.

    The name is unverified until that verifier has compared it with its own, so a token can only
    ever be accepted under the keys, clients and issuer of one pool.
    """

    def __init__(self, verifiers: Iterable[TokenVerifier]) -> None:
        self._by_issuer: dict[str, TokenVerifier] = {}
        for verifier in verifiers:
            if self._by_issuer.setdefault(verifier.issuer, verifier) is not verifier:
                problem = f"names {verifier.issuer} twice, or the pool people sign in through"
                raise ConfigurationError({"COGNITO_TRUSTED_POOLS": problem})

    def access_claims(self, unverified_access_token: str) -> AccessClaims:
        """As TokenVerifier.access_claims, for any of the pools.

        Raises:
            TokenRejected: for tokens of no pool WrongIssuer, otherwise as TokenVerifier's.
            CognitoUnavailable: the signing keys of that pool cannot be had.
        """
        if len(self._by_issuer) == 1:  # no choice to make, so no second look into the token
            (only,) = self._by_issuer.values()
            return only.access_claims(unverified_access_token)
        issuer = check.issuer(_unverified_payload(unverified_access_token), self._by_issuer)
        return self._by_issuer[issuer].access_claims(unverified_access_token)

    def still_published(self, issuer: str, key_id: str) -> bool:
        """TokenVerifier.still_published, asked of the pool with that issuer."""
        return self._by_issuer[issuer].still_published(key_id)


def signing_key_id(unverified_token: str) -> str:
    """The id of the key that a token says it is signed with.

    Raises:
        MalformedToken, BadSignature: it does not look like a token of Cognito.
    """
    return _key_id(_unverified_header(unverified_token))


def _unverified_segments(unverified_token: str) -> tuple[str, str]:
    """Header and payload as sent, after the cheapest checks: length, alphabet, three parts."""
    if len(unverified_token) > LONGEST_TOKEN:
        raise MalformedToken(f"this token is longer than {LONGEST_TOKEN} characters")
    matched = _COMPACT.fullmatch(unverified_token)
    if not matched:
        raise MalformedToken("this is not a JSON Web Token: three base64url parts joined by dots")
    return matched[1], matched[2]


def _unverified_header(unverified_token: str) -> dict[str, Any]:
    segment, _ = _unverified_segments(unverified_token)
    if len(segment) > _LONGEST_HEADER:
        raise MalformedToken(f"this token's header is longer than {_LONGEST_HEADER} characters")
    return _json_object(_decoded(segment))


def _unverified_payload(unverified_token: str) -> Payload:
    """What a token says before anything is checked: good for choosing, proof of nothing."""
    _, segment = _unverified_segments(unverified_token)
    return _json_object(_decoded(segment))


def _key_id(header: dict[str, Any]) -> str:
    """Which key the token says it is signed with, once its header asks for nothing unusual."""
    if header.get("alg") != "RS256":
        raise BadSignature("not signed with RS256, the only algorithm accepted")
    if not _FORBIDDEN.isdisjoint(header):
        raise MalformedToken("this token's header carries members that Cognito never sends")
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise MalformedToken("this token does not name its signing key (kid)")
    return key_id


def _decoded(segment: str) -> bytes:
    try:
        return urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError as error:
        raise MalformedToken("this token is not base64url") from error


def _json_object(document: bytes) -> dict[str, Any]:
    try:
        value = _JSON.decode(document.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MalformedToken("this token does not hold JSON") from error
    if not isinstance(value, dict):
        raise MalformedToken("this token does not hold a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")  # Python would read NaN and Infinity as numbers


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
