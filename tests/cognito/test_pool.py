"""One contract for the shapes of a pool: the issuers it accepts, and the key sets they need."""

import dataclasses

import pytest

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore
from accounts.cognito.pool import Pool
from accounts.cognito.verifier import TokenVerifier, TrustedPools
from tests.cognito.keys import (
    ACCESS_KEY_ID,
    CLIENT_ID,
    ISSUER,
    POOL_ID,
    jwk,
    key_set,
    make_access_token,
    private_key,
)

UPDATED = f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
REPLICA = f"https://cognito-idp.us-west-2.amazonaws.com/{POOL_ID}"
UPDATED_REPLICA = f"https://issuer-cognito-idp.us-west-2.amazonaws.com/{POOL_ID}"
LOCAL = f"http://localhost:9000/{POOL_ID}"
LOCAL_UPDATED = f"http://localhost:9000/issuer/{POOL_ID}"
OTHER = "eu-west-1_Partner01"
OTHER_ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{OTHER}"

SHAPES = {
    "default": ({}, {ISSUER, UPDATED}),
    "updated issuer preferred": ({"custom_issuers": (UPDATED,)}, {ISSUER, UPDATED}),
    "with a replica": (
        {"replica_regions": ("us-west-2",)},
        {ISSUER, UPDATED, REPLICA, UPDATED_REPLICA},
    ),
    "replica preferred": (
        {"replica_regions": ("us-west-2",), "custom_issuers": (UPDATED_REPLICA,)},
        {ISSUER, UPDATED, REPLICA, UPDATED_REPLICA},
    ),
    "local": ({"custom_issuers": (LOCAL,)}, {LOCAL}),
    "local with both types": ({"custom_issuers": (LOCAL, LOCAL_UPDATED)}, {LOCAL, LOCAL_UPDATED}),
}
ISSUERS = {
    "original": ISSUER,
    "updated": UPDATED,
    "original of the replica": REPLICA,
    "updated of the replica": UPDATED_REPLICA,
    "local": LOCAL,
    "local updated": LOCAL_UPDATED,
    "other pool at the same host": ISSUER.replace("AbCdEfGhI", "AbCdEfGhJ"),
    "other case of the pool": ISSUER.replace("AbCdEfGhI", "abcdefghi"),
    "slash at the end": f"{ISSUER}/",
    "upper-case host": ISSUER.replace("cognito-idp", "COGNITO-IDP"),
    "plain http": ISSUER.replace("https", "http"),
    "look-alike host": ISSUER.replace("amazonaws.com", "amazonaws.com.example"),
    "look-alike label": ISSUER.replace("cognito-idp", "x-cognito-idp"),
    "other Region": ISSUER.replace("us-east-1.", "us-east-2."),
    "trusted pool": OTHER_ISSUER,
}


class Downloads:
    """Key sets by URL, and which were downloaded."""

    def __init__(self, clock):
        self._clock = clock
        self.urls = []

    def verifier(self, pool):
        stores = {issuer: self._store(url) for issuer, url in pool.key_set_urls.items()}
        return TokenVerifier(
            pool_id=pool.pool_id, keys=stores, client_ids=pool.client_ids, clock=self._clock
        )

    def _store(self, url):
        def fetch():
            self.urls.append(url)
            return key_set()

        return KeyStore(fetch, clock=self._clock)


@pytest.fixture
def downloads(clock):
    return Downloads(clock)


def make(**values):
    return Pool(**{"pool_id": POOL_ID, "client_ids": (CLIENT_ID,), **values})


@pytest.mark.parametrize("is_alone", [True, False], ids=["alone", "beside a trusted pool"])
@pytest.mark.parametrize("issuer", ISSUERS.values(), ids=ISSUERS)
@pytest.mark.parametrize(("values", "accepted"), SHAPES.values(), ids=SHAPES)
def test_token_is_accepted_from_the_issuers_of_the_pool_only(
    values, accepted, issuer, is_alone, downloads
):
    pools = [make(**values)]
    if not is_alone:
        pools.append(Pool(pool_id=OTHER, client_ids=(CLIENT_ID,)))
        accepted = accepted | {OTHER_ISSUER}
    verifiers = TrustedPools(map(downloads.verifier, pools))
    token = make_access_token(iss=issuer)
    if issuer not in accepted:
        with pytest.raises(errors.WrongIssuer):
            verifiers.access_claims(token)
        assert downloads.urls == []
        return
    claims = verifiers.access_claims(token)
    assert claims.issuer == issuer
    assert claims.pool_id == (OTHER if issuer == OTHER_ISSUER else POOL_ID)
    assert downloads.urls == [f"{issuer}/.well-known/jwks.json"]
    assert verifiers.is_key_published(issuer, ACCESS_KEY_ID)


@pytest.mark.parametrize(("values", "accepted"), SHAPES.values(), ids=SHAPES)
def test_given_issuer_is_the_preferred_one(values, accepted):
    pool = make(**values)
    assert set(pool.issuers) == accepted
    assert pool.issuer == values.get("custom_issuers", (ISSUER,))[0]


def test_token_is_verified_with_the_keys_of_the_issuer_that_it_names(clock):
    def fetch_nothing():
        raise errors.CognitoUnavailable("status 403")

    stores = {
        ISSUER: KeyStore(key_set, clock=clock),
        UPDATED: KeyStore(lambda: key_set(jwk(ACCESS_KEY_ID, private_key("another"))), clock=clock),
        REPLICA: KeyStore(fetch_nothing, clock=clock),
    }
    verifier = TokenVerifier(pool_id=POOL_ID, keys=stores, client_ids=[CLIENT_ID], clock=clock)
    verifier.access_claims(make_access_token())
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(make_access_token(iss=UPDATED))
    with pytest.raises(errors.CognitoUnavailable):
        verifier.access_claims(make_access_token(iss=REPLICA))
    verifier.access_claims(make_access_token())  # an issuer without keys stops no other one


def test_given_key_set_is_that_of_every_issuer():
    pool = make(jwks_url="https://keys.example.com/keys")
    assert set(pool.key_set_urls.values()) == {"https://keys.example.com/keys"}
    assert pool.issuers == (ISSUER, UPDATED)


def test_pool_in_china_is_at_the_domain_of_its_partition():
    pool = Pool(pool_id="cn-north-1_AbCdEfGhI", client_ids=(CLIENT_ID,))
    assert pool.issuer == "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbCdEfGhI"


def test_pool_is_frozen():
    pool = make(client_ids=("one", "two", "one"))
    assert (pool.region, pool.client_ids) == ("us-east-1", ("one", "two"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        pool.scopes = ("stats/write",)
    with pytest.raises(TypeError):
        pool.key_set_urls["https://else.example"] = "https://else.example/keys"


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"pool_id": "nonsense"}, ["COGNITO_POOL_ID"]),
        ({"region": "eu-west-1"}, ["COGNITO_CLIENT_REGION"]),
        ({"custom_issuers": (ISSUER, "nonsense")}, ["COGNITO_ISSUER"]),
        ({"jwks_url": "file:///keys"}, ["COGNITO_JWKS_URL"]),
        ({"replica_regions": ("us-west-2", "US West")}, ["COGNITO_REPLICA_REGIONS"]),
        ({"replica_regions": ("evil.example/",)}, ["COGNITO_REPLICA_REGIONS"]),
        ({"client_ids": ("a b",)}, ["COGNITO_ACCEPTED_CLIENTS"]),
        ({"scopes": ("a b",)}, ["COGNITO_SCOPES"]),
        (
            {"pool_id": "x", "jwks_url": "x", "client_ids": ("a b",)},
            ["COGNITO_POOL_ID", "COGNITO_JWKS_URL", "COGNITO_ACCEPTED_CLIENTS"],
        ),
    ],
)
def test_every_wrong_value_is_named(values, names):
    with pytest.raises(errors.ConfigurationError) as refused:
        make(**values)
    assert list(refused.value.problems) == names
