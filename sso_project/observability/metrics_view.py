"""`/metrics`: the totals of all processes of this server, and counts from the database."""

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

COUNT_INTERVAL_SECONDS = 60.0  # counting is too expensive for every scrape


class DatabaseCollector(Collector):
    """Gauges from the shared database.

    They are the same on every server, so aggregate them with the maximum, not the sum.
    """

    def __init__(self) -> None:
        self._counted_at = float("-inf")
        self._counts: dict[str, int] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        is_up = self._count()
        yield GaugeMetricFamily("sso_database_up", "1 if the database responds, else 0.", is_up)
        for name, description in (
            ("sso_sessions", "Signed-in browsers."),
            ("sso_pending_revocations", "Refresh tokens that are still to be revoked at Cognito."),
        ):
            if name in self._counts:
                yield GaugeMetricFamily(name, description, self._counts[name])

    def _count(self) -> bool:
        """Return True if the database responds, and update the counts if they are old."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            if time.monotonic() - self._counted_at >= COUNT_INTERVAL_SECONDS:
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
    """Return all metrics in the Prometheus text format, or 404 if the caller is not trusted."""
    if not is_trusted(request):
        raise Http404
    body = generate_latest(_process_registry()) + generate_latest(_database_registry())
    return HttpResponse(body, content_type=CONTENT_TYPE_LATEST)


def _process_registry() -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _database_registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(DATABASE)
    return registry
