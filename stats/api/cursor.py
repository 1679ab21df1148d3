"""Paging by a cursor: after (or before) which row the page begins, not how many rows to skip.

Each page costs the same however deep it lies, and rows that come or go meanwhile shift nothing. A
cursor is the last row's values of the ordering's columns, in JSON and base64; it is no secret.
"""

import base64
import binascii
import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from ..models import Stat
from ..queries import StatQuerySet

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000


@dataclass(frozen=True)
class Page:
    """Rows and the addresses of the pages around them (None at the ends)."""

    rows: list[Stat]
    next: str | None
    previous: str | None


def wants_pages(request: Request) -> bool:
    return "limit" in request.query_params or "cursor" in request.query_params


def page_of(figures: StatQuerySet, ordering: Sequence[str], request: Request) -> Page:
    """The page that `?limit=` and `?cursor=` ask for. Raises ParseError for a broken one."""
    limit = _limit(request.query_params.get("limit"))
    backwards, position = _read(request.query_params.get("cursor"), ordering)
    order = [_reversed(column) for column in ordering] if backwards else ordering
    if position is not None:
        figures = figures.filter(_after(order, position))
    rows = list(figures.order_by(*order)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()
    has_next, has_previous = (bool(rows), more) if backwards else (more, position is not None)
    return Page(
        rows,
        _address(request, limit, _cursor(rows[-1], ordering, "n")) if has_next else None,
        _address(request, limit, _cursor(rows[0], ordering, "p"))
        if has_previous and rows
        else None,
    )


def _limit(raw: str | None) -> int:
    if raw is None:
        return DEFAULT_LIMIT
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= MAX_LIMIT) or len(raw) > 9:
        raise ParseError(f"limit: Enter a whole number from 1 to {MAX_LIMIT}.", code="limit")
    return int(raw)


def _reversed(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _after(order: Sequence[str], position: Mapping[str, Any]) -> Q:
    """Rows behind the position: (a > x) or (a = x and b > y) or …"""
    behind, level = Q(), Q()
    for column in order:
        name = column.removeprefix("-")
        lookup = f"{name}__lt" if column.startswith("-") else f"{name}__gt"
        behind |= level & Q(**{lookup: position[name]})
        level &= Q(**{name: position[name]})
    return behind


def _cursor(row: Stat, ordering: Sequence[str], direction: str) -> str:
    names = [column.removeprefix("-") for column in ordering]
    values = {name: _plain(getattr(row, name)) for name in names}
    text = json.dumps([direction, values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _read(cursor: str | None, ordering: Sequence[str]) -> tuple[bool, dict[str, Any] | None]:
    if cursor is None:
        return False, None
    try:
        text = base64.b64decode(cursor.encode() + b"==="[: -len(cursor) % 4], b"-_", validate=True)
        direction, values = json.loads(text)
        position = {
            name: Stat._meta.get_field(name).to_python(values[name])  # type: ignore[union-attr]
            for name in (column.removeprefix("-") for column in ordering)
        }
        if direction not in ("n", "p") or len(values) != len(ordering):
            raise ValueError
        if None in position.values() or not all(map(_fits, position.values())):
            raise ValueError
    except (ValueError, TypeError, KeyError, binascii.Error, ValidationError) as error:
        raise ParseError(
            "cursor: This is no cursor of this list and ordering; follow next and previous.",
            code="cursor",
        ) from error
    return direction == "p", position


def _fits(value: Any) -> bool:
    """Nothing that a database would choke on."""
    if isinstance(value, str):
        return value.isprintable()
    return not isinstance(value, int) or abs(value) < 2**63


def _address(request: Request, limit: int, cursor: str) -> str:
    query = request.query_params.copy()
    query["limit"], query["cursor"] = str(limit), cursor
    return f"{request.build_absolute_uri(request.path)}?{urlencode(sorted(query.lists()), True)}"
