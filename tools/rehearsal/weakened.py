"""The WSGI application of the site without one of its controls, to test a checker.

WEAKNESS names the control, as `MODULE:NAME`: the module has a list `WEAKNESSES`, and the `patch` of
the one with this name runs before the application is imported. No setting can disable a control.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any


def replace(owner: Any, name: str, value: object) -> None:
    """Set an existing attribute. Raises AttributeError if there is none of this name."""
    getattr(owner, name)
    setattr(owner, name, value)


def _patch(weakness: str) -> None:
    module, _, name = weakness.partition(":")
    next(item for item in import_module(module).WEAKNESSES if item.name == name).patch()


if "WEAKNESS" in os.environ:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sso_project.settings")
    _patch(os.environ["WEAKNESS"])
    from sso_project.wsgi import application as application
