"""Security classes and error responses for django-ninja, like those for REST framework.

    api = NinjaAPI(auth=CognitoBearer())
    add_error_handlers(api)

A call has the attributes that it has with REST framework: `request.user` is a user or a `Machine`,
and `request.auth` the verified `AccessClaims`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.security import HttpBearer

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError
from ..core import metrics
from ..problems.catalog import error_body, retry_after
from ..problems.unauthenticated import NOT_AUTHENTICATED
from ..tokens.bearer import store as store_bearer
from ..users.token_rights import effective_groups, effective_scopes
from .bearer import (
    INSUFFICIENT_SCOPE,
    BearerError,
    aauthenticate_token,
    authenticate_token,
    bearer_token,
    challenge,
    explain,
    method_refusal,
)

_MISSING = "This call needs an access token: Authorization: Bearer, one space, the token."


class CallRefused(HttpError):
    """A refused call. Without `add_error_handlers`, its response has the status and the message."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        problem: BearerError | None = None,
        wait: int | None = None,
    ) -> None:
        super().__init__(status, message)
        self.code, self.problem, self.wait = code, problem, wait


class CognitoBearer(HttpBearer):
    """Authentication with access tokens, for operations that are no coroutines.

    `scopes` admits machines whose token has all of them, and `groups` users in one of them. With
    neither, every valid token is accepted. These are the rules of `HasScope` and `InGroup`.
    """

    openapi_bearerFormat = "JWT"  # noqa: N815 - a name of OpenAPI

    def __init__(self, *, scopes: Iterable[str] = (), groups: Iterable[str] = ()) -> None:
        super().__init__()
        self.scopes, self.groups = frozenset(scopes), frozenset(groups)

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        try:
            return self._accept(request, *authenticate_token(_one_token(request)))
        except CognitoError as error:
            raise _refusal(error) from error

    def _accept(self, request: HttpRequest, principal: Any, claims: AccessClaims) -> AccessClaims:
        metrics.count("verifications", outcome="ok")
        if message := method_refusal(request.method, claims) or self._unmet(claims):
            problem = BearerError(INSUFFICIENT_SCOPE, message, " ".join(sorted(self.scopes)))
            raise CallRefused(403, message, INSUFFICIENT_SCOPE, problem=problem)

        store_bearer(request, _one_token(request), claims)

        async def auser() -> Any:
            return principal

        request.user, request.auser = principal, auser
        return claims

    def _unmet(self, claims: AccessClaims) -> str:
        """Return what the caller lacks, or ""."""
        if not self.scopes and not self.groups:
            return ""
        if claims.is_machine and self.scopes and self.scopes <= effective_scopes(claims):
            return ""
        if not self.groups.isdisjoint(effective_groups(claims)):
            return ""
        scope = f"a machine's access token with the scope {' '.join(sorted(self.scopes))}"
        group = f"a user in the group {' or '.join(sorted(self.groups))}"
        ways = [way for way, names in ((scope, self.scopes), (group, self.groups)) if names]
        return f"This needs {', or '.join(ways)}."


class AsyncCognitoBearer(CognitoBearer):
    """`CognitoBearer` for coroutines. A token that was verified before needs no thread."""

    async def authenticate(self, request: HttpRequest, token: str) -> Any:
        try:
            return self._accept(request, *await aauthenticate_token(_one_token(request)))
        except CognitoError as error:
            raise _refusal(error) from error


def add_error_handlers(api: NinjaAPI) -> None:
    """Let `api` refuse calls as docs/api.md describes: `{detail, code, error}`, and a challenge."""

    def refused(request: HttpRequest, error: Any) -> HttpResponse:
        response = JsonResponse(error_body(error.message, error.code), status=error.status_code)
        if error.status_code == 401 or error.problem is not None:
            response["WWW-Authenticate"] = challenge(request, error.problem)
        if error.wait:
            response["Retry-After"] = str(error.wait)
        return response

    def no_token(request: HttpRequest, error: Any) -> HttpResponse:
        return refused(request, CallRefused(401, _MISSING, NOT_AUTHENTICATED))

    def failed(request: HttpRequest, error: Any) -> HttpResponse:
        return refused(request, _refusal(error))

    api.add_exception_handler(CallRefused, refused)
    api.add_exception_handler(AuthenticationError, no_token)
    api.add_exception_handler(CognitoError, failed)  # of a view, such as `RenewalUnavailable`


def _one_token(request: HttpRequest) -> str:
    return bearer_token(request) or ""  # ninja has seen that there is one


def _refusal(error: CognitoError) -> CallRefused:
    metrics.count("verifications", outcome=error.code)
    status, message = explain(error)
    problem = BearerError("invalid_token", message) if status == 401 else None
    return CallRefused(status, message, error.code, problem=problem, wait=retry_after(error))
