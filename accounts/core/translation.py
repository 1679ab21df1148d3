"""Mark a message for translation in a module that is imported before Django is set up."""

from __future__ import annotations


def gettext_noop(message: str) -> str:
    """Return `message` itself. The code that shows it calls Django's `gettext`."""
    return message
