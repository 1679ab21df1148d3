"""The user of a request. The tokens of the sign-in are renewed when the user is read.

So a page that does not read the user needs no renewal. If the renewal is due and fails for now, the
user is anonymous in this request, and `request.renewal_error` says why. The session stays, and the
middleware responds with 503 if the view requires a user.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib import auth
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.functional import SimpleLazyObject

from ..cognito.errors import CognitoError
from ..models import SignIn
from . import cognito_sessions, renewal


def attach(request: Any, sign_in: SignIn) -> None:
    """Set `request.sign_in`, and make `request.user` and `request.auser` renew it when read.

    In a view with the mark `renewal_exempt`, they return the user without a renewal.
    """
    request.sign_in = sign_in
    request.user = SimpleLazyObject(partial(_load_user, request))
    request.auser = partial(_load_user_async, request)


def end_session(request: Any) -> None:
    """Empty the session of a sign-in that has ended. The request continues as anonymous."""
    auth.logout(request)
    request.sign_in, request.session_ended = None, True


def _load_user(request: Any) -> Any:
    # For signal handlers and hooks that read the user during the renewal.
    request.user = SimpleLazyObject(partial(get_user, request))
    if _is_exempt(request):
        return request.user
    sign_in = request.sign_in
    try:
        request.sign_in = renewal.renew_if_due(sign_in)
    except CognitoError as error:
        request.sign_in, request.renewal_error = None, error
        request.user = AnonymousUser()
        return request.user
    if request.sign_in is None:
        end_session(request)
        cognito_sessions.explain_end(request, sign_in)
        return request.user
    vars(request).pop("_cached_user", None)  # if it was read before its rights were updated
    request.user = get_user(request)
    return request.user


async def _load_user_async(request: Any) -> Any:
    user = request.user
    if not isinstance(user, SimpleLazyObject):  # it was read before
        return user
    return await sync_to_async(_evaluated_user)(request)


def _evaluated_user(request: Any) -> Any:
    bool(request.user.is_authenticated)
    return request.user


def _is_exempt(request: HttpRequest) -> bool:
    """Return True for a view with the mark, even if a middleware reads the user before the view."""
    try:
        match = request.resolver_match or resolve(
            request.path_info, getattr(request, "urlconf", None)
        )
    except Resolver404:
        return False
    return bool(getattr(match.func, "renewal_exempt", False))
