"""Static checks of the templates."""

import json
import os
import re
import subprocess
import sys

import pytest
import yaml

from accounts.management.commands.cognito_env import _variable_name
from tests.cognito.loopback import ScriptedServer, respond
from tests.imports import ROOT
from tests.infra.conftest import TOOLS
from tests.infra.templates import TEMPLATES, Loader, run_fallback, template
from tests.test_docs import settings_read


def test_there_are_three_templates():
    assert [file.name[0] for file in TEMPLATES] == ["1", "2", "3"]


@pytest.mark.infra
def test_templates_are_lint_clean():
    done = subprocess.run([TOOLS / "cfn-lint", *TEMPLATES], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_outputs_of_the_pool_are_named_as_the_settings():
    outputs = {
        _variable_name(name) for name in template("1")["Outputs"] if name.startswith("Cognito")
    }
    assert outputs <= settings_read()
    assert {"COGNITO_POOL_ID", "COGNITO_CLIENT_ID", "COGNITO_CLIENT_DOMAIN"} <= outputs


def test_no_output_shows_a_secret():
    for file in TEMPLATES:
        outputs = yaml.load(file.read_text(), Loader)["Outputs"]
        assert not [key for key in outputs if "secret" in json.dumps(outputs[key]["Value"]).lower()]


def test_environment_of_the_function_is_what_settings_read():
    resources = template("2")["Resources"]
    for name in ("Function", "ManageFunction"):
        variables = resources[name]["Properties"]["Environment"]["Variables"].keys()
        own = {"APP_SECRET_ARN", "APP_ENVIRONMENT", "APP_SECRET_VERSION"}
        assert variables - settings_read() == own
    assert (
        resources["Function"]["Properties"]["Environment"]
        == (resources["ManageFunction"]["Properties"]["Environment"])
    )


def test_snapshot_of_the_keys_is_set_where_it_exists():
    """A function without its snapshot does not start; the zip always contains it."""
    text = next(file for file in TEMPLATES if file.name.startswith("2")).read_text()
    snapshots = re.findall(r"COGNITO_JWKS_SNAPSHOT: (.*)", text)
    assert snapshots == ['!If [UseImage, !Ref "AWS::NoValue", jwks.json]'] * 2
    assert '"$build/jwks.json"' in (ROOT / "infra/build-zip").read_text()
    assert "ENV COGNITO_JWKS_SNAPSHOT=jwks.json" in (ROOT / "infra/Dockerfile").read_text()


def test_clients_for_users_have_the_secure_defaults():
    for name in ("ServerClient", "PublicClient"):
        client = template("1")["Resources"][name]["Properties"]
        assert client["PreventUserExistenceErrors"] == "ENABLED"
        assert client["EnableTokenRevocation"] is True
        assert client["RefreshTokenRotation"]["Feature"] == "ENABLED"
        assert client["AllowedOAuthFlows"] == ["code"]


def test_clients_for_users_request_no_scope_of_the_api():
    """Cognito grants these scopes to any user who requests them."""
    for name, resource in template("1")["Resources"].items():
        if resource["Type"] == "AWS::Cognito::UserPoolClient" and name != "MachineClient":
            scopes = resource["Properties"]["AllowedOAuthScopes"]
            assert [scope for scope in scopes if "/" in scope] == []


def test_buckets_are_private():
    buckets = [
        resource["Properties"]
        for file in TEMPLATES
        for resource in yaml.load(file.read_text(), Loader)["Resources"].values()
        if resource["Type"] == "AWS::S3::Bucket"
    ]
    assert len(buckets) == 2
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}


PAGES = {
    "PATH": [
        ("/", "/index.html"),
        ("/ledger/", "/ledger/index.html"),
        ("/ledger/stats/2020", "/ledger/index.html"),
        ("/ledger/stats/", "/ledger/index.html"),
        ("/ledger/people/ada@example.com", "/ledger/index.html"),
        ("/ledger/releases/v1.2", "/ledger/index.html"),
        ("/ledger/a%20b/c:d", "/ledger/index.html"),
        ("/ledger/domains/example.com/", "/ledger/index.html"),
        ("/ledger/files/app.js/edit", "/ledger/index.html"),
        ("/ledger/v1.2.3-rc.1+build", "/ledger/index.html"),
        ("/ledger/john.doe", "/ledger/index.html"),
        ("/ledger/.drafts", "/ledger/index.html"),
        ("/ledger/assets", "/ledger/index.html"),  # a page of an app that manages assets
        ("/ledger/assets/", "/ledger/index.html"),
        ("/v1.2/people/x.y", "/v1.2/index.html"),  # the app may have a dot, too
        ("/v1.2", "308 /v1.2/?code=1&state=a%20b&tag=x&tag=y"),
        ("/ledger/intro.MOV", "/ledger/intro.MOV"),
        ("/ledger/captions.vtt", "/ledger/captions.vtt"),
        ("/ledger/_next/data/build/page", "/ledger/_next/data/build/page"),
        ("/ledger/assets/app.3f2a.js", "/ledger/assets/app.3f2a.js"),
        ("/ledger/assets/LICENSE", "/ledger/assets/LICENSE"),
        ("/ledger/.well-known/assetlinks", "/ledger/.well-known/assetlinks"),
        ("/ledger/favicon.ICO", "/ledger/favicon.ICO"),
        ("/robots.txt", "/robots.txt"),
        ("/ledger", "308 /ledger/?code=1&state=a%20b&tag=x&tag=y"),
        ("/\\evil.example", "/index.html"),
        ("//evil.example", "/index.html"),
    ],
    "ROOT": [
        ("/", "/index.html"),
        ("/signin", "/index.html"),
        ("/people/ada@example.com", "/index.html"),
        ("/assets/app.js", "/assets/app.js"),
        ("/static/LICENSE", "/static/LICENSE"),
        ("/static", "/index.html"),
        ("/.well-known/apple-app-site-association", "/.well-known/apple-app-site-association"),
        ("/people/x.js/", "/index.html"),
    ],
    "HOST": [
        ("/", "/ledger/index.html"),
        ("/signin", "/ledger/index.html"),
        ("/assets/app.js", "/ledger/assets/app.js"),
        ("/deep/page.of/ada@example.com", "/ledger/index.html"),
    ],
}


@pytest.mark.parametrize("layout", PAGES)
def test_pages_of_single_page_apps_lead_to_their_index(layout):
    querystring = {
        "code": {"value": "1"},
        "state": {"value": "a%20b"},
        "tag": {"value": "x", "multiValue": [{"value": "x"}, {"value": "y"}]},
    }
    headers = {"host": {"value": "Ledger.example.com"}}
    requests = [
        {"uri": uri, "querystring": querystring, "headers": headers} for uri, _ in PAGES[layout]
    ]
    results = [
        result.get("uri") or f"{result['statusCode']} {result['headers']['location']['value']}"
        for result in run_fallback(layout, requests)
    ]
    assert results == [target for _, target in PAGES[layout]]


def test_readme_names_every_parameter_without_a_default():
    readme = (ROOT / "infra/README.md").read_text()
    required = {
        name
        for file in TEMPLATES
        for name, parameter in yaml.load(file.read_text(), Loader)["Parameters"].items()
        if "Default" not in parameter
    }
    assert required == {name for name in required if re.search(rf"\b{name}\b", readme)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "infra/build-zip OUTPUT.zip JWKS_URL [PIP OPTIONS]"),
        (("site.zip", "PAGE"), "There are no keys at http://127.0.0.1:"),
        (("site.zip", "http://127.0.0.1:1/jwks.json"), "There are no keys at http://127.0.0.1:1/"),
    ],
)
def test_zip_without_keys_is_not_built(tmp_path, arguments, message):
    with ScriptedServer() as server:
        server.play(respond(200, b"<html>"))
        done = subprocess.run(
            [ROOT / "infra/build-zip", *(word.replace("PAGE", server.url) for word in arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHON": sys.executable},
            capture_output=True,
            text=True,
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr
    assert "set -eu" not in done.stderr
    assert list(tmp_path.iterdir()) == []
