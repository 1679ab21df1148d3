"""Verified claims, and errors that name the claim."""

import time
from dataclasses import FrozenInstanceError

import pytest

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore
from accounts.cognito.token_checks import AccessRules
from accounts.cognito.verifier import TokenVerifier
from tests.cognito.keys import (
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    POOL_ID,
    REMOVED,
    at_hash,
    key_set,
    make_access_token,
    make_id_token,
    make_machine_token,
)

OTHER = "another0client"


@pytest.fixture
def access_claims(verifier):
    return verifier.access_claims(make_access_token(**{"custom:salary": "seventy thousand"}))


@pytest.fixture
def id_claims(verifier):
    names = {"name": "Countess of Lovelace", "given_name": "Augusta", "family_name": "Byron"}
    return verifier.id_claims(
        make_id_token(**names, **{"custom:salary": "seventy thousand"}), nonce=NONCE
    )


@pytest.mark.parametrize("kind", ["access_claims", "id_claims"])
def test_claims_cannot_be_changed(request, kind):
    claims = request.getfixturevalue(kind)
    for name in type(claims).__slots__:
        with pytest.raises(FrozenInstanceError):
            setattr(claims, name, "somebody else")
    with pytest.raises(TypeError):
        claims.raw["sub"] = "somebody else"


@pytest.mark.parametrize("kind", ["access_claims", "id_claims"])
def test_claims_show_no_personal_data(request, kind):
    """Claims can appear in logs and tracebacks."""
    shown = repr(request.getfixturevalue(kind))
    assert CLIENT_ID in shown
    for secret in ("Countess", "Augusta", "Byron", "ada@example.com", NONCE, "seventy thousand"):
        assert secret not in shown


def test_claims_are_equal_whatever_else_their_tokens_hold(verifier):
    one, other = make_access_token(), make_access_token(event_id="another")
    assert verifier.access_claims(one) == verifier.access_claims(other)
    one, other = make_id_token(), make_id_token(event_id="another")
    assert verifier.id_claims(one, nonce=NONCE) == verifier.id_claims(other, nonce=NONCE)


def test_user_whose_subject_is_the_client_id_is_not_a_machine(verifier):
    claims = verifier.access_claims(make_machine_token(username="ada"))
    assert (claims.username, claims.is_machine) == ("ada", False)


@pytest.mark.parametrize("username", [None, ""])
def test_username_without_content_does_not_make_a_machine(verifier, username):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_machine_token(username=username))
    assert refused.value.claim == "username"


def test_subject_without_a_username_is_not_a_machine(verifier):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_machine_token(sub="34c84488"))
    assert refused.value.claim == "username"


def test_user_needs_an_auth_time_and_a_machine_does_not(verifier):
    assert verifier.access_claims(make_machine_token()).auth_time == NOW - 100
    assert verifier.access_claims(make_machine_token(auth_time=REMOVED)).auth_time is None
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_machine_token(username="ada", auth_time=REMOVED))
    assert refused.value.claim == "auth_time"


RULES = AccessRules(resources=("https://api.example",), actors=frozenset({"agent"}))
REFUSALS = {
    "iss": ({"iss": "https://example.com"}, errors.WrongIssuer, [ISSUER], "https://example.com"),
    "token_use": ({"token_use": "refresh"}, errors.WrongTokenUse, "access", "refresh"),
    "client_id": ({"client_id": OTHER}, errors.WrongClient, [CLIENT_ID], OTHER),
    "aud": ({"aud": OTHER}, errors.WrongResource, ["https://api.example/"], OTHER),
    "act": ({"act": {"sub": OTHER}}, errors.ActorRejected, ["agent"], OTHER),
    "nbf": ({"nbf": NOW + 61}, errors.ClaimRejected, f"<= {NOW + 60}", NOW + 61),
    "iat": ({"iat": NOW + 61}, errors.ClaimRejected, f"<= {NOW + 60}", NOW + 61),
    "exp": ({"exp": NOW}, errors.TokenExpired, f"> {NOW}", NOW),
    "auth_time": ({"auth_time": "x"}, errors.ClaimRejected, "a time in whole seconds", "str"),
    "sub": ({"sub": 7}, errors.ClaimRejected, "text", "int"),
    "username": ({"username": ""}, errors.ClaimRejected, "text", ""),
    "scope": ({"scope": []}, errors.ClaimRejected, "text", "list"),
    "cognito:groups": ({"cognito:groups": 7}, errors.ClaimRejected, "a list of names", "int"),
}


@pytest.mark.parametrize("claim", REFUSALS)
def test_refusal_names_the_claim_and_what_was_expected(clock, claim):
    changes, kind, expected, actual = REFUSALS[claim]
    verifier = TokenVerifier(
        pool_id=POOL_ID,
        keys={ISSUER: KeyStore(key_set, clock=clock)},
        client_ids=[CLIENT_ID],
        rules=RULES,
        clock=clock,
    )
    with pytest.raises(kind) as refused:
        verifier.access_claims(make_access_token(**changes))
    error = refused.value
    assert type(error) is kind
    assert (error.claim, error.expected, error.actual) == (claim, expected, actual)
    assert error.data == {"claim": claim, "expected": expected, "actual": actual}


ID_REFUSALS = {
    "iss": ({"iss": "https://example.com"}, errors.WrongIssuer, [ISSUER], "https://example.com"),
    "token_use": ({"token_use": "access"}, errors.WrongTokenUse, "id", "access"),
    "nbf": ({"nbf": NOW + 61}, errors.ClaimRejected, f"<= {NOW + 60}", NOW + 61),
    "exp": ({"exp": NOW}, errors.TokenExpired, f"> {NOW}", NOW),
    "aud": ({"aud": OTHER}, errors.WrongClient, [CLIENT_ID], OTHER),
    "azp": ({"azp": OTHER}, errors.WrongClient, [CLIENT_ID], OTHER),
    "nonce": ({"nonce": OTHER}, errors.NonceMismatch, None, None),
    "at_hash": ({"at_hash": OTHER}, errors.ClaimRejected, at_hash("x"), OTHER),
    "cognito:username": ({"cognito:username": 7}, errors.ClaimRejected, "text", "int"),
}


@pytest.mark.parametrize("claim", ID_REFUSALS)
def test_refusal_of_an_id_token_names_the_claim(verifier, claim):
    changes, kind, expected, actual = ID_REFUSALS[claim]
    with pytest.raises(kind) as refused:
        verifier.id_claims(make_id_token(**changes), nonce=NONCE, access_token="x")
    error = refused.value
    assert (type(error), error.claim, error.expected, error.actual) == (
        kind,
        claim,
        expected,
        actual,
    )


PROFILE = ("email", "name", "given_name", "family_name")


@pytest.mark.parametrize("value", [None, 7, True, ["ada"], {"formatted": "Ada"}, "A\0", "\ud800"])
def test_profile_of_another_type_counts_as_missing(verifier, value):
    """A token-generation trigger can send any type, which must not stop a sign-in."""
    token = make_id_token(**dict.fromkeys(PROFILE, value))
    claims = verifier.id_claims(token, nonce=NONCE)
    assert [getattr(claims, name) for name in PROFILE] == [None] * 4


@pytest.mark.parametrize("claim", ["exp", "iat", "auth_time"])
def test_missing_time_is_named(verifier, claim):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(**{claim: REMOVED}))
    error = refused.value
    assert (error.claim, error.expected, error.actual) == (claim, "a time", None)


def test_access_token_hash_is_left_alone_without_an_access_token(verifier):
    assert verifier.id_claims(make_id_token(at_hash=at_hash("x")), nonce=NONCE)


def test_expiry_is_named_in_utc_whatever_the_servers_time_zone(verifier, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        with pytest.raises(errors.TokenExpired, match="expired at 2027-01-15T08:00:00Z"):
            verifier.access_claims(make_access_token(exp=NOW))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_later_changes_of_a_list_accept_no_further_client(clock):
    clients = [CLIENT_ID]
    keys = KeyStore(key_set, clock=clock)
    verifier = TokenVerifier(pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=clients, clock=clock)
    clients.append(OTHER)
    with pytest.raises(errors.WrongClient):
        verifier.access_claims(make_access_token(client_id=OTHER))
