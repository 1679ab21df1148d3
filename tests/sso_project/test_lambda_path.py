"""SCRIPT_NAME and PATH_INFO behind stages, custom domains and path rules."""

from urllib.parse import parse_qs, urlsplit

import pytest
from apig_wsgi import make_lambda_handler

from sso_project import lambda_handler
from sso_project.lambda_path import split_path
from sso_project.lambda_request import LambdaRequest
from tests.sso_project.lambda_events import function_url, http_api, load_balancer, rest_api

DOMAIN = "api.example.com"


def rest_mapping(path, *, before="/v1", resource="/{proxy+}", proxy=None):
    """Return an event of a REST API on a custom domain whose mapping has a key."""
    event = rest_api(f"{before}{path}")
    event["requestContext"] |= {"domainName": DOMAIN, "path": f"{before}{path}"}
    value = path.strip("/") if proxy is None else proxy
    return event | {"resource": resource, "pathParameters": {"proxy": value} if value else None}


def http_mapping(raw_path, *, stage="$default", route="$default"):
    """Return an event of an HTTP API on a custom domain. It does not hold the mapping's key."""
    event = http_api(raw_path)
    event["requestContext"] |= {"domainName": DOMAIN, "stage": stage, "routeKey": route}
    return event | {"routeKey": route}


@pytest.mark.parametrize("before", ["/v1", "/orders/v1", "/v1/prod", "/$a-b.c"])
@pytest.mark.parametrize(
    "path", ["/api/info/server", "/profile/", "/v1/v1", "/v1", "/a%20b", "/a%25b", "/%C3%A9"]
)
def test_route_of_a_rest_api_determines_the_base_path(before, path):
    assert split_path(rest_mapping(path, before=before)) == (
        before,
        split_path(function_url(path))[1],
    )


@pytest.mark.parametrize("proxy", ["a%20b/c%25", "a b/c%"])
def test_parameters_may_be_decoded(proxy):
    assert split_path(rest_mapping("/a%20b/c%25", proxy=proxy)) == ("/v1", "/a b/c%")


@pytest.mark.parametrize("path", ["", "/"])
def test_root_of_a_base_path(path):
    event = rest_mapping(path, resource="/", proxy="")
    assert split_path(event) == ("/v1", "/")


def test_route_with_fixed_parts_and_several_parameters():
    event = rest_mapping("/admin/user/5/change/", resource="/admin/{model}/{rest+}")
    event["pathParameters"] = {"model": "user", "rest": "5/change"}
    assert split_path(event) == ("/v1", "/admin/user/5/change/")


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example/x", "/a?b/x", "/é/x"])
def test_path_of_a_client_never_becomes_the_script_name(path):
    event = rest_api(path) | {"pathParameters": {"proxy": "x"}}
    event["requestContext"]["path"] = path
    assert split_path(event)[0] == ""


@pytest.mark.parametrize("parameters", [None, {}, {"other": "x"}])
def test_route_without_its_parameters_is_ignored(parameters):
    event = rest_api("/profile/") | {"pathParameters": parameters}
    assert split_path(event) == ("/prod", "/profile/")


def test_page_with_the_name_of_the_stage_is_served():
    assert split_path(rest_api("/prod/x")) == ("/prod", "/prod/x")
    assert split_path(http_api("/prod/x", stage="prod")) == ("/prod", "/prod/x")


def test_stage_of_an_http_api_with_payload_1():
    event = rest_api("/prod/x") | {"version": "1.0", "resource": "$default", "pathParameters": None}
    event["requestContext"]["path"] = "/prod/x"
    assert split_path(event) == ("/prod", "/x")


@pytest.mark.parametrize("route", ["$default", "ANY /{proxy+}"])
def test_stage_is_not_in_the_urls_of_a_custom_domain(route):
    event = http_mapping("/prod/x", stage="prod", route=route)
    event["pathParameters"] = {"proxy": "x"} if route != "$default" else None
    assert split_path(event) == ("", "/x")
    assert split_path(event, "/v1") == ("/v1", "/x")


def test_route_of_an_http_api_determines_the_base_path():
    event = http_mapping("/v1/api/user", route="GET /api/{proxy+}")
    event["pathParameters"] = {"proxy": "user"}
    assert split_path(event) == ("/v1", "/api/user")


EVERY_FRONT = {
    "HTTP API without the key": http_mapping("/x"),
    "HTTP API with the key": http_mapping("/v1/x"),
    "stage and key of one name": http_mapping("/v1/x", stage="v1"),
    "function URL": function_url("/v1/x"),
    "load balancer": load_balancer("/v1/x"),
    "REST API": rest_mapping("/x"),
    "REST API without a route": rest_mapping("/x") | {"resource": None, "pathParameters": None},
}


@pytest.mark.parametrize("event", EVERY_FRONT.values(), ids=EVERY_FRONT)
def test_setting_is_the_base_path_for_every_front(event):
    assert split_path(event, "/v1") == ("/v1", "/x")


@pytest.mark.parametrize("front", [function_url, load_balancer])
def test_path_outside_of_the_base_path_is_served(front):
    assert split_path(front("/v10/x"), "/v1") == ("/v1", "/v10/x")  # such as a health check
    assert split_path(front("/v1"), "/v1") == ("/v1", "/")


@pytest.mark.parametrize("front", [http_api, rest_api])
def test_setting_removes_the_stage_from_links(front):
    assert split_path(front("/x", stage="prod"), "/") == ("", "/x")


@pytest.mark.parametrize("front", [http_api, function_url, load_balancer])
def test_non_ascii_path_is_the_same_encoded_or_not(front):
    assert split_path(front("/é€")) == split_path(front("/%C3%A9%E2%82%AC"))
    split_path(front("/\ud800"))  # a lone surrogate


@pytest.mark.django_db
def test_callback_and_pages_below_a_base_path(settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    response = lambda_handler.handler(rest_mapping("/accounts/login/"), None)
    [location] = response["multiValueHeaders"]["Location"]
    sent = parse_qs(urlsplit(location).query)["redirect_uri"]
    assert sent == [f"{settings.PUBLIC_URL}/v1/signin"]
    response = lambda_handler.handler(rest_mapping("/api/info/server"), None)
    assert response["statusCode"] == 200
    page = lambda_handler.handler(rest_mapping("/", resource="/"), None)["body"]
    assert 'href="/v1/accounts/login/' in page


def test_middleware_uses_the_setting():
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    make_lambda_handler(LambdaRequest(application, base_path="/v1"))(http_api("/v1/x"), None)
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/v1", "/x")
