"""Errors of the API and the challenge of RFC 6750."""

from __future__ import annotations

from dataclasses import dataclass

from rest_framework import exceptions, status
from rest_framework.request import Request

from ..cognito.errors import CognitoError, SignInRejected, TokenRejected
from ..problems.catalog import (
    DATABASE_UNAVAILABLE,
    RETRY_AFTER,
    SERVER_ERROR,
    problem_for,
    retry_after,
)
from ..problems.errors import TooManyFailures, UserDeactivated

REALM = "api"


@dataclass(frozen=True)
class BearerError:
    """What a challenge says beside the scheme (RFC 6750 section 3)."""

    error: str
    description: str
    scope: str = ""


def challenge(problem: BearerError | None = None) -> str:
    """The value of a WWW-Authenticate header."""
    parts = [f'realm="{REALM}"']
    if problem is not None:
        parts.append(f'error="{problem.error}"')
        parts.append(f'error_description="{_quotable(problem.description)}"')
        if problem.scope:
            parts.append(f'scope="{_quotable(problem.scope)}"')
    return f"Bearer {', '.join(parts)}"


def _quotable(text: str) -> str:
    # The characters RFC 6750 section 3 allows; everything else would need escaping, or is none.
    text = text.replace('"', "'").replace("\\", "/")
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def refusal(request: Request, error: CognitoError) -> exceptions.APIException:
    """A CognitoError as the exception that Django REST framework answers with.

    401 with a challenge for a token that does not count, 403 for a person who is not let in, else
    what problems.py says (503 when Cognito or its keys cannot be had).
    """
    if isinstance(error, TokenRejected | UserDeactivated):
        request._bearer_error = BearerError("invalid_token", error.message)  # type: ignore[attr-defined]
        return exceptions.AuthenticationFailed(error.message, code=error.code)
    problem = problem_for(error)
    if isinstance(error, SignInRejected):
        return exceptions.PermissionDenied(problem.sentence, code=error.code)
    return unavailable(error)


class Unavailable(exceptions.APIException):
    """503, or 429 beyond a limit: the same request may succeed later. `wait` is in seconds, as
    DRF's Throttled has it."""

    status_code: int = status.HTTP_503_SERVICE_UNAVAILABLE
    wait = RETRY_AFTER


class DatabaseUnavailable(Unavailable):
    default_detail, default_code = DATABASE_UNAVAILABLE


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The request is larger than this server accepts."
    default_code = "too_large"


class Unforeseen(exceptions.APIException):
    default_detail, default_code = SERVER_ERROR


def unavailable(error: CognitoError) -> Unavailable:
    """Return an error that the caller can only wait for as the exception that says how long."""
    problem = problem_for(error)
    answer = Unavailable(problem.sentence, code=error.code)
    if isinstance(error, TooManyFailures):
        answer.status_code = problem.status
    answer.wait = retry_after(error)
    return answer
