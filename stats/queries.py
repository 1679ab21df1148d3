"""Writing many figures at once, and the queries of the screens, each named for its screen."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models, transaction
from django.db.models import Avg, F, Max, Min, Window
from django.db.models.functions import Mod, RowNumber
from django.utils import timezone

from .charts import Row
from .fields import kpi_key
from .history import Revision

if TYPE_CHECKING:
    from .models import Stat


_CENT = Decimal("0.01")


class Kpi(NamedTuple):
    """A KPI and the years it has figures of."""

    key: str
    name: str
    first_year: int
    last_year: int


class StatQuerySet(models.QuerySet["Stat"]):
    """Whatever writes moves versions, times and the revision as `Stat.save` does."""

    def update(self, **values: Any) -> int:
        if "kpi" in values and "kpi_key" not in values:
            values["kpi_key"] = kpi_key(values["kpi"])
        values.setdefault("updated_at", timezone.now())
        values.setdefault("version", F("version") + 1)
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().update(**values)

    def bulk_update(
        self, objs: Iterable["Stat"], fields: Iterable[str], batch_size: int | None = None
    ) -> int:
        stats, names = list(objs), set(fields)
        if "kpi" in names:
            names.add("kpi_key")
            for stat in stats:
                stat.kpi_key = kpi_key(stat.kpi)
        return super().bulk_update(stats, sorted(names), batch_size)  # calls update()

    def bulk_create(self, objs: Iterable["Stat"], *args: Any, **kwargs: Any) -> "list[Stat]":
        """Raises ValueError: `update_conflicts`, of which the database would take the new rows'
        version, author and times."""
        if kwargs.get("update_conflicts"):
            raise ValueError("update_conflicts keeps no versions: use stats.writing.upsert_all.")
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().bulk_create(objs, *args, **kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            Revision.grow(self.db)
            return super().delete()

    # Methods that change data are no business of templates, and a manager has no delete().
    update.alters_data = bulk_update.alters_data = bulk_create.alters_data = True  # type: ignore[attr-defined]
    delete.alters_data = delete.queryset_only = True  # type: ignore[attr-defined]

    def as_rows(self) -> list[Row]:
        """What a screen shows of each figure. One query."""
        return [Row(*values) for values in self.values_list(*Row._fields)]

    def kpis(self) -> list[Kpi]:
        """The KPIs in the order of their keys, each under its newest spelling that sorts last."""
        groups = self.order_by("kpi_key").values_list("kpi_key")
        found = groups.annotate(Max("kpi"), Min("year"), Max("year"))
        return [Kpi(*values) for values in found]

    def newest_two(self) -> "StatQuerySet":
        """The latest figure of each KPI and the one before."""
        newest_first = Window(
            RowNumber(), partition_by="kpi_key", order_by=[F("year").desc(), F("month").desc()]
        )
        return self.alias(place=newest_first).filter(place__lte=2)

    def averages(self, years: int) -> list[Row]:
        """One row for each KPI and `years` years: their average, at the first year's January."""
        beginning = F("year") - Mod(F("year"), years)
        groups = self.order_by().values_list("kpi_key").annotate(name=Max("kpi"), at=beginning)
        return [
            # SQLite's remainder of whole numbers is a float.
            Row(key, name, int(at), 1, Decimal(average).quantize(_CENT))
            for key, name, at, average in groups.annotate(Avg("value")).order_by("kpi_key", "at")
        ]
