"""Decorators for pages, which may be coroutines."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from .cognito.step_up import check_requirement
from .provider import provider
from .sessions import step_up
from .sessions.decorators import renewal_exempt as renewal_exempt
from .users.groups import pool_groups

ViewT = TypeVar("ViewT", bound=Callable[..., Any])


def group_required(*groups: str) -> Callable[[ViewT], ViewT]:
    """Require membership in at least one of these groups of the pool, for a page.

    An anonymous user is redirected to the sign-in page and back. Other users get a 403.
    """
    if not groups or callable(groups[0]):
        raise TypeError('group_required needs groups: @group_required("admins")')

    def refusal(request: HttpRequest) -> HttpResponse | None:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if set(groups).isdisjoint(pool_groups(request)):
            raise PermissionDenied(f"This page requires the group {' or '.join(groups)}.")
        return None

    return _guard(refusal)


def recent_sign_in_required(
    *, max_age: int | None = None, acr: str = ""
) -> Callable[[ViewT], ViewT]:
    """Require a sign-in in the last `max_age` seconds, at the level `acr` or a higher one.

    Other users sign in (again) and return, from a form to the page that holds it. If the new
    sign-in is not sufficient either, they get a page that says so.
    """
    check_requirement(max_age, acr)

    def refusal(request: HttpRequest) -> HttpResponse | None:
        requirement = provider().sign_in_options.require(max_age=max_age, acr=acr)
        if step_up.is_met(request, requirement):
            return None
        return step_up.challenge(request, requirement)

    return _guard(refusal)


def _guard(refusal: Callable[[HttpRequest], HttpResponse | None]) -> Callable[[ViewT], ViewT]:
    """Return a decorator that calls the view only if `refusal` returns None."""

    def decorate(view: ViewT) -> ViewT:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Any, **kwargs: Any) -> Any:
            refused = refusal(request)
            return view(request, *args, **kwargs) if refused is None else refused

        @wraps(view)
        async def aguarded(request: HttpRequest, /, *args: Any, **kwargs: Any) -> Any:
            refused = await sync_to_async(refusal)(request)
            return await view(request, *args, **kwargs) if refused is None else refused

        return cast(ViewT, aguarded if iscoroutinefunction(view) else guarded)

    return decorate
