"""Sign-out: here, at the provider, and for the tokens."""

import pytest

from accounts.models import SignIn, SignInEvent
from accounts.sessions import sign_out
from accounts.tokens.storage import open_tokens
from tests.flows.conftest import live_sign_ins, query_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_sign_out_ends_the_session_and_goes_through_the_pool(visitor, site):
    visitor.sign_in()
    response = visitor.sign_out()
    assert response.status_code == 302
    address = response.headers["Location"]
    assert address.startswith(f"{visitor.pool.url}/logout?")
    assert query_of(address) == {
        "client_id": visitor.pool.client_id,
        "logout_uri": f"{site}/signout",
    }
    assert not visitor.is_signed_in
    assert live_sign_ins() == 0
    back = visitor.http.get(address, allow_redirects=False, timeout=60)
    assert back.headers["Location"] == f"{site}/signout"
    assert "You're signed out here and at" in visitor.get("/signout").text.replace("&#x27;", "'")


def test_next_sign_in_requires_the_password(visitor):
    visitor.sign_in()
    address = visitor.sign_out().headers["Location"]
    visitor.http.get(address, allow_redirects=False, timeout=60)
    page = visitor.http.get(visitor.start(), timeout=60)
    assert 'name="password"' in page.text


def test_refresh_token_is_revoked_and_erased(visitor):
    visitor.sign_in()
    refresh_token = open_tokens(SignIn.objects.get()).refresh_token
    visitor.sign_out()
    sign_in = SignIn.objects.get()
    assert sign_in.sealed_tokens == ""
    assert sign_in.end_reason == "signed_out"
    response = visitor.http.post(
        f"{visitor.pool.url}/oauth2/token",
        data={"grant_type": "refresh_token", "refresh_token": refresh_token},
        auth=(visitor.pool.client_id, visitor.pool.client_secret),
        timeout=60,
    )
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


def test_sign_out_without_the_csrf_token_is_refused(visitor):
    visitor.sign_in()
    visitor.http.cookies.pop("csrftoken", None)
    assert visitor.post("/accounts/logout/").status_code == 403
    assert visitor.is_signed_in


def test_sign_out_works_if_the_pool_is_unreachable(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    visitor.pool.stop()
    response = visitor.post("/accounts/logout/")
    assert response.headers["Location"].startswith("/signout?")
    assert not visitor.is_signed_in
    assert live_sign_ins() == 0


def test_old_session_cookie_stays_invalid(visitor, new_visitor):
    visitor.sign_in()
    thief = new_visitor()
    thief.http.cookies.update(visitor.http.cookies)
    assert thief.is_signed_in
    visitor.sign_out()
    assert not thief.is_signed_in


def test_sign_in_ended_elsewhere_signs_the_browser_out(visitor):
    visitor.sign_in()
    sign_out.end_sign_in(SignIn.objects.get(), reason=SignIn.EndReason.SIGNED_OUT)
    assert not visitor.is_signed_in


def test_one_browser_signs_out_and_the_other_stays(visitor, new_visitor):
    other = new_visitor()
    visitor.sign_in("ada")
    other.sign_in("ada")
    visitor.sign_out()
    assert other.is_signed_in


def test_signed_out_page_needs_no_session(visitor):
    assert visitor.get("/signout").status_code == 200


def test_audit_event_has_the_ip_address_of_the_sign_out(visitor):
    visitor.http.headers["User-Agent"] = "Story/1.0"
    visitor.sign_in()
    visitor.sign_out()
    event = SignInEvent.objects.get(kind="signed_out")
    assert (event.ip_address, event.device, event.details.get("by")) == (
        "127.0.0.1",
        "Story/1.0",
        None,
    )
