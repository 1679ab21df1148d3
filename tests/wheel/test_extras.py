"""Each extra of the wheel, alone in an empty environment."""

import json
import os
import subprocess

import pytest

from tests.accounts.aws_endpoint import AwsEndpoint

from . import environment

pytestmark = pytest.mark.xdist_group("wheel")

OPTIONAL = ("rest_framework", "drf_spectacular", "boto3", "flask", "pytest")
HEADER = f"""
import importlib.util, json, sys
print(json.dumps([name for name in {OPTIONAL} if importlib.util.find_spec(name)]))
"""
PAGES = """
import small_site as site
site.start()
print(site.page_of("ada", bearer=False)[:9])
"""
API = """
import small_site as site
urlpatterns = site.start(REST_FRAMEWORK={
    "DEFAULT_AUTHENTICATION_CLASSES": ["cognito_sso.authentication.CognitoAuthentication"],
    "EXCEPTION_HANDLER": "cognito_sso.api.exception_handler.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "cognito_sso.api.openapi.ApiSchema",
})
site.api_of(urlpatterns)
from cognito_sso.testing import fake_cognito, mint_access_token, mint_id_token
from django.test import Client
with fake_cognito():
    for token in (mint_access_token("ada"), mint_id_token("ada")):
        response = Client(headers={"authorization": f"Bearer {token}"}).get("/api")
        print(response.status_code, response.json()["code"] if response.status_code > 200 else "")
from drf_spectacular.generators import SchemaGenerator
schema = SchemaGenerator(patterns=urlpatterns).get_schema(public=True)
print(sorted(schema["components"]["securitySchemes"]) != [], "401" in str(schema["paths"]["/api"]))
"""
AWS = """
import small_site as site
site.start()
from django.contrib.auth import get_user_model
get_user_model().objects.create_user("mary", "mary@example.com")
from django.core.management import call_command
call_command("cognito_link_users", "--apply")
"""
TESTS = """
def test_page_is_for_users(cognito_client, client):
    assert client.get("/page").status_code == 302
    assert cognito_client("ada").get("/page", secure=True).status_code == 200
"""
POOL_USER = {
    "Username": "mary", "Enabled": True, "UserStatus": "CONFIRMED", "UserCreateDate": 1.0,
    "UserLastModifiedDate": 1.0,
    "Attributes": [{"Name": "sub", "Value": "sub-1"},
                   {"Name": "email", "Value": "mary@example.com"},
                   {"Name": "email_verified", "Value": "true"}],
}  # fmt: skip


@pytest.fixture
def installed(wheel, tmp_path):
    """Return a function that runs Python in an environment with these extras only."""

    def run_with(*extras):
        python = environment.install(wheel, tmp_path / "venv", *extras)
        site = environment.SITE.read_text(encoding="utf-8")
        (tmp_path / "small_site.py").write_text(site, encoding="utf-8")

        def run(*arguments, **variables):
            done = subprocess.run(
                [python, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **variables},
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr
            return done.stdout.splitlines()

        return run

    return run_with


def test_package_alone_has_pages_and_a_test_kit(installed):
    """The kit needs neither pytest nor REST framework."""
    assert installed()("-c", HEADER + PAGES) == ["[]", "page for "]


def test_api_extra_has_views_errors_and_a_document(installed):
    lines = installed("api")("-c", HEADER + API)
    assert json.loads(lines[0]) == ["rest_framework", "drf_spectacular"]
    assert lines[1:] == ["200 ", "401 wrong_token_use", "True True"]


def test_aws_extra_reads_the_user_pool(installed):
    with AwsEndpoint(ListUsers={"Users": [POOL_USER]}) as aws:
        lines = installed("aws")("-c", HEADER + AWS, **aws.environment)
    assert json.loads(lines[0]) == ["boto3"]
    assert lines[1:] == ["+  mary <mary@example.com>: link to mary", "1 linked."]


def test_local_pool_extra_prints_its_settings(installed):
    run = installed("local-pool")
    assert json.loads(run("-c", HEADER)[0]) == ["flask"]
    lines = run("-m", "cognito_sso.local_pool", "env")
    assert "COGNITO_POOL_ID" in {line.partition("=")[0] for line in lines}


def test_testing_extra_has_the_fixtures(installed, tmp_path):
    run = installed("testing")
    assert json.loads(run("-c", HEADER)[0]) == ["pytest"]
    (tmp_path / "conftest.py").write_text(
        'import small_site\nsmall_site.start()\npytest_plugins = ["cognito_sso.testing"]\n'
    )
    (tmp_path / "test_page.py").write_text(TESTS)
    assert "1 passed" in run("-m", "pytest", "-p", "no:cacheprovider")[-1]
