"""Step-up: whether a request's sign-in is recent and strong enough, and the way to a new sign-in.

The callback verifies the new sign-in against the same requirement (signin/flow.py). If it is still
not met, the user gets a page that says so, and is not redirected in a circle.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from ..cognito.claims import AccessClaims
from ..cognito.step_up import NO_REQUIREMENT, SignInRequirement
from ..core import navigation
from ..core.app_label import page_url
from ..core.translation import gettext_noop as _
from ..problems import unauthenticated
from ..problems.catalog import error_body
from ..problems.errors import InsufficientAuthentication
from ..provider import provider
from ..tokens.storage import acr_of

MESSAGE = _("This requires a more recent or a stronger sign-in. Sign in again and repeat it.")


def is_met(request: Any, requirement: SignInRequirement) -> bool:
    """Return True if the sign-in of the request, of a session or a token, meets the requirement.

    The token of a machine never does, nor that of a service that acts for a user. The level of a
    trusted pool's token does not count, because that pool names its levels itself. A
    break-glass sign-in has no level.
    """
    now = time.time()
    claims = getattr(request, "auth", None)
    if isinstance(claims, AccessClaims):
        if claims.auth_time is None or claims.actors:
            return False
        acr = claims.acr if claims.pool_id == provider().pool.pool_id else None
        return requirement.is_met(auth_time=claims.auth_time, acr=acr, now=now)
    if not request.user.is_authenticated:  # reading the user renews the sign-in
        return False
    if requirement == NO_REQUIREMENT:
        return True
    sign_in = getattr(request, "sign_in", None)
    # Another authentication class may authenticate another user than that of the session.
    if sign_in is None or sign_in.user_id != request.user.pk:
        return False
    if sign_in.is_break_glass:
        signed_in_at = sign_in.signed_in_at.timestamp()
        return requirement.is_met(auth_time=signed_in_at, acr=None, now=now)
    acr = acr_of(sign_in) if requirement.acr_values else None
    return requirement.is_met(auth_time=sign_in.auth_time, acr=acr, now=now)


def challenge(request: HttpRequest, requirement: SignInRequirement) -> HttpResponse:
    """Redirect to a sign-in that meets the requirement and returns, or return a 401 to a script.

    A form returns to the page that holds it.
    """
    url = sign_in_url(request, requirement)
    if navigation.is_page_request(request):
        return HttpResponseRedirect(url)
    if not request.user.is_authenticated:
        return unauthenticated.unauthenticated(request)
    body = error_body(gettext(MESSAGE), InsufficientAuthentication.code) | {"login_url": url}
    headers = {"WWW-Authenticate": "Cookie"} | htmx_headers(request, url)
    return unauthenticated.json_response(body, 401, headers)


def htmx_headers(request: HttpRequest, url: str) -> dict[str, str]:
    """Return the header that makes htmx go to `url`, or {} for another client."""
    return {"HX-Redirect": url} if navigation.is_htmx(request) else {}


def sign_in_url(request: HttpRequest, requirement: SignInRequirement) -> str:
    """Return the URL of a sign-in that meets the requirement and returns to the page.

    LOGIN_URL may be another page, which returns signed-in users at once.
    """
    query = {REDIRECT_FIELD_NAME: navigation.page_path(request), **requirement.parameters}
    return f"{page_url('login')}?{urlencode(query)}"
