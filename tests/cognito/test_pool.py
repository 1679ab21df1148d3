"""The issuers of a pool, their key sets, and errors that name the setting."""

import dataclasses

import pytest

from accounts.cognito.errors import ConfigurationError
from accounts.cognito.pool import Pool, region_of_issuer
from tests.cognito.keys import CLIENT_ID, ISSUER, POOL_ID

UPDATED_ISSUER = f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
EMULATOR = f"http://localhost:4566/{POOL_ID}"


def make(**values):
    return Pool(**{"pool_id": POOL_ID, "client_ids": (CLIENT_ID,), **values})


def problems(**changes):
    with pytest.raises(ConfigurationError) as refused:
        make(**changes)
    return refused.value.problems


def test_everything_is_derived_from_the_pool_id():
    pool = make()
    assert pool.region == "us-east-1"
    assert pool.issuers == (ISSUER, UPDATED_ISSUER)
    assert pool.issuer == ISSUER
    assert pool.key_set_urls == {
        ISSUER: f"{ISSUER}/.well-known/jwks.json",
        UPDATED_ISSUER: f"{UPDATED_ISSUER}/.well-known/jwks.json",
    }


def test_replica_regions_add_both_issuers_of_each_region():
    pool = make(replica_regions=("us-west-2", "us-east-1", "us-west-2"))
    assert pool.issuers == (
        ISSUER,
        UPDATED_ISSUER,
        f"https://cognito-idp.us-west-2.amazonaws.com/{POOL_ID}",
        f"https://issuer-cognito-idp.us-west-2.amazonaws.com/{POOL_ID}",
    )


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_partitions_have_domains_of_their_own(region, domain):
    pool_id = f"{region}_AbCdEfGhI"
    assert make(pool_id=pool_id).issuers == (
        f"https://cognito-idp.{region}.{domain}/{pool_id}",
        f"https://issuer-cognito-idp.{region}.{domain}/{pool_id}",
    )


def test_own_issuer_of_aws_is_only_preferred():
    pool = make(custom_issuers=(UPDATED_ISSUER,))
    assert pool.issuers == (UPDATED_ISSUER, ISSUER)


def test_custom_issuer_replaces_those_of_aws():
    """The pool ID of an emulator may be that of a stranger's pool at AWS."""
    assert make(custom_issuers=(EMULATOR,)).issuers == (EMULATOR,)
    both = (EMULATOR, f"http://localhost:4566/updated/{POOL_ID}")
    assert make(custom_issuers=both).issuers == both


def test_issuer_of_aws_counts_next_to_a_custom_one_only_if_it_is_listed():
    assert make(custom_issuers=(EMULATOR, ISSUER)).issuers == (EMULATOR, ISSUER)


def test_key_set_url_is_that_of_all_issuers():
    """Otherwise, the key set of AWS would count for the pool ID of an emulator."""
    pool = make(jwks_url="http://localhost:4566/keys")
    assert pool.issuers == (ISSUER, UPDATED_ISSUER)
    assert set(pool.key_set_urls.values()) == {"http://localhost:4566/keys"}


def test_region_may_be_passed_if_it_is_that_of_the_pool_id():
    assert make(region="us-east-1").region == "us-east-1"
    assert problems(region="eu-west-1") == {
        "COGNITO_CLIENT_REGION": "differs from the region of the pool ID, us-east-1"
    }


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"pool_id": ""}, "COGNITO_POOL_ID"),
        ({"pool_id": "us-east-1"}, "COGNITO_POOL_ID"),
        ({"pool_id": "us-east-1_Ab/../x"}, "COGNITO_POOL_ID"),
        ({"pool_id": "us-east-1_Ab\n"}, "COGNITO_POOL_ID"),
        ({"pool_id": "eu.evil.com/_Ab"}, "COGNITO_POOL_ID"),
        ({"custom_issuers": ("http://example.com/x",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (f"{ISSUER}/",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": ("nonsense",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (EMULATOR, "nonsense")}, "COGNITO_ISSUER"),
        ({"custom_issuers": (f"{ISSUER}2",)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (ISSUER.replace("east", "west"),)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (UPDATED_ISSUER.replace("east", "west"),)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (ISSUER.replace(".com", ".com.cn"),)}, "COGNITO_ISSUER"),
        ({"custom_issuers": (ISSUER.replace("https", "http"),)}, "COGNITO_ISSUER"),
        ({"jwks_url": "file:///etc/keys.json"}, "COGNITO_JWKS_URL"),
        ({"jwks_url": "http://169.254.169.254/keys"}, "COGNITO_JWKS_URL"),
        ({"replica_regions": ("frankfurt",)}, "COGNITO_REPLICA_REGIONS"),
        ({"replica_regions": ("us-west-2.evil.example/us-west-2",)}, "COGNITO_REPLICA_REGIONS"),
        ({"replica_regions": ("us-west-2", "us-west-2\n")}, "COGNITO_REPLICA_REGIONS"),
        ({"replica_regions": ("us-west-2", "")}, "COGNITO_REPLICA_REGIONS"),
        ({"client_ids": ("fine", "not fine")}, "COGNITO_ACCEPTED_CLIENTS"),
        ({"client_ids": ("",)}, "COGNITO_ACCEPTED_CLIENTS"),
        ({"scopes": ("two words",)}, "COGNITO_SCOPES"),
    ],
)
def test_wrong_value_is_refused_by_its_name(changes, name):
    assert list(problems(**changes)) == [name]


def test_replica_that_is_not_listed_is_explained():
    issuer = ISSUER.replace("us-east-1.", "us-west-2.")
    assert "set COGNITO_REPLICA_REGIONS" in problems(custom_issuers=(issuer,))["COGNITO_ISSUER"]
    assert make(custom_issuers=(issuer,), replica_regions=("us-west-2",)).issuer == issuer


def test_missing_value_is_described():
    assert problems(pool_id="")["COGNITO_POOL_ID"].startswith("is missing: the ID of the user pool")
    assert problems(pool_id="x")["COGNITO_POOL_ID"].startswith("is not the ID of the user pool")


def test_all_wrong_values_are_named_at_once():
    wrong = {"pool_id": "", "custom_issuers": ("x",), "jwks_url": "x", "replica_regions": ("x",)}
    assert set(problems(client_ids=("a b",), **wrong)) == {
        "COGNITO_POOL_ID",
        "COGNITO_ISSUER",
        "COGNITO_JWKS_URL",
        "COGNITO_REPLICA_REGIONS",
        "COGNITO_ACCEPTED_CLIENTS",
    }


def test_pool_is_frozen():
    pool = make(client_ids=("one", "two", "one"))
    assert pool.client_ids == ("one", "two")
    with pytest.raises(dataclasses.FrozenInstanceError):
        pool.scopes = ("stats/write",)
    with pytest.raises(TypeError):
        pool.key_set_urls["https://else.example"] = "https://else.example/keys"


@pytest.mark.parametrize(
    ("issuers", "original"),
    [
        ((), ISSUER),
        ((UPDATED_ISSUER,), ISSUER),
        ((f"https://issuer-cognito-idp.us-west-2.amazonaws.com/{POOL_ID}",), ISSUER),
        ((EMULATOR,), EMULATOR),
        ((EMULATOR, ISSUER), EMULATOR),
    ],
)
def test_original_issuer_does_not_depend_on_the_preferred_one(issuers, original):
    pool = make(custom_issuers=issuers, replica_regions=("us-west-2",))
    assert pool.original_issuer == original


@pytest.mark.parametrize(
    ("issuer", "region"),
    [
        (ISSUER, "us-east-1"),
        (UPDATED_ISSUER, "us-east-1"),
        (ISSUER.replace("us-east-1.", "us-west-2."), "us-west-2"),
        (f"{ISSUER}/", ""),
        (f"{ISSUER}0", ""),
        (ISSUER.replace(".com", ".com.evil.example"), ""),
        (ISSUER.replace("https", "http"), ""),
        (EMULATOR, ""),
        ("nonsense", ""),
        ("https://[", ""),
    ],
)
def test_region_of_an_issuer_at_aws_is_known(issuer, region):
    assert region_of_issuer(issuer, POOL_ID) == region
