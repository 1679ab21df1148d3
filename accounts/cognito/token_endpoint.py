"""Cognito's token and revocation endpoints: exchange, refresh, revoke.

https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html and
revocation-endpoint.html (RFC 6749 sections 4.1.3, 5 and 6; RFC 7009). Cognito responds with 400 to
nearly every mistake, and only ``error`` distinguishes them. Descriptions are free text and are not
read. This module does not verify the tokens.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .client_secret import ClientSecret, basic_authorization
from .config import CognitoConfig
from .errors import (
    ClientRejected,
    CognitoUnavailable,
    GrantRejected,
    RequestRejected,
    TokenEndpointError,
)
from .secret_text import SecretText
from .token_exchange import ExchangeTarget
from .transport import Response, Transport
from .user_sessions import SessionApi

_GRANT = re.compile(r"[\x21-\x7e]{1,16384}")  # RFC 6749 appendix A, with a maximum length
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
_ERROR = re.compile(r"[a-z_]{1,64}")


@dataclass(frozen=True, repr=False, kw_only=True)
class TokenSet:
    """The tokens that the token endpoint issued, not verified. ``expires_in`` is in seconds.

    ``refresh_token`` is None if Cognito sent none. After a refresh, the old one then stays valid.
    """

    access_token: str
    id_token: str
    refresh_token: str | None
    expires_in: int

    def __repr__(self) -> str:
        return "TokenSet(...)"  # logs and tracebacks must not contain tokens


class TokenEndpoint:
    """The calls of an app client to its user pool. Thread-safe, like its transport.

    ``secret`` is None for a public client.
    """

    def __init__(
        self, config: CognitoConfig, transport: Transport, secret: ClientSecret | None
    ) -> None:
        self._config = config
        self._transport = transport
        self._secret = secret

    def exchange(self, *, code: str, redirect_uri: str, code_verifier: str | None) -> TokenSet:
        """Exchange an authorization code for tokens, in one try, because a code works only once.

        ``code_verifier`` is None only for a code that was requested without PKCE.

        Raises:
            GrantRejected: the code is used, expired or unknown, or the verifier does not match it.
            RequestRejected: usually, ``redirect_uri`` is not the one of the authorization request.
            ClientRejected: Cognito does not accept our client ID or secret.
            CognitoUnavailable: there is no usable response. The code may be used nevertheless.
        """
        if not _GRANT.fullmatch(code):
            raise GrantRejected("the authorization code is malformed", error="invalid_grant")
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        if code_verifier is not None:
            if not _VERIFIER.fullmatch(code_verifier):
                raise RequestRejected("the PKCE verifier is malformed", error="invalid_request")
            fields["code_verifier"] = code_verifier
        tokens = _token_set(self._post(self._config.token_endpoint, fields, repeatable=False))
        if not tokens.access_token:
            raise CognitoUnavailable("the token endpoint's response is unreadable")
        if not tokens.id_token:
            raise RequestRejected(
                "Cognito sent no ID token: the sign-in must request the scope openid",
                error="invalid_scope",
            )
        return tokens

    def refresh(self, refresh_token: str, *, timeout: float | None = None) -> TokenSet:
        """Return new tokens for a refresh token. A token that Cognito left out is "".

        The request is repeated after a failure. With rotation, a lost response can be repeated only
        in the grace period, which is short. ``timeout`` limits the whole call, in seconds.

        Raises:
            GrantRejected: the refresh token is used, expired or revoked, or its user is disabled.
            RequestRejected: the app client does not allow refreshing.
            ClientRejected: Cognito does not accept our client ID or secret.
            CognitoUnavailable: there is no usable response.
        """
        if not _GRANT.fullmatch(refresh_token):
            raise GrantRejected("the refresh token is malformed", error="invalid_grant")
        fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        response = self._post(self._config.token_endpoint, fields, repeatable=True, timeout=timeout)
        return _token_set(response)

    def exchange_token(self, subject_token: str, target: ExchangeTarget) -> TokenSet:
        """Return an access token of the same user for ``target`` (RFC 8693).

        Raises:
            GrantRejected: the sign-in of the subject token has ended at Cognito.
            ExchangeRejected: the app client or the pool does not allow this exchange.
            ClientRejected: Cognito does not accept our client ID or secret.
            CognitoUnavailable: there is no usable response.
        """
        form = target.form(subject_token)
        try:
            tokens = _token_set(self._post(self._config.token_endpoint, form, repeatable=True))
        except RequestRejected as error:
            raise target.rejection(error) from error
        if not tokens.access_token:
            raise CognitoUnavailable("the token endpoint's response is unreadable")
        return tokens

    def revoke(
        self, refresh_token: str, *, timeout: float | None = None, linked: bool = False
    ) -> None:
        """Revoke a refresh token and the access tokens issued with it. A second call succeeds too.

        ``timeout`` limits the whole call, in seconds. ``linked`` also ends the session of the
        browser at the hosted UI, if the pool tracks sessions.

        Raises:
            RequestRejected: this is not a refresh token, or the app client disables revocation.
            ClientRejected: Cognito does not accept our client ID or secret.
            CognitoUnavailable: there is no usable response.
        """
        if not _GRANT.fullmatch(refresh_token):
            raise RequestRejected("the refresh token is malformed", error="unsupported_token_type")
        if linked:
            try:
                self._revoke_linked(refresh_token, timeout)
            except RequestRejected:
                pass  # this pool has no such operation: only the token can be revoked, below
            else:
                return
        fields = {"token": refresh_token}
        self._post(self._config.revoke_endpoint, fields, repeatable=True, timeout=timeout)

    def _revoke_linked(self, refresh_token: str, timeout: float | None) -> None:
        """Revoke the token with its session, again if only the client secret has changed."""
        revoke_token = SessionApi(self._config, self._transport).revoke_token
        secret = self._secret.value if self._secret else ""
        try:
            revoke_token(refresh_token, client_secret=secret, timeout=timeout)
        except RequestRejected as error:
            if self._secret is None or error.data["error"] != "NotAuthorizedException":
                raise
            seconds = self._transport.total_seconds if timeout is None else timeout
            new_secret = self._secret.replace(secret, timeout=seconds)
            if new_secret is None:
                raise
            revoke_token(refresh_token, client_secret=new_secret, timeout=timeout)

    def _post(
        self, url: str, fields: dict[str, str], *, repeatable: bool, timeout: float | None = None
    ) -> Response:
        if self._secret is None:
            fields["client_id"] = self._config.client_id
            return self._send(url, fields, "", repeatable=repeatable, timeout=timeout)

        def send(secret: str, timeout: float) -> Response:
            authorization = basic_authorization(self._config.client_id, secret)
            return self._send(url, fields, authorization, repeatable=repeatable, timeout=timeout)

        seconds = self._transport.total_seconds if timeout is None else timeout
        return self._secret.call(send, seconds=seconds)

    def _send(
        self,
        url: str,
        fields: dict[str, str],
        authorization: str,
        *,
        repeatable: bool,
        timeout: float | None,
    ) -> Response:
        response = self._transport.post_form(
            url, fields, authorization=authorization, repeatable=repeatable, timeout=timeout
        )
        if response.status >= 400:
            raise _refusal(response)
        return response


def _refusal(response: Response) -> TokenEndpointError | CognitoUnavailable:
    """Return the error for a 4xx response.

    A body without an OAuth error, such as that of a proxy, does not mean that the token is invalid.
    """
    error = response.json_object().get("error")
    if not isinstance(error, str) or not _ERROR.fullmatch(error):
        message = f"the token endpoint responded with {response.status} without an error code"
        return CognitoUnavailable(message, status=response.status)
    kind, message = _REFUSALS.get(error, (RequestRejected, "Cognito refused this request"))
    return kind(f"{message} ({error})", error=error, status=response.status)


_REFUSALS: dict[str, tuple[type[TokenEndpointError], str]] = {
    "invalid_grant": (
        GrantRejected,
        "Cognito no longer accepts this code or token",
    ),
    "invalid_client": (
        ClientRejected,
        "Cognito does not accept COGNITO_CLIENT_ID and COGNITO_CLIENT_SECRET",
    ),
    "unauthorized_client": (
        RequestRejected,
        "the redirect URI is not that of the code, or the app client does not allow this flow",
    ),
}


def _token_set(response: Response) -> TokenSet:
    body = response.json_object()
    access_token, id_token = _token(body, "access_token") or "", _token(body, "id_token") or ""
    expires_in = body.get("expires_in")
    if not (access_token or id_token) or type(expires_in) is not int or expires_in <= 0:
        raise CognitoUnavailable("the token endpoint's response is unreadable")
    # RFC 6749 section 7.1: a client must not use a token of a type that it does not support.
    if (_token(body, "token_type") or "").lower() != "bearer":
        raise CognitoUnavailable("the token endpoint issued tokens of another type than Bearer")
    return TokenSet(
        access_token=access_token,
        id_token=id_token,
        refresh_token=_token(body, "refresh_token"),
        expires_in=expires_in,
    )


def _token(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return SecretText(value) if isinstance(value, str) and value else None
