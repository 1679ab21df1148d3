"""Checks of this site's own settings, which require no network."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.http.request import split_domain_port, validate_host
from django.utils.module_loading import import_string

from ..provider.members import CHECK_TAG
from . import project_findings as findings
from .finding import Finding

_PACKAGE = __package__.rpartition(".")[0]  # a host project may rename the folder


def setting_problems() -> list[Finding]:
    """Return the errors of the system checks of settings. Other checks require that none exist."""
    return [
        findings.setting_wrong(message.msg, message.hint)
        for message in checks.run_checks(tags=[CHECK_TAG])
        if message.level >= checks.ERROR
    ]


def site_problems(public_url: str, base_url: str) -> Iterator[Finding]:
    """Yield the settings with which users of `base_url` cannot sign in or do not stay signed in."""
    if base_url != public_url:
        yield findings.public_url_differs(public_url, base_url)
    host, _ = split_domain_port(urlsplit(base_url).netloc)  # with brackets, as in ALLOWED_HOSTS
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield findings.host_not_allowed(host, list(dict.fromkeys(settings.ALLOWED_HOSTS)))
    yield from _check_cookies(base_url, host)
    yield from _check_installed_classes()


def _check_cookies(base_url: str, host: str) -> Iterator[Finding]:
    names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE")
    disabled = [name for name in names if not getattr(settings, name)]
    if base_url.startswith("https://") and disabled:
        yield findings.cookies_not_secure(base_url, disabled)
    if base_url.startswith("http://") and len(disabled) < len(names):
        yield findings.cookies_not_returned(base_url)
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        yield findings.session_cookie_strict()
    domain = (settings.SESSION_COOKIE_DOMAIN or "").lstrip(".")
    if domain and host != domain and not host.endswith(f".{domain}"):
        yield findings.session_cookie_of_another_domain(domain, host)


def _check_installed_classes() -> Iterator[Finding]:
    middleware = f"{_PACKAGE}.middleware.SignInMiddleware"
    names = list(settings.MIDDLEWARE)
    before = "django.contrib.auth.middleware.AuthenticationMiddleware"
    if middleware not in names or any(
        _is_subclass(name, before) for name in names[names.index(middleware) :]
    ):
        yield findings.middleware_missing(middleware)
    private = f"{_PACKAGE}.middleware.PrivateResponseMiddleware"
    after = "django.contrib.sessions.middleware.SessionMiddleware"
    if names and (
        private not in names
        or any(_is_subclass(name, after) for name in names[: names.index(private)])
    ):
        yield findings.private_responses_missing(private)
    backend = f"{_PACKAGE}.backends.CognitoBackend"
    if not any(_is_subclass(path, backend) for path in settings.AUTHENTICATION_BACKENDS):
        yield findings.backend_missing(backend)


def _is_subclass(path: str, base: str) -> bool:
    """Return True if `path` can be imported and is the class at `base` or a subclass of it."""
    try:
        return issubclass(import_string(path), import_string(base))
    except ImportError:
        return False
