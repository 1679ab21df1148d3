"""What a request of the API brings: its body, exactly, and the versions it knows of."""

import json
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from ..models import Stat


class ExactJSONParser(BaseParser):
    """JSON whose numbers keep every digit (a float would round 0.10000000000000001 to 0.1).

    No JSONParser, whose body Django REST framework reads itself, as a whole and only up to
    DATA_UPLOAD_MAX_MEMORY_SIZE.
    """

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(settings.MAX_LARGE_BODY_BYTES + 1)
        if len(body) > settings.MAX_LARGE_BODY_BYTES:
            raise RequestDataTooBig("The request body is too large.")
        try:
            return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is no JSON: {error}.", code="not_json") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


class PreconditionFailed(APIException):
    """RFC 9110 section 15.5.13."""

    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "changed_meanwhile"
    default_detail = "The figure was changed meanwhile. Fetch it again, then send your change."


def etag_of(stat: Stat) -> str:
    """The entity tag of one figure: another one after every change."""
    return f'"{stat.pk}-{stat.version}"'


def etag_of_list(revision: int, request: Request) -> str:
    """The entity tag of a list: another one after any change, and for any other question."""
    form = request.accepted_renderer.format if request.accepted_renderer else ""
    question = f"{form}?{request.META.get('QUERY_STRING', '')}"
    return f'"{revision}-{sha256(question.encode()).hexdigest()[:16]}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the caller has this version already (If-None-Match, RFC 9110 section 13.1.2)."""
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in [each.removeprefix("W/") for each in known]


def require_match(request: Request, stat: Stat) -> None:
    """Raises PreconditionFailed: If-Match (RFC 9110 section 13.1.1) names another version."""
    header = request.headers.get("If-Match")
    if header is None:
        return
    wanted = parse_etags(header)
    if "*" not in wanted and etag_of(stat) not in wanted:
        raise PreconditionFailed()
