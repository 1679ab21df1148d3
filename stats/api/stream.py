"""Responses with all figures, as JSON or CSV.

A response with many figures is streamed, so that memory use does not grow. A short JSON list is
kept until the figures change.
"""

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import lru_cache
from itertools import islice
from typing import Any

from django.db.models import DecimalField, ExpressionWrapper, F
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer

from accounts.core.csv_cells import BYTE_ORDER_MARK, csv_writer
from stats.api.json_sql import JSONText, snapshot, snapshot_of_texts

from ..exact_numbers import MAX_VALUE_DIGITS
from ..queries import StatQuerySet
from .serializers import FIELD_SOURCES, to_json_value

# Figures are loaded in batches and sent in smaller chunks: the C library allocates and frees blocks
# above 128 kB at the operating system each time.
BATCH_SIZE, CHUNK_SIZE = 1000, 500
MAX_BUFFERED_FIGURES = 250  # a response with more figures is streamed
MAX_KEPT_LISTS, SECONDS_KEPT = 64, 60  # about 40 kB each

# The column is wider than any value.
_VALUE = ExpressionWrapper(
    F("value"), output_field=DecimalField(max_digits=MAX_VALUE_DIGITS, decimal_places=2)
)
_JSON_TEXT = JSONText(**{**FIELD_SOURCES, "value": _VALUE})
_JSON, _CSV = "application/json", "text/csv; charset=utf-8"


def json_response(figures: StatQuerySet, revision: int) -> HttpResponseBase:
    """Return `{"data": [{…}, …]}`, as the serializer writes it.

    `revision` is that of the figures, read before this call.
    """
    body = _short_list(figures, revision, time.monotonic() // SECONDS_KEPT)
    if body is not None:
        return HttpResponse(body, content_type=_JSON)
    return StreamingHttpResponse(_stream_json(figures), content_type=_JSON)


@lru_cache(maxsize=MAX_KEPT_LISTS)
def _short_list(figures: StatQuerySet, revision: int, period: float) -> bytes | None:
    """Return the JSON of all figures, or None if there are more than MAX_BUFFERED_FIGURES.

    `figures` is the same object for the same query string. `period` ends soon, because SQL of
    others can change figures without the revision.
    """
    texts = list(figures[: MAX_BUFFERED_FIGURES + 1].values_list(_JSON_TEXT, flat=True))
    if len(texts) > MAX_BUFFERED_FIGURES:
        return None
    return f'{{"data":[{",".join(texts)}]}}'.encode()


def csv_response(figures: StatQuerySet) -> HttpResponseBase:
    """Return a CSV file with a byte order mark, a line of headings and one line per figure."""
    values = figures.values_list(*FIELD_SOURCES.values())
    first = list(values[: MAX_BUFFERED_FIGURES + 1])
    response: HttpResponseBase
    if len(first) <= MAX_BUFFERED_FIGURES:
        response = HttpResponse("".join(_csv([first])), content_type=_CSV)
    else:
        response = StreamingHttpResponse(_stream_csv(values), content_type=_CSV)
    response["Content-Disposition"] = 'attachment; filename="stats.csv"'
    return response


# Both generators close the snapshot if the client disconnects.


def _stream_json(figures: StatQuerySet) -> Generator[str]:
    chunks = snapshot_of_texts(figures, _JSON_TEXT, batch_size=BATCH_SIZE, chunk_size=CHUNK_SIZE)
    with closing(chunks):
        separator = '{"data":['
        for chunk in chunks:
            yield separator + chunk
            separator = ","
    yield "]}"


def _stream_csv(values: Any) -> Generator[str]:
    with closing(snapshot(values, batch_size=CHUNK_SIZE)) as iterator:
        yield from _csv(iter(lambda: list(islice(iterator, CHUNK_SIZE)), []))


def _csv(chunks: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    write = csv_writer()
    yield BYTE_ORDER_MARK + write(FIELD_SOURCES)
    for chunk in chunks:
        yield "".join(write(map(to_json_value, values)) for values in chunk)


class CsvRenderer(BaseRenderer):
    """A renderer for `?format=csv` and `Accept: text/csv`. `csv_response` writes the CSV."""

    media_type = "text/csv"
    format = "csv"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        # Only errors are rendered here, and all errors are JSON.
        return JSONRenderer().render(data)
