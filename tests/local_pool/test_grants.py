"""The token endpoint, revocation and userInfo."""

import base64

import jwt
import pytest
import requests

from local_pool.testing import Client

from .conftest import CALLBACK, CHALLENGE, VERIFIER, App


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False})


def refused(response, error: str, status: int = 400) -> bool:
    return response.status_code == status and response.json()["error"] == error


def test_tokens_verify_with_the_published_keys_and_have_cognitos_claims(app):
    tokens = app.tokens()
    assert set(tokens) == {"id_token", "access_token", "refresh_token", "expires_in", "token_type"}
    keys = {
        k["kid"]: k for k in app.get(f"/{app.pool.pool_id}/.well-known/jwks.json").json()["keys"]
    }
    used = set()
    for name in ("access_token", "id_token"):
        header = jwt.get_unverified_header(tokens[name])
        assert set(header) == {"kid", "alg"}
        assert len(header["kid"]) == 44
        assert {"+", "/"} & set(header["kid"])
        used.add(header["kid"])
        key = jwt.PyJWK(keys[header["kid"]])
        jwt.decode(tokens[name], key, algorithms=["RS256"], options={"verify_aud": False})
    assert used == set(keys)
    access, identity = claims(tokens["access_token"]), claims(tokens["id_token"])
    assert "aud" not in access
    assert access["client_id"] == identity["aud"] == app.pool.client_id
    assert access["token_use"] == "access"
    assert identity["token_use"] == "id"
    assert access["username"] == identity["cognito:username"] == "ada"
    assert access["cognito:groups"] == identity["cognito:groups"] == ["admins"]
    assert identity["email_verified"] is True
    assert identity["nonce"] == "a-nonce"
    assert access["iss"] == identity["iss"] == app.pool.issuer
    assert access["origin_jti"] == identity["origin_jti"]


def test_user_without_groups_has_no_groups_claim(app):
    assert "cognito:groups" not in claims(app.tokens("linus")["access_token"])


def test_without_openid_there_is_no_id_token(app):
    tokens = app.tokens(scope="aws.cognito.signin.user.admin")
    assert "id_token" not in tokens


def test_attribute_cannot_take_the_place_of_a_claim(app):
    evil = [{"Name": name, "Value": "evil"} for name in ("sub", "iss", "aud", "exp", "token_use")]
    app.api("AdminUpdateUserAttributes", Username="linus", UserAttributes=evil)
    identity = claims(app.tokens("linus", scope="openid")["id_token"])
    assert "evil" not in identity.values()


def test_code_works_once(app):
    code = app.code()
    assert app.redeem(code).status_code == 200
    assert refused(app.redeem(code), "invalid_grant")


def test_code_is_good_for_five_minutes(app):
    code = app.code()
    app.pool.clock.advance(301)
    assert refused(app.redeem(code), "invalid_grant")


def test_wrong_secret_does_not_burn_the_code(app):
    code = app.code()
    assert refused(app.redeem(code, auth=(app.pool.client_id, "wrong")), "invalid_client")
    assert app.redeem(code).status_code == 200


def test_wrong_verifier_does_not_burn_the_code(app):
    code = app.code(code_challenge=CHALLENGE, code_challenge_method="S256")
    assert refused(app.redeem(code), "invalid_grant")
    assert refused(app.redeem(code, code_verifier="w" * 43), "invalid_grant")
    assert app.redeem(code, code_verifier=VERIFIER).status_code == 200


def test_verifier_without_a_challenge_is_refused(app):
    assert refused(app.redeem(app.code(), code_verifier=VERIFIER), "invalid_grant")


def test_other_redirect_url_is_unauthorized_client(app):
    response = app.redeem(app.code(), redirect_uri="http://localhost:3000/signin")
    assert response.json() == {
        "error": "unauthorized_client",
        "error_description": "invalid_redirect",
    }


def test_other_clients_code_is_refused(app):
    response = app.redeem(app.code(), auth=None, client_id=app.pool.config.public_client_id)
    assert refused(response, "invalid_grant")


@pytest.mark.parametrize("gone", ["disable", "delete"])
def test_code_of_a_removed_user_is_refused(app, gone):
    code = app.code("grace")
    getattr(app.pool, gone)("grace")
    assert refused(app.redeem(code), "invalid_grant")


def test_secret_in_the_body_works_as_well(app):
    form = {"client_id": app.pool.client_id, "client_secret": app.pool.client_secret}
    assert app.redeem(app.code(), auth=None, **form).status_code == 200


def test_public_client_needs_no_secret_and_may_be_called_from_anywhere(app):
    public = app.pool.config.public_client_id
    code = app.code(client_id=public, code_challenge=CHALLENGE, code_challenge_method="S256")
    response = app.redeem(code, auth=None, client_id=public, code_verifier=VERIFIER)
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_preflight_succeeds_and_is_not_counted(app):
    headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
    response = requests.options(f"{app.pool.url}/oauth2/userInfo", headers=headers, timeout=60)
    assert response.status_code == 200
    assert "authorization" in response.headers["Access-Control-Allow-Headers"]
    assert app.pool.counts()["userInfo"] == 0


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("Basic !!!", "invalid_client"),
        ("Basic " + base64.b64encode(b"nocolon").decode(), "invalid_client"),
        ("Basic " + base64.b64encode(b"nobody:secret").decode(), "invalid_client"),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "invalid_client"),
        ("Bearer abc", "invalid_client"),
        (None, "invalid_request"),
    ],
)
def test_bad_client_credentials_are_refused(app, header, error):
    headers = {"Authorization": header} if header else {}
    form = {"grant_type": "client_credentials"}
    response = requests.post(f"{app.pool.url}/oauth2/token", data=form, headers=headers, timeout=60)
    assert refused(response, error)


def test_secret_sent_for_a_public_client_is_refused(app):
    response = app.redeem("x", auth=(app.pool.config.public_client_id, "a-secret"))
    assert refused(response, "invalid_client")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        (
            {"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK},
            "invalid_grant",
        ),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ],
)
def test_bad_requests_get_a_bare_error_code(app, form, error):
    response = app.token(**form)
    assert response.status_code == 400
    assert response.json() == {"error": error}


def test_json_body_is_an_invalid_request(app):
    auth = (app.pool.client_id, app.pool.client_secret)
    response = requests.post(f"{app.pool.url}/oauth2/token", json={}, auth=auth, timeout=60)
    assert refused(response, "invalid_request")


def test_get_on_the_token_endpoint_is_405_without_a_body(app):
    response = app.get("/oauth2/token")
    assert (response.status_code, response.text) == (405, "")


def test_refresh_keeps_the_sign_in_and_reads_groups_again(app):
    tokens = app.tokens("grace")
    app.pool.clock.advance(60)
    app.pool.set_groups("grace", "admins", "editors")
    response = app.refresh(tokens["refresh_token"]).json()
    assert set(response) == {"id_token", "access_token", "expires_in", "token_type"}
    before, after = claims(tokens["id_token"]), claims(response["id_token"])
    for name in ("origin_jti", "auth_time", "sub", "aud", "iss"):
        assert before[name] == after[name]
    assert after["iat"] >= before["iat"] + 60
    assert after["jti"] != before["jti"]
    assert "nonce" not in after
    assert set(claims(response["access_token"])["cognito:groups"]) == {"admins", "editors"}


def test_refresh_token_of_another_client_is_refused(app):
    tokens = app.tokens()
    response = app.refresh(
        tokens["refresh_token"], auth=None, client_id=app.pool.config.public_client_id
    )
    assert refused(response, "invalid_grant")


def test_refresh_token_expires_thirty_days_after_the_sign_in(app):
    tokens = app.tokens()
    app.pool.clock.advance(30 * 86400 - 60)
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    app.pool.clock.advance(61)
    assert refused(app.refresh(tokens["refresh_token"]), "invalid_grant")


def test_rotation_replaces_the_refresh_token_and_grace_keeps_the_old_one(make_local_pool):
    pool = make_local_pool(rotate_refresh_tokens=True, refresh_grace_seconds=10)
    app = App(pool)
    first = app.tokens()["refresh_token"]
    second = app.refresh(first).json()["refresh_token"]
    assert second != first
    assert app.refresh(first).status_code == 200
    pool.clock.advance(10)
    assert refused(app.refresh(first), "invalid_grant")
    assert app.refresh(second).status_code == 200


def test_rotation_without_grace_refuses_the_old_token_at_once(make_local_pool):
    app = App(make_local_pool(rotate_refresh_tokens=True))
    first = app.tokens()["refresh_token"]
    assert app.refresh(first).status_code == 200
    assert refused(app.refresh(first), "invalid_grant")


def test_rotation_never_extends_the_life_of_the_first_token(make_local_pool):
    pool = make_local_pool(rotate_refresh_tokens=True, refresh_token_seconds=100)
    app = App(pool)
    token = app.tokens()["refresh_token"]
    pool.clock.advance(90)
    token = app.refresh(token).json()["refresh_token"]
    pool.clock.advance(11)
    assert refused(app.refresh(token), "invalid_grant")


def test_machine_token_is_the_clients_own(app):
    config = app.pool.config
    auth = (config.machine_client_id, config.machine_client_secret)
    response = app.token(auth=auth, grant_type="client_credentials", scope="stats/read")
    assert set(response.json()) == {"access_token", "expires_in", "token_type"}
    got = claims(response.json()["access_token"])
    assert got["sub"] == got["client_id"] == config.machine_client_id
    assert got["scope"] == "stats/read"
    assert not {"username", "cognito:groups", "aud", "origin_jti"} & set(got)


@pytest.mark.parametrize(
    ("scope", "error"),
    [
        ("openid", "invalid_scope"),
        ("stats/read nowhere/read", "invalid_scope"),
        ("other/read", "invalid_grant"),
    ],
)
def test_machine_scopes_are_checked(make_local_pool, scope, error):
    limited = Client("limitedmachine", "s" * 24, ("client_credentials",), ("stats/read",))
    servers = {"stats": ("read", "write"), "other": ("read",)}
    app = App(make_local_pool(clients=[limited], resource_servers=servers))
    auth = ("limitedmachine", "s" * 24)
    response = app.token(auth=auth, grant_type="client_credentials", scope=scope)
    assert refused(response, error)


def test_revoking_ends_the_sign_in_and_leaves_others_alone(app):
    first, second = app.tokens(), app.tokens()
    response = app.revoke(first["refresh_token"])
    assert (response.status_code, response.text) == (200, "")
    assert refused(app.refresh(first["refresh_token"]), "invalid_grant")
    assert app.user_info(first["access_token"]).status_code == 401
    assert app.refresh(second["refresh_token"]).status_code == 200
    assert app.revoke(first["refresh_token"]).status_code == 200


def test_revocation_refuses_what_it_cannot_revoke(app):
    tokens = app.tokens()
    assert app.revoke("unknown").status_code == 200
    assert refused(app.revoke(""), "invalid_request")
    assert refused(app.revoke(tokens["access_token"]), "unsupported_token_type")
    wrong = app.revoke(tokens["refresh_token"], auth=(app.pool.client_id, "wrong"))
    assert refused(wrong, "invalid_client", 401)
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_user_info_has_string_booleans(app):
    response = app.user_info(app.tokens()["access_token"])
    assert response.headers["Content-Type"] == "application/json;charset=UTF-8"
    assert response.json() == {
        "sub": app.pool.get_user("ada").sub,
        "email": "ada@example.com",
        "email_verified": "true",
        "name": "Ada Lovelace",
        "username": "ada",
    }


@pytest.mark.parametrize(
    ("scope", "present", "absent"),
    [
        ("openid email", {"email", "email_verified"}, {"name"}),
        ("openid profile", {"name"}, {"email", "email_verified"}),
        ("openid phone", set(), {"name", "email", "email_verified"}),
        ("openid", {"name", "email", "email_verified"}, set()),
    ],
)
def test_scopes_narrow_what_user_info_returns(app, scope, present, absent):
    members = set(app.user_info(app.tokens(scope=scope)["access_token"]).json())
    assert members == {"sub", "username"} | present
    assert not members & absent


def test_user_info_refuses_with_cognitos_wordings(app):
    tokens = app.tokens()
    without = app.tokens(scope="aws.cognito.signin.user.admin")
    cases = {
        "not-a-token": "Access token format is not valid",
        tokens["id_token"]: "Value of client_id in token claims must be a String",
        app.pool.machine_token(): "Value of username in token claims must be a String",
        without["access_token"]: "Access token does not contain the 'openid' scope",
    }
    for token, description in cases.items():
        response = app.user_info(token)
        assert refused(response, "invalid_token", 401)
        assert response.json()["error_description"] == description
        assert response.headers["WWW-Authenticate"].startswith("Bearer ")
    app.pool.clock.advance(3601)
    assert "expired" in app.user_info(tokens["access_token"]).json()["error_description"]
    assert app.user_info("").status_code == 400


def test_foreign_signature_is_refused_at_user_info(app, make_local_pool):
    other = make_local_pool(fresh_keys=True)
    assert refused(app.user_info(other.tokens_for("ada")["access_token"]), "invalid_token", 401)


@pytest.mark.parametrize("change", ["disable", "delete", "sign_out_everywhere"])
def test_a_removed_user_has_no_live_token(app, change):
    tokens = app.tokens()
    getattr(app.pool, change)("ada")
    assert refused(app.refresh(tokens["refresh_token"]), "invalid_grant")
    assert app.user_info(tokens["access_token"]).status_code == 401


def test_enabling_again_does_not_revive_tokens(app):
    tokens = app.tokens()
    app.pool.disable("ada")
    app.pool.enable("ada")
    assert refused(app.refresh(tokens["refresh_token"]), "invalid_grant")
    assert app.tokens()["access_token"]
