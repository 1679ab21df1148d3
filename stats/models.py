"""One figure of one KPI for one month."""

from collections.abc import Collection
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Cast, Trim

from .charts import Row
from .fields import KpiKeyField, ValueField, kpi_key

FIRST_YEAR, LAST_YEAR = 1000, 9999  # four digits, so that periods sort as text


class StatQuerySet(models.QuerySet["Stat"]):
    def for_dashboard(self) -> list[Row]:
        """Every figure as the chart and the table need it, by KPI and month. One query."""
        rows = self.order_by("kpi_key", "year", "month")
        return [Row(*row) for row in rows.values_list("kpi_key", "kpi", "year", "month", "value")]


class Stat(models.Model):
    """`value` of `kpi` in `month` of `year`.

    Two spellings of a name that differ by case or composition are one KPI (`kpi_key`); the name
    keeps the case in which it was written. `period` is the database's own `YYYYMM`.
    """

    kpi = models.CharField("KPI", max_length=64, help_text="A short name, like “revenue”.")
    kpi_key = KpiKeyField(max_length=255, editable=False)
    year = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
    )
    month = models.PositiveSmallIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(12)], help_text="1 to 12."
    )
    period = models.GeneratedField(
        expression=Cast(F("year") * 100 + F("month"), models.CharField(max_length=6)),
        output_field=models.CharField(max_length=6),
        db_persist=True,
    )
    value = ValueField(help_text="A number of at most 15 digits.")
    created_at = models.DateTimeField("created", auto_now_add=True)
    updated_at = models.DateTimeField("updated", auto_now=True)

    objects = StatQuerySet.as_manager()

    class Meta:
        ordering = ["-period", "kpi_key"]
        verbose_name = "figure"
        constraints = [
            models.UniqueConstraint(
                fields=["kpi_key", "year", "month"],
                name="stats_one_figure_per_kpi_and_month",
                violation_error_message="This KPI already has a figure for this month.",
            ),
            models.CheckConstraint(
                condition=Q(kpi=Trim("kpi")) & ~Q(kpi="") & ~Q(kpi_key=""),
                name="stats_kpi_is_trimmed_and_not_empty",
                violation_error_message="Enter a KPI name without spaces around it.",
            ),
            models.CheckConstraint(
                condition=Q(year__range=(FIRST_YEAR, LAST_YEAR)),
                name="stats_year_has_four_digits",
                violation_error_message="Enter a year of four digits.",
            ),
            models.CheckConstraint(
                condition=Q(month__range=(1, 12)),
                name="stats_month_is_1_to_12",
                violation_error_message="Enter a month from 1 to 12.",
            ),
        ]
        indexes = [models.Index(fields=["-period", "kpi_key"], name="stats_newest_first")]

    def __str__(self) -> str:
        return f"{self.kpi} {self.year}-{self.month:02d}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        was_stored = not self._state.adding
        super().save(*args, **kwargs)
        if was_stored:
            # The database derived a new period; Django keeps the old one on the instance unless
            # it is forgotten, and then reads it again when it is asked for.
            self.__dict__.pop("period", None)

    def clean(self) -> None:
        self.kpi = self.kpi.strip()
        self.kpi_key = kpi_key(self.kpi)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        # A form never has the field kpi_key, and Django skips a constraint whose field is absent:
        # without this a second figure for a month would be a database error, not a form error.
        skipped = set(exclude or ())
        if "kpi" not in skipped:
            skipped.discard("kpi_key")
        super().validate_constraints(exclude=skipped)
