"""Users and the identities of the user pool that they sign in with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from ..core.db import CompiledQuery, QueryParameter


class User(AbstractUser):
    """A user of this site.

    `username` is generated, because pools reuse theirs. Email address and names are copies from the
    last ID token, for display; no lookup uses them.
    """

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    def __str__(self) -> str:
        return self.get_full_name() or self.email or self.username


class IdentityQuerySet(models.QuerySet["Identity"]):
    def get_exact(self, *, issuer: str, subject: str) -> Identity | None:
        """Return the identity with exactly this issuer and subject, or None.

        They are compared in Python too. A case-insensitive collation treats "Abc" and "abc" as
        equal, and would give one user's account to another (CVE-2024-32879).
        """
        return _exactly(self.filter(issuer=issuer, subject=subject), issuer, subject)


def _exactly(identities: Iterable[Identity], issuer: str, subject: str) -> Identity | None:
    for identity in identities:
        if identity.issuer == issuer and identity.subject == subject:
            return identity
    return None


class Identity(models.Model):
    """The link of a user to a user pool: issuer and subject, the only stable and unique key."""

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
    # Rights that came from the pool's groups are revoked with them. Rights given by hand stay.
    staff_from_pool = models.BooleanField(default=False)
    superuser_from_pool = models.BooleanField(default=False)
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
    def lookup(cls, *, issuer: str, subject: str) -> Identity | None:
        """Return what `objects.get_exact` returns, with a query compiled once for all requests."""
        return _exactly(_LOOKUP.instances(issuer=issuer, subject=subject), issuer, subject)


_LOOKUP = CompiledQuery(
    Identity.objects.filter(
        issuer=QueryParameter("issuer", models.CharField()),
        subject=QueryParameter("subject", models.CharField()),
    )
)
