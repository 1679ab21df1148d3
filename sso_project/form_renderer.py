"""The renderer of forms: Django's, but without templates for `<input>` and for no errors.

Django renders each of them with two or three templates, and the list of figures has two hundred.
"""

from __future__ import annotations

import html
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.forms.utils import ErrorList
from django.http import HttpRequest
from django.utils.safestring import SafeString

_TYPES = ("checkbox", "date", "email", "hidden", "input", "number", "password", "text", "time")
_INPUTS = {f"django/forms/widgets/{name}.html" for name in (*_TYPES, "datetime", "file", "url")}


class FormRenderer(DjangoTemplates):
    def render(
        self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None
    ) -> Any:
        if template_name == ErrorList.template_name and not context["errors"]:
            return ""
        if template_name not in _INPUTS:
            return super().render(template_name, context, request)
        widget = context["widget"]
        value = {} if widget["value"] is None else {"value": str(widget["value"])}
        attributes = {"type": widget["type"], "name": widget["name"], **value, **widget["attrs"]}
        return SafeString(f"<input{''.join(map(_attribute, attributes.items()))}>")


def _attribute(item: tuple[str, Any]) -> str:
    name, value = item
    if value is False or value is None:
        return ""
    if value is True:
        return f" {name}"
    text = str(value)  # Django's conditional_escape accepts lazy texts too, and takes longer
    return f' {name}="{text if isinstance(text, SafeString) else html.escape(text)}"'
