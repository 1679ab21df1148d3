"""The URLs for the hosted UI, and the parameters of callbacks."""

import re
from dataclasses import FrozenInstanceError
from urllib.parse import parse_qs, urlsplit

import pytest

from accounts.cognito.authorization import (
    attempt_reference,
    authorize_url,
    code_challenge,
    logout_url,
    new_secret,
    parse_callback,
)
from accounts.cognito.errors import InvalidCallback, ProviderRefused
from tests.cognito.keys import CLIENT_ID, ISSUER
from tests.cognito.test_config import POOL_HOST, make

CALLBACK = "https://app.example.com/signin?x=1&y=ä"
ATTEMPT = {"redirect_uri": CALLBACK, "state": "s", "nonce": "n", "code_challenge": "c"}
REQUIRED = {
    "response_type": ["code"],
    "client_id": [CLIENT_ID],
    "redirect_uri": [CALLBACK],
    "scope": ["openid email profile"],
    "state": ["s"],
    "nonce": ["n"],
    "code_challenge": ["c"],
    "code_challenge_method": ["S256"],
}
OPTIONAL = {"prompt": "login", "login_hint": "a@b.c", "lang": "de", "identity_provider": "Google"}


def test_url_has_the_parameters_of_the_code_flow_only():
    address = authorize_url(make(), **ATTEMPT)
    assert address.startswith(f"{POOL_HOST}/oauth2/authorize?")
    assert parse_qs(urlsplit(address).query, strict_parsing=True) == REQUIRED
    assert "+" not in address  # %20 for a space works everywhere


def test_address_of_sign_up_has_the_same_query():
    config = make()
    address = authorize_url(config, **ATTEMPT, endpoint=config.signup_endpoint)
    assert address == authorize_url(config, **ATTEMPT).replace("/oauth2/authorize?", "/signup?")


def test_extra_parameters_are_added_and_replace_none():
    extra = {**dict.fromkeys(REQUIRED, "another"), **OPTIONAL}
    address = authorize_url(make(), **ATTEMPT, prompt="none", extra=extra)
    assert parse_qs(urlsplit(address).query) == {
        **REQUIRED,
        **{name: [value] for name, value in OPTIONAL.items()},
        "prompt": ["none"],
    }


def test_extra_prompt_counts_where_ours_is_empty():
    address = authorize_url(make(), **ATTEMPT, extra={"prompt": "select_account"})
    assert parse_qs(urlsplit(address).query) == {**REQUIRED, "prompt": ["select_account"]}


def test_logout_url_uses_cognitos_own_parameters():
    address = logout_url(make(), logout_uri="https://app.example.com/signout")
    assert address.startswith(f"{POOL_HOST}/logout?")
    assert parse_qs(urlsplit(address).query) == {
        "client_id": [CLIENT_ID],
        "logout_uri": ["https://app.example.com/signout"],
    }


def test_secrets_are_long_url_safe_and_never_the_same():
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_code_challenge_is_that_of_the_specification():
    # RFC 7636 appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_reference_is_the_start_of_the_states_hash():
    assert attempt_reference("abc") == "ba7816bf"  # FIPS 180-2 appendix B.1
    assert attempt_reference("é") == "4a99557e"


def test_callback_with_a_code_is_read():
    callback = parse_callback(
        {"code": ["the-code"], "state": ["the-state"], "later": ["1", "2"]}, issuers=[ISSUER]
    )
    assert (callback.state, callback.accepted_code()) == ("the-state", "the-code")
    assert "the-code" not in repr(callback)
    with pytest.raises(FrozenInstanceError):
        callback.state = "another"


def test_callback_with_an_error_is_read_in_any_order():
    callback = parse_callback(
        {
            "error_description": ["User is not enabled"],
            "state": ["s"],
            "error": ["invalid_request"],
        },
        issuers=[ISSUER],
    )
    with pytest.raises(ProviderRefused, match="invalid_request") as refused:
        callback.accepted_code()
    assert refused.value.error == "invalid_request"
    assert refused.value.description == "User is not enabled"


def test_text_of_a_callback_cannot_break_a_log_line():
    callback = parse_callback(
        {"error": ["x\r\ny"], "error_description": ["a\n\x1b[31m  b\u2028c\x00"]}, issuers=[ISSUER]
    )
    assert (callback.error, callback.error_description) == ("x y", "a [31m b c")


def test_empty_callback_has_no_code():
    callback = parse_callback({}, issuers=[ISSUER])
    assert (callback.state, callback.code, callback.error) == ("", "", "")
    with pytest.raises(InvalidCallback, match="no code") as refused:
        callback.accepted_code()
    assert refused.value.data == {"parameter": "code"}


@pytest.mark.parametrize("name", ["code", "state", "iss"])
def test_repeated_parameter_is_refused(name):
    with pytest.raises(InvalidCallback, match="more than once") as refused:
        parse_callback({"code": ["c"], "state": ["s"], name: ["a", "a"]}, issuers=[ISSUER])
    assert refused.value.data == {"parameter": name}


@pytest.mark.parametrize(("name", "length"), [("error", 128), ("error_description", 2048)])
def test_text_of_an_error_is_truncated_and_its_first_value_counts(name, length):
    callback = parse_callback({name: ["x" * 9000, "y"]}, issuers=[ISSUER])
    assert getattr(callback, name) == "x" * length


@pytest.mark.parametrize("name", ["code", "state", "iss"])
def test_oversized_parameter_is_refused(name):
    with pytest.raises(InvalidCallback, match="too long") as refused:
        parse_callback({name: ["x" * 2049]}, issuers=[ISSUER])
    assert refused.value.data == {"parameter": name}


def test_issuer_of_the_callback_must_be_ours_when_it_comes():
    query = {"code": ["c"], "state": ["s"]}
    assert parse_callback({**query, "iss": [ISSUER]}, issuers=[ISSUER]).code == "c"
    with pytest.raises(InvalidCallback, match="another issuer") as refused:
        parse_callback({**query, "iss": [f"{ISSUER}x"]}, issuers=[ISSUER])
    assert refused.value.data == {"parameter": "iss"}


def test_code_and_error_together_are_refused():
    with pytest.raises(InvalidCallback, match="both") as refused:
        parse_callback({"code": ["c"], "error": ["e"], "state": ["s"]}, issuers=[ISSUER])
    assert refused.value.data == {"parameter": "error"}
