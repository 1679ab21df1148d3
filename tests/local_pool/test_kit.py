"""The test kit: LocalPool, its fixtures, and the examples of the README."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import local_pool
from local_pool.errors import ConfigError
from local_pool.testing import Clock, LocalPool, Seed

from .conftest import CALLBACK, App

FOLDER = Path(local_pool.__file__).parent


def test_users_and_settings_are_declared_in_python():
    mary = Seed("mary", groups=("editors",), name="Mary Shelley")
    with LocalPool(people=[mary], access_token_seconds=5) as pool:
        tokens = pool.tokens_for("mary", scopes=["openid", "profile"])
        assert tokens["expires_in"] == 5
        assert App(pool).user_info(tokens["access_token"]).json()["name"] == "Mary Shelley"
        assert list(pool.pool.state.people) == ["mary"]


def test_wrong_setting_is_refused_before_anything_runs():
    with pytest.raises(ConfigError, match="colour"):
        LocalPool(colour="green")


def test_failed_sign_in_says_what_the_page_said(app):
    with pytest.raises(AssertionError, match="Incorrect username or password"):
        app.pool.sign_in(app.authorize_url(), "ada", password="wrong")
    with pytest.raises(AssertionError, match="400"):
        app.pool.sign_in(app.authorize_url(redirect_uri=f"{CALLBACK}/"), "ada")


def test_sign_in_drives_a_test_client_to_its_callback(app):
    class Response:
        def __init__(self, path: str) -> None:
            self.path = path
            self.headers = {"Location": app.authorize_url()}

    class Client:
        def get(self, path: str) -> Response:
            return Response(path)

    response = app.pool.sign_in(Client(), "ada")
    assert response.path.startswith("/signin?code=")


def test_environment_is_what_an_app_needs(pool):
    assert pool.env() == {
        "COGNITO_POOL_ID": pool.pool_id,
        "COGNITO_CLIENT_ID": pool.client_id,
        "COGNITO_CLIENT_SECRET": pool.client_secret,
        "COGNITO_CLIENT_DOMAIN": pool.url,
        "COGNITO_CLIENT_REGION": "local-1",
        "COGNITO_ISSUER": ",".join(pool.issuers),
        "COGNITO_PUBLIC_CLIENT_ID": pool.config.public_client_id,
        "COGNITO_ACCEPTED_CLIENTS": pool.config.machine_client_id,
    }


def test_clock_may_be_the_tests_own():
    with LocalPool(clock=Clock(lambda: 1_000_000.0)) as pool:
        assert App(pool).tokens()["access_token"]
        assert pool.get_user("ada").created == 1_000_000.0


def test_keys_are_shared_unless_asked_otherwise(make_local_pool):
    one, two, other = make_local_pool(), make_local_pool(), make_local_pool(fresh_keys=True)
    kids = [pool.pool.keys.access.kid for pool in (one, two, other)]
    assert kids[0] == kids[1] != kids[2]


def test_discovery_names_urls_that_respond(app):
    document = app.get(f"/{app.pool.pool_id}/.well-known/openid-configuration").json()
    assert document["issuer"] == app.pool.issuer
    for name in ("jwks_uri", "authorization_endpoint", "end_session_endpoint"):
        response = requests.get(document[name], allow_redirects=False, timeout=60)
        assert response.status_code in (200, 302)
    assert app.get("/local-1_Other/.well-known/openid-configuration").status_code == 404


def test_app_and_framework_are_not_imported():
    """One mistake must not be in both the pool and the app, and the pool requires no Django."""
    code = (
        "import sys, local_pool.testing, local_pool.__main__, local_pool.pytest_plugin\n"
        "modules = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(modules & {'django', 'accounts', 'stats', 'sso_project', 'rest_framework'}))"
    )
    command = [sys.executable, "-c", code]
    response = subprocess.run(command, capture_output=True, text=True, check=True)
    assert response.stdout == "[]\n"


def test_examples_of_the_readme_run(monkeypatch):
    examples = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        exec(compile(example, "local_pool/README.md", "exec"), {})


def test_readme_names_every_command_and_fault():
    from local_pool import commands, faults

    text = (FOLDER / "README.md").read_text()
    names = [
        *commands.COMMANDS,
        *faults.ANSWERS.split(),
        *faults.TAMPERINGS.split(),
    ]
    assert [name for name in names if f"`{name}" not in text] == []
