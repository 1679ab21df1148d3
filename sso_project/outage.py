"""The database does not answer: 503 and "try again", on pages and in the API, and one line of log
for each request instead of a traceback.

Nothing has to be restarted afterwards: broken connections are found out at the next request
(CONN_HEALTH_CHECKS) and opened anew.
"""

from __future__ import annotations

import logging
import sys
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.template import loader

from accounts.core import navigation

from .observability.metrics import DATABASE_FAILURES

RETRY_AFTER = "5"  # seconds
CODE = "database_unavailable"
SENTENCE = "This site's database isn't answering. Try again in a moment."
Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


def is_outage(error: BaseException | None) -> bool:
    """Whether the database could not be reached, or broke off. A missing table is no outage."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return not str(error).startswith("no such")  # SQLite's word for a mistake of ours


def server_error(request: HttpRequest) -> HttpResponse:
    """What is left of `handler500`: Django calls it while it handles the exception."""
    if is_outage(sys.exception()):
        DATABASE_FAILURES.inc()
        return unavailable(request)
    return HttpResponseServerError(loader.render_to_string("500.html"))


def unavailable(request: HttpRequest) -> HttpResponse:
    """The page or the JSON of the outage; needs no database itself."""
    if navigation.page(request) and not request.path.startswith("/api/"):
        response = HttpResponse(loader.render_to_string("503.html"), status=503)
    else:
        body = {"detail": SENTENCE, "code": CODE, "error": SENTENCE}
        response = JsonResponse(body, status=503)
    response["Retry-After"] = RETRY_AFTER
    response["Cache-Control"] = "no-store"
    return response


def noticed(answer: Answer, error: Exception) -> Answer:
    """Count and log an outage that something else answers; returns that answer."""
    DATABASE_FAILURES.inc()
    _log.error("The database doesn't answer: %s", str(error).partition("\n")[0])
    return answer


class ShortenOutages(logging.Filter):
    """For handlers: the traceback of an outage says nothing that its first line doesn't."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and is_outage(error):
            first_line = str(error).partition("\n")[0]
            record.msg = f"{record.getMessage()}: the database doesn't answer: {first_line}"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True
