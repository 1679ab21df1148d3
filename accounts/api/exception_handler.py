"""The error responses of the API: `{"detail", "code", "error"}`, the same shape everywhere.

`detail` is a sentence, `code` is stable, and `error` repeats `detail` for the original UI. `fields`
names invalid values. An unexpected exception becomes a 500 of that shape. It is logged with its
traceback and sent to `got_request_exception`, as Django does for pages.
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
from django.utils.translation import gettext
from rest_framework import exceptions, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler as rest_framework_handler

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, TokenRevoked
from ..core.translation import gettext_noop as _
from ..problems import outage, unauthenticated
from ..problems.catalog import BAD_REQUEST, INCOMPLETE_BODY, error_body
from ..problems.errors import SessionEnded
from ..sessions import step_up
from .authentication import CognitoAuthentication
from .bearer import INSUFFICIENT_SCOPE, BearerError, challenge
from .errors import (
    DatabaseUnavailable,
    PayloadTooLarge,
    ServerError,
    StepUpRequired,
    to_api_exception,
    unavailable,
)
from .permissions import RecentSignIn, Requirement, is_user

_log = logging.getLogger(__name__)

_FOR_CLIENTS = _("API clients send an access token: Authorization: Bearer, a space, the token.")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """Return the response to an `error` that a view raised."""
    request: Request | None = context.get("request")
    exception = _to_api_exception(error)
    response = rest_framework_handler(exception, context)
    if response is None and request is not None and _is_user_deleted(request):
        exception = _user_deleted(request)
        response = rest_framework_handler(exception, context)
    if response is None:  # neither DRF's own nor Django's 403 or 404
        exception = ServerError()
        response = Response(status=exception.status_code)
        _report(error, request, response)
    unmet = getattr(request, "_unmet", None)
    if request is not None and isinstance(unmet, Requirement) and _is_refusal(response, unmet):
        exception = _refuse(request, response, unmet)
    response.data = _body(exception, response)
    if isinstance(exception, exceptions.NotAuthenticated) and request is not None:
        response.data |= _sign_in_members(request)
    elif isinstance(exception, StepUpRequired) and request is not None and request.auth is None:
        url = step_up.sign_in_url(request._request, exception.requirement)
        response.data["login_url"] = url
        for name, value in step_up.htmx_headers(request._request, url).items():
            response[name] = value
    return response


def _is_refusal(response: Response, unmet: Requirement) -> bool:
    """Return True if a permission refused the request, and not the view in its own words.

    `A | B` leaves an unmet `A`, although `B` admitted the request.
    """
    if response.status_code != status.HTTP_403_FORBIDDEN:
        return False
    detail = response.data.get("detail") if isinstance(response.data, dict) else None
    return detail in (exceptions.PermissionDenied.default_detail, unmet.message)


def _refuse(request: Request, response: Response, unmet: Requirement) -> exceptions.APIException:
    """Return the exception for an unmet requirement, and add its challenge to the response."""
    if isinstance(unmet, RecentSignIn) and is_user(request.user):
        response.status_code = status.HTTP_401_UNAUTHORIZED
        problem = BearerError(StepUpRequired.default_code, unmet.message, "", unmet.requirement)
        exception: exceptions.APIException = StepUpRequired(unmet.requirement)
    else:
        problem = BearerError(INSUFFICIENT_SCOPE, unmet.message, unmet.scope)
        message = gettext(unmet.message)
        exception = exceptions.PermissionDenied(message, code=INSUFFICIENT_SCOPE)
    response["WWW-Authenticate"] = challenge(request, problem)
    return exception


def _sign_in_members(request: Request) -> dict[str, str]:
    """Return the members that tell a script where to sign in, and whether a session ended."""
    body = unauthenticated.challenge_body(request)
    if body["code"] == unauthenticated.SESSION_ENDED:
        return body
    return {"login_url": body["login_url"]}


def _to_api_exception(error: Exception) -> Exception:
    """Return the exception of Django REST framework for `error`, or `error` if there is none."""
    if isinstance(error, SessionEnded):  # of a view that needed the user's token
        return exceptions.AuthenticationFailed(error.message, code=error.code)
    if isinstance(error, CognitoError):
        return unavailable(error)
    if outage.is_outage(error):
        outage.count_outage()
        _log.error("The database does not respond: %s", str(error).partition("\n")[0])
        return DatabaseUnavailable()
    if isinstance(error, RequestDataTooBig):
        return PayloadTooLarge()
    if isinstance(error, UnreadablePostError):
        return exceptions.ParseError(gettext(INCOMPLETE_BODY.detail), INCOMPLETE_BODY.code)
    if isinstance(error, SuspiciousOperation):
        return exceptions.ParseError(gettext(BAD_REQUEST.detail), BAD_REQUEST.code)
    if isinstance(error, exceptions.NotAuthenticated):
        sentences = gettext(unauthenticated.NOT_SIGNED_IN), gettext(_FOR_CLIENTS)
        exception = exceptions.NotAuthenticated(" ".join(sentences))
        exception.auth_header = getattr(error, "auth_header", None)  # type: ignore[attr-defined]
        return exception
    return error


def _is_user_deleted(request: Request) -> bool:
    """Return True if the access token's user was deleted a moment ago.

    The revocation feed learns it within a second. Until then, the token is accepted.
    """
    user: Any = getattr(request, "_user", None)
    if not isinstance(getattr(request, "_auth", None), AccessClaims) or not is_user(user):
        return False
    try:
        return not get_user_model()._default_manager.filter(pk=user.pk).exists()
    except DatabaseError:
        return False


def _user_deleted(request: Request) -> exceptions.APIException:
    exception = to_api_exception(request, TokenRevoked("its user was deleted on this site"))
    exception.auth_header = CognitoAuthentication().authenticate_header(request)  # type: ignore[attr-defined]
    return exception


def _body(error: Exception, response: Response) -> dict[str, Any]:
    if not isinstance(error, exceptions.APIException):  # Django's own 403 and 404
        is_missing = response.status_code == status.HTTP_404_NOT_FOUND
        error = exceptions.NotFound() if is_missing else exceptions.PermissionDenied()
    if isinstance(error.detail, dict | list):
        fields = {"fields": error.detail}
        return error_body(_first_sentence(error.detail), "invalid") | fields
    return error_body(str(error.detail), getattr(error.detail, "code", error.default_code))


def _first_sentence(detail: Any, name: str = "") -> str:
    """Return the first error, after the name of its field."""
    if isinstance(detail, dict) and detail:
        key, value = next(iter(detail.items()))
        general = key == "non_field_errors"
        return _first_sentence(value, name if general else f"{name}.{key}".lstrip("."))
    if isinstance(detail, list) and detail:
        return _first_sentence(next((item for item in detail if item), ""), name)
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
