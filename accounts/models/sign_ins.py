"""Signed-in browsers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, ClassVar, Unpack

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from ..cognito.token_exchange import ExchangeOptions
from .pool_subject import PoolIdField
from .users import Identity, display_name


class SignInQuerySet(models.QuerySet["SignIn"]):
    """The queries for sign-ins."""

    def live(self) -> SignInQuerySet:
        """Return the sign-ins that have not ended."""
        return self.filter(ended_at=None)

    def update_if_unchanged(self, sign_in: SignIn, **values: Any) -> bool:
        """Store `values` and return True, if the sign-in is unchanged since it was read.

        Of two writers that read the same version, one wins. The other gets False and must read
        again. An ended sign-in never matches, so it cannot become live again.
        """
        changed = self.live().filter(pk=sign_in.pk, version=sign_in.version)
        if not changed.update(**values, version=F("version") + 1):
            return False
        for name, value in values.items():
            setattr(sign_in, name, value)
        sign_in.version += 1
        return True


APP_KEY_PREFIX = "app."  # of the key of a single-page app's sign-in, which no session has


def new_sign_in_key() -> str:
    """Return a random key of 43 characters for the browser's session."""
    return secrets.token_urlsafe(32)


class SignIn(models.Model):
    """One signed-in browser or single-page app: its user, and its tokens, encrypted.

    A break-glass sign-in has no issuer, no subject and no tokens.

    The Django session holds only `key`. The tokens are not in the session, because a session is
    saved as a whole: a slow parallel request would overwrite renewed tokens with old ones.
    """

    class EndReason(models.TextChoices):
        SIGNED_OUT = "signed_out", _("signed out")
        REPLACED = "replaced", _("signed in again in the same browser")
        ENDED_BY_USER = "ended_by_person", _("ended from another browser of the same user")
        BY_OPERATOR = "by_operator", _("ended in the admin")
        EVERYWHERE = "everywhere", _("signed out everywhere")
        IDLE = "idle", _("not used for too long")
        TOO_OLD = "too_old", _("reached the longest time a sign-in may last")
        REFUSED = "refused", _("the provider no longer renews it")
        UNVERIFIED = "unverified", _("its renewed tokens did not pass our checks")
        DEACTIVATED = "deactivated", _("account deactivated")
        SWITCHED_OFF = "switched_off", _("break-glass was switched off")
        SET_ASIDE = "set_aside", _("another account has its pool user")

    key = models.CharField(max_length=64, unique=True, default=new_sign_in_key, editable=False)
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins"
    )
    pool_id = PoolIdField()
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    client_id = models.CharField(max_length=128)
    origin_jti = models.CharField(max_length=64, blank=True, db_index=True)
    auth_time = models.BigIntegerField(default=0, help_text=_("Unix time; no renewal changes it."))
    sealed_tokens = models.TextField(blank=True, editable=False)
    access_expires_at = models.DateTimeField()
    renew_at = models.DateTimeField()
    reference = models.CharField(max_length=16, blank=True)
    device = models.CharField(max_length=255, blank=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=32, blank=True, choices=EndReason.choices)
    version = models.PositiveIntegerField(default=0)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-in")
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "ended_at"], name="sso_signin_user_live"),
            # Housekeeping and /metrics read the few live ones among many that have ended.
            models.Index(
                fields=["last_seen_at"], condition=Q(ended_at=None), name="sso_signin_live"
            ),
            models.Index(fields=["ended_at"], name="sso_signin_ended"),
        ]

    def __str__(self) -> str:
        return f"{display_name(self.user)} since {self.signed_in_at:%Y-%m-%d %H:%M}"

    @cached_property
    def identity(self) -> Identity | None:
        """The identity that signed in."""
        return Identity.objects.get_exact(self)

    # Set by sessions/access_tokens.py, because models do not call Cognito.
    read_access_token: ClassVar[Callable[[int], str]]
    exchange_access_token: ClassVar[Callable[..., str]]

    def access_token(self) -> str:
        """Return a valid access token of the user, for your own calls of other APIs.

        It is renewed if that is due. Raises SessionEnded, RenewalUnavailable and others, as
        `access_token` in sessions/access_tokens.py.
        """
        return type(self).read_access_token(self.pk)

    async def aaccess_token(self) -> str:
        """Return what `access_token` returns, without blocking the event loop."""
        return await sync_to_async(self.access_token)()

    def on_behalf_of(self, **target: Unpack[ExchangeOptions]) -> str:
        """Return an access token for another API, on behalf of the user (RFC 8693).

        It is exchanged once, and again shortly before it expires. Raises SessionEnded and others,
        as `on_behalf_of` in sessions/access_tokens.py.
        """
        return type(self).exchange_access_token(self.pk, **target)

    async def aon_behalf_of(self, **target: Unpack[ExchangeOptions]) -> str:
        """Return what `on_behalf_of` returns, without blocking the event loop."""
        return await sync_to_async(self.on_behalf_of)(**target)

    @property
    def is_app(self) -> bool:
        """True for the sign-in of a single-page app, which holds its tokens itself."""
        return self.key.startswith(APP_KEY_PREFIX)

    @property
    def is_break_glass(self) -> bool:
        """True for a break-glass sign-in, which has no tokens to renew or to revoke."""
        return not self.issuer
