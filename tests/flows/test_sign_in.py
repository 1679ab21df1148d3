"""Sign-in through the hosted UI over HTTP."""

import base64
import hashlib
import re

import pytest
import requests

from accounts.models import Identity, SignIn, User
from accounts.tokens.storage import open_tokens
from tests.flows.conftest import live_sign_ins, query_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_user_requests_a_page_and_gets_it_after_sign_in(visitor):
    response = visitor.get("/profile/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=/profile/"
    response = visitor.sign_in("ada", next_page="/profile/")
    assert response.status_code == 302
    assert response.headers["Location"] == "/profile/"
    page = visitor.get("/profile/").text
    for expected in ("Ada Lovelace", "ada@example.com", "admins", visitor.pool.client_id):
        assert expected in page


def test_sign_in_leads_to_the_dashboard_by_default(visitor):
    assert visitor.sign_in().headers["Location"] == "/dashboard/"
    assert visitor.get("/dashboard/").status_code == 200


def test_authorize_request_carries_pkce_state_nonce_and_our_callback(visitor, site):
    address = visitor.start()
    query = query_of(address)
    assert address.startswith(f"{visitor.pool.url}/oauth2/authorize?")
    assert query["response_type"] == "code"
    assert query["redirect_uri"] == f"{site}/signin"
    assert query["scope"] == "openid email profile"
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 43
    assert len(query["nonce"]) >= 43


def test_callback_url_does_not_use_the_host_header(visitor, site, settings):
    settings.ALLOWED_HOSTS = ["*"]
    response = visitor.get("/accounts/login/", headers={"Host": "evil.example"})
    assert query_of(response.headers["Location"])["redirect_uri"] == f"{site}/signin"


def test_create_account_leads_to_the_sign_up_page(visitor):
    address = visitor.get("/accounts/signup/").headers["Location"]
    assert address.startswith(f"{visitor.pool.url}/signup?")
    assert query_of(address)["client_id"] == visitor.pool.client_id


def test_session_id_changes_at_sign_in(visitor):
    visitor.get("/accounts/login/?next=/profile/")
    visitor.http.cookies.set(
        "sessionid", "fixed-by-an-attacker-0123456789", domain="localhost.local"
    )
    visitor.sign_in()
    first = visitor.http.cookies.get("sessionid", domain="localhost.local")
    assert first != "fixed-by-an-attacker-0123456789"
    visitor.get(visitor.callback(visitor.get("/accounts/login/?another=1").headers["Location"]))
    second = visitor.http.cookies.get("sessionid", domain="localhost.local")
    assert second != first
    assert visitor.is_signed_in


def test_only_one_call_to_the_provider_once_keys_are_known(visitor, new_visitor):
    visitor.sign_in("ada")
    before = visitor.pool.counts()
    new_visitor().sign_in("grace")
    after = visitor.pool.counts()
    made = {name: after[name] - before[name] for name in after if after[name] > before[name]}
    browser = {name: made.pop(name, 0) for name in ("authorize", "login")}
    assert browser == {"authorize": 1, "login": 2}
    assert made == {"token": 1, "token:authorization_code": 1}  # one call, counted under two names


def test_second_sign_in_finds_the_same_user(visitor, new_visitor):
    visitor.sign_in("ada")
    new_visitor().sign_in("ada")
    assert User.objects.count() == 1
    assert Identity.objects.count() == 1
    assert live_sign_ins() == 2


def test_name_and_email_follow_the_pool_at_each_sign_in(visitor, new_visitor):
    visitor.sign_in("ada")
    User.objects.update(email="old@example.com", first_name="Old", last_name="Name")
    Identity.objects.update(email="old@example.com", name="Old Name")
    new_visitor().sign_in("ada")
    assert User.objects.get().email == "ada@example.com"
    assert User.objects.get().get_full_name() == "Ada Lovelace"
    assert Identity.objects.get().email == "ada@example.com"


def test_user_with_the_same_email_is_not_taken_over(visitor):
    stranger = User.objects.create_user("existing", email="ada@example.com")
    visitor.sign_in("ada")
    assert Identity.objects.get().user != stranger
    assert User.objects.count() == 2


def test_username_is_generated_and_not_the_pools(visitor):
    User.objects.create_user("ada")
    visitor.sign_in("ada")
    assert Identity.objects.get().user.username.startswith("user-")


def test_tokens_are_encrypted_in_the_row_and_absent_from_the_session(visitor):
    visitor.sign_in()
    sign_in = SignIn.objects.get()
    tokens = open_tokens(sign_in)
    stored_tokens = (tokens.access_token, tokens.id_token, tokens.refresh_token)
    parts = [part for token in stored_tokens for part in token.split(".") if part]
    assert len(parts) >= 7
    assert sign_in.sealed_tokens.startswith("gAAAA")
    assert not any(part in sign_in.sealed_tokens for part in parts)
    session_cookie = visitor.http.cookies.get("sessionid", domain="localhost.local")
    from django.contrib.sessions.backends.db import SessionStore

    content = dict(SessionStore(session_cookie).items())
    assert content["sign_in"] == sign_in.key
    assert not any(part in str(content) for part in parts)
    assert all(len(str(value)) < 200 for value in content.values())


def test_sign_in_is_stored_with_its_details(visitor):
    visitor.http.headers["User-Agent"] = "Story/1.0"
    visitor.sign_in()
    sign_in = SignIn.objects.get()
    assert sign_in.issuer == visitor.pool.issuer
    assert sign_in.client_id == visitor.pool.client_id
    assert sign_in.origin_jti
    assert sign_in.device == "Story/1.0"
    assert sign_in.ip_address == "127.0.0.1"
    assert 3500 < (sign_in.access_expires_at - sign_in.signed_in_at).total_seconds() <= 3600


def test_ten_tabs_started_at_once_all_end_where_they_began(visitor):
    starts = [visitor.start(f"/dashboard/?tab={number}") for number in range(10)]
    for number, start in enumerate(starts):
        response = visitor.get(visitor.callback(start))
        assert response.headers["Location"] == f"/dashboard/?tab={number}"
    assert visitor.is_signed_in
    assert live_sign_ins() == 1


def test_reloading_the_callback_goes_on_to_the_page(visitor):
    callback = visitor.callback(visitor.start("/server/"))
    visitor.get(callback)
    before = visitor.pool.counts()["token"]
    response = visitor.get(callback)
    assert (response.status_code, response.headers["Location"]) == (302, "/server/")
    assert visitor.pool.counts()["token"] == before


def test_reloading_the_callback_after_sign_out_starts_a_new_attempt(visitor):
    callback = visitor.callback(visitor.start("/server/"))
    visitor.get(callback)
    visitor.sign_out()
    response = visitor.get(callback)
    assert response.headers["Location"].startswith(f"{visitor.pool.url}/oauth2/authorize?")
    response = visitor.get(visitor.callback(response.headers["Location"]))
    assert response.headers["Location"] == "/server/"


def test_browser_without_cookies_gets_a_page_and_no_redirect_loop(visitor, site):
    def without_cookies(address):
        return requests.get(address, allow_redirects=False, timeout=60)

    start = without_cookies(f"{site}/accounts/login/").headers["Location"]
    first = without_cookies(visitor.callback(start))
    assert first.status_code == 302
    second = without_cookies(visitor.callback(first.headers["Location"]))
    assert second.status_code == 400
    assert "allow cookies" in second.text


def test_callback_of_another_browser_signs_no_user_in(visitor, new_visitor):
    callback = visitor.callback(visitor.start())
    victim = new_visitor()
    response = victim.get(callback)
    assert response.headers["Location"].startswith(victim.pool.url)
    assert not victim.is_signed_in
    assert live_sign_ins() == 0


@pytest.mark.parametrize("query", ["error=access_denied", "error=x&state=y", "code=a&state=b", ""])
def test_foreign_callback_ends_no_session(visitor, query):
    visitor.sign_in()
    response = visitor.get(f"/signin?{query}")
    assert (response.status_code, response.headers["Location"]) == (302, "/dashboard/")
    assert visitor.is_signed_in


def test_error_of_an_own_attempt_leaves_the_session_as_it_was(visitor):
    visitor.sign_in()
    start = visitor.get("/accounts/login/?another=1").headers["Location"]
    response = visitor.get(f"/signin?error=access_denied&state={query_of(start)['state']}")
    assert response.status_code == 400
    assert visitor.is_signed_in


def test_another_user_in_the_same_browser_replaces_the_first(visitor):
    visitor.sign_in("ada")
    start = visitor.get("/accounts/login/?another=1").headers["Location"]
    assert query_of(start)["prompt"] == "login"
    visitor.http.cookies.clear(domain="localhost.local", path="/", name="cognito")
    visitor.get(visitor.callback(start, "grace"))
    assert "Grace Hopper" in visitor.get("/profile/").text
    assert live_sign_ins() == 1
    assert SignIn.objects.get(ended_at=None).user.email == "grace@example.com"


def test_attempt_log_contains_the_steps_and_no_secret(visitor, caplog):
    caplog.set_level("INFO")
    start = visitor.start("/server/")
    callback = visitor.callback(start)
    visitor.get(callback)
    visitor.sign_out()
    reference = hashlib.sha256(query_of(start)["state"].encode()).hexdigest()[:8]
    messages = [
        record.getMessage() for record in caplog.records if record.name == "accounts.sign_in"
    ]
    steps = [line.split("  ")[1] for line in messages if line.startswith(reference)]
    assert steps == ["authorize", "callback", "token", "signed_in", "signed_out"]
    secrets = [query_of(callback)["code"], query_of(start)["state"], query_of(start)["nonce"]]
    secrets += [visitor.pool.client_secret, "Cognito-demo-1"]
    assert not any(secret in caplog.text for secret in secrets)
    assert not re.search(r"eyJ[\w-]+\.", caplog.text)


def test_pkce_challenge_is_the_hash_of_what_the_token_call_sends(visitor, monkeypatch):
    from accounts.provider import provider

    sent = {}
    endpoint = provider().token_endpoint
    exchange = endpoint.exchange

    def spy(**kwargs):
        sent.update(kwargs)
        return exchange(**kwargs)

    monkeypatch.setattr(endpoint, "exchange", spy)
    start = visitor.start()
    visitor.get(visitor.callback(start))
    digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert challenge == query_of(start)["code_challenge"]
