"""Errors of the API, as exceptions of Django REST framework."""

from __future__ import annotations

from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.request import Request

from ..cognito.errors import CognitoError
from ..cognito.step_up import SignInRequirement
from ..problems.catalog import (
    DATABASE_UNAVAILABLE,
    RETRY_AFTER,
    SERVER_ERROR,
    problem_for,
    retry_after,
)
from ..problems.errors import InsufficientAuthentication, TooManyFailures
from ..sessions import step_up
from .bearer import BearerError, explain


def to_api_exception(request: Request, error: CognitoError) -> exceptions.APIException:
    """Return the exception of Django REST framework for a CognitoError.

    A 401 has a challenge.
    """
    status_code, message = explain(error)
    if status_code == status.HTTP_401_UNAUTHORIZED:
        request._bearer_error = BearerError("invalid_token", message)  # type: ignore[attr-defined]
        return exceptions.AuthenticationFailed(message, code=error.code)
    if status_code == status.HTTP_403_FORBIDDEN:
        return exceptions.PermissionDenied(message, code=error.code)
    return unavailable(error)


class ServiceUnavailable(exceptions.APIException):
    """A 503, or a 429 beyond a limit. `wait` is in seconds, as in DRF's Throttled."""

    status_code: int = status.HTTP_503_SERVICE_UNAVAILABLE
    wait: int | None = RETRY_AFTER


class DatabaseUnavailable(ServiceUnavailable):
    default_detail = gettext_lazy(DATABASE_UNAVAILABLE.detail)
    default_code = DATABASE_UNAVAILABLE.code


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The request is larger than this server accepts.")
    default_code = "too_large"


class StepUpRequired(exceptions.APIException):
    """A 401 for a user whose sign-in is not as recent or as strong as required (RFC 9470)."""

    status_code = status.HTTP_401_UNAUTHORIZED
    default_detail = gettext_lazy(step_up.MESSAGE)
    default_code = InsufficientAuthentication.code

    def __init__(self, requirement: SignInRequirement) -> None:
        super().__init__()
        self.requirement = requirement


class ServerError(exceptions.APIException):
    default_detail = gettext_lazy(SERVER_ERROR.detail)
    default_code = SERVER_ERROR.code


def unavailable(error: CognitoError) -> ServiceUnavailable:
    """Return the 503 for an error, with the time to wait if another try can help."""
    problem = problem_for(error)
    exception = ServiceUnavailable(problem.sentence, code=error.code)
    if isinstance(error, TooManyFailures):
        exception.status_code = problem.status
    exception.wait = retry_after(error)
    return exception
