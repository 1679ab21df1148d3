"""`/healthz`: this process answers. `/readyz`: it can also do its work; if not, what is missing.

An orchestrator restarts what is not healthy and sends no requests to what is not ready. So
`/healthz` asks nobody else: restarting us does not mend a database. A cache that is away is no
reason to be unready, since everything works without; nor are keys that are getting old while
Cognito is away, since they still verify.
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
from accounts.provider.shared_cache import accelerator, is_configured

from .trusted_callers import is_trusted

_log = logging.getLogger(__name__)
_migrated: list[bool] = []


@dataclass(frozen=True)
class Finding:
    """`state` is a few words; `ready` is False when no requests should come here."""

    state: str
    ready: bool = True


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while this process answers at all."""
    return _answer({"status": "ok"}, 200)


def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 or 503; trusted callers get the state of each part.

    The cache does not decide whether this process is ready, so only trusted callers probe it.
    """
    trusted = is_trusted(request)
    findings = {name: look() for name, look in PARTS.items() if trusted or look is not _cache}
    ready = all(finding.ready for finding in findings.values())
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if trusted:
        body["parts"] = {name: finding.state for name, finding in findings.items()}
    return _answer(body, 200 if ready else 503)


def _answer(body: dict[str, object], status: int) -> JsonResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def database() -> Finding:
    """Whether it answers and has every table."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        if not _migrated:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return Finding("migrations are missing: manage.py migrate", ready=False)
            _migrated.append(True)
    except (DatabaseError, InterfaceError, ImproperlyConfigured) as error:
        _log.warning("Not ready, the database doesn't answer: %s", error)
        return Finding(f"doesn't answer: {type(error).__name__}", ready=False)
    return Finding("ok")


def _cache() -> Finding:
    if not is_configured():
        return Finding("none configured")
    return Finding("doesn't answer; slower without" if accelerator.is_away() else "ok")


def _keys() -> Finding:
    """Whether access tokens can be verified. Downloads the keys if there are none yet, not more
    often than for an unknown key id."""
    try:
        keys = provider().verifier.keys
        if keys.document is None:
            keys.key("-")
    except UnknownKey:
        pass  # the set is here, and of course holds no such key
    except CognitoError as error:
        return Finding(f"none: {error.code}", ready=False)
    if keys.age is None:
        return Finding("ok, from a snapshot")
    return Finding(f"ok, {keys.age:.0f} s old")


PARTS: dict[str, Callable[[], Finding]] = {"database": database, "cache": _cache, "keys": _keys}
