"""The access token of a signed-in user, for a host project's own calls of other APIs.

It is the user's own token, or one that Cognito issues for another API in exchange for it.
"""

from __future__ import annotations

from typing import Any, Unpack

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from ..cognito.errors import GrantRejected
from ..cognito.token_exchange import ExchangeOptions, ExchangeTarget
from ..core.encryption import DecryptionError
from ..models import SignIn
from ..models.users import has_access
from ..problems.errors import RenewalUnavailable, SessionEnded
from ..provider import provider
from ..tokens import bearer, shared_exchange, storage
from . import ending, limits, renewal


def access_token(sign_in_id: int) -> str:
    """Return a valid access token of the sign-in with this primary key, renewed if that is due.

    All threads and processes together renew it with one call to Cognito. Do not call this in a
    transaction: Cognito accepts a rotated refresh token once, so the new one must be stored.

    Raises:
        SessionEnded: the sign-in has ended, or never had a token (break-glass).
        RenewalUnavailable: the token cannot be renewed now. A later try can succeed.
        ClientRejected, RequestRejected, ConfigurationError: our settings are wrong.
    """
    renewed = renewal.renew_if_due(_live_sign_in(sign_in_id))
    if renewed is None:
        raise SessionEnded("this sign-in has ended: Cognito no longer renews it")
    if renewed.access_expires_at <= timezone.now():  # it may continue for a grace period
        raise RenewalUnavailable("the access token has expired and cannot be renewed now")
    try:
        return storage.open_tokens(renewed).access_token
    except DecryptionError as error:
        raise SessionEnded("no key decrypts the tokens of this sign-in") from error


def on_behalf_of(sign_in_id: int, **target: Unpack[ExchangeOptions]) -> str:
    """Return an access token for another API, on behalf of the user of this sign-in (RFC 8693).

    `resource` or `audience` names the API, as `ExchangeTarget` describes. The token is valid for a
    minute at least, or a fifth of its life. Until then, all threads and processes together make one
    exchange. Do not call this in a transaction.

    Raises:
        SessionEnded: the sign-in has ended, here or at Cognito, or never had a token.
        CognitoUnavailable: there is no token now. A later try can succeed.
        ExchangeRejected: the app client or the pool does not allow this exchange.
        ClientRejected, RequestRejected, ConfigurationError: our settings are wrong.
        ValueError: the parameters are malformed.
    """
    sign_in = _live_sign_in(sign_in_id)
    return _exchange(
        ExchangeTarget(**target),
        user=sign_in,
        token_id=sign_in.origin_jti,
        subject=f"sign-in {sign_in.pk}",
        subject_token=lambda: access_token(sign_in_id),
    )


def on_behalf_of_caller(request: HttpRequest, **target: Unpack[ExchangeOptions]) -> str:
    """Return an access token for another API, on behalf of the user who calls this one.

    That is the user of the request's access token, or of the browser's sign-in.

    Raises:
        PermissionDenied: the access token is that of a machine, or of another user pool.
        SessionEnded: the request has no user, or the sign-in has ended.
        CognitoError, ValueError: as `on_behalf_of`.
    """
    token = bearer.load(request)
    if token is None:
        sign_in: SignIn | None = getattr(request, "sign_in", None)
        if sign_in is None:
            raise SessionEnded("this request has neither an access token nor a sign-in")
        return on_behalf_of(sign_in.pk, **target)
    claims = token.claims
    if claims.is_machine or claims.pool_id != provider().pool.pool_id:
        raise PermissionDenied("Only users of this site's own user pool can be acted for.")
    # Another app client or a token with fewer scopes must not get this one's result.
    rights = (claims.client_id, sorted(claims.scopes), claims.audience, claims.actors)
    return _exchange(
        ExchangeTarget(**target),
        user=claims,
        token_id=claims.origin_jti or claims.jti or "",
        subject=f"token {rights}",
        subject_token=lambda: token.access_token,
    )


def _exchange(target: ExchangeTarget, **subject: Any) -> str:
    try:
        return shared_exchange.exchange_once(target, **subject)
    except GrantRejected as error:
        raise SessionEnded("this sign-in has ended at Cognito; sign in again") from error


def _live_sign_in(sign_in_id: int) -> SignIn:
    """Return the sign-in with its tokens. Raises SessionEnded if it has none any more."""
    # Read again, because the instance of a request does not show that the sign-in has ended.
    sign_in = SignIn.objects.live().select_related("user").filter(pk=sign_in_id).first()
    if sign_in is not None and (reason := limits.limit_reached(sign_in)):
        ending.end_sign_in(sign_in, reason=reason)
        sign_in = None
    if sign_in is not None and not has_access(sign_in.user):
        sign_in = None
    if sign_in is None or sign_in.is_break_glass:
        raise SessionEnded("this sign-in has ended, or has no tokens")
    return sign_in


def connect() -> None:
    """Let methods of `SignIn` call this module, which depends on the model."""
    SignIn.read_access_token = staticmethod(access_token)
    SignIn.exchange_access_token = staticmethod(on_behalf_of)
