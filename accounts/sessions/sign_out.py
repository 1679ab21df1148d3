"""The verbs: what pages, API and commands do about signing in and out, each in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import auth
from django.db import transaction
from django.http import HttpRequest

from ..audit import events
from ..cognito.authorization import logout_url
from ..core.app_label import page_address
from ..models import Identity, PendingRevocation, SignIn
from ..provider import provider, user_pool
from ..tokens import revocations
from ..users.provisioning import own_pool_identities
from . import browser_session, ending

# What those read whose refresh tokens Cognito has not revoked yet, when it did not respond.
UNREACHED_FOR_OPERATORS = (
    "Cognito didn't respond. `manage.py housekeeping` will revoke the remaining refresh tokens."
)
UNREACHED_FOR_USERS = "Cognito didn't respond. We'll keep trying to revoke your session at Cognito."


@dataclass(frozen=True)
class SignedOut:
    """`address`: where the browser ends its session at the provider. `reached`: whether the
    provider answered when the refresh tokens were revoked. `ended`: how many sign-ins."""

    address: str
    reached: bool
    ended: int = 1


def sign_out(request: HttpRequest) -> SignedOut:
    """End this browser's sign-in here, revoke its refresh token, and say where to go on.

    The local session ends whatever the provider answers.
    """
    row = browser_session.current_sign_in(request)
    reached = row is None or end_sign_in(row, reason=SignIn.EndReason.SIGNED_OUT, request=request)
    auth.logout(request)
    return SignedOut(_way_out(row), reached)


def end_sign_in(row: SignIn, *, reason: str, request: HttpRequest | None = None) -> bool:
    """End one sign-in and its access tokens at once, and revoke its refresh token (RFC 7009).

    False: the provider did not answer within two seconds; `manage.py housekeeping` tries again.
    """
    return ending.revoke([ending.end(row, reason=reason, request=request)])


def sign_out_everywhere(
    user: Any, *, request: HttpRequest | None = None, by: Any = None
) -> SignedOut:
    """End all sign-ins of this person; access tokens issued until now stop working at this API.

    The sessions and tokens of this site end at once and whatever the provider answers. With AWS
    credentials, the pool ends all its tokens of the person as well, those of other apps included.
    """
    row = browser_session.current_sign_in(request) if request else None
    ended, pending = end_everything(
        user, reason=SignIn.EndReason.EVERYWHERE, request=request, by=by
    )
    reached = True
    for identity in own_pool_identities(user=user):
        reached = user_pool.global_sign_out(identity.username) and reached
    reached = ending.revoke(pending) and reached
    return SignedOut(_way_out(row), reached, ended)


def end_everything(
    user: Any, *, reason: str, request: HttpRequest | None = None, by: Any = None
) -> tuple[int, list[PendingRevocation]]:
    """End all sign-ins of this person in the database. Returns how many, and what is still to be
    revoked at the provider. `by` is the user who asked for it, if it was not the person."""
    with transaction.atomic():
        # First, so that a token renewed at this very moment is caught by its own sign-in's end.
        for identity in Identity.objects.filter(user=user):
            revocations.revoke_person(issuer=identity.issuer, subject=identity.subject)
        rows = list(SignIn.objects.live().select_related("user").filter(user=user).order_by("pk"))
        pending = [ending.end(row, reason=reason, request=request, by=by) for row in rows]
    events.record(
        "signed out everywhere",
        user=user,
        reason=reason,
        request=request,
        by=by,
        sessions=len(rows),
    )
    return len(rows), [item for item in pending if item is not None]


def _way_out(row: SignIn | None) -> str:
    """Where the browser of this sign-in goes from here."""
    if row is not None and row.by_password:
        return page_address("signed_out")
    return address_at_the_provider()


def address_at_the_provider() -> str:
    """Where a browser ends its own session at the provider, and comes back from."""
    current = provider()
    return logout_url(current.config, logout_uri=current.signed_out_url)
