"""A fake Cognito in memory: the key sets, the token endpoint and the revocation endpoint.

It replaces only the transport. Tokens, their verification and sessions are real. For a pool with
pages, emails and faults, start `local_pool` instead.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..cognito.errors import CognitoUnavailable
from ..cognito.token_exchange import GRANT
from ..cognito.token_parsing import unverified_payload
from ..cognito.transport import Response, Transport
from ..provider import factory as provider_module
from ..provider.settings import read_config, read_pools
from ..tokens import revocation_feed
from .tokens import key_set, mint_access_token, mint_id_token


@dataclass
class FakeUser:
    """A user of the fake pool, and the claims of the user's tokens."""

    username: str
    groups: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    email: str | None = None
    name: str | None = None
    nonce: str | None = field(default=None, repr=False)
    claims: dict[str, Any] = field(default_factory=dict)  # further ones, such as custom attributes
    acr: str | None = None  # the level of the authentication
    seconds_ago: int = 0  # when the user signed in at the hosted UI
    sign_in_claims: dict[str, Any] = field(default_factory=dict)  # the same in all tokens of one

    def begin_session(self) -> None:
        """Make the claims of a new sign-in."""
        auth_time = int(time.time()) - self.seconds_ago
        self.sign_in_claims = {"origin_jti": secrets.token_hex(16), "auth_time": auth_time}
        if self.acr is not None:
            self.sign_in_claims["acr"] = self.acr


class FakeCognito(Transport):
    """A transport that responds as Cognito does.

    `calls` lists the requests: a grant type, "keys" or "revoke". With `down = True`, all requests
    fail. `issuer` is the issuer of new tokens, "" for the preferred one of the pool.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.down = False
        self.issuer = ""
        self._codes: dict[str, FakeUser] = {}
        self._refresh_tokens: dict[str, FakeUser] = {}

    def authorize(self, user: FakeUser) -> str:
        """Return a code, as if the user had just signed in at the hosted UI."""
        code = secrets.token_hex(16)
        user.begin_session()
        self._codes[code] = user
        return code

    def get(self, url: str, *, timeout: float | None = None) -> bytes:
        self._count("keys")
        for pool in read_pools().values():
            if url in pool.key_set_urls.values():
                return key_set(pool.issuer)
        raise CognitoUnavailable("the key set does not exist")

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
        if fields["grant_type"] == GRANT:
            return self._exchanged(fields)
        if fields["grant_type"] == "authorization_code":
            user = self._codes.pop(fields["code"], None)
        else:
            user = self._refresh_tokens.get(fields["refresh_token"])
        if user is None:
            return Response(status=400, body=b'{"error":"invalid_grant"}')
        return self._tokens(user, is_first="code" in fields)

    def post_json(
        self, url: str, body: Mapping[str, str], *, target: str, timeout: float | None = None
    ) -> Response:
        """Refuse every operation, as the API of a pool without session tracking does."""
        self._count(target.rpartition(".")[2])
        return Response(status=400, body=b'{"__type": "InvalidParameterException"}')

    def _count(self, call: str) -> None:
        if self.down:
            raise CognitoUnavailable("Cognito cannot be reached")
        self.calls.append(call)

    def _tokens(self, user: FakeUser, *, is_first: bool) -> Response:
        claims = user.claims | user.sign_in_claims | ({"iss": self.issuer} if self.issuer else {})
        tokens: dict[str, Any] = {
            "access_token": mint_access_token(
                user.username, groups=user.groups, scopes=user.scopes, claims=claims
            ),
            "id_token": mint_id_token(
                user.username,
                groups=user.groups,
                email=user.email,
                name=user.name,
                nonce=user.nonce if is_first else None,
                claims=claims,
            ),
            "expires_in": 3600,
            "token_type": "Bearer",
        }
        if is_first:
            tokens["refresh_token"] = secrets.token_urlsafe(48)
            self._refresh_tokens[tokens["refresh_token"]] = user
        return Response(status=200, body=json.dumps(tokens).encode())

    def _exchanged(self, fields: Mapping[str, str]) -> Response:
        """Return a token of the same user for another API (RFC 8693)."""
        kept = dict(unverified_payload(fields["subject_token"]))
        for name in ("jti", "iat", "exp"):
            kept.pop(name)
        kept["aud"] = fields.get("resource") or fields["audience"]
        if wanted := fields.get("scope", "").split():
            scopes = kept.get("scope", "").split()
            kept["scope"] = " ".join(scope for scope in wanted if scope in scopes)
        if actor := fields.get("actor_token"):
            kept["act"] = {"sub": unverified_payload(actor)["sub"]}
        token = mint_access_token(kept["username"], claims=kept)
        content = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
        return Response(status=200, body=json.dumps(content).encode())


@contextmanager
def fake_cognito() -> Iterator[FakeCognito]:
    """Send the requests of `accounts` to a FakeCognito inside the block."""
    fake = FakeCognito()
    new_transport = provider_module.new_transport
    provider_module.new_transport = lambda: fake
    _reset()
    try:
        yield fake
    finally:
        provider_module.new_transport = new_transport
        _reset()


def _reset() -> None:
    provider_module.provider.cache_clear()
    revocation_feed.reset()
