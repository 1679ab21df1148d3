"""Published flaws of other libraries: each test fails without the control against one flaw."""

import base64
import hashlib
import hmac
import json
import time
import zlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

from accounts.cognito import errors
from accounts.cognito.jwks import KeyStore, parse_key_set
from accounts.cognito.transport import Transport
from tests.cognito.keys import (
    ACCESS_CLAIMS,
    ACCESS_KEY_ID,
    ISSUER,
    NONCE,
    base64url,
    jwk,
    key_set,
    make_access_token,
    make_id_token,
    private_key,
)

PUBLIC = private_key(ACCESS_KEY_ID).public_key()
PEM = PUBLIC.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
SSH = PUBLIC.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
STRANGER = private_key("a stranger's")


def segment(value):
    return base64url(json.dumps(value).encode())


def token(header, signer, claims=ACCESS_CLAIMS):
    signing_input = f"{segment({'kid': ACCESS_KEY_ID, **header})}.{segment(claims)}"
    return f"{signing_input}.{base64url(signer(signing_input.encode()))}"


def rs256(key):
    return lambda content: key.sign(content, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("secret", [PEM, SSH, json.dumps(jwk()).encode()])
@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
def test_public_key_as_hmac_secret(verifier, secret, algorithm):
    """CVE-2017-11424, CVE-2022-29217, CVE-2026-48526, CVE-2024-37568, CVE-2024-33663."""
    forged = token({"alg": algorithm}, lambda content: hmac.digest(secret, content, hashlib.sha256))
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(forged)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", [b"", b"x"])
def test_unsigned_token(verifier, algorithm, signature):
    """CVE-2026-28802, CVE-2020-26244, CVE-2022-23540."""
    with pytest.raises(errors.TokenRejected):
        verifier.access_claims(token({"alg": algorithm}, lambda content: signature))


def test_algorithm_bound_to_the_key_object(verifier):
    """CVE-2026-48523: a token signed with a sibling algorithm by the right key."""
    key = private_key(ACCESS_KEY_ID)
    forged = token(
        {"alg": "RS512"}, lambda content: key.sign(content, padding.PKCS1v15(), hashes.SHA512())
    )
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(forged)


def test_elliptic_signature_under_an_rsa_key_id(verifier):
    """oidcc-client-test-invalid-sig-es256."""
    key = ec.generate_private_key(ec.SECP256R1())
    forged = token({"alg": "ES256"}, lambda content: key.sign(content, ec.ECDSA(hashes.SHA256())))
    with pytest.raises(errors.BadSignature):
        verifier.access_claims(forged)


@pytest.mark.parametrize(
    "issuer", [ISSUER[:-1], ISSUER[8:], "https://", ISSUER + ISSUER, f"{ISSUER} ", [ISSUER], ""]
)
def test_issuer_compared_as_substring_or_member(verifier, issuer):
    """CVE-2024-53861 (GHSA-75c5-xw7c-p5pm)."""
    with pytest.raises(errors.ClaimRejected) as refused:
        verifier.access_claims(make_access_token(iss=issuer))
    assert refused.value.claim == "iss"


@pytest.mark.parametrize("critical", [["exp"], ["b64"], [], "b64", None, [7], ["a" * 100]])
def test_critical_extension(verifier, critical):
    """CVE-2026-32597, CVE-2025-59420 (RFC 7515 section 4.1.11)."""
    with pytest.raises(errors.MalformedToken):
        verifier.access_claims(make_access_token(header={"crit": critical}))


@pytest.mark.parametrize("value", [False, True, "false", 0])
def test_detached_payload(verifier, value):
    """CVE-2026-48525 (RFC 7797): rejected for its header, before the payload is decoded."""
    with pytest.raises(errors.MalformedToken, match="never sends"):
        verifier.access_claims(make_access_token(header={"b64": value, "crit": ["b64"]}))


@pytest.mark.parametrize(
    "member",
    [
        {"jwk": jwk(ACCESS_KEY_ID, STRANGER)},
        {"jku": "https://evil.example/jwks.json"},
        {"x5u": "https://evil.example/cert.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "abc"},
        {"x5t#S256": "abc"},
    ],
)
@pytest.mark.parametrize("key", [STRANGER, private_key(ACCESS_KEY_ID)])
def test_key_from_the_tokens_own_header(verifier, member, key):
    """CVE-2026-27962, CVE-2024-21643."""
    with pytest.raises(errors.MalformedToken, match="never sends"):
        verifier.access_claims(token({"alg": "RS256", **member}, rs256(key)))


def test_compressed_payload(verifier):
    """CVE-2024-33664, CVE-2025-62706, CVE-2024-28176: nothing is decompressed."""
    bomb = zlib.compress(b" " * 10_000_000)
    with pytest.raises(errors.MalformedToken):
        verifier.access_claims(make_access_token(payload=bomb, header={"zip": "DEF"}))


def test_encrypted_token(verifier):
    """CVE-2023-6681: five parts are not a JWS, whatever work factor the header contains."""
    header = segment({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**31})
    with pytest.raises(errors.MalformedToken):
        verifier.access_claims(f"{header}.a.b.c.d")


def test_oversized_segments_and_a_header_of_dots(verifier):
    """CVE-2025-61920, CVE-2025-30204: rejected by length, without parsing."""
    began = time.thread_time()
    for text in ("." * 1_000_000, "a" * 1_000_000, f"{'a' * 500_000}.b.{'c' * 500_000}"):
        with pytest.raises(errors.MalformedToken):
            verifier.access_claims(text)
    assert time.thread_time() - began < 0.5


def test_parsers_that_disagree(verifier):
    """CVE-2022-39227: a JSON-serialized JWS that contains a compact one is not a token."""
    header, payload, signature = make_access_token().split(".")
    mixed = json.dumps({"protected": header, f"{header}.{payload}.": 1, "signature": signature})
    for text in (mixed, f'{{"a":"{header}.{payload}.{signature}"}}'):
        with pytest.raises(errors.MalformedToken):
            verifier.access_claims(text)


def test_padding_and_line_breaks_make_no_second_spelling(verifier):
    """A token has exactly one spelling: revocation lists and caches depend on it."""
    good = make_access_token()
    for text in (good + "=", good + "==", good + "\n", good.replace(".", "=.", 1), " " + good):
        with pytest.raises(errors.MalformedToken):
            verifier.access_claims(text)


def test_last_character_with_stray_bits_makes_no_second_spelling(verifier):
    good = make_access_token()  # 256 bytes of signature: the last character carries 4 spare bits
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twin = alphabet[alphabet.index(good[-1]) ^ 1]
    assert base64.urlsafe_b64decode((good[:-1] + twin).split(".")[2] + "==") == (
        base64.urlsafe_b64decode(good.split(".")[2] + "==")
    )
    with pytest.raises(errors.MalformedToken):
        verifier.access_claims(good[:-1] + twin)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/x", "data:application/json,{}"])
def test_key_set_from_a_scheme_other_than_https(url):
    """CVE-2026-48522."""
    store = KeyStore(lambda: Transport().get(url))
    with pytest.raises(errors.CognitoUnavailable) as refused:
        store.key(ACCESS_KEY_ID)
    assert isinstance(refused.value.__cause__.__cause__, errors.ConfigurationError)


def test_downloads_for_random_key_ids(clock):
    """CVE-2026-48524."""
    downloads = []
    store = KeyStore(lambda: downloads.append(1) or key_set(), clock=clock)
    for index in range(200):
        with pytest.raises(errors.UnknownKey):
            store.key(f"random-{index}")
    assert len(downloads) == 1


def test_failed_renewal_wipes_the_keys(clock):
    """PyJWT issue 1162."""
    answers = [key_set(), b"<html>"]
    store = KeyStore(lambda: answers.pop(0), clock=clock, in_background=lambda work: work())
    store.key(ACCESS_KEY_ID)
    clock.forward(3600)
    for _ in range(3):
        assert store.key(ACCESS_KEY_ID)


def test_weak_keys_and_foreign_key_types():
    """CVE-2022-23539."""
    weak = jwk("weak", private_key("weak1024", 1024))
    symmetric = {"kty": "oct", "kid": "s", "k": "c2VjcmV0", "use": "sig", "alg": "HS256"}
    assert set(parse_key_set(key_set(weak, symmetric, jwk()))) == {ACCESS_KEY_ID}


def test_id_token_replayed_from_another_attempt(verifier):
    """CVE-2025-14546, CVE-2025-68481: the generated nonce and state are compared."""
    with pytest.raises(errors.NonceMismatch):
        verifier.id_claims(make_id_token(), nonce=NONCE[::-1])


def test_subjects_that_differ_in_case_are_two_users(verifier):
    """CVE-2024-32879, CVE-2019-19844: subjects are compared byte by byte."""
    spelled = "34C84488-E0E1-70AE-D2EE-991AD1A898C8\u0131"
    assert verifier.access_claims(make_access_token(sub=spelled)).subject == spelled
