"""Token exchange over HTTP with a local pool: once for all requests, and forgotten with the user.

The pool's own side is tested in tests/local_pool/test_token_exchange.py.
"""

import asyncio
import json
import pickle
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.db import connection, connections
from django.test import Client
from django.urls import include, path
from django.utils import timezone
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import authenticate_token
from accounts.cognito.token_exchange import GRANT
from accounts.core.single_flight import single_flight
from accounts.models import RefreshResult, SignIn
from accounts.sessions import sign_out
from accounts.sessions.access_tokens import on_behalf_of
from accounts.tokens import bearer, revocation_feed, shared_call
from accounts.user_tokens import (
    CognitoUnavailable,
    ExchangeRejected,
    RenewalUnavailable,
    SessionEnded,
    on_behalf_of_caller,
)
from local_pool.declarations import AUTH_FLOWS, EXCHANGE_FLOWS
from tests.accounts.pools import use_pool
from tests.local_pool.contract.target import unverified_claims

BOOKS, FILMS = "https://books.example.com", "https://films.example.com"
THREADS = 50

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls(__name__),
    pytest.mark.undocumented_responses,  # of BooksView
]


class BooksView(APIView):
    """The API of a host project, which calls another API for its caller."""

    permission_classes = (AllowAny,)

    def get(self, request):
        return Response(unverified_claims(on_behalf_of_caller(request, resource=BOOKS)))


urlpatterns = [path("api/books", BooksView.as_view()), path("", include("sso_project.urls"))]


@pytest.fixture
def pool(make_local_pool, settings):
    pool = make_local_pool(explicit_auth_flows=(*AUTH_FLOWS, *EXCHANGE_FLOWS))
    use_pool(settings, pool)
    return pool


@pytest.fixture
def browser(pool):
    browser = Client()
    assert pool.sign_in(browser, "ada").status_code == 302
    return browser


@pytest.fixture
def sign_in(browser):
    return SignIn.objects.get()


def exchanges(pool):
    return pool.counts()[f"token:{GRANT}"]


def let_results_expire():
    RefreshResult.objects.update(expires_at=timezone.now())


def books(token):
    """Call the API with this bearer token, and return the response."""
    return Client().get("/api/books", headers={"Authorization": f"Bearer {token}"})


def test_token_is_for_the_other_api_and_of_the_same_user(pool, sign_in):
    issued = unverified_claims(sign_in.on_behalf_of(resource=BOOKS, scopes=["email", "stats/read"]))
    own = unverified_claims(sign_in.access_token())
    assert (issued["aud"], issued["scope"]) == (BOOKS, "email")
    assert [issued[name] for name in ("sub", "origin_jti")] == [own["sub"], own["origin_jti"]]
    assert "aud" not in own
    named = unverified_claims(sign_in.on_behalf_of(audience="films"))
    assert (named["aud"], "act" in named) == ("films", False)
    assert exchanges(pool) == 2


def test_token_names_the_service_that_acts(pool, sign_in):
    service = pool.machine_token()
    token = sign_in.on_behalf_of(resource=BOOKS, actor_token=service)
    assert unverified_claims(token)["act"] == {"sub": pool.config.machine_client_id}


def test_token_is_exchanged_again_before_it_expires(pool, sign_in):
    first = sign_in.on_behalf_of(resource=BOOKS)
    assert sign_in.on_behalf_of(resource=BOOKS) == on_behalf_of(sign_in.pk, resource=BOOKS) == first
    remaining = RefreshResult.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=58) < remaining < timedelta(minutes=59, seconds=1)
    let_results_expire()
    assert sign_in.on_behalf_of(resource=BOOKS) != first
    assert exchanges(pool) == 2


def test_own_token_is_renewed_first_if_that_is_due(pool, sign_in):
    past = timezone.now() - timedelta(seconds=1)
    SignIn.objects.update(renew_at=past, access_expires_at=past)
    assert sign_in.on_behalf_of(resource=BOOKS)
    assert (pool.counts()["token:refresh_token"], exchanges(pool)) == (1, 1)
    # An exchanged token is valid even while the user's own one cannot be renewed.
    SignIn.objects.update(renew_at=past, access_expires_at=past)
    pool.stop()
    assert sign_in.on_behalf_of(resource=BOOKS)
    with pytest.raises(RenewalUnavailable):
        sign_in.on_behalf_of(resource=FILMS)


@pytest.fixture
def like_processes(monkeypatch):
    """Let each thread make its own calls, like the threads of several processes."""

    def own_flight(key, *, seconds):
        return single_flight((key, threading.get_ident()), seconds=seconds)

    monkeypatch.setattr(shared_call, "single_flight", own_flight)


def in_parallel(number, work):
    results, barrier = [], threading.Barrier(number)

    def call():
        barrier.wait(timeout=60)
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == number
    return set(results)


def test_parallel_requests_make_one_exchange(pool, sign_in):
    assert len(in_parallel(THREADS, lambda: sign_in.on_behalf_of(resource=BOOKS))) == 1
    assert exchanges(pool) == 1


@pytest.mark.usefixtures("like_processes")
def test_parallel_processes_make_one_exchange(pool, sign_in):
    assert len(in_parallel(8, lambda: sign_in.on_behalf_of(resource=BOOKS))) == 1
    assert exchanges(pool) == 1


def test_async_code_gets_the_token(pool, sign_in):
    async def token():
        try:
            return await sign_in.aon_behalf_of(resource=BOOKS)
        finally:  # its thread stays, and so would its connection
            await sync_to_async(connections.close_all)()

    assert asyncio.run(token()) == sign_in.on_behalf_of(resource=BOOKS)
    assert exchanges(pool) == 1


def test_token_is_encrypted_and_in_no_log_repr_or_pickle(pool, sign_in, caplog):
    caplog.set_level("DEBUG")
    payload = sign_in.on_behalf_of(resource=BOOKS).split(".")[1][:60]
    sign_in.refresh_from_db()
    rows = repr(list(RefreshResult.objects.values()))
    assert "exchange:" in rows
    assert payload not in rows + caplog.text + repr(vars(sign_in))
    assert payload.encode() not in pickle.dumps(sign_in)


def test_token_that_no_key_decrypts_is_exchanged_again(pool, sign_in):
    first = sign_in.on_behalf_of(resource=BOOKS)
    sealed = Fernet(Fernet.generate_key()).encrypt(b"{}").decode()
    RefreshResult.objects.update(sealed_result=sealed)
    assert sign_in.on_behalf_of(resource=BOOKS) != first
    assert exchanges(pool) == 2


def end_by_sign_out(browser, sign_in):
    browser.post("/accounts/logout/", headers={"Origin": "http://localhost:8000"})


def end_everywhere(browser, sign_in):
    sign_out.sign_out_everywhere(sign_in.user)


def end_by_deactivation(browser, sign_in):
    sign_in.user.is_active = False
    sign_in.user.save()


@pytest.mark.parametrize("end", [end_by_sign_out, end_everywhere, end_by_deactivation])
def test_end_of_the_sign_in_forgets_its_tokens(pool, browser, sign_in, end):
    sign_in.on_behalf_of(resource=BOOKS)
    pool.sign_in(Client(), "grace")
    other = SignIn.objects.get(user__email="grace@example.com")
    of_other = other.on_behalf_of(resource=BOOKS)
    end(browser, sign_in)
    with pytest.raises(SessionEnded):
        sign_in.on_behalf_of(resource=BOOKS)
    assert RefreshResult.objects.filter(key__startswith="exchange:").count() == 1
    assert other.on_behalf_of(resource=BOOKS) == of_other


def test_sign_out_of_one_browser_keeps_the_tokens_of_the_other(pool, browser, sign_in):
    pool.sign_in(second := Client(), "ada")
    other = SignIn.objects.exclude(pk=sign_in.pk).get()
    tokens = [item.on_behalf_of(resource=BOOKS) for item in (sign_in, other)]
    assert len(set(tokens)) == 2
    end_by_sign_out(second, other)
    assert sign_in.on_behalf_of(resource=BOOKS) == tokens[0]
    assert RefreshResult.objects.filter(key__startswith="exchange:").count() == 1


def test_sign_in_that_ended_at_cognito_is_an_exception(pool, sign_in):
    pool.sign_out_everywhere("ada")
    for _ in range(2):
        with pytest.raises(SessionEnded, match="ended at Cognito"):
            sign_in.on_behalf_of(resource=BOOKS)
    assert exchanges(pool) == 1


def test_unavailable_pool_is_called_once_for_a_moment(pool, sign_in):
    pool.faults.add("token", "503", times=20)
    for _ in range(3):
        with pytest.raises(CognitoUnavailable):
            sign_in.on_behalf_of(resource=BOOKS)
    calls = exchanges(pool)
    let_results_expire()
    pool.faults.clear()
    assert sign_in.on_behalf_of(resource=BOOKS)
    assert exchanges(pool) == calls + 1


@pytest.mark.parametrize(
    ("command", "flows", "sentence"),
    [
        ("plan lite", EXCHANGE_FLOWS, "the plan Essentials or Plus"),
        ("", EXCHANGE_FLOWS[1:], "add ALLOW_TOKEN_EXCHANGE_IMPERSONATION"),
    ],
)
def test_rejected_exchange_says_what_to_change(
    make_local_pool, settings, caplog, command, flows, sentence
):
    pool = make_local_pool(explicit_auth_flows=(*AUTH_FLOWS, *flows))
    use_pool(settings, pool)
    pool.sign_in(Client(), "ada")
    if command:
        pool.do(command)
    for _ in range(2):
        with pytest.raises(ExchangeRejected, match=sentence):
            SignIn.objects.get().on_behalf_of(resource=BOOKS)
    assert exchanges(pool) == 1
    assert [record.levelname for record in caplog.records if sentence in record.message] == [
        "ERROR"
    ]


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"resource": BOOKS, "audience": "books"},
        {"resource": "two words"},
        {"audience": "books", "scopes": "email"},
        {"audience": "books", "scopes": ["a\nb"]},
        {"audience": "b" * 257},
    ],
)
def test_malformed_target_is_an_error_of_the_caller(pool, sign_in, target):
    with pytest.raises(ValueError, match=r"must be|name either"):
        sign_in.on_behalf_of(**target)
    assert exchanges(pool) == 0


def test_api_view_acts_for_the_bearer_of_an_access_token(pool):
    tokens = pool.tokens_for("ada")
    for _ in range(2):
        response = books(tokens["access_token"])
        assert response.status_code == 200, response.content
    claims = unverified_claims(tokens["access_token"])
    assert (response.json()["sub"], response.json()["aud"]) == (claims["sub"], BOOKS)
    assert exchanges(pool) == 1
    another = pool.tokens_for("ada")["access_token"]
    assert books(another).json()["origin_jti"] != claims["origin_jti"]
    assert exchanges(pool) == 2


def test_token_with_fewer_rights_gets_no_result_of_another(pool, rf):
    token = pool.tokens_for("ada")["access_token"]
    _, claims = authenticate_token(token)
    for known in (claims, replace(claims, scopes=frozenset()), replace(claims, actors=("a",))):
        bearer.store(request := rf.get("/"), token, known)
        assert on_behalf_of_caller(request, resource=BOOKS)
    assert exchanges(pool) == 3


def test_api_view_acts_for_the_user_of_a_session(pool, browser, sign_in):
    response = browser.get("/api/books", headers={"Sec-Fetch-Site": "same-origin"})
    assert response.json()["sub"] == sign_in.subject
    assert sign_in.on_behalf_of(resource=BOOKS)
    assert exchanges(pool) == 1


def test_revoked_bearer_gets_no_token(pool):
    tokens = pool.tokens_for("ada")
    assert books(tokens["access_token"]).status_code == 200
    user = get_user_model().objects.get()
    sign_out.end_all_sign_ins(user, reason="everywhere")
    revocation_feed.reset()
    assert not RefreshResult.objects.filter(key__startswith="exchange:").exists()
    assert books(tokens["access_token"]).json()["code"] == "token_revoked"


def test_app_that_signs_out_leaves_no_token(pool):
    tokens = pool.tokens_for("ada")
    assert books(tokens["access_token"]).status_code == 200
    response = Client().post(
        "/api/auth/sign-out",
        json.dumps({"refreshToken": tokens["refresh_token"]}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert response.status_code == 204
    assert not RefreshResult.objects.filter(key__startswith="exchange:").exists()


def test_bearer_whose_sign_in_ended_at_cognito_gets_401(pool):
    token = pool.tokens_for("ada")["access_token"]
    pool.sign_out_everywhere("ada")
    response = books(token)
    assert (response.status_code, response.json()["code"]) == (401, "session_ended")


def test_machine_and_anonymous_visitor_have_no_user_to_act_for(pool):
    machine = books(pool.machine_token())
    assert machine.status_code in (401, 403)
    anonymous = Client().get("/api/books")
    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "session_ended")
