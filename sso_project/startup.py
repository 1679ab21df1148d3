"""A server that is set up wrongly does not start: it names every mistake and exits."""

from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from accounts.provider.settings import CHECK_TAG, SETTING_HINT


def refuse_if_misconfigured() -> None:
    """Raise ImproperlyConfigured with one line for each wrong setting, if there is any."""
    errors = [
        message for message in checks.run_checks(tags=[CHECK_TAG]) if message.level >= checks.ERROR
    ]
    if errors:
        lines = "\n".join(f"  {error.msg} ({error.id})" for error in errors)
        raise ImproperlyConfigured(f"This server is set up wrongly:\n{lines}\n{SETTING_HINT}")
