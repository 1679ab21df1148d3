"""The page for an error: the messages of problems/catalog, a button and the reference."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from ..cognito.errors import CognitoError, CognitoUnavailable, ProviderRefused
from ..cognito.safe_urls import LOOPBACK_HOSTS
from ..core.app_label import page_url, template_name
from ..provider import provider
from .catalog import problem_for, provider_reason, retry_after
from .errors import ClaimsRefused, UnknownUser, UserDeactivated


def render_problem(
    request: HttpRequest,
    error: CognitoError,
    *,
    reference: str = "",
    next_url: str = "",
    retry_url: str = "",
) -> HttpResponse:
    """Return the page for `error`.

    Its button opens `retry_url`, or starts a sign-in that returns to `next_url`.
    """
    problem = problem_for(error)
    context = {
        "problem": {
            "title": problem.title,
            "what": problem.what,
            "why": provider_reason(error) if isinstance(error, ProviderRefused) else problem.why,
            "next_step": problem.next_step,
            "action_label": problem.action_label,
            "retry": bool(retry_url),
            "action_url": retry_url or _sign_in_url(error, next_url),
            "command": _repair_command() if problem.setting_names and settings.DEBUG else "",
        },
        "reference": reference,
        "status": problem.status,
    }
    response = render(request, template_name("problem.html"), context, status=problem.status)
    if isinstance(error, CognitoUnavailable):
        response["Retry-After"] = str(retry_after(error))
    return response


def _sign_in_url(error: CognitoError, next_url: str) -> str:
    query = {"next": next_url} if next_url else {}
    if isinstance(error, UnknownUser | ClaimsRefused | UserDeactivated):
        query["another"] = "1"
    url = page_url("login")
    return f"{url}?{urlencode(query)}" if query else url


def _repair_command() -> str:
    """Return the command with which a developer repairs or finds a wrong setting."""
    if urlsplit(provider().config.domain).hostname in LOOPBACK_HOSTS:
        return "make reset && make run"
    return "python manage.py dev cognito_doctor"
