"""Any input leads to a value or to one of our errors, never to another exception."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.cognito.authorization import parse_callback
from accounts.cognito.claims import AccessClaims, IdClaims
from accounts.cognito.errors import CognitoUnavailable, SignInRejected, TokenRejected
from accounts.cognito.jwks import KeyStore, parse_key_set
from accounts.cognito.verifier import TokenVerifier
from tests.cognito.keys import (
    ACCESS_CLAIMS,
    ACCESS_KEY_ID,
    CLIENT_ID,
    ID_CLAIMS,
    ISSUER,
    NOW,
    POOL_ID,
    jwk,
    key_set,
    make_access_token,
    make_id_token,
)

VERIFIER = TokenVerifier(
    pool_id=POOL_ID, keys={ISSUER: KeyStore(key_set)}, client_ids=[CLIENT_ID], clock=lambda: NOW
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(float("inf"))
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)
HEADER_MEMBERS = ["alg", "kid", "crit", "b64", "zip", "jwk", "jku", "x5c", "typ", "cty"]
few = settings(max_examples=60, deadline=None)


@few
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_refused_as_a_token(text):
    with pytest.raises(TokenRejected):
        VERIFIER.access_claims(text)


@few
@given(st.dictionaries(st.sampled_from(HEADER_MEMBERS), JSON))
def test_any_header_is_accepted_or_refused(header):
    try:
        claims = VERIFIER.access_claims(make_access_token(header=header))
    except TokenRejected:
        return
    assert type(claims) is AccessClaims
    assert header.keys() <= {"typ", "cty", "alg", "kid"}


@few
@given(st.sampled_from(sorted(ACCESS_CLAIMS)), JSON)
def test_any_value_of_any_access_claim_is_accepted_or_refused(claim, value):
    try:
        claims = VERIFIER.access_claims(make_access_token(**{claim: value}))
    except TokenRejected:
        return
    assert type(claims) is AccessClaims
    assert (claims.issuer, claims.client_id) == (ISSUER, CLIENT_ID)


@few
@given(st.sampled_from(sorted(ID_CLAIMS)), JSON)
def test_any_value_of_any_id_claim_is_accepted_or_refused(claim, value):
    try:
        claims = VERIFIER.id_claims(make_id_token(**{claim: value}), nonce=None)
    except TokenRejected:
        return
    assert type(claims) is IdClaims
    assert (claims.issuer, claims.client_id) == (ISSUER, CLIENT_ID)


@few
@given(st.binary())
def test_any_signed_payload_is_refused(payload):
    with pytest.raises(TokenRejected):
        VERIFIER.access_claims(make_access_token(payload=payload))


@few
@given(st.integers(min_value=0), st.sampled_from("ABCxyz019-_.=+/ \n\x00é"))
def test_any_one_changed_character_is_refused(place, character):
    good = make_access_token()
    place %= len(good)
    changed = good[:place] + character + good[place + 1 :]
    if changed != good:
        with pytest.raises(TokenRejected):
            VERIFIER.access_claims(changed)


@few
@given(st.sampled_from(["kid", "kty", "use", "alg", "n", "e", "keys"]), JSON)
def test_any_key_set_is_read_or_refused(member, value):
    document = json.dumps(value if member == "keys" else {"keys": [jwk(**{member: value})]})
    try:
        keys = parse_key_set(document.encode())
    except CognitoUnavailable:
        return
    assert [type(key_id) for key_id in keys] == [str]


@few
@given(st.dictionaries(st.sampled_from(["code", "state", "error", "iss"]), st.lists(st.text())))
def test_any_callback_is_read_or_refused(query):
    try:
        code = parse_callback(query, issuers=[ISSUER]).accepted_code()
    except SignInRejected:
        return
    assert code == query["code"][0]


def test_the_tokens_these_tests_start_from_are_good():
    assert VERIFIER.access_claims(make_access_token()).username == "ada"
    assert VERIFIER.id_claims(make_id_token(), nonce=None).username == "ada"
    assert ACCESS_KEY_ID in parse_key_set(key_set())
