"""System checks of the variables that the settings file reads from the environment."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.checks import CheckMessage, Error, register
from django.http.request import validate_host

from accounts.provider.members import CHECK_TAG, SETTING_HINT


@register(CHECK_TAG)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return one message (sso_project.E001) for each variable that is missing or malformed."""
    problems = dict(settings.ENVIRONMENT_PROBLEMS)
    host = urlsplit(settings.PUBLIC_URL).hostname
    if host and not settings.DEBUG and not validate_host(host, settings.ALLOWED_HOSTS):
        problems["ALLOWED_HOSTS"] = f"does not contain {host}, the host of PUBLIC_URL"
    if settings.SITE_LOGO and not _is_static_file(settings.SITE_LOGO):
        problems["SITE_LOGO"] = f"({settings.SITE_LOGO}) is not the path of a static file"
    return [
        Error(f"{name} {problem}.", hint=SETTING_HINT, id="sso_project.E001")
        for name, problem in problems.items()
    ]


def _is_static_file(path: str) -> bool:
    """Return True for a static file of the source, or of the collected ones if it has no source."""
    return path in getattr(staticfiles_storage, "hashed_files", {}) or bool(finders.find(path))
