"""The errors of the site, which complete the tree of `cognito.errors`, and those for operators.

docs/architecture.md draws the tree. The text of an error for operators says what to do next.
"""

from __future__ import annotations

from ..cognito.errors import CognitoUnavailable, SignInRejected, TokenRejected


class UnknownUser(SignInRejected):
    """This site has no user with this identity, and does not create users at sign-in.

    `data["person"]` is the username in the pool, `data["subject"]` the user ID there.
    """

    code = "unknown_user"


class ClaimsRefused(SignInRejected):
    """The authentication backend refused the claims of a genuine token.

    `data["person"]` is the username in the pool, `data["subject"]` the user ID there.
    """

    code = "claims_refused"


class UserDeactivated(SignInRejected):
    """The user of this identity is deactivated on this site.

    `data["user"]` is that user, `data["person"]` the username in the pool.
    """

    code = "user_deactivated"


class RenewalUnavailable(CognitoUnavailable):
    """Access token and grace are over, and Cognito gives no new one. Nobody is signed out."""

    code = "renewal_unavailable"


class RevocationsUnavailable(CognitoUnavailable):
    """We cannot tell whether this token was revoked, so we do not let it in."""

    code = "revocations_unavailable"


class SessionEnded(TokenRejected):
    """The refresh token no longer works: whoever sent it has to sign in again."""

    code = "session_ended"


class TooManyFailures(CognitoUnavailable):
    """Too many calls to Cognito for this subnet failed. Cognito was not called again."""

    code = "throttled"


class NobodyMeant(Exception):
    """A name of an operator matches no user, or several."""


class LinkRefused(Exception):
    """An identity cannot be linked to a user, or unlinked."""


class TooManyDeactivations(Exception):
    """More users to deactivate than allowed: the wrong pool must not empty the site."""
