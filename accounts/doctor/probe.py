"""Asking a user pool what it thinks of us, without signing anybody in.

Everything here is a public request that a browser or this site makes anyway. How Cognito answers
was put together from AWS's developer guide and from answers seen in public; whatever fits none of
them is passed on as it came.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from enum import Enum, auto
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ..cognito.authorization import authorize_query, code_challenge, logout_query, new_secret
from ..cognito.config import CognitoConfig
from ..cognito.errors import CognitoError
from ..cognito.token_endpoint import TokenEndpoint
from ..cognito.transport import Response, Transport

_KEY_SET = "/.well-known/jwks.json"
_DISCOVERY = "/.well-known/openid-configuration"


class Verdict(Enum):
    """What the hosted UI did with a request."""

    ACCEPTED = auto()  # its sign-in page, or on to an identity provider
    MISMATCH = auto()  # the address is not registered
    SENT_BACK = auto()  # to the address, with an error: so that one is registered
    REFUSED = auto()  # its own error page, for another reason
    FOREIGN = auto()  # nothing that Cognito would answer


@dataclass(frozen=True)
class Reply:
    """A verdict with the error code that came with it, and where a browser would go on to."""

    verdict: Verdict
    error: str = ""
    description: str = ""
    location: str = ""


class Probe:
    """Asks one pool. Its methods raise CognitoUnavailable when nobody answers."""

    def __init__(self, config: CognitoConfig, transport: Transport) -> None:
        self.config = config
        self._transport = transport

    @property
    def discovery_address(self) -> str:
        """Beside the key set when that stands elsewhere than at the issuer."""
        if self.config.jwks_url.endswith(_KEY_SET):
            return self.config.jwks_url.removesuffix(_KEY_SET) + _DISCOVERY
        return self.config.issuer + _DISCOVERY

    def discovery(self, issuer: str = "") -> Response:
        """The discovery document, or the one that stands at this issuer."""
        address = f"{issuer}{_DISCOVERY}" if issuer else self.discovery_address
        return self._transport.probe(address, {})

    def document(self, address: str) -> Response:
        """Any public document or page; the query may stand in the address."""
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return self._transport.probe(urlunsplit(parts._replace(query="", fragment="")), query)

    def authorize(
        self, redirect_uri: str, *, scopes: tuple[str, ...] = ("openid",), client_id: str = ""
    ) -> Reply:
        """Begin a sign-in that nobody finishes."""
        query = authorize_query(
            replace(self.config, client_id=client_id or self.config.client_id, scopes=scopes),
            redirect_uri=redirect_uri,
            state=f"doctor-{secrets.token_hex(8)}",
            code_challenge=code_challenge(new_secret()),
        )
        answer = self._transport.probe(self.config.authorize_endpoint, query)
        return _read(answer, redirect_uri)

    def logout(self, logout_uri: str) -> Reply:
        """Sign out a browser that is not signed in."""
        query = logout_query(self.config, logout_uri=logout_uri)
        answer = self._transport.probe(self.config.logout_endpoint, query)
        if answer.headers.get("Location", "") == logout_uri:
            return Reply(Verdict.ACCEPTED, location=logout_uri)
        reply = _read(answer, logout_uri)
        # A browser that is led to the sign-in page or shown a page was not signed out.
        return replace(reply, verdict=Verdict.REFUSED) if _is_page(reply) else reply

    def exchange(self, redirect_uri: str, *, public_client_id: str = "") -> CognitoError | None:
        """Offer a code that never existed: the refusal tells what was looked at first.

        `GrantRejected` is the good answer. With `public_client_id` it is done without a secret.
        """
        config = self.config
        if public_client_id:
            config = replace(
                config, client_id=public_client_id, client_secret="", public_client=True
            )
        try:
            TokenEndpoint(config, self._transport).exchange(
                code=str(uuid.uuid4()), redirect_uri=redirect_uri, code_verifier=new_secret()
            )
        except CognitoError as error:
            return error
        return None


def _is_page(reply: Reply) -> bool:
    return reply.verdict is Verdict.ACCEPTED


def _read(answer: Response, address: str) -> Reply:
    """The verdict on `address`, which was sent as the one to come back to."""
    location = answer.headers.get("Location", "")
    if 300 <= answer.status < 400 and location:
        return _read_redirect(location, address)
    if answer.status == 200:
        is_page = b"<form" in answer.body or b"<html" in answer.body.lower()
        return Reply(Verdict.ACCEPTED if is_page else Verdict.FOREIGN)
    if b"redirect_mismatch" in answer.body:
        return Reply(Verdict.MISMATCH, error="redirect_mismatch")
    members = answer.json_object()
    error = str(members.get("error") or members.get("__type") or "")
    return Reply(Verdict.REFUSED if error else Verdict.FOREIGN, error=error[:100])


def _read_redirect(location: str, address: str) -> Reply:
    target = urlsplit(location)
    said = dict(parse_qsl(target.query))
    error, description = said.get("error", ""), said.get("error_description", "")
    if urlunsplit(target._replace(query="", fragment="")) == address:
        verdict = Verdict.SENT_BACK if error else Verdict.ACCEPTED
    elif target.path.endswith("/error"):
        mismatch = error == "redirect_mismatch"
        verdict = Verdict.MISMATCH if mismatch else Verdict.REFUSED
    else:
        verdict = Verdict.ACCEPTED
    return Reply(verdict, error[:100], description[:200], location)
