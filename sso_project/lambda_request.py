"""WSGI middleware that corrects the environ of an HTTP request on AWS Lambda.

apig-wsgi creates the environ from the event. But the client's IP address, the URL and the headers
also depend on the platform in front of the function.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .lambda_event import request_headers, to_wsgi
from .lambda_path import split_path

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

_log = logging.getLogger(__name__)
_SINGLE_VALUE_HEADERS = (
    "This load balancer passes on only one Set-Cookie header, so users cannot sign in. Set"
    " lambda.multi_value_headers.enabled=true on its target group."
)


class LambdaRequest:
    """WSGI middleware between apig-wsgi and Django.

    `origin_secrets` are the values that CloudFront may add to each request as X-Origin-Verify, none
    if there is no CloudFront. A request without one is refused, because it bypassed CloudFront. All
    others were sent to `host` over https, although their Host header is that of the API.
    `base_path` is the argument of `lambda_path.split_path`.
    """

    def __init__(
        self,
        application: Application,
        *,
        origin_secrets: Sequence[str] = (),
        host: str = "",
        base_path: str = "",
    ) -> None:
        self._application = application
        self._origin_secrets = [secret.encode() for secret in origin_secrets]
        self._host = host
        self._base_path = base_path

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        event: Mapping[str, Any] = environ["apig_wsgi.full_event"]
        context: Mapping[str, Any] = event.get("requestContext") or {}
        if "elb" in context and "multiValueHeaders" not in event:
            _log.error(_SINGLE_VALUE_HEADERS)
            return _refuse(start_response, "500 Internal Server Error", _SINGLE_VALUE_HEADERS)
        _set_headers(environ, request_headers(event), is_load_balancer="elb" in context)
        if not self._is_from_cloudfront(environ):
            return _refuse(start_response, "403 Forbidden", "Use the public URL of this site.")
        if self._origin_secrets:
            environ |= {"HTTP_HOST": self._host, "wsgi.url_scheme": "https"}
        environ["wsgi.input_terminated"] = True  # the event holds the whole body
        environ["REMOTE_ADDR"] = self._client_ip(environ, context)
        environ["QUERY_STRING"] = to_wsgi(environ["QUERY_STRING"])
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = split_path(event, self._base_path)
        return self._application(environ, _strip_values(start_response))

    def _is_from_cloudfront(self, environ: dict[str, Any]) -> bool:
        if not self._origin_secrets:
            return True
        header = environ.pop("HTTP_X_ORIGIN_VERIFY", "").encode()
        return any(hmac.compare_digest(header, secret) for secret in self._origin_secrets)

    def _client_ip(self, environ: Mapping[str, Any], context: Mapping[str, Any]) -> str:
        """Return the IP address that AWS recorded, never one that the client sent itself."""
        forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
        hops = [hop.strip() for hop in forwarded.split(",")]
        if "elb" in context:
            return hops[-1]  # appended by the load balancer
        source = str((context.get("http") or context.get("identity") or {}).get("sourceIp", ""))
        if self._origin_secrets:
            # CloudFront appends its viewer. API Gateway can append the address of CloudFront.
            while len(hops) > 1 and hops[-1] == source:
                hops.pop()
            return hops[-1] or source
        return source


def _set_headers(
    environ: dict[str, Any], headers: Mapping[str, list[str]], *, is_load_balancer: bool
) -> None:
    """Replace everything in `environ` that apig-wsgi derived from the headers of the event."""
    for name in [name for name in environ if name.startswith("HTTP_")]:
        del environ[name]
    # The event holds the whole body, so headers about its transfer no longer apply.
    other = {"content-type", "content-length", "transfer-encoding"}
    for name in headers.keys() - other:
        environ[f"HTTP_{name.upper().replace('-', '_')}"] = ",".join(headers[name])
    environ["CONTENT_TYPE"] = ",".join(headers.get("content-type", ()))
    environ["SERVER_NAME"] = environ.get("HTTP_HOST", "")
    environ["SERVER_PORT"] = environ.get("HTTP_X_FORWARDED_PORT", "")
    # API Gateway and function URLs support only https; a load balancer sends the scheme.
    is_http = is_load_balancer and environ.get("HTTP_X_FORWARDED_PROTO") == "http"
    environ["wsgi.url_scheme"] = "http" if is_http else "https"


def _strip_values(start_response: StartResponse) -> StartResponse:
    """Return a `start_response` that strips header values.

    Django's Set-Cookie values begin with a space. WSGI servers remove it, but apig-wsgi does not.
    """

    def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        stripped = [(name, value.strip()) for name, value in headers]
        return start_response(status, stripped, exc_info)

    return start


def _refuse(start_response: StartResponse, status: str, message: str) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{message}\n".encode()]
