"""Every answer of the API that fails: `{"detail", "code", "error"}`, the same shape everywhere.

`detail` is for people, `code` for programs, `error` repeats `detail` for the original UI; wrong
values are named under `fields`. What nobody foresaw is a 500 of that shape too, logged in full and
told to whoever listens for errors, as Django does for pages.
"""

from __future__ import annotations

import logging
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DatabaseError
from django.http import UnreadablePostError
from django.utils.log import log_response
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_framework_handler

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, TokenRevoked
from ..problems import outage, unauthenticated
from ..problems.catalog import BAD_REQUEST, INCOMPLETE_BODY, error_body
from .authentication import CognitoAuthentication
from .errors import (
    BearerError,
    DatabaseUnavailable,
    TooLarge,
    Unforeseen,
    challenge,
    refusal,
    unavailable,
)
from .permissions import INSUFFICIENT_SCOPE, Requirement, is_person

_log = logging.getLogger(__name__)

_SIGN_IN = (
    f"{unauthenticated.NOT_SIGNED_IN} API clients send an access token:"
    " Authorization: Bearer, a space, the token."
)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """What Django REST framework answers when a view raised `error`."""
    request: Request | None = context.get("request")
    known = _known(error, request)
    response = rest_framework_handler(known, context)
    if response is None and request is not None and _person_is_gone(request):
        known = _person_gone(request)
        response = rest_framework_handler(known, context)
    if response is None:  # neither DRF's own nor Django's 403 or 404
        known = Unforeseen()
        response = Response(status=known.status_code)
        _report(error, request, response)
    unmet = getattr(request, "_unmet", None)
    if response.status_code == status.HTTP_403_FORBIDDEN and isinstance(unmet, Requirement):
        problem = BearerError(INSUFFICIENT_SCOPE, unmet.message, unmet.scope)
        response["WWW-Authenticate"] = challenge(problem)
        known = exceptions.PermissionDenied(unmet.message, code=INSUFFICIENT_SCOPE)
    response.data = _body(known, response)
    if isinstance(known, exceptions.NotAuthenticated) and request is not None:
        response.data |= _way_back(request)
    return response


def _way_back(request: Request) -> dict[str, str]:
    """Where a script of our pages leads its person, and whether they were signed in before."""
    told = unauthenticated.body(request)
    if told["code"] == unauthenticated.SESSION_ENDED:
        return told
    return {"login_url": told["login_url"]}


def _known(error: Exception, request: Request | None) -> Exception:
    """The same error in the terms of Django REST framework, where it has none of its own."""
    if isinstance(error, CognitoError):
        return unavailable(error)
    if outage.is_outage(error):
        outage.count_outage()
        _log.error("The database doesn't answer: %s", str(error).partition("\n")[0])
        return DatabaseUnavailable()
    if isinstance(error, RequestDataTooBig):
        return TooLarge()
    if isinstance(error, UnreadablePostError):
        return exceptions.ParseError(*INCOMPLETE_BODY)
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError(*BAD_REQUEST)
    if isinstance(error, exceptions.NotAuthenticated):
        told = exceptions.NotAuthenticated(_SIGN_IN)
        told.auth_header = getattr(error, "auth_header", None)  # type: ignore[attr-defined]
        return told
    return error


def _person_is_gone(request: Request) -> bool:
    """Whether the person of the access token was deleted since this process verified it: until the
    next reading of the revocations, within the second, the token is still let in."""
    user: Any = getattr(request, "_user", None)
    if not isinstance(getattr(request, "_auth", None), AccessClaims) or not is_person(user):
        return False
    try:
        return not get_user_model()._default_manager.filter(pk=user.pk).exists()
    except DatabaseError:  # then that is what is wrong
        return False


def _person_gone(request: Request) -> exceptions.APIException:
    refused = refusal(request, TokenRevoked("its user was deleted on this site"))
    refused.auth_header = CognitoAuthentication().authenticate_header(request)  # type: ignore[attr-defined]
    return refused


def _body(error: Exception, response: Response) -> dict[str, Any]:
    if not isinstance(error, exceptions.APIException):  # Django's own 403 and 404
        is_missing = response.status_code == status.HTTP_404_NOT_FOUND
        error = exceptions.NotFound() if is_missing else exceptions.PermissionDenied()
    if isinstance(error.detail, dict | list):
        fields = {"fields": error.detail}
        return error_body(_first_sentence(error.detail), "invalid") | fields
    return error_body(str(error.detail), getattr(error.detail, "code", error.default_code))


def _first_sentence(detail: Any, name: str = "") -> str:
    """The first thing that is wrong, after the name of its field."""
    if isinstance(detail, dict) and detail:
        key, value = next(iter(detail.items()))
        general = key == "non_field_errors"
        return _first_sentence(value, name if general else f"{name}.{key}".lstrip("."))
    if isinstance(detail, list) and detail:
        return _first_sentence(next((each for each in detail if each), ""), name)
    return f"{name}: {detail}" if name else str(detail)


def _report(error: Exception, request: Request | None, response: Response) -> None:
    django_request = getattr(request, "_request", None)
    path = getattr(django_request, "path", "")
    log_response(
        "Internal server error: %s",
        path,
        response=response,
        request=django_request,
        exception=error,
    )
    got_request_exception.send(sender=exception_handler, request=django_request)
