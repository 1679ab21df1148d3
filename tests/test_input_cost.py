"""All code that parses external text takes linear time.

The parsers of figures are in tests/stats/test_input_cost.py.
"""

import ast
import re
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, QueryDict
from django.test import RequestFactory

from accounts.cognito import claim_checks, token_parsing
from accounts.core import masking, navigation, request_meta
from accounts.core.csv_cells import escape_formula, unescape_formula
from accounts.problems.provider_reasons import reason_for
from accounts.signin import attempts, break_glass
from local_pool import commands, grants, password_hashes, service_model
from sso_project import error_views, request_limits
from tests.imports import ROOT
from tests.input_cost import LENGTHS, PUMPS, Reader, assert_linear

PACKAGES = ("accounts", "stats", "sso_project", "local_pool")
REQUESTS = RequestFactory()


def request_with_next(next_page: str) -> HttpRequest:
    request = REQUESTS.get("/")
    request.GET = QueryDict(mutable=True)
    request.GET["next"] = next_page
    return request


def request_of(path: str) -> HttpRequest:
    request = HttpRequest()
    request.path_info = f"/{path}"
    return request


def match_patterns_of_the_api(text: str) -> None:
    """Match the patterns with several repetitions; those with one take linear time."""
    model = service_model.service_model()
    shapes = [model.shape_for(name) for name in model.shape_names]
    for pattern in {shape.metadata.get("pattern", "") for shape in shapes}:
        if pattern.count("+") + pattern.count("*") > 3:
            service_model._compile(pattern).fullmatch(text)


READERS: dict[str, Reader] = {
    "IP address": request_meta._normalize_ip,
    "next page": lambda text: navigation.safe_next_url(request_with_next(text)),
    "referring page": lambda text: navigation.page_path(
        REQUESTS.post("/", headers={"Referer": text})
    ),
    "page of htmx": lambda text: navigation.page_path(
        REQUESTS.post("/", headers={"HX-Request": "true", "HX-Current-URL": text})
    ),
    "state": attempts.destination_of,
    "error of a callback": lambda text: reason_for("invalid_request", text),
    "break-glass name": break_glass.normalize_username,
    "payload of a token": token_parsing.unverified_payload,
    "token": token_parsing.parse,
    "claim": lambda text: claim_checks.text({"sub": text}, "sub"),
    "log line": masking.mask,
    "error report": masking.mask_event,
    "content type": lambda text: request_limits.check_headers({"CONTENT_TYPE": text}, "/"),
    "header name": request_limits.max_header_bytes,
    "path of a body": lambda text: request_limits.max_body_bytes(f"/{text}"),
    "path of an error": lambda text: error_views.is_api_request(request_of(text)),
    "cell to write": escape_formula,
    "cell that was written": unescape_formula,
    "local pool's duration": commands.duration,
    "local pool's credentials": grants._basic,
    "local pool's API": match_patterns_of_the_api,
    "local pool's password hash": lambda text: [
        password_hashes.problem(name, text) for name in password_hashes.FORMATS
    ],
}


@pytest.mark.parametrize("name", READERS)
def test_reader_of_text_from_outside_takes_linear_time(name, db):
    for pump in PUMPS:
        assert_linear(READERS[name], pump)


@pytest.mark.parametrize("reader", [re.compile(r"\d*\.?\d*(e\d)?").fullmatch])
def test_quadratic_reader_is_detected(reader):
    with pytest.raises(AssertionError):
        assert_linear(reader, "7", (500, 5_000))


# --- All regular expressions, including those that no reader above uses ---------------------------

# Files with computed patterns, which READERS covers.
COMPUTED = (
    "accounts/core/csv_cells.py",
    "local_pool/password_hashes.py",
    "local_pool/service_model.py",
    "sso_project/error_views.py",
    "accounts/core/masking.py",
    "sso_project/request_limits.py",
)
SEARCHING = ("search", "sub", "split", "findall", "finditer")


def patterns() -> Iterator[tuple[str, Reader]]:
    """Yield the file and line of each regular expression, and the method to test."""
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.Call(func=ast.Attribute(ast.Name("re"), method), args=[_, *_]):
                    place = f"{file.relative_to(ROOT).as_posix()}:{node.lineno}"
                case _:
                    continue
            is_search = method in SEARCHING or (
                method == "compile" and any(f".{name}(" in source for name in SEARCHING[:2])
            )
            if not isinstance(node.args[0], ast.Constant):
                assert place.rpartition(":")[0] in COMPUTED, f"{place}: add its reader to READERS"
                continue
            flags = ast.unparse(ast.Tuple([*node.args[1:], *(k.value for k in node.keywords)]))
            pattern = re.compile(node.args[0].value, re.IGNORECASE * ("IGNORECASE" in flags))
            yield place, pattern.search if is_search else pattern.fullmatch


@pytest.mark.parametrize(("place", "reader"), [*patterns()])
def test_regular_expression_takes_linear_time(place, reader):
    for pump in PUMPS:
        assert_linear(reader, pump, LENGTHS[:2])
