"""Whether two lists say the same: members, their order, rows, their order, and values.

Times count to the millisecond and in any way of writing them, since a plain serializer writes
microseconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from .client import Answer
from .measuring import Refused

_MOMENTS = ("createdDate", "updatedDate")


def require_same(name: str, ours: Answer, theirs: Answer) -> None:
    """Raises Refused when `theirs`, of that name, is another list than `ours`."""
    for whose, answer in (("this project", ours), (name, theirs)):
        if answer.status != 200:
            raise Refused(f"{whose} answers {answer.status}: {answer.body[:200]!r}")
    here, there = _rows(ours.body), _rows(theirs.body)
    if not here:
        raise Refused("the list is empty")
    if len(here) != len(there):
        raise Refused(f"{name} answers {len(there)} rows, and there are {len(here)}")
    for mine, other in zip(here, there, strict=True):
        if mine != other:
            raise Refused(f"{name} answers {dict(other)} where this project says {dict(mine)}")


def _rows(body: bytes) -> list[list[tuple[str, Any]]]:
    """Each row as its members in their order."""
    return [
        [(key, _moment(value) if key in _MOMENTS else value) for key, value in row.items()]
        for row in json.loads(body)["data"]
    ]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
