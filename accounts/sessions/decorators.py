"""Decorators for views that must work while Cognito does not respond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

ViewFunc = TypeVar("ViewFunc", bound=Callable[..., Any])


def renewal_exempt(view: ViewFunc) -> ViewFunc:
    """Exempt a view, such as signing out, from renewal: it works while Cognito is unavailable."""
    view.renewal_exempt = True  # type: ignore[attr-defined]
    return view
