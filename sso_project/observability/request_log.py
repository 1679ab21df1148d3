"""A name and a line in the log for each request.

The name (`X-Request-ID`) is in every log line that the request causes and in its answer. A trusted
proxy may have given it one already; from anybody else it is replaced, for whoever chooses names can
forge another request's.
"""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.urls import resolve

from accounts.core.request_meta import is_trusted_proxy

from ..request_guard import refusal_of
from .metrics import REQUESTS

REQUEST_ID = ContextVar("request_id", default="")
_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# Answered before anything else: no host name, no HTTPS, no session is asked of a probe.
_PROBES = ("/healthz", "/readyz", "/metrics")
_log = logging.getLogger(__name__)


class RequestLogMiddleware:
    """Stands first. Names, times and logs each request; answers probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info in _PROBES and refusal_of(request) is None:
            return _probe(request)
        known = REQUEST_ID.set(_request_id(request))
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response.headers["X-Request-ID"] = REQUEST_ID.get()
            _record(request, response, time.monotonic() - started)
            return response
        finally:
            REQUEST_ID.reset(known)


def _probe(request: HttpRequest) -> HttpResponseBase:
    try:
        response: HttpResponseBase = resolve(request.path_info).func(request)
    except Http404:
        return HttpResponseNotFound()
    return response


def _request_id(request: HttpRequest) -> str:
    given: str = request.META.get("HTTP_X_REQUEST_ID", "")
    if _ID.fullmatch(given) and is_trusted_proxy(request):
        return given
    return f"{random.getrandbits(64):016x}"


def _record(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    method = request.method if request.method in _METHODS else "other"
    match = request.resolver_match
    view = (match.view_name or "unnamed") if match else "none"
    status = str(response.status_code)
    REQUESTS.labels(method, view, status).observe(seconds)
    if settings.LOG_FORMAT == "json":
        # The path alone: a query may hold codes.
        fields = {"method": method, "path": request.path[:200], "status": response.status_code}
        _log.info("request", extra={"fields": {**fields, "ms": round(seconds * 1000)}})
