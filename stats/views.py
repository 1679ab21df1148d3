"""The dashboard: parse, one query, answer."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.views.generic import TemplateView

from .charts import build_chart
from .models import Stat


class DashboardView(LoginRequiredMixin, TemplateView):
    """Latest value and change per KPI, the chart, and the same numbers as a table."""

    template_name = "stats/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, chart=build_chart(Stat.objects.for_dashboard()))
