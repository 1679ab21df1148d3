"""Failed sign-ins: the error pages, and that no session is left."""

from functools import partial

import jwt
import pytest
from django.contrib.auth.models import AnonymousUser

from accounts.cognito.errors import ClientRejected
from accounts.models import Identity, SignIn, SignInEvent, User
from accounts.problems.page import render_problem
from accounts.provider import factory as provider_module
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)


def assert_not_signed_in(visitor):
    assert not visitor.is_signed_in
    assert SignIn.objects.count() == 0


@pytest.fixture
def impatient(monkeypatch, settings):
    """Set the timeout for Cognito to half a second."""
    hasty = partial(
        provider_module.Transport, connect_seconds=0.3, read_seconds=0.3, total_seconds=0.5
    )
    monkeypatch.setattr(provider_module, "new_transport", hasty)
    provider_module.provider.cache_clear()
    yield
    provider_module.provider.cache_clear()


@pytest.mark.parametrize("kind", ["500", "503", "429", "garbage", "empty", "close", "slow"])
def test_unavailable_pool_gives_503_and_a_link(visitor, impatient, kind):
    callback = visitor.callback(visitor.start("/profile/"))
    visitor.pool.faults.add("token", kind, seconds=2)
    response = visitor.get(callback)
    assert response.status_code == 503
    assert "can&#x27;t be reached" in response.text
    assert "Try again" in response.text
    assert "/accounts/login/?next=%2Fprofile%2F" in response.text
    assert int(response.headers["Retry-After"]) > 0
    assert_not_signed_in(visitor)


def test_outage_of_the_pool_is_one_log_line(visitor, impatient, caplog):
    callback = visitor.callback(visitor.start("/profile/"))
    visitor.pool.faults.add("token", "503")
    caplog.clear()
    assert visitor.get(callback).status_code == 503
    assert [record.name for record in caplog.records if "refused" in record.getMessage()] == [
        "accounts.sign_in"
    ]
    assert "django.request" not in {record.name for record in caplog.records}


def test_after_an_outage_try_again_works(visitor, impatient):
    callback = visitor.callback(visitor.start("/server/"))
    visitor.pool.stop()
    assert visitor.get(callback).status_code == 503
    visitor.pool.start()
    assert visitor.sign_in(next_page="/server/").headers["Location"] == "/server/"


def test_unavailable_key_set_is_an_outage(visitor, impatient):
    visitor.pool.faults.add("jwks", "503")
    assert visitor.sign_in().status_code == 503
    assert_not_signed_in(visitor)


def test_wrong_client_secret_is_logged_with_its_setting(visitor, settings, caplog):
    callback = visitor.callback(visitor.start())
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": "not-the-secret-of-this-client"}
    response = visitor.get(callback)
    assert response.status_code == 503
    assert "You did nothing wrong" in response.text
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "COGNITO_CLIENT_SECRET" in errors[0].getMessage()
    assert "not-the-secret-of-this-client" not in caplog.text + response.text
    assert_not_signed_in(visitor)


def test_in_development_the_page_shows_the_command_that_repairs(visitor, settings):
    callback = visitor.callback(visitor.start())
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": "not-the-secret-of-this-client"}
    settings.DEBUG = True
    assert "make reset &amp;&amp; make run" in visitor.get(callback).text


def test_in_development_with_an_own_pool_the_page_shows_how_to_find_the_mistake(rf, settings):
    settings.COGNITO = {
        **settings.COGNITO,
        "POOL_ID": "eu-west-1_AbCdEf123",
        "CLIENT_DOMAIN": "my-team",
        "ISSUER": "",
    }
    settings.DEBUG = True
    request = rf.get("/signin")
    request.user = AnonymousUser()
    page = render_problem(request, ClientRejected("no", error="invalid_client"))
    assert "python manage.py dev cognito_doctor" in page.content.decode()


def test_in_production_no_command_is_shown(visitor, settings):
    callback = visitor.callback(visitor.start())
    settings.COGNITO = {**settings.COGNITO, "CLIENT_SECRET": "not-the-secret-of-this-client"}
    assert "make reset" not in visitor.get(callback).text


def test_unregistered_redirect_url_is_a_configuration_error(visitor, settings, caplog):
    callback = visitor.callback(visitor.start())
    settings.COGNITO = {**settings.COGNITO, "PUBLIC_URL": "http://localhost:1"}
    assert visitor.get(callback).status_code == 503
    assert "PUBLIC_URL" in caplog.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("error=access_denied", "canceled"),
        ("error=invalid_request&error_description=User+is+not+enabled.", "disabled"),
        ("error=server_error", "internal error"),
        ("error=something_new&error_description=<script>alert(1)</script>", "no known reason"),
    ],
)
def test_refusal_of_the_provider_is_explained(visitor, query, words, caplog):
    state = query_of(visitor.start("/profile/"))["state"]
    response = visitor.get(f"/signin?{query}&state={state}")
    assert response.status_code == 400
    assert words in response.text
    assert "<script>alert" not in response.text
    assert "alert(1)" not in response.text
    assert "error_description" not in query or "said=" in caplog.text
    assert_not_signed_in(visitor)


def test_user_disabled_between_password_and_code_is_refused(visitor):
    callback = visitor.callback(visitor.start())
    visitor.pool.disable("ada")
    again = visitor.get(callback).headers["Location"]
    assert again.startswith(visitor.pool.url)
    assert_not_signed_in(visitor)


TAMPERED = [
    ("id-token", "wrong-key"),
    ("id-token", "unknown-key"),
    ("id-token", "wrong-issuer"),
    ("id-token", "wrong-audience"),
    ("id-token", "wrong-token-use"),
    ("id-token", "wrong-nonce"),
    ("id-token", "expired"),
    ("id-token", "missing-nonce"),
    ("id-token", "missing-sub"),
    ("id-token", "missing-exp"),
    ("access-token", "wrong-key"),
    ("access-token", "wrong-audience"),
    ("access-token", "expired"),
]


@pytest.mark.parametrize(("which", "how"), TAMPERED)
def test_forged_or_foreign_tokens_sign_no_user_in(visitor, caplog, which, how):
    visitor.pool.faults.add(which, how, times=1)
    response = visitor.sign_in()
    assert response.status_code == 400
    assert "couldn&#x27;t verify" in response.text
    assert_not_signed_in(visitor)
    assert Identity.objects.count() == User.objects.count() == 0
    refusals = [r.getMessage() for r in caplog.records if "refused" in r.getMessage()]
    assert len(refusals) == 1
    assert "why=" in refusals[0]


def test_unsigned_id_token_signs_no_user_in(visitor, monkeypatch):
    endpoint = provider_module.provider().token_endpoint
    exchange = endpoint.exchange

    def unsigned(**kwargs):
        tokens = exchange(**kwargs)
        claims = jwt.decode(tokens.id_token, options={"verify_signature": False})
        object.__setattr__(tokens, "id_token", jwt.encode(claims, "", algorithm="none"))
        return tokens

    monkeypatch.setattr(endpoint, "exchange", unsigned)
    assert visitor.sign_in().status_code == 400
    assert_not_signed_in(visitor)


def test_code_that_is_refused_twice_gives_a_page_with_a_link(visitor):
    callback = visitor.callback(visitor.start("/server/"))
    visitor.pool.clock.advance(301)
    callback = visitor.callback(visitor.get(callback).headers["Location"])
    visitor.pool.clock.advance(301)
    response = visitor.get(callback)
    assert response.status_code == 400
    assert "already used, or has expired" in response.text
    assert "/accounts/login/?next=%2Fserver%2F" in response.text
    assert_not_signed_in(visitor)


def test_deactivated_user_can_choose_another_account(visitor, new_visitor):
    visitor.sign_in("ada")
    User.objects.update(is_active=False)
    response = new_visitor().sign_in("ada")
    assert response.status_code == 403
    assert "deactivated" in response.text
    assert "/accounts/login/?another=1" in response.text
    assert not visitor.is_signed_in


def test_unknown_user_is_refused_if_users_are_not_created(visitor, settings):
    settings.COGNITO = {**settings.COGNITO, "CREATE_PEOPLE": False}
    response = visitor.sign_in("ada")
    assert response.status_code == 403
    assert "have an account here" in response.text
    assert User.objects.count() == 0
    refused = SignInEvent.objects.get(kind="refused")
    assert (refused.user, refused.pool_username) == (None, "ada")
    assert refused.details["subject"] == visitor.pool.get_user("ada").sub


def test_error_page_shows_the_reference_that_both_logs_use(visitor, caplog):
    caplog.set_level("INFO")
    callback = visitor.callback(visitor.start())
    page = visitor.get(callback.replace("code=", "error=server_error&x=")).text
    lines = [r.getMessage() for r in caplog.records if r.name == "accounts.sign_in"]
    reference = lines[0][:8]
    assert f"<code>{reference}</code>" in page
    assert reference in {attempt.reference for attempt in visitor.pool.journal.attempts()}


@pytest.mark.parametrize(
    "query",
    ["code=a&code=b", "state=a&state=b", "code=x&state=" + "y" * 1100, "code=" + "x" * 5000],
)
def test_malformed_callback_is_a_page_and_not_a_crash(visitor, query):
    response = visitor.get(f"/signin?{query}")
    assert response.status_code == 400
    assert "Sign in again" in response.text


def test_refusal_pages_are_never_cached(visitor):
    response = visitor.get("/signin?code=a&code=b")
    assert "no-store" in response.headers["Cache-Control"]


def test_slow_pool_does_not_hold_the_page_for_long(visitor, impatient):
    callback = visitor.callback(visitor.start())
    visitor.pool.faults.add("token", "slow", seconds=60)
    assert visitor.get(callback).status_code == 503  # the timeout of a visitor is 20 seconds
