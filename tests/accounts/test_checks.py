import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks

from accounts import checks

OWN_CALLBACK = "http://localhost:8000/signin"


def with_cognito(settings, **values):
    settings.COGNITO = {**settings.COGNITO, **values}


def test_settings_of_the_tests_pass_the_checks():
    assert run_checks(tags=["configuration"]) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (OWN_CALLBACK, "own callback"),
        (f"{OWN_CALLBACK}/", "own callback"),
        ("http://spa.example/signin", "must use https"),
        ("spa.example/signin", "not a URL"),
        ("https://spa.example/signin?next=/", "a query"),
        ("javascript:alert(1)", "must use https"),
    ],
)
def test_invalid_redirect_uri_is_named(settings, url, expected):
    with_cognito(settings, SPA_REDIRECT_URIS=["https://spa.example/signin", url])
    (message,) = checks.check_settings(None)
    assert message.id == "accounts.E004"
    assert message.msg.startswith(f"COGNITO_SPA_REDIRECT_URIS ({url})")
    assert expected in message.msg


def test_compatibility_mode_in_production_is_a_warning(settings):
    settings.SPA_COMPAT = True
    assert "accounts.W001" in {message.id for message in run_checks(include_deployment_checks=True)}
    settings.SPA_COMPAT = False
    assert checks.check_spa_compat(None) == []


@pytest.mark.parametrize(
    "pools",
    [
        {"eu-west-1_Partner01": {}},
        {"eu-west-1_Partner01": {"clients": []}},
        {"eu-west-1_Partner01": {"clients": "abc"}},
        {"eu-west-1_Partner01": ["abc"]},
        {"not a pool": {"clients": ["abc"]}},
        {"eu-west-1_Partner01": {"clients": ["not a client"]}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "issuer": "http://evil.example"}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "jwks": "x"}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "scopes": "stats/read"}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "scopes": [7]}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "scopes": ["stats/read stats/write"]}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "scopes": [""]}},
        {"eu-west-1_Partner01": {"clients": ["abc"], "scopes": None}},
    ],
    ids=str,
)
def test_malformed_trusted_pool_is_named(settings, pools):
    with_cognito(settings, TRUSTED_POOLS=pools)
    messages = run_checks(tags=["configuration"])
    assert messages
    assert all(message.msg.startswith("COGNITO_TRUSTED_POOLS") for message in messages)


class Replica:
    """A router that reads from a replica."""

    def db_for_read(self, model, **hints):
        return "replica"


class UsersElsewhere:
    """A router with a database of its own for the user model."""

    def db_for_read(self, model, **hints):
        return "people" if model is get_user_model() else None

    db_for_write = db_for_read


@pytest.mark.parametrize("router", [Replica, UsersElsewhere])
def test_router_that_separates_our_models_is_an_error(settings, router):
    assert checks.check_databases(None) == []
    settings.DATABASE_ROUTERS = [f"{__name__}.{router.__name__}"]
    (message,) = checks.check_databases(None)
    assert message.id == "accounts.E009"
    assert "accounts.Identity" in message.msg
