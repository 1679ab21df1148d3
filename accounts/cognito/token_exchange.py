"""Token exchange: an access token of the same user for another API (RFC 8693).

Cognito describes the grant in GetDerivedToken, and its token endpoint accepts it, too. The app
client needs the flow ALLOW_TOKEN_EXCHANGE_IMPERSONATION, or ALLOW_TOKEN_EXCHANGE_DELEGATION with an
actor, and the pool the plan Essentials or Plus. There is never a refresh token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from .errors import ExchangeRejected, RequestRejected

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 (its type)
_NAME = re.compile(r"[\x21-\x7e]{1,256}")
MAX_SCOPES = 50


class ExchangeOptions(TypedDict, total=False):
    """The fields of `ExchangeTarget`, as keyword arguments."""

    resource: str
    audience: str
    scopes: Sequence[str]
    actor_token: str


@dataclass(frozen=True, kw_only=True)
class ExchangeTarget:
    """What the token is for, and who uses it.

    ``resource`` is the identifier of a resource server or a URL, ``audience`` a name. Cognito
    accepts one of them. ``scopes`` are reduced to those of the user's token and of the app client;
    empty means all of them. ``actor_token`` is the access token of the service that acts for the
    user, which the issued token then names (``act``). Raises ValueError for wrong values.
    """

    resource: str = ""
    audience: str = ""
    scopes: Sequence[str] = ()
    actor_token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if bool(self.resource) is bool(self.audience):
            raise ValueError("name either a resource or an audience")
        if isinstance(self.scopes, str) or len(self.scopes) > MAX_SCOPES:
            raise ValueError(f"scopes must be a list of at most {MAX_SCOPES} strings")
        if not all(map(_NAME.fullmatch, (self.resource or self.audience, *self.scopes))):
            raise ValueError("resource, audience and scopes must be ASCII text without spaces")

    @property
    def digest(self) -> str:
        """The same for equal targets. It does not reveal the actor's token."""
        parts = (self.resource, self.audience, " ".join(sorted(self.scopes)), self.actor_token)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def form(self, subject_token: str) -> dict[str, str]:
        """Return the fields of the request (RFC 8693 section 2.1)."""
        form = {
            "grant_type": GRANT,
            "subject_token": subject_token,
            "subject_token_type": _ACCESS_TOKEN,
            "requested_token_type": _ACCESS_TOKEN,
            "resource": self.resource,
            "audience": self.audience,
            "scope": " ".join(self.scopes),
            "actor_token": self.actor_token,
            "actor_token_type": _ACCESS_TOKEN if self.actor_token else "",
        }
        return {name: value for name, value in form.items() if value}

    def rejection(self, error: RequestRejected) -> ExchangeRejected:
        """Return the error for what the token endpoint refused, with a sentence that fits."""
        code = str(error.data["error"])
        flow = "DELEGATION" if self.actor_token else "IMPERSONATION"
        sentences = {
            "unauthorized_client": "the app client does not allow token exchange: add"
            f" ALLOW_TOKEN_EXCHANGE_{flow} to its authentication flows",
            "unsupported_grant_type": "the user pool has no token exchange, which needs the plan"
            " Essentials or Plus",
            "invalid_target": f"Cognito issues no token for {self.resource or self.audience}",
            "invalid_scope": "Cognito does not know a scope of the exchange",
            "invalid_request": "Cognito does not accept the user's token, the actor's token or"
            f" {self.resource or self.audience}",
        }
        message = sentences.get(code, "Cognito refused the token exchange")
        return ExchangeRejected(f"{message} ({code})", **error.data)
