"""The pages: the dashboard, and the forms to add, edit and delete for those who may."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.generic import TemplateView, View

from accounts.core.navigation import safe_next_url

from . import writing
from .dashboard import dashboard
from .forms import FigureForm
from .models import Stat
from .templatetags.figures import figure
from .writing import Author


class DashboardView(LoginRequiredMixin, TemplateView):
    """Latest value and change per KPI, the chart, and the same numbers as a table."""

    template_name = "stats/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        view = dashboard(self.request.GET)
        return super().get_context_data(**kwargs, view=view, chart=view.chart)


class FigurePage(LoginRequiredMixin, PermissionRequiredMixin, View):
    """A page about one figure, which leads back to the view of the dashboard that it came from."""

    def back(self) -> str:
        """`?next=`, if it is a page of this site; else the dashboard."""
        return safe_next_url(self.request) or reverse("stats:dashboard")

    def show(self, template: str, **context: Any) -> HttpResponse:
        return render(self.request, template, {**context, "back": self.back()})

    def done(self, message: str) -> HttpResponse:
        messages.success(self.request, message)
        return HttpResponseRedirect(self.back())

    @property
    def author(self) -> Author:
        return Author(self.request.user, "page")


class AddFigureView(FigurePage):
    """An empty form, and what becomes of it."""

    permission_required = "stats.add_stat"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("stats/figure_form.html", form=FigureForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = FigureForm(request.POST)
        if form.is_valid():
            try:
                stat = writing.add(form.values(), self.author)
                return self.done(f"Added {told(stat)}.")
            except ValidationError as error:  # somebody else was faster
                form.add_error(None, error)
        return self.show("stats/figure_form.html", form=form)


class EditFigureView(FigurePage):
    """The form with a figure in it. Whoever saves over somebody else's change is told first."""

    permission_required = "stats.change_stat"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        stat = get_object_or_404(Stat, pk=pk)
        return self.show("stats/figure_form.html", form=FigureForm(instance=stat), stat=stat)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = FigureForm(request.POST, instance=get_object_or_404(Stat, pk=pk))
        if form.is_valid():
            try:
                stat = writing.change(pk, form.values(), self.author, check=_same_as_seen(form))
                return self.done(f"Saved {told(stat)}.")
            except ValidationError as error:
                form.add_error(None, error)
            except Stat.DoesNotExist as error:
                raise Http404 from error
        # The form has put its values into its own instance: the page names the stored one.
        stored = get_object_or_404(Stat, pk=pk)
        return self.show("stats/figure_form.html", form=form, stat=stored)


class DeleteFigureView(FigurePage):
    """Asks first."""

    permission_required = "stats.delete_stat"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show("stats/figure_delete.html", stat=get_object_or_404(Stat, pk=pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        stat = get_object_or_404(Stat, pk=pk)
        writing.delete(Stat.objects.filter(pk=pk), self.author)
        return self.done(f"Deleted {told(stat)}.")


def told(stat: Stat) -> str:
    """`revenue for 2020-03: 1,234.5`."""
    return f"{stat.kpi} for {stat.year}-{stat.month:02d}: {figure(stat.value)}"


def _same_as_seen(form: FigureForm) -> Any:
    """A check for `writing.change`: the stored figure is the version that the form was filled
    with. If not, the form takes the new version in, so that saving again replaces it."""

    def check(stored: Stat) -> None:
        seen = form.cleaned_data["seen_version"]
        if seen is not None and seen != stored.version:
            form.data = {**form.data.dict(), "seen_version": str(stored.version)}  # type: ignore[attr-defined]
            raise ValidationError(
                f"Somebody changed this figure meanwhile; it is {told(stored)} now. What you "
                "entered is below: save again to replace theirs."
            )

    return check
