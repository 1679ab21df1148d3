"""Derived URLs, and errors that name the setting."""

import dataclasses

import pytest

from accounts.cognito.config import CognitoConfig
from accounts.cognito.errors import ConfigurationError
from tests.cognito.keys import CLIENT_ID, ISSUER, POOL_ID

SECRET = "s3cret/with+signs=and-more"
GOOD = {
    "pool_id": POOL_ID,
    "client_id": CLIENT_ID,
    "client_secret": SECRET,
    "domain": "our-prefix",
}
POOL_HOST = "https://our-prefix.auth.us-east-1.amazoncognito.com"


def make(**changes):
    return CognitoConfig(**{**GOOD, **changes})


def problems(**changes):
    with pytest.raises(ConfigurationError) as refused:
        make(**changes)
    return refused.value.problems


def test_everything_is_derived_from_pool_id_and_prefix():
    config = make()
    assert config.region == "us-east-1"
    assert config.issuer == ISSUER
    assert config.key_set_url == f"{ISSUER}/.well-known/jwks.json"
    assert config.authorize_endpoint == f"{POOL_HOST}/oauth2/authorize"
    assert config.signup_endpoint == f"{POOL_HOST}/signup"
    assert config.token_endpoint == f"{POOL_HOST}/oauth2/token"
    assert config.revoke_endpoint == f"{POOL_HOST}/oauth2/revoke"
    assert config.userinfo_endpoint == f"{POOL_HOST}/oauth2/userInfo"
    assert config.logout_endpoint == f"{POOL_HOST}/logout"
    assert config.scopes == ("openid", "email", "profile")


@pytest.mark.parametrize(
    ("domain", "base"),
    [
        ("our-prefix", POOL_HOST),
        ("auth.example.com", "https://auth.example.com"),
        ("auth.example.com:8443", "https://auth.example.com:8443"),
        ("https://auth.example.com/", "https://auth.example.com"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
        ("https://hosted-ui", "https://hosted-ui"),
    ],
)
def test_domain_is_a_prefix_a_host_or_a_url(domain, base):
    assert make(domain=domain).token_endpoint == f"{base}/oauth2/token"


def test_issuer_and_key_set_can_be_overridden_apart_from_the_domain():
    config = make(custom_issuers=("http://localhost:9000/us-east-1_Local",))
    assert config.issuer == "http://localhost:9000/us-east-1_Local"
    assert config.key_set_url == "http://localhost:9000/us-east-1_Local/.well-known/jwks.json"
    assert make(jwks_url="https://keys.example.com/x").key_set_url == "https://keys.example.com/x"
    assert make(jwks_url="https://keys.example.com/x").issuer == ISSUER


def test_url_of_the_api_is_in_the_partition_of_the_region():
    config = make(pool_id="cn-north-1_AbCdEfGhI")
    assert config.api_url == "https://cognito-idp.cn-north-1.amazonaws.com.cn/"


def test_key_set_of_each_issuer_survives_a_copy():
    copy = dataclasses.replace(make(), client_id="another")
    assert copy.pool.key_set_urls == make().pool.key_set_urls


def test_our_client_is_always_accepted_without_duplicates():
    assert make().accepted_clients == (CLIENT_ID,)
    assert make(accepted_clients=("other", CLIENT_ID, "other")).accepted_clients == (
        CLIENT_ID,
        "other",
    )


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"pool_id": ""}, "COGNITO_POOL_ID"),
        ({"client_id": ""}, "COGNITO_CLIENT_ID"),
        ({"client_id": "a:b"}, "COGNITO_CLIENT_ID"),
        ({"client_id": "a b"}, "COGNITO_CLIENT_ID"),
        ({"client_secret": ""}, "COGNITO_CLIENT_SECRET"),
        ({"client_secret": "two words"}, "COGNITO_CLIENT_SECRET"),
        ({"client_secret": "line\n"}, "COGNITO_CLIENT_SECRET"),
        ({"client_secret": "schlüssel"}, "COGNITO_CLIENT_SECRET"),
        ({"client_secret": SECRET, "public_client": True}, "COGNITO_CLIENT_SECRET"),
        ({"domain": ""}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "http://auth.example.com"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "http://localhost.example.com"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "ftp://auth.example.com"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "https://auth.example.com?x=1"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "Not A Domain"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "Our-Prefix"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "our_prefix"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "our-prefix-"}, "COGNITO_CLIENT_DOMAIN"),
        ({"domain": "https://"}, "COGNITO_CLIENT_DOMAIN"),
        ({"custom_issuers": ("http://example.com/x",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (f"{ISSUER}/",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": ("nonsense",)}, "COGNITO_ISSUER"),
        ({"jwks_url": "file:///etc/keys.json"}, "COGNITO_JWKS_URL"),
        ({"jwks_url": "http://169.254.169.254/keys"}, "COGNITO_JWKS_URL"),
        ({"accepted_clients": ("fine", "not fine")}, "COGNITO_ACCEPTED_CLIENTS"),
        ({"accepted_clients": ("",)}, "COGNITO_ACCEPTED_CLIENTS"),
        ({"scopes": ("email",)}, "COGNITO_SCOPES"),
        ({"scopes": ()}, "COGNITO_SCOPES"),
        ({"scopes": ("openid", "two words")}, "COGNITO_SCOPES"),
        ({"scopes": ("openid", "offline_access")}, "COGNITO_SCOPES"),
    ],
)
def test_wrong_value_is_refused_by_its_name(changes, name):
    assert list(problems(**changes)) == [name]


def test_all_wrong_values_are_named_at_once_without_the_secret():
    with pytest.raises(ConfigurationError) as refused:
        make(pool_id="", client_id="", client_secret="my secret", domain="", jwks_url="nonsense")
    assert set(refused.value.problems) == {
        "COGNITO_POOL_ID",
        "COGNITO_CLIENT_ID",
        "COGNITO_CLIENT_SECRET",
        "COGNITO_CLIENT_DOMAIN",
        "COGNITO_JWKS_URL",
    }
    for name in refused.value.problems:
        assert name in str(refused.value)
    assert "my secret" not in str(refused.value)


def test_missing_value_is_described():
    assert problems(pool_id="")["COGNITO_POOL_ID"].startswith("is missing: the ID of the user pool")
    assert problems(pool_id="x")["COGNITO_POOL_ID"].startswith("is not the ID of the user pool")


def test_secret_stays_out_of_the_repr_and_config_is_frozen():
    config = make()
    assert SECRET not in repr(config)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.pool_id = "https://elsewhere.example.com"


def test_public_client_has_no_secret():
    assert make(client_secret="", public_client=True).client_secret == ""


def test_missing_domain_is_called_missing():
    assert problems(domain="")["COGNITO_CLIENT_DOMAIN"].startswith("is missing")
