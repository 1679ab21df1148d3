"""Decorators for pages."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from .cognito.step_up import check_requirement
from .provider import provider
from .sessions import step_up
from .sessions.decorators import renewal_exempt as renewal_exempt
from .users.groups import pool_groups

P = ParamSpec("P")


def group_required(
    *groups: str,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Require membership in at least one of these groups of the pool, for a page.

    An anonymous user is redirected to the sign-in page and back. Other users get a 403.
    """
    if not groups or callable(groups[0]):
        raise TypeError('group_required needs groups: @group_required("admins")')

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if set(groups).isdisjoint(pool_groups(request)):
                raise PermissionDenied(f"This page requires the group {' or '.join(groups)}.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def recent_sign_in_required(
    *, max_age: int | None = None, acr: str = ""
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Require a sign-in in the last `max_age` seconds, at the level `acr` or a higher one.

    Other users sign in (again) and return, from a form to the page that holds it. If the new
    sign-in is not sufficient either, they get a page that says so.
    """
    check_requirement(max_age, acr)

    def decorate(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            requirement = provider().sign_in_options.require(max_age=max_age, acr=acr)
            if not step_up.is_met(request, requirement):
                return step_up.challenge(request, requirement)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
