"""The settings for other libraries, and a stock project of mozilla-django-oidc that uses them."""

import os
import subprocess
import sys

import jwt
import pytest
import requests

from local_pool.environment import FRAMEWORKS, lines
from local_pool.testing import LocalPool

from .conftest import CHALLENGE, VERIFIER

# A project that knows nothing of this one: only Django and mozilla-django-oidc.
STOCK_PROJECT = """
import sys
import django
from django.conf import settings

pool = sys.argv[1]
own = {"__name__": "settings"}
exec(sys.stdin.read(), own)
settings.configure(
    SECRET_KEY="for-this-test-only",
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF="__main__",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.sessions", "mozilla_django_oidc"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware"],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    LOGIN_REDIRECT_URL="/",
    USE_TZ=True,
    **{name: value for name, value in own.items() if name.isupper()},
)
django.setup()

from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path

urlpatterns = [
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("", lambda request: HttpResponse(request.user.email)),
]
call_command("migrate", verbosity=0)

client = Client(headers={"host": "localhost:8000"})
authorize = client.get("/oidc/authenticate/").headers["Location"]
assert authorize.startswith(pool), authorize
print(authorize, flush=True)
callback = open(sys.argv[2]).read()
response = client.get(callback.removeprefix("http://localhost:8000"))
assert response.status_code == 302, response.content
print(client.get(response.headers["Location"]).content.decode())
"""


def test_stock_project_of_mozilla_django_oidc_signs_in(tmp_path, clean_environ):
    script, callback = tmp_path / "project.py", tmp_path / "callback"
    script.write_text(STOCK_PROJECT)
    os.mkfifo(callback)
    with LocalPool() as pool:
        process = subprocess.Popen(
            [sys.executable, str(script), pool.url, str(callback)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean_environ,
        )  # fmt: skip
        process.stdin.write(lines(pool.config, "mozilla-django-oidc"))
        process.stdin.close()
        authorize = process.stdout.readline().strip()
        assert authorize.startswith(f"{pool.url}/oauth2/authorize?")
        callback.write_text(pool.sign_in(authorize, "ada"))
        assert process.stdout.read() == "ada@example.com\n"
        process.stdout.close()
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_settings_have_the_clients_and_the_callback_is_registered(framework):
    with LocalPool() as pool:
        text = lines(pool.config, framework)
        assert pool.client_id in text
        assert pool.client_secret in text
        assert pool.issuer in text
        callbacks = {
            "mozilla-django-oidc": "http://localhost:8000/oidc/callback/",
            "nextauth": "http://localhost:3000/api/auth/callback/cognito",
            "spring": "http://localhost:8080/login/oauth2/code/cognito",
        }
        assert callbacks[framework] in pool.config.clients[pool.client_id].callback_urls


def test_spring_security_finds_what_it_checks(app):
    browser, pkce = requests.Session(), {"code_challenge_method": "S256"}
    code = app.code(session=browser, code_challenge=CHALLENGE, **pkce)
    issuer = app.pool.issuer
    metadata = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=10).json()
    assert metadata["issuer"] == issuer
    assert metadata["subject_types_supported"] == ["public"]
    assert metadata["token_endpoint_auth_methods_supported"][0] == "client_secret_basic"
    response = app.redeem(code, code_verifier=VERIFIER).json()
    key = jwt.PyJWKClient(metadata["jwks_uri"]).get_signing_key_from_jwt(response["id_token"])
    checks = {"audience": app.pool.client_id, "issuer": issuer}
    claims = jwt.decode(response["id_token"], key, algorithms=["RS256"], **checks)
    assert claims["aud"] == app.pool.client_id
    assert claims["nonce"] == "a-nonce"
    assert "azp" not in claims
    headers = {"Authorization": f"Bearer {response['access_token']}"}
    user_info = requests.get(metadata["userinfo_endpoint"], headers=headers, timeout=10).json()
    assert user_info["sub"] == claims["sub"]
    assert "user-name-attribute" not in lines(app.pool.config, "spring")


def test_command_prints_them(clean_environ):
    command = [sys.executable, "-m", "local_pool", "env", "--for", "spring"]
    done = subprocess.run(command, env=clean_environ, capture_output=True, text=True, check=True)
    assert "issuer-uri=http://localhost:9000/local-1_DevPool01\n" in done.stdout
