"""The dashboard with a generic view and one template, and the floor of each page."""

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.views.generic import ListView

from stats.dashboard import ROWS_PER_PAGE, dashboard


class PlainDashboard(LoginRequiredMixin, ListView):  # type: ignore[type-arg]
    template_name = "plain/dashboard.html"
    paginate_by = ROWS_PER_PAGE

    def get_queryset(self) -> Any:
        self.view = dashboard(self.request.GET)
        return self.view.page.paginator.object_list

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, view=self.view, chart=self.view.chart)


def constant(request: HttpRequest, length: int) -> HttpResponse:
    return HttpResponse(b"x" * length)
