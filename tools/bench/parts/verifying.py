"""The verifications that `micro` compares (see ../inside.py).

Each function returns the function to measure, which verifies the tokens once and returns their
number. Work that a library can do in advance is not measured.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from django.conf import settings
from joserfc import jwt as joserfc_jwt
from joserfc.jwk import KeySet

from accounts.api.bearer import authenticate_token
from accounts.cognito.token_cache import TokenCache
from accounts.provider import provider
from accounts.tokens import revocation_feed

from ..measuring import in_turn

MEASUREMENT_SECONDS = 0.1
AGAIN = 200  # repetitions: for a single cached token, the loop itself would count
Verify = Callable[[], int]
CLAIMS = ["exp", "iat", "iss", "sub", "token_use", "client_id"]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Return the seconds per verification by name and round, and the problems."""
    access_tokens, id_tokens = order["access_tokens"], order["id_tokens"]
    subjects = {
        "rsa": rsa(access_tokens),
        "again": again(access_tokens[0]),
        "claims": claims_again(access_tokens[0]),
        "first": first(access_tokens),
        "pyjwt": pyjwt(access_tokens),
        "pyjwt_client": pyjwt_client(access_tokens),
        "joserfc": joserfc(access_tokens),
        "cognito_jwt": cognito_jwt(id_tokens),
    }
    for verify in subjects.values():
        verify()
    series = in_turn(
        {name: partial(seconds_each, verify) for name, verify in subjects.items()},
        order["rounds"],
    )
    return {
        "seconds": {name: item.values for name, item in series.items()},
        "problems": {n: ", ".join(item.problems) for n, item in series.items() if item.problems},
    }


def seconds_each(verify: Verify) -> float:
    """Return seconds of this thread's CPU time, which excludes other work on the machine."""
    done, started = 0, time.thread_time()
    while (taken := time.thread_time() - started) < MEASUREMENT_SECONDS:
        done += verify()
    return taken / done


def rsa(tokens: list[str]) -> Verify:
    """Verify signatures only: the minimum for a token that is not cached."""
    keys, padding, digest = provider().keys, PKCS1v15(), SHA256()
    keys.load()
    parts = []
    for token in tokens:
        head, _, signature = token.rpartition(".")
        key = keys.key(jwt.get_unverified_header(token)["kid"])
        parts.append((key, jwt.utils.base64url_decode(signature), head.encode()))

    def verify() -> int:
        for key, signature, signed in parts:
            key.verify(signature, signed, padding, digest)
        return len(parts)

    return verify


def again(token: str) -> Verify:
    """Authenticate with a cached token as an API request does, including the revocation feed."""

    def verify() -> int:
        for _ in range(AGAIN):
            authenticate_token(token)
        return AGAIN

    return verify


def claims_again(token: str) -> Verify:
    """Check a cached token without creating the user's instance."""
    cache = provider().token_cache

    def verify() -> int:
        for _ in range(AGAIN):
            revocation_feed.check(cache.verify(token, principal_of=_no_principal).claims)
        return AGAIN

    return verify


def first(tokens: list[str]) -> Verify:
    """Verify tokens with an empty cache, without the query for the user."""
    pools = provider().access_verifier

    def verify() -> int:
        cache = TokenCache(pools)
        for token in tokens:
            cache.verify(token, principal_of=_no_principal)
        return len(tokens)

    return verify


def pyjwt(tokens: list[str]) -> Verify:
    keys, issuer = provider().keys, provider().config.issuer
    by_id = {kid: keys.key(kid) for kid in map(_key_id, tokens)}

    def verify() -> int:
        for token in tokens:
            key = by_id[_key_id(token)]
            jwt.decode(token, key, ["RS256"], {"require": CLAIMS}, issuer=issuer)
        return len(tokens)

    return verify


def pyjwt_client(tokens: list[str]) -> Verify:
    issuer = provider().config.issuer
    client = jwt.PyJWKClient(provider().config.key_set_url, cache_keys=True)

    def verify() -> int:
        for token in tokens:
            key = client.get_signing_key_from_jwt(token)
            jwt.decode(token, key, ["RS256"], {"require": CLAIMS}, issuer=issuer)
        return len(tokens)

    return verify


def joserfc(tokens: list[str]) -> Verify:
    document = provider().keys.document
    keys = KeySet.import_key_set(json.loads(document or b""))
    claims: dict[str, Any] = {name: {"essential": True} for name in CLAIMS}
    claims["iss"]["value"] = provider().config.issuer
    registry = joserfc_jwt.JWTClaimsRegistry(**claims)

    def verify() -> int:
        for token in tokens:
            registry.validate(joserfc_jwt.decode(token, keys, algorithms=["RS256"]).claims)
        return len(tokens)

    return verify


def cognito_jwt(id_tokens: list[str]) -> Verify:
    settings.COGNITO_PUBLIC_KEYS_CACHING_ENABLED = True
    settings.COGNITO_PUBLIC_KEYS_CACHING_TIMEOUT = 60 * 60 * 24
    from ..peers.validator import LocalValidator

    config = provider().config

    def verify() -> int:
        for token in id_tokens:  # one per request, as in its authentication class
            LocalValidator(config.issuer, config.client_id).validate(token)
        return len(id_tokens)

    return verify


def _no_principal(claims: object) -> None:
    return None


def _key_id(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
