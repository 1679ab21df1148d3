"""The JSON bodies of the API."""

from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class SafeJSONParser(JSONParser):
    """JSON in UTF-8, whatever charset the request names (RFC 8259 section 8.1).

    A byte order mark is ignored. A body that is nested too deeply is answered with 400.
    """

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            context = {**(parser_context or {}), "encoding": "utf-8-sig"}
            return super().parse(stream, media_type, context)
        except RecursionError as error:
            raise ParseError("JSON parse error: nested too deeply.") from error
