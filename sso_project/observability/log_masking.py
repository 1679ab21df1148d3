"""Mask codes, tokens and secrets in logs and error reports.

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
_SECRET_VARIABLE = re.compile(rf"(?i)(^|_)({_NAMES}|token|secret|cookies?|authorization)s?$")


def mask(text: str) -> str:
    """Return `text` with every code, token and secret replaced by asterisks."""
    if not _HINT.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


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
