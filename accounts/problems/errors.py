"""The errors of this site, which extend the tree of `cognito.errors`, and those for operators.

docs/architecture.md draws the tree. The text of an error for operators says what to do next.
"""

from __future__ import annotations

from ..cognito.errors import (
    CognitoError,
    CognitoUnavailable,
    SignInRejected,
    TokenRejected,
    TokenRevoked,
)


class UnknownUser(SignInRejected):
    """An identity without a user on this site, which does not create users at sign-in.

    `data["pool_username"]` is the username in the pool, `data["subject"]` is the user ID (`sub`).
    """

    code = "unknown_user"


class ClaimsRefused(SignInRejected):
    """Verified claims that the authentication backend refused.

    `data["pool_username"]` is the username in the pool, `data["subject"]` is the user ID (`sub`).
    """

    code = "claims_refused"


class UserDeactivated(SignInRejected):
    """An identity whose user is deactivated on this site.

    `data["user"]` is the user, `data["pool_username"]` is the username in the pool.
    """

    code = "user_deactivated"


class SessionLost(SignInRejected):
    """A browser that signs in again and again, because its session does not reach this site.

    `setting_names` are the settings that cause it, or "" if the browser does.
    """

    code = "session_lost"
    setting_names = ""

    def __init__(self, message: str, *, setting_names: str) -> None:
        super().__init__(message)
        self.setting_names = setting_names


class UserNotCreated(CognitoError):
    """A new user that the user model or the database refuses. The operators must correct it.

    The message has the words of the database and the hook that helps. `data` is as in UnknownUser.
    """

    code = "user_not_created"


class InsufficientAuthentication(SignInRejected):
    """A sign-in that is not as recent, or not of the level, that the requested page requires."""

    code = "insufficient_user_authentication"  # RFC 9470 section 3


class RenewalUnavailable(CognitoUnavailable):
    """An access token that cannot be renewed after its grace period. The session does not end."""

    code = "renewal_unavailable"


class RevocationsUnavailable(CognitoUnavailable):
    """A token that is refused because the revocations cannot be read."""

    code = "revocations_unavailable"


class SignedOutEverywhere(TokenRevoked):
    """A sign-in from before its user signed out everywhere. The user must authenticate again."""

    code = "signed_out_everywhere"


class SessionEnded(TokenRejected):
    """A refresh token that no longer works. Its user must sign in again."""

    code = "session_ended"


class TooManyFailures(CognitoUnavailable):
    """A subnet with too many failed calls to Cognito. Cognito was not called again."""

    code = "throttled"


class UserLookupError(Exception):
    """A name entered by an operator that matches no user, or several."""


class LinkError(Exception):
    """An identity that cannot be linked to a user, or unlinked."""


class TooManyDeactivations(Exception):
    """A reconciliation that would deactivate more users than allowed, such as with a wrong pool."""
