"""One attempt to sign in, in an encrypted cookie of its own.

The cookie binds an attempt to the browser that began it (RFC 9700 section 4.7). Its name contains a
hash of the state, so ten parallel tabs do not overwrite each other. A used attempt's cookie stays
until it expires: reloading the callback then redirects to the requested page.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import astuple, dataclass, field, replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from ..cognito.authorization import attempt_reference, new_secret
from ..core.app_label import cookie_name
from ..core.encryption import DecryptionError
from ..models.rate_limit import is_used_up, take
from ..provider import provider

MAX_AGE = 600  # seconds
MAX_ATTEMPTS = 10  # cookies per browser; the oldest are deleted
MAX_NEXT_LENGTH = 256  # characters; ten cookies must fit into the 8 kB that servers allow a header
_NAME = "signin_"
_CONTENT = "a"  # the values without their names keep the cookie small
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

    @property
    def reference(self) -> str:
        """The eight hex digits that name the attempt in logs and on error pages."""
        return attempt_reference(self.state)

    def marked_used(self) -> SignInAttempt:
        """Return a copy that is marked as used."""
        return replace(self, used=True)


def begin(next_url: str, *, restarted: bool = False) -> SignInAttempt:
    """Return a new attempt with random state, nonce and PKCE verifier (RFC 7636: 43 characters)."""
    return SignInAttempt(
        state=(_RESTARTED if restarted else "") + new_secret(),
        next_url=next_url if len(next_url) <= MAX_NEXT_LENGTH else "",
        nonce=new_secret(),
        code_verifier=new_secret(),
        started_at=int(time.time()),
    )


def was_restarted(state: str) -> bool:
    """Return True if this state belongs to an attempt that was already a second try."""
    return state.startswith(_RESTARTED)


def save(attempt: SignInAttempt, request: HttpRequest, response: HttpResponse) -> None:
    """Set the attempt's cookie, and delete the oldest ones beyond the maximum."""
    own_name = _cookie_name(attempt.state)
    others = [name for name in _names_oldest_first(request) if name != own_name]
    for name in others[: max(0, len(others) + 1 - MAX_ATTEMPTS)]:
        response.delete_cookie(name, samesite="Lax")
    response.set_cookie(
        own_name,
        provider().cipher.seal({_CONTENT: astuple(attempt)}),
        max_age=MAX_AGE,
        httponly=True,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        samesite="Lax",
    )


def load(request: HttpRequest, state: str) -> SignInAttempt | None:
    """Return the attempt with this state if this browser began it in the last ten minutes."""
    attempt = _open(request.COOKIES.get(_cookie_name(state), ""))
    return attempt if attempt is not None and attempt.state == state else None


def is_used(attempt: SignInAttempt) -> bool:
    """Return True if a callback of this attempt was handled, even if its cookie does not say so.

    A client that does not store the response's cookie would otherwise cause a call to Cognito each
    time.
    """
    return attempt.used or is_used_up(_used_key(attempt), limit=1)


def use(attempt: SignInAttempt) -> bool:
    """Mark the attempt as used on the server. Return False if another request has done so."""
    return take(_used_key(attempt), limit=1, seconds=MAX_AGE)


def _used_key(attempt: SignInAttempt) -> str:
    return f"attempt:{hashlib.sha256(attempt.state.encode()).hexdigest()}"


def _open(sealed: str) -> SignInAttempt | None:
    try:
        return SignInAttempt(*provider().cipher.open(sealed, max_age=MAX_AGE)[_CONTENT])
    except (DecryptionError, KeyError, TypeError):
        return None


def _cookie_name(state: str) -> str:
    return _prefix() + hashlib.sha256(state.encode()).hexdigest()[:16]


def _prefix() -> str:
    return cookie_name(_NAME)


def _names_oldest_first(request: HttpRequest) -> list[str]:
    started_at: dict[str, int] = {}
    for name, sealed in request.COOKIES.items():
        if name.startswith(_prefix()):
            attempt = _open(sealed)
            started_at[name] = attempt.started_at if attempt else 0  # delete invalid ones first
    return sorted(started_at, key=lambda name: started_at[name])
