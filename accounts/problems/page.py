"""The page for an error: the messages of problems/catalog, a button and the reference."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.management import get_commands
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from ..cognito.errors import CognitoError, ProviderRefused
from ..cognito.safe_urls import LOOPBACK_HOSTS
from ..core.app_label import layout, page_url, template_name
from ..provider import provider
from .catalog import SIGN_OUT, USE_ANOTHER, Problem, problem_for, provider_reason, retry_after
from .errors import InsufficientAuthentication


def render_problem(
    request: HttpRequest,
    error: CognitoError,
    *,
    reference: str = "",
    next_url: str = "",
    retry_url: str = "",
    parameters: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Return the page for `error`.

    Its button opens `retry_url`, or starts a sign-in that returns to `next_url`, with `parameters`
    of the hosted UI. Without `retry_url`, an error that only the operators can correct has no
    button.
    """
    problem = problem_for(error)
    texts = problem.translated()
    context = {
        "layout": layout,
        "problem": {
            "title": texts.title,
            "what": texts.what,
            "why": texts.why,
            "next_step": texts.next_step,
            "action_label": texts.action_label or _("Reload this page"),
            "retry": bool(retry_url),
            "action_url": retry_url or _sign_in_url(problem, next_url, parameters or {}),
            "quote": _quoted_words(error),
            "command": _repair_command() if problem.setting_names and settings.DEBUG else "",
        },
        "reference": reference,
        "status": problem.status,
    }
    response = render(request, template_name("problem.html"), context, status=problem.status)
    if seconds := retry_after(error):
        response["Retry-After"] = str(seconds)
    return response


def render_method_not_allowed(request: HttpRequest, allowed: list[str], page: str) -> HttpResponse:
    """Return the page for a URL that a browser can only post to. Its button opens `page`."""
    context = {
        "layout": layout,
        "problem": {
            "title": _("This URL can't be opened"),
            "what": _("It only works with the button of the page that it belongs to."),
            "next_step": _("Nothing was changed. Open that page, and use its button."),
            "action_label": _("Open the page"),
            "action_url": page,
        },
        "status": 405,
    }
    response = render(request, template_name("problem.html"), context, status=405)
    response["Allow"] = ", ".join(allowed)
    return response


def _sign_in_url(problem: Problem, next_url: str, parameters: Mapping[str, str]) -> str:
    if not problem.action_label:
        return ""
    if problem.action_label == SIGN_OUT:
        return page_url("logout")
    query = dict(parameters) | ({"next": next_url} if next_url else {})
    if problem.code == InsufficientAuthentication.code:
        query["another"] = "1"  # Cognito may have ignored what the page requires
    if problem.action_label == USE_ANOTHER:
        for name in ("identity_provider", "idp_identifier", "login_hint"):
            query.pop(name, None)  # they name the account that has no access
        query["another"] = "1"
    url = page_url("login")
    return f"{url}?{urlencode(query)}" if query else url


def _quoted_words(error: CognitoError) -> str:
    """Return the words of a Lambda trigger that refused the user, if a setting allows it, or ""."""
    if not isinstance(error, ProviderRefused) or not provider().show_trigger_messages:
        return ""
    return provider_reason(error).words


def _repair_command() -> str:
    """Return the command with which a developer repairs or finds a wrong setting."""
    if "dev" not in get_commands():  # a host project, without our commands for development
        return "python manage.py cognito_doctor"
    if urlsplit(provider().config.domain).hostname in LOOPBACK_HOSTS:
        return "make reset && make run"
    return "python manage.py dev cognito_doctor"
