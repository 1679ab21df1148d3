"""The templates deployed to an emulator, and sign-ins at the deployed pool and site."""

import json
import os
import re
import subprocess
import sys

import pytest
import requests
from botocore.exceptions import ClientError

from tests.imports import ROOT
from tests.infra.conftest import REGION
from tests.sso_project.lambda_events import http_api

pytestmark = [pytest.mark.infra, pytest.mark.django_db(transaction=True)]
PASSWORD = "Correct-horse-battery-1"
STEPS = r"python3 -m zipfile -e /mnt/site.zip . \ && chmod -R a+rX ."  # of infra/Dockerfile


@pytest.fixture
def site(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    return live_server.url


@pytest.fixture
def pool(emulator, site, request):
    """The outputs of a deployed pool with one user."""
    name = f"pool-{abs(hash(request.node.name)) % 10**8}"
    outputs = emulator.deploy(
        "1-user-pool.yaml",
        name,
        DomainPrefix=name,
        ManagedLogin="false",  # the emulator does not support AWS::Cognito::ManagedLoginBranding
        CallbackUrls=f"{site}/signin",
        SignOutUrls=f"{site}/signout",
    )
    outputs["stack"] = name
    cognito = emulator.client("cognito-idp")
    pool_id = outputs["CognitoPoolId"]
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username="mary",
        UserAttributes=[
            {"Name": "email", "Value": "mary@example.com"},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username="mary", Password=PASSWORD, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username="mary", GroupName="editors")
    return outputs


@pytest.fixture
def cognito_env(emulator, clean_environ, tmp_path):
    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "manage.py", "cognito_env", *arguments],
            cwd=ROOT,
            env={**clean_environ, **emulator.environment, "ENV_FILE": str(tmp_path / ".env"),
                 **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )  # fmt: skip

    return run


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"Plan": "LITE"}, "LITE has no managed login"),
        (
            {"Plan": "LITE", "ManagedLogin": "false", "MaxSessionsPerUser": "20"},
            "LITE does not track sessions",
        ),
        ({"Passkeys": "true", "ManagedLogin": "false"}, "classic hosted UI has no passkeys"),
        ({"HostedUiSessionMinutes": "0"}, "Set MaxSessionsPerUser"),
        ({"CustomDomain": "auth.example.com"}, "requires CustomDomainCertificateArn"),
        (
            {"IdentityProvider": "OIDC", "OidcIssuer": "https://id.example"},
            "requires OidcSecretArn",
        ),
        ({"IdentityProvider": "OIDC", "OidcSecretArn": "arn:x"}, "requires OidcIssuer"),
        ({"IdentityProvider": "SAML"}, "requires SamlMetadataUrl"),
        ({"EmailFrom": "no-reply@example.com"}, "requires SesIdentityArn"),
        ({"DomainPrefix": "my-cognito-login"}, "not contain aws, amazon or cognito"),
        ({"DomainPrefix": "laws"}, "not contain aws, amazon or cognito"),
        ({"IdentityProviderName": "COGNITO"}, "IdentityProviderName"),
        ({"IssuerType": "NEW"}, "IssuerType"),
    ],
)
def test_combination_that_aws_refuses_creates_nothing(emulator, parameters, message):
    """Its parameters and rules, without the types of resources that the emulator does not know."""
    text, _, _ = (ROOT / "infra/1-user-pool.yaml").read_text().partition("\nConditions:\n")
    values = {"DomainPrefix": "team", **parameters}
    with pytest.raises(ClientError, match=message):
        emulator.client("cloudformation").create_stack(
            StackName="refused",
            TemplateBody=f"{text}\nResources: {{Queue: {{Type: AWS::SQS::Queue}}}}",
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in values.items()
            ],
        )


def test_decisions_of_the_template_reach_the_pool(emulator):
    """Parameters whose resources the emulator supports. cfn-lint checks the others."""
    ses = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
    outputs = emulator.deploy(
        "1-user-pool.yaml",
        "decisions",
        DomainPrefix="decisions",
        ManagedLogin="false",
        Plan="PLUS",
        SignInWith="EMAIL",
        IssuerType="UPDATED",
        SesIdentityArn=ses,
        EmailFrom="Example <no-reply@example.com>",
        CustomDomain="auth.example.com",
        CustomDomainCertificateArn="arn:aws:acm:us-east-1:123456789012:certificate/x",
    )
    cognito = emulator.client("cognito-idp")
    described = cognito.describe_user_pool(UserPoolId=outputs["CognitoPoolId"])["UserPool"]
    assert described["UsernameAttributes"] == ["email"]
    assert not described.get("AliasAttributes")
    assert described["EmailConfiguration"]["SourceArn"] == ses
    assert described["UserPoolAddOns"] == {"AdvancedSecurityMode": "AUDIT"}
    assert outputs["CognitoClientDomain"] == "https://auth.example.com"


def values_in(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def sign_in_at_the_emulator(browser, address):
    """Fill in MiniStack's login form, and return the callback URL."""
    page = browser.get(address, timeout=60)
    action = re.search(r'<form[^>]*action="([^"]*)"', page.text)
    hidden = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"',
                             page.text))  # fmt: skip
    target = requests.compat.urljoin(page.url, action[1].replace("&amp;", "&"))
    form = {**hidden, "username": "mary", "password": PASSWORD}
    response = browser.post(target, form, allow_redirects=False, timeout=60)
    assert response.is_redirect, response.text
    return response.headers["Location"]


def test_user_signs_in_and_out_at_a_deployed_pool(
    emulator, pool, cognito_env, site, settings, tmp_path
):
    file = tmp_path / ".env"
    done = cognito_env("--stack", pool["stack"], "--yes")
    assert done.returncode == 0, done.stderr
    values = values_in(file)
    assert values["COGNITO_POOL_ID"] == pool["CognitoPoolId"]
    assert values["COGNITO_CLIENT_ID"] == pool["CognitoClientId"]
    assert values["COGNITO_PUBLIC_CLIENT_ID"] == pool["CognitoPublicClientId"]
    assert values["COGNITO_CLIENT_REGION"] == REGION
    if values["COGNITO_CLIENT_SECRET"].startswith("/"):
        pytest.skip("The emulator made a client secret like a path, as Cognito never does.")
    settings.COGNITO = {
        **settings.COGNITO,
        **{
            name: values[f"COGNITO_{name}"]
            for name in ("POOL_ID", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_REGION")
        },
        # At AWS, both follow from pool ID and domain; the emulator has one URL for everything.
        "CLIENT_DOMAIN": emulator.url,
        "ISSUER": "",
        "JWKS_URL": f"{emulator.url}/{pool['CognitoPoolId']}/.well-known/jwks.json",
        "PUBLIC_URL": site,
    }
    with requests.Session() as browser:
        begun = browser.get(f"{site}/accounts/login/", allow_redirects=False, timeout=60)
        callback = sign_in_at_the_emulator(browser, begun.headers["Location"])
        assert callback.startswith(f"{site}/signin?")
        assert browser.get(callback, allow_redirects=False, timeout=60).status_code == 302
        profile = browser.get(f"{site}/profile/", timeout=60)
        assert profile.url == f"{site}/profile/"
        for text in ("mary@example.com", "editors", pool["CognitoClientId"]):
            assert text in profile.text
        # The emulator has no /oauth2/revoke: signing out completes anyway.
        token = browser.cookies["csrftoken"]
        signed_out = browser.post(
            f"{site}/accounts/logout/", {"csrfmiddlewaretoken": token}, timeout=60
        )
        assert "signed out" in signed_out.text
        gone = browser.get(f"{site}/profile/", allow_redirects=False, timeout=60)
        assert gone.status_code == 302


def test_env_file_is_only_changed_after_confirmation(pool, cognito_env, tmp_path):
    file = tmp_path / ".env"
    file.write_text("# ours\nSITE_NAME=Ours\nCOGNITO_POOL_ID=eu-west-1_Old\n")
    shown = cognito_env("--stack", pool["stack"], "--dry-run")
    assert shown.returncode == 0
    assert "(was eu-west-1_Old)" in shown.stdout
    assert "COGNITO_CLIENT_SECRET=(not shown)  (new)" in shown.stdout
    refused_run = cognito_env("--stack", pool["stack"])  # no terminal, so no confirmation
    assert (refused_run.returncode, "Add --yes" in refused_run.stderr) == (1, True)
    assert "eu-west-1_Old" in file.read_text()
    written = cognito_env("--stack", pool["stack"], "--yes")
    assert written.returncode == 0, written.stderr
    values = [line for line in file.read_text().splitlines() if "=" in line]
    assert file.read_text().startswith("# ours\nSITE_NAME=Ours\nCOGNITO_POOL_ID=eu-west-1_")
    assert len(values) == 7
    assert file.stat().st_mode & 0o777 == 0o600
    secret = values_in_lines(values)["COGNITO_CLIENT_SECRET"]
    assert secret not in shown.stdout + written.stdout + written.stderr
    again = cognito_env("--stack", pool["stack"], "--show-secret", "--yes")
    assert "already holds these values" in again.stdout
    file.unlink()
    assert secret in cognito_env("--stack", pool["stack"], "--show-secret", "--yes").stdout


def values_in_lines(lines):
    return dict(line.split("=", 1) for line in lines)


def test_values_come_from_pool_and_client_as_well(pool, cognito_env, tmp_path):
    by_stack = cognito_env("--stack", pool["stack"], "--yes")
    first = values_in(tmp_path / ".env")
    (tmp_path / ".env").unlink()
    done = cognito_env(
        "--pool", pool["CognitoPoolId"], "--client", pool["CognitoClientId"], "--yes"
    )
    assert (by_stack.returncode, done.returncode) == (0, 0), done.stderr
    first.pop("COGNITO_PUBLIC_CLIENT_ID")
    assert values_in(tmp_path / ".env") == first


def test_bad_input_is_reported_and_nothing_is_written(emulator, pool, cognito_env, tmp_path):
    lonely = emulator.client("cognito-idp").create_user_pool(PoolName="lonely")["UserPool"]["Id"]
    client = emulator.client("cognito-idp").create_user_pool_client(
        UserPoolId=lonely, ClientName="server", GenerateSecret=True
    )["UserPoolClient"]["ClientId"]
    cases = [
        (("--stack", "nowhere"), {}, "Stack with id nowhere does not exist"),
        (("--pool", lonely, "--client", client), {}, "has no domain"),
        (("--pool", pool["CognitoPoolId"], "--client", pool["CognitoPublicClientId"]), {},
         "has no secret"),
        (("--pool", pool["CognitoPoolId"], "--client", "nobody"), {}, "Not found at AWS in"),
        (("--stack", pool["stack"], "--file", f"{tmp_path}/no/such/.env", "--yes"), {},
         "can't be changed: No such file or directory"),
    ]  # fmt: skip
    for arguments, environment, sentence in cases:
        done = cognito_env(*arguments, **environment)
        assert done.returncode == 1
        assert sentence in done.stderr, done.stderr
        assert "Nothing was written." in done.stderr
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert not (tmp_path / ".env").exists()


def test_several_apps_are_served_by_one_distribution(emulator):
    outputs = emulator.deploy(
        "3-static-sites.yaml", "sites", ConnectSources="https://app.example.com"
    )
    assert outputs["SitesUrl"].startswith("https://")
    front = emulator.client("cloudfront")
    config = front.get_distribution_config(Id=outputs["DistributionId"])["DistributionConfig"]
    assert config["Origins"]["Items"][0]["DomainName"].startswith(outputs["SitesBucketName"])
    block = emulator.client("s3").get_public_access_block(Bucket=outputs["SitesBucketName"])
    assert set(block["PublicAccessBlockConfiguration"].values()) == {True}


@pytest.fixture
def secret(emulator, tmp_path):
    """The values that the functions read from Secrets Manager, and their ARN as `arn`."""
    members = {
        "DATABASE_URL": f"sqlite:///{tmp_path}/lambda.sqlite3",
        "SECRET_KEY": "tests-only-secret-key-that-signs-nothing-of-worth-0123456789",
        "TOKEN_ENCRYPTION_KEYS": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "COGNITO_CLIENT_SECRET": "never-used-here",
        "ORIGIN_VERIFY": "tests-only-origin-secret",
    }
    arn = emulator.client("secretsmanager").create_secret(
        Name=tmp_path.name, SecretString=json.dumps(members)
    )["ARN"]
    return {**members, "arn": arn}


def parameters_of_the_site(pool, secret):
    names = ("CognitoPoolId", "CognitoClientId", "CognitoClientDomain")
    return {
        "PublicUrl": "https://app.example.com",
        "AppSecretArn": secret["arn"],
        "SignInAlarm": "DISABLED",  # the emulator supports no metric math
        **{name: pool[name] for name in names},
    }


def test_site_runs_on_lambda(emulator, pool, secret, archive):
    """Run migrations with the uploaded zip, then sign in through the HTTP API."""
    emulator.aws("s3", "mb", "s3://code")
    emulator.aws("s3", "cp", str(archive), "s3://code/site-1.zip")
    outputs = emulator.deploy(
        "2-api-lambda.yaml",
        "site",
        "--capabilities",
        "CAPABILITY_IAM",
        CodeBucket="code",
        CodeKey="site-1.zip",
        AcceptedClients=pool["MachineClientId"],
        AppOrigins="https://apps.example.com",
        Environment=json.dumps(
            {"COGNITO_JWKS_URL": f"{emulator.url}/{pool['CognitoPoolId']}/.well-known/jwks.json",
             "COGNITO_JWKS_SNAPSHOT": "", "SITE_NAME": "Ours"}
        ),
        **parameters_of_the_site(pool, secret),
    )  # fmt: skip
    printed = manage(emulator, outputs, "migrate")
    assert "accounts.0001_initial... OK" in printed["output"]
    checked = manage(emulator, outputs, "check", "--deploy")
    assert checked["status"] == 0
    warnings = set(re.findall(r"\.W\d+", checked["output"]))
    # W007: the emulator runs functions with this machine's Python, which may be old.
    assert warnings - {".W007"} == {".W003", ".W005"}  # only in this test
    host = outputs["ApiUrl"].partition("//")[2]
    through_cloudfront = {"Host": host, "X-Origin-Verify": secret["ORIGIN_VERIFY"]}
    address = f"{emulator.url}/accounts/login/"
    response = requests.get(address, headers=through_cloudfront, allow_redirects=False, timeout=60)
    assert response.status_code == 302, response.text
    assert response.headers["Location"].startswith(
        f"{pool['CognitoClientDomain']}/oauth2/authorize?"
    )
    assert "redirect_uri=https%3A%2F%2Fapp.example.com%2Fsignin" in response.headers["Location"]
    assert "__Host-signin_" in response.headers["Set-Cookie"]
    around = requests.get(address, headers={"Host": host}, allow_redirects=False, timeout=60)
    assert around.status_code == 403
    machine_calls_the_api(emulator, pool, through_cloudfront)
    assert manage(emulator, outputs, "cognito_reencrypt_tokens", "--check")["status"] == 0
    alarms = emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    of_aws = {alarm["MetricName"] for alarm in alarms if "MetricName" in alarm}
    assert of_aws == {"Errors", "Throttles", "Duration", "5xx", "sso_pending_revocations"}


def machine_calls_the_api(emulator, pool, headers):
    """Call the deployed API with a machine token of template 1, and from another origin."""
    cognito = emulator.client("cognito-idp")
    described = cognito.describe_user_pool_client(
        UserPoolId=pool["CognitoPoolId"], ClientId=pool["MachineClientId"]
    )["UserPoolClient"]
    token = requests.post(
        f"{emulator.url}/oauth2/token",
        {"grant_type": "client_credentials", "scope": "stats/read"},
        auth=(described["ClientId"], described["ClientSecret"]),
        timeout=60,
    ).json()["access_token"]
    origin = "https://apps.example.com"
    figures = requests.get(
        f"{emulator.url}/api/stats",
        headers={**headers, "Authorization": f"Bearer {token}", "Origin": origin},
        timeout=60,
    )
    assert figures.status_code == 200, figures.text
    # The emulator responds to preflights itself, so this is the header of the response.
    assert figures.headers["Access-Control-Allow-Origin"] == origin


def manage(emulator, outputs, *command):
    """Invoke the function for commands, and return its response."""
    done = emulator.client("lambda").invoke(
        FunctionName=outputs["ManageFunctionName"], Payload=json.dumps({"command": command})
    )
    response = done["Payload"].read().decode()
    assert "FunctionError" not in done, response
    return json.loads(response)


def test_image_starts_with_the_values_of_the_template(emulator, pool, secret, archive, tmp_path):
    """Perform the Dockerfile's steps without a container, then start the function.

    The steps are written here, so that this machine never runs what the file says.
    """
    outputs = emulator.deploy(
        "2-api-lambda.yaml",
        "image",
        "--capabilities",
        "CAPABILITY_IAM",
        ImageUri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/site:1",
        **parameters_of_the_site(pool, secret),
    )
    function = emulator.client("lambda").get_function_configuration(
        FunctionName=outputs["ManageFunctionName"]
    )
    assert function["PackageType"] == "Image"
    variables = function["Environment"]["Variables"]
    assert "COGNITO_JWKS_SNAPSHOT" not in variables
    dockerfile = (ROOT / "infra/Dockerfile").read_text()
    [steps] = re.findall(r"^RUN --mount\S+ \\\n(.*?[^\\])$", dockerfile, re.M | re.S)
    assert " ".join(steps.split()) == STEPS
    task = tmp_path / "task"
    task.mkdir()
    subprocess.run([sys.executable, "-m", "zipfile", "-e", archive, task], check=True)
    subprocess.run(["chmod", "-R", "a+rX", task], check=True)
    assert all(file.stat().st_mode & 0o444 == 0o444 for file in task.rglob("*"))
    own = dict(re.findall(r"^ENV (\w+)=(\S+)$", dockerfile, re.M))
    assert '\nCMD ["sso_project.lambda_handler.handler"]\n' in dockerfile
    event = http_api("/accounts/login/", headers={"x-origin-verify": secret["ORIGIN_VERIFY"]})
    call = (
        "import json; from sso_project.lambda_handler import handler\n"
        f"print(json.dumps(handler({event!r}, None)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", call],
        cwd=task,
        env={"PATH": os.environ["PATH"], **own, **variables, **emulator.environment,
             "ENV_FILE": os.devnull, "AWS_DEFAULT_REGION": REGION,
             "AWS_LAMBDA_FUNCTION_NAME": "image"},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    response = json.loads(done.stdout.splitlines()[-1])  # after the metrics
    assert response["statusCode"] == 302, response
    assert "/oauth2/authorize?" in response["headers"]["location"]
