"""Users and the identities of the user pool that they sign in with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models

from ..core.db import CompiledQuery, Given


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
