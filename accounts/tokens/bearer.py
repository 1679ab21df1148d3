"""The access token that authenticated an API call, for the host project's calls of other APIs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..cognito.claims import AccessClaims

_ATTRIBUTE = "_bearer"


@dataclass(frozen=True)
class Bearer:
    """A verified access token with its claims. Its repr does not show the token."""

    access_token: str = field(repr=False)
    claims: AccessClaims


def store(request: Any, access_token: str, claims: AccessClaims) -> None:
    """Keep the verified access token of this request until its response."""
    setattr(_django_request(request), _ATTRIBUTE, Bearer(access_token, claims))


def load(request: Any) -> Bearer | None:
    """Return the access token that authenticated this request, or None."""
    bearer: Bearer | None = getattr(_django_request(request), _ATTRIBUTE, None)
    return bearer


def _django_request(request: Any) -> Any:
    """Return Django's request, which Django REST framework wraps."""
    return getattr(request, "_request", request)
