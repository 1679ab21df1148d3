"""Requests from AWS through the handler, and the responses."""

import base64
import json
import os
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest
from apig_wsgi import make_lambda_handler
from django.core import management
from django.core.management import CommandError

from accounts.core.request_meta import client_ip
from sso_project import lambda_handler
from sso_project.lambda_request import LambdaRequest
from tests.imports import ROOT
from tests.sso_project.lambda_events import (
    CLIENT,
    EDGE,
    form,
    function_url,
    http_api,
    load_balancer,
    rest_api,
)

WAYS = {"HTTP API": http_api, "function URL": function_url, "REST API": rest_api,
        "load balancer": load_balancer}  # fmt: skip
every_way = pytest.mark.parametrize("event", WAYS.values(), ids=WAYS)


def echo(environ, start_response):
    """Return the environ in X-Environ, two cookies, and the body of the request."""
    body = environ["wsgi.input"].read()
    names = ("PATH_INFO", "SCRIPT_NAME", "QUERY_STRING", "REMOTE_ADDR", "HTTP_COOKIE", "HTTP_HOST",
             "REQUEST_METHOD", "wsgi.url_scheme", "HTTP_X_ORIGIN_VERIFY",
             "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "SERVER_NAME")  # fmt: skip
    selected = {name: environ[name] for name in names if name in environ}
    kind = environ.get("CONTENT_TYPE") or "application/octet-stream"
    headers = [("Content-Type", kind), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"),
               ("X-Environ", json.dumps(selected))]  # fmt: skip
    start_response("200 OK", headers)
    return [body]


def handle(event, **options):
    handler = make_lambda_handler(LambdaRequest(echo, **options), binary_support=True)
    return handler(event, None)


def read_environ(event, **options):
    response = handle(event, **options)
    many = response.get("multiValueHeaders")
    sent = {k.lower(): v[0] for k, v in many.items()} if many else response["headers"]
    return json.loads(sent["x-environ"])


def cookies_of(response):
    if "cookies" in response:
        return response["cookies"]
    return response["multiValueHeaders"].get("Set-Cookie", [])


@every_way
def test_path_and_query_are_unchanged(event):
    seen = read_environ(event("/stats", query="kpi=profit&kpi=cost&next=%2Fa%3Fb%3D1%26c"))
    assert seen["PATH_INFO"] == "/stats"
    assert seen["QUERY_STRING"] == "kpi=profit&kpi=cost&next=%2Fa%3Fb%3D1%26c"
    assert seen["wsgi.url_scheme"] == "https"


@every_way
def test_both_cookies_are_returned(event):
    assert cookies_of(handle(event("/"))) == ["a=1; Path=/", "b=2; Path=/"]


@every_way
def test_all_cookies_are_received(event):
    sent = read_environ(event("/", cookies=["sessionid=x", "csrftoken=y"]))["HTTP_COOKIE"]
    assert [cookie.strip() for cookie in sent.split(";")] == ["sessionid=x", "csrftoken=y"]


@every_way
def test_binary_bodies_are_unchanged(event):
    picture = bytes(range(256))
    response = handle(
        event("/", method="POST", body=base64.b64encode(picture).decode(), encoded=True,
              headers={"content-type": "image/png"})
    )  # fmt: skip
    assert response["isBase64Encoded"] is True
    assert base64.b64decode(response["body"]) == picture


@every_way
def test_text_is_not_encoded(event):
    response = handle(
        event("/", method="POST", body="héllo", headers={"content-type": "text/plain"})
    )
    assert (response["isBase64Encoded"], response["body"]) == (False, "héllo")


@every_way
def test_client_ip_is_the_one_that_aws_recorded(event):
    assert read_environ(event("/"))["REMOTE_ADDR"] == CLIENT


@every_way
@pytest.mark.parametrize(
    "name",
    [
        "x_forwarded_for", "X_FORWARDED_FOR", "x-forwarded_for", "X_Forwarded-For",
        "x_forwarded_proto", "x-forwarded_proto", "x_forwarded_port", "content_type",
        "x_origin_verify", "x_request_id", "_host", "x-or\u0131gin-verify",
    ],
)  # fmt: skip
def test_header_with_an_ambiguous_name_is_dropped(event, name):
    plain, spoofed = event("/"), event("/", headers={name: "192.0.2.66"})
    assert handle(spoofed) == handle(plain)


@every_way
def test_underscore_in_the_name_of_a_cookie_stays(event):
    assert read_environ(event("/", cookies=["my_cookie=x_y"]))["HTTP_COOKIE"] == "my_cookie=x_y"


def test_underscore_does_not_bypass_cloudfront():
    event = http_api("/", headers={"x_origin_verify": "origin-secret"})
    response = handle(
        event, origin_secrets=["origin-secret", "previous-secret"], host="app.example.com"
    )
    assert response["statusCode"] == 403


def test_underscore_does_not_change_the_client_behind_cloudfront():
    headers = {"x-forwarded-for": f"{CLIENT}, {EDGE}", "x_forwarded_for": "192.0.2.66"}
    event = through_cloudfront(**headers)
    seen = read_environ(
        event, origin_secrets=["origin-secret", "previous-secret"], host="app.example.com"
    )
    assert seen["REMOTE_ADDR"] == CLIENT


def test_header_names_are_case_insensitive():
    event = rest_api("/", headers={"x-forwarded-for": "192.0.2.66"})
    assert read_environ(event)["HTTP_X_FORWARDED_FOR"].split(",")[-1] == "192.0.2.66"
    assert read_environ(event)["REMOTE_ADDR"] == CLIENT


@pytest.mark.django_db
@every_way
def test_non_ascii_text_is_not_a_server_error(event, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    headers = {"authorization": "Bearer €\u20ac", "user-agent": "\ud83d", "accept": "€/€"}
    request = event("/api/user", headers=headers, cookies=["a=€"], query="a=€")
    assert lambda_handler.handler(request, None)["statusCode"] in (401, 406)


def test_scheme_is_https_except_behind_a_load_balancer():
    for event, scheme in ((http_api, "https"), (rest_api, "https"), (load_balancer, "http")):
        name = "X-Forwarded-Proto" if event is rest_api else "x-forwarded-proto"
        assert read_environ(event("/", headers={name: "http"}))["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize("event", [http_api, rest_api])
@pytest.mark.parametrize(
    ("path", "inside"), [("/profile/", "/profile/"), ("/", "/"), ("/production", "/production")]
)
def test_stage_is_not_part_of_the_path(event, path, inside):
    seen = read_environ(event(path, stage="prod"))
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/prod", inside)


def test_path_that_begins_like_the_stage_is_unchanged():
    event = http_api("/production/x")
    event["requestContext"]["stage"] = "prod"
    seen = read_environ(event)
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("", "/production/x")


def test_load_balancer_that_drops_cookies_is_refused(caplog):
    response = handle(load_balancer("/", multi_value=False))
    assert response["statusCode"] == 500
    assert "lambda.multi_value_headers.enabled=true" in response["body"]
    assert "lambda.multi_value_headers.enabled=true" in caplog.text


def through_cloudfront(source=EDGE, **headers):
    return http_api(
        "/",
        source=source,
        host="abcdefghij.execute-api.eu-west-1.amazonaws.com",
        headers={"x-origin-verify": "origin-secret", "x-forwarded-proto": "http", **headers},
    )


def test_request_through_cloudfront_has_the_host_of_the_site():
    event = through_cloudfront(**{"x-forwarded-for": f"192.0.2.99, {CLIENT}, {EDGE}"})
    seen = read_environ(
        event, origin_secrets=["origin-secret", "previous-secret"], host="app.example.com"
    )
    assert seen["HTTP_HOST"] == "app.example.com"
    assert seen["wsgi.url_scheme"] == "https"
    assert seen["REMOTE_ADDR"] == CLIENT
    assert "HTTP_X_ORIGIN_VERIFY" not in seen


def test_previous_origin_secret_is_accepted_until_it_is_removed():
    """CloudFront sends it until its distribution is updated."""
    event = through_cloudfront(**{"x-origin-verify": "previous-secret"})
    for secrets, status in ((["new", "previous-secret"], 200), (["new"], 403)):
        assert handle(event, origin_secrets=secrets, host="x")["statusCode"] == status


@pytest.mark.parametrize(
    ("value", "fallbacks", "secrets"),
    [
        ("", "", ()),
        ("new", "", ("new",)),
        ("new", "old, older", ("new", "old", "older")),
        ("with, a comma", " , old", ("with, a comma", "old")),
    ],
)
def test_origin_secrets_are_the_value_and_its_fallbacks(monkeypatch, value, fallbacks, secrets):
    monkeypatch.setenv("ORIGIN_VERIFY", value)
    monkeypatch.setenv("ORIGIN_VERIFY_FALLBACKS", fallbacks)
    assert lambda_handler.origin_secrets() == secrets


def test_environment_of_the_template_sets_no_variable_twice(monkeypatch):
    monkeypatch.setenv("SITE_NAME", "Ours")
    monkeypatch.delenv("COGNITO_GROUPS", raising=False)
    monkeypatch.delenv("SPA_COMPAT", raising=False)
    text = '{"SITE_NAME": "Theirs", "COGNITO_GROUPS": {"staff": "editors"}, "SPA_COMPAT": 1}'
    lambda_handler.load_environment(text)
    assert os.environ["SITE_NAME"] == "Ours"
    assert os.environ["COGNITO_GROUPS"] == '{"staff": "editors"}'
    assert os.environ["SPA_COMPAT"] == "1"
    for name in ("COGNITO_GROUPS", "SPA_COMPAT"):
        monkeypatch.delenv(name)


NOT_ON_LAMBDA = {
    *("cognito_env", "dev"),  # for a checkout: they write .env and start the development server
    *("collectstatic", "database_ready"),  # steps of building an image, and of starting a server
    *("makemigrations", "startapp", "runserver", "shell", "test"),  # development
}


def test_every_command_of_the_documentation_runs_on_lambda():
    files = [ROOT / "README.md", ROOT / "infra/README.md", *(ROOT / "docs").rglob("*.md")]
    text = "".join(file.read_text() for file in files)
    named = set(re.findall(r"manage\.py (?:dev )?([a-z]\w+)", text)) - NOT_ON_LAMBDA
    assert {"cognito_erase_user", "cognito_explain_sign_in", "createsuperuser"} <= named
    allowed = lambda_handler.allowed_commands()
    assert named <= allowed
    assert not allowed & NOT_ON_LAMBDA
    assert not allowed & {"flush", "dbshell", "loaddata", "changepassword"}


@pytest.mark.parametrize("sent", [{}, {"x-origin-verify": "guess"}, {"x-origin-verify": ""}])
def test_request_that_bypasses_cloudfront_is_refused(sent):
    response = handle(
        http_api("/", headers=sent), origin_secrets=["origin-secret", "previous-secret"], host="x"
    )
    assert response["statusCode"] == 403
    assert "cookies" not in response or response["cookies"] == []


@pytest.mark.django_db
@every_way
def test_sign_in_redirects_to_the_hosted_ui(event, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    response = lambda_handler.handler(event("/accounts/login/", query="next=%2Fserver%2F"), None)
    assert response["statusCode"] == 302, response
    many = response.get("multiValueHeaders")
    location = many["Location"][0] if many else response["headers"]["location"]
    assert location.startswith("http://localhost:1/oauth2/authorize?")
    begun = [cookie for cookie in cookies_of(response) if cookie.startswith("signin_")]
    assert len(begun) == 1, response


@pytest.mark.django_db
@pytest.mark.parametrize("event", [http_api, rest_api])
def test_sign_in_below_a_stage_has_a_callback_below_it(event, settings):
    settings.ALLOWED_HOSTS = ["localhost"]
    response = lambda_handler.handler(event("/accounts/login/", stage="prod"), None)
    many = response.get("multiValueHeaders")
    location = many["Location"][0] if many else response["headers"]["location"]
    sent = parse_qs(urlsplit(location).query)["redirect_uri"]
    assert sent == [f"{settings.PUBLIC_URL}/prod/signin"]


@pytest.mark.django_db
@every_way
def test_form_without_csrf_token_is_refused(event):
    response = lambda_handler.handler(event("/accounts/logout/", **form(next="/")), None)
    assert response["statusCode"] == 403


def test_django_gets_the_client_ip(rf):
    seen = []

    def application(environ, start_response):
        request = rf.generic("GET", "/")
        request.META.update(environ)
        seen.append(client_ip(request))
        return echo(environ, start_response)

    make_lambda_handler(LambdaRequest(application))(http_api("/"), None)
    assert seen == [CLIENT]


def test_output_of_a_command_is_returned(db):
    response = lambda_handler.manage({"command": ["check", "--tag", "configuration"]}, None)
    assert response["status"] == 0
    assert "no issues" in response["output"]


def test_warnings_of_a_command_are_returned(db, settings):
    settings.BREAK_GLASS_LOGIN = True
    response = lambda_handler.manage({"command": ["check", "--tag", "security"]}, None)
    assert response["status"] == 0
    assert "BREAK_GLASS_LOGIN is on" in response["output"]


def test_findings_of_the_doctor_are_returned_with_the_status():
    response = lambda_handler.manage({"command": ["cognito_doctor", "--json"]}, None)
    assert response["status"] == 1
    ids = [finding["id"] for finding in json.loads(response["output"])["findings"]]
    assert ids == ["issuer-unreachable", "domain-unreachable"]


def test_instance_starts_without_other_settings_than_its_variables(clean_environ):
    """Nothing may import models before `wsgi` has started Django."""
    variables = {"DEBUG": "1", "PUBLIC_URL": "http://localhost:8000", "ENV_FILE": os.devnull}
    pool = {
        "COGNITO_POOL_ID": "eu-west-1_A",
        "COGNITO_CLIENT_ID": "1example23456789",
        "COGNITO_CLIENT_SECRET": "never-used-here",
        "COGNITO_CLIENT_DOMAIN": "my-team",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import sso_project.lambda_handler"],
        cwd=ROOT,
        env={**clean_environ, **variables, **pool, "SECRET_KEY": "tests-only-" * 6},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["housekeeping", "sign_out_user"])
def test_name_that_a_deployed_stack_sends_runs_the_renamed_command(db, monkeypatch, name):
    calls = []
    monkeypatch.setattr(management, "call_command", lambda *words, **options: calls.append(words))
    lambda_handler.manage({"command": [name, "ada"]}, None)
    assert calls == [(f"cognito_{name}", "ada")]


def test_command_error_fails_the_invocation():
    with pytest.raises(CommandError, match="--base-url example is not a URL"):
        lambda_handler.manage({"command": ["cognito_doctor", "--base-url", "example"]}, None)


@pytest.mark.parametrize("event", [{}, {"command": "migrate"}, {"command": [1]}])
def test_command_must_be_a_list_of_words(event):
    with pytest.raises(ValueError, match="list of words"):
        lambda_handler.manage(event, None)


@pytest.mark.parametrize("command", [[], ["shell", "-c", "1"], ["dbshell"]])
def test_other_commands_are_refused(command):
    with pytest.raises(ValueError, match="The command must be one of"):
        lambda_handler.manage({"command": command}, None)
