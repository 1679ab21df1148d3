"""One attempt to sign in: its secrets in an encrypted cookie, its destination in its state.

The cookie binds an attempt to the browser that began it (RFC 9700 section 4.7). Its name contains a
hash of the state, so ten parallel tabs do not overwrite each other. A used attempt's cookie stays
until it expires: a repeated callback then continues, and a session cookie that the browser does not
send back is noticed.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

from ..cognito.authorization import attempt_reference, new_secret
from ..cognito.secret_text import SecretText
from ..cognito.step_up import SignInRequirement
from ..core.app_label import cookie_name
from ..core.encryption import DecryptionError
from ..models.rate_limit import is_used_up, take_first
from ..provider import provider
from . import destination
from .destination import Destination

MAX_AGE = 600  # seconds
MAX_PARAMETERS_LENGTH = 512  # characters of JSON, in an attempt's cookie
MAX_ATTEMPTS = 10  # cookies per browser; the oldest are deleted
_NAME = "signin_"
_CONTENT = "b"  # the values without their names keep the cookie small
# The prefix of the state of an attempt that was begun because the previous one was not found. A
# browser that stores no cookies would otherwise be redirected in a circle.
_RESTARTED = "r."


@dataclass(frozen=True)
class SignInAttempt:
    """The values of an attempt that are needed again at the callback."""

    state: str
    next_url: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    started_at: int  # Unix time
    used: bool = False
    signed_in: bool = False  # the attempt is used and has signed its user in
    parameters: tuple[tuple[str, str], ...] = ()  # of the hosted UI, for another try

    @property
    def requirement(self) -> SignInRequirement:
        """What the page to return to requires of the sign-in."""
        return SignInRequirement.from_parameters(dict(self.parameters))

    @property
    def reference(self) -> str:
        """The eight hex digits that name the attempt in logs and on error pages."""
        return attempt_reference(self.state)

    @property
    def restarted(self) -> bool:
        """True if the attempt was begun because a previous one did not succeed."""
        return was_restarted(self.state)

    @property
    def sign_in_key(self) -> str:
        """The key of the attempt's `SignIn`, which no other browser can know."""
        return _sign_in_key(self.code_verifier)

    def marked_used(self, *, signed_in: bool = False) -> SignInAttempt:
        """Return a copy that is marked as used."""
        return replace(self, used=True, signed_in=signed_in)


def begin(
    next_url: str,
    *,
    restarted: bool = False,
    another: bool = False,
    subnet: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> SignInAttempt:
    """Return a new attempt with random state, nonce and PKCE verifier (RFC 7636: 43 characters).

    `subnet` is that of the client, or None to store nothing on the server. `parameters` of the
    hosted UI that do not fit into the cookie are not stored, and another try is made without them.
    What the page requires of the sign-in is always stored. Short ones are in the state, too, for
    another try without the cookie.
    """
    stored = dict(parameters or {})
    if len(json.dumps(stored)) > MAX_PARAMETERS_LENGTH:  # escaped, as in the cookie
        stored = SignInRequirement.from_parameters(stored).parameters
    wanted = Destination(next_url, another, tuple(stored.items()))
    state = destination.seal(wanted, subnet=subnet) if any(wanted) else new_secret()
    return SignInAttempt(
        state=(_RESTARTED if restarted else "") + state,
        next_url=next_url,
        nonce=new_secret(),
        code_verifier=new_secret(),
        started_at=int(time.time()),
        parameters=wanted.parameters,
    )


def was_restarted(state: str) -> bool:
    """Return True if this state belongs to an attempt that was already a second try."""
    return state.startswith(_RESTARTED)


def destination_of(state: str) -> Destination:
    """Return the destination of a state of this site, whichever browser began the attempt."""
    return destination.read(state.removeprefix(_RESTARTED))


class _Cookie(NamedTuple):
    """The content of an attempt's cookie."""

    state_hash: str
    nonce: str
    code_verifier: str
    started_at: int
    used: bool
    signed_in: bool
    restarted: bool
    parameters: Sequence[tuple[str, str]] = ()

    def __repr__(self) -> str:
        return "_Cookie(...)"


def save(attempt: SignInAttempt, request: HttpRequest, response: HttpResponse) -> None:
    """Set the attempt's cookie, and delete the oldest ones beyond the maximum."""
    own_name = _cookie_name(attempt.state)
    others = [name for name in _names_oldest_first(request) if name != own_name]
    for name in others[: max(0, len(others) + 1 - MAX_ATTEMPTS)]:
        response.delete_cookie(name, samesite="Lax")
    content = _Cookie(
        _state_hash(attempt.state),
        attempt.nonce,
        attempt.code_verifier,
        attempt.started_at,
        attempt.used,
        attempt.signed_in,
        attempt.restarted,
        attempt.parameters,
    )
    response.set_cookie(
        own_name,
        provider().cipher.seal({_CONTENT: content}),
        max_age=MAX_AGE,
        httponly=True,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        samesite="Lax",
    )


def load(request: HttpRequest, state: str) -> SignInAttempt | None:
    """Return the attempt with this state if this browser began it in the last ten minutes."""
    cookie = _open(request.COOKIES.get(_cookie_name(state), ""))
    if cookie is None or cookie.state_hash != _state_hash(state):
        return None
    return SignInAttempt(
        state,
        destination_of(state).next_url,
        SecretText(cookie.nonce),
        SecretText(cookie.code_verifier),
        cookie.started_at,
        cookie.used,
        cookie.signed_in,
        tuple((name, value) for name, value in cookie.parameters),
    )


def has_open_restart(request: HttpRequest) -> bool:
    """Return True if this browser has a second try that is not used yet."""
    return any(cookie.restarted and not cookie.used for cookie in _cookies(request))


def recent_sign_in_keys(request: HttpRequest, *, seconds: int) -> list[str]:
    """Return the keys of the sign-ins that this browser's attempts of the last `seconds` made."""
    since = time.time() - seconds
    return [
        _sign_in_key(cookie.code_verifier)
        for cookie in _cookies(request)
        if cookie.signed_in and cookie.started_at > since
    ]


def is_used(attempt: SignInAttempt) -> bool:
    """Return True if a callback of this attempt was handled, even if its cookie does not say so.

    A client that does not store the response's cookie would otherwise cause a call to Cognito each
    time.
    """
    return attempt.used or is_used_up(used_key(attempt), limit=1)


def use(attempt: SignInAttempt) -> bool:
    """Mark the attempt as used on the server. Return False if another request has done so."""
    return take_first(used_key(attempt), seconds=MAX_AGE)


def used_key(attempt: SignInAttempt) -> str:
    """Return the key under which the use of the attempt is counted."""
    return f"attempt:{hashlib.sha256(attempt.state.encode()).hexdigest()}"


def _sign_in_key(code_verifier: str) -> str:
    return salted_hmac("sign-in of an attempt", code_verifier, algorithm="sha256").hexdigest()


def _cookies(request: HttpRequest) -> Iterator[_Cookie]:
    for name, sealed in request.COOKIES.items():
        if name.startswith(_prefix()) and (cookie := _open(sealed)) is not None:
            yield cookie


def _open(sealed: str) -> _Cookie | None:
    try:
        content: Any = provider().cipher.open(sealed, max_age=MAX_AGE)[_CONTENT]
        return _Cookie(*content)
    except (DecryptionError, KeyError, TypeError):
        return None


def _state_hash(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()[16:48]  # the name has the first digits


def _cookie_name(state: str) -> str:
    return _prefix() + hashlib.sha256(state.encode()).hexdigest()[:16]


def _prefix() -> str:
    return cookie_name(_NAME)


def _names_oldest_first(request: HttpRequest) -> list[str]:
    started_at: dict[str, int] = {}
    for name, sealed in request.COOKIES.items():
        if name.startswith(_prefix()):
            cookie = _open(sealed)
            started_at[name] = cookie.started_at if cookie else 0  # delete invalid ones first
    return sorted(started_at, key=lambda name: started_at[name])
