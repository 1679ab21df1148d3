"""What every page of the admin refuses: texts in a URL or a form that no database can evaluate."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import BadRequest, ValidationError
from django.db import DataError, ProgrammingError
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest

MAX_SEARCH_WORDS = 32


class CheckedAdmin(ModelAdmin):  # type: ignore[type-arg] # no [] at run time
    """A model's pages that refuse ids, filters and searches which the database cannot evaluate.

    Django refuses values that it cannot convert. It does not expect values that fail later, when
    the query runs: a year of six digits, a number of twenty, a range with one end.
    """

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Refuse an id, of a selected or of an edited row, that no instance can have."""
        pk: Any = self.opts.pk
        for name, values in request.POST.lists():
            is_selection = name == ACTION_CHECKBOX_NAME
            if is_selection or name.endswith(f"-{pk.name}"):
                try:
                    for value in values if is_selection else filter(None, values):
                        pk.clean(value, None)
                except ValidationError as error:
                    raise BadRequest(f"{name} holds a value that is not an id.") from error
        return super().changelist_view(request, extra_context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except (DataError, LookupError, OverflowError, ProgrammingError, ValueError) as error:
            if not request.GET:
                raise  # a fault of ours
            raise IncorrectLookupParameters(error) from error

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the instance, or None. Django takes an empty `?_to_field=` for a field's name."""
        return super().get_object(request, object_id, from_field or None)

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Find nothing for a very long search: SQLite refuses a query of so many conditions."""
        if len(search_term.split()) > MAX_SEARCH_WORDS:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Refuse regular expressions: one can be invalid, or keep the database busy."""
        is_regex = lookup.rpartition(LOOKUP_SEP)[2] in ("regex", "iregex")
        return not is_regex and super().lookup_allowed(lookup, value, request)
