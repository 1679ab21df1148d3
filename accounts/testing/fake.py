"""Cognito's answers without Cognito: key sets and a token endpoint in memory, instead of a socket.

Only what happens below the transport is replaced: keys, tokens, verification, sessions are real.
For a pool with pages, mails and faults, start `local_pool` instead.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..cognito.config import CognitoConfig, TrustedPool
from ..cognito.errors import CognitoUnavailable
from ..cognito.transport import Response, Transport
from ..provider import factory as provider_module
from ..provider.settings import read_config, read_trusted_pools
from ..tokens import revocation_feed
from .tokens import key_set, mint_access_token, mint_id_token


@dataclass
class Person:
    """Somebody who signs in, and what the pool says about them."""

    username: str
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    email: str | None = None
    name: str | None = None
    nonce: str | None = None
    signed_in: dict[str, Any] = field(default_factory=dict)  # claims that last as long as a sign-in


class FakeCognito(Transport):
    """Answers the calls of `accounts`; `calls` are the grants and endpoints that were asked for.

    With `down = True` nothing answers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.down = False
        self._codes: dict[str, Person] = {}
        self._refresh_tokens: dict[str, Person] = {}

    def authorize(self, person: Person) -> str:
        """A code, as if the person had just signed in on the hosted UI."""
        code = secrets.token_hex(16)
        person.signed_in = {"origin_jti": secrets.token_hex(16), "auth_time": int(time.time())}
        self._codes[code] = person
        return code

    def get(self, url: str, *, timeout: float | None = None) -> bytes:
        self._count("keys")
        pools: list[CognitoConfig | TrustedPool] = [read_config(), *read_trusted_pools()]
        for pool in pools:
            if pool.jwks_url == url:
                return key_set(pool.issuer)
        raise CognitoUnavailable("no such key set")

    def post_form(
        self,
        url: str,
        fields: Mapping[str, str],
        *,
        authorization: str = "",
        repeatable: bool,
        timeout: float | None = None,
    ) -> Response:
        if url == read_config().revoke_endpoint:
            self._count("revoke")
            self._refresh_tokens.pop(fields["token"], None)
            return Response(status=200, body=b"")
        self._count(fields["grant_type"])
        if fields["grant_type"] == "authorization_code":
            person = self._codes.pop(fields["code"], None)
        else:
            person = self._refresh_tokens.get(fields["refresh_token"])
        if person is None:
            return Response(status=400, body=b'{"error":"invalid_grant"}')
        return self._tokens(person, first="code" in fields)

    def _count(self, call: str) -> None:
        if self.down:
            raise CognitoUnavailable("Cognito cannot be reached")
        self.calls.append(call)

    def _tokens(self, person: Person, *, first: bool) -> Response:
        claims = person.signed_in
        answer: dict[str, Any] = {
            "access_token": mint_access_token(
                person.username, groups=person.groups, scopes=person.scopes, claims=claims
            ),
            "id_token": mint_id_token(
                person.username,
                groups=person.groups,
                email=person.email,
                name=person.name,
                nonce=person.nonce if first else None,
                claims=claims,
            ),
            "expires_in": 3600,
            "token_type": "Bearer",
        }
        if first:
            answer["refresh_token"] = secrets.token_urlsafe(48)
            self._refresh_tokens[answer["refresh_token"]] = person
        return Response(status=200, body=json.dumps(answer).encode())


@contextmanager
def fake_cognito() -> Iterator[FakeCognito]:
    """While it lasts, `accounts` talks to a FakeCognito and to nobody else."""
    fake = FakeCognito()
    real = provider_module.new_transport
    provider_module.new_transport = lambda: fake
    _forget()
    try:
        yield fake
    finally:
        provider_module.new_transport = real
        _forget()


def _forget() -> None:
    provider_module.provider.cache_clear()
    revocation_feed.reset()
