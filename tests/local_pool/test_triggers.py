"""The pre-token-generation trigger: its event, what it can change, and its refusal."""

import json
from pathlib import Path

import jwt
import pytest

from local_pool.errors import ConfigError, PoolError
from local_pool.testing import LocalPool

from .api_client import ApiClient
from .conftest import App
from .test_api import error

FUNCTION = """
import json, pathlib

def trigger(event, context):
    folder = pathlib.Path(__file__).parent
    (folder / "event.json").write_text(json.dumps(event))
    event["response"] = json.loads((folder / "response.json").read_text())
    return event

def refuse(event, context):
    raise ValueError("No tokens today")
"""


class Trigger:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "function.py").write_text(FUNCTION)
        self.answer()

    def answer(self, **details) -> None:
        response = {"claimsAndScopeOverrideDetails": details}
        (self.folder / "response.json").write_text(json.dumps(response))

    @property
    def event(self) -> dict:
        return json.loads((self.folder / "event.json").read_text())


@pytest.fixture
def trigger(tmp_path) -> Trigger:
    return Trigger(tmp_path)


@pytest.fixture
def app(make_local_pool, trigger) -> App:
    function = f"{trigger.folder}/function.py:trigger"
    return App(make_local_pool(pre_token_trigger=function))


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def test_claims_groups_and_scopes_are_changed(app, trigger):
    trigger.answer(
        accessTokenGeneration={
            "claimsToAddOrOverride": {"tenant": {"id": 7}, "sub": "x", "cognito:x": "y"},
            "scopesToAdd": ["stats/read"],
            "scopesToSuppress": ["profile"],
        },
        idTokenGeneration={"claimsToAddOrOverride": {"tenant": 8}, "claimsToSuppress": ["email"]},
        groupOverrideDetails={"groupsToOverride": ["other"], "preferredRole": "arn:role"},
    )
    tokens = app.tokens()
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert access["tenant"] == {"id": 7}
    assert access["sub"] == app.pool.get_user("ada").sub
    assert "cognito:x" not in access
    assert access["scope"].split() == ["openid", "email", "stats/read"]
    assert identity["tenant"] == 8
    assert "email" not in identity
    assert access["cognito:groups"] == identity["cognito:groups"] == ["other"]
    assert identity["cognito:preferred_role"] == "arn:role"
    assert "cognito:preferred_role" not in access
    assert app.user_info(tokens["access_token"]).status_code == 200


def test_event_is_that_of_aws(app, trigger):
    tokens = app.tokens()
    event = trigger.event
    assert (event["version"], event["userName"]) == ("3", "ada")
    assert event["triggerSource"] == "TokenGeneration_HostedAuth"
    assert event["request"]["userAttributes"]["email"] == "ada@example.com"
    none = {"iamRolesToOverride": [], "preferredRole": None}
    assert event["request"]["groupConfiguration"] == none | {"groupsToOverride": ["admins"]}
    assert event["request"]["scopes"] == ["openid", "email", "profile"]
    app.refresh(tokens["refresh_token"])
    assert trigger.event["triggerSource"] == "TokenGeneration_RefreshTokens"
    ApiClient(app).password()
    assert trigger.event["triggerSource"] == "TokenGeneration_Authentication"


@pytest.mark.parametrize(("audience", "expected"), [("client", True), ("another", False)])
def test_audience_can_only_be_the_client(app, trigger, audience, expected):
    value = app.pool.client_id if audience == "client" else audience
    trigger.answer(accessTokenGeneration={"claimsToAddOrOverride": {"aud": value}})
    assert ("aud" in claims(app.tokens()["access_token"])) is expected


def test_machine_token_is_changed(app, trigger):
    trigger.answer(accessTokenGeneration={"claimsToAddOrOverride": {"tenant": "7"}})
    assert claims(app.pool.machine_token())["tenant"] == "7"
    assert trigger.event["triggerSource"] == "TokenGeneration_ClientCredentials"


def test_refusal_is_an_error_of_the_token_endpoint_and_of_the_api(make_local_pool, trigger):
    function = f"{trigger.folder}/function.py:refuse"
    app = App(make_local_pool(pre_token_trigger=function))
    code = app.code()
    message = "PreTokenGeneration failed with error No tokens today."
    refused = app.redeem(code)
    assert refused.status_code == 400
    assert refused.json() == {"error": "invalid_request", "error_description": message}
    response = ApiClient(app).password()
    assert error(response) == "UserLambdaValidationException"
    assert response.json()["message"] == message
    app.pool.do("trigger off")
    assert ApiClient(app).password().status_code == 200
    app.pool.do("trigger on")
    assert ApiClient(app).password().status_code == 400


def test_lite_changes_only_the_id_token(app, trigger):
    app.pool.do("plan lite")
    changes = {"claimsToAddOrOverride": {"tenant": "7"}}
    response = {"claimsOverrideDetails": changes}
    (trigger.folder / "response.json").write_text(json.dumps(response))
    tokens = app.tokens()
    assert claims(tokens["id_token"])["tenant"] == "7"
    assert "tenant" not in claims(tokens["access_token"])
    assert trigger.event["version"] == "1"


def test_missing_function_is_refused_at_once(pool):
    with pytest.raises(ConfigError, match="POOL_PRE_TOKEN_TRIGGER"):
        LocalPool(pre_token_trigger="nowhere.py:function")
    for words in ("trigger on", "trigger nowhere.py:function"):
        with pytest.raises(PoolError, match="Usage: trigger on"):
            pool.do(words)
