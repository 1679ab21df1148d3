"""The sign-in log: every step of an attempt under its reference, in one form.

`7c1e09ab  token  ms=41`. Values come from people and from the network, so whatever could break
the line is made visible; codes, tokens and secrets are never passed in. What is worth keeping
beyond the log goes through `events.record`, which takes the steps noted here along.
"""

import logging
import time
from contextvars import ContextVar
from typing import Any

from ..core.app_label import PACKAGE

_log = logging.getLogger(f"{PACKAGE}.sign_in")
_LONGEST = 200  # characters of one value
_MOST_STEPS = 20

Steps = list[dict[str, Any]]
# The steps of the attempt this thread is at: a request is about one attempt at a time.
_steps: ContextVar[tuple[str, Steps]] = ContextVar("steps", default=("", []))


def note(reference: str, step: str, *, level: int = logging.INFO, **details: object) -> None:
    """Write one step. `details` with an empty or None value are left out."""
    given = {name: _safe(value) for name, value in details.items() if value not in ("", None)}
    words = [f"{name}={value}" for name, value in given.items()]
    _log.log(level, "%s  %s", reference or "-" * 8, "  ".join([step, *words]))
    if reference:
        _remember(reference, {"at": round(time.time(), 3), "step": step, **given})


def taken_steps(reference: str) -> Steps:
    """The steps noted under `reference` since this was last asked, without the last one."""
    known, steps = _steps.get()
    if not reference or known != reference:
        return []
    _steps.set(("", []))
    return steps[:-1]


def _remember(reference: str, step: dict[str, Any]) -> None:
    known, steps = _steps.get()
    steps = steps if known == reference else []
    _steps.set((reference, [*steps, step][-_MOST_STEPS:]))


def _safe(value: object) -> str:
    text = str(value)[:_LONGEST]
    return text if text.isprintable() else ascii(text)
