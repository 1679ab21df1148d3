import json
import logging

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache

from accounts.cognito.errors import CognitoUnavailable
from accounts.cognito.transport import Response
from accounts.models import Identity, SignInEvent
from accounts.provider import provider
from accounts.testing import mint_access_token, mint_id_token
from accounts.testing.fake import Person

pytestmark = pytest.mark.django_db

ADDRESS = "/api/auth/get-tokens"
REDIRECT_URI = "http://localhost:3000/signin"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def code(cognito):
    return cognito.authorize(Person("ada", name="Ada Lovelace"))


def post(client, address=ADDRESS, **data):
    return client.post(address, data, "application/json")


def test_code_becomes_three_tokens(client, code):
    answer = post(client, code=code, redirectUri=REDIRECT_URI)
    assert answer.status_code == 200
    assert set(answer.json()) == {"accessToken", "refreshToken", "idToken"}
    assert all(answer.json().values())
    assert answer.headers["Cache-Control"] == "no-store"


def test_person_is_created_with_name_and_email(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    identity = Identity.objects.get()
    assert (identity.name, identity.email) == ("Ada Lovelace", "ada@example.com")


def test_record_of_sign_ins_has_it(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    event = SignInEvent.objects.get(kind="signed_in")
    assert (event.pool_username, event.details["by"], event.ip_address) == (
        "ada",
        "API",
        "127.0.0.1",
    )


def test_nobody_is_signed_in_to_this_site(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    assert "sessionid" not in client.cookies


def test_pkce_verifier_is_passed_on(client, cognito, code):
    seen = []
    original = cognito.post_form

    def watch(url, fields, **options):
        seen.append(fields)
        return original(url, fields, **options)

    cognito.post_form = watch
    post(client, code=code, redirectUri=REDIRECT_URI, codeVerifier="v" * 43)
    assert seen[0]["code_verifier"] == "v" * 43
    assert seen[0]["redirect_uri"] == REDIRECT_URI


@pytest.mark.parametrize(
    "verifier", [{}, {"codeVerifier": ""}, {"codeVerifier": None}], ids=["none", "empty", "null"]
)
def test_code_without_verifier_is_400_where_apps_use_pkce(
    client, cognito, code, settings, verifier
):
    settings.SPA_COMPAT = False
    answer = post(client, code=code, redirectUri=REDIRECT_URI, **verifier)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["fields"]) == ["codeVerifier"]
    assert "code_challenge" in answer.json()["detail"]
    assert "SPA_COMPAT=1" in answer.json()["detail"]
    assert cognito.calls == []


def test_code_with_verifier_is_exchanged_where_apps_use_pkce(client, code, settings):
    settings.SPA_COMPAT = False
    answer = post(client, code=code, redirectUri=REDIRECT_URI, codeVerifier="v" * 43)
    assert answer.status_code == 200


@pytest.mark.parametrize("compat", [True, False])
@pytest.mark.parametrize("length", [42, 43, 128, 129])
def test_verifier_has_43_to_128_characters(client, cognito, settings, compat, length):
    settings.SPA_COMPAT = compat
    answer = post(client, code="a", redirectUri=REDIRECT_URI, codeVerifier="v" * length)
    refused = answer.json().get("fields", {})
    assert ("codeVerifier" not in refused) is (43 <= length <= 128)


@pytest.mark.parametrize("character", ["+", "/", "=", " ", "\n", "%", "é", "\u0000", "\ud800"])
def test_verifier_of_other_characters_is_400(client, cognito, character):
    for verifier in ("v" * 42 + character, "v" * 43 + character):
        answer = post(client, code="a", redirectUri=REDIRECT_URI, codeVerifier=verifier)
        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["codeVerifier"]
    assert cognito.calls == []


@pytest.mark.parametrize("address", ["/auth/get-tokens", ADDRESS])
def test_original_ui_asks_by_get(client, code, address):
    answer = client.get(address, {"code": code, "redirectUri": REDIRECT_URI})
    assert answer.status_code == 200
    assert answer.json()["accessToken"]


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"redirectUri": REDIRECT_URI}, "code"),
        ({"code": "a"}, "redirectUri"),
        ({"code": "", "redirectUri": REDIRECT_URI}, "code"),
        ({"code": ["a"], "redirectUri": REDIRECT_URI}, "code"),
        ({"code": "a" * 2049, "redirectUri": REDIRECT_URI}, "code"),
        ({"code": "a", "redirectUri": REDIRECT_URI, "codeVerifier": "short"}, "codeVerifier"),
        ({"code": "a", "redirectUri": REDIRECT_URI, "codeVerifier": "é" * 43}, "codeVerifier"),
    ],
)
def test_wrong_value_is_named(client, cognito, data, field):
    answer = post(client, **data)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert answer.json()["detail"].startswith(f"{field}: ")
    assert cognito.calls == []


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/signin",
        "http://localhost:3000/signin/",
        "http://localhost:3000/signin?next=/",
        "HTTP://localhost:3000/signin",
        "http://localhost:8000/signin",  # our own
    ],
)
def test_address_that_is_not_listed_is_refused(client, cognito, code, redirect_uri):
    answer = post(client, code=code, redirectUri=redirect_uri)
    assert (answer.status_code, answer.json()["code"]) == (400, "redirect_uri_not_allowed")
    assert cognito.calls == []


def test_code_used_twice_is_400(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    answer = post(client, code=code, redirectUri=REDIRECT_URI)
    assert (answer.status_code, answer.json()["code"]) == (400, "grant_rejected")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("invalid_grant", 400, "grant_rejected"),
        ("unauthorized_client", 400, "request_rejected"),
        ("invalid_request", 400, "request_rejected"),
        ("invalid_client", 503, "client_rejected"),
    ],
)
def test_refusal_of_cognito(client, cognito, error, status, code):
    body = json.dumps({"error": error}).encode()
    cognito.post_form = lambda *args, **kwargs: Response(status=400, body=body)
    answer = post(client, code="a", redirectUri=REDIRECT_URI)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)


def test_wrong_secret_is_logged_with_the_setting_and_without_its_value(client, cognito, caplog):
    cognito.post_form = lambda *args, **kwargs: Response(
        status=400, body=b'{"error":"invalid_client"}'
    )
    post(client, code="a", redirectUri=REDIRECT_URI)
    (record,) = [each for each in caplog.records if each.name == "accounts.api.views"]
    assert record.levelno == logging.ERROR
    assert "COGNITO_CLIENT_SECRET" in record.getMessage()
    assert provider().config.client_secret not in caplog.text


def test_cognito_that_is_down_is_503(client, cognito):
    def unavailable(*args, **kwargs):
        raise CognitoUnavailable("Cognito did not respond in time", retry_after=7)

    cognito.post_form = unavailable
    answer = post(client, code="a", redirectUri=REDIRECT_URI)
    assert (answer.status_code, answer.json()["code"]) == (503, "cognito_unavailable")
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "tokens",
    [
        lambda: (mint_access_token(), mint_id_token(forged=True)),
        lambda: (mint_access_token(), mint_id_token(foreign=True)),
        lambda: (mint_access_token(), mint_id_token(claims={"aud": "notours"})),
        lambda: (mint_access_token(), mint_access_token()),
        lambda: (mint_access_token(), mint_id_token(claims={"at_hash": "another"})),
        lambda: (mint_access_token("mallory"), mint_id_token()),
        lambda: (mint_access_token(forged=True), mint_id_token()),
    ],
    ids=["forged", "foreign", "audience", "use", "at_hash", "two-people", "access"],
)
def test_tokens_that_do_not_pass_our_checks_are_not_handed_out(client, cognito, tokens):
    access_token, id_token = tokens()
    answer = {
        "access_token": access_token,
        "id_token": id_token,
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    cognito.post_form = lambda *args, **kwargs: Response(
        status=200, body=json.dumps(answer).encode()
    )
    refused = post(client, code="a", redirectUri=REDIRECT_URI)
    assert refused.status_code == 503
    assert access_token not in refused.text
    assert not get_user_model().objects.exists()


def test_unknown_user_gets_no_tokens(client, cognito, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    code = cognito.authorize(Person("ada"))
    answer = post(client, code=code, redirectUri=REDIRECT_URI)
    assert (answer.status_code, answer.json()["code"]) == (403, "unknown_user")


def test_deactivated_person_gets_no_tokens(client, cognito, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    get_user_model().objects.update(is_active=False)
    again = cognito.authorize(Person("ada"))
    answer = post(client, code=again, redirectUri=REDIRECT_URI)
    assert (answer.status_code, answer.json()["code"]) == (403, "user_deactivated")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"[" * 5000, b"\xff"])
def test_body_that_is_no_object_is_400(client, cognito, body):
    answer = client.post(ADDRESS, body, "application/json")
    assert answer.status_code == 400
    assert {"detail", "code", "error"} <= set(answer.json())


@pytest.mark.parametrize("address", [ADDRESS, "/api/stats"])
@pytest.mark.parametrize(
    ("encoding", "is_read"),
    [
        ("utf-8", True),
        ("utf-8-sig", True),
        ("utf-16", False),
        ("utf-32", False),
        ("latin-1", False),
    ],
)
def test_json_is_utf_8_with_or_without_a_byte_order_mark(
    cognito_client, address, encoding, is_read
):
    """The same for every address that takes JSON; here each field is missing or wrong."""
    client = cognito_client("ada", groups=["admins"], session=False)
    for content_type in ("application/json", f"application/json; charset={encoding}"):
        body = '{"kpi": "é", "code": "é"}'.encode(encoding)
        answer = client.post(address, data=body, content_type=content_type)
        assert answer.status_code == 400
        assert ("fields" in answer.json()) is is_read, answer.json()


@pytest.mark.parametrize("body", [b"{}", b"{", b"[" * 5000])
def test_refused_requests_use_the_budget_up_before_their_body_is_read(
    client, limit_failed_calls, body
):
    limit_failed_calls(2)
    answers = [client.post(ADDRESS, body, "application/json") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [400, 400, 429, 429]
    assert answers[-1].json()["code"] == "throttled"
    assert answers[-1].headers["Retry-After"] == "48"
    answer = client.get("/auth/get-tokens", {"code": "a", "redirectUri": REDIRECT_URI})
    assert answer.status_code == 429


def test_exchanges_that_succeed_use_no_budget(client, cognito, limit_failed_calls):
    limit_failed_calls(1)
    for _ in range(3):
        code = cognito.authorize(Person("ada"))
        assert post(client, code=code, redirectUri=REDIRECT_URI).status_code == 200


def test_form_is_415(client, cognito):
    answer = client.post(ADDRESS, {"code": "a", "redirectUri": REDIRECT_URI})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_stale_token_does_not_stand_in_the_way(client, code):
    answer = client.post(
        ADDRESS,
        {"code": code, "redirectUri": REDIRECT_URI},
        "application/json",
        headers={"Authorization": f"Bearer {mint_access_token(expired=True)}"},
    )
    assert answer.status_code == 200


def test_code_and_tokens_stay_out_of_the_log(client, code, caplog):
    caplog.set_level(logging.DEBUG)
    answer = post(client, code=code, redirectUri=REDIRECT_URI)
    for secret in (code, *answer.json().values()):
        assert secret not in caplog.text
