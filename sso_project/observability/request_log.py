"""A request ID and a log line for each request.

The ID (`X-Request-ID`) is in the response and in every log line of the request. An ID that a
trusted proxy sent is used as it is. Any other is replaced, because a client that chooses the ID
could pass its log lines off as those of another request.
"""

from __future__ import annotations

import logging
import random
import re
import time
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.urls import resolve

from accounts.core.event_loop import EventLoopMiddleware
from accounts.core.request_meta import is_trusted_proxy

from ..request_guard import get_refusal
from .metrics import REQUESTS

REQUEST_ID = ContextVar("request_id", default="")
_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# These paths skip the other middleware: probes use neither the host name, nor HTTPS, nor a session.
_PROBES = ("/healthz", "/readyz", "/metrics")
_log = logging.getLogger(__name__)


class RequestLogMiddleware(EventLoopMiddleware):
    """Middleware, to be listed first, that times and logs each request and responds to probes."""

    def request_needs_thread(self, request: HttpRequest) -> bool:
        return _is_probe(request)

    def process_request(self, request: Any) -> HttpResponseBase | None:
        if _is_probe(request):
            return _probe(request)
        REQUEST_ID.set(_request_id(request))
        request.started_at = time.monotonic()
        return None

    def process_response(self, request: Any, response: HttpResponseBase) -> HttpResponseBase:
        if not _is_probe(request):
            response.headers["X-Request-ID"] = REQUEST_ID.get()
            _record(request, response, time.monotonic() - request.started_at)
            REQUEST_ID.set("")
        return response


def _is_probe(request: HttpRequest) -> bool:
    return request.path_info in _PROBES and get_refusal(request) is None


def _probe(request: HttpRequest) -> HttpResponseBase:
    try:
        response: HttpResponseBase = resolve(request.path_info).func(request)
    except Http404:
        return HttpResponseNotFound()
    return response


def _request_id(request: HttpRequest) -> str:
    header: str = request.META.get("HTTP_X_REQUEST_ID", "")
    if _ID.fullmatch(header) and is_trusted_proxy(request):
        return header
    return f"{random.getrandbits(64):016x}"


def _record(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    method = request.method if request.method in _METHODS else "other"
    match = request.resolver_match
    view = (match.view_name or "unnamed") if match else "none"
    status = str(response.status_code)
    REQUESTS.labels(method, view, status).observe(seconds)
    if settings.LOG_FORMAT == "json":
        # The path without the query, which may hold an authorization code.
        fields = {"method": method, "path": request.path[:200], "status": response.status_code}
        _log.info("request", extra={"fields": {**fields, "ms": round(seconds * 1000)}})
