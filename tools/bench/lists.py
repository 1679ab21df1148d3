"""Compare the lists of two servers: rows, members, values, and their order.

Times are compared in milliseconds and in any format, because a plain serializer writes
microseconds.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from .client import Response
from .measuring import MeasurementError

_MOMENTS = ("createdDate", "updatedDate")


def require_same(name: str, our_answer: Response, peer_answer: Response) -> None:
    """Raise MeasurementError unless the list of the peer `name` equals ours."""
    for server, response in (("this project", our_answer), (name, peer_answer)):
        if response.status != 200:
            raise MeasurementError(
                f"{server} responded with {response.status}: {response.body[:200]!r}"
            )
    our_rows, peer_rows = _rows(our_answer.body), _rows(peer_answer.body)
    if not our_rows:
        raise MeasurementError("the list is empty")
    if len(our_rows) != len(peer_rows):
        raise MeasurementError(f"{name} returns {len(peer_rows)} rows instead of {len(our_rows)}")
    for expected, actual in zip(our_rows, peer_rows, strict=True):
        if expected != actual:
            raise MeasurementError(f"{name} returns {dict(actual)} instead of {dict(expected)}")


def _rows(body: bytes) -> list[list[tuple[str, Any]]]:
    """Return each row as a list of its members."""
    return [
        [(key, _moment(value) if key in _MOMENTS else value) for key, value in record.items()]
        for record in json.loads(body)["data"]
    ]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
