"""The access token of a signed-in user, for a host project's own calls of other APIs."""

from __future__ import annotations

from django.utils import timezone

from ..core.encryption import DecryptionError
from ..models import SignIn
from ..problems.errors import RenewalUnavailable, SessionEnded
from ..tokens import storage
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
    # Read again, because the instance of a request does not show that the sign-in has ended.
    sign_in = SignIn.objects.live().select_related("user").filter(pk=sign_in_id).first()
    if sign_in is not None and (reason := limits.limit_reached(sign_in)):
        ending.end_sign_in(sign_in, reason=reason)
        sign_in = None
    if sign_in is not None and not getattr(sign_in.user, "is_active", True):
        sign_in = None
    if sign_in is None or sign_in.is_break_glass:
        raise SessionEnded("this sign-in has ended, or has no tokens")
    renewed = renewal.renew_if_due(sign_in)
    if renewed is None:
        raise SessionEnded("this sign-in has ended: Cognito no longer renews it")
    if renewed.access_expires_at <= timezone.now():  # it may continue for a grace period
        raise RenewalUnavailable("the access token has expired and cannot be renewed now")
    try:
        return storage.open_tokens(renewed).access_token
    except DecryptionError as error:
        raise SessionEnded("no key decrypts the tokens of this sign-in") from error


def connect() -> None:
    """Let `SignIn.access_token()` call this module, which depends on the model."""
    SignIn.read_access_token = staticmethod(access_token)
