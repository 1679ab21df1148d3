"""Cursor pagination: a page begins after (or before) a given figure, not at an offset.

Each page takes the same time, however far it is from the start, and figures that are added or
deleted do not shift pages. A cursor holds the values of a figure in the columns of the ordering. It
is not secret. It is signed, so that a forged cursor is refused before it is decoded.

CursorPagination of Django REST framework has a position in the first column of the ordering only,
and counts the rows with the same value as an offset. Figures that are added to a month would shift
its pages, and more than 1,000 figures of one month would never be passed.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.signing import BadSignature, Signer
from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from ..models import Stat
from ..queries import StatQuerySet

DEFAULT_LIMIT, MAX_LIMIT = 100, 10_000


@dataclass(frozen=True)
class Page:
    """A page of figures, with the URLs of the next and the previous page, or None."""

    stats: list[Stat]
    next: str | None
    previous: str | None


def is_paginated(request: Request) -> bool:
    return "limit" in request.query_params or "cursor" in request.query_params


def paginate(figures: StatQuerySet, ordering: Sequence[str], request: Request) -> Page:
    """Return the page for `?limit=` and `?cursor=`.

    Raises:
        ValidationError: one of them is invalid.
    """
    limit = _limit(request.query_params.get("limit"))
    backwards, position = _read(request.query_params.get("cursor"), ordering)
    order = [_reverse(column) for column in ordering] if backwards else ordering
    if position is not None:
        figures = figures.filter(_after(order, position))
    stats = list(figures.order_by(*order)[: limit + 1])
    has_more, stats = len(stats) > limit, stats[:limit]
    if backwards:
        stats.reverse()
    has_next, has_previous = (
        (bool(stats), has_more) if backwards else (has_more, position is not None)
    )
    return Page(
        stats,
        _url(request, limit, _cursor(stats[-1], ordering, "n")) if has_next else None,
        _url(request, limit, _cursor(stats[0], ordering, "p")) if has_previous and stats else None,
    )


def _limit(raw: str | None) -> int:
    if raw is None:
        return DEFAULT_LIMIT
    if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:9]) <= MAX_LIMIT) or len(raw) > 9:
        message = _("Enter a whole number from 1 to %(limit)d.") % {"limit": MAX_LIMIT}
        raise ValidationError({"limit": [message]})
    return int(raw)


def _reverse(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _after(order: Sequence[str], position: Mapping[str, Any]) -> Q:
    """Return the condition for figures after `position`: (a > x) or (a = x and b > y) or …"""
    condition, equal = Q(), Q()
    for column in order:
        name = column.removeprefix("-")
        lookup = f"{name}__lt" if column.startswith("-") else f"{name}__gt"
        condition |= equal & Q(**{lookup: position[name]})
        equal &= Q(**{name: position[name]})
    return condition


def _signer(ordering: Sequence[str]) -> Signer:
    """Return a signer for cursors of this ordering only."""
    return Signer(salt=f"{__name__}:{','.join(ordering)}")


def _cursor(stat: Stat, ordering: Sequence[str], direction: str) -> str:
    values = [_plain(getattr(stat, column.removeprefix("-"))) for column in ordering]
    return _signer(ordering).sign_object([direction, values])


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime.datetime) else value


def _read(cursor: str | None, ordering: Sequence[str]) -> tuple[bool, dict[str, Any] | None]:
    """Return True if the page ends before the position, and the position by column or None.

    Raises:
        ValidationError: `cursor` was not created here, or for another ordering.
    """
    if cursor is None:
        return False, None
    try:
        direction, values = _signer(ordering).unsign_object(cursor)
    except BadSignature as error:
        message = (
            "This is not a cursor of this list in this ordering. Use the URLs in next and previous."
        )
        raise ValidationError({"cursor": [message]}) from error
    columns = [column.removeprefix("-") for column in ordering]
    return direction == "p", {
        column: Stat._meta.get_field(column).to_python(value)  # type: ignore[union-attr]
        for column, value in zip(columns, values, strict=True)
    }


def _url(request: Request, limit: int, cursor: str) -> str:
    query = request.query_params.copy()
    query["limit"], query["cursor"] = str(limit), cursor
    return f"{request.build_absolute_uri(request.path)}?{urlencode(sorted(query.lists()), True)}"
