"""The pages: the dashboard, and the forms to add, edit and delete a figure."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin, PermissionRequiredMixin
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View

from accounts.core.navigation import safe_next_url

from . import writing
from .dashboard import dashboard
from .forms import FigureForm
from .models import Stat
from .templatetags.figures import figure
from .writing import Author


class DashboardView(LoginRequiredMixin, TemplateView):
    """The latest value of each KPI, the chart, and the figures as a table."""

    template_name = "stats/dashboard.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        view = dashboard(self.request.GET)
        return super().get_context_data(**kwargs, view=view, chart=view.chart)


class FigurePage(LoginRequiredMixin, PermissionRequiredMixin, View):
    """The base of the pages for one figure, which return to the dashboard with its filters."""

    def back(self) -> str:
        """Return `?next=` if it is a URL of this site, else that of the dashboard."""
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
    """The form to add a figure."""

    permission_required = "stats.add_stat"

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("stats/figure_form.html", form=FigureForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = FigureForm(request.POST)
        if form.is_valid():
            try:
                stat = writing.add(form.values(), self.author)
                return self.done(_("Added %(figure)s.") % {"figure": describe_stat(stat)})
            except ValidationError as error:  # another request has added it since the validation
                form.add_error(None, error)
        return self.show("stats/figure_form.html", form=form)


class EditFigureView(FigurePage):
    """The form to edit a figure. It detects that another user has changed the figure."""

    permission_required = "stats.change_stat"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        stat = get_object_or_404(Stat, pk=pk)
        return self.show("stats/figure_form.html", form=FigureForm(instance=stat), stat=stat)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = FigureForm(request.POST, instance=get_object_or_404(Stat, pk=pk))
        if form.is_valid():
            try:
                stat = writing.change(pk, form.values(), self.author, check=_same_as_seen(form))
                return self.done(_("Saved %(figure)s.") % {"figure": describe_stat(stat)})
            except ValidationError as error:
                form.add_error(None, error)
            except Stat.DoesNotExist as error:
                raise Http404 from error
        # The form has changed its own instance, but the page shows the stored one.
        stored = get_object_or_404(Stat, pk=pk)
        return self.show("stats/figure_form.html", form=form, stat=stored)


class DeleteFigureView(FigurePage):
    """The page that confirms and deletes a figure."""

    permission_required = "stats.delete_stat"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        return self.show("stats/figure_delete.html", stat=get_object_or_404(Stat, pk=pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        stat = get_object_or_404(Stat, pk=pk)
        writing.delete(Stat.objects.filter(pk=pk), self.author)
        return self.done(_("Deleted %(figure)s.") % {"figure": describe_stat(stat)})


def describe_stat(stat: Stat) -> str:
    """Return a text such as `revenue for 2020-03: 1,234.5`."""
    values = {
        "kpi": stat.kpi,
        "month": f"{stat.year}-{stat.month:02d}",
        "value": figure(stat.value),
    }
    return _("%(kpi)s for %(month)s: %(value)s") % values


def _same_as_seen(form: FigureForm) -> Any:
    """Return a check for `writing.change`: the stored figure has the version that the user saw.

    If it has not, the form gets the new version, so that saving again replaces the figure.
    """

    def check(stored: Stat) -> None:
        version = form.cleaned_data["seen_version"]
        if version is not None and version != stored.version:
            form.data = {**form.data.dict(), "seen_version": str(stored.version)}  # type: ignore[attr-defined]
            message = _(
                "This figure was changed while you were editing, so nothing was saved. It is now"
                " %(figure)s. Review your values below, then save again."
            )
            raise ValidationError(message % {"figure": describe_stat(stored)})

    return check
