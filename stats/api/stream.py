"""All figures in one answer, as JSON or CSV: few are sent whole, many piece by piece: memory stays
flat however many."""

import csv
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from sso_project.direct_json import snapshot

from ..fields import neutral
from ..queries import StatQuerySet
from .question import FEW, JSON_TEXT, Question
from .serializers import FIELD_SOURCES, member

CHUNK = 500  # rows that are read and sent at once; PostgreSQL is asked for each of these anew

_JSON, _CSV = "application/json", "text/csv; charset=utf-8"


def json_answer(question: Question) -> tuple[HttpResponseBase, int]:
    """`{"data": [{…}, …]}` with the members of the serializer, and the revision it is of."""
    first = question.first()
    revision = first.beside or 0
    if first.rows <= FEW:
        return HttpResponse(f'{{"data":[{first.texts}]}}', content_type=_JSON), revision
    rows = question.figures.values_list(JSON_TEXT, flat=True)
    return StreamingHttpResponse(_streamed(rows, _json), content_type=_JSON), revision


def csv_answer(figures: StatQuerySet) -> HttpResponseBase:
    """A header line and one line for each figure; a cell never begins like a formula."""
    rows = figures.values_list(*FIELD_SOURCES.values())
    first = list(rows[: FEW + 1])
    answer: HttpResponseBase
    if len(first) <= FEW:
        answer = HttpResponse("".join(_csv([first])), content_type=_CSV)
    else:
        answer = StreamingHttpResponse(_streamed(rows, _csv), content_type=_CSV)
    answer["Content-Disposition"] = 'attachment; filename="stats.csv"'
    return answer


def _streamed(rows: Any, write: Callable[[Iterable[list[Any]]], Iterator[str]]) -> Generator[str]:
    """What `write` makes of all rows. When the reader leaves half-way, the snapshot is closed."""
    with closing(snapshot(rows, at_once=CHUNK)) as every:
        yield from write(iter(lambda: list(islice(every, CHUNK)), []))


def _json(pieces: Iterable[list[str]]) -> Iterator[str]:
    before = '{"data":['
    for texts in pieces:
        yield before + ",".join(texts)
        before = ","
    yield "]}"


def _csv(pieces: Iterable[list[tuple[Any, ...]]]) -> Iterator[str]:
    write: Callable[[list[Any]], str] = csv.writer(_Echo()).writerow
    yield write(list(FIELD_SOURCES))
    for rows in pieces:
        yield "".join(write([_cell(value) for value in row]) for row in rows)


def _cell(value: Any) -> Any:
    return neutral(value) if isinstance(value, str) else member(value)


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text
