"""System checks of the variables that the settings file reads from the environment."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# A server starts only if the checks with this tag pass (startup.py). They read only settings.
CONFIGURATION = "configuration"


@register(CHECK_TAG)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Return one message (sso_project.E001) for each variable that is missing or malformed."""
    return [
        Error(
            f"{name} {problem}.",
            hint="Set it in the environment or in .env. .env.example explains each variable.",
            id="sso_project.E001",
        )
        for name, problem in settings.ENVIRONMENT_PROBLEMS.items()
    ]
