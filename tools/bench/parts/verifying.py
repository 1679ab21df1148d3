"""The verifications that `micro` compares (runs inside, see ../inside.py).

Each function makes a measured one: it verifies the tokens once and returns how many that were.
Whatever a library can do beforehand is done beforehand.
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

from accounts.api.authentication import authenticated
from accounts.cognito.token_cache import VerifiedTokens
from accounts.provider import provider
from accounts.tokens import revocation_feed

from ..measuring import in_turn

LASTS = 0.1  # seconds of one measurement, about
AGAIN = 200  # a token seen again costs so little that the loop around it would count
Verify = Callable[[], int]
CLAIMS = ["exp", "iat", "iss", "sub", "token_use", "client_id"]


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Seconds for one verification, by names and rounds, and what went wrong."""
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
        "seconds": {name: each.values for name, each in series.items()},
        "problems": {n: ", ".join(each.problems) for n, each in series.items() if each.problems},
    }


def seconds_each(verify: Verify) -> float:
    """Of this thread's own time, so that what else the machine does counts for nothing."""
    done, started = 0, time.thread_time()
    while (taken := time.thread_time() - started) < LASTS:
        done += verify()
    return taken / done


def rsa(tokens: list[str]) -> Verify:
    """What nobody can do without, for a token that was not seen before."""
    keys, padding, digest = provider().verifier.keys, PKCS1v15(), SHA256()
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
    """The whole of it: what an API request does with its token, the revocation feed included."""

    def verify() -> int:
        for _ in range(AGAIN):
            authenticated(token)
        return AGAIN

    return verify


def claims_again(token: str) -> Verify:
    """The same without making the person's instance."""
    known = provider().verified_tokens

    def verify() -> int:
        for _ in range(AGAIN):
            revocation_feed.check(known.verify(token, principal_of=_nobody).claims)
        return AGAIN

    return verify


def first(tokens: list[str]) -> Verify:
    """By a memory that knows none of them. Whose they are would be a query, no verification."""
    pools = provider().pools

    def verify() -> int:
        memory = VerifiedTokens(pools)
        for token in tokens:
            memory.verify(token, principal_of=_nobody)
        return len(tokens)

    return verify


def pyjwt(tokens: list[str]) -> Verify:
    keys, issuer = provider().verifier.keys, provider().config.issuer
    by_id = {kid: keys.key(kid) for kid in map(_key_id, tokens)}

    def verify() -> int:
        for token in tokens:
            key = by_id[_key_id(token)]
            jwt.decode(token, key, ["RS256"], {"require": CLAIMS}, issuer=issuer)
        return len(tokens)

    return verify


def pyjwt_client(tokens: list[str]) -> Verify:
    issuer = provider().config.issuer
    client = jwt.PyJWKClient(provider().config.jwks_url, cache_keys=True)

    def verify() -> int:
        for token in tokens:
            key = client.get_signing_key_from_jwt(token)
            jwt.decode(token, key, ["RS256"], {"require": CLAIMS}, issuer=issuer)
        return len(tokens)

    return verify


def joserfc(tokens: list[str]) -> Verify:
    document = provider().verifier.keys.document
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
        for token in id_tokens:  # one for each request, as its authentication class makes it
            LocalValidator(config.issuer, config.client_id).validate(token)
        return len(id_tokens)

    return verify


def _nobody(claims: object) -> None:
    return None


def _key_id(token: str) -> str:
    return str(jwt.get_unverified_header(token)["kid"])
