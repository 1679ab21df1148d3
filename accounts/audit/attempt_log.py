"""The log lines of one attempt, under its reference: `7c1e09ab  token  ms=41`.

Values may come from a client, so characters that could break the line are escaped. Codes, tokens
and secrets are never logged. `events.record_event` stores the steps of an attempt in its event.
"""

import logging
import time
from contextvars import ContextVar
from typing import Any

from ..core.app_label import PACKAGE

_log = logging.getLogger(f"{PACKAGE}.sign_in")
_MAX_LENGTH = 200  # characters of one value
_MAX_STEPS = 20

Steps = list[dict[str, Any]]
# The steps of the current attempt. A request handles one attempt at a time.
_steps: ContextVar[tuple[str, Steps]] = ContextVar("steps", default=("", []))


def log_step(reference: str, step: str, *, level: int = logging.INFO, **details: object) -> None:
    """Log one step. `details` that are empty or None are left out."""
    values = {name: _safe(value) for name, value in details.items() if value not in ("", None)}
    words = [f"{name}={value}" for name, value in values.items()]
    _log.log(level, "%s  %s", reference or "-" * 8, "  ".join([step, *words]))
    if reference:
        _append(reference, {"at": round(time.time(), 3), "step": step, **values})


def pop_steps(reference: str) -> Steps:
    """Return the steps under `reference` since the last call, without the last step."""
    current, steps = _steps.get()
    if not reference or current != reference:
        return []
    _steps.set(("", []))
    return steps[:-1]


def _append(reference: str, step: dict[str, Any]) -> None:
    current, steps = _steps.get()
    steps = steps if current == reference else []
    _steps.set((reference, [*steps, step][-_MAX_STEPS:]))


def _safe(value: object) -> str:
    text = str(value)[:_MAX_LENGTH]
    return text if text.isprintable() else ascii(text)
