"""The admin pages of figures: list, edit, import, export, delete, and the history."""

import logging
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from import_export.admin import ImportExportMixin
from import_export.results import Result

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site.view_permission import can_view
from accounts.core.times import local_text

from . import labels as labels
from . import writing
from .admin_filters import KpiFilter, PeriodFilter
from .admin_forms import ConfirmForm, DownloadForm, FileForm, ValueInListForm, ValuesFormSet
from .cleaning import UnreadableFile
from .fields import kpi_key
from .formats import CSV, XLSX
from .forms import FigureForm
from .models import Change, Stat
from .months import parse_month
from .queries import StatQuerySet
from .resources import StatResource
from .templatetags.figures import thousands
from .writing import Author

_log = logging.getLogger(__name__)
_MAX_FIGURES_SHOWN = 10  # on the page that confirms a deletion


@admin.register(Stat)
class StatAdmin(ImportExportMixin, admin.ModelAdmin):  # type: ignore[misc, type-arg]
    """The admin of figures. All changes go through `writing`."""

    form = FigureForm
    list_display = ("kpi", "month_of_figure", "value", "updated", "updated_by")
    list_editable = ("value",)
    list_filter = (KpiFilter, "year", PeriodFilter)
    list_select_related = ("updated_by",)
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    search_fields = ("kpi_key", "period")
    search_help_text = _("A part of a KPI's name, or a month like 2020-03.")
    fields = (
        "kpi",
        "month",
        "value",
        ("created_at", "created_by"),
        ("updated_at", "updated_by"),
    )
    readonly_fields = ("created_at", "created_by", "updated_at", "updated_by")
    actions = ("delete_figures",)
    object_history_template = "admin/stats/history.html"

    resource_classes = (StatResource,)
    formats = (CSV, XLSX)
    import_form_class = FileForm
    confirm_form_class = ConfirmForm
    export_form_class = DownloadForm
    import_template_name = "admin/stats/import.html"
    export_template_name = "admin/stats/export.html"

    @admin.display(description=_("month"), ordering="period")
    def month_of_figure(self, stat: Stat) -> str:
        return f"{stat.year}-{stat.month:02d}"

    @admin.display(description=_("updated"), ordering="updated_at")
    def updated(self, stat: Stat) -> str:
        return local_text(stat.updated_at)

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{**kwargs, "form": ValueInListForm})

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_formset(request, **{**kwargs, "formset": ValuesFormSet})

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_export_queryset(self, request: HttpRequest) -> Any:
        return self.get_changelist_instance(request).queryset  # which checks the filters

    def get_data_for_export(self, request: HttpRequest, queryset: Any, **kwargs: Any) -> Any:
        # The library exports native numbers only for its own XLSX class.
        return super().get_data_for_export(
            request, queryset, **{**kwargs, "force_native_type": True}
        )

    def add_data_read_fail_error_to_form(self, form: forms.Form, error: Exception) -> None:
        if not isinstance(error, UnreadableFile):
            _log.error("An uploaded file cannot be read.", exc_info=error)
            message = gettext("This file can't be read. Save it as CSV or XLSX and try again.")
            error = UnreadableFile(message)
        form.add_error("import_file", str(error))

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        message = gettext("The confirmation is incomplete. Upload the file again.")
        try:
            if request.method != "POST" or ConfirmForm(request.POST).is_valid():
                response: HttpResponse = super().process_import(request, **kwargs)
                return response
        except FileNotFoundError:  # it was imported, or deleted after a day
            message = gettext(
                "The uploaded file was imported already, or has expired. Upload it again."
            )
        except UnreadableFile as error:
            message = str(error)
        messages.error(request, message)
        return HttpResponseRedirect(reverse("admin:stats_stat_import"))

    def process_result(self, result: Result, request: HttpRequest) -> HttpResponse:
        if result.has_errors() or result.has_validation_errors():
            message = gettext(
                "Figures were changed after you uploaded the file, and it has errors now. Nothing "
                "was imported. Upload it again to see the errors."
            )
            messages.error(request, message)
            return HttpResponseRedirect(reverse("admin:stats_stat_import"))
        response: HttpResponse = super().process_result(result, request)
        return response

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if month := parse_month(search_term.strip()):
            search_term = "{}{:02d}".format(*month)
        return super().get_search_results(request, queryset, kpi_key(search_term))

    def save_model(self, request: HttpRequest, obj: Stat, form: Any, change: bool) -> None:
        writing.save(obj, Author(request.user, "admin"))

    def delete_model(self, request: HttpRequest, obj: Stat) -> None:
        writing.delete(Stat.objects.filter(pk=obj.pk), Author(request.user, "admin"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions: dict[str, Any] = super().get_actions(request)
        # Django's own page lists every figure, and cannot be submitted with more than 1,000.
        actions.pop("delete_selected", None)
        return actions

    @admin.action(permissions=["delete"], description=_("Delete selected figures"))
    def delete_figures(self, request: HttpRequest, queryset: StatQuerySet) -> HttpResponse | None:
        """Show a confirmation page, then delete the selected figures."""
        if request.POST.get("confirmed"):
            count = writing.delete(queryset, Author(request.user, "admin"))
            text = gettext("Deleted %(count)s figures.") % {"count": thousands(count)}
            messages.success(request, text)
            return None
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Delete figures?"),
            "opts": self.opts,
            "count": queryset.count(),
            "some": queryset[:_MAX_FIGURES_SHOWN],
            "select_across": request.POST.get("select_across", "0"),
            "selected": selected,
            "checkbox": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/stats/delete.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_view = can_view(request, Change)
        stat = self.get_object(request, unquote(object_id)) if may_view else None
        changes = Change.objects.filter(figure_id=stat.pk) if stat else []
        context = {**(extra_context or {}), "changes": changes, "may_view": may_view}
        return super().history_view(request, object_id, context)


@admin.register(Change)
class ChangeAdmin(ReadOnlyAdmin):
    """The read-only history of all figures, including deleted ones."""

    date_hierarchy = "at"
    list_display = ("moment", "action", "before", "after", "by", "through")
    list_filter = ("action", "through")
    list_select_related = ("by",)
    search_fields = ("before", "after")

    @admin.display(description=_("time"), ordering="at")
    def moment(self, change: Change) -> str:
        return local_text(change.at)
