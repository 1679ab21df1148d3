"""`infra/deploy`, killed at each step and run again, and what an earlier failure left."""

import shutil

import pytest
from botocore.exceptions import ClientError

from tests.imports import ROOT
from tests.infra.deployment import Deployment
from tools.aws.stacks import Stacks

pytestmark = pytest.mark.infra
QUEUE = """
Parameters:
  Name: {Type: String, Default: a}
Resources:
  Queue: {Type: AWS::SQS::Queue}"""


@pytest.fixture
def broken(emulator, archive, tmp_path, clean_environ):
    shutil.copytree(ROOT / "tests/infra/app", tmp_path / "dist")
    deployment = Deployment("broken", emulator, tmp_path, clean_environ, archive)
    deployment.write(
        # The emulator supports neither the branding nor metric math.
        pool={"DomainPrefix": "broken-team", "ManagedLogin": False},
        site={"PublicUrl": "https://app.example.com", "SignInAlarm": "DISABLED"},
        apps={},
        apps_folders={"ledger": "dist"},
    )
    return deployment


def test_each_step_can_be_interrupted(broken, tmp_path):
    """Deploy; delete the site and deploy it again; delete everything and deploy again."""
    database = f"sqlite:///{tmp_path}/deployed.sqlite3"
    steps = "".join(broken.interrupt("--apply", DATABASE_URL=database))
    for step in ("the secret", "upload site-", "static files", "migrate", "ledger", "doctor"):
        assert step in steps
    pool, secret = broken.outputs("pool"), broken.secret()
    assert "No migrations to apply" in broken.apply()
    assert (broken.outputs("pool"), broken.secret()) == (pool, secret)

    broken.delete()
    broken.apply()
    assert broken.outputs("pool")["CognitoPoolId"] == pool["CognitoPoolId"]
    assert broken.secret() == secret

    everything = ("--delete", "--and-users", "broken")
    assert len(broken.interrupt(*everything)) == 8
    cognito = broken.emulator.client("cognito-idp")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        cognito.describe_user_pool(UserPoolId=pool["CognitoPoolId"])
    assert "Would restore the secret broken." in broken.run().stdout
    assert broken.interrupt("--apply", at="the secret") == [
        "broken: restore the secret …\n",
        "broken: update the secret …\n",
    ]
    pool = broken.outputs("pool")
    client = cognito.describe_user_pool_client(
        UserPoolId=pool["CognitoPoolId"], ClientId=pool["CognitoClientId"]
    )["UserPoolClient"]
    assert broken.secret() == secret | {
        "COGNITO_POOL_ID": pool["CognitoPoolId"],
        "COGNITO_CLIENT_SECRET": client["ClientSecret"],
    }
    broken.delete(*everything)


@pytest.fixture
def stacks(emulator, monkeypatch, tmp_path):
    """Stacks of one queue, and of a client of a pool that does not exist, so that it fails."""
    monkeypatch.setattr("tools.aws.stacks.INFRA", tmp_path)
    client = "{Type: AWS::Cognito::UserPoolClient, Properties: {UserPoolId: eu-west-1_Absent123}}"
    (tmp_path / "queue.yaml").write_text(QUEUE)
    (tmp_path / "wrong.yaml").write_text(f"{QUEUE}\n  Client: {client}\n")
    return Stacks(emulator.client("cloudformation"), "failed")


def test_creation_that_failed_is_repeated(stacks):
    with pytest.raises(SystemExit, match="failed-site failed: Client: "):
        stacks.deploy("site", "wrong.yaml", {})
    assert stacks.settle("site") == "ROLLBACK_COMPLETE"
    stacks.deploy("site", "queue.yaml", {})
    assert stacks.settle("site") == "CREATE_COMPLETE"
    stacks.delete("site")
    assert stacks.describe("site") == {}


def test_stack_of_an_unexecuted_change_set_is_replaced(emulator, stacks):
    emulator.client("cloudformation").create_change_set(
        StackName="failed-apps", ChangeSetName="x", ChangeSetType="CREATE", TemplateBody=QUEUE
    )
    assert stacks.parameters("apps") == {}
    stacks.deploy("apps", "queue.yaml", {"Name": "b"})
    assert stacks.parameters("apps") == {"Name": "b"}
    stacks.delete("apps")


def test_update_that_failed_is_followed_by_one_that_changes_nothing(stacks):
    stacks.deploy("pool", "queue.yaml", {})
    with pytest.raises(SystemExit, match="failed-pool failed: Client: "):
        stacks.deploy("pool", "wrong.yaml", {})
    assert stacks.settle("pool") == "UPDATE_ROLLBACK_COMPLETE"
    stacks.deploy("pool", "queue.yaml", {})
    stacks.delete("pool")
