"""Every response of the API in this test run, compared with the OpenAPI document.

`DocumentedResponses` is the outermost middleware of tests/settings.py, so that it sees the test
client, servers in threads and the Lambda handler. It records what the document does not describe,
and a fixture of tests/conftest.py fails the test. A schema in the document allows members that it
does not list, because clients must ignore those. Here they are faults.
"""

import copy
import json
import re
from functools import cache
from threading import Lock

from django.conf import settings
from django.urls import get_urlconf
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from accounts.core.navigation import is_page_request

MAX_CHECKED_BYTES = 200_000  # of a response; a longer one is checked without its body
MAX_CHECKED_FIGURES = 30
# Those in docs/api.md, apart from X-Request-ID, which each response has.
HEADERS = {"WWW-Authenticate", "Retry-After", "ETag", "Location", "Content-Disposition"}
ROOT_URLS = re.compile(r"^/(?=(auth/get-tokens|user|stats|info/server)\b)")  # with SPA_COMPAT

faults: list[str] = []
_generating = Lock()  # drf-spectacular loads its extensions without one


class Document:
    """The document of a URLconf, with a compiled validator for each schema of a response."""

    def __init__(self, urlconf):
        document = SchemaGenerator(urlconf=urlconf).get_schema(public=True)
        self.components = _closed(copy.deepcopy(document["components"]))
        self.paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "/?"), path, operations)
            for path, operations in sorted(
                document["paths"].items(), key=lambda item: "{" in item[0]
            )
        ]
        self.validator = cache(self._validator)
        self.error_validator = self._compile('{"$ref": "#/components/schemas/Error"}')

    def find(self, path):
        return next((item[1:] for item in self.paths if item[0].fullmatch(path)), None)

    def _validator(self, path, method, status, media_type):
        operations = next(operations for _, name, operations in self.paths if name == path)
        schema = operations[method]["responses"][status]["content"][media_type]["schema"]
        return self._compile(json.dumps(schema))

    def _compile(self, schema):
        return Draft202012Validator({**json.loads(schema), "components": self.components})


def _closed(schema):
    """Return `schema` with `additionalProperties: false` in each object that lists properties."""
    if isinstance(schema, dict):
        if "properties" in schema and schema.get("type") == "object":
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            _closed(value)
    elif isinstance(schema, list):
        for value in schema:
            _closed(value)
    return schema


@cache
def document_of(urlconf, compat):
    return Document(urlconf)


class DocumentedResponses:
    """Middleware that compares each response below /api/ with the document."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        path, urlconf = request.path_info, get_urlconf() or settings.ROOT_URLCONF
        if settings.SPA_COMPAT and urlconf == "sso_project.urls" and request.resolver_match:
            path = ROOT_URLS.sub("/api/", path)
        if path.startswith("/api/") and not _is_page(request, response):
            with _generating:
                document = document_of(urlconf, settings.SPA_COMPAT)
            for fault in check(document, request.method, path, response):
                faults.append(f"{request.method} {path} {response.status_code}: {fault}")
        return response


def _is_page(request, response):
    """Return True for the browsable API and for redirects to the host of PUBLIC_URL."""
    asks_for_page = (
        is_page_request(request)
        or "text/html" in request.headers.get("Accept", "")
        or request.GET.get("format") == "api"
    )
    is_html = "text/html" in response.headers.get("Content-Type", "")
    return response.status_code == 302 or (asks_for_page and is_html)


def check(document, method, path, response):
    """Yield the differences between a response and the document."""
    if method == "OPTIONS":
        return
    found = document.find(path)
    operations = found[1] if found else {}
    operation = operations.get("get" if method == "HEAD" else method.lower())
    status = str(response.status_code)
    if operation is None:
        # Only errors: an unknown URL, a method that the URL does not have, or a check before both.
        if response.status_code < 400:
            yield "there is no such operation in the document"
        elif "json" in response.headers.get("Content-Type", ""):
            yield from _differences(document.error_validator, json.loads(response.content))
        return
    described = operation["responses"].get(status)
    if described is None:
        yield f"the document has only the statuses {', '.join(operation['responses'])}"
        return
    unknown = {name for name in HEADERS if name in response.headers} - set(
        described.get("headers", {})
    )
    if unknown:
        yield f"the document does not describe the headers {', '.join(sorted(unknown))}"
    for name, header in described.get("headers", {}).items():
        if header.get("required") and name not in response.headers:
            yield f"the header {name} is missing"
    yield from _check_body(document, method, found[0], status, described, response)


def _check_body(document, method, path, status, described, response):
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    content = described.get("content", {})
    body = b"" if response.streaming else response.content
    if method == "HEAD" or (not response.streaming and not body):
        if content and method != "HEAD":
            yield "the body is empty"
        return
    if media_type not in content:
        yield f"the document has only the media types {', '.join(content) or 'none'}: {media_type}"
        return
    if media_type != "application/json" or response.streaming or len(body) > MAX_CHECKED_BYTES:
        return
    value = json.loads(body)
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value["data"] = value["data"][:MAX_CHECKED_FIGURES]
    yield from _differences(document.validator(path, method.lower(), status, media_type), value)
    codes = described.get("x-error-codes")
    if codes and value.get("code") not in codes:
        yield f"the code {value.get('code')} is not one of {', '.join(codes)}"


def _differences(validator, value):
    for error in validator.iter_errors(value):
        yield f"{error.json_path}: {error.message[:300]}"
