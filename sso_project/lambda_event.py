"""Read what an HTTP request's event on AWS Lambda says, whichever of its four payloads it has.

Payloads: https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html (HTTP API 2.0, REST
1.0), urls-invocation.html (function URL) and services-alb.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# nginx and gunicorn drop every other name as well.
_HEADER_NAME = re.compile(r"[a-z0-9-]+")


def request_headers(event: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of each header, by its name in lower case.

    A name with an underscore is left out: WSGI writes `X_Forwarded_For` and `X-Forwarded-For`
    alike, so with the first a client could replace the second, which only AWS may set. A few
    letters beyond ASCII become ASCII in upper case, so their names are left out as well.
    """
    headers: dict[str, list[str]] = {}
    for name, value in (event.get("multiValueHeaders") or event.get("headers") or {}).items():
        if _HEADER_NAME.fullmatch(name.lower()) and name.isascii():
            headers.setdefault(name.lower(), []).extend(
                [value] if isinstance(value, str) else value
            )
    # HTTP/2 clients may send several Cookie headers (RFC 9113 section 8.2.3).
    if cookies := [*(event.get("cookies") or ()), *headers.pop("cookie", ())]:
        headers["cookie"] = ["; ".join(cookies)]
    return headers
