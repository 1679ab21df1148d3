"""The browser's way to the hosted UI and back: addresses out, callback in.

Authorization code with PKCE S256, state and nonce (RFC 6749 section 4.1, RFC 7636, OpenID Connect
Core section 3.1.2; https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html).
Nothing here talks to anybody or remembers anything; who started an attempt is the caller's affair.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from .config import CognitoConfig
from .errors import InvalidCallback, ProviderRefused

# Longest callback parameters we read, in characters. Codes are UUIDs today, AWS promises no length.
_LONGEST = {"code": 2048, "state": 512, "error": 128, "error_description": 2048, "iss": 512}


def new_secret() -> str:
    """A fresh state, nonce or code verifier: 256 random bits, 43 base64url characters."""
    return secrets.token_urlsafe(32)


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 section 4.2), without padding."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def reference_of(state: str) -> str:
    """What people and logs call an attempt: 8 hex digits of SHA-256(state), no way back."""
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
    """Where a browser starts to sign in, or to create an account if ``endpoint`` is that of signup.

    ``redirect_uri`` must be registered at the app client byte for byte; managed login alone honours
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
    return _address(endpoint or config.authorize_endpoint, {**(extra or {}), **query})


def authorize_query(
    config: CognitoConfig,
    *,
    redirect_uri: str,
    state: str,
    code_challenge: str,
    nonce: str = "",
    prompt: str = "",
) -> dict[str, str]:
    """Return the parameters of an authorization request, without those that are empty."""
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
    """Where a browser ends the hosted UI's own session; it comes back to ``logout_uri``."""
    return _address(config.logout_endpoint, logout_query(config, logout_uri=logout_uri))


def logout_query(config: CognitoConfig, *, logout_uri: str) -> dict[str, str]:
    """Return the parameters of a logout request.

    Cognito's own parameters, not those of OpenID Connect RP-initiated logout, and no state comes
    back (https://docs.aws.amazon.com/cognito/latest/developerguide/logout-endpoint.html).
    """
    return {"client_id": config.client_id, "logout_uri": logout_uri}


def _address(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}?{urlencode(query, quote_via=quote)}"


@dataclass(frozen=True, kw_only=True)
class Callback:
    """What Cognito sent back through the browser; an absent parameter is an empty string.

    Check ``state`` against the attempt before acting on anything else: everyone can make a link.
    """

    state: str = ""
    code: str = field(default="", repr=False)
    error: str = ""
    error_description: str = ""

    def accepted_code(self) -> str:
        """The authorization code.

        Raises:
            ProviderRefused: Cognito answered with an error instead.
            InvalidCallback: neither a code nor an error came.
        """
        if self.error:
            raise ProviderRefused(
                f"Cognito refused the sign-in ({self.error})",
                error=self.error,
                description=self.error_description,
            )
        if not self.code:
            raise InvalidCallback("the callback holds no code", parameter="code")
        return self.code


def parse_callback(query: Mapping[str, Sequence[str]], *, issuer: str) -> Callback:
    """Read the callback's query, given as a mapping from name to all its values.

    Unknown parameters are ignored (RFC 6749 section 4.1.2). Cognito is not known to send ``iss``;
    if it comes, it must be ours (RFC 9207 section 2.4).

    Raises:
        InvalidCallback: a parameter is repeated, oversized or contradicts another.
    """
    given = {name: _single(name, query.get(name, ())) for name in _LONGEST}
    if given["iss"] and given["iss"] != issuer:
        raise InvalidCallback("the callback comes from another issuer", parameter="iss")
    if given["code"] and given["error"]:
        raise InvalidCallback("the callback holds both a code and an error", parameter="error")
    return Callback(
        state=given["state"],
        code=given["code"],
        error=_printable(given["error"]),
        error_description=_printable(given["error_description"]),
    )


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InvalidCallback(f"the callback holds {name} more than once", parameter=name)
    value = values[0] if values else ""
    if len(value) > _LONGEST[name]:
        raise InvalidCallback(f"the callback's {name} is too long", parameter=name)
    return value


def _printable(text: str) -> str:
    # Anyone can put text into a link: no line breaks or control characters reach a log.
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
