"""The go-live checks: what is fine on a laptop and wrong at a live site."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit, urlunsplit

from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from ..cognito.config import CognitoConfig
from ..cognito.errors import CognitoError
from ..cognito.safe_urls import is_loopback
from ..cognito.transport import Response
from ..core.app_label import page_address
from . import production_findings as findings
from .finding import Finding
from .probe import Probe

_TOLD_ABOVE = {"security.W018", "accounts.W002"}  # DEBUG, and a pool on this machine


def production_problems(config: CognitoConfig, base_url: str) -> Iterator[Finding]:
    """What settings and database tell."""
    if settings.DEBUG:
        yield findings.debug_on()
    if not base_url.startswith("https://"):
        yield findings.not_https(base_url)
    if is_loopback(config.domain) or is_loopback(config.issuer):
        yield findings.local_pool_in_use(config.domain)
    for message in checks.run_checks(include_deployment_checks=True):
        told = message.is_silenced() or message.id in _TOLD_ABOVE
        if message.level >= checks.WARNING and not told:
            yield findings.deployment_check(message.msg, message.hint, message.id or "")
    origins = [each for each in getattr(settings, "CORS_ALLOWED_ORIGINS", ()) if is_loopback(each)]
    if origins:
        yield findings.cors_for_localhost(origins)
    yield from _database()


def _database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield findings.database_unreachable(type(error).__name__)
        return
    if plan:
        yield findings.migrations_missing([f"{step.app_label}.{step.name}" for step, _ in plan])


def live_problems(probe: Probe, base_url: str, callback: str) -> Iterator[Finding]:
    """What the running site does when somebody begins to sign in there."""
    address = base_url + page_address("login")
    try:
        answer = probe.document(address)
    except CognitoError as error:
        yield findings.site_unreachable(address, error.message.replace("Cognito", "the site"))
        return
    location = answer.headers.get("Location", "")
    if location == address:
        yield findings.site_redirects_to_itself(address)
        return
    target = urlsplit(location)
    asked, ours = urlunsplit(target._replace(query="")), probe.config.authorize_endpoint
    if asked != ours and target.path == urlsplit(ours).path:
        domain = f"COGNITO_CLIENT_DOMAIN={target.scheme}://{target.netloc}"
        expected = f"COGNITO_CLIENT_DOMAIN={probe.config.domain}"
        yield findings.site_sends_elsewhere(base_url, domain, expected)
        return
    if asked != ours:
        reason = f"it answered {answer.status}{f' to {location[:200]}' if location else ''}"
        yield findings.site_unreachable(address, reason)
        return
    sent = parse_qs(target.query)
    for name, expected in (("redirect_uri", callback), ("client_id", probe.config.client_id)):
        actual = sent.get(name, [""])[0]
        if actual != expected:
            yield findings.site_sends_elsewhere(base_url, f"{name}={actual}", f"{name}={expected}")
    if base_url.startswith("https://"):
        yield from _cookie(answer, base_url)


def _cookie(answer: Response, base_url: str) -> Iterator[Finding]:
    cookie = answer.headers.get("Set-Cookie", "")
    said = cookie.lower()
    if not all(word in said for word in ("secure", "httponly", "samesite=")):
        yield findings.site_cookie_insecure(base_url, cookie.partition("=")[0] or "of the sign-in")
