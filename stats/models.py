"""The model of a figure: the value of one KPI in one month."""

from collections.abc import Collection, Iterable
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Cast, Trim
from django.utils.translation import gettext_lazy as _

from .fields import MAX_KEY_LENGTH, MAX_VALUE, KpiKeyField, ValueField, kpi_key, validate_kpi
from .history import Change as Change
from .history import Revision
from .queries import StatQuerySet
from .upload_storage import Upload as Upload

DUPLICATE_MESSAGE = _("This KPI already has a figure for this month.")
FIRST_YEAR, LAST_YEAR = 1000, 9999  # four digits, so that periods sort as text


class Stat(models.Model):
    """The value of a KPI in one month.

    Names that differ only by case or Unicode composition are the same KPI (`kpi_key`). The database
    generates `period` as `YYYYMM`. Every change increments `version`, including bulk changes.
    """

    kpi = models.CharField(
        _("KPI"),
        max_length=64,
        validators=[validate_kpi],
        help_text=_("A short name, like “revenue”."),
    )
    kpi_key = KpiKeyField(max_length=MAX_KEY_LENGTH, editable=False)
    year = models.PositiveSmallIntegerField(
        validators=[
            MinValueValidator(FIRST_YEAR, _("Enter a year of four digits.")),
            MaxValueValidator(LAST_YEAR, _("Enter a year of four digits.")),
        ]
    )
    month = models.PositiveSmallIntegerField(
        validators=[
            MinValueValidator(1, _("Enter a month from 1 to 12.")),
            MaxValueValidator(12, _("Enter a month from 1 to 12.")),
        ],
        help_text=_("1 to 12."),
    )
    period = models.GeneratedField(
        expression=Cast(F("year") * 100 + F("month"), models.CharField(max_length=6)),
        output_field=models.CharField(max_length=6),
        db_persist=True,
    )
    value = ValueField(help_text=_("A number of at most 15 digits."))
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    created_by: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    updated_by: models.ForeignKey[Any, Any] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    privacy_export_fields = ("kpi", "year", "month", "value", "created_at", "updated_at")
    objects = StatQuerySet.as_manager()

    class Meta:
        ordering = ["-period", "kpi_key"]
        verbose_name = _("figure")
        constraints = [
            models.UniqueConstraint(
                fields=["kpi_key", "year", "month"],
                name="stats_one_figure_per_kpi_and_month",
                violation_error_message=DUPLICATE_MESSAGE,
            ),
            models.CheckConstraint(
                condition=Q(kpi=Trim("kpi")) & ~Q(kpi="") & ~Q(kpi_key=""),
                name="stats_kpi_is_trimmed_and_not_empty",
                violation_error_message=_("Enter a KPI name without spaces around it."),
            ),
            models.CheckConstraint(
                condition=Q(year__range=(FIRST_YEAR, LAST_YEAR)),
                name="stats_year_has_four_digits",
                violation_error_message=_("Enter a year of four digits."),
            ),
            models.CheckConstraint(
                condition=Q(month__range=(1, 12)),
                name="stats_month_is_1_to_12",
                violation_error_message=_("Enter a month from 1 to 12."),
            ),
            models.CheckConstraint(
                condition=Q(value__range=(-MAX_VALUE, MAX_VALUE)),
                name="stats_value_has_15_digits",
                violation_error_message=_("Enter a number of at most 15 digits."),
            ),
        ]
        indexes = [
            models.Index(fields=["period", "kpi_key"], name="stats_oldest_first"),
            models.Index(fields=["-period", "kpi_key"], name="stats_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.kpi} {self.year}-{self.month:02d}"

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        was_stored = not self._state.adding
        if update_fields is not None:
            update_fields = {*update_fields, "kpi_key", "updated_at", "version"}
        if was_stored:
            self.version = F("version") + 1
        with transaction.atomic(using=kwargs.get("using") or self._state.db or "default"):
            Revision.grow(kwargs.get("using") or self._state.db or "default")
            super().save(*args, update_fields=update_fields, **kwargs)
        if was_stored:
            # The database has computed new values. Without the old ones, Django loads them when
            # they are accessed.
            self.__dict__.pop("period", None)
            self.__dict__.pop("version", None)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=kwargs.get("using") or self._state.db or "default"):
            Revision.grow(kwargs.get("using") or self._state.db or "default")
            return super().delete(*args, **kwargs)

    def clean(self) -> None:
        self.kpi = self.kpi.strip()
        self.kpi_key = kpi_key(self.kpi)

    def get_constraints(self) -> Any:
        """Return the constraints to validate, without the check constraints.

        Fields and `clean` validate the same rules, and Django would run a query in a savepoint for
        each check constraint.
        """
        return [
            (model, [item for item in constraints if not isinstance(item, models.CheckConstraint)])
            for model, constraints in super().get_constraints()
        ]

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # Django skips a constraint if one of its fields is not in the form, and kpi_key never is.
        # Without this, a second figure for a month would be a database error, not a form error.
        skipped = set(exclude or ())
        if "kpi" not in skipped:
            skipped.discard("kpi_key")
        super().validate_constraints(exclude=skipped)
