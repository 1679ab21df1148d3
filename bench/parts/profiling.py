"""The measurements of `profile` (runs inside, see ../inside.py)."""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from collections import Counter
from typing import Any
from unittest.mock import patch

from django.db import connection

from accounts import revocations
from accounts.authentication import CognitoAuthentication

from .page import QueryCounter
from .wsgi import requests_of

# Areas by what stands in a file's path; the first that fits counts.
AREAS = {
    "/accounts/": "authentication, sessions (`accounts`)",
    "/stats/": "the list (`stats`, `direct_json`)",
    "/sso_project/direct_json": "the list (`stats`, `direct_json`)",
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
    "/django/db/": "Django's ORM",
    "/sqlite3/": "the database itself",
    "/psycopg": "the database itself",
    "/django/": "Django's requests and answers",
}
REST = "Python itself"


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Shares of 1; `queries` are authentication's own, without the revocation feed's reading."""
    request = requests_of("/api/stats", order["headers"])
    request()
    watch = Watch()
    shares = []
    with patch.object(CognitoAuthentication, "authenticate", watch.around()):
        for _ in range(order["rounds"]):
            shares.append(watch.share_of(request, order["requests"] // 10))
    profile = cProfile.Profile(time.thread_time)  # waiting is not counted
    profile.enable()
    for _ in range(order["requests"]):
        request()
    profile.disable()
    return {
        "authentication": shares,
        "queries": watch.queries.count,
        "areas": areas(pstats.Stats(profile)),
    }


class Watch:
    """What authentication takes of each request's CPU time, and which queries it makes."""

    def __init__(self) -> None:
        self.queries = QueryCounter()
        self._taken = 0.0
        self._authenticate = CognitoAuthentication.authenticate
        self._read = revocations.RevocationFeed._read

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


def areas(profile: pstats.Stats) -> dict[str, float]:
    """Each area's own time as a share, the greatest first; what C functions take is their caller's,
    the database's excepted."""
    own: Counter[str] = Counter()
    for (file, _, name), (_, _, seconds, _, callers) in profile.stats.items():  # type: ignore[attr-defined]
        if file != "~" or "sqlite3" in name or "psycopg" in name:
            own[area_of(file, name)] += seconds
            continue
        for (calling_file, _, calling_name), (_, _, part, _) in callers.items():
            own[area_of(calling_file, calling_name)] += part
    total = own.total()
    return {area: seconds / total for area, seconds in own.most_common()}


def area_of(file: str, name: str) -> str:
    path = f"/sqlite3/{name}" if "sqlite3" in name else file
    return next((area for part, area in AREAS.items() if part in path), REST)
