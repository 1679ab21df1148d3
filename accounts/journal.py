"""The sign-in log: every step of an attempt under its reference, in one form.

`7c1e09ab  token  ms=41`. Values come from people and from the network, so whatever could break
the line is made visible; codes, tokens and secrets are never passed in.
"""

import logging

_log = logging.getLogger(f"{__package__}.sign_in")
_LONGEST = 200  # characters of one value


def note(reference: str, step: str, *, level: int = logging.INFO, **details: object) -> None:
    """Write one step. `details` with an empty or None value are left out."""
    words = [f"{name}={_safe(value)}" for name, value in details.items() if value not in ("", None)]
    _log.log(level, "%s  %s", reference or "-" * 8, "  ".join([step, *words]))


def _safe(value: object) -> str:
    text = str(value)[:_LONGEST]
    return text if text.isprintable() else ascii(text)
