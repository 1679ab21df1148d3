"""Every shape of a pool accepts the tokens of its own issuers, and no other token.

Each issuer has a key of its own here, unlike at Cognito, so that a token of one issuer fails with
the key set of another one.
"""

from dataclasses import dataclass, field
from functools import cache
from itertools import product

import pytest

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore
from accounts.cognito.pool import Pool
from accounts.cognito.token_cache import TokenCache
from accounts.cognito.verifier import TokenVerifier, TrustedPools
from tests.cognito.keys import (
    ACCESS_KEY_ID,
    CLIENT_ID,
    ISSUER,
    NONCE,
    POOL_ID,
    jwk,
    key_set,
    make_access_token,
    make_id_token,
    private_key,
)

UPDATED_ISSUER = f"https://issuer-cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
REPLICA = ISSUER.replace("us-east-1.", "us-west-2.")
UPDATED_REPLICA = UPDATED_ISSUER.replace("us-east-1.", "us-west-2.")
CUSTOM = f"https://login.example.com/{POOL_ID}"
CUSTOM_UPDATED = f"https://login.example.com/updated/{POOL_ID}"
PARTNER_ID = "eu-west-1_Partner01"
PARTNER = f"https://cognito-idp.eu-west-1.amazonaws.com/{PARTNER_ID}"
UPDATED_PARTNER = f"https://issuer-cognito-idp.eu-west-1.amazonaws.com/{PARTNER_ID}"
PARTNER_REPLICA = PARTNER.replace("eu-west-1.", "eu-west-2.")
CHINA_ID = "cn-north-1_AbCdEfGhI"
CHINA = f"https://cognito-idp.cn-north-1.amazonaws.com.cn/{CHINA_ID}"
UPDATED_CHINA = f"https://issuer-cognito-idp.cn-north-1.amazonaws.com.cn/{CHINA_ID}"

OURS = Pool(pool_id=POOL_ID, client_ids=(CLIENT_ID,))
REPLICATED = Pool(pool_id=POOL_ID, client_ids=(CLIENT_ID,), replica_regions=("us-west-2",))


def trusted(**members):
    return Pool(pool_id=PARTNER_ID, client_ids=(CLIENT_ID,), **members)


@dataclass(frozen=True)
class Shape:
    """The pools of a site, the issuers whose key sets Cognito serves, and those that it refuses."""

    pools: tuple[Pool, ...]
    served: frozenset[str]
    refused: frozenset[str] = field(default=frozenset())


def shape(*pools, served, refused=()):
    return Shape(pools, frozenset(served), frozenset(refused))


SHAPES = {
    "original": shape(OURS, served=[ISSUER], refused=[UPDATED_ISSUER]),
    "updated": shape(
        Pool(pool_id=POOL_ID, client_ids=(CLIENT_ID,), custom_issuers=(UPDATED_ISSUER,)),
        served=[UPDATED_ISSUER],
        refused=[ISSUER],
    ),
    "both": shape(OURS, served=[ISSUER, UPDATED_ISSUER]),
    "replicated": shape(REPLICATED, served=[ISSUER, UPDATED_ISSUER, REPLICA, UPDATED_REPLICA]),
    "custom": shape(
        Pool(pool_id=POOL_ID, client_ids=(CLIENT_ID,), custom_issuers=(CUSTOM,)), served=[CUSTOM]
    ),
    "custom with two issuers": shape(
        Pool(pool_id=POOL_ID, client_ids=(CLIENT_ID,), custom_issuers=(CUSTOM, CUSTOM_UPDATED)),
        served=[CUSTOM, CUSTOM_UPDATED],
    ),
    "trusted pool": shape(
        OURS, trusted(), served=[ISSUER, UPDATED_ISSUER, PARTNER, UPDATED_PARTNER]
    ),
    "trusted pool with the original issuer": shape(
        OURS, trusted(), served=[ISSUER, UPDATED_ISSUER, PARTNER], refused=[UPDATED_PARTNER]
    ),
    "trusted pool with a replica": shape(
        OURS,
        trusted(replica_regions=("eu-west-2",)),
        served=[ISSUER, UPDATED_ISSUER, PARTNER, UPDATED_PARTNER, PARTNER_REPLICA],
        refused=[UPDATED_PARTNER.replace("eu-west-1.", "eu-west-2.")],
    ),
    "trusted pool with a custom issuer": shape(
        OURS, trusted(custom_issuers=(CUSTOM,)), served=[ISSUER, UPDATED_ISSUER, CUSTOM]
    ),
    "China": shape(Pool(pool_id=CHINA_ID, client_ids=(CLIENT_ID,)), served=[CHINA, UPDATED_CHINA]),
}
GENUINE = (
    *(ISSUER, UPDATED_ISSUER, REPLICA, UPDATED_REPLICA, CUSTOM, CUSTOM_UPDATED),
    *(PARTNER, UPDATED_PARTNER, PARTNER_REPLICA, CHINA, UPDATED_CHINA),
    UPDATED_PARTNER.replace("eu-west-1.", "eu-west-2."),
)
IMITATIONS = tuple(
    imitation
    for issuer in (ISSUER, UPDATED_ISSUER, CUSTOM)
    for imitation in (
        issuer.replace("AbCdEfGhI", "Other0000"),  # another pool at the same host
        f"{issuer}0",
        issuer.removesuffix("I"),
        issuer.replace(".com/", ".com.evil.example/"),  # our pool ID at another host
        issuer.replace("https://", "https://evil.example/"),
        issuer.replace("https://", "https://x"),
        issuer.replace(".com/", ".com@evil.example/"),
        issuer.replace(".com/", ".com.cn/"),
        issuer.replace("us-east-1.", "us-east-2."),
        f"{issuer}/",  # other forms of our own issuers
        issuer.upper(),
        issuer.replace("AbCdEfGhI", "ABCDEFGHI"),
        issuer.replace("https://", "HTTPS://"),
        issuer.replace("https://", "http://"),
        issuer.replace("https://", ""),
        issuer.replace(".com/", ".com:443/"),
        issuer.replace(".com/", ".com//"),
        f"{issuer}?",
        f" {issuer}",
        f"{issuer}\n",
    )
    if imitation not in GENUINE
)


def url_of(issuer):
    return f"{issuer}/.well-known/jwks.json"


class Site:
    """The verifiers of a shape, and the issuers whose key sets they have downloaded."""

    def __init__(self, shape, clock):
        self.shape = shape
        self.down = set()
        self.downloads = []
        self.published = {issuer: [jwk(key=private_key(issuer))] for issuer in shape.served}
        self._clock = clock
        self.verifiers = [
            TokenVerifier(
                pool_id=pool.pool_id,
                keys={name: self._store(url) for name, url in pool.key_set_urls.items()},
                client_ids=pool.client_ids,
                clock=clock,
            )
            for pool in shape.pools
        ]
        self.api = TrustedPools(self.verifiers)

    def _store(self, url):
        return KeyStore(
            lambda: self._fetch(url), clock=self._clock, in_background=lambda work: work()
        )

    def _fetch(self, url):
        issuer = url.removesuffix("/.well-known/jwks.json")
        self.downloads.append(issuer)
        if issuer in self.down:
            raise errors.CognitoUnavailable("Cognito did not respond in time")
        if issuer not in self.published:
            raise errors.CognitoUnavailable("Cognito responded with 403", status=403)
        return key_set(*self.published[issuer])


@pytest.fixture
def site(clock):
    return lambda name: Site(SHAPES[name], clock)


@cache
def access_token(issuer, *, signed_by=None, **changes):
    return make_access_token(iss=issuer, key=private_key(signed_by or issuer), **changes)


@pytest.mark.parametrize("name", SHAPES)
def test_token_is_accepted_from_the_issuers_of_the_shape_only(site, name):
    for issuer in GENUINE:
        new = site(name)
        if issuer in new.shape.served:
            claims = new.api.access_claims(access_token(issuer))
            of_partner = name == "trusted pool with a custom issuer" and issuer == CUSTOM
            pool_id = PARTNER_ID if of_partner else issuer.rpartition("/")[2]
            assert (claims.issuer, claims.pool_id) == (issuer, pool_id)
            assert new.downloads == [issuer]
            continue
        with pytest.raises(errors.WrongIssuer) as refused:
            new.api.access_claims(access_token(issuer))
        assert (issuer, new.downloads) == (issuer, [issuer] * (issuer in new.shape.refused))
        expected = "does not use this issuer" if new.downloads else "issued by another user pool"
        assert expected in refused.value.message


@pytest.mark.parametrize("name", SHAPES)
def test_imitation_of_an_issuer_is_refused_without_a_download(site, name):
    """The token is signed with the right key, so that only its issuer is wrong."""
    site = site(name)
    for issuer, signed_by in product(IMITATIONS, site.shape.served):
        with pytest.raises(errors.WrongIssuer, match="another user pool"):
            site.api.access_claims(access_token(issuer, signed_by=signed_by))
        assert (issuer, site.downloads) == (issuer, [])


@pytest.mark.parametrize("name", SHAPES)
def test_key_of_one_issuer_verifies_no_token_of_another(site, name):
    site = site(name)
    for issuer in site.shape.served:
        for signed_by in site.shape.served - {issuer}:
            with pytest.raises(errors.BadSignature):
                site.api.access_claims(access_token(issuer, signed_by=signed_by))
        with pytest.raises(errors.UnknownKey):
            site.api.access_claims(access_token(issuer, key_id="another"))


@pytest.mark.parametrize("name", SHAPES)
def test_id_token_is_accepted_from_the_issuers_of_our_own_pool_only(site, name):
    site = site(name)
    own = site.verifiers[0]
    for issuer in GENUINE:
        token = make_id_token(iss=issuer, key=private_key(issuer), key_id=ACCESS_KEY_ID)
        if issuer in site.shape.served and issuer in own.keys:
            claims = own.id_claims(token, nonce=NONCE)
            assert (claims.issuer, claims.pool_id) == (issuer, own.pool_id)
        elif issuer in own.keys:  # Cognito issued it, so its host is only unavailable
            with pytest.raises(errors.CognitoUnavailable):
                own.id_claims(token, nonce=NONCE)
        else:
            with pytest.raises(errors.WrongIssuer):
                own.id_claims(token, nonce=NONCE)


def test_failure_of_one_host_does_not_affect_the_other_issuers(site):
    site = site("replicated")
    site.down = {UPDATED_ISSUER, REPLICA}
    for issuer in (UPDATED_ISSUER, REPLICA):
        with pytest.raises(errors.CognitoUnavailable):
            site.api.access_claims(access_token(issuer))
    assert site.api.access_claims(access_token(ISSUER)).issuer == ISSUER
    site.down = {ISSUER}
    assert site.api.access_claims(access_token(ISSUER)).issuer == ISSUER  # from memory


def test_preferred_issuer_whose_key_set_is_refused_is_unavailable(clock):
    site = Site(shape(OURS, served=[]), clock)
    with pytest.raises(errors.CognitoUnavailable):
        site.api.access_claims(access_token(ISSUER))


def test_issuer_that_was_in_use_is_unavailable_while_its_key_set_is_refused(site, clock):
    site = site("both")
    token = access_token(UPDATED_ISSUER, exp=clock() + 9000)
    site.api.access_claims(token)
    del site.published[UPDATED_ISSUER]
    clock.forward(3601)
    site.api.access_claims(token)  # tries to renew the key set
    with pytest.raises(errors.CognitoUnavailable):
        site.api.access_claims(access_token(UPDATED_ISSUER, key_id="rotated"))


def test_unused_issuer_is_requested_once_in_ten_seconds(site, clock):
    site = site("original")
    for _ in range(3):
        with pytest.raises(errors.WrongIssuer):
            site.api.access_claims(access_token(UPDATED_ISSUER))
    assert site.downloads == [UPDATED_ISSUER]
    clock.forward(11)
    site.published[UPDATED_ISSUER] = [jwk(key=private_key(UPDATED_ISSUER))]  # the pool switches
    assert site.api.access_claims(access_token(UPDATED_ISSUER)).issuer == UPDATED_ISSUER
    assert site.downloads == [UPDATED_ISSUER] * 2


def test_cached_token_is_compared_with_the_key_set_of_its_issuer(site, clock):
    site = site("both")
    cache = TokenCache(site.api, clock=clock)
    tokens = {
        issuer: access_token(issuer, exp=clock() + 9000) for issuer in (ISSUER, UPDATED_ISSUER)
    }
    for token in tokens.values():
        cache.verify(token, principal_of=str)
    site.published[UPDATED_ISSUER] = [jwk("another")]
    clock.forward(3601)
    for token in tokens.values():
        cache.verify(token, principal_of=str)  # renews both key sets
    cache.verify(tokens[ISSUER], principal_of=str)
    with pytest.raises(errors.UnknownKey):
        cache.verify(tokens[UPDATED_ISSUER], principal_of=str)
