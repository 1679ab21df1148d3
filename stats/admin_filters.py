"""The filters of the list of figures in the admin."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .fields import kpi_key
from .models import Stat

_MAX_CHOICES = 30  # in the list of a filter; the search finds the others


class KpiFilter(admin.SimpleListFilter):
    """A filter by KPI. It lists the first KPIs by name."""

    title = _("KPI")
    parameter_name = "kpi"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        for kpi in Stat.objects.all().kpis()[:_MAX_CHOICES]:
            yield kpi.name, kpi.name

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        name = self.value()
        return queryset.filter(kpi_key=kpi_key(name)) if name else queryset


class PeriodFilter(admin.SimpleListFilter):
    """A filter by month. It lists the newest months, or those of the selected year."""

    title = _("month")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterator[tuple[str, str]]:
        figures = Stat.objects.order_by("-period")
        year = request.GET.get("year", "")
        if year.isascii() and year.isdigit() and len(year) == 4:
            figures = figures.filter(year=int(year))
        for period in figures.values_list("period", flat=True).distinct()[:_MAX_CHOICES]:
            yield period, f"{period[:4]}-{period[4:]}"

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(period=self.value()) if self.value() else queryset
