"""Access tokens in API calls, for any framework: the call's principal, and the refusal of a call.

The access token is verified here with cached keys and without a call to Cognito (RFC 6750; the
checks are in cognito/verifier.py). A refusal says what is wrong with the token, in a challenge of
RFC 6750 section 3 and in the body.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import SynchronousOnlyOperation
from django.db import connections, router, transaction

from ..cognito.claims import AccessClaims
from ..cognito.errors import CognitoError, MalformedToken, SignInRejected, TokenRejected
from ..cognito.secret_text import SecretText
from ..cognito.step_up import NO_REQUIREMENT, SignInRequirement
from ..models import Identity
from ..problems.catalog import problem_for
from ..problems.errors import TooManyFailures, UserDeactivated
from ..provider import provider
from ..provider.client_rights import ClientRights
from ..tokens import revocation_feed, revocations
from ..users.token_rights import client_rights
from .principals import principal_factory
from .protected_resource import metadata_url

REALM = "api"
INSUFFICIENT_SCOPE = "insufficient_scope"  # RFC 6750 section 3.1
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class BearerError:
    """The parameters of a challenge (RFC 6750 section 3, RFC 9470 section 3)."""

    error: str
    description: str
    scope: str = ""
    requirement: SignInRequirement = NO_REQUIREMENT


def challenge(request: Any, problem: BearerError | None = None) -> str:
    """Return the value of a WWW-Authenticate header.

    `resource_metadata` (RFC 9728 section 5.1) leads a client to the issuer of its tokens.
    """
    parts = [f'realm="{REALM}"']
    if problem is not None:
        parts.append(f'error="{problem.error}"')
        parts.append(f'error_description="{_quotable(problem.description)}"')
        if problem.scope:
            parts.append(f'scope="{_quotable(problem.scope)}"')
        required = problem.requirement.parameters.items()
        parts.extend(f'{name}="{_quotable(text)}"' for name, text in required)
    parts.append(f'resource_metadata="{_quotable(metadata_url(request.path))}"')
    return f"Bearer {', '.join(parts)}"


def _quotable(text: str) -> str:
    # RFC 6750 section 3 allows printable ASCII without quotes and backslashes.
    text = text.replace('"', "'").replace("\\", "/")
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def explain(error: CognitoError) -> tuple[int, str]:
    """Return the status and the message of the response to a refused call.

    It is 401 for an invalid token, 403 for a user without access, and otherwise the status of
    problems/catalog (503 if Cognito or its keys are unavailable).
    """
    if isinstance(error, TokenRejected | UserDeactivated):
        return 401, error.message
    problem = problem_for(error)
    if isinstance(error, SignInRejected):
        return 403, problem.sentence
    return problem.status if isinstance(error, TooManyFailures) else 503, problem.sentence


def method_refusal(method: str | None, claims: AccessClaims) -> str:
    """Return why an app client that can only read cannot use this method, or ""."""
    if client_rights(claims) is not ClientRights.READ or method in _SAFE_METHODS:
        return ""
    return f"The app client {claims.client_id} can only read here (COGNITO_CLIENT_RIGHTS)."


def bearer_token(request: Any) -> str | None:
    """Return the token of the Authorization header, or None without one of the bearer scheme.

    Raises MalformedToken if a bearer header does not hold exactly one token.
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    token = token.strip(" ")
    if not token or " " in token:
        raise MalformedToken("the Authorization header must be: Bearer, one space, an access token")
    return SecretText(token)


def authenticate_token(unverified_access_token: str) -> tuple[Any, AccessClaims]:
    """Return the principal and the claims of a valid access token.

    A token that this process has verified before costs no call, and only the revocation feed's
    queries.

    Raises TokenRejected, UnknownUser, ClaimsRefused, UserDeactivated, CognitoUnavailable.
    """
    cache = provider().token_cache
    verified = cache.lookup(unverified_access_token)
    if verified is None:  # rare, so the function for it is not created for each request
        verified = cache.verify(
            unverified_access_token,
            principal_of=partial(
                _unrevoked_principal_factory, access_token=unverified_access_token
            ),
        )
    revocation_feed.check(verified.claims)
    return verified.principal(), verified.claims


async def aauthenticate_token(unverified_access_token: str) -> tuple[Any, AccessClaims]:
    """Return what `authenticate_token` returns, for an event loop.

    A thread is used only for a token that is new to this process, or to read the revocations.
    """
    verified = provider().token_cache.lookup(unverified_access_token)
    if verified is not None and revocation_feed.check_in_memory(verified.claims):
        try:
            return verified.principal(), verified.claims
        except SynchronousOnlyOperation:  # the user is not committed yet: a query
            pass
    return await sync_to_async(authenticate_token)(unverified_access_token)


def _unrevoked_principal_factory(claims: AccessClaims, access_token: str) -> Callable[[], Any]:
    revocations.record_clock_skew(claims)
    # Checked first, because making a principal may create a user: a deleted user would be created
    # again by the next request with an old token.
    revocation_feed.check(claims)
    factory = principal_factory(claims, access_token=access_token)
    using = router.db_for_write(Identity)
    if not connections[using].settings_dict["ATOMIC_REQUESTS"]:
        return factory
    # The view's transaction may be rolled back, and with it a user who was created in it. Until it
    # is committed, each request looks the user up.
    committed: list[bool] = []
    transaction.on_commit(lambda: committed.append(True), using=using)
    return lambda: (
        factory if committed else principal_factory(claims, access_token=access_token)
    )()
