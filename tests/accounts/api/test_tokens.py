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
from accounts.testing.fake import FakeUser

pytestmark = pytest.mark.django_db

URL = "/api/auth/get-tokens"
REDIRECT_URI = "http://localhost:3000/signin"


@pytest.fixture(autouse=True)
def _empty_cache():
    cache.clear()


@pytest.fixture
def code(cognito):
    return cognito.authorize(FakeUser("ada", name="Ada Lovelace"))


def post(client, url=URL, **data):
    return client.post(url, data, "application/json")


def test_code_is_exchanged_for_three_tokens(client, code):
    response = post(client, code=code, redirectUri=REDIRECT_URI)
    assert response.status_code == 200
    assert set(response.json()) == {"accessToken", "refreshToken", "idToken"}
    assert all(response.json().values())
    assert response.headers["Cache-Control"] == "no-store"


def test_user_is_created_with_name_and_email(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    identity = Identity.objects.get()
    assert (identity.name, identity.email) == ("Ada Lovelace", "ada@example.com")


def test_exchange_is_recorded_in_the_audit_log(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    event = SignInEvent.objects.get(kind="signed_in")
    assert (event.pool_username, event.details["by"], event.ip_address) == (
        "ada",
        "API",
        "127.0.0.1",
    )


def test_exchange_starts_no_session(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    assert "sessionid" not in client.cookies


def test_pkce_verifier_is_passed_on(client, cognito, code):
    sent = []
    original = cognito.post_form

    def post_form(url, fields, **options):
        sent.append(fields)
        return original(url, fields, **options)

    cognito.post_form = post_form
    post(client, code=code, redirectUri=REDIRECT_URI, codeVerifier="v" * 43)
    assert sent[0]["code_verifier"] == "v" * 43
    assert sent[0]["redirect_uri"] == REDIRECT_URI


@pytest.mark.parametrize(
    "verifier", [{}, {"codeVerifier": ""}, {"codeVerifier": None}], ids=["none", "empty", "null"]
)
def test_code_without_verifier_is_400_if_pkce_is_required(
    client, cognito, code, settings, verifier
):
    settings.SPA_COMPAT = False
    response = post(client, code=code, redirectUri=REDIRECT_URI, **verifier)
    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert list(response.json()["fields"]) == ["codeVerifier"]
    assert "code_challenge" in response.json()["detail"]
    assert "SPA_COMPAT=1" in response.json()["detail"]
    assert cognito.calls == []


def test_code_with_verifier_is_exchanged_if_pkce_is_required(client, code, settings):
    settings.SPA_COMPAT = False
    response = post(client, code=code, redirectUri=REDIRECT_URI, codeVerifier="v" * 43)
    assert response.status_code == 200


@pytest.mark.parametrize("compat", [True, False])
@pytest.mark.parametrize("length", [42, 43, 128, 129])
def test_verifier_has_43_to_128_characters(client, cognito, settings, compat, length):
    settings.SPA_COMPAT = compat
    response = post(client, code="a", redirectUri=REDIRECT_URI, codeVerifier="v" * length)
    invalid_fields = response.json().get("fields", {})
    assert ("codeVerifier" not in invalid_fields) is (43 <= length <= 128)


@pytest.mark.parametrize("character", ["+", "/", "=", " ", "\n", "%", "é", "\u0000", "\ud800"])
def test_verifier_with_invalid_characters_is_400(client, cognito, character):
    for verifier in ("v" * 42 + character, "v" * 43 + character):
        response = post(client, code="a", redirectUri=REDIRECT_URI, codeVerifier=verifier)
        assert response.status_code == 400
        assert list(response.json()["fields"]) == ["codeVerifier"]
    assert cognito.calls == []


@pytest.mark.parametrize("url", ["/auth/get-tokens", URL])
def test_original_ui_sends_get_requests(client, code, url):
    response = client.get(url, {"code": code, "redirectUri": REDIRECT_URI})
    assert response.status_code == 200
    assert response.json()["accessToken"]


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
def test_error_names_the_invalid_field(client, cognito, data, field):
    response = post(client, **data)
    assert response.status_code == 400
    assert list(response.json()["fields"]) == [field]
    assert response.json()["detail"].startswith(f"{field}: ")
    assert cognito.calls == []


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "https://evil.example/signin",
        "http://localhost:3000/signin/",
        "http://localhost:3000/signin?next=/",
        "HTTP://localhost:3000/signin",
        "http://localhost:8000/signin",  # the callback of this site
    ],
)
def test_unlisted_redirect_uri_is_refused(client, cognito, code, redirect_uri):
    response = post(client, code=code, redirectUri=redirect_uri)
    assert (response.status_code, response.json()["code"]) == (400, "redirect_uri_not_allowed")
    assert cognito.calls == []


def test_code_used_twice_is_400(client, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    response = post(client, code=code, redirectUri=REDIRECT_URI)
    assert (response.status_code, response.json()["code"]) == (400, "grant_rejected")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        ("invalid_grant", 400, "grant_rejected"),
        ("unauthorized_client", 400, "request_rejected"),
        ("invalid_request", 400, "request_rejected"),
        ("invalid_client", 503, "client_rejected"),
    ],
)
def test_error_of_cognito_has_its_own_status_and_code(client, cognito, error, status, code):
    body = json.dumps({"error": error}).encode()
    cognito.post_form = lambda *args, **kwargs: Response(status=400, body=body)
    response = post(client, code="a", redirectUri=REDIRECT_URI)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert "Retry-After" not in response.headers  # another try cannot help
    assert "try again" not in response.text.lower()


def test_wrong_secret_is_logged_with_the_setting_and_without_its_value(client, cognito, caplog):
    cognito.post_form = lambda *args, **kwargs: Response(
        status=400, body=b'{"error":"invalid_client"}'
    )
    post(client, code="a", redirectUri=REDIRECT_URI)
    (record,) = [record for record in caplog.records if record.name == "accounts.api.views"]
    assert record.levelno == logging.ERROR
    assert "COGNITO_CLIENT_SECRET" in record.getMessage()
    assert provider().config.client_secret not in caplog.text


def test_cognito_outage_is_503(client, cognito):
    def unavailable(*args, **kwargs):
        raise CognitoUnavailable("Cognito did not respond in time", retry_after=7)

    cognito.post_form = unavailable
    response = post(client, code="a", redirectUri=REDIRECT_URI)
    assert (response.status_code, response.json()["code"]) == (503, "cognito_unavailable")
    assert response.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    "mint",
    [
        lambda: (mint_access_token(), mint_id_token(forged=True)),
        lambda: (mint_access_token(), mint_id_token(foreign=True)),
        lambda: (mint_access_token(), mint_id_token(claims={"aud": "notours"})),
        lambda: (mint_access_token(), mint_access_token()),
        lambda: (mint_access_token(), mint_id_token(claims={"at_hash": "another"})),
        lambda: (mint_access_token("mallory"), mint_id_token()),
        lambda: (mint_access_token(forged=True), mint_id_token()),
    ],
    ids=["forged", "foreign", "audience", "use", "at_hash", "two-users", "access"],
)
def test_tokens_that_fail_verification_are_not_returned(client, cognito, mint):
    access_token, id_token = mint()
    tokens = {
        "access_token": access_token,
        "id_token": id_token,
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    cognito.post_form = lambda *args, **kwargs: Response(
        status=200, body=json.dumps(tokens).encode()
    )
    response = post(client, code="a", redirectUri=REDIRECT_URI)
    assert response.status_code == 503
    assert access_token not in response.text
    assert not get_user_model().objects.exists()


def test_unknown_user_gets_no_tokens(client, cognito, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    code = cognito.authorize(FakeUser("ada"))
    response = post(client, code=code, redirectUri=REDIRECT_URI)
    assert (response.status_code, response.json()["code"]) == (403, "unknown_user")


def test_deactivated_user_gets_no_tokens(client, cognito, code):
    post(client, code=code, redirectUri=REDIRECT_URI)
    get_user_model().objects.update(is_active=False)
    again = cognito.authorize(FakeUser("ada"))
    response = post(client, code=again, redirectUri=REDIRECT_URI)
    assert (response.status_code, response.json()["code"]) == (403, "user_deactivated")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"[" * 5000, b"\xff"])
@pytest.mark.usefixtures("no_garbage_collection")
def test_body_that_is_not_an_object_is_400(client, cognito, body):
    response = client.post(URL, body, "application/json")
    assert response.status_code == 400
    assert {"detail", "code", "error"} <= set(response.json())


@pytest.mark.parametrize("url", [URL, "/api/stats"])
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
def test_json_is_utf_8_with_or_without_a_byte_order_mark(cognito_client, url, encoding, is_read):
    """This applies to every URL that accepts JSON. Each body here has an invalid field."""
    client = cognito_client("ada", groups=["admins"], session=False)
    for content_type in ("application/json", f"application/json; charset={encoding}"):
        body = '{"kpi": "é", "code": "é"}'.encode(encoding)
        response = client.post(url, data=body, content_type=content_type)
        assert response.status_code == 400
        assert ("fields" in response.json()) is is_read, response.json()


@pytest.mark.parametrize("body", [b"{}", b"{", b"[" * 5000])
@pytest.mark.usefixtures("no_garbage_collection")
def test_refused_requests_use_the_budget_before_the_body_is_read(client, limit_failed_calls, body):
    limit_failed_calls(2)
    responses = [client.post(URL, body, "application/json") for _ in range(4)]
    assert [response.status_code for response in responses] == [400, 400, 429, 429]
    assert responses[-1].json()["code"] == "throttled"
    assert responses[-1].headers["Retry-After"] == "48"
    response = client.get("/auth/get-tokens", {"code": "a", "redirectUri": REDIRECT_URI})
    assert response.status_code == 429


def test_successful_exchanges_use_no_budget(client, cognito, limit_failed_calls):
    limit_failed_calls(1)
    for _ in range(3):
        code = cognito.authorize(FakeUser("ada"))
        assert post(client, code=code, redirectUri=REDIRECT_URI).status_code == 200


def test_form_is_415(client, cognito):
    response = client.post(URL, {"code": "a", "redirectUri": REDIRECT_URI})
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_expired_access_token_in_the_request_is_ignored(client, code):
    response = client.post(
        URL,
        {"code": code, "redirectUri": REDIRECT_URI},
        "application/json",
        headers={"Authorization": f"Bearer {mint_access_token(expired=True)}"},
    )
    assert response.status_code == 200


def test_code_and_tokens_are_not_logged(client, code, caplog):
    caplog.set_level(logging.DEBUG)
    response = post(client, code=code, redirectUri=REDIRECT_URI)
    for secret in (code, *response.json().values()):
        assert secret not in caplog.text
