"""The whole examination, in the order in which the checks depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.core.management import get_commands
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix

from ..cognito.errors import CognitoError
from ..cognito.safe_urls import is_loopback
from ..cognito.transport import Transport
from ..provider import Provider, provider
from ..provider.aws import AwsError
from ..provider.secret_source import SecretSource
from . import pool_findings
from .app_client import ClientExamination, SiteUrls
from .client_settings import client_problems
from .client_settings import production_problems as client_production_problems
from .finding import Finding
from .pool import PoolExamination
from .pool_settings import issuer_in_use, issuer_note
from .probe import Probe
from .production import live_problems, production_problems
from .project import setting_problems, site_problems
from .session_settings import SessionSettings, session_problems
from .session_settings import note as session_note

Description = Mapping[str, Any] | None


@dataclass(frozen=True)
class Examination:
    """The findings, facts that are worth knowing, and the checks that were not done."""

    subject: str
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)


def examine(
    *,
    base_url: str = "",
    production: bool = False,
    describe: Callable[[Provider], Description] = lambda provider: None,
    describe_pool: Callable[[Provider], Description] = lambda provider: None,
    describe_sessions: Callable[[Provider], SessionSettings | None] = lambda provider: None,
    transport: Transport | None = None,
) -> Examination:
    """Run all checks.

    `base_url` is the URL at which users reach the site, "" for PUBLIC_URL. Its path precedes the
    paths of the site (a stage of API Gateway, a proxy).

    `describe` returns the app client's description, or None. Its exceptions are not caught.
    `describe_pool` returns that of the pool, `describe_sessions` the settings of its sessions, or
    None. If one of these raises AwsError, that is reported as a check that was not done.
    """
    findings = setting_problems()
    if findings:
        return Examination("the settings of this site", findings, not_checked=[_settings_first()])
    current = provider()
    config, site_url = current.config, base_url or current.public_url
    base_url, prefix = _split_path(site_url)
    probe = Probe(config, transport or Transport(read_seconds=8.0))
    description = describe(current)
    result = Examination(
        f"pool {config.pool_id}, app client {config.client_id} with {SecretSource(config)}, site"
        f" {site_url}"
    )
    issuer = _issuer_in_use(result, current, describe_pool)
    _check_sessions(result, current, describe_sessions)
    with _script_prefix(prefix):
        _examine(result, current, probe, base_url, description, issuer, production=production)
    return result


def _examine(
    result: Examination,
    current: Provider,
    probe: Probe,
    base_url: str,
    description: Description,
    issuer: str,
    *,
    production: bool,
) -> None:
    config, urls = current.config, _site_urls(current, base_url)
    result.findings.extend(site_problems(current.public_url, base_url))
    result.findings.extend(_network_problems(probe, urls, issuer))
    if description is not None:
        result.findings.extend(client_problems(description, config, current.limits))
    else:
        result.not_checked.append(
            "token lifetimes, rotation and revocation: add --describe (with AWS credentials), or"
            " --client-json with the output of `aws cognito-idp describe-user-pool-client`"
        )
    if production:
        result.findings.extend(production_problems(config, base_url))
        result.findings.extend(live_problems(probe, base_url, urls.callback))
        if description is not None:
            result.findings.extend(client_production_problems(description, config))
        result.not_checked.append("the checks that no command can do: docs/go-live.md")


def _issuer_in_use(
    result: Examination, current: Provider, describe_pool: Callable[[Provider], Description]
) -> str:
    """Return the issuer of the pool's new tokens, or "" if it is not known, and note its type."""
    try:
        description = describe_pool(current)
    except AwsError as error:  # the credentials may allow only to describe the app client
        result.not_checked.append(f"the type of the pool's issuer: {error}")
        return ""
    if description is None:
        return ""
    result.notes.append(issuer_note(description, current.pool))
    return issuer_in_use(description, current.pool)


def _check_sessions(
    result: Examination,
    current: Provider,
    describe_sessions: Callable[[Provider], SessionSettings | None],
) -> None:
    try:
        settings = describe_sessions(current)
    except AwsError as error:
        result.not_checked.append(f"the pool's sessions: {error}")
        return
    if settings is not None:
        result.notes.append(session_note(settings))
        result.findings.extend(session_problems(settings, current))


def _settings_first() -> str:
    reason = "the pool: fix the settings first"
    if "dev" not in get_commands():  # a host project does not have this command
        return reason
    return f"{reason}, or use the settings of `make run`: `manage.py dev cognito_doctor`"


def _split_path(url: str) -> tuple[str, str]:
    """Return the origin of `url`, and its path without a slash at the end."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


@contextmanager
def _script_prefix(prefix: str) -> Iterator[None]:
    """Build the paths of the site as for requests below this prefix (SCRIPT_NAME)."""
    previous = get_script_prefix()
    set_script_prefix(f"{prefix}/" if prefix else previous)
    try:
        yield
    finally:
        set_script_prefix(previous)


def _site_urls(current: Provider, base_url: str) -> SiteUrls:
    try:
        docs_callback = base_url + reverse("docs-redirect")
    except NoReverseMatch:  # a project without the Authorize button of the API documentation
        docs_callback = ""
    return SiteUrls(
        callback=base_url + current.callback_url.removeprefix(current.public_url),
        signed_out=base_url + current.signed_out_url.removeprefix(current.public_url),
        public_client_id=current.public_client_id,
        docs_callback=docs_callback,
        # The default list has URLs on localhost for development, which a pool need not register.
        spa_callbacks=tuple(url for url in current.spa_redirect_uris if not is_loopback(url)),
    )


def _network_problems(probe: Probe, urls: SiteUrls, issuer: str) -> Iterator[Finding]:
    pool = PoolExamination(probe, issuer_in_use=issuer)
    yield from pool.problems()
    try:
        yield from ClientExamination(probe, urls, pool.hosted_ui).problems()
    except CognitoError as error:  # the hosted UI responded at first, and then no longer
        yield pool_findings.domain_unreachable(probe.config, error.message, pool.hosted_ui)
