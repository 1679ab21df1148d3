"""Whoever's sign-in has ended is signed out, on every request and in every process."""

from collections.abc import Callable
from datetime import timedelta

from django.contrib import auth
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from . import session
from .models import SignIn

SEEN_EVERY = timedelta(minutes=1)  # one write a minute at most


class SignInMiddleware:
    """Sets `request.sign_in`: the live `SignIn` of this browser, or None.

    Stands after AuthenticationMiddleware. A session whose sign-in was ended (here, elsewhere, by
    an operator) is emptied, and the person goes on as anonymous.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        row = session.current_sign_in(request)
        if row is None and session.is_bound(request):
            auth.logout(request)
        elif row is not None:
            _note_seen(row)
        request.sign_in = row  # type: ignore[attr-defined]
        return self.get_response(request)


def _note_seen(row: SignIn) -> None:
    now = timezone.now()
    if now - row.last_seen_at >= SEEN_EVERY:
        SignIn.objects.live().filter(pk=row.pk).update(last_seen_at=now)
