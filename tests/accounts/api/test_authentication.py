import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from accounts.api.bearer import BearerError, challenge
from accounts.api.principals import Machine
from accounts.api.views import CallerView
from accounts.authentication import CognitoAuthentication
from accounts.models import Identity
from accounts.provider import provider
from accounts.testing import (
    mint_access_token,
    mint_id_token,
    mint_machine_token,
    subject_of,
)
from accounts.testing.tokens import key_id, sign, signing_key
from accounts.tokens import revocation_feed

pytestmark = pytest.mark.django_db

REQUIRED = ["iss", "exp", "iat", "token_use", "client_id", "sub", "username", "auth_time"]


@pytest.fixture(autouse=True)
def _fake(cognito):
    cache.clear()


def get_caller(client, token, **headers):
    return client.get("/api/user", headers={"Authorization": f"Bearer {token}", **headers})


def assert_invalid(response, *, code, message):
    """Assert that the response refuses the token, with the message in the body and the header."""
    body = response.json()
    assert response.status_code == 401, body
    assert body["code"] == code
    assert message in body["detail"]
    assert body["error"] == body["detail"]
    header = response.headers["WWW-Authenticate"]
    assert header.startswith('Bearer realm="api", error="invalid_token", error_description="')
    assert message in header


def test_access_token_is_accepted(client):
    response = get_caller(client, mint_access_token("ada", groups=["admins"]))
    assert response.status_code == 200
    assert response.json()["identity"] == {
        "sub": subject_of("ada"),
        "userName": "ada",
        "clientId": provider().config.client_id,
    }


def test_scheme_is_not_case_sensitive(client):
    headers = {"Authorization": f"bearer {mint_access_token()}"}
    assert client.get("/api/user", headers=headers).status_code == 200


def test_challenge_without_a_token_has_no_error(client):
    response = client.get("/api/user")
    assert response.status_code == 401
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="api", resource_metadata="')
    assert response.json()["code"] == "not_authenticated"


def test_other_schemes_are_ignored(client):
    response = client.get("/api/user", headers={"Authorization": "Basic YWRhOnBhc3N3b3Jk"})
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("claim", REQUIRED)
def test_token_without_a_required_claim_is_refused(client, claim):
    response = get_caller(client, mint_access_token(without=[claim]))
    assert_invalid(response, code="claim_rejected", message=f"{claim} is missing")


@pytest.mark.parametrize(
    ("token", "code", "message"),
    [
        (lambda: mint_access_token(expired=True), "token_expired", "expired at 20"),
        (lambda: mint_access_token(foreign=True), "wrong_issuer", "another user pool"),
        (lambda: mint_access_token(forged=True), "bad_signature", "signature"),
        (lambda: mint_id_token(), "wrong_token_use", "ID token. Send the access token"),
        (
            lambda: mint_access_token(claims={"client_id": "notours"}),
            "wrong_client",
            "issued for another app client",
        ),
        (
            lambda: mint_access_token(claims={"iat": int(time.time()) + 120}),
            "claim_rejected",
            "in the future",
        ),
        (
            lambda: mint_access_token(claims={"exp": "tomorrow"}),
            "claim_rejected",
            "exp must be a time",
        ),
    ],
    ids=["expired", "foreign", "forged", "id-token", "client", "early", "mistyped"],
)
def test_refusal_names_the_reason(client, token, code, message):
    assert_invalid(get_caller(client, token()), code=code, message=message)


def with_header(**header):
    issuer = provider().config.issuer
    payload = json.loads(_segment(mint_access_token(), 1))
    return sign(payload, header={"kid": key_id(issuer), **header}, signer=issuer)


def _segment(token, index):
    part = token.split(".")[index]
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def embedded_key():
    numbers = signing_key("mallory").public_key().public_numbers()
    modulus = urlsafe_b64encode(numbers.n.to_bytes(256, "big")).rstrip(b"=").decode()
    return {"kty": "RSA", "n": modulus, "e": "AQAB"}


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"jku": "http://localhost:1/keys"},
        {"x5u": "http://localhost:1/cert"},
        {"zip": "DEF"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": ["RS256"]},
        {"kid": None},
        {"kid": 7},
        {"kid": "../../etc/passwd"},
    ],
    ids=str,
)
def test_token_header_that_cognito_never_sends_is_refused(client, header):
    response = get_caller(client, with_header(**header))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_tok')


def test_key_embedded_in_the_token_is_not_used(client):
    issuer = provider().config.issuer
    payload = json.loads(_segment(mint_access_token(), 1))
    token = sign(payload, header={"kid": key_id(issuer), "jwk": embedded_key()}, signer="mallory")
    assert get_caller(client, token).status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer a b",
        "Bearer a,Bearer b",
        "Bearer not-a-token",
        "Bearer ..",
        "Bearer é.é.é",
        "Bearer \u0000.\u0000.\u0000",
        "Bearer " + "a" * 65_536,
        "Bearer " + "." * 65_536,
        "Bearer " + ".".join(["e30"] * 3),
    ],
    ids=lambda header: header[:24],
)
def test_malformed_header_is_401(client, header):
    response = client.get("/api/user", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.json()["code"] in {"malformed_token", "bad_signature"}
    assert response.headers["WWW-Authenticate"].isascii()


@pytest.mark.parametrize(
    "payload", [b"[" * 8000, b'{"iss":' * 4000, b"[]", b"null", b"\xff\xfe", b'{"iss":NaN}']
)
@pytest.mark.usefixtures("no_garbage_collection")
def test_payload_without_claims_is_401(client, payload):
    issuer = provider().config.issuer
    token = sign(payload, header={"kid": key_id(issuer)}, signer=issuer)
    response = get_caller(client, token)
    assert response.status_code == 401
    assert response.json()["code"] == "malformed_token"


def test_token_of_another_accepted_client_is_accepted(client, settings):
    settings.COGNITO = {**settings.COGNITO, "ACCEPTED_CLIENTS": ["2partnerclient"]}
    response = get_caller(client, mint_access_token(claims={"client_id": "2partnerclient"}))
    assert response.json()["identity"]["clientId"] == "2partnerclient"


def test_token_of_the_public_client_is_accepted(client, settings):
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_CLIENT_ID": "2publicclient"}
    token = mint_access_token(claims={"client_id": "2publicclient"})
    assert get_caller(client, token).status_code == 200


class TestTrustedPools:
    ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Partner01"

    @pytest.fixture(autouse=True)
    def _trusted(self, settings):
        pools = {"eu-west-1_Partner01": {"clients": ["2partnerclient"]}}
        settings.COGNITO = {**settings.COGNITO, "TRUSTED_POOLS": pools}

    def token(self, **claims):
        return mint_access_token(
            claims={"iss": self.ISSUER, "client_id": "2partnerclient", **claims}
        )

    def test_tokens_of_a_trusted_pool_are_accepted(self, client):
        assert get_caller(client, self.token()).status_code == 200

    def test_users_of_two_pools_are_separate(self, client):
        get_caller(client, self.token())
        get_caller(client, mint_access_token())
        assert Identity.objects.filter(subject=subject_of("ada")).count() == 2
        assert get_user_model().objects.count() == 2

    def test_our_client_is_not_accepted_in_the_trusted_pool(self, client):
        token = self.token(client_id=provider().config.client_id)
        assert_invalid(get_caller(client, token), code="wrong_client", message="another app client")

    def test_client_of_the_trusted_pool_is_not_accepted_in_ours(self, client):
        token = mint_access_token(claims={"client_id": "2partnerclient"})
        assert_invalid(get_caller(client, token), code="wrong_client", message="another app client")

    def test_our_signing_key_is_not_accepted_for_the_trusted_pool(self, client):
        issuer = provider().config.issuer
        payload = json.loads(_segment(self.token(), 1))
        token = sign(payload, header={"kid": key_id(issuer)}, signer=issuer)
        assert get_caller(client, token).json()["code"] == "unknown_key"


def test_machine_has_no_user(client):
    token = mint_machine_token(scopes=["stats/read"])
    response = get_caller(client, token).json()
    assert response["identity"]["userName"] is None
    assert response["data"]["scopes"] == ["stats/read"]
    assert not any(response["data"]["figures"][name] for name in ("add", "change", "delete"))
    assert not get_user_model().objects.exists()


def test_machine_has_no_permissions_or_status():
    machine = Machine("6machine", frozenset({"stats/read"}))
    assert machine.is_authenticated
    assert not machine.is_anonymous
    assert not machine.is_staff
    assert not machine.is_superuser
    assert machine.pk is None
    assert not machine.has_perm("stats.add_stat")
    assert not machine.has_perms(["stats.add_stat"])
    assert not machine.has_module_perms("stats")
    assert machine.get_all_permissions() == set()


def test_unknown_user_is_created_at_the_first_call(client):
    get_caller(client, mint_access_token("grace", groups=["editors"]))
    identity = Identity.objects.get()
    assert (identity.username, identity.groups) == ("grace", ["editors"])


def test_unknown_user_is_refused_if_creation_is_disabled(client, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    response = get_caller(client, mint_access_token())
    assert (response.status_code, response.json()["code"]) == (403, "unknown_user")
    assert not get_user_model().objects.exists()


def test_deactivated_user_is_refused(client):
    user = user_of(client, mint_access_token())
    user.is_active = False
    user.save()
    revocation_feed.reset()
    response = get_caller(client, mint_access_token())
    assert response.status_code == 401
    assert response.json()["code"] in {"user_deactivated", "token_revoked"}


@pytest.mark.parametrize("seconds", [1, 0])
def test_new_token_of_a_sign_in_from_before_signing_out_everywhere_is_refused(client, seconds):
    get_caller(client, mint_access_token())
    auth_time = int(time.time()) - 60
    Identity.objects.update(auth_not_before=auth_time + seconds)
    token = mint_access_token(claims={"auth_time": auth_time})
    response = get_caller(client, token)
    if seconds:
        assert_invalid(response, code="signed_out_everywhere", message="signed out everywhere")
    else:
        assert response.status_code == 200


def test_deactivation_revokes_a_verified_token(client):
    token = mint_access_token()
    user = user_of(client, token)
    user.is_active = False
    user.save()
    revocation_feed.reset()  # the same as reading the feed a second later
    assert_invalid(get_caller(client, token), code="token_revoked", message="its user")


@pytest.mark.parametrize("is_feed_read", [True, False], ids=["read", "not-read-yet"])
def test_token_of_a_deleted_user_creates_no_user(client, is_feed_read):
    token = mint_access_token()
    user_of(client, token).delete()
    provider.cache_clear()  # as in another process, which has not verified the token
    if is_feed_read:
        revocation_feed.reset()
    assert_invalid(get_caller(client, token), code="token_revoked", message="its user")
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/user"), ("POST", "/api/stats")])
def test_deleted_user_is_refused_before_the_feed_is_read(client, method, path):
    token = mint_access_token()
    user_of(client, token).delete()  # and the feed was read less than a second ago
    response = client.generic(method, path, headers={"Authorization": f"Bearer {token}"})
    assert_invalid(response, code="token_revoked", message="was deleted")


def user_of(client, token):
    assert get_caller(client, token).status_code == 200
    return get_user_model().objects.get()


def as_request(token):
    request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {token}"})
    return Request(request, authenticators=[CognitoAuthentication()])


def test_verified_token_makes_no_query_and_no_call(client, cognito, django_assert_num_queries):
    token = mint_access_token()
    user = user_of(client, token)
    calls = list(cognito.calls)
    with django_assert_num_queries(0):
        request = as_request(token)
        assert request.user.is_authenticated
        assert request.user == user
        assert request.auth.username == "ada"
    assert cognito.calls == calls


@pytest.mark.undocumented_responses
def test_whole_request_with_a_verified_token_makes_no_query(
    client, monkeypatch, django_assert_num_queries
):
    """Middleware, throttles and permissions make no query either."""
    monkeypatch.setattr(CallerView, "get", lambda self, request: Response(str(request.auth)))
    token = mint_access_token()
    assert get_caller(client, token).status_code == 200
    with django_assert_num_queries(0):
        assert get_caller(client, token).status_code == 200


@pytest.mark.undocumented_responses
def test_request_with_a_session_makes_three_queries(
    cognito_client, monkeypatch, django_assert_num_queries
):
    """The queries read the session, its sign-in and the user. No renewal is due."""
    monkeypatch.setattr(CallerView, "get", lambda self, request: Response(str(request.user.pk)))
    browser = cognito_client("ada", bearer=False)
    with django_assert_num_queries(3):
        assert browser.get("/api/user").status_code == 200


def test_requests_share_no_user_instance():
    token = mint_access_token()
    first, second = as_request(token).user, as_request(token).user
    first._perm_cache = {"stats.add_stat"}
    assert first == second
    assert "_perm_cache" not in vars(second)
    assert "_perm_cache" not in vars(as_request(token).user)


def test_rights_are_read_at_each_call(client):
    token = mint_access_token()
    user = user_of(client, token)
    assert not as_request(token).user.is_superuser
    user.is_superuser = True
    user.save()
    assert as_request(token).user.is_superuser
    assert as_request(token).user.has_perm("stats.add_stat")
    user.is_superuser = False
    user.save()
    assert not as_request(token).user.has_perm("stats.add_stat")


def test_challenge_replaces_characters_not_allowed_in_a_header():
    request = APIRequestFactory().get("/api/user")
    error = BearerError("invalid_token", 'a "quoted" \\ é\r\nX: y', scope="a b")
    assert challenge(request, error).partition(", resource_metadata=")[0] == (
        'Bearer realm="api", error="invalid_token", '
        'error_description="a \'quoted\' / ???X: y", scope="a b"'
    )
