"""Decorators for views that must work while Cognito does not respond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def without_renewal(view: View) -> View:
    """Exempt a view, such as signing out, from renewal: it works while Cognito is unavailable."""
    view.without_renewal = True  # type: ignore[attr-defined]
    return view
