"""All figures in one answer, as JSON or CSV: few are sent whole, many piece by piece: memory stays
flat however many."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from accounts.core.csv_cells import BYTE_ORDER_MARK, csv_writer
from stats.api.json_sql import snapshot, snapshot_of_texts

from ..queries import StatQuerySet
from .list_query import FEW, JSON_TEXT, Question
from .serializers import FIELD_SOURCES, member

# Rows come in such batches, and are sent in smaller pieces, since the system hands memory above
# 128 kB out and takes it back each time.
READ, CHUNK = 1000, 500

_JSON, _CSV = "application/json", "text/csv; charset=utf-8"


def json_answer(question: Question) -> tuple[HttpResponseBase, int]:
    """`{"data": [{…}, …]}` with the members of the serializer, and the revision it is of."""
    first = question.first()
    revision = first.beside or 0
    if first.rows <= FEW:
        return HttpResponse(f'{{"data":[{first.texts}]}}', content_type=_JSON), revision
    return StreamingHttpResponse(_json(question.figures), content_type=_JSON), revision


def csv_answer(figures: StatQuerySet) -> HttpResponseBase:
    """Return a line of headings and one for each figure, with a byte order mark before them."""
    rows = figures.values_list(*FIELD_SOURCES.values())
    first = list(rows[: FEW + 1])
    answer: HttpResponseBase
    if len(first) <= FEW:
        answer = HttpResponse("".join(_csv([first])), content_type=_CSV)
    else:
        answer = StreamingHttpResponse(_csv_of(rows), content_type=_CSV)
    answer["Content-Disposition"] = 'attachment; filename="stats.csv"'
    return answer


# Both close the snapshot when the reader leaves half-way.


def _json(figures: StatQuerySet) -> Generator[str]:
    with closing(snapshot_of_texts(figures, JSON_TEXT, at_once=READ, in_a_piece=CHUNK)) as pieces:
        before = '{"data":['
        for texts in pieces:
            yield before + texts
            before = ","
    yield "]}"


def _csv_of(rows: Any) -> Generator[str]:
    with closing(snapshot(rows, at_once=CHUNK)) as every:
        yield from _csv(iter(lambda: list(islice(every, CHUNK)), []))


def _csv(pieces: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    write = csv_writer()
    yield BYTE_ORDER_MARK + write(FIELD_SOURCES)
    for rows in pieces:
        yield "".join(write(map(member, row)) for row in rows)
