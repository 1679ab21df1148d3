"""What Cognito says about identity providers and Lambda triggers, and what the user sees."""

from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from accounts.models import SignInEvent
from accounts.signin import flow
from tests.flows.conftest import query_of

pytestmark = pytest.mark.django_db(transaction=True)

LINKED = "Already found an entry for username Google_117000000000000000001"
REFUSED = "PreSignUp failed with error Sign up with your <b>company</b> address, please."
BROKEN = "user.email: Attribute cannot be updated"


def refuse(visitor, description, start="", **query):
    """Return the response to a callback with this error of an attempt."""
    state = query_of(start or visitor.start("/profile/"))["state"]
    said = {"error": "invalid_request", "error_description": description, "state": state}
    return visitor.get(f"/signin?{urlencode(said | query, doseq=True)}")


def test_first_sign_in_of_a_linked_account_starts_again_by_itself_once(visitor):
    again = refuse(visitor, LINKED).headers["Location"]
    assert again.startswith(f"{visitor.pool.url}/oauth2/authorize?")
    assert not SignInEvent.objects.filter(kind="refused").exists()
    response = refuse(visitor, LINKED, start=again)
    assert response.status_code == 400
    again = refuse(visitor, LINKED).headers["Location"]
    assert visitor.get(visitor.callback(again, "linus")).headers["Location"] == "/profile/"


@pytest.mark.parametrize("is_shown", [False, True])
def test_words_of_a_trigger_are_shown_as_text_if_a_setting_allows_it(visitor, settings, is_shown):
    settings.COGNITO = {**settings.COGNITO, "SHOW_TRIGGER_MESSAGES": is_shown}
    response = refuse(visitor, REFUSED)
    assert response.status_code == 403
    assert "A rule of your organization refused" in response.text
    assert ("Sign up with your &lt;b&gt;company&lt;/b&gt;" in response.text) == is_shown
    assert "<b>company" not in response.text
    assert "/accounts/login/?next=%2Fprofile%2F&amp;another=1" in response.text


def test_words_of_a_link_from_elsewhere_are_never_shown(visitor, settings):
    settings.COGNITO = {**settings.COGNITO, "SHOW_TRIGGER_MESSAGES": True}
    again = refuse(visitor, REFUSED, state="made-up")
    assert again.status_code == 302
    state = f"r.{'x' * 43}"
    assert "company" not in refuse(visitor, REFUSED, state=state).text


def test_mistake_in_the_set_up_is_an_error_with_what_to_look_at(visitor, caplog):
    response = refuse(visitor, BROKEN)
    assert response.status_code == 503
    assert "You did nothing wrong" in response.text
    (error,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "attribute mapping" in error
    assert BROKEN in error
    caplog.clear()
    refuse(visitor, BROKEN, state="r.foreign")
    assert "ERROR" not in {record.levelname for record in caplog.records}


def test_callbacks_of_a_browser_cause_few_errors_in_the_log(visitor, caplog, monkeypatch):
    monkeypatch.setattr(flow, "MAX_PROVIDER_ERRORS", 2)
    monkeypatch.setattr(flow, "time", SimpleNamespace(time=lambda: 1_800_000_012.0))
    for _ in range(4):
        assert refuse(visitor, BROKEN).status_code == 503
    levels = [record.levelname for record in caplog.records if BROKEN in record.getMessage()]
    assert levels == ["ERROR", "ERROR", "WARNING", "WARNING"]


@pytest.mark.parametrize(
    "query",
    [
        {"error_description": "x" * 3000},
        {"error": "y" * 500},
        {"error_description": ["a", "b"]},
        {"error": ["a", "b"]},
        {"iss": "https://elsewhere.example"},
        {"code": "both"},
    ],
    ids=lambda query: "-".join(query),
)
def test_any_error_has_a_reference_and_an_event(visitor, query):
    response = refuse(visitor, "odd", **query)
    assert response.status_code == 400
    event = SignInEvent.objects.get(kind="refused")
    assert f"<code>{event.reference}</code>" in response.text
