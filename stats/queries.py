"""The queryset of figures: bulk changes, and the queries of the dashboard."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import models, transaction
from django.db.models import Avg, F, Max, Min, Window
from django.db.models.functions import Mod, RowNumber
from django.utils import timezone

from .charts import Point
from .fields import kpi_key
from .history import Revision

_CENT = Decimal("0.01")


class Kpi(NamedTuple):
    """A KPI, with the first and the last year that have figures."""

    key: str
    name: str
    first_year: int
    last_year: int


class StatQuerySet(models.QuerySet[Any]):
    """Figures. Bulk changes update versions, times and the revision, as `Stat.save` does."""

    def update(self, **values: Any) -> int:
        if "kpi" in values and "kpi_key" not in values:
            values["kpi_key"] = kpi_key(values["kpi"])
        values.setdefault("updated_at", timezone.now())
        values.setdefault("version", F("version") + 1)
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().update(**values)

    def bulk_update(
        self, objs: Iterable[Any], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        stats, names = list(objs), set(fields)
        if "kpi" in names:
            names.add("kpi_key")
            for stat in stats:
                stat.kpi_key = kpi_key(stat.kpi)
        return super().bulk_update(stats, sorted(names), batch_size)  # calls update()

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Insert figures, but not with `update_conflicts`, which would reset versions and authors.

        Raises:
            ValueError: `update_conflicts` is set.
        """
        if kwargs.get("update_conflicts"):
            raise ValueError(
                "update_conflicts would reset versions. Use stats.writing.upsert_all instead."
            )
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().bulk_create(objs, *args, **kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().delete()

    # Templates cannot call these methods, and the manager has no delete().
    update.alters_data = bulk_update.alters_data = bulk_create.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = delete.queryset_only = True  # type: ignore[attr-defined]

    def as_points(self) -> list[Point]:
        """Return the figures as points of a chart, with one query."""
        return [Point(*values) for values in self.values_list(*Point._fields)]

    def kpis(self) -> list[Kpi]:
        """Return the KPIs in the order of their keys, each with the spelling that sorts last."""
        groups = self.order_by("kpi_key").values_list("kpi_key")
        return [Kpi(*values) for values in groups.annotate(Max("kpi"), Min("year"), Max("year"))]

    def newest_two(self) -> "StatQuerySet":
        """Return the latest figure of each KPI and the previous one."""
        newest_first = Window(
            RowNumber(), partition_by="kpi_key", order_by=[F("year").desc(), F("month").desc()]
        )
        newest: StatQuerySet = self.alias(place=newest_first).filter(place__lte=2)
        return newest

    def averages(self, years: int) -> list[Point]:
        """Return the average of each KPI over `years` years, at January of the first one."""
        beginning = F("year") - Mod(F("year"), years)
        groups = self.order_by().values_list("kpi_key").annotate(name=Max("kpi"), at=beginning)
        return [
            # On SQLite, the remainder of whole numbers is a float.
            Point(key, name, int(at), 1, Decimal(average).quantize(_CENT))
            for key, name, at, average in groups.annotate(Avg("value")).order_by("kpi_key", "at")
        ]
