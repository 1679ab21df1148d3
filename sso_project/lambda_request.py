"""WSGI middleware that corrects the environ of an HTTP request on AWS Lambda.

apig-wsgi makes the environ from the event. The client's IP address, the URL and the headers depend
on what is in front of the function, which the deployment knows.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .lambda_event import request_headers, to_wsgi
from .lambda_path import split_path

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_log = logging.getLogger(__name__)
_ONE_HEADER = (
    "This load balancer keeps one Set-Cookie of several, so nobody could sign in. Set"
    " lambda.multi_value_headers.enabled=true on its target group."
)


class LambdaRequest:
    """WSGI middleware between apig-wsgi and Django.

    `origin_secret`, when there is one, is what CloudFront adds to each request as X-Origin-Verify:
    a request without it did not come through CloudFront and is refused. One that did came by https
    and by `host`, although it calls the API by the API's own name. `base_path` is where the site is
    below its host, if the event cannot tell (`lambda_path.split_path`).
    """

    def __init__(
        self,
        application: Application,
        *,
        origin_secret: str = "",
        host: str = "",
        base_path: str = "",
    ) -> None:
        self._application = application
        self._origin_secret = origin_secret
        self._host = host
        self._base_path = base_path

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        event: Mapping[str, Any] = environ["apig_wsgi.full_event"]
        context: Mapping[str, Any] = event.get("requestContext") or {}
        if "elb" in context and "multiValueHeaders" not in event:
            _log.error(_ONE_HEADER)
            return _refuse(start_response, "500 Internal Server Error", _ONE_HEADER)
        _set_headers(environ, request_headers(event), is_load_balancer="elb" in context)
        if not self._is_through_cloudfront(environ):
            return _refuse(start_response, "403 Forbidden", "Come by the site's own address.")
        if self._origin_secret:
            environ |= {"HTTP_HOST": self._host, "wsgi.url_scheme": "https"}
        environ["wsgi.input_terminated"] = True  # the event holds the whole body
        environ["REMOTE_ADDR"] = self._client_address(environ, context)
        environ["QUERY_STRING"] = to_wsgi(environ["QUERY_STRING"])
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = split_path(event, self._base_path)
        return self._application(environ, _stripping(start_response))

    def _is_through_cloudfront(self, environ: dict[str, Any]) -> bool:
        if not self._origin_secret:
            return True
        sent = environ.pop("HTTP_X_ORIGIN_VERIFY", "")
        return hmac.compare_digest(sent.encode(), self._origin_secret.encode())

    def _client_address(self, environ: Mapping[str, Any], context: Mapping[str, Any]) -> str:
        """Who called AWS, or CloudFront; never what the client wrote into X-Forwarded-For."""
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
        hops = [hop.strip() for hop in forwarded.split(",")]
        if "elb" in context:
            return hops[-1]  # appended by the load balancer
        source = str((context.get("http") or context.get("identity") or {}).get("sourceIp", ""))
        if self._origin_secret:
            # Appended by CloudFront: its viewer. API Gateway may have appended CloudFront itself.
            while len(hops) > 1 and hops[-1] == source:
                hops.pop()
            return hops[-1] or source
        return source


def _set_headers(
    environ: dict[str, Any], headers: Mapping[str, list[str]], *, is_load_balancer: bool
) -> None:
    """Replace all that apig-wsgi read from the event's headers with what `headers` say."""
    for name in [name for name in environ if name.startswith("HTTP_")]:
        del environ[name]
    # The event holds the whole body, so what was said about its transfer no longer holds.
    other = {"content-type", "content-length", "transfer-encoding"}
    for name in headers.keys() - other:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = ",".join(headers[name])
    environ["CONTENT_TYPE"] = ",".join(headers.get("content-type", ()))
    environ["SERVER_NAME"] = environ.get("HTTP_HOST", "")
    environ["SERVER_PORT"] = environ.get("HTTP_X_FORWARDED_PORT", "")
    # API Gateway and function URLs have no other scheme; a load balancer names it.
    is_http = is_load_balancer and environ.get("HTTP_X_FORWARDED_PROTO") == "http"
    environ["wsgi.url_scheme"] = "http" if is_http else "https"


def _stripping(start_response: StartResponse) -> StartResponse:
    """Django begins a cookie's header value with a space, which servers drop and payloads keep."""

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        stripped = [(name, value.strip()) for name, value in headers]
        return start_response(status, stripped, exc_info)

    return start


def _refuse(start_response: StartResponse, status: str, sentence: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{sentence}\n".encode()]
