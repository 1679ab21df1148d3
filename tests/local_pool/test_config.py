"""Settings by pool.toml and POOL_*, and the errors that name a wrong setting."""

import tomllib

import pytest

from local_pool.config import POOL_TOML, SETTINGS, load_config
from local_pool.declarations import Client, Seed
from local_pool.errors import ConfigError
from local_pool.pool_config import TABLES


def test_defaults_are_those_of_pool_toml():
    config = load_config({})
    assert config.issuer == "http://localhost:9000/local-1_DevPool01"
    assert config.region == "local-1"
    assert [person.username for person in config.people] == ["ada", "grace", "linus"]
    assert config.people[0].groups == ("admins",)
    assert config.custom_scopes == ("stats/read", "stats/write")
    assert config.refresh_token_seconds == 30 * 86400
    assert not config.rotate_refresh_tokens


def test_pool_toml_holds_every_setting_and_no_other():
    tables = tomllib.loads(POOL_TOML.read_text())
    assert set(tables) == {*SETTINGS, *TABLES}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_can_be_overridden_by_its_variable(name):
    before = getattr(load_config({}), name)
    text, expected = {
        bool: ("0" if before else "1", not before),
        int: ("42", 42),
        str: (
            {
                "id": "local-2_Another1",
                "issuer_type": "both",
                "domain_host": "127.0.0.1",
                "plan": "lite",
                "replica_region": "local-3",
                "mfa": "on",
                "client_registration": "open",
                "passkey_verification": "required",
                "pre_token_trigger": f"{__file__}:load",
            }.get(name, "another1"),
            None,
        ),
    }.get(type(before), ("", None))
    if isinstance(before, tuple):
        text = {
            "scopes": "openid, email",
            "groups": "admins,editors,new",
            "acr_values": "low,middle,high,highest",
            "explicit_auth_flows": "ALLOW_USER_SRP_AUTH",
            "first_auth_factors": "PASSWORD,EMAIL_OTP",
            "custom_attributes": "team,level:Number,tenant:String:immutable",
            "username_attributes": "email",
            "password_characters": "numbers",
            "metadata_hosts": "agent.example=http://localhost:5000",
        }.get(name, "https://a/b,")
        expected = tuple(part.strip() for part in text.split(",") if part.strip())
    expected = text if expected is None else expected
    assert getattr(load_config({f"POOL_{name.upper()}": text}), name) == expected


def test_the_apps_own_urls_stay_when_the_list_is_replaced():
    config = load_config(
        {"POOL_CALLBACK_URLS": "http://localhost:5173/cb", "PUBLIC_URL": "http://localhost:8765/"}
    )
    web = config.clients[config.client_id]
    assert web.callback_urls == ("http://localhost:8765/signin", "http://localhost:5173/cb")
    assert web.logout_urls[0] == "http://localhost:8765/signout"


def test_empty_variable_counts_as_unset():
    assert load_config({"POOL_PORT": ""}).port == 9000


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("POOL_PORT", "ninety"),
        ("POOL_PORT", "0"),
        ("POOL_PORT", "65536"),
        ("POOL_ID", "no underscore"),
        ("POOL_ACCESS_TOKEN_SECONDS", "0"),
        ("POOL_REFRESH_TOKEN_SECONDS", "-1"),
        ("POOL_CODE_SECONDS", "1e9"),
        ("POOL_REFRESH_GRACE_SECONDS", "61"),
        ("POOL_ROTATE_REFRESH_TOKENS", "yes"),
    ],
)
def test_malformed_variable_is_refused_by_name(variable, text):
    with pytest.raises(ConfigError, match=variable):
        load_config({variable: text})


@pytest.mark.parametrize(
    "url",
    ["http://example.com/cb", "http://localhost.evil.example/cb", "https://a/#x", "no-scheme"],
)
def test_url_that_cognito_would_not_register_is_refused(url):
    with pytest.raises(ConfigError, match="cannot be registered"):
        load_config({"POOL_CALLBACK_URLS": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/cb", "http://[::1]:1/cb", "myapp://cb"])
def test_loopback_and_app_schemes_may_be_registered(url):
    config = load_config({"POOL_CALLBACK_URLS": url})
    assert url in config.clients[config.client_id].callback_urls


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"colour": "green"}, "colour"),
        ({"port": "9000"}, "port must be int"),
        ({"groups": "admins"}, "groups must be a list"),
        ({"people": [Seed("eve", groups=("nobody",))]}, "eve is in a group"),
        ({"clients": [Client("not a client id")]}, "client ID"),
        ({"clients": [Client("c1", scopes=("nowhere/read",))]}, "unknown scope"),
        ({"public_client_id": "4localwebclient5demo6only7"}, "same ID"),
    ],
)
def test_malformed_declaration_is_refused(overrides, message):
    with pytest.raises(ConfigError, match=message):
        load_config({}, overrides)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("port = ", "cannot be read"),
        ("port = 9000", "has no setting id"),
        (POOL_TOML.read_text() + "\n[colours]\n", "colours"),
        (POOL_TOML.read_text().replace("[people]", "[people]\neve = { mail = 'x' }"), "eve"),
    ],
)
def test_broken_file_is_refused(tmp_path, text, message):
    toml = tmp_path / "pool.toml"
    toml.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config({}, toml=toml)


def test_client_table_inherits_scopes_and_urls(tmp_path):
    toml = tmp_path / "pool.toml"
    toml.write_text(POOL_TOML.read_text() + '\n[clients.second]\nsecret = "a-second-secret"\n')
    config = load_config({}, toml=toml)
    second = config.clients["second"]
    assert second.scopes == config.scopes
    assert second.callback_urls == config.callback_urls
