"""Split the path of an event into the part that leads to the site and the path within the site.

Where each front puts a stage and a custom domain's base path (API mapping):

- REST API: `requestContext.path` is the URL's path. `path` lacks the stage, but holds a base path.
  `resource` and `pathParameters` tell which route matched, and so where the site's path begins.
- HTTP API, payload 2.0: `rawPath` holds the stage, also on a custom domain, whose URLs do not have
  it. The base path is not in the event:
  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
- Function URL and load balancer: no stage. A path rule of the load balancer or of CloudFront leaves
  the path as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .lambda_event import to_wsgi

_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")
# What an API mapping may consist of, and nothing that changes what a link means, such as //.
_BASE_PATH = re.compile(r"(/[\w$.+!*'()~-]+)*", re.ASCII)


def split_path(event: Mapping[str, Any], base_path: str = "") -> tuple[str, str]:
    """Return SCRIPT_NAME, with which links begin, and PATH_INFO, both as PEP 3333 has them.

    `base_path` is where the site is, below its host: the event decides if it is "", and "/" is the
    root.
    """
    path = _decode(event.get("rawPath") or event["path"])
    context = event.get("requestContext") or {}
    stage = f"/{context.get('stage', '$default')}"
    outside = _before_route(event, path)
    if outside is None:
        has_stage = stage != "/$default" and context.get("path") != f"{stage}{path}"
        outside = stage if has_stage and _is_below(path, stage) else ""
    inside = path[len(outside) :] or "/"
    if base_path:
        base_path = base_path.rstrip("/")
        if base_path and not outside and _is_below(inside, base_path):
            inside = inside[len(base_path) :] or "/"
        return base_path, inside
    if event.get("version") == "2.0":
        # On a custom domain, the stage is in the event but not in the URL.
        is_in_url = outside != stage or ".execute-api." in context.get(
            "domainName", ".execute-api."
        )
        return (outside if is_in_url else ""), inside
    script_name = _decode(context.get("path") or path).removesuffix(inside)
    return (script_name if _BASE_PATH.fullmatch(script_name) else ""), inside


def _before_route(event: Mapping[str, Any], path: str) -> str | None:
    """Return what precedes the matched route in `path`, or None if the event does not tell."""
    parameters = event.get("pathParameters") or {}
    template = event.get("resource") or str(event.get("routeKey", "")).partition(" ")[2]
    if not template.startswith("/"):
        template = "/{proxy+}"
    if not set(_PARAMETER.findall(template)) <= parameters.keys():
        return None
    route = _PARAMETER.sub(lambda match: str(parameters[match[1]]), template)
    shown = path.rstrip("/")
    # Parameters come decoded or not, depending on the front, and without a slash at the end.
    for candidate in (to_wsgi(route).rstrip("/"), _decode(route).rstrip("/")):
        before = shown.removesuffix(candidate)
        if before + candidate == shown and _BASE_PATH.fullmatch(before):
            return before
    return None


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _decode(path: str) -> str:
    return unquote(to_wsgi(path), "iso-8859-1")
