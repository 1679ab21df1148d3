"""One stack from three templates: `infra/deploy` at an emulator, and a built app in a browser.

CloudFront itself is not emulated. tests/infra/cloudfront.py stands in its place, with template 3's
function and headers in front of the bucket, and with template 2's function behind.
"""

import base64
import json
import shutil

import pytest
import requests
from botocore.exceptions import ClientError
from playwright.sync_api import expect

from tests.imports import ROOT
from tests.infra import cloudfront
from tests.infra.deployment import Deployment
from tests.sso_project.lambda_events import http_api

pytestmark = [pytest.mark.infra, pytest.mark.browser]
PASSWORD = "Correct-horse-battery-1"
NAME = "live"


@pytest.fixture
def live(emulator, archive, tmp_path, clean_environ):
    return Deployment(NAME, emulator, tmp_path, clean_environ, archive)


@pytest.fixture
def dist(tmp_path):
    """A copy of the built app."""
    return shutil.copytree(ROOT / "tests/infra/app", tmp_path / "dist")


def add_editor(emulator, pool_id):
    cognito = emulator.client("cognito-idp")
    user = {"UserPoolId": pool_id, "Username": "mary"}
    cognito.admin_create_user(
        **user, UserAttributes=[{"Name": "email", "Value": "mary@example.com"}]
    )
    cognito.admin_set_user_password(**user, Password=PASSWORD, Permanent=True)
    cognito.admin_add_user_to_group(**user, GroupName="editors")


def test_nothing_happens_while_something_is_missing(emulator, live, dist):
    (dist / "index.html").unlink()
    live.write(
        pool={"DomainPrefix": "live-team"},
        site={"PublicUrl": "https://app.example.com", "DomainName": "app.example.com"},
        apps={},
        apps_folders={"ledger": "dist"},
    )
    planned = live.run()
    assert planned.returncode == 1
    assert "Certificate: request one for app.example.com in us-east-1" in planned.stdout
    assert "Database: create one" in planned.stdout
    assert "App ledger: build it" in planned.stdout
    assert "Would create the stack live-pool." in planned.stdout
    assert live.run("--apply").returncode == 1
    with pytest.raises(ClientError, match="does not exist"):
        live.outputs("pool")


def test_one_stack_from_three_templates(emulator, live, dist, tmp_path, page):
    """Deploy, sign in, read, write and call as a machine; then update, and delete."""
    parts = {}
    with (
        cloudfront.serve(lambda *request: parts["apps"](*request)) as apps_url,
        cloudfront.serve(lambda *request: parts["site"](*request)) as site_url,
    ):
        tables = {
            "pool": {
                "DomainPrefix": "live-team",
                "ManagedLogin": "false",  # the emulator does not support its branding
                "PublicCallbackUrls": f"{apps_url}/ledger/signin",
            },
            "site": {
                "PublicUrl": "https://app.example.com",
                "AppOrigins": apps_url,
                "SignInAlarm": "DISABLED",  # the emulator supports no metric math
            },
            "apps": {"ConnectSources": f"{site_url} {emulator.url}"},
            "apps_folders": {"ledger": "dist"},
        }
        live.write(**tables)
        database = {"DATABASE_URL": f"sqlite:///{tmp_path}/deployed.sqlite3"}
        first = live.apply(**database)
        assert "accounts.0001_initial... OK" in first
        assert "To go back" in first
        assert "set PublicUrl of [site] to https://" in first  # there is no DNS entry of its own
        pool = live.outputs("pool")
        # At AWS, these follow from the pool. The emulator has one URL for everything.
        keys = f"{emulator.url}/{pool['CognitoPoolId']}/.well-known/jwks.json"
        environment = {"COGNITO_JWKS_URL": keys, "COGNITO_JWKS_SNAPSHOT": ""}
        tables["site"]["Environment"] = json.dumps(environment)
        config = {
            "clientId": pool["CognitoPublicClientId"],
            "hostedUi": emulator.url,
            "api": site_url,
        }
        (dist / "config.json").write_text(json.dumps(config))
        live.write(**tables)
        assert "Environment: {} -> " in live.run().stdout
        assert "No migrations to apply" in live.apply()
        assert_files_outlive_a_release(emulator, live)

        function = live.resource("site", "Function")
        secret = live.secret()
        parts["apps"] = cloudfront.static_sites(
            emulator.client("s3"),
            live.outputs("apps")["SitesBucketName"],
            "PATH",
            StyleSources="",
            ConnectSources=tables["apps"]["ConnectSources"],
        )
        lambda_client = emulator.client("lambda")
        parts["site"] = cloudfront.lambda_site(lambda_client, function, secret["ORIGIN_VERIFY"])
        add_editor(emulator, pool["CognitoPoolId"])
        use_the_app(page, apps_url)
        call_as_a_machine(emulator, pool, site_url)
        assert_metrics_leave_lambda(lambda_client, function, secret["ORIGIN_VERIFY"])
        rotate_origin_verify(emulator, live)
    delete(emulator, live)


def assert_files_outlive_a_release(emulator, live):
    """Files with a hash in their name can be cached for good, pages are always revalidated."""
    s3, bucket = emulator.client("s3"), live.outputs("apps")["SitesBucketName"]
    cache = {
        item["Key"]: s3.head_object(Bucket=bucket, Key=item["Key"])["CacheControl"]
        for item in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert cache == {
        "ledger/index.html": "no-cache",
        "ledger/config.json": "no-cache",
        "ledger/assets/app-3f2a1b4c.js": "max-age=31536000,immutable",
        "ledger/assets/app-9d8e7f6a.css": "max-age=31536000,immutable",
    }
    static = s3.list_objects_v2(Bucket=live.outputs("site")["StaticBucketName"])["Contents"]
    assert {item["Key"].partition("/")[0] for item in static} == {"static"}


def use_the_app(page, apps_url):
    """Open a deep link with dots, sign in, and read and write figures."""
    missing = page.request.get(f"{apps_url}/ledger/assets/app-00000000.js")
    assert missing.status == 404
    deep_link = "/ledger/people/ada@example.com/v1.2"
    page.goto(f"{apps_url}{deep_link}")
    expect(page.locator("#page")).to_have_text(deep_link)
    expect(page.locator("h1")).to_have_css("color", "rgb(0, 80, 0)")
    page.get_by_role("button", name="Sign in").click()
    page.fill("input[name=username]", "mary")
    page.fill("input[name=password]", PASSWORD)
    page.locator("form").locator("button, input[type=submit]").first.click()
    page.wait_for_url(f"{apps_url}{deep_link}", timeout=60_000)
    expect(page.locator("#figures")).to_have_text("200: 0 figures", timeout=60_000)
    page.get_by_role("button", name="Add a figure").click()
    expect(page.locator("#figures")).to_have_text("200: 1 figures", timeout=60_000)
    assert page.locator("#result").inner_text().startswith("201: ")


def call_as_a_machine(emulator, pool, site_url):
    cognito = emulator.client("cognito-idp")
    client = cognito.describe_user_pool_client(
        UserPoolId=pool["CognitoPoolId"], ClientId=pool["MachineClientId"]
    )["UserPoolClient"]
    token = requests.post(
        f"{emulator.url}/oauth2/token",
        {"grant_type": "client_credentials", "scope": "stats/read stats/write"},
        auth=(client["ClientId"], client["ClientSecret"]),
        timeout=60,
    ).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    figure = {"kpi": "Cost", "year": 2020, "month": 4, "value": 1}
    created = requests.post(f"{site_url}/api/stats", json=figure, headers=bearer, timeout=60)
    assert created.status_code == 201, created.text
    figures = requests.get(f"{site_url}/api/stats", headers=bearer, timeout=60).json()["data"]
    assert {item["kpi"] for item in figures} == {"Revenue", "Cost"}


def assert_metrics_leave_lambda(client, function, origin_verify):
    """A warm-up event is answered, and a refused request is counted in the log."""
    warm = client.invoke(FunctionName=function, Payload=json.dumps({"warm_up": True}))
    assert json.loads(warm["Payload"].read()) == {"warm_up": "done"}
    event = http_api(
        "/api/stats",
        headers={"x-origin-verify": origin_verify, "authorization": "Bearer a.b.c"},
    )
    refused = client.invoke(FunctionName=function, Payload=json.dumps(event), LogType="Tail")
    assert json.loads(refused["Payload"].read())["statusCode"] == 401
    log = base64.b64decode(refused["LogResult"]).decode()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith('{"_aws"')]
    [line] = [line for line in lines if "sso_verifications_total" in line]
    assert (line["outcome"], line["sso_verifications_total"]) == ("malformed_token", 1)
    assert line["FunctionName"] == function


def rotate_origin_verify(emulator, live):
    """Follow infra/README.md: the previous value is accepted until its member is emptied."""
    function, manager = live.resource("site", "Function"), emulator.client("secretsmanager")
    old = live.secret()["ORIGIN_VERIFY"]
    for fallbacks, status in ((f"unused, {old}", 302), ("", 403)):
        members = {"ORIGIN_VERIFY": "new, with a comma", "ORIGIN_VERIFY_FALLBACKS": fallbacks}
        manager.put_secret_value(SecretId=NAME, SecretString=json.dumps(live.secret() | members))
        live.apply()
        for sent, expected in (("new, with a comma", 302), (old, status), ("", 403)):
            event = http_api("/accounts/login/", headers={"x-origin-verify": sent})
            done = emulator.client("lambda").invoke(
                FunctionName=function, Payload=json.dumps(event)
            )
            assert json.loads(done["Payload"].read())["statusCode"] == expected


def delete(emulator, live):
    stacks = emulator.client("cloudformation")
    sites_bucket = live.outputs("apps")["SitesBucketName"]
    pool_id = live.outputs("pool")["CognitoPoolId"]
    wrong = live.run("--delete", "--and-users", "other")
    assert (wrong.returncode, wrong.stderr) == (
        1,
        "--and-users must be live, the name to delete.\n",
    )
    live.delete()
    assert stacks.describe_stacks(StackName=f"{NAME}-pool")["Stacks"]
    assert emulator.client("secretsmanager").get_secret_value(SecretId=NAME)
    buckets = {item["Name"] for item in emulator.client("s3").list_buckets()["Buckets"]}
    assert not {name for name in buckets if name == sites_bucket or name.startswith("live-code")}
    for part in ("site", "apps"):
        with pytest.raises(ClientError, match="does not exist"):
            live.outputs(part)
    live.delete("--and-users", NAME)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        emulator.client("cognito-idp").describe_user_pool(UserPoolId=pool_id)
    with pytest.raises(ClientError):
        emulator.client("secretsmanager").get_secret_value(SecretId=NAME)
