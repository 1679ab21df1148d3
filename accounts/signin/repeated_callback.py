"""A callback that arrives again, because the response to the first one was lost or is not made yet.

A proxy, a service worker, a reload or a double click repeats it. The code is exchanged once, and
the sign-in that it made is attached to the session of the browser that has the attempt's cookie.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import lru_cache
from threading import BoundedSemaphore

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.utils import timezone

from ..audit.attempt_log import log_step
from ..models import RateCounter, SignIn
from ..models.users import has_access
from ..provider import provider
from ..sessions import browser_session
from ..users.backend_hooks import BackendHooks
from . import form_secret
from .attempts import MAX_AGE, SignInAttempt, used_key

RESUMABLE_FOR = timedelta(minutes=1)
MAX_WAIT_SECONDS = 5
_POLL_INTERVAL = 0.05  # seconds


@lru_cache(maxsize=1)
def _places(calls_at_once: int) -> BoundedSemaphore:
    """Return the places to wait in this process: few, because anyone can repeat a callback."""
    return BoundedSemaphore(max(calls_at_once // 4, 1))


def finish(attempt: SignInAttempt) -> None:
    """Record that the request that used the attempt is done, so that no other waits for it."""
    RateCounter.objects.filter(key=used_key(attempt)).update(count=2)


def resume_sign_in(request: HttpRequest, attempt: SignInAttempt) -> SignIn | None:
    """Attach the sign-in that this attempt makes or has just made. Return None if there is none."""
    if attempt.used:  # the browser has received the response, and its session with it
        return None
    _wait(attempt)
    since = timezone.now() - RESUMABLE_FOR
    live = SignIn.objects.live().filter(signed_in_at__gt=since)
    sign_in = live.select_related("user").filter(key=attempt.sign_in_key).first()
    if sign_in is not None and not has_access(sign_in.user):
        return None
    if sign_in is not None:
        own_secret = form_secret.load(request, sign_in.user)
        auth.login(request, sign_in.user, backend=_backend_path())
        form_secret.restore(request, own_secret)
        browser_session.attach_sign_in(request, sign_in)
        log_step(attempt.reference, "callback repeated")
    return sign_in


def _wait(attempt: SignInAttempt) -> None:
    """Wait while another request exchanges the attempt's code."""
    waiting = _places(provider().limits.calls_at_once)
    if not waiting.acquire(blocking=False):
        return
    try:
        give_up_at = time.monotonic() + MAX_WAIT_SECONDS
        while _is_in_progress(attempt) and time.monotonic() < give_up_at:
            time.sleep(_POLL_INTERVAL)
    finally:
        waiting.release()


def _is_in_progress(attempt: SignInAttempt) -> bool:
    # The process of a request from earlier has died.
    soonest = timezone.now() + timedelta(seconds=MAX_AGE - MAX_WAIT_SECONDS)
    in_progress = RateCounter.objects.filter(key=used_key(attempt), count=1)
    return in_progress.filter(expires_at__gt=soonest).exists()


def _backend_path() -> str:
    """Return the path of the backend that signs in through Cognito."""
    paths: list[str] = settings.AUTHENTICATION_BACKENDS
    return next(path for path in paths if isinstance(auth.load_backend(path), BackendHooks))
