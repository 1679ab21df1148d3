"""SETTINGS.toml of `infra/deploy`, and its stacks when a run was interrupted."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.infra.templates import template
from tools.aws import release, settings, stacks, storage

SITE = {"PublicUrl": "https://app.example.com"}
POOL = {
    "CognitoPoolId": "eu-west-1_A",
    "CognitoClientId": "client",
    "CognitoClientDomain": "https://team.auth.eu-west-1.amazoncognito.com",
    "CognitoPublicClientId": "public",
    "MachineClientId": "machine",
}
HOSTS = {"Layout": "HOST", "DomainName": "*.example.com", "CertificateArn": "arn:aws:acm:x"}


@pytest.fixture
def make(tmp_path):
    def make(*, site=SITE, pool=None, apps=None, names=()):
        for name in names:
            (tmp_path / name).mkdir()
            (tmp_path / name / "index.html").write_text("<!doctype html>")
        folders = {name: tmp_path / name for name in names}
        pool = {"DomainPrefix": "team"} if pool is None else pool
        return settings.Settings("live", "eu-west-1", pool, site, apps, folders)

    return make


def test_urls_of_the_pool_follow_from_the_site(make):
    assert make().pool_parameters("") == {
        "DomainPrefix": "team",
        "CallbackUrls": "https://app.example.com/signin",
        "SignOutUrls": "https://app.example.com/signout",
        "PublicCallbackUrls": "https://app.example.com/docs/oauth2-redirect",
        "PublicSignOutUrls": "https://app.example.com/signout",
    }


@pytest.mark.parametrize(
    ("apps", "sites_url", "callbacks", "origins", "prefix"),
    [
        (
            {},
            "https://d1.cloudfront.net",
            ["https://d1.cloudfront.net/a/signin", "https://d1.cloudfront.net/b/signin"],
            "https://d1.cloudfront.net",
            "a/",
        ),
        (
            HOSTS,
            "https://*.example.com",
            ["https://a.example.com/signin", "https://b.example.com/signin"],
            "https://a.example.com,https://b.example.com",
            "a/",
        ),
        (
            {"Layout": "ROOT"},
            "https://d1.cloudfront.net",
            ["https://d1.cloudfront.net/signin"],
            "https://d1.cloudfront.net",
            "",
        ),
    ],
    ids=["PATH", "HOST", "ROOT"],
)
def test_apps_are_registered_at_the_pool_and_accepted_by_the_api(
    make, apps, sites_url, callbacks, origins, prefix
):
    declared = make(apps=apps, names=("a", "b"))
    parameters = declared.pool_parameters(sites_url)
    assert parameters["PublicCallbackUrls"].split(",")[1:] == callbacks
    assert parameters["PublicSignOutUrls"].split(",")[1:3] == [
        callbacks[0].replace("signin", end) for end in ("", "signout")
    ]
    site = declared.site_parameters(POOL, sites_url)
    assert site["AppOrigins"] == origins
    assert site["AcceptedClients"] == "machine,public"
    assert declared.prefix("a") == prefix
    assert declared.apps_parameters(POOL)["ConnectSources"] == (
        "https://app.example.com https://team.auth.eu-west-1.amazoncognito.com"
    )


def test_every_parameter_that_is_derived_exists_in_its_template(make):
    declared = make(apps={}, names=("a",))
    for number, parameters in (
        ("1", declared.pool_parameters("https://x.example")),
        ("2", declared.site_parameters(POOL, "https://x.example")),
        ("3", declared.apps_parameters(POOL)),
    ):
        assert parameters.keys() <= template(number)["Parameters"].keys()
    codes = {"AppSecretArn", "AppSecretVersion", "CodeBucket", "CodeKey", "ManageCodeKey"}
    assert codes <= template("2")["Parameters"].keys()
    assert {release.POOL[0], release.SITE[0], release.APPS[0]} == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pool": {}}, "Pool: set DomainPrefix"),
        ({"site": SITE | {"DomainName": "app.example.com"}}, "Certificate: request one"),
        ({"site": {"PublicUrl": "http://app.example.com"}}, "Domain: PublicUrl must be an https"),
        (
            {"site": SITE | {"DomainName": "www.example.com", "CertificateArn": "arn:x"}},
            "Domain: DomainName of [site] must be the host",
        ),
        ({"site": SITE | {"SubnetIds": "subnet-1"}}, "Network: set SubnetIds and"),
        ({"apps": {"Layout": "HOST"}}, "Domain: Layout=HOST requires"),
        ({"apps": {"Layout": "ROOT"}}, "Apps: Layout=ROOT requires one item"),
    ],
)
def test_what_is_missing_is_one_sentence(make, change, sentence):
    assert list(make().missing()) == []
    [missing] = make(**change).missing()
    assert missing.startswith(sentence)
    assert missing.endswith(".")


def test_app_that_is_not_built_is_missing(make, tmp_path):
    declared = make(apps={}, names=("a",))
    (tmp_path / "a/index.html").unlink()
    [missing] = declared.missing()
    assert missing.startswith("App a: build it")


def test_settings_file_without_a_member_is_refused(tmp_path):
    file = tmp_path / "live.toml"
    with pytest.raises(SystemExit, match="cannot be read"):
        settings.read(file)
    file.write_text('name = "live"\nregion = "eu-west-1"\n')
    with pytest.raises(SystemExit, match="has no site"):
        settings.read(file)
    file.write_text(
        'name = "live"\nregion = "eu-west-1"\n[site]\nPublicUrl = "https://app.example.com/"\n'
        '[apps.folders]\nledger = "dist"\n'
    )
    declared = settings.read(file)
    assert declared.public_url == "https://app.example.com"
    assert declared.apps == {}
    assert declared.folders == {"ledger": tmp_path / "dist"}


def test_values_are_written_as_cloudformation_reads_them(tmp_path):
    file = tmp_path / "live.toml"
    file.write_text(
        'name = "live"\nregion = "eu-west-1"\n[pool]\nManagedLogin = false\nRefreshTokenDays = 5\n'
        '[site]\nPublicUrl = "https://app.example.com"\nSubnetIds = ["subnet-1", "subnet-2"]\n'
        '[site.Environment]\nSPA_COMPAT = "1"\nCOGNITO_GROUPS = {staff = "editors"}\n'
    )
    declared = settings.read(file)
    assert declared.pool == {"ManagedLogin": "false", "RefreshTokenDays": "5"}
    assert declared.site["SubnetIds"] == "subnet-1,subnet-2"
    environment = json.loads(declared.site["Environment"])
    assert environment == {"SPA_COMPAT": "1", "COGNITO_GROUPS": {"staff": "editors"}}


class Client:
    """CloudFormation with a stack whose status changes at each description."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.calls = []

    def describe_stacks(self, StackName):
        status = self.statuses[0] if len(self.statuses) == 1 else self.statuses.pop(0)
        if not status:
            raise ClientError({"Error": {"Code": "x", "Message": "does not exist"}}, "Describe")
        stack = {"StackName": StackName, "StackStatus": status}
        return {"Stacks": [stack | {"Parameters": [{"ParameterKey": "A", "ParameterValue": "b"}]}]}

    def describe_stack_events(self, StackName):
        event = {"ResourceStatus": "CREATE_FAILED", "LogicalResourceId": "Pool"}
        return {"StackEvents": [event | {"ResourceStatusReason": "no domain"}]}

    def __getattr__(self, name):
        return lambda **options: self.calls.append(name)


@pytest.mark.parametrize(
    ("statuses", "calls"),
    [
        (("", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"), ["create_stack"]),
        # The previous run was interrupted while AWS continued.
        (("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"), ["update_stack"]),
        *(
            ((status, status, "", "CREATE_COMPLETE"), ["delete_stack", "create_stack"])
            for status in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "REVIEW_IN_PROGRESS")
        ),
        (
            ("UPDATE_ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_COMPLETE"),
            ["continue_update_rollback", "update_stack"],
        ),
    ],
)
def test_deployment_continues_after_an_interruption(monkeypatch, statuses, calls):
    monkeypatch.setattr(stacks, "MAX_POLL_SECONDS", 0)
    client = Client(*statuses)
    stacks.Stacks(client, "live").deploy("pool", release.POOL, {})
    assert client.calls == calls


def test_failure_is_explained_with_the_reasons_of_aws(monkeypatch):
    monkeypatch.setattr(stacks, "MAX_POLL_SECONDS", 0)
    failing = stacks.Stacks(Client("", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"), "live")
    with pytest.raises(SystemExit, match="live-pool failed: Pool: no domain"):
        failing.deploy("pool", release.POOL, {})
    with pytest.raises(SystemExit, match="was not deleted"):
        stacks.Stacks(Client("DELETE_FAILED"), "live").delete("pool")
    with pytest.raises(SystemExit, match="cannot be rolled back: Pool: no domain"):
        stacks.Stacks(Client("UPDATE_ROLLBACK_FAILED"), "live").deploy("pool", release.POOL, {})


def test_pool_that_is_deleted_in_part_is_not_replaced_by_an_empty_one():
    client = Client("DELETE_FAILED")
    with pytest.raises(SystemExit, match="Complete that: --delete --and-users live"):
        stacks.Stacks(client, "live").deploy("pool", release.POOL, {})
    assert client.calls == []


@pytest.mark.parametrize(
    ("status", "parameters"),
    [("UPDATE_COMPLETE", {"A": "b"}), ("ROLLBACK_COMPLETE", {}), ("DELETE_COMPLETE", {})],
)
def test_parameters_of_a_stack_that_must_be_created_again_do_not_count(status, parameters):
    assert stacks.Stacks(Client(status), "live").parameters("site") == parameters


@pytest.mark.parametrize(
    ("name", "cache_control"),
    [
        ("index.html", storage.CHANGING),
        ("assets/index-DkX3a_bC.js", storage.IMMUTABLE),
        ("static/js/main.3f2a1b4c.js", storage.IMMUTABLE),
        ("assets/app.js", storage.CHANGING),
        ("logo-1024x1024.png", storage.CHANGING),
        ("favicon.ico", storage.CHANGING),
    ],
)
def test_only_files_with_a_hash_are_cached_for_good(tmp_path, name, cache_control):
    uploads = []

    class Bucket:
        def put_object(self, **upload):
            uploads.append(upload)

    for file in {name, "index.html", "z.txt"}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    storage.upload_app(Bucket(), "bucket", "ledger/", tmp_path)
    [upload] = [upload for upload in uploads if upload["Key"] == f"ledger/{name}"]
    assert upload["CacheControl"] == cache_control
    assert uploads[-1]["Key"] == "ledger/index.html"
    assert uploads[-1]["ContentType"] == "text/html"
