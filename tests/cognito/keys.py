"""Real keys and real tokens, of which a test changes one part.

`make_access_token(exp=...)` replaces a claim, `make_access_token(exp=REMOVED)` leaves it out,
`header=` and `key=` do the same for the rest of the token.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

POOL_ID = "us-east-1_AbCdEfGhI"
ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{POOL_ID}"
CLIENT_ID = "4example5client6id7890abcd"
NOW = 1_800_000_000  # seconds; 2027-01-15T08:00:00Z
NONCE = "nonce-of-this-sign-in-attempt-0123456789-abc"


class _Removed:
    def __repr__(self):
        return "removed"


REMOVED = _Removed()

# As at Cognito: standard base64, which is not safe in URLs and file names.
ACCESS_KEY_ID = "aC3s+/sKeYaC3s+/sKeYaC3s+/sKeYaC3s+/sKeYaC0="
ID_KEY_ID = "1D/+kEy11D/+kEy11D/+kEy11D/+kEy11D/+kEy11D0="

ACCESS_CLAIMS = {
    "sub": "34c84488-e0e1-70ae-d2ee-991ad1a898c8",
    "iss": ISSUER,
    "version": 2,
    "client_id": CLIENT_ID,
    "origin_jti": "5f1a2f0c-0000-4000-8000-00000000000a",
    "event_id": "5f1a2f0c-0000-4000-8000-00000000000e",
    "token_use": "access",
    "scope": "openid profile email",
    "auth_time": NOW - 100,
    "exp": NOW + 3600,
    "iat": NOW,
    "jti": "5f1a2f0c-0000-4000-8000-00000000000b",
    "username": "ada",
    "cognito:groups": ["admins"],
}
ID_CLAIMS = {
    "sub": "34c84488-e0e1-70ae-d2ee-991ad1a898c8",
    "iss": ISSUER,
    "aud": CLIENT_ID,
    "cognito:username": "ada",
    "cognito:groups": ["admins"],
    "origin_jti": "5f1a2f0c-0000-4000-8000-00000000000a",
    "token_use": "id",
    "auth_time": NOW - 100,
    "exp": NOW + 3600,
    "iat": NOW,
    "jti": "5f1a2f0c-0000-4000-8000-00000000000c",
    "nonce": NONCE,
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada Lovelace",
    "given_name": "Ada",
    "family_name": "Lovelace",
}
MACHINE_CLAIMS = {
    "sub": CLIENT_ID,
    "iss": ISSUER,
    "version": 2,
    "client_id": CLIENT_ID,
    "token_use": "access",
    "scope": "stats/read stats/write",
    "auth_time": NOW - 100,
    "exp": NOW + 3600,
    "iat": NOW,
    "jti": "5f1a2f0c-0000-4000-8000-00000000000d",
}


@cache
def private_key(name=ACCESS_KEY_ID, bits=2048, exponent=65537):
    """Return the key of this name, created once per process because that is slow."""
    return rsa.generate_private_key(public_exponent=exponent, key_size=bits)


def base64url(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value):
    return base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(key_id=ACCESS_KEY_ID, key=None, **changes):
    numbers = (key or private_key(key_id)).public_key().public_numbers()
    members = {
        "alg": "RS256",
        "e": number(numbers.e),
        "kid": key_id,
        "kty": "RSA",
        "n": number(numbers.n),
        "use": "sig",
    }
    return without_removed({**members, **changes})


def key_set(*keys):
    keys = keys or (jwk(ACCESS_KEY_ID), jwk(ID_KEY_ID))
    return json.dumps({"keys": list(keys)}).encode()


def without_removed(members):
    return {name: value for name, value in members.items() if value is not REMOVED}


def sign(signing_input, key):
    return key.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())


def make_token(claims, *, key_id, header=None, key=None, payload=None, **changes):
    """Return a signed compact JWT; `payload` (bytes) replaces all claims."""
    members = without_removed({"kid": key_id, "alg": "RS256", **(header or {})})
    if payload is None:
        payload = json.dumps(without_removed({**claims, **changes})).encode()
    signing_input = f"{base64url(json.dumps(members).encode())}.{base64url(payload)}"
    return f"{signing_input}.{base64url(sign(signing_input, key or private_key(key_id)))}"


def make_access_token(**changes):
    return make_token(ACCESS_CLAIMS, **{"key_id": ACCESS_KEY_ID, **changes})


def make_machine_token(**changes):
    return make_token(MACHINE_CLAIMS, **{"key_id": ACCESS_KEY_ID, **changes})


def make_id_token(**changes):
    return make_token(ID_CLAIMS, **{"key_id": ID_KEY_ID, **changes})


def at_hash(access_token):
    return base64url(hashlib.sha256(access_token.encode()).digest()[:16])
