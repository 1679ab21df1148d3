"""Paging by a cursor: after (or before) which row the page begins, not how many rows to skip.

Each page costs the same however deep it lies, and rows that come or go meanwhile shift nothing. A
cursor holds the last row's values of the columns of the ordering. It is no secret, but it is
signed: whatever else a client sends as a cursor is refused before it is decoded.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
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


def _signer(ordering: Sequence[str]) -> Signer:
    """Return a signer whose signatures are valid for this ordering only."""
    return Signer(salt=f"{__name__}:{','.join(ordering)}")


def _cursor(stat: Stat, ordering: Sequence[str], direction: str) -> str:
    values = [_plain(getattr(stat, column.removeprefix("-"))) for column in ordering]
    return _signer(ordering).sign_object([direction, values])


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _read(cursor: str | None, ordering: Sequence[str]) -> tuple[bool, dict[str, Any] | None]:
    """Return whether the page lies before the position, and the position by column.

    Raises ParseError: `_cursor` did not make this cursor, or made it for another ordering.
    """
    if cursor is None:
        return False, None
    try:
        direction, values = _signer(ordering).unsign_object(cursor)
    except BadSignature as error:
        raise ParseError(
            "cursor: This is not a cursor of this list in this ordering. Follow next and previous.",
            code="cursor",
        ) from error
    columns = [column.removeprefix("-") for column in ordering]
    return direction == "p", {
        column: Stat._meta.get_field(column).to_python(value)  # type: ignore[union-attr]
        for column, value in zip(columns, values, strict=True)
    }


def _address(request: Request, limit: int, cursor: str) -> str:
    query = request.query_params.copy()
    query["limit"], query["cursor"] = str(limit), cursor
    return f"{request.build_absolute_uri(request.path)}?{urlencode(sorted(query.lists()), True)}"
