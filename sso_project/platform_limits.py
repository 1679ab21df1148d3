"""The limits of each AWS platform in front of the site. docs/limits.md explains them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MB = 1024 * 1024
# Limits of the JSON of an invocation, where a base64 body is a third larger. The documentation says
# 6 MB; the exact numbers are from Lambda's error messages.
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_EVENT_BYTES = 6 * _MB
_RESPONSE_BYTES = 6 * _MB + 100


@dataclass(frozen=True)
class Platform:
    """The limits of one platform. None means that AWS documents no limit.

    `max_request_bytes` and `max_response_bytes` apply to the JSON of a Lambda invocation, including
    headers. A load balancer limits only the body of a request. `max_header_bytes` applies to the
    request line and all headers of a request.
    """

    name: str
    max_request_bytes: int | None
    max_response_bytes: int | None
    max_header_bytes: int | None
    max_seconds: int


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
HTTP_API = Platform("HTTP API", _EVENT_BYTES, _RESPONSE_BYTES, 10_240, 30)
# …/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
REST_API = Platform("REST API", _EVENT_BYTES, _RESPONSE_BYTES, 10_240, 29)
# https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html
FUNCTION_URL = Platform("Function URL", _EVENT_BYTES, _RESPONSE_BYTES, None, 900)
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
LOAD_BALANCER = Platform("Load balancer", _MB, _MB, 65_536, 60)
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
CLOUDFRONT = Platform("CloudFront", None, None, 20_480, 30)

PLATFORMS = (HTTP_API, REST_API, FUNCTION_URL, LOAD_BALANCER, CLOUDFRONT)


def platform_of(event: Mapping[str, Any]) -> Platform:
    """Return the platform that sent `event` to the function."""
    context = event.get("requestContext") or {}
    if "elb" in context:
        return LOAD_BALANCER
    if event.get("version") != "2.0":
        return REST_API
    return FUNCTION_URL if ".lambda-url." in context.get("domainName", "") else HTTP_API
