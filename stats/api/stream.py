"""All figures in one answer, as JSON or CSV, piece by piece: memory stays flat however many."""

import csv
import json
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import islice
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from ..fields import neutral
from ..queries import StatQuerySet
from .serializers import FIELD_SOURCES, member

CHUNK = 1000  # rows that are read and written at once


def json_answer(figures: StatQuerySet) -> HttpResponseBase:
    """`{"data": [{…}, …]}` with the members of the serializer."""
    return _answer(_json(figures), "application/json")


def csv_answer(figures: StatQuerySet) -> HttpResponseBase:
    """A header line and one line for each figure; a cell never begins like a formula."""
    answer = _answer(_csv(figures), "text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="stats.csv"'
    return answer


def _answer(pieces: Generator[str], content_type: str) -> HttpResponseBase:
    """One piece is sent whole, with its length; more are streamed."""
    beginning = list(islice(pieces, 2))
    if len(beginning) < 2:
        return HttpResponse(beginning, content_type=content_type)
    return StreamingHttpResponse(_all_of(beginning, pieces), content_type=content_type)


def _all_of(beginning: list[str], rest: Generator[str]) -> Iterator[str]:
    """One after the other. When the reader leaves half-way, the database's cursor is closed."""
    with closing(rest):
        yield from beginning
        yield from rest


def _members(figures: StatQuerySet) -> Iterator[list[Any]]:
    for values in figures.values_list(*FIELD_SOURCES.values()).iterator(chunk_size=CHUNK):
        yield [member(value) for value in values]


def _json(figures: StatQuerySet) -> Generator[str]:
    names = list(FIELD_SOURCES)
    beginning = '{"data":['
    for rows, is_last in _pieces(_members(figures)):
        texts = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
        yield beginning + ",".join(texts) + ("]}" if is_last else "")
        beginning = ","


def _csv(figures: StatQuerySet) -> Generator[str]:
    write: Callable[[list[Any]], str] = csv.writer(_Echo()).writerow
    beginning = write(list(FIELD_SOURCES))
    for rows, _ in _pieces(_members(figures)):
        cells = ([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows)
        yield beginning + "".join(map(write, cells))
        beginning = ""


def _pieces(rows: Iterator[list[Any]]) -> Iterator[tuple[list[list[Any]], bool]]:
    """Lists of CHUNK rows, and whether one is the last; at least one, though it be empty."""
    piece = list(islice(rows, CHUNK))
    while following := list(islice(rows, CHUNK)) if len(piece) == CHUNK else []:
        yield piece, False
        piece = following
    yield piece, True


class _Echo:
    """A file that hands back what is written into it."""

    def write(self, text: str) -> str:
        return text
