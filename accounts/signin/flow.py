"""The steps of a browser sign-in."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from django.contrib import auth
from django.http import HttpRequest
from django.utils import timezone

from ..audit import events
from ..audit.attempt_log import log_step
from ..cognito.authorization import Callback
from ..cognito.errors import CognitoError, ProviderRefused
from ..core import metrics
from ..core.request_meta import sender_fields
from ..models import EventKind, Identity, SignIn, rate_limit
from ..problems.catalog import Problem, problem_for
from ..problems.errors import InsufficientAuthentication
from ..sessions import browser_session, ending, limits
from ..sessions.sign_out import end_sign_in
from ..tokens import revocations
from ..tokens.grants import GrantedTokens
from ..tokens.storage import token_columns
from . import break_glass, form_secret
from .attempts import SignInAttempt

MAX_PROVIDER_ERRORS = 10  # in the log per hour, from the URLs of callbacks; then warnings
# OpenID Connect Unmet Authentication Requirements 1.0, and what Cognito has for most errors.
_LEVEL_ERRORS = ("unmet_authentication_requirements", "invalid_request")


def record_refusal(request: HttpRequest, error: CognitoError, *, reference: str) -> None:
    """Record why an attempt was refused, or only log it if it has no reference."""
    problem = problem_for(error)
    metrics.count("sign_ins", result=error.code)
    if not reference:  # a warning at most, because anyone can call the callback with any error
        level = min(problem.level, logging.WARNING)
        log_step("", "refused", level=level, reason=error.code, why=error.message)
        return
    events.record_event(
        EventKind.REFUSED,
        reference=reference,
        user=error.data.get("user"),
        pool_username=error.data.get("pool_username", ""),
        reason=error.code,
        request=request,
        level=_log_level(error, problem),
        subject=error.data.get("subject", ""),
        why=error.message,
        said=error.description if isinstance(error, ProviderRefused) else "",
        check=problem.setting_names,
    )


def _log_level(error: CognitoError, problem: Problem) -> int:
    """Return the level of the problem, or a warning after some errors that any browser can cause.

    Nothing proves that an error in a callback's URL is Cognito's: a browser can begin an attempt
    and call its callback itself.
    """
    if isinstance(error, ProviderRefused) and problem.level > logging.WARNING:
        key = f"provider-error:{time.time() // 3600:.0f}"
        if not rate_limit.take(key, limit=MAX_PROVIDER_ERRORS, seconds=3600):
            return logging.WARNING
    return problem.level


def complete_sign_in(request: HttpRequest, *, attempt: SignInAttempt, code: str) -> SignIn:
    """Exchange the code, sign its user in and store the tokens.

    Raises CognitoError leaves: TokenRejected, SignInRejected, TokenEndpointError,
    CognitoUnavailable. Then nothing has changed for the browser.
    """
    previous = browser_session.current_sign_in(request)
    user = auth.authenticate(request, grant=CodeGrant(attempt=attempt, code=code))
    if user is None:
        raise CognitoError(
            "no authentication backend handled the sign-in: a backend that AUTHENTICATION_BACKENDS "
            "lists before ours may have raised PermissionDenied"
        )
    granted: GrantedTokens = request.granted_tokens  # type: ignore[attr-defined]
    try:
        _check_requirement(attempt, granted)
    except CognitoError:
        ending.discard(granted.tokens, reference=attempt.reference)
        raise
    request.session.set_expiry(None)  # login() would keep the expiry of a break-glass session
    own_secret, session_key = form_secret.load(request, user), request.session.session_key
    auth.login(request, user)
    form_secret.restore(request, own_secret)
    if request.session.session_key == session_key:  # the same user signed in again
        request.session.cycle_key()
    sign_in = SignIn.objects.create(
        key=attempt.sign_in_key,
        user=user,
        pool_id=granted.access_claims.pool_id,
        issuer=granted.access_claims.issuer,
        subject=granted.access_claims.subject,
        client_id=granted.access_claims.client_id,
        auth_time=granted.id_claims.auth_time,
        reference=attempt.reference,
        **sender_fields(request),
        **token_columns(granted.tokens, granted.access_claims),
    )
    browser_session.attach_sign_in(request, sign_in)
    metrics.count("sign_ins", result="ok")
    events.record_event(
        EventKind.SIGNED_IN,
        reference=attempt.reference,
        user=user,
        pool_username=granted.id_claims.username,
        request=request,
    )
    if previous is not None:
        end_sign_in(previous, reason=SignIn.EndReason.REPLACED, request=request)
    return sign_in


def accepted_code(attempt: SignInAttempt, callback: Callback) -> str:
    """Return the code of the callback.

    Cognito does not document the error for a user who cannot reach the level of an attempt. This
    one has no other cause if the same attempt without a level succeeds.

    Raises InsufficientAuthentication, ProviderRefused, InvalidCallback.
    """
    try:
        return callback.accepted_code()
    except ProviderRefused as error:
        if attempt.requirement.acr_values and error.error in _LEVEL_ERRORS:
            message = f"{error.message}, and the attempt requires a level: {error.description}"
            raise InsufficientAuthentication(message) from error
        raise


def _check_requirement(attempt: SignInAttempt, granted: GrantedTokens) -> None:
    """Raise InsufficientAuthentication unless the sign-in is as its page requires.

    Cognito ignores `max_age` and `acr_values` on some plans. Raises SignedOutEverywhere as well.
    """
    claims = granted.id_claims
    revocations.require_later_sign_in(claims, Identity.objects.get_exact(claims))
    if attempt.requirement.is_met(auth_time=claims.auth_time, acr=claims.acr, now=time.time()):
        return
    age = int(time.time() - claims.auth_time)
    raise InsufficientAuthentication(
        f"required: {attempt.requirement.parameters}, actual: acr {claims.acr}, {age} s ago"
    )


def sign_in_with_password(request: HttpRequest, user: Any) -> SignIn:
    """Sign in a user whose password was accepted by the break-glass page, for an hour at most."""
    previous = browser_session.current_sign_in(request)
    auth.login(request, user, backend=break_glass.BACKEND)
    request.session.cycle_key()
    # A time, because a number of seconds would start again with each change of the session.
    ends_at = timezone.now() + limits.BREAK_GLASS_LIFETIME
    request.session.set_expiry(ends_at)
    sign_in = SignIn.objects.create(
        user=user, access_expires_at=ends_at, renew_at=ends_at, **sender_fields(request)
    )
    browser_session.attach_sign_in(request, sign_in)
    events.record_event(
        EventKind.SIGNED_IN,
        user=user,
        reason=events.BREAK_GLASS_REASON,
        request=request,
        level=logging.WARNING,
    )
    if previous is not None:
        end_sign_in(previous, reason=SignIn.EndReason.REPLACED, request=request)
    return sign_in


@dataclass(frozen=True)
class CodeGrant:
    """An authorization code and its attempt. Its repr does not show the code."""

    attempt: SignInAttempt
    code: str = field(repr=False)
