"""Revocation and what it ends: section 5 of the contract."""

import pytest

from tests.local_pool.contract.browser import Browser
from tests.local_pool.contract.target import parameters
from tests.local_pool.contract.test_token import refused


def test_success_is_200_with_an_empty_body(target, tokens):
    response = target.revoke(tokens["refresh_token"])
    assert response.status_code == 200
    assert response.content == b""
    assert "Content-Type" not in response.headers  # oidc-client-ts only accepts a JSON type


def test_revoked_refresh_token_is_an_invalid_grant(target, tokens):
    target.revoke(tokens["refresh_token"])
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")


def test_access_token_of_the_sign_in_is_refused_by_user_info(target, tokens):
    assert target.user_info(tokens["access_token"]).status_code == 200
    target.revoke(tokens["refresh_token"])
    assert target.user_info(tokens["access_token"]).status_code == 401


def test_renewed_access_token_is_refused_by_user_info_as_well(target, tokens):
    renewed = target.refresh(tokens["refresh_token"]).json()
    target.revoke(tokens["refresh_token"])
    assert target.user_info(renewed["access_token"]).status_code == 401


def test_signatures_still_verify(target, tokens):
    target.revoke(tokens["refresh_token"])
    assert target.verified(tokens["access_token"])
    assert target.verified(tokens["id_token"])


def test_another_sign_in_of_the_user_goes_on(target, tokens):
    other = target.tokens()
    target.revoke(tokens["refresh_token"])
    assert target.refresh(other["refresh_token"]).status_code == 200
    assert target.user_info(other["access_token"]).status_code == 200


def test_browser_session_goes_on(target):
    browser = Browser(target.url)
    target.revoke(target.tokens(browser)["refresh_token"])
    callback = browser.open(target.authorize_url(prompt="none"))
    assert set(parameters(callback)) == {"code", "state"}


@pytest.mark.parametrize("token", ["x", "a.b.c.d.e", "ü"])
def test_unknown_token_is_not_an_error(target, token):
    response = target.revoke(token)
    assert (response.status_code, response.content) == (200, b"")


def test_revoking_twice_is_not_an_error(target, tokens):
    assert target.revoke(tokens["refresh_token"]).status_code == 200
    assert target.revoke(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("hint", ["refresh_token", "access_token", "made-up"])
def test_type_hint_changes_nothing(target, tokens, hint):
    assert target.revoke(tokens["refresh_token"], token_type_hint=hint).status_code == 200
    assert refused(target.refresh(tokens["refresh_token"]), "invalid_grant")


def test_missing_token_is_an_invalid_request(target):
    assert refused(target.post("/oauth2/revoke", {}), "invalid_request")


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_only_refresh_tokens_can_be_revoked(target, tokens, kind):
    assert refused(target.revoke(tokens[kind]), "unsupported_token_type")
    assert target.user_info(tokens["access_token"]).status_code == 200


def test_bad_credentials_are_401_here(target, tokens):
    for auth in ((target.client_id, "x" * 40), ("doesnotexist", "x" * 40)):
        response = target.revoke(tokens["refresh_token"], auth)
        assert response.status_code == 401
        assert response.json()["error"] == "invalid_client"
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_confidential_client_needs_its_secret(target, tokens):
    response = target.revoke(tokens["refresh_token"], None, client_id=target.client_id)
    assert response.status_code in (400, 401)
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_public_client_revokes_with_its_id(target, public_client):
    token = target.public_tokens()["refresh_token"]
    response = target.revoke(token, None, client_id=public_client)
    assert (response.status_code, response.content) == (200, b"")
    assert refused(target.refresh(token, None, client_id=public_client), "invalid_grant")


def test_no_client_revokes_anothers_token(target, tokens, public_client):
    target.revoke(tokens["refresh_token"], None, client_id=public_client)
    assert target.refresh(tokens["refresh_token"]).status_code == 200


def test_revocation_is_for_post_alone(target, tokens):
    assert target.get("/oauth2/revoke", token=tokens["refresh_token"]).status_code == 405
    assert target.refresh(tokens["refresh_token"]).status_code == 200


# The effects of 5.2, by an administrator


@pytest.mark.parametrize("act", ["disable", "delete", "sign_out_everywhere"])
def test_administrator_ends_all_sign_ins_at_cognito(control, target, tokens, act):
    other = target.tokens()
    getattr(control, act)("ada")
    for ended in (tokens, other):
        assert refused(target.refresh(ended["refresh_token"]), "invalid_grant")
        assert target.user_info(ended["access_token"]).status_code == 401
        assert target.verified(ended["access_token"])


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_disabled_and_deleted_users_see_the_sign_in_page_again(control, target, act):
    browser = Browser(target.url)
    target.sign_in(browser)
    getattr(control, act)("ada")
    assert browser.open(target.authorize_url()) is None
    assert browser.path == "/login"


def test_global_sign_out_leaves_the_browser_session(control, target):
    browser = Browser(target.url)
    target.sign_in(browser)
    control.sign_out_everywhere("ada")
    fresh = target.tokens(browser)
    assert target.refresh(fresh["refresh_token"]).status_code == 200
    assert target.user_info(fresh["access_token"]).status_code == 200
