"""The query of a list request, parsed and compiled once for each query string."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import urlencode

from django.db.models import DecimalField, ExpressionWrapper, F
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from stats.api.json_sql import JSONText, Statement

from ..exact_numbers import MAX_VALUE_DIGITS
from ..filters import FigureFilter
from ..history import Revision
from ..models import Stat
from ..queries import StatQuerySet
from .serializers import FIELD_SOURCES

MAX_BUFFERED_FIGURES = 250  # a response with more figures is streamed
MAX_CACHED_QUERIES = 256

# The column is wider than any value.
_VALUE = ExpressionWrapper(
    F("value"), output_field=DecimalField(max_digits=MAX_VALUE_DIGITS, decimal_places=2)
)
JSON_TEXT = JSONText(**{**FIELD_SOURCES, "value": _VALUE})
_NAMES = {*FigureFilter.base_fields, *FigureFilter.PERIODS}


@dataclass(frozen=True)
class ListQuery:
    """The figures that a request selects, sorted by `ordering`."""

    figures: StatQuerySet
    ordering: tuple[str, ...]

    @cached_property
    def _statement(self) -> Statement:
        revision = Revision.objects.values("number")
        figures = self.figures[: MAX_BUFFERED_FIGURES + 1]
        return Statement.of(figures, JSON_TEXT, extra=revision)

    def load_first(self) -> tuple[str, int, int]:
        """Return JSON of the first MAX_BUFFERED_FIGURES figures and of one more, and their number.

        The last item is the revision of the figures, or 0 if nothing has been written yet.
        """
        texts, count, revision = self._statement.execute()
        return texts, count, revision or 0


def parse_list_query(query: QueryDict) -> ListQuery:
    """Return the list query of a query string.

    Raises:
        ValidationError: with the messages of each invalid field.
    """
    parameters = {name: query.getlist(name) for name in _NAMES if name in query}
    return _parse(urlencode(parameters, doseq=True))


@lru_cache(maxsize=MAX_CACHED_QUERIES)
def _parse(query: str) -> ListQuery:
    figure_filter = FigureFilter(QueryDict(query))
    if figure_filter.errors:
        raise ValidationError(
            {
                name: [str(message) for message in messages]
                for name, messages in figure_filter.errors.items()
            }
        )
    ordering = figure_filter.cleaned_data["ordering"]
    figures = figure_filter.apply(Stat.objects.all()).order_by(*ordering)
    return ListQuery(figures, tuple(ordering))
