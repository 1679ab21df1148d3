"""The errors that a view can return, derived from the classes that it uses.

Each authentication, permission, parser, throttle and renderer class contributes its statuses and
codes, and so do the view and its method. A class of a host project declares its own in the
attribute `openapi_errors`, as `{status: (code, …)}`; a method declares them with `raises`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from rest_framework import authentication, parsers, permissions, throttling
from rest_framework.permissions import SAFE_METHODS

from ..cognito import errors
from ..problems.catalog import (
    BAD_REQUEST,
    DATABASE_UNAVAILABLE,
    INCOMPLETE_BODY,
    SERVER_ERROR,
)
from ..problems.errors import (
    ClaimsRefused,
    RenewalUnavailable,
    SessionEnded,
    TooManyFailures,
    UnknownUser,
    UserDeactivated,
    UserNotCreated,
)
from ..problems.unauthenticated import NOT_AUTHENTICATED
from .authentication import CognitoAuthentication, SessionAuthentication
from .bearer import INSUFFICIENT_SCOPE
from .errors import PayloadTooLarge, StepUpRequired
from .permissions import RecentSignIn, Requirement

Errors = Mapping[int, Iterable[str]]
ViewMethod = TypeVar("ViewMethod", bound=Callable[..., Any])
_ATTRIBUTE = "openapi_errors"

# No access token is refused for what only a sign-in checks.
_AT_SIGN_IN_ONLY = {errors.TokenRejected, errors.NonceMismatch}


def _codes(base: type[errors.CognitoError]) -> set[str]:
    """Return the codes of `base` and its subclasses in this package."""
    own = set() if base in _AT_SIGN_IN_ONLY or base.__module__.startswith("tests") else {base.code}
    return own.union(*(_codes(kind) for kind in base.__subclasses__()))


TOKEN_CODES = _codes(errors.TokenRejected)
UNAVAILABLE = _codes(errors.CognitoUnavailable) - {TooManyFailures.code, RenewalUnavailable.code}
MISCONFIGURED = {
    kind.code for kind in (errors.ConfigurationError, errors.ClientRejected, errors.RequestRejected)
}
NO_ACCESS = {UnknownUser.code, ClaimsRefused.code}
DATABASE = {DATABASE_UNAVAILABLE.code}
NEW_USER = {UserNotCreated.code}

# By base class; the first one that matches counts.
_BY_CLASS: dict[type[Any], Errors] = {
    CognitoAuthentication: {
        401: TOKEN_CODES | {UserDeactivated.code},
        403: NO_ACCESS,
        503: UNAVAILABLE | MISCONFIGURED | DATABASE | NEW_USER,
    },
    SessionAuthentication: {
        401: {SessionEnded.code},
        503: {RenewalUnavailable.code} | MISCONFIGURED | DATABASE,
    },
    authentication.BaseAuthentication: {401: {"authentication_failed"}, 503: DATABASE},
    permissions.AllowAny: {},
    RecentSignIn: {401: {StepUpRequired.default_code}, 403: {INSUFFICIENT_SCOPE}},
    Requirement: {403: {INSUFFICIENT_SCOPE}},
    permissions.BasePermission: {403: {"permission_denied"}},
    parsers.BaseParser: {
        400: {"parse_error", INCOMPLETE_BODY.code},
        413: {PayloadTooLarge.default_code},
        415: {"unsupported_media_type"},
    },
    throttling.BaseThrottle: {429: {"throttled"}},
}
_EVERYWHERE: Errors = {400: {BAD_REQUEST.code}, 406: {"not_acceptable"}, 500: {SERVER_ERROR.code}}


def raises(declared: Errors) -> Callable[[ViewMethod], ViewMethod]:
    """Document the errors that a method of a view raises itself."""

    def decorate(method: ViewMethod) -> ViewMethod:
        setattr(method, _ATTRIBUTE, declared)
        return method

    return decorate


def documented_errors(view: Any, http_method: str, action: Any) -> dict[int, list[str]]:
    """Return the codes of the errors that `action` of `view` can return, by status."""
    codes: dict[int, set[str]] = defaultdict(set)
    for contribution in _contributions(view, http_method, action):
        for status, names in contribution.items():
            codes[status].update(names)
    return {status: sorted(names) for status, names in sorted(codes.items())}


def _contributions(view: Any, http_method: str, action: Any) -> Iterator[Errors]:
    yield _EVERYWHERE
    authenticators = view.get_authenticators()
    parts = [part for item in view.get_permissions() for part in permission_parts(item)]
    for part in [*authenticators, *parts, *view.get_throttles()]:
        yield from _errors_of(part)
    if parts and not any(isinstance(part, permissions.AllowAny) for part in parts):
        yield {401: {NOT_AUTHENTICATED}}
    if http_method not in SAFE_METHODS:
        if any(isinstance(item, authentication.SessionAuthentication) for item in authenticators):
            yield {403: {"csrf_failed"}}
        if any(isinstance(item, CognitoAuthentication) for item in authenticators):
            yield {403: {INSUFFICIENT_SCOPE}}  # app clients that can only read
    if http_method in ("POST", "PUT", "PATCH"):
        yield {400: {"invalid"}}
        for parser in view.get_parsers():
            yield from _errors_of(parser)
    if getattr(view, "queryset", None) is not None or hasattr(view, "get_queryset"):
        yield {503: DATABASE}
    yield getattr(view, _ATTRIBUTE, {})
    yield getattr(action, _ATTRIBUTE, {})


def _errors_of(part: Any) -> Iterator[Errors]:
    yield next((errors for kind, errors in _BY_CLASS.items() if isinstance(part, kind)), {})
    yield getattr(part, _ATTRIBUTE, {})


def permission_parts(permission: Any) -> Iterator[Any]:
    """Yield the permissions that a combined permission consists of."""
    operands = [getattr(permission, name, None) for name in ("op1", "op2")]
    if operands[0] is None:
        yield permission
    for operand in filter(None, operands):
        yield from permission_parts(operand)
