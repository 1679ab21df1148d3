"""The whole examination, in the order in which one thing depends on another."""

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
from . import pool_findings
from .app_client import Addresses, ClientExamination
from .client_settings import client_problems
from .client_settings import production_problems as description_production_problems
from .finding import Finding
from .pool import PoolExamination
from .probe import Probe
from .production import live_problems, production_problems
from .project import site_problems, wrong_settings

Describe = Callable[[Provider], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Examination:
    """What was found, and what could not be looked at and why."""

    subject: str
    findings: list[Finding] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)


def examine(
    *,
    base_url: str = "",
    production: bool = False,
    describe: Describe = lambda provider: None,
    transport: Transport | None = None,
) -> Examination:
    """Run all checks. `base_url` is how people reach the site, PUBLIC_URL when empty; its path
    precedes the site's own (a stage of API Gateway, a proxy).

    `describe` gives the app client's description or None; what it raises passes through.
    """
    wrong = wrong_settings()
    if wrong:
        return Examination("this site's settings", wrong, [_settings_first()])
    current = provider()
    config, reached_at = current.config, base_url or current.public_url
    base_url, prefix = _split(reached_at)
    probe = Probe(config, transport or Transport(read_seconds=8.0))
    described = describe(current)
    result = Examination(f"pool {config.pool_id}, app client {config.client_id}, site {reached_at}")
    with _below(prefix):
        _examine(result, current, probe, base_url, described, production=production)
    return result


def _examine(
    result: Examination,
    current: Provider,
    probe: Probe,
    base_url: str,
    described: Mapping[str, Any] | None,
    *,
    production: bool,
) -> None:
    config, addresses = current.config, _addresses(current, base_url)
    result.findings.extend(site_problems(current.public_url, base_url))
    result.findings.extend(_network_problems(probe, addresses))
    if described is not None:
        result.findings.extend(client_problems(described, config, current.limits))
    else:
        result.not_checked.append(
            "token lifetimes, rotation and revocation: add --describe (with AWS credentials), or"
            " --client-json with what `aws cognito-idp describe-user-pool-client` prints"
        )
    if production:
        result.findings.extend(production_problems(config, base_url))
        result.findings.extend(live_problems(probe, base_url, addresses.callback))
        if described is not None:
            result.findings.extend(description_production_problems(described, config))
        result.not_checked.append("what only people can judge: docs/go-live.md")


def _settings_first() -> str:
    said = "the pool: settings come first"
    if "dev" not in get_commands():  # a project that took this folder in
        return said
    return f"{said}; with those that `make run` sets itself: `manage.py dev cognito_doctor`"


def _split(address: str) -> tuple[str, str]:
    """The origin, and the path that precedes the site's own."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


@contextmanager
def _below(prefix: str) -> Iterator[None]:
    """Build the site's addresses as requests below this path do (SCRIPT_NAME)."""
    before = get_script_prefix()
    set_script_prefix(f"{prefix}/" if prefix else before)
    try:
        yield
    finally:
        set_script_prefix(before)


def _addresses(current: Provider, base_url: str) -> Addresses:
    try:
        docs_callback = base_url + reverse("docs-redirect")
    except NoReverseMatch:  # a project without the documentation's Authorize button
        docs_callback = ""
    return Addresses(
        callback=base_url + current.callback_url.removeprefix(current.public_url),
        signed_out=base_url + current.signed_out_url.removeprefix(current.public_url),
        public_client_id=current.public_client_id,
        docs_callback=docs_callback,
        # Front ends on this machine are listed by default, for whoever develops one.
        spa_callbacks=tuple(each for each in current.spa_redirect_uris if not is_loopback(each)),
    )


def _network_problems(probe: Probe, addresses: Addresses) -> Iterator[Finding]:
    pool = PoolExamination(probe)
    yield from pool.problems()
    try:
        yield from ClientExamination(probe, addresses, pool.hosted_ui).problems()
    except CognitoError as error:  # it answered at first, and then no more
        yield pool_findings.domain_unreachable(probe.config, error.message, pool.hosted_ui)
