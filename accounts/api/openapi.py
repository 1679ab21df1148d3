"""The description of an API view in an OpenAPI document, for drf-spectacular.

    REST_FRAMEWORK = {"DEFAULT_SCHEMA_CLASS": "accounts.api.openapi.ApiSchema", …}

Security, errors and headers are derived from the classes of the view, so that a view of a host
project is described as completely as the views here. `extend_schema` describes what a view takes
and returns.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework.permissions import SAFE_METHODS

from .documented_errors import Errors, documented_errors, permission_parts
from .openapi_security import MACHINE, register_machine_scheme
from .permissions import HasScope, Requirement
from .serializers import ErrorSerializer

_DIGITS = re.compile(r"\^\[0-9\]\{1,(\d+)\}\$")  # a pattern of a path parameter
ERROR_CODES = "x-error-codes"  # the member of a response that lists the values of `code`

Schema = dict[str, Any]

_STATUSES = {
    304: "Not modified: the client has the current version.",
    400: "The request is not valid. `fields` names invalid values.",
    401: "The request has no valid access token or session.",
    403: "The caller does not have the rights that this operation requires.",
    404: "There is no such object.",
    406: "The response is not available in the requested format.",
    408: "The body took too long to arrive.",
    411: "The request has a body of unknown size.",
    412: "A condition in `If-Match` or `If-None-Match` is false. Nothing was changed.",
    413: "The request is too large.",
    415: "The media type, charset or coding of the body is not supported.",
    429: "Too many requests.",
    431: "A header is too large.",
    500: "An error occurred on the server. It was logged.",
    501: "The transfer coding is not supported.",
    503: "The user pool, the database or the configuration of the site is unavailable.",
}


def _header(text: str, kind: str = "string", *, required: bool = False) -> Schema:
    return {"description": text, "schema": {"type": kind}, "required": required}


_ETAG = {"ETag": _header("The version, for `If-Match` and `If-None-Match`.", required=True)}
_CHALLENGE = "Why the token was refused, or which scope is missing (RFC 6750 section 3)."
_WAIT = "How many seconds to wait, if another try can help."
_ERROR_HEADERS: dict[int, Schema] = {
    401: {"WWW-Authenticate": _header(_CHALLENGE)},
    403: {"WWW-Authenticate": _header(_CHALLENGE)},
    429: {"Retry-After": _header(_WAIT, "integer")},
    503: {"Retry-After": _header(_WAIT, "integer")},
}


class ApiSchema(AutoSchema):
    """The description of one view. A subclass can add errors and headers of the whole site.

    A method of a view with the attribute `openapi_conditional` evaluates `If-Match` and
    `If-None-Match`. Its successful responses have an ETag if the attribute is "etag".
    """

    site_errors: Errors = {}
    site_headers: Schema = {}

    def get_operation(self, *args: Any) -> Schema | None:
        operation: Schema | None = super().get_operation(*args)
        if operation is not None:
            operation.setdefault("security", [])  # without this member, the root's would count
        return operation

    def get_summary(self) -> str | None:
        """Return `List figures`, `Change a figure` and so on, with the name of the model."""
        queryset = getattr(self.view, "queryset", None)
        pattern = _SUMMARIES.get(getattr(self.view, "action", ""))
        if queryset is None or pattern is None:
            return super().get_summary() or self.view.get_view_name()
        meta = queryset.model._meta
        return pattern.format(one=meta.verbose_name, many=meta.verbose_name_plural)

    def get_auth(self) -> list[Schema]:
        """Return the alternatives, each with one scheme."""
        alternatives = super().get_auth()
        requirements = [item for item in alternatives if item]
        if not requirements:
            return []
        parts = self._permission_parts()
        scopes = [sorted(part.scopes) for part in parts if isinstance(part, HasScope)]
        for names in scopes:
            register_machine_scheme(self.registry, names)
            requirements.append({MACHINE: names})
        return [*requirements, *([{}] if {} in alternatives else [])]

    def get_override_parameters(self) -> list[Any]:
        parameters = super().get_override_parameters()
        if self._conditional is None:
            return parameters
        return [*parameters, *_CONDITIONS]

    def _resolve_path_parameters(self, variables: list[str]) -> list[Schema]:
        """Return the parameters; one of digits is a number for clients, as in the responses."""
        parameters: list[Schema] = super()._resolve_path_parameters(variables)  # type: ignore[no-untyped-call]
        for parameter in parameters:
            if digits := _DIGITS.fullmatch(parameter["schema"].get("pattern", "")):
                maximum = 10 ** int(digits[1]) - 1
                parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": maximum}
        return parameters

    def _get_request_for_media_type(
        self, serializer: Any, direction: Direction = "request"
    ) -> tuple[Any, bool]:
        schema, is_required = super()._get_request_for_media_type(  # type: ignore[no-untyped-call]
            serializer, direction
        )
        # drf-spectacular looks for required members, which a body of several forms does not have.
        has_forms = schema is not None and "anyOf" in self._resolve(schema)
        return schema, is_required or has_forms

    def _resolve(self, schema: Schema) -> Schema:
        name = schema.get("$ref", "").rpartition("/")[2]
        components = self.registry._components
        found = components.get((name, ResolvedComponent.SCHEMA))
        return found.schema if found else schema

    def _get_response_bodies(self, direction: Direction = "response") -> Schema:
        responses: Schema = super()._get_response_bodies(direction)
        if direction == "response":
            if self._conditional == "etag":
                for response in responses.values():
                    if "content" in response:
                        response.setdefault("headers", {}).update(_ETAG)
                if self.method == "GET":
                    responses["304"] = {"description": _STATUSES[304], "headers": _ETAG}
            responses |= self._error_responses()
            for response in responses.values():
                response.setdefault("headers", {}).update(self.site_headers)
            for status, response in responses.items():
                response["description"] = response.get("description") or _SUCCESSES.get(status, "")
        return dict(sorted(responses.items()))

    def _error_responses(self) -> Schema:
        codes: dict[int, set[str]] = {}
        contributions = [documented_errors(self.view, self.method, self._action), self.site_errors]
        if self._conditional is not None:
            contributions.append({412: {"precondition_failed"}})
        if any(parameter["in"] == "query" for parameter in self._get_parameters()):
            contributions.append({400: {"invalid"}})
        if "{" in self.path:
            contributions.append({404: {"not_found"}})
        for contribution in contributions:
            for status, names in contribution.items():
                codes.setdefault(status, set()).update(names)
        return {str(status): self._error_response(status, codes[status]) for status in codes}

    def _error_response(self, status: int, codes: set[str]) -> Schema:
        listed = ", ".join(f"`{code}`" for code in sorted(codes))
        sentences = [_STATUSES.get(status, "An error.")]
        if status == 403:
            parts = self._permission_parts()
            sentences += [part.message for part in parts if isinstance(part, Requirement)]
        component = self.resolve_serializer(ErrorSerializer, "response")
        response = {
            "description": f"{' '.join(dict.fromkeys(sentences))} Codes: {listed}.",
            "content": {"application/json": {"schema": component.ref}},
            ERROR_CODES: sorted(codes),
        }
        headers = _ERROR_HEADERS.get(status)
        return response | ({"headers": dict(headers)} if headers else {})

    @property
    def _action(self) -> Any:
        name = getattr(self.view, "action", None) or self.method.lower()
        return getattr(self.view, name, None)

    @property
    def _conditional(self) -> str | None:
        return getattr(self._action, "openapi_conditional", None)

    def _permission_parts(self) -> list[Any]:
        return [part for item in self.view.get_permissions() for part in permission_parts(item)]


_SUMMARIES = {
    "list": "List {many}",
    "retrieve": "Read one {one}",
    "create": "Add one {one}",
    "update": "Replace one {one}",
    "partial_update": "Change one {one}",
    "destroy": "Delete one {one}",
}
_SUCCESSES = {"200": "Done.", "201": "Created.", "204": "Deleted."}
_CONDITIONS = [
    OpenApiParameter(
        "If-Match",
        location=OpenApiParameter.HEADER,
        description="ETags of this URL, or `*`. If none is current, the response is a 412.",
    ),
    OpenApiParameter(
        "If-None-Match",
        location=OpenApiParameter.HEADER,
        description="ETags that the client has, or `*`. If one is current, the response is a 304 "
        f"for {' and '.join(m for m in SAFE_METHODS if m != 'OPTIONS')}, otherwise a 412.",
    ),
]
