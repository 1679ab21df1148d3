"""What the `error` and `error_description` of a callback mean.

AWS documents few of these texts, and may change them
(https://docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoint-idp-responses.html).
The others were reported by users. An unknown text only gets the general message. This module does
not import Django.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from ..core.translation import gettext_noop as _

MAX_WORDS_LENGTH = 300  # characters of a trigger's own words on the page


class Kind(Enum):
    """Who can do something about it."""

    TRY_AGAIN = auto()  # no action is needed: the next try succeeds
    RULE = auto()  # a Lambda trigger of the pool refused the user
    USER = auto()
    OPERATOR = auto()  # the pool, an identity provider or a trigger is set up wrongly
    UNKNOWN = auto()


@dataclass(frozen=True)
class Reason:
    """The meaning of an error.

    `check` names what an operator has to look at. `words` are those of a trigger.
    """

    kind: Kind
    why: str = ""
    next_step: str = ""
    other_account: bool = False
    check: str = ""
    words: str = ""


_UNKNOWN = Reason(Kind.UNKNOWN, _("The sign-in service gave no known reason."))
_DISABLED = Reason(
    Kind.USER,
    _("Your account is disabled at the sign-in service."),
    _("Ask an admin to enable it, or use another account."),
    other_account=True,
)
_ATTRIBUTES = Reason(
    Kind.OPERATOR,
    _("The sign-in service can't take over your data from your identity provider."),
    check="the provider's attribute mapping, and the pool's required and mutable attributes",
)
_PROVIDER = Reason(
    Kind.OPERATOR,
    _("The sign-in service can't sign you in through your identity provider."),
    check="the identity provider in the pool: client ID and secret, URLs, scopes, metadata",
)
_TRIGGER = Reason(
    Kind.OPERATOR,
    _("A program of the sign-in service failed."),
    check="the Lambda trigger of the pool, its log and its permissions",
)
_CLIENT = Reason(
    Kind.OPERATOR,
    _("The sign-in service refuses this site."),
    check="COGNITO_CLIENT_ID PUBLIC_URL, and the flows of the app client",
)
_SCOPE = Reason(
    Kind.OPERATOR,
    _("The sign-in service refuses a scope."),
    check="COGNITO_SCOPES COGNITO_CLIENT_ID",
)
_LIMIT = Reason(
    Kind.OPERATOR, _("A limit of the sign-in service was reached."), check="the quotas of the pool"
)

# Only triggers of a sign-in. The words after it are those of the trigger's own exception.
_REFUSED_BY_TRIGGER = re.compile(
    r"(?:Pre|Post|User|Custom|Create|Define|Verify|Inbound)\w{1,40} failed with error (.{1,2048})"
)
# By the words of a description, in lower case. The first match counts.
_DESCRIPTIONS = {
    # A trigger that links accounts makes Cognito's first try fail.
    "already found an entry for username": Reason(Kind.TRY_AGAIN),
    "user is not enabled": _DISABLED,
    "user is disabled": _DISABLED,
    "invalid_scope": _SCOPE,
    "attribute cannot be updated": _ATTRIBUTES,
    "attributes required": _ATTRIBUTES,
    "attribute is required": _ATTRIBUTES,
    "invalid user attributes": _ATTRIBUTES,
    "required attribute": _ATTRIBUTES,
    "invalid lambda": _TRIGGER,
    "unrecognizable lambda output": _TRIGGER,
    "invocation failed": _TRIGGER,
    "failed due to": _TRIGGER,
    "lambda": _TRIGGER,
    "exceeded": _LIMIT,
    "limit": _LIMIT,
    "too many requests": _LIMIT,
    "saml": _PROVIDER,
    "identity provider": _PROVIDER,
    "idp ": _PROVIDER,
    "well-known": _PROVIDER,
    "jwks": _PROVIDER,
    "id_token": _PROVIDER,
    "userinfo": _PROVIDER,
    "user info": _PROVIDER,
    "token endpoint": _PROVIDER,
    "providername": _PROVIDER,
    "login option is not available": _PROVIDER,
    " error - ": _PROVIDER,  # "Google Error - 400 invalid_client …"
}
# By the error code (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6).
_CODES = {
    "access_denied": Reason(Kind.USER, _("The sign-in was canceled.")),
    "login_required": Reason(Kind.USER, _("You're not signed in at the sign-in service.")),
    "server_error": Reason(Kind.USER, _("The sign-in service reported an internal error.")),
    "temporarily_unavailable": Reason(Kind.USER, _("The sign-in service is overloaded.")),
    "unauthorized_client": _CLIENT,
    "unsupported_response_type": _CLIENT,
    "invalid_client": _CLIENT,
    "invalid_scope": _SCOPE,
}


def reason_for(error: str, description: str) -> Reason:
    """Return what an `error` code of Cognito with this description means."""
    if match := _REFUSED_BY_TRIGGER.search(description):
        words = match[1].strip()
        if len(words) > MAX_WORDS_LENGTH:
            words = f"{words[: MAX_WORDS_LENGTH - 1]}…"
        return Reason(
            Kind.RULE, _("A rule of your organization refused this sign-in."), words=words
        )
    text = description.lower()
    for phrase, reason in _DESCRIPTIONS.items():
        if phrase in text:
            return reason
    return _CODES.get(error, _UNKNOWN)
