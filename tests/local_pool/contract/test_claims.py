"""The claims of the tokens: section 8 of the contract."""

import base64
import hashlib
import json
import time
import uuid

import jwt
import pytest

from local_pool.testing import Seed
from tests.local_pool.contract.target import SCOPES, unverified_claims

LAST = {"phone_number": "+15550100", "phone_number_verified": "true", "custom:rank": "7"}
WITH_MORE = pytest.mark.parametrize(
    "control",
    [{"people": [Seed("ada", groups=("editors", "admins"), attributes=LAST)]}],
    indirect=True,
    ids=["with more attributes"],
)
WITHOUT_GROUPS = pytest.mark.parametrize(
    "control", [{"people": [Seed("ada")]}], indirect=True, ids=["without groups"]
)


@pytest.fixture
def access(target, tokens):
    return target.verified(tokens["access_token"])


@pytest.fixture
def identity(target, tokens):
    return target.verified(tokens["id_token"])


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_header_holds_kid_and_algorithm_alone(tokens, kind):
    header = jwt.get_unverified_header(tokens[kind])
    assert set(header) == {"kid", "alg"}
    assert header["alg"] == "RS256"


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_signature_verifies_with_a_published_key(target, tokens, kind):
    changed = tokens[kind][:-8] + ("AAAAAAAA" if tokens[kind][-8:] != "AAAAAAAA" else "BBBBBBBB")
    assert target.verified(tokens[kind])
    with pytest.raises(jwt.InvalidSignatureError):
        target.verified(changed)


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_times_are_whole_seconds_in_order(target, tokens, kind):
    claims = target.verified(tokens[kind])
    assert all(type(claims[name]) is int for name in ("iat", "exp", "auth_time"))
    assert claims["auth_time"] <= claims["iat"] < claims["exp"]
    assert abs(claims["iat"] - time.time()) < 60


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_issuer_is_the_pools(target, tokens, kind):
    assert target.verified(tokens[kind])["iss"] == target.issuer


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
@pytest.mark.parametrize("claim", ["jti", "origin_jti", "event_id"])
def test_identifiers_look_like_uuids(target, tokens, kind, claim):
    assert str(uuid.UUID(target.verified(tokens[kind])[claim]))


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_no_not_before(target, tokens, kind):
    assert "nbf" not in target.verified(tokens[kind])


@pytest.mark.parametrize("claim", ["sub", "origin_jti", "event_id", "auth_time", "iat"])
def test_both_tokens_belong_to_the_same_sign_in(access, identity, claim):
    assert access[claim] == identity[claim]


def test_every_token_has_an_identifier_of_its_own(access, identity):
    assert len({access["jti"], identity["jti"], access["origin_jti"]}) == 3


def test_token_use_distinguishes_them(access, identity):
    assert (access["token_use"], identity["token_use"]) == ("access", "id")


def test_lifetime_is_the_responses(tokens, access):
    assert access["exp"] - access["iat"] == tokens["expires_in"]


def test_access_token_has_a_client_and_no_audience(target, access):
    assert access["client_id"] == target.client_id
    assert "aud" not in access


def test_access_token_is_of_version_2(access):
    assert access["version"] == 2


def test_access_token_has_the_requested_scopes(access):
    assert set(access["scope"].split()) == set(SCOPES.split())


@pytest.mark.parametrize("claim", ["email", "email_verified", "name", "cognito:username", "nonce"])
def test_access_token_holds_no_attributes(access, claim):
    assert claim not in access


def test_id_token_is_for_the_client(target, identity):
    assert identity["aud"] == target.client_id
    assert "client_id" not in identity
    assert "scope" not in identity


def test_username_has_another_name_in_each_token(access, identity):
    assert access["username"] == identity["cognito:username"]
    assert "username" not in identity


def test_at_hash_fits_the_access_token(tokens, identity):
    half = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert identity["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_email_verified_is_a_boolean_in_the_id_token(identity):
    assert "@" in identity["email"]
    assert identity["email_verified"] in (True, False)
    assert type(identity["email_verified"]) is bool


def test_nonce_comes_back_as_sent(target):
    nonce = "n-0S6_WzA2Mj"
    assert unverified_claims(target.tokens(nonce=nonce)["id_token"])["nonce"] == nonce


def test_no_nonce_is_invented(target):
    assert "nonce" not in unverified_claims(target.tokens(nonce=None)["id_token"])


def test_openid_alone_releases_every_attribute(target):
    assert "email" in unverified_claims(target.tokens(scope="openid")["id_token"])


@pytest.mark.parametrize(
    ("scope", "there", "absent"),
    [
        ("openid email", {"email", "email_verified"}, {"name"}),
        ("openid profile", set(), {"email", "email_verified"}),
    ],
)
def test_scopes_narrow_the_attributes(target, scope, there, absent):
    claims = unverified_claims(target.tokens(scope=scope)["id_token"])
    assert there <= set(claims)
    assert absent.isdisjoint(claims)


def test_groups_are_absent_or_a_list_of_names(access, identity):
    groups = access.get("cognito:groups", ["none"])
    assert groups
    assert all(isinstance(name, str) for name in groups)
    assert identity.get("cognito:groups", ["none"]) == groups


@WITH_MORE
def test_groups_are_in_both_tokens(control, access, identity):
    assert set(access["cognito:groups"]) == {"editors", "admins"}
    assert set(identity["cognito:groups"]) == {"editors", "admins"}


@WITHOUT_GROUPS
def test_groups_are_absent_for_a_user_without_groups(control, access, identity):
    assert "cognito:groups" not in access
    assert "cognito:groups" not in identity


@WITH_MORE
def test_phone_number_is_the_phone_scopes(control, target):
    claims = unverified_claims(target.tokens(scope="openid phone")["id_token"])
    assert (claims["phone_number"], claims["phone_number_verified"]) == ("+15550100", True)
    assert "email" not in claims


@WITH_MORE
def test_custom_attributes_are_strings_of_the_profile_scope(control, target):
    claims = unverified_claims(target.tokens(scope="openid profile")["id_token"])
    assert claims["custom:rank"] == "7"
    assert "custom:rank" not in unverified_claims(target.tokens(scope="openid email")["id_token"])


def test_resource_becomes_the_audience_and_survives_a_refresh(control, target):
    tokens = target.tokens(resource="https://api.example.com/")
    assert unverified_claims(tokens["access_token"])["aud"] == "https://api.example.com/"
    renewed = target.refresh(tokens["refresh_token"]).json()
    assert unverified_claims(renewed["access_token"])["aud"] == "https://api.example.com/"


def test_refresh_token_looks_like_an_encrypted_one(tokens):
    first, *parts = tokens["refresh_token"].split(".")
    header = json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    assert header == {"cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP"}
    assert len(parts) == 4


def test_same_user_has_the_same_subject_at_every_client(target, tokens, public_client):
    own_claims = unverified_claims(tokens["id_token"])
    public_claims = unverified_claims(target.public_tokens()["id_token"])
    assert own_claims["sub"] == public_claims["sub"]
    assert public_claims["aud"] == public_client
