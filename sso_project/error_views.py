"""Error responses outside of views: an HTML page, or JSON in the form of the API's errors."""

from __future__ import annotations

import re
import sys

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext

from accounts.core import navigation
from accounts.problems.catalog import (
    BAD_REQUEST,
    DATABASE_UNAVAILABLE,
    RETRY_AFTER,
    SERVER_ERROR,
    error_body,
)
from accounts.problems.outage import count_outage, is_outage

from .observability.request_log import REQUEST_ID


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return a 400: a host name that is not allowed, or a malformed URL, cookie or form."""
    if is_api_request(request):
        has_message = isinstance(exception, BadRequest)
        detail = str(exception) if has_message else gettext(BAD_REQUEST.detail)
        return JsonResponse(error_body(detail, BAD_REQUEST.code), status=400)
    return _page("400.html", status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return a 500, or a 503 if the database does not respond.

    Errors inside the API's views never get here: its exception handler returns the response.
    """
    if is_api_request(request) and not is_outage(sys.exception()):
        body = error_body(gettext(SERVER_ERROR.detail), SERVER_ERROR.code)
        return JsonResponse(body, status=500)
    return page_error(request)


def is_api_request(request: HttpRequest) -> bool:
    """Return True for the URLs of the API, including those at the root of the site."""
    return re.match(settings.CORS_URLS_REGEX, request.path_info) is not None


def page_error(request: HttpRequest) -> HttpResponse:
    """Return the 500 or 503 page. Django calls `handler500` while it handles the exception."""
    if is_outage(sys.exception()):
        count_outage()
        return unavailable(request)
    return _page("500.html", status=500)


def _page(template: str, *, status: int) -> HttpResponse:
    """Return an error page with the ID of the request, by which operators find it in the log."""
    html = loader.render_to_string(template, {"reference": REQUEST_ID.get()})
    return HttpResponse(html, status=status)


def unavailable(request: HttpRequest) -> HttpResponse:
    """Return a 503 for a database outage. It needs no database itself."""
    if navigation.is_page_request(request) and not is_api_request(request):
        response = _page("503.html", status=503)
    else:
        detail, code = DATABASE_UNAVAILABLE
        response = JsonResponse(error_body(gettext(detail), code), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response
