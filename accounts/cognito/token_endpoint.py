"""Cognito's token and revocation endpoints: exchange, refresh, revoke.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html and
revocation-endpoint.html (RFC 6749 sections 4.1.3, 5 and 6; RFC 7009). Cognito answers 400 to nearly
everything and tells mistakes apart by ``error`` alone; descriptions are free text and are not read.
What the tokens say is not looked at here: that takes a verifier.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

from .config import CognitoConfig
from .errors import (
    ClientRejected,
    CognitoUnavailable,
    GrantRejected,
    RequestRejected,
    TokenEndpointError,
)
from .transport import Response, Transport

_GRANT = re.compile(r"[\x21-\x7e]{1,16384}")  # RFC 6749 appendix A; bounded, for strangers send it
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
_ERROR = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, repr=False, kw_only=True)
class TokenSet:
    """What the token endpoint issued, as it came: unverified. ``expires_in`` is in seconds.

    ``refresh_token`` is None when Cognito sent none, which after a refresh means: keep the old one.
    """

    access_token: str
    id_token: str
    refresh_token: str | None
    expires_in: int

    def __repr__(self) -> str:
        return "TokenSet(...)"  # never a token in a log or traceback


class TokenEndpoint:
    """The app client's calls to its pool. Safe for all threads, as its transport is."""

    def __init__(self, config: CognitoConfig, transport: Transport) -> None:
        self._config = config
        self._transport = transport

    def exchange(self, *, code: str, redirect_uri: str, code_verifier: str | None) -> TokenSet:
        """Trade an authorization code for tokens. Sent once: a code is good for one request.

        ``code_verifier`` is None only for a code that was requested without PKCE.

        Raises:
            GrantRejected: the code is used, expired or unknown, or the verifier is not its own.
            RequestRejected: mostly a ``redirect_uri`` other than the one the code was sent to.
            ClientRejected: Cognito does not accept our client id or secret.
            CognitoUnavailable: no usable answer; the code may be used up all the same.
        """
        if not _GRANT.fullmatch(code):
            raise GrantRejected("this is not an authorization code", error="invalid_grant")
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if code_verifier is not None:
            if not _VERIFIER.fullmatch(code_verifier):
                raise RequestRejected("this is not a PKCE verifier", error="invalid_request")
            fields["code_verifier"] = code_verifier
        return _token_set(self._post(self._config.token_endpoint, fields, repeatable=False))

    def refresh(self, refresh_token: str, *, timeout: float | None = None) -> TokenSet:
        """Trade a refresh token for new tokens.

        Sent again after a failure: with rotation, only the grace period rescues an answer that was
        lost on the way, and it is short. ``timeout`` bounds the whole call, in seconds.

        Raises:
            GrantRejected: the refresh token is used, expired or revoked, or its person disabled.
            RequestRejected: the app client does not allow refreshing.
            ClientRejected: Cognito does not accept our client id or secret.
            CognitoUnavailable: no usable answer.
        """
        if not _GRANT.fullmatch(refresh_token):
            raise GrantRejected("this is not a refresh token", error="invalid_grant")
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        response = self._post(self._config.token_endpoint, fields, repeatable=True, timeout=timeout)
        return _token_set(response)

    def revoke(self, refresh_token: str, *, timeout: float | None = None) -> None:
        """End the sign-in that a refresh token belongs to; done already is done, too.

        ``timeout`` bounds the whole call, in seconds.

        Raises:
            RequestRejected: not a refresh token, or revocation is off at the app client.
            ClientRejected: Cognito does not accept our client id or secret.
            CognitoUnavailable: no usable answer.
        """
        if not _GRANT.fullmatch(refresh_token):
            raise RequestRejected("this is not a refresh token", error="unsupported_token_type")
        fields = {"token": refresh_token}
        self._post(self._config.revoke_endpoint, fields, repeatable=True, timeout=timeout)

    def _post(
        self, url: str, fields: dict[str, str], *, repeatable: bool, timeout: float | None = None
    ) -> Response:
        config = self._config
        authorization = ""
        if config.public_client:
            fields["client_id"] = config.client_id
        else:
            # Raw, not form-encoded as RFC 6749 section 2.3.1 has it: Cognito compares what it gets.
            credentials = f"{config.client_id}:{config.client_secret}".encode("ascii")
            authorization = f"Basic {b64encode(credentials).decode('ascii')}"
        response = self._transport.post_form(
            url, fields, authorization=authorization, repeatable=repeatable, timeout=timeout
        )
        if response.status >= 400:
            raise _refusal(response)
        return response


def _refusal(response: Response) -> TokenEndpointError | CognitoUnavailable:
    """An answer of 4xx as the error it stands for; one that is no OAuth error proves nothing."""
    error = response.json_object().get("error")
    if not isinstance(error, str) or not _ERROR.fullmatch(error):
        message = f"the token endpoint answered {response.status} without saying why"
        return CognitoUnavailable(message, status=response.status)
    kind, message = _REFUSALS.get(error, (RequestRejected, "Cognito refused this request"))
    return kind(f"{message} ({error})", error=error, status=response.status)


_REFUSALS: dict[str, tuple[type[TokenEndpointError], str]] = {
    "invalid_grant": (
        GrantRejected,
        "Cognito no longer accepts this code or refresh token",
    ),
    "invalid_client": (
        ClientRejected,
        "Cognito does not accept COGNITO_CLIENT_ID and COGNITO_CLIENT_SECRET",
    ),
    "unauthorized_client": (
        RequestRejected,
        "another redirect address than the code's, or a flow the app client does not allow",
    ),
}


def _token_set(response: Response) -> TokenSet:
    body = response.json_object()
    access_token, id_token = _token(body, "access_token"), _token(body, "id_token")
    expires_in = body.get("expires_in")
    if access_token is None or type(expires_in) is not int or expires_in <= 0:
        raise CognitoUnavailable("the token endpoint's answer is unreadable")
    # RFC 6749 section 7.1: a token of a type that we do not understand must not be used.
    if (_token(body, "token_type") or "").lower() != "bearer":
        raise CognitoUnavailable("the token endpoint issued tokens of another type than Bearer")
    if id_token is None:
        raise RequestRejected(
            "Cognito sent no ID token: the sign-in must ask for the scope openid",
            error="invalid_scope",
        )
    return TokenSet(
        access_token=access_token,
        id_token=id_token,
        refresh_token=_token(body, "refresh_token"),
        expires_in=expires_in,
    )


def _token(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value else None
