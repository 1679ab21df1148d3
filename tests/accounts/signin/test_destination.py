import pytest

from accounts.provider import provider
from accounts.signin import attempts, destination
from accounts.signin.destination import Destination

PAGE = Destination("/dashboard/?kpi=profit#table")


def test_destination_is_sealed_in_the_state():
    state = destination.seal(PAGE, subnet=None)
    assert destination.read(state) == PAGE
    assert "dashboard" not in state
    assert state != destination.seal(PAGE, subnet=None)
    assert set(state) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_destination_does_not_depend_on_the_age_of_the_attempt(monkeypatch):
    state = attempts.begin(PAGE.next_url, restarted=True).state
    monkeypatch.setattr(provider().cipher, "_clock", lambda: 4_000_000_000)
    assert attempts.destination_of(state) == PAGE


@pytest.mark.parametrize(
    "state", ["", "r.", "x", "\N{SNOWMAN}", "r.r.gAAAA", "gAAAAAB" + "A" * 200, "=" * 9]
)
def test_state_that_this_site_did_not_make_has_no_destination(state):
    assert attempts.destination_of(state) == Destination()


def test_forged_or_other_sealed_text_has_no_destination():
    state = destination.seal(PAGE, subnet=None)
    assert destination.read(state[:-1] + ("A" if state[-1] != "A" else "B")) == Destination()
    assert destination.read(provider().cipher.seal({"b": ["x"]})) == Destination()


@pytest.mark.django_db
def test_long_page_is_stored_for_a_known_subnet_only():
    page = Destination("/dashboard/?q=" + "x" * 5000 + "#part", another=True)
    state = destination.seal(page, subnet="192.0.2.1")
    assert len(state) < 300
    assert destination.read(state) == page
    assert destination.read(destination.seal(page, subnet=None)) == Destination("/dashboard/", True)


@pytest.mark.parametrize("length", [240, 241, 8000])
def test_long_path_is_kept_or_dropped_whole(length):
    path = "/" + "x" * (length - 1)
    expected = path if length == 240 else ""
    assert destination.read(destination.seal(Destination(path), subnet=None)).next_url == expected


@pytest.mark.django_db
def test_long_page_is_not_stored_if_the_session_store_is_a_cookie(settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    state = destination.seal(Destination("/a/?" + "x" * 500), subnet="192.0.2.1")
    assert destination.read(state) == Destination("/a/")


def test_parameters_are_sealed_if_they_are_short():
    page = PAGE._replace(parameters=(("lang", "de"), ("login_hint", "Größe@example.com")))
    assert destination.read(destination.seal(page, subnet=None)) == page
    page = page._replace(parameters=(("login_hint", "x" * 128), ("identity_provider", "y" * 40)))
    sealed = destination.read(destination.seal(page, subnet=None))
    assert sealed == page._replace(parameters=())
