"""System checks of what the settings file itself reads from the environment."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# Checks with this tag decide whether a server may start (startup.py). They read settings only.
CONFIGURATION = "configuration"


@register(CONFIGURATION)
def check_environment(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """sso_project.E001: a variable is missing or malformed; one message for each."""
    return [
        Error(
            f"{name} {problem}.",
            hint="Set it in the environment or in .env; .env.example explains each variable.",
            id="sso_project.E001",
        )
        for name, problem in settings.ENVIRONMENT_PROBLEMS.items()
    ]
