"""The JSON parser of the API of figures."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from ..exact_numbers import json_decimal, json_whole_number


class ExactJSONParser(BaseParser):
    """A JSON parser that does not round numbers (a float rounds 0.10000000000000001 to 0.1).

    It is not a subclass of JSONParser, because Django REST framework limits the body of those to
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
            text = body.decode("utf-8-sig")  # RFC 8259 section 8.1; a byte order mark is ignored
            return json.loads(
                text,
                parse_float=json_decimal,
                parse_int=json_whole_number,
                parse_constant=_refuse_constant,
            )
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not valid JSON: {error}.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
