"""A server with invalid settings does not start, and reports all problems."""

import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.accounts.aws_endpoint import AwsEndpoint, Refusal
from tests.processes import run_python

ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:site-AbCdEf"

GOOD = {
    "ENV_FILE": "/dev/null",
    "SECRET_KEY": "a-secret-key-of-a-test-0123456789-abcdefghijklmnopqrstuvwxyz",
    "PUBLIC_URL": "https://app.example.com",
    "TOKEN_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "COGNITO_POOL_ID": "eu-west-1_AbCdEfGhI",
    "COGNITO_CLIENT_ID": "1example23456789abcdefghij",
    "COGNITO_CLIENT_SECRET": "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z",
    "COGNITO_CLIENT_DOMAIN": "my-prefix",
    "DATABASE_URL": "sqlite:///:memory:",
    "STATIC_ROOT": str(Path(__file__).parent),  # any existing folder
}


def load(module, clean_environ, **changes):
    environment = {**clean_environ, **GOOD, **changes}
    environment = {name: value for name, value in environment.items() if value is not None}
    return run_python(["-c", f"import sso_project.{module}"], environment)


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
def test_server_with_valid_settings_loads(module, clean_environ):
    result = load(module, clean_environ)
    assert (result.returncode, result.stderr) == (0, "")


def test_server_that_would_refuse_its_own_url_does_not_start(clean_environ):
    result = load("wsgi", clean_environ, ALLOWED_HOSTS="other.example.com")
    assert result.returncode != 0
    assert "ALLOWED_HOSTS does not contain app.example.com" in result.stderr


@pytest.mark.parametrize("module", ["wsgi", "asgi"])
def test_all_invalid_values_are_reported(module, clean_environ):
    result = load(
        module,
        clean_environ,
        COGNITO_POOL_ID="nonsense",
        PUBLIC_URL="app.example.com",
        TOKEN_ENCRYPTION_KEYS="short",
        SITE_LOGO="img/none.svg",
        BIND="0.0.0.0:99999",
        COGNITO_GROUPS='{" ": {"staff": true}}',
    )
    assert result.returncode != 0
    for name in ("COGNITO_POOL_ID", "PUBLIC_URL", "TOKEN_ENCRYPTION_KEYS", "SITE_LOGO", "BIND"):
        assert f"  {name} " in result.stderr
    assert "COGNITO_GROUPS" in result.stderr
    assert "COGNITO_CLIENT_SECRET" not in result.stderr


OPTIONAL = ("ENV_FILE", "DATABASE_URL", "STATIC_ROOT")
REQUIRED = [name for name in GOOD if name not in OPTIONAL]


@pytest.mark.parametrize("name", REQUIRED)
def test_missing_required_value_is_reported(name, clean_environ):
    result = load("wsgi", clean_environ, **{name: None})
    assert result.returncode != 0
    assert f"  {name} is missing" in result.stderr


def test_all_missing_values_are_reported(clean_environ):
    result = load("wsgi", clean_environ, **dict.fromkeys(REQUIRED))
    assert all(f"  {name} is missing" in result.stderr for name in REQUIRED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COGNITO_CLIENT_DOMAIN", "http://auth.example.com"),
        ("COGNITO_CLIENT_ID", "has spaces in it"),
        ("COGNITO_CLIENT_REGION", "us-east-1"),  # not the region of the pool
        ("PUBLIC_URL", "http://app.example.com"),
        ("PUBLIC_URL", "https://app.example.com/path"),
        ("DATABASE_URL", "nonsense"),
        ("DEBUG", "perhaps"),
        ("PORT", "eighty"),
    ],
)
def test_malformed_value_is_reported_once(name, value, clean_environ):
    result = load("wsgi", clean_environ, **{name: value})
    assert result.returncode != 0
    assert f"  {name} " in result.stderr
    assert result.stderr.count("(sso_project.E") + result.stderr.count("(accounts.E") == 1, (
        result.stderr
    )


def test_secrets_are_not_in_the_message(clean_environ):
    result = load("wsgi", clean_environ, COGNITO_CLIENT_SECRET="short secret!", SECRET_KEY=None)
    assert result.returncode != 0
    assert "COGNITO_CLIENT_SECRET" in result.stderr
    assert "short secret!" not in result.stderr


def test_development_requires_only_the_key_and_the_pool(clean_environ):
    development = {"DEBUG": "1", "PUBLIC_URL": None, "TOKEN_ENCRYPTION_KEYS": None}
    result = load("wsgi", clean_environ, **development)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_cookie_has_the_host_prefix_over_https(clean_environ):
    code = (
        "from django.conf import settings as s\n"
        "from django.contrib.messages.storage import default_storage\n"
        "from django.http import HttpRequest\n"
        "request = HttpRequest(); request.session = {}\n"
        "[cookies, _] = default_storage(request).storages\n"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, cookies.cookie_name)"
    )
    environ = {**clean_environ, **GOOD, "DJANGO_SETTINGS_MODULE": "sso_project.settings"}
    done = run_python(["-c", code], environ)
    assert done.stdout.split() == ["__Host-sessionid", "__Host-csrftoken", "__Host-messages"]


MEMBERS = ("SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "COGNITO_CLIENT_SECRET")


def load_on_lambda(clean_environ, response, **changes):
    with AwsEndpoint(GetSecretValue=response) as aws:
        values = {**dict.fromkeys(MEMBERS), **aws.environment, "APP_SECRET_ARN": ARN, **changes}
        return load("lambda_handler", clean_environ, **values)


def test_lambda_starts_with_the_members_of_its_secret(clean_environ):
    members = {name: GOOD[name] for name in MEMBERS}
    result = load_on_lambda(clean_environ, {"SecretString": json.dumps(members)})
    assert result.returncode == 0, result.stderr


def test_variable_of_a_function_precedes_a_member_of_its_secret(clean_environ):
    members = {name: GOOD[name] for name in MEMBERS} | {"COGNITO_CLIENT_SECRET": "not valid"}
    response = {"SecretString": json.dumps(members)}
    assert load_on_lambda(clean_environ, response).returncode == 1
    result = load_on_lambda(clean_environ, response, COGNITO_CLIENT_SECRET="a_valid_secret_0123456")
    assert result.returncode == 0, result.stderr


def test_lambda_whose_secret_cannot_be_read_says_what_it_needs(clean_environ):
    refusal = Refusal("AccessDeniedException", "User: x is not authorized")
    result = load_on_lambda(clean_environ, refusal)
    assert result.returncode == 1
    assert "Use credentials that allow secretsmanager:GetSecretValue." in result.stderr


def test_server_with_an_unreadable_client_secret_does_not_start(clean_environ):
    result = load("wsgi", clean_environ, COGNITO_CLIENT_SECRET="/nowhere/client-secret")
    assert result.returncode == 1
    problem = "COGNITO_CLIENT_SECRET (/nowhere/client-secret) cannot be read: No such file"
    assert problem in result.stderr
    assert result.stderr.count("cannot be read") == 1
