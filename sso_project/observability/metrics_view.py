"""`/metrics`, for trusted callers: what all processes of this server counted, and what the database
holds."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, connection
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from accounts.models import PendingRevocation, SignIn

from .trusted_callers import is_trusted

COUNT_EVERY = 60.0  # seconds: counting rows is not for every scrape


class DatabaseCollector(Collector):
    """Gauges that every server reads alike: take the maximum over servers, not the sum."""

    def __init__(self) -> None:
        self._counted_at = float("-inf")
        self._counts: dict[str, int] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        reached = self._count()
        yield GaugeMetricFamily("sso_database_up", "Whether the database answered.", reached)
        for name, meaning in (
            ("sso_sessions", "Signed-in browsers."),
            ("sso_pending_revocations", "Refresh tokens that Cognito has yet to be told about."),
        ):
            if name in self._counts:
                yield GaugeMetricFamily(name, meaning, self._counts[name])

    def _count(self) -> bool:
        """Whether the database answers now; rows are counted anew once in a while."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            if time.monotonic() - self._counted_at >= COUNT_EVERY:
                self._counts = {
                    "sso_sessions": SignIn.objects.live().count(),
                    "sso_pending_revocations": PendingRevocation.objects.count(),
                }
                self._counted_at = time.monotonic()
        except (DatabaseError, InterfaceError):
            self._counts, self._counted_at = {}, float("-inf")
            return False
        return True


DATABASE = DatabaseCollector()


def metrics_view(request: HttpRequest) -> HttpResponse:
    """The text format of Prometheus; 404 for everybody who is not trusted."""
    if not is_trusted(request):
        raise Http404
    body = generate_latest(_processes()) + generate_latest(_database())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _processes() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _database() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DATABASE)
    return registry
