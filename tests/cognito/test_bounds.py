"""Bounds: the last accepted value and the first refused one."""

import pytest

from accounts.cognito import errors
from accounts.cognito.authorization import parse_callback
from accounts.cognito.jwks import parse_key_set
from accounts.cognito.token_parsing import MAX_TOKEN_LENGTH
from tests.cognito.keys import (
    ID_KEY_ID,
    ISSUER,
    NOW,
    jwk,
    key_set,
    make_access_token,
    number,
    private_key,
)

OTHER_KEY = jwk(ID_KEY_ID)
LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z


def modulus(bits):
    """Return an odd number of this many bits. Its factors are not needed."""
    return number(2 ** (bits - 1) + 1)


@pytest.mark.parametrize(
    ("member", "is_usable"),
    [
        ({"n": modulus(2047)}, False),
        ({"n": modulus(2048)}, True),
        ({"n": modulus(8192)}, True),
        ({"n": modulus(8193)}, False),
        ({"e": number(65535)}, False),
        ({"e": number(65537)}, True),
        ({"e": number(2**32 - 1)}, True),
        ({"e": number(2**32 + 1)}, False),
    ],
)
def test_size_of_a_key(member, is_usable):
    keys = parse_key_set(key_set(jwk("edge", **member), OTHER_KEY))
    assert ("edge" in keys) is is_usable


@pytest.mark.parametrize(("count", "is_read"), [(63, True), (64, False)])
def test_number_of_keys(count, is_read):
    other_keys = [jwk(str(index), private_key(ID_KEY_ID)) for index in range(count)]
    assert ("last" in parse_key_set(key_set(*other_keys, jwk("last")))) is is_read


def token_of(length):
    """Return a valid access token of this length."""
    for filler in range(4):  # the header adds lengths that base64 of the payload cannot have
        header = {"cty": "x" * filler}
        short = make_access_token(header=header, padding="")
        padding = "x" * ((length - len(short)) * 3 // 4)
        for extra in ("", "x", "xx", "xxx"):
            token = make_access_token(header=header, padding=padding + extra)
            if len(token) == length:
                return token
    raise AssertionError(f"no token of {length} characters")


def test_length_of_a_token(verifier):
    assert MAX_TOKEN_LENGTH == 32_768
    assert verifier.access_claims(token_of(32_768)).username == "ada"
    with pytest.raises(errors.MalformedToken, match="longer than 32768 characters"):
        verifier.access_claims(token_of(32_769))


def test_length_of_a_header(verifier):
    short = len(make_access_token(header={"cty": ""}).split(".")[0])

    def with_header(length):
        size = (length - short) * 3 // 4
        tokens = (make_access_token(header={"cty": "x" * (size + extra)}) for extra in range(-3, 4))
        return next(token for token in tokens if len(token.split(".")[0]) == length)

    assert verifier.access_claims(with_header(1024)).username == "ada"
    with pytest.raises(errors.MalformedToken, match="header is longer than 1024"):
        verifier.access_claims(with_header(1026))  # no base64url text has 1025 characters


@pytest.mark.parametrize("claim", ["exp", "iat", "auth_time", "nbf"])
@pytest.mark.parametrize("value", [0, LAST_SECOND + 1])
def test_time_outside_the_calendar_is_mistyped(verifier, claim, value):
    with pytest.raises(errors.ClaimRejected, match=f"{claim} must be a time") as refused:
        verifier.access_claims(make_access_token(**{claim: value}))
    assert not isinstance(refused.value, errors.TokenExpired)


def test_first_and_last_second_are_times(verifier):
    assert verifier.access_claims(make_access_token(exp=LAST_SECOND)).expires_at == LAST_SECOND
    with pytest.raises(errors.TokenExpired, match="expired at 1970-01-01T00:00:01Z"):
        verifier.access_claims(make_access_token(exp=1))
    claims = verifier.access_claims(make_access_token(iat=1, auth_time=1, nbf=1))
    assert (claims.issued_at, claims.auth_time) == (1, 1)


def test_clock_skew(verifier):
    assert verifier.access_claims(make_access_token(nbf=NOW + 60, iat=NOW + 60))
    with pytest.raises(errors.ClaimRejected):
        verifier.access_claims(make_access_token(nbf=NOW + 61))


@pytest.mark.parametrize(
    ("name", "length"),
    [("code", 2048), ("state", 1024), ("iss", 512)],
)
def test_length_of_a_callbacks_parameters(name, length):
    longest = "x" * length
    issuer = longest if name == "iss" else ISSUER
    callback = parse_callback({name: [longest]}, issuers=[issuer])
    assert name == "iss" or getattr(callback, name) == longest
    with pytest.raises(errors.InvalidCallback, match=f"{name} is too long"):
        parse_callback({name: [longest + "x"]}, issuers=[issuer])
