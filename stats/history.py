"""Who changed what, line by line, and one number that moves with every change."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils import timezone


class Change(models.Model):
    """One line of the history. It outlives the figure, so it points at it by number alone."""

    class Action(models.TextChoices):
        ADDED = "added", "added"
        CHANGED = "changed", "changed"
        DELETED = "deleted", "deleted"

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
    through = models.CharField(max_length=128, help_text="Page, API, import … or a program's id.")

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.action} {self.after or self.before}"


class Revision(models.Model):
    """One row whose number grows in the transaction of every change of a figure.

    Two readers that see the same number see the same figures, which makes it the list's ETag. The
    row's lock also puts writers in line: what one has looked up stays true until it is done.
    """

    ONLY: ClassVar[int] = 1

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def current(cls) -> int:
        """0 before anything was written."""
        return cls.objects.filter(pk=cls.ONLY).values_list("number", flat=True).first() or 0

    @classmethod
    def grow(cls, using: str) -> None:
        """Call inside a transaction, before the first look at what is going to be changed."""
        only = cls.objects.using(using).filter(pk=cls.ONLY)
        if not only.update(number=F("number") + 1):
            Revision.objects.using(using).bulk_create(
                [Revision(pk=cls.ONLY)], ignore_conflicts=True
            )
            only.update(number=F("number") + 1)
