"""Errors of the API and the challenge of RFC 6750."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.request import Request

from ..cognito.errors import CognitoError, SignInRejected, TokenRejected
from ..cognito.step_up import NO_REQUIREMENT, SignInRequirement
from ..problems.catalog import (
    DATABASE_UNAVAILABLE,
    RETRY_AFTER,
    SERVER_ERROR,
    problem_for,
    retry_after,
)
from ..problems.errors import InsufficientAuthentication, TooManyFailures, UserDeactivated
from ..sessions import step_up
from .protected_resource import metadata_url

REALM = "api"


@dataclass(frozen=True)
class BearerError:
    """The parameters of a challenge (RFC 6750 section 3, RFC 9470 section 3)."""

    error: str
    description: str
    scope: str = ""
    requirement: SignInRequirement = NO_REQUIREMENT


def challenge(request: Request | HttpRequest, problem: BearerError | None = None) -> str:
    """Return the value of a WWW-Authenticate header.

    `resource_metadata` (RFC 9728 section 5.1) leads a client to the issuer of its tokens.
    """
    parts = [f'realm="{REALM}"']
    if problem is not None:
        parts.append(f'error="{problem.error}"')
        parts.append(f'error_description="{_quotable(problem.description)}"')
        if problem.scope:
            parts.append(f'scope="{_quotable(problem.scope)}"')
        required = problem.requirement.parameters.items()
        parts.extend(f'{name}="{_quotable(text)}"' for name, text in required)
    parts.append(f'resource_metadata="{_quotable(metadata_url(request.path))}"')
    return f"Bearer {', '.join(parts)}"


def _quotable(text: str) -> str:
    # RFC 6750 section 3 allows printable ASCII without quotes and backslashes.
    text = text.replace('"', "'").replace("\\", "/")
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def to_api_exception(request: Request, error: CognitoError) -> exceptions.APIException:
    """Return the exception of Django REST framework for a CognitoError.

    It is a 401 with a challenge for an invalid token, a 403 for a user without access, and
    otherwise the status of problems/catalog (503 if Cognito or its keys are unavailable).
    """
    if isinstance(error, TokenRejected | UserDeactivated):
        request._bearer_error = BearerError("invalid_token", error.message)  # type: ignore[attr-defined]
        return exceptions.AuthenticationFailed(error.message, code=error.code)
    problem = problem_for(error)
    if isinstance(error, SignInRejected):
        return exceptions.PermissionDenied(problem.sentence, code=error.code)
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
