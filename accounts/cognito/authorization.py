"""The URLs that send a browser to the hosted UI, and the callback that it returns with.

Authorization code with PKCE S256, state and nonce (RFC 6749 section 4.1, RFC 7636, OpenID Connect
Core section 3.1.2; https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html).
This module sends and stores nothing. The caller stores the attempts.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from .config import CognitoConfig
from .errors import InvalidCallback, ProviderRefused
from .secret_text import SecretText

# The callback parameters and their maximum lengths, in characters. Codes are UUIDs today, but AWS
# documents no length.
_MAX_LENGTH = {"code": 2048, "state": 1024, "error": 128, "error_description": 2048, "iss": 512}

_TEXTS = ("error", "error_description")


def new_secret() -> str:
    """Return a new state, nonce or code verifier: 256 random bits as 43 base64url characters."""
    return secrets.token_urlsafe(32)


def code_challenge(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636 section 4.2), without padding."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def attempt_reference(state: str) -> str:
    """Return the reference of an attempt for users and logs, which does not reveal its state.

    It is the first 8 hex digits of SHA-256(state).
    """
    return hashlib.sha256(state.encode()).hexdigest()[:8]


def authorize_url(
    config: CognitoConfig,
    *,
    redirect_uri: str,
    state: str,
    nonce: str,
    code_challenge: str,
    prompt: str = "",
    extra: Mapping[str, str] | None = None,
    endpoint: str = "",
) -> str:
    """Return the URL at which a browser signs in, or signs up if ``endpoint`` is that of signup.

    ``redirect_uri`` must be registered at the app client byte for byte. Only managed login honors
    ``prompt``. ``extra`` adds parameters (``identity_provider``, ``lang``) and replaces none.
    """
    query = authorize_query(
        config,
        redirect_uri=redirect_uri,
        state=state,
        nonce=nonce,
        code_challenge=code_challenge,
        prompt=prompt,
    )
    return _with_query(endpoint or config.authorize_endpoint, {**(extra or {}), **query})


def authorize_query(
    config: CognitoConfig,
    *,
    redirect_uri: str,
    state: str,
    code_challenge: str,
    nonce: str = "",
    prompt: str = "",
) -> dict[str, str]:
    """Return the parameters of an authorization request, without the empty ones."""
    query = {
        "response_type": "code",
        "client_id": config.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(config.scopes),
        "state": state,
        "nonce": nonce,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
        "prompt": prompt,
    }
    return {name: value for name, value in query.items() if value}


def logout_url(config: CognitoConfig, *, logout_uri: str) -> str:
    """Return the URL that ends the hosted UI's session and redirects to ``logout_uri``."""
    return _with_query(config.logout_endpoint, logout_query(config, logout_uri=logout_uri))


def logout_query(config: CognitoConfig, *, logout_uri: str) -> dict[str, str]:
    """Return the parameters of a logout request.

    They are Cognito's own, not those of OpenID Connect RP-Initiated Logout, and Cognito returns no
    state (https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html).
    """
    return {"client_id": config.client_id, "logout_uri": logout_uri}


def _with_query(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}?{urlencode(query, quote_via=quote)}"


@dataclass(frozen=True, kw_only=True)
class Callback:
    """The parameters that Cognito returned through the browser, or "" for an absent one.

    Check ``state`` against the attempt before you use the others: anyone can create such a link.
    """

    state: str = ""
    code: str = field(default="", repr=False)
    error: str = ""
    error_description: str = ""

    def accepted_code(self) -> str:
        """Return the authorization code.

        Raises:
            ProviderRefused: Cognito returned an error instead.
            InvalidCallback: the callback has neither a code nor an error.
        """
        if self.error:
            raise ProviderRefused(
                f"Cognito refused the sign-in ({self.error})",
                error=self.error,
                description=self.error_description,
            )
        if not self.code:
            raise InvalidCallback("the callback has no code", parameter="code")
        return SecretText(self.code)


def parse_callback(query: Mapping[str, Sequence[str]], *, issuers: Collection[str]) -> Callback:
    """Return the callback of ``query``, a mapping from each name to all its values.

    Unknown parameters are ignored (RFC 6749 section 4.1.2). Cognito does not document ``iss``. If
    it is present, it must be an issuer of our pool (RFC 9207 section 2.4).

    Raises:
        InvalidCallback: a parameter is repeated, too long or contradicts another. Of an error and
            its description, the first value counts, and is truncated.
    """
    parameters = {name: _single(name, query.get(name, ())) for name in _MAX_LENGTH}
    if parameters["iss"] and parameters["iss"] not in issuers:
        raise InvalidCallback("the callback is from another issuer", parameter="iss")
    if parameters["code"] and parameters["error"]:
        raise InvalidCallback("the callback has both a code and an error", parameter="error")
    return Callback(
        state=parameters["state"],
        code=parameters["code"],
        error=_printable(parameters["error"]),
        error_description=_printable(parameters["error_description"]),
    )


def _single(name: str, values: Sequence[str]) -> str:
    value = values[0] if values else ""
    if name in _TEXTS:  # they are never a reason to refuse, so that the cause is not lost
        return value[: _MAX_LENGTH[name]]
    if len(values) > 1:
        raise InvalidCallback(f"the callback has {name} more than once", parameter=name)
    if len(value) > _MAX_LENGTH[name]:
        raise InvalidCallback(f"the callback's {name} is too long", parameter=name)
    return value


def _printable(text: str) -> str:
    # Anyone can put text into a link. Line breaks and control characters must not reach a log.
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
