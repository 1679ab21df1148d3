"""Verification errors: one change of a good token, one reason."""

import json
import sys

import pytest

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore
from accounts.cognito.token_cache import is_published
from accounts.cognito.token_parsing import MAX_TOKEN_LENGTH, parse
from accounts.cognito.verifier import TokenVerifier, TrustedPools
from tests.cognito.keys import (
    ACCESS_KEY_ID,
    CLIENT_ID,
    ISSUER,
    NONCE,
    NOW,
    POOL_ID,
    REMOVED,
    at_hash,
    base64url,
    jwk,
    key_set,
    make_access_token,
    make_id_token,
    make_machine_token,
    private_key,
)

OTHER_ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"


def test_good_access_token_gives_its_claims(verifier):
    claims = verifier.access_claims(make_access_token())
    assert claims.issuer == ISSUER
    assert claims.subject == "34c84488-e0e1-70ae-d2ee-991ad1a898c8"
    assert claims.client_id == CLIENT_ID
    assert claims.username == "ada"
    assert claims.scopes == {"openid", "profile", "email"}
    assert claims.groups == ("admins",)
    assert (claims.auth_time, claims.issued_at, claims.expires_at) == (NOW - 100, NOW, NOW + 3600)
    assert claims.jti == "5f1a2f0c-0000-4000-8000-00000000000b"
    assert claims.origin_jti == "5f1a2f0c-0000-4000-8000-00000000000a"
    assert not claims.is_machine
    assert claims.raw["event_id"] == "5f1a2f0c-0000-4000-8000-00000000000e"
    with pytest.raises(TypeError):
        claims.raw["sub"] = "somebody else"


def test_good_id_token_gives_its_claims(verifier):
    claims = verifier.id_claims(make_id_token(), nonce=NONCE)
    assert (claims.issuer, claims.client_id, claims.username) == (ISSUER, CLIENT_ID, "ada")
    assert (claims.email, claims.email_verified) == ("ada@example.com", True)
    assert (claims.name, claims.given_name, claims.family_name) == (
        "Ada Lovelace",
        "Ada",
        "Lovelace",
    )
    assert claims.nonce == NONCE
    assert claims.auth_time == NOW - 100
    assert claims.groups == ("admins",)


def test_machine_token_has_scopes_and_no_user(verifier):
    claims = verifier.access_claims(make_machine_token())
    assert claims.is_machine
    assert claims.subject == claims.client_id == CLIENT_ID
    assert claims.scopes == {"stats/read", "stats/write"}
    assert (claims.username, claims.groups, claims.origin_jti) == (None, None, None)


def test_token_that_expires_this_second_is_refused_without_leeway(verifier, clock):
    token = make_access_token()
    clock.forward(3599.9)
    assert verifier.access_claims(token).expires_at == NOW + 3600
    clock.forward(0.1)
    with pytest.raises(errors.TokenExpired, match="expired at 2027-01-15T09:00:00Z") as refused:
        verifier.access_claims(token)
    assert refused.value.claims.subject == "34c84488-e0e1-70ae-d2ee-991ad1a898c8"
    assert refused.value.claim == "exp"
    assert refused.value.actual == NOW + 3600


def test_expired_id_token_is_refused_with_its_claims(verifier):
    with pytest.raises(errors.TokenExpired) as refused:
        verifier.id_claims(make_id_token(exp=NOW), nonce=NONCE)
    assert refused.value.claims.email == "ada@example.com"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"iss": OTHER_ISSUER}, errors.WrongIssuer),
        ({"client_id": "another0client"}, errors.WrongClient),
        ({"token_use": "id"}, errors.WrongTokenUse),
        ({"iat": NOW + 61}, errors.ClaimRejected),
        ({"username": REMOVED}, errors.ClaimRejected),
        ({"cognito:groups": "admins"}, errors.ClaimRejected),
        ({"key": private_key("somebody else")}, errors.BadSignature),
    ],
)
def test_expired_token_with_another_error_is_not_called_expired(verifier, changes, refusal):
    with pytest.raises(refusal) as refused:
        verifier.access_claims(make_access_token(exp=NOW - 1, **changes))
    assert not isinstance(refused.value, errors.TokenExpired)


def test_issued_at_may_be_a_minute_ahead_and_no_more(verifier):
    assert verifier.access_claims(make_access_token(iat=NOW + 60)).issued_at == NOW + 60
    with pytest.raises(errors.ClaimRejected, match="iat is in the future") as refused:
        verifier.access_claims(make_access_token(iat=NOW + 61))
    assert refused.value.actual == NOW + 61


@pytest.mark.parametrize(
    "claim", ["sub", "iss", "token_use", "client_id", "exp", "iat", "auth_time", "username"]
)
def test_access_token_without_a_required_claim_is_refused(verifier, claim):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(**{claim: REMOVED}))
    assert refused.value.claim == claim
    assert refused.value.message == f"The claim {claim} is missing."


@pytest.mark.parametrize("claim", ["sub", "iss", "token_use", "client_id", "username"])
def test_required_claim_that_is_empty_is_missing(verifier, claim):
    with pytest.raises(errors.ClaimRejected, match=f"{claim} is missing"):
        verifier.access_claims(make_access_token(**{claim: ""}))


@pytest.mark.parametrize("claim", ["sub", "iss", "token_use", "client_id", "exp", "iat"])
def test_machine_token_without_a_required_claim_is_refused(verifier, claim):
    # Without sub or client_id it is not a machine token, and then has no username: also refused.
    with pytest.raises(errors.ClaimRejected):
        verifier.access_claims(make_machine_token(**{claim: REMOVED}))


@pytest.mark.parametrize(
    "claim", ["sub", "iss", "token_use", "aud", "exp", "iat", "auth_time", "cognito:username"]
)
def test_id_token_without_a_required_claim_is_refused(verifier, claim):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.id_claims(make_id_token(**{claim: REMOVED}), nonce=NONCE)
    assert refused.value.claim == claim


@pytest.mark.parametrize(
    ("claim", "absent"),
    [
        ("scope", frozenset()),
        ("cognito:groups", None),
        ("jti", None),
        ("origin_jti", None),
        ("version", 2),
        ("event_id", None),
    ],
)
def test_access_token_without_an_optional_claim_is_accepted(verifier, claim, absent):
    claims = verifier.access_claims(make_access_token(**{claim: REMOVED}))
    optional = {"scope": claims.scopes, "cognito:groups": claims.groups, "jti": claims.jti}
    optional["origin_jti"] = claims.origin_jti
    assert optional.get(claim, absent) == absent
    assert claim not in claims.raw


def test_machine_token_without_auth_time_is_accepted(verifier):
    assert verifier.access_claims(make_machine_token(auth_time=REMOVED)).auth_time is None


def test_id_token_sent_as_access_token_is_named(verifier):
    with pytest.raises(errors.WrongTokenUse) as refused:
        verifier.access_claims(make_id_token())
    assert refused.value.message == "This is an ID token. Send the access token."
    assert (refused.value.expected, refused.value.actual) == ("access", "id")


def test_access_token_sent_as_id_token_is_named(verifier):
    with pytest.raises(errors.WrongTokenUse) as refused:
        verifier.id_claims(make_access_token(), nonce=None)
    assert refused.value.message == "This is an access token. Send the ID token."


def test_token_of_another_use_is_refused(verifier):
    with pytest.raises(errors.WrongTokenUse, match="another kind of token"):
        verifier.access_claims(make_access_token(token_use="refresh"))


def test_access_token_of_another_client_is_refused(verifier):
    with pytest.raises(errors.WrongClient, match="issued for another app client") as refused:
        verifier.access_claims(make_access_token(client_id="another0client"))
    assert refused.value.actual == "another0client"
    assert refused.value.expected == [CLIENT_ID]


@pytest.mark.parametrize("aud", ["another0client", f"{CLIENT_ID}x", CLIENT_ID[:-1]])
def test_id_token_of_another_client_is_refused(verifier, aud):
    with pytest.raises(errors.WrongClient):
        verifier.id_claims(make_id_token(aud=aud), nonce=NONCE)


def test_id_token_for_several_audiences_is_refused(verifier):
    with pytest.raises(errors.ClaimRejected, match="aud must be text"):
        verifier.id_claims(make_id_token(aud=[CLIENT_ID, "another0client"]), nonce=NONCE)


def test_id_token_authorized_to_another_party_is_refused(verifier):
    assert verifier.id_claims(make_id_token(azp=CLIENT_ID), nonce=NONCE).client_id == CLIENT_ID
    with pytest.raises(errors.WrongClient) as refused:
        verifier.id_claims(make_id_token(azp="another0client"), nonce=NONCE)
    assert refused.value.claim == "azp"


@pytest.mark.parametrize("issuer", [OTHER_ISSUER, ISSUER + "/", ISSUER[:-1], ISSUER.upper()])
def test_token_of_another_issuer_is_refused(verifier, issuer):
    with pytest.raises(errors.WrongIssuer, match="issued by another user pool"):
        verifier.access_claims(make_access_token(iss=issuer))


def test_wrong_nonce_is_refused_without_showing_it(verifier):
    with pytest.raises(errors.NonceMismatch) as refused:
        verifier.id_claims(make_id_token(nonce="replayed"), nonce=NONCE)
    assert (refused.value.expected, refused.value.actual) == (None, None)


@pytest.mark.parametrize("nonce", [REMOVED, "", NONCE[:-1], NONCE.upper()])
def test_missing_or_similar_nonce_is_refused(verifier, nonce):
    with pytest.raises(errors.NonceMismatch):
        verifier.id_claims(make_id_token(nonce=nonce), nonce=NONCE)


@pytest.mark.parametrize("nonce", [None, ""])
def test_absent_nonce_is_refused_even_where_an_empty_one_is_expected(verifier, nonce):
    with pytest.raises(errors.NonceMismatch):
        verifier.id_claims(make_id_token(nonce=nonce), nonce="")


def test_nonce_is_left_unchecked_only_on_purpose(verifier):
    assert verifier.id_claims(make_id_token(nonce=REMOVED), nonce=None).nonce is None


def test_access_token_hash_ties_the_two_tokens(verifier):
    access_token = make_access_token()
    id_token = make_id_token(at_hash=at_hash(access_token))
    assert verifier.id_claims(id_token, nonce=NONCE, access_token=access_token)
    with pytest.raises(errors.ClaimRejected, match="belongs to another access token") as refused:
        verifier.id_claims(id_token, nonce=NONCE, access_token=make_access_token(jti="other"))
    assert refused.value.claim == "at_hash"


def test_absent_access_token_hash_is_accepted(verifier):
    assert verifier.id_claims(make_id_token(), nonce=NONCE, access_token=make_access_token())


def test_not_before_is_honored(verifier):
    assert verifier.access_claims(make_access_token(nbf=NOW))
    for refused in (
        lambda: verifier.access_claims(make_access_token(nbf=NOW + 61)),
        lambda: verifier.id_claims(make_id_token(nbf=NOW + 61), nonce=NONCE),
    ):
        with pytest.raises(errors.ClaimRejected, match="nbf is in the future"):
            refused()


@pytest.mark.parametrize("claim", ["exp", "iat", "auth_time"])
@pytest.mark.parametrize(
    "value", [True, "1800003600", 1800003600.5, [1800003600], 0, -1, 10**12, 10**400]
)
def test_time_that_is_no_whole_second_is_refused(verifier, claim, value):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(**{claim: value}))
    assert refused.value.claim == claim


@pytest.mark.parametrize("value", [True, 7, ["ada"], {"ada": 1}])
@pytest.mark.parametrize("claim", ["sub", "client_id", "username", "scope", "jti", "origin_jti"])
def test_name_that_is_no_text_is_refused(verifier, claim, value):
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(**{claim: value}))
    assert refused.value.claim == claim
    assert refused.value.actual == type(value).__name__


@pytest.mark.parametrize("value", ["a\x00da", "ada\ud800", "\udc00"])
@pytest.mark.parametrize("claim", ["sub", "cognito:username", "nonce", "jti"])
def test_text_that_cannot_be_stored_or_sent_is_refused(verifier, claim, value):
    with pytest.raises(errors.ClaimRejected, match=f"{claim} must be text"):
        verifier.id_claims(make_id_token(**{claim: value}), nonce=None)
    if claim == "nonce":
        with pytest.raises(errors.ClaimRejected, match="nonce must be text"):
            verifier.id_claims(make_id_token(nonce=value), nonce="the nonce of an attempt")


@pytest.mark.parametrize(
    "value", ["admins", [1], [["admins"]], {"admins": True}, 0, ["a\x00"], ["\ud800"]]
)
def test_groups_that_are_no_list_of_names_are_refused(verifier, value):
    with pytest.raises(errors.ClaimRejected, match="cognito:groups must be a list of names"):
        verifier.access_claims(make_access_token(**{"cognito:groups": value}))


@pytest.mark.parametrize(
    ("value", "verified"),
    [
        *((value, True) for value in (True, "true")),
        *((value, False) for value in (False, "false", REMOVED, None, "yes", 1, ["true"])),
    ],
)
def test_email_verified_is_read_as_boolean_or_text(verifier, value, verified):
    claims = verifier.id_claims(make_id_token(email_verified=value), nonce=NONCE)
    assert claims.email_verified is verified


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c.d", "a.b.c\n", " a.b.c", "é.b.c", "a.b=.c", "a..c", "\ud800.b.c"],
)
def test_text_that_is_no_token_is_refused(verifier, token):
    with pytest.raises(errors.MalformedToken, match="not a JSON Web Token"):
        verifier.access_claims(token)


def test_token_of_64_kilobytes_is_refused_unread(verifier):
    token = make_access_token(padding="x" * 48_000)
    assert len(token) > 64_000
    with pytest.raises(errors.MalformedToken, match=f"longer than {MAX_TOKEN_LENGTH}"):
        verifier.access_claims(token)


def test_token_of_a_hundred_long_groups_is_accepted(verifier):
    groups = [f"{index:0128}" for index in range(100)]
    claims = verifier.access_claims(make_access_token(**{"cognito:groups": groups}))
    assert len(claims.groups) == 100


def test_header_of_many_kilobytes_is_refused(verifier):
    with pytest.raises(errors.MalformedToken, match="header is longer"):
        verifier.access_claims(make_access_token(header={"cty": "x" * 4000}))


@pytest.mark.parametrize("algorithm", [REMOVED, None, "", "none", "RS512", "HS256", ["RS256"], 1])
def test_algorithm_other_than_rs256_is_refused(verifier, algorithm):
    with pytest.raises(errors.BadSignature, match="RS256"):
        verifier.access_claims(make_access_token(header={"alg": algorithm}))


def test_header_members_that_decide_nothing_are_accepted(verifier):
    assert verifier.access_claims(make_access_token(header={"typ": "JWT", "cty": "x"}))


@pytest.mark.parametrize("key_id", [REMOVED, None, "", 7, [ACCESS_KEY_ID]])
def test_token_that_names_no_key_is_refused(verifier, key_id):
    with pytest.raises(errors.MalformedToken, match="kid"):
        verifier.access_claims(make_access_token(header={"kid": key_id}))


@pytest.mark.parametrize("header", ["[]", "7", '"RS256"', "{", "null", "\ufeff{}"])
def test_header_that_is_no_object_is_refused(verifier, header):
    _, payload, signature = make_access_token().split(".")
    with pytest.raises(errors.MalformedToken):
        verifier.access_claims(f"{base64url(header.encode())}.{payload}.{signature}")


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"{",
        b"\xff\xfe",
        json.dumps({"iss": ISSUER}).encode("utf-16"),
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b'{"a":' * 4_500,
        b"9" * 8_000,
    ],
)
def test_signed_payload_that_is_no_json_object_is_refused(verifier, payload):
    with pytest.raises(errors.MalformedToken, match="JSON"):
        verifier.access_claims(make_access_token(payload=payload))


@pytest.mark.usefixtures("no_garbage_collection")
def test_deeply_nested_header_is_refused(verifier):
    header = base64url(b"[" * 700)
    _, payload, signature = make_access_token().split(".")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        with pytest.raises(errors.MalformedToken):
            verifier.access_claims(f"{header}.{payload}.{signature}")
    finally:
        sys.setrecursionlimit(limit)


def test_segment_that_is_no_base64url_is_refused(verifier):
    _, payload, signature = make_access_token().split(".")
    with pytest.raises(errors.MalformedToken, match="base64url"):
        verifier.access_claims(f"aaaaa.{payload}.{signature}")


def test_changed_signature_is_refused(verifier):
    token, _, signature = make_access_token().rpartition(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(f"{token}.{signature[:middle]}{other}{signature[middle + 1 :]}")


def test_changed_payload_is_refused(verifier):
    header, _, signature = make_access_token().split(".")
    _, payload, _ = make_access_token(username="eva").split(".")
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(f"{header}.{payload}.{signature}")


def test_signature_by_the_pools_other_key_is_refused(verifier):
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(make_access_token(key=private_key("another")))


def test_unknown_key_of_our_issuer_is_refused(verifier):
    with pytest.raises(errors.UnknownKey, match="does not publish"):
        verifier.access_claims(make_access_token(key_id="another"))


def test_unknown_key_of_another_issuer_names_the_issuer(verifier):
    with pytest.raises(errors.WrongIssuer, match="another user pool"):
        verifier.access_claims(make_access_token(key_id="another", iss=OTHER_ISSUER))


def test_unavailable_keys_do_not_reject_the_token(clock):
    def fetch():
        raise errors.CognitoUnavailable("down")

    verifier = TokenVerifier(
        pool_id=POOL_ID,
        keys={ISSUER: KeyStore(fetch, clock=clock)},
        client_ids=[CLIENT_ID],
        clock=clock,
    )
    with pytest.raises(errors.CognitoUnavailable):
        verifier.access_claims(make_access_token())


def test_rotated_key_is_accepted_without_restart(clock):
    published = [jwk(ACCESS_KEY_ID)]
    keys = KeyStore(lambda: key_set(*published), clock=clock)
    verifier = TokenVerifier(
        pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=[CLIENT_ID], clock=clock
    )
    verifier.access_claims(make_access_token())
    published.append(jwk("rotated"))
    assert verifier.access_claims(make_access_token(key_id="rotated"))
    assert verifier.access_claims(make_access_token())


def test_errors_never_contain_the_token(verifier):
    token = make_access_token(client_id="another0client")
    with pytest.raises(errors.TokenRejected) as refused:
        verifier.access_claims(token)
    output = repr(refused.value) + str(refused.value.data)
    assert not any(part in output for part in token.split("."))


def test_claims_are_frozen_and_show_no_personal_data(verifier):
    claims = verifier.id_claims(make_id_token(), nonce=NONCE)
    with pytest.raises(AttributeError):
        claims.subject = "somebody else"
    with pytest.raises(TypeError):
        claims.raw["sub"] = "somebody else"
    assert "ada@example.com" not in repr(claims)
    assert NONCE not in repr(claims)


def test_key_is_published_until_it_is_withdrawn(clock):
    published = [jwk(ACCESS_KEY_ID), jwk("rotated")]
    keys = KeyStore(lambda: key_set(*published), clock=clock, in_background=lambda work: work())
    verifier = TokenVerifier(
        pool_id=POOL_ID, keys={ISSUER: keys}, client_ids=[CLIENT_ID], clock=clock
    )
    assert is_published(verifier.keys[ISSUER], ACCESS_KEY_ID)
    published.pop(0)
    clock.forward(3600)
    is_published(verifier.keys[ISSUER], "rotated")  # renews the key set
    assert not is_published(verifier.keys[ISSUER], ACCESS_KEY_ID)


def test_key_that_cannot_be_looked_up_is_not_published(clock):
    def fetch():
        raise errors.CognitoUnavailable("down")

    verifier = TokenVerifier(
        pool_id=POOL_ID,
        keys={ISSUER: KeyStore(fetch, clock=clock)},
        client_ids=[CLIENT_ID],
        clock=clock,
    )
    assert not is_published(verifier.keys[ISSUER], ACCESS_KEY_ID)


def test_signing_key_of_a_token_is_named_without_trusting_it():
    assert parse(make_access_token(key=private_key("another"))).key_id == ACCESS_KEY_ID
    with pytest.raises(errors.MalformedToken):
        parse("nonsense")


@pytest.fixture
def pools(clock):
    """Two pools, each with its own key and client, under one and the same key id."""

    def verifier(issuer, client_id, key_name):
        document = key_set(jwk(ACCESS_KEY_ID, private_key(key_name)))
        keys = KeyStore(lambda: document, clock=clock)
        return TokenVerifier(
            pool_id=issuer, keys={issuer: keys}, client_ids=[client_id], clock=clock
        )

    return TrustedPools(
        [verifier(ISSUER, CLIENT_ID, "first"), verifier(OTHER_ISSUER, "second0client", "second")]
    )


def test_each_pool_is_verified_with_its_own_key_and_client(pools):
    first = make_access_token(key=private_key("first"))
    second = make_access_token(
        key=private_key("second"), iss=OTHER_ISSUER, client_id="second0client"
    )
    assert pools.access_claims(first).issuer == ISSUER
    assert pools.access_claims(second).issuer == OTHER_ISSUER


def test_key_of_a_pool_is_looked_up_in_its_own_key_set(pools):
    assert is_published(pools.keys_of(OTHER_ISSUER), ACCESS_KEY_ID)
    assert not is_published(pools.keys_of(OTHER_ISSUER), "never seen")


def test_one_pools_key_signs_nothing_for_another(pools):
    with pytest.raises(errors.BadSignature):
        pools.access_claims(make_access_token(key=private_key("second")))


def test_one_pools_client_is_none_of_anothers(pools):
    with pytest.raises(errors.WrongClient):
        pools.access_claims(make_access_token(key=private_key("second"), iss=OTHER_ISSUER))


def test_token_of_a_pool_that_is_not_trusted_is_refused(pools):
    with pytest.raises(errors.WrongIssuer):
        pools.access_claims(make_access_token(iss=f"{ISSUER}0"))


def test_one_pool_alone_accepts_and_refuses_as_its_verifier_does(verifier):
    alone = TrustedPools([verifier])
    token = make_access_token()
    assert alone.access_claims(token) == verifier.access_claims(token)
    with pytest.raises(errors.WrongIssuer):
        alone.access_claims(make_access_token(iss=OTHER_ISSUER))


def test_the_same_pool_twice_is_a_configuration_error(verifier, clock):
    again = TokenVerifier(
        pool_id=POOL_ID, keys={ISSUER: KeyStore(key_set)}, client_ids=["x"], clock=clock
    )
    with pytest.raises(errors.ConfigurationError) as refused:
        TrustedPools([verifier, again])
    assert list(refused.value.problems) == ["COGNITO_TRUSTED_POOLS"]
