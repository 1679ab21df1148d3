"""The history of figures, and a revision number that every change increments."""

import secrets
from typing import Any, ClassVar

from django.conf import settings
from django.db import connections, models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Change(models.Model):
    """One change of a figure. It has no foreign key, because it outlives the figure."""

    class Action(models.TextChoices):
        ADDED = "added", _("added")
        CHANGED = "changed", _("changed")
        DELETED = "deleted", _("deleted")

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=8, choices=Action.choices)
    figure_id = models.BigIntegerField(db_index=True)
    before = models.CharField(max_length=128, blank=True)
    after = models.CharField(max_length=128, blank=True)
    by: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    through = models.CharField(
        max_length=128, help_text=_("The page, the API, an import, or a machine or command.")
    )

    privacy_export_fields = ("at", "action", "before", "after", "through")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.action} {self.after or self.before}"


class Revision(models.Model):
    """A single number that every change of a figure increments, in the same transaction.

    The same number means the same figures, so the ETag of the list contains it, and a process keeps
    short lists by it. The steps are random: after a rollback or a restored backup, other changes
    lead to other numbers. The lock on the row also serializes writers: figures that a writer has
    read do not change until it commits.
    """

    ONLY: ClassVar[int] = 1
    MAX_STEP: ClassVar[int] = 2**32  # the column holds two thousand million such steps

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def current(cls, using: str) -> int:
        """Return the number in this database, or 0 if nothing has been written yet."""
        # Conditional requests do little else, and building a queryset takes longer than the query.
        with connections[using].cursor() as cursor:
            cursor.execute(f"SELECT number FROM {cls._meta.db_table}")  # noqa: S608
            revision = cursor.fetchone()
        return int(revision[0]) if revision else 0

    @classmethod
    def grow(cls, using: str) -> int:
        """Increment the number, and return the step.

        Call it in a transaction, before reading the figures to change.
        """
        step = 1 + secrets.randbelow(cls.MAX_STEP)
        only = cls.objects.using(using).filter(pk=cls.ONLY)
        if not only.update(number=F("number") + step):
            Revision.objects.using(using).bulk_create(
                [Revision(pk=cls.ONLY)], ignore_conflicts=True
            )
            only.update(number=F("number") + step)
        return step
