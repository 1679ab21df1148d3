"""Discovery document and key set: sections 1.1, 1.3, 8.1 and 9 of the contract."""

import base64

import jwt
import pytest
import requests

from tests.local_pool.contract.target import SECONDS


def test_issuer_has_no_slash_at_the_end(target):
    assert target.discovery()["issuer"] == target.issuer
    assert not target.issuer.endswith("/")


@pytest.mark.parametrize(
    ("member", "path"),
    [
        ("authorization_endpoint", "/oauth2/authorize"),
        ("token_endpoint", "/oauth2/token"),
        ("userinfo_endpoint", "/oauth2/userInfo"),
    ],
)
def test_endpoints_are_on_the_domain(target, member, path):
    assert target.discovery()[member] == f"{target.url}{path}"


@pytest.mark.parametrize(
    ("member", "path"),
    [("end_session_endpoint", "/logout"), ("revocation_endpoint", "/oauth2/revoke")],
)
def test_newer_endpoints_are_absent_or_on_the_domain(target, member, path):
    """Accept both: some pools have these endpoints."""
    assert target.discovery().get(member, f"{target.url}{path}") == f"{target.url}{path}"


def test_keys_are_under_the_issuer(target):
    assert target.discovery()["jwks_uri"] == f"{target.issuer}/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("member", "values"),
    [
        ("id_token_signing_alg_values_supported", {"RS256"}),
        ("response_types_supported", {"code", "token"}),
        ("scopes_supported", {"openid", "email", "phone", "profile"}),
        ("subject_types_supported", {"public"}),
        (
            "token_endpoint_auth_methods_supported",
            {"client_secret_basic", "client_secret_post"},
        ),
    ],
)
def test_discovery_says_what_is_supported(target, member, values):
    assert set(target.discovery()[member]) == values


def test_discovery_is_not_on_the_domain(target):
    for document in ("openid-configuration", "jwks.json"):
        assert target.get(f"/.well-known/{document}").status_code >= 400


def test_another_pools_documents_are_not_found(target):
    for document in ("openid-configuration", "jwks.json"):
        address = f"{target.issuer}x/.well-known/{document}"
        assert requests.get(address, timeout=SECONDS).status_code in (400, 404)


def test_documents_are_json(target):
    for document in ("openid-configuration", "jwks.json"):
        response = requests.get(f"{target.issuer}/.well-known/{document}", timeout=SECONDS)
        assert response.headers["Content-Type"].startswith("application/json")


def test_there_are_two_keys_of_different_names(target):
    keys = target.published_keys()
    assert len(keys) == len({key["kid"] for key in keys}) == 2


def test_keys_are_rsa_2048_for_signatures(target):
    for key in target.published_keys():
        shown = {name: key[name] for name in ("alg", "kty", "e", "use")}
        assert shown == {"alg": "RS256", "kty": "RSA", "e": "AQAB", "use": "sig"}
        assert jwt.PyJWK(key).key.key_size == 2048


def test_keys_have_no_further_members(target):
    for key in target.published_keys():
        assert set(key) == {"alg", "e", "kid", "kty", "n", "use"}


def test_key_names_are_standard_base64_of_32_bytes(target):
    for key in target.published_keys():
        assert len(key["kid"]) == 44
        assert len(base64.b64decode(key["kid"], validate=True)) == 32


def test_a_key_name_holds_what_urls_and_file_names_cannot(control, target):
    assert any({"+", "/"} & set(key["kid"]) for key in target.published_keys())


def test_access_and_id_tokens_are_signed_with_different_keys(target, tokens):
    used = [jwt.get_unverified_header(tokens[kind])["kid"] for kind in ("access_token", "id_token")]
    assert used[0] != used[1]
    assert set(used) <= {key["kid"] for key in target.published_keys()}


def test_rotated_keys_keep_the_old_ones_for_tokens_already_out(control, target, tokens):
    old = {key["kid"] for key in target.published_keys()}
    control.pool.keys.rotate(keep_old=True)
    assert target.verified(tokens["id_token"])
    fresh = target.tokens()
    assert jwt.get_unverified_header(fresh["id_token"])["kid"] not in old
    assert target.verified(fresh["id_token"])
    assert len(target.published_keys()) == 4


def test_withdrawn_keys_are_gone(control, target, tokens):
    old = {key["kid"] for key in target.published_keys()}
    control.pool.keys.rotate(keep_old=False)
    assert old.isdisjoint(key["kid"] for key in target.published_keys())
    assert len(target.published_keys()) == 2
