"""The client secret as a value, in a file and in Secrets Manager, and all refusals."""

import json
import logging
import os
import sys

import pytest
from django.core.checks import run_checks

from accounts.cognito.client_secret import ClientSecret
from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import ConfigurationError
from accounts.provider import provider
from accounts.provider.secret_source import SecretKind, SecretSource, open_client_secret
from accounts.signin.oidc_settings import oidc_setting
from tests.accounts.aws_endpoint import AwsEndpoint, Refusal

POOL, CLIENT = "eu-west-1_AbCdEf123", "4serverclient"
SECRET = "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u1v2w3x4y5z"
ARN = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:cognito/{POOL}/{CLIENT}-AbCdEf"
MEMBERS = {"userPoolId": POOL, "userPoolClientId": CLIENT, "clientSecretValue": SECRET}
NOT_A_SECRET = "is not a client secret"

# What a file or a secret can hold, and the problem.
CONTENTS = {
    "nothing": ("", NOT_A_SECRET),
    "a blank line": (" \n", NOT_A_SECRET),
    "two words": (f"{SECRET} {SECRET}", NOT_A_SECRET),
    "two lines": (f"{SECRET}\n{SECRET}\n", NOT_A_SECRET),
    "a path": ("/run/secrets/other", NOT_A_SECRET),
    "other characters": (f"{SECRET}é", NOT_A_SECRET),
    "half of the JSON": (json.dumps(MEMBERS)[:-1], "is malformed JSON"),
    "deeply nested JSON": ('{"a":' * 10_000, "is malformed JSON"),
    "another JSON object": ('{"COGNITO_CLIENT_SECRET": "x"}', "has no clientSecretValue"),
    "an empty value": (json.dumps(MEMBERS | {"clientSecretValue": ""}), "no clientSecretValue"),
    "a number": (json.dumps(MEMBERS | {"clientSecretValue": 7}), "has no clientSecretValue"),
    "a value with a space": (json.dumps(MEMBERS | {"clientSecretValue": "a b"}), NOT_A_SECRET),
    "another pool": (json.dumps(MEMBERS | {"userPoolId": "eu-west-1_Other"}), "another user pool"),
    "another client": (json.dumps(MEMBERS | {"userPoolClientId": "4other"}), "another app client"),
    "no pool": (json.dumps({"clientSecretValue": SECRET}), "another user pool"),
    "no client": (
        json.dumps({"clientSecretValue": SECRET, "userPoolId": POOL}), "another app client"
    ),
}  # fmt: skip
ACCEPTED = [SECRET, f"  {SECRET}\r\n", json.dumps(MEMBERS), json.dumps(MEMBERS, indent=2) + "\n"]


def source(client_secret):
    config = CognitoConfig(
        pool_id=POOL, client_id=CLIENT, client_secret=str(client_secret), domain="team"
    )
    return SecretSource(config)


def problem_of(source):
    """Return the problem, which does not contain the secret."""
    with pytest.raises(ConfigurationError) as raised:
        source.read()
    assert SECRET not in repr(raised.value)
    assert list(raised.value.problems) == ["COGNITO_CLIENT_SECRET"]
    return raised.value.problems["COGNITO_CLIENT_SECRET"]


@pytest.fixture
def at_aws(monkeypatch):
    """Return a function that starts an endpoint with the text of the secret."""
    for name in os.environ:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)

    def respond(response):
        if isinstance(response, str):
            response = {"ARN": ARN, "Name": "x", "SecretString": response}
        endpoint = AwsEndpoint(GetSecretValue=response)
        for name, value in endpoint.environment.items():
            monkeypatch.setenv(name, value)
        return endpoint

    return respond


@pytest.mark.parametrize("text", ACCEPTED)
def test_file_with_a_secret_is_read(tmp_path, text):
    file = tmp_path / "client-secret"
    file.write_text(text)
    assert source(file).read() == SECRET
    assert source(file).kind is SecretKind.FILE


@pytest.mark.parametrize("text", ACCEPTED)
def test_secret_in_secrets_manager_is_read(at_aws, text):
    with at_aws(text):
        assert source(ARN).read() == SECRET
    assert source(ARN).kind is SecretKind.SECRETS_MANAGER


@pytest.mark.parametrize("text", [SECRET, json.dumps(MEMBERS), json.dumps(MEMBERS, indent=2)])
def test_value_in_the_setting_is_used(text):
    """ECS sets a variable to the whole JSON object of a secret."""
    assert source(text).read() == SECRET
    assert source(text).kind is SecretKind.VALUE


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso"])
@pytest.mark.parametrize("name", ["x-AbCdEf", "cognito!a/b-AbCdEf", "my_secret+=.@-"])
def test_arn_of_each_partition_is_read(at_aws, partition, name):
    arn = f"arn:{partition}:secretsmanager:eu-west-1:123456789012:secret:{name}"
    with at_aws(SECRET):
        assert source(arn).read() == SECRET


@pytest.mark.parametrize(("text", "problem"), CONTENTS.values(), ids=CONTENTS)
def test_file_without_our_secret_is_one_problem(tmp_path, text, problem):
    file = tmp_path / "client-secret"
    file.write_text(text)
    assert problem in problem_of(source(file))
    assert problem_of(source(file)).startswith(f"({file}) ")


@pytest.mark.parametrize(("text", "problem"), CONTENTS.values(), ids=CONTENTS)
def test_secret_of_another_kind_in_secrets_manager_is_one_problem(at_aws, text, problem):
    with at_aws(text):
        assert problem in problem_of(source(ARN))
        assert problem_of(source(ARN)).startswith(f"({ARN}) ")


def test_file_that_cannot_be_read_is_one_problem(tmp_path):
    assert "cannot be read: No such file or directory" in problem_of(source(tmp_path / "absent"))
    assert "cannot be read: it is not a file" in problem_of(source(tmp_path))
    (tmp_path / "below").touch()
    assert "Not a directory" in problem_of(source(tmp_path / "below/client-secret"))
    os.mkfifo(tmp_path / "pipe")
    assert "cannot be read: it is not a file" in problem_of(source(tmp_path / "pipe"))
    (tmp_path / "bytes").write_bytes(SECRET.encode() + b"\xff")
    assert "cannot be read: it is not text in UTF-8" in problem_of(source(tmp_path / "bytes"))
    (tmp_path / "link").symlink_to("link")
    assert "cannot be read: Too many levels" in problem_of(source(tmp_path / "link"))


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:secretsmanager",
        "arn:aws:secretsmanager:eu-west-1:123456789012:secret:",
        "arn:aws:ssm:eu-west-1:123456789012:parameter/x",
        "arn:aws:secretsmanager:eu-west-1:1234:secret:x-AbCdEf",
        "arn:aws:secretsmanager::123456789012:secret:x-AbCdEf",
        f"{ARN}:clientSecretValue::",
    ],
)
def test_arn_of_no_secret_is_refused_without_a_call(arn):
    assert problem_of(source(arn)) == f"({arn}) is not the ARN of a secret in Secrets Manager"


@pytest.mark.parametrize("value", ["./client", "../client", "~/client", "file:///run/client"])
def test_path_that_is_not_absolute_is_explained(value):
    problem = "looks like a path: a file must be named by its absolute path"
    assert problem_of(source(value)) == problem


def test_secret_of_an_emulator_may_have_a_slash():
    assert source("sEcret/with+slash").read() == "sEcret/with+slash"


@pytest.mark.parametrize(
    ("response", "problem"),
    [
        (
            Refusal("AccessDeniedException", "User: x is not authorized"),
            "Use credentials that allow secretsmanager:GetSecretValue",
        ),
        (Refusal("ResourceNotFoundException", "Secrets Manager can't find it"), "Not found at AWS"),
        (Refusal("InvalidRequestException", "it was marked for deletion"), "marked for deletion"),
        (Refusal("ThrottlingException", "Rate exceeded"), "too many requests"),
        ({"SecretBinary": "AAAA"}, "has no SecretString. Store the secret as text"),
        ({}, "has no SecretString"),  # another server
    ],
    ids=str,
)
def test_refusal_of_secrets_manager_is_one_problem(at_aws, response, problem):
    with at_aws(response):
        text = problem_of(source(ARN))
    assert text.startswith(f"({ARN}) cannot be read: ")
    assert problem in text


def test_outage_of_secrets_manager_is_one_problem(at_aws, monkeypatch):
    with at_aws(SECRET):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert "can't be reached in the region 'eu-west-1'" in problem_of(source(ARN))


def test_missing_boto3_is_explained(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "Install it: `pip install boto3`" in problem_of(source(ARN))
    assert source(SECRET).read() == SECRET


@pytest.fixture
def configured(settings):
    def configure(client_secret):
        settings.COGNITO = {
            **settings.COGNITO,
            "POOL_ID": POOL, "CLIENT_ID": CLIENT, "CLIENT_SECRET": str(client_secret),
            "CLIENT_DOMAIN": "team", "CLIENT_REGION": "", "ISSUER": "", "JWKS_URL": "",
        }  # fmt: skip

    return configure


def test_site_does_not_start_without_its_secret(configured, tmp_path):
    configured(tmp_path / "absent")
    [error] = run_checks(tags=["configuration"])
    assert error.id == "accounts.E001"
    assert error.msg == (
        f"COGNITO_CLIENT_SECRET ({tmp_path}/absent) cannot be read: No such file or directory."
    )
    with pytest.raises(ConfigurationError):
        provider()


def test_process_reads_its_secret_once_at_the_start(configured, tmp_path):
    file = tmp_path / "client-secret"
    file.write_text(SECRET)
    configured(file)
    assert run_checks(tags=["configuration"]) == []
    file.unlink()
    assert provider().client_secret.value == SECRET
    assert oidc_setting("OIDC_RP_CLIENT_SECRET") == SECRET


def test_changed_file_is_read_when_the_secret_is_refused(configured, tmp_path):
    """Kubernetes replaces the link to the folder of a mounted secret."""
    for version, value in (("1", SECRET), ("2", "the_secret_after_the_rotation")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "client-secret").write_text(f"{value}\n")
    (tmp_path / "data").symlink_to("1")
    configured(tmp_path / "data/client-secret")
    secret = provider().client_secret
    (tmp_path / "new").symlink_to("2")
    (tmp_path / "new").rename(tmp_path / "data")
    assert secret.value == SECRET
    assert secret.replace(SECRET, timeout=5) == "the_secret_after_the_rotation"
    assert oidc_setting("OIDC_RP_CLIENT_SECRET") == "the_secret_after_the_rotation"


def test_secret_stays_in_use_while_its_file_is_missing(configured, tmp_path, caplog):
    file = tmp_path / "client-secret"
    file.write_text(SECRET)
    configured(file)
    secret = provider().client_secret
    file.unlink()
    assert secret.replace(SECRET, timeout=5) is None
    assert secret.value == SECRET
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert f"({file}) cannot be read: No such file or directory" in record.getMessage()


def test_secret_stays_in_use_while_secrets_manager_is_down(configured, at_aws, monkeypatch, caplog):
    configured(ARN)
    with at_aws(json.dumps(MEMBERS)):
        secret = provider().client_secret
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert secret.replace(SECRET, timeout=5) is None
    assert secret.value == SECRET
    [record] = [record for record in caplog.records if record.name.startswith("accounts")]
    assert f"({ARN}) cannot be read: AWS can't be reached" in record.getMessage()
    assert SECRET not in caplog.text


@pytest.mark.parametrize("text", ACCEPTED)
def test_secret_is_in_no_repr(tmp_path, text):
    file = tmp_path / "client-secret"
    file.write_text(text)
    for place in (source(file), source(SECRET)):
        secret = open_client_secret(place.config)
        assert isinstance(secret, ClientSecret)
        assert SECRET not in repr(place) + str(place) + repr(secret)
