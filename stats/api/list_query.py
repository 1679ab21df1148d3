"""The query of a list request, parsed once for each query string."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlencode

from django.db import router
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from ..filters import FigureFilter
from ..models import Stat
from ..queries import StatQuerySet

MAX_CACHED_QUERIES = 256

_NAMES = {*FigureFilter.base_fields, *FigureFilter.PERIODS}


@dataclass(frozen=True)
class ListQuery:
    """The figures that a request selects, sorted by `ordering`, in the database to read from."""

    figures: StatQuerySet
    ordering: tuple[str, ...]


def parse_list_query(query: QueryDict) -> ListQuery:
    """Return the list query of a query string.

    Raises:
        ValidationError: with the messages of each invalid field.
    """
    parameters = {name: query.getlist(name) for name in _NAMES if name in query}
    return _parse(urlencode(parameters, doseq=True), router.db_for_read(Stat))


@lru_cache(maxsize=MAX_CACHED_QUERIES)
def _parse(query: str, using: str) -> ListQuery:
    figure_filter = FigureFilter(QueryDict(query))
    if figure_filter.errors:
        raise ValidationError(
            {
                name: [str(message) for message in messages]
                for name, messages in figure_filter.errors.items()
            }
        )
    ordering = figure_filter.cleaned_data["ordering"]
    figures = figure_filter.apply(Stat.objects.using(using)).order_by(*ordering)
    return ListQuery(figures, tuple(ordering))
