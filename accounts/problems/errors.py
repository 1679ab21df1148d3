"""The errors of the site, which complete the tree of `cognito.errors`, and those for operators.

docs/architecture.md draws the tree. The text of an error for operators says what to do next.
"""

from __future__ import annotations

from ..cognito.errors import CognitoUnavailable, SignInRejected, TokenRejected


class UnknownPerson(SignInRejected):
    """Nobody here has this identity, and people are not created at sign-in. `data["person"]` is
    their username at the pool, `data["subject"]` their user id there."""

    code = "unknown_person"


class PersonDeactivated(SignInRejected):
    """The pool lets this person in, but this site does not: `data["user"]`, who is
    `data["person"]` at the pool."""

    code = "person_deactivated"


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
