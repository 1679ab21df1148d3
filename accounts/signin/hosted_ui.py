"""The redirect of a browser to the hosted UI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language

from ..audit.attempt_log import log_step
from ..cognito.authorization import authorize_url, code_challenge
from ..cognito.hosted_ui_parameters import hosted_ui_language
from ..core import metrics
from ..core.request_meta import subnet_of
from ..provider import provider
from . import attempts
from .attempts import SignInAttempt


def redirect_to_hosted_ui(
    request: HttpRequest,
    attempt: SignInAttempt,
    *,
    sign_up: bool = False,
    prompt: str = "",
    extra: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Redirect to the hosted UI, with the attempt's cookie and `extra` parameters.

    The hosted UI is shown in the active language, unless `extra` names another one.
    """
    config = provider().config
    url = authorize_url(
        config,
        redirect_uri=provider().callback_url,
        state=attempt.state,
        nonce=attempt.nonce,
        code_challenge=code_challenge(attempt.code_verifier),
        prompt=prompt,
        endpoint=config.signup_endpoint if sign_up else "",
        extra=_language() | dict(extra or {}),
    )
    response = HttpResponseRedirect(url)
    if request.method == "HEAD":  # it has no effect, so this attempt does not begin
        return response
    attempts.save(attempt, request, response)
    metrics.count("sign_ins_started")
    log_step(attempt.reference, "authorize", next=path_of(attempt))
    return response


def _language() -> dict[str, str]:
    """Return the parameter for the active language, or {} if the hosted UI does not have it.

    English is named, too: the hosted UI remembers the language of an earlier sign-in in a cookie.
    """
    language = hosted_ui_language(get_language() or "") if settings.USE_I18N else ""
    return {"lang": language} if language else {}


def path_of(attempt: SignInAttempt) -> str:
    """Return the path of the page to return to. The rest may contain personal data."""
    return urlsplit(attempt.next_url).path


def begin_attempt(request: HttpRequest, next_url: str, **options: Any) -> SignInAttempt:
    """Return a new attempt of this request, with options of `attempts.begin`.

    HEAD stores nothing on the server.
    """
    subnet = None if request.method == "HEAD" else subnet_of(request)
    return attempts.begin(next_url, subnet=subnet, **options)
