"""Mask codes, tokens and secrets in logs, error reports and traces.

No code of the site logs them on purpose. But a server or library that logs URLs also logs `?code=`,
and an error report shows the local variables of each frame.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

MASK = "********"

_NAMES = (
    "code|code_verifier|codeverifier|access_?token|id_?token|refresh_?token|client_?secret|"
    "x-access-token|x-refresh-token|state|nonce|password|_csrf|csrfmiddlewaretoken"
)
_PATTERNS = (
    # A JSON Web Token, complete or truncated: base64url that begins with a JSON object.
    (re.compile(r"\beyJ[\w-]{16,}(?:\.[\w.-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.+/=~-]{8,}"), rf"\1\2{MASK}"),
    # name=value in URLs and forms, "name": "value" in JSON, name='value' in a repr.
    (
        re.compile(
            rf"""(?ix) (?<![\w-]) ({_NAMES})
            (["']? \s* (?:=|:|%3D) \s* ["']?) [^\s"'&<>,;)}}\]]+"""
        ),
        rf"\1\2{MASK}",
    ),
)
# Each pattern requires one of these. Most texts have none, so the patterns are not tried.
_HINT = re.compile(r"eyJ|[=:\s]|%3D", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(
    rf"(?i)(^|[_-])({_NAMES}|token|csrftoken|secret|cookies?|authorization|session_?(?:id|key))s?$"
)
_SPAN_URLS = ("url.full", "url.query", "http.url", "http.target")
_LONG_VALUE = re.compile(r"[\w-]{200,}")  # a signature, or an encrypted token
_MAX_DEPTH = 20  # of an event; Sentry's own limit is lower


def mask(text: str) -> str:
    """Return `text` with every code, token and secret replaced by asterisks."""
    if not _HINT.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def mask_event(event: Any, hint: Any = None) -> Any:
    """Return an event of Sentry with masked values, also by the name of a variable or header.

    Use it as `before_send`, `before_send_transaction` and `before_breadcrumb` of `sentry_sdk.init`.
    """
    return _masked(event, _MAX_DEPTH)


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _LONG_VALUE.sub(MASK, mask(value))
    if isinstance(value, bytes):
        return _masked(value.decode("utf-8", "replace"), depth)
    if not depth:
        return MASK if isinstance(value, dict | list | tuple) else value
    if isinstance(value, dict):
        return {name: _masked_item(name, item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        if len(value) == 2 and isinstance(value[0], str):  # a parameter or a header
            return [value[0], _masked_item(value[0], value[1], depth - 1)]
        return [_masked(item, depth - 1) for item in value]
    return value


def _masked_item(name: Any, value: Any, depth: int) -> Any:
    is_number = value is None or isinstance(value, bool | int | float)  # such as a status code
    if not is_number and isinstance(name, str) and _SECRET_VARIABLE.search(name):
        return MASK
    return _masked(value, depth)


def mask_span(span: Any, *args: Any) -> None:
    """Mask the URL in the attributes of an OpenTelemetry span.

    Use it as `request_hook` and `response_hook` of `DjangoInstrumentor().instrument`.
    """
    for name in _SPAN_URLS:
        if isinstance(url := (getattr(span, "attributes", None) or {}).get(name), str):
            span.set_attribute(name, mask(url))


class MaskSecrets(logging.Filter):
    """A filter for handlers that masks the message and the traceback of every record."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # the arguments do not match the message
            text = f"{record.msg} {record.args}"
        record.msg, record.args = mask(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        return True


class _MaskingFilter(SafeExceptionReporterFilter):
    """A report filter that masks variables and request values by name, even if DEBUG is on."""

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.mask_value(name, value)) for name, value in variables]

    def mask_value(self, name: str, value: Any) -> Any:
        return self.cleansed_substitute if _SECRET_VARIABLE.search(name) else value


class MaskingExceptionReporter(ExceptionReporter):
    """Django's error report (page, text and email to the admins) with secrets masked."""

    filter: _MaskingFilter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filter = _MaskingFilter()

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        for name in ("request_GET_items", "request_COOKIES_items", "filtered_POST_items"):
            if data.get(name):
                items = [(key, self.filter.mask_value(key, value)) for key, value in data[name]]
                data[name] = items
        return data

    def get_traceback_html(self) -> SafeString:
        return SafeString(mask(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(mask(super().get_traceback_text()))
