"""Public requests to a user pool that show how it is configured. They sign no user in.

A browser or this site sends the same requests. Cognito's responses are known from AWS's developer
guide and from published examples. A response that matches none of them is reported as it is.
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
from ..provider.secret_source import open_client_secret

_KEY_SET = "/.well-known/jwks.json"
_DISCOVERY = "/.well-known/openid-configuration"


class Verdict(Enum):
    """The result of a request to the hosted UI."""

    ACCEPTED = auto()  # the sign-in page, or a redirect to it or to an identity provider
    MISMATCH = auto()  # the redirect URI is not registered
    RETURNED_ERROR = auto()  # a redirect with an error to the redirect URI, which is registered
    REFUSED = auto()  # Cognito's error page, for another reason
    NOT_COGNITO = auto()  # not a response of Cognito


@dataclass(frozen=True)
class Reply:
    """A verdict with the error code of the response, and the URL that it redirects to."""

    verdict: Verdict
    error: str = ""
    description: str = ""
    location: str = ""


class Probe:
    """The requests to one pool. Its methods raise CognitoUnavailable if there is no response."""

    def __init__(self, config: CognitoConfig, transport: Transport) -> None:
        self.config = config
        self._transport = transport

    @property
    def discovery_url(self) -> str:
        """The URL of the discovery document: next to the key set, or else at the issuer."""
        if self.config.key_set_url.endswith(_KEY_SET):
            return self.config.key_set_url.removesuffix(_KEY_SET) + _DISCOVERY
        return self.config.issuer + _DISCOVERY

    def discovery(self, issuer: str = "") -> Response:
        """Fetch the discovery document, or that of `issuer`."""
        url = f"{issuer}{_DISCOVERY}" if issuer else self.discovery_url
        return self._transport.probe(url, {})

    def document(self, url: str) -> Response:
        """Fetch a public document or page. `url` may contain a query."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return self._transport.probe(urlunsplit(parts._replace(query="", fragment="")), query)

    def authorize(
        self, redirect_uri: str, *, scopes: tuple[str, ...] = ("openid",), client_id: str = ""
    ) -> Reply:
        """Start a sign-in, which is never completed."""
        query = authorize_query(
            replace(self.config, client_id=client_id or self.config.client_id, scopes=scopes),
            redirect_uri=redirect_uri,
            state=f"doctor-{secrets.token_hex(8)}",
            code_challenge=code_challenge(new_secret()),
        )
        response = self._transport.probe(self.config.authorize_endpoint, query)
        return _read(response, redirect_uri)

    def logout(self, logout_uri: str) -> Reply:
        """Sign out at the hosted UI, without a session to end."""
        query = logout_query(self.config, logout_uri=logout_uri)
        response = self._transport.probe(self.config.logout_endpoint, query)
        if response.headers.get("Location", "") == logout_uri:
            return Reply(Verdict.ACCEPTED, location=logout_uri)
        reply = _read(response, logout_uri)
        # A page, or a redirect to the sign-in page, means that Cognito did not accept the URL.
        is_page = reply.verdict is Verdict.ACCEPTED
        return replace(reply, verdict=Verdict.REFUSED) if is_page else reply

    def exchange(self, redirect_uri: str, *, public_client_id: str = "") -> CognitoError | None:
        """Exchange a code that does not exist, and return the refusal, or None if there is none.

        `GrantRejected` means that Cognito accepts the credentials of the app client. With
        `public_client_id`, the request has no secret.
        """
        config, secret = self.config, None
        if public_client_id:
            config = replace(
                config, client_id=public_client_id, client_secret="", public_client=True
            )
        else:
            secret = open_client_secret(config)
        try:
            TokenEndpoint(config, self._transport, secret).exchange(
                code=str(uuid.uuid4()), redirect_uri=redirect_uri, code_verifier=new_secret()
            )
        except CognitoError as error:
            return error
        return None


def _read(response: Response, redirect_uri: str) -> Reply:
    """Return the reply in the response to a request with this redirect URI."""
    location = response.headers.get("Location", "")
    if 300 <= response.status < 400 and location:
        return _read_redirect(location, redirect_uri)
    if response.status == 200:
        is_page = b"<form" in response.body or b"<html" in response.body.lower()
        return Reply(Verdict.ACCEPTED if is_page else Verdict.NOT_COGNITO)
    if b"redirect_mismatch" in response.body:
        return Reply(Verdict.MISMATCH, error="redirect_mismatch")
    members = response.json_object()
    error = str(members.get("error") or members.get("__type") or "")
    return Reply(Verdict.REFUSED if error else Verdict.NOT_COGNITO, error=error[:100])


def _read_redirect(location: str, redirect_uri: str) -> Reply:
    target = urlsplit(location)
    query = dict(parse_qsl(target.query))
    error, description = query.get("error", ""), query.get("error_description", "")
    if urlunsplit(target._replace(query="", fragment="")) == redirect_uri:
        verdict = Verdict.RETURNED_ERROR if error else Verdict.ACCEPTED
    elif target.path.endswith("/error"):
        mismatch = error == "redirect_mismatch"
        verdict = Verdict.MISMATCH if mismatch else Verdict.REFUSED
    else:
        verdict = Verdict.ACCEPTED
    return Reply(verdict, error[:100], description[:200], location)
