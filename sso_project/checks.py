"""System checks of the variables that the settings file reads from the environment."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from accounts.provider.settings import CHECK_TAG, SETTING_HINT


@register(CHECK_TAG)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return one message (sso_project.E001) for each variable that is missing or malformed."""
    return [
        Error(f"{name} {problem}.", hint=SETTING_HINT, id="sso_project.E001")
        for name, problem in settings.ENVIRONMENT_PROBLEMS.items()
    ]
