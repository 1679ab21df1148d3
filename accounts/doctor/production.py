"""The checks of a live site: its settings, its database and its responses."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit, urlunsplit

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections, router
from django.db.migrations.executor import MigrationExecutor

from ..cognito.config import CognitoConfig
from ..cognito.errors import CognitoError
from ..cognito.safe_urls import is_loopback
from ..cognito.transport import Response
from ..core.app_label import page_url
from ..models import Identity
from . import production_findings as findings
from .finding import Finding
from .probe import Probe

# System checks with a stricter finding here, which replaces them: DEBUG, and a local pool.
_STRICTER_CHECKS = {"security.W018", "accounts.W002"}


def production_problems(config: CognitoConfig, base_url: str) -> Iterator[Finding]:
    """Yield the findings about settings and the database."""
    if settings.DEBUG:
        yield findings.debug_on()
    if not base_url.startswith("https://"):
        yield findings.not_https(base_url)
    if any(map(is_loopback, (config.domain, *config.pool.issuers))):
        yield findings.local_pool_in_use(config.domain)
    for message in checks.run_checks(include_deployment_checks=True):
        is_skipped = message.is_silenced() or message.id in _STRICTER_CHECKS
        if message.level >= checks.WARNING and not is_skipped:
            yield findings.deployment_check(message.msg, message.hint, message.id or "")
    origins = getattr(settings, "CORS_ALLOWED_ORIGINS", ())
    local_origins = [origin for origin in origins if is_loopback(origin)]
    if local_origins:
        yield findings.cors_for_localhost(local_origins)
    yield from _check_database()


def _check_database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connections[router.db_for_write(Identity)])
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield findings.database_unreachable(type(error).__name__)
        return
    if plan:
        yield findings.migrations_missing([f"{step.app_label}.{step.name}" for step, _ in plan])
    elif count := Identity.objects.set_aside().count():
        yield findings.accounts_set_aside(count)


def live_problems(probe: Probe, base_url: str, callback: str) -> Iterator[Finding]:
    """Yield the findings about the running site's redirect to the hosted UI."""
    url = base_url + page_url("login")
    try:
        response = probe.document(url)
    except CognitoError as error:
        yield findings.site_unreachable(url, error.message.replace("Cognito", "the site"))
        return
    location = response.headers.get("Location", "")
    if location == url:
        yield findings.site_redirects_to_itself(url)
        return
    target = urlsplit(location)
    endpoint, expected_endpoint = target._replace(query=""), probe.config.authorize_endpoint
    if urlunsplit(endpoint) != expected_endpoint:
        if target.path == urlsplit(expected_endpoint).path:
            actual = f"COGNITO_CLIENT_DOMAIN={target.scheme}://{target.netloc}"
            expected = f"COGNITO_CLIENT_DOMAIN={probe.config.domain}"
            yield findings.site_sends_elsewhere(base_url, actual, expected)
        else:
            redirect = f", a redirect to {location[:200]}" if location else ""
            yield findings.site_unreachable(url, f"the response is {response.status}{redirect}")
        return
    query = parse_qs(target.query)
    for name, expected in (("redirect_uri", callback), ("client_id", probe.config.client_id)):
        actual = query.get(name, [""])[0]
        if actual != expected:
            yield findings.site_sends_elsewhere(base_url, f"{name}={actual}", f"{name}={expected}")
    if base_url.startswith("https://"):
        yield from _check_cookie(response, base_url)


def _check_cookie(response: Response, base_url: str) -> Iterator[Finding]:
    cookie = response.headers.get("Set-Cookie", "")
    if not all(name in cookie.lower() for name in ("secure", "httponly", "samesite=")):
        yield findings.site_cookie_insecure(base_url, cookie.partition("=")[0] or "of the attempt")
