"""The table from an error to what a person or a program is told, and the body of its response.

Each leaf of the error tree stands here or inherits the row of its nearest ancestor that does.
Sentences follow one order: what happened, why, what to do next. This module
imports no Django: sso_project/lambda_event.py loads it before Django is set up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..cognito import errors
from .errors import (
    ClaimsRefused,
    RenewalUnavailable,
    RevocationsUnavailable,
    TooManyFailures,
    UnknownUser,
    UserDeactivated,
)

RETRY_AFTER = 5  # seconds, if the error does not say how long


class ErrorText(NamedTuple):
    """The `detail` and the `code` of an error response that no row of the table is for."""

    detail: str
    code: str


BAD_REQUEST = ErrorText("This request cannot be honored.", "bad_request")
INCOMPLETE_BODY = ErrorText(
    "The connection ended before the whole body was there. Send it again.", "incomplete_body"
)
SERVER_ERROR = ErrorText(
    "Something broke on our side. It was logged; try again later.", "server_error"
)
DATABASE_UNAVAILABLE = ErrorText(
    "This site's database isn't answering. Try again in a moment.", "database_unavailable"
)


@dataclass(frozen=True)
class Problem:
    """An error on its way to a person. `status` is an HTTP status; `level` that of its log line."""

    code: str
    status: int
    title: str
    what: str
    why: str = ""
    next_step: str = ""
    action_label: str = "Try again"
    level: int = logging.WARNING
    settings: str = ""  # which of our settings to look at; then it is nothing the person did

    @property
    def sentence(self) -> str:
        """The `detail` of an error response: what happened and what to do next."""
        return f"{self.what} {self.next_step}"


_NOT_TRUSTED = Problem(
    "token_rejected",
    400,
    "We couldn't trust that sign-in",
    "The sign-in service's answer didn't pass our checks, so nobody was signed in.",
    "It may have been cut short, reused, or made for another site.",
    "Start again from here. If it happens twice, tell us the reference.",
    "Sign in again",
)
_START_AGAIN = Problem(
    "sign_in_rejected",
    400,
    "That sign-in can't be finished",
    "It was begun too long ago, or in another browser.",
    "A sign-in lasts ten minutes and ends in the browser it began in.",
    "Start again from here, and allow cookies for this site.",
    "Sign in again",
)
_OUR_FAULT = Problem(
    "configuration",
    503,
    "We're set up wrongly",
    "Nothing you did. This site and its sign-in service don't agree about their settings.",
    "The people who run this site have been told.",
    "Try again later, and give them the reference if you write to them.",
    level=logging.ERROR,
    settings="COGNITO_*",
)

PROBLEMS: dict[type[errors.CognitoError], Problem] = {
    errors.CognitoError: _OUR_FAULT,
    errors.ConfigurationError: _OUR_FAULT,
    errors.TokenRejected: _NOT_TRUSTED,
    errors.SignInRejected: _START_AGAIN,
    errors.ProviderRefused: Problem(
        "provider_refused",
        400,
        "You weren't signed in",
        "The sign-in service sent you back without signing you in.",
        "",
        "You can try again, or use another account.",
        "Sign in again",
    ),
    UnknownUser: Problem(
        "unknown_user",
        403,
        "You don't have an account here",
        "You're signed in at the sign-in service, but this site doesn't know you.",
        "People are added here by somebody else first.",
        "Ask the people who run this site for access, or use another account.",
        "Use another account",
    ),
    ClaimsRefused: Problem(
        "claims_refused",
        403,
        "You don't have access to this site",
        "You're signed in at the sign-in service, but this site doesn't accept that account.",
        "This site has rules of its own about who can sign in.",
        "Ask the people who run this site for access, or use another account.",
        "Use another account",
    ),
    UserDeactivated: Problem(
        "user_deactivated",
        403,
        "Your account here is deactivated",
        "The sign-in service knows you, but your account on this site was switched off.",
        "",
        "Ask the people who run this site, or use another account.",
        "Use another account",
    ),
    errors.GrantRejected: Problem(
        "grant_rejected",
        400,
        "That sign-in was already used, or is too old",
        "The sign-in service hands out a code that works once and for five minutes.",
        "Reloading the page or waiting too long uses it up.",
        "Start again; you may not even be asked for your password.",
        "Sign in again",
    ),
    errors.ClientRejected: replace(
        _OUR_FAULT, code="client_rejected", settings="COGNITO_CLIENT_ID COGNITO_CLIENT_SECRET"
    ),
    errors.RequestRejected: replace(
        _OUR_FAULT, code="request_rejected", settings="PUBLIC_URL COGNITO_SCOPES COGNITO_CLIENT_ID"
    ),
    errors.CognitoUnavailable: Problem(
        "cognito_unavailable",
        503,
        "The sign-in service can't be reached",
        "It isn't answering, so you couldn't be signed in.",
        "This is usually over in a moment.",
        "Nothing was changed. Try again.",
    ),
    TooManyFailures: Problem(
        "throttled",
        429,
        "Too many attempts from your network",
        "Too many sign-ins from your network failed in the last minute, so this one has to wait.",
        "The limit keeps a flood of attempts from getting in the way of other people.",
        "Wait a minute, then try again.",
    ),
    RenewalUnavailable: Problem(
        "renewal_unavailable",
        503,
        "The sign-in service isn't answering",
        "You haven't been signed out, but we can't tell just now whether you still may be here.",
        "This is usually over in a moment.",
        "Try again. What you were sending wasn't taken: go back to the form to send it again.",
    ),
    RevocationsUnavailable: Problem(
        "revocations_unavailable",
        503,
        "We can't check access just now",
        "We can't tell whether this access token was signed out, so it isn't let in.",
        "This site's database isn't answering.",
        "Try again in a moment.",
        level=logging.ERROR,
    ),
}


def problem_for(error: errors.CognitoError) -> Problem:
    """The row of the error's class or of its nearest ancestor."""
    for ancestor in type(error).__mro__:
        if ancestor in PROBLEMS:
            return PROBLEMS[ancestor]
    raise AssertionError("CognitoError itself has a row")


def error_body(detail: str, code: str) -> dict[str, str]:
    """Return the JSON body of an error response; `error` repeats `detail` for the original UI."""
    return {"detail": detail, "code": code, "error": detail}


def retry_after(error: errors.CognitoError) -> int:
    """Whole seconds after which it is worth trying again: Retry-After of a 503."""
    return max(1, round(getattr(error, "retry_after", None) or RETRY_AFTER))


# What the provider's own codes mean for a person (RFC 6749 section 4.1.2.1, OpenID Connect Core
# section 3.1.2.6, and what Cognito is seen to send).
_PROVIDER_REASONS = {
    "access_denied": "The sign-in was cancelled.",
    "login_required": "You're not signed in there.",
    "server_error": "The sign-in service reported a fault of its own.",
    "temporarily_unavailable": "The sign-in service is too busy just now.",
    "unauthorized_client": "This site isn't allowed to sign people in that way.",
    "invalid_scope": "This site asked for something it isn't allowed to ask for.",
}
_PROVIDER_DESCRIPTIONS = {
    "user is not enabled": "Your account is disabled at the sign-in service.",
    "user is disabled": "Your account is disabled at the sign-in service.",
    "invalid_scope": _PROVIDER_REASONS["invalid_scope"],
}


def provider_reason(error: errors.ProviderRefused) -> str:
    """The provider's reason in our own words. Its free text is never shown: it is not stable, and
    anybody can write an address that carries some."""
    description = error.description.strip().rstrip(".").lower()
    for known, words in _PROVIDER_DESCRIPTIONS.items():
        if known in description:
            return words
    return _PROVIDER_REASONS.get(error.error, "It gave no reason that we know.")
