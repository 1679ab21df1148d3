"""What a list's address asks for: worked out once for each question, however often it comes."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import urlencode

from django.db.models import DecimalField, ExpressionWrapper, F
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from stats.api.json_sql import Joined, JSONText, Statement

from ..filters import FigureFilter
from ..history import Revision
from ..models import Stat
from ..numbers import MAX_VALUE_DIGITS
from ..queries import StatQuerySet
from .serializers import FIELD_SOURCES

FEW = 250  # rows that are read at once and sent whole; of more the answer is streamed
MOST_QUESTIONS = 256  # remembered

# The column has room for more digits than any value has.
_VALUE = ExpressionWrapper(
    F("value"), output_field=DecimalField(max_digits=MAX_VALUE_DIGITS, decimal_places=2)
)
JSON_TEXT = JSONText(**{**FIELD_SOURCES, "value": _VALUE})
_NAMES = {*FigureFilter.base_fields, *FigureFilter.PERIODS}


@dataclass(frozen=True)
class Question:
    """The figures that are asked for, in their order, which `ordering` names."""

    figures: StatQuerySet
    ordering: tuple[str, ...]

    @cached_property
    def _first(self) -> Statement:
        revision = Revision.objects.values("number")  # there is only one
        return Statement.of(self.figures[: FEW + 1], JSON_TEXT, beside=revision)

    def first(self) -> Joined:
        """The JSON of the first rows, up to one more than FEW, and beside it the revision they
        are of (None before anything was written)."""
        return self._first.joined()


def question_of(query: QueryDict) -> Question:
    """Raises ValidationError, with the messages of each wrong field."""
    own = {name: query.getlist(name) for name in _NAMES if name in query}
    return _question(urlencode(own, doseq=True))


@lru_cache(maxsize=MOST_QUESTIONS)
def _question(query: str) -> Question:
    figure_filter = FigureFilter(QueryDict(query))
    if wrong := figure_filter.errors:
        raise ValidationError(
            {name: [str(each) for each in errors] for name, errors in wrong.items()}
        )
    ordering = figure_filter.cleaned_data["ordering"]
    figures = figure_filter.apply(Stat.objects.all()).order_by(*ordering)
    return Question(figures, tuple(ordering))
