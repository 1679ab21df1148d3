"""Probes for an orchestrator: `/healthz` (liveness) and `/readyz` (readiness).

An orchestrator restarts a process that is not healthy, and sends no requests to one that is not
ready. So `/healthz` checks no other system: a restart does not repair a database. `/readyz` ignores
an unavailable cache, because the site works without it. It also accepts old signing keys while
Cognito is unavailable, because they still verify tokens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from accounts.cognito.errors import CognitoError, UnknownKey
from accounts.provider import provider
from accounts.provider.shared_cache import is_configured, shared_cache

from .trusted_callers import is_trusted

_log = logging.getLogger(__name__)
_migrated: list[bool] = []


@dataclass(frozen=True)
class Finding:
    """The result of one check: a short description, and whether requests may be sent here."""

    state: str
    ready: bool = True


def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200: this process responds."""
    return _response({"status": "ok"}, 200)


def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 or 503, and the state of each part if the caller is trusted.

    The cache does not decide whether this process is ready, so only trusted callers probe it.
    """
    trusted = is_trusted(request)
    findings = {name: check() for name, check in CHECKS.items() if trusted or check is not _cache}
    ready = all(finding.ready for finding in findings.values())
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if trusted:
        body["parts"] = {name: finding.state for name, finding in findings.items()}
    return _response(body, 200 if ready else 503)


def _response(body: dict[str, object], status: int) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def database() -> Finding:
    """Check that the database responds and that no migration is missing."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return Finding("migrations are missing: manage.py migrate", ready=False)
            _migrated.append(True)
    except (DatabaseError, InterfaceError, ImproperlyConfigured) as error:
        _log.warning("Not ready: the database does not respond: %s", error)
        return Finding(f"does not respond: {type(error).__name__}", ready=False)
    return Finding("ok")


def _cache() -> Finding:
    if not is_configured():
        return Finding("none configured")
    return Finding("does not respond; slower without it" if shared_cache.is_down() else "ok")


def _keys() -> Finding:
    """Check that there are signing keys to verify access tokens with.

    If there are none yet, it downloads them, under the same limit as for an unknown key ID.
    """
    try:
        keys = provider().keys
        if keys.document is None:
            keys.key("-")
    except UnknownKey:
        pass  # the keys were downloaded; "-" is not the ID of any of them
    except CognitoError as error:
        return Finding(f"none: {error.code}", ready=False)
    if keys.age is None:
        return Finding("ok, from a snapshot")
    return Finding(f"ok, {keys.age:.0f} s old")


CHECKS: dict[str, Callable[[], Finding]] = {"database": database, "cache": _cache, "keys": _keys}
