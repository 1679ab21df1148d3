"""Renewal: invisible to the user, once per expiry, and only for the same sign-in."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event

import pytest

from accounts.models import Identity, RefreshResult, SignIn
from accounts.provider.bounded_endpoint import BoundedTokenEndpoint
from accounts.tokens.storage import open_tokens
from tests.flows.sessions.conftest import (
    at_once,
    beyond_grace,
    refreshes,
    until_due,
    until_expired,
)

pytestmark = pytest.mark.django_db(transaction=True)


def cookies(visitor):
    return {name: visitor.http.cookies.get(name) for name in ("sessionid", "csrftoken")}


@pytest.mark.parametrize("time_passes", [until_due, until_expired, beyond_grace])
def test_tokens_are_renewed_without_redirect_or_new_cookies(visitor, time_passes):
    visitor.sign_in()
    visitor.get("/profile/")
    before, old = cookies(visitor), SignIn.objects.get()
    time_passes()
    response = visitor.get("/profile/")
    assert response.status_code == 200
    assert cookies(visitor) == before
    new = SignIn.objects.get()
    assert new.access_expires_at >= old.access_expires_at
    assert open_tokens(new).access_token != open_tokens(old).access_token
    assert new.origin_jti == old.origin_jti
    visitor.get("/profile/")
    assert refreshes(visitor.pool) == 1


def test_token_with_life_left_is_not_renewed(visitor):
    visitor.sign_in()
    visitor.get("/profile/")
    assert refreshes(visitor.pool) == 0


def test_form_opened_before_expiry_posts_after_it(visitor):
    visitor.sign_in()
    visitor.get("/note/")
    until_expired()
    response = visitor.post("/note/", text="a long draft")
    assert response.status_code == 200
    assert response.json()["received"] == "a long draft"
    assert refreshes(visitor.pool) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_is_checked(visitor, method):
    visitor.sign_in()
    visitor.get("/note/")
    visitor.pool.disable("ada")
    until_expired()
    headers = {"X-CSRFToken": visitor.http.cookies["csrftoken"]}
    response = visitor.http.request(
        method, f"{visitor.site}/note/", headers=headers, allow_redirects=False, timeout=60
    )
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/")


def test_ten_tabs_after_expiry_make_one_call_and_all_work(visitor):
    visitor.sign_in()
    until_expired()
    visitor.pool.faults.add("token", "slow", seconds=0.3, times=1)
    responses = at_once(*[lambda: visitor.get("/profile/")] * 10)
    assert [response.status_code for response in responses] == [200] * 10
    assert refreshes(visitor.pool) == 1


def test_good_token_never_waits_for_another_requests_renewal(visitor, monkeypatch):
    visitor.sign_in()
    until_due()
    refresh, others_are_done = BoundedTokenEndpoint.refresh, Event()

    def refresh_last(*arguments, **options):
        assert others_are_done.wait(120)
        return refresh(*arguments, **options)

    monkeypatch.setattr(BoundedTokenEndpoint, "refresh", refresh_last)
    with ThreadPoolExecutor(6) as threads:
        done = as_completed([threads.submit(visitor.get, "/profile/") for _ in range(6)], 60)
        try:
            assert {next(done).result().status_code for _ in range(5)} == {200}
            assert refreshes(visitor.pool) == 0
        finally:
            others_are_done.set()
        assert next(done).result().status_code == 200
    assert refreshes(visitor.pool) == 1


class TestRotation:
    @pytest.fixture
    def pool_settings(self):
        return {"rotate_refresh_tokens": True, "refresh_grace_seconds": 0}

    def test_without_grace_no_session_ends(self, visitor):
        visitor.sign_in()
        used = [open_tokens(SignIn.objects.get()).refresh_token]
        for round_ in range(3):
            until_expired()
            responses = at_once(*[lambda: visitor.get("/profile/")] * 8)
            assert [response.status_code for response in responses] == [200] * 8
            assert refreshes(visitor.pool) == round_ + 1
            used.append(open_tokens(SignIn.objects.get()).refresh_token)
        assert len(set(used)) == 4

    def test_successor_is_kept_when_the_tokens_that_came_with_it_are_not(self, visitor):
        visitor.sign_in()
        until_due()
        visitor.pool.faults.add("id-token", "wrong-key", times=1)
        assert visitor.get("/profile/").status_code == 200
        beyond_grace()
        assert visitor.get("/profile/").status_code == 200
        assert SignIn.objects.get().ended_at is None


def test_answer_without_a_refresh_token_keeps_the_old_one(visitor):
    visitor.sign_in()
    first = open_tokens(SignIn.objects.get()).refresh_token
    for _ in range(2):
        until_expired()
        assert visitor.get("/profile/").status_code == 200
    assert open_tokens(SignIn.objects.get()).refresh_token == first
    assert refreshes(visitor.pool) == 2


def test_groups_and_profile_follow_the_renewed_token(visitor):
    visitor.sign_in()
    assert "admins" in visitor.get("/profile/").text
    visitor.pool.set_groups("ada", "editors")
    until_expired()
    page = visitor.get("/profile/").text
    assert "editors" in page
    assert ">admins<" not in page
    assert Identity.objects.get().groups == ["editors"]


@pytest.mark.parametrize("removal", ["disable", "delete", "sign_out_everywhere"])
def test_user_disabled_at_the_pool_must_sign_in_again(visitor, removal):
    visitor.sign_in()
    getattr(visitor.pool, removal)("ada")
    assert visitor.get("/profile/").status_code == 200  # the lifetime of the access token
    until_due()
    response = visitor.get("/profile/?tab=1")
    assert response.status_code == 302
    assert response.headers["Location"] == "/accounts/login/?next=/profile/%3Ftab%3D1"
    sign_in = SignIn.objects.get()
    assert (sign_in.end_reason, sign_in.sealed_tokens) == ("refused", "")


def test_form_sent_after_the_session_ended_leads_back_to_its_page(visitor):
    visitor.sign_in()
    visitor.get("/note/")
    visitor.pool.disable("ada")
    until_expired()
    response = visitor.http.post(
        f"{visitor.site}/note/",
        {"csrfmiddlewaretoken": visitor.http.cookies["csrftoken"], "text": "draft"},
        headers={"Referer": f"{visitor.site}/note/?draft=7"},
        allow_redirects=False,
        timeout=60,
    )
    assert response.headers["Location"] == "/accounts/login/?next=%2Fnote%2F%3Fdraft%3D7"


def test_grant_refused_because_another_process_won_uses_its_result(visitor, monkeypatch):
    """The lease expired while we waited for Cognito, and another process renewed."""
    from accounts.cognito.errors import GrantRejected
    from accounts.sessions import renewal

    visitor.sign_in()
    until_expired()
    sign_in = SignIn.objects.get()
    endpoint = renewal.provider().token_endpoint
    refresh = endpoint.refresh

    def overtaken(refresh_token, **options):
        monkeypatch.setattr(endpoint, "refresh", refresh)
        monkeypatch.setattr(renewal, "MAX_WAIT_SECONDS", 0.1)  # threads of one process wait for us
        RefreshResult.objects.update(lease_until=sign_in.signed_in_at)
        assert visitor.get("/profile/").status_code == 200
        raise GrantRejected("used by somebody else", error="invalid_grant")

    monkeypatch.setattr(endpoint, "refresh", overtaken)
    fresh = renewal.renew_if_due(sign_in)
    assert fresh is not None
    assert fresh.version > sign_in.version
    assert SignIn.objects.get().ended_at is None


@pytest.mark.parametrize(
    ("column", "value"),
    [("subject", "somebody-else"), ("auth_time", 1), ("issuer", "https://x"), ("client_id", "x")],
)
def test_renewed_token_of_another_sign_in_is_not_taken(visitor, column, value):
    visitor.sign_in()
    SignIn.objects.update(**{"pool_id": "", column: value})
    beyond_grace()
    assert visitor.get("/accounts/logout/").status_code == 200
    assert visitor.get("/profile/").headers["Location"] == "/accounts/login/?next=/profile/"
    assert SignIn.objects.get().end_reason == "unverified"
    returned = visitor.sign_in(next_page="/profile/")
    assert returned.headers["Location"] == "/profile/"
    assert visitor.is_signed_in
