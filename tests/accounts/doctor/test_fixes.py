"""The commands of the fixes, applied to the description of an app client."""

import copy
import json
import re
import shlex
import shutil
import subprocess
from dataclasses import replace

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
OTHER = f"{SITE}/o'brien"  # an apostrophe has a meaning in a shell, but not in JSON


@pytest.fixture
def config():
    return CognitoConfig(
        pool_id="eu-west-1_AbCdEf123", client_id="client1", client_secret="s" * 24, domain="team"
    )


# The output of `describe-user-pool-client` for an app client that is configured correctly.
DESCRIPTION = {
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


def run_fix(description, finding):
    """Return the description after the command of the fix. AWS must accept it as input."""
    [fix] = [text for text in finding.fix if text.startswith("Command line (with jq)")]
    words = shlex.split(fix.split("`")[1])
    jq_filter = words[words.index("jq") + 1]
    fixed = _apply(jq_filter, description)
    if shutil.which("jq"):
        process = subprocess.run(["jq", jq_filter], input=json.dumps(description),
                                 capture_output=True, text=True, check=True)  # fmt: skip
        assert json.loads(process.stdout) == fixed
    model = botocore.session.get_session().get_service_model("cognito-idp")
    input_shape = model.operation_model("UpdateUserPoolClient").input_shape
    assert not ParamValidator().validate(fixed, input_shape).has_errors()
    return fixed


def _apply(jq_filter, description):
    """Return the output of jq. Only the operators that the fixes use are implemented."""
    deletion, *steps = jq_filter.split(" | ")
    deleted = re.findall(r"\.(\w+)", deletion)
    result = copy.deepcopy({name: description[name] for name in description if name not in deleted})
    for step in steps:
        path, operator, value = re.fullmatch(r"\.([\w.]+) ([+-]?=) (.*)", step).groups()
        *parents, name = path.split(".")
        members, value = result, json.loads(value)
        for parent in parents:
            members = members.setdefault(parent, {})
        if operator == "-=":
            value = [item for item in members[name] if item not in value]
        members[name] = members.get(name, []) + value if operator == "+=" else value
    return result


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
def test_wrong_setting_is_reported_and_its_fix_changes_nothing_else(config, members, finding):
    description = {**DESCRIPTION, **members}
    problems = list(client_settings.client_problems(description, config, Limits()))
    assert [problem.id for problem in problems] == ([finding] if finding else [])
    for problem in problems:
        fixed = run_fix(description, problem)
        assert not list(client_settings.client_problems(fixed, config, Limits()))
        assert {name for name in fixed if fixed[name] != description.get(name)} <= {
            *members, "TokenValidityUnits"
        }  # fmt: skip


@pytest.mark.parametrize(
    ("finding", "arguments", "name", "value"),
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
def test_fix_adds_the_missing_item(config, finding, arguments, name, value):
    without_list = {key: DESCRIPTION[key] for key in DESCRIPTION if key != name}
    for description in (without_list, DESCRIPTION):  # AWS leaves out empty lists
        fixed = run_fix(description, finding(config, *arguments))
        assert fixed[name] == [*description.get(name, []), value]
        assert fixed["AllowedOAuthFlowsUserPoolClient"] is True


ARN = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:client1-AbCdEf"


@pytest.mark.parametrize(
    ("client_secret", "finding"),
    [
        ("s" * 24, "secret-not-followed"),
        (ARN.replace("client1", "client2"), "secret-not-followed"),
        (ARN, None),
        (ARN.removesuffix("-AbCdEf"), None),
        ("/run/secrets/client-secret", None),
    ],
)
def test_copy_of_a_secret_that_cognito_changes_is_reported(config, client_secret, finding):
    config = replace(config, client_secret=client_secret)
    description = {**DESCRIPTION, "ClientSecretArn": ARN}
    del description["ClientSecret"]
    problems = list(client_settings.client_problems(description, config, Limits()))
    assert [problem.id for problem in problems] == ([finding] if finding else [])
    for problem in problems:
        assert f"COGNITO_CLIENT_SECRET={ARN}" in problem.fix[0]
        assert "s" * 24 not in repr(problem)
    assert not list(client_settings.client_problems(DESCRIPTION, config, Limits()))


def test_fix_of_a_client_whose_secret_cognito_keeps_is_accepted(config):
    description = {**DESCRIPTION, "ClientSecretArn": ARN}
    del description["ClientSecret"]
    fixed = run_fix(description, app_client_findings.code_flow_off(config))
    assert "ClientSecretArn" not in fixed


def test_localhost_at_a_live_app_client_is_reported(config):
    description = {**DESCRIPTION, "CallbackURLs": [CALLBACK, "http://localhost:8000/signin"]}
    [finding] = client_settings.production_problems(description, config)
    assert "http://localhost:8000/signin" in finding.what
    assert CALLBACK not in finding.what
    assert run_fix(description, finding)["CallbackURLs"] == [CALLBACK]


def test_report_does_not_break_commands(config):
    finding = app_client_findings.callback_not_registered(config, CALLBACK, "")
    [command] = re.findall(r"`(aws cognito-idp .*?)`", " ".join(finding.fix))
    assert f"`{command}`\n" in as_text(Examination("x", [finding]))
