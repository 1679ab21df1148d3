"""Codes, tokens and secrets are masked in logs and error reports, wherever they got in.

Nothing here writes them on purpose. But an address that carries `?code=` is logged by whoever logs
requests, and a traceback shows what its frames held.
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
    # A JSON Web Token, or what is left of one that was cut: two base64url parts, JSON at the start.
    (re.compile(r"\beyJ[\w-]{16,}(?:\.[\w.-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.+/=~-]{8,}"), rf"\1\2{MASK}"),
    # name=value in addresses and forms, "name": "value" in JSON, name='value' in a repr.
    (
        re.compile(
            rf"""(?ix) (?<![\w-]) ({_NAMES})
            (["']? \s* (?:=|:|%3D) \s* ["']?) [^\s"'&<>,;)}}\]]+"""
        ),
        rf"\1\2{MASK}",
    ),
)
# Each of the patterns needs one of these: most texts have none, and need no closer look.
_HINT = re.compile(r"eyJ|[=:\s]|%3D", re.IGNORECASE)
_SECRET_VARIABLE = re.compile(rf"(?i)(^|_)({_NAMES}|token|secret|cookies?|authorization)s?$")


def masked(text: str) -> str:
    """The text with every code, token and secret in it replaced by asterisks."""
    if not _HINT.search(text):
        return text
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class MaskSecrets(logging.Filter):
    """For handlers: masks the message and the traceback of every record that passes."""

    _formatter = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a line with the wrong arguments; logging would go on
            text = f"{record.msg} {record.args}"
        record.msg, record.args = masked(text), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = self._formatter.formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = masked(record.exc_text)
        return True


class _MaskingFilter(SafeExceptionReporterFilter):
    """Masks variables and request values by name, also while DEBUG shows everything else."""

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> Any:
        variables = super().get_traceback_frame_variables(request, tb_frame)
        return [(name, self.secret_or(name, value)) for name, value in variables]

    def secret_or(self, name: str, value: Any) -> Any:
        return self.cleansed_substitute if _SECRET_VARIABLE.search(name) else value


class MaskingExceptionReporter(ExceptionReporter):
    """Django's error report, as a page, as text and as e-mail to the admins, masked."""

    filter: _MaskingFilter

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.filter = _MaskingFilter()

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        for name in ("request_GET_items", "request_COOKIES_items", "filtered_POST_items"):
            if data.get(name):
                data[name] = [(key, self.filter.secret_or(key, value)) for key, value in data[name]]
        return data

    def get_traceback_html(self) -> SafeString:
        return SafeString(masked(super().get_traceback_html()))

    def get_traceback_text(self) -> SafeString:
        return SafeString(masked(super().get_traceback_text()))
