"""The measurements of `profile` (runs inside, see ../inside.py)."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from types import FrameType
from typing import Any
from unittest.mock import patch

from django.db import connection

from accounts.authentication import CognitoAuthentication
from accounts.tokens import revocation_feed

from .page import QueryCounter
from .wsgi import requests_of

# Areas by what stands in a file's path; the first that fits counts.
AREAS = {
    "/accounts/": "authentication, sessions (`accounts`)",
    "/stats/": "the list (`stats`)",
    "/sso_project/": "log, metrics, headers (`sso_project`)",
    "/prometheus_client/": "log, metrics, headers (`sso_project`)",
    "/logging/": "log, metrics, headers (`sso_project`)",
    "/csp/": "other middleware",
    "/corsheaders/": "other middleware",
    "/whitenoise/": "other middleware",
    "/django/middleware/": "other middleware",
    "/django/contrib/": "other middleware",
    "/rest_framework/": "Django REST framework",
    "/json/": "JSON",
    "/django/db/backends/sqlite3/": "the database itself",
    "/psycopg": "the database itself",
    "/django/db/": "Django's ORM",
    "/django/": "Django's requests and answers",
}
REST = "Python itself"
EVERY = 0.004  # seconds; the system's clock is no finer


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Shares of 1; `queries` are authentication's own, without the revocation feed's reading."""
    request = requests_of("/api/stats", order["headers"])
    request()
    watch = Watch()
    shares = []
    with patch.object(CognitoAuthentication, "authenticate", watch.around()):
        for _ in range(order["rounds"]):
            shares.append(watch.share_of(request, order["requests"] // 10))
    with Samples() as samples:
        while samples.areas.total() < order["samples"]:
            request()
    return {
        "authentication": shares,
        "queries": watch.queries.count,
        "areas": samples.shares(),
    }


class Samples:
    """In which area Python is, looked at every few milliseconds of this process's CPU time.

    A look happens between two steps of the interpreter, so that a function written in C counts for
    the Python that called it. Looking costs nothing in between, unlike counting every call, by
    which many small functions look dear. In the main thread alone.
    """

    def __init__(self) -> None:
        self.areas: Counter[str] = Counter()

    def __enter__(self) -> Samples:
        self._before = signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        return self

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)

    def _look(self, number: int, frame: FrameType | None) -> None:
        if frame is not None:
            self.areas[area_of(frame.f_code.co_filename)] += 1

    def shares(self) -> dict[str, float]:
        """Each area's share of 1, the greatest first."""
        total = self.areas.total()
        return {area: count / total for area, count in self.areas.most_common()}


class Watch:
    """What authentication takes of each request's CPU time, and which queries it makes."""

    def __init__(self) -> None:
        self.queries = QueryCounter()
        self._taken = 0.0
        self._authenticate = CognitoAuthentication.authenticate
        self._read = revocation_feed.RevocationFeed._read

    def around(self) -> Any:
        def authenticate(authentication: CognitoAuthentication, request: Any) -> Any:
            started = time.thread_time()
            with connection.execute_wrapper(self._counted):
                found = self._authenticate(authentication, request)
            self._taken += time.thread_time() - started
            return found

        return authenticate

    def _counted(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if _is_running(self._read.__code__):
            return execute(sql, params, many, context)
        return self.queries(execute, sql, params, many, context)

    def share_of(self, request: Any, times: int) -> float:
        self._taken, started = 0.0, time.thread_time()
        for _ in range(times):
            request()
        return self._taken / (time.thread_time() - started)


def _is_running(code: Any) -> bool:
    frame = sys._getframe()
    while frame is not None and frame.f_code is not code:
        frame = frame.f_back  # type: ignore[assignment] # None at the end
    return frame is not None


def area_of(file: str) -> str:
    return next((area for part, area in AREAS.items() if part in file), REST)
