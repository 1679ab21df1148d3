"""Token exchange at the token endpoint and in the API: scopes, audience, actor, refusals."""

import jwt
import pytest

from local_pool.declarations import EXCHANGE_FLOWS
from local_pool.testing import Client
from local_pool.token_exchange import ACCESS_TOKEN, GRANT, ID_TOKEN

from .conftest import App
from .test_api import error

SECRET = "serviceSecretForTests1234"
SERVICE = Client("service", SECRET, flows=(), scopes=("openid", "email"), auth_flows=EXCHANGE_FLOWS)
ALONE = Client("alone", SECRET, flows=(), scopes=("openid",), auth_flows=EXCHANGE_FLOWS[:1])


@pytest.fixture
def app(make_local_pool) -> App:
    return App(make_local_pool(clients=[SERVICE, ALONE]))


def exchange(app: App, token: str, client: str = "service", **form: str):
    subject = {"subject_token": token, "subject_token_type": ACCESS_TOKEN}
    return app.token(auth=(client, SECRET), grant_type=GRANT, **subject | form)


def claims(token: str) -> dict:
    return jwt.decode(token, options={"verify_signature": False, "verify_aud": False})


def test_token_is_cut_to_what_both_may_do(app):
    tokens = app.tokens()
    answer = exchange(app, tokens["access_token"], audience="https://books.example.com").json()
    assert answer["issued_token_type"] == ACCESS_TOKEN
    assert answer["token_type"] == "Bearer"
    assert "refresh_token" not in answer
    issued, before = claims(answer["access_token"]), claims(tokens["access_token"])
    assert issued["sub"] == before["sub"]
    assert issued["origin_jti"] == before["origin_jti"]
    assert issued["client_id"] == "service"
    assert issued["scope"] == answer["scope"] == "openid email"
    assert issued["aud"] == "https://books.example.com"
    assert "act" not in issued
    fewer = exchange(app, tokens["access_token"], scope="email profile").json()
    assert fewer["scope"] == "email"


def test_actor_is_in_the_token_and_actors_form_a_chain(app):
    actor = {"actor_token": app.pool.machine_token(), "actor_token_type": ACCESS_TOKEN}
    token = app.tokens()["access_token"]
    first = exchange(app, token, **actor).json()["access_token"]
    machine = app.pool.config.machine_client_id
    assert claims(first)["act"] == {"sub": machine}
    second = exchange(app, first, **actor).json()["access_token"]
    assert claims(second)["act"] == {"sub": machine, "act": {"sub": machine}}


def test_id_token_is_exchanged_and_issued(app):
    subject = {"subject_token_type": ID_TOKEN, "requested_token_type": ID_TOKEN}
    answer = exchange(app, app.tokens()["id_token"], **subject).json()
    assert (answer["issued_token_type"], answer["token_type"]) == (ID_TOKEN, "N_A")
    issued = claims(answer["access_token"])
    assert (issued["token_use"], issued["aud"]) == ("id", "service")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"subject_token": "a.b.c"}, "invalid_request"),
        ({"subject_token_type": ID_TOKEN}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"),
        ({"requested_token_type": "jwt"}, "invalid_request"),
        ({"audience": "a", "resource": "b"}, "invalid_request"),
        ({"actor_token": "a.b.c", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
    ],
)
def test_malformed_exchange_is_refused(app, form, expected):
    response = exchange(app, app.tokens()["access_token"], **form)
    assert response.status_code == 400
    assert response.json()["error"] == expected


def test_client_must_have_the_flow(app):
    token = app.tokens()["access_token"]
    actor = {"actor_token": app.pool.machine_token(), "actor_token_type": ACCESS_TOKEN}
    assert exchange(app, token, "alone").status_code == 200
    assert exchange(app, token, "alone", **actor).json()["error"] == "unauthorized_client"
    web = app.token(grant_type=GRANT, subject_token=token, subject_token_type=ACCESS_TOKEN)
    assert web.json()["error"] == "unauthorized_client"


def test_token_ends_with_the_sign_in(app):
    tokens = app.tokens()
    issued = exchange(app, tokens["access_token"]).json()["access_token"]
    assert app.user_info(issued).status_code == 200
    app.revoke(tokens["refresh_token"])
    assert app.user_info(issued).status_code == 401
    assert exchange(app, tokens["access_token"]).json()["error"] == "invalid_grant"


def test_lite_has_no_exchange(app):
    token = app.tokens()["access_token"]
    app.pool.do("plan lite")
    assert exchange(app, token).json()["error"] == "unsupported_grant_type"


def test_api_exchanges_a_token(app):
    body = {
        "ClientId": "service",
        "ClientSecret": SECRET,
        "SubjectToken": app.tokens()["access_token"],
        "SubjectTokenType": "ACCESS_TOKEN",
        "ActorToken": app.pool.machine_token(),
        "ActorTokenType": "ACCESS_TOKEN",
    }
    more = {"Scopes": ["email"], "Resources": ["stats"], "RequestedTokenType": "ACCESS_TOKEN"}
    answer = app.api("GetDerivedToken", **body, **more).json()
    assert answer["IssuedTokenType"] == "ACCESS_TOKEN"
    assert answer["Scopes"] == ["email"]
    assert claims(answer["IssuedToken"])["aud"] == "stats"
    alone = app.api("GetDerivedToken", **body | {"ClientId": "alone"})
    assert error(alone) == "NotAuthorizedException"
    wrong = app.api("GetDerivedToken", **body | {"ClientSecret": "w" * 30})
    assert error(wrong) == "NotAuthorizedException"
