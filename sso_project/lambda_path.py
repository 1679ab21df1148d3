"""Split the path of an event into SCRIPT_NAME and PATH_INFO.

Each front puts the stage and the base path of a custom domain (API mapping) in another place:

- REST API: `requestContext.path` is the path of the URL. `path` is the same without the stage, but
  with the base path. `resource` and `pathParameters` identify the route that matched, and so where
  the site's path begins.
- HTTP API, payload 2.0: `rawPath` holds the stage, even on a custom domain, whose URLs do not have
  it. The base path is not in the event:
  https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
- Function URL and load balancer: no stage. A path rule of the load balancer or of CloudFront does
  not change the path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from .lambda_event import to_wsgi

_PARAMETER = re.compile(r"\{([^{}+]+)\+?\}")
# The characters of an API mapping. A path such as // is excluded: it would change links.
_BASE_PATH = re.compile(r"(/[\w$.+!*'()~-]+)*", re.ASCII)


def split_path(event: Mapping[str, Any], base_path: str = "") -> tuple[str, str]:
    """Return SCRIPT_NAME, the prefix of the site's links, and PATH_INFO, in the form of PEP 3333.

    `base_path` is the path of the site below its host, or "/" for the root. If it is "", the event
    decides.
    """
    path = _decode(event.get("rawPath") or event["path"])
    context = event.get("requestContext") or {}
    stage = f"/{context.get('stage', '$default')}"
    prefix = _before_route(event, path)
    if prefix is None:
        has_stage = stage != "/$default" and context.get("path") != f"{stage}{path}"
        prefix = stage if has_stage and _is_below(path, stage) else ""
    path_info = path[len(prefix) :] or "/"
    if base_path:
        base_path = base_path.rstrip("/")
        if base_path and not prefix and _is_below(path_info, base_path):
            path_info = path_info[len(base_path) :] or "/"
        return base_path, path_info
    if event.get("version") == "2.0":
        # On a custom domain, the stage is in the event but not in the URL.
        is_in_url = prefix != stage or ".execute-api." in context.get("domainName", ".execute-api.")
        return (prefix if is_in_url else ""), path_info
    script_name = _decode(context.get("path") or path).removesuffix(path_info)
    return (script_name if _BASE_PATH.fullmatch(script_name) else ""), path_info


def _before_route(event: Mapping[str, Any], path: str) -> str | None:
    """Return the part of `path` before the matched route, or None if the event has no route."""
    parameters = event.get("pathParameters") or {}
    template = event.get("resource") or str(event.get("routeKey", "")).partition(" ")[2]
    if not template.startswith("/"):
        template = "/{proxy+}"
    if not set(_PARAMETER.findall(template)) <= parameters.keys():
        return None
    route = _PARAMETER.sub(lambda match: str(parameters[match[1]]), template)
    stripped = path.rstrip("/")
    # Depending on the front, parameters are decoded or not. They have no slash at the end.
    for candidate in (to_wsgi(route).rstrip("/"), _decode(route).rstrip("/")):
        prefix = stripped.removesuffix(candidate)
        if prefix + candidate == stripped and _BASE_PATH.fullmatch(prefix):
            return prefix
    return None


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _decode(path: str) -> str:
    return unquote(to_wsgi(path), "iso-8859-1")
