"""The messages and the status of each error, and the JSON body of an error response.

A leaf of the error tree without an entry here has the entry of its nearest ancestor. Messages say
what happened, why, and what to do next. A message that the API can return has no contractions.

Messages are only marked here, and translated by the code that shows them. sso_project/lambda_event
imports this module before Django is set up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.utils.translation import gettext

from ..cognito import errors
from ..core.translation import gettext_noop as _
from .errors import (
    ClaimsRefused,
    InsufficientAuthentication,
    RenewalUnavailable,
    RevocationsUnavailable,
    SessionLost,
    SignedOutEverywhere,
    TooManyFailures,
    UnknownUser,
    UserDeactivated,
    UserNotCreated,
)
from .provider_reasons import Kind, Reason, reason_for

RETRY_AFTER = 5  # seconds, if the error does not say how long
USE_ANOTHER = _("Use another account")  # a button that asks for credentials again
SIGN_OUT = _("Sign out")  # leads to the page that ends the session at Cognito, too


class ErrorText(NamedTuple):
    """The `detail` and the `code` of an error response that is not in the table."""

    detail: str
    code: str


BAD_REQUEST = ErrorText(
    _("This request is not valid. Check its URL, headers and body."), "bad_request"
)
INCOMPLETE_BODY = ErrorText(
    _("The connection ended before the whole body arrived. Send the request again."),
    "incomplete_body",
)
SERVER_ERROR = ErrorText(
    _(
        "An error occurred on our side. It was logged. If it happens again, report it with the"
        " X-Request-ID of this response."
    ),
    "server_error",
)
DATABASE_UNAVAILABLE = ErrorText(
    _("This site's database does not respond. Try again in a moment."), "database_unavailable"
)


@dataclass(frozen=True)
class Problem:
    """The messages for an error, its HTTP `status`, and the `level` of its log line."""

    code: str
    status: int
    title: str
    what: str
    why: str = ""
    next_step: str = ""
    # "" if another try cannot succeed until we correct something
    action_label: str = _("Try again")
    level: int = logging.WARNING
    setting_names: str = ""  # the settings to check if the site's configuration causes the error

    @property
    def sentence(self) -> str:
        """The `detail` of an error response: what happened, and what to do next."""
        return f"{gettext(self.what)} {gettext(self.next_step)}"

    def translated(self) -> Problem:
        """Return the problem with its messages in the active language."""
        return replace(
            self,
            title=gettext(self.title),
            what=gettext(self.what),
            why=gettext(self.why),
            next_step=gettext(self.next_step),
            action_label=gettext(self.action_label),
        )


_NOT_TRUSTED = Problem(
    "token_rejected",
    400,
    _("We couldn't verify that sign-in"),
    _("The sign-in service's response didn't pass our checks, so you weren't signed in."),
    _("It may be incomplete, used already, or meant for another site."),
    _("Start again from here. If it happens again, send us the reference."),
    _("Sign in again"),
)
_START_AGAIN = Problem(
    "sign_in_rejected",
    400,
    _("That sign-in can't be completed"),
    _("It was started too long ago, or in another browser."),
    _("You have ten minutes to sign in, and must finish in the browser in which you started."),
    _("Start again from here, and allow cookies for this site."),
    _("Sign in again"),
)
_OUR_FAULT = Problem(
    "configuration",
    503,
    _("This site isn't set up correctly"),
    _("You did nothing wrong. The settings of this site and of its sign-in service do not match."),
    _("The error was logged for the operators of this site."),
    _("The operators must correct them. Quote the reference if you report the problem."),
    "",
    level=logging.ERROR,
    setting_names="COGNITO_*",
)

PROBLEMS: dict[type[errors.CognitoError], Problem] = {
    errors.CognitoError: _OUR_FAULT,
    errors.ConfigurationError: _OUR_FAULT,
    errors.TokenRejected: _NOT_TRUSTED,
    errors.SignInRejected: _START_AGAIN,
    errors.ProviderRefused: Problem(
        "provider_refused",
        400,
        _("You weren't signed in"),
        _("The sign-in service sent you back without signing you in."),
        _("The sign-in service gave no known reason."),
        _("Start again, or use another account. If it happens again, send us the reference."),
        _("Sign in again"),
    ),
    UnknownUser: Problem(
        "unknown_user",
        403,
        _("You don't have an account here"),
        _("You are signed in at the sign-in service, but you do not have an account on this site."),
        _("Access to this site is by invitation."),
        _("Ask an admin for access, or use another account."),
        USE_ANOTHER,
    ),
    ClaimsRefused: Problem(
        "claims_refused",
        403,
        _("You don't have access to this site"),
        _("You are signed in at the sign-in service, but this site does not accept that account."),
        _("This site has its own rules for access."),
        _("Ask an admin for access, or use another account."),
        USE_ANOTHER,
    ),
    UserDeactivated: Problem(
        "user_deactivated",
        403,
        _("Your account here is deactivated"),
        _(
            "You are signed in at the sign-in service, but your account on this site was"
            " deactivated."
        ),
        "",
        _("Ask an admin to activate it, or use another account."),
        USE_ANOTHER,
    ),
    UserNotCreated: Problem(
        "user_not_created",
        503,
        _("We couldn't create your account"),
        _("You did nothing wrong. This site could not store an account for you."),
        _("The error was logged for the operators of this site."),
        _("The operators must correct it. Quote the reference if you report the problem."),
        "",
        level=logging.ERROR,
    ),
    InsufficientAuthentication: Problem(
        "insufficient_user_authentication",
        403,
        _("That sign-in isn't sufficient for this page"),
        _("The page requires a more recent or a stronger sign-in than the one that you made."),
        _(
            "The sign-in service may remember an earlier sign-in, or your account may lack the"
            " second factor that the page requires."
        ),
        _(
            "Sign out, then sign in again, with a second factor if you have one. If it happens"
            " again, ask an admin."
        ),
        _("Sign in again"),
    ),
    SignedOutEverywhere: Problem(
        "signed_out_everywhere",
        403,
        _("Sign out here first"),
        _(
            "You signed out everywhere, and this browser still has an earlier session at the"
            " sign-in service."
        ),
        _("The sign-in service didn't ask for your password again."),
        _("Sign out, then sign in with your password."),
        SIGN_OUT,
    ),
    errors.GrantRejected: Problem(
        "grant_rejected",
        400,
        _("That sign-in was already used, or has expired"),
        _("The sign-in service no longer accepts the code of this sign-in."),
        _("A code works only once and for five minutes. Reloading the page uses it again."),
        _("Start again. You may not need to enter your password."),
        _("Sign in again"),
    ),
    errors.ClientRejected: replace(
        _OUR_FAULT, code="client_rejected", setting_names="COGNITO_CLIENT_ID COGNITO_CLIENT_SECRET"
    ),
    errors.RequestRejected: replace(
        _OUR_FAULT,
        code="request_rejected",
        setting_names="PUBLIC_URL COGNITO_SCOPES COGNITO_CLIENT_ID",
    ),
    errors.ExchangeRejected: replace(
        _OUR_FAULT,
        code="exchange_rejected",
        what="You did nothing wrong. The settings of the sign-in service do not allow this site to"
        " call another service for you.",
        setting_names="COGNITO_CLIENT_ID",
    ),
    errors.CognitoUnavailable: Problem(
        "cognito_unavailable",
        503,
        _("The sign-in service can't be reached"),
        _("The sign-in service does not respond, so we could not check your sign-in."),
        _("This usually takes only a moment."),
        _("Nothing was changed. Try again."),
    ),
    SessionLost: Problem(
        "session_lost",
        400,
        _("Your browser doesn't keep you signed in"),
        _("You signed in several times, but your browser didn't send this site's session cookie."),
        _("Cookies of this site are blocked or deleted."),
        _("Allow cookies for this site, then continue."),
        _("Continue"),
    ),
    TooManyFailures: Problem(
        "throttled",
        429,
        _("Too many attempts from your network"),
        _("Too many sign-ins from your network failed in the last minute."),
        _("This limit ensures that other users can still sign in."),
        _("Wait a minute, then try again."),
    ),
    RenewalUnavailable: Problem(
        "renewal_unavailable",
        503,
        _("The sign-in service isn't responding"),
        _("You are still signed in, but we cannot confirm your access right now."),
        _("This usually takes only a moment."),
        _("Try again. If you were sending a form, it was not saved: go back and send it again."),
    ),
    RevocationsUnavailable: Problem(
        "revocations_unavailable",
        503,
        _("We can't check access right now"),
        _("We cannot check whether this access token was revoked, so it was not accepted."),
        _("This site's database does not respond."),
        _("Try again in a moment."),
        level=logging.ERROR,
    ),
}


_SESSION_LOST_HERE = replace(
    _OUR_FAULT,
    code="session_lost",
    what=_("You signed in several times, but this site does not find your session."),
)


def problem_for(error: errors.CognitoError) -> Problem:
    """Return the entry of the error's class, or of its nearest ancestor with an entry."""
    if isinstance(error, errors.ProviderRefused):
        return _provider_problem(error)
    if isinstance(error, SessionLost) and error.setting_names:
        return replace(_SESSION_LOST_HERE, setting_names=error.setting_names)
    return next(PROBLEMS[kind] for kind in type(error).__mro__ if kind in PROBLEMS)


def error_body(detail: str, code: str) -> dict[str, str]:
    """Return the JSON body of an error response; `error` repeats `detail` for the original UI."""
    return {"detail": detail, "code": code, "error": detail}


def retry_after(error: errors.CognitoError) -> int | None:
    """Return the seconds to wait, at least 1, or None if another try cannot help."""
    if not isinstance(error, errors.CognitoUnavailable):
        return None
    return max(1, round(error.retry_after or RETRY_AFTER))


_REFUSED = PROBLEMS[errors.ProviderRefused]
_REFUSED_BY_RULE = replace(
    _REFUSED,
    status=403,
    title=_("You don't have access to this site"),
    what=_("The sign-in service refused to sign you in."),
    next_step=_("Ask an admin for access, or use another account."),
    action_label=USE_ANOTHER,
)


def provider_reason(error: errors.ProviderRefused) -> Reason:
    """Return what the error of the provider means."""
    return reason_for(getattr(error, "error", ""), getattr(error, "description", ""))


def may_start_again(error: errors.CognitoError) -> bool:
    """Return True if a second attempt is likely to succeed without the user doing anything."""
    if isinstance(error, errors.ProviderRefused):
        return provider_reason(error).kind is Kind.TRY_AGAIN
    # For the first, Cognito still has the user's session. For the second, it asks for a password.
    return isinstance(error, errors.GrantRejected | SignedOutEverywhere)


def _provider_problem(error: errors.ProviderRefused) -> Problem:
    """Return the problem for the provider's reason. It never contains the provider's own text."""
    reason = provider_reason(error)
    if reason.kind is Kind.OPERATOR:
        code = errors.ProviderRefused.code
        return replace(_OUR_FAULT, code=code, why=reason.why, setting_names=reason.check)
    problem = _REFUSED_BY_RULE if reason.kind is Kind.RULE else _REFUSED
    return replace(
        problem,
        why=reason.why or problem.why,
        next_step=reason.next_step or problem.next_step,
        action_label=USE_ANOTHER if reason.other_account else problem.action_label,
    )
