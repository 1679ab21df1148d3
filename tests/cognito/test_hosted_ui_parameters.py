"""The allow-list of parameters that a link may pass on to the hosted UI."""

import pytest

from accounts.cognito.hosted_ui_parameters import accepted_parameters

LEVELS = tuple(f"urn:cognito:loa:{level}" for level in range(1, 5))


def accepted(**query):
    lists = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    return accepted_parameters(lists, providers=("Google", "Okta"), acr_names=LEVELS)


@pytest.mark.parametrize(
    ("name", "value", "passed_on"),
    [
        ("identity_provider", "Google", "Google"),
        ("identity_provider", "COGNITO", "COGNITO"),
        ("idp_identifier", "example.com", "example.com"),
        ("login_hint", "ada@example.com", "ada@example.com"),
        ("login_hint", "Zoë", "Zoë"),
        ("lang", "de", "de"),
        ("lang", "PT-br", "pt-BR"),
        ("max_age", "300", "300"),
        ("acr_values", f"{LEVELS[2]} {LEVELS[0]}", f"{LEVELS[2]} {LEVELS[0]}"),
        ("acr_values", f"{LEVELS[2]} other", LEVELS[2]),
    ],
)
def test_known_value_is_accepted(name, value, passed_on):
    assert accepted(**{name: value}) == {name: passed_on}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identity_provider", "Facebook"),
        ("identity_provider", "google"),
        ("identity_provider", ["Google", "Okta"]),
        ("idp_identifier", "a\r\nb"),
        ("idp_identifier", "x" * 41),
        ("login_hint", "x" * 129),
        ("login_hint", "a\nb"),
        ("login_hint", "a\u202eb"),
        ("lang", "xx"),
        ("max_age", "0"),
        ("max_age", "-1"),
        ("max_age", "1e3"),
        ("max_age", "٣"),
        ("max_age", "9" * 10),
        ("acr_values", "other"),
        ("acr_values", "x" * 261),
        ("redirect_uri", "https://evil.example"),
        ("prompt", "none"),
        ("state", "x"),
    ],
)
def test_any_other_value_is_dropped(name, value):
    assert accepted(**{name: value}) == {}


def test_provider_wins_over_an_identifier():
    assert accepted(identity_provider="Google", idp_identifier="example.com") == {
        "identity_provider": "Google"
    }


def test_identifier_is_dropped_if_the_pool_has_no_providers():
    query = {"idp_identifier": ["example.com"]}
    assert accepted_parameters(query, providers=(), acr_names=LEVELS) == {}
