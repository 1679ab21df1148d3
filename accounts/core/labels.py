"""The names of models and fields in the language of the page.

They are set after the models, because a name in a model is part of its migrations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model


def set_labels(names: Mapping[type[Model], tuple[Any, Any]], fields: Mapping[str, Any]) -> None:
    """Set the singular and the plural of each model, and the names of fields that have none."""
    for model, (singular, plural) in names.items():
        opts = model._meta
        opts.verbose_name, opts.verbose_name_plural = singular, plural
        for field in opts.local_fields:
            if field._verbose_name is None:  # type: ignore[attr-defined]
                field.verbose_name = fields.get(field.name, field.verbose_name)
