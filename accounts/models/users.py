"""Users and the identities of the user pool that they sign in with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import FieldDoesNotExist
from django.db import IntegrityError, models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef
from django.utils.translation import gettext_lazy as _

from ..cognito.pool_ids import pool_id_of
from ..core.db import atomic
from .pool_subject import PoolIdField, PoolSubject, pool_of

# The domain of email addresses of users whose user model requires one while none is known. It is
# reserved for names that do not exist (RFC 6761 section 6.4).
NO_MAIL = "users.invalid"


def display_name(user: Any, with_identities: bool = True) -> str:
    """Return the name of `user`, else the email address, else the username in the pool.

    For all user models, on pages and in messages. Only a user without an identity is shown with the
    username of this site: that of other users is generated. Without `with_identities`, for staff
    who cannot view identities, it is shown in place of that in the pool.
    """
    full_name = _full_name(user)
    email = str(getattr(user, getattr(user, "EMAIL_FIELD", None) or "email", None) or "")
    if email.endswith(f"@{NO_MAIL}"):
        email = ""
    if full_name or email or user.pk is None or not with_identities:
        return str(full_name or email or user.get_username())
    names = [identity.username or identity.subject for identity in user.identities.all()]
    return ", ".join(names) or str(user.get_username())


def can_be_deactivated() -> bool:
    """Return True if the user model has a field `is_active`. A host project's may not have it."""
    try:
        get_user_model()._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    return True


def has_access(user: Any) -> bool:
    """Return False if `user` is deactivated, or the user model's default manager hides them.

    A manager hides users that are deleted or archived. Django ends their sessions, too.
    """
    manager = type(user)._default_manager
    if not getattr(user, "is_active", True):
        return False
    is_hiding = type(manager).get_queryset is not models.Manager.get_queryset
    return not is_hiding or bool(manager.using(user._state.db).filter(pk=user.pk).exists())


def _full_name(user: Any) -> str:
    """Return the full name, which is "None None" of AbstractUser if a model has no such fields."""
    is_inherited = getattr(type(user), "get_full_name", None) is AbstractUser.get_full_name
    if is_inherited and user.first_name is None:
        return getattr(user, "name", "") or ""
    full_name = getattr(user, "get_full_name", "")  # a host project may have a property
    return str(full_name() if callable(full_name) else full_name)


class User(AbstractUser):
    """A user of this site.

    `username` is generated, because pools reuse theirs. Email address and names are copies from the
    last ID token, for display; no lookup uses them.
    """

    class Meta(AbstractUser.Meta):
        swappable = "AUTH_USER_MODEL"

    def __str__(self) -> str:
        return display_name(self)


class IdentityQuerySet(models.QuerySet["Identity"]):
    def get_exact(self, key: PoolSubject) -> Identity | None:
        """Return the identity with exactly the pool and the subject of `key`, or None.

        They are compared in Python too. A case-insensitive collation treats "Abc" and "abc" as
        equal, and would give one user's account to another (CVE-2024-32879).
        """
        identities = self.filter(pool_id=pool_of(key), subject=key.subject)
        return _exactly(identities, key) or self._adopt(key)

    def set_aside(self) -> IdentityQuerySet:
        """Return the identities that no token leads to, because another user has the pool user.

        Their `pool_id` is their own issuer. `Identity.successor` is the other one.
        """
        issuer = ExpressionWrapper(OuterRef("issuer"), output_field=models.CharField())
        successors = (
            Identity.objects.annotate(aside=issuer)
            .filter(subject=OuterRef("subject"), aside__endswith=F("pool_id"))
            .exclude(user=OuterRef("user"))
        )
        return self.filter(Exists(successors), pool_id=F("issuer"))

    def assign_pools(self, *, at_most: int) -> None:
        """Assign a pool to the identities that an earlier version stored without one.

        An earlier version writes them while both versions run. If the pool user has an identity
        already, such a row is set aside.
        """
        for identity in self.filter(pool_id="").order_by("pk")[:at_most]:
            if self.get_exact(identity) != identity:
                self.filter(pk=identity.pk, pool_id="").update(pool_id=F("issuer"))

    def _adopt(self, key: PoolSubject) -> Identity | None:
        """Return an identity of this pool user that does not have the pool ID yet, or None.

        An earlier version stored it, or it was set aside and the one in its place was unlinked or
        erased. It gets the pool ID.
        """
        if not key.issuer:  # a break-glass sign-in
            return None
        candidates = [
            identity
            for identity in self.filter(subject=key.subject).select_related("user")
            if identity.subject == key.subject and identity.is_of_pool(key)
        ]
        if not candidates:
            return None
        identity, pool_id = min(candidates, key=_precedence), pool_of(key)
        if pool_id == key.issuer and identity.pool_id:  # the identity's own pool ID is better
            return identity
        try:
            with atomic(Identity):
                self.filter(pk=identity.pk).update(pool_id=pool_id)
        except IntegrityError:  # another process was faster, with another row
            return _exactly(self.filter(pool_id=pool_id, subject=key.subject), key)
        identity.pool_id = pool_id
        return identity


def _exactly(identities: Iterable[Identity], key: PoolSubject) -> Identity | None:
    for identity in identities:
        if identity.pool_id == pool_of(key) and identity.subject == key.subject:
            return identity
    return None


def _precedence(identity: Identity) -> tuple[bool, bool, bool, int]:
    """Return the rank of an identity among those of one pool user. The smallest is used.

    A deactivated user comes first, so that the pool user cannot get in through another account.
    Then staff and superuser status are kept. The migration 0002 has the same rule.
    """
    user = identity.user
    return (
        getattr(user, "is_active", True),
        not getattr(user, "is_superuser", False),
        not getattr(user, "is_staff", False),
        identity.pk,
    )


class Identity(models.Model):
    """The link of a user to a user pool: pool ID and subject, the only stable and unique key.

    `issuer` is that of the first token, for information. A pool has several issuers.
    """

    user: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="identities"
    )
    pool_id = PoolIdField()
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    username = models.CharField(_("pool username"), max_length=128, blank=True)
    email = models.EmailField(max_length=320, blank=True)
    email_verified = models.BooleanField(default=False)
    name = models.CharField(max_length=255, blank=True)
    groups = models.JSONField(default=list, blank=True, help_text=_("Groups the pool last named."))
    groups_as_of = models.DateTimeField(
        null=True, blank=True, help_text=_("When the token was issued that named them.")
    )
    # Rights that came from the pool's groups are revoked with them. Rights given by hand stay.
    staff_from_pool = models.BooleanField(default=False)
    superuser_from_pool = models.BooleanField(default=False)
    # An earlier version inserts rows without this column while both versions run.
    auth_not_before = models.BigIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text="Unix time of the last sign-out everywhere. Earlier sign-ins are refused.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = IdentityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("identities")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            # The subject is first, so that rows without a pool ID are found with this index too.
            models.UniqueConstraint(
                fields=["subject", "pool_id"], name="sso_identity_subject_pool"
            ),
            # It refuses the second row if an earlier version stores the same user at this moment.
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="sso_identity_issuer_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.username or self.subject} at {self.pool_id or self.issuer}"

    @property
    def successor(self) -> Identity | None:
        """The identity that has this pool user instead, if this one is set aside."""
        if self.pool_id != self.issuer:
            return None
        others = Identity.objects.filter(pool_id=pool_id_of(self.issuer), subject=self.subject)
        return others.exclude(pk=self.pk).select_related("user").first()

    def is_of_pool(self, key: PoolSubject) -> bool:
        """Return True if this identity is of the pool of `key`, even if it is set aside."""
        is_without_pool_id = self.pool_id in ("", self.issuer)
        return (
            self.issuer == key.issuer
            or self.pool_id == pool_of(key)
            or (is_without_pool_id and pool_id_of(self.issuer) == pool_of(key))
        )
