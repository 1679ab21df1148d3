"""What can be wrong with AWS is said in one sentence with the next step, and nothing is written.

boto3 runs as ever; only the machine that answers is this one.
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
class Trouble:
    says: tuple[str, ...]  # what happened, and what to do next
    arguments: tuple[str, ...] = BY_STACK
    answers: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def refused(code, message, operation="DescribeStacks"):
    return {operation: Refusal(code, message)}


NOBODY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}  # no server of another test gets that port
TROUBLES = {
    "no credentials": Trouble(
        ("No AWS credentials were found.", "run `aws sso login`"), environment=NO_CREDENTIALS
    ),
    "no credentials for a pool": Trouble(
        ("No AWS credentials were found.", "run `aws sso login`"), BY_POOL,
        environment=NO_CREDENTIALS,
    ),
    "half of the credentials": Trouble(
        ("credentials are incomplete", "AWS_SECRET_ACCESS_KEY", "Set AWS_PROFILE"),
        environment={"AWS_SECRET_ACCESS_KEY": ""},
    ),
    "profile that does not exist": Trouble(
        ("profile (nobody) could not be found", "`aws configure list-profiles`"),
        environment={"AWS_PROFILE": "nobody"},
    ),
    "credentials that AWS doesn't know": Trouble(
        ("doesn't accept these credentials (UnrecognizedClientException)", "Renew them"), BY_POOL,
        refused("UnrecognizedClientException", "The security token included in the request is "
                "invalid.", "DescribeUserPoolClient"),
    ),
    "credentials that are over": Trouble(
        ("doesn't accept these credentials (ExpiredToken)", "`aws sso login`"),
        answers=refused("ExpiredToken", "The security token included in the request is expired"),
    ),
    "credentials that may not": Trouble(
        ("AWS refused: User: arn:aws:iam::1:user/x is not authorized",
         "Use credentials that allow cloudformation:DescribeStacks."),
        answers=refused("AccessDenied", "User: arn:aws:iam::1:user/x is not authorized"),
    ),
    "no region": Trouble(
        ("No AWS region was given.", "Add --region"), environment={"AWS_REGION": ""}
    ),
    "region that is no name": Trouble(
        ("'eu_west 1' is no name of an AWS region", "--region or AWS_REGION"),
        (*BY_STACK, "--region", "eu_west 1"),
    ),
    "region where nobody answers": Trouble(
        ("can't be reached in the region 'europe-1'", "Check the region's name"),
        (*BY_STACK, "--region", "europe-1"),
        environment=NOBODY,
    ),
    "stack that does not exist, or in another region": Trouble(
        ("found nothing in eu-west-2: Stack with id sso does not exist.",
         "Check the name, the region and the account."),
        (*BY_STACK, "--region", "eu-west-2"),
        refused("ValidationError", "Stack with id sso does not exist"),
    ),
    "stack of something else": Trouble(
        ("The stack sso has no outputs for COGNITO_CLIENT_DOMAIN, COGNITO_CLIENT_ID",
         "infra/1-user-pool.yaml"),
        answers={"DescribeStacks": {"Stacks": [{"StackName": "sso"}]}},
    ),
    "stack whose app client has no secret": Trouble(
        (f"App client {CLIENT} has no secret.", "use or create another app client"),
        answers={**STACK, "DescribeUserPoolClient": {"UserPoolClient": {"ClientId": CLIENT}}},
    ),
    "app client without secret": Trouble(
        (f"App client {CLIENT} has no secret.", "use or create another app client"), BY_POOL,
        {"DescribeUserPoolClient": {"UserPoolClient": {"ClientId": CLIENT}}},
    ),
    "pool without domain": Trouble(
        (f"The pool {POOL} has no domain", "Make one: console: Cognito > User pools"), BY_POOL,
        {**DESCRIBED, "DescribeUserPool": {"UserPool": {"Id": POOL}}},
    ),
    "pool that does not exist": Trouble(
        ("found nothing in eu-west-1: User pool client", "Check the name"), BY_POOL,
        refused("ResourceNotFoundException", "User pool client 4serverclient does not exist.",
                "DescribeUserPoolClient"),
    ),
    "pool id that is none": Trouble(
        ("AbCdEf123 is no pool id.", "Ids look like eu-west-1_AbCdEf123."),
        ("--pool", "AbCdEf123", "--client", CLIENT),
    ),
    "AWS is asked too often": Trouble(
        ("asked too often (Throttling)", "Try again in a minute."),
        answers=refused("Throttling", "Rate exceeded"),
    ),
    "something else answers": Trouble(
        ("can't be reached", "Check the region's name"), answers={"DescribeStacks": "<html>Hello"},
    ),
    "endpoint that is no address": Trouble(
        ("Invalid endpoint: nowhere", "`aws configure list`"),
        environment={"AWS_ENDPOINT_URL": "nowhere"},
    ),
    "neither stack nor pool": Trouble(("Give either --stack, or --pool and --client.",), ()),
    "stack and client": Trouble(
        ("Give either --stack, or --pool and --client.",), ("--stack", "sso", "--client", "abc")
    ),
    "pool without a client": Trouble(("--pool needs --client",), ("--pool", POOL)),
}  # fmt: skip


@pytest.fixture
def environ(monkeypatch):
    """Set variables of AWS, and no others: what this machine knows of AWS stays out."""

    def put(**variables):
        for name in (*os.environ, *variables):
            if name.startswith("AWS_"):
                monkeypatch.delenv(name, raising=False)
        variables = {**NOTHING_ELSE, **variables}
        for name, value in variables.items():
            if value:
                monkeypatch.setenv(name, value)

    return put


def refusal_of(*command):
    """The sentence that a command ends with, having said nothing else."""
    said = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command(*command, stdout=said)
    assert said.getvalue() == ""
    sentence = str(refused.value)
    assert re.fullmatch(r"[^\n]+\.", sentence)
    assert SECRET not in sentence
    return sentence


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_one_sentence_and_nothing_is_written(environ, tmp_path, trouble):
    file = tmp_path / ".env"
    file.write_text("COGNITO_POOL_ID=eu-west-1_Old\n")
    with AwsEndpoint(**trouble.answers) as aws:
        environ(**{**aws.environment, **trouble.environment, "ENV_FILE": str(file)})
        sentence = refusal_of("cognito_env", *trouble.arguments, "--yes")
    assert [said for said in trouble.says if said not in sentence] == [], sentence
    assert sentence.endswith("Nothing was written.")
    assert [each.name for each in tmp_path.iterdir()] == [".env"]
    assert file.read_text() == "COGNITO_POOL_ID=eu-west-1_Old\n"


def test_trouble_ends_a_shell_with_1(clean_environ, tmp_path):
    done = subprocess.run(
        [sys.executable, "manage.py", "cognito_env", *BY_STACK, "--yes"],
        cwd=ROOT,
        env={**clean_environ, **NOTHING_ELSE, "AWS_REGION": "eu-west-1",
             "ENV_FILE": str(tmp_path / ".env")},
        capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"CommandError: No AWS credentials .*Nothing was written\.\n", done.stderr)
    assert list(tmp_path.iterdir()) == []


def test_server_without_boto3_says_how_to_get_it(environ, tmp_path, monkeypatch):
    environ(ENV_FILE=str(tmp_path / ".env"))
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert "Install it: `pip install boto3`. Nothing was" in refusal_of("cognito_env", *BY_STACK)


@pytest.mark.parametrize("arguments", [BY_STACK, BY_POOL])
def test_values_are_written_for_their_owner_alone(environ, tmp_path, arguments):
    file, said = tmp_path / ".env", StringIO()
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(file))
        call_command("cognito_env", *arguments, "--yes", stdout=said)
    assert f"COGNITO_CLIENT_SECRET={SECRET}\n" in file.read_text()
    assert f"COGNITO_POOL_ID={POOL}\n" in file.read_text()
    assert "4machine" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "COGNITO_CLIENT_SECRET=(not shown)  (new)" in said.getvalue()
    assert SECRET not in said.getvalue()


def test_file_that_holds_the_values_already_becomes_its_owners_alone(environ, tmp_path):
    file, said = tmp_path / ".env", StringIO()
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(file))
        call_command("cognito_env", *BY_STACK, "--yes", stdout=StringIO())
        file.chmod(0o644)
        call_command("cognito_env", *BY_STACK, "--dry-run", stdout=said)
        assert file.stat().st_mode & 0o777 == 0o644
        call_command("cognito_env", *BY_STACK, stdout=said)
    assert file.stat().st_mode & 0o777 == 0o600
    assert said.getvalue() == f"{file} already holds these values.\n" * 2


def test_file_is_the_one_that_the_settings_read(environ, tmp_path, settings, monkeypatch):
    settings.BASE_DIR = tmp_path / "project"
    settings.BASE_DIR.mkdir()
    monkeypatch.chdir(tmp_path)  # where somebody typed project/manage.py cognito_env
    monkeypatch.delenv("ENV_FILE", raising=False)
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment)
        call_command("cognito_env", *BY_STACK, "--yes", stdout=StringIO())
    assert [each.name for each in settings.BASE_DIR.iterdir()] == [".env"]
    assert not (tmp_path / ".env").exists()


def test_pipe_is_not_replaced_by_a_file(environ, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with AwsEndpoint(**STACK, **DESCRIBED) as aws:
        environ(**aws.environment, ENV_FILE=str(pipe))
        assert "it is no file but a device or a pipe" in refusal_of("cognito_env", *BY_STACK)
    assert pipe.is_fifo()


IN_USE = {  # what is asked of a pool that the site uses, and goes wrong
    "no credentials": (POOL, NO_CREDENTIALS, None,
                       ("No AWS credentials were found.", "Set AWS_PROFILE")),
    "region that is no name": ("eu_west-1_AbCdEf123", {}, None,
                               ("'eu_west-1' is no name of an AWS region", "the pool id")),
    "region where nobody answers": ("europe-1_AbCdEf123", NOBODY, None,
                                    ("can't be reached in the region 'europe-1'", "the network")),
    "credentials that AWS doesn't know": (
        POOL, {}, Refusal("UnrecognizedClientException", "The security token is invalid."),
        ("in eu-west-1 doesn't accept these credentials", "Renew them")),
    "credentials that may not": (
        POOL, {}, Refusal("AccessDeniedException", "Not authorized"),
        ("AWS refused: Not authorized.", "Use credentials that allow cognito-idp:")),
    "pool that does not exist": (
        POOL, {}, Refusal("ResourceNotFoundException", f"User pool {POOL} does not exist."),
        (f"found nothing in eu-west-1: User pool {POOL}", "Check the name")),
}  # fmt: skip
in_use = pytest.mark.parametrize(
    ("pool_id", "changes", "answer", "says"), IN_USE.values(), ids=IN_USE
)


@pytest.fixture
def at_aws(settings, environ):
    """A site whose pool is at AWS, which answers everything with `answer`."""

    @contextmanager
    def use(pool_id, changes, answer):
        settings.COGNITO = {
            **settings.COGNITO,
            "POOL_ID": pool_id, "CLIENT_ID": CLIENT, "CLIENT_SECRET": SECRET,
            "CLIENT_DOMAIN": "team", "CLIENT_REGION": "", "ISSUER": "", "JWKS_URL": "",
        }  # fmt: skip
        operations = ("DescribeUserPoolClient", "DescribeUserPool", "ListUsers", "AdminCreateUser")
        with AwsEndpoint(**dict.fromkeys(operations, answer)) as aws:
            environ(**{**aws.environment, **changes})
            yield

    return use


@in_use
@pytest.mark.parametrize(
    "command",
    [("cognito_doctor", "--describe", "--json"), ("reconcile_users", "--apply"),
     ("link_users", "--apply")],
    ids=lambda command: command[0],
)  # fmt: skip
def test_commands_tell_what_is_wrong(db, at_aws, command, pool_id, changes, answer, says):
    with at_aws(pool_id, changes, answer):
        known = {"issuer": provider().config.issuer, "subject": "s1", "username": "stays"}
        Identity.objects.create(user=User.objects.create_user("stays"), **known)
        sentence = refusal_of(*command)
    assert [said for said in says if said not in sentence] == [], sentence
    assert User.objects.get().is_active


@in_use
def test_invitations_tell_what_is_wrong(db, at_aws, client, pool_id, changes, answer, says):
    client.force_login(User.objects.create_superuser("operator"))
    address = reverse("admin:accounts_invitations")
    form = {"email": "zoe@example.com", "username": "zoe"}
    if changes is NO_CREDENTIALS:  # found out before AWS is asked
        says = ("This server has no AWS credentials", "Give it a role, or set AWS_PROFILE")
    with at_aws(pool_id, changes, answer):
        pages = [
            unescape(answer.text) for answer in (client.get(address), client.post(address, form))
        ]
    for page in pages:
        assert [said for said in says if said not in page] == [], page


def test_username_that_a_pool_does_not_take_is_told_in_its_own_words(db, at_aws, client):
    client.force_login(User.objects.create_superuser("operator"))
    refusal = Refusal("InvalidParameterException", "Username should be an email.")
    with at_aws(POOL, {}, refusal):
        form = {"email": "zoe@example.com", "username": "zoe"}
        page = client.post(reverse("admin:accounts_invitations"), form).text
    assert "AWS refused what was given: Username should be an email. Correct it" in page
