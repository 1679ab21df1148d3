"""Count the SQL queries of the dashboard (see ../inside.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection

from .wsgi import requests_of

PAGES = 5


def main(headers: dict[str, str]) -> dict[str, Any]:
    """Return the maximum number of queries per page, after a first request."""
    request = requests_of("/dashboard/", headers)
    request()
    counts = []
    for _ in range(PAGES):
        counter = QueryCounter()
        with connection.execute_wrapper(counter):
            request()
        counts.append(counter.count)
    return {"queries": max(counts), "statements": counter.statements.most_common()}


class QueryCounter:
    """A counter of SQL queries, for `connection.execute_wrapper`."""

    def __init__(self) -> None:
        self.statements: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.statements.total()

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self.statements[sql] += 1
        return execute(sql, params, many, context)
