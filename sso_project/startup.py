"""Stop a server from starting with invalid settings."""

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from accounts.provider.members import CHECK_TAG, SETTING_HINT


def require_valid_settings() -> None:
    """Raise ImproperlyConfigured if a setting is missing or invalid; the message lists them all."""
    errors = [
        message for message in checks.run_checks(tags=[CHECK_TAG]) if message.level >= checks.ERROR
    ]
    if errors:
        lines = "\n".join(f"  {error.msg} ({error.id})" for error in errors)
        raise ImproperlyConfigured(
            f"This server cannot start, because settings are missing or invalid:\n{lines}\n"
            f"{SETTING_HINT}"
        )
