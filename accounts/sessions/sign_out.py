"""Signing out: one browser, one sign-in, or everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import auth
from django.http import HttpRequest

from ..audit import events
from ..cognito.authorization import logout_url
from ..core.app_label import page_url
from ..core.db import atomic
from ..core.translation import gettext_noop as _
from ..models import EventKind, Identity, PendingRevocation, SignIn
from ..provider import provider, user_pool
from ..tokens import revocations, shared_exchange
from ..users.provisioning import own_pool_identities
from . import browser_session, cognito_sessions, ending

# Messages for when Cognito did not respond, so refresh tokens are still to be revoked.
UNREACHED_FOR_OPERATORS = _(
    "Cognito didn't respond. `manage.py cognito_housekeeping` will revoke the remaining refresh"
    " tokens."
)
UNREACHED_FOR_USERS = _(
    "Cognito didn't respond. We'll keep trying to revoke your session at Cognito."
)


@dataclass(frozen=True)
class SignOutResult:
    """The result of a sign-out.

    `url` is where the browser ends its session at Cognito. `cognito_reached` is False if Cognito
    did not respond when the refresh tokens were revoked. `count` is the number of sign-ins ended.
    """

    url: str
    cognito_reached: bool
    count: int = 1


def sign_out(request: HttpRequest) -> SignOutResult:
    """End this browser's sign-in here and revoke its refresh token.

    The session ends even if Cognito does not respond.
    """
    sign_in = browser_session.current_sign_in(request)
    is_reached = sign_in is None or end_sign_in(
        sign_in, reason=SignIn.EndReason.SIGNED_OUT, request=request
    )
    auth.logout(request)
    return SignOutResult(_sign_out_url(sign_in), is_reached)


def end_sign_in(sign_in: SignIn, *, reason: str, request: HttpRequest | None = None) -> bool:
    """End one sign-in and its access tokens, and revoke its refresh token (RFC 7009).

    Return False if Cognito did not respond within two seconds. `manage.py cognito_housekeeping`
    tries again.
    """
    return ending.revoke_at_cognito([ending.end_sign_in(sign_in, reason=reason, request=request)])


def sign_out_everywhere(
    user: Any, *, request: HttpRequest | None = None, by: Any = None
) -> SignOutResult:
    """End all sign-ins of this user, and revoke all access tokens issued until now.

    The sessions and tokens of this site end even if Cognito does not respond. With AWS credentials,
    the pool also revokes all its refresh tokens of the user, including those of other apps. If the
    pool tracks sessions, those of all the user's browsers end at Cognito, too.
    """
    sign_in = browser_session.current_sign_in(request) if request else None
    own = sign_in if sign_in is not None and sign_in.user_id == user.pk else None
    access_token = cognito_sessions.current_access_token(user, own)
    ended, pending = end_all_sign_ins(
        user, reason=SignIn.EndReason.EVERYWHERE, request=request, by=by
    )
    cognito_sessions.end_sessions(user, access_token=access_token)
    is_reached = True
    for identity in own_pool_identities(user=user):
        is_reached = user_pool.global_sign_out(identity.username) and is_reached
    is_reached = ending.revoke_at_cognito(pending) and is_reached
    return SignOutResult(_sign_out_url(sign_in), is_reached, ended)


def end_all_sign_ins(
    user: Any, *, reason: str, request: HttpRequest | None = None, by: Any = None
) -> tuple[int, list[PendingRevocation]]:
    """End all sign-ins of this user in the database.

    Return their number, and the refresh tokens that are still to be revoked at Cognito. `by` is the
    user who requested it, if that is another user.
    """
    with atomic(SignIn):
        # Revoked first: a token that is renewed at this moment is revoked by its own sign-in's end.
        for identity in Identity.objects.filter(user=user):
            revocations.revoke_user(identity)
            revocations.refuse_earlier_sign_ins(identity)
            shared_exchange.forget(identity)
        sign_ins = list(
            SignIn.objects.live().select_related("user").filter(user=user).order_by("pk")
        )
        pending = [
            ending.end_sign_in(sign_in, reason=reason, request=request, by=by)
            for sign_in in sign_ins
        ]
    events.record_event(
        EventKind.SIGNED_OUT_EVERYWHERE,
        user=user,
        reason=reason,
        request=request,
        by=by,
        sessions=len(sign_ins),
    )
    return len(sign_ins), [item for item in pending if item is not None]


def _sign_out_url(sign_in: SignIn | None) -> str:
    """Return the URL for the browser of this sign-in after the sign-out."""
    if sign_in is not None and sign_in.is_break_glass:
        return page_url("signed_out")
    return cognito_logout_url()


def cognito_logout_url() -> str:
    """Return the URL where the browser ends its session at Cognito. It redirects back here."""
    current = provider()
    return logout_url(current.config, logout_uri=current.signed_out_url)
