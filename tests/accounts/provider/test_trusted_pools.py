"""COGNITO_TRUSTED_POOLS: each entry is one pool, and each mistake is named."""

import pytest

from accounts.cognito.errors import ConfigurationError
from accounts.cognito.pool import Pool
from accounts.cognito.token_checks import AccessRules
from accounts.provider.trusted_pools import parse_trusted_pool

POOL_ID = "eu-west-1_Partner01"
LOCAL = f"http://localhost:9000/{POOL_ID}"
RULES = AccessRules(resources=("https://api.example.com",))
OWN = Pool(pool_id="us-east-1_OwnPool01", client_ids=("own",), rules=RULES)


def parse(**members):
    return parse_trusted_pool(POOL_ID, {"clients": ["one"], **members}, OWN)


def test_entry_is_a_pool_with_both_issuers_of_aws():
    pool = parse(scopes=["stats/read"], groups={"theirs": "editors"})
    assert pool.issuers == (
        f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}",
        f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}",
    )
    assert (pool.client_ids, pool.scopes, pool.rules) == (("one",), ("stats/read",), RULES)
    assert pool.groups.rights(["theirs"]).groups == {"editors"}


@pytest.mark.parametrize("issuer", [LOCAL, [LOCAL]])
def test_local_pool_has_the_given_issuer_only(issuer):
    assert parse(issuer=issuer).issuers == (LOCAL,)


def test_replica_adds_its_region():
    assert parse(replica_regions=["eu-central-1"]).issuers[2:] == (
        f"https://cognito-idp.eu-central-1.amazonaws.com/{POOL_ID}",
        f"https://issuer-cognito-idp.eu-central-1.amazonaws.com/{POOL_ID}",
    )


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"clients": []}, "must list its app client IDs"),
        ({"clients": "one"}, "must list its app client IDs"),
        ({"clients": ["a b"]}, "clients contains a value that is not an app client ID"),
        ({"scopes": "stats/read"}, "must list the scopes"),
        ({"scopes": ["a b"]}, "scopes contains a value that is not a scope"),
        ({"replica_regions": "eu-central-1"}, "must list the Regions"),
        ({"replica_regions": ["x"]}, "replica_regions must be Regions"),
        ({"issuer": 7}, "must have an issuer"),
        ({"issuer": "x", "jwks_url": "file:///keys"}, "issuer .*, jwks_url must use https"),
        ({"groups": {"theirs": {"staf": True}}}, "group 'theirs'"),
        ({"unknown": 1}, "must be an object like"),
    ],
)
def test_each_mistake_is_named(members, problem):
    with pytest.raises(ConfigurationError, match=problem) as refused:
        parse(**members)
    (name, sentence), *rest = refused.value.problems.items()
    assert (name, rest) == ("COGNITO_TRUSTED_POOLS", [])
    assert repr(POOL_ID) in sentence
