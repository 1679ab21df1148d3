"""Nothing that a host project writes into COGNITO, or leaves out, is a traceback."""

import pytest
from django.core.checks import run_checks
from django.utils.functional import SimpleLazyObject

from accounts.cognito.errors import ConfigurationError
from accounts.provider import Limits, provider
from accounts.provider.settings import read_config, read_limits

LAZY = SimpleLazyObject(lambda: "x")  # isinstance() says that it is a string
REQUIRED = {
    "POOL_ID": "COGNITO_POOL_ID",
    "CLIENT_ID": "COGNITO_CLIENT_ID",
    "CLIENT_SECRET": "COGNITO_CLIENT_SECRET",
    "CLIENT_DOMAIN": "COGNITO_CLIENT_DOMAIN",
    "PUBLIC_URL": "PUBLIC_URL",
    "TOKEN_ENCRYPTION_KEYS": "TOKEN_ENCRYPTION_KEYS",
}


def errors():
    """Return the errors of the checks that decide whether a server may start, as (id, text)."""
    return [(message.id, message.msg) for message in run_checks(tags=["configuration"])]


def assert_one_error(check_id, name):
    """Assert that there is one check message, and that `provider()` raises ConfigurationError."""
    [(message_id, text)] = errors()
    assert message_id == check_id
    assert text.startswith(f"{name} ")
    with pytest.raises(ConfigurationError) as raised:
        provider()
    assert [*raised.value.problems] == [name]


def test_missing_dictionary_is_one_error(settings):
    del settings.COGNITO
    provider.cache_clear()
    assert_one_error("accounts.E001", "COGNITO")


@pytest.mark.parametrize("value", [None, [], "pool"])
def test_dictionary_of_another_type_is_one_error(settings, value):
    settings.COGNITO = value
    assert_one_error("accounts.E001", "COGNITO")


@pytest.mark.parametrize(("member", "name"), REQUIRED.items())
@pytest.mark.parametrize("is_none", [True, False])
def test_missing_member_is_one_error(settings, member, name, is_none):
    values = {key: value for key, value in settings.COGNITO.items() if key != member}
    settings.COGNITO = {**values, member: None} if is_none else values
    check_id = "accounts.E002" if member == "TOKEN_ENCRYPTION_KEYS" else "accounts.E001"
    assert_one_error(check_id, name)


def test_dictionary_of_the_required_members_is_sufficient(settings):
    settings.COGNITO = {
        **{member: settings.COGNITO[member] for member in REQUIRED},
        **dict.fromkeys(("GROUPS", "LIMITS", "SCOPES", "TRUSTED_POOLS")),
    }
    assert errors() == []
    assert provider().limits == Limits()
    assert provider().create_users is True


@pytest.mark.parametrize(
    ("member", "value", "check_id"),
    [
        *((member, 7, "accounts.E001") for member in ("POOL_ID", "CLIENT_ID", "CLIENT_SECRET")),
        *((member, ["x"], "accounts.E001") for member in ("CLIENT_DOMAIN", "CLIENT_REGION")),
        *((member, b"x", "accounts.E001") for member in ("ISSUER", "JWKS_URL", "SHARED_CACHE")),
        ("JWKS_SNAPSHOT", 7, "accounts.E001"),
        ("JWKS_SNAPSHOT", "a\0b", "accounts.E001"),
        *((member, LAZY, "accounts.E001") for member in ("POOL_ID", "CLIENT_SECRET", "PUBLIC_URL")),
        ("SHARED_CACHE", "no-such-alias", "accounts.E001"),
        ("SCOPES", "openid email", "accounts.E001"),
        ("SCOPES", [1], "accounts.E001"),
        ("ACCEPTED_CLIENTS", "2partnerclient", "accounts.E001"),
        ("PUBLIC_CLIENT_ID", ["2publicclient"], "accounts.E001"),
        ("PUBLIC_URL", 7, "accounts.E001"),
        ("CREATE_PEOPLE", "false", "accounts.E001"),
        ("FROZEN_BETWEEN_REQUESTS", 1, "accounts.E001"),
        ("TOKEN_ENCRYPTION_KEYS", "x" * 44, "accounts.E002"),
        ("TOKEN_ENCRYPTION_KEYS", [b"x" * 44], "accounts.E002"),
        ("TOKEN_ENCRYPTION_KEYS", ["é" * 44], "accounts.E002"),
        ("GROUPS", ["editors"], "accounts.E003"),
        ("GROUPS", {1: "editors"}, "accounts.E003"),
        ("GROUPS_ABSENT_MEANS_NONE", "no", "accounts.E003"),
        ("TRUSTED_POOLS", ["eu-west-1_Partner01"], "accounts.E003"),
        ("TRUSTED_POOLS", {7: {"clients": ["abc"]}}, "accounts.E003"),
        ("SPA_REDIRECT_URIS", "https://spa.example", "accounts.E004"),
        ("SPA_REDIRECT_URIS", [None], "accounts.E004"),
        ("CLIENT_RIGHTS", "read", "accounts.E005"),
        ("LIMITS", [900], "accounts.E006"),
    ],
    ids=str,
)
def test_member_of_a_wrong_type_is_one_error(settings, member, value, check_id):
    settings.COGNITO = {**settings.COGNITO, member: value}
    assert_one_error(check_id, REQUIRED.get(member, f"COGNITO_{member}"))


def test_malformed_rules_of_a_trusted_pool_are_one_error(settings):
    pool = {"clients": ["abc"], "groups": ["editors"]}
    settings.COGNITO = {**settings.COGNITO, "TRUSTED_POOLS": {"eu-west-1_Partner01": pool}}
    [(check_id, text)] = errors()
    assert check_id == "accounts.E003"
    assert text.startswith("COGNITO_TRUSTED_POOLS (pool 'eu-west-1_Partner01') must be an object")


def test_wrong_values_of_pool_client_and_rules_are_named_together(settings):
    wrong = {"POOL_ID": "x", "CLIENT_DOMAIN": "a b", "RESOURCES": ["a b"], "ACTORS": [""]}
    settings.COGNITO = {**settings.COGNITO, **wrong}
    with pytest.raises(ConfigurationError) as raised:
        read_config()
    assert {*raised.value.problems} == {f"COGNITO_{name}" for name in wrong}


def test_every_wrong_member_is_named(settings):
    settings.COGNITO = {**settings.COGNITO, "POOL_ID": 1, "CLIENT_ID": 2, "CREATE_PEOPLE": 3}
    assert {text.split()[0] for _, text in errors()} == {
        "COGNITO_POOL_ID",
        "COGNITO_CLIENT_ID",
        "COGNITO_CREATE_PEOPLE",
    }


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        ({"session_idel": 60}, 'COGNITO["LIMITS"]["session_idel"]'),
        ({"renewal_grace": -1}, "COGNITO_RENEWAL_GRACE"),
        ({"sessions_per_user": -1}, "COGNITO_SESSIONS_PER_USER"),
        ({"session_idle": 0}, "SESSION_IDLE_SECONDS"),
        ({"session_absolute": 0}, "SESSION_ABSOLUTE_SECONDS"),
        ({"access_token": 299}, "COGNITO_LONGEST_ACCESS_TOKEN"),
        ({"events": 0}, "SIGN_IN_EVENTS_SECONDS"),
        ({"calls_at_once": 0}, 'COGNITO["LIMITS"]["calls_at_once"]'),
        ({"session_idle": "60"}, "SESSION_IDLE_SECONDS"),
        ({"session_idle": 60.0}, "SESSION_IDLE_SECONDS"),
        ({"session_idle": True}, "SESSION_IDLE_SECONDS"),
        ({"session_idle": None}, "SESSION_IDLE_SECONDS"),
    ],
    ids=str,
)
def test_wrong_limit_is_one_error(settings, limits, name):
    settings.COGNITO = {**settings.COGNITO, "LIMITS": limits}
    assert_one_error("accounts.E006", name)


def test_limit_may_be_at_its_minimum(settings):
    smallest = Limits(0, 1, 1, 300, 1, 1)
    settings.COGNITO = {**settings.COGNITO, "LIMITS": vars(smallest)}
    assert read_limits() == smallest
    assert errors() == []


def test_error_for_an_unknown_limit_lists_the_limits(settings):
    settings.COGNITO = {**settings.COGNITO, "LIMITS": {"idle": 60, "session_idle": 0}}
    (_, unknown), (_, too_small) = errors()
    assert unknown == (
        'COGNITO["LIMITS"]["idle"] is not a limit; the limits are renewal_grace, session_idle, '
        "session_absolute, access_token, events, calls_at_once, sessions_per_user, "
        "rotation_grace."
    )
    assert too_small == "SESSION_IDLE_SECONDS must be a whole number, 1 or more."


def test_session_cookie_is_valid_as_long_as_a_sign_in(settings):
    assert read_limits().session_absolute == settings.SESSION_COOKIE_AGE


def test_misspelt_member_is_one_error(settings):
    settings.COGNITO = {**settings.COGNITO, "ACCEPTED_CLIENT": ["x"]}
    [(check_id, text)] = errors()
    assert check_id == "accounts.E001"
    assert text == "COGNITO['ACCEPTED_CLIENT'] is not a setting; did you mean ACCEPTED_CLIENTS?."


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"POOL_ID": None}, 'COGNITO["POOL_ID"] is missing'),
        ({"TOKEN_ENCRYPTION_KEYS": None}, 'COGNITO["TOKEN_ENCRYPTION_KEYS"] is missing'),
        ({"LIMITS": {"access_token": 1}}, 'COGNITO["LIMITS"]["access_token"] must be'),
        ({"TRUSTED_POOLS": {"x": {}}}, 'COGNITO["TRUSTED_POOLS"] '),
    ],
)
def test_host_project_reads_the_names_of_its_members(settings, values, expected):
    settings.COGNITO_FROM_ENVIRONMENT = False
    settings.COGNITO = {**settings.COGNITO, **values}
    assert errors()[0][1].startswith(expected)


def test_public_url_has_no_capitals_and_no_default_port(settings):
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_URL": "HTTPS://App.Example.COM:443/"}
    assert provider().callback_url == "https://app.example.com/signin"


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("PUBLIC_URL", "http://app.example.com"),
        ("CLIENT_DOMAIN", "https://team.auth.us-east-1.amazoncognito.com/oauth2/authorize"),
        ("POOL_ID", "US-EAST-1_AbCdEf123"),
    ],
)
def test_url_or_region_that_fails_at_cognito_is_one_error(settings, member, value):
    settings.COGNITO = {**settings.COGNITO, member: value}
    assert_one_error("accounts.E001", REQUIRED[member])
