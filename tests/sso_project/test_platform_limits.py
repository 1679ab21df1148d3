"""docs/limits.md shows the limits of the code and of the configuration."""

import re

import pytest
from django.conf import settings

from deploy import gunicorn_config
from sso_project import request_limits
from sso_project.lambda_response import MIN_COMPRESSED_BYTES
from sso_project.platform_limits import PLATFORMS, platform_of
from tests.imports import ROOT
from tests.sso_project.lambda_events import function_url, http_api, load_balancer, rest_api

DOCS = (ROOT / "docs/limits.md").read_text(encoding="utf-8")
NGINX = (ROOT / "deploy/nginx.conf.template").read_text(encoding="utf-8")


def cells(beginning):
    """Return the cells of the one row of docs/limits.md that begins with `beginning`."""
    [line] = [line for line in DOCS.splitlines() if line.startswith(f"| {beginning}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def configured(pattern, text):
    [value] = re.findall(pattern, text)
    return int(value)


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_documented_limits_of_a_platform(platform):
    _, request, headers, response, time = map(numbers, cells(platform.name))
    limits = (platform.max_request_bytes, platform.max_header_bytes, platform.max_response_bytes)
    assert [request, headers, response] == [[] if limit is None else [limit] for limit in limits]
    assert time == [platform.max_seconds]


def test_documented_limits_of_gunicorn():
    _, _, headers, _, _ = cells("gunicorn")
    limits = [gunicorn_config.limit_request_line, gunicorn_config.limit_request_field_size]
    assert numbers(headers) == limits


def test_documented_limits_of_nginx():
    _, request, headers, _, time = cells("nginx")
    assert request == "as above"
    limits = {settings.DATA_UPLOAD_MAX_MEMORY_SIZE, settings.MAX_LARGE_BODY_BYTES}
    sizes = re.findall(r"client_max_body_size (\d+)m;", NGINX)
    assert {int(size) * 1024**2 for size in sizes} <= limits
    assert numbers(headers) == [configured(r"large_client_header_buffers \d+ (\d+)k;", NGINX)]
    assert numbers(time) == [configured(r"proxy_read_timeout (\d+)s;", NGINX)]


@pytest.mark.parametrize(
    ("beginning", "limit"),
    [
        ("request body |", settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024**2),
        ("request body of a bulk", settings.MAX_LARGE_BODY_BYTES // 1024**2),
        ("`Authorization`", request_limits.MAX_TOKEN_HEADER_BYTES),
        ("`Cookie`", request_limits.MAX_COOKIE_BYTES),
        ("headers that Django parses", request_limits.MAX_PARSED_HEADER_BYTES),
        ("every other header", request_limits.MAX_HEADER_BYTES),
    ],
)
def test_documented_limits_of_the_site(beginning, limit):
    assert numbers(cells(beginning)[1]) == [limit]


def test_documented_minimum_of_compression():
    assert f"{MIN_COMPRESSED_BYTES // 1024} kB or more are compressed" in DOCS


@pytest.mark.parametrize(
    ("front", "name"),
    [(http_api, "HTTP API"), (rest_api, "REST API"), (function_url, "Function URL"),
     (load_balancer, "Load balancer")],
)  # fmt: skip
def test_platform_is_recognized_by_its_event(front, name):
    assert platform_of(front("/")).name == name
