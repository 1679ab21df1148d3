"""Decorators for views that must work while Cognito does not respond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


def without_renewal(view: View) -> View:
    """Mark a view that must work whatever Cognito does, such as signing out."""
    view.without_renewal = True  # type: ignore[attr-defined]
    return view
