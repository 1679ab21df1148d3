"""Checks of every admin page for values in URLs and forms that no database can evaluate."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError, ProgrammingError
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.html import conditional_escape, escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from .cells import row_url

MAX_SEARCH_WORDS = 32
_CHECKBOX_LABEL = "Select this object for an action - {}"  # Django translates it


class _ChangeList(ChangeList):
    def url_for_result(self, result: Any) -> str:
        return row_url(result, self.model_admin.admin_site.name)


class CheckedAdmin(ModelAdmin):  # type: ignore[type-arg] # no [] at run time
    """Admin pages that reject IDs, filters and searches that the database cannot evaluate.

    Django rejects values that it cannot convert. It does not expect values that fail later, when
    the query runs: a year of six digits, a number of twenty digits, a range with one end.
    """

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Reject IDs of selected or edited objects if the primary key cannot have that value."""
        pk: Any = self.opts.pk
        for name, values in request.POST.lists():
            is_selection = name == ACTION_CHECKBOX_NAME
            if is_selection or name.endswith(f"-{pk.name}"):
                try:
                    for value in values if is_selection else filter(None, values):
                        pk.clean(value, None)
                except ValidationError as error:
                    raise BadRequest(f"{name} has a value that is not an ID.") from error
        return super().changelist_view(request, extra_context)

    def action_checkbox(self, obj: Any) -> SafeString:
        """Return Django's checkbox to select a row, without a form widget for each row."""
        label = gettext(_CHECKBOX_LABEL).format(conditional_escape(str(obj)))
        return SafeString(
            f'<input type="checkbox" name="{ACTION_CHECKBOX_NAME}" value="{escape(str(obj.pk))}"'
            f' class="action-select" aria-label="{label}">'
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except (DataError, LookupError, OverflowError, ProgrammingError, ValueError) as error:
            if not request.GET:
                raise  # the URL did not cause it
            raise IncorrectLookupParameters(error) from error

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        changelist = super().get_changelist(request, **kwargs)
        return _ChangeList if changelist is ChangeList else changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the instance, or None. Django uses an empty `?_to_field=` as a field name."""
        return super().get_object(request, object_id, from_field or None)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Return no results for a very long search: SQLite rejects such long queries."""
        if len(search_term.split()) > MAX_SEARCH_WORDS:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Reject regular expressions: they can be invalid, or keep the database busy."""
        is_regex = lookup.rpartition(LOOKUP_SEP)[2] in ("regex", "iregex")
        return not is_regex and super().lookup_allowed(lookup, value, request)
