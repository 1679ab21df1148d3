"""A failed call of the AWS API ends with a message that says what to do, and writes nothing.

boto3 is not replaced. It calls a server on this machine.
"""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from accounts.models import Identity, User
from accounts.provider import provider
from tests.accounts.aws_endpoint import AwsEndpoint, Refusal
from tests.imports import ROOT

POOL, CLIENT = "eu-west-1_AbCdEf123", "4serverclient"
SECRET = "server-client-secret-of-tests-only"
ARN = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:cognito/{POOL}/{CLIENT}-AbCdEf"
STACK = {
    "DescribeStacks": {
        "Stacks": [
            {
                "StackName": "sso",
                "Outputs": [
                    {"OutputKey": "CognitoPoolId", "OutputValue": POOL},
                    {"OutputKey": "CognitoClientId", "OutputValue": CLIENT},
                    {"OutputKey": "CognitoClientDomain", "OutputValue": "https://team.example.com"},
                    {"OutputKey": "MachineClientId", "OutputValue": "4machine"},
                ],
            }
        ]
    }
}
DESCRIBED = {
    "DescribeUserPoolClient": {"UserPoolClient": {"ClientId": CLIENT, "ClientSecret": SECRET}},
    "DescribeUserPool": {"UserPool": {"Id": POOL, "Domain": "team"}},
}
BY_STACK = ("--stack", "sso")
BY_POOL = ("--pool", POOL, "--client", CLIENT)
NO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
NOTHING_ELSE = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass(frozen=True)
class Failure:
    parts: tuple[str, ...]  # of the message
    arguments: tuple[str, ...] = BY_STACK
    responses: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def refused(code, message, operation="DescribeStacks"):
    return {operation: Refusal(code, message)}


NO_SERVER = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # no server of a test uses this port
FAILURES = {
    "no credentials": Failure(
        ("No AWS credentials were found.", "run `aws sso login`"), environment=NO_CREDENTIALS
    ),
    "no credentials for a pool": Failure(
        ("No AWS credentials were found.", "run `aws sso login`"), BY_POOL,
        environment=NO_CREDENTIALS,
    ),
    "half of the credentials": Failure(
        ("credentials are incomplete", "AWS_SECRET_ACCESS_KEY", "Set AWS_PROFILE"),
        environment={"AWS_SECRET_ACCESS_KEY": ""},
    ),
    "profile that does not exist": Failure(
        ("profile (absent) could not be found", "`aws configure list-profiles`"),
        environment={"AWS_PROFILE": "absent"},
    ),
    "credentials that AWS doesn't know": Failure(
        ("doesn't accept these credentials (UnrecognizedClientException)", "Renew them"), BY_POOL,
        refused("UnrecognizedClientException", "The security token included in the request is "
                "invalid.", "DescribeUserPoolClient"),
    ),
    "expired credentials": Failure(
        ("doesn't accept these credentials (ExpiredToken)", "`aws sso login`"),
        responses=refused("ExpiredToken", "The security token included in the request is expired"),
    ),
    "credentials that may not": Failure(
        ("AWS denied access: User: arn:aws:iam::1:user/x is not authorized",
         "Use credentials that allow cloudformation:DescribeStacks."),
        responses=refused("AccessDenied", "User: arn:aws:iam::1:user/x is not authorized"),
    ),
    "no region": Failure(
        ("No AWS region is set.", "Add --region"), environment={"AWS_REGION": ""}
    ),
    "malformed region": Failure(
        ("'eu_west 1' is not the name of an AWS region", "--region or AWS_REGION"),
        (*BY_STACK, "--region", "eu_west 1"),
    ),
    "region without a server": Failure(
        ("can't be reached in the region 'europe-1'", "Check the region's name"),
        (*BY_STACK, "--region", "europe-1"),
        environment=NO_SERVER,
    ),
    "stack that does not exist, or in another region": Failure(
        ("Not found at AWS in eu-west-2: Stack with id sso does not exist.",
         "Check the name, region and account."),
        (*BY_STACK, "--region", "eu-west-2"),
        refused("ValidationError", "Stack with id sso does not exist"),
    ),
    "another stack": Failure(
        ("The stack sso has no outputs for COGNITO_CLIENT_DOMAIN, COGNITO_CLIENT_ID",
         "infra/1-user-pool.yaml"),
        responses={"DescribeStacks": {"Stacks": [{"StackName": "sso"}]}},
    ),
    "stack whose app client has no secret": Failure(
        (f"App client {CLIENT} has no secret.", "use or create another app client"),
        responses={**STACK, "DescribeUserPoolClient": {"UserPoolClient": {"ClientId": CLIENT}}},
    ),
    "app client without secret": Failure(
        (f"App client {CLIENT} has no secret.", "use or create another app client"), BY_POOL,
        {"DescribeUserPoolClient": {"UserPoolClient": {"ClientId": CLIENT}}},
    ),
    "pool without domain": Failure(
        (f"The pool {POOL} has no domain", "Create a domain in the console"), BY_POOL,
        {**DESCRIBED, "DescribeUserPool": {"UserPool": {"Id": POOL}}},
    ),
    "pool that does not exist": Failure(
        ("Not found at AWS in eu-west-1: User pool client", "Check the name"), BY_POOL,
        refused("ResourceNotFoundException", "User pool client 4serverclient does not exist.",
                "DescribeUserPoolClient"),
    ),
    "malformed pool ID": Failure(
        ("AbCdEf123 is not a pool ID.", "Pool IDs look like eu-west-1_AbCdEf123."),
        ("--pool", "AbCdEf123", "--client", CLIENT),
    ),
    "too many requests": Failure(
        ("received too many requests (Throttling)", "Try again in a minute."),
        responses=refused("Throttling", "Rate exceeded"),
    ),
    "server that is not AWS": Failure(
        ("can't be reached", "Check the region's name"),
        responses={"DescribeStacks": "<html>Hello"},
    ),
    "malformed endpoint": Failure(
        ("Invalid endpoint: nowhere", "`aws configure list`"),
        environment={"AWS_ENDPOINT_URL": "nowhere"},
    ),
    "neither stack nor pool": Failure(("Give either --stack, or --pool and --client.",), ()),
    "stack and client": Failure(
        ("Give either --stack, or --pool and --client.",), ("--stack", "sso", "--client", "abc")
    ),
    "pool without a client": Failure(("--pool needs --client",), ("--pool", POOL)),
}  # fmt: skip


@pytest.fixture
def environ(monkeypatch):
    """Return a function that sets variables of AWS and removes those of this machine."""

    def set_variables(**variables):
        for name in (*os.environ, *variables):
            if name.startswith("AWS_"):
                monkeypatch.delenv(name, raising=False)
        variables = {**NOTHING_ELSE, **variables}
        for name, value in variables.items():
            if value:
                monkeypatch.setenv(name, value)

    return set_variables


def error_of(*command):
    """Return the error of a command that prints nothing else."""
    output = StringIO()
    with pytest.raises(CommandError) as raised:
        call_command(*command, stdout=output)
    assert output.getvalue() == ""
    message = str(raised.value)
    assert re.fullmatch(r"[^\n]+\.", message)
    assert SECRET not in message
    return message


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_failure_is_one_message_and_nothing_is_written(environ, tmp_path, failure):
    file = tmp_path / ".env"
    file.write_text("COGNITO_POOL_ID=eu-west-1_Old\n")
    with AwsEndpoint(**failure.responses) as aws:
        environ(**{**aws.environment, **failure.environment, "ENV_FILE": str(file)})
        message = error_of("cognito_env", *failure.arguments, "--yes")
    assert [part for part in failure.parts if part not in message] == [], message
    assert message.endswith("Nothing was written.")
    assert [path.name for path in tmp_path.iterdir()] == [".env"]
    assert file.read_text() == "COGNITO_POOL_ID=eu-west-1_Old\n"


def test_failed_command_exits_with_1(clean_environ, tmp_path):
    process = subprocess.run(
        [sys.executable, "manage.py", "cognito_env", *BY_STACK, "--yes"],
        cwd=ROOT,
        env={**clean_environ, **NOTHING_ELSE, "AWS_REGION": "eu-west-1",
             "ENV_FILE": str(tmp_path / ".env")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (process.returncode, process.stdout) == (1, "")
    assert re.fullmatch(
        r"CommandError: No AWS credentials .*Nothing was written\.\n", process.stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_error_without_boto3_says_how_to_install_it(environ, tmp_path, monkeypatch):
    environ(ENV_FILE=str(tmp_path / ".env"))
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "Install it: `pip install boto3`. Nothing was" in error_of("cognito_env", *BY_STACK)


@pytest.mark.parametrize("arguments", [BY_STACK, BY_POOL])
def test_values_are_written_for_their_owner_only(environ, tmp_path, arguments):
    file, output = tmp_path / ".env", StringIO()
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(file))
        call_command("cognito_env", *arguments, "--yes", stdout=output)
    assert f"COGNITO_CLIENT_SECRET={SECRET}\n" in file.read_text()
    assert f"COGNITO_POOL_ID={POOL}\n" in file.read_text()
    assert "4machine" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "COGNITO_CLIENT_SECRET=(not shown)  (new)" in output.getvalue()
    assert SECRET not in output.getvalue()


@pytest.mark.parametrize("arguments", [BY_STACK, BY_POOL])
@pytest.mark.parametrize("before", ["", f"COGNITO_CLIENT_SECRET={SECRET}\n"])
def test_arn_is_written_if_cognito_keeps_the_secret(environ, tmp_path, arguments, before):
    file, output = tmp_path / ".env", StringIO()
    file.write_text(before)
    app_client = {"ClientId": CLIENT, "ClientSecretArn": ARN}
    responses = {**STACK, **DESCRIBED, "DescribeUserPoolClient": {"UserPoolClient": app_client}}
    with AwsEndpoint(**responses) as aws:
        environ(**aws.environment, ENV_FILE=str(file))
        call_command("cognito_env", *arguments, "--yes", stdout=output)
    assert f"COGNITO_CLIENT_SECRET={ARN}\n" in file.read_text()
    note = "  (had another value)" if before else "  (new)"
    assert f"COGNITO_CLIENT_SECRET={ARN}{note}\n" in output.getvalue()
    assert "permission secretsmanager:GetSecretValue" in output.getvalue()
    assert SECRET not in file.read_text() + output.getvalue()


def test_file_that_already_has_the_values_becomes_private(environ, tmp_path):
    file, output = tmp_path / ".env", StringIO()
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(file))
        call_command("cognito_env", *BY_STACK, "--yes", stdout=StringIO())
        file.chmod(0o644)
        call_command("cognito_env", *BY_STACK, "--dry-run", stdout=output)
        assert file.stat().st_mode & 0o777 == 0o644
        call_command("cognito_env", *BY_STACK, stdout=output)
    assert file.stat().st_mode & 0o777 == 0o600
    assert output.getvalue() == f"{file} already holds these values.\n" * 2


def test_command_writes_the_file_that_the_settings_read(environ, tmp_path, settings, monkeypatch):
    settings.BASE_DIR = tmp_path / "project"
    settings.BASE_DIR.mkdir()
    monkeypatch.chdir(tmp_path)  # where an operator runs project/manage.py cognito_env
    monkeypatch.delenv("ENV_FILE", raising=False)
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment)
        call_command("cognito_env", *BY_STACK, "--yes", stdout=StringIO())
    assert [path.name for path in settings.BASE_DIR.iterdir()] == [".env"]
    assert not (tmp_path / ".env").exists()


def test_pipe_is_not_replaced_by_a_file(environ, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(pipe))
        assert "it is a device or a pipe, not a file" in error_of("cognito_env", *BY_STACK)
    assert pipe.is_fifo()


IN_USE = {  # failed calls for the pool that the site uses
    "no credentials": (POOL, NO_CREDENTIALS, None,
                       ("No AWS credentials were found.", "Set AWS_PROFILE")),
    "malformed region": ("eu_west-1_AbCdEf123", {}, None,
                         ("'eu_west-1' is not the name of an AWS region", "the pool ID")),
    "region without a server": ("europe-1_AbCdEf123", NO_SERVER, None,
                                ("can't be reached in the region 'europe-1'", "the network")),
    "credentials that AWS doesn't know": (
        POOL, {}, Refusal("UnrecognizedClientException", "The security token is invalid."),
        ("in eu-west-1 doesn't accept these credentials", "Renew them")),
    "credentials that may not": (
        POOL, {}, Refusal("AccessDeniedException", "Not authorized"),
        ("AWS denied access: Not authorized.", "Use credentials that allow cognito-idp:")),
    "pool that does not exist": (
        POOL, {}, Refusal("ResourceNotFoundException", f"User pool {POOL} does not exist."),
        (f"Not found at AWS in eu-west-1: User pool {POOL}", "Check the name")),
}  # fmt: skip
in_use = pytest.mark.parametrize(
    ("pool_id", "changes", "response", "parts"), IN_USE.values(), ids=IN_USE
)


@pytest.fixture
def at_aws(settings, environ):
    """A site whose pool is at AWS, which returns `response` for every call."""

    @contextmanager
    def use(pool_id, changes, response):
        settings.COGNITO = {
            **settings.COGNITO,
            "POOL_ID": pool_id, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET,
            "CLIENT_DOMAIN": "team", "CLIENT_REGION": "", "ISSUER": "", "JWKS_URL": "",
        }  # fmt: skip
        operations = ("DescribeUserPoolClient", "DescribeUserPool", "ListUsers", "AdminCreateUser")
        with AwsEndpoint(**dict.fromkeys(operations, response)) as aws:
            environ(**{**aws.environment, **changes})
            yield

    return use


@in_use
@pytest.mark.parametrize(
    "command",
    [("cognito_doctor", "--describe", "--json"), ("cognito_reconcile_users", "--apply"),
     ("cognito_link_users", "--apply")],
    ids=lambda command: command[0],
)  # fmt: skip
def test_commands_show_the_message(db, at_aws, command, pool_id, changes, response, parts):
    with at_aws(pool_id, changes, response):
        fields = {"issuer": provider().config.issuer, "subject": "s1", "username": "stays"}
        Identity.objects.create(user=User.objects.create_user("stays"), **fields)
        message = error_of(*command)
    assert [part for part in parts if part not in message] == [], message
    assert User.objects.get().is_active


@in_use
def test_invitations_show_the_message(db, at_aws, client, pool_id, changes, response, parts):
    client.force_login(User.objects.create_superuser("operator"))
    url = reverse("admin:accounts_invitations")
    form = {"email": "zoe@example.com", "username": "zoe"}
    if changes is NO_CREDENTIALS:  # detected before AWS is called
        parts = ("This server has no AWS credentials", "Assign a role to it, or set AWS_PROFILE")
    with at_aws(pool_id, changes, response):
        pages = [unescape(page.text) for page in (client.get(url), client.post(url, form))]
    for page in pages:
        assert [part for part in parts if part not in page] == [], page


def test_reason_why_the_pool_rejects_a_username_is_shown(db, at_aws, client):
    client.force_login(User.objects.create_superuser("operator"))
    refusal = Refusal("InvalidParameterException", "Username should be an email.")
    with at_aws(POOL, {}, refusal):
        form = {"email": "zoe@example.com", "username": "zoe"}
        page = client.post(reverse("admin:accounts_invitations"), form).text
    assert "AWS rejected a value: Username should be an email. Correct it" in page
