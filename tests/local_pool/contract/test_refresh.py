"""Refresh tokens and their rotation: sections 4.6 and 4.7 of the contract."""

import base64
import hashlib

import pytest

from tests.local_pool.contract.target import unverified_claims
from tests.local_pool.contract.test_token import refused


def rotating(grace, **settings):
    settings |= {"rotate_refresh_tokens": True, "refresh_grace_seconds": grace}
    return pytest.mark.parametrize("control", [settings], indirect=True, ids=[f"grace {grace} s"])


def claims_of(response, kind="access_token"):
    assert response.status_code == 200, response.text
    return unverified_claims(response.json()[kind])


@pytest.fixture
def renewed(target, tokens):
    response = target.refresh(tokens["refresh_token"])
    assert response.status_code == 200, response.text
    return response.json()


def test_response_holds_both_tokens_and_no_refresh_token(control, renewed):
    assert set(renewed) == {"id_token", "access_token", "expires_in", "token_type"}


def test_response_holds_both_tokens(renewed):
    """Allow a refresh token too, for a pool that rotates."""
    members = set(renewed) - {"refresh_token"}
    assert members == {"id_token", "access_token", "expires_in", "token_type"}


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
@pytest.mark.parametrize("claim", ["sub", "iss", "origin_jti", "auth_time", "token_use"])
def test_sign_in_stays_the_same(tokens, renewed, kind, claim):
    assert unverified_claims(renewed[kind])[claim] == unverified_claims(tokens[kind])[claim]


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_tokens_are_new_and_signed(target, tokens, renewed, kind):
    assert target.verified(renewed[kind])["jti"] != unverified_claims(tokens[kind])["jti"]


def test_times_are_new(control, target, tokens):
    control.clock.advance(1800)
    for kind in ("access_token", "id_token"):
        before = unverified_claims(tokens[kind])
        after = claims_of(target.refresh(tokens["refresh_token"]), kind)
        assert 1800 <= after["iat"] - before["iat"] < 1860
        assert after["exp"] - after["iat"] == before["exp"] - before["iat"]


def test_scopes_are_as_granted(target, tokens, renewed):
    before = unverified_claims(tokens["access_token"])["scope"]
    assert set(unverified_claims(renewed["access_token"])["scope"].split()) == set(before.split())


def test_scope_parameter_changes_nothing(target, tokens):
    response = target.refresh(tokens["refresh_token"], scope="openid")
    before = unverified_claims(tokens["access_token"])["scope"]
    assert set(claims_of(response)["scope"].split()) == set(before.split())


def test_id_token_is_issued_without_nonce(control, renewed):
    assert "nonce" not in unverified_claims(renewed["id_token"])


def test_at_hash_fits_the_new_access_token(renewed):
    half = hashlib.sha256(renewed["access_token"].encode()).digest()[:16]
    expected = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert unverified_claims(renewed["id_token"])["at_hash"] == expected


def test_no_id_token_without_openid(control, target):
    tokens = target.tokens(scope="aws.cognito.signin.user.admin")
    response = target.refresh(tokens["refresh_token"])
    assert set(response.json()) == {"access_token", "expires_in", "token_type"}


def test_secret_in_the_body(target, tokens):
    form = {"client_id": target.client_id, "client_secret": target.client_secret}
    assert target.refresh(tokens["refresh_token"], None, **form).status_code == 200


def test_public_client_refreshes_without_secret(target, public_client):
    token = target.public_tokens()["refresh_token"]
    assert target.refresh(token, None, client_id=public_client).status_code == 200


def test_wrong_secret_is_an_invalid_client(target, tokens):
    response = target.refresh(tokens["refresh_token"], (target.client_id, "x" * 40))
    assert refused(response, "invalid_client")
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_missing_secret_is_an_invalid_client(target, tokens):
    response = target.refresh(tokens["refresh_token"], None, client_id=target.client_id)
    assert refused(response, "invalid_client")


def test_missing_refresh_token_is_an_invalid_request(target):
    assert refused(target.token("refresh_token"), "invalid_request")


@pytest.mark.parametrize("token", ["x", "a.b.c.d.e", "ü", "x" * 5000])
def test_unknown_refresh_token_is_an_invalid_grant(target, token):
    assert refused(target.refresh(token), "invalid_grant")


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_other_tokens_are_an_invalid_grant(target, tokens, kind):
    assert refused(target.refresh(tokens[kind]), "invalid_grant")


def test_refresh_token_of_another_client_is_an_invalid_grant(target, tokens, public_client):
    response = target.refresh(tokens["refresh_token"], None, client_id=public_client)
    assert refused(response, "invalid_grant")
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_groups_are_read_again(control, target, tokens):
    control.set_groups("ada", "editors")
    for kind in ("access_token", "id_token"):
        response = target.refresh(tokens["refresh_token"])
        assert claims_of(response, kind)["cognito:groups"] == ["editors"]


def test_left_groups_are_absent(control, target, tokens):
    control.set_groups("ada")
    for kind in ("access_token", "id_token"):
        assert "cognito:groups" not in claims_of(target.refresh(tokens["refresh_token"]), kind)


def test_attributes_are_read_again(control, target, tokens):
    changed = [{"Name": "email", "Value": "new@example.com"}]
    target.call("AdminUpdateUserAttributes", Username="ada", UserAttributes=changed)
    response = target.refresh(tokens["refresh_token"])
    assert claims_of(response, "id_token")["email"] == "new@example.com"


@pytest.mark.parametrize("act", ["disable", "delete", "sign_out_everywhere"])
def test_refresh_token_of_a_removed_user_is_an_invalid_grant(control, target, tokens, act):
    getattr(control, act)("ada")
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")


def test_enabling_again_revives_no_refresh_token(control, target, tokens):
    control.disable("ada")
    control.enable("ada")
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")
    assert target.refresh(target.tokens()["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("days", "status"), [(29.9, 200), (30.1, 400)])
def test_refresh_token_lives_thirty_days(control, target, tokens, days, status):
    control.clock.advance(days * 86400)
    assert target.refresh(tokens["refresh_token"]).status_code == status


# Rotation


@rotating(grace=10)
def test_rotation_adds_a_new_refresh_token(control, tokens, renewed):
    assert renewed["refresh_token"] != tokens["refresh_token"]
    assert len(renewed["refresh_token"].split(".")) == 5


@rotating(grace=10)
def test_rotation_keeps_the_sign_in(control, tokens, renewed):
    for claim in ("origin_jti", "auth_time", "sub"):
        before = unverified_claims(tokens["access_token"])[claim]
        assert unverified_claims(renewed["access_token"])[claim] == before


@rotating(grace=10)
def test_successor_works(control, target, renewed):
    assert target.refresh(renewed["refresh_token"]).status_code == 200


@rotating(grace=10)
@pytest.mark.parametrize(("seconds", "status"), [(9, 200), (11, 400)])
def test_replaced_token_works_within_the_grace(control, target, tokens, renewed, seconds, status):
    control.clock.advance(seconds)
    response = target.refresh(tokens["refresh_token"])
    assert response.status_code == status
    assert status == 200 or refused(response, "invalid_grant")


@rotating(grace=10)
def test_use_within_the_grace_does_not_extend_it(control, target, tokens, renewed):
    control.clock.advance(6)
    assert target.refresh(tokens["refresh_token"]).status_code == 200
    control.clock.advance(6)
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")


@rotating(grace=10)
def test_every_successor_of_the_grace_works(control, target, tokens, renewed):
    another = target.refresh(tokens["refresh_token"]).json()["refresh_token"]
    control.clock.advance(11)
    assert another != renewed["refresh_token"]
    assert target.refresh(another).status_code == 200
    assert target.refresh(renewed["refresh_token"]).status_code == 200


@rotating(grace=0)
def test_without_grace_the_replaced_token_is_dead_at_once(control, target, tokens, renewed):
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")
    assert target.refresh(renewed["refresh_token"]).status_code == 200


@rotating(grace=60, refresh_token_seconds=100)
def test_rotation_never_extends_the_remaining_lifetime(control, target, renewed):
    control.clock.advance(90)
    latest = target.refresh(renewed["refresh_token"]).json()["refresh_token"]
    control.clock.advance(11)
    assert refused(target.refresh(latest), "invalid_grant")


@rotating(grace=0)
def test_refusal_does_not_replace_the_token(control, target, tokens):
    wrong = target.refresh(tokens["refresh_token"], (target.client_id, "x" * 40))
    assert refused(wrong, "invalid_client")
    assert target.refresh(tokens["refresh_token"]).status_code == 200


@rotating(grace=10)
def test_revoking_the_successor_ends_the_sign_in(control, target, tokens, renewed):
    assert target.revoke(renewed["refresh_token"]).status_code == 200
    for token in (tokens["refresh_token"], renewed["refresh_token"]):
        assert refused(target.refresh(token), "invalid_grant")
