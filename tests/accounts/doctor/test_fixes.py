"""The doctor's command lines do what they promise: tried on an app client's description."""

import copy
import json
import re
import shlex
import shutil
import subprocess

import botocore.session
import pytest
from botocore.validate import ParamValidator

from accounts.cognito.config import CognitoConfig
from accounts.doctor import app_client_findings, client_settings
from accounts.doctor.examination import Examination
from accounts.doctor.report import as_text
from accounts.provider import Limits

SITE = "https://app.example.com"
CALLBACK = f"{SITE}/signin"
OTHER = f"{SITE}/o'brien"  # a shell and JSON each have their own view of such signs


@pytest.fixture
def config():
    return CognitoConfig(
        pool_id="eu-west-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )


# Everything that `describe-user-pool-client` tells of an app client that is set up well.
DESCRIBED = {
    "UserPoolId": "eu-west-1_AbCdEf123",
    "ClientName": "server",
    "ClientId": "client1",
    "ClientSecret": "s" * 24,
    "LastModifiedDate": "2026-11-01T10:00:00+00:00",
    "CreationDate": "2026-11-01T10:00:00+00:00",
    "RefreshTokenValidity": 30,
    "AccessTokenValidity": 60,
    "IdTokenValidity": 60,
    "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
    "ReadAttributes": ["email", "email_verified", "name"],
    "WriteAttributes": ["name"],
    "ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"],
    "SupportedIdentityProviders": ["COGNITO"],
    "CallbackURLs": [CALLBACK],
    "LogoutURLs": [f"{SITE}/signout"],
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthScopes": ["openid", "email", "profile"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": True,
    "EnablePropagateAdditionalUserContextData": False,
    "AuthSessionValidity": 3,
    "RefreshTokenRotation": {"Feature": "ENABLED", "RetryGracePeriodSeconds": 60},
}


def repaired(described, finding):
    """The description after the finding's command line, whose input AWS would take."""
    [fix] = [each for each in finding.fix if each.startswith("Command line (with jq)")]
    words = shlex.split(fix.split("`")[1])
    edit = words[words.index("jq") + 1]
    changed = _edited(described, edit)
    if shutil.which("jq"):
        done = subprocess.run(["jq", edit], input=json.dumps(described), capture_output=True,
                              text=True, check=True)  # fmt: skip
        assert json.loads(done.stdout) == changed
    model = botocore.session.get_session().get_service_model("cognito-idp")
    takes = model.operation_model("UpdateUserPoolClient").input_shape
    assert not ParamValidator().validate(changed, takes).has_errors()
    return changed


def _edited(described, edit):
    """What jq makes of it, of which so much is needed here."""
    left_out, *steps = edit.split(" | ")
    gone = re.findall(r"\.(\w+)", left_out)
    changed = copy.deepcopy({key: each for key, each in described.items() if key not in gone})
    for step in steps:
        path, operator, value = re.fullmatch(r"\.([\w.]+) ([+-]?=) (.*)", step).groups()
        *parents, name = path.split(".")
        place, value = changed, json.loads(value)
        for parent in parents:
            place = place.setdefault(parent, {})
        if operator == "-=":
            value = [each for each in place[name] if each not in value]
        place[name] = place.get(name, []) + value if operator == "+=" else value
    return changed


@pytest.mark.parametrize(
    ("members", "finding"),
    [
        ({"EnableTokenRevocation": False}, "revocation-off"),
        ({"SupportedIdentityProviders": []}, "no-identity-provider"),
        ({"ReadAttributes": ["email"]}, "email-not-readable"),
        ({"ReadAttributes": ["name"]}, "email-not-readable"),
        ({"AccessTokenValidity": 2, "TokenValidityUnits": {"AccessToken": "days"}},
         "access-token-too-long"),
        ({"RefreshTokenValidity": 1}, "refresh-token-too-short"),
        ({"RefreshTokenRotation": {"Feature": "ENABLED"}}, "rotation-without-grace"),
        ({"PreventUserExistenceErrors": "LEGACY"}, "user-existence-shown"),
        ({"AllowedOAuthFlows": ["code", "implicit"]}, "implicit-flow-on"),
        ({}, None),
    ],
)  # fmt: skip
def test_description_is_held_against_what_the_site_expects(config, members, finding):
    described = {**DESCRIBED, **members}
    found = list(client_settings.client_problems(described, config, Limits()))
    assert [each.id for each in found] == ([finding] if finding else [])
    for each in found:
        fixed = repaired(described, each)
        assert not list(client_settings.client_problems(fixed, config, Limits()))
        assert {name for name in fixed if fixed[name] != described.get(name)} <= {
            *members, "TokenValidityUnits"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "about", "name", "value"),
    [
        (app_client_findings.code_flow_off, (), "AllowedOAuthFlows", "code"),
        (app_client_findings.token_request_refused, ("x",), "AllowedOAuthFlows", "code"),
        (app_client_findings.authorize_refused, ("x", ""), "SupportedIdentityProviders", "COGNITO"),
        (app_client_findings.scope_not_allowed, ("phone",), "AllowedOAuthScopes", "phone"),
        (app_client_findings.callback_not_registered, (OTHER, ""), "CallbackURLs", OTHER),
        (app_client_findings.sign_out_not_registered, (OTHER, ""), "LogoutURLs", OTHER),
        (app_client_findings.spa_callback_not_registered, (OTHER, ""), "CallbackURLs", OTHER),
        (
            app_client_findings.public_callback_not_registered,
            ("p", OTHER, ""),
            "CallbackURLs",
            OTHER,
        ),
    ],
)
def test_command_line_adds_what_is_missing(config, found, about, name, value):
    without = {key: each for key, each in DESCRIBED.items() if key != name}
    for described in (without, DESCRIBED):  # AWS leaves empty lists out
        fixed = repaired(described, found(config, *about))
        assert fixed[name] == [*described.get(name, []), value]
        assert fixed["AllowedOAuthFlowsUserPoolClient"] is True


def test_localhost_at_a_live_client_is_found(config):
    described = {**DESCRIBED, "CallbackURLs": [CALLBACK, "http://localhost:8000/signin"]}
    [found] = client_settings.production_problems(described, config)
    assert "http://localhost:8000/signin" in found.what
    assert CALLBACK not in found.what
    assert repaired(described, found)["CallbackURLs"] == [CALLBACK]


def test_report_breaks_no_command(config):
    finding = app_client_findings.callback_not_registered(config, CALLBACK, "")
    [command] = re.findall(r"`(aws cognito-idp .*?)`", " ".join(finding.fix))
    assert f"`{command}`\n" in as_text(Examination("x", [finding]))
