"""The measurements of `profile` (see ../inside.py)."""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from types import FrameType
from typing import Any
from unittest.mock import patch

from django.db import connection

from accounts.authentication import CognitoAuthentication
from accounts.tokens import revocation_feed
from stats.api import stream

from ..measuring import in_turn
from .page import QueryCounter
from .wsgi import requests_of

# Areas by a part of the file's path; the first match counts.
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
    "/django/": "Django's requests and responses",
}
REST = "Python itself"
SAMPLE_INTERVAL = 0.004  # seconds; the resolution of the system's clock


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Return shares of 1, and the queries of authentication without the revocation feed."""
    request = requests_of("/api/stats", order["headers"])
    request()
    watch = Watch()
    shares = []
    with patch.object(CognitoAuthentication, "authenticate", watch.wrap()):
        for _ in range(order["rounds"]):
            shares.append(watch.share_of(request, order["requests"] // 10))
    repeated = in_turn(
        {
            "repeated": lambda: _seconds_of(request, order["requests"] // 10),
            "first": lambda: _seconds_of(_first(request), order["requests"] // 10),
        },
        order["rounds"],
    )
    with Samples() as samples:
        while samples.areas.total() < order["samples"]:
            request()
    return {
        "authentication": shares,
        "queries": watch.queries.count,
        "areas": samples.shares(),
        **{kind: series.values for kind, series in repeated.items()},
    }


def _seconds_of(request: Callable[[], object], times: int) -> float:
    started = time.thread_time()
    for _ in range(times):
        request()
    return (time.thread_time() - started) / times


def _first(request: Callable[[], object]) -> Callable[[], object]:
    """Return `request`, but each time as after a change of the figures."""

    def first() -> object:
        stream._short_list.cache_clear()
        return request()

    return first


class Samples:
    """A sampling profiler for the main thread, driven by the CPU time of this process.

    Samples are taken between two steps of the interpreter, so that a function written in C counts
    for its Python caller. Unlike tracing every call, sampling does not slow down small functions.
    """

    def __init__(self) -> None:
        self.areas: Counter[str] = Counter()

    def __enter__(self) -> Samples:
        self._before = signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_INTERVAL, SAMPLE_INTERVAL)
        return self

    def __exit__(self, *error: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, self._before)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        if frame is not None:
            self.areas[area_of(frame.f_code.co_filename)] += 1

    def shares(self) -> dict[str, float]:
        """Return the share of each area, the greatest first."""
        total = self.areas.total()
        return {area: count / total for area, count in self.areas.most_common()}


class Watch:
    """Measure the share of authentication in the CPU time, and count its queries."""

    def __init__(self) -> None:
        self.queries = QueryCounter()
        self._taken = 0.0
        self._authenticate = CognitoAuthentication.authenticate
        self._read = revocation_feed.RevocationFeed._read

    def wrap(self) -> Any:
        def authenticate(authentication: CognitoAuthentication, request: Any) -> Any:
            started = time.thread_time()
            with connection.execute_wrapper(self._count):
                result = self._authenticate(authentication, request)
            self._taken += time.thread_time() - started
            return result

        return authenticate

    def _count(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
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
