"""Errors that happen before or outside a view: a page for people, the API's shape for programs."""

from __future__ import annotations

import re
import sys

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template import loader
from django.views import defaults

from accounts.core import navigation
from accounts.problems.catalog import (
    BAD_REQUEST,
    DATABASE_UNAVAILABLE,
    RETRY_AFTER,
    SERVER_ERROR,
    error_body,
)
from accounts.problems.outage import count_outage, is_outage


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: a host name we do not answer to, a malformed URL, cookie or form, too many fields."""
    if is_api_request(request):
        explained = isinstance(exception, BadRequest)
        detail = str(exception) if explained else BAD_REQUEST.detail
        return JsonResponse(error_body(detail, BAD_REQUEST.code), status=400)
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: something broke outside of a view of the API, such as a middleware; 503 when the
    database does not answer."""
    if is_api_request(request) and not is_outage(sys.exception()):
        return JsonResponse(error_body(*SERVER_ERROR), status=500)
    return page_error(request)


def is_api_request(request: HttpRequest) -> bool:
    """Return True for the URLs of the API, those at the root of the site included."""
    return re.match(settings.CORS_URLS_REGEX, request.path_info) is not None


def page_error(request: HttpRequest) -> HttpResponse:
    """What is left of `handler500`: Django calls it while it handles the exception."""
    if is_outage(sys.exception()):
        count_outage()
        return unavailable(request)
    return HttpResponseServerError(loader.render_to_string("500.html"))


def unavailable(request: HttpRequest) -> HttpResponse:
    """The page or the JSON of the outage; needs no database itself."""
    if navigation.page(request) and not request.path.startswith("/api/"):
        response = HttpResponse(loader.render_to_string("503.html"), status=503)
    else:
        response = JsonResponse(error_body(*DATABASE_UNAVAILABLE), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    response["Cache-Control"] = "no-store"
    return response
