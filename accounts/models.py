"""People, who they are at the provider, and where they are signed in.

`Identity` and `SignIn` point at `settings.AUTH_USER_MODEL`: a site that has its own user model
keeps it, and then our `User` is swapped out. Names in the database hold no app label, so that
the migrations fit a renamed folder.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property

from .core.db import CompiledQuery, Given
from .revocation_models import PendingRevocation as PendingRevocation
from .revocation_models import Revocation as Revocation


class User(AbstractUser):
    """A person on this site.

    `username` is generated and means nothing: pools reuse theirs. E-mail and names are copies of
    what the pool said last, for display; nobody is ever looked up by them.
    """

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.username


class IdentityQuerySet(models.QuerySet["Identity"]):
    def of(self, *, issuer: str, subject: str) -> Identity | None:
        """The identity with exactly this issuer and subject, or None (see also `Identity.known`).

        Compared byte for byte here as well: some databases' collations say that "Abc" is "abc",
        and would hand one person's account to another (CVE-2024-32879).
        """
        return _exactly(self.filter(issuer=issuer, subject=subject), issuer, subject)


def _exactly(identities: Iterable[Identity], issuer: str, subject: str) -> Identity | None:
    for identity in identities:
        if identity.issuer == issuer and identity.subject == subject:
            return identity
    return None


class Identity(models.Model):
    """Who a person is at the provider: issuer and subject, the only stable and unique key."""

    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    username = models.CharField("pool username", max_length=128, blank=True)
    email = models.EmailField(max_length=320, blank=True)
    email_verified = models.BooleanField(default=False)
    name = models.CharField(max_length=255, blank=True)
    groups = models.JSONField(default=list, blank=True, help_text="Groups the pool last named.")
    groups_as_of = models.DateTimeField(
        null=True, blank=True, help_text="When the token was issued that named them."
    )
    # Rights that came from the pool's groups and go with them; what was given here by hand stays.
    staff_given = models.BooleanField(default=False)
    superuser_given = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "identities"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="sso_identity_issuer_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.username or self.subject} at {self.issuer}"

    @classmethod
    def known(cls, *, issuer: str, subject: str) -> Identity | None:
        """What `objects.of` gives, for what happens in each request."""
        return _exactly(_KNOWN.instances(issuer=issuer, subject=subject), issuer, subject)


_KNOWN = CompiledQuery(
    Identity.objects.filter(
        issuer=Given("issuer", models.CharField()), subject=Given("subject", models.CharField())
    )
)


class SignInQuerySet(models.QuerySet["SignIn"]):
    def live(self) -> SignInQuerySet:
        return self.filter(ended_at=None)

    def change(self, row: SignIn, **values: Any) -> bool:
        """Write `values` if the row is still as it was read and has not ended; else write nothing.

        The version is the gate: of two writers that read the same row one wins, the other gets
        False and must read again. An ended row never revives, since it never matches.
        """
        changed = self.live().filter(pk=row.pk, version=row.version)
        if not changed.update(**values, version=F("version") + 1):
            return False
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        return True


def new_sign_in_key() -> str:
    """A random key that only the browser's session knows, 43 characters."""
    return secrets.token_urlsafe(32)


class SignIn(models.Model):
    """One signed-in browser: whose it is and, encrypted, the tokens it acts with.

    A break-glass sign-in has no issuer, no subject and no tokens.

    The Django session holds only `key`. Tokens are not kept in the session because a session is
    saved whole: a slow parallel request would put old tokens back over renewed ones.
    """

    class EndReason(models.TextChoices):
        SIGNED_OUT = "signed_out", "signed out"
        REPLACED = "replaced", "signed in again in the same browser"
        ENDED_BY_PERSON = "ended_by_person", "ended from another browser of the same person"
        BY_OPERATOR = "by_operator", "ended in the admin"
        EVERYWHERE = "everywhere", "signed out everywhere"
        IDLE = "idle", "not used for too long"
        TOO_OLD = "too_old", "reached the longest time a sign-in may last"
        REFUSED = "refused", "the provider no longer renews it"
        DEACTIVATED = "deactivated", "account deactivated"
        SWITCHED_OFF = "switched_off", "break-glass was switched off"

    key = models.CharField(max_length=64, unique=True, default=new_sign_in_key, editable=False)
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins"
    )
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    client_id = models.CharField(max_length=128)
    origin_jti = models.CharField(max_length=64, blank=True, db_index=True)
    auth_time = models.BigIntegerField(default=0, help_text="Unix time; no renewal changes it.")
    sealed_tokens = models.TextField(blank=True, editable=False)
    access_expires_at = models.DateTimeField()
    renew_at = models.DateTimeField()
    reference = models.CharField(max_length=16, blank=True)
    device = models.CharField(max_length=255, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    signed_in_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=32, blank=True, choices=EndReason.choices)
    version = models.PositiveIntegerField(default=0)
    # Who is renewing the tokens just now (nobody, after a failure), and until when nobody else may.
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = SignInQuerySet.as_manager()

    class Meta:
        verbose_name = "sign-in"
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "ended_at"], name="sso_signin_user_live"),
            # What housekeeping and /metrics look for is few among many that have ended.
            models.Index(
                fields=["last_seen_at"], condition=Q(ended_at=None), name="sso_signin_live"
            ),
            models.Index(fields=["ended_at"], name="sso_signin_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.user} since {self.signed_in_at:%Y-%m-%d %H:%M}"

    @cached_property
    def identity(self) -> Identity | None:
        """Who signed in, as the pool said last."""
        return Identity.known(issuer=self.issuer, subject=self.subject)

    @property
    def by_password(self) -> bool:
        """Break-glass: the provider knows nothing of it, so nothing is renewed or revoked there."""
        return not self.issuer


class SharedRefresh(models.Model):
    """One refresh of an API client's tokens, shared by the requests that came at once.

    `key` is an HMAC of the refresh token; whoever inserts the row makes the call, the others read
    its encrypted result until `expires_at`.
    """

    key = models.CharField(max_length=64, unique=True)
    owner = models.CharField(max_length=64)
    lease_until = models.DateTimeField()
    sealed_result = models.TextField(blank=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"refresh until {self.expires_at:%H:%M:%S}"


class Tally(models.Model):
    """A count that all processes share until `expires_at`. Housekeeping deletes it afterwards.

    See `throttling` for what is counted.
    """

    key = models.CharField(max_length=128, unique=True)
    count = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"


class SignInEvent(models.Model):
    """One line of the record of who signed in, was refused, signed out, or was given rights.

    Holds no token, code or secret. `user` is None where nobody is known (yet).
    """

    at = models.DateTimeField(default=timezone.now, db_index=True)
    kind = models.CharField(max_length=32)
    reference = models.CharField(max_length=16, blank=True, db_index=True)
    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="sign_in_events",
    )
    person = models.CharField(max_length=255, blank=True, help_text="Their name at the pool then.")
    reason = models.CharField(max_length=64, blank=True, help_text="A stable code.")
    details = models.JSONField(default=dict, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    device = models.CharField(max_length=255, blank=True)

    class Meta:
        verbose_name = "sign-in event"
        ordering = ("-at", "-pk")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.kind} {self.person}".rstrip()
